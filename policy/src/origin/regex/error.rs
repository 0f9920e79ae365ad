//! Why an expression is refused.

use super::graph::Exhausted;
use super::spelled::TooLarge;

/// Why an expression is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RegexError {
    #[error("it is no regular expression of linear time: {0}; see https://docs.rs/regex for the syntax")]
    Syntax(String),
    #[error("it is too large to find out which origins it matches; repeat less, or list patterns such as \"https://*.example.com\"")]
    TooLarge,
    #[error("it matches no origin: {0}")]
    Nothing(String),
}

impl From<TooLarge> for RegexError {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

impl From<Exhausted> for RegexError {
    fn from(_: Exhausted) -> Self {
        Self::TooLarge
    }
}
