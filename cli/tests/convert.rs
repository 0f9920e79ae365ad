//! `nginx-cors convert` as it is called.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const OPEN: &str = "server {\n    # public\n    add_header Access-Control-Allow-Origin *;\n}\n";
const REFLECTING: &str =
    "add_header Access-Control-Allow-Origin $http_origin;\nadd_header Access-Control-Allow-Credentials true;\n";

fn written(text: &[u8]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("site.conf");
    fs::write(&file, text).unwrap();
    (directory, file)
}

fn convert(arguments: &[&str], file: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nginx-cors"));
    command.arg("convert").args(arguments).arg(file).output().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn a_diff_is_shown_and_nothing_is_written() {
    let (_directory, file) = written(OPEN.as_bytes());
    let output = convert(&[], &file);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let name = file.display();
    assert_eq!(
        out(&output),
        format!(
            "--- {name}\n+++ {name}\n@@ -1,4 +1,5 @@\n server {{\n     # public\n\
             -    add_header Access-Control-Allow-Origin *;\n+    cors on;\n+    cors_allow_origin *;\n }}\n"
        )
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), OPEN);
}

#[test]
fn a_written_file_has_its_backup_beside_it() {
    let (directory, file) = written(OPEN.as_bytes());
    let output = convert(&["--write"], &file);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(fs::read_to_string(&file).unwrap().contains("cors_allow_origin *;"));
    assert_eq!(
        fs::read_to_string(directory.path().join("site.conf.bak")).unwrap(),
        OPEN
    );
    assert!(
        err(&output).contains("site.conf.bak has what it was"),
        "{}",
        err(&output)
    );
    // Nothing is left to be converted.
    assert_eq!(out(&convert(&["--write"], &file)), "");
    assert!(!directory.path().join("site.conf.bak.1").exists());
}

#[test]
fn what_is_left_is_told_with_its_place_and_ends_with_1() {
    let (_directory, file) = written(REFLECTING.as_bytes());
    let output = convert(&[], &file);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(out(&output), "");
    let told = format!("{}:1: left as it is: every origin is sent back", file.display());
    assert!(err(&output).starts_with(&told), "{}", err(&output));
}

#[test]
fn json_says_what_was_changed_and_what_was_left() {
    let (_directory, file) = written(OPEN.as_bytes());
    let output = convert(&["--format", "json"], &file);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let converted = &report["converted"][0];
    assert_eq!(converted["line"], 3);
    assert_eq!(converted["directives"][1], "cors_allow_origin *;");
    assert!(report["diff"].as_str().unwrap().contains("+    cors on;"));

    let (_directory, file) = written(REFLECTING.as_bytes());
    let output = convert(&["--format", "json"], &file);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["left"][0]["line"], 1);
}

#[test]
fn what_cannot_be_read_ends_with_2_and_says_why() {
    for (text, why) in [
        (&b"http {"[..], "site.conf:1: expected '}'"),
        (b"\x7fELF\0\0", "it is no text"),
        (b"include site.conf;", "includes itself"),
        (&b"a b;\n".repeat(20 << 20), "larger than 8 MiB"),
        (&b"location / {\n".repeat(100_000), "more than 100 times"),
    ] {
        let (_directory, file) = written(text);
        let output = convert(&[], &file);
        assert_eq!(output.status.code(), Some(2), "{why}");
        assert!(err(&output).contains(why), "{}", err(&output));
        assert_eq!(out(&output), "");
    }
}

#[test]
fn a_backup_is_hidden_from_an_include_that_would_take_it_for_a_site() {
    let directory = tempfile::tempdir().unwrap();
    let sites = directory.path().join("sites");
    fs::create_dir(&sites).unwrap();
    let main = directory.path().join("nginx.conf");
    fs::write(&main, "http {\n    include sites/*;\n}\n").unwrap();
    fs::write(sites.join("shop"), OPEN).unwrap();
    let output = convert(&["--write", "--no-load-module"], &main);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(fs::read_to_string(sites.join(".shop.bak")).unwrap(), OPEN);
}
