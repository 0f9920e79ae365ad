//! One request, one policy: the first location with `cors on` in whose access phase the request stood
//! governs it to the end, unless the location that serves it says `cors off`.

use harness::{Nginx, Request, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

#[test]
fn it_survives_try_files() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                try_files $uri @application;
            }
            location @application { proxy_pass http://127.0.0.1:{port:app}; }",
        )
        .start();
    for path in ["/hello.txt", "/from/the/application"] {
        let response = nginx.send(&Request::get(path).origin(APP));
        assert_status(&response, 200);
        assert_eq!(response.text(), "hello");
        assert_allows(&response, APP);
    }
    assert_eq!(application.requests().len(), 1);
}

#[test]
fn it_survives_try_files_to_another_uri() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            try_files $uri /hello.txt;
        }
        location = /hello.txt { }",
    );
    let response = nginx.send(&Request::get("/missing").origin(APP));
    assert_status(&response, 200);
    assert_allows(&response, APP);
}

#[test]
fn the_first_location_outranks_the_later_one() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            try_files $uri @later;
        }
        location @later {
            cors on;
            cors_allow_origin https://stranger.example;
            cors_allow_credentials on;
            return 200;
        }",
    );
    let response = nginx.send(&Request::get("/missing").origin(APP));
    assert_allows(&response, APP);
    assert_eq!(response.get("Access-Control-Allow-Credentials"), None);
    assert_silent(&nginx.send(&Request::get("/missing").origin(STRANGER)));
}

#[test]
fn it_survives_an_error_page() {
    let nginx = Nginx::builder()
        .file("html/404.html", "sorry")
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                error_page 404 /404.html;
            }
            location = /404.html { }",
        )
        .start();
    let response = nginx.send(&Request::get("/missing").origin(APP));
    assert_status(&response, 404);
    assert_eq!(response.text(), "sorry");
    assert_allows(&response, APP);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn it_survives_an_error_page_in_a_named_location() {
    let application = Upstream::dead();
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                error_page 502 = @fallback;
                proxy_pass http://127.0.0.1:{port:app};
            }
            location @fallback { return 200 hello; }",
        )
        .start();
    for request in [Request::get("/"), Request::post("/").body("x")] {
        let response = nginx.send(&request.origin(APP));
        assert_eq!(response.text(), "hello");
        assert_allows(&response, APP);
    }
}

#[test]
fn it_survives_an_intercepted_error_of_the_application() {
    let application = Upstream::start(|_| b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_pass http://127.0.0.1:{port:app};
                proxy_intercept_errors on;
                error_page 404 /hello.txt;
            }
            location = /hello.txt { }",
        )
        .start();
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_status(&response, 404);
    assert_eq!(response.text(), "hello");
    assert_allows(&response, APP);
}

#[test]
fn it_survives_x_accel_redirect() {
    let application = Upstream::with_headers(&[
        "X-Accel-Redirect: /protected/hello.txt",
        "Access-Control-Allow-Origin: *",
    ]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_pass http://127.0.0.1:{port:app};
            }
            location /protected/ { internal; alias html/; }",
        )
        .start();
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_status(&response, 200);
    assert_allows(&response, APP);
    assert_silent(&nginx.send(&Request::get("/").origin(STRANGER)));
}

#[test]
fn it_survives_an_index() {
    let nginx = Nginx::server(
        "index hello.txt;
        location / { cors on; cors_allow_origin https://app.example.com; }
        location = /hello.txt { }",
    );
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_status(&response, 200);
    assert_eq!(response.text(), "hello");
    assert_allows(&response, APP);
}

#[test]
fn a_location_that_answers_by_return_governs_its_error_page() {
    let nginx = Nginx::builder()
        .file("html/404.html", "sorry")
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                error_page 404 /404.html;
                return 404;
            }
            location = /404.html { }",
        )
        .start();
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_status(&response, 404);
    assert_eq!(response.text(), "sorry");
    assert_allows(&response, APP);
}

#[test]
fn a_rewrite_leaves_no_trace() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            rewrite ^ /hello.txt last;
        }
        location = /hello.txt { cors on; cors_allow_origin https://stranger.example; }",
    );
    assert_silent(&nginx.send(&Request::get("/").origin(APP)));
    let response = nginx.send(&Request::get("/").origin(STRANGER));
    assert_status(&response, 200);
    assert_allows(&response, STRANGER);
}

#[test]
fn an_explicit_off_where_the_request_is_served_wins() {
    let nginx = Nginx::builder()
        .file("html/404.html", "sorry")
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                error_page 404 /404.html;
            }
            location = /404.html { cors off; }",
        )
        .start();
    let response = nginx.send(&Request::get("/missing").origin(APP));
    assert_eq!(response.text(), "sorry");
    assert_silent(&response);
    assert_eq!(response.get("Vary"), None);
}

#[test]
fn a_location_with_cors_off_governs_nothing_later() {
    let nginx = Nginx::server(
        "location / { cors off; error_page 404 /hello.txt; }
        location = /hello.txt { cors on; cors_allow_origin https://app.example.com; }",
    );
    let response = nginx.send(&Request::get("/missing").origin(APP));
    assert_status(&response, 404);
    assert_allows(&response, APP);
}

#[test]
fn one_request_leaves_nothing_to_the_next_on_its_connection() {
    let nginx = Nginx::server(
        "location /with { cors on; cors_allow_origin *; error_page 404 /hello.txt; }
        location / { }",
    );
    let mut connection = nginx.connect();
    assert_allows(&connection.send(&Request::get("/with").origin(APP)), "*");
    assert_silent(&connection.send(&Request::get("/hello.txt").origin(APP)));
}
