//! The configurations on which `nginx-cors lint` is tried: nginx takes those that it is meant to take, and answers as it is
//! said.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{module, tool, workspace_root, Nginx, Upstream};
use serde_json::Value;

/// A text that `expected.toml` gives to a key.
fn given<'t>(expected: &'t str, key: &str) -> &'t str {
    let line = expected
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    line.expect("the key").trim_matches('"')
}

/// The certificates that a configuration names, in whichever of its files.
fn certificates(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a readable directory") {
        let path = entry.expect("a readable directory").path();
        if path.is_dir() {
            found.extend(certificates(&path));
            continue;
        }
        let text = fs::read_to_string(&path).expect("a readable file");
        let value = |name: &str| {
            let lines = text.lines().map(str::trim);
            let values =
                lines.filter_map(move |line| line.strip_prefix(name)?.trim().strip_suffix(';').map(str::to_owned));
            values.collect::<Vec<_>>()
        };
        found.extend(value("ssl_certificate ").into_iter().zip(value("ssl_certificate_key ")));
    }
    found
}

#[test]
fn nginx_takes_those_that_it_is_meant_to_take() {
    let mut tried = 0;
    for entry in fs::read_dir(workspace_root().join("tests/corpus")).expect("the corpus") {
        let directory = entry.expect("a readable directory").path();
        let expected = fs::read_to_string(directory.join("expected.toml")).expect("what is expected");
        let nginx = given(&expected, "nginx");
        // A module that this nginx does not have.
        if nginx.starts_with("needs ") {
            continue;
        }
        let mut builder = Nginx::from_file(directory.join("nginx.conf"));
        for (certificate, key) in certificates(&directory) {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
            builder = builder
                .file(&certificate, made.cert.pem())
                .file(&key, made.signing_key.serialize_pem());
        }
        let check = builder.check();
        let name = directory.display();
        assert_eq!(check.accepted(), nginx != "refuses", "{name}: {}", check.stderr);
        let warns = check.stderr.contains("[warn]");
        assert!(
            nginx == "refuses" || warns == (nginx == "warns"),
            "{name}: {}",
            check.stderr
        );
        tried += 1;
    }
    assert!(tried >= 55, "{tried}");
}

/// What the request that `nginx-cors lint` shows for a fault gets from nginx, if the fault is one: a description, and whether
/// the response is so. `origin` is what the request has sent.
fn shows(id: &str, response: &Answer, origin: &str) -> Option<(&'static str, bool)> {
    let allows: Vec<_> = response.values("access-control-allow-origin").collect();
    let is_ok = (200..300).contains(&response.status);
    Some(match id {
        "reflected-origin" | "null-origin" | "regex-admits-strangers" => ("sends the origin back", allows == [origin]),
        "reflected-with-credentials" | "insecure-origin-with-credentials" => (
            "sends the origin back, with credentials",
            allows == [origin] && response.values("access-control-allow-credentials").eq(["true"]),
        ),
        "wildcard-with-credentials" => (
            "allows everyone, with credentials",
            allows == ["*"] && response.values("access-control-allow-credentials").eq(["true"]),
        ),
        "several-origin-lines" => ("has the header twice", allows.len() == 2),
        "missing-vary" => (
            "lacks Vary: Origin",
            !response
                .values("vary")
                .any(|value| value.to_lowercase().contains("origin")),
        ),
        "missing-always" if !response.is_of_missing_file => return None,
        "missing-always" => (
            "is an error without the header",
            response.status >= 400 && allows.is_empty(),
        ),
        "lost-by-inheritance" | "lost-in-if" | "method-left-out" | "without-allow-origin" => {
            ("lacks the header", allows.is_empty())
        }
        "preflight-without-origin" => ("is ok, and lacks the header", is_ok && allows.is_empty()),
        "preflight-redirected" => ("is a redirect", (300..400).contains(&response.status)),
        "preflight-not-ok" | "preflight-behind-authentication" | "preflight-forbidden" | "preflight-unanswered" => {
            ("is not ok", !is_ok)
        }
        "options-swallowed" | "preflight-taken" => ("is ok", is_ok),
        _ => return None,
    })
}

/// The answer to a request, as curl prints it.
struct Answer {
    /// It was asked for what is not there.
    is_of_missing_file: bool,
    status: u16,
    headers: Vec<(String, String)>,
}

impl Answer {
    fn read(printed: &str) -> Self {
        let mut lines = printed.lines().map(str::trim_end);
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let headers = lines
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_once(':'));
        Self {
            is_of_missing_file: false,
            status: status.unwrap_or_else(|| panic!("no response: {printed:?}")),
            headers: headers
                .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
                .collect(),
        }
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let lines = self.headers.iter().filter(move |(other, _)| other == name);
        lines.map(|(_, value)| value.as_str())
    }
}

/// Sends the request of a line for a terminal, to the nginx on this port.
fn sent(line: &str, port: u16) -> Answer {
    let script = format!("curl() {{ command curl --max-time 20 --connect-to ::127.0.0.1:{port} \"$@\"; }}\n{line}");
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    Answer {
        is_of_missing_file: line.ends_with(MISSING),
        ..Answer::read(&String::from_utf8_lossy(&output.stdout))
    }
}

/// The name of a file that is not there, in requests that are to fail.
const MISSING: &str = "no-such-file";

/// The path of the request of a finding, unless nothing is to be there.
fn path(finding: &Value) -> Option<String> {
    let line = finding["request"].as_str()?;
    let (_, path) = line.rsplit_once("://")?.1.split_once('/')?;
    (!line.ends_with(MISSING)).then(|| format!("/{path}"))
}

fn findings(file: &Path) -> Vec<Value> {
    let output = Command::new(tool())
        .args(["lint", "--format", "json"])
        .arg(file)
        .output()
        .expect("build/nginx-cors, which `cargo xtask build` makes");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    report["findings"].as_array().expect("findings").clone()
}

#[test]
fn the_request_that_is_shown_for_a_fault_shows_it() {
    let mut shown = BTreeSet::new();
    for entry in fs::read_dir(workspace_root().join("tests/corpus")).expect("the corpus") {
        let directory = entry.expect("a readable directory").path();
        let file = directory.join("nginx.conf");
        let expected = fs::read_to_string(directory.join("expected.toml")).expect("what is expected");
        let serves = matches!(given(&expected, "nginx"), "accepts" | "warns");
        let text = fs::read_to_string(&file).expect("a configuration");
        // Ports of included files cannot be replaced.
        if !serves || text.contains("include ") || text.contains("listen 443") {
            continue;
        }
        let findings = findings(&file);
        let requests: Vec<_> = findings
            .iter()
            .filter(|finding| finding["request"].is_string())
            .collect();
        if requests.is_empty() {
            continue;
        }
        // Whoever is asked for leave has none.
        let application = Upstream::start(|request| match request.target.as_str() {
            "/auth" => b"HTTP/1.0 401 Unauthorized\r\n\r\n".to_vec(),
            _ => b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_vec(),
        });
        let mut builder = Nginx::from_file(&file);
        // Applications that are asked by HTTP.
        for (at, address) in text.match_indices("proxy_pass http://127.0.0.1:") {
            let port = text[at + address.len()..].split(';').next().expect("a port");
            builder = builder.port(port, application.port());
        }
        for path in requests
            .iter()
            .filter_map(|finding| path(finding))
            .collect::<BTreeSet<_>>()
        {
            let index = if path.ends_with('/') { "index.html" } else { "" };
            builder = builder.file(&format!("srv{path}{index}"), "hello");
        }
        let nginx = builder.start();
        for finding in requests {
            let id = finding["id"].as_str().expect("an identifier");
            let line = finding["request"].as_str().expect("a line");
            let answer = sent(line, nginx.port_of(80));
            let origin = line.split("'Origin: ").nth(1).and_then(|rest| rest.split('\'').next());
            if let Some((how, is_so)) = shows(id, &answer, origin.unwrap_or_default()) {
                let Answer { status, headers, .. } = &answer;
                assert!(
                    is_so,
                    "{}: {id}: {line} {how}: {status} {headers:#?}",
                    directory.display()
                );
                shown.insert(id.to_owned());
            }
        }
    }
    assert!(shown.len() >= 20, "{shown:?}");
}

/// Where docs/convert.md has the table that a test writes.
const TABLE: &str = "<!-- what became of each configuration, written by the tests -->\n";

/// Converts a configuration, and tries it before and after, if this nginx has what it needs.
fn converted(directory: &Path, verify: bool) -> Value {
    let mut command = Command::new(tool());
    command
        .args(["convert", "--format", "json"])
        .arg(directory.join("nginx.conf"));
    if verify {
        command.arg("--verify");
        command
            .arg("--nginx")
            .arg(harness::nginx())
            .arg("--module")
            .arg(module());
    }
    let output = command.output().expect("the tool runs");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        let told = String::from_utf8_lossy(&output.stderr);
        panic!("{}: {told}", directory.display())
    })
}

#[test]
fn a_converted_configuration_answers_differently_only_what_its_faults_announce() {
    let mut table = "| configuration | policies | left as it is | why |\n|---|---|---|---|\n".to_owned();
    let (mut policies, mut left, mut tried, mut requests) = (0, 0, 0, 0);
    let entries = fs::read_dir(workspace_root().join("tests/corpus")).expect("the corpus");
    let directories: BTreeSet<_> = entries
        .map(|entry| entry.expect("a readable directory").path())
        .collect();
    for directory in &directories {
        let expected = fs::read_to_string(directory.join("expected.toml")).expect("what is expected");
        let nginx = given(&expected, "nginx");
        let report = converted(directory, !nginx.starts_with("needs "));
        for verified in report["verified"].as_array().expect("what was tried") {
            let others = verified["others"].as_array().expect("differences");
            assert!(others.is_empty(), "{}: {others:#?}", directory.display());
            requests += verified["requests"].as_u64().expect("a number");
            tried += 1;
        }
        let written = report["converted"].as_array().expect("what was converted").iter();
        let written = written
            .filter(|one| !one["locations"].as_array().expect("locations").is_empty())
            .count();
        let reasons: Vec<_> = report["left"]
            .as_array()
            .expect("what was left")
            .iter()
            .map(|left| left["reason"].as_str().expect("a reason").replace('|', "\\|"))
            .collect();
        if written + reasons.len() > 0 {
            let name = directory.file_name().expect("a name").to_string_lossy();
            let _ = writeln!(
                table,
                "| {name} | {written} | {} | {} |",
                reasons.len(),
                reasons.join("<br>")
            );
        }
        policies += written;
        left += reasons.len();
    }
    let head = format!(
        "Of {} configurations, {policies} policies were written and {left} places left as they are; the others have nothing \
         to convert. {tried} configurations were tried before and after, with {requests} requests: wrong answers: none.\n\n",
        directories.len()
    );
    let file = workspace_root().join("docs/convert.md");
    let page = fs::read_to_string(&file).expect("the page");
    let (before, _) = page.split_once(TABLE).expect("the place of the table");
    let wanted = format!("{before}{TABLE}\n{head}{table}");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &wanted).expect("a writable page");
    }
    let page = fs::read_to_string(&file).expect("the page");
    assert!(
        page == wanted,
        "docs/convert.md is out of step; UPDATE_DOCS=1 writes it anew:\n{head}{table}"
    );
    assert!(tried >= 25, "{tried}");
}

#[test]
fn nginx_takes_what_is_written_without_a_warning() {
    for entry in fs::read_dir(workspace_root().join("tests/corpus")).expect("the corpus") {
        let directory = entry.expect("a readable directory").path();
        let expected = fs::read_to_string(directory.join("expected.toml")).expect("what is expected");
        // Files that are included elsewhere than in a directory of their own cannot be replaced here; the trial starts them.
        let is_alone = fs::read_dir(&directory).expect("a readable directory").count() <= 3;
        if given(&expected, "nginx") != "accepts" || !is_alone {
            continue;
        }
        let copy = tempfile::tempdir().expect("a directory");
        let file = copy.path().join("nginx.conf");
        fs::copy(directory.join("nginx.conf"), &file).expect("a copy");
        let output = Command::new(tool())
            .args(["convert", "--write"])
            .arg(&file)
            .output()
            .expect("the tool runs");
        assert_ne!(
            output.status.code(),
            Some(2),
            "{}: {}",
            directory.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        let text = fs::read_to_string(&file).expect("a configuration");
        let mut builder = Nginx::from_file(&file);
        for (certificate, key) in certificates(copy.path()) {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
            builder = builder
                .file(&certificate, made.cert.pem())
                .file(&key, made.signing_key.serialize_pem());
        }
        let check = builder.check();
        assert!(
            check.accepted() && !check.stderr.contains("[warn]"),
            "{}: {}\n{text}",
            directory.display(),
            check.stderr
        );
    }
}
