//! `docs/gateways.md`: what other gateways call something else does here what it does there.

use std::fs;

use harness::{workspace_root, Nginx, Request, Response};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

/// The example number `which` of a section, as the directives of a server.
fn example(part: &str, section: &str, which: usize) -> String {
    let text = fs::read_to_string(workspace_root().join("docs/gateways.md")).expect("the page");
    let under = |text: &str, heading: &str| {
        let (_, rest) = text.split_once(&format!("{heading}\n")).expect("the heading");
        rest.to_owned()
    };
    let part = under(&text, &format!("\n## {part}"));
    let section = under(&part, &format!("\n### {section}"));
    let section = section.split("\n##").next().unwrap_or_default();
    let block = section.split("```nginx\n").nth(which).expect("an example");
    block.split("```").next().unwrap_or_default().to_owned()
}

fn serve(directives: &str) -> Nginx {
    Nginx::server(&format!("cors on;\n{directives}\nlocation / {{ root html; }}"))
}

fn asked(nginx: &Nginx, origin: &str, method: &str, headers: &str) -> Response {
    let mut request = Request::preflight("/hello.txt", origin, method);
    if !headers.is_empty() {
        request = request.header("Access-Control-Request-Headers", headers);
    }
    nginx.send(&request)
}

const FILTER: &str = "HTTPCORSFilter";
const INGRESS: &str = "ingress-nginx";

#[test]
fn every_example_is_accepted() {
    let text = fs::read_to_string(workspace_root().join("docs/gateways.md")).expect("the page");
    let examples: Vec<_> = text.split("```nginx\n").skip(1).collect();
    assert_eq!(examples.len(), 16);
    for example in examples {
        serve(example.split("```").next().unwrap_or_default());
    }
}

#[test]
fn origins() {
    for part in [(FILTER, "allowOrigins"), (INGRESS, "cors-allow-origin")] {
        let nginx = serve(&example(part.0, part.1, 1));
        for origin in [APP, "https://a.example.org"] {
            assert_allows(&asked(&nginx, origin, "GET", ""), origin);
        }
        assert_silent(&asked(&nginx, STRANGER, "GET", ""));
    }
    let nginx = serve(&example(FILTER, "allowOrigins", 2));
    assert_allows(&asked(&nginx, STRANGER, "GET", ""), STRANGER);
    assert_silent(&asked(&nginx, "http://stranger.example", "GET", ""));

    let nginx = serve(&example(INGRESS, "cors-allow-origin", 2));
    assert_allows(
        &asked(&nginx, "https://a.example.org", "GET", ""),
        "https://a.example.org",
    );
    assert_silent(&asked(&nginx, "https://a.b.example.org", "GET", ""));
}

#[test]
fn credentials() {
    for (part, section, origin) in [
        (FILTER, "allowCredentials", APP),
        (INGRESS, "cors-allow-credentials", APP),
    ] {
        let nginx = serve(&example(part, section, 1));
        let response = nginx.send(&Request::get("/hello.txt").origin(origin));
        assert_allows(&response, origin);
        assert_eq!(response.only("Access-Control-Allow-Credentials"), "true");
    }
    let nginx = serve(&example(FILTER, "allowCredentials", 2));
    let response = nginx.send(&Request::get("/hello.txt").origin(STRANGER));
    assert_allows(&response, STRANGER);
    assert_eq!(response.only("Access-Control-Allow-Credentials"), "true");
}

#[test]
fn lists_and_age() {
    for (part, sections) in [
        (FILTER, ["allowMethods", "allowHeaders", "exposeHeaders", "maxAge"]),
        (
            INGRESS,
            [
                "cors-allow-methods",
                "cors-allow-headers",
                "cors-expose-headers",
                "cors-max-age",
            ],
        ),
    ] {
        let [methods, headers, exposed, age] = sections.map(|section| serve(&example(part, section, 1)));
        let methods = asked(&methods, APP, "PUT", "").list("Access-Control-Allow-Methods");
        assert!(methods.contains(&"put".to_owned()), "{methods:?}");
        let response = asked(&headers, APP, "GET", "content-type,x-client");
        assert_eq!(
            response.list("Access-Control-Allow-Headers"),
            ["content-type", "x-client"]
        );
        let response = exposed.send(&Request::get("/hello.txt").origin(APP));
        assert_eq!(response.list("Access-Control-Expose-Headers"), ["x-total-count"]);
        assert_eq!(asked(&age, APP, "GET", "").only("Access-Control-Max-Age"), "600");
    }
}

#[test]
fn the_defaults_of_ingress_nginx() {
    let nginx = serve(&example(INGRESS, "enable-cors", 1));
    let response = asked(&nginx, STRANGER, "PATCH", "authorization,content-type,range");
    assert_status(&response, 204);
    assert_allows(&response, "*");
    assert_eq!(response.only("Access-Control-Max-Age"), "1728000");
    assert!(response
        .list("Access-Control-Allow-Headers")
        .contains(&"authorization".to_owned()));
}
