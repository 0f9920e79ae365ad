//! Browsers send `Origin` to the server that a page came from, too. That is nothing to refuse.

use harness::{Nginx, Request, Response};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

const POLICY: &str = "location / { cors on; cors_allow_origin https://app.example.com; }";

/// Completes `request` as a page of this very server would.
fn send_from_itself(nginx: &Nginx, request: Request) -> Response {
    let host = format!("localhost:{}", nginx.port());
    nginx.send(&request.origin(format!("http://{host}")).header("Host", host))
}

#[test]
fn a_preflight_from_the_server_itself_goes_to_its_handler() {
    let nginx = Nginx::server(POLICY);
    let request = Request::new("OPTIONS", "/hello.txt").header("Access-Control-Request-Method", "PUT");
    let response = send_from_itself(&nginx, request);
    assert_status(&response, 405);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn a_preflight_that_the_browser_calls_same_origin_goes_to_its_handler() {
    let nginx = Nginx::server(POLICY);
    let request = Request::preflight("/hello.txt", STRANGER, "PUT").header("Sec-Fetch-Site", "same-origin");
    let response = nginx.send(&request);
    assert_status(&response, 405);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn a_preflight_from_another_site_is_denied_whatever_it_is_called() {
    let nginx = Nginx::server(POLICY);
    for site in ["same-site", "cross-site", "none", ""] {
        let request = Request::preflight("/hello.txt", STRANGER, "PUT").header("Sec-Fetch-Site", site);
        assert_status(&nginx.send(&request), 403);
    }
}

#[test]
fn another_port_is_another_origin() {
    let nginx = Nginx::server(POLICY);
    let request = Request::preflight("/hello.txt", "http://localhost:1", "PUT")
        .header("Host", format!("localhost:{}", nginx.port()));
    assert_status(&nginx.send(&request), 403);
}

#[test]
fn a_request_from_the_server_itself_is_answered_without_a_word_about_access() {
    let nginx = Nginx::server(POLICY);
    let response = send_from_itself(&nginx, Request::get("/hello.txt"));
    assert_status(&response, 200);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn a_listed_origin_is_allowed_like_any_other() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin https://app.example.com http://localhost:*; }");
    let response = send_from_itself(&nginx, Request::get("/hello.txt"));
    assert_allows(&response, &format!("http://localhost:{}", nginx.port()));
    assert_allows(&nginx.send(&Request::get("/hello.txt").origin(APP)), APP);
}
