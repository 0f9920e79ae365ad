//! `$cors_preflight`, `$cors_result`, `$cors_origin`, `$cors_reason`, `$cors_candidate_result`.
//!
//! They are worked out when someone asks. What they say can change while nginx looks for the location, so nginx is told
//! not to keep it.

use cors_policy::Outcome;
use nginx_sys::{ngx_http_request_t, ngx_int_t, ngx_variable_value_t, NGX_HTTP_VAR_NOCACHEABLE};

use crate::config::{Configuration, MainConf};
use crate::decide::{decide, is_preflight, Decided};
use crate::nginx::pool::OutOfMemory;
use crate::nginx::{return_code, shim};
use crate::request::{with_request, Request};

/// The value of a variable for a request of a client; the subrequests share it.
type Value = for<'r> fn(Request<'r>) -> Result<&'r [u8], OutOfMemory>;

const VARIABLES: [(&str, Value); 5] = [
    ("cors_preflight", preflight),
    ("cors_result", result),
    ("cors_origin", origin),
    ("cors_reason", reason),
    ("cors_candidate_result", candidate_result),
];

/// Makes the variables, but for those that the configuration defines itself: loading the module changes nothing for one
/// that does not use it. All of the configuration has been read, so that its own are known.
pub(super) fn install(configuration: Configuration<'_>, main: &MainConf) -> Result<(), OutOfMemory> {
    for (number, (name, _)) in VARIABLES.iter().enumerate() {
        let is_ours = configuration.add_variable(name, NGX_HTTP_VAR_NOCACHEABLE, get, number)?;
        if !is_ours && main.has_policy.get() {
            configuration.warn(&format!(
                "the variable \"${name}\" is one that the configuration defines itself: it does not tell what this module decides; give it another name to use the module's"
            ));
        }
    }
    Ok(())
}

unsafe extern "C" fn get(raw: *mut ngx_http_request_t, to: *mut ngx_variable_value_t, number: usize) -> ngx_int_t {
    // SAFETY: nginx evaluates variables for live requests, and hands over the value to fill in; the bytes live as long as
    // the request.
    unsafe {
        with_request(raw, return_code::ERROR, |request| {
            let value = VARIABLES.get(number).map(|(_, value)| value(request.main()));
            let Some(Ok(value)) = value else {
                return return_code::ERROR;
            };
            shim::ngx_http_cors_set_variable(to, value.as_ptr(), value.len());
            return_code::OK
        })
    }
}

fn preflight(request: Request<'_>) -> Result<&[u8], OutOfMemory> {
    Ok(if is_preflight(request) { b"1" } else { b"" })
}

fn result(request: Request<'_>) -> Result<&[u8], OutOfMemory> {
    let outcome = decided(request).map(|decided| decided.result(request).0);
    Ok(outcome.map_or("off", Outcome::as_str).as_bytes())
}

fn origin<'r>(request: Request<'r>) -> Result<&'r [u8], OutOfMemory> {
    let allowed = decided(request).and_then(|decided| {
        let kept = decided.existing_allow_origin(request);
        kept.or_else(|| decided.decision.allowed_origin())
    });
    Ok(allowed.unwrap_or_default())
}

fn reason<'r>(request: Request<'r>) -> Result<&'r [u8], OutOfMemory> {
    match decided(request).and_then(|decided| decided.result(request).1) {
        Some(reason) => request.join(core::iter::once(reason.to_string().as_bytes())),
        None => Ok(&[]),
    }
}

/// Empty where there is no candidate.
fn candidate_result(request: Request<'_>) -> Result<&[u8], OutOfMemory> {
    let comparison = decided(request).and_then(|decided| decided.compare_candidate(request));
    Ok(comparison
        .map_or("", |comparison| comparison.outcome.as_str())
        .as_bytes())
}

/// What is decided; nothing while a decision waits for the value of a variable that is made of these.
fn decided<'r>(request: Request<'r>) -> Option<Decided<'r>> {
    match request.main_conf().texts.is_evaluating() {
        true => None,
        false => decide(request),
    }
}
