//! Which policy governs a request, and what the access phase made of it.
//!
//! nginx wipes the contexts of modules on an internal redirect. What has to last lies in the request's pool, where a
//! cleanup handler marks it.

use core::ffi::c_void;
use core::ptr::NonNull;

use cors_policy::{Preflight, Verdict};
use nginx_sys::ngx_str_t;

use crate::conf::LocationConf;
use crate::module;
use crate::pool::{self, OutOfMemory};
use crate::request::Request;

/// What the module remembers of a request.
#[derive(Clone, Copy)]
pub(crate) struct State {
    governor: Governor,
    answer: Option<Answer>,
}

/// The location whose policy counts.
#[derive(Clone, Copy)]
enum Governor {
    /// The location that is processing its rewrite phase. If it answers there, it governs what becomes of that.
    Candidate(Option<NonNull<LocationConf>>),
    /// To the end of the request.
    Settled(NonNull<LocationConf>),
}

/// A preflight that is being answered. The strings are the request's own.
#[derive(Clone, Copy)]
struct Answer {
    verdict: Verdict,
    origin: ngx_str_t,
    method: ngx_str_t,
}

/// Recognises the state among the cleanups of a pool. Its work is done by its address.
unsafe extern "C" fn mark(_: *mut c_void) {}

/// A request's state, if it has one, and whether nginx had forgotten it.
fn recall(request: Request<'_>) -> Option<(&mut State, bool)> {
    let (state, forgotten) = match request.context::<State>(&module::HANDLER) {
        Some(state) => (state, false),
        None if request.was_redirected() => {
            // SAFETY: the request's pool is alive, and the mark is used in `remember` alone.
            (unsafe { pool::find::<State>(request.pool(), mark) }?, true)
        }
        None => return None,
    };
    // SAFETY: `remember` wrote it into the request's pool; no reference to it outlives a call of this module.
    Some((unsafe { &mut *state.as_ptr() }, forgotten))
}

fn remember(request: Request<'_>, state: State) -> Result<(), OutOfMemory> {
    // SAFETY: the request's pool is alive.
    let state = unsafe { pool::leave(request.pool(), mark, state)? };
    request.set_context(&module::HANDLER, state);
    Ok(())
}

/// The request enters the rewrite phase of the location in which it stands.
pub(crate) fn enter(request: Request<'_>) -> Result<(), OutOfMemory> {
    let here = request.location().filter(|location| location.policy().is_some());
    match recall(request) {
        Some((state, forgotten)) => {
            match &mut state.governor {
                // The candidate has answered in its rewrite phase, and this is where `error_page` led.
                Governor::Candidate(Some(location)) if forgotten => state.governor = Governor::Settled(*location),
                Governor::Candidate(candidate) => *candidate = here.map(NonNull::from),
                Governor::Settled(_) => {}
            }
            if forgotten {
                let state = NonNull::from(state);
                request.set_context(&module::HANDLER, state);
            }
            Ok(())
        }
        None if here.is_some() => {
            let governor = Governor::Candidate(here.map(NonNull::from));
            remember(request, State { governor, answer: None })
        }
        None => Ok(()),
    }
}

/// The request stands in the access phase. The location that governs it from now on is returned, if this is the first
/// one that could.
pub(crate) fn stand(request: Request<'_>) -> Result<Option<&LocationConf>, OutOfMemory> {
    let here = request.location().filter(|location| location.policy().is_some());
    let governor = match here {
        Some(location) => Governor::Settled(NonNull::from(location)),
        None => Governor::Candidate(None),
    };
    match recall(request) {
        Some((
            State {
                governor: Governor::Settled(_),
                ..
            },
            _,
        )) => return Ok(None),
        Some((state, _)) => state.governor = governor,
        None if here.is_some() => remember(request, State { governor, answer: None })?,
        None => {}
    }
    Ok(here)
}

/// Notes that the response is the answer to a preflight.
pub(crate) fn note_answer(request: Request<'_>, verdict: Verdict, preflight: Preflight<'_>) {
    let str = |bytes: &[u8]| ngx_str_t {
        len: bytes.len(),
        data: bytes.as_ptr().cast_mut(),
    };
    if let Some((state, _)) = recall(request) {
        state.answer = Some(Answer {
            verdict,
            origin: str(preflight.origin),
            method: str(preflight.method),
        });
    }
}

/// The location that governs the response, and the preflight that the response answers, if it does.
pub(crate) fn governing<'r>(request: Request<'r>) -> (Option<&'r LocationConf>, Option<(Verdict, Preflight<'r>)>) {
    let here = request.location();
    let Some((state, forgotten)) = recall(request) else {
        return (here, None);
    };
    let location = match state.governor {
        // SAFETY: configurations live as long as the cycle, and a request does not outlive its cycle.
        Governor::Settled(location) => Some(unsafe { &*location.as_ptr() }),
        // SAFETY: as above.
        Governor::Candidate(Some(location)) if forgotten => Some(unsafe { &*location.as_ptr() }),
        Governor::Candidate(_) => here,
    };
    let answer = state.answer.map(|answer| {
        // SAFETY: both strings are headers of the request, which nginx keeps as long as the request.
        let bytes = |str: ngx_str_t| unsafe { core::slice::from_raw_parts::<'r>(str.data, str.len) };
        let preflight = Preflight {
            origin: bytes(answer.origin),
            method: bytes(answer.method),
        };
        (answer.verdict, preflight)
    });
    (location, answer)
}
