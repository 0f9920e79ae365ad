//! A server whose answers have no fault, for tests.

use super::exchange::{Request, Response, Version};
use super::subject::Subject;

pub const APP: &str = "https://app.example.com";

/// The server, and the pages of `APP`, which ask with cookies, and with `PUT` and two headers.
pub fn subject() -> Subject {
    Subject {
        own_origin: "https://api.example.com".to_owned(),
        targets: vec!["/".to_owned()],
        origins: vec![APP.to_owned()],
        methods: vec!["GET".to_owned(), "PUT".to_owned()],
        header_names: vec!["authorization".to_owned(), "content-type".to_owned()],
        given_headers: Vec::new(),
        has_credentials: true,
        asks_unsafe_methods: false,
        version: Version::Http1,
        curl_options: String::new(),
    }
}

/// What it answers.
pub fn answer(request: &Request) -> Response {
    let is_preflight = request.method == "OPTIONS"
        && request.only("Origin").is_some()
        && request.only("Access-Control-Request-Method").is_some();
    let mut response = match is_preflight {
        true => preflight(request),
        false => actual(request),
    };
    response.headers.push(("vary".to_owned(), "Origin".to_owned()));
    response
}

fn new(request: &Request, status: u16) -> Response {
    Response {
        version: request.version,
        status,
        headers: Vec::new(),
        body: 0,
    }
}

fn with(mut response: Response, lines: &[(&str, &str)]) -> Response {
    let lines = lines
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    response.headers.extend(lines);
    response
}

const ALLOWED: [(&str, &str); 2] = [
    ("access-control-allow-origin", APP),
    ("access-control-allow-credentials", "true"),
];

fn preflight(request: &Request) -> Response {
    if request.only("Origin") != Some(APP) {
        return new(request, 403);
    }
    let lists = [
        ("access-control-allow-methods", "GET, PUT, DELETE"),
        ("access-control-allow-headers", "Authorization, Content-Type"),
        ("access-control-max-age", "600"),
    ];
    with(with(new(request, 204), &ALLOWED), &lists)
}

fn actual(request: &Request) -> Response {
    let is_app = request.only("Origin") == Some(APP);
    let status = match request.method.as_str() {
        "GET" if request.only("Upgrade").is_some() => {
            if is_app {
                101
            } else {
                403
            }
        }
        "GET" if request.target.contains("no-such-file") => 404,
        "GET" if request.only("Range").is_some() => 206,
        "GET" if request.only("If-None-Match").is_some() => 304,
        "GET" | "HEAD" | "PUT" | "POST" => 200,
        _ => 405,
    };
    let response = with(new(request, status), &[("etag", "\"1\"")]);
    let response = match status {
        405 => with(response, &[("allow", "GET, HEAD, PUT, POST")]),
        _ => response,
    };
    match is_app {
        true => with(
            with(response, &ALLOWED),
            &[("access-control-expose-headers", "X-Total-Count")],
        ),
        false => response,
    }
}
