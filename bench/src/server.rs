//! A server that runs with one of the configurations in `peers/`.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{bail, ensure, Context, Result};
use rustix::process::{kill_process, Pid, Signal};
use tempfile::TempDir;

use crate::scenario;

/// What is measured: an nginx, and the module that fits it.
#[derive(Clone)]
pub struct Build {
    pub nginx: PathBuf,
    pub module: PathBuf,
    pub version: String,
}

impl Build {
    /// The one that `CORS_TEST_NGINX` and `CORS_TEST_MODULE` name, as for the tests; else that of `make`.
    pub fn from_environment() -> Result<Self> {
        let file = |variable: &str, name: &str| -> Result<PathBuf> {
            let path = std::env::var_os(variable)
                .map_or_else(|| harness::workspace_root().join("build").join(name), Into::into);
            path.canonicalize()
                .with_context(|| format!("{}: `make` builds it, {variable} names another one", path.display()))
        };
        Self::new(
            file("CORS_TEST_NGINX", "nginx")?,
            file("CORS_TEST_MODULE", "ngx_http_cors_module.so")?,
        )
    }

    /// Debian's, and the module that was built for it.
    pub fn of_debian() -> Result<Self> {
        let build = harness::workspace_root().join("build/debian");
        Self::new(build.join("nginx"), build.join("ngx_http_cors_module.so"))
            .with_context(|| format!("no nginx of Debian's in {}: make bench builds it", build.display()))
    }

    /// The same nginx with another module.
    pub fn with_module(&self, path: &Path) -> Result<Self> {
        let module = path.canonicalize().with_context(|| path.display().to_string())?;
        Ok(Self { module, ..self.clone() })
    }

    fn new(nginx: PathBuf, module: PathBuf) -> Result<Self> {
        let output = Command::new(&nginx).arg("-v").env_remove("NGINX").output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        let version = text
            .split_once("nginx/")
            .map(|(_, rest)| rest.split_whitespace().next());
        let version = version.flatten().context("nginx -v tells no version")?.to_owned();
        Ok(Self { nginx, module, version })
    }
}

/// The directory that holds the configurations.
pub fn peers() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/peers"))
}

/// A directory that a server runs in.
pub struct Prefix {
    directory: TempDir,
}

impl Prefix {
    pub fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("cors-bench-").tempdir()?;
        for name in ["logs", "modules", "temp", "html"] {
            fs::create_dir(directory.path().join(name))?;
        }
        // Apache's processes are another user's.
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755))?;
        let mut document = File::create(directory.path().join("html/document.json"))?;
        document.write_all(scenario::document().as_bytes())?;
        // nginx sends it with each answer, and it takes longer to write 12 than 1.
        document.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))?;
        Ok(Self { directory })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// Writes the files of a directory, with what they leave open filled in.
    fn configure(&self, from: &Path, port: u16, start: &Start) -> Result<()> {
        let entries = fs::read_dir(from).with_context(|| from.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            if !path.is_file() {
                continue;
            }
            let text = fs::read_to_string(&path)?
                .replace("{port}", &port.to_string())
                .replace("{application}", &start.application.to_string())
                .replace("{prefix}", &self.root().to_string_lossy())
                .replace("{document}", &scenario::document())
                .replace(start.fill.0, &start.fill.1);
            fs::write(self.path(&path.file_name().unwrap_or_default().to_string_lossy()), text)?;
        }
        Ok(())
    }
}

/// What is to be started.
#[derive(Clone)]
pub enum Program {
    Nginx(Build),
    Apache,
    Haproxy,
    /// One that takes words on its command line instead of a configuration, behind these.
    Own(PathBuf, &'static [&'static str]),
}

/// How a server is to be started.
pub struct Start {
    pub program: Program,
    /// The directory of the configuration, below `peers/`.
    pub directory: &'static str,
    /// The configuration in it.
    pub file: &'static str,
    /// Further files for its prefix.
    pub files: Vec<(&'static str, String)>,
    /// A word of the configuration, and what it stands for.
    pub fill: (&'static str, String),
    /// The port of the application.
    pub application: u16,
    /// Directives for the outermost level of nginx.
    pub directives: String,
    /// What goes before the program on the command line.
    pub wrapper: Vec<OsString>,
}

/// A running server, and the processes that it has started.
pub struct Server {
    pub prefix: Prefix,
    pub port: u16,
    child: Child,
    /// What ends it after the requests at hand.
    end: Signal,
}

impl Start {
    pub fn start(&self) -> Result<Server> {
        const ATTEMPTS: usize = 5;
        for _ in 0..ATTEMPTS {
            if let Some(server) = self.attempt()? {
                return Ok(server);
            }
        }
        bail!("no free port in {ATTEMPTS} attempts");
    }

    /// Nothing if another process was faster to take the port.
    fn attempt(&self) -> Result<Option<Server>> {
        let port = free_port()?;
        let prefix = self.prefix(port)?;
        let console = File::create(prefix.path("logs/console"))?;
        // Whatever ends this program, a Ctrl-C for example, ends its servers.
        let guard = ["setpriv", "--pdeathsig", "TERM"].map(OsString::from);
        let mut words = guard
            .into_iter()
            .chain(self.wrapper.iter().cloned())
            .chain(self.words(&prefix, port)?);
        let child = Command::new(words.next().unwrap_or_default())
            .args(words)
            // Apache ends its whole group when it ends.
            .process_group(0)
            // The environment lies on the stack, and moves what comes after it.
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(console.try_clone()?)
            .stderr(console)
            .spawn()
            .with_context(|| format!("{}/{}", self.directory, self.file))?;
        let end = match self.program {
            Program::Nginx(_) => Signal::QUIT,
            _ => Signal::TERM,
        };
        let mut server = Server {
            prefix,
            port,
            child,
            end,
        };
        // 100 000 origins take their time under valgrind.
        const PATIENCE: Duration = Duration::from_secs(600);
        poll(PATIENCE, || {
            let opened = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
            Ok((opened || server.child.try_wait()?.is_some()).then_some(()))
        })?
        .with_context(|| format!("{} does not open its port", self.directory))?;
        let said = server.said();
        if said.contains("Address already in use") {
            return Ok(None);
        }
        ensure!(
            server.child.try_wait()?.is_none(),
            "{}/{} does not start:\n{said}",
            self.directory,
            self.file
        );
        Ok(Some(server))
    }

    /// Has nginx check its configuration. Returns how long that takes, and what it says where it finds a fault.
    pub fn check(&self) -> Result<(Duration, Result<(), String>)> {
        let port = free_port()?;
        let prefix = self.prefix(port)?;
        let mut words = self.words(&prefix, port)?.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).arg("-t").env_clear();
        let begin = Instant::now();
        let output = command.output()?;
        let taken = begin.elapsed();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok((taken, if output.status.success() { Ok(()) } else { Err(said) }))
    }

    /// Its directory, with all that it reads.
    fn prefix(&self, port: u16) -> Result<Prefix> {
        let prefix = Prefix::new()?;
        for directory in [peers().to_owned(), peers().join(self.directory)] {
            prefix.configure(&directory, port, self)?;
        }
        for (name, text) in &self.files {
            fs::write(prefix.path(name), text)?;
        }
        Ok(prefix)
    }

    fn words(&self, prefix: &Prefix, port: u16) -> Result<Vec<OsString>> {
        let configuration = prefix.path(self.file).into_os_string();
        Ok(match &self.program {
            Program::Nginx(build) => {
                std::os::unix::fs::symlink(&build.module, prefix.path("modules/ngx_http_cors_module.so"))?;
                let mut words: Vec<OsString> = vec![build.nginx.clone().into(), "-p".into(), prefix.root().into()];
                words.extend(["-c".into(), configuration]);
                words.extend(["-e", "logs/error.log", "-g", &self.directives].map(Into::into));
                words
            }
            Program::Apache => vec!["apache2".into(), "-DFOREGROUND".into(), "-f".into(), configuration],
            Program::Haproxy => vec!["haproxy".into(), "-db".into(), "-f".into(), configuration],
            Program::Own(path, more) => {
                let mut words: Vec<OsString> = vec![
                    path.clone().into(),
                    port.to_string().into(),
                    self.application.to_string().into(),
                    prefix.path("html/document.json").into(),
                ];
                // Names of its files are those of the prefix.
                words.extend(more.iter().map(|word| match prefix.path(word) {
                    file if file.exists() => file.into(),
                    _ => (*word).into(),
                }));
                words
            }
        })
    }
}

impl Server {
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(pid.context("a process id")?, signal)?)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed and logged.
    pub fn said(&self) -> String {
        let read = |name| fs::read_to_string(self.prefix.path(name)).unwrap_or_default();
        read("logs/console") + &read("logs/error.log")
    }

    /// Stops it, and makes sure that it had nothing to complain about.
    pub fn stop(mut self) -> Result<()> {
        ensure!(
            self.child.try_wait()?.is_none(),
            "the server has ended:\n{}",
            self.said()
        );
        let mut asked: Option<Instant> = None;
        let status = poll(Duration::from_secs(60), || {
            let status = self.child.try_wait()?;
            // nginx misses a signal between its last look and the wait for events.
            if status.is_none() && asked.is_none_or(|asked| asked.elapsed() > Duration::from_secs(2)) {
                self.signal(self.end)?;
                asked = Some(Instant::now());
            }
            Ok(status)
        })?;
        let status = status.with_context(|| format!("the server does not stop:\n{}", self.said()))?;
        if self.end == Signal::QUIT {
            let log = fs::read_to_string(self.prefix.path("logs/error.log")).unwrap_or_default();
            // A denial is no fault of the server: the first of a kind in a minute is logged.
            let is_clean = log.lines().all(|line| line.contains(" cors denied: "));
            ensure!(status.success() && is_clean, "nginx ended with {status}:\n{log}");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended, and all of this fails. Apache takes its processes along only if it is asked to end.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.signal(Signal::TERM);
        }
        let _ = poll(Duration::from_secs(10), || Ok(self.child.try_wait()?));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that the kernel picks. It is free until the server takes it, or somebody else does.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Asks again and again until there is an answer, or patience runs out.
pub fn poll<T>(patience: Duration, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let start = Instant::now();
    loop {
        if let Some(answer) = probe()? {
            return Ok(Some(answer));
        }
        if start.elapsed() > patience {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(2));
    }
}
