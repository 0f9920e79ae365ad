//! `$cors_preflight`, `$cors_result`, `$cors_origin`, `$cors_reason`: what the module tells the rest of nginx.

use harness::{Nginx, Received, Request, Upstream};

use crate::{assert_status, APP, STRANGER};

const FORMAT: &str = "log_format cors '$cors_preflight|$cors_result|$cors_origin|$cors_reason';
    access_log logs/cors.log cors;";

const POLICY: &str = "location / {
    cors on;
    cors_allow_origin https://app.example.com;
    cors_allow_methods PUT;
    cors_allow_headers Content-Type;
}";

/// What the access log says of `request`.
fn logged(server: &str, request: &Request) -> String {
    let nginx = Nginx::builder().http(FORMAT).server(server).start();
    nginx.connect().send(request);
    let [line] = &nginx.log_lines("logs/cors.log", 1)[..] else {
        panic!("more than one line");
    };
    line.clone()
}

#[test]
fn an_allowed_request() {
    assert_eq!(
        logged(POLICY, &Request::get("/hello.txt").origin(APP)),
        "|allowed|https://app.example.com|"
    );
}

#[test]
fn a_request_without_an_origin() {
    assert_eq!(logged(POLICY, &Request::get("/hello.txt")), "|none||");
}

#[test]
fn a_request_of_the_server_itself() {
    let request = Request::post("/hello.txt").origin("http://localhost");
    assert_eq!(logged(POLICY, &request), "|same_origin||");
}

#[test]
fn a_request_of_a_stranger() {
    assert_eq!(
        logged(POLICY, &Request::get("/hello.txt").origin(STRANGER)),
        r"|origin_denied||origin \x22https://stranger.example\x22 is not in cors_allow_origin"
    );
}

#[test]
fn a_malformed_request() {
    assert_eq!(
        logged(POLICY, &Request::get("/hello.txt").origin("x")),
        r"|malformed||Origin \x22x\x22 is not what a browser sends"
    );
    assert_eq!(
        logged(POLICY, &Request::get("/hello.txt").origin(APP).origin(APP)),
        "|malformed||the request has more than one Origin"
    );
}

#[test]
fn an_allowed_preflight() {
    assert_eq!(
        logged(POLICY, &Request::preflight("/", APP, "PUT")),
        "1|allowed|https://app.example.com|"
    );
}

#[test]
fn a_preflight_of_a_stranger() {
    assert_eq!(
        logged(POLICY, &Request::preflight("/", STRANGER, "PUT")),
        r"1|origin_denied||origin \x22https://stranger.example\x22 is not in cors_allow_origin"
    );
}

#[test]
fn a_preflight_for_a_method_outside_the_list() {
    assert_eq!(
        logged(POLICY, &Request::preflight("/", APP, "DELETE")),
        r"1|method_denied|https://app.example.com|method \x22DELETE\x22 is not in cors_allow_methods"
    );
}

#[test]
fn a_preflight_with_a_header_outside_the_list() {
    let request = Request::preflight("/", APP, "PUT").header("Access-Control-Request-Headers", "content-type, x-foo");
    assert_eq!(
        logged(POLICY, &request),
        r"1|header_denied|https://app.example.com|header \x22x-foo\x22 is not in cors_allow_headers"
    );
}

#[test]
fn an_early_preflight() {
    assert_eq!(
        logged(
            "cors on; cors_allow_origin https://app.example.com; cors_preflight early; return 418;",
            &Request::preflight("/", APP, "GET")
        ),
        "1|allowed|https://app.example.com|"
    );
}

#[test]
fn a_refused_request() {
    let server = "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_enforce on;
            error_page 403 /hello.txt;
        }
        location = /hello.txt { }";
    assert_eq!(
        logged(server, &Request::get("/").origin(STRANGER)),
        r"|origin_denied||origin \x22https://stranger.example\x22 is not in cors_allow_origin"
    );
}

#[test]
fn under_a_plain_star() {
    let server = "location / { cors on; cors_allow_origin *; }";
    assert_eq!(
        logged(server, &Request::get("/hello.txt").origin(STRANGER)),
        "|allowed|*|"
    );
    assert_eq!(logged(server, &Request::get("/hello.txt")), "|none|*|");
}

#[test]
fn where_no_policy_applies() {
    for server in [
        "",
        "cors off;",
        "cors on; cors_allow_origin *; location / { cors off; }",
    ] {
        assert_eq!(logged(server, &Request::get("/hello.txt").origin(APP)), "|off||");
        assert_eq!(logged(server, &Request::preflight("/hello.txt", APP, "GET")), "|off||");
    }
}

#[test]
fn a_request_that_nginx_rejected() {
    let request = Request::get("/").origin(APP).header("Host", "bad host/");
    assert_eq!(
        logged("cors on; cors_allow_origin https://app.example.com;", &request),
        "|allowed|https://app.example.com|"
    );
}

#[test]
fn after_an_internal_redirect() {
    let server = "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_preflight pass;
            error_page 404 405 /hello.txt;
        }
        location = /hello.txt { }";
    assert_eq!(
        logged(server, &Request::get("/missing").origin(APP)),
        "|allowed|https://app.example.com|"
    );
    assert_eq!(
        logged(server, &Request::preflight("/missing", APP, "GET")),
        "1|unanswered|https://app.example.com|the preflight got 405, and browsers take only 200 to 299: with \\x22cors_preflight pass\\x22, authentication or the application has to answer it; write \\x22cors_preflight answer\\x22 to have the module do so"
    );
}

#[test]
fn after_a_redirect_into_a_location_that_is_off() {
    let server = "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            error_page 404 /hello.txt;
        }
        location = /hello.txt { cors off; }";
    assert_eq!(logged(server, &Request::get("/missing").origin(APP)), "|off||");
}

#[test]
fn over_http2() {
    let nginx = Nginx::builder()
        .http(FORMAT)
        .http(&format!("server {{ {{listen_http2}} {POLICY} }}"))
        .start();
    nginx.send_all_http2(&[
        Request::preflight("/", APP, "PUT"),
        Request::get("/hello.txt").origin(STRANGER),
    ]);
    let mut lines = nginx.log_lines("logs/cors.log", 2);
    lines.sort();
    assert_eq!(lines[0], "1|allowed|https://app.example.com|");
    assert!(lines[1].starts_with("|origin_denied|"), "{lines:?}");
}

#[test]
fn an_access_log_can_be_for_denials_alone() {
    let nginx = Nginx::builder()
        .http(
            "map $cors_result $denied { default 0; ~_denied$ 1; malformed 1; }
            log_format denied '$request_uri $cors_result';
            access_log logs/denied.log denied if=$denied;",
        )
        .server(POLICY)
        .start();
    for request in [
        Request::get("/none"),
        Request::get("/allowed").origin(APP),
        Request::get("/denied").origin(STRANGER),
        Request::preflight("/method", APP, "DELETE"),
        Request::preflight("/fine", APP, "PUT"),
        Request::get("/last").origin("x"),
    ] {
        nginx.send(&request);
    }
    assert_eq!(
        nginx.log_lines("logs/denied.log", 3),
        ["/denied origin_denied", "/method method_denied", "/last malformed"]
    );
}

#[test]
fn the_application_can_be_told() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .http("map $cors_result $trust { default no; allowed yes; none maybe; }")
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_set_header X-Trust $trust;
                proxy_set_header X-Reason $cors_reason;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start();
    for request in [
        Request::get("/"),
        Request::get("/").origin(APP),
        Request::get("/").origin(STRANGER),
    ] {
        nginx.send(&request);
    }
    let told = |request: &Received| {
        let header = |name| request.get(name).unwrap_or_default().to_owned();
        header("X-Trust") + "|" + &header("X-Reason")
    };
    let told: Vec<String> = application.requests().iter().map(told).collect();
    assert_eq!(
        told,
        [
            "maybe|",
            "yes|",
            "no|origin \"https://stranger.example\" is not in cors_allow_origin"
        ]
    );
}

#[test]
fn headers_of_the_response_can_tell() {
    let nginx = Nginx::server(&POLICY.replace("cors on;", "cors on; add_header X-Told $cors_result always;"));
    let told = |request: &Request| nginx.send(request).only("X-Told").to_owned();
    assert_eq!(told(&Request::get("/hello.txt").origin(APP)), "allowed");
    assert_eq!(told(&Request::get("/missing").origin(STRANGER)), "origin_denied");
    assert_eq!(told(&Request::preflight("/", APP, "DELETE")), "method_denied");
    assert_eq!(told(&Request::preflight("/", STRANGER, "PUT")), "origin_denied");
}

#[test]
fn an_if_in_a_location_can_ask() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            if ($cors_result = origin_denied) { return 451; }
            if ($cors_preflight) { return 299; }
        }",
    );
    assert_status(&nginx.send(&Request::get("/hello.txt").origin(APP)), 200);
    assert_status(&nginx.send(&Request::get("/hello.txt").origin(STRANGER)), 451);
    assert_status(&nginx.send(&Request::preflight("/hello.txt", APP, "GET")), 299);
}

#[test]
fn an_if_of_the_server_sees_the_policy_of_the_server() {
    let nginx = Nginx::server(
        "cors on;
        cors_allow_origin https://app.example.com;
        if ($cors_result = origin_denied) { return 451; }",
    );
    assert_status(&nginx.send(&Request::get("/hello.txt").origin(APP)), 200);
    assert_status(&nginx.send(&Request::get("/hello.txt").origin(STRANGER)), 451);
}

#[test]
fn what_was_asked_too_early_is_not_what_is_told_later() {
    let nginx = Nginx::server(
        "set $early $cors_result;
        location / {
            cors on;
            cors_allow_origin https://app.example.com;
            add_header X-Told '$early, $cors_result';
        }",
    );
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    assert_eq!(response.only("X-Told"), "off, allowed");
}

#[test]
fn what_was_asked_too_early_is_not_what_is_logged() {
    let server = "set $early $cors_result$cors_origin;
        location / { cors on; cors_allow_origin https://app.example.com; }";
    assert_eq!(
        logged(server, &Request::get("/hello.txt").origin(APP)),
        "|allowed|https://app.example.com|"
    );
}

#[test]
fn what_was_asked_before_a_redirect_is_not_what_is_logged() {
    let server = "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            if ($cors_result = none) { return 418; }
            error_page 404 /hello.txt;
        }
        location = /hello.txt { cors off; }";
    assert_eq!(logged(server, &Request::get("/missing").origin(APP)), "|off||");
}

#[test]
fn a_map_that_was_asked_too_early_keeps_what_it_said_as_maps_do() {
    let nginx = Nginx::builder()
        .http("map $cors_result $seen { default $cors_result; }")
        .server(
            "set $early $seen;
            location / { cors on; cors_allow_origin *; add_header X-Told '$seen, $cors_result'; }",
        )
        .start();
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    assert_eq!(response.only("X-Told"), "off, allowed");
}

#[test]
fn a_subrequest_tells_of_its_request() {
    let guard = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("guard", guard.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                auth_request /guard;
            }
            location = /guard {
                cors off;
                proxy_set_header X-Result $cors_result;
                proxy_set_header X-Cors-Origin $cors_origin;
                proxy_pass http://127.0.0.1:{port:guard};
            }",
        )
        .start();
    nginx.send(&Request::get("/hello.txt").origin(APP));
    nginx.send(&Request::get("/hello.txt").origin(STRANGER));
    let told: Vec<_> = guard
        .requests()
        .iter()
        .map(|request| {
            (
                request.get("X-Result").map(str::to_owned),
                request.get("X-Cors-Origin").map(str::to_owned),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some("allowed".to_owned()), Some(APP.to_owned())),
            (Some("origin_denied".to_owned()), None),
        ]
    );
}

#[test]
fn a_page_can_show_them() {
    let nginx = Nginx::builder()
        .file(
            "html/page",
            "<!--#echo var=\"cors_result\" -->,<!--#echo var=\"cors_origin\" encoding=\"none\" -->",
        )
        .server(
            "default_type text/html;
            location / { cors on; cors_allow_origin https://app.example.com; ssi on; }",
        )
        .start();
    let response = nginx.send(&Request::get("/page").origin(APP));
    assert_eq!(response.text(), "allowed,https://app.example.com");
}
