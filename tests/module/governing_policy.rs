//! One request, one policy: the first location with `cors on` in whose access phase the request stood
//! governs it to the end, unless the location that serves it says `cors off`.

use harness::{Nginx, Request, Response, Upstream};

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

#[test]
fn the_location_that_a_rewrite_leaves_governs_unless_the_next_has_a_policy_or_says_off() {
    let nginx = Nginx::server(
        "location /left/ {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_enforce on;
            rewrite ^/left/(.*)$ /$1/hello.txt last;
        }
        location /none/ { alias html/; }
        location /off/ { cors off; alias html/; }
        location /own/ { cors on; cors_allow_origin https://own.example; alias html/; }",
    );
    let send = |path, origin| nginx.send(&Request::get(path).origin(origin));
    assert_allows(&send("/left/none", APP), APP);
    assert_status(&send("/left/none", STRANGER), 403);
    assert_silent(&send("/left/off", APP));
    assert_status(&send("/left/off", STRANGER), 200);
    assert_silent(&send("/left/own", APP));
    assert_allows(&send("/left/own", "https://own.example"), "https://own.example");
}

#[test]
fn a_named_location_whose_policy_is_dead_is_warned_about() {
    let check = |app: &str| {
        Nginx::builder()
            .server(&format!(
                "location / {{ cors on; cors_allow_origin https://app.example.com; error_page 404 = @app; }}
                location @app {{
                {app}
                }}"
            ))
            .check()
    };
    let line = "cors on; cors_allow_origin https://other.example;";
    let warned = check(line);
    let message = warned.warning_at(line);
    assert!(
        message.contains("location \"@app\" says nothing about requests that"),
        "{message}"
    );
    for app in ["", "cors off;"] {
        let check = check(app);
        assert!(check.accepted() && !check.stderr.contains("[warn]"), "{}", check.stderr);
    }
}

#[test]
fn the_location_that_a_rewrite_leads_to_serves_under_the_policy_of_the_one_it_leaves() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            rewrite ^ /hello.txt last;
        }
        location = /hello.txt { }",
    );
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_status(&response, 200);
    assert_allows(&response, APP);
    assert_eq!(response.only("Vary"), "Origin");
}

#[test]
fn a_rewrite_to_a_location_that_answers_by_return_leaves_no_trace_on_its_error_page() {
    let nginx = Nginx::server(
        "location /old {
            cors on;
            cors_allow_origin https://app.example.com;
            rewrite ^ /new last;
        }
        location /new {
            cors on;
            cors_allow_origin https://stranger.example;
            error_page 404 /hello.txt;
            return 404;
        }
        location = /hello.txt { }",
    );
    assert_silent(&nginx.send(&Request::get("/old").origin(APP)));
    assert_allows(&nginx.send(&Request::get("/old").origin(STRANGER)), STRANGER);
}

#[test]
fn a_rewrite_into_a_location_with_a_policy_puts_the_request_under_it() {
    let nginx = Nginx::server(
        "location / { rewrite ^ /hello.txt last; }
        location = /hello.txt { cors on; cors_allow_origin https://app.example.com; }",
    );
    assert_allows(&nginx.send(&Request::get("/").origin(APP)), APP);
    assert_status(&nginx.send(&Request::preflight("/", APP, "GET")), 204);
}

#[test]
fn a_rewrite_of_the_server_leaves_no_trace() {
    let nginx = Nginx::server(
        "rewrite ^/old$ /hello.txt;
        location /old { cors on; cors_allow_origin https://stranger.example; }
        location = /hello.txt { cors on; cors_allow_origin https://app.example.com; }",
    );
    assert_allows(&nginx.send(&Request::get("/old").origin(APP)), APP);
    assert_silent(&nginx.send(&Request::get("/old").origin(STRANGER)));
}

#[test]
fn a_rewrite_with_break_stays_under_the_policy() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            rewrite ^ /hello.txt break;
        }
        location = /hello.txt { cors off; }",
    );
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_eq!(response.text(), "hello");
    assert_allows(&response, APP);
}

#[test]
fn it_survives_try_files_with_a_status() {
    let nginx =
        Nginx::server("location / { cors on; cors_allow_origin https://app.example.com; try_files $uri =404; }");
    let response = nginx.send(&Request::get("/missing").origin(APP));
    assert_status(&response, 404);
    assert_allows(&response, APP);
}

#[test]
fn it_survives_an_error_page_that_turns_into_200() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            error_page 404 =200 /hello.txt;
        }
        location = /hello.txt { }",
    );
    let response = nginx.send(&Request::get("/missing").origin(APP));
    assert_status(&response, 200);
    assert_eq!(response.text(), "hello");
    assert_allows(&response, APP);
}

#[test]
fn it_survives_one_redirect_after_the_other() {
    let application = Upstream::with_headers(&["X-Accel-Redirect: /missing"]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                try_files /none @application;
            }
            location @application { proxy_pass http://127.0.0.1:{port:app}; }
            location = /missing { internal; error_page 404 = @fallback; }
            location @fallback { try_files /none /hello.txt; }
            location = /hello.txt { internal; }",
        )
        .start();
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_eq!(response.text(), "hello");
    assert_allows(&response, APP);
    assert_silent(&nginx.send(&Request::get("/").origin(STRANGER)));
}

#[test]
fn it_survives_x_accel_redirect_to_a_named_location() {
    let application = Upstream::with_headers(&["X-Accel-Redirect: @fallback"]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                proxy_pass http://127.0.0.1:{port:app};
            }
            location @fallback { return 200 hello; }",
        )
        .start();
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_eq!(response.text(), "hello");
    assert_allows(&response, APP);
}

#[test]
fn an_explicit_off_in_a_named_location_wins() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            try_files $uri @elsewhere;
        }
        location @elsewhere { cors off; return 200 hello; }",
    );
    let response = nginx.send(&Request::get("/missing").origin(APP));
    assert_eq!(response.text(), "hello");
    assert_silent(&response);
    assert_eq!(response.get("Vary"), None);
}

#[test]
fn an_off_that_is_inherited_from_the_server_wins_over_nothing() {
    let nginx = Nginx::server(
        "cors off;
        location / {
            cors on;
            cors_allow_origin https://app.example.com;
            error_page 404 /hello.txt;
        }
        location = /hello.txt { }",
    );
    assert_allows(&nginx.send(&Request::get("/missing").origin(APP)), APP);
}

#[test]
fn a_location_that_answers_by_return_governs_its_named_error_page() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            error_page 418 = @teapot;
            return 418;
        }
        location @teapot { return 200 hello; }",
    );
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_status(&response, 200);
    assert_allows(&response, APP);
    assert_silent(&nginx.send(&Request::get("/").origin(STRANGER)));
}

#[test]
fn a_location_left_by_return_still_answers_preflights() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                error_page 418 = @application;
                return 418;
            }
            location @application { proxy_pass http://127.0.0.1:{port:app}; }",
        )
        .start();
    assert_status(&nginx.send(&Request::preflight("/", APP, "GET")), 204);
    assert_status(&nginx.send(&Request::preflight("/", STRANGER, "GET")), 403);
    assert!(application.requests().is_empty());
}

#[test]
fn a_preflight_of_a_location_that_answers_by_return_gets_its_status_and_the_lists() {
    let nginx = Nginx::server(
        "location / { cors on; cors_allow_origin https://app.example.com; cors_allow_methods PUT; return 200 hello; }",
    );
    let response = nginx.send(&Request::preflight("/", APP, "PUT"));
    assert_status(&response, 200);
    assert_allows(&response, APP);
    assert_eq!(response.only("Access-Control-Allow-Methods"), "PUT");
    let response = nginx.send(&Request::preflight("/", STRANGER, "PUT"));
    assert_silent(&response);
}

#[test]
fn a_preflight_stays_one_where_an_error_page_turns_it_into_a_get() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_allow_methods PUT;
            error_page 404 =200 /hello.txt;
            return 404;
        }
        location = /hello.txt { add_header X-Told '$cors_preflight,$cors_result'; }",
    );
    let response = nginx.send(&Request::preflight("/", APP, "PUT"));
    assert_status(&response, 200);
    assert_eq!(response.text(), "hello");
    assert_eq!(response.only("Access-Control-Allow-Methods"), "PUT");
    assert_eq!(response.only("X-Told"), "1,allowed");
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_eq!(response.get("Access-Control-Allow-Methods"), None);
}

/// A location that sends every request on to an application, which has `cors off`.
fn start_before_an_application(application: &Upstream, more: &str) -> Nginx {
    Nginx::builder()
        .port("app", application.port())
        .server(&format!(
            "location / {{
                cors on;
                cors_allow_origin https://app.example.com;
                {more}
                error_page 418 = @application;
                return 418;
            }}
            location @application {{ cors off; proxy_pass http://127.0.0.1:{{port:app}}; }}"
        ))
        .start()
}

#[test]
fn a_preflight_reaches_an_application_that_has_cors_off() {
    let application = Upstream::with_headers(&["Access-Control-Allow-Origin: https://its.own.example"]);
    let nginx = start_before_an_application(&application, "");
    for origin in [APP, STRANGER] {
        let response = nginx.send(&Request::preflight("/hello.txt", origin, "PUT"));
        assert_status(&response, 200);
        assert_allows(&response, "https://its.own.example");
    }
    assert_eq!(application.requests().len(), 2);
}

#[test]
fn nothing_is_enforced_where_cors_is_off() {
    let application = Upstream::with_headers(&[]);
    let nginx = start_before_an_application(&application, "cors_enforce on;");
    assert_status(&nginx.send(&Request::get("/hello.txt").origin(STRANGER)), 200);
}

#[test]
fn an_if_that_answers_by_return_goes_by_its_own_policy() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin *;
            if ($arg_private) { cors_allow_origin https://app.example.com; return 200 secret; }
        }",
    );
    assert_silent(&nginx.send(&Request::get("/?private=1").origin(STRANGER)));
    assert_allows(&nginx.send(&Request::get("/?private=1").origin(APP)), APP);
}

#[test]
fn a_body_that_is_too_large_for_where_rewrite_leads_is_under_the_policy_there() {
    let nginx = Nginx::server(
        "location /old { cors on; cors_allow_origin *; rewrite ^ /new last; }
        location /new { client_max_body_size 1; cors on; cors_allow_origin https://app.example.com; }",
    );
    let send = |origin| nginx.send(&Request::post("/old").origin(origin).body("too large"));
    assert_status(&send(STRANGER), 413);
    assert_silent(&send(STRANGER));
    assert_allows(&send(APP), APP);
}

/// A server in which `rewrite` leads from a location with a policy to one that takes no body, with a page for that.
fn start_with_a_page_for_a_body_that_is_too_large(server: &str, next: &str, page: &str) -> Nginx {
    Nginx::server(&format!(
        "{server}
        error_page 413 /hello.txt;
        location /old {{ cors on; cors_allow_origin https://app.example.com; rewrite ^ /new last; }}
        location /new {{ client_max_body_size 1; {next} }}
        location = /hello.txt {{ {page} }}"
    ))
}

fn send_too_much(nginx: &Nginx, origin: &str) -> Response {
    let response = nginx.send(&Request::post("/old").origin(origin).body("too large"));
    assert_status(&response, 413);
    assert_eq!(response.text(), "hello");
    response
}

#[test]
fn the_page_for_a_body_that_is_too_large_is_under_the_policy_that_rewrite_left_if_there_is_no_other() {
    let nginx = start_with_a_page_for_a_body_that_is_too_large("", "", "");
    assert_allows(&send_too_much(&nginx, APP), APP);
    assert_silent(&send_too_much(&nginx, STRANGER));
}

#[test]
fn the_page_for_a_body_that_is_too_large_where_rewrite_leads_is_under_the_policy_that_both_inherit() {
    let nginx =
        start_with_a_page_for_a_body_that_is_too_large("cors on; cors_allow_origin https://own.example;", "", "");
    assert_allows(&send_too_much(&nginx, "https://own.example"), "https://own.example");
    assert_silent(&send_too_much(&nginx, APP));
}

/// nginx tells no module of the location that refuses the body, so that the page has to have its policy.
#[test]
fn the_page_for_a_body_that_is_too_large_where_rewrite_leads_is_under_the_policy_that_it_has_itself() {
    let own = "cors on; cors_allow_origin https://own.example;";
    let nginx = start_with_a_page_for_a_body_that_is_too_large("", own, own);
    assert_allows(&send_too_much(&nginx, "https://own.example"), "https://own.example");
    assert_silent(&send_too_much(&nginx, APP));
}

#[test]
fn a_rewrite_to_a_location_without_a_policy_that_answers_by_return_leaves_its_error_page_to_the_location_before() {
    let nginx = Nginx::server(
        "location /old { cors on; cors_allow_origin https://app.example.com; rewrite ^ /new last; }
        location /new { error_page 404 /hello.txt; return 404; }
        location = /hello.txt { cors on; cors_allow_origin https://own.example; }",
    );
    assert_allows(&nginx.send(&Request::get("/old").origin(APP)), APP);
    assert_silent(&nginx.send(&Request::get("/old").origin("https://own.example")));
}
