//! `cors_allow_private_network`: an answer to the question of a page in the open, whether it may come in.

use harness::{Nginx, Request, Upstream};

use crate::{assert_silent, assert_status, APP, STRANGER};

const ASKED: &str = "Access-Control-Request-Private-Network";
const ALLOWED: &str = "Access-Control-Allow-Private-Network";

const ON: &str = "location / { cors on; cors_allow_origin https://app.example.com; cors_allow_private_network on; }";

#[test]
fn an_allowed_preflight_that_asks_is_told_so() {
    let response = Nginx::server(ON).send(&Request::preflight("/", APP, "GET").header(ASKED, "true"));
    assert_status(&response, 204);
    assert_eq!(response.only(ALLOWED), "true");
}

#[test]
fn one_that_does_not_ask_is_not() {
    let nginx = Nginx::server(ON);
    let preflight = Request::preflight("/", APP, "GET");
    for request in [
        preflight.clone(),
        preflight.clone().header(ASKED, "false"),
        preflight.clone().header(ASKED, ""),
        preflight.header(ASKED, "true").header(ASKED, "true"),
    ] {
        assert_eq!(nginx.send(&request).get(ALLOWED), None);
    }
}

#[test]
fn a_denied_one_is_not() {
    let response = Nginx::server(ON).send(&Request::preflight("/", STRANGER, "GET").header(ASKED, "true"));
    assert_status(&response, 403);
    assert_silent(&response);
}

#[test]
fn nobody_is_unless_it_is_switched_on() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin https://app.example.com; }");
    let response = nginx.send(&Request::preflight("/", APP, "GET").header(ASKED, "true"));
    assert_status(&response, 204);
    assert_eq!(response.get(ALLOWED), None);
}

#[test]
fn an_actual_request_is_not() {
    let response = Nginx::server(ON).send(&Request::get("/hello.txt").origin(APP).header(ASKED, "true"));
    assert_eq!(response.get(ALLOWED), None);
}

#[test]
fn a_preflight_that_is_passed_on_is_told_so_in_the_answer_of_the_application() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                cors_allow_private_network on;
                cors_preflight pass;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start();
    let response = nginx.send(&Request::preflight("/", APP, "GET").header(ASKED, "true"));
    assert_status(&response, 200);
    assert_eq!(response.only(ALLOWED), "true");
}
