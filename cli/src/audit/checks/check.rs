//! What a check is, and what it has to say.

use crate::audit::exchange::Response;
use crate::audit::recording::{Exchange, Recording};
use crate::lint::Severity;

/// A check.
#[derive(Debug)]
pub struct Check {
    /// By which it is left out, and found in the documentation.
    pub id: &'static str,
    pub severity: Severity,
    /// What is wrong where it finds something.
    pub title: &'static str,
    pub why: &'static str,
    pub remedy: &'static str,
    pub look: fn(&Recording) -> Verdict<'_>,
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// What a check has to say.
pub enum Verdict<'r> {
    /// There was nothing that it could look at.
    NotApplicable(&'static str),
    /// It has looked; what is wrong, if anything is.
    Looked(Vec<Seen<'r>>),
}

/// Something wrong in an exchange.
pub struct Seen<'r> {
    pub exchange: &'r Exchange,
    /// The header of the answer to point at; empty for the whole answer.
    pub header: &'static str,
    pub message: String,
}

/// A header to point at, and what is wrong about it.
pub type Fault = (&'static str, String);

/// Looks at each of these answers; `otherwise` says why there is none.
pub fn each<'r>(
    answers: impl Iterator<Item = (&'r Exchange, &'r Response)>,
    otherwise: &'static str,
    mut look: impl FnMut(&'r Exchange, &'r Response) -> Option<Fault>,
) -> Verdict<'r> {
    let mut has_looked = false;
    let mut seen = Vec::new();
    for (exchange, response) in answers {
        has_looked = true;
        if let Some((header, message)) = look(exchange, response) {
            seen.push(Seen {
                exchange,
                header,
                message,
            });
        }
    }
    match has_looked {
        true => Verdict::Looked(seen),
        false => Verdict::NotApplicable(otherwise),
    }
}
