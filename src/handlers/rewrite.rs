//! The rewrite phases: preflights that are answered early, and which location may come to govern a request.
//!
//! Of the handlers of a phase nginx runs the one that was registered last first, so that these come before `return`, `if`
//! and `rewrite`.

use cors_policy::{Policy, PreflightMode};
use nginx_sys::{ngx_http_request_t, ngx_int_t};

use super::preflight::answer_preflight;
use crate::config::LocationConf;
use crate::decide::ask;
use crate::nginx::return_code;
use crate::request::{run_phase, Binding, Next, Request, RequestContext};

/// The rewrite phase of a server, before nginx has looked for a location, and so before `return`, rewrites and redirects
/// of the server: answers preflights where the server says `cors_preflight early`.
pub(super) unsafe extern "C" fn on_server_rewrite_phase(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its phase handlers with live requests.
    unsafe { run_phase(raw, enter_server) }
}

fn enter_server(request: Request<'_>) -> Next {
    // After an internal redirect the request comes here again.
    if !request.is_options() || !request.is_main() || RequestContext::get(request).is_some() {
        return Next::Continue;
    }
    let server = request.location();
    answer_if_early(request, server)
}

/// Answers the request under the policy of `block`, if it is a preflight and the policy answers those early. The block
/// governs it then, whichever location nginx would have chosen. Everything else goes on.
fn answer_if_early<'r>(request: Request<'r>, block: &'r LocationConf) -> Next {
    let Some(policy) = early_policy(block).filter(|_| !request.is_post_action()) else {
        return Next::Continue;
    };
    let decided = ask(request, block, policy, true);
    let Some(answer) = decided.preflight_answer() else {
        return Next::Continue;
    };
    let Ok(context) = RequestContext::get_or_create(request) else {
        return Next::Fail(return_code::INTERNAL_SERVER_ERROR);
    };
    context.bind(block);
    answer_preflight(request, context, &decided, answer)
}

/// The policy of a block, if it answers preflights early.
fn early_policy(block: &LocationConf) -> Option<&Policy> {
    block
        .policy()
        .filter(|policy| policy.settings().preflight == PreflightMode::Early)
}

/// The rewrite phase of a location. Its policy governs what it answers there itself (`return 404`), also through
/// `error_page`.
pub(super) unsafe extern "C" fn on_rewrite_phase(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its phase handlers with live requests.
    unsafe { run_phase(raw, enter_location) }
}

fn enter_location(request: Request<'_>) -> Next {
    if !request.is_main() {
        return Next::Continue;
    }
    let location = request.location();
    let context = match (RequestContext::get(request), location.policy()) {
        (None, None) => return Next::Continue,
        _ if request.is_post_action() => return Next::Continue,
        (Some(context), _) => context,
        (None, Some(_)) => match RequestContext::create(request) {
            Ok(context) => context,
            Err(_) => return Next::Fail(return_code::INTERNAL_SERVER_ERROR),
        },
    };
    context.enter_rewrite(request, location);
    match context.binding() {
        // Its preflight is answered here. Where the actual request goes from here, by `rewrite` or into an `if`, may have
        // another policy; that would contradict the answer, so this one governs both.
        Binding::Candidate(candidate) if core::ptr::eq(candidate, location) && early_policy(location).is_some() => {
            context.bind(location);
            match request.is_options() {
                true => answer_if_early(request, location),
                false => Next::Continue,
            }
        }
        _ => Next::Continue,
    }
}
