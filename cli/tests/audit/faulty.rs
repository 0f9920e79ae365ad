//! Servers with faults that are often made: each is found, and nothing else.

use crate::server::{right, serve, Answer, Asked, APP};
use crate::{audit, err, ids, is_app, right_answer};

/// Audits a server whose pages use PUT and JSON.
fn found(answer: fn(&Asked) -> Answer) -> Vec<String> {
    found_with(answer, &[])
}

fn found_with(answer: fn(&Asked) -> Answer, arguments: &[&str]) -> Vec<String> {
    let common = ["--method", "PUT", "--header", "Content-Type", "--format", "json"];
    let output = audit(serve(answer), &[&common, arguments].concat());
    let ids = ids(&output);
    let code = if ids.is_empty() { 0 } else { 1 };
    assert_eq!(output.status.code(), Some(code), "{}", err(&output));
    ids
}

#[test]
fn any_origin_is_sent_back_with_credentials() {
    let found = found_with(
        |asked| right(asked, |_| true).with("Access-Control-Allow-Credentials", "true"),
        &["--credentials"],
    );
    // The header is sent also where there is no Origin to send back.
    assert_eq!(found, ["reflected-with-credentials", "without-allow-origin"]);
}

#[test]
fn the_end_of_the_origin_is_compared() {
    assert_eq!(
        found(|asked| right(asked, |origin| origin.ends_with("example.com"))),
        [
            "origin-with-prefix",
            "subdomain-allowed",
            "insecure-origin-allowed",
            "malformed-origin-sent-back",
        ]
    );
}

#[test]
fn the_beginning_of_the_origin_is_compared() {
    assert_eq!(
        found(|asked| right(asked, |origin| origin.starts_with(APP))),
        [
            "origin-with-suffix",
            "other-port-allowed",
            "user-info-allowed",
            "trailing-dot-allowed",
            "path-allowed",
            "malformed-origin-sent-back",
        ]
    );
}

#[test]
fn a_regular_expression_has_bare_dots() {
    // As ^https://app.example.com$ does.
    assert_eq!(
        found(|asked| right(asked, |origin| {
            let (front, back) = ("https://app", "example.com");
            origin.len() == APP.len() && origin.starts_with(front) && origin.ends_with(back)
        })),
        ["dot-for-any-character"]
    );
}

#[test]
fn everyone_is_allowed_with_credentials() {
    assert_eq!(
        found(|asked| {
            let is_preflight = asked.is_preflight();
            let answer = right(asked, |_| true)
                .without("Access-Control-Allow-Origin")
                .with("Access-Control-Allow-Origin", "*")
                .with("Access-Control-Allow-Credentials", "true");
            match is_preflight {
                true => answer,
                false => answer.without("Vary"),
            }
        }),
        ["wildcard-with-credentials"]
    );
}

#[test]
fn errors_and_answers_for_strangers_are_left_out() {
    // add_header without "always", and Vary beside it under the same condition.
    assert_eq!(
        found(|asked| {
            let answer = right_answer(asked);
            match (answer.status, asked.origin()) {
                (400.., _) => answer.bare(),
                (_, Some(APP)) => answer,
                _ => answer.without("Vary"),
            }
        }),
        [
            "missing-vary-for-strangers",
            "missing-vary-without-origin",
            "not-found-without-headers",
            "method-refused-without-headers"
        ]
    );
}

#[test]
fn proxy_and_application_both_send_the_header() {
    assert_eq!(
        found(|asked| {
            let answer = right_answer(asked);
            match asked.is_preflight() || asked.origin() != Some(APP) {
                true => answer,
                false => answer.with("Access-Control-Allow-Origin", "*"),
            }
        }),
        ["allowed-origin-refused", "several-origin-lines"]
    );
}

#[test]
fn preflights_have_to_be_signed_in() {
    assert_eq!(
        found_with(
            |asked| match asked.only("Authorization") {
                Some(_) => right_answer(asked),
                None => Answer::new(401).with("WWW-Authenticate", "Basic realm=\"staff\""),
            },
            &["--header", "Authorization: Basic bWU6c2VjcmV0"]
        ),
        ["preflight-behind-authentication"]
    );
}

#[test]
fn preflights_are_redirected() {
    assert_eq!(
        found(|asked| match asked.method.as_str() {
            "OPTIONS" => Answer::new(301).with("Location", "/en/"),
            _ => right_answer(asked),
        }),
        ["preflight-redirected"]
    );
}

#[test]
fn origins_of_developers_are_left_in() {
    assert_eq!(
        found(|asked| right(asked, |origin| {
            is_app(origin) || origin == "null" || origin == "http://localhost:3000"
        })),
        ["null-origin", "loopback-origin"]
    );
}

#[test]
fn every_page_may_open_a_websocket() {
    assert_eq!(
        found(|asked| match asked.only("Upgrade") {
            Some("websocket") => Answer::new(101),
            _ => right_answer(asked),
        }),
        ["websocket-for-strangers"]
    );
}

#[test]
fn values_that_no_browser_takes() {
    assert_eq!(
        found(|asked| {
            let answer = right_answer(asked);
            if !asked.is_preflight() || asked.origin() != Some(APP) {
                return answer;
            }
            answer
                .without("Access-Control-Max-Age")
                .with("Access-Control-Max-Age", "1h")
                .without("Access-Control-Allow-Methods")
                .with("Access-Control-Allow-Methods", "get, put")
                .with("Access-Control-Allow-Header", "X-Client")
        }),
        ["malformed-max-age", "method-in-lower-case", "misspelt-header"]
    );
}

#[test]
fn each_options_is_swallowed_and_grants_whatever_is_asked_for() {
    assert_eq!(
        found(|asked| match asked.method.as_str() {
            "OPTIONS" => {
                let method = asked.only("Access-Control-Request-Method").unwrap_or("GET");
                Answer::new(204)
                    .with("Vary", "Origin")
                    .with("Access-Control-Allow-Origin", APP)
                    .with("Access-Control-Allow-Methods", method)
                    .with("Access-Control-Allow-Headers", "Content-Type")
            }
            _ => right_answer(asked),
        }),
        ["any-method-granted", "two-methods-taken", "options-swallowed"]
    );
}

#[test]
fn a_page_of_the_server_itself_is_refused() {
    assert_eq!(
        found(|asked| {
            let answer = right_answer(asked);
            match asked.origin() {
                Some(origin) if !is_app(origin) => Answer { status: 403, ..answer },
                _ => answer,
            }
        }),
        ["same-origin-refused"]
    );
}
