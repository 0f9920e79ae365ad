//! The cases of Gateway API's conformance test `HTTPRouteCORS` (kubernetes-sigs/gateway-api,
//! conformance/tests/httproute-cors.go, August 2026), by their names there. The policies are those of its `.yaml`.

use harness::{Connection, Request, Response};

pub struct Case {
    pub name: &'static str,
    request: Request,
    statuses: &'static [u16],
    /// A header, and the values that it may have, as lists in any order.
    headers: &'static [(&'static str, &'static [&'static str])],
    absent: &'static [&'static str],
}

const ORIGIN: &str = "Access-Control-Allow-Origin";
const METHODS: &str = "Access-Control-Allow-Methods";
const HEADERS: &str = "Access-Control-Allow-Headers";
const CREDENTIALS: &str = "Access-Control-Allow-Credentials";

/// Statuses of preflights.
const OK: &[u16] = &[200, 204];

/// What `/cors-1` answers to a preflight, beside the origin.
macro_rules! of_cors_1 {
    ($origin:literal) => {
        &[
            (ORIGIN, &[$origin]),
            (METHODS, &["GET, OPTIONS"]),
            (HEADERS, &["x-header-1, x-header-2"]),
            ("Access-Control-Expose-Headers", &["x-header-3, x-header-4"]),
            ("Access-Control-Max-Age", &["3600"]),
            (CREDENTIALS, &["true"]),
        ]
    };
}

impl Case {
    /// Asks a gateway; says what is wrong with the answer.
    pub fn try_at(&self, port: u16) -> Result<(), String> {
        let response = Connection::open(port).send(&self.request);
        self.judge(&response)
    }

    fn judge(&self, response: &Response) -> Result<(), String> {
        if !self.statuses.contains(&response.status) {
            return Err(format!("status {}", response.status));
        }
        for (name, values) in self.headers {
            let found = response.all(name);
            let [value] = found[..] else {
                return Err(format!("{name} is sent {} times", found.len()));
            };
            if !values.iter().any(|expected| elements(expected) == elements(value)) {
                return Err(format!("{name} is \"{value}\""));
            }
        }
        match self.absent.iter().find(|name| response.get(name).is_some()) {
            Some(name) => Err(format!("{name} is sent")),
            None => Ok(()),
        }
    }
}

/// The elements of a list, in the order of the alphabet.
fn elements(list: &str) -> Vec<String> {
    let mut elements: Vec<_> = list
        .split(',')
        .map(|element| element.trim().to_ascii_lowercase())
        .collect();
    elements.sort();
    elements
}

fn preflight(path: &str, origin: &str, method: &str) -> Request {
    Request::preflight(path, origin, method)
}

fn asking_for_headers(request: Request) -> Request {
    request.header("Access-Control-Request-Headers", "x-header-1, x-header-2")
}

/// The test sends the headers of a preflight with these, too.
fn simple(origin: &str) -> Request {
    let request = Request::get("/cors-1").origin(origin);
    asking_for_headers(request.header("Access-Control-Request-Method", "GET"))
}

pub fn cases() -> Vec<Case> {
    let case = |name, request, statuses, headers, absent| Case {
        name,
        request,
        statuses,
        headers,
        absent,
    };
    vec![
        case(
            "CORS preflight request from an exact matching origin should be allowed",
            asking_for_headers(preflight("/cors-1", "https://www.foo.com", "GET")),
            OK,
            of_cors_1!("https://www.foo.com"),
            &[],
        ),
        case(
            "CORS preflight request from a wildcard matching origin should be allowed",
            asking_for_headers(preflight("/cors-1", "https://www.bar.com", "GET")),
            OK,
            of_cors_1!("https://www.bar.com"),
            &[],
        ),
        case(
            "CORS preflight request from a wildcard matching any number of periods left to '*' should be allowed",
            asking_for_headers(preflight("/cors-1", "https://xpto.www.bar.com", "GET")),
            OK,
            of_cors_1!("https://xpto.www.bar.com"),
            &[],
        ),
        case(
            "CORS preflight request from a non-matching origin should not be allowed",
            preflight("/cors-1", "https://foobar.com", "GET"),
            &[200, 204, 403],
            &[],
            &[ORIGIN],
        ),
        case(
            "Simple request from an exact matching origin should be allowed",
            simple("https://www.foo.com"),
            &[200],
            &[(ORIGIN, &["https://www.foo.com"])],
            &[],
        ),
        case(
            "Simple request from a wildcard matching origin should be allowed",
            simple("https://www.bar.com"),
            &[200],
            &[(ORIGIN, &["https://www.bar.com"])],
            &[],
        ),
        case(
            "Simple request from a non-matching origin should not be allowed",
            simple("https://foobar.com"),
            &[200],
            &[],
            &[ORIGIN],
        ),
        case(
            "CORS preflight request with POST method should be allowed by allowMethods with wildcard",
            preflight("/cors-2", "https://www.foo.com", "POST"),
            OK,
            &[(ORIGIN, &["https://www.foo.com"]), (METHODS, &["POST", "*"])],
            &[CREDENTIALS],
        ),
        case(
            "CORS preflight request should not receive access-control-allow-credentials header without access-control-allow-credentials set to true",
            preflight("/cors-2", "https://www.foo.com", "POST"),
            OK,
            &[],
            &[CREDENTIALS],
        ),
        case(
            "CORS preflight request from a wildcard origin should return header with '*' or with the requested Origin",
            preflight("/cors-wildcard-origin", "https://foobar.com", "PUT"),
            OK,
            &[(ORIGIN, &["https://foobar.com", "*"]), (METHODS, &["PUT"])],
            &[CREDENTIALS],
        ),
        case(
            "CORS preflight request from a wildcard origin containing a port should return header with '*' or with the requested Origin",
            preflight("/cors-wildcard-origin", "https://foobar.com:12345", "PUT"),
            OK,
            &[(ORIGIN, &["https://foobar.com:12345", "*"]), (METHODS, &["PUT"])],
            &[CREDENTIALS],
        ),
        case(
            "Request from a wildcard origin containing a port should return header with '*' or with the requested Origin",
            Request::new("PUT", "/cors-wildcard-origin").origin("https://foobar.com:12345"),
            &[200],
            &[(ORIGIN, &["https://foobar.com:12345", "*"])],
            &[],
        ),
        case(
            "Simple request from a wildcard origin should return header with '*' or with the requested Origin",
            Request::new("PUT", "/cors-wildcard-origin").origin("https://foobar.com"),
            &[200],
            &[(ORIGIN, &["https://foobar.com", "*"])],
            &[CREDENTIALS],
        ),
        case(
            "CORS preflight request requesting specific method and headers should be allowed and always echo the origin with allowCredentials set to true",
            asking_for_headers(preflight("/cors-wildcard-methods-headers", "https://other.foo.com", "PUT")),
            OK,
            &[
                (ORIGIN, &["https://other.foo.com"]),
                (METHODS, &["PUT"]),
                (HEADERS, &["x-header-1, x-header-2"]),
                (CREDENTIALS, &["true"]),
            ],
            &[],
        ),
        case(
            "CORS preflight request requesting specific method and headers should hide access-control-allow-credentials headers with allowCredentials set to false",
            asking_for_headers(preflight("/cors-wildcard-methods-headers-unauth", "https://other.foo.com", "PUT")),
            OK,
            &[
                (ORIGIN, &["https://other.foo.com", "*"]),
                (METHODS, &["PUT", "*"]),
                (HEADERS, &["x-header-1, x-header-2", "*"]),
            ],
            &[CREDENTIALS],
        ),
        case(
            "CORS request should receive access-control-allow-credentials header with allowCredentials set to true",
            Request::get("/cors-wildcard-methods-headers").origin("https://other.foo.com"),
            &[200],
            &[(ORIGIN, &["https://other.foo.com"]), (CREDENTIALS, &["true"])],
            &[],
        ),
        case(
            "CORS request should not receive access-control-allow-credentials header without allowCredentials set to true",
            Request::get("/cors-wildcard-methods-headers-unauth").origin("https://other.foo.com"),
            &[200],
            &[(ORIGIN, &["https://other.foo.com", "*"])],
            &[CREDENTIALS],
        ),
    ]
}
