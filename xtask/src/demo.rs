//! `cargo xtask demo`: serves nginx-conf/demo.conf until Ctrl-C.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use xshell::{cmd, Shell};

use crate::workspace::{link, root, variable};

/// The four addresses of the demo, in the order that demo.conf explains them in.
#[derive(Clone, Copy)]
struct Ports {
    first: u16,
}

impl Ports {
    fn from_environment() -> Result<Self> {
        match variable("PORT") {
            None => Ok(Self { first: 8080 }),
            Some(port) => Self::read(&port.to_string_lossy()),
        }
    }

    fn read(port: &str) -> Result<Self> {
        let first = port.parse().ok().filter(|first| (1..=65532).contains(first));
        let first = first.with_context(|| format!("PORT is a number from 1 to 65532, not '{port}'"))?;
        Ok(Self { first })
    }

    fn addresses(self) -> [SocketAddr; 4] {
        [0, 1, 2, 3].map(|place| SocketAddr::from((Ipv4Addr::LOCALHOST, self.first + place)))
    }

    /// What to write to get four other ports.
    fn others(self) -> String {
        let overlaps = |other: u16| self.first.abs_diff(other) < 4;
        let other = if overlaps(9000) { 9100 } else { 9000 };
        format!(
            "the demo takes four ports, {} to {}; for {other} to {} instead: make run PORT={other}",
            self.first,
            self.first + 3,
            other + 3
        )
    }
}

fn accepts(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}

/// The configuration of the demo with the ports moved.
fn on_other_ports(demo_conf: &str, ports: Ports) -> String {
    let mut pieces = demo_conf.split("127.0.0.1:808");
    let mut moved = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let mut rest = piece.chars();
        let place = rest.next().and_then(|digit| digit.to_digit(10)).unwrap_or_default();
        moved.push_str(&format!(
            "127.0.0.1:{}{}",
            u32::from(ports.first) + place,
            rest.as_str()
        ));
    }
    moved
}

/// A running nginx, which is stopped when this is dropped.
struct Server<'a> {
    sh: &'a Shell,
    process: Child,
}

impl Server<'_> {
    fn has_ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if !self.has_ended() {
            let pid = self.process.id().to_string();
            // The standard library can only send SIGKILL, which would leave nginx's workers behind.
            let stop = cmd!(self.sh, "sh -c 'kill -s TERM \"$1\"' sh {pid}");
            if let Err(error) = stop
                .quiet()
                .run()
                .map_err(anyhow::Error::from)
                .and_then(|()| Ok(self.process.wait()?))
            {
                eprintln!("error: nginx (process {pid}) was not stopped: {error:#}");
            }
        }
    }
}

pub fn serve(sh: &Shell) -> Result<()> {
    let ports = Ports::from_environment()?;
    let addresses = ports.addresses();
    let [page, api, stranger, _] = addresses;
    for file in ["build/nginx", "build/ngx_http_cors_module.so"] {
        ensure!(root().join(file).exists(), "{file} is missing: make builds it");
    }
    if let Some(taken) = addresses.iter().find(|address| accepts(**address)) {
        bail!(
            "port {} is taken: something answers at {taken}\n{}",
            taken.port(),
            ports.others()
        );
    }

    let prefix = root().join(format!("build/run/{}", ports.first));
    sh.create_dir(prefix.join("logs"))?;
    link(&root().join("build"), &prefix.join("modules"))?;
    link(&root().join("nginx-conf/demo"), &prefix.join("demo"))?;
    fs::write(prefix.join("logs/exchanges.jsonl"), "")?;
    let demo_conf = sh.read_file("nginx-conf/demo.conf")?;
    let configuration = prefix.join("demo.conf");
    fs::write(&configuration, on_other_ports(&demo_conf, ports))?;

    // Workers that root starts would run as nobody, who may not read a checkout.
    let root_user = cmd!(sh, "id -u").quiet().read()? == "0";
    let directives = if root_user {
        "daemon off; user root;"
    } else {
        "daemon off;"
    };

    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGCHLD])?;
    let process = Command::new(root().join("build/nginx"))
        .arg("-p")
        .arg(&prefix)
        .arg("-c")
        .arg(&configuration)
        .args(["-e", "stderr", "-g", directives])
        // nginx takes a variable of this name for the list of the sockets that it inherits.
        .env_remove("NGINX")
        .spawn()
        .context("build/nginx cannot be run")?;
    let mut server = Server { sh, process };

    let mut attempts = 0;
    while !addresses.iter().all(|address| accepts(*address)) {
        ensure!(
            !server.has_ended(),
            "nginx did not start, see above\n{}",
            ports.others()
        );
        ensure!(attempts < 100, "nginx did not open its ports within ten seconds");
        attempts += 1;
        thread::sleep(Duration::from_millis(100));
    }

    println!(
        "
The demo is at  http://{page}/

For another terminal:

  # May a script of the page send a DELETE? (a preflight)
  curl -i -X OPTIONS -H 'Origin: http://{page}' -H 'Access-Control-Request-Method: DELETE' http://{api}/notes/7

  # The request itself
  curl -i -X DELETE -H 'Origin: http://{page}' http://{api}/notes/7

  # The same question from a stranger's page
  curl -i -X OPTIONS -H 'Origin: http://{stranger}' -H 'Access-Control-Request-Method: DELETE' http://{api}/notes/7

Ctrl-C stops it. nginx writes its logs to build/run/{}/logs.",
        ports.first
    );

    // Ctrl-C reaches nginx as well as this process, and this process no later than the end of nginx does.
    for signal in signals.forever() {
        if signal != SIGCHLD {
            return Ok(());
        }
        ensure!(!server.has_ended(), "nginx has ended by itself");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_are_numbers_that_leave_room_for_four() {
        assert_eq!(Ports::read("9000").unwrap().first, 9000);
        for wrong in ["0", "65533", "70000", "8080x", "-1"] {
            let error = Ports::read(wrong).err().map(|error| error.to_string());
            assert_eq!(error, Some(format!("PORT is a number from 1 to 65532, not '{wrong}'")));
        }
    }

    #[test]
    fn other_ports_are_none_of_those_that_are_taken() {
        assert!(Ports { first: 8080 }.others().ends_with("PORT=9000"));
        assert!(Ports { first: 8997 }.others().ends_with("PORT=9100"));
        assert!(Ports { first: 9003 }.others().ends_with("PORT=9100"));
        assert!(Ports { first: 9004 }.others().ends_with("PORT=9000"));
    }

    #[test]
    fn each_address_is_moved_once() {
        let conf = "listen 127.0.0.1:8080; proxy_pass http://127.0.0.1:8083; root 8080;";
        assert_eq!(
            on_other_ports(conf, Ports { first: 8083 }),
            "listen 127.0.0.1:8083; proxy_pass http://127.0.0.1:8086; root 8080;"
        );
    }
}
