//! `nginx-cors lint` on the configurations of tests/corpus: each has an `expected.toml`, written by hand, with what is to be
//! found in it. Most are made after what people publish; some are right, and nothing may be found in them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is said of a configuration.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[allow(dead_code)]
    about: String,
    /// What `nginx -t` does with it; a test of the crate `tests` looks whether it does.
    #[allow(dead_code)]
    nginx: String,
    /// Each as `file:line identifier`.
    findings: Vec<String>,
}

fn corpus() -> BTreeMap<PathBuf, Expected> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus");
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let text = fs::read_to_string(path.join("expected.toml")).unwrap();
            let expected = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, expected)
        })
        .collect()
}

fn found(directory: &Path) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_nginx-cors"))
        .args(["lint", "--format", "json"])
        .arg(directory.join("nginx.conf"))
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}: {}", directory.display(), String::from_utf8_lossy(&output.stderr)));
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!findings.is_empty())));
    let mut found: Vec<_> = findings
        .iter()
        .map(|finding| {
            let file = Path::new(finding["file"].as_str().unwrap());
            let file = file.strip_prefix(directory).unwrap().display();
            format!("{file}:{} {}", finding["line"], finding["id"].as_str().unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn what_is_expected_is_found_and_nothing_else() {
    let corpus = corpus();
    assert!(corpus.len() >= 65, "{}", corpus.len());
    let mut wrong = Vec::new();
    for (directory, Expected { mut findings, .. }) in corpus {
        findings.sort();
        let found = found(&directory);
        if found != findings {
            let name = directory.file_name().unwrap().to_string_lossy().into_owned();
            wrong.push(format!("{name}: expected {findings:#?}, found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_fault_is_in_some_configuration() {
    let output = Command::new(env!("CARGO_BIN_EXE_nginx-cors"))
        .args(["lint", "--format", "sarif", "--allow", "include-not-read"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/fonts-for-everyone/nginx.conf"))
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rules = report["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().iter();
    let known: BTreeSet<_> = rules.map(|rule| rule["id"].as_str().unwrap().to_owned()).collect();
    let corpus = corpus();
    let expected = corpus.values().flat_map(|expected| &expected.findings);
    let expected: BTreeSet<_> = expected
        .map(|finding| finding.rsplit(' ').next().unwrap().to_owned())
        .collect();
    let missing: Vec<_> = known.difference(&expected).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
