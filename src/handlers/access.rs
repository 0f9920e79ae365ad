//! The access phase: binds the policy that governs the request, answers preflights before any other handler can ask for a
//! password that no preflight carries, and refuses what `cors_enforce` refuses.
//!
//! The handler gives nginx `DECLINED`, or ends the request itself: under `satisfy any`, `OK` would grant access, and an
//! error that it returned could be outvoted.

use cors_policy::{Enforce, Policy};
use nginx_sys::{ngx_http_request_t, ngx_int_t};

use super::denial::log_denial;
use super::preflight::answer_preflight;
use crate::config::LocationConf;
use crate::decide::Decided;
use crate::nginx::status;
use crate::request::{handle, Action, Binding, Request, RequestContext};

pub(super) unsafe extern "C" fn on_access_phase(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its phase handlers with live requests.
    unsafe { handle(raw, status::INTERNAL_SERVER_ERROR, control_access) }
}

fn control_access(request: Request<'_>) -> ngx_int_t {
    let here = request.location();
    let context = match RequestContext::get(request) {
        _ if here.is_off() || request.is_post_action() => return status::DECLINED,
        Some(context) => context,
        None if here.policy().is_none() => return status::DECLINED,
        None => match RequestContext::get_or_create(request) {
            Ok(context) => context,
            Err(_) => return status::INTERNAL_SERVER_ERROR,
        },
    };
    let Some((location, policy)) = bind(context, here) else {
        return status::DECLINED;
    };
    #[cfg(feature = "fault-injection")]
    location.fault.get().strike(crate::fault::Fault::Access);
    // The method as it is now: where `error_page` has made a GET of it, the error is what is served.
    let is_options = request.is_options();
    let is_enforced = is_enforced(policy, request);
    if !is_options && !is_enforced {
        return status::DECLINED;
    }
    let decided = Decided {
        location,
        policy,
        decision: policy.decide(&request.cors_headers(is_options), &request),
    };
    if decided.decision.is_preflight() {
        // One that is not answered goes on to its handler; `cors_enforce` is for actual requests.
        return match decided.preflight_answer() {
            Some(answer) => answer_preflight(request, context, &decided, answer),
            None => status::DECLINED,
        };
    }
    if is_enforced && decided.decision.is_denied() {
        return refuse(request, context, &decided);
    }
    status::DECLINED
}

/// The location that governs the request and its policy, the first time that there is one in an access phase.
fn bind<'r>(context: &RequestContext<'r>, here: &'r LocationConf) -> Option<(&'r LocationConf, &'r Policy)> {
    context.bind_in_access(here);
    match context.binding() {
        Binding::Bound(location) if context.enter_access() => Some((location, location.policy()?)),
        _ => None,
    }
}

/// Whether the request is refused if its origin is denied.
fn is_enforced(policy: &Policy, request: Request<'_>) -> bool {
    match policy.enforce() {
        Enforce::Off => false,
        Enforce::WebSocket => request.asks_for_websocket(),
        Enforce::On => true,
    }
}

fn refuse<'r>(request: Request<'r>, context: &RequestContext<'r>, decided: &Decided<'r>) -> ngx_int_t {
    log_denial(request, decided);
    if decided.policy.is_dry_run() {
        return status::DECLINED;
    }
    context.keep(decided.location, decided.decision);
    context.note_action(Action::Refused);
    request.end_with_error(status::FORBIDDEN)
}
