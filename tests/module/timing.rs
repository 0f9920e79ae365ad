//! `cors_timing_allow_origin`: whether a script may see how long the response took.

use harness::{Nginx, Request, Upstream};

use crate::{assert_allows, APP, STRANGER};

#[test]
fn timing_is_open_to_the_origins_that_are_allowed() {
    let nginx = Nginx::server(
        "location / { cors on; cors_allow_origin https://app.example.com; cors_timing_allow_origin on; }",
    );
    for path in ["/hello.txt", "/missing"] {
        let response = nginx.send(&Request::get(path).origin(APP));
        assert_eq!(response.only("Timing-Allow-Origin"), APP);
        for request in [Request::get(path).origin(STRANGER), Request::get(path)] {
            assert_eq!(nginx.send(&request).get("Timing-Allow-Origin"), None);
        }
    }
}

#[test]
fn timing_under_a_plain_star_is_open_to_everybody() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin *; cors_timing_allow_origin on; }");
    for request in [Request::get("/hello.txt").origin(APP), Request::get("/hello.txt")] {
        let response = nginx.send(&request);
        assert_allows(&response, "*");
        assert_eq!(response.only("Timing-Allow-Origin"), "*");
    }
}

#[test]
fn timing_is_not_mentioned_unless_it_is_switched_on() {
    for option in ["", "cors_timing_allow_origin off;"] {
        let nginx = Nginx::server(&format!(
            "location / {{ cors on; cors_allow_origin https://app.example.com; {option} }}"
        ));
        let response = nginx.send(&Request::get("/hello.txt").origin(APP));
        assert_eq!(response.get("Timing-Allow-Origin"), None);
    }
}

#[test]
fn where_timing_is_the_policys_the_application_has_no_say_in_it() {
    let application = Upstream::with_headers(&["Timing-Allow-Origin: *", "timing-allow-origin: https://other.example"]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                cors_timing_allow_origin on;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start();
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_eq!(response.only("Timing-Allow-Origin"), APP);
    let response = nginx.send(&Request::get("/").origin(STRANGER));
    assert_eq!(response.get("Timing-Allow-Origin"), None);
}
