//! What shows only once the whole configuration has been read: directives that had no effect anywhere.

use crate::directive::Directive;
use crate::problem::{Position, Problem, Severity};

/// Keeps count of directives while the levels of a configuration are put together.
#[derive(Debug, Default)]
pub struct Census {
    entries: Vec<Entry>,
    told: Vec<Problem>,
}

#[derive(Debug)]
struct Entry {
    directive: Directive,
    at: Position,
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
            effective: false,
        });
        Ticket(self.entries.len() - 1)
    }

    /// It had an effect somewhere.
    pub(crate) fn note_effect(&mut self, ticket: Ticket) {
        if let Some(entry) = self.entries.get_mut(ticket.0) {
            entry.effective = true;
        }
    }

    /// Leaves out what was told already of another block that inherits it.
    pub(crate) fn untold(&mut self, mut problems: Vec<Problem>) -> Vec<Problem> {
        problems.retain(|problem| !self.told.iter().any(|told| told.repeats(problem)));
        self.told.extend_from_slice(&problems);
        problems
    }

    /// What had no effect anywhere.
    pub fn finish(&self) -> Vec<Problem> {
        let idle = self.entries.iter().filter(|entry| !entry.effective);
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
