//! From what a test writes to what nginx reads.

use once_cell::sync::Lazy;
use regex::{Captures, Regex};

use crate::binaries::Binary;
use crate::ports::Ports;
use crate::signal;

/// The name of the port in `{port}`.
pub(crate) const DEFAULT_PORT: &str = "default";

/// Wraps the inside of a `server` block that listens on `{port}`.
pub fn server(body: &str) -> String {
    format!("server {{ {{listen}}\n{body}\n}}\n")
}

/// A configuration whose ports are not picked yet.
pub(crate) enum Template {
    /// The inside of the `http` block, with `{port}`, `{port:name}`, `{listen}`, `{listen_tls}`,
    /// `{listen_tls_http2}`, `{listen_http2}` and `{listen_http3}`.
    Http(String),
    /// The same, for an nginx without the module.
    Bare(String),
    /// A whole file with literal ports.
    File(String),
}

impl Template {
    /// The configuration file, with every port picked.
    pub(crate) fn expand(&self, ports: &mut Ports) -> String {
        match self {
            Self::Http(inside) => expand_tokens(&(LOAD_MODULE.to_owned() + &whole_file(inside)), ports),
            Self::Bare(inside) => expand_tokens(&whole_file(inside), ports),
            Self::File(text) => settle(&replace_literals(text, ports)),
        }
    }
}

const LOAD_MODULE: &str = "load_module modules/ngx_http_cors_module.so;\n";

fn whole_file(http: &str) -> String {
    let user = if signal::running_as_root() { "user root;\n" } else { "" };
    let temp_paths = temp_paths("");
    format!(
        "{user}daemon off;
worker_processes 1;
pid logs/nginx.pid;
error_log logs/error.log {LOG_LEVEL};
events {{ worker_connections 256; }}
http {{
access_log logs/access.log;
{temp_paths}
{http}
}}
"
    )
}

/// The certificate that a server for TLS needs.
pub(crate) const CERTIFICATE: &str = "certificate.pem";
pub(crate) const CERTIFICATE_KEY: &str = "certificate.key";
/// What a server asks certificates of clients to be signed by.
pub(crate) const CLIENT_AUTHORITY: &str = "clients.pem";
pub(crate) const CLIENT_KEY: &str = "clients.key";

const LOG_LEVEL: &str = "info";

/// Directives that keep temporary files in the prefix, but for those that `text` already has.
fn temp_paths(text: &str) -> String {
    const MODULES: [(&str, &str); 4] = [
        ("proxy", "proxy_temp_path"),
        ("fastcgi", "fastcgi_temp_path"),
        ("uwsgi", "uwsgi_temp_path"),
        ("scgi", "scgi_temp_path"),
    ];
    MODULES
        .into_iter()
        .filter(|(module, _)| Binary::get().has_http_module(module))
        .map(|(_, directive)| directive)
        .chain(["client_body_temp_path"])
        .filter(|directive| !text.contains(directive))
        .map(|directive| format!("{directive} temp/{directive};"))
        .collect()
}

/// The text with every port picked.
pub(crate) fn expand_tokens(text: &str, ports: &mut Ports) -> String {
    static TOKEN: Lazy<Regex> = Lazy::new(|| {
        Regex::new(r"\{(port|listen|listen_tls|listen_tls_http2|listen_http2|listen_http3)(?::([a-z0-9_]+))?\}")
            .expect("a valid pattern")
    });
    let certificate = format!("ssl_certificate {CERTIFICATE}; ssl_certificate_key {CERTIFICATE_KEY};");
    TOKEN
        .replace_all(text, |token: &Captures<'_>| {
            let port = ports.pick(token.get(2).map_or(DEFAULT_PORT, |name| name.as_str()));
            match &token[1] {
                "port" => port.to_string(),
                "listen" => format!("listen 127.0.0.1:{port};"),
                "listen_tls" => format!("listen 127.0.0.1:{port} ssl; {certificate}"),
                "listen_http3" => {
                    format!("listen 127.0.0.1:{port} ssl; listen 127.0.0.1:{port} quic; {certificate}")
                }
                "listen_tls_http2" if Binary::get().has_http2_directive() => {
                    format!("listen 127.0.0.1:{port} ssl; http2 on; {certificate}")
                }
                "listen_tls_http2" => format!("listen 127.0.0.1:{port} ssl http2; {certificate}"),
                _ if Binary::get().has_http2_directive() => {
                    format!("listen 127.0.0.1:{port}; http2 on;")
                }
                _ => format!("listen 127.0.0.1:{port} http2;"),
            }
        })
        .into_owned()
}

/// Replaces each port that the file listens on or expects on loopback, wherever it is mentioned.
fn replace_literals(text: &str, ports: &mut Ports) -> String {
    static PORT: Lazy<Regex> = Lazy::new(|| {
        Regex::new(r"\blisten[ \t]+(?:[^ \t;]*:)?([0-9]+)|(?:127\.0\.0\.1|localhost|\[::1\]):([0-9]+)")
            .expect("a valid pattern")
    });
    static MENTION: Lazy<Regex> = Lazy::new(|| {
        Regex::new(r"(?<listen>\blisten[ \t]+)(?<bare>[0-9]+)|:(?<port>[0-9]+)").expect("a valid pattern")
    });
    for port in PORT.captures_iter(text) {
        if let Some(literal) = port.get(1).or(port.get(2)) {
            ports.pick(literal.as_str());
        }
    }
    MENTION
        .replace_all(text, |mention: &Captures<'_>| {
            let picked = |group: &str| ports.get(mention.name(group)?.as_str());
            match (picked("bare"), picked("port")) {
                (Some(port), _) => format!("{}127.0.0.1:{port}", &mention["listen"]),
                (_, Some(port)) => format!(":{port}"),
                _ => mention[0].to_owned(),
            }
        })
        .into_owned()
}

/// Adds to a user's file what a test needs and the file leaves open, on lines that are there, so that
/// nginx names the file's own line numbers.
fn settle(text: &str) -> String {
    static HTTP: Lazy<Regex> = Lazy::new(|| Regex::new(r"(?m)^[ \t]*http[ \t]*\{").expect("a valid pattern"));
    let mut main = String::new();
    for (directive, value) in [("daemon", "off"), ("worker_processes", "1"), ("pid", "logs/nginx.pid")] {
        if !sets(text, directive) {
            main += &format!("{directive} {value};");
        }
    }
    if signal::running_as_root() && !sets(text, "user") {
        main += "user root;";
    }
    main += &format!("error_log logs/error.log {LOG_LEVEL};");
    let http = temp_paths(text);
    let access_log = if sets(text, "access_log") {
        ""
    } else {
        "access_log logs/access.log;"
    };
    main + &HTTP.replace(text, |http_block: &Captures<'_>| {
        format!("{}{http}{access_log}", &http_block[0])
    })
}

fn sets(text: &str, directive: &str) -> bool {
    text.lines()
        .any(|line| line.split_whitespace().next() == Some(directive))
}
