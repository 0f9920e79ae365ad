//! An nginx that serves one of the configurations in `peers/`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
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

    pub fn new(nginx: PathBuf, module: PathBuf) -> Result<Self> {
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

    /// Writes a configuration of `peers/`, its ports filled in.
    pub fn configure(&self, from: &Path, to: &str, port: u16, application: u16) -> Result<()> {
        let text = fs::read_to_string(from).with_context(|| from.display().to_string())?;
        let text = text
            .replace("{port}", &port.to_string())
            .replace("{application}", &application.to_string())
            .replace("{document}", &scenario::document());
        Ok(fs::write(self.path(to), text)?)
    }
}

/// How an nginx is to be started.
pub struct Start<'a> {
    pub build: &'a Build,
    /// The configuration file, below `peers/`.
    pub file: &'a str,
    /// What `origins.conf` is to hold.
    pub origins: String,
    /// The port of the application.
    pub application: u16,
    /// Directives for the outermost level.
    pub directives: String,
    /// What goes before nginx on the command line.
    pub wrapper: Vec<OsString>,
}

pub struct Nginx {
    pub prefix: Prefix,
    pub port: u16,
    child: Child,
}

impl Start<'_> {
    pub fn start(&self) -> Result<Nginx> {
        const ATTEMPTS: usize = 5;
        for _ in 0..ATTEMPTS {
            if let Some(nginx) = self.attempt()? {
                return Ok(nginx);
            }
        }
        bail!("no free port in {ATTEMPTS} attempts");
    }

    /// Nothing if another process was faster to take the port.
    fn attempt(&self) -> Result<Option<Nginx>> {
        let prefix = Prefix::new()?;
        let port = free_port()?;
        prefix.configure(&peers().join(self.file), "nginx.conf", port, self.application)?;
        for shared in ["main.conf", "http.conf", "upstream.conf"] {
            prefix.configure(&peers().join(shared), shared, port, self.application)?;
        }
        fs::write(prefix.path("origins.conf"), &self.origins)?;
        std::os::unix::fs::symlink(&self.build.module, prefix.path("modules/ngx_http_cors_module.so"))?;

        let console = File::create(prefix.path("logs/console"))?;
        let mut words = self.wrapper.iter().cloned().chain([self.build.nginx.clone().into()]);
        let child = Command::new(words.next().unwrap_or_default())
            .args(words)
            .arg("-p")
            .arg(prefix.root())
            .arg("-c")
            .arg(prefix.path("nginx.conf"))
            .args(["-e", "logs/error.log", "-g", &self.directives])
            // The environment lies on the stack, and moves what comes after it.
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(console.try_clone()?)
            .stderr(console)
            .spawn()?;
        let mut nginx = Nginx { prefix, port, child };
        // 100 000 origins take their time under valgrind.
        const PATIENCE: Duration = Duration::from_secs(600);
        poll(PATIENCE, || {
            Ok(
                (TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() || nginx.child.try_wait()?.is_some())
                    .then_some(()),
            )
        })?
        .context("nginx does not open its port")?;
        let said = nginx.said();
        if said.contains("Address already in use") {
            return Ok(None);
        }
        ensure!(
            nginx.child.try_wait()?.is_none(),
            "nginx did not start with {}:\n{said}",
            self.file
        );
        Ok(Some(nginx))
    }
}

impl Nginx {
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(pid.context("a process id")?, signal)?)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn said(&self) -> String {
        let read = |name| fs::read_to_string(self.prefix.path(name)).unwrap_or_default();
        read("logs/console") + &read("logs/error.log")
    }

    /// Stops it, and makes sure that it had nothing to complain about.
    pub fn stop(mut self) -> Result<()> {
        self.signal(Signal::QUIT)?;
        let status = poll(Duration::from_secs(60), || Ok(self.child.try_wait()?))?.context("nginx does not stop")?;
        let log = fs::read_to_string(self.prefix.path("logs/error.log")).unwrap_or_default();
        ensure!(status.success() && log.is_empty(), "nginx ended with {status}:\n{log}");
        Ok(())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Both fail if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that the kernel picks. It is free until nginx takes it, or somebody else does.
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
