//! What is said to mend a denied request does so, and admits nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Configuration, Surroundings};
use cors_policy::{BrowserOutcome, Policy, Remedy, SimulatedRequest};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const APP: &[u8] = b"https://app.example.com";

/// A request of a script, and all that a browser would let it do.
fn is_readable(policy: &Policy, request: &SimulatedRequest<'_>) -> bool {
    let outcome = policy
        .simulate(
            request,
            &Surroundings::with_variables(&[b"https://tenant.example"]),
            None,
        )
        .in_browser;
    outcome == BrowserOutcome::Readable
}

fn remedy(policy: &Policy, request: &SimulatedRequest<'_>) -> Option<Remedy> {
    policy
        .simulate(
            request,
            &Surroundings::with_variables(&[b"https://tenant.example"]),
            None,
        )
        .remedy
}

fn get(origin: &[u8]) -> SimulatedRequest<'_> {
    SimulatedRequest {
        origin,
        method: b"GET",
        headers: Vec::new(),
        credentials: false,
    }
}

/// The remedy for a request to the location of a configuration.
fn remedy_in(configuration: &str, request: &SimulatedRequest<'_>) -> Remedy {
    let read = Configuration::read(configuration);
    remedy(read.policy("location /"), request).expect("a remedy")
}

#[test]
fn the_whole_list_is_shown_and_where_it_stands() {
    let configuration = "server a {
        location / {
            cors on;
            cors_allow_origin https://one.example https://*.two.example;
            cors_allow_origin ~https://a{2}\\.three\\.example;
        }
    }";
    let Remedy { line, advice } = remedy_in(configuration, &get(APP));
    assert_eq!(
        line.as_deref(),
        Some("cors_allow_origin https://one.example https://*.two.example \"~https://a{2}\\.three\\.example\" https://app.example.com;")
    );
    assert_eq!(advice, "it takes the place of \"cors_allow_origin\" at nginx.conf:4");
}

#[test]
fn a_list_that_is_inherited_is_left_to_the_others_that_inherit_it() {
    let configuration = "cors_allow_origin https://one.example;
        server a {
        location / {
            cors on;
        }
    }";
    let Remedy { line, advice } = remedy_in(configuration, &get(APP));
    assert_eq!(
        line.as_deref(),
        Some("cors_allow_origin https://one.example https://app.example.com;")
    );
    assert_eq!(
        advice,
        "write it in the block itself: the list at nginx.conf:1, which it inherits, holds for others, too"
    );
}

#[test]
fn where_a_variable_decides_it_is_named() {
    let configuration = "server a {
        location / {
            cors on;
            cors_allow_origin https://one.example $tenants;
        }
    }";
    let Remedy { line, advice } = remedy_in(configuration, &get(APP));
    assert_eq!(line, None);
    assert_eq!(
        advice,
        "\"$tenants\" decides, which is in \"cors_allow_origin\" at nginx.conf:4: give it the value \"https://app.example.com\", too, where it is set"
    );
}

#[test]
fn of_a_long_list_the_place_is_told() {
    let origins: Vec<_> = (0..5000).map(|number| format!("https://{number}.example")).collect();
    let configuration = format!(
        "server a {{
        location / {{
            cors on;
            cors_allow_origin {};
        }}
    }}",
        origins.join(" ")
    );
    let Remedy { line, advice } = remedy_in(&configuration, &get(APP));
    assert_eq!(line, None);
    assert_eq!(
        advice,
        "add \"https://app.example.com\" to the 5000 values of \"cors_allow_origin\" at nginx.conf:4"
    );
}

#[test]
fn credentials_go_to_the_origin_that_asked_alone() {
    let request = SimulatedRequest {
        credentials: true,
        ..get(APP)
    };
    for (directives, expected) in [
        ("", "cors_allow_credentials https://app.example.com;"),
        (
            "cors_allow_credentials off;",
            "cors_allow_credentials https://app.example.com;",
        ),
        (
            "cors_allow_credentials https://one.example;",
            "cors_allow_credentials https://one.example https://app.example.com;",
        ),
    ] {
        let configuration = format!(
            "server a {{
            location / {{
            cors on;
            cors_allow_origin https://one.example https://app.example.com;
            {directives}
            }}
        }}"
        );
        assert_eq!(remedy_in(&configuration, &request).line.as_deref(), Some(expected));
    }
}

#[test]
fn an_origin_that_is_not_to_have_credentials_gets_no_line() {
    let configuration = "server a {
        location / {
            cors on;
            cors_allow_origin https://one.example;
            cors_allow_credentials on;
        }
    }";
    let Remedy { line, advice } = remedy_in(configuration, &get(b"http://app.example.com"));
    assert_eq!(line, None);
    assert!(advice.contains("cors_unsafe insecure_origins"), "{advice}");
}

const ORIGINS: [&str; 6] = [
    "https://app.example.com",
    "https://www.example.com",
    "https://deep.www.example.com",
    "https://other.example",
    "https://tenant.example",
    "http://localhost:3000",
];
const METHODS: [&str; 4] = ["GET", "PUT", "DELETE", "PATCH"];
const HEADERS: [&str; 3] = ["X-One", "X-Two", "Authorization"];

/// All that scripts may ask for.
fn requests() -> impl Iterator<Item = SimulatedRequest<'static>> {
    let headers = HEADERS.iter().map(|name| vec![name.as_bytes()]).chain([Vec::new()]);
    let kinds: Vec<_> = METHODS
        .iter()
        .flat_map(|method| headers.clone().map(move |headers| (method.as_bytes(), headers)))
        .flat_map(|(method, headers)| [false, true].map(|credentials| (method, headers.clone(), credentials)))
        .collect();
    ORIGINS.iter().flat_map(move |origin| {
        let of_origin = kinds
            .clone()
            .into_iter()
            .map(|(method, headers, credentials)| SimulatedRequest {
                origin: origin.as_bytes(),
                method,
                headers,
                credentials,
            });
        of_origin.collect::<Vec<_>>()
    })
}

/// Lists as people write them, some of them in the server and not in the location.
fn lists() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    let origins = subsequence(
        vec![
            "https://app.example.com",
            "https://*.example.com",
            "https://other.example",
            "~https://o(ld)?\\.example",
            "http://localhost:3000",
        ],
        0..=4,
    );
    let methods = subsequence(vec!["PUT", "DELETE", "PATCH"], 0..=2);
    let headers = subsequence(vec!["X-One", "X-Two"], 0..=2);
    let credentials = select(vec![
        "",
        "on",
        "off",
        "https://app.example.com",
        "https://other.example",
    ]);
    let places = proptest::collection::vec(any::<bool>(), 4);
    (origins, methods, headers, credentials, places).prop_map(|(origins, methods, headers, credentials, places)| {
        let line = |name: &str, values: String| (!values.is_empty()).then(|| format!("{name} {values};"));
        let lines = [
            line("cors_allow_origin", origins.join(" ")),
            line("cors_allow_methods", methods.join(" ")),
            line("cors_allow_headers", headers.join(" ")),
            line("cors_allow_credentials", credentials.to_owned()),
        ];
        let (mut server, mut location) = (Vec::new(), Vec::new());
        for (line, in_server) in lines.into_iter().zip(places) {
            if in_server { &mut server } else { &mut location }.extend(line);
        }
        (server, location)
    })
}

fn configuration(server: &[String], location: &[String]) -> String {
    let (server, location) = (server.join("\n"), location.join("\n"));
    format!("server a {{\n{server}\nlocation / {{\ncors on;\n{location}\n}}\nlocation /other {{\ncors on;\n}}\n}}")
}

proptest! {
    #[test]
    fn a_remedy_admits_what_was_asked_for_and_nothing_else((server, location) in lists(), seed in any::<proptest::sample::Index>()) {
        let before = Configuration::read(&configuration(&server, &location));
        let policy = before.policy("location /");
        let denied: Vec<_> = requests().filter(|request| !is_readable(policy, request)).collect();
        prop_assume!(!denied.is_empty());
        let asked = &denied[seed.index(denied.len())];
        // Several things may be missing: each is mended in its turn.
        let mut location = location;
        for _ in 0..4 {
            let now = Configuration::read(&configuration(&server, &location));
            let Some(Remedy { line: Some(line), .. }) = remedy(now.policy("location /"), asked) else {
                break;
            };
            let name = line.split(' ').next().unwrap().to_owned() + " ";
            location.retain(|written| !written.starts_with(&name));
            location.push(line.replace('"', ""));
        }
        let after = Configuration::read(&configuration(&server, &location));
        let mended = after.policy("location /");
        prop_assert!(is_readable(mended, asked), "{location:?}");
        prop_assert!(!after.told().iter().any(|told| told.starts_with("error")), "{:?}", after.told());
        for request in requests() {
            let needed = request.origin == asked.origin || is_readable(policy, &request) || {
                // A method or a header is allowed to all origins of the list.
                let with_own = SimulatedRequest { method: b"GET", headers: Vec::new(), ..request.clone() };
                is_readable(policy, &with_own)
            };
            prop_assert!(needed || !is_readable(mended, &request), "{request:?} in {location:?}");
            prop_assert!(!is_readable(policy, &request) || is_readable(mended, &request), "{request:?} in {location:?}");
        }
        // Whoever inherits the lists of the server is left alone.
        let (one, other) = (before.policy("location /other"), after.policy("location /other"));
        for request in requests() {
            prop_assert_eq!(is_readable(one, &request), is_readable(other, &request));
        }
    }
}
