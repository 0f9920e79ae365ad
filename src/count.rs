//! The log phase: counts a request, once, by what was remembered of it when it was decided.

use core::ptr::NonNull;

use cors_policy::{Field, Outcome, Policy, Preflight, Reason, Verdict};
use cors_zone::{Counted, Denial, Kind};
use nginx_sys::{ngx_http_request_t, ngx_int_t, NGX_OK};

use crate::guard::guard;
use crate::judgement::Judgement;
use crate::request::Request;
use crate::state::{self, State};
use crate::zone::{self, Place};

pub(crate) unsafe extern "C" fn count(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx runs its phases with live requests.
    if let Some(request) = NonNull::new(raw).map(|raw| unsafe { Request::from_raw(raw) }) {
        if request.is_main() && count_noted(request).is_none() {
            count_others(request);
        }
    }
    NGX_OK as ngx_int_t
}

const ACTUAL: Counted = Counted {
    kind: Kind::Actual,
    outcome: None,
    answered: false,
    enforced: false,
    dry_run: false,
};

/// What is counted of a request that had a decision.
#[inline]
fn counted(state: Option<State<'_>>, kind: Kind, outcome: Outcome, dry_run: bool) -> Counted {
    Counted {
        kind,
        outcome: Some(outcome),
        answered: state.is_some_and(State::is_answered),
        enforced: state.is_some_and(State::is_refused),
        dry_run,
    }
}

/// Counts what most requests are: not denied, and no preflight.
#[inline]
fn count_noted(request: Request<'_>) -> Option<()> {
    let (place, verdict) = State::of(request)?.noted()?;
    let outcome = match verdict {
        Verdict::NoOrigin => Outcome::None,
        Verdict::Anyone if request.read_actual().origin() == Field::Absent => Outcome::None,
        Verdict::Anyone | Verdict::Allowed { .. } => Outcome::Allowed,
        Verdict::SameOrigin => Outcome::SameOrigin,
        Verdict::Denied => return None,
    };
    let counted = Counted {
        outcome: Some(outcome),
        ..ACTUAL
    };
    request.zone()?.memory()?.count(place.slot()?, counted, zone::now());
    Some(())
}

/// Counts what is like the one before: a denial of the same origin, or a preflight that asks the same. Nothing here can
/// panic.
fn count_alike(request: Request<'_>) -> Option<()> {
    let state = State::of(request)?;
    if let Some((place, Verdict::Denied)) = state.noted() {
        return count_again(request, state, place, Kind::Actual);
    }
    let (location, verdict) = state.answered()?;
    let place = location.place()?;
    if verdict == Verdict::Denied {
        return count_again(request, state, place, Kind::Preflight);
    }
    let (_, preflight) = state.preflight()?;
    if !remembers(place, location.policy()?, preflight, requested_header_line(request)?) {
        return None;
    }
    let counted = Counted {
        kind: Kind::Preflight,
        outcome: Some(Outcome::Allowed),
        answered: true,
        ..ACTUAL
    };
    request.zone()?.memory()?.count(place.slot()?, counted, zone::now());
    Some(())
}

/// Counts a denial that is like the last one of its origin.
fn count_again(request: Request<'_>, state: State<'_>, place: &Place, kind: Kind) -> Option<()> {
    let (zone, slot, now) = (request.zone()?.memory()?, place.slot()?, zone::now());
    let cause = zone.deny_again(state.origin(), slot, now)?;
    let is_dry_run = state::governing(request).0.policy().is_some_and(Policy::is_dry_run);
    zone.count(slot, counted(Some(state), kind, cause.outcome(), is_dry_run), now);
    Some(())
}

/// Whether the preflight, which `policy` allows as far as its origin goes, asks what the last one asked; `line` names the
/// headers.
#[inline]
fn remembers(place: &Place, policy: &Policy, preflight: Preflight<'_>, line: &[u8]) -> bool {
    // An `if` shares the place of its location, and may have another policy.
    let is_of_place = core::ptr::eq(policy, &**place.prepared.policy());
    let allowed = place.allowed.try_borrow();
    is_of_place && allowed.is_ok_and(|allowed| *allowed.0 == *preflight.method && *allowed.1 == *line)
}

/// Not a part of the handler itself, which is done with most requests by then.
#[inline(never)]
fn count_others(request: Request<'_>) {
    if count_alike(request).is_none() && !state::is_bystander(request, request.location()) {
        guard(request.log(), (), || {
            let _ = count_closely(request);
        });
    }
}

/// Counts a request of which more has to be known.
fn count_closely(request: Request<'_>) -> Option<()> {
    let noted = State::of(request).and_then(|state| Some((state, state.noted()?)));
    if let Some((state, (place, Verdict::Denied))) = noted {
        let policy = state::governing(request).0.policy()?;
        let origin = match state.origin() {
            [] => request.read_actual().origin(),
            origin => Field::One(origin),
        };
        return count_denied(request, place, policy, Kind::Actual, origin);
    }
    if request.location().is_off_here() {
        let place = state::governing(request).0.place()?;
        request.zone()?.memory()?.count(place.slot()?, ACTUAL, zone::now());
        return Some(());
    }
    // A preflight, or a request that ended before it had a response.
    let judgement = Judgement::of(request)?;
    let place = judgement.place()?;
    let (kind, (outcome, reason)) = match judgement.preflight() {
        Some(preflight) if judgement.verdict == Verdict::Denied => {
            let origin = Field::One(preflight.origin);
            return count_denied(request, place, judgement.policy, Kind::Preflight, origin);
        }
        Some(preflight) => (
            Kind::Preflight,
            preflight_outcome(request, &judgement, place, preflight),
        ),
        None => (Kind::Actual, judgement.outcome(request)),
    };
    let counted = counted(State::of(request), kind, outcome, judgement.policy.is_dry_run());
    let (zone, slot, now) = (request.zone()?.memory()?, place.slot()?, zone::now());
    zone.count(slot, counted, now);
    if let Some(reason) = reason {
        let origin = judgement.origin();
        zone.deny(&Denial { origin, reason, slot }, now);
    }
    Some(())
}

/// Counts a request whose origin is denied.
fn count_denied(request: Request<'_>, place: &Place, policy: &Policy, kind: Kind, origin: Field<'_>) -> Option<()> {
    let (zone, slot, now) = (request.zone()?.memory()?, place.slot()?, zone::now());
    let bytes = match origin {
        Field::One(bytes) => bytes,
        Field::Absent | Field::Several => &[],
    };
    let (outcome, reason) = policy.outcome(Verdict::Denied, origin);
    zone.count(
        slot,
        counted(State::of(request), kind, outcome, policy.is_dry_run()),
        now,
    );
    if let Some(reason) = reason {
        let origin = bytes;
        zone.deny(&Denial { origin, reason, slot }, now);
    }
    Some(())
}

/// How a preflight ended. Most ask what the last one asked.
fn preflight_outcome<'r>(
    request: Request<'r>,
    judgement: &Judgement<'r>,
    place: &Place,
    preflight: Preflight<'r>,
) -> (Outcome, Option<Reason<'r>>) {
    /// Longer lists are not kept.
    const LONGEST: usize = 512;
    let is_admitted = matches!(judgement.verdict, Verdict::Anyone | Verdict::Allowed { .. })
        && core::ptr::eq(judgement.policy, &**place.prepared.policy());
    let line = requested_header_line(request).filter(|_| is_admitted);
    if line.is_some_and(|line| remembers(place, judgement.policy, preflight, line)) {
        return (Outcome::Allowed, None);
    }
    let ended = judgement.outcome(request);
    if let (Outcome::Allowed, Some(line), Ok(mut allowed)) = (ended.0, line, place.allowed.try_borrow_mut()) {
        if preflight.method.len() + line.len() <= LONGEST {
            *allowed = (preflight.method.into(), line.into());
        }
    }
    ended
}

/// What `Access-Control-Request-Headers` says, if that is on one line at most.
fn requested_header_line(request: Request<'_>) -> Option<&[u8]> {
    let mut lines = request.requested_headers();
    let line = lines.next().unwrap_or_default();
    lines.next().is_none().then_some(line)
}
