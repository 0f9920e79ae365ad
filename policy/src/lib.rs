//! The rules of cross-origin resource sharing, as the Fetch standard has them.
//!
//! This crate knows no server. It takes what the directives say ([`Level`]), makes a [`Policy`] of it, and answers
//! for the bytes of a request which headers the response gets. Section names in comments are those of the
//! [Fetch standard](https://fetch.spec.whatwg.org/) unless an RFC is named.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod answers;
mod census;
mod credentials;
mod decision;
mod directive;
mod distinct;
mod expose;
mod headers;
mod level;
mod max_age;
mod methods;
mod name_hash;
mod origin;
mod policy;
mod problem;
mod request;
mod response;
mod risks;
mod settings;
mod token;
mod trial;
pub mod vary;

pub use answers::Kind;
pub use census::Census;
pub use decision::{Outcome, Reason, Verdict};
pub use directive::Directive;
pub use level::{Block, Level, Scope, Syntax};
pub use origin::PUBLIC_SUFFIX_LIST_DATE;
pub use policy::Policy;
pub use problem::{shown, Position, Problem, Severity};
pub use request::{Context, Field, Preflight, Request, Target};
pub use response::{HeaderName, ResponseHeaders, Value};
pub use settings::{Enforce, LogLevel, PreflightMode};
pub use token::is_named;
pub use trial::{Conclusion, Step, Trial, Tried};
pub use vary::Vary;
