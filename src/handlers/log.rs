//! The log phase: counts a request, once, when it has ended, and has the candidate judge it.

use cors_zone::{CandidateChange, Counted, Effect, RequestKind};
use nginx_sys::{ngx_http_request_t, ngx_int_t};

use super::denial::log_change;
use crate::decide::decision_to_count;
use crate::nginx::return_code;
use crate::request::{with_request, Action, Binding, Request, RequestContext};

pub(super) unsafe extern "C" fn on_log_phase(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its phase handlers with live requests.
    unsafe {
        with_request(raw, return_code::OK, |request| {
            if request.is_main() {
                count(request);
            }
            return_code::OK
        })
    }
}

fn count(request: Request<'_>) -> Option<()> {
    let context = RequestContext::get(request);
    let Some(decided) = decision_to_count(request) else {
        return count_as_off(request, context?);
    };
    let change = decided.compare_candidate(request).and_then(|compared| compared.change);
    if let Some(change) = &change {
        log_change(request, &decided, change);
    }
    let counted = decided.location.counted()?;
    let (outcome, reason) = decided.result(request);
    let kind = match decided.decision.preflight() {
        Some(_) => RequestKind::Preflight,
        None => RequestKind::Actual,
    };
    let effect = match context.map(RequestContext::action) {
        Some(Action::Answered(_)) => Effect::Answered,
        Some(Action::Refused) => Effect::Enforced,
        _ if decided.policy.settings().dry_run => Effect::DryRun,
        _ => Effect::None,
    };
    let candidate = change.as_ref().map(|change| match change.is_gain() {
        true => CandidateChange::Gain,
        false => CandidateChange::Loss,
    });
    let request = Counted {
        kind,
        outcome: Some(outcome),
        effect,
        candidate,
    };
    counted.count(request, decided.decision.origin().value(), reason, change.as_ref());
    Some(())
}

/// A location that says `cors off` has served a request that another location's policy governed until then: it counts
/// there.
fn count_as_off(request: Request<'_>, context: &RequestContext<'_>) -> Option<()> {
    if !request.location().says_off() {
        return None;
    }
    let (Binding::Bound(location) | Binding::Candidate(location)) = context.binding() else {
        return None;
    };
    let off = Counted {
        kind: RequestKind::Actual,
        outcome: None,
        effect: Effect::None,
        candidate: None,
    };
    location.counted()?.count(off, &[], None, None);
    Some(())
}
