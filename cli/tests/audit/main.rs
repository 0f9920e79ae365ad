//! `nginx-cors audit` as it is called.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod faulty;
mod hostile;
mod server;

use std::process::{Command, Output};

use serde_json::Value;

use self::server::{right, serve, Answer, Asked, APP};

/// Audits a server as fast as it answers.
fn audit(port: u16, arguments: &[&str]) -> Output {
    audit_at_rate("10000", port, arguments)
}

fn audit_at_rate(rate: &str, port: u16, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nginx-cors"))
        .arg("audit")
        .arg(format!("http://127.0.0.1:{port}/"))
        .args(["--origin", APP, "--rate", rate])
        .args(arguments)
        .output()
        .unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", err(output)))
}

/// The identifiers of what was found, in the order of the checks.
fn ids(output: &Output) -> Vec<String> {
    let report = json(output);
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect()
}

fn is_app(origin: &str) -> bool {
    origin == APP
}

fn right_answer(asked: &Asked) -> Answer {
    right(asked, is_app)
}

/// `Vary` is missing for strangers.
fn without_vary(asked: &Asked) -> Answer {
    let answer = right_answer(asked);
    match asked.origin() {
        Some(APP) => answer,
        _ => answer.without("Vary"),
    }
}

#[test]
fn nothing_found_ends_with_0() {
    let output = audit(serve(right_answer), &["--method", "PUT", "--header", "Content-Type"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
    assert!(out(&output).starts_with("check "), "{}", out(&output));
    assert!(out(&output).contains("\n0 found, "), "{}", out(&output));
    // No progress is shown where nobody looks.
    assert_eq!(err(&output), "");
}

#[test]
fn something_found_ends_with_1_and_is_shown_with_the_answer() {
    let output = audit(serve(without_vary), &[]);
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "warning[missing-vary-for-strangers]",
        "GET http://127.0.0.1:",
        "HTTP/1.1 200",
        "there is no Vary",
        "why: ",
        "try: curl -si -H 'Origin: https://stranger.example' http://127.0.0.1:",
        "remedy: send \"Vary: Origin\"",
        "see: docs/audit.md#missing-vary-for-strangers",
        "missing-vary-for-strangers         warning   found\n",
        "null-origin                        error     passed\n",
        "websocket-for-strangers            error     not applicable: no path opens a WebSocket\n",
        "\n2 found, ",
    ] {
        assert!(out(&output).contains(part), "{part}: {}", out(&output));
    }
}

#[test]
fn a_pipe_gets_no_colours() {
    assert!(!out(&audit(serve(without_vary), &[])).contains('\u{1b}'));
}

#[test]
fn json_has_the_findings_and_all_checks() {
    let report = json(&audit(serve(without_vary), &["--format", "json"]));
    let finding = &report["findings"][0];
    assert_eq!(finding["id"], "missing-vary-for-strangers");
    assert_eq!(finding["severity"], "warning");
    assert!(
        finding["response"].as_str().unwrap().starts_with("HTTP/1.1 200\n"),
        "{finding}"
    );
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.len() >= 30, "{}", checks.len());
    let check = checks.iter().find(|check| check["id"] == "null-origin").unwrap();
    assert_eq!(check["result"], "passed");
}

#[test]
fn sarif_has_rules_and_results_with_the_address() {
    let report = json(&audit(serve(without_vary), &["--format", "sarif"]));
    assert_eq!(report["version"], "2.1.0");
    let run = &report["runs"][0];
    let result = &run["results"][0];
    assert_eq!(result["ruleId"], "missing-vary-for-strangers");
    assert_eq!(result["level"], "warning");
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(
        run["tool"]["driver"]["rules"][index]["id"],
        "missing-vary-for-strangers"
    );
    let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert!(uri.as_str().unwrap().starts_with("http://127.0.0.1:"), "{uri}");
}

#[test]
fn a_level_and_a_check_are_left_out() {
    let found = |arguments: &[&str]| {
        let arguments = [&["--format", "json"], arguments].concat();
        ids(&audit(serve(without_vary), &arguments))
    };
    assert_eq!(
        found(&["--allow", "missing-vary-for-strangers"]),
        ["missing-vary-without-origin"]
    );
    assert_eq!(found(&["--level", "error"]), [""; 0]);
}

#[test]
fn a_check_that_there_is_not_ends_with_2_and_the_nearest_one() {
    let output = audit(1, &["--allow", "missing-varry"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("\"missing-vary\" is the nearest"),
        "{}",
        err(&output)
    );
}

#[test]
fn more_requests_than_the_limit_are_not_begun() {
    let output = audit(1, &["--limit", "10"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("--limit allows 10"), "{}", err(&output));
}

#[test]
fn an_origin_that_no_page_has_is_refused() {
    let output = audit(1, &["--origin", "https://app.example.com/"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("no page has the origin"), "{}", err(&output));
}

#[test]
fn a_path_is_asked_for_too() {
    let output = audit(
        serve(|asked| {
            let answer = right_answer(asked);
            match asked.target.starts_with("/open/") && asked.origin() == Some("null") {
                true => answer.with("Access-Control-Allow-Origin", "null"),
                false => answer,
            }
        }),
        &["--path", "/open/", "--format", "json"],
    );
    assert_eq!(ids(&output), ["null-origin"]);
    assert!(json(&output)["findings"][0]["url"]
        .as_str()
        .unwrap()
        .ends_with("/open/"));
}

#[test]
fn a_given_header_goes_with_all_requests_but_preflights() {
    let output = audit(
        serve(|asked| {
            let is_signed_in = asked.only("Authorization") == Some("Bearer secret");
            match is_signed_in != asked.is_preflight() || asked.method == "OPTIONS" {
                true => right_answer(asked),
                false => Answer::new(500),
            }
        }),
        &["--header", "Authorization: Bearer secret", "--format", "json"],
    );
    // The right answer does not grant it.
    assert_eq!(ids(&output), ["header-not-granted"]);
    assert!(!out(&output).contains("secret"), "{}", out(&output));
}

#[test]
fn the_rate_is_kept() {
    let start = std::time::Instant::now();
    let output = audit_at_rate("100", serve(right_answer), &["--format", "json"]);
    let requests = json(&output)["requests"].as_u64().unwrap();
    let least = std::time::Duration::from_millis((requests - 1) * 10);
    assert!(start.elapsed() >= least, "{requests} requests in {:?}", start.elapsed());
}

#[test]
fn a_check_is_explained() {
    let output = Command::new(env!("CARGO_BIN_EXE_nginx-cors"))
        .args(["audit", "--explain", "missing-vary"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        out(&output).starts_with("missing-vary: Caches mix up the answers for different origins (warning)"),
        "{}",
        out(&output)
    );
}
