//! PostgreSQL.

use std::fs;
use std::os::unix::fs::{chown, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use url::form_urlencoded::byte_serialize;

use crate::process::{directory, run, succeeds, Process};
use crate::tls::Certificates;
use crate::wait::until;

/// PostgreSQL refuses to be started by root: `nobody`, who has nothing, starts it then.
const NOBODY: u32 = 65534;

/// A server with one database, `shop`.
pub struct Postgres {
    directory: TempDir,
    port: u16,
    address: String,
    process: Option<Process>,
    certificates: Option<Certificates>,
}

/// Where the programs of the server are: Debian has them in no path.
fn programs() -> PathBuf {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    versions.sort();
    versions.pop().unwrap_or_default()
}

fn program(name: &str) -> Command {
    let mut command = Command::new(programs().join(name));
    if harness::running_as_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    // The directory of the test may be closed to that user.
    command.current_dir("/").env("LC_ALL", "C");
    command
}

fn give(path: &Path) {
    if harness::running_as_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("a file of ours");
    }
}

impl Postgres {
    /// Starts a server that lets everyone in.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts a server that speaks TLS, and wants certificates of clients, and passwords from all but its owner.
    pub fn start_with_tls() -> Self {
        Self::start_with(Some(Certificates::make()))
    }

    fn start_with(certificates: Option<Certificates>) -> Self {
        let directory = directory();
        give(directory.path());
        let data = directory.path().join("data");
        run(program("initdb").arg("--pgdata").arg(&data).args([
            "--username",
            "owner",
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--no-sync",
        ]));
        let mut settings = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nfsync = off\n",
            directory.path().display()
        );
        if let Some(certificates) = &certificates {
            for name in ["ca.pem", "server.pem", "server.key"] {
                let copy = data.join(name);
                fs::copy(certificates.path(name), &copy).expect("a new file");
                fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).expect("a file of ours");
                give(&copy);
            }
            settings.push_str(
                "ssl = on\nssl_ca_file = 'ca.pem'\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\n",
            );
            fs::write(
                data.join("pg_hba.conf"),
                "local all owner trust\nhostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n",
            )
            .expect("a file of ours");
        }
        let file = data.join("postgresql.conf");
        let defaults = fs::read_to_string(&file).expect("a file of ours");
        fs::write(&file, defaults + &settings).expect("a file of ours");
        let port = harness::free_port();
        let mut postgres = Self {
            directory,
            address: format!("127.0.0.1:{port}"),
            port,
            process: None,
            certificates,
        };
        postgres.start_again();
        run(postgres.psql("postgres").args(["-c", "CREATE DATABASE shop"]));
        postgres
    }

    /// Starts it again, after it was killed.
    pub fn start_again(&mut self) {
        until("PostgreSQL answers", || {
            // Processes of the one that was killed may still have its memory, and then it ends at once.
            if self.process.as_mut().is_none_or(Process::has_ended) {
                self.process = Some(self.launch());
            }
            succeeds(self.psql("postgres").args(["-c", "SELECT 1"]))
        });
    }

    fn launch(&self) -> Process {
        let mut command = program("postgres");
        command
            .arg("-D")
            .arg(self.directory.path().join("data"))
            .args(["-p", &self.port.to_string()]);
        Process::start(&mut command, &self.directory.path().join("log"))
    }

    pub fn kill(&mut self) {
        self.process = None;
    }

    fn psql(&self, database: &str) -> Command {
        let mut command = Command::new("psql");
        command
            .arg("-h")
            .arg(self.directory.path())
            .args(["-p", &self.port.to_string(), "-U", "owner", "-d", database])
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        command
    }

    /// Runs SQL in the database `shop`.
    pub fn sql(&self, sql: &str) -> String {
        run(self.psql("shop").args(["-c", sql]))
    }

    /// The address of a source; `user` ends with `@`, and `more` are parameters.
    pub fn source(&self, user: &str, query: &str, more: &str) -> String {
        let query: String = byte_serialize(query.as_bytes()).collect();
        format!("postgres://{user}127.0.0.1:{}/shop?query={query}{more}", self.port)
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("TLS")
    }
}

impl Drop for Postgres {
    /// One that is killed would leave its shared memory behind.
    fn drop(&mut self) {
        if self.process.is_some() {
            let mut stop = program("pg_ctl");
            stop.args(["stop", "-m", "immediate", "-D"]);
            succeeds(stop.arg(self.directory.path().join("data")));
        }
    }
}
