//! What shows only once the whole configuration has been read: directives that had no effect anywhere.

use std::collections::HashSet;

use crate::directive::Directive;
use crate::problem::{Position, Problem, Severity, Told};

/// Keeps count of directives while the levels of a configuration are put together.
#[derive(Debug, Default)]
pub struct Census {
    entries: Vec<Entry>,
    told: HashSet<Told>,
}

#[derive(Debug)]
struct Entry {
    directive: Directive,
    at: Position,
    /// It was in force somewhere.
    in_force: bool,
    /// And it had an effect there.
    effective: bool,
}

/// One directive in the count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket(usize);

impl Census {
    /// A directive was given.
    pub(crate) fn enter(&mut self, directive: Directive, at: &Position) -> Ticket {
        self.entries.push(Entry {
            directive,
            at: at.clone(),
            in_force: false,
            effective: false,
        });
        Ticket(self.entries.len() - 1)
    }

    /// It is in force somewhere, and has an effect there, or has none.
    pub(crate) fn note(&mut self, ticket: Ticket, effective: bool) {
        if let Some(entry) = self.entries.get_mut(ticket.0) {
            entry.in_force = true;
            entry.effective |= effective;
        }
    }

    /// Leaves out what was told already of another block that inherits it.
    pub(crate) fn untold(&mut self, mut problems: Vec<Problem>) -> Vec<Problem> {
        problems.retain(|problem| self.told.insert(problem.told()));
        problems
    }

    /// What had no effect anywhere.
    pub fn finish(&self) -> Vec<Problem> {
        // A flag that every inner level overrides is no mistake.
        let is_idle = |entry: &&Entry| !entry.effective && (entry.in_force || entry.directive != Directive::Cors);
        let idle = self.entries.iter().filter(is_idle);
        idle.map(|entry| {
            let text = match entry.directive {
                Directive::Cors => {
                    "\"cors on\" allows no origin: \"cors_allow_origin\" is missing; add it, or write \"cors off\""
                        .to_owned()
                }
                other => format!(
                    "\"{}\" has no effect: \"cors\" is \"off\" everywhere below; write \"cors on\"",
                    other.name()
                ),
            };
            Problem::new(Severity::Warning, &entry.at, text)
        })
        .collect()
    }
}
