//! `nginx-conf/pnotes.conf`: the application answers preflights, and is told what they are.

use harness::{Nginx, Received, Request, Response, Upstream};

use crate::{assert_allows, assert_silent, assert_status, STRANGER};

const SHOP: &str = "https://shop.example.com";

/// Sends one request, and returns what the application got, too.
fn send(request: &Request) -> (Response, Received) {
    let application = Upstream::with_headers(&["Access-Control-Allow-Origin: *"]);
    let nginx = Nginx::from_file("nginx-conf/pnotes.conf")
        .port("8081", application.port())
        .start();
    let response = nginx.send_to("8080", request);
    let mut received = application.requests();
    assert_eq!(received.len(), 1);
    (response, received.remove(0))
}

#[test]
fn a_preflight_reaches_the_application_with_a_note() {
    let (response, received) = send(&Request::preflight("/", SHOP, "DELETE"));
    assert_eq!(received.method, "OPTIONS");
    assert_eq!(received.get("X-Cors-Preflight"), Some("1"));
    assert_eq!(received.get("X-Cors-Result"), Some("allowed"));
    assert_status(&response, 200);
    assert_eq!(response.text(), "hello");
    assert_allows(&response, SHOP);
    assert_eq!(response.only("Access-Control-Allow-Methods"), "GET, POST, DELETE");
    assert_eq!(response.only("Access-Control-Max-Age"), "43200");
}

#[test]
fn the_note_says_what_is_wrong_with_it() {
    let (_, received) = send(&Request::preflight("/", SHOP, "PATCH"));
    assert_eq!(received.get("X-Cors-Preflight"), Some("1"));
    assert_eq!(received.get("X-Cors-Result"), Some("method_denied"));

    let (response, received) = send(&Request::preflight("/", STRANGER, "GET"));
    assert_eq!(received.get("X-Cors-Result"), Some("origin_denied"));
    assert_silent(&response);
}

#[test]
fn other_requests_come_without_one() {
    let (response, received) = send(&Request::get("/").origin(SHOP));
    assert_eq!(received.get("X-Cors-Preflight"), None);
    assert_eq!(received.get("X-Cors-Result"), Some("allowed"));
    assert_allows(&response, SHOP);

    let (_, received) = send(&Request::get("/"));
    assert_eq!(received.get("X-Cors-Result"), Some("none"));
}

#[test]
fn a_client_cannot_forge_one() {
    let forged = Request::get("/")
        .origin(STRANGER)
        .header("X-Cors-Preflight", "1")
        .header("X-Cors-Result", "allowed");
    let (_, received) = send(&forged);
    assert_eq!(received.get("X-Cors-Preflight"), None);
    assert_eq!(received.get("X-Cors-Result"), Some("origin_denied"));
}
