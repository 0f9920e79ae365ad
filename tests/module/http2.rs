//! HTTP/2: names are in lower case, and the client fails on any other.

use harness::{Nginx, Request};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

fn start() -> Nginx {
    Nginx::builder()
        .http(
            "server {
                {listen_http2}
                location / {
                    cors on;
                    cors_allow_origin https://app.example.com;
                    cors_allow_methods PUT;
                    cors_allow_headers Content-Type;
                    cors_expose_headers X-Total-Count;
                    cors_allow_credentials on;
                    cors_max_age 2h;
                }
            }",
        )
        .start()
}

#[test]
fn an_allowed_preflight_gets_these_headers_alone() {
    let nginx = start();
    let response = nginx.send_http2(&Request::preflight("/hello.txt", APP, "PUT"));
    assert_status(&response, 204);
    assert_eq!(
        response.access_control(),
        [
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-headers", "Content-Type"),
            ("access-control-allow-methods", "PUT"),
            ("access-control-allow-origin", APP),
            ("access-control-expose-headers", "X-Total-Count"),
            ("access-control-max-age", "7200"),
        ]
    );
    assert_eq!(response.names()[6..], ["date", "server", "vary"]);
}

#[test]
fn a_denied_preflight_gets_none() {
    let nginx = start();
    let response = nginx.send_http2(&Request::preflight("/hello.txt", STRANGER, "PUT"));
    assert_status(&response, 403);
    assert_silent(&response);
    assert!(response.body.is_empty(), "{response}");
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn an_actual_request_gets_its_headers() {
    let nginx = start();
    let response = nginx.send_http2(&Request::get("/hello.txt").origin(APP));
    assert_status(&response, 200);
    assert_eq!(response.text(), "hello");
    assert_eq!(
        response.access_control(),
        [
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-origin", APP),
            ("access-control-expose-headers", "X-Total-Count"),
        ]
    );
}

#[test]
fn two_origins_match_nothing() {
    let nginx = start();
    let twice = Request::preflight("/hello.txt", APP, "PUT").origin(APP);
    let response = nginx.send_http2(&twice);
    assert_status(&response, 405);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn a_page_of_the_server_itself_is_not_refused() {
    let nginx = start();
    let host = format!("http://localhost:{}", nginx.port());
    let request = Request::preflight("/hello.txt", &host, "PUT").header("Host", format!("localhost:{}", nginx.port()));
    let response = nginx.send_http2(&request);
    assert_status(&response, 405);
    assert_silent(&response);
}

#[test]
fn streams_of_one_connection_do_not_mix() {
    let nginx = start();
    let requests = [
        Request::get("/hello.txt").origin(APP),
        Request::get("/hello.txt").origin(STRANGER),
        Request::preflight("/hello.txt", APP, "PUT").body("a body that nobody reads"),
        Request::get("/hello.txt"),
        Request::preflight("/hello.txt", STRANGER, "PUT").body("a body that nobody reads"),
        Request::get("/missing").origin(APP),
    ];
    let responses = nginx.send_all_http2(&requests);
    let statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
    assert_eq!(statuses, [200, 200, 204, 200, 403, 404]);
    for allowed in [0, 2, 5] {
        assert_allows(&responses[allowed], APP);
    }
    for silent in [1, 3, 4] {
        assert_silent(&responses[silent]);
    }
}
