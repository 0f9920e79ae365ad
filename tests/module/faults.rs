//! No fault of the module takes nginx down. The module under test here has the directive
//! `cors_test_panic`, which panics where it is told to.

use harness::{server, Nginx, Request};

use crate::{assert_allows, assert_status, APP};

const FAULTY_LOCATIONS: &str = "
    cors on;
    cors_allow_origin https://app.example.com;
    location /access { cors_test_panic access; }
    location /filter { cors_test_panic filter; alias html; }";

const FAULTY_DIRECTIVE: &str = "location / { cors on; cors_test_panic directive; }";

fn start(body: &str) -> Nginx {
    Nginx::builder().faulty_module().expect_alerts().server(body).start()
}

/// Sends a request that makes the module panic, and then one that does not, to the same worker.
fn assert_costs_one_500(faulty: &Request) {
    let nginx = start(FAULTY_LOCATIONS);
    let workers = nginx.worker_pids();
    for _ in 0..3 {
        assert_status(&nginx.send(faulty), 500);
        let response = nginx.send(&Request::get("/hello.txt").origin(APP));
        assert_status(&response, 200);
        assert_allows(&response, APP);
    }
    assert_eq!(nginx.worker_pids(), workers);
}

#[test]
fn a_panic_in_the_handler_costs_one_500() {
    assert_costs_one_500(&Request::get("/access").origin(APP));
    assert_costs_one_500(&Request::preflight("/access", APP, "GET"));
}

#[test]
fn a_panic_in_the_filter_costs_one_500() {
    assert_costs_one_500(&Request::get("/filter/hello.txt").origin(APP));
    assert_costs_one_500(&Request::preflight("/filter/hello.txt", APP, "GET"));
}

#[test]
fn a_panic_in_a_directive_is_a_configuration_error() {
    let check = Nginx::builder().faulty_module().server(FAULTY_DIRECTIVE).check();
    assert_eq!(check.code, Some(1), "{}", check.stderr);
    assert!(
        check.stderr.contains("[alert] cors: internal error"),
        "{}",
        check.stderr
    );
}

#[test]
fn a_panic_in_a_directive_during_a_reload_leaves_the_master_serving() {
    let sound = "location / { cors on; cors_allow_origin https://app.example.com; }";
    let mut nginx = start(sound);
    let workers = nginx.worker_pids();
    nginx.reload_refused(&server(FAULTY_DIRECTIVE));
    assert_allows(&nginx.send(&Request::get("/hello.txt").origin(APP)), APP);
    assert_eq!(nginx.worker_pids(), workers);

    nginx.reload_with(&server(sound));
    assert_allows(&nginx.send(&Request::get("/hello.txt").origin(APP)), APP);
    assert_ne!(nginx.worker_pids(), workers);
}
