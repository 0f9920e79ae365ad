//! The phase handlers: they find the governing policy and answer preflights.

use core::ptr::NonNull;

use cors_policy::{Enforce, Policy, Preflight, PreflightMode, Verdict};
use nginx_sys::{
    ngx_conf_t, ngx_cycle_t, ngx_http_phase_handler_t, ngx_http_phases_NGX_HTTP_ACCESS_PHASE,
    ngx_http_phases_NGX_HTTP_LOG_PHASE, ngx_http_phases_NGX_HTTP_REWRITE_PHASE,
    ngx_http_phases_NGX_HTTP_SERVER_REWRITE_PHASE, ngx_http_request_t, ngx_int_t, NGX_DECLINED, NGX_DONE, NGX_ERROR,
    NGX_HTTP_FORBIDDEN, NGX_HTTP_INTERNAL_SERVER_ERROR, NGX_OK,
};

use crate::conf::{self, Configuration, Handler, LocationConf};
use crate::count;
use crate::guard::guard;
use crate::judgement::{log_denial, Judgement};
use crate::pool::OutOfMemory;
use crate::prepared::Prepared;
use crate::request::{Lines, Request};
use crate::state::{self, State};

/// nginx asks the next handler.
const DECLINED: ngx_int_t = NGX_DECLINED as ngx_int_t;

/// The request has ended.
const DONE: ngx_int_t = NGX_DONE as ngx_int_t;

/// What a request gets if something goes wrong.
const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

/// Installs the handlers, once all of the configuration has been read; refuses it if anything in it was wrong.
pub(crate) unsafe extern "C" fn install(cf: *mut ngx_conf_t) -> ngx_int_t {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    let configuration = unsafe { Configuration::from_raw(cf) };
    guard(configuration.log(), NGX_ERROR as ngx_int_t, || {
        configuration.report_the_rest();
        configuration.check_zone();
        configuration.report_numbers();
        let install = |(phase, handler, wanted)| match wanted {
            true => configuration.add_handler(phase, handler),
            false => Ok(()),
        };
        let plan = configuration.with_main(|main| {
            let handlers: [(_, Handler, _); 4] = [
                (
                    ngx_http_phases_NGX_HTTP_SERVER_REWRITE_PHASE,
                    server_rewrite,
                    main.early_in_use,
                ),
                (ngx_http_phases_NGX_HTTP_REWRITE_PHASE, rewrite, main.redirects_errors),
                (ngx_http_phases_NGX_HTTP_ACCESS_PHASE, access, true),
                (ngx_http_phases_NGX_HTTP_LOG_PHASE, count::count, main.zone.is_some()),
            ];
            (main.refused, main.in_use, handlers)
        });
        let Some((false, in_use, handlers)) = plan else {
            return NGX_ERROR as ngx_int_t;
        };
        if !in_use {
            return NGX_OK as ngx_int_t;
        }
        let installed = configuration
            .reserve_places()
            .and_then(|()| handlers.into_iter().try_for_each(install));
        match installed {
            Ok(()) => NGX_OK as ngx_int_t,
            Err(OutOfMemory) => NGX_ERROR as ngx_int_t,
        }
    })
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
    let here = request.location();
    if !state::is_bystander(request, here) && request.is_main() {
        state::enter(request, here);
    }
    request.go_on()
}

/// As nginx does it, with less to ask: the handler cannot grant access, and does not deny it by a status that
/// `satisfy any` could outvote.
unsafe extern "C" fn check_access(raw: *mut ngx_http_request_t, _: *mut ngx_http_phase_handler_t) -> ngx_int_t {
    // SAFETY: nginx runs its phases with live requests.
    let request = unsafe { Request::from_raw(NonNull::new_unchecked(raw)) };
    let here = request.location();
    if state::is_bystander(request, here) || !request.is_main() || state::stand_by(request, here) {
        return request.go_on();
    }
    match guarded(request, |request| decide(request, here)) {
        DECLINED => return request.go_on(),
        DONE => {}
        status => request.finalize(status),
    }
    NGX_OK as ngx_int_t
}

/// Runs a phase handler's work.
///
/// # Safety
///
/// `raw` is the request for which nginx calls a phase handler.
unsafe fn handle(raw: *mut ngx_http_request_t, work: impl FnOnce(Request<'_>) -> ngx_int_t) -> ngx_int_t {
    match NonNull::new(raw) {
        // SAFETY: the caller vouches for it.
        Some(raw) => guarded(unsafe { Request::from_raw(raw) }, work),
        None => FAILED,
    }
}

/// Whatever goes wrong in `work` costs the request, which gets a 500.
#[inline]
fn guarded<'r>(request: Request<'r>, work: impl FnOnce(Request<'r>) -> ngx_int_t) -> ngx_int_t {
    guard(request.log(), FAILED, || work(request))
}

unsafe extern "C" fn rewrite(raw: *mut ngx_http_request_t) -> ngx_int_t {
    let work = |request: Request<'_>| {
        if request.is_main() {
            state::enter(request, request.location());
        }
        DECLINED
    };
    // SAFETY: nginx calls its phase handlers with live requests.
    unsafe { handle(raw, work) }
}

/// Answers preflights before nginx has looked for a location, and so before `return`, rewrites and redirects.
unsafe extern "C" fn server_rewrite(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its phase handlers with live requests.
    unsafe { handle(raw, answer_early) }
}

fn answer_early(request: Request<'_>) -> ngx_int_t {
    if !request.is_options() || !request.is_main() || state::is_known(request) {
        return DECLINED;
    }
    let location = request.location();
    let Some(prepared) = location.prepared() else {
        return DECLINED;
    };
    let policy = prepared.policy();
    if policy.preflight_mode() != PreflightMode::Early || policy.is_dry_run() {
        return DECLINED;
    }
    let read = request.read();
    let Some(preflight) = read.preflight() else {
        return DECLINED;
    };
    let verdict = read.decide(true, policy, request).verdict();
    if verdict == Verdict::SameOrigin {
        return DECLINED;
    }
    match state::settle(request, location) {
        Some(state) => meet_preflight(request, state, location, prepared, verdict, preflight, read),
        None => DECLINED,
    }
}

/// Answers preflights, before any other handler can ask for a password that no preflight carries; refuses what is to
/// be refused.
unsafe extern "C" fn access(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its phase handlers with live requests.
    unsafe { handle(raw, |request| decide(request, request.location())) }
}

/// Gives nginx `NGX_DECLINED` or `NGX_DONE`, for a finished answer: under `satisfy any`, `NGX_OK` would grant access,
/// and an error status could be outvoted.
#[inline(always)]
fn decide<'r>(request: Request<'r>, here: &'r LocationConf) -> ngx_int_t {
    if here.is_off_here() {
        return DECLINED;
    }
    let Some((location, prepared, state)) = state::stand(request, here) else {
        return DECLINED;
    };
    #[cfg(feature = "fault-injection")]
    location.fault.strike(crate::fault::Fault::Access);
    if !request.is_options() {
        return match prepared.policy().enforce() {
            Enforce::Off => DECLINED,
            _ => enforce(request, state, prepared),
        };
    }
    match request.read_once(location.place().is_some()) {
        Some(read) => decide_on_options(request, state, location, prepared, read),
        None => decide_on_repeated(request, state, location, prepared),
    }
}

#[cold]
fn decide_on_repeated<'r>(
    request: Request<'r>,
    state: State<'r>,
    location: &'r LocationConf,
    prepared: &'r Prepared,
) -> ngx_int_t {
    decide_on_options(request, state, location, prepared, request.read_repeated())
}

#[inline(always)]
fn decide_on_options<'r>(
    request: Request<'r>,
    state: State<'r>,
    location: &'r LocationConf,
    prepared: &'r Prepared,
    read: Lines<'r>,
) -> ngx_int_t {
    let Some(preflight) = read.preflight() else {
        return enforce(request, state, prepared);
    };
    if request.is_post_action() {
        return DECLINED;
    }
    let policy = prepared.policy();
    let verdict = read.decide(true, policy, request).verdict();
    meet_preflight(request, state, location, prepared, verdict, preflight, read)
}

/// Whether a request that is denied is to be refused.
#[inline]
fn enforces(policy: &Policy, request: Request<'_>) -> bool {
    match policy.enforce() {
        Enforce::Off => false,
        Enforce::WebSocket => request.asks_for_websocket(),
        Enforce::On => true,
    }
}

/// Refuses a request that is no preflight, if it is to be refused.
#[inline(never)]
fn enforce<'r>(request: Request<'r>, state: State<'r>, prepared: &'r Prepared) -> ngx_int_t {
    if !enforces(prepared.policy(), request) || request.is_post_action() {
        return DECLINED;
    }
    let judgement = Judgement::by(prepared, request, &request.read_actual());
    if judgement.verdict != Verdict::Denied {
        return DECLINED;
    }
    judgement.log(request);
    if judgement.policy.is_dry_run() {
        return DECLINED;
    }
    state.note_refusal();
    request.finalize(NGX_HTTP_FORBIDDEN as ngx_int_t);
    DONE
}

#[inline(always)]
fn meet_preflight<'r>(
    request: Request<'r>,
    state: State<'r>,
    location: &'r LocationConf,
    prepared: &'r Prepared,
    verdict: Verdict,
    preflight: Preflight<'r>,
    read: Lines<'r>,
) -> ngx_int_t {
    state.note_preflight(verdict, preflight);
    let Some((reply, status)) = prepared.reply(verdict).and_then(|reply| Some((reply, reply.status?))) else {
        return DECLINED;
    };
    let is_complete = reply.is_complete;
    #[cfg(feature = "fault-injection")]
    let is_complete = is_complete && request.location().fault == crate::fault::Fault::None;
    // On a connection that is kept the body would be taken for a request. If it cannot be read, that is the answer.
    if let Err(status) = request.discard_body() {
        return status;
    }
    // The filter need not work out again what is known.
    state.note_answer(is_complete.then_some(reply));
    if let Some(place) = location.place() {
        state.note_answered(place, verdict, &read);
    }
    if is_complete && request.logs(prepared.log_level()) {
        log_denial(request);
    }
    request.answer(status.get());
    DONE
}
