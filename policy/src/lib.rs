//! The rules of cross-origin resource sharing, as the Fetch standard has them.
//!
//! This crate knows no server. It reads what the directives of each level say ([`Level`]), puts levels together
//! ([`Level::inherit`]), and has a [`Policy`] for each. [`Policy::decide`] is where a request meets the rules; which
//! headers the response gets, and how the request is logged and counted, follows from the [`Decision`].
//!
//! Names of sections and steps in comments are those of the [Fetch standard](https://fetch.spec.whatwg.org/) unless
//! another is named.
//!
//! # Storeys
//!
//! Imports only go down.
//!
//! | storey | files |
//! |---|---|
//! | a level with what it inherits | `scope`, above `level`; `unused`, `problems` |
//! | the values of one level's directives, as they are read | `given_origins`, above `risks` |
//! | what becomes of a request that nobody has sent, and what another policy would change | `simulation`, above `remedy`; `candidate` |
//! | **what is decided about a request** | **`policy`**, above `variable_list` |
//! | the headers of responses | `response` |
//! | the directives that are in force, and a request | `rules`; `decision`, above `request` |
//! | the values of single directives | `credentials`, `methods`, `expose`, above `headers`; `max_age`; `settings`, above `given` |
//! | which lists there are that change | `origin_list` |
//! | origins, lists of names | `origin`; `vary`, `name_list` |
//! | what they are made of | `syntax`, above `directive`, `live_list` and `problem`; `distinct`, `escaped`, `header_name`, `name_hash`, `token`, `unsafe_options`; `written`, above `variables` |
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod candidate;
mod credentials;
mod decision;
mod directive;
mod distinct;
mod escaped;
mod expose;
mod given;
mod given_origins;
mod header_name;
mod headers;
mod level;
mod live_list;
mod max_age;
mod methods;
mod name_hash;
mod name_list;
mod origin;
mod origin_list;
mod policy;
mod problem;
mod problems;
mod remedy;
mod request;
mod response;
mod risks;
mod rules;
mod scope;
mod settings;
mod simulation;
mod syntax;
mod token;
mod unsafe_options;
mod unused;
mod variable_list;
mod variables;
pub mod vary;
mod written;

pub use candidate::{Change, Comparison};
pub use decision::{Decision, Outcome, Reason, ResponseKind, Verdict};
pub use directive::Directive;
pub use header_name::HeaderName;
pub use level::Level;
pub use live_list::{ListSource, LiveList, NoListName};
pub use origin::{
    ListEntry, ListEntryError, ListRisks, PatternShapes, Pieces, SearchedRegex, SearchedRegexError,
    PUBLIC_SUFFIX_LIST_DATE,
};
pub use origin_list::{OriginListDirective, OriginLists};
pub use policy::Policy;
pub use problem::{shown, Position, Problem, Severity};
pub use problems::Problems;
pub use remedy::{Remedy, Wanted};
pub use request::{Context, Field, IgnoredValue, Preflight, Request, Target};
pub use response::{ResponseHeaders, Value};
pub use rules::ListUse;
pub use scope::{Block, CompleteLevel, Scope};
pub use settings::{Enforce, LogLevel, PreflightMode, Settings};
pub use simulation::{BrowserOutcome, Explanation, NotRun, SimulatedRequest, SimulatedResponse};
pub use syntax::Syntax;
pub use token::{is_named, is_token};
pub use unused::UnusedDirectives;
pub use vary::Vary;
