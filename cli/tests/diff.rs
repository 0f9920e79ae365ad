//! `nginx-cors diff` as it is called, with programs that are no nginx. With nginx it is tried in tests/module.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const SITE: &str = "http {\n server {\n  listen 80;\n }\n}\n";

/// Compares two configurations with a script in the place of nginx.
fn diff(directory: &Path, old: &str, new: &str, script: &str) -> Output {
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let nginx = write("nginx", &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&nginx, fs::Permissions::from_mode(0o755)).unwrap();
    let (old, new) = (write("old.conf", old), write("new.conf", new));
    let mut command = Command::new(env!("CARGO_BIN_EXE_nginx-cors"));
    command.arg("diff").args([old, new]).arg("--nginx").arg(nginx);
    command.output().unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn what_might_connect_elsewhere_is_not_started() {
    let directory = tempfile::tempdir().unwrap();
    let with_js = "http {\n server {\n  location / {\n   js_content main.a;\n  }\n }\n}\n";
    let output = diff(directory.path(), SITE, with_js, "echo configure arguments: >&2");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("new.conf:4: \"js_content\" may connect"),
        "{}",
        err(&output)
    );
}

#[test]
fn a_program_that_is_no_nginx_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let output = diff(directory.path(), SITE, SITE, "echo hello");
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("is no nginx"), "{}", err(&output));
}

#[test]
fn what_nginx_refuses_is_told_with_the_line_of_the_user() {
    let directory = tempfile::tempdir().unwrap();
    let script = "case \"$*\" in\n*-V*) echo configure arguments: >&2 ;;\n\
                  *) echo \"nginx: [emerg] unknown directive \\\"x\\\" in $4:$(grep -n listen $4 | cut -d: -f1)\" >&2; exit 1 ;;\nesac";
    let output = diff(directory.path(), SITE, SITE, script);
    assert_eq!(output.status.code(), Some(2));
    let told = err(&output);
    assert!(
        told.contains("old.conf: nginx refuses it: unknown directive \"x\" in "),
        "{told}"
    );
    assert!(
        told.contains("old.conf:3; the module that has it is not in this nginx"),
        "{told}"
    );
}

#[test]
fn a_part_of_a_configuration_cannot_be_started() {
    let directory = tempfile::tempdir().unwrap();
    let output = diff(directory.path(), "server { }", SITE, "echo configure arguments: >&2");
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("it has no \"http\" block"), "{}", err(&output));
}

#[test]
fn one_that_ends_as_soon_as_it_is_started_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let script =
        "case \"$*\" in\n*-V*) echo configure arguments: >&2 ;;\n*-t*) exit 0 ;;\n*) echo no luck; exit 1 ;;\nesac";
    let start = Instant::now();
    let output = diff(directory.path(), SITE, SITE, script);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("ends as soon as it is started: no luck"),
        "{}",
        err(&output)
    );
    assert!(start.elapsed() < Duration::from_secs(25));
}
