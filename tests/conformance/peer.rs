//! The gateways, each with the policies of Gateway API's conformance tests.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use harness::{free_port, module, nginx, poll, terminate_process, workspace_root};
use tempfile::TempDir;

/// What reads the configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    /// The nginx that the module was built for.
    Nginx,
    /// Debian's, which its packages with modules are for.
    DebianNginx,
    Haproxy,
}

pub struct Peer {
    pub title: &'static str,
    /// Its configuration below `peers/`.
    pub file: &'static str,
    program: Program,
}

const fn peer(title: &'static str, file: &'static str, program: Program) -> Peer {
    Peer { title, file, program }
}

/// This module first.
pub static PEERS: [Peer; 8] = [
    peer("this module", "cors.conf", Program::Nginx),
    peer("map + if", "idiom.conf", Program::Nginx),
    peer("headers-more", "headers-more.conf", Program::DebianNginx),
    peer("Lua", "lua.conf", Program::DebianNginx),
    peer("HAProxy", "haproxy.cfg", Program::Haproxy),
    peer("NGINX Gateway Fabric", "nginx-gateway-fabric.conf", Program::Nginx),
    peer("F5 NIC", "kubernetes-ingress.conf", Program::Nginx),
    peer("ingress-nginx", "ingress-nginx.conf", Program::DebianNginx),
];

/// A gateway that runs until it is dropped.
pub struct Running {
    child: Child,
    pub port: u16,
    _directory: TempDir,
}

impl Peer {
    /// Starts it before an application.
    pub fn start(&self, application: u16) -> Running {
        const ATTEMPTS: usize = 5;
        // Somebody else may take the port between two moments.
        let mut attempts = (0..ATTEMPTS).filter_map(|_| self.try_start(application));
        attempts
            .next()
            .unwrap_or_else(|| panic!("{} does not start", self.title))
    }

    fn try_start(&self, application: u16) -> Option<Running> {
        let directory = tempfile::Builder::new()
            .prefix("cors-conformance-")
            .tempdir()
            .expect("a directory");
        let root = directory.path();
        let port = free_port();
        self.configure(root, port, application);
        let mut child = self
            .command(root)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.title));
        let serves = poll(|| {
            let has_ended = child.try_wait().expect("a child").is_some();
            let accepts = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
            (has_ended || accepts).then_some(!has_ended)
        });
        if serves == Some(true) {
            return Some(Running {
                child,
                port,
                _directory: directory,
            });
        }
        // It may be slow rather than gone.
        let _ = child.kill();
        let output = child.wait_with_output().expect("a child");
        eprintln!("{}: {}", self.title, String::from_utf8_lossy(&output.stderr));
        None
    }

    /// Writes its configuration and what that includes.
    fn configure(&self, root: &Path, port: u16, application: u16) {
        for name in ["logs", "modules", "temp"] {
            fs::create_dir(root.join(name)).expect("a new directory");
        }
        let write = |name: &str, from: PathBuf| {
            let text = fs::read_to_string(&from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
            let text = text
                .replace("{port}", &port.to_string())
                .replace("{application}", &application.to_string())
                .replace("{prefix}", &root.display().to_string());
            fs::write(root.join(name), text).expect("a new file");
        };
        let peers = workspace_root().join("tests/conformance/peers");
        write("peer.conf", peers.join(self.file));
        write("cors.lua", peers.join("cors.lua"));
        for name in ["main.conf", "http.conf", "upstream.conf"] {
            write(name, workspace_root().join("bench/peers").join(name));
        }
        fs::write(root.join("users"), "me:{PLAIN}secret\n").expect("a new file");
        fs::copy(module(), root.join("modules/ngx_http_cors_module.so")).expect("the module");
    }

    fn command(&self, root: &Path) -> Command {
        let mut command = match self.program {
            Program::Nginx => Command::new(nginx()),
            Program::DebianNginx => Command::new("/usr/sbin/nginx"),
            Program::Haproxy => {
                let mut command = Command::new("/usr/sbin/haproxy");
                command.arg("-db").arg("-f").arg(root.join("peer.conf"));
                return command;
            }
        };
        command.arg("-p").arg(root).arg("-c").arg(root.join("peer.conf"));
        // nginx takes it for a list of sockets.
        command.env_remove("NGINX");
        command
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = terminate_process(self.child.id());
        let _ = self.child.wait();
    }
}
