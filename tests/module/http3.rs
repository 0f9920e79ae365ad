//! HTTP/3, where nginx speaks it.

use harness::{Nginx, Request, Response};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

/// What `requests` get on one connection; nothing where nginx was built without HTTP/3.
fn send(requests: &[Request]) -> Option<Vec<Response>> {
    if !Nginx::has_http3() {
        return None;
    }
    let nginx = Nginx::builder()
        .http(
            "server {
                {listen_http3}
                cors on;
                cors_allow_origin https://app.example.com;
                cors_allow_methods PUT;
                cors_max_age 2h;
                location / { }
                location /enforced { cors_enforce on; }
            }",
        )
        .start();
    Some(nginx.send_all_http3(requests))
}

#[test]
fn preflights_and_requests_share_a_connection() {
    let requests = [
        Request::preflight("/hello.txt", APP, "PUT"),
        Request::get("/hello.txt").origin(APP),
        Request::preflight("/hello.txt", STRANGER, "PUT").body("a body that nobody reads"),
        Request::get("/hello.txt").origin(STRANGER),
        Request::get("/missing").origin(APP),
        Request::post("/enforced")
            .origin(STRANGER)
            .body("a body that nobody reads"),
        Request::preflight("/hello.txt", APP, "PUT").body("a body that nobody reads"),
    ];
    let Some(responses) = send(&requests) else {
        return;
    };
    let statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
    assert_eq!(statuses, [204, 200, 403, 200, 404, 403, 204]);
    for allowed in [0, 1, 4, 6] {
        assert_allows(&responses[allowed], APP);
    }
    for silent in [2, 3, 5] {
        assert_silent(&responses[silent]);
    }
    for response in &responses {
        assert_eq!(response.only("Vary"), "Origin");
    }
    assert_eq!(
        responses[0].access_control(),
        [
            ("access-control-allow-methods", "PUT"),
            ("access-control-allow-origin", APP),
            ("access-control-max-age", "7200"),
        ]
    );
    assert_eq!(responses[1].text(), "hello");
}

#[test]
fn a_page_of_the_server_itself_is_known_by_its_scheme_and_host() {
    let requests = [
        Request::get("/enforced").origin("https://localhost"),
        Request::get("/enforced").origin("http://localhost"),
    ];
    let Some(responses) = send(&requests) else {
        return;
    };
    assert_status(&responses[0], 404);
    assert_status(&responses[1], 403);
}

#[test]
fn a_page_of_the_server_itself_is_known_by_its_port() {
    let request = |host: &str, origin: &str| Request::get("/enforced").header("Host", host).origin(origin);
    let requests = [
        request("localhost:8443", "https://localhost:8443"),
        request("LOCALHOST:8443", "https://localhost:8443"),
        request("localhost:8443", "https://localhost"),
        request("localhost", "https://localhost:8443"),
    ];
    let Some(responses) = send(&requests) else {
        return;
    };
    let statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
    assert_eq!(statuses, [404, 404, 403, 403]);
}
