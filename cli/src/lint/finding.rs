//! What was found.

use std::collections::HashSet;

use super::faults::Fault;
use crate::nginx::Span;

/// A fault at a place.
#[derive(Clone, Debug)]
pub struct Finding {
    pub fault: &'static Fault,
    pub span: Span,
    /// What is wrong here.
    pub message: String,
    /// A line for a terminal that shows it.
    pub request: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// Other places that have to do with it.
    pub related: Vec<(Span, String)>,
}

impl Finding {
    pub fn new(fault: &'static Fault, span: Span, message: impl Into<String>) -> Self {
        Self {
            fault,
            span,
            message: message.into(),
            request: None,
            remedy: None,
            related: Vec::new(),
        }
    }

    pub fn shown_by(mut self, request: impl Into<Option<String>>) -> Self {
        self.request = request.into();
        self
    }

    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub fn beside(mut self, span: Span, what: impl Into<String>) -> Self {
        self.related.push((span, what.into()));
        self
    }
}

/// All that was found. A fault is told once at each place, however many blocks it concerns.
#[derive(Debug, Default)]
pub struct Findings {
    all: Vec<Finding>,
    places: HashSet<(&'static str, Span)>,
}

impl Findings {
    pub fn add(&mut self, finding: Finding) {
        if self.places.insert((finding.fault.id, finding.span)) {
            self.all.push(finding);
        }
    }

    /// The same for a fault that a place may have more than once.
    pub fn add_another(&mut self, finding: Finding) {
        let is_new = self.places.insert((finding.fault.id, finding.span));
        let is_same = |other: &Finding| {
            (other.fault, other.span, &other.message) == (finding.fault, finding.span, &finding.message)
        };
        if is_new || !self.all.iter().any(is_same) {
            self.all.push(finding);
        }
    }

    /// In the order of their places.
    pub fn sorted(mut self) -> Vec<Finding> {
        self.all.sort_by_key(|finding| (finding.span, finding.fault.id));
        self.all
    }
}
