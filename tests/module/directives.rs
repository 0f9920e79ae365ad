//! Inheritance: each directive on its own, the way nginx does it.

use std::fs;

use harness::{workspace_root, Nginx, Request, Response};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

fn ask(nginx: &Nginx, path: &str) -> Response {
    nginx.send(&Request::preflight(path, APP, "GET"))
}

#[test]
fn a_policy_reaches_from_http_down_to_a_nested_location() {
    let nginx = Nginx::builder()
        .http(
            "cors on;
            cors_allow_origin https://app.example.com;
            cors_allow_methods PUT;
            cors_allow_headers X-One;
            cors_expose_headers X-Two;
            cors_allow_credentials on;
            cors_max_age 1m;
            cors_preflight_status 200;",
        )
        .server("location /outer { location /outer/inner { } }")
        .start();
    for path in ["/", "/outer", "/outer/inner"] {
        let response = ask(&nginx, path);
        assert_status(&response, 200);
        assert_eq!(
            response.access_control(),
            [
                ("Access-Control-Allow-Credentials", "true"),
                ("Access-Control-Allow-Headers", "X-One"),
                ("Access-Control-Allow-Methods", "PUT"),
                ("Access-Control-Allow-Origin", APP),
                ("Access-Control-Expose-Headers", "X-Two"),
                ("Access-Control-Max-Age", "60"),
            ]
        );
    }
}

#[test]
fn each_directive_is_inherited_on_its_own() {
    let nginx = Nginx::builder()
        .http("cors_allow_methods PUT;")
        .server(
            "cors on;
            location / {
                cors_allow_origin https://app.example.com;
                location /nested { cors_allow_headers X-One; }
            }",
        )
        .start();
    let response = ask(&nginx, "/nested");
    assert_allows(&response, APP);
    assert_eq!(response.only("Access-Control-Allow-Methods"), "PUT");
    assert_eq!(response.only("Access-Control-Allow-Headers"), "X-One");
    let response = ask(&nginx, "/");
    assert_eq!(response.get("Access-Control-Allow-Headers"), None);
}

#[test]
fn a_list_replaces_the_outer_one() {
    let nginx = Nginx::server(
        "cors on;
        cors_allow_origin https://stranger.example;
        cors_allow_methods PUT;
        cors_allow_headers X-Outer;
        cors_expose_headers X-Outer;
        location / {
            cors_allow_origin https://app.example.com;
            cors_allow_methods PATCH;
            cors_allow_headers X-Inner;
            cors_expose_headers X-Inner;
        }",
    );
    assert_eq!(
        ask(&nginx, "/").access_control(),
        [
            ("Access-Control-Allow-Headers", "X-Inner"),
            ("Access-Control-Allow-Methods", "PATCH"),
            ("Access-Control-Allow-Origin", APP),
            ("Access-Control-Expose-Headers", "X-Inner"),
        ]
    );
    assert_silent(&nginx.send(&Request::get("/").origin(STRANGER)));
}

#[test]
fn a_single_value_replaces_the_outer_one() {
    let nginx = Nginx::server(
        "cors on;
        cors_allow_origin https://app.example.com;
        cors_allow_credentials on;
        cors_max_age 1h;
        cors_preflight_status 200;
        location / {
            cors_allow_credentials off;
            cors_max_age off;
            cors_preflight_status 202;
        }",
    );
    let response = ask(&nginx, "/");
    assert_status(&response, 202);
    assert_eq!(response.get("Access-Control-Allow-Credentials"), None);
    assert_eq!(response.get("Access-Control-Max-Age"), None);
}

#[test]
fn a_list_may_be_spread_over_several_lines() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://stranger.example;
            cors_allow_origin https://app.example.com;
            cors_allow_methods GET PUT;
            cors_allow_methods DELETE;
            cors_allow_headers X-One X-Two;
            cors_allow_headers X-Three;
            cors_expose_headers X-Four;
            cors_expose_headers X-Five X-Six;
        }",
    );
    assert_eq!(
        ask(&nginx, "/").access_control(),
        [
            ("Access-Control-Allow-Headers", "X-One, X-Two, X-Three"),
            ("Access-Control-Allow-Methods", "GET, PUT, DELETE"),
            ("Access-Control-Allow-Origin", APP),
            ("Access-Control-Expose-Headers", "X-Four, X-Five, X-Six"),
        ]
    );
    assert_allows(&nginx.send(&Request::get("/").origin(STRANGER)), STRANGER);
}

#[test]
fn a_location_can_switch_it_off() {
    let nginx = Nginx::server(
        "cors on;
        cors_allow_origin https://app.example.com;
        location /off { cors off; location /off/on { cors on; } }",
    );
    assert_silent(&ask(&nginx, "/off"));
    assert_allows(&ask(&nginx, "/off/on"), APP);
    assert_allows(&ask(&nginx, "/"), APP);
}

#[test]
fn servers_are_independent() {
    let nginx = Nginx::builder()
        .server("cors on; cors_allow_origin https://app.example.com;")
        .http("server { {listen:other} cors on; cors_allow_origin https://stranger.example; }")
        .start();
    assert_allows(&ask(&nginx, "/"), APP);
    assert_status(&nginx.send_to("other", &Request::preflight("/", APP, "GET")), 403);
}

#[test]
fn an_if_in_a_location_has_its_own_policy() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_expose_headers X-Outer;
            if ($arg_public) { cors_allow_origin *; }
            if ($arg_private) { cors off; }
        }",
    );
    let get = |target| nginx.send(&Request::get(target).origin(APP));
    assert_allows(&get("/hello.txt"), APP);
    let response = get("/hello.txt?public=1");
    assert_status(&response, 200);
    assert_allows(&response, "*");
    assert_eq!(response.only("Access-Control-Expose-Headers"), "X-Outer");
    let response = get("/hello.txt?private=1");
    assert_status(&response, 200);
    assert_silent(&response);

    let response = ask(&nginx, "/hello.txt?public=1");
    assert_status(&response, 204);
    assert_allows(&response, "*");
}

#[test]
fn limit_except_keeps_the_policy_of_its_location() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            limit_except GET { allow all; }
        }",
    );
    assert_allows(&ask(&nginx, "/hello.txt"), APP);
    let response = nginx.send(&Request::new("PUT", "/hello.txt").origin(APP));
    assert_status(&response, 405);
    assert_allows(&response, APP);
}

#[test]
fn the_recipe_of_old_fits_into_directives() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_allow_methods POST GET OPTIONS;
            cors_allow_headers X-Requested-With Content-Type;
            cors_max_age 43200;
        }",
    );
    assert_eq!(
        ask(&nginx, "/").access_control(),
        [
            ("Access-Control-Allow-Headers", "X-Requested-With, Content-Type"),
            ("Access-Control-Allow-Methods", "POST, GET, OPTIONS"),
            ("Access-Control-Allow-Origin", APP),
            ("Access-Control-Max-Age", "43200"),
        ]
    );
}

/// What nginx says of directives that stand in a block: a line each, and nothing if it reads them all.
fn refusal(context: &str, lines: &str) -> String {
    let builder = Nginx::builder();
    let builder = match context {
        "http" => builder.http(lines),
        "server" => builder.server(lines),
        "location" => builder.server(&format!("location / {{ {lines} }}")),
        "if in location" => builder.server(&format!("location / {{ if ($args) {{ {lines} }} }}")),
        _ => panic!("{context} is no context"),
    };
    let check = builder.check();
    let about_places = |line: &&str| line.contains("is not allowed here") || line.contains("unknown directive");
    check.stderr.lines().filter(about_places).collect()
}

#[test]
fn directives_stand_where_the_reference_says_and_nowhere_else() {
    let reference = fs::read_to_string(workspace_root().join("docs/directives.md")).expect("a reference");
    let sections = reference
        .split("\n### ")
        .skip(1)
        .filter(|section| !section.starts_with('$'));
    let documented: Vec<(&str, Vec<String>)> = sections
        .map(|section| {
            let (name, rest) = section.split_once('\n').expect("a name");
            let contexts = rest
                .lines()
                .find_map(|line| line.strip_prefix("- Context: "))
                .expect("contexts");
            (
                name,
                contexts.split(", ").map(|context| context.replace('`', "")).collect(),
            )
        })
        .collect();
    for context in ["http", "server", "location", "if in location"] {
        let (allowed, others): (Vec<_>, Vec<_>) = documented
            .iter()
            .partition(|(_, contexts)| contexts.iter().any(|other| other == context));
        let lines: String = allowed.iter().map(|(name, _)| format!("{name};\n")).collect();
        assert_eq!(refusal(context, &lines), "", "{context}");
        for (name, _) in others {
            let refusal = refusal(context, &format!("{name};"));
            assert!(
                refusal.contains(&format!("\"{name}\" directive is not allowed here")),
                "{context}: {name}"
            );
        }
    }
}
