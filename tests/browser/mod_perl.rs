//! `nginx-conf/mod_perl.conf`: a handler's answers, as directives.

use harness::{Nginx, Request, Response, Upstream};

const SHOP: &str = "https://shop.example.com";
const PARTNER: &str = "https://eu.partner.example";
const STRANGER: &str = "https://partner.example.net";

/// Sends one request, and tells whether the application saw it.
fn send(request: &Request) -> (Response, bool) {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::from_file("nginx-conf/mod_perl.conf")
        .port("8081", application.port())
        .start();
    let response = nginx.send_to("8080", request);
    (response, !application.requests().is_empty())
}

fn preflight(target: &str, origin: &str) -> Request {
    Request::preflight(target, origin, "POST").header("Access-Control-Request-Headers", "x-client-id,x-requested-with")
}

#[test]
fn each_client_gets_the_answers_of_the_handler() {
    for client in [SHOP, PARTNER] {
        let (response, reached) = send(&preflight("/", client));
        assert_eq!(response.status, 204, "{response}");
        assert!(!reached);
        assert_eq!(
            response.access_control(),
            [
                ("Access-Control-Allow-Headers", "*"),
                ("Access-Control-Allow-Methods", "POST, GET, OPTIONS"),
                ("Access-Control-Allow-Origin", client),
                ("Access-Control-Max-Age", "43200"),
            ]
        );
    }
}

#[test]
fn with_cookies_the_requested_headers_are_sent_back() {
    let (response, _) = send(&preflight("/account", SHOP));
    assert_eq!(response.status, 204, "{response}");
    assert_eq!(
        response.list("Access-Control-Allow-Headers"),
        ["x-client-id", "x-requested-with"]
    );
    assert_eq!(response.only("Access-Control-Allow-Origin"), SHOP);
    assert_eq!(response.only("Access-Control-Allow-Credentials"), "true");
    assert_eq!(response.only("Access-Control-Allow-Methods"), "POST, GET, OPTIONS");
    assert_eq!(response.only("Access-Control-Max-Age"), "43200");
}

#[test]
fn a_client_may_read_the_application() {
    let (response, reached) = send(&Request::get("/").origin(SHOP));
    assert!(reached);
    assert_eq!(response.text(), "hello");
    assert_eq!(response.access_control(), [("Access-Control-Allow-Origin", SHOP)]);
}

#[test]
fn a_stranger_may_not() {
    let (response, reached) = send(&preflight("/", STRANGER));
    assert_eq!(response.status, 403, "{response}");
    assert!(!reached);
    assert!(response.access_control().is_empty(), "{response}");

    let (response, reached) = send(&Request::get("/").origin(STRANGER));
    assert!(reached);
    assert!(response.access_control().is_empty(), "{response}");
}
