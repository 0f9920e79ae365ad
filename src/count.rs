//! The log phase: counts a request, once, by what was remembered of it when it was decided.

use core::ptr::NonNull;

use cors_policy::{Field, Outcome, Policy, Preflight, Reason, Verdict};
use cors_zone::{Counted, Denial, Kind};
use nginx_sys::{ngx_http_request_t, ngx_int_t, NGX_OK};

use crate::guard::guard;
use crate::judgement::Judgement;
use crate::request::Request;
use crate::state;
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
    let (place, verdict) = state::noted(request)?;
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

/// Not a part of the handler itself, which is done with most requests by then.
#[inline(never)]
fn count_others(request: Request<'_>) {
    if !state::is_bystander(request, request.location()) {
        guard(request.log(), (), || {
            let _ = count_closely(request);
        });
    }
}

/// Counts a request of which more has to be known.
fn count_closely(request: Request<'_>) -> Option<()> {
    if let Some((place, Verdict::Denied)) = state::noted(request) {
        let policy = state::governing(request).0.policy()?;
        return count_denied(request, place, policy, Kind::Actual, request.read_actual().origin());
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
    if let Some(cause) = zone.deny_again(bytes, slot, now) {
        zone.count(slot, counted(cause.outcome()), now);
        return Some(());
    }
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
        let mut lines = 0;
        let mut last: &'r [u8] = &[];
        for header in self.header() {
            if header.name().eq_ignore_ascii_case(NAME) {
                lines += 1;
                last = header.value();
            }
        }
        (lines <= 1).then_some(last)
    }
}
