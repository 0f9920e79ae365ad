//! `nginx-cors check-list` as it is called.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn check_list(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nginx-cors"))
        .arg("check-list")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn a_valid_list_ends_with_0() {
    let output = check_list(&["-"], "https://a.example\n");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).starts_with("-: valid, 1 entry, digest "), "{output:?}");
    // No progress is shown where nobody looks.
    assert_eq!(err(&output), "");
}

#[test]
fn a_wrong_list_ends_with_1() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "https://a.example\nhttps://b.example/\n").unwrap();
    let path = file.path().to_str().unwrap();
    let output = check_list(&[path], "");
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(out(&output).starts_with(&format!("{path}:2: ")), "{output:?}");
}

#[test]
fn a_list_that_cannot_be_read_ends_with_2_and_says_why() {
    let output = check_list(&["/nowhere/list.txt"], "");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(out(&output), "");
    assert!(
        err(&output).starts_with("error: /nowhere/list.txt cannot be opened: No such file"),
        "{output:?}"
    );
}

#[test]
fn json_has_what_the_text_has() {
    let output = check_list(&["--key", "--format", "json", "-"], "acme http://a.example\n");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["valid"], true);
    assert_eq!(report["entries"], 1);
    assert_eq!(report["needs_cors_unsafe"][0]["value"], "insecure_origins");

    let output = check_list(&["--format", "json", "-"], "a.example\n");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["valid"], &report["faults"][0]["line"]),
        (&false.into(), &1.into())
    );
}

#[test]
fn help_says_what_the_exit_status_means() {
    let output = Command::new(env!("CARGO_BIN_EXE_nginx-cors"))
        .arg("--help")
        .output()
        .unwrap();
    assert!(
        out(&output).contains("Exit status: 0 if nothing was found"),
        "{output:?}"
    );
}
