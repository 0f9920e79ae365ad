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

mod credentials;
mod decision;
mod directive;
mod distinct;
mod doubts;
mod expose;
mod given;
mod given_origins;
mod header_name;
mod headers;
mod level;
mod max_age;
mod methods;
mod name_hash;
mod name_list;
mod origin;
mod policy;
mod problem;
mod problems;
mod request;
mod response;
mod rules;
mod scope;
mod settings;
mod simulation;
mod token;
mod unused;
mod variables;
pub mod vary;

pub use decision::{Decision, Outcome, Reason, ResponseKind, Verdict};
pub use directive::Directive;
pub use header_name::HeaderName;
pub use level::{Level, Syntax};
pub use policy::Policy;
pub use problem::{shown, Position, Problem, Severity};
pub use problems::Problems;
pub use request::{Context, Field, Preflight, Request, Target};
pub use response::{ResponseHeaders, Value};
pub use scope::{Block, Scope};
pub use settings::{Enforce, LogLevel, PreflightMode};
pub use simulation::{BrowserOutcome, Explanation, SimulatedRequest, SimulatedResponse};
pub use token::is_named;
pub use unused::UnusedDirectives;
pub use vary::Vary;
