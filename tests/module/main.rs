//! What the module does to real requests in a real nginx, one file per subject.

mod actual;
#[path = "../causes.rs"]
mod all_causes;
mod audit;
mod auth;
mod breakages;
mod bystander;
mod cache;
mod candidate;
mod causes;
mod config_errors;
mod config_files;
mod cookbook;
mod corpus;
mod credentials;
mod directives;
mod dry_run;
mod duplicates;
mod early;
mod enforce;
mod error_pages;
mod errors;
mod faults;
mod field_cases;
mod gateways;
mod governing_policy;
mod handlers;
mod http2;
mod http3;
mod imports;
mod keepalive;
mod lifetimes;
mod lists;
mod logging;
mod manifests;
mod messages;
mod off;
mod origins;
mod overriding;
mod pass;
mod pnotes;
mod preflight;
mod private_network;
mod prometheus;
mod reference;
mod regexes;
mod reload;
mod same_origin;
mod status;
mod subrequests;
mod timing;
mod told;
mod trials;
mod tried;
mod unanswered;
mod variables;
mod vary;
mod zone;

use harness::Response;

/// The origin that the configurations allow.
const APP: &str = "https://app.example.com";
/// An origin that they do not allow.
const STRANGER: &str = "https://stranger.example";

/// Fails unless scripts of `origin` may read the response.
#[track_caller]
fn assert_allows(response: &Response, origin: &str) {
    assert_eq!(response.only("Access-Control-Allow-Origin"), origin, "{response}");
}

/// Fails if the response tells a browser anything about cross-origin access.
#[track_caller]
fn assert_silent(response: &Response) {
    assert!(response.access_control().is_empty(), "{response}");
}

#[track_caller]
fn assert_status(response: &Response, status: u16) {
    assert_eq!(response.status, status, "{response}");
}
