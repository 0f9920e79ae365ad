//! The header filter: gives every response its headers.

use core::ptr::NonNull;

use cors_policy::{vary, HeaderName, Value, Vary};
use nginx_sys::{
    ngx_conf_t, ngx_http_output_header_filter_pt, ngx_http_request_t, ngx_http_top_header_filter, ngx_int_t,
    ngx_uint_t, NGX_ERROR, NGX_HTTP_INTERNAL_SERVER_ERROR, NGX_HTTP_SWITCHING_PROTOCOLS, NGX_OK,
};

use crate::conf::Configuration;
use crate::guard::guard;
use crate::judgement::Judgement;
use crate::module::{self, Module};
use crate::pool::OutOfMemory;
use crate::request::Request;

/// The filter that runs next. Every configuration builds the chain anew.
static mut NEXT: ngx_http_output_header_filter_pt = None;

pub(crate) unsafe extern "C" fn install(cf: *mut ngx_conf_t) -> ngx_int_t {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    let configuration = unsafe { Configuration::from_raw(cf) };
    guard(configuration.log(), NGX_ERROR as ngx_int_t, || {
        if configuration.with_main(|main| main.in_use) == Some(true) {
            // SAFETY: nginx has one thread, and runs no filter while it installs them.
            unsafe {
                NEXT = ngx_http_top_header_filter;
                ngx_http_top_header_filter = Some(filter);
            }
        }
        NGX_OK as ngx_int_t
    })
}

unsafe extern "C" fn filter(raw: *mut ngx_http_request_t) -> ngx_int_t {
    const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;
    // SAFETY: nginx calls its filters with live requests.
    let Some(request) = NonNull::new(raw).map(|raw| unsafe { Request::from_raw(raw) }) else {
        return NGX_ERROR as ngx_int_t;
    };
    let outcome = if request.context::<Module>(&module::FILTER).is_some() {
        // The filter has failed on this request before. This is the response that says so.
        NGX_OK as ngx_int_t
    } else {
        guard(request.log(), FAILED, || {
            decorate(request).map_or(NGX_ERROR as ngx_int_t, |()| NGX_OK as ngx_int_t)
        })
    };
    if outcome == NGX_OK as ngx_int_t {
        // SAFETY: `install` saved it, and nginx runs no filter before.
        return match unsafe { NEXT } {
            Some(next) => {
                // SAFETY: the next filter takes what this one was given.
                unsafe { next(raw) }
            }
            None => NGX_ERROR as ngx_int_t,
        };
    }
    if outcome == FAILED {
        request.set_context(&module::FILTER, NonNull::from(&module::FILTER));
        return request.replace_by_error(&module::FILTER, FAILED);
    }
    outcome
}

/// Puts the policy's headers in the place of those that the response has.
fn decorate(mut request: Request<'_>) -> Result<(), OutOfMemory> {
    if !request.is_main() {
        return Ok(());
    }
    let Some(judgement) = Judgement::of(request) else {
        return Ok(());
    };
    #[cfg(feature = "fault-injection")]
    crate::fault::strike_filter(request);
    judgement.log(request)?;
    let policy = judgement.policy;
    if policy.is_dry_run() || request.status() == NGX_HTTP_SWITCHING_PROTOCOLS as ngx_uint_t {
        return Ok(());
    }
    if judgement.kept_origin(request).is_some() {
        return Ok(());
    }

    let mut varies_already = false;
    request.remove_headers(|header| {
        varies_already |= is_vary(header.name());
        policy.governs(header.name())
    });
    let headers = judgement.headers();
    for (name, value) in headers.lines() {
        let value = match value {
            Value::Bytes(bytes) => bytes,
            Value::FromRequest => request.join(policy.echoed_headers(request.requested_headers()))?,
            Value::FromResponse => request.join(policy.exposed_headers(request.response_header_names()))?,
        };
        if !value.is_empty() {
            request.add_header(name, value)?;
        }
    }
    if headers.vary.is_empty() {
        return Ok(());
    }
    add_vary(request, headers.vary, varies_already)
}

/// Makes the response say once, on one line, what it depends on.
fn add_vary(mut request: Request<'_>, needed: Vary, varies_already: bool) -> Result<(), OutOfMemory> {
    let needed = if request.take_gzip_vary() {
        Vary::ACCEPT_ENCODING.and(needed)
    } else {
        needed
    };
    if !varies_already {
        let value = match needed.constant() {
            Some(constant) => constant.as_bytes(),
            None => request.join(needed.names().map(str::as_bytes))?,
        };
        return request.add_header(HeaderName::Vary, value);
    }
    let lines = request
        .response_headers()
        .filter(|header| is_vary(header.name()))
        .map(|header| header.value());
    if lines.clone().any(vary::is_anything) {
        return Ok(());
    }
    let untold = lines.clone().fold(needed, Vary::untold_by);
    if untold.is_empty() && lines.clone().count() == 1 {
        return Ok(());
    }
    let merged = request.join(vary::merged(lines, untold))?;
    request.remove_headers(|header| is_vary(header.name()));
    request.add_header(HeaderName::Vary, merged)
}

fn is_vary(name: &[u8]) -> bool {
    name.len() == 4 && name.eq_ignore_ascii_case(b"Vary")
}
