//! Why something is left as it is.

use crate::nginx::Span;

/// Why something is left as it is.
#[derive(Clone, Debug)]
pub struct Reason {
    pub span: Span,
    pub why: String,
}

impl Reason {
    pub fn new(span: Span, why: impl Into<String>) -> Self {
        Self { span, why: why.into() }
    }
}
