//! The checks of `nginx-cors audit`, on the paths whose policies are meant for somebody.

use std::collections::BTreeMap;
use std::process::Command;

use harness::tool;
use serde_json::Value;

use crate::table::Outcome;

/// What is asked of a path, and for whom it is meant.
const AUDITS: [&[&str]; 5] = [
    &[
        "/cors-1",
        "--path",
        "/cors-1/own-headers",
        "--path",
        "/cors-1/broken",
        "--origin",
        "https://www.foo.com",
        "--credentials",
        "--header",
        "x-header-1",
        "--header",
        "x-header-2",
    ],
    // Without a password: all pages get 401, and may read that.
    &["/cors-1/private", "--origin", "https://www.foo.com"],
    // A pattern is meant to allow what is below.
    &[
        "/cors-1",
        "--origin",
        "https://www.bar.com",
        "--allow",
        "subdomain-allowed",
        "--credentials",
    ],
    // Every method is meant to be granted.
    &[
        "/cors-2",
        "--origin",
        "https://www.foo.com",
        "--method",
        "PUT",
        "--allow",
        "any-method-granted",
    ],
    &[
        "/cors-wildcard-origin",
        "--origin",
        "https://foobar.com",
        "--method",
        "PUT",
    ],
];

/// The outcome of each check; none of those that had nothing to look at.
pub fn audit(port: u16) -> BTreeMap<String, Outcome> {
    let mut outcomes = BTreeMap::new();
    for arguments in AUDITS {
        let (path, arguments) = arguments.split_first().expect("a path");
        let output = Command::new(tool())
            .args(["audit", &format!("http://127.0.0.1:{port}{path}")])
            .args(["--rate", "10000", "--format", "json"])
            .args(arguments)
            .output()
            .expect("the tool runs");
        let error = String::from_utf8_lossy(&output.stderr);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{path}: {error}"));
        for check in list(&report, "checks") {
            let id = text(check, "id");
            match text(check, "result") {
                "found" => {
                    let mut findings = list(&report, "findings").iter();
                    let finding = findings.find(|finding| text(finding, "id") == id).expect("a finding");
                    let what = format!("{}: {}", text(finding, "request"), text(finding, "message"));
                    outcomes.insert(id.to_owned(), Outcome::Failed(what));
                }
                "passed" => {
                    outcomes.entry(id.to_owned()).or_insert(Outcome::Passed);
                }
                _ => {}
            }
        }
    }
    outcomes
}

fn list<'v>(report: &'v Value, name: &str) -> &'v [Value] {
    report[name].as_array().expect("a list")
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().expect("a text")
}
