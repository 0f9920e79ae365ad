//! etcd, of one or several members.

use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::process::{directory, run, succeeds, Process};
use crate::tls::Certificates;
use crate::wait::until;

/// A cluster.
pub struct Etcd {
    directory: TempDir,
    members: Vec<Member>,
    /// Of the first.
    address: String,
    certificates: Option<Certificates>,
    /// `user:password` of who administers it, once it asks.
    administrator: Option<String>,
}

struct Member {
    name: String,
    client: u16,
    peer: u16,
    process: Option<Process>,
}

impl Etcd {
    /// Starts a cluster of so many members.
    pub fn start(count: usize) -> Self {
        Self::start_with(count, None)
    }

    /// Starts one member that speaks TLS, and wants to see the certificates of clients.
    pub fn start_with_tls() -> Self {
        Self::start_with(1, Some(Certificates::make()))
    }

    fn start_with(count: usize, certificates: Option<Certificates>) -> Self {
        let members: Vec<_> = (0..count)
            .map(|number| Member {
                name: format!("member-{number}"),
                client: harness::free_port(),
                peer: harness::free_port(),
                process: None,
            })
            .collect();
        let mut etcd = Self {
            directory: directory(),
            address: format!("127.0.0.1:{}", members[0].client),
            members,
            certificates,
            administrator: None,
        };
        for number in 0..count {
            etcd.start_member(number);
        }
        etcd.wait_until_it_answers();
        etcd
    }

    fn scheme(&self) -> &'static str {
        match self.certificates {
            Some(_) => "https",
            None => "http",
        }
    }

    /// Starts a member, perhaps again.
    pub fn start_member(&mut self, number: usize) {
        let cluster: Vec<_> = self
            .members
            .iter()
            .map(|member| format!("{}=http://127.0.0.1:{}", member.name, member.peer))
            .collect();
        let member = &self.members[number];
        let client = format!("{}://127.0.0.1:{}", self.scheme(), member.client);
        let peer = format!("http://127.0.0.1:{}", member.peer);
        let mut command = Command::new("etcd");
        command
            .args(["--name", &member.name])
            .arg("--data-dir")
            .arg(self.directory.path().join(&member.name))
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &cluster.join(",")])
            // An election takes a second at most.
            .args(["--heartbeat-interval", "50", "--election-timeout", "500"])
            .args(["--bcrypt-cost", "4", "--log-level", "warn"]);
        if let Some(certificates) = &self.certificates {
            command
                .arg("--cert-file")
                .arg(certificates.path("server.pem"))
                .arg("--key-file")
                .arg(certificates.path("server.key"))
                .arg("--trusted-ca-file")
                .arg(certificates.path("ca.pem"))
                .arg("--client-cert-auth");
        }
        let output = self.directory.path().join(format!("{}.log", member.name));
        self.members[number].process = Some(Process::start(&mut command, &output));
    }

    /// Waits until it has a leader, and all of its running members take part.
    pub fn wait_until_it_answers(&self) {
        until("etcd answers", || {
            let running = self.members.iter().filter(|member| member.process.is_some());
            running.into_iter().all(|member| {
                let mut command = self.command_at(&[member]);
                succeeds(command.args(["get", "probe"]))
            })
        });
    }

    /// Kills a member.
    pub fn kill_member(&mut self, number: usize) {
        self.members[number].process = None;
    }

    /// Kills all members at once.
    pub fn kill(&mut self) {
        for member in &mut self.members {
            member.process = None;
        }
    }

    /// Starts all members again.
    pub fn start_again(&mut self) {
        for number in 0..self.members.len() {
            self.start_member(number);
        }
        self.wait_until_it_answers();
    }

    /// The number of the member that leads.
    pub fn leader(&self) -> usize {
        for (number, member) in self.members.iter().enumerate() {
            if member.process.is_some() {
                let status = run(self.command_at(&[member]).args(["endpoint", "status", "-w", "json"]));
                let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
                let status = &status[0]["Status"];
                if status["leader"] == status["header"]["member_id"] {
                    return number;
                }
            }
        }
        panic!("no leader");
    }

    fn command_at(&self, members: &[&Member]) -> Command {
        let endpoints: Vec<_> = members
            .iter()
            .map(|member| format!("{}://127.0.0.1:{}", self.scheme(), member.client))
            .collect();
        let mut command = Command::new("etcdctl");
        command
            .env("ETCDCTL_API", "3")
            .args(["--endpoints", &endpoints.join(","), "--dial-timeout", "2s"]);
        if let Some(certificates) = &self.certificates {
            command
                .arg("--cacert")
                .arg(certificates.path("ca.pem"))
                .arg("--cert")
                .arg(certificates.path("client.pem"))
                .arg("--key")
                .arg(certificates.path("client.key"));
        }
        if let Some(administrator) = &self.administrator {
            command.args(["--user", administrator]);
        }
        command
    }

    /// `etcdctl`, told where the running members are.
    pub fn command(&self) -> Command {
        let running: Vec<_> = self.members.iter().filter(|member| member.process.is_some()).collect();
        self.command_at(&running)
    }

    /// Runs `etcdctl`.
    pub fn ctl(&self, arguments: &[&str]) -> String {
        run(self.command().args(arguments))
    }

    pub fn put(&self, key: &str, value: &str) {
        self.ctl(&["put", "--", key, value]);
    }

    pub fn delete(&self, key: &str) {
        self.ctl(&["del", "--", key]);
    }

    /// Puts many values, in transactions as large as etcd takes them.
    pub fn put_all(&self, pairs: &[(String, String)]) {
        use std::io::Write;

        for pairs in pairs.chunks(128) {
            let mut child = self
                .command()
                .arg("txn")
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .expect("etcdctl runs");
            let puts: String = pairs
                .iter()
                .map(|(key, value)| format!("put {key} \"{value}\"\n"))
                .collect();
            // No conditions; what to do if they hold, and if not.
            let mut input = child.stdin.take().expect("an input");
            write!(input, "\n{puts}\n\n").expect("an open pipe");
            drop(input);
            assert!(child.wait().expect("a child").success());
        }
    }

    /// Forgets all revisions but the last.
    pub fn compact(&self) {
        let status = self.ctl(&["get", "probe", "-w", "json"]);
        let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
        let revision = status["header"]["revision"].to_string();
        self.ctl(&["compact", &revision]);
    }

    /// Lets nobody in but `root` and `reader`, whose passwords are `root's` and `reader's`. The reader may read the keys
    /// with this prefix.
    pub fn require_passwords(&mut self, prefix: &str) {
        self.ctl(&["user", "add", "root:root's"]);
        self.ctl(&["user", "grant-role", "root", "root"]);
        self.ctl(&["role", "add", "readers"]);
        self.ctl(&["role", "grant-permission", "readers", "--prefix=true", "read", prefix]);
        self.ctl(&["user", "add", "reader:reader's"]);
        self.ctl(&["user", "grant-role", "reader", "readers"]);
        self.ctl(&["auth", "enable"]);
        self.administrator = Some("root:root's".to_owned());
    }

    /// The address of a source; `user` ends with `@`.
    pub fn source(&self, user: &str, prefix: &str) -> String {
        let endpoints: Vec<_> = self
            .members
            .iter()
            .map(|member| format!("127.0.0.1:{}", member.client))
            .collect();
        let scheme = self.scheme().replace("http", "etcd");
        format!("{scheme}://{user}{}{prefix}", endpoints.join(","))
    }

    /// Where the first member is.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("TLS")
    }
}
