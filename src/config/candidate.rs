//! `cors_candidate { ... }`: directives of a policy that is judged beside the one in force, and changes nothing.

use core::cell::Cell;
use std::rc::Rc;

use cors_policy::{Block, CompleteLevel, Level, Policy, Position, Problem, Scope, UnusedDirectives};

/// The scope of the candidate of a block, and the `cors_candidate` that has made it differ from the policy in force.
pub(super) struct CandidateScope {
    scope: Scope,
    given: Rc<GivenCandidate>,
}

/// A `cors_candidate`.
pub(super) struct GivenCandidate {
    at: Position,
    /// It is judged beside some policy.
    is_used: Cell<bool>,
}

impl CandidateScope {
    /// The candidate of a block whose own directives are `level` and which has the policy of `in_force`: what the block's
    /// `cors_candidate` says, and for the rest what the block says itself, and then what it inherits of the outer block's
    /// candidate.
    pub(super) fn of_block(
        given: Option<(Rc<GivenCandidate>, Level)>,
        level: &CompleteLevel,
        in_force: &Scope,
        outer: Option<&Self>,
        block: Block<'_>,
    ) -> (Option<Self>, Vec<Problem>) {
        // What is of no effect in the policy in force has been told.
        let ignored = &mut UnusedDirectives::default();
        let (base, mut problems) = match outer {
            Some(outer) => level.inherit(&outer.scope, block, ignored),
            None => (in_force.clone(), Vec::new()),
        };
        let (scope, given) = match (given, outer) {
            (Some((given, own)), _) => {
                let (scope, found) = own.inherit(&base, block, ignored);
                problems.extend(found);
                (scope, given)
            }
            (None, Some(outer)) => (base, outer.given.clone()),
            (None, None) => return (None, problems),
        };
        (Some(Self { scope, given }), problems)
    }

    /// The candidate, beside a policy that is in force.
    pub(super) fn policy(&self) -> &Rc<Policy> {
        self.given.is_used.set(true);
        self.scope.policy()
    }
}

impl GivenCandidate {
    pub(super) fn new(at: Position) -> Self {
        Self {
            at,
            is_used: Cell::new(false),
        }
    }

    /// A warning if no policy is in force beside it.
    pub(super) fn check(&self) -> Option<Problem> {
        let text = "\"cors_candidate\" has no effect: \"cors\" is \"off\" everywhere below; write \"cors on\"";
        (!self.is_used.get()).then(|| Problem::warning(&self.at, text.to_owned()))
    }
}
