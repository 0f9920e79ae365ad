//! Which origins a policy lets in.

use harness::{Nginx, Request};

use crate::{assert_allows, assert_silent, assert_status, APP};

#[test]
fn bytes_that_no_browser_sends_match_nothing() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com https://*.example.com http://localhost:* null;
        }",
    );
    let long = format!("https://{}.example.com", "a".repeat(4000));
    let origins: &[&[u8]] = &[
        b"",
        b"*",
        b"NULL",
        b"HTTPS://app.example.com",
        b"https://App.example.com",
        b"https://app.example.com/",
        b"https://app.example.com/path",
        b"https://app.example.com?query",
        b"https://app.example.com#fragment",
        b"https://user@app.example.com",
        b"https://user:password@app.example.com",
        b"https://app.example.com:443",
        b"https://app.example.com:",
        b"https://app.example.com:0443",
        b"https://app.example.com.",
        b"https://app.example.com https://app.example.com",
        b"https://app.example.com, https://app.example.com",
        b"https://app .example.com",
        b"https://app.example.com\t",
        b"\thttps://app.example.com",
        b"https://app.example.com\x01",
        b"https://app\x0b.example.com",
        b"https://app.example.com\x7f",
        b"https://app.example.com\xff",
        b"https://\xe4pp.example.com",
        b"https:/app.example.com",
        b"https:app.example.com",
        b"//app.example.com",
        b"app.example.com",
        b"https://",
        b"https://.example.com",
        b"https://a..example.com",
        b"https://*.example.com",
        b"https://stranger.example/.example.com",
        b"https://stranger.example#.example.com",
        b"https://stranger.example?.example.com",
        b"https://stranger.example:80.example.com",
        b"https://stranger.example\\.example.com",
        b"https://stranger.example%00.example.com",
        b"http://localhost:",
        b"http://localhost:*",
        b"http://localhost:3000x",
        b"http://localhost:99999",
        b"http://localhost:80",
        b"http://localhost:3000@stranger.example",
        long.as_bytes(),
    ];
    for origin in origins {
        let response = nginx.send(&Request::get("/hello.txt").origin(origin));
        assert_status(&response, 200);
        assert!(
            response.access_control().is_empty(),
            "{} got\n{response}",
            origin.escape_ascii()
        );
        assert_eq!(response.only("Vary"), "Origin");
    }
}

#[test]
fn a_malformed_one_is_refused_a_preflight() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin https://app.example.com; }");
    for origin in ["https://app.example.com/", "HTTPS://APP.EXAMPLE.COM", "x"] {
        let response = nginx.send(&Request::preflight("/hello.txt", origin, "GET"));
        assert_status(&response, 403);
        assert_silent(&response);
    }
}

#[test]
fn a_plain_star_does_not_look() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin *; }");
    for origin in ["", "https://app.example.com/", "no origin at all"] {
        let response = nginx.send(&Request::get("/hello.txt").origin(origin));
        assert_allows(&response, "*");
    }
    let response = nginx.send(&Request::get("/hello.txt").origin(APP).origin(APP));
    assert_allows(&response, "*");
}

#[test]
fn two_of_them_match_nothing() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin https://app.example.com; }");
    let response = nginx.send(&Request::get("/hello.txt").origin(APP).origin(APP));
    assert_status(&response, 200);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn a_wildcard_stands_for_one_or_more_labels() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin https://*.example.com; }");
    for origin in [
        "https://a.example.com",
        "https://a.b.c.example.com",
        "https://under_score.x-1.example.com",
        "https://xn--bcher-kva.example.com",
    ] {
        assert_allows(&nginx.send(&Request::get("/hello.txt").origin(origin)), origin);
    }
    for origin in [
        "https://example.com",
        "https://evilexample.com",
        "https://a.example.com.stranger.example",
        "https://a.example.com:8443",
        "http://a.example.com",
    ] {
        assert_silent(&nginx.send(&Request::get("/hello.txt").origin(origin)));
    }
}

#[test]
fn a_wildcard_within_the_first_label_stays_there() {
    let nginx = Nginx::server(
        "location / { cors on; cors_allow_origin https://pr-*-web.example.com https://*--shop.example.app:*; }",
    );
    for origin in [
        "https://pr-12-web.example.com",
        "https://pr-a-b-web.example.com",
        "https://main--shop.example.app",
        "https://main--shop.example.app:8443",
    ] {
        assert_allows(&nginx.send(&Request::get("/hello.txt").origin(origin)), origin);
    }
    for origin in [
        "https://pr--web.example.com",
        "https://pr-a.b-web.example.com",
        "https://a.pr-12-web.example.com",
        "https://pr-12-web.example.com.stranger.example",
        "https://pr-12-web.example.com:8443",
        "https://evil-shop.example.app",
    ] {
        assert_silent(&nginx.send(&Request::get("/hello.txt").origin(origin)));
    }
}

#[test]
fn a_wildcard_for_the_host_covers_all_hosts_of_an_app_s_scheme() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin moz-extension://* app://. file://; }");
    for origin in [
        "moz-extension://0a1b2c3d-0000-4000-8000-000000000000",
        "app://.",
        "file://",
    ] {
        assert_allows(&nginx.send(&Request::get("/hello.txt").origin(origin)), origin);
    }
    for origin in [
        "chrome-extension://abcdef",
        "moz-extension://",
        "app://b",
        "file:///",
        "null",
    ] {
        assert_silent(&nginx.send(&Request::get("/hello.txt").origin(origin)));
    }
}

#[test]
fn a_wildcard_port_covers_every_port_and_none() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin http://localhost:*; }");
    for origin in [
        "http://localhost",
        "http://localhost:1",
        "http://localhost:3000",
        "http://localhost:65535",
    ] {
        assert_allows(&nginx.send(&Request::get("/hello.txt").origin(origin)), origin);
    }
    for origin in ["https://localhost:3000", "http://localhost.example:3000"] {
        assert_silent(&nginx.send(&Request::get("/hello.txt").origin(origin)));
    }
}

#[test]
fn configured_ones_are_normalised_to_what_browsers_send() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin HTTPS://App.Example.COM:443 https://bücher.example;
        }",
    );
    for origin in [APP, "https://xn--bcher-kva.example"] {
        assert_allows(&nginx.send(&Request::get("/hello.txt").origin(origin)), origin);
    }
}

#[test]
fn null_needs_to_be_listed() {
    let nginx = Nginx::server(
        "cors on;
        location /listed   { cors_allow_origin null; }
        location /unlisted { cors_allow_origin https://app.example.com; }",
    );
    assert_allows(&nginx.send(&Request::get("/listed").origin("null")), "null");
    assert_silent(&nginx.send(&Request::get("/unlisted").origin("null")));
}
