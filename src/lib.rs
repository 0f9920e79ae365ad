//! Cross-origin resource sharing for nginx, as a dynamic module.
//!
//! This crate is the glue: it knows how nginx is talked to, and holds all of the unsafe code. What the rules of CORS are, it
//! leaves to `cors-policy`; how requests are counted, to `cors-zone`; how lists are kept that change while nginx runs, to
//! `cors-lists`.
//!
//! # Where nginx calls
//!
//! | when | where it lands |
//! |---|---|
//! | it loads the library | the tables of `module` |
//! | it begins to read `http` | `config::create_main` |
//! | a directive | `config::read_policy_directive`, `read_candidate_directive`, `read_origin_list_directive`, `read_zone_directive`, `read_status_directive` |
//! | a block has been read | `config::merge_location`: the policy of the block is compiled |
//! | `http` has been read | `handlers::install`, `install_header_filter`: handlers and variables are registered, the files of lists are checked, errors refuse the configuration |
//! | it has mapped shared memory | `metrics::open_zone`; `live_lists::open_list`: the list is built, and served if none was |
//! | the configuration is about to be in force | `handlers::start`: counters are handed out |
//! | a process begins to serve | `handlers::start_process`: lists that were built beside others are served, and their files followed |
//! | a timer of that process | `live_lists::Follower`: whoever has the lease looks at the file, and has it read |
//! | a process ends | `handlers::end_process`: threads have ended when it returns, leases are given back |
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
//! `module` → `handlers` → `decide` → `request` → `config` → `metrics`, `live_lists` → `nginx`. No file imports one from a storey above
//! it, and there is no circle of files.
//!
//! # Invariants
//!
//! SAFETY comments cite these by their numbers.
//!
//! 1. nginx runs in one thread. Hooks never run at the same time; one can run within another, where a hook calls a function
//!    of nginx. There may be a thread beside it in a worker (`nginx::process::spawn_without_signals`), which calls no
//!    function of nginx, reads no variable of nginx and takes no signals: what is said of one thread is said of nginx's. It
//!    sees the memory of a list as atomics alone.
//! 2. A request for which nginx calls a hook stays alive until the hook returns, unless the hook ends it: that is done by
//!    `request::run_phase` and `replace_response` alone, when nothing refers to it any more. What lies in its pool, and the
//!    strings of its header, live as long as the request.
//! 3. A configuration outlives its requests. Its parts are only borrowed shared; what changes is in cells.
//! 4. The types of `nginx_sys` have the layout of the nginx that the module is built for: `nginx/shim.h` lists what the
//!    module touches, and the build compares.
//! 5. What a `RequestContext` borrows lives as long as the request. It is only given what `Request` or a configuration
//!    lends, as `request::with_request` runs code that must take any lifetime.
//! 6. No panic crosses into nginx: each hook runs within `nginx::panic::guard`, or cannot panic.
//! 7. Such a thread ends before `handlers::end_process` returns, and is begun in workers alone: in a worker nginx unmaps
//!    nothing while it serves, while with `master_process off` it may at each reload.

mod config;
mod decide;
#[cfg(feature = "fault-injection")]
mod fault;
mod handlers;
mod live_lists;
mod metrics;
mod module;
mod nginx;
mod request;
