//! What is reported of an audit.

use crate::audit::{Check, Conclusion, Exchange, Recording};

/// What was asked, and what each check has made of it.
pub struct Audited {
    pub recording: Recording,
    pub judged: Vec<(&'static Check, Conclusion)>,
}

/// The page that has a section on each check.
pub const PAGE: &str = "docs/audit.md";

impl Audited {
    /// The address that was asked for.
    pub fn url(&self, exchange: &Exchange) -> String {
        self.recording.subject.url(&exchange.request.target)
    }

    pub fn curl(&self, exchange: &Exchange) -> String {
        self.recording.subject.curl(&exchange.request)
    }

    /// How many requests were asked.
    pub fn count(&self) -> usize {
        self.recording.exchanges.len()
    }
}
