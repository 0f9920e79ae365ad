//! One authority: what the application, the cache or `add_header` say about access is replaced.

use harness::{Nginx, Request, Response, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

/// An application that knows CORS, and knows it wrong.
fn opinionated() -> Upstream {
    Upstream::with_headers(&[
        "Access-Control-Allow-Origin: *",
        "access-control-allow-origin: https://other.example",
        "Access-Control-Allow-Credentials: true",
        "Access-Control-Allow-Methods: TRACE",
        "Access-Control-Allow-Headers: X-Upstream",
        "Access-Control-Expose-Headers: X-Upstream",
        "Access-Control-Max-Age: 1",
        "Timing-Allow-Origin: *",
        "X-Kept: yes",
    ])
}

/// Sends `request` through an nginx that has its own `add_header` besides.
fn send(request: &Request) -> Response {
    let application = opinionated();
    Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                cors_expose_headers X-Ours;
                add_header Access-Control-Allow-Origin * always;
                add_header Access-Control-Allow-Methods PATCH;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start()
        .send(request)
}

#[test]
fn an_allowed_origin_sees_ours_alone() {
    let response = send(&Request::get("/").origin(APP));
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Origin", APP),
            ("Access-Control-Expose-Headers", "X-Ours"),
        ]
    );
}

#[test]
fn a_denied_origin_sees_none() {
    assert_silent(&send(&Request::get("/").origin(STRANGER)));
}

#[test]
fn a_request_without_an_origin_sees_none() {
    assert_silent(&send(&Request::get("/")));
}

#[test]
fn other_headers_stay() {
    let response = send(&Request::get("/").origin(APP));
    assert_eq!(response.only("X-Kept"), "yes");
    assert_eq!(response.only("Timing-Allow-Origin"), "*");
    assert_eq!(response.text(), "hello");
}

#[test]
fn a_preflight_has_no_second_line_either() {
    let response = send(&Request::preflight("/", APP, "GET"));
    assert_status(&response, 204);
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Methods", "GET, HEAD, POST"),
            ("Access-Control-Allow-Origin", APP),
            ("Access-Control-Expose-Headers", "X-Ours"),
        ]
    );
    assert_silent(&send(&Request::preflight("/", STRANGER, "GET")));
}

#[test]
fn among_many_headers_they_are_all_found() {
    let fillers: Vec<String> = (0..60).map(|number| format!("X-Filler-{number}: {number}")).collect();
    let mut headers = vec!["Access-Control-Allow-Origin: *"];
    headers.extend(fillers.iter().map(String::as_str));
    headers.extend([
        "Access-Control-Max-Age: 1",
        "Vary: Cookie",
        "Access-Control-Allow-Origin: *",
    ]);
    let application = Upstream::with_headers(&headers);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_pass http://127.0.0.1:{port:app};
                proxy_buffer_size 8k;
            }",
        )
        .start();
    let request = (0..60).fold(Request::get("/"), |request, number| {
        request.header(&format!("X-Filler-{number}"), "filler")
    });
    let response = nginx.send(&request.origin(APP));
    assert_eq!(response.access_control(), [("Access-Control-Allow-Origin", APP)]);
    assert_eq!(response.list("Vary"), ["cookie", "origin"]);
    let kept = response
        .names()
        .into_iter()
        .filter(|name| name.starts_with("X-Filler-"));
    assert_eq!(kept.count(), fillers.len());
}

#[test]
fn add_header_on_an_error_is_replaced() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            add_header Access-Control-Allow-Origin * always;
        }",
    );
    let response = nginx.send(&Request::get("/missing").origin(APP));
    assert_status(&response, 404);
    assert_allows(&response, APP);
    let response = nginx.send(&Request::get("/missing").origin(STRANGER));
    assert_silent(&response);
}

#[test]
fn a_failed_precondition_has_each_header_once() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_expose_headers ETag;
            cors_allow_credentials on;
            add_header Vary Accept-Language always;
        }",
    );
    let request = Request::get("/hello.txt").origin(APP).header("If-Match", "\"other\"");
    let response = nginx.send(&request);
    assert_status(&response, 412);
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Allow-Origin", APP),
            ("Access-Control-Expose-Headers", "ETag"),
        ]
    );
    assert_eq!(response.list("Vary"), ["accept-language", "origin"]);
}
