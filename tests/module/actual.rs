//! Requests that carry an `Origin` and are no preflights, and those without one.

use harness::{Nginx, Received, Request, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

const LIST: &str = "
    location / {
        cors on;
        cors_allow_origin https://app.example.com;
        cors_allow_methods GET PUT;
        cors_allow_headers Content-Type;
        cors_expose_headers X-Total-Count ETag;
        cors_allow_credentials on;
        cors_max_age 2h;
    }";

const STAR: &str = "location / { cors on; cors_allow_origin *; cors_expose_headers *; }";

#[test]
fn an_allowed_origin_gets_the_response_with_these_headers_alone() {
    let nginx = Nginx::server(LIST);
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    assert_status(&response, 200);
    assert_eq!(response.text(), "hello");
    assert_eq!(
        response.access_control(),
        [
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Allow-Origin", APP),
            ("Access-Control-Expose-Headers", "X-Total-Count, ETag"),
        ]
    );
}

#[test]
fn a_denied_origin_gets_the_response_without_them() {
    let nginx = Nginx::server(LIST);
    let response = nginx.send(&Request::get("/hello.txt").origin(STRANGER));
    assert_status(&response, 200);
    assert_eq!(response.text(), "hello");
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn no_origin_gets_the_response_without_them() {
    let nginx = Nginx::server(LIST);
    let response = nginx.send(&Request::get("/hello.txt"));
    assert_status(&response, 200);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn a_plain_star_is_sent_to_everybody() {
    let nginx = Nginx::server(STAR);
    for request in [
        Request::get("/hello.txt"),
        Request::get("/hello.txt").origin(APP),
        Request::get("/hello.txt").origin(STRANGER),
        Request::get("/hello.txt").origin("null"),
    ] {
        let response = nginx.send(&request);
        assert_allows(&response, "*");
        assert_eq!(response.get("Access-Control-Allow-Credentials"), None);
    }
}

#[test]
fn a_star_of_exposed_headers_is_sent_as_such() {
    let nginx = Nginx::server(STAR);
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    assert_eq!(response.only("Access-Control-Expose-Headers"), "*");
}

#[test]
fn with_credentials_a_star_of_exposed_headers_becomes_their_names() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_expose_headers *;
            cors_allow_credentials on;
            add_header X-Total-Count 42;
        }",
    );
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    let exposed = response.list("Access-Control-Expose-Headers");
    assert!(exposed.contains(&"x-total-count".to_owned()), "{response}");
    assert!(!exposed.contains(&"*".to_owned()), "{response}");
}

#[test]
fn credentials_are_allowed_with_true_or_not_mentioned() {
    let nginx = Nginx::server(
        "cors on;
        cors_allow_origin https://app.example.com;
        location /on  { cors_allow_credentials on; }
        location /off { cors_allow_credentials off; }",
    );
    let response = nginx.send(&Request::get("/on").origin(APP));
    assert_eq!(response.only("Access-Control-Allow-Credentials"), "true");
    let response = nginx.send(&Request::get("/off").origin(APP));
    assert_eq!(response.get("Access-Control-Allow-Credentials"), None);
}

#[test]
fn each_of_several_origins_gets_itself() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com http://[::1]:8080;
            cors_allow_origin capacitor://localhost null;
        }",
    );
    for origin in [APP, "http://[::1]:8080", "capacitor://localhost", "null"] {
        assert_allows(&nginx.send(&Request::get("/hello.txt").origin(origin)), origin);
    }
    let response = nginx.send(&Request::get("/hello.txt").origin(STRANGER));
    assert_silent(&response);
}

#[test]
fn a_head_request_gets_the_headers_of_a_get() {
    let nginx = Nginx::server(LIST);
    let response = nginx.send(&Request::head("/hello.txt").origin(APP));
    assert_status(&response, 200);
    assert_allows(&response, APP);
    assert_eq!(response.only("Content-Length"), "5");
}

#[test]
fn http_1_0_is_decorated_alike() {
    let nginx = Nginx::server(LIST);
    let response = nginx.send(&Request::get("/hello.txt").origin(APP).http10());
    assert_status(&response, 200);
    assert_allows(&response, APP);
}

#[test]
fn the_application_gets_the_request_as_it_is() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start();
    // The lists of a policy bind preflights; a browser has asked before it sends this.
    let request = Request::new("DELETE", "/notes/1?really=yes")
        .origin(APP)
        .header("Content-Type", "application/json")
        .body("{}");
    let response = nginx.send(&request);
    assert_status(&response, 200);
    assert_allows(&response, APP);

    let [received] = &application.requests()[..] else {
        panic!("{:?}", application.requests());
    };
    assert_eq!(received.method, "DELETE");
    assert_eq!(received.target, "/notes/1?really=yes");
    assert_eq!(received.get("Origin"), Some(APP));
    assert_eq!(received.get("Content-Type"), Some("application/json"));
    assert_eq!(received.body, b"{}");
}

#[test]
fn a_denied_request_still_reaches_the_application() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start();
    let response = nginx.send(&Request::post("/").origin(STRANGER).body("x"));
    assert_status(&response, 200);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");
    assert_eq!(application.requests().len(), 1);
}

#[test]
fn a_cached_response_is_decorated_for_whoever_asks() {
    let application = Upstream::with_headers(&["Access-Control-Allow-Origin: https://cached.example"]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .http("proxy_cache_path cache keys_zone=cache:1m;")
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com https://other.example.com;
                proxy_cache cache;
                proxy_cache_valid 200 1h;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start();
    for origin in [APP, "https://other.example.com"] {
        assert_allows(&nginx.send(&Request::get("/").origin(origin)), origin);
    }
    for request in [Request::get("/").origin(STRANGER), Request::get("/")] {
        let response = nginx.send(&request);
        assert_status(&response, 200);
        assert_silent(&response);
    }
    assert_eq!(application.requests().len(), 1);
}

#[test]
fn a_switch_to_websocket_is_left_as_it_is() {
    let application = Upstream::start(|request: &Received| {
        assert_eq!(request.get("Upgrade"), Some("websocket"));
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".to_vec()
    });
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_pass http://127.0.0.1:{port:app};
                proxy_http_version 1.1;
                proxy_set_header Upgrade $http_upgrade;
                proxy_set_header Connection $http_connection;
            }",
        )
        .start();
    let request = Request::get("/")
        .origin(APP)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket");
    let response = nginx.send(&request);
    assert_status(&response, 101);
    assert_silent(&response);
    assert_eq!(response.get("Vary"), None);
}
