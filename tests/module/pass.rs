//! `cors_preflight pass`: the application answers preflights, and what it says about access is replaced.

use harness::{Nginx, Received, Request, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

/// An application that answers `OPTIONS` in its own way.
fn application() -> Upstream {
    Upstream::start(|request: &Received| {
        assert_eq!(request.method, "OPTIONS");
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 4\r\nAllow: GET, PUT\r\nAccess-Control-Allow-Origin: *\r\n\
          Access-Control-Allow-Methods: TRACE\r\nAccess-Control-Allow-Headers: X-Upstream\r\n\
          Access-Control-Allow-Credentials: true\r\nAccess-Control-Max-Age: 1\r\nVary: Cookie\r\n\r\nmine"
            .to_vec()
    })
}

fn start(application: &Upstream, options: &str) -> Nginx {
    Nginx::builder()
        .port("app", application.port())
        .server(&format!(
            "location / {{
                cors on;
                cors_allow_origin https://app.example.com;
                cors_allow_methods PUT;
                cors_allow_headers Content-Type;
                cors_max_age 2h;
                cors_preflight pass;
                {options}
                proxy_pass http://127.0.0.1:{{port:app}};
            }}"
        ))
        .start()
}

#[test]
fn the_answer_of_the_application_gets_the_lists_of_the_policy() {
    let application = application();
    let nginx = start(&application, "");
    let response = nginx.send(&Request::preflight("/", APP, "PUT"));
    assert_status(&response, 202);
    assert_eq!(response.text(), "mine");
    assert_eq!(response.only("Allow"), "GET, PUT");
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Headers", "Content-Type"),
            ("Access-Control-Allow-Methods", "PUT"),
            ("Access-Control-Allow-Origin", APP),
            ("Access-Control-Max-Age", "7200"),
        ]
    );
    assert_eq!(response.list("Vary"), ["cookie", "origin"]);
    assert_eq!(application.requests().len(), 1);
}

#[test]
fn a_stranger_gets_the_answer_of_the_application_without_a_word_about_access() {
    let application = application();
    let nginx = start(&application, "");
    let response = nginx.send(&Request::preflight("/", STRANGER, "PUT"));
    assert_status(&response, 202);
    assert_eq!(response.text(), "mine");
    assert_silent(&response);
    assert_eq!(response.list("Vary"), ["cookie", "origin"]);
}

#[test]
fn it_is_never_refused() {
    for enforce in ["websocket", "on"] {
        let application = application();
        let nginx = start(&application, &format!("cors_enforce {enforce};"));
        let response = nginx.send(&Request::preflight("/", STRANGER, "PUT").header("Upgrade", "websocket"));
        assert_status(&response, 202);
        assert_silent(&response);
        assert_eq!(application.requests().len(), 1);
    }
}

#[test]
fn where_it_does_not_override_the_answer_of_the_application_stands() {
    let application = application();
    let nginx = start(&application, "cors_override off;");
    for origin in [APP, STRANGER] {
        let response = nginx.send(&Request::preflight("/", origin, "PUT"));
        assert_status(&response, 202);
        assert_allows(&response, "*");
        assert_eq!(response.only("Access-Control-Allow-Methods"), "TRACE");
        assert_eq!(response.only("Vary"), "Cookie");
    }
}

#[test]
fn a_password_comes_first_and_the_401_is_readable() {
    let application = application();
    let nginx = start(&application, "auth_basic private; auth_basic_user_file /dev/null;");
    let response = nginx.send(&Request::preflight("/", APP, "PUT"));
    assert_status(&response, 401);
    assert_allows(&response, APP);
    assert!(application.requests().is_empty());
}

#[test]
fn an_error_page_keeps_it_a_preflight() {
    let application = Upstream::dead();
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                cors_allow_methods PUT;
                cors_preflight pass;
                error_page 502 =200 /hello.txt;
                proxy_pass http://127.0.0.1:{port:app};
            }
            location = /hello.txt { }",
        )
        .start();
    let response = nginx.send(&Request::preflight("/", APP, "PUT"));
    assert_status(&response, 200);
    assert_eq!(response.text(), "hello");
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Methods", "PUT"),
            ("Access-Control-Allow-Origin", APP),
        ]
    );
}

#[test]
fn an_options_that_is_no_preflight_gets_no_lists() {
    let application = application();
    let nginx = start(&application, "");
    let response = nginx.send(&Request::new("OPTIONS", "/").origin(APP));
    assert_status(&response, 202);
    assert_eq!(response.access_control(), [("Access-Control-Allow-Origin", APP)]);
}

#[test]
fn the_application_is_told_what_to_answer() {
    let application = application();
    let nginx = start(
        &application,
        "proxy_set_header X-Preflight $cors_preflight; proxy_set_header X-Result $cors_result;",
    );
    let method_denied = Request::preflight("/", APP, "PATCH");
    for request in [
        Request::preflight("/", APP, "PUT"),
        method_denied,
        Request::preflight("/", STRANGER, "PUT"),
    ] {
        nginx.send(&request);
    }
    nginx.send(&Request::new("OPTIONS", "/").origin(APP));
    let told: Vec<_> = application
        .requests()
        .iter()
        .map(|request| {
            let header = |name| request.get(name).unwrap_or_default().to_owned();
            (header("X-Preflight"), header("X-Result"))
        })
        .collect();
    let told: Vec<_> = told
        .iter()
        .map(|(preflight, result)| (&**preflight, &**result))
        .collect();
    assert_eq!(
        told,
        [
            ("1", "allowed"),
            ("1", "method_denied"),
            ("1", "origin_denied"),
            ("", "allowed"),
        ]
    );
}
