//! What would change for a request if another policy were in force (`cors_candidate`).

use std::fmt;

use crate::decision::{Decision, Outcome, Reason, Verdict};
use crate::escaped::Escaped;
use crate::policy::Policy;
use crate::request::{Context, Request};

/// How a candidate judges a request that the policy in force has judged.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'r> {
    /// How the request would end.
    pub outcome: Outcome,
    /// What would change for whoever has sent it; nothing, as mostly.
    pub change: Option<Change<'r>>,
}

/// What would change for whoever has sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change<'r> {
    /// What is allowed would be denied, for this reason.
    Denied(Reason<'r>),
    /// What is denied, for this reason, would be allowed.
    Allowed(Reason<'r>),
    /// The origin would lose its credentials.
    WithoutCredentials(&'r [u8]),
    /// The origin would get credentials.
    WithCredentials(&'r [u8]),
}

impl Change<'_> {
    /// Whether the request would be better off.
    pub fn is_gain(&self) -> bool {
        matches!(self, Self::Allowed(_) | Self::WithCredentials(_))
    }
}

impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(reason) => write!(f, "would deny: {reason}"),
            Self::Allowed(reason) => write!(f, "would allow what is denied: {reason}"),
            Self::WithoutCredentials(origin) => {
                write!(f, "would take the credentials from origin {}", Escaped(origin))
            }
            Self::WithCredentials(origin) => {
                write!(f, "would give credentials to origin {}", Escaped(origin))
            }
        }
    }
}

impl Policy {
    /// Judges, as the candidate, a request about which `in_force` has decided. `requested_headers` are the lines of its
    /// `Access-Control-Request-Headers`.
    pub fn compare<'r, 'c>(
        &self,
        in_force: &Policy,
        decision: &Decision<'r>,
        request: &Request<'r>,
        requested_headers: impl Iterator<Item = &'r [u8]> + Clone,
        context: &impl Context<'c>,
    ) -> Comparison<'r> {
        let other = self.decide(request, context);
        let (_, denied) = in_force.result(decision, requested_headers.clone());
        let (outcome, would_be_denied) = self.result(&other, requested_headers);
        let change = match (denied, would_be_denied) {
            (None, Some(reason)) => Some(Change::Denied(reason)),
            (Some(reason), None) => Some(Change::Allowed(reason)),
            (Some(_), Some(_)) => None,
            (None, None) => change_of_credentials(decision, &other),
        };
        Comparison { outcome, change }
    }
}

fn change_of_credentials<'r>(decision: &Decision<'r>, other: &Decision<'r>) -> Option<Change<'r>> {
    let has_credentials = |decision: &Decision<'r>| decision.verdict() == Verdict::AllowedWithCredentials;
    let origin = decision.origin().value();
    match (has_credentials(decision), has_credentials(other)) {
        (true, false) => Some(Change::WithoutCredentials(origin)),
        (false, true) => Some(Change::WithCredentials(origin)),
        _ => None,
    }
}
