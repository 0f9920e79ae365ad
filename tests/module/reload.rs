//! A new configuration in a running nginx.

use harness::{server, Nginx, Request};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

const ALLOWS_APP: &str = "
    location / {
        cors on;
        cors_allow_origin https://app.example.com;
        cors_expose_headers X-One;
    }";
const ALLOWS_STRANGER: &str = "location / { cors on; cors_allow_origin https://stranger.example; }";

#[test]
fn a_good_one_takes_effect() {
    let mut nginx = Nginx::server(ALLOWS_APP);
    assert_allows(&nginx.send(&Request::get("/hello.txt").origin(APP)), APP);
    nginx.reload_with(&server(ALLOWS_STRANGER));
    assert_silent(&nginx.send(&Request::get("/hello.txt").origin(APP)));
    assert_allows(&nginx.send(&Request::get("/hello.txt").origin(STRANGER)), STRANGER);
}

#[test]
fn a_bad_one_leaves_the_old_one_serving() {
    let mut nginx = Nginx::server(ALLOWS_APP);
    let workers = nginx.worker_pids();
    let message = nginx.reload_refused(&server("location / { cors on; cors_allow_origin app.example.com; }"));
    assert!(message.contains("\"cors_allow_origin\""), "{message}");
    assert_allows(&nginx.send(&Request::get("/hello.txt").origin(APP)), APP);
    assert_eq!(nginx.worker_pids(), workers);

    nginx.reload_with(&server(ALLOWS_STRANGER));
    assert_allows(&nginx.send(&Request::get("/hello.txt").origin(STRANGER)), STRANGER);
}

#[test]
fn many_of_them_add_nothing_twice() {
    let mut nginx = Nginx::server(ALLOWS_APP);
    for _ in 0..3 {
        nginx.reload_with(&server(ALLOWS_APP));
    }
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Origin", APP),
            ("Access-Control-Expose-Headers", "X-One"),
        ]
    );
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn one_without_directives_ends_it() {
    let mut nginx = Nginx::server(ALLOWS_APP);
    let preflight = Request::preflight("/hello.txt", APP, "GET");
    assert_status(&nginx.send(&preflight), 204);
    nginx.reload_with(&server(""));
    let response = nginx.send(&preflight);
    assert_status(&response, 405);
    assert_silent(&response);
}

/// nginx keeps the chain of filters once for all: what a refused configuration has made of it is what workers get that are
/// started later.
#[test]
fn workers_that_start_after_a_refused_reload_serve_as_before() {
    let policy = "cors on; cors_allow_origin https://app.example.com;";
    let mut nginx = Nginx::server(policy);
    let refusal = nginx.reload_refused(&harness::server("listen unix:no/such/directory/socket;"));
    assert!(refusal.contains("bind()"), "{refusal}");
    nginx.kill_workers();
    assert_allows(&nginx.send(&Request::get("/hello.txt").origin(APP)), APP);
    assert_allows(&nginx.send(&Request::preflight("/", APP, "PUT")), APP);
}
