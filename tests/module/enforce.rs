//! `cors_enforce`: requests of other origins are refused, before the application sees them.

use harness::{Nginx, Request, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

fn start(application: &Upstream, options: &str) -> Nginx {
    Nginx::builder()
        .port("app", application.port())
        .server(&format!(
            "location / {{
                cors on;
                cors_allow_origin https://app.example.com;
                {options}
                proxy_pass http://127.0.0.1:{{port:app}};
            }}"
        ))
        .start()
}

/// The status of `request` under `options`, and whether the application saw it.
fn send(options: &str, request: Request) -> (u16, bool) {
    let application = Upstream::with_headers(&[]);
    // A request for an upgrade does not ask to close the connection.
    let response = start(&application, options).connect().send(&request);
    (response.status, !application.requests().is_empty())
}

const SERVED: (u16, bool) = (200, true);
const REFUSED: (u16, bool) = (403, false);

#[test]
fn a_stranger_is_refused_and_the_application_not_reached() {
    let application = Upstream::with_headers(&[]);
    let nginx = start(&application, "cors_enforce on;");
    for request in [
        Request::get("/"),
        Request::head("/"),
        Request::post("/").body("x"),
        Request::new("DELETE", "/"),
        Request::new("OPTIONS", "/"),
    ] {
        let response = nginx.send(&request.origin(STRANGER));
        assert_status(&response, 403);
        assert_silent(&response);
        assert_eq!(response.only("Vary"), "Origin");
    }
    assert!(application.requests().is_empty());
}

#[test]
fn off_and_by_default_no_one_is_refused() {
    assert_eq!(send("", Request::get("/").origin(STRANGER)), SERVED);
    assert_eq!(send("cors_enforce off;", Request::get("/").origin(STRANGER)), SERVED);
}

#[test]
fn an_allowed_origin_is_served() {
    let application = Upstream::with_headers(&[]);
    let response = start(&application, "cors_enforce on;").send(&Request::post("/").origin(APP).body("x"));
    assert_status(&response, 200);
    assert_allows(&response, APP);
    assert_eq!(application.requests()[0].body, b"x");
}

#[test]
fn a_method_outside_the_list_is_served() {
    let request = Request::new("DELETE", "/").origin(APP).header("X-Unlisted", "1");
    assert_eq!(send("cors_enforce on;", request), SERVED);
}

#[test]
fn a_request_without_an_origin_is_served() {
    assert_eq!(send("cors_enforce on;", Request::get("/")), SERVED);
}

#[test]
fn a_page_of_the_server_itself_is_served() {
    let own = Request::post("/").origin("http://localhost").body("x");
    assert_eq!(send("cors_enforce on;", own), SERVED);
    let other_port = Request::post("/")
        .origin("http://localhost:8080")
        .header("Host", "localhost:8080")
        .body("x");
    assert_eq!(send("cors_enforce on;", other_port), SERVED);
}

#[test]
fn what_the_browser_calls_same_origin_is_served() {
    let request = Request::post("/").origin(STRANGER).body("x");
    assert_eq!(
        send(
            "cors_enforce on;",
            request.clone().header("Sec-Fetch-Site", "same-origin")
        ),
        SERVED
    );
    for site in ["same-site", "cross-site", "none"] {
        assert_eq!(
            send("cors_enforce on;", request.clone().header("Sec-Fetch-Site", site)),
            REFUSED,
            "{site}"
        );
    }
}

#[test]
fn the_origin_of_the_host_over_another_scheme_is_refused() {
    assert_eq!(
        send("cors_enforce on;", Request::get("/").origin("https://localhost")),
        REFUSED
    );
}

#[test]
fn an_origin_that_no_browser_sends_is_refused() {
    for origin in [
        "https://app.example.com/",
        "HTTPS://APP.EXAMPLE.COM",
        "app.example.com",
        "",
    ] {
        assert_eq!(
            send("cors_enforce on;", Request::get("/").origin(origin)),
            REFUSED,
            "{origin}"
        );
    }
    assert_eq!(
        send("cors_enforce on;", Request::get("/").origin(APP).origin(APP)),
        REFUSED
    );
}

#[test]
fn null_is_refused_unless_it_is_listed() {
    assert_eq!(send("cors_enforce on;", Request::get("/").origin("null")), REFUSED);
    assert_eq!(
        send(
            "cors_enforce on; cors_allow_origin null;",
            Request::get("/").origin("null")
        ),
        SERVED
    );
}

#[test]
fn a_plain_star_refuses_no_one() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server("location / { cors on; cors_allow_origin *; cors_enforce on; proxy_pass http://127.0.0.1:{port:app}; }")
        .start();
    for origin in [STRANGER, "null", "nonsense"] {
        assert_status(&nginx.send(&Request::get("/").origin(origin)), 200);
    }
}

#[test]
fn preflights_are_answered_as_ever() {
    assert_eq!(
        send("cors_enforce on;", Request::preflight("/", APP, "PUT")),
        (204, false)
    );
    assert_eq!(
        send("cors_enforce on;", Request::preflight("/", STRANGER, "PUT")),
        REFUSED
    );
}

#[test]
fn for_websockets_alone_others_are_served() {
    let upgrade = |value: &str| {
        Request::get("/")
            .origin(STRANGER)
            .header("Connection", "Upgrade")
            .header("Upgrade", value)
    };
    for value in ["websocket", "WebSocket", "foo, websocket"] {
        assert_eq!(send("cors_enforce websocket;", upgrade(value)), REFUSED, "{value}");
    }
    assert_eq!(send("cors_enforce websocket;", upgrade("h2c")), SERVED);
    assert_eq!(
        send("cors_enforce websocket;", Request::post("/").origin(STRANGER)),
        SERVED
    );
    assert_eq!(send("cors_enforce off;", upgrade("websocket")), SERVED);
}

#[test]
fn a_websocket_of_an_allowed_or_of_its_own_origin_is_opened() {
    for origin in [APP, "http://localhost"] {
        let request = Request::get("/")
            .origin(origin)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket");
        assert_eq!(send("cors_enforce websocket;", request), SERVED, "{origin}");
    }
}

#[test]
fn the_refusal_goes_through_error_page() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                cors_enforce on;
                error_page 403 /hello.txt;
                proxy_pass http://127.0.0.1:{port:app};
            }
            location = /hello.txt { }",
        )
        .start();
    let response = nginx.send(&Request::post("/").origin(STRANGER).body("x"));
    assert_status(&response, 403);
    assert_eq!(response.text(), "hello");
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
    assert!(application.requests().is_empty());
}

#[test]
fn the_refusal_goes_through_a_named_error_page() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_enforce on;
            error_page 403 = @refused;
        }
        location @refused { return 451 refused; }",
    );
    let response = nginx.send(&Request::get("/hello.txt").origin(STRANGER));
    assert_status(&response, 451);
    assert_eq!(response.text(), "refused");
    assert_silent(&response);
}

#[test]
fn a_location_with_an_error_page_of_its_own_policy_refuses_once() {
    let nginx = Nginx::server(
        "cors on;
        cors_allow_origin https://app.example.com;
        cors_enforce on;
        error_page 403 /hello.txt;",
    );
    let response = nginx.send(&Request::get("/").origin(STRANGER));
    assert_status(&response, 403);
    assert_eq!(response.text(), "hello");
}

#[test]
fn satisfy_any_does_not_outvote_it() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_enforce on;
            satisfy any;
            allow all;
            auth_basic private;
            auth_basic_user_file /dev/null;
        }",
    );
    let response = nginx.send(&Request::get("/hello.txt").origin(STRANGER));
    assert_status(&response, 403);
    assert_silent(&response);
    assert_status(&nginx.send(&Request::get("/hello.txt").origin(APP)), 200);
}

#[test]
fn it_opens_nothing_that_others_close() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_enforce on;
            satisfy any;
            deny all;
            auth_basic private;
            auth_basic_user_file /dev/null;
        }",
    );
    assert_status(&nginx.send(&Request::get("/hello.txt").origin(APP)), 401);
    assert_status(&nginx.send(&Request::get("/hello.txt")), 401);
}

#[test]
fn it_holds_where_return_led_to_the_location_that_serves() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                cors_enforce on;
                error_page 418 = @application;
                return 418;
            }
            location @application { proxy_pass http://127.0.0.1:{port:app}; }",
        )
        .start();
    assert_status(&nginx.send(&Request::get("/").origin(APP)), 200);
    assert_status(&nginx.send(&Request::get("/").origin(STRANGER)), 403);
    assert_eq!(application.requests().len(), 1);
}

#[test]
fn the_body_of_a_refused_request_is_not_the_next_request() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin https://app.example.com; cors_enforce on; }");
    let hidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let request = Request::post("/hello.txt").origin(STRANGER);
    let chunks = format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
    for request in [
        request.clone().body(hidden),
        request.header("Transfer-Encoding", "chunked").body(chunks),
    ] {
        let mut connection = nginx.connect();
        assert_status(&connection.send(&request), 403);
        assert_eq!(connection.send(&Request::get("/hello.txt")).text(), "hello");
    }
}

#[test]
fn subrequests_are_not_refused() {
    let nginx = Nginx::builder()
        .file("html/page", "<!--#include virtual=\"/fragment\" -->!")
        .file("html/fragment", "fragment")
        .server(
            "default_type text/html;
            location = /page { cors on; cors_allow_origin https://app.example.com; ssi on; }
            location = /fragment { cors on; cors_allow_origin https://other.example; cors_enforce on; }",
        )
        .start();
    assert_eq!(nginx.send(&Request::get("/page").origin(APP)).text(), "fragment!");
}

#[test]
fn over_http2_alike() {
    let nginx = Nginx::builder()
        .http(
            "server {
                {listen_http2}
                location / { cors on; cors_allow_origin https://app.example.com; cors_enforce on; }
            }",
        )
        .start();
    let response = nginx.send_http2(&Request::post("/hello.txt").origin(STRANGER).body("unread"));
    assert_status(&response, 403);
    assert_silent(&response);
    assert_status(
        &nginx.send_http2(&Request::get("/hello.txt").origin("http://localhost")),
        200,
    );
}
