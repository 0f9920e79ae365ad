//! Several requests on one connection.

use harness::{Nginx, Request};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

const POLICY: &str = "location / { cors on; cors_allow_origin https://app.example.com; }";

/// A request that must stay a body.
const HIDDEN_REQUEST: &str = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn a_preflight_and_its_request_share_a_connection() {
    let nginx = Nginx::server(POLICY);
    let mut connection = nginx.connect();
    let response = connection.send(&Request::preflight("/hello.txt", APP, "GET"));
    assert_status(&response, 204);
    assert_eq!(response.only("Connection"), "keep-alive");
    let response = connection.send(&Request::get("/hello.txt").origin(APP));
    assert_status(&response, 200);
    assert_allows(&response, APP);
}

#[test]
fn the_body_of_a_preflight_is_not_the_next_request() {
    let nginx = Nginx::server(POLICY);
    for (origin, status) in [(APP, 204), (STRANGER, 403)] {
        let mut connection = nginx.connect();
        let preflight = Request::preflight("/hello.txt", origin, "GET").body(HIDDEN_REQUEST);
        assert_status(&connection.send(&preflight), status);
        let response = connection.send(&Request::get("/hello.txt"));
        assert_status(&response, 200);
        assert_eq!(response.text(), "hello");
    }
}

#[test]
fn the_chunked_body_of_a_preflight_is_not_the_next_request() {
    let nginx = Nginx::server(POLICY);
    let mut connection = nginx.connect();
    let chunks = format!("{:x}\r\n{HIDDEN_REQUEST}\r\n0\r\n\r\n", HIDDEN_REQUEST.len());
    let preflight = Request::preflight("/hello.txt", APP, "GET")
        .header("Transfer-Encoding", "chunked")
        .body(chunks);
    assert_status(&connection.send(&preflight), 204);
    let response = connection.send(&Request::get("/hello.txt"));
    assert_status(&response, 200);
    assert_eq!(response.text(), "hello");
}

#[test]
fn a_preflight_whose_body_cannot_be_read_gets_an_error_of_the_right_length() {
    let policy = "location / { cors on; cors_allow_origin https://app.example.com; }
        location /ok { cors on; cors_allow_origin https://app.example.com; cors_preflight_status 200; }";
    let nginx = Nginx::server(policy);
    for (target, origin) in [("/", STRANGER), ("/ok", APP)] {
        let preflight = Request::preflight(target, origin, "GET")
            .header("Transfer-Encoding", "chunked")
            .body("zz\r\n");
        let mut connection = nginx.connect();
        let response = connection.send(&preflight);
        assert_status(&response, 400);
        assert!(response.text().contains("400 Bad Request"), "{response}");
        connection.assert_closed();
    }
}

#[test]
fn trailers_of_the_location_leave_no_answer_to_a_preflight_without_an_end() {
    let nginx = Nginx::server(
        "location / {
            add_trailer X-Done yes always;
            cors on;
            cors_allow_origin https://app.example.com;
            cors_preflight_status 200;
        }",
    );
    let mut connection = nginx.connect();
    for (origin, status) in [(APP, 200), (STRANGER, 403), (APP, 200)] {
        let response = connection.send(&Request::preflight("/hello.txt", origin, "GET"));
        assert_status(&response, status);
        assert_eq!(response.only("Content-Length"), "0");
        assert_eq!(response.get("Transfer-Encoding"), None, "{response}");
    }
}

#[test]
fn preconditions_mean_nothing_to_the_answer_to_a_preflight() {
    let nginx =
        Nginx::server("location / { cors on; cors_allow_origin https://app.example.com; cors_preflight_status 200; }");
    let mut connection = nginx.connect();
    for (name, value) in [("If-Match", "\"x\""), ("If-None-Match", "*")] {
        let response = connection.send(&Request::preflight("/", APP, "GET").header(name, value));
        assert_status(&response, 200);
        assert_allows(&response, APP);
    }
}

#[test]
fn a_body_that_comes_after_the_answer_is_not_the_next_request() {
    let nginx = Nginx::server(POLICY);
    let mut connection = nginx.connect();
    let preflight =
        Request::preflight("/hello.txt", APP, "GET").header("Content-Length", HIDDEN_REQUEST.len().to_string());
    assert_status(&connection.send(&preflight), 204);
    connection.write(HIDDEN_REQUEST);
    let response = connection.send(&Request::get("/hello.txt"));
    assert_status(&response, 200);
    assert_eq!(response.text(), "hello");
}

#[test]
fn pipelined_requests_are_answered_each_for_itself() {
    let nginx = Nginx::server(POLICY);
    let mut connection = nginx.connect();
    let requests = [
        Request::get("/hello.txt").origin(APP),
        Request::preflight("/hello.txt", STRANGER, "GET"),
        Request::get("/hello.txt"),
        Request::preflight("/hello.txt", APP, "GET").body(HIDDEN_REQUEST),
        Request::get("/missing").origin(STRANGER),
        Request::get("/hello.txt").origin(APP),
    ];
    let bytes: Vec<u8> = requests.iter().flat_map(Request::to_bytes).collect();
    connection.write(bytes);
    let responses: Vec<_> = requests
        .iter()
        .map(|request| connection.read_response_to(request))
        .collect();
    let statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
    assert_eq!(statuses, [200, 403, 200, 204, 404, 200]);
    for allowed in [0, 3, 5] {
        assert_allows(&responses[allowed], APP);
    }
    for silent in [1, 2, 4] {
        assert_silent(&responses[silent]);
    }
}

#[test]
fn a_request_split_into_single_bytes_is_understood() {
    let nginx = Nginx::server(POLICY);
    let mut connection = nginx.connect();
    for byte in Request::preflight("/hello.txt", APP, "GET").to_bytes() {
        connection.write([byte]);
    }
    assert_status(&connection.read_response(), 204);
}
