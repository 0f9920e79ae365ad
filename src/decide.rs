//! Where a request meets its policy.
//!
//! `Policy::decide` is asked in one function, [`ask`]. The phase handlers that may answer or refuse call it with the location
//! that they have bound; everyone else asks for the decision of whichever policy governs. What is decided is kept in the
//! request's context once nothing can change it; who comes later reads that.

use cors_policy::{Comparison, Decision, Field, Outcome, Policy, PreflightMode, Reason};

use crate::config::LocationConf;
use crate::nginx::pool::OutOfMemory;
use crate::request::{Binding, KeptDecision, Request, RequestContext};

/// What the policy of a location decided about a request.
#[derive(Clone, Copy)]
pub(crate) struct Decided<'r> {
    pub(crate) location: &'r LocationConf,
    pub(crate) policy: &'r Policy,
    pub(crate) decision: Decision<'r>,
}

/// The location whose policy governs the request, and that policy: the one that is bound, or else that of the location in
/// which the request is, which may be an `if`, or else that of the candidate. There is none where CORS is off, or where the
/// location that serves the request says `cors off` itself.
#[inline]
fn governing<'r>(request: Request<'r>, context: Option<&RequestContext<'r>>) -> Option<(&'r LocationConf, &'r Policy)> {
    let here = request.location();
    if here.says_off() {
        return None;
    }
    let location = match context.map(RequestContext::binding) {
        Some(Binding::Bound(location)) => location,
        Some(Binding::Candidate(left)) if here.policy().is_none() => left,
        Some(Binding::Candidate(_) | Binding::Unbound) | None => here,
    };
    Some((location, location.policy()?))
}

/// What was decided about a request that has ended.
pub(crate) fn decision_to_count<'r>(request: Request<'r>) -> Option<Decided<'r>> {
    match RequestContext::get(request).and_then(RequestContext::last_decision) {
        Some(kept) => decided_before(kept),
        None => decide(request),
    }
}

fn decided_before<'r>(kept: KeptDecision<'r>) -> Option<Decided<'r>> {
    let KeptDecision { location, decision } = kept;
    let policy = location.policy()?;
    Some(Decided {
        location,
        policy,
        decision,
    })
}

/// What the governing policy decides about the request: what is kept, or what follows from the request as it is now.
pub(crate) fn decide<'r>(request: Request<'r>) -> Option<Decided<'r>> {
    let context = RequestContext::get(request);
    if request.is_post_action() {
        // The response is out, and what comes after it changes nothing.
        return decided_before(context?.last_decision()?);
    }
    let (location, policy) = governing(request, context)?;
    let known = context.and_then(|context| kept(context, location, policy));
    Some(known.unwrap_or_else(|| ask(request, location, policy, was_options(context, request))))
}

/// The same for a request whose response is there. What is decided is kept, and holds from now on; if no policy governs
/// the response, what was decided before is forgotten.
pub(crate) fn decide_finally<'r>(
    request: Request<'r>,
    context: Option<&'r RequestContext<'r>>,
) -> Result<Option<(&'r RequestContext<'r>, Decided<'r>)>, OutOfMemory> {
    let Some((location, policy)) = governing(request, context) else {
        if let Some(context) = context {
            context.forget_decision();
        }
        return Ok(None);
    };
    let context = match context {
        Some(context) => context,
        None => RequestContext::create(request)?,
    };
    let decided = match kept(context, location, policy) {
        Some(decided) => decided,
        None => {
            let decided = ask(request, location, policy, context.is_options());
            context.keep_decision(location, decided.decision);
            decided
        }
    };
    Ok(Some((context, decided)))
}

/// What the policy of a location decides about the request as it is now. `is_options` tells whether it counts as `OPTIONS`.
pub(crate) fn ask<'r>(
    request: Request<'r>,
    location: &'r LocationConf,
    policy: &'r Policy,
    is_options: bool,
) -> Decided<'r> {
    Decided {
        location,
        policy,
        decision: policy.decide(&request.cors_headers(is_options), &request),
    }
}

/// What is kept of the decision of this policy.
#[inline]
fn kept<'r>(context: &RequestContext<'r>, location: &'r LocationConf, policy: &'r Policy) -> Option<Decided<'r>> {
    let decision = context.decision(location)?;
    Some(Decided {
        location,
        policy,
        decision,
    })
}

/// Whether the client's method was `OPTIONS`.
fn was_options<'r>(context: Option<&RequestContext<'r>>, request: Request<'r>) -> bool {
    context.map_or_else(|| request.is_options(), RequestContext::is_options)
}

/// Whether a policy governs the request, and it is a preflight. No origin has to be looked at for that.
pub(crate) fn is_preflight(request: Request<'_>) -> bool {
    let context = RequestContext::get(request);
    was_options(context, request)
        && governing(request, context).is_some()
        && request.cors_headers(true).preflight().is_some()
}

impl<'r> Decided<'r> {
    /// How the request ends, as `$cors_result` names it, and why if that is no success. Before the response is there, it is
    /// what would follow if the module or the application answered. After that it is kept: the log, the counters and the
    /// variables tell the same, and whoever asks first has the names looked up that a preflight asks for.
    pub(crate) fn result(&self, request: Request<'r>) -> (Outcome, Option<Reason<'r>>) {
        let context = RequestContext::get(request);
        if let Some(known) = context.and_then(RequestContext::result) {
            return known;
        }
        let unanswered = context.and_then(|context| self.unanswered(context));
        let result = unanswered.unwrap_or_else(|| match self.existing_allow_origin(request) {
            Some(_) => (Outcome::Kept, None),
            None => self.policy.result(&self.decision, self.requested_headers(request)),
        });
        if let Some(context) = context {
            context.keep_result(result);
        }
        result
    }

    /// What becomes of a preflight by the status of its response, if that is there and browsers do not take it. A dry run
    /// that would have answered the preflight says nothing of that.
    fn unanswered(&self, context: &RequestContext<'r>) -> Option<(Outcome, Option<Reason<'r>>)> {
        let status = context.response_status()?;
        let settings = self.policy.settings();
        let would_have_answered =
            settings.dry_run && settings.preflight != PreflightMode::Pass && context.has_passed_access();
        let unanswered = self.decision.unanswered(status, settings.preflight);
        unanswered.filter(|_| !would_have_answered)
    }

    /// The lines of `Access-Control-Request-Headers` of a preflight. There is one as a rule, and it has been read with the
    /// other headers.
    fn requested_headers(&self, request: Request<'r>) -> impl Iterator<Item = &'r [u8]> + Clone {
        let (one, most) = match self.decision.preflight().map(|preflight| preflight.requested_headers) {
            Some(Field::One(line)) => (Some(line), 0),
            Some(Field::Several) => (None, usize::MAX),
            Some(Field::Absent) | None => (None, 0),
        };
        one.into_iter().chain(request.requested_headers().take(most))
    }

    /// What the candidate of the location would change, if it has one.
    pub(crate) fn compare_candidate(&self, request: Request<'r>) -> Option<Comparison<'r>> {
        let candidate = self.location.candidate()?;
        let lines = self.requested_headers(request);
        let headers = request.cors_headers(was_options(RequestContext::get(request), request));
        Some(candidate.compare(self.policy, &self.decision, &headers, lines, &request))
    }

    /// The status with which the module answers the request, if it is a preflight that the module answers.
    pub(crate) fn preflight_answer(&self) -> Option<u16> {
        self.decision.preflight()?;
        self.policy.preflight_answer(self.decision.verdict())
    }

    /// `Access-Control-Allow-Origin` as the response has it already, where `cors_override off` leaves that alone. The
    /// response that the module makes itself, to a preflight, has the headers of the policy in any case.
    pub(crate) fn existing_allow_origin(&self, request: Request<'r>) -> Option<&'r [u8]> {
        let is_own = || RequestContext::get(request).is_some_and(RequestContext::is_response_own);
        if self.policy.settings().overrides || is_own() {
            return None;
        }
        request.response_allow_origin()
    }
}
