//! Redis.

use std::io::Write;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::process::{directory, run, succeeds, Process};
use crate::tls::Certificates;
use crate::wait::until;

/// A server.
pub struct Redis {
    directory: TempDir,
    port: u16,
    address: String,
    process: Option<Process>,
    settings: Vec<String>,
    certificates: Option<Certificates>,
}

impl Redis {
    pub fn start() -> Self {
        Self::start_with("", None)
    }

    /// Starts a server that speaks TLS, wants to see the certificates of clients, and has a user `reader` whose password
    /// is `reader's`.
    pub fn start_with_tls() -> Self {
        Self::start_with(
            "--user reader on >reader's ~* +@read +@connection +client|tracking",
            Some(Certificates::make()),
        )
    }

    /// Starts a server with settings as arguments.
    pub fn start_with(settings: &str, certificates: Option<Certificates>) -> Self {
        let port = harness::free_port();
        let mut redis = Self {
            directory: directory(),
            address: format!("127.0.0.1:{port}"),
            port,
            process: None,
            settings: settings.split_whitespace().map(str::to_owned).collect(),
            certificates,
        };
        redis.start_again();
        redis
    }

    /// Starts it again with what it has on its disk, after it was killed.
    pub fn start_again(&mut self) {
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--dir"])
            .arg(self.directory.path())
            // What was written once is there after a kill.
            .args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        match &self.certificates {
            None => command.args(["--port", &port]),
            Some(certificates) => command
                .args(["--port", "0", "--tls-port", &port])
                .arg("--tls-cert-file")
                .arg(certificates.path("server.pem"))
                .arg("--tls-key-file")
                .arg(certificates.path("server.key"))
                .arg("--tls-ca-cert-file")
                .arg(certificates.path("ca.pem"))
                .args(["--tls-auth-clients", "yes"]),
        };
        command.args(&self.settings);
        let output = self.directory.path().join("log");
        self.process = Some(Process::start(&mut command, &output));
        until("Redis answers", || succeeds(self.command().arg("ping")));
    }

    pub fn kill(&mut self) {
        self.process = None;
    }

    fn command(&self) -> Command {
        let mut command = Command::new("redis-cli");
        command.args(["-e", "-p", &self.port.to_string()]);
        if let Some(certificates) = &self.certificates {
            command
                .arg("--tls")
                .arg("--cacert")
                .arg(certificates.path("ca.pem"))
                .arg("--cert")
                .arg(certificates.path("client.pem"))
                .arg("--key")
                .arg(certificates.path("client.key"));
        }
        command
    }

    /// Runs a command of Redis.
    pub fn run(&self, arguments: &[&str]) -> String {
        run(self.command().args(arguments))
    }

    /// Runs commands, a line each, as fast as they come.
    pub fn run_all(&self, commands: &str) {
        let mut child = self
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-cli runs");
        let mut input = child.stdin.take().expect("an input");
        input.write_all(commands.as_bytes()).expect("an open pipe");
        drop(input);
        assert!(child.wait().expect("a child").success());
    }

    /// The address of a source; `user` ends with `@`.
    pub fn source(&self, user: &str, set: &str) -> String {
        let scheme = match self.certificates {
            Some(_) => "rediss",
            None => "redis",
        };
        format!("{scheme}://{user}127.0.0.1:{}/0/{set}", self.port)
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("TLS")
    }
}
