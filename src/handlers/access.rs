//! The access phase: binds the policy that governs the request, answers preflights before any other handler can ask for a
//! password that no preflight carries, and refuses what `cors_enforce` refuses.
//!
//! The handler lets the request go on (`DECLINED`), or has it ended: under `satisfy any`, `OK` would grant access, and an
//! error that it returned could be outvoted.

use cors_policy::{Enforce, Policy};
use nginx_sys::{ngx_http_request_t, ngx_int_t};

use super::denial::log_denial;
use super::preflight::answer_preflight;
use crate::config::LocationConf;
use crate::decide::{ask, Decided};
use crate::nginx::return_code;
use crate::request::{run_phase, Action, Binding, Next, Request, RequestContext};

pub(super) unsafe extern "C" fn on_access_phase(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its phase handlers with live requests.
    unsafe { run_phase(raw, bind_and_answer) }
}

fn bind_and_answer(request: Request<'_>) -> Next {
    let here = request.location();
    let context = match RequestContext::get(request) {
        None if here.policy().is_none() => return Next::Continue,
        _ if here.says_off() || request.is_post_action() => return Next::Continue,
        Some(context) => context,
        None => match RequestContext::create(request) {
            Ok(context) => context,
            Err(_) => return Next::Fail(return_code::INTERNAL_SERVER_ERROR),
        },
    };
    let Some((location, policy)) = bind(context, here) else {
        return Next::Continue;
    };
    #[cfg(feature = "fault-injection")]
    location.fault.get().strike(crate::fault::Fault::Access);
    // The method as it is now: where `error_page` has made a GET of it, the error is what is served.
    let is_options = request.is_options();
    let is_enforced = is_enforced(policy, request);
    if !is_options && !is_enforced {
        return Next::Continue;
    }
    let decided = ask(request, location, policy, is_options);
    if decided.decision.is_preflight() {
        // One that is not answered goes on to its handler; `cors_enforce` is for actual requests.
        return match decided.preflight_answer() {
            Some(answer) => answer_preflight(request, context, &decided, answer),
            None => Next::Continue,
        };
    }
    if is_enforced && decided.decision.is_denied() {
        return refuse(request, context, &decided);
    }
    Next::Continue
}

/// The location that governs the request and its policy, the first time that there is one in an access phase.
fn bind<'r>(context: &RequestContext<'r>, here: &'r LocationConf) -> Option<(&'r LocationConf, &'r Policy)> {
    context.bind_in_access(here);
    match context.binding() {
        Binding::Bound(location) if context.is_first_access() => Some((location, location.policy()?)),
        _ => None,
    }
}

/// Whether the request is refused if its origin is denied.
fn is_enforced(policy: &Policy, request: Request<'_>) -> bool {
    match policy.settings().enforce {
        Enforce::Off => false,
        Enforce::WebSocket => request.asks_for_websocket(),
        Enforce::On => true,
    }
}

fn refuse<'r>(request: Request<'r>, context: &RequestContext<'r>, decided: &Decided<'r>) -> Next {
    log_denial(request, context, decided);
    if decided.policy.settings().dry_run {
        return Next::Continue;
    }
    context.keep_decision(decided.location, decided.decision);
    context.note_action(Action::Refused);
    Next::Refuse(return_code::FORBIDDEN)
}
