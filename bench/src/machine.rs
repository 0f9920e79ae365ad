//! What the figures depend on: the machine's kind, and the versions of all that takes part.

use std::fs;
use std::process::Command;

use crate::results::Results;

/// What a command prints, its errors included.
fn said(words: &[&str]) -> String {
    let [program, arguments @ ..] = words else {
        return String::new();
    };
    let output = Command::new(program).args(arguments).env_remove("NGINX").output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    )
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |name: &str| {
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
        line.unwrap_or("unknown").trim().to_owned()
    };
    value("model name")
}

pub fn package(name: &str) -> String {
    said(&["dpkg-query", "-W", "-f=${Version}", name])
}

/// The version of a crate in the lock file.
fn locked(name: &str) -> String {
    let text = fs::read_to_string(Results::directory().join("Cargo.lock")).unwrap_or_default();
    version_in(&text, name).unwrap_or_default()
}

fn version_in(lock: &str, name: &str) -> Option<String> {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

pub fn describe() -> Vec<(String, String)> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let crates = ["axum", "hyper", "tower-http"].map(|name| format!("{name} {}", locked(name)));
    let rows = [
        ("processor", format!("{}, {cores} cores", processor())),
        ("Linux", kernel.trim().to_owned()),
        ("nginx", package("nginx")),
        ("headers-more", package("libnginx-mod-http-headers-more-filter")),
        ("Lua", package("libnginx-mod-http-lua")),
        ("njs", package("libnginx-mod-http-js")),
        ("Apache", package("apache2")),
        ("mod_perl", package("libapache2-mod-perl2")),
        ("HAProxy", package("haproxy")),
        ("axum", crates.join(", ")),
        ("glibc", package("libc6")),
        ("wrk", package("wrk")),
        ("valgrind", first_line(&said(&["valgrind", "--version"]))),
        ("Rust", first_line(&said(&["rustc", "--version"]))),
    ];
    rows.map(|(name, value)| (name.to_owned(), value)).into()
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn the_version_is_that_of_the_crate() {
        let lock = "[[package]]\nname = \"axum-core\"\nversion = \"0.5.0\"\n\n[[package]]\nname = \"axum\"\nversion = \"0.8.1\"\n";
        assert_eq!(version_in(lock, "axum").as_deref(), Some("0.8.1"));
        assert_eq!(version_in(lock, "hyper"), None);
    }
}
