//! Whoever serves the request, and whatever works on the response: the headers are the same.

use harness::{Builder, Nginx, Request, Response, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

/// A server with a policy and `body`.
fn server(body: &str) -> Builder {
    Nginx::builder().server(&format!(
        "cors on;
        cors_allow_origin https://app.example.com;
        cors_allow_methods GET PUT DELETE;
        {body}"
    ))
}

/// Fails unless `request` is served with `status`, can be read by those who may, and no preflight for it gets through.
/// Returns the response.
#[track_caller]
fn assert_decorated(nginx: &Nginx, request: &Request, status: u16) -> Response {
    let preflight = |origin| {
        let target = request.to_bytes();
        let target = std::str::from_utf8(&target).expect("a target in UTF-8");
        let target = target.split(' ').nth(1).expect("a target").to_owned();
        nginx.send(&Request::preflight(&target, origin, "PUT"))
    };
    let response = preflight(APP);
    assert_status(&response, 204);
    assert_allows(&response, APP);
    assert_status(&preflight(STRANGER), 403);

    let response = nginx.send(&request.clone().origin(STRANGER));
    assert_status(&response, status);
    assert_silent(&response);
    assert_eq!(response.only("Vary"), "Origin");

    let response = nginx.send(&request.clone().origin(APP));
    assert_status(&response, status);
    assert_allows(&response, APP);
    assert_eq!(response.only("Vary"), "Origin");
    response
}

#[test]
fn a_proxy_that_buffers() {
    let application = Upstream::with_headers(&["Access-Control-Allow-Origin: *"]);
    let nginx = server("location / { proxy_pass http://127.0.0.1:{port:app}; proxy_buffering on; }")
        .port("app", application.port())
        .start();
    let response = assert_decorated(&nginx, &Request::get("/"), 200);
    assert_eq!(response.text(), "hello");
    assert_eq!(application.requests().len(), 2);
}

#[test]
fn a_proxy_that_does_not_buffer() {
    let application = Upstream::with_headers(&["Access-Control-Allow-Origin: *"]);
    let nginx = server(
        "location / {
            proxy_pass http://127.0.0.1:{port:app};
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_http_version 1.1;
        }",
    )
    .port("app", application.port())
    .start();
    let response = assert_decorated(&nginx, &Request::post("/").body("x"), 200);
    assert_eq!(response.text(), "hello");
    assert_eq!(application.requests().len(), 2);
}

#[test]
fn a_fastcgi_application() {
    let application = Upstream::fastcgi(|request| {
        assert_eq!(request.get("Content-Length"), Some("2"));
        b"Status: 201 Created\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: text/plain\r\n\r\nfast".to_vec()
    });
    let nginx = server(
        "location / {
            fastcgi_pass 127.0.0.1:{port:app};
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param REQUEST_URI $request_uri;
            fastcgi_param CONTENT_LENGTH $content_length;
        }",
    )
    .port("app", application.port())
    .start();
    let response = assert_decorated(&nginx, &Request::post("/made").body("{}"), 201);
    assert_eq!(response.text(), "fast");
    let [received, _] = &application.requests()[..] else {
        panic!("{:?}", application.requests());
    };
    assert_eq!((&*received.method, &*received.target), ("POST", "/made"));
    assert_eq!(received.get("Origin"), Some(STRANGER));
    assert_eq!(received.body, b"{}");
}

#[test]
fn a_uwsgi_application() {
    let application = Upstream::uwsgi(|_| {
        b"HTTP/1.1 201 Created\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 5\r\n\r\nuwsgi".to_vec()
    });
    let nginx = server(
        "location / {
            uwsgi_pass 127.0.0.1:{port:app};
            uwsgi_param REQUEST_METHOD $request_method;
            uwsgi_param REQUEST_URI $request_uri;
            uwsgi_param CONTENT_LENGTH $content_length;
        }",
    )
    .port("app", application.port())
    .start();
    let response = assert_decorated(&nginx, &Request::post("/made").body("{}"), 201);
    assert_eq!(response.text(), "uwsgi");
    let [received, _] = &application.requests()[..] else {
        panic!("{:?}", application.requests());
    };
    assert_eq!((&*received.method, &*received.target), ("POST", "/made"));
    assert_eq!(received.get("Origin"), Some(STRANGER));
    assert_eq!(received.body, b"{}");
}

#[test]
fn a_fastcgi_application_that_is_dead() {
    let application = Upstream::fastcgi(|_| Vec::new());
    let nginx = server("location / { fastcgi_pass 127.0.0.1:{port:app}; fastcgi_param REQUEST_METHOD GET; }")
        .port("app", application.port())
        .start();
    assert_decorated(&nginx, &Request::get("/"), 502);
}

#[test]
fn uploads_and_deletions_by_dav() {
    let nginx = server("location / { dav_methods PUT DELETE; }").start();
    let put = |name: &str, origin| nginx.send(&Request::new("PUT", name).origin(origin).body("new"));
    let response = put("/new.txt", APP);
    assert_status(&response, 201);
    assert_allows(&response, APP);
    let response = put("/other.txt", STRANGER);
    assert_status(&response, 201);
    assert_silent(&response);

    let preflight = Request::preflight("/new.txt", APP, "DELETE");
    assert_status(&nginx.send(&preflight), 204);
    let response = nginx.send(&Request::new("DELETE", "/new.txt").origin(APP));
    assert_status(&response, 204);
    assert_allows(&response, APP);
    assert_eq!(response.get("Access-Control-Allow-Methods"), None);
    assert_status(&nginx.send(&Request::get("/new.txt")), 404);
}

#[test]
fn a_return_of_a_body() {
    let nginx = server("location / { return 200 returned; }").start();
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_status(&response, 200);
    assert_eq!(response.text(), "returned");
    assert_allows(&response, APP);
    assert_silent(&nginx.send(&Request::get("/").origin(STRANGER)));
}

#[test]
fn stub_status() {
    let nginx = server("location / { stub_status; }").start();
    assert_decorated(&nginx, &Request::get("/"), 200);
}

#[test]
fn an_empty_gif() {
    let nginx = server("location / { empty_gif; }").start();
    assert_decorated(&nginx, &Request::get("/"), 200);
}

#[test]
fn a_listed_directory() {
    let nginx = server("location / { autoindex on; }").start();
    let response = assert_decorated(&nginx, &Request::get("/"), 200);
    assert!(response.text().contains("hello.txt"), "{response}");
}

#[test]
fn an_if_with_a_handler() {
    let application = Upstream::with_headers(&[]);
    let nginx = server(
        "location / {
            if ($request_method = POST) { proxy_pass http://127.0.0.1:{port:app}; }
        }",
    )
    .port("app", application.port())
    .start();
    assert_decorated(&nginx, &Request::post("/").body("x"), 200);
    assert_decorated(&nginx, &Request::get("/hello.txt"), 200);
    assert_eq!(application.requests().len(), 2);
}

#[test]
fn a_substitution() {
    let nginx = server("location / { sub_filter hello goodbye; sub_filter_types *; }").start();
    let response = assert_decorated(&nginx, &Request::get("/hello.txt"), 200);
    assert_eq!(response.text(), "goodbye");
}

#[test]
fn an_addition() {
    let nginx = server(
        "location / { addition_types *; add_after_body /after; }
        location = /after { cors_allow_origin *; return 200 ' and more'; }",
    )
    .start();
    let response = assert_decorated(&nginx, &Request::get("/hello.txt"), 200);
    assert_eq!(response.text(), "hello and more");
}

#[test]
fn a_mirror() {
    let mirror = Upstream::with_headers(&["Access-Control-Allow-Origin: *"]);
    let nginx = server(
        "location / { mirror /mirror; }
        location = /mirror { internal; proxy_pass http://127.0.0.1:{port:mirror}$request_uri; }",
    )
    .port("mirror", mirror.port())
    .start();
    assert_decorated(&nginx, &Request::get("/hello.txt"), 200);
    drop(nginx);
    // Preflights stay before the mirror.
    let mirrored: Vec<String> = mirror.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(mirrored, ["GET", "GET"]);
}

#[test]
fn slices_of_a_file() {
    let application = Nginx::server("");
    let nginx = server(
        "location / {
            slice 2;
            proxy_set_header Range $slice_range;
            proxy_http_version 1.1;
            proxy_pass http://127.0.0.1:{port:app};
        }",
    )
    .port("app", application.port())
    .start();
    let response = assert_decorated(&nginx, &Request::get("/hello.txt"), 200);
    assert_eq!(response.text(), "hello");
}

#[test]
fn several_ranges() {
    let nginx = server("").start();
    let request = Request::get("/hello.txt").header("Range", "bytes=0-0,2-2");
    let response = assert_decorated(&nginx, &request, 206);
    assert!(
        response.only("Content-Type").starts_with("multipart/byteranges"),
        "{response}"
    );
}

#[test]
fn a_head_request_to_an_application() {
    let application = Upstream::start(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_vec());
    let nginx = server("location / { proxy_pass http://127.0.0.1:{port:app}; }")
        .port("app", application.port())
        .start();
    let response = assert_decorated(&nginx, &Request::head("/"), 200);
    assert_eq!(response.only("Content-Length"), "5");
}

#[test]
fn a_response_that_has_not_changed_at_the_application() {
    let application = Upstream::start(|_| {
        b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nAccess-Control-Allow-Origin: *\r\n\r\n".to_vec()
    });
    let nginx = server("location / { proxy_pass http://127.0.0.1:{port:app}; }")
        .port("app", application.port())
        .start();
    assert_decorated(&nginx, &Request::get("/").header("If-None-Match", "\"a\""), 304);
}

#[test]
fn http_1_0_from_client_to_application() {
    let application = Upstream::start(|_| b"HTTP/1.0 200 OK\r\nAccess-Control-Allow-Origin: *\r\n\r\nhello".to_vec());
    let nginx = server("location / { proxy_pass http://127.0.0.1:{port:app}; }")
        .port("app", application.port())
        .start();
    let response = assert_decorated(&nginx, &Request::get("/").http10(), 200);
    assert_eq!(response.text(), "hello");
}

#[test]
fn a_redirect_of_the_application() {
    let application = Upstream::start(|_| {
        b"HTTP/1.1 302 Found\r\nLocation: http://inside.example/next\r\nContent-Length: 0\r\n\r\n".to_vec()
    });
    let nginx = server(
        "location / {
            proxy_pass http://127.0.0.1:{port:app};
            proxy_redirect http://inside.example https://www.example.com;
        }",
    )
    .port("app", application.port())
    .start();
    let response = assert_decorated(&nginx, &Request::get("/"), 302);
    assert_eq!(response.only("Location"), "https://www.example.com/next");
}

#[test]
fn a_limit_on_requests_comes_before_a_preflight_and_is_readable() {
    let nginx = server("location / { limit_req zone=slow; limit_req_status 429; }")
        .http("limit_req_zone $binary_remote_addr zone=slow:1m rate=1r/m;")
        .start();
    let preflight = Request::preflight("/", APP, "PUT");
    assert_status(&nginx.send(&preflight), 204);
    let response = nginx.send(&preflight);
    assert_status(&response, 429);
    assert_allows(&response, APP);
}

#[test]
fn satisfy_all_asks_everyone_but_for_preflights() {
    let nginx = server("location / { satisfy all; allow all; auth_basic private; auth_basic_user_file htpasswd; }")
        .file("conf/htpasswd", "user:{PLAIN}secret\n")
        .start();
    assert_decorated(&nginx, &Request::get("/hello.txt"), 401);
    let request = Request::get("/hello.txt").header("Authorization", "Basic dXNlcjpzZWNyZXQ=");
    assert_decorated(&nginx, &request, 200);
}

#[test]
fn an_application_that_sends_no_content() {
    let application =
        Upstream::start(|_| b"HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: *\r\n\r\n".to_vec());
    let nginx = server("location / { proxy_pass http://127.0.0.1:{port:app}; }")
        .port("app", application.port())
        .start();
    assert_decorated(&nginx, &Request::get("/"), 204);
}

#[test]
fn headers_that_nginx_keeps_in_fields_of_their_own() {
    let application = Upstream::with_headers(&[
        "Server: theirs",
        "Date: Thu, 01 Jan 1970 00:00:00 GMT",
        "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT",
        "ETag: \"a\"",
        "Cache-Control: no-store",
        "Cache-Control: private",
        "Expires: 0",
        "Content-Type: text/html",
        "Location: /elsewhere",
        "Refresh: 1",
        "WWW-Authenticate: Basic",
        "Content-Encoding: br",
        "Accept-Ranges: none",
        "Link: </one>",
        "link: </two>",
        "Access-Control-Allow-Origin: *",
        "X-Total-Count: 1",
    ]);
    let start = |policy: &str| {
        Nginx::builder()
            .port("app", application.port())
            .server(&format!(
                "location / {{
                    {policy}
                    proxy_pass http://127.0.0.1:{{port:app}};
                    proxy_pass_header Server;
                    proxy_pass_header Date;
                    add_header Last-Modified 'Fri, 02 Jan 1970 00:00:00 GMT';
                    expires 1h;
                }}"
            ))
            .start()
    };
    let request = Request::get("/").origin(APP);
    let others = |response: Response| -> Vec<(String, Vec<u8>)> {
        let ours = |name: &str| name == "Vary" || name.to_ascii_lowercase().starts_with("access-control-");
        response
            .headers
            .into_iter()
            .filter(|(name, _)| !ours(name) && name != "Expires")
            .collect()
    };
    let without = start("").send(&request);
    let with = start(
        "cors on;
        cors_allow_origin https://app.example.com;
        cors_allow_credentials on;
        cors_expose_headers *;",
    )
    .send(&request);
    assert_eq!(
        with.list("Access-Control-Expose-Headers"),
        [
            "accept-ranges",
            "cache-control",
            "content-encoding",
            "date",
            "etag",
            "expires",
            "last-modified",
            "link",
            "location",
            "refresh",
            "server",
            "www-authenticate",
            "x-total-count",
        ]
    );
    assert_eq!(others(with), others(without));
}
