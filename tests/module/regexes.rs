//! `cors_allow_origin ~regex`.

use harness::{Nginx, Request};

use crate::{assert_allows, assert_silent};

#[test]
fn a_regex_matches_the_origin_as_a_whole() {
    let nginx = Nginx::server(
        r#"location / {
            cors on;
            cors_allow_origin "~https://[a-z]{1,3}\.example\.com|https://(app|www)\.example\.org";
        }"#,
    );
    for origin in [
        "https://a.example.com",
        "https://abc.example.com",
        "https://www.example.org",
    ] {
        assert_allows(&nginx.send(&Request::get("/").origin(origin)), origin);
    }
    for origin in [
        "https://abcd.example.com",
        "https://a.example.com.stranger.example",
        "https://a.example.com:8443",
        "xhttps://www.example.org",
        "https://wwww.example.org",
        "https://A.example.com",
    ] {
        assert_silent(&nginx.send(&Request::get("/").origin(origin)));
    }
}

#[test]
fn regexes_stand_beside_other_forms() {
    let nginx = Nginx::server(
        r"location / {
            cors on;
            cors_allow_origin https://exact.example https://*.wild.example ~https://re[0-9]+\.tenants\.example;
            cors_allow_origin ~https://(.+\.)?second\.example;
        }",
    );
    for origin in [
        "https://exact.example",
        "https://a.wild.example",
        "https://re42.tenants.example",
        "https://second.example",
        "https://a.b.second.example",
    ] {
        assert_allows(&nginx.send(&Request::get("/").origin(origin)), origin);
    }
    assert_silent(&nginx.send(&Request::get("/").origin("https://re.tenants.example")));
}

#[test]
fn a_regex_that_admits_a_stranger_is_refused_and_names_the_stranger() {
    let conf =
        |more: &str| format!("location / {{\n cors on;\n cors_allow_origin ~https://app.example\\.com;\n{more}\n}}");
    let check = Nginx::builder().server(&conf("")).check();
    let message = check.error_at("cors_allow_origin");
    assert!(message.contains("\"https://appxexample.com\""), "{message}");
    assert!(message.contains("cors_unsafe broad_regex"), "{message}");
    assert!(Nginx::builder()
        .server(&conf("cors_unsafe broad_regex;"))
        .check()
        .accepted());
}
