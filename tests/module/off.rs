//! Where `cors` is off, the module might as well not be there.

use harness::{Nginx, Request, Response, Upstream};

use crate::{assert_silent, assert_status, APP, STRANGER};

fn requests() -> [Request; 6] {
    [
        Request::get("/"),
        Request::get("/").origin(APP),
        Request::get("/").origin(STRANGER),
        Request::new("OPTIONS", "/").origin(APP),
        Request::preflight("/", APP, "PUT").header("Access-Control-Request-Headers", "x-any"),
        Request::get("/missing").origin(APP),
    ]
}

/// Everything of the response but the time of day.
fn without_date(mut response: Response) -> String {
    response.headers.retain(|(name, _)| name != "Date");
    response.to_string()
}

#[test]
fn responses_are_those_of_a_configuration_without_its_directives() {
    let application = Upstream::with_headers(&[
        "Vary: Cookie",
        "Access-Control-Allow-Origin: *",
        "Vary: Accept",
        "Access-Control-Allow-Origin: https://twice.example",
    ]);
    let start = |outer: &str, inner: &str| {
        Nginx::builder()
            .port("app", application.port())
            .http(outer)
            .server(&format!(
                "location / {{
                    {inner}
                    add_header Access-Control-Max-Age 1;
                    proxy_pass http://127.0.0.1:{{port:app}};
                }}
                location /missing {{ {inner} }}"
            ))
            .start()
    };
    let without = start("", "");
    let with = start(
        "cors on;
        cors_allow_origin https://app.example.com;
        cors_allow_methods PUT;
        cors_allow_headers *;
        cors_expose_headers X-Any;
        cors_allow_credentials on;
        cors_max_age 2h;",
        "cors off;",
    );
    for request in requests() {
        assert_eq!(without_date(with.send(&request)), without_date(without.send(&request)));
    }
}

#[test]
fn it_is_off_unless_switched_on() {
    let nginx = Nginx::server("location / { cors_allow_origin *; cors_allow_methods *; }");
    assert_silent(&nginx.send(&Request::get("/hello.txt").origin(APP)));
    let response = nginx.send(&Request::preflight("/hello.txt", APP, "GET"));
    assert_status(&response, 405);
    assert_silent(&response);
}

#[test]
fn a_loaded_module_without_directives_serves() {
    let nginx = Nginx::server("");
    for request in requests() {
        assert_silent(&nginx.send(&request));
    }
    assert_eq!(nginx.send(&Request::get("/hello.txt")).text(), "hello");
}
