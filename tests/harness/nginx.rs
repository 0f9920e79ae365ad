//! Starting, asking, reloading and stopping one nginx.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use once_cell::sync::Lazy;
use regex::Regex;

use crate::binaries::{self, Binary};
use crate::check::Check;
use crate::config::{self, Template, DEFAULT_PORT};
use crate::connection::{self, Connection};
use crate::http2;
use crate::http3;
use crate::ports::Ports;
use crate::prefix::Prefix;
use crate::request::Request;
use crate::response::Response;
use crate::signal;
use crate::tls;
use crate::wait::poll;
use crate::wrapper;

/// An nginx to be.
///
/// The texts given to it may hold `{port}` for a port that the kernel picks, `{listen}` for a `listen`
/// on it, `{listen_tls}`, `{listen_http2}` and `{listen_http3}` for one that speaks TLS, HTTP/2 or HTTP/3, `{listen_tls_http2}`
/// for HTTP/2 over TLS; `{port:name}` and so on for further ports.
/// Relative paths are those of the prefix, where `html/hello.txt` holds `hello`.
pub struct Builder {
    http: String,
    file: Option<PathBuf>,
    files: Vec<(String, Vec<u8>)>,
    included: Vec<(String, String)>,
    ports: Ports,
    other_modules: Vec<PathBuf>,
    faulty_module: bool,
    without_module: bool,
    alerts_expected: bool,
    workers: usize,
    single_process: bool,
}

impl Builder {
    fn new(file: Option<PathBuf>) -> Self {
        Self {
            http: String::new(),
            file,
            files: Vec::new(),
            included: Vec::new(),
            ports: Ports::default(),
            other_modules: Vec::new(),
            faulty_module: false,
            without_module: false,
            alerts_expected: false,
            workers: 1,
            single_process: false,
        }
    }

    /// Adds to the inside of the `http` block.
    pub fn http(mut self, text: &str) -> Self {
        assert!(self.file.is_none(), "a user's file is served as it is");
        self.http.push_str(text);
        self.http.push('\n');
        self
    }

    /// Adds a `server` block that listens on `{port}`.
    pub fn server(self, body: &str) -> Self {
        let server = config::server(body);
        self.http(&server)
    }

    /// Puts a file into the prefix.
    pub fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.push((path.to_owned(), content.as_ref().into()));
        self
    }

    /// Puts a file into the prefix that the `http` block includes: it may hold `{port}` and the like, too.
    pub fn included(mut self, path: &str, text: &str) -> Self {
        self.included.push((path.to_owned(), text.to_owned()));
        self
    }

    /// Gives a name to a port that somebody else listens on.
    pub fn port(mut self, name: &str, port: u16) -> Self {
        self.ports.insert(name, port);
        self
    }

    /// Loads a dynamic module of other people, such as `ngx_http_js_module`, if there is one that was built for this
    /// nginx; else it says so.
    pub fn other_module(mut self, name: &str) -> Option<Self> {
        let Some(file) = Binary::get().dynamic_module(name) else {
            eprintln!("not tried: there is no {name} for this nginx");
            return None;
        };
        self.other_modules.push(file);
        Some(self)
    }

    /// Loads the module that knows `cors_test_panic`.
    pub fn faulty_module(mut self) -> Self {
        self.faulty_module = true;
        self
    }

    /// Loads no module.
    pub fn without_module(mut self) -> Self {
        self.without_module = true;
        self
    }

    /// Says that the error log will hold an `[alert]`, a `[crit]`, an `[emerg]` or a panic.
    pub fn expect_alerts(mut self) -> Self {
        self.alerts_expected = true;
        self
    }

    /// Has `count` workers serve.
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count;
        self
    }

    /// Has the one process serve (`master_process off`).
    pub fn single_process(mut self) -> Self {
        self.single_process = true;
        self
    }

    /// Starts nginx and waits until it serves.
    pub fn start(mut self) -> Nginx {
        const ATTEMPTS: usize = 5;
        for _ in 0..ATTEMPTS {
            let (prefix, config) = self.prepare();
            match launch(&prefix, &config, &mut self.ports) {
                Launch::Serving(master) => {
                    return Nginx {
                        prefix,
                        master,
                        ports: self.ports,
                        alerts_expected: self.alerts_expected,
                        killed: false,
                    }
                }
                Launch::PortTaken => self.ports.pick_anew(),
            }
        }
        panic!("no free port in {ATTEMPTS} attempts");
    }

    /// Runs `nginx -t`.
    pub fn check(mut self) -> Check {
        let (prefix, config) = self.prepare();
        let output = command(&prefix).arg("-t").output().expect("nginx runs");
        if let Some(report) = wrapper::report(&prefix.path("logs")) {
            panic!("{report}");
        }
        Check {
            code: output.status.code(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            config,
            config_path: prefix.config().display().to_string(),
        }
    }

    fn prepare(&mut self) -> (Prefix, String) {
        let module = if self.faulty_module {
            binaries::faulty_module()
        } else {
            binaries::module()
        };
        let (prefix, template) = match &self.file {
            Some(file) => {
                let name = file.file_name().unwrap_or_default();
                let prefix = Prefix::new(&module, Path::new(name));
                prefix.link_neighbours(file);
                (prefix, Template::File(read(file)))
            }
            None => {
                let prefix = Prefix::new(&module, Path::new("conf/nginx.conf"));
                prefix.write("html/hello.txt", b"hello");
                let http = self.http.clone();
                let template = if self.without_module {
                    Template::Bare(http)
                } else {
                    Template::Http(http)
                };
                (prefix, template)
            }
        };
        for (path, content) in &self.files {
            prefix.write(path, content);
        }
        for (path, text) in &self.included {
            prefix.write(path, config::expand_tokens(text, &mut self.ports).as_bytes());
        }
        let config = template.expand(&mut self.ports);
        let config = match self.single_process {
            true => without_master(&config),
            false => config.replacen("worker_processes 1;", &format!("worker_processes {};", self.workers), 1),
        };
        let others = self.other_modules.iter();
        let others: String = others
            .map(|file| format!("load_module {};\n", file.display()))
            .collect();
        let config = others + &config;
        if config.contains(config::CERTIFICATE) {
            prefix.write_certificate();
        }
        if config.contains(config::CLIENT_AUTHORITY) {
            prefix.write_client_certificate();
        }
        prefix.write_config(&config);
        (prefix, config)
    }
}

const SINGLE_PROCESS: &str = "master_process off;";

fn without_master(config: &str) -> String {
    config.replacen("worker_processes 1;", SINGLE_PROCESS, 1)
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn command(prefix: &Prefix) -> Command {
    let mut command = wrapper::command(&Binary::get().path, &prefix.path("logs"));
    command
        .arg("-p")
        .arg(prefix.root())
        .arg("-c")
        .arg(prefix.config())
        .args(["-e", "logs/error.log"])
        // nginx takes it for a list of inherited sockets.
        .env_remove("NGINX")
        // Memory that is used too late, or too early, does not look like zeros.
        .env("MALLOC_PERTURB_", "165")
        .stdin(Stdio::null());
    command
}

enum Launch {
    Serving(Child),
    PortTaken,
}

fn launch(prefix: &Prefix, config: &str, ports: &mut Ports) -> Launch {
    let listening = listening_ports(config);
    let console = File::create(prefix.path("logs/console")).expect("a writable prefix");
    let mut command = command(prefix);
    command.stdout(console.try_clone().expect("a file")).stderr(console);
    ports.release();
    let mut master = command.spawn().expect("nginx runs");
    let outcome = poll(|| {
        let said = prefix.console() + &prefix.error_log();
        if said.contains("Address already in use") {
            Some(Ok(false))
        } else if (config.contains(SINGLE_PROCESS) || !worker_pids(&said).is_empty()) && listening.iter().all(accepts) {
            Some(Ok(true))
        } else if master.try_wait().expect("a child").is_some() {
            Some(Err(said))
        } else {
            None
        }
    });
    match outcome {
        Some(Ok(true)) => return Launch::Serving(master),
        Some(Ok(false)) => {
            end(&mut master);
            return Launch::PortTaken;
        }
        _ => end(&mut master),
    }
    let said = prefix.console() + &prefix.error_log();
    panic!("nginx did not start:\n{said}\nwith\n{config}");
}

fn end(master: &mut Child) {
    // Either may fail because nginx has exited by itself.
    let _ = signal::send(master.id(), signal::TERMINATE);
    let _ = poll(|| master.try_wait().ok()?);
    let _ = master.kill();
    let _ = master.wait();
}

fn listening_ports(config: &str) -> Vec<u16> {
    static LISTEN: Lazy<Regex> =
        Lazy::new(|| Regex::new(r"\blisten[ \t]+127\.0\.0\.1:([0-9]+)").expect("a valid pattern"));
    LISTEN
        .captures_iter(config)
        .map(|port| port[1].parse().expect("a port"))
        .collect()
}

fn accepts(port: &u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok()
}

/// A running nginx. It stops when it is dropped, and the test fails if its error log holds something
/// that must not happen.
pub struct Nginx {
    prefix: Prefix,
    master: Child,
    ports: Ports,
    alerts_expected: bool,
    /// Workers have been killed by the test.
    killed: bool,
}

impl Nginx {
    pub fn builder() -> Builder {
        Builder::new(None)
    }

    /// One that serves a configuration file as users have it, e.g. `nginx-conf/demo.conf` in the
    /// workspace.
    ///
    /// The file moves into a prefix of its own, together with links to its neighbours, so that
    /// relative paths work as they do under `nginx -p <its directory> -c <the file>`. Each port it listens
    /// on, or expects on loopback, gives way to one that the kernel picked, wherever it is mentioned.
    pub fn from_file(path: impl AsRef<Path>) -> Builder {
        Builder::new(Some(binaries::workspace_root().join(path)))
    }

    /// Starts one with a single `server` block.
    pub fn server(body: &str) -> Self {
        Self::builder().server(body).start()
    }

    /// The port behind `{port}`.
    pub fn port(&self) -> u16 {
        self.port_named(DEFAULT_PORT)
    }

    /// The port behind `{port:name}`.
    pub fn port_named(&self, name: &str) -> u16 {
        self.ports
            .get(name)
            .unwrap_or_else(|| panic!("no port is called {name}"))
    }

    /// The port that took the place of a literal one in a configuration file.
    pub fn port_of(&self, literal: u16) -> u16 {
        self.port_named(&literal.to_string())
    }

    /// The directory that relative paths start from.
    pub fn prefix(&self) -> &Path {
        self.prefix.root()
    }

    pub fn error_log(&self) -> String {
        self.prefix.error_log()
    }

    /// The lines of a log, once there are `count` of them: nginx writes to its access log when the client has
    /// its response already.
    #[track_caller]
    pub fn log_lines(&self, log: &str, count: usize) -> Vec<String> {
        let lines = || -> Vec<String> { self.prefix.read(log).lines().map(str::to_owned).collect() };
        let enough = poll(|| Some(lines()).filter(|lines| lines.len() >= count));
        enough.unwrap_or_else(|| panic!("no {count} lines in {log}: {:?}", lines()))
    }

    /// How many kilobytes of its own the master has in memory; nothing where a tool watches nginx, which keeps what is
    /// freed for a while and finds leaks by itself.
    pub fn master_memory(&self) -> Option<u64> {
        if wrapper::is_set() {
            return None;
        }
        let status = read(Path::new(&format!("/proc/{}/status", self.master.id())));
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        assert!(number.is_some(), "no RssAnon in {status}");
        number
    }

    /// The process ids of the workers that run now.
    pub fn worker_pids(&self) -> Vec<u32> {
        worker_pids(&self.error_log())
    }

    /// Kills all workers at once, and returns when others serve.
    pub fn kill_workers(&mut self) {
        self.killed = true;
        let old = self.worker_pids();
        for pid in &old {
            signal::send(*pid, signal::KILL).expect("a running worker");
        }
        poll(|| {
            let now = self.worker_pids();
            (now.len() == old.len() && old.iter().all(|pid| !now.contains(pid))).then_some(())
        })
        .expect("new workers");
    }

    /// Opens a connection for several requests.
    pub fn connect(&self) -> Connection {
        Connection::open(self.port())
    }

    /// Sends one request to `{port}` on a connection of its own.
    pub fn send(&self, request: &Request) -> Response {
        connection::send_once(self.connect(), request)
    }

    /// Sends one request to `{port:name}`.
    pub fn send_to(&self, name: &str, request: &Request) -> Response {
        connection::send_once(Connection::open(self.port_named(name)), request)
    }

    /// Sends one request over TLS to `{port:name}`.
    pub fn send_tls_to(&self, name: &str, request: &Request) -> Response {
        let connection = tls::connect(self.port_named(name), &self.prefix.certificate(), None);
        connection::send_once(connection, request)
    }

    /// Does the same with the certificate of a client that `clients.pem` vouches for.
    pub fn send_tls_with_certificate_to(&self, name: &str, request: &Request) -> Response {
        let client = self.prefix.client_certificate();
        let connection = tls::connect(self.port_named(name), &self.prefix.certificate(), Some(client));
        connection::send_once(connection, request)
    }

    /// Sends one request over HTTP/2.
    pub fn send_http2(&self, request: &Request) -> Response {
        self.send_all_http2(std::slice::from_ref(request))
            .pop()
            .expect("one response per request")
    }

    /// Sends all requests at once on one HTTP/2 connection; the responses are in their order.
    pub fn send_all_http2(&self, requests: &[Request]) -> Vec<Response> {
        http2::exchange(self.port(), requests)
    }

    /// Whether it speaks HTTP/3 at all.
    pub fn has_http3() -> bool {
        Binary::get().has_http3()
    }

    /// Sends all requests at once on one HTTP/3 connection; the responses are in their order.
    pub fn send_all_http3(&self, requests: &[Request]) -> Vec<Response> {
        http3::exchange(self.port(), &self.prefix.certificate(), requests)
    }

    /// Puts `http` inside the `http` block and reloads. Returns when new workers serve and the old ones
    /// are gone.
    pub fn reload_with(&mut self, http: &str) {
        let config = self.expand(http);
        self.replace_workers(&config);
    }

    /// Does the same with the module in a file of another name, as another build of it would be.
    pub fn reload_with_other_module(&mut self, http: &str) {
        let config = self.expand(http);
        self.prefix.copy_module("modules/other.so");
        self.replace_workers(&config.replace("modules/ngx_http_cors_module.so", "modules/other.so"));
    }

    fn replace_workers(&mut self, config: &str) {
        let old = self.worker_pids();
        self.reload(config);
        poll(|| {
            let now = self.worker_pids();
            (!now.is_empty() && old.iter().all(|pid| !now.contains(pid))).then_some(())
        })
        .expect("new workers");
    }

    /// Does the same, but returns while old workers still serve the connections that they have.
    pub fn reload_beside_old_workers(&mut self, http: &str) {
        let logged = self.error_log().len();
        let config = self.expand(http);
        self.reload(&config);
        poll(|| {
            self.error_log()[logged..]
                .contains("gracefully shutting down")
                .then_some(())
        })
        .expect("new workers");
    }

    /// Does the same where one process serves. Returns when that has begun: it serves no request before it has finished.
    pub fn reload_single_process(&mut self, http: &str) {
        let config = without_master(&self.expand(http));
        self.reload(&config);
        poll(|| self.error_log().contains("reconfiguring").then_some(())).expect("a reload");
    }

    /// Does the same with a configuration that nginx refuses, and returns what it logs about that.
    pub fn reload_refused(&mut self, http: &str) -> String {
        let logged = self.error_log().len();
        let config = self.expand(http);
        self.reload(&config);
        self.alerts_expected = true;
        poll(|| {
            let news = self.error_log().split_off(logged);
            let told = news.contains("[emerg]") || news.contains("[alert]");
            (told && news.ends_with('\n')).then_some(news)
        })
        .expect("a refusal in the error log")
    }

    fn expand(&mut self, http: &str) -> String {
        Template::Http(http.to_owned()).expand(&mut self.ports)
    }

    fn reload(&mut self, config: &str) {
        self.ports.release();
        self.prefix.write_config(config);
        signal::send(self.master.id(), signal::RELOAD).expect("a running master");
    }

    /// Asks nginx to finish, and says what was wrong with how it did.
    fn stop(&mut self) -> Option<String> {
        // It may have exited by itself.
        let _ = signal::send(self.master.id(), signal::QUIT);
        let status = poll(|| self.master.try_wait().ok()?);
        if status.is_some_and(|status| status.success()) {
            return None;
        }
        for pid in self.worker_pids() {
            let _ = signal::send(pid, signal::KILL);
        }
        end(&mut self.master);
        Some(status.map_or_else(
            || "nginx does not stop".to_owned(),
            |status| format!("nginx ended with {status}"),
        ))
    }

    fn trouble(&self) -> Option<String> {
        let log = self.error_log();
        let grave = |line: &&str| {
            if self.killed && line.contains(" exited on signal 9") {
                return false;
            }
            let level = line.split(' ').nth(2).unwrap_or_default();
            let alert = matches!(level, "[alert]" | "[crit]" | "[emerg]");
            let expectable = alert || line.contains("panicked");
            line.contains("exited on signal") || (expectable && !self.alerts_expected)
        };
        let logged = log.lines().find(grave).map(str::to_owned);
        logged.or_else(|| wrapper::report(&self.prefix.path("logs")))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let trouble = self.stop().or_else(|| self.trouble());
        if trouble.is_none() && !thread::panicking() {
            return;
        }
        self.prefix.keep();
        eprintln!("{}\n{}", self.prefix.root().display(), self.prefix.error_log());
        match trouble {
            Some(trouble) if thread::panicking() => eprintln!("{trouble}"),
            Some(trouble) => panic!("{trouble}"),
            None => {}
        }
    }
}

fn worker_pids(log: &str) -> Vec<u32> {
    static EVENT: Lazy<Regex> = Lazy::new(|| {
        Regex::new(r"start worker process (?<started>[0-9]+)|worker process (?<gone>[0-9]+) exited")
            .expect("a valid pattern")
    });
    let mut pids = Vec::new();
    for event in EVENT.captures_iter(log) {
        let pid = |name| event.name(name).and_then(|pid| pid.as_str().parse().ok());
        pids.extend(pid("started"));
        if let Some(gone) = pid("gone") {
            pids.retain(|pid: &u32| *pid != gone);
        }
    }
    pids
}
