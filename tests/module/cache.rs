//! `proxy_cache`: one copy, and the right headers for whoever asks.

use std::sync::atomic::{AtomicUsize, Ordering};

use harness::{Nginx, Request, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

const OTHER: &str = "https://other.example.com";

fn start(application: &Upstream, options: &str) -> Nginx {
    Nginx::builder()
        .port("app", application.port())
        .http("proxy_cache_path cache keys_zone=cache:1m;")
        .server(&format!(
            "location / {{
                cors on;
                cors_allow_origin https://app.example.com https://other.example.com;
                cors_allow_credentials https://app.example.com;
                proxy_cache cache;
                proxy_cache_valid any 1h;
                add_header X-Cache $upstream_cache_status always;
                {options}
                proxy_pass http://127.0.0.1:{{port:app}};
            }}"
        ))
        .start()
}

/// Asks as everyone, and fails unless each gets its own headers.
#[track_caller]
fn assert_right_for_everyone(nginx: &Nginx, status: u16) {
    for origin in [APP, OTHER, APP] {
        let response = nginx.send(&Request::get("/").origin(origin));
        assert_status(&response, status);
        assert_allows(&response, origin);
        let credentials = response.get("Access-Control-Allow-Credentials");
        assert_eq!(credentials, Some("true").filter(|_| origin == APP));
        assert_eq!(response.list("Vary").last().map(String::as_str), Some("origin"));
    }
    for request in [
        Request::get("/").origin(STRANGER),
        Request::get("/"),
        Request::get("/").origin("nonsense"),
    ] {
        let response = nginx.send(&request);
        assert_status(&response, status);
        assert_silent(&response);
        assert_eq!(response.list("Vary").last().map(String::as_str), Some("origin"));
    }
}

#[test]
fn whoever_came_first_leaves_nothing_to_the_others() {
    for first in [
        Request::get("/").origin(APP),
        Request::get("/").origin(STRANGER),
        Request::get("/"),
    ] {
        let application = Upstream::with_headers(&["Access-Control-Allow-Origin: https://app.example.com"]);
        let nginx = start(&application, "");
        nginx.send(&first);
        assert_right_for_everyone(&nginx, 200);
        assert_eq!(application.requests().len(), 1);
        assert_eq!(nginx.send(&Request::get("/")).only("X-Cache"), "HIT");
    }
}

#[test]
fn a_cached_error_is_readable_too() {
    let application = Upstream::start(|_| b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone".to_vec());
    let nginx = start(&application, "");
    assert_right_for_everyone(&nginx, 404);
    assert_eq!(application.requests().len(), 1);
}

#[test]
fn a_stale_copy_is_readable_too() {
    let application = Upstream::start({
        let asked = AtomicUsize::new(0);
        move |_| match asked.fetch_add(1, Ordering::Relaxed) {
            0 => b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Accel-Expires: @1\r\n\r\nhello".to_vec(),
            _ => Vec::new(),
        }
    });
    let nginx = start(&application, "proxy_cache_use_stale error;");
    nginx.send(&Request::get("/"));
    assert_right_for_everyone(&nginx, 200);
}

#[test]
fn a_copy_that_varies_by_origin_is_kept_for_each() {
    let application = Upstream::with_headers(&["Vary: Origin", "Access-Control-Allow-Origin: *"]);
    let nginx = start(&application, "");
    assert_right_for_everyone(&nginx, 200);
    // One for each of: app, other, stranger, no origin, nonsense.
    assert_eq!(application.requests().len(), 5);
}

#[test]
fn preflights_are_neither_cached_nor_answered_from_the_cache() {
    let application = Upstream::with_headers(&[]);
    let nginx = start(
        &application,
        "proxy_cache_methods GET POST; proxy_cache_key $request_uri;",
    );
    assert_status(&nginx.send(&Request::preflight("/", APP, "GET")), 204);
    assert_status(&nginx.send(&Request::get("/").origin(APP)), 200);
    assert_status(&nginx.send(&Request::preflight("/", APP, "GET")), 204);
    assert_status(&nginx.send(&Request::preflight("/", STRANGER, "GET")), 403);
    assert_eq!(application.requests().len(), 1);
}

#[test]
fn a_cached_copy_is_refused_to_strangers_where_it_is_enforced() {
    let application = Upstream::with_headers(&[]);
    let nginx = start(&application, "cors_enforce on;");
    assert_status(&nginx.send(&Request::get("/").origin(APP)), 200);
    let response = nginx.send(&Request::get("/").origin(STRANGER));
    assert_status(&response, 403);
    assert_silent(&response);
}

#[test]
fn a_part_of_a_cached_copy_and_one_that_has_not_changed() {
    let application = Upstream::with_headers(&["ETag: \"a\""]);
    let nginx = start(&application, "proxy_force_ranges on;");
    nginx.send(&Request::get("/"));
    for (request, status) in [
        (Request::get("/").header("Range", "bytes=0-1"), 206),
        (Request::get("/").header("Range", "bytes=100-"), 416),
        (Request::get("/").header("If-None-Match", "\"a\""), 304),
        (Request::head("/"), 200),
    ] {
        let response = nginx.send(&request.clone().origin(APP));
        assert_status(&response, status);
        assert_allows(&response, APP);
        assert_eq!(response.only("Vary"), "Origin");
        let response = nginx.send(&request.origin(STRANGER));
        assert_status(&response, status);
        assert_silent(&response);
    }
    assert_eq!(application.requests().len(), 1);
}
