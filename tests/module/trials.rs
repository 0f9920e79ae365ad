//! `nginx-cors diff` with a real nginx.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use harness::{module, poll, terminate_process, tool};
use serde_json::Value;

/// Compares two configurations, given by what stands in their one location.
fn diff(directory: &Path, old: &str, new: &str) -> Output {
    let [old, new] = [("old.conf", old), ("new.conf", new)].map(|(name, lines)| {
        let file = directory.join(name);
        let location = format!("location /api/ {{ {lines} proxy_pass http://app.example.com:3000; }}");
        let server = format!(
            "server {{ listen 192.0.2.1:443 ssl; ssl_certificate a.pem; ssl_certificate_key a.key; {location} }}"
        );
        let load = if lines.contains("cors on") {
            "load_module modules/ngx_http_cors_module.so;"
        } else {
            ""
        };
        fs::write(&file, format!("{load} user nobody; events {{ }} http {{ {server} }}")).expect("a new file");
        file
    });
    command(&old, &new).output().expect("the tool runs")
}

fn command(old: &Path, new: &Path) -> Command {
    let mut command = Command::new(tool());
    command.arg("diff").args([old, new]).args(["--format", "json"]);
    command
        .arg("--nginx")
        .arg(harness::nginx())
        .arg("--module")
        .arg(module());
    command
}

/// Who gains or loses what.
fn differences(output: &Output) -> Vec<String> {
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let differences = report["differences"].as_array().expect("differences").iter();
    let text = |difference: &Value, name: &str| difference[name].as_str().expect("a text").to_owned();
    differences
        .map(|difference| ["who", "change", "text"].map(|name| text(difference, name)).join(" "))
        .collect()
}

const ADDED: &str =
    "add_header Access-Control-Allow-Origin https://a.example.com always; add_header Vary Origin always;";

#[test]
fn a_configuration_does_what_it_does() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = diff(directory.path(), ADDED, ADDED);
    assert_eq!(differences(&output), [""; 0]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_policy_that_allows_another_origin_takes_from_one_and_gives_to_another() {
    let directory = tempfile::tempdir().expect("a directory");
    let policy = "cors on; cors_allow_origin https://b.example.com;";
    let output = diff(directory.path(), ADDED, policy);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        differences(&output),
        [
            "https://a.example.com loses reads responses to GET",
            "https://a.example.com loses reads responses to HEAD",
            "https://a.example.com loses reads responses to POST",
            "https://a.example.com loses reads errors",
            "https://b.example.com gains reads responses to GET",
            "https://b.example.com gains reads responses to HEAD",
            "https://b.example.com gains reads responses to POST",
            "https://b.example.com gains reads errors",
        ]
    );
}

#[test]
fn methods_headers_and_credentials_are_told_apart() {
    let directory = tempfile::tempdir().expect("a directory");
    let old = "cors on; cors_allow_origin https://a.example.com; cors_allow_methods PUT;";
    let new = "cors on; cors_allow_origin https://a.example.com; cors_allow_headers X-A; cors_allow_credentials on;";
    let told = differences(&diff(directory.path(), old, new));
    for expected in [
        "https://a.example.com loses sends requests with the method PUT",
        "https://a.example.com gains sends the header x-a",
        "https://a.example.com gains reads responses to GET, with credentials",
    ] {
        assert!(told.iter().any(|line| line == expected), "{expected}: {told:#?}");
    }
}

#[test]
fn what_nginx_refuses_is_told_in_the_file_of_the_user() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = diff(directory.path(), ADDED, "cors on; cors_allow_origin app.example.com;");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("the scheme is missing") && told.contains("new.conf:1"),
        "{told}"
    );
}

/// The processes that a process has started.
fn children(id: u32) -> Vec<u32> {
    let file = format!("/proc/{id}/task/{id}/children");
    let text = fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

#[test]
fn nothing_is_left_of_a_trial_that_is_interrupted() {
    let directory = tempfile::tempdir().expect("a directory");
    let locations: String = (0..2000)
        .map(|n| format!("location /{n}/ {{ add_header Access-Control-Allow-Origin *; return 200 ok; }}\n"))
        .collect();
    let file = directory.path().join("nginx.conf");
    fs::write(&file, format!("events {{ }} http {{ server {{ {locations} }} }}")).expect("a new file");
    let temporary = directory.path().join("tmp");
    fs::create_dir(&temporary).expect("a new directory");
    let mut tool = command(&file, &file)
        .env("TMPDIR", &temporary)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the tool runs");
    // Both serve.
    let started = poll(|| Some(children(tool.id())).filter(|children| children.len() == 2)).expect("both are started");
    terminate_process(tool.id()).expect("a process that runs");
    let status = tool.wait().expect("its end");
    assert_eq!(status.code(), Some(2));
    for id in started {
        assert!(!Path::new(&format!("/proc/{id}")).exists(), "{id} runs");
    }
    assert_eq!(fs::read_dir(&temporary).expect("a readable directory").count(), 0);
}
