//! `cors_preflight early`: answered before anything else in the block that says it: in a server, before nginx has looked for
//! a location.

use harness::{Nginx, Request, Response, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

/// What a preflight from `origin` gets where the server has an early policy and `body`.
fn ask(body: &str, target: &str, origin: &str) -> Response {
    Nginx::builder()
        .file("html/dir/index.html", "index")
        .server(&format!(
            "cors on;
            cors_allow_origin https://app.example.com;
            cors_allow_methods PUT;
            cors_preflight early;
            {body}"
        ))
        .start()
        .send(&Request::preflight(target, origin, "PUT"))
}

/// Fails unless `body` does not get to see preflights.
#[track_caller]
fn assert_answered_before(body: &str, target: &str) {
    let response = ask(body, target, APP);
    assert_status(&response, 204);
    assert_allows(&response, APP);
    assert_eq!(response.only("Access-Control-Allow-Methods"), "PUT");
    assert_eq!(response.get("Location"), None);

    let response = ask(body, target, STRANGER);
    assert_status(&response, 403);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
    assert!(response.body.is_empty(), "{response}");
}

#[test]
fn before_a_return_of_the_server() {
    assert_answered_before("return 301 https://www.example.com$request_uri;", "/");
}

#[test]
fn before_a_rewrite_of_the_server() {
    assert_answered_before("rewrite ^ https://www.example.com/ permanent;", "/");
}

#[test]
fn before_an_if_of_the_server() {
    assert_answered_before("if ($request_method = OPTIONS) { return 405; }", "/");
}

#[test]
fn before_a_rewrite_that_goes_round_in_circles() {
    assert_answered_before("location / { rewrite ^ /again last; }", "/");
}

#[test]
fn before_a_return_of_a_location() {
    assert_answered_before("location / { return 404; }", "/");
}

#[test]
fn before_the_redirect_of_a_directory_to_its_slash() {
    assert_answered_before("", "/dir");
}

#[test]
fn before_the_redirect_of_a_proxied_location_to_its_slash() {
    assert_answered_before("location /api/ { proxy_pass http://127.0.0.1:{port}; }", "/api");
}

#[test]
fn before_a_password() {
    assert_answered_before("auth_basic private; auth_basic_user_file htpasswd;", "/");
}

#[test]
fn before_an_internal_location() {
    assert_answered_before("location / { internal; }", "/");
}

#[test]
fn before_a_limit_on_requests() {
    let nginx = Nginx::builder()
        .http("limit_req_zone $binary_remote_addr zone=slow:1m rate=1r/m;")
        .server(
            "cors on;
            cors_allow_origin https://app.example.com;
            cors_preflight early;
            limit_req zone=slow;",
        )
        .start();
    for _ in 0..3 {
        assert_status(&nginx.send(&Request::preflight("/", APP, "GET")), 204);
    }
    assert_status(&nginx.send(&Request::get("/hello.txt")), 200);
}

#[test]
fn the_policy_of_the_location_is_not_asked() {
    let response = ask(
        "location / { cors_allow_origin https://stranger.example; cors_allow_methods DELETE; }",
        "/",
        APP,
    );
    assert_status(&response, 204);
    assert_allows(&response, APP);
    assert_eq!(response.only("Access-Control-Allow-Methods"), "PUT");
}

#[test]
fn the_status_can_be_chosen() {
    let response = ask("cors_preflight_status 200;", "/", APP);
    assert_status(&response, 200);
    assert_eq!(response.only("Content-Length"), "0");
}

#[test]
fn an_error_page_for_403_does_not_catch_a_denial() {
    let response = ask("error_page 403 =200 /hello.txt;", "/", STRANGER);
    assert_status(&response, 403);
    assert!(response.body.is_empty(), "{response}");
}

#[test]
fn other_requests_go_on_to_the_return() {
    let nginx = Nginx::server(
        "cors on;
        cors_allow_origin https://app.example.com;
        cors_preflight early;
        return 301 https://www.example.com/;",
    );
    for request in [
        Request::get("/").origin(APP),
        Request::new("OPTIONS", "/").origin(APP),
        Request::get("/")
            .origin(APP)
            .header("Access-Control-Request-Method", "PUT"),
    ] {
        let response = nginx.send(&request);
        assert_status(&response, 301);
        assert_allows(&response, APP);
    }
}

#[test]
fn a_preflight_of_the_server_itself_goes_on() {
    let response = ask("return 418;", "/", "http://localhost");
    assert_status(&response, 418);
    assert_silent(&response);
}

#[test]
fn a_location_that_says_early_answers_before_its_own_return_if_and_rewrite() {
    let policy = "cors on; cors_allow_origin https://app.example.com; cors_allow_methods PUT; cors_preflight early;";
    let nginx = Nginx::server(&format!(
        "location / {{ {policy} }}
        location /returns {{ {policy} return 418; }}
        location /moved {{ {policy} rewrite ^ /elsewhere permanent; }}
        location /idiom {{ {policy} if ($request_method = OPTIONS) {{ return 418; }} }}
        location /other {{ return 418; }}"
    ));
    for path in ["/", "/returns", "/moved", "/idiom"] {
        let response = nginx.send(&Request::preflight(path, APP, "PUT"));
        assert_status(&response, 204);
        assert_allows(&response, APP);
        assert_status(&nginx.send(&Request::preflight(path, STRANGER, "PUT")), 403);
    }
    // Everything else goes its way.
    for request in [Request::get("/returns"), Request::new("OPTIONS", "/returns")] {
        let response = nginx.send(&request.origin(APP));
        assert_status(&response, 418);
        assert_allows(&response, APP);
    }
    assert_status(&nginx.send(&Request::preflight("/other", APP, "PUT")), 418);
}

/// The actual request of a preflight that is answered early goes on to a place with a policy of its own.
#[test]
fn a_location_that_says_early_governs_the_actual_request_as_it_does_the_preflight() {
    let early = "cors on; cors_allow_origin https://app.example.com; cors_preflight early;";
    let other = "cors on; cors_allow_origin https://stranger.example;";
    let nginx = Nginx::server(&format!(
        "location /moved/ {{ {early} rewrite ^ /other last; }}
        location /if/ {{ {early} if ($uri) {{ {other} }} }}
        location = /other {{ {other} return 204; }}"
    ));
    for path in ["/moved/", "/if/"] {
        for (origin, status) in [(APP, 204), (STRANGER, 403)] {
            assert_status(&nginx.send(&Request::preflight(path, origin, "GET")), status);
        }
        assert_allows(&nginx.send(&Request::get(path).origin(APP)), APP);
        assert_silent(&nginx.send(&Request::get(path).origin(STRANGER)));
    }
}

#[test]
fn a_location_whose_policy_differs_from_that_of_an_early_server_is_warned_about() {
    let check = |location: &str| {
        Nginx::builder()
            .server(&format!(
                "cors on; cors_allow_origin https://app.example.com; cors_preflight early;
                location /narrow/ {{
                {location}
                }}"
            ))
            .check()
    };
    for location in [
        "cors off;",
        "cors_allow_methods GET;",
        "cors_preflight answer;",
        "cors_allow_methods GET; cors_preflight early;",
        "cors_allow_origin https://stranger.example; cors_preflight early;",
    ] {
        let check = check(location);
        let message = check.warning_at(location);
        assert!(
            message.contains("answers the preflights of location \"/narrow/\" under the policy of the server"),
            "{message}"
        );
    }
    for location in ["", "cors_preflight early;", "cors_max_age 1h; cors_preflight early;"] {
        let check = check(location);
        assert!(check.accepted() && !check.stderr.contains("[warn]"), "{}", check.stderr);
    }
}

#[test]
fn it_is_inherited_from_http() {
    let nginx = Nginx::builder()
        .http("cors on; cors_allow_origin https://app.example.com; cors_preflight early;")
        .server("return 418;")
        .start();
    assert_status(&nginx.send(&Request::preflight("/", APP, "PUT")), 204);
}

#[test]
fn it_never_reaches_the_application() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "cors on;
            cors_allow_origin https://app.example.com;
            cors_preflight early;
            location / { proxy_pass http://127.0.0.1:{port:app}; }",
        )
        .start();
    assert_status(&nginx.send(&Request::preflight("/", APP, "PUT")), 204);
    assert_status(&nginx.send(&Request::preflight("/", STRANGER, "PUT")), 403);
    assert!(application.requests().is_empty());
}

#[test]
fn its_body_is_not_the_next_request() {
    let nginx = Nginx::server(
        "cors on;
        cors_allow_origin https://app.example.com;
        cors_preflight early;",
    );
    let hidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (origin, status) in [(APP, 204), (STRANGER, 403)] {
        let plain = Request::preflight("/", origin, "PUT").body(hidden);
        let chunked = Request::preflight("/", origin, "PUT")
            .header("Transfer-Encoding", "chunked")
            .body(format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len()));
        for preflight in [plain, chunked] {
            let mut connection = nginx.connect();
            assert_status(&connection.send(&preflight), status);
            assert_eq!(connection.send(&Request::get("/hello.txt")).text(), "hello");
        }
    }
}

#[test]
fn over_http2_alike() {
    let nginx = Nginx::builder()
        .http(
            "server {
                {listen_http2}
                cors on;
                cors_allow_origin https://app.example.com;
                cors_preflight early;
                return 301 https://www.example.com/;
            }",
        )
        .start();
    let response = nginx.send_http2(&Request::preflight("/", APP, "PUT").body("unread"));
    assert_status(&response, 204);
    assert_allows(&response, APP);
}

#[test]
fn over_http_1_0_alike() {
    let nginx = Nginx::server("cors on; cors_allow_origin https://app.example.com; cors_preflight early; return 418;");
    let response = nginx.send(&Request::preflight("/", APP, "PUT").http10());
    assert_status(&response, 204);
    assert_allows(&response, APP);
}
