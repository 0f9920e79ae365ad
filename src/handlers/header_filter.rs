//! The header filter: gives every response the headers that its policy asks for.
//!
//! It decides by itself, as a response may come from a request that has not reached its access phase: `return`, a
//! redirect, a 400, a 413, `limit_req`. It may run twice for a request, the second time for an error in the place of the
//! first response, and comes to the same then.

use nginx_sys::{ngx_conf_t, ngx_http_request_t, ngx_http_top_header_filter, ngx_int_t};

use super::denial::log_denial;
use crate::config::with_configuration;
use crate::decide::{decide_finally, Decided};
use crate::nginx::pool::OutOfMemory;
use crate::nginx::return_code;
use crate::request::{replace_response, with_request, Action, Request, RequestContext};

/// A header filter.
type Filter = unsafe extern "C" fn(*mut ngx_http_request_t) -> ngx_int_t;

/// The filter that runs next. Every configuration builds the chain anew.
static mut NEXT: Filter = end_of_chain;

/// nginx's own filter that sends the header is always there, so this one never runs.
unsafe extern "C" fn end_of_chain(_: *mut ngx_http_request_t) -> ngx_int_t {
    return_code::ERROR
}

/// Puts the filter into the chain, even if the configuration has no policy: if it is refused in the end, the one in force
/// goes on with this chain, which a worker that is started later has from the master.
pub(crate) unsafe extern "C" fn install(cf: *mut ngx_conf_t) -> ngx_int_t {
    // SAFETY: nginx calls this hook for the configuration that it reads. It has one thread, and runs no filter meanwhile.
    unsafe {
        with_configuration(cf, return_code::ERROR, |_, _| {
            NEXT = ngx_http_top_header_filter.unwrap_or(end_of_chain);
            ngx_http_top_header_filter = Some(on_response_header);
            Some(return_code::OK)
        })
    }
}

unsafe extern "C" fn on_response_header(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its filters with live requests; `install` has saved the next filter, which takes what this one
    // was given. No reference to the request is left when the response is replaced.
    unsafe {
        match with_request(raw, Filtered::Failed, |request| match add_headers(request) {
            Ok(()) => Filtered::Done,
            Err(OutOfMemory) => Filtered::OutOfMemory,
        }) {
            Filtered::Done => NEXT(raw),
            Filtered::Failed if with_request(raw, false, note_failure) => {
                replace_response(raw, return_code::INTERNAL_SERVER_ERROR)
            }
            Filtered::Failed | Filtered::OutOfMemory => return_code::ERROR,
        }
    }
}

/// What the filter has come to.
enum Filtered {
    Done,
    OutOfMemory,
    /// There was a panic: no response is sent with half of a policy.
    Failed,
}

/// Notes that the filter has failed, so that it lets the error pass that takes the place of the response. Whether there was
/// memory for that is returned.
fn note_failure(request: Request<'_>) -> bool {
    let context = RequestContext::get_or_create(request);
    context.map(RequestContext::note_filter_failure).is_ok()
}

fn add_headers(request: Request<'_>) -> Result<(), OutOfMemory> {
    if !request.is_main() {
        return Ok(());
    }
    let context = RequestContext::get(request);
    if context.is_none() && request.location().policy().is_none() {
        return Ok(()); // most requests of a server without CORS end here
    }
    if let Some(context) = context {
        if context.has_filter_failed() {
            return Ok(()); // this is the response that says so
        }
        match context.action() {
            Action::Answered(status) if request.response_status() != status => {
                // Another filter has put an error in the place of the answer, and that has a body.
                request.allow_body();
            }
            _ => {}
        }
    }
    let Some((context, decided)) = decide_finally(request, context)? else {
        return Ok(());
    };
    #[cfg(feature = "fault-injection")]
    decided.location.fault.get().strike(crate::fault::Fault::Filter);
    context.begin_response(request.response_status());
    if decided.decision.is_denied() || decided.decision.is_preflight() {
        log_denial(request, context, &decided);
    }
    if is_left_alone(request, &decided) {
        return Ok(());
    }
    request.set_cors_headers(decided.policy, &decided.decision)?;
    context.note_headers();
    Ok(())
}

/// Whether the response stays as it is.
fn is_left_alone<'r>(request: Request<'r>, decided: &Decided<'r>) -> bool {
    // After 101 the connection speaks another protocol, for which `cors_enforce` has decided before.
    decided.policy.settings().dry_run
        || request.switches_protocols()
        || decided.existing_allow_origin(request).is_some()
}
