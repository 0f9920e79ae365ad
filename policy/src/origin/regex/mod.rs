//! Regular expressions: `~https://[a-z]+\.example\.com`.
//!
//! An expression matches an origin as a whole. When it is read, it is decided which origins those are: [`graph`] holds
//! them all, [`names`] finds the domains that the expression spells out, [`search`] looks for an origin outside them,
//! and [`explanation`] says how it got in. [`nothing`] says why an expression matches no origin. An expression that is searched for in
//! an origin, as other directives of nginx do, is judged by [`searched`]. When requests come, [`set`] matches all expressions of a list at once.

mod alphabet;
mod error;
mod explanation;
mod expression;
mod grammar;
mod graph;
mod names;
mod nothing;
mod search;
mod searched;
mod set;
mod spelled;
mod syntax;

pub(crate) use error::RegexError;
pub(crate) use expression::OriginRegex;
pub use searched::{SearchedRegex, SearchedRegexError};
pub(super) use set::{RegexSet, SetError};

#[cfg(test)]
mod tests;
