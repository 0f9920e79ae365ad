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

/// A Prometheus that scrapes this nginx each second, and otherwise as it is recommended.
fn scrape(nginx: &Nginx) -> Prometheus {
    let scraped = fs::read_to_string(workspace_root().join("nginx-conf/status/prometheus.yml")).expect("a file");
    let here = scraped
        .replace("127.0.0.1:9113", &format!("127.0.0.1:{}", nginx.port_of(9113)))
        .replace("scrape_interval: 15s", "scrape_interval: 1s");
    assert!(here != scraped && here.contains("1s"));
    Prometheus::start(&here)
}

fn dashboard() -> Value {
    let dashboard = fs::read_to_string(workspace_root().join("nginx-conf/status/grafana.json")).expect("a file");
    serde_json::from_str(&dashboard).expect("JSON")
}

/// An expression of the dashboard for the last minute of all servers and locations.
fn as_now(expression: &str) -> String {
    expression
        .replace("$__rate_interval", "1m")
        .replace("$__range", "1m")
        .replace("$server", ".*")
        .replace("$location", ".*")
}

#[test]
fn it_answers_how_many_preflights_were_denied() {
    let (nginx, _application) = serve();
    let prometheus = scrape(&nginx);
    let denied = "sum(nginx_cors_requests_total{type=\"preflight\",result=~\".*_denied|malformed\"})";
    assert_eq!(prometheus.value(denied), 3.0);
    assert_eq!(prometheus.value("sum(nginx_cors_preflights_answered_total)"), 4.0);
    assert_eq!(
        prometheus.value("sum(nginx_cors_dry_run_denials_total{location=\"/admin/\"})"),
        1.0
    );

    // Every expression of the dashboard can be worked out.
    let dashboard = dashboard();
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression");
            // Nothing may have happened in this minute, or in such a policy ever: then there is no row.
            let plain = as_now(expression.trim_end_matches(" > 0"));
            prometheus.value(&format!("{plain} or vector(0)"));
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
fn what_has_not_happened_has_no_row() {
    let (nginx, _application) = serve();
    let text = nginx.send_to("9113", &Request::get("/metrics")).text().to_owned();
    let rows: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(rows.iter().all(|row| !row.ends_with(" 0")), "{text}");
    let of_admin: Vec<_> = rows.iter().filter(|row| row.contains("location=\"/admin/\"")).collect();
    let name = "{zone=\"cors\",server=\"shop.example.com\",location=\"/admin/\"";
    assert_eq!(
        of_admin,
        [
            &format!("nginx_cors_requests_total{name},type=\"actual\",result=\"origin_denied\"}} 1"),
            &format!("nginx_cors_dry_run_denials_total{name}}} 1"),
            &format!("nginx_cors_policy_info{name},mode=\"answer\",dry_run=\"true\",candidate=\"false\"}} 1"),
        ]
    );
}

#[test]
fn each_policy_says_how_it_is_applied() {
    let nginx = Nginx::builder()
        .http("cors_zone cors:64k;")
        .server(
            "cors on; cors_allow_origin https://app.example.com; cors_preflight early;
            location /pass/ { cors_preflight pass; cors_candidate { cors_allow_methods PUT; } }
            location /dry/ { cors_preflight answer; cors_dry_run on; }
            location = /metrics { cors off; cors_status prometheus; }",
        )
        .start();
    let text = nginx.send(&Request::get("/metrics")).text().to_owned();
    let info: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("nginx_cors_policy_info{zone=\"cors\",server=\"_\",location="))
        .collect();
    assert_eq!(
        info,
        [
            "\"server\",mode=\"early\",dry_run=\"false\",candidate=\"false\"} 1",
            "\"/pass/\",mode=\"pass\",dry_run=\"false\",candidate=\"true\"} 1",
            "\"/dry/\",mode=\"answer\",dry_run=\"true\",candidate=\"false\"} 1",
        ]
    );
}

/// The dashboard leaves policies that only try out what they would do out of the share of requests that are denied.
#[test]
fn the_share_that_is_denied_leaves_dry_runs_out() {
    let (nginx, _application) = serve();
    let (prometheus, dashboard) = (scrape(&nginx), dashboard());
    let panel = dashboard["panels"]
        .as_array()
        .expect("panels")
        .iter()
        .find(|panel| panel["title"] == "Share denied")
        .expect("a panel");
    // Counts as they are, since nothing has grown between two scrapes.
    let share = as_now(panel["targets"][0]["expr"].as_str().expect("an expression"))
        .replace("rate(", "(")
        .replace("[1m]", "");
    assert_eq!(prometheus.value(&share), 0.8, "{share}");
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
