//! Error pages in a location that knows nothing of CORS: a script can read them all the same.

use std::net::{Ipv4Addr, TcpListener};

use harness::{Builder, Nginx, Request, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

/// A server whose locations have a policy, but for the one with the error page.
fn server(location: &str) -> Builder {
    Nginx::builder()
        .file("html/error.html", "the page")
        .file("conf/htpasswd", "user:{PLAIN}secret\n")
        .server(&format!(
            "location / {{
                cors on;
                cors_allow_origin https://app.example.com;
                error_page 401 403 404 405 413 416 429 500 502 503 504 /error.html;
                {location}
            }}
            location = /error.html {{ }}"
        ))
}

#[track_caller]
fn assert_readable(nginx: &Nginx, request: Request, status: u16) {
    let response = nginx.send(&request.clone().origin(APP));
    assert_status(&response, status);
    assert_eq!(response.text(), "the page");
    assert_allows(&response, APP);
    assert_eq!(response.only("Vary"), "Origin");

    let response = nginx.send(&request.origin(STRANGER));
    assert_status(&response, status);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn no_password_401() {
    let nginx = server("auth_basic private; auth_basic_user_file htpasswd;").start();
    assert_readable(&nginx, Request::get("/hello.txt"), 401);
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    assert_eq!(response.only("WWW-Authenticate"), "Basic realm=\"private\"");
}

#[test]
fn no_access_403() {
    assert_readable(&server("deny all;").start(), Request::get("/hello.txt"), 403);
}

#[test]
fn no_file_404() {
    assert_readable(&server("").start(), Request::get("/missing"), 404);
}

#[test]
fn no_such_method_405() {
    assert_readable(&server("").start(), Request::post("/hello.txt").body("x"), 405);
}

#[test]
fn no_such_range_416() {
    let request = Request::get("/hello.txt").header("Range", "bytes=100-");
    assert_readable(&server("").start(), request, 416);
}

#[test]
fn too_many_requests_429() {
    let nginx = server("limit_req zone=slow; limit_req_status 429;")
        .http("limit_req_zone $binary_remote_addr zone=slow:1m rate=1r/m;")
        .start();
    assert_status(&nginx.send(&Request::get("/hello.txt")), 200);
    assert_readable(&nginx, Request::get("/hello.txt"), 429);
}

#[test]
fn a_guard_that_fails_500() {
    let nginx = server("auth_request /guard; location = /guard { return 418; }").start();
    assert_readable(&nginx, Request::get("/hello.txt"), 500);
}

#[test]
fn a_dead_application_502() {
    let application = Upstream::dead();
    let nginx = server("proxy_pass http://127.0.0.1:{port:app};")
        .port("app", application.port())
        .start();
    assert_readable(&nginx, Request::get("/"), 502);
}

#[test]
fn a_closed_server_503() {
    assert_readable(&server("return 503;").start(), Request::get("/"), 503);
}

#[test]
fn a_silent_application_504() {
    // The kernel accepts the connection; no one reads from it.
    let application = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let nginx = server("proxy_pass http://127.0.0.1:{port:app}; proxy_read_timeout 20ms;")
        .port("app", application.local_addr().expect("a bound address").port())
        .start();
    assert_readable(&nginx, Request::get("/"), 504);
}

#[test]
fn a_body_that_is_too_large_413_for_a_server_with_a_policy() {
    let nginx = Nginx::builder()
        .file("html/error.html", "the page")
        .server(
            "cors on;
            cors_allow_origin https://app.example.com;
            client_max_body_size 4;
            error_page 413 /error.html;",
        )
        .start();
    assert_readable(&nginx, Request::post("/").body("too large"), 413);
}

#[test]
fn a_page_in_a_named_location_with_the_error_of_the_application() {
    let application = Upstream::dead();
    let nginx = Nginx::builder()
        .port("app", application.port())
        .http("server { {listen:sorry} location / { return 503 'the page'; } }")
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                error_page 502 = @sorry;
                proxy_pass http://127.0.0.1:{port:app};
            }
            location @sorry {
                proxy_pass http://127.0.0.1:{port:sorry};
            }",
        )
        .start();
    assert_readable(&nginx, Request::get("/"), 503);
}
