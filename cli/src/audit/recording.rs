//! All that was asked and answered.

use super::exchange::{Failure, Request, Response, ALLOW_ORIGIN};
use super::hostile::STRANGER;
use super::purpose::Purpose;
use super::subject::Subject;

/// A request, and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub purpose: Purpose,
    /// Which of the paths was asked for.
    pub path: usize,
    /// The allowed origin that it is about.
    pub origin: String,
    pub request: Request,
    pub outcome: Result<Response, Failure>,
    /// Asked once more, in another version of HTTP.
    pub is_repeated: bool,
}

impl Exchange {
    pub fn response(&self) -> Option<&Response> {
        self.outcome.as_ref().ok()
    }
}

/// What the checks look at.
#[derive(Clone, Debug)]
pub struct Recording {
    pub subject: Subject,
    pub exchanges: Vec<Exchange>,
}

impl Recording {
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            exchanges: Vec::new(),
        }
    }

    /// Those with an answer.
    pub fn all_answers(&self) -> impl Iterator<Item = (&Exchange, &Response)> {
        self.exchanges
            .iter()
            .filter_map(|exchange| Some((exchange, exchange.response()?)))
    }

    /// Those with an answer that were asked for one of these purposes, in the version of HTTP that everything is asked in.
    pub fn answers<'r>(&'r self, purposes: &'r [Purpose]) -> impl Iterator<Item = (&'r Exchange, &'r Response)> {
        self.all_answers()
            .filter(|(exchange, _)| !exchange.is_repeated && purposes.contains(&exchange.purpose))
    }

    /// The first answer of a path to a request with this purpose.
    pub fn answer(&self, purpose: Purpose, path: usize) -> Option<&Response> {
        let mut all = self.all_answers();
        all.find(|(exchange, _)| !exchange.is_repeated && (exchange.purpose, exchange.path) == (purpose, path))
            .map(|(_, response)| response)
    }

    /// Whether a path sends any origin back.
    pub fn is_reflected(&self, path: usize) -> bool {
        self.answers(&[Purpose::Stranger, Purpose::PreflightOfStranger])
            .any(|(exchange, response)| exchange.path == path && response.sends_back(STRANGER))
    }

    /// Whether the answers of a path depend on the origin, as far as `Access-Control-Allow-Origin` goes: among these.
    pub fn depends_on_origin(&self, path: usize, purposes: &[Purpose]) -> bool {
        let mut values = Vec::new();
        for (exchange, response) in self.all_answers() {
            if exchange.path == path && !exchange.is_repeated && purposes.contains(&exchange.purpose) {
                values.push(response.combined(ALLOW_ORIGIN));
            }
        }
        values.windows(2).any(|pair| pair.first() != pair.last())
    }

    /// Whether an actual request of the allowed origin may be read.
    pub fn is_allowed(&self, path: usize, origin: &str) -> bool {
        self.answers(&[Purpose::Allowed])
            .any(|(exchange, response)| exchange.path == path && exchange.origin == origin && response.allows(origin))
    }
}
