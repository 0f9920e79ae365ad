//! The phase handlers: they find the governing policy and answer preflights.

use core::ptr::NonNull;

use cors_policy::{Enforce, PreflightMode, Verdict};
use nginx_sys::{
    ngx_conf_t, ngx_cycle_t, ngx_http_core_access_phase, ngx_http_phase_handler_t,
    ngx_http_phases_NGX_HTTP_ACCESS_PHASE, ngx_http_phases_NGX_HTTP_LOG_PHASE, ngx_http_phases_NGX_HTTP_REWRITE_PHASE,
    ngx_http_phases_NGX_HTTP_SERVER_REWRITE_PHASE, ngx_http_request_t, ngx_int_t, NGX_DECLINED, NGX_DONE, NGX_ERROR,
    NGX_HTTP_FORBIDDEN, NGX_HTTP_INTERNAL_SERVER_ERROR, NGX_OK,
};

use crate::conf::{self, Configuration, Handler};
use crate::count;
use crate::guard::guard;
use crate::judgement::Judgement;
use crate::pool::OutOfMemory;
use crate::request::Request;
use crate::state::{self, State};

/// nginx asks the next handler.
const DECLINED: ngx_int_t = NGX_DECLINED as ngx_int_t;

/// What a request gets if something goes wrong.
const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

/// Installs the handlers, once all of the configuration has been read; refuses it if anything in it was wrong.
pub(crate) unsafe extern "C" fn install(cf: *mut ngx_conf_t) -> ngx_int_t {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    let configuration = unsafe { Configuration::from_raw(cf) };
    guard(configuration.log(), NGX_ERROR as ngx_int_t, || {
        configuration.report_the_rest();
        configuration.check_zone();
        let (refused, in_use, early_in_use, counts) = configuration
            .with_main(|main| (main.refused, main.in_use, main.early_in_use, main.zone.is_some()))
            .unwrap_or((true, false, false, false));
        if refused {
            return NGX_ERROR as ngx_int_t;
        }
        if !in_use {
            return NGX_OK as ngx_int_t;
        }
        let installed = configuration
            .reserve_places()
            .and_then(|()| configuration.add_handler(ngx_http_phases_NGX_HTTP_REWRITE_PHASE, rewrite))
            .and_then(|()| configuration.add_handler(ngx_http_phases_NGX_HTTP_ACCESS_PHASE, access))
            .and_then(|()| match early_in_use {
                true => configuration.add_handler(ngx_http_phases_NGX_HTTP_SERVER_REWRITE_PHASE, server_rewrite),
                false => Ok(()),
            })
            .and_then(|()| match counts {
                true => configuration.add_handler(ngx_http_phases_NGX_HTTP_LOG_PHASE, count::count),
                false => Ok(()),
            });
        leave_small_blocks();
        match installed {
            Ok(()) => NGX_OK as ngx_int_t,
            Err(OutOfMemory) => NGX_ERROR as ngx_int_t,
        }
    })
}

/// Leaves the C library with a few small free blocks, in the place of those that the policies have taken up.
///
/// Of what is free once the configuration has been read, the block that held its text fits the pool of a request. With
/// nothing smaller at hand, the next small allocation would break it up, and every request would pay for that.
fn leave_small_blocks() {
    drop(core::hint::black_box([(); 7].map(|()| Box::new([0_u8; 16]))));
}

/// Shortens the way of requests to which CORS is nothing: nginx would ask each handler for its opinion.
pub(crate) unsafe extern "C" fn shorten(cycle: *mut ngx_cycle_t) -> ngx_int_t {
    // SAFETY: nginx calls this hook with the new cycle, which has a log, and whose configuration is complete.
    let (log, phases) = unsafe { ((*cycle).log, conf::phase_handlers(cycle)) };
    guard(log, NGX_OK as ngx_int_t, || {
        for phase in phases {
            let is = |handler: Handler| phase.handler.is_some_and(|other| other as usize == handler as usize);
            if is(rewrite) {
                phase.checker = Some(check_rewrite);
            } else if is(access) {
                phase.checker = Some(check_access);
            }
        }
        NGX_OK as ngx_int_t
    })
}

// These two do without a guard: nothing that they do themselves can panic, nor may it.
unsafe extern "C" fn check_rewrite(raw: *mut ngx_http_request_t, _: *mut ngx_http_phase_handler_t) -> ngx_int_t {
    // SAFETY: nginx runs its phases with live requests.
    let request = unsafe { Request::from_raw(NonNull::new_unchecked(raw)) };
    if !state::is_bystander(request) && request.is_main() {
        state::enter(request);
    }
    request.go_on()
}

unsafe extern "C" fn check_access(raw: *mut ngx_http_request_t, phase: *mut ngx_http_phase_handler_t) -> ngx_int_t {
    // SAFETY: nginx runs its phases with live requests.
    let request = unsafe { Request::from_raw(NonNull::new_unchecked(raw)) };
    if state::is_bystander(request) || (request.is_main() && state::stand_by(request)) {
        return request.go_on();
    }
    // SAFETY: nginx runs its phases with live requests, and hands on the phase that it runs.
    unsafe { ngx_http_core_access_phase(raw, phase) }
}

/// Runs a phase handler's work; whatever goes wrong in it costs the request, which gets a 500.
///
/// # Safety
///
/// `raw` is the request for which nginx calls a phase handler.
unsafe fn handle(
    raw: *mut ngx_http_request_t,
    work: impl FnOnce(Request<'_>) -> Result<ngx_int_t, OutOfMemory>,
) -> ngx_int_t {
    let Some(raw) = NonNull::new(raw) else {
        return FAILED;
    };
    // SAFETY: the caller vouches for it.
    let request = unsafe { Request::from_raw(raw) };
    guard(request.log(), FAILED, || work(request).unwrap_or(FAILED))
}

unsafe extern "C" fn rewrite(raw: *mut ngx_http_request_t) -> ngx_int_t {
    let work = |request: Request<'_>| {
        if request.is_main() {
            state::enter(request);
        }
        Ok(DECLINED)
    };
    // SAFETY: nginx calls its phase handlers with live requests.
    unsafe { handle(raw, work) }
}

/// Answers preflights before nginx has looked for a location, and so before `return`, rewrites and redirects.
unsafe extern "C" fn server_rewrite(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its phase handlers with live requests.
    unsafe { handle(raw, answer_early) }
}

fn answer_early(request: Request<'_>) -> Result<ngx_int_t, OutOfMemory> {
    if !request.is_options() || !request.is_main() || state::is_known(request) {
        return Ok(DECLINED);
    }
    let location = request.location();
    let Some(prepared) = location.prepared() else {
        return Ok(DECLINED);
    };
    let policy = prepared.policy();
    if policy.preflight_mode() != PreflightMode::Early || policy.is_dry_run() {
        return Ok(DECLINED);
    }
    let judgement = Judgement::by(prepared, request, true);
    if judgement.preflight().is_none() || judgement.verdict == Verdict::SameOrigin {
        return Ok(DECLINED);
    }
    match state::settle(request, location) {
        Some(state) => meet_preflight(request, state, judgement),
        None => Ok(DECLINED),
    }
}

/// Answers preflights, before any other handler can ask for a password that no preflight carries; refuses what is to
/// be refused.
unsafe extern "C" fn access(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its phase handlers with live requests.
    unsafe { handle(raw, decide) }
}

/// Gives nginx `NGX_DECLINED` or `NGX_DONE`, for a finished answer: under `satisfy any`, `NGX_OK` would grant access,
/// and an error status could be outvoted.
fn decide(request: Request<'_>) -> Result<ngx_int_t, OutOfMemory> {
    if request.location().is_off_here() {
        return Ok(DECLINED);
    }
    let Some((location, state)) = state::stand(request) else {
        return Ok(DECLINED);
    };
    #[cfg(feature = "fault-injection")]
    location.fault.strike(crate::fault::Fault::Access);
    let Some(prepared) = location.prepared() else {
        return Ok(DECLINED);
    };
    let policy = prepared.policy();
    let is_options = request.is_options();
    if (!is_options && policy.enforce() == Enforce::Off) || request.is_post_action() {
        return Ok(DECLINED);
    }
    let judgement = Judgement::by(prepared, request, is_options);
    if judgement.preflight().is_some() {
        return meet_preflight(request, state, judgement);
    }
    let enforced = match policy.enforce() {
        Enforce::Off => false,
        Enforce::WebSocket => request.asks_for_websocket(),
        Enforce::On => true,
    };
    if !enforced || judgement.verdict != Verdict::Denied {
        return Ok(DECLINED);
    }
    judgement.log(request);
    if policy.is_dry_run() {
        return Ok(DECLINED);
    }
    state.note_refusal();
    request.refuse(NGX_HTTP_FORBIDDEN as ngx_int_t);
    Ok(NGX_DONE as ngx_int_t)
}

fn meet_preflight<'r>(
    request: Request<'r>,
    state: State<'r>,
    judgement: Judgement<'r>,
) -> Result<ngx_int_t, OutOfMemory> {
    let Some(preflight) = judgement.preflight() else {
        return Ok(DECLINED);
    };
    let policy = judgement.policy;
    state.note_preflight(judgement.verdict, preflight);
    if policy.preflight_mode() == PreflightMode::Pass || policy.is_dry_run() {
        return Ok(DECLINED);
    }
    let status = match judgement.verdict {
        Verdict::Anyone | Verdict::Allowed { .. } => policy.preflight_status(),
        // No browser asks leave for a request within its own origin; whatever asks here is not to be denied.
        Verdict::SameOrigin | Verdict::NoOrigin => return Ok(DECLINED),
        Verdict::Denied => NGX_HTTP_FORBIDDEN as u16,
    };
    if let Err(status) = request.discard_body() {
        return Ok(status);
    }
    state.note_answer();
    request.answer(status);
    Ok(NGX_DONE as ngx_int_t)
}
