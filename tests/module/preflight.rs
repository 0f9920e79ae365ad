//! The browser's question before the request.

use harness::{Nginx, Request, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

const EVERYTHING_CONFIGURED: &str = "
    location / {
        cors on;
        cors_allow_origin https://app.example.com;
        cors_allow_methods GET PUT DELETE;
        cors_allow_headers Content-Type X-Requested-With;
        cors_expose_headers X-Total-Count;
        cors_allow_credentials on;
        cors_max_age 2h;
    }";

fn delete_after_preflight() -> Request {
    Request::preflight("/hello.txt", APP, "DELETE")
}

#[test]
fn an_allowed_one_is_answered_with_204_and_these_headers_alone() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    let request = delete_after_preflight().header("Access-Control-Request-Headers", "content-type");
    let response = nginx.send(&request);
    assert_status(&response, 204);
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Allow-Headers", "Content-Type, X-Requested-With"),
            ("Access-Control-Allow-Methods", "GET, PUT, DELETE"),
            ("Access-Control-Allow-Origin", APP),
            ("Access-Control-Expose-Headers", "X-Total-Count"),
            ("Access-Control-Max-Age", "7200"),
        ]
    );
    let others: Vec<&str> = response
        .names()
        .into_iter()
        .filter(|name| !name.starts_with("Access-Control-"))
        .collect();
    assert_eq!(others, ["Connection", "Date", "Server", "Vary"]);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn only_what_is_configured_is_sent() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin https://app.example.com; }");
    let response = nginx.send(&delete_after_preflight());
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Methods", "GET, HEAD, POST"),
            ("Access-Control-Allow-Origin", APP),
        ]
    );
}

#[test]
fn a_denied_one_is_answered_with_403_and_nothing_about_access() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    let response = nginx.send(&Request::preflight("/hello.txt", STRANGER, "GET"));
    assert_status(&response, 403);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
    assert!(response.body.is_empty(), "{response}");
    assert_eq!(response.get("Content-Type"), None);
}

#[test]
fn without_an_origin_it_is_none() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    let request = Request::new("OPTIONS", "/hello.txt").header("Access-Control-Request-Method", "DELETE");
    let response = nginx.send(&request);
    assert_status(&response, 405);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn without_a_requested_method_it_is_none() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    let response = nginx.send(&Request::new("OPTIONS", "/hello.txt").origin(APP));
    assert_status(&response, 405);
    assert_allows(&response, APP);
    assert_eq!(response.get("Access-Control-Allow-Methods"), None);
    assert_eq!(response.get("Access-Control-Allow-Headers"), None);
    assert_eq!(response.get("Access-Control-Max-Age"), None);
}

#[test]
fn with_another_method_than_options_it_is_none() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    let request = Request::get("/hello.txt")
        .origin(APP)
        .header("Access-Control-Request-Method", "DELETE");
    let response = nginx.send(&request);
    assert_status(&response, 200);
    assert_eq!(response.text(), "hello");
    assert_allows(&response, APP);
    assert_eq!(response.get("Access-Control-Allow-Methods"), None);
}

#[test]
fn a_requested_method_that_is_no_token_makes_it_none() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    for method in ["", "GET POST", "GET,POST", "GE\tT", "GET\u{e9}", "\"GET\""] {
        let response = nginx.send(&Request::preflight("/hello.txt", APP, method));
        assert_status(&response, 405);
        assert_allows(&response, APP);
        assert_eq!(response.get("Access-Control-Allow-Methods"), None);
        assert_eq!(response.get("Access-Control-Allow-Headers"), None);
    }
}

#[test]
fn two_requested_methods_make_it_none() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    let request = delete_after_preflight().header("Access-Control-Request-Method", "DELETE");
    let response = nginx.send(&request);
    assert_status(&response, 405);
    assert_allows(&response, APP);
    assert_eq!(response.get("Access-Control-Allow-Methods"), None);
    assert_eq!(response.get("Access-Control-Allow-Headers"), None);
}

#[test]
fn two_origins_make_it_none() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    let response = nginx.send(&delete_after_preflight().origin(APP));
    assert_status(&response, 405);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn the_marks_are_found_in_any_case() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    let request = Request::new("OPTIONS", "/hello.txt")
        .header("ORIGIN", APP)
        .header("access-control-request-METHOD", "DELETE");
    assert_status(&nginx.send(&request), 204);
}

#[test]
fn a_method_outside_the_list_gets_the_list() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    for method in ["PATCH", "delete", "PROPFIND"] {
        let response = nginx.send(&Request::preflight("/hello.txt", APP, method));
        assert_status(&response, 204);
        assert_allows(&response, APP);
        assert_eq!(response.only("Access-Control-Allow-Methods"), "GET, PUT, DELETE");
    }
}

#[test]
fn a_header_outside_the_list_gets_the_list() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    let request = delete_after_preflight().header("Access-Control-Request-Headers", "x-unknown");
    let response = nginx.send(&request);
    assert_status(&response, 204);
    assert_allows(&response, APP);
    assert_eq!(
        response.only("Access-Control-Allow-Headers"),
        "Content-Type, X-Requested-With"
    );
}

#[test]
fn a_plain_star_is_sent_as_such() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin *;
            cors_allow_methods *;
            cors_allow_headers * Authorization;
        }",
    );
    let request = delete_after_preflight().header("Access-Control-Request-Headers", "authorization,x-any");
    let response = nginx.send(&request);
    assert_status(&response, 204);
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Headers", "*, Authorization"),
            ("Access-Control-Allow-Methods", "*"),
            ("Access-Control-Allow-Origin", "*"),
        ]
    );
    assert_eq!(response.get("Vary"), None);
}

const STARS_WITH_CREDENTIALS: &str = "
    location / {
        cors on;
        cors_allow_origin https://app.example.com;
        cors_allow_methods *;
        cors_allow_headers *;
        cors_allow_credentials on;
    }";

#[test]
fn with_credentials_a_star_becomes_what_was_asked_for() {
    let nginx = Nginx::server(STARS_WITH_CREDENTIALS);
    let request = Request::preflight("/hello.txt", APP, "PATCH")
        .header("Access-Control-Request-Headers", "content-type, ,x-trace-id");
    let response = nginx.send(&request);
    assert_status(&response, 204);
    assert_eq!(response.only("Access-Control-Allow-Methods"), "PATCH");
    assert_eq!(
        response.list("Access-Control-Allow-Headers"),
        ["content-type", "x-trace-id"]
    );
    assert_eq!(
        response.list("Vary"),
        [
            "access-control-request-headers",
            "access-control-request-method",
            "origin"
        ]
    );
}

#[test]
fn a_requested_header_that_is_no_token_is_echoed_nowhere() {
    let nginx = Nginx::server(STARS_WITH_CREDENTIALS);
    let request =
        Request::preflight("/hello.txt", APP, "GET").header("Access-Control-Request-Headers", "x-good, b@d, x y");
    let response = nginx.send(&request);
    assert_status(&response, 204);
    let echoed = response.list("Access-Control-Allow-Headers");
    assert!(!echoed.iter().any(|name| name.contains(['@', ' '])), "{response}");
}

#[test]
fn without_an_allowed_origin_it_is_denied() {
    let nginx = Nginx::server("location / { cors on; }");
    let response = nginx.send(&delete_after_preflight());
    assert_status(&response, 403);
    assert_silent(&response);
    assert_eq!(response.get("Vary"), None);
}

#[test]
fn the_status_can_be_chosen() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_preflight_status 200;
        }",
    );
    let response = nginx.send(&delete_after_preflight());
    assert_status(&response, 200);
    assert_eq!(response.only("Content-Length"), "0");
    assert_eq!(response.get("Content-Type"), None);
    assert_allows(&response, APP);
}

#[test]
fn the_max_age_is_sent_in_seconds() {
    let nginx = Nginx::server(
        "cors on;
        cors_allow_origin https://app.example.com;
        cors_max_age 10m;
        location /hours    { cors_max_age 2h; }
        location /both     { cors_max_age 1h30m; }
        location /seconds  { cors_max_age 43200; }
        location /no_cache { cors_max_age 0; }
        location /browsers { cors_max_age off; }
        location /outer    { }",
    );
    for (path, seconds) in [
        ("/hours", Some("7200")),
        ("/both", Some("5400")),
        ("/seconds", Some("43200")),
        ("/no_cache", Some("0")),
        ("/browsers", None),
        ("/outer", Some("600")),
    ] {
        let response = nginx.send(&Request::preflight(path, APP, "GET"));
        assert_eq!(response.get("Access-Control-Max-Age"), seconds, "{path}");
    }
}

#[test]
fn it_never_reaches_the_application() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start();
    assert_status(&nginx.send(&Request::preflight("/", APP, "PUT")), 204);
    assert_status(&nginx.send(&Request::preflight("/", STRANGER, "PUT")), 403);
    assert_status(&nginx.send(&Request::new("OPTIONS", "/").origin(APP)), 200);

    let [received] = &application.requests()[..] else {
        panic!("{:?}", application.requests());
    };
    assert_eq!(received.method, "OPTIONS");
    assert_eq!(received.get("Access-Control-Request-Method"), None);
}

#[test]
fn a_path_that_does_not_exist_gets_one_too() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    let response = nginx.send(&Request::preflight("/missing", APP, "GET"));
    assert_status(&response, 204);
}

#[test]
fn http_1_0_is_answered_alike() {
    let nginx = Nginx::server(EVERYTHING_CONFIGURED);
    let response = nginx.send(&delete_after_preflight().http10());
    assert_status(&response, 204);
    assert_allows(&response, APP);
    let response = nginx.send(&Request::preflight("/hello.txt", STRANGER, "GET").http10());
    assert_status(&response, 403);
    assert!(response.body.is_empty(), "{response}");
}

#[test]
fn an_error_page_for_403_does_not_catch_a_denial() {
    let nginx = Nginx::server(
        "error_page 403 =200 /hello.txt;
        location / { cors on; cors_allow_origin https://app.example.com; }",
    );
    let response = nginx.send(&Request::preflight("/", STRANGER, "GET"));
    assert_status(&response, 403);
    assert!(response.body.is_empty(), "{response}");
}

#[test]
fn a_rewrite_comes_first() {
    let nginx = Nginx::server(
        "location /old { rewrite ^ /new last; }
        location /new { cors on; cors_allow_origin https://app.example.com; }",
    );
    let response = nginx.send(&Request::preflight("/old", APP, "GET"));
    assert_status(&response, 204);
    assert_allows(&response, APP);
}

#[test]
fn a_return_comes_first() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            return 301 https://elsewhere.example/;
        }",
    );
    let response = nginx.send(&Request::preflight("/", APP, "GET"));
    assert_status(&response, 301);
    assert_allows(&response, APP);
}
