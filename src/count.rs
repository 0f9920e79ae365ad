//! The log phase: counts a request, once, by what was remembered of it when it was decided.

use core::ptr::NonNull;

use cors_policy::{Field, Outcome, Policy, Preflight, Reason, Verdict};
use cors_zone::{Counted, Denial, Kind};
use nginx_sys::{ngx_http_request_t, ngx_int_t, NGX_OK};

use crate::guard::guard;
use crate::judgement::Judgement;
use crate::list::Sieve;
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
    if !remembers(request, state, place) {
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
    let counted = Counted {
        kind,
        outcome: Some(cause.outcome()),
        answered: kind == Kind::Preflight,
        enforced: state.is_refused(),
        dry_run: state::governing(request).0.policy().is_some_and(Policy::is_dry_run),
    };
    zone.count(slot, counted, now);
    Some(())
}

/// Whether the preflight, which is allowed as far as its origin goes, asks what the last one asked.
#[inline]
fn remembers(request: Request<'_>, state: State<'_>, place: &Place) -> bool {
    let (Some((_, preflight)), Some(location)) = (state.preflight(), state.location()) else {
        return false;
    };
    // An `if` shares the place of its location, and may have another policy.
    let is_of_place = location
        .prepared()
        .is_some_and(|prepared| core::ptr::eq(prepared, &*place.prepared));
    let (true, Some(line), Ok(allowed)) = (is_of_place, request.requested_header_line(), place.allowed.try_borrow())
    else {
        return false;
    };
    *allowed.0 == *preflight.method && *allowed.1 == *line
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
    let counted = Counted {
        kind,
        outcome: Some(outcome),
        answered: state::is_answered(request),
        enforced: state::is_refused(request),
        dry_run: judgement.policy.is_dry_run(),
    };
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
    let counted = |outcome| Counted {
        kind,
        outcome: Some(outcome),
        answered: state::is_answered(request),
        enforced: state::is_refused(request),
        dry_run: policy.is_dry_run(),
    };
    let (outcome, reason) = policy.outcome(Verdict::Denied, origin);
    zone.count(slot, counted(outcome), now);
    if let Some(reason) = reason {
        zone.deny(
            &Denial {
                origin: bytes,
                reason,
                slot,
            },
            now,
        );
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
    // An `if` shares the place of its location, and may have another policy.
    let is_admitted = matches!(judgement.verdict, Verdict::Anyone | Verdict::Allowed { .. })
        && core::ptr::eq(judgement.policy, &**place.prepared.policy());
    let line = request.requested_header_line().filter(|_| is_admitted);
    if let (Some(line), Ok(allowed)) = (line, place.allowed.try_borrow()) {
        if *allowed.0 == *preflight.method && *allowed.1 == *line {
            return (Outcome::Allowed, None);
        }
    }
    let ended = judgement.outcome(request);
    if let (Outcome::Allowed, Some(line), Ok(mut allowed)) = (ended.0, line, place.allowed.try_borrow_mut()) {
        if preflight.method.len() + line.len() <= LONGEST {
            *allowed = (preflight.method.into(), line.into());
        }
    }
    ended
}

impl<'r> Request<'r> {
    /// What `Access-Control-Request-Headers` says, if that is on one line at most.
    fn requested_header_line(self) -> Option<&'r [u8]> {
        const NAME: &[u8] = b"access-control-request-headers";
        const SIEVE: Sieve = Sieve::of(&[NAME]);
        let mut lines = 0;
        let mut last: &'r [u8] = &[];
        for header in self.header().parts().flatten() {
            if SIEVE.lets_through(header) && header.name().eq_ignore_ascii_case(NAME) {
                lines += 1;
                last = header.value();
            }
        }
        (lines <= 1).then_some(last)
    }
}
