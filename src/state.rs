//! Which policy governs a request, and what the access phase made of it.
//!
//! nginx wipes the contexts of modules on an internal redirect. What has to last lies in the request's pool, where a
//! cleanup handler marks it.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr::NonNull;

use cors_policy::{Preflight, Verdict};
use nginx_sys::ngx_str_t;

use crate::conf::LocationConf;
use crate::list::str;
use crate::module;
use crate::pool::{self, OutOfMemory};
use crate::request::Request;

/// What the module remembers of a request.
pub(crate) struct State {
    governor: Cell<Governor>,
    preflight: Cell<Option<NotedPreflight>>,
    /// The request came as `OPTIONS`; `error_page` makes a `GET` of it.
    is_options: bool,
    /// It has stood in an access phase since its policy was settled.
    judged: Cell<bool>,
    /// Its denial has been logged.
    told: Cell<bool>,
}

/// The location whose policy counts.
#[derive(Clone, Copy)]
enum Governor {
    /// The location that is processing its rewrite phase. If it answers there, it governs what becomes of that.
    Candidate(Option<NonNull<LocationConf>>),
    /// To the end of the request.
    Settled(NonNull<LocationConf>),
}

/// A preflight that has been judged. The strings are the request's own.
#[derive(Clone, Copy)]
struct NotedPreflight {
    verdict: Verdict,
    origin: ngx_str_t,
    method: ngx_str_t,
    private_network: bool,
}

/// Recognises the state among the cleanups of a pool. Its work is done by its address.
unsafe extern "C" fn mark(_: *mut c_void) {}

/// Whether no policy has to do with the request: neither that of the location in which it stands, nor an earlier one,
/// which would have left a state behind, or a redirect.
#[inline]
pub(crate) fn is_bystander(request: Request<'_>) -> bool {
    request.location().is_none_or(|location| location.policy().is_none())
        && request.context::<State>(&module::HANDLER).is_none()
        && !request.is_internal()
}

/// A request's state, if it has one, and whether nginx had forgotten it.
fn recall(request: Request<'_>) -> Option<(&State, bool)> {
    let (state, forgotten) = match request.context::<State>(&module::HANDLER) {
        Some(state) => (state, false),
        None if request.was_redirected() => {
            // SAFETY: the request's pool is alive, and the mark is used in `remember` alone.
            (unsafe { pool::find::<State>(request.pool(), mark) }?, true)
        }
        None => return None,
    };
    // SAFETY: `remember` wrote it into the request's pool, and no one has more than a shared reference to it.
    Some((unsafe { &*state.as_ptr() }, forgotten))
}

fn remember(request: Request<'_>, governor: Governor) -> Result<&State, OutOfMemory> {
    let state = State {
        governor: Cell::new(governor),
        preflight: Cell::new(None),
        is_options: request.is_options(),
        judged: Cell::new(false),
        told: Cell::new(false),
    };
    // SAFETY: the request's pool is alive.
    let state = unsafe { pool::leave(request.pool(), mark, state)? };
    request.set_context(&module::HANDLER, state);
    // SAFETY: it was written just now, and lives as long as the request.
    Ok(unsafe { &*state.as_ptr() })
}

/// The request enters the rewrite phase of the location in which it stands.
pub(crate) fn enter(request: Request<'_>) -> Result<(), OutOfMemory> {
    let here = request.location().filter(|location| location.policy().is_some());
    let Some((state, forgotten)) = recall(request) else {
        return match here {
            Some(location) => remember(request, Governor::Candidate(Some(location.into()))).map(drop),
            None => Ok(()),
        };
    };
    match state.governor.get() {
        // The candidate has answered in its rewrite phase, and this is where `error_page` led.
        Governor::Candidate(Some(location)) if forgotten => state.governor.set(Governor::Settled(location)),
        Governor::Candidate(_) => state.governor.set(Governor::Candidate(here.map(NonNull::from))),
        Governor::Settled(_) => {}
    }
    if forgotten {
        request.set_context(&module::HANDLER, NonNull::from(state));
    }
    Ok(())
}

/// The request stands in an access phase. The location that governs it is returned, the first time that there is one.
pub(crate) fn stand(request: Request<'_>) -> Result<Option<(&LocationConf, &State)>, OutOfMemory> {
    let here = request.location().filter(|location| location.policy().is_some());
    let governor = match here {
        Some(location) => Governor::Settled(location.into()),
        None => Governor::Candidate(None),
    };
    let state = match recall(request) {
        Some((state, _)) => state,
        None if here.is_some() => remember(request, governor)?,
        None => return Ok(None),
    };
    if let Governor::Candidate(_) = state.governor.get() {
        state.governor.set(governor);
    }
    match state.governor.get() {
        Governor::Settled(location) if !state.judged.replace(true) => {
            // SAFETY: configurations live as long as the cycle, and a request does not outlive its cycle.
            Ok(Some((unsafe { &*location.as_ptr() }, state)))
        }
        _ => Ok(None),
    }
}

/// `location` governs the request from now on, whichever location nginx would choose.
pub(crate) fn settle<'r>(request: Request<'r>, location: &LocationConf) -> Result<&'r State, OutOfMemory> {
    remember(request, Governor::Settled(location.into()))
}

/// Whether the request has been seen before.
pub(crate) fn is_known(request: Request<'_>) -> bool {
    recall(request).is_some()
}

/// Whether the caller is the first who has a denial of this request to tell.
pub(crate) fn tells_first(request: Request<'_>) -> Result<bool, OutOfMemory> {
    let state = match recall(request) {
        Some((state, _)) => state,
        None => remember(request, Governor::Candidate(request.location().map(NonNull::from)))?,
    };
    Ok(!state.told.replace(true))
}

/// The location that governs the response, and the state of the request, if it has one.
#[inline]
pub(crate) fn governing<'r>(request: Request<'r>) -> (Option<&'r LocationConf>, Option<&'r State>) {
    let here = request.location();
    let Some((state, forgotten)) = recall(request) else {
        return (here, None);
    };
    let location = match state.governor.get() {
        // SAFETY: configurations live as long as the cycle, and a request does not outlive its cycle.
        Governor::Settled(location) => Some(unsafe { &*location.as_ptr() }),
        // SAFETY: as above.
        Governor::Candidate(Some(location)) if forgotten => Some(unsafe { &*location.as_ptr() }),
        Governor::Candidate(_) => here,
    };
    (location, Some(state))
}

impl State {
    /// Whether the request came as `OPTIONS`.
    pub(crate) fn is_options(&self) -> bool {
        self.is_options
    }

    /// Notes what was made of a preflight.
    pub(crate) fn note_preflight(&self, verdict: Verdict, preflight: Preflight<'_>) {
        self.preflight.set(Some(NotedPreflight {
            verdict,
            origin: str(preflight.origin),
            method: str(preflight.method),
            private_network: preflight.private_network,
        }));
    }

    /// The preflight that the request is, if that was noted.
    pub(crate) fn preflight(&self) -> Option<(Verdict, Preflight<'_>)> {
        let noted = self.preflight.get()?;
        // SAFETY: both strings are headers of the request, which nginx keeps as long as the request and its state.
        let bytes = |str: ngx_str_t| unsafe { core::slice::from_raw_parts(str.data, str.len) };
        let preflight = Preflight {
            origin: bytes(noted.origin),
            method: bytes(noted.method),
            private_network: noted.private_network,
        };
        Some((noted.verdict, preflight))
    }
}
