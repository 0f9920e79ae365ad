//! `nginx-cors audit` against the module: where the policy is right, nothing is found.

use std::process::{Command, Output};

use harness::{tool, Nginx, Upstream};
use serde_json::Value;

use crate::APP;

/// A site as it should be: files, an application that sends headers of its own, and its WebSocket.
const SITE: &str = "
    cors on;
    cors_allow_origin https://app.example.com https://*.example.org;
    cors_allow_credentials on;
    cors_allow_methods GET PUT DELETE;
    cors_allow_headers Content-Type Authorization;
    cors_expose_headers X-Total-Count;
    cors_max_age 10m;
    location / { root html; }
    location /api/ { proxy_pass http://127.0.0.1:{port:application}; }
    location /private/ { auth_basic staff; auth_basic_user_file users; root html; }
    location /moved/ { cors_preflight early; return 302 /; }
    location /broken/ { proxy_pass http://127.0.0.1:{port:dead}; }
    location /live/ {
        cors_enforce websocket;
        proxy_pass http://127.0.0.1:{port:application};
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection Upgrade;
    }";

/// An application that knows nothing of CORS but what does harm.
fn application() -> Upstream {
    Upstream::start(|request| {
        if request.get("Upgrade").is_some() {
            return b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".to_vec();
        }
        let status = match request.method.as_str() {
            _ if request.target.ends_with("no-such-file") => "404 Not Found",
            "PROPFIND" => "405 Method Not Allowed",
            _ => "200 OK",
        };
        let lines = "Access-Control-Allow-Origin: *\r\nVary: Accept-Encoding\r\nAllow: GET, PUT, DELETE";
        format!("HTTP/1.1 {status}\r\n{lines}\r\nContent-Length: 0\r\n\r\n").into_bytes()
    })
}

fn audit(url: &str, arguments: &[&str]) -> Output {
    Command::new(tool())
        .args([
            "audit",
            url,
            "--origin",
            APP,
            "--credentials",
            "--rate",
            "10000",
            "--format",
            "json",
        ])
        .args(["--method", "PUT", "--method", "DELETE"])
        .args([
            "--header",
            "Content-Type",
            "--header",
            "Authorization: Basic bWU6c2VjcmV0",
        ])
        .args([
            "--path",
            "/api/users",
            "--path",
            "/private/hello.txt",
            "--path",
            "/moved/",
        ])
        .args(["--path", "/broken/", "--path", "/live/"])
        .args(arguments)
        .output()
        .expect("the tool runs")
}

/// Fails unless nothing is found.
#[track_caller]
fn assert_nothing_found(output: &Output) {
    let report = report(output);
    assert_eq!(report["findings"], Value::Array(Vec::new()), "{report:#}");
    assert_eq!(output.status.code(), Some(0));
}

fn report(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"))
}

/// Fails unless a check has looked, and found nothing.
#[track_caller]
fn assert_passed(output: &Output, id: &str) {
    let report = report(output);
    let mut checks = report["checks"].as_array().expect("checks").iter();
    let check = checks.find(|check| check["id"] == id).expect("the check");
    assert_eq!(check["result"], "passed", "{check}");
}

fn start(listen: &str, application: &Upstream, dead: &Upstream) -> Nginx {
    Nginx::builder()
        .http(&format!("server {{ {listen} {SITE} }}"))
        // "me:secret"
        .file("conf/users", "me:{PLAIN}secret\n")
        .file("html/private/hello.txt", "hello")
        .file("html/index.html", "hello")
        .port("application", application.port())
        .port("dead", dead.port())
        .start()
}

#[test]
fn over_http_1_nothing_is_found() {
    let (application, dead) = (application(), Upstream::dead());
    let nginx = start("{listen}", &application, &dead);
    let url = format!("http://127.0.0.1:{}/hello.txt", nginx.port());
    let output = audit(&url, &["--unsafe-methods"]);
    assert_nothing_found(&output);
    for id in [
        "server-error-without-headers",
        "redirect-without-headers",
        "partial-without-headers",
        "not-modified-without-headers",
        "websocket-for-strangers",
        "same-origin-refused",
        "method-without-headers",
    ] {
        assert_passed(&output, id);
    }
}

#[test]
fn over_http_2_nothing_is_found() {
    let (application, dead) = (application(), Upstream::dead());
    let nginx = start("{listen_http2}", &application, &dead);
    let url = format!("http://127.0.0.1:{}/hello.txt", nginx.port());
    assert_nothing_found(&audit(&url, &["--http2-prior-knowledge"]));
}

#[test]
fn over_tls_both_versions_are_compared_and_nothing_is_found() {
    let (application, dead) = (application(), Upstream::dead());
    let nginx = start("{listen_tls_http2}", &application, &dead);
    let url = format!("https://localhost:{}/hello.txt", nginx.port());
    let authority = nginx.prefix().join("conf/certificate.pem");
    let authority = authority.to_str().expect("a path");
    for version in [&["--cacert", authority][..], &["--cacert", authority, "--http2"]] {
        let output = audit(&url, version);
        assert_nothing_found(&output);
        assert_passed(&output, "versions-differ");
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (application, dead) = (application(), Upstream::dead());
    let nginx = start("{listen_tls}", &application, &dead);
    let output = audit(&format!("https://localhost:{}/", nginx.port()), &[]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("invalid peer certificate"), "{error}");
    let output = audit(&format!("https://localhost:{}/", nginx.port()), &["--insecure"]);
    assert_nothing_found(&output);
}

#[test]
fn a_pattern_where_one_origin_was_meant_is_found() {
    let nginx = Nginx::server("cors on; cors_allow_origin https://*.example.com; location / { root html; }");
    let url = format!("http://127.0.0.1:{}/hello.txt", nginx.port());
    let output = Command::new(tool())
        .args(["audit", &url, "--origin", APP, "--rate", "10000", "--format", "json"])
        .output()
        .expect("the tool runs");
    let report = report(&output);
    let findings = report["findings"].as_array().expect("findings");
    let ids: Vec<_> = findings.iter().map(|finding| finding["id"].as_str()).collect();
    assert_eq!(ids, [Some("subdomain-allowed")]);
    assert_eq!(output.status.code(), Some(1));
}
