//! A running `nginx-cors sync`.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{directory, Process};
use crate::wait::until;

/// A process that keeps a file equal to a source.
pub struct Sync {
    process: Process,
    command: Vec<String>,
    directory: TempDir,
    file: PathBuf,
    port: u16,
}

/// The binary, with its first arguments.
pub fn sync_command(source: &str, file: &Path) -> Command {
    let mut command = Command::new(harness::tool());
    command
        .arg("sync")
        .arg(source)
        .arg(file)
        .env_remove("NGINX_CORS_PASSWORD");
    command
}

/// What is printed where the source cannot be read once, with the password in the environment.
pub fn error_of_once(source: &str, file: &Path, arguments: &[&str], password: &str) -> String {
    let mut command = sync_command(source, file);
    command
        .arg("--once")
        .args(arguments)
        .env("NGINX_CORS_PASSWORD", password);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

impl Sync {
    /// Follows a source.
    pub fn start(source: &str, arguments: &[&str]) -> Self {
        Self::start_with(source, arguments, |_| {})
    }

    /// Follows a source, to which the file may be prepared: it is given the path.
    pub fn start_with(source: &str, arguments: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        let directory = directory();
        let file = directory.path().join("list.txt");
        prepare(&file);
        let port = harness::free_port();
        let mut command = vec![source.to_owned(), file.display().to_string()];
        command.extend(["--status".to_owned(), format!("127.0.0.1:{port}")]);
        command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let process = launch(&command, directory.path());
        let mut sync = Self {
            process,
            command,
            directory,
            file,
            port,
        };
        sync.wait_until_it_serves();
        sync
    }

    fn wait_until_it_serves(&mut self) {
        let port = self.port;
        let process = &mut self.process;
        until("it serves its status", || {
            process.assert_running();
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        });
    }

    /// Starts it again, after it was killed.
    pub fn start_again(&mut self) {
        self.process = launch(&self.command, self.directory.path());
        self.wait_until_it_serves();
    }

    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The file that it writes.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What the file holds, if there is one.
    pub fn content(&self) -> Option<String> {
        fs::read_to_string(&self.file).ok()
    }

    /// Waits until the file holds this, and returns how long that took.
    pub fn wait_for(&self, content: &str) -> Duration {
        let mut last = None;
        let start = std::time::Instant::now();
        while start.elapsed() < crate::wait::PATIENCE {
            last = self.content();
            if last.as_deref() == Some(content) {
                return start.elapsed();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the file has {last:?} instead of {content:?}\n{}", self.log());
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// The answer to a path, with its status.
    pub fn ask(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("a listening port");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .expect("an open socket");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        (status.expect("a status"), body.to_owned())
    }

    /// What `/health` says, with its status.
    pub fn health(&self) -> (u16, Value) {
        let (status, body) = self.ask("/health");
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    /// The value of a metric.
    pub fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.ask("/metrics");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("nginx_cors_sync_{name} ")));
        let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
        line.parse().expect("a number")
    }

    /// Waits until something is in the way of equality, which `/health` says and why.
    pub fn wait_for_obstacle(&self, obstacle: &str) -> Value {
        let mut last = Value::Null;
        until(obstacle, || {
            last = self.health().1;
            last["obstacle"] == obstacle
        });
        last
    }

    /// Waits until the file is known to be equal to the source.
    pub fn wait_until_up_to_date(&self) -> Value {
        let mut last = Value::Null;
        until("it is up to date", || {
            last = self.health().1;
            last["status"] == "up_to_date"
        });
        last
    }
}

fn launch(arguments: &[String], directory: &Path) -> Process {
    let mut command = Command::new(harness::tool());
    command.arg("sync").args(arguments).env_remove("NGINX_CORS_PASSWORD");
    Process::start(&mut command, &directory.join("log"))
}
