//! A real Prometheus scrapes `nginx-conf/status.conf` as `nginx-conf/status/prometheus.yml` tells it to.

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};

use harness::{workspace_root, Connection, Nginx, Request, Upstream};
use serde_json::Value;

use crate::{assert_status, APP, STRANGER};

/// Prometheus with a directory of its own, which is killed when it is dropped.
struct Prometheus {
    process: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl Prometheus {
    fn start(configuration: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("prometheus.yml");
        fs::write(&file, configuration).expect("a file");
        let port = harness::free_port();
        let log = fs::File::create(directory.path().join("log")).expect("a file");
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                directory.path().join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .expect("Debian's package prometheus");
        Self {
            process,
            port,
            directory,
        }
    }

    /// The value of an expression, once there is one.
    #[track_caller]
    fn value(&self, expression: &str) -> f64 {
        let path: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let asked = harness::poll(|| {
            let stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).ok()?;
            drop(stream);
            let response = Connection::open(self.port).send(&Request::get(&format!("/api/v1/query?query={path}")));
            let answer: Value = serde_json::from_slice(&response.body).ok()?;
            answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
        });
        asked.unwrap_or_else(|| {
            let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            panic!("nothing is known of {expression}:\n{log}")
        })
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve() -> (Nginx, Upstream) {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::from_file("nginx-conf/status.conf")
        .port("8081", application.port())
        .start();
    for request in [
        Request::preflight("/api/", APP, "PUT"),
        Request::preflight("/api/", STRANGER, "PUT"),
        Request::preflight("/api/", STRANGER, "PUT"),
        Request::preflight("/api/", APP, "PATCH"),
        Request::get("/api/").origin(STRANGER),
        Request::get("/admin/").origin(STRANGER),
    ] {
        nginx.send_to("8080", &request);
    }
    nginx.log_lines("logs/cors-denied.jsonl", 5);
    (nginx, application)
}

#[test]
fn it_answers_how_many_preflights_were_denied() {
    let (nginx, _application) = serve();
    let scraped = fs::read_to_string(workspace_root().join("nginx-conf/status/prometheus.yml")).expect("a file");
    let here = scraped
        .replace("127.0.0.1:9113", &format!("127.0.0.1:{}", nginx.port_of(9113)))
        .replace("scrape_interval: 15s", "scrape_interval: 1s");
    assert!(here != scraped && here.contains("1s"));
    let prometheus = Prometheus::start(&here);
    let denied = "sum(nginx_cors_requests_total{type=\"preflight\",result=~\".*_denied|malformed\"})";
    assert_eq!(prometheus.value(denied), 3.0);
    assert_eq!(prometheus.value("sum(nginx_cors_preflights_answered_total)"), 4.0);
    assert_eq!(
        prometheus.value("sum(nginx_cors_dry_run_denials_total{location=\"/admin/\"})"),
        1.0
    );

    // Every expression of the dashboard can be worked out.
    let dashboard = fs::read_to_string(workspace_root().join("nginx-conf/status/grafana.json")).expect("a file");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression");
            let plain = expression
                .trim_end_matches(" > 0") // nothing may have happened in this minute
                .replace("$__rate_interval", "1m")
                .replace("$__range", "1m")
                .replace("$server", ".*")
                .replace("$location", ".*");
            prometheus.value(&plain);
        }
    }
}

#[test]
fn its_own_tool_finds_nothing_wrong() {
    let (nginx, _application) = serve();
    let response = nginx.send_to("9113", &Request::get("/metrics"));
    assert_status(&response, 200);
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Debian's package prometheus");
    tool.stdin
        .take()
        .expect("a pipe")
        .write_all(&response.body)
        .expect("a pipe");
    let output = tool.wait_with_output().expect("promtool runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert!(!response.text().contains("stranger"), "an origin is a label");
}

#[test]
fn denials_have_a_log_of_their_own() {
    let (nginx, _application) = serve();
    let lines = nginx.log_lines("logs/cors-denied.jsonl", 5);
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(
        (&lines[0]["result"], &lines[0]["preflight"]),
        (&"origin_denied".into(), &"1".into())
    );
    assert_eq!(lines[2]["reason"], "method \"PATCH\" is not in cors_allow_methods");
}

#[test]
fn its_alerts_come_when_they_should() {
    let output = Command::new("promtool")
        .args(["test", "rules", "alerts-test.yml"])
        .current_dir(workspace_root().join("nginx-conf/status"))
        .output()
        .expect("Debian's package prometheus");
    assert!(output.status.success(), "{output:?}");
}
