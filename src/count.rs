//! The log phase: counts a request, once, by what was remembered of it when it was decided.

use core::ptr::NonNull;

use cors_policy::{Outcome, Verdict};
use cors_zone::{Counted, Denial, Kind, Slot};
use nginx_sys::{ngx_http_request_t, ngx_int_t, NGX_OK};

use crate::guard::guard;
use crate::judgement::Judgement;
use crate::request::Request;
use crate::state;
use crate::zone;

pub(crate) unsafe extern "C" fn count(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx runs its phases with live requests.
    if let Some(request) = NonNull::new(raw).map(|raw| unsafe { Request::from_raw(raw) }) {
        if request.is_main() && !state::is_bystander(request) {
            guard(request.log(), None, || count_governed(request));
        }
    }
    NGX_OK as ngx_int_t
}

fn count_governed(request: Request<'_>) -> Option<()> {
    let zone = request.zone()?.memory()?;
    let (location, state) = state::governing(request);
    let location = location?;
    let slot = location.place()?.slot()?;
    let noted = state::noted(request);
    let outcome = match noted.verdict {
        _ if request.location().is_some_and(|here| here.is_off_here()) => None,
        _ if state.map_or_else(|| request.is_options(), state::State::is_options) => {
            return count_closely(request, slot);
        }
        Some(Verdict::NoOrigin) => Some(Outcome::None),
        Some(Verdict::Allowed { .. }) => Some(Outcome::Allowed),
        Some(Verdict::SameOrigin) => Some(Outcome::SameOrigin),
        Some(Verdict::Anyone | Verdict::Denied) | None => return count_closely(request, slot),
    };
    let counted = Counted {
        kind: Kind::Actual,
        outcome,
        answered: false,
        enforced: false,
        dry_run: false,
    };
    zone.count(slot, counted, zone::now());
    Some(())
}

/// Counts a request of which more has to be known.
#[inline(never)]
fn count_closely(request: Request<'_>, slot: Slot) -> Option<()> {
    let zone = request.zone()?.memory()?;
    let noted = state::noted(request);
    let judgement = Judgement::remembered(request, noted.verdict)?;
    let (outcome, reason) = judgement.outcome(request);
    let counted = Counted {
        kind: match judgement.preflight() {
            Some(_) => Kind::Preflight,
            None => Kind::Actual,
        },
        outcome: Some(outcome),
        answered: noted.answered,
        enforced: noted.refused,
        dry_run: judgement.policy.is_dry_run(),
    };
    let now = zone::now();
    zone.count(slot, counted, now);
    if let Some(reason) = reason {
        let origin = judgement.origin();
        zone.deny(&Denial { origin, reason, slot }, now);
    }
    Some(())
}
