//! `cors_dry_run`: everything is decided, told and logged, and nothing is changed.

use harness::{Nginx, Request, Response, Upstream};

use crate::{assert_silent, assert_status, APP, STRANGER};

fn requests() -> Vec<Request> {
    let mut requests = Vec::new();
    for target in ["/", "/hello.txt", "/missing", "/returns", "/error"] {
        for origin in [APP, STRANGER, "nonsense", "null"] {
            requests.extend([
                Request::get(target).origin(origin),
                Request::head(target).origin(origin),
                Request::new("OPTIONS", target).origin(origin),
                Request::preflight(target, origin, "PUT").header("Access-Control-Request-Headers", "x-any"),
                Request::post(target).origin(origin).body("x"),
            ]);
        }
        requests.push(Request::get(target));
    }
    requests
}

/// Everything of the response but the time of day.
fn without_date(mut response: Response) -> String {
    response
        .headers
        .retain(|(name, _)| !matches!(&**name, "Date" | "ETag" | "Last-Modified"));
    response.to_string()
}

#[test]
fn responses_are_those_without_a_policy() {
    let application = Upstream::with_headers(&[
        "Vary: Cookie",
        "Vary: Accept",
        "Access-Control-Allow-Origin: *",
        "access-control-allow-origin: https://twice.example",
        "Timing-Allow-Origin: *",
    ]);
    let start = |policy: &str| {
        Nginx::builder()
            .port("app", application.port())
            .server(&format!(
                "{policy}
                gzip_vary on;
                gzip on;
                location / {{
                    add_header Access-Control-Max-Age 1;
                    proxy_pass http://127.0.0.1:{{port:app}};
                }}
                location /hello.txt {{ }}
                location /missing {{ error_page 404 /hello.txt; }}
                location /returns {{ return 200 'returned'; }}
                location /error {{ deny all; }}"
            ))
            .start()
    };
    let policy = "cors on;
        cors_allow_origin https://app.example.com;
        cors_allow_methods PUT;
        cors_expose_headers *;
        cors_allow_credentials on;
        cors_timing_allow_origin on;
        cors_dry_run on;";
    let without = start("");
    for mode in [
        "",
        "cors_preflight early;",
        "cors_preflight pass;",
        "cors_enforce on;",
        "cors_enforce websocket;",
        "cors_override off;",
    ] {
        let with = start(&format!("{policy} {mode}"));
        for request in requests() {
            let described = String::from_utf8_lossy(&request.to_bytes()).into_owned();
            let (expected, got) = (without.send(&request), with.send(&request));
            assert_eq!(without_date(got), without_date(expected), "{mode} {described}");
        }
    }
}

#[test]
fn variables_and_log_tell_what_would_have_been() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_enforce on;
            cors_dry_run on;
            add_header X-Told '$cors_preflight/$cors_result/$cors_origin/$cors_reason' always;
        }",
    );
    let told = |request: Request| {
        let response = nginx.send(&request);
        assert_silent(&response);
        response.only("X-Told").to_owned()
    };
    assert_eq!(
        told(Request::get("/hello.txt").origin(APP)),
        "/allowed/https://app.example.com/"
    );
    assert_eq!(
        told(Request::get("/hello.txt").origin(STRANGER)),
        "/origin_denied//origin \"https://stranger.example\" is not in cors_allow_origin"
    );
    assert_eq!(
        told(Request::preflight("/hello.txt", APP, "PUT")),
        "1/method_denied/https://app.example.com/method \"PUT\" is not in cors_allow_methods"
    );
    let log = nginx.error_log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("cors denied")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    for line in lines {
        assert!(line.contains("cors denied (dry run): "), "{line}");
    }
}

#[test]
fn a_dry_run_ends_where_a_location_says_so() {
    let nginx = Nginx::server(
        "cors on;
        cors_allow_origin https://app.example.com;
        cors_dry_run on;
        location / { }
        location /real { cors_dry_run off; }",
    );
    assert_status(&nginx.send(&Request::preflight("/", APP, "GET")), 405);
    assert_status(&nginx.send(&Request::preflight("/real", APP, "GET")), 204);
}
