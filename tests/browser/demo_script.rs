//! `cargo xtask demo`, which is what `make run` runs.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{self, Child, Command, Stdio};

use harness::{workspace_root, Connection, Request, Response};

/// Four free ports in a row, below those that the kernel hands out to the other tests.
fn free_ports() -> u16 {
    let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let start = u16::try_from(process::id() % 10_000).expect("a small number");
    (20_000 + start..32_000)
        .chain(20_000..20_000 + start)
        .find(|first| (*first..first + 4).all(free))
        .expect("free ports")
}

/// The running demo, which is stopped when it is dropped.
struct Demo(Child);

impl Demo {
    fn start(port: u16) -> Self {
        // Whoever runs the tests in the background has left SIGINT ignored.
        Command::new("env")
            .args(["--default-signal=INT", "cargo", "xtask", "demo"])
            .env("PORT", port.to_string())
            .current_dir(workspace_root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map(Self)
            .expect("cargo runs")
    }

    /// What it says until it serves.
    fn greeting(&mut self) -> Vec<String> {
        let stdout = self.0.stdout.take().expect("a pipe");
        let mut said = Vec::new();
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            said.push(line);
            if said.last().is_some_and(|line| line.starts_with("Ctrl-C stops it.")) {
                return said;
            }
        }
        panic!("{said:#?}\n{}", self.complaint());
    }

    fn complaint(&mut self) -> String {
        let mut said = String::new();
        let stderr = self.0.stderr.as_mut().expect("a pipe");
        stderr.read_to_string(&mut said).expect("text");
        said
    }

    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let status = Command::new("bash").args(["-c", "kill -s $0 $1", name, &pid]).status();
        assert!(status.expect("bash runs").success(), "cannot stop {pid}");
    }

    fn exit_code(&mut self) -> Option<i32> {
        self.0.wait().expect("a child").code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            self.signal("TERM");
            let _ = self.0.wait();
        }
    }
}

fn accepts(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The request of a `curl` line, with its quotes read by a shell.
fn request(line: &str) -> (u16, Request) {
    let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}\n{line}");
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    let arguments = String::from_utf8(output.stdout).expect("text");
    let mut arguments = arguments.lines();
    let (mut method, mut headers, mut url) = ("GET", Vec::new(), "");
    while let Some(argument) = arguments.next() {
        match argument {
            "-i" => (),
            "-X" => method = arguments.next().expect("a method"),
            "-H" => headers.push(arguments.next().expect("a header")),
            _ => url = argument,
        }
    }
    let (address, path) = url
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.split_once('/'))
        .expect("an address on loopback");
    let request = headers
        .iter()
        .filter_map(|header| header.split_once(": "))
        .fold(Request::new(method, &format!("/{path}")), |request, (name, value)| {
            request.header(name, value)
        });
    (address.parse().expect("a port"), request)
}

#[test]
fn it_serves_until_ctrl_c() {
    let port = free_ports();
    let mut demo = Demo::start(port);
    let said = demo.greeting();
    let url = format!("http://127.0.0.1:{port}/");
    assert!(said.iter().any(|line| line.ends_with(&url)), "{said:#?}");
    let answers: Vec<Response> = said
        .iter()
        .filter(|line| line.trim_start().starts_with("curl "))
        .map(|line| request(line))
        .map(|(port, request)| Connection::open(port).send(&request))
        .collect();

    demo.signal("INT");
    assert_eq!(demo.exit_code(), Some(0));
    assert!((port..port + 4).all(|port| !accepts(port)), "something still listens");

    let [preflight, actual, refused] = &answers[..] else {
        panic!("not three requests: {said:#?}");
    };
    assert_eq!(preflight.status, 204, "{preflight}");
    assert!(preflight
        .list("Access-Control-Allow-Methods")
        .contains(&"delete".to_owned()));
    assert_eq!(actual.status, 204, "{actual}");
    assert_eq!(actual.only("Access-Control-Allow-Origin"), url.trim_end_matches('/'));
    assert_eq!(refused.status, 403, "{refused}");
    fs::remove_dir_all(workspace_root().join(format!("build/run/{port}"))).expect("the demo's prefix");
}

#[test]
fn a_taken_port_is_named() {
    let somebody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let taken = somebody.local_addr().expect("a bound address").port();
    let mut demo = Demo::start(taken);
    let said = demo.complaint();
    assert_eq!(demo.exit_code(), Some(1));
    assert!(said.contains(&format!("port {taken} is taken")), "{said}");
    assert!(said.contains("make run PORT=9000"), "{said}");
}
