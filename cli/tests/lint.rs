//! `nginx-cors lint` as it is called.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Lints `text` as a file of its own.
fn lint(arguments: &[&str], text: &str) -> Output {
    let (_directory, file) = written(text.as_bytes());
    lint_file(arguments, &file)
}

fn written(text: &[u8]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("nginx.conf");
    fs::write(&file, text).unwrap();
    (directory, file)
}

fn lint_file(arguments: &[&str], file: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nginx-cors"));
    command.arg("lint").args(arguments).arg(file).output().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// The identifiers of what was found.
fn ids(output: &Output) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect()
}

const ONE_WARNING: &str = "add_header Access-Control-Allow-Origin *;\n";
const RIGHT: &str = "add_header Access-Control-Allow-Origin * always;\n";
const ONE_NOTE: &str = "location / { proxy_pass http://127.0.0.1:1; add_header Access-Control-Max-Age 999999; }\n";

#[test]
fn nothing_found_ends_with_0() {
    let output = lint(&[], RIGHT);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(out(&output), "nothing found in 1 file\n");
}

#[test]
fn something_found_ends_with_1_and_is_shown_with_its_line() {
    let output = lint(&[], ONE_WARNING);
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "warning[missing-always]",
        "nginx.conf:1:1",
        "1 | add_header Access-Control-Allow-Origin *;",
        "why: ",
        "try: curl -si -H 'Origin: https://app.example.com' http://localhost/no-such-file",
        "remedy: write \"add_header Access-Control-Allow-Origin * always;\"",
        "see: docs/lint.md#missing-always",
        "1 warning in 1 file",
    ] {
        assert!(out(&output).contains(part), "{part}: {}", out(&output));
    }
}

#[test]
fn a_pipe_gets_no_colours() {
    assert!(!out(&lint(&[], ONE_WARNING)).contains('\u{1b}'));
}

#[test]
fn what_cannot_be_read_ends_with_2_and_says_why() {
    for (text, why) in [
        (&b"http {"[..], "nginx.conf:1: expected '}'"),
        (b"\x7fELF\0\0", "it is no text"),
    ] {
        let (_directory, file) = written(text);
        let output = lint_file(&[], &file);
        assert_eq!(output.status.code(), Some(2), "{why}");
        assert!(err(&output).contains(why), "{}", err(&output));
        assert_eq!(out(&output), "");
    }
    let output = lint_file(&[], Path::new("/nowhere/nginx.conf"));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).starts_with("error: /nowhere/nginx.conf: No such file"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_configuration_of_a_hundred_megabytes_ends_with_2() {
    let (_directory, file) = written(&b"a b;\n".repeat(20 << 20));
    let output = lint_file(&[], &file);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("larger than 8 MiB"), "{}", err(&output));
}

#[test]
fn blocks_in_blocks_end_with_2() {
    let output = lint(&[], &"location / {\n".repeat(100_000));
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("more than 100 times"), "{}", err(&output));
}

#[test]
fn a_level_leaves_out_what_is_less_bad() {
    assert_eq!(lint(&["--level", "warning"], ONE_NOTE).status.code(), Some(0));
    assert_eq!(lint(&["--level", "note"], ONE_NOTE).status.code(), Some(1));
}

#[test]
fn what_is_allowed_is_left_out() {
    assert_eq!(lint(&["--allow", "missing-always"], ONE_WARNING).status.code(), Some(0));
}

#[test]
fn what_is_denied_is_an_error_on_every_level() {
    let output = lint(&["--level", "error", "--deny", "max-age-too-long"], ONE_NOTE);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).starts_with("error[max-age-too-long]"), "{}", out(&output));
}

#[test]
fn an_identifier_that_there_is_not_ends_with_2_and_the_nearest_one() {
    let output = lint(&["--deny", "missing-allways"], RIGHT);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("\"missing-always\" is the nearest"),
        "{}",
        err(&output)
    );
}

#[test]
fn several_files_are_told_of_one_after_the_other() {
    let (_one, first) = written(ONE_WARNING.as_bytes());
    let (_two, second) = written(ONE_NOTE.as_bytes());
    let output = lint_file(&["--format", "json", first.to_str().unwrap()], &second);
    assert_eq!(ids(&output), ["missing-always", "max-age-too-long"]);
}

#[test]
fn included_files_belong_to_the_prefix() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("sites")).unwrap();
    fs::write(directory.path().join("cors.conf"), ONE_WARNING).unwrap();
    let site = directory.path().join("sites/shop.conf");
    fs::write(&site, "location / { include cors.conf; }").unwrap();
    let prefix = directory.path().to_str().unwrap();
    let output = lint_file(&["--format", "json", "--prefix", prefix], &site);
    assert_eq!(ids(&output), ["missing-always"]);
    assert_eq!(ids(&lint_file(&["--format", "json"], &site)), ["include-not-read"]);
}

#[test]
fn sarif_has_rules_and_results_with_their_places() {
    let output = lint(&["--format", "sarif"], ONE_WARNING);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["version"], "2.1.0");
    let run = &report["runs"][0];
    let result = &run["results"][0];
    assert_eq!(result["ruleId"], "missing-always");
    assert_eq!(result["level"], "warning");
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "missing-always");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["region"]["startLine"], &place["region"]["startColumn"]),
        (&1.into(), &1.into())
    );
    assert!(place["artifactLocation"]["uri"]
        .as_str()
        .unwrap()
        .ends_with("nginx.conf"));
}

#[test]
fn a_fault_is_explained() {
    let output = Command::new(env!("CARGO_BIN_EXE_nginx-cors"))
        .args(["lint", "--explain", "missing-vary"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        out(&output).starts_with("missing-vary: Caches mix up the answers"),
        "{}",
        out(&output)
    );
}
