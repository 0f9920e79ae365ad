//! `cors_override off`: a response that already says who may read it is left alone.

use harness::{Nginx, Request, Response, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

/// What `request` gets from an application that sends `headers`.
fn send(headers: &[&str], options: &str, request: &Request) -> Response {
    let application = Upstream::with_headers(headers);
    Nginx::builder()
        .port("app", application.port())
        .server(&format!(
            "location / {{
                cors on;
                cors_allow_origin https://app.example.com;
                cors_expose_headers X-Ours;
                cors_allow_credentials on;
                cors_timing_allow_origin on;
                cors_override off;
                {options}
                proxy_pass http://127.0.0.1:{{port:app}};
            }}"
        ))
        .start()
        .send(request)
}

#[test]
fn what_the_application_says_stands_for_everybody() {
    for request in [
        Request::get("/").origin(APP),
        Request::get("/").origin(STRANGER),
        Request::get("/"),
    ] {
        let response = send(
            &[
                "access-control-allow-origin: https://theirs.example",
                "Access-Control-Max-Age: 1",
                "Timing-Allow-Origin: *",
            ],
            "",
            &request,
        );
        assert_eq!(
            response.access_control(),
            [
                ("Access-Control-Max-Age", "1"),
                ("access-control-allow-origin", "https://theirs.example"),
            ]
        );
        assert_eq!(response.only("Timing-Allow-Origin"), "*");
        assert_eq!(response.get("Vary"), None);
    }
}

#[test]
fn the_log_tells_what_was_sent() {
    let logged = |headers: &[&str], overriding: &str, request: Request| {
        let application = Upstream::with_headers(headers);
        let nginx = Nginx::builder()
            .port("app", application.port())
            .http("log_format cors '$cors_result|$cors_origin';")
            .server(&format!(
                "location / {{
                    cors on;
                    cors_allow_origin https://app.example.com;
                    cors_override {overriding};
                    access_log logs/cors.log cors;
                    proxy_pass http://127.0.0.1:{{port:app}};
                    proxy_set_header X-Cors-Origin $cors_origin;
                }}"
            ))
            .start();
        nginx.send(&request);
        let told = application
            .requests()
            .first()
            .and_then(|received| received.get("X-Cors-Origin").map(str::to_owned));
        (told.unwrap_or_default(), nginx.log_lines("logs/cors.log", 1).join("\n"))
    };
    let theirs = ["access-control-allow-origin: https://theirs.example"];
    let app = || Request::get("/").origin(APP);
    let of = |upstream: &str, log: &str| (upstream.to_owned(), log.to_owned());
    assert_eq!(logged(&theirs, "off", app()), of(APP, "kept|https://theirs.example"));
    assert_eq!(logged(&theirs, "on", app()), of(APP, "allowed|https://app.example.com"));
    assert_eq!(logged(&[], "off", app()), of(APP, "allowed|https://app.example.com"));
    assert_eq!(
        logged(&theirs, "off", Request::get("/").origin(STRANGER)),
        of("", "kept|https://theirs.example")
    );
    assert_eq!(
        logged(&theirs, "on", Request::get("/").origin(STRANGER)),
        of("", "origin_denied|")
    );
}

#[test]
fn what_add_header_says_stands_too() {
    let response = send(
        &[],
        "add_header Access-Control-Allow-Origin https://theirs.example;",
        &Request::get("/").origin(APP),
    );
    assert_eq!(
        response.access_control(),
        [("Access-Control-Allow-Origin", "https://theirs.example")]
    );
}

#[test]
fn where_the_application_says_nothing_the_policy_does() {
    let response = send(&["Vary: Cookie"], "", &Request::get("/").origin(APP));
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Allow-Origin", APP),
            ("Access-Control-Expose-Headers", "X-Ours"),
        ]
    );
    assert_eq!(response.only("Timing-Allow-Origin"), APP);
    assert_eq!(response.list("Vary"), ["cookie", "origin"]);
    assert_silent(&send(&[], "", &Request::get("/").origin(STRANGER)));
}

#[test]
fn what_it_says_besides_does_not_stand_beside_ours() {
    let headers = [
        "Access-Control-Allow-Methods: TRACE",
        "Access-Control-Expose-Headers: X-Theirs",
    ];
    let response = send(&headers, "", &Request::get("/").origin(APP));
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Allow-Origin", APP),
            ("Access-Control-Expose-Headers", "X-Ours"),
        ]
    );
    assert_silent(&send(&headers, "", &Request::get("/").origin(STRANGER)));
}

#[test]
fn preflights_are_answered_by_the_policy_all_the_same() {
    let response = send(
        &["Access-Control-Allow-Origin: *"],
        "",
        &Request::preflight("/", APP, "PUT"),
    );
    assert_status(&response, 204);
    assert_allows(&response, APP);
}

#[test]
fn the_answer_to_a_preflight_carries_the_whole_policy_all_the_same() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_override off;
            add_header Access-Control-Allow-Origin https://theirs.example always;
        }",
    );
    let response = nginx.send(&Request::preflight("/", APP, "PUT"));
    assert_status(&response, 204);
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Methods", "GET, HEAD, POST"),
            ("Access-Control-Allow-Origin", APP)
        ]
    );
}

#[test]
fn a_location_can_take_it_back() {
    let application = Upstream::with_headers(&["Access-Control-Allow-Origin: *"]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "cors on;
            cors_allow_origin https://app.example.com;
            cors_override off;
            location / { proxy_pass http://127.0.0.1:{port:app}; }
            location /ours { cors_override on; proxy_pass http://127.0.0.1:{port:app}; }",
        )
        .start();
    assert_allows(&nginx.send(&Request::get("/").origin(APP)), "*");
    assert_allows(&nginx.send(&Request::get("/ours").origin(APP)), APP);
}

#[test]
fn a_vary_of_everything_is_respected() {
    let response = send(&["Vary: *"], "", &Request::get("/").origin(APP));
    assert_allows(&response, APP);
    assert_eq!(response.only("Vary"), "*");
}
