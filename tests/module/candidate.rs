//! `cors_candidate { ... }`: a policy that is judged beside the one in force, and changes nothing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use harness::{poll, Connection, Nginx, Request, Response};
use serde_json::Value;

use crate::{APP, STRANGER};

const POLICY: &str =
    "cors on; cors_allow_origin https://app.example.com https://old.example.com; cors_allow_methods PUT;";
const OLD: &str = "https://old.example.com";

/// A server whose access log has the results of both policies.
fn server(inside: &str) -> Nginx {
    Nginx::builder()
        .http(&format!(
            "log_format result \"$cors_result/$cors_candidate_result\";
            cors_zone cors:128k;
            server {{
                {{listen}}
                access_log logs/results.log result;
                location = /status {{ access_log off; cors_status prometheus; }}
                {inside}
            }}"
        ))
        .start()
}

/// The results of both policies for each request.
#[track_caller]
fn results(inside: &str, requests: &[Request]) -> Vec<String> {
    let nginx = server(inside);
    for request in requests {
        nginx.send(request);
    }
    nginx.log_lines("logs/results.log", requests.len())
}

fn lines(nginx: &Nginx) -> Vec<String> {
    let log = nginx.error_log();
    let lines = log.lines().filter_map(|line| line.split_once(" cors candidate "));
    lines
        .map(|(_, text)| {
            text.split(" while logging request")
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

fn told(response: &Response) -> Vec<(String, Vec<u8>)> {
    let headers = response.headers.iter();
    headers
        .filter(|(name, _)| !matches!(&**name, "Date" | "ETag" | "Last-Modified"))
        .cloned()
        .collect()
}

#[test]
fn no_response_changes() {
    let with = server(&format!("location / {{ {POLICY} cors_candidate {{ cors_allow_origin https://app.example.com; cors_allow_credentials on; cors_expose_headers X; }} }}"));
    let without = server(&format!("location / {{ {POLICY} }}"));
    for request in [
        Request::get("/hello.txt").origin(APP),
        Request::get("/hello.txt").origin(OLD),
        Request::get("/hello.txt").origin(STRANGER),
        Request::get("/hello.txt"),
        Request::preflight("/", OLD, "PUT"),
        Request::preflight("/", APP, "DELETE"),
    ] {
        let (one, other) = (with.send(&request), without.send(&request));
        assert_eq!((one.status, told(&one)), (other.status, told(&other)));
    }
}

#[test]
fn who_would_lose_is_logged_and_counted() {
    let nginx = server(&format!(
        "location / {{ {POLICY} cors_candidate {{ cors_allow_origin https://app.example.com; cors_allow_methods DELETE; }} }}"
    ));
    nginx.send(&Request::get("/hello.txt").origin(OLD));
    nginx.send(&Request::get("/hello.txt").origin(APP));
    nginx.send(&Request::preflight("/", APP, "PUT"));
    nginx.send(&Request::get("/hello.txt").origin(STRANGER));
    assert_eq!(
        lines(&nginx),
        [
            "would deny: origin \"https://old.example.com\" is not in cors_allow_origin",
            "would deny: method \"PUT\" is not in cors_allow_methods",
        ]
    );
    let text = nginx.send(&Request::get("/status")).text().to_owned();
    assert!(
        text.contains("nginx_cors_candidate_losses_total{zone=\"cors\",server=\"_\",location=\"/\"} 2"),
        "{text}"
    );
    assert!(!text.contains("nginx_cors_candidate_gains_total{"), "{text}");
}

/// The origins that lose, as the JSON names them.
fn losers(nginx: &Nginx) -> BTreeSet<String> {
    let json = nginx.send(&Request::get("/status"));
    let figures: Value = serde_json::from_str(json.text()).expect("JSON");
    let changes = figures["candidate_changes"].as_array().expect("a list").iter();
    let losses = changes.filter(|change| change["change"] == "loss" && change["location"] == "/");
    losses
        .map(|change| change["origin"].as_str().expect("text").to_owned())
        .collect()
}

/// Clients that ask all the time, each with an origin of its own and over one connection as long as nginx keeps it open.
struct Clients {
    /// Which configuration the answers come from; [`Clients::EITHER`] while nginx goes over from one to the next, and
    /// [`Clients::END`] at last.
    step: AtomicUsize,
    /// The rounds of each client.
    rounds: Vec<AtomicUsize>,
}

impl Clients {
    const EITHER: usize = usize::MAX;
    const END: usize = usize::MAX - 1;

    /// Sends a request and a preflight again and again, and returns the different answers in each of the steps.
    fn ask(&self, client: usize, port: u16, origin: &str) -> [BTreeSet<String>; 3] {
        let requests = [
            Request::get("/hello.txt").origin(origin),
            Request::preflight("/hello.txt", origin, "GET"),
        ];
        let mut seen = [const { BTreeSet::new() }; 3];
        let mut connection = Connection::open(port);
        loop {
            let before = self.step.load(Ordering::SeqCst);
            if before == Self::END {
                return seen;
            }
            let answers: String = requests
                .iter()
                .map(|request| {
                    // A worker that ends closes a connection between two requests, as keepalive allows; a new one is served.
                    let response = connection.try_send(request).unwrap_or_else(|| {
                        connection = Connection::open(port);
                        connection.send(request)
                    });
                    // A worker that ends says that it closes the connection.
                    let mut headers = told(&response);
                    headers.retain(|(name, _)| name != "Connection");
                    format!("{} {headers:?} {:?}\n", response.status, response.body)
                })
                .collect();
            if before == self.step.load(Ordering::SeqCst) {
                if let Some(seen) = seen.get_mut(before) {
                    seen.insert(answers);
                }
            }
            self.rounds[client].fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Waits until every client has asked so many times in this step.
    fn let_ask(&self, step: usize, rounds: usize) {
        self.step.store(step, Ordering::SeqCst);
        let before: Vec<_> = self.rounds.iter().map(|round| round.load(Ordering::SeqCst)).collect();
        poll(|| {
            let mut both = self.rounds.iter().zip(&before);
            both.all(|(round, before)| round.load(Ordering::SeqCst) >= before + rounds)
                .then_some(())
        })
        .expect("every client is answered");
    }
}

/// A stricter policy is judged as a candidate first, and then put in force by taking its braces away.
#[test]
fn a_stricter_policy_comes_into_force_under_load_and_those_lose_who_were_named() {
    const WIDE: &str = "cors_allow_origin https://*.example.com https://partner.example;
        cors_allow_credentials https://app.example.com https://partner.example;";
    const STRICT: &str = "cors_allow_origin https://app.example.com https://partner.example;
        cors_allow_credentials https://app.example.com;";
    const SHOP: &str = "https://shop.example.com";
    const PARTNER: &str = "https://partner.example";
    const ORIGINS: [&str; 5] = [APP, OLD, SHOP, PARTNER, STRANGER];
    let http = |policy: &str| {
        format!(
            "cors_zone cors:128k;
            server {{
                {{listen}}
                access_log off;
                keepalive_requests 100000;
                location = /status {{ cors_status json; }}
                location / {{ cors on; {policy} }}
            }}"
        )
    };
    let mut nginx = Nginx::builder().workers(2).http(&http(WIDE)).start();
    let port = nginx.port();
    let clients = Clients {
        step: AtomicUsize::new(0),
        rounds: ORIGINS.iter().map(|_| AtomicUsize::new(0)).collect(),
    };
    let (named, seen) = thread::scope(|scope| {
        let asking: Vec<_> = (0..ORIGINS.len())
            .map(|client| {
                let clients = &clients;
                scope.spawn(move || clients.ask(client, port, ORIGINS[client]))
            })
            .collect();
        clients.let_ask(0, 200);
        // The candidate changes no response, so that the answers of the workers before need not be told apart.
        clients.step.store(1, Ordering::SeqCst);
        nginx.reload_with(&http(&format!("{WIDE} cors_candidate {{ {STRICT} }}")));
        clients.let_ask(1, 200);
        let named = losers(&nginx);
        clients.step.store(Clients::EITHER, Ordering::SeqCst);
        nginx.reload_with(&http(STRICT));
        clients.let_ask(2, 200);
        clients.step.store(Clients::END, Ordering::SeqCst);
        let answers = asking
            .into_iter()
            .map(|client| client.join().expect("no request fails"));
        (named, answers.collect::<Vec<_>>())
    });
    let mut lost = BTreeSet::new();
    for (origin, [before, beside, after]) in ORIGINS.into_iter().zip(seen) {
        assert_eq!((before.len(), after.len()), (1, 1), "{origin}: {before:?} {after:?}");
        assert_eq!(before, beside, "{origin}");
        if before != after {
            lost.insert(origin.to_owned());
        }
    }
    assert_eq!(lost, BTreeSet::from([OLD, SHOP, PARTNER].map(str::to_owned)));
    assert_eq!(named, lost);
}

#[test]
fn who_would_gain_is_logged_and_counted() {
    let nginx = server(&format!(
        "location / {{ {POLICY} cors_candidate {{ cors_allow_origin *; cors_allow_methods PUT DELETE; }} }}"
    ));
    nginx.send(&Request::get("/hello.txt").origin(STRANGER));
    nginx.send(&Request::preflight("/", APP, "DELETE"));
    assert_eq!(
        lines(&nginx),
        [
            "would allow what is denied: origin \"https://stranger.example\" is not in cors_allow_origin",
            "would allow what is denied: method \"DELETE\" is not in cors_allow_methods",
        ]
    );
    let text = nginx.send(&Request::get("/status")).text().to_owned();
    assert!(
        text.contains("nginx_cors_candidate_gains_total{zone=\"cors\",server=\"_\",location=\"/\"} 2"),
        "{text}"
    );
}

#[test]
fn credentials_that_come_or_go_are_told() {
    let given = server(&format!(
        "location / {{ {POLICY} cors_candidate {{ cors_allow_credentials on; }} }}"
    ));
    given.send(&Request::get("/hello.txt").origin(APP));
    assert_eq!(
        lines(&given),
        ["would give credentials to origin \"https://app.example.com\""]
    );
    let taken = server(&format!(
        "location / {{ {POLICY} cors_allow_credentials on; cors_candidate {{ cors_allow_credentials https://old.example.com; }} }}"
    ));
    taken.send(&Request::get("/hello.txt").origin(APP));
    taken.send(&Request::get("/hello.txt").origin(OLD));
    assert_eq!(
        lines(&taken),
        ["would take the credentials from origin \"https://app.example.com\""]
    );
}

#[test]
fn its_result_has_a_variable() {
    let inside = format!("location / {{ {POLICY} cors_candidate {{ cors_allow_origin https://new.example.com; }} }} location /plain {{ {POLICY} }}");
    let requests = [
        Request::get("/hello.txt").origin(APP),
        Request::get("/hello.txt").origin("https://new.example.com"),
        Request::get("/hello.txt"),
        Request::preflight("/", OLD, "DELETE"),
        Request::get("/plain").origin(APP),
    ];
    assert_eq!(
        results(&inside, &requests),
        [
            "allowed/origin_denied",
            "origin_denied/allowed",
            "none/none",
            "method_denied/origin_denied",
            "allowed/"
        ]
    );
}

#[test]
fn what_it_leaves_out_is_that_of_the_policy_in_force() {
    let inside = format!("location / {{ {POLICY} cors_candidate {{ cors_allow_methods DELETE; }} }}");
    let requests = [
        Request::preflight("/", OLD, "DELETE"),
        Request::preflight("/", STRANGER, "DELETE"),
    ];
    assert_eq!(
        results(&inside, &requests),
        ["method_denied/allowed", "origin_denied/origin_denied"]
    );
}

#[test]
fn it_is_inherited_as_its_directives_would_be_without_the_braces() {
    let inside = format!(
        "{POLICY}
        cors_candidate {{ cors_allow_origin https://new.example.com; cors_allow_methods DELETE; }}
        location / {{ }}
        location /own/ {{ cors_allow_origin https://own.example.com; }}
        location /both/ {{ cors_allow_origin https://own.example.com; cors_candidate {{ cors_allow_origin https://app.example.com; }} }}"
    );
    let requests = [
        Request::preflight("/", "https://new.example.com", "DELETE"),
        // The list of the location would go on replacing that of the server.
        Request::preflight("/own/", "https://own.example.com", "DELETE"),
        Request::preflight("/own/", "https://new.example.com", "DELETE"),
        Request::preflight("/both/", APP, "DELETE"),
        Request::preflight("/both/", "https://own.example.com", "DELETE"),
    ];
    assert_eq!(
        results(&inside, &requests),
        [
            "origin_denied/allowed",
            "method_denied/allowed",
            "origin_denied/origin_denied",
            "origin_denied/allowed",
            "method_denied/origin_denied",
        ]
    );
}

#[test]
fn without_the_braces_it_is_in_force() {
    let candidate = "cors_allow_origin https://new.example.com; cors_allow_methods DELETE;";
    let before = format!("cors on; cors_allow_origin {APP}; location / {{ cors_candidate {{ {candidate} }} }}");
    let after = format!("cors on; cors_allow_origin {APP}; location / {{ {candidate} }}");
    let requests: Vec<_> = [APP, "https://new.example.com", STRANGER]
        .iter()
        .flat_map(|origin| ["GET", "DELETE", "PUT"].map(|method| Request::preflight("/", origin, method)))
        .collect();
    let announced = results(&before, &requests);
    let came = results(&after, &requests);
    let announced: Vec<_> = announced.iter().filter_map(|line| line.split('/').nth(1)).collect();
    let came: Vec<_> = came.iter().filter_map(|line| line.split('/').next()).collect();
    assert_eq!(announced, came);
}

#[test]
fn it_follows_the_policy_that_governs() {
    let inside = format!(
        "location / {{ {POLICY} cors_candidate {{ cors_allow_origin https://new.example.com; }} error_page 404 /other; }}
        location = /other {{ cors on; cors_allow_origin https://other.example.com; }}"
    );
    let requests = [Request::get("/missing").origin(APP)];
    assert_eq!(results(&inside, &requests), ["allowed/origin_denied"]);
}

/// What `nginx -t` says of a server with this inside.
fn said(inside: &str) -> String {
    Nginx::builder().server(inside).check().stderr
}

#[test]
fn the_same_rules_hold_for_it() {
    let inside =
        format!("location / {{ {POLICY} cors_allow_credentials on; cors_candidate {{ cors_allow_origin *; }} }}");
    assert!(
        said(&inside).contains("[emerg] \"cors_allow_origin\" has the value \"*\" beside"),
        "{}",
        said(&inside)
    );
    let inside = format!("location / {{ {POLICY} cors_candidate {{ cors_allow_origin https://a.example/; }} }}");
    assert!(said(&inside).contains("[emerg] \"cors_allow_origin\" has the value \"https://a.example/\""));
}

#[test]
fn what_is_wrong_with_the_block_is_named() {
    for (block, expected) in [
        ("cors_candidate { cors on; }", "\"cors_candidate\" has \"cors\" in it"),
        (
            "cors_candidate { add_header X y; }",
            "\"cors_candidate\" has \"add_header\" in it",
        ),
        ("cors_candidate on { }", "\"cors_candidate\" takes no value"),
        (
            "cors_candidate { } cors_candidate { }",
            "\"cors_candidate\" directive is duplicate: it stands at ",
        ),
        (
            "cors_candidate on;",
            "directive \"cors_candidate\" has no opening \"{\"",
        ),
        ("cors_candidate { cors_allow_origin { } }", "unexpected \"{\""),
    ] {
        let said = said(&format!("location / {{ {POLICY} {block} }}"));
        assert!(said.contains("[emerg]") && said.contains(expected), "{block}: {said}");
    }
}

#[test]
fn where_cors_is_off_it_is_of_no_effect() {
    let said = said("location / { cors_candidate { cors_allow_origin https://app.example.com; } }");
    assert!(
        said.contains("[warn] \"cors_candidate\" has no effect: \"cors\" is \"off\" everywhere below"),
        "{said}"
    );
}
