//! Whatever the status, a script can read it.

use harness::{Connection, Nginx, Request, Response, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

/// Sends `request` where a server-level policy allows `APP`.
fn send(request: &Request) -> Response {
    Nginx::builder()
        .file("html/dir/index.html", "index")
        .server(
            "cors on;
            cors_allow_origin https://app.example.com;
            client_max_body_size 4;
            location / { }
            location /upload { proxy_pass http://127.0.0.1:{port}/hello.txt; }
            location /teapot { return 418; }
            location /moved  { return 301 https://elsewhere.example/; }
            location /forbidden { deny all; }
            location /closed { return 503; }",
        )
        .start()
        .send(request)
}

#[track_caller]
fn assert_readable(request: Request, status: u16) {
    let response = send(&request.clone().origin(APP));
    assert_status(&response, status);
    assert_allows(&response, APP);
    assert_eq!(response.only("Vary"), "Origin");

    let response = send(&request.origin(STRANGER));
    assert_status(&response, status);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn part_of_a_file_206() {
    assert_readable(Request::get("/hello.txt").header("Range", "bytes=0-2"), 206);
}

#[test]
fn a_redirect_to_the_slash_301() {
    assert_readable(Request::get("/dir"), 301);
}

#[test]
fn a_returned_redirect_301() {
    assert_readable(Request::get("/moved"), 301);
}

#[test]
fn a_file_that_has_not_changed_304() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin https://app.example.com; }");
    let full = nginx.send(&Request::get("/hello.txt"));
    let again = Request::get("/hello.txt").header("If-None-Match", full.only("ETag"));
    let response = nginx.send(&again.clone().origin(APP));
    assert_status(&response, 304);
    assert_allows(&response, APP);
    assert_eq!(response.only("Vary"), "Origin");

    let response = nginx.send(&again.origin(STRANGER));
    assert_status(&response, 304);
    assert_silent(&response);
}

#[test]
fn an_access_that_nginx_forbids_403() {
    assert_readable(Request::get("/forbidden"), 403);
}

#[test]
fn a_file_that_is_missing_404() {
    assert_readable(Request::get("/missing"), 404);
}

#[test]
fn a_method_that_the_handler_does_not_know_405() {
    assert_readable(Request::new("PUT", "/hello.txt"), 405);
}

#[test]
fn a_body_that_is_too_large_413() {
    assert_readable(Request::post("/upload").body("too large"), 413);
}

#[test]
fn a_range_outside_the_file_416() {
    assert_readable(Request::get("/hello.txt").header("Range", "bytes=100-"), 416);
}

#[test]
fn a_returned_status_418() {
    assert_readable(Request::get("/teapot"), 418);
}

#[test]
fn too_many_requests_429() {
    let nginx = Nginx::builder()
        .http("limit_req_zone $binary_remote_addr zone=slow:1m rate=1r/m;")
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                limit_req zone=slow;
                limit_req_status 429;
            }",
        )
        .start();
    let request = Request::get("/hello.txt").origin(APP);
    assert_status(&nginx.send(&request), 200);
    let response = nginx.send(&request);
    assert_status(&response, 429);
    assert_allows(&response, APP);
}

#[test]
fn a_dead_application_502() {
    let application = Upstream::dead();
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start();
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_status(&response, 502);
    assert_allows(&response, APP);
}

#[test]
fn a_returned_error_503() {
    assert_readable(Request::get("/closed"), 503);
}

#[test]
fn an_error_of_the_application_500() {
    let application = Upstream::start(|_| {
        b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nAccess-Control-Allow-Origin: *\r\n\r\noops".to_vec()
    });
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start();
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_status(&response, 500);
    assert_eq!(response.text(), "oops");
    assert_allows(&response, APP);
}

/// Sends bytes that nginx rejects before it has chosen a location.
fn send_rejected(bytes: &[u8]) -> Response {
    let nginx = Nginx::server(
        "cors on;
        cors_allow_origin https://app.example.com;
        location / { cors_allow_origin *; }",
    );
    let mut connection = Connection::open(nginx.port());
    connection.write(bytes);
    connection.read_response()
}

#[test]
fn a_bad_request_falls_under_the_policy_of_the_server() {
    let response = send_rejected(b"GET / HTTP/1.1\r\nOrigin: https://app.example.com\r\n\r\n");
    assert_status(&response, 400);
    assert_allows(&response, APP);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn an_origin_behind_the_fault_counts_as_none() {
    let response =
        send_rejected(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \0\r\nOrigin: https://app.example.com\r\n\r\n");
    assert_status(&response, 400);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn a_header_that_is_too_large_falls_under_the_policy_of_the_server() {
    let large = "x".repeat(40_000);
    let request = Request::get("/").origin(APP).header("X-Large", &large);
    let response = send_rejected(&request.to_bytes());
    assert_status(&response, 400);
    assert_allows(&response, APP);
}

#[test]
fn a_target_that_is_too_long_counts_as_without_an_origin() {
    let request = Request::get(&format!("/{}", "x".repeat(40_000))).origin(APP);
    let response = send_rejected(&request.to_bytes());
    assert_status(&response, 414);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}
