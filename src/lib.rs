//! Cross-origin resource sharing for nginx, as a dynamic module.
//!
//! This crate is the glue: it knows how nginx is talked to, and holds all of the unsafe code. What the rules of CORS are, it
//! leaves to `cors-policy`; how requests are counted, to `cors-zone`.
//!
//! # Where nginx calls
//!
//! | when | where it lands |
//! |---|---|
//! | it loads the library | the tables of `module` |
//! | it begins to read `http` | `config::create_main` |
//! | a directive | `config::read_policy_directive`, `read_candidate_directive`, `read_zone_directive`, `read_status_directive` |
//! | a block has been read | `config::merge_location`: the policy of the block is compiled |
//! | `http` has been read | `handlers::install`, `install_header_filter`: handlers and variables are registered, errors refuse the configuration |
//! | it has mapped shared memory | `metrics::open_zone` |
//! | the configuration is about to be in force | `handlers::start`: counters are handed out |
//! | a request, rewrite phase of the server | `handlers::rewrite`, where a server answers preflights early |
//! | rewrite phase of a location | `handlers::rewrite`: which policy may come to govern |
//! | access phase | `handlers::access`: which policy governs; preflights are answered, `cors_enforce` refuses |
//! | the header of a response | `handlers::header_filter` |
//! | log phase | `handlers::log`: the request is counted, and the candidate judges it |
//! | a variable is asked for | `handlers::variables` |
//! | the content of a location with `cors_status` | `handlers::status` |
//!
//! # One way down
//!
//! `module` → `handlers` → `decide` → `request` → `config` → `metrics` → `nginx`. No file imports one from a storey above
//! it, and there is no circle of files.
//!
//! # Invariants
//!
//! SAFETY comments cite these by their numbers.
//!
//! 1. A process of nginx has one thread. Hooks never run at the same time; one can run within another, where a hook calls a
//!    function of nginx.
//! 2. A request for which nginx calls a hook stays alive until the hook returns, unless the hook ends it: that is done by
//!    `request::run_phase` and `replace_response` alone, when nothing refers to it any more. What lies in its pool, and the
//!    strings of its header, live as long as the request.
//! 3. A configuration outlives its requests. Its parts are only borrowed shared; what changes is in cells.
//! 4. The types of `nginx_sys` have the layout of the nginx that the module is built for: `nginx/shim.h` lists what the
//!    module touches, and the build compares.
//! 5. What a `RequestContext` borrows lives as long as the request. It is only given what `Request` or a configuration
//!    lends, as `request::with_request` runs code that must take any lifetime.
//! 6. No panic crosses into nginx: each hook runs within `nginx::panic::guard`, or cannot panic.

mod config;
mod decide;
#[cfg(feature = "fault-injection")]
mod fault;
mod handlers;
mod metrics;
mod module;
mod nginx;
mod request;
