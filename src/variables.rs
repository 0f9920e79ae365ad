//! `$cors_preflight`, `$cors_result`, `$cors_origin`, `$cors_reason`.
//!
//! They are worked out when someone asks. The answer can change while nginx looks for the location, so nginx is told
//! not to keep it.

use core::ptr::NonNull;

use cors_policy::Outcome;
use nginx_sys::{
    ngx_conf_t, ngx_http_request_t, ngx_int_t, ngx_variable_value_t, NGX_ERROR, NGX_HTTP_VAR_NOCACHEABLE, NGX_OK,
};

use crate::conf::Configuration;
use crate::guard::{guard, silence};
use crate::judgement::{is_preflight, Judgement};
use crate::pool::OutOfMemory;
use crate::request::Request;
use crate::shim;

/// What a variable tells of a request; the subrequests of a request share its variables.
type Tell = for<'r> fn(Request<'r>) -> Result<&'r [u8], OutOfMemory>;

const VARIABLES: [(&str, Tell); 4] = [
    ("cors_preflight", preflight),
    ("cors_result", result),
    ("cors_origin", origin),
    ("cors_reason", reason),
];

/// The first hook that nginx calls.
pub(crate) unsafe extern "C" fn install(cf: *mut ngx_conf_t) -> ngx_int_t {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    let configuration = unsafe { Configuration::from_raw(cf) };
    guard(configuration.log(), NGX_ERROR as ngx_int_t, || {
        silence();
        for (number, (name, _)) in VARIABLES.iter().enumerate() {
            if let Err(OutOfMemory) = configuration.add_variable(name, NGX_HTTP_VAR_NOCACHEABLE, get, number) {
                return NGX_ERROR as ngx_int_t;
            }
        }
        NGX_OK as ngx_int_t
    })
}

unsafe extern "C" fn get(raw: *mut ngx_http_request_t, value: *mut ngx_variable_value_t, number: usize) -> ngx_int_t {
    // SAFETY: nginx evaluates variables for live requests.
    let Some(request) = NonNull::new(raw).map(|raw| unsafe { Request::from_raw(raw) }) else {
        return NGX_ERROR as ngx_int_t;
    };
    let told = guard(request.log(), None, || {
        let (_, tell) = VARIABLES.get(number)?;
        tell(request.main()).ok()
    });
    let Some(told) = told else {
        return NGX_ERROR as ngx_int_t;
    };
    // SAFETY: nginx hands over the value to fill in; the bytes live as long as the request.
    unsafe { shim::ngx_http_cors_set_variable(value, told.as_ptr(), told.len()) };
    NGX_OK as ngx_int_t
}

fn preflight(request: Request<'_>) -> Result<&[u8], OutOfMemory> {
    Ok(if is_preflight(request) { b"1" } else { b"" })
}

fn result(request: Request<'_>) -> Result<&[u8], OutOfMemory> {
    let outcome = Judgement::once_more(request).map(|judgement| judgement.outcome(request).0);
    Ok(outcome.map_or("off", Outcome::as_str).as_bytes())
}

fn origin<'r>(request: Request<'r>) -> Result<&'r [u8], OutOfMemory> {
    let allowed = Judgement::once_more(request).and_then(|judgement| judgement.allowed_origin(request));
    Ok(allowed.unwrap_or_default())
}

fn reason<'r>(request: Request<'r>) -> Result<&'r [u8], OutOfMemory> {
    match Judgement::once_more(request).and_then(|judgement| judgement.outcome(request).1) {
        Some(reason) => request.join(core::iter::once(reason.to_string().as_bytes())),
        None => Ok(&[]),
    }
}
