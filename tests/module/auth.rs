//! A preflight carries no credentials, so it is answered before anybody asks for them.

use harness::{Nginx, Received, Request, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

/// `user` and `secret`.
const AUTHORIZATION: &str = "Basic dXNlcjpzZWNyZXQ=";

fn start(server: &str) -> Nginx {
    Nginx::builder()
        .file("conf/htpasswd", "user:{PLAIN}secret\n")
        .server(server)
        .start()
}

const AUTH_BASIC: &str = "
    location / {
        cors on;
        cors_allow_origin https://app.example.com;
        auth_basic private;
        auth_basic_user_file htpasswd;
    }";

#[test]
fn auth_basic_does_not_see_a_preflight() {
    let nginx = start(AUTH_BASIC);
    let response = nginx.send(&Request::preflight("/hello.txt", APP, "GET"));
    assert_status(&response, 204);
    assert_eq!(response.get("WWW-Authenticate"), None);
    let response = nginx.send(&Request::preflight("/hello.txt", STRANGER, "GET"));
    assert_status(&response, 403);
    assert_eq!(response.get("WWW-Authenticate"), None);
}

#[test]
fn a_script_can_read_the_401_of_auth_basic() {
    let nginx = start(AUTH_BASIC);
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    assert_status(&response, 401);
    assert_allows(&response, APP);
    assert_eq!(response.only("Vary"), "Origin");
    response.only("WWW-Authenticate");

    let request = Request::get("/hello.txt").header("Authorization", AUTHORIZATION);
    let response = nginx.send(&request.origin(APP));
    assert_status(&response, 200);
    assert_allows(&response, APP);
}

#[test]
fn auth_basic_sees_an_options_that_is_no_preflight() {
    let nginx = start(AUTH_BASIC);
    let response = nginx.send(&Request::new("OPTIONS", "/hello.txt").origin(APP));
    assert_status(&response, 401);
    assert_allows(&response, APP);
}

#[test]
fn deny_does_not_see_a_preflight() {
    let nginx = start("location / { cors on; cors_allow_origin https://app.example.com; deny all; }");
    assert_status(&nginx.send(&Request::preflight("/", APP, "GET")), 204);
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_status(&response, 403);
    assert_allows(&response, APP);
}

#[test]
fn auth_request_does_not_see_a_preflight() {
    let guard = Upstream::start(|request: &Received| {
        let status = if request.get("Authorization") == Some(AUTHORIZATION) {
            "204 No Content"
        } else {
            "401 Unauthorized"
        };
        format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes()
    });
    let nginx = Nginx::builder()
        .port("guard", guard.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                auth_request /guard;
            }
            location = /guard { internal; proxy_pass http://127.0.0.1:{port:guard}; }",
        )
        .start();
    assert_status(&nginx.send(&Request::preflight("/hello.txt", APP, "GET")), 204);
    assert_status(&nginx.send(&Request::preflight("/hello.txt", STRANGER, "GET")), 403);
    assert_eq!(guard.requests().len(), 0);

    let request = Request::get("/hello.txt").origin(APP);
    let response = nginx.send(&request);
    assert_status(&response, 401);
    assert_allows(&response, APP);
    let response = nginx.send(&request.header("Authorization", AUTHORIZATION));
    assert_status(&response, 200);
    assert_allows(&response, APP);
    assert_eq!(guard.requests().len(), 2);
}

#[test]
fn limit_except_does_not_see_a_preflight() {
    let nginx = start(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            limit_except GET { deny all; }
        }",
    );
    assert_status(&nginx.send(&Request::preflight("/hello.txt", APP, "GET")), 204);
    let response = nginx.send(&Request::post("/hello.txt").origin(APP).body("x"));
    assert_status(&response, 403);
    assert_allows(&response, APP);
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    assert_status(&response, 200);
    assert_allows(&response, APP);
}

const SATISFY_ANY: &str = "
    location / {
        cors on;
        cors_allow_origin https://app.example.com;
        satisfy any;
        deny all;
        auth_basic private;
        auth_basic_user_file htpasswd;
    }";

#[test]
fn satisfy_any_is_satisfied_by_nothing_of_ours() {
    let nginx = start(SATISFY_ANY);
    for origin in [APP, STRANGER] {
        let response = nginx.send(&Request::get("/hello.txt").origin(origin));
        assert_status(&response, 401);
        assert_eq!(response.only("Vary"), "Origin");
    }
    let response = nginx.send(&Request::new("OPTIONS", "/hello.txt").origin(APP));
    assert_status(&response, 401);
    assert_allows(&response, APP);
}

#[test]
fn satisfy_any_does_not_see_a_preflight() {
    let nginx = start(SATISFY_ANY);
    assert_status(&nginx.send(&Request::preflight("/hello.txt", APP, "GET")), 204);
}

#[test]
fn a_denied_preflight_stays_denied_under_satisfy_any() {
    let nginx = start(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            satisfy any;
            allow all;
            auth_basic private;
            auth_basic_user_file htpasswd;
        }",
    );
    let request = Request::preflight("/hello.txt", STRANGER, "GET");
    let response = nginx.send(&request.header("Authorization", AUTHORIZATION));
    assert_status(&response, 403);
    assert_silent(&response);
    assert!(response.body.is_empty(), "{response}");
}
