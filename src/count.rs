//! The log phase: counts a request, once, by what was noted of it when it was decided, if that tells how it ended.

use core::ptr::NonNull;

use cors_policy::{Field, Outcome};
use cors_zone::{Counted, Effect, RequestKind};
use nginx_sys::{ngx_http_request_t, ngx_int_t, NGX_OK};

use crate::guard::guard;
use crate::judgement::Judgement;
use crate::request::Request;
use crate::state::{self, State};
use crate::zone::{self, Needs, Sort};

const OK: ngx_int_t = NGX_OK as ngx_int_t;

/// Counts most requests at once. Nothing here can panic.
pub(crate) unsafe extern "C" fn count(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx runs its phases with live requests.
    let request = unsafe { Request::from_raw(NonNull::new_unchecked(raw)) };
    let Some(state) = State::of(request).filter(|_| request.is_main()) else {
        return OK;
    };
    let Some(sort) = state.sort() else {
        return count_others(request);
    };
    match sort.needs {
        Needs::Nothing => sort.count(),
        Needs::Listing => return count_denied(request, state, sort),
        Needs::Origin => return count_by_origin(request, sort),
    }
    OK
}

#[inline(never)]
fn count_denied<'r>(request: Request<'r>, state: State<'r>, sort: &'r Sort) -> ngx_int_t {
    count_stranger(request, state, sort);
    OK
}

/// Counts a denial by a closer look at the origin. The verdict stands, whatever has become of the request since.
#[cold]
fn count_stranger<'r>(request: Request<'r>, state: State<'r>, sort: &'r Sort) {
    guard(request.log(), (), || {
        let origin = match state.origin() {
            [] => request.read_actual().origin(),
            origin => Field::One(origin),
        };
        sort.count_denied(origin);
    });
}

#[inline(never)]
fn count_by_origin(request: Request<'_>, sort: &Sort) -> ngx_int_t {
    match request.read_actual().origin() {
        Field::Absent => sort.count_without(),
        Field::One(_) | Field::Several => sort.count(),
    }
    OK
}

#[inline(never)]
fn count_others(request: Request<'_>) -> ngx_int_t {
    if !state::is_bystander(request, request.location()) {
        guard(request.log(), (), || {
            let _ = count_closely(request);
        });
    }
    OK
}

/// Counts a request of which nothing was noted: a preflight, one to which a policy does nothing, or one that ended before it
/// had a response.
fn count_closely(request: Request<'_>) -> Option<()> {
    let now = zone::now();
    if request.location().is_off_here() {
        let off = Counted {
            kind: RequestKind::Actual,
            outcome: None,
            effect: Effect::None,
        };
        state::governing(request).0.place()?.counter()?.count(off, now);
        return Some(());
    }
    let judgement = Judgement::of(request)?;
    let place = judgement.place()?;
    let (outcome, reason) = judgement.outcome(request);
    let preflight = judgement.preflight();
    if let (Some(preflight), Outcome::Allowed, Some(headers)) = (preflight, outcome, requested_line(request)) {
        place.note_allowed(preflight.method, headers);
    }
    let state = State::of(request)?;
    let counted = Counted {
        kind: preflight.map_or(RequestKind::Actual, |_| RequestKind::Preflight),
        outcome: Some(outcome),
        effect: if state.is_answered() {
            Effect::Answered
        } else if state.is_refused() {
            Effect::Enforced
        } else if judgement.policy.is_dry_run() {
            Effect::DryRun
        } else {
            Effect::None
        },
    };
    let counter = place.counter()?;
    counter.count(counted, now);
    counter.deny(judgement.origin(), reason?, now);
    Some(())
}

/// What `Access-Control-Request-Headers` says, if that is on one line at most.
fn requested_line(request: Request<'_>) -> Option<&[u8]> {
    let mut lines = request.requested_headers();
    let line = lines.next().unwrap_or_default();
    lines.next().is_none().then_some(line)
}
