//! Directives that have no effect anywhere, which shows only once the whole configuration has been read.

use crate::directive::Directive;
use crate::problem::{Position, Problem, ProblemKind, Severity};

/// Finds the directives that have no effect, while the levels of a configuration are put together.
#[derive(Debug, Default)]
pub struct UnusedDirectives {
    given: Vec<GivenDirective>,
}

#[derive(Debug)]
struct GivenDirective {
    directive: Directive,
    at: Position,
    /// Whether a level with `cors on` has it or inherits it.
    in_force: bool,
    /// Whether it changes anything in one of those levels.
    effective: bool,
}

/// One of the directives that were given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DirectiveId(usize);

impl UnusedDirectives {
    /// Adds a directive that was given.
    pub(crate) fn add(&mut self, directive: Directive, at: &Position) -> DirectiveId {
        self.given.push(GivenDirective {
            directive,
            at: at.clone(),
            in_force: false,
            effective: false,
        });
        DirectiveId(self.given.len() - 1)
    }

    /// Notes that a level with `cors on` has the directive, and whether it changes anything there.
    pub(crate) fn mark_in_force(&mut self, id: DirectiveId, effective: bool) {
        if let Some(given) = self.given.get_mut(id.0) {
            given.in_force = true;
            given.effective |= effective;
        }
    }

    /// A warning for each directive that has no effect anywhere.
    pub fn finish(&self) -> Vec<Problem> {
        // A `cors on` that every inner level overrides is no mistake.
        let is_unused =
            |given: &&GivenDirective| !given.effective && (given.in_force || given.directive != Directive::Cors);
        let unused = self.given.iter().filter(is_unused);
        unused
            .map(|given| {
                let text = match given.directive {
                    Directive::Cors => {
                        "\"cors on\" allows no origin: \"cors_allow_origin\" is missing; add it, or write \"cors off\""
                            .to_owned()
                    }
                    other => format!(
                        "\"{}\" has no effect: \"cors\" is \"off\" everywhere below; write \"cors on\"",
                        other.name()
                    ),
                };
                let kind = ProblemKind {
                    severity: Severity::Warning,
                    directive: given.directive.name(),
                    what: "unused",
                };
                Problem::new(kind, &given.at, text)
            })
            .collect()
    }
}
