//! `Vary` tells caches that the answer depends on the origin.

use harness::{Nginx, Request, Response, Upstream};

use crate::{assert_allows, APP, STRANGER};

const LIST: &str = "location / { cors on; cors_allow_origin https://app.example.com; }";

/// What the client gets where the application sends `headers`.
fn proxied(headers: &[&str]) -> Response {
    let application = Upstream::with_headers(headers);
    Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start()
        .send(&Request::get("/").origin(APP))
}

#[test]
fn a_list_names_origin_in_every_response() {
    let nginx = Nginx::server(LIST);
    for request in [
        Request::get("/hello.txt"),
        Request::get("/hello.txt").origin(APP),
        Request::get("/hello.txt").origin(STRANGER),
        Request::get("/missing"),
        Request::new("OPTIONS", "/hello.txt"),
        Request::preflight("/hello.txt", APP, "GET"),
        Request::preflight("/hello.txt", STRANGER, "GET"),
    ] {
        assert_eq!(nginx.send(&request).only("Vary"), "Origin");
    }
}

#[test]
fn patterns_name_origin_too() {
    for origins in ["null", "https://*.example.com", "http://localhost:*"] {
        let nginx = Nginx::server(&format!("location / {{ cors on; cors_allow_origin {origins}; }}"));
        let response = nginx.send(&Request::get("/hello.txt"));
        assert_eq!(response.only("Vary"), "Origin", "{origins}");
    }
}

#[test]
fn a_plain_star_names_nothing() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin *; }");
    for request in [
        Request::get("/hello.txt"),
        Request::get("/hello.txt").origin(APP),
        Request::preflight("/hello.txt", APP, "GET"),
    ] {
        let response = nginx.send(&request);
        assert_allows(&response, "*");
        assert_eq!(response.get("Vary"), None);
    }
}

#[test]
fn nobody_allowed_names_nothing() {
    let nginx = Nginx::server("location / { cors on; }");
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    assert_eq!(response.get("Vary"), None);
}

#[test]
fn origin_joins_what_the_application_names() {
    assert_eq!(
        proxied(&["Vary: Accept-Language"]).list("Vary"),
        ["accept-language", "origin"]
    );
}

#[test]
fn several_lines_become_one() {
    assert_eq!(
        proxied(&["Vary: Accept-Language, Cookie", "Vary: User-Agent"]).list("Vary"),
        ["accept-language", "cookie", "origin", "user-agent"]
    );
}

#[test]
fn origin_is_not_named_twice() {
    for header in ["Vary: Origin", "Vary: origin", "vary: ORIGIN"] {
        assert_eq!(proxied(&[header]).list("Vary"), ["origin"], "{header}");
    }
    assert_eq!(
        proxied(&["Vary: Cookie,Origin,Accept"]).list("Vary"),
        ["accept", "cookie", "origin"]
    );
}

#[test]
fn a_name_that_holds_the_word_is_another() {
    assert_eq!(proxied(&["Vary: X-Origin"]).list("Vary"), ["origin", "x-origin"]);
}

#[test]
fn a_star_says_it_all() {
    let response = proxied(&["Vary: *"]);
    assert_allows(&response, APP);
    assert_eq!(response.only("Vary"), "*");
}

#[test]
fn an_empty_line_names_nothing() {
    assert_eq!(proxied(&["Vary: "]).only("Vary"), "Origin");
}

#[test]
fn origin_joins_what_add_header_names() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            add_header Vary Accept-Language always;
        }",
    );
    for path in ["/hello.txt", "/missing"] {
        let response = nginx.send(&Request::get(path).origin(APP));
        assert_eq!(response.list("Vary"), ["accept-language", "origin"]);
    }
}

const COMPRESSED: &str = "
    gzip on;
    gzip_vary on;
    gzip_min_length 1;
    gzip_types *;
    location / { cors on; cors_allow_origin https://app.example.com; }
    location /star { cors on; cors_allow_origin *; alias html; }";

#[test]
fn origin_joins_what_gzip_vary_names() {
    let nginx = Nginx::server(COMPRESSED);
    for encoding in ["gzip", "identity"] {
        let request = Request::get("/hello.txt")
            .origin(APP)
            .header("Accept-Encoding", encoding);
        let response = nginx.send(&request);
        assert_eq!(
            response.get("Content-Encoding"),
            Some("gzip").filter(|_| encoding == "gzip")
        );
        assert_eq!(response.list("Vary"), ["accept-encoding", "origin"]);
    }
}

#[test]
fn gzip_without_gzip_vary_names_nothing() {
    let nginx = Nginx::server(
        "gzip on;
        gzip_min_length 1;
        gzip_types *;
        location / { cors on; cors_allow_origin https://app.example.com; }",
    );
    let request = Request::get("/hello.txt").origin(APP).header("Accept-Encoding", "gzip");
    let response = nginx.send(&request);
    assert_eq!(response.only("Content-Encoding"), "gzip");
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn what_gzip_vary_names_is_not_named_twice() {
    let application = Upstream::with_headers(&["Vary: Accept-Encoding"]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "gzip on;
            gzip_vary on;
            gzip_min_length 1;
            gzip_types *;
            location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start();
    let request = Request::get("/").origin(APP).header("Accept-Encoding", "gzip");
    assert_eq!(nginx.send(&request).list("Vary"), ["accept-encoding", "origin"]);
}

#[test]
fn gzip_vary_keeps_its_own_under_a_star() {
    let nginx = Nginx::server(COMPRESSED);
    let request = Request::get("/star/hello.txt").header("Accept-Encoding", "gzip");
    let response = nginx.send(&request);
    assert_allows(&response, "*");
    assert_eq!(response.list("Vary"), ["accept-encoding"]);
}

#[test]
fn origin_joins_what_gzip_static_names() {
    let nginx = Nginx::builder()
        .file("html/page", "page")
        .file("html/page.gz", "compressed")
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                gzip_static on;
                gzip_vary on;
            }",
        )
        .start();
    let request = Request::get("/page").origin(APP).header("Accept-Encoding", "gzip");
    let response = nginx.send(&request);
    assert_eq!(response.text(), "compressed");
    assert_eq!(response.list("Vary"), ["accept-encoding", "origin"]);
}

#[test]
fn origin_joins_what_gzip_vary_names_over_http2() {
    let nginx = Nginx::builder()
        .http(
            "server {
                {listen_http2}
                gzip on;
                gzip_vary on;
                gzip_min_length 1;
                gzip_types *;
                location / { cors on; cors_allow_origin https://app.example.com; }
            }",
        )
        .start();
    let request = Request::get("/hello.txt").origin(APP).header("Accept-Encoding", "gzip");
    let response = nginx.send_http2(&request);
    assert_eq!(response.get("Content-Encoding"), Some("gzip"));
    assert_eq!(response.list("Vary"), ["accept-encoding", "origin"]);
}
