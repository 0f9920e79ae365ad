//! Subrequests are nginx talking to itself: no origin, no preflight, no headers.

use harness::{Nginx, Request, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

#[test]
fn the_response_to_auth_request_is_left_as_it_is() {
    let guard = Upstream::with_headers(&["Access-Control-Allow-Origin: https://guard.example"]);
    let nginx = Nginx::builder()
        .port("guard", guard.port())
        .server(
            "cors on;
            cors_allow_origin https://app.example.com;
            location / {
                auth_request /guard;
                auth_request_set $guard_said $sent_http_access_control_allow_origin;
                auth_request_set $guard_varies $sent_http_vary;
                add_header X-Guard-Said \"$guard_said,$guard_varies\";
            }
            location = /guard { proxy_pass http://127.0.0.1:{port:guard}; }",
        )
        .start();
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    assert_status(&response, 200);
    assert_eq!(response.only("X-Guard-Said"), "https://guard.example,");
    assert_allows(&response, APP);
}

#[test]
fn the_page_counts_and_not_what_it_includes() {
    let nginx = Nginx::builder()
        .file("html/page", "<!--#include virtual=\"/fragment\" -->!")
        .file("html/fragment", "fragment")
        .server(
            "default_type text/html;
            location = /page {
                cors on;
                cors_allow_origin https://app.example.com;
                ssi on;
            }
            location = /fragment {
                cors on;
                cors_allow_origin https://stranger.example;
            }",
        )
        .start();
    let response = nginx.send(&Request::get("/page").origin(APP));
    assert_eq!(response.text(), "fragment!");
    assert_allows(&response, APP);
    assert_eq!(response.only("Vary"), "Origin");

    let response = nginx.send(&Request::get("/page").origin(STRANGER));
    assert_eq!(response.text(), "fragment!");
    assert_silent(&response);
}

#[test]
fn what_a_page_includes_decides_nothing_for_it() {
    let nginx = Nginx::builder()
        .file("html/page", "<!--#include virtual=\"/fragment\" -->!")
        .file("html/fragment", "fragment")
        .server(
            "default_type text/html;
            location = /page { ssi on; }
            location = /fragment { cors on; cors_allow_origin https://app.example.com; }",
        )
        .start();
    let response = nginx.send(&Request::get("/page").origin(APP));
    assert_eq!(response.text(), "fragment!");
    assert_silent(&response);
    assert_eq!(response.get("Vary"), None);
}

#[test]
fn what_surrounds_a_page_decides_nothing_for_it() {
    let nginx = Nginx::builder()
        .file("html/before", "before ")
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                addition_types *;
                add_before_body /before;
            }
            location = /before { cors on; cors_allow_origin https://stranger.example; }",
        )
        .start();
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    assert_eq!(response.text(), "before hello");
    assert_allows(&response, APP);
}
