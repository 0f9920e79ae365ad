//! `nginx-cors lint` and `nginx-cors convert` on the configurations of tests/corpus: each has an `expected.toml`, written by hand, with what is to be
//! found in it. Most are made after what people publish; some are right, and nothing may be found in them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
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

/// What `convert` makes of a configuration: what it leaves, what it notes, and the diff.
fn converted(directory: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_nginx-cors"))
        .args(["convert", "nginx.conf"])
        .current_dir(directory)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_ne!(output.status.code(), Some(2), "{}: {told}", directory.display());
    format!("{told}{}", String::from_utf8(output.stdout).unwrap())
}

#[test]
fn what_convert_writes_is_what_is_kept_beside_each_configuration() {
    let mut wrong = Vec::new();
    for directory in corpus().into_keys() {
        let file = directory.join("converted.txt");
        let found = converted(&directory);
        if env::var_os("UPDATE_CORPUS").is_some() {
            fs::write(&file, &found).unwrap();
        }
        if fs::read_to_string(&file).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", directory.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "UPDATE_CORPUS=1 writes them anew:\n{}",
        wrong.join("\n")
    );
}

/// Copies a configuration with its files.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap().path();
        let name = to.join(entry.file_name().unwrap());
        match entry.is_dir() {
            true => copy(&entry, &name),
            false => drop(fs::copy(&entry, &name).unwrap()),
        }
    }
}

#[test]
fn what_was_converted_stays_and_has_no_fault_that_was_not_there() {
    for (directory, expected) in corpus() {
        let copied = tempfile::tempdir().unwrap();
        copy(&directory, copied.path());
        let convert = || {
            let output = Command::new(env!("CARGO_BIN_EXE_nginx-cors"))
                .args(["convert", "--write", "nginx.conf"])
                .current_dir(copied.path())
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let first = convert();
        let second = convert();
        assert_eq!(second, "", "{}: after\n{first}", directory.display());
        let id = |finding: &String| finding.rsplit(' ').next().unwrap().to_owned();
        let mut known: BTreeSet<_> = expected.findings.iter().map(id).collect();
        // A location that answers everything with an error answers preflights so, before and after; of that it is told only
        // where a policy stands.
        known.insert("preflight-not-ok".to_owned());
        let new: Vec<_> = found(copied.path())
            .into_iter()
            .filter(|finding| !known.contains(&id(finding)))
            .collect();
        assert!(new.is_empty(), "{}: {new:?} after\n{first}", directory.display());
    }
}
