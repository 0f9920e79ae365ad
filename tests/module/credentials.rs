//! `cors_allow_credentials` with a list, and what `*` means where credentials apply.

use harness::{Nginx, Request};

use crate::{assert_allows, assert_status, APP, STRANGER};

const TRUSTED: &str = "https://trusted.example";

#[test]
fn a_trusted_origin_beside_a_star_gets_itself_and_credentials_and_others_the_star() {
    let nginx =
        Nginx::server("location / { cors on; cors_allow_origin *; cors_allow_credentials https://trusted.example; }");
    let trusted = nginx.send(&Request::get("/").origin(TRUSTED));
    assert_allows(&trusted, TRUSTED);
    assert_eq!(trusted.only("Access-Control-Allow-Credentials"), "true");
    assert_eq!(trusted.only("Vary"), "Origin");

    let other = nginx.send(&Request::get("/").origin(STRANGER));
    assert_allows(&other, "*");
    assert_eq!(other.get("Access-Control-Allow-Credentials"), None);
    assert_eq!(other.only("Vary"), "Origin");

    let none = nginx.send(&Request::get("/"));
    assert_eq!(none.access_control(), []);
    assert_eq!(none.only("Vary"), "Origin");
}

#[test]
fn of_the_listed_origins_only_the_trusted_ones_get_credentials() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com https://*.trusted.example;
            cors_allow_credentials https://*.trusted.example;
        }",
    );
    let trusted = nginx.send(&Request::get("/").origin("https://a.trusted.example"));
    assert_eq!(trusted.only("Access-Control-Allow-Credentials"), "true");
    let other = nginx.send(&Request::get("/").origin(APP));
    assert_allows(&other, APP);
    assert_eq!(other.get("Access-Control-Allow-Credentials"), None);
}

#[test]
fn with_credentials_stars_become_what_the_preflight_asked_for() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_allow_credentials on;
            cors_allow_methods *;
            cors_allow_headers *;
        }",
    );
    let answer = nginx.send(
        &Request::preflight("/", APP, "PURGE")
            .header("Access-Control-Request-Headers", "x-one, bad name,,authorization")
            .header("Access-Control-Request-Headers", "x-two"),
    );
    assert_status(&answer, 204);
    assert_eq!(answer.only("Access-Control-Allow-Methods"), "PURGE");
    assert_eq!(
        answer.only("Access-Control-Allow-Headers"),
        "x-one, authorization, x-two"
    );
    assert_eq!(
        answer.list("Vary"),
        [
            "access-control-request-headers",
            "access-control-request-method",
            "origin"
        ]
    );
}

#[test]
fn without_credentials_stars_are_sent_as_they_are() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin *;
            cors_allow_methods *;
            cors_allow_headers * Authorization;
            cors_expose_headers *;
        }",
    );
    let answer = nginx
        .send(&Request::preflight("/", APP, "PURGE").header("Access-Control-Request-Headers", "authorization,x-one"));
    assert_eq!(answer.only("Access-Control-Allow-Methods"), "*");
    assert_eq!(answer.only("Access-Control-Allow-Headers"), "*, Authorization");
    assert_eq!(answer.only("Access-Control-Expose-Headers"), "*");
    assert_eq!(answer.get("Vary"), None);
}

#[test]
fn with_credentials_a_star_exposes_the_names_that_the_response_carries() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_allow_credentials on;
            cors_expose_headers *;
            add_header X-Total 42;
            add_header Set-Cookie a=b;
            return 200 hello;
        }",
    );
    let response = nginx.send(&Request::get("/").origin(APP));
    assert_eq!(
        response.list("Access-Control-Expose-Headers"),
        ["date", "server", "x-total"]
    );
}

#[test]
fn an_origin_is_echoed_with_credentials_to_everyone_only_where_the_operator_insists() {
    let location = |more: &str| {
        format!("location / {{\n cors on;\n cors_allow_origin *;\n cors_allow_credentials on;\n{more}\n}}")
    };
    let refused = Nginx::builder().server(&location("")).check();
    assert!(refused
        .error_at("cors_allow_origin")
        .contains("cors_unsafe any_origin_credentials"));

    let nginx = Nginx::server(&location("cors_unsafe any_origin_credentials;"));
    let response = nginx.send(&Request::get("/").origin(STRANGER));
    assert_allows(&response, STRANGER);
    assert_eq!(response.only("Access-Control-Allow-Credentials"), "true");
    assert_eq!(response.only("Vary"), "Origin");
    let malformed = nginx.send(&Request::get("/").origin("https://Stranger.example/"));
    assert_eq!(malformed.access_control(), []);
}
