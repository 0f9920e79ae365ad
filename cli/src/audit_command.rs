//! `nginx-cors audit`: what browsers, caches and attackers make of a running server.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};
use hyper::Uri;
use indicatif::{ProgressBar, ProgressStyle};

use crate::audit::{self, Check, Client, ClientOptions, Conclusion, Subject, Trust, Version};
use crate::cors_headers::origin_error;
use crate::lint::Severity;
use crate::outcome::Outcome;
use crate::report::{self, Audited, Format};
use cors_policy::is_token;

/// Ask a running server, whatever software it is, and name the CORS faults of its answers.
///
/// Asks as pages of the allowed origins do, as strangers do, with origins that resemble the allowed ones, with preflights
/// and without, for errors and parts of documents, over HTTP/1.1 and HTTP/2, and looks at the answers as browsers, caches
/// and attackers do. docs/audit.md has a section on each check.
///
/// It asks for nothing that changes anything, unless --unsafe-methods is given, and follows no redirect.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  nginx-cors audit https://api.example.com/users --origin https://app.example.com
  nginx-cors audit https://api.example.com/users --origin https://app.example.com --credentials \\
      --method PUT --method DELETE --header Content-Type --header \"Authorization: Bearer $TOKEN\"
  nginx-cors audit http://127.0.0.1:8080/ --origin https://app.example.com --path /api/ --path /files/logo.svg
  nginx-cors audit https://api.example.com/ --origin https://app.example.com --format sarif > audit.sarif

Ask servers of your own alone.")]
pub struct Arguments {
    /// What is asked for.
    #[arg(value_name = "URL", required_unless_present = "explain")]
    url: Option<String>,
    /// An origin that is to be allowed, such as https://app.example.com.
    #[arg(long, value_name = "ORIGIN", num_args = 1.., required_unless_present = "explain")]
    origin: Vec<String>,
    /// A method that pages use. Preflights ask for it; it is not sent, unless --unsafe-methods is given.
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    method: Vec<String>,
    /// A header that pages set, which preflights ask for. With a value, "NAME: VALUE", it is also sent with each request
    /// but preflights.
    #[arg(long, short = 'H', value_name = "HEADER")]
    header: Vec<String>,
    /// Pages ask with cookies, client certificates or HTTP authentication.
    #[arg(long)]
    credentials: bool,
    /// Ask for this path, too, with its query if it has one.
    #[arg(long, value_name = "PATH")]
    path: Vec<String>,
    /// Send the methods, and POST, with no content, though they may change something.
    #[arg(long)]
    unsafe_methods: bool,
    /// Ask over HTTP/2, and compare with HTTP/1.1. Without it, it is the other way round.
    #[arg(long)]
    http2: bool,
    /// Ask over HTTP/2 without TLS, as h2c with prior knowledge.
    #[arg(long)]
    http2_prior_knowledge: bool,
    /// Take any certificate of the server.
    #[arg(long, short = 'k')]
    insecure: bool,
    /// Take the certificates that the authorities in this file vouch for, instead of the system's.
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    cacert: Option<PathBuf>,
    /// Ask so many requests in a second.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Do not begin if it takes more requests than these.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    limit: usize,
    /// Wait so long for an answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Text for people, JSON, or SARIF 2.1.0 for code scanning.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Leave out the checks for what is less bad.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = Severity::Note)]
    level: Severity,
    /// Leave this check out.
    #[arg(long, value_name = "CHECK")]
    allow: Vec<String>,
    /// Tell of a check: what it finds, and what to do.
    #[arg(long, value_name = "CHECK")]
    explain: Option<String>,
}

/// Asks, and tells what was found.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    if let Some(id) = &arguments.explain {
        let check = known(id)?;
        writeln!(
            io::stdout(),
            "{}: {} ({})\n\n{}\n\nRemedy: {}.",
            check.id,
            check.title,
            check.severity,
            check.why,
            check.remedy
        )?;
        return Ok(Outcome::NothingFound);
    }
    let allowed = arguments.allow.iter().map(|id| known(id)).collect::<Result<Vec<_>>>()?;
    let checks: Vec<_> = audit::ALL
        .iter()
        .copied()
        .filter(|check| check.severity >= arguments.level && !allowed.contains(check))
        .collect();
    let subject = subject(arguments)?;
    let count = audit::count(&subject);
    ensure!(
        count <= arguments.limit,
        "it takes {count} requests, and --limit allows {}; ask for fewer paths and origins, or write \"--limit {count}\"",
        arguments.limit
    );
    let mut client = Client::new(ClientOptions {
        own_origin: subject.own_origin.clone(),
        given_headers: subject.given_headers.clone(),
        trust: match (&arguments.cacert, arguments.insecure) {
            (Some(file), _) => Trust::File(file.clone()),
            (None, true) => Trust::Anyone,
            (None, false) => Trust::System,
        },
        timeout: Duration::from_secs(arguments.timeout),
        rate: arguments.rate,
    })?;
    let progress = ProgressBar::new(u64::try_from(count)?);
    progress.set_style(ProgressStyle::with_template(
        "{wide_bar} {pos} of {len} requests, {eta} left",
    )?);
    let recording = audit::record(subject, &mut |request| client.ask(request), &mut || progress.inc(1));
    progress.finish_and_clear();
    let recording = recording?;
    let audited = Audited {
        judged: audit::judge(&recording, &checks),
        recording,
    };
    report::print_audit(&audited, arguments.format)?;
    let is_found = |(_, conclusion): &(_, Conclusion)| matches!(conclusion, Conclusion::Found(_));
    Ok(match audited.judged.iter().any(is_found) {
        true => Outcome::Found,
        false => Outcome::NothingFound,
    })
}

/// The check of this identifier.
fn known(id: &str) -> Result<&'static Check> {
    audit::find(id).with_context(|| {
        let names = audit::ALL.iter().map(|check| check.id);
        let nearest = names
            .min_by_key(|name| strsim::osa_distance(name, id))
            .unwrap_or_default();
        format!("there is no check \"{id}\"; \"{nearest}\" is the nearest, and docs/audit.md lists them all")
    })
}

fn subject(arguments: &Arguments) -> Result<Subject> {
    let (own_origin, target) = address(arguments.url.as_deref().unwrap_or_default())?;
    let mut targets = vec![target];
    for path in &arguments.path {
        let is_path = path.starts_with('/') && path.parse::<Uri>().is_ok();
        ensure!(
            is_path,
            "--path: \"{path}\" is no path; write it as in a URL, from the slash behind the host"
        );
        targets.push(path.clone());
    }
    for origin in &arguments.origin {
        if let Some((why, remedy)) = origin_error(origin) {
            let remedy = remedy.map(|remedy| format!("; {remedy}")).unwrap_or_default();
            bail!("--origin: no page has the origin \"{origin}\": {why}{remedy}");
        }
    }
    for method in &arguments.method {
        ensure!(
            is_token(method.as_bytes()),
            "--method: \"{method}\" is no method; write one a time, such as \"--method PUT\""
        );
    }
    let (header_names, given_headers) = headers(&arguments.header)?;
    let is_secure = own_origin.starts_with("https://");
    ensure!(
        !arguments.http2 || is_secure || arguments.http2_prior_knowledge,
        "--http2: without TLS nothing tells whether a server speaks it; write \"--http2-prior-knowledge\" if this one does"
    );
    let mut curl_options = String::new();
    if arguments.insecure {
        curl_options += " --insecure";
    }
    if let Some(file) = &arguments.cacert {
        curl_options += &format!(" --cacert '{}'", file.display());
    }
    Ok(Subject {
        own_origin,
        targets,
        origins: without_repetition(&arguments.origin),
        methods: without_repetition(&arguments.method),
        header_names,
        given_headers,
        has_credentials: arguments.credentials,
        asks_unsafe_methods: arguments.unsafe_methods,
        version: match arguments.http2 || arguments.http2_prior_knowledge {
            true => Version::Http2,
            false => Version::Http1,
        },
        curl_options,
    })
}

fn without_repetition(given: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for element in given {
        if !kept.contains(element) {
            kept.push(element.clone());
        }
    }
    kept
}

/// The origin of a URL as browsers write it, and its path and query.
fn address(url: &str) -> Result<(String, String)> {
    let explain = || format!("\"{url}\" is no URL; write it as in \"https://api.example.com/users\"");
    let uri: Uri = url.parse().ok().with_context(explain)?;
    let scheme = uri.scheme_str().with_context(explain)?;
    ensure!(
        matches!(scheme, "http" | "https"),
        "\"{url}\" begins with neither \"http://\" nor \"https://\""
    );
    let authority = uri.authority().with_context(explain)?;
    ensure!(
        !authority.as_str().contains('@'),
        "\"{url}\" has a user name in it; write a header instead: \"--header 'Authorization: Basic ...'\""
    );
    let host = authority.host().to_ascii_lowercase();
    let default = if scheme == "https" { 443 } else { 80 };
    let port = uri.port_u16().filter(|port| *port != default);
    let origin = match port {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    };
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    Ok((origin, target.to_owned()))
}

/// Names and values.
type GivenHeaders = Vec<(String, String)>;

/// The names that preflights ask for, and the headers that are sent with other requests.
fn headers(given: &[String]) -> Result<(Vec<String>, GivenHeaders)> {
    let mut names = Vec::new();
    let mut values = Vec::new();
    for header in given {
        let (name, value) = match header.split_once(':') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (header.trim(), None),
        };
        ensure!(
            is_token(name.as_bytes()),
            "--header: \"{name}\" is no name of a header; write one a time, such as \"--header Content-Type\""
        );
        if !is_set_by_browsers(name) {
            names.push(name.to_ascii_lowercase());
        }
        if let Some(value) = value {
            values.push((name.to_owned(), value.to_owned()));
        }
    }
    // The order in which browsers ask for them (Fetch, CORS-unsafe request-header names).
    names.sort();
    names.dedup();
    Ok((names, values))
}

/// Whether browsers set the header themselves, and let no script do so (Fetch, forbidden request-header), as far as it makes
/// sense to give one.
fn is_set_by_browsers(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_one = [
        "accept-encoding",
        "connection",
        "cookie",
        "date",
        "dnt",
        "host",
        "referer",
        "te",
        "via",
    ];
    is_one.contains(&name.as_str()) || name.starts_with("sec-") || name.starts_with("proxy-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_into_origin_and_path() {
        for (url, origin, target) in [
            ("https://API.example.com", "https://api.example.com", "/"),
            (
                "https://api.example.com:443/a?b=1#c",
                "https://api.example.com",
                "/a?b=1",
            ),
            ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080", "/x"),
            ("http://[::1]:80/", "http://[::1]", "/"),
        ] {
            assert_eq!(address(url).unwrap(), (origin.to_owned(), target.to_owned()), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_is_told() {
        for (url, why) in [
            ("api.example.com", "is no URL"),
            ("ftp://api.example.com/", "neither"),
            ("https://me:secret@api.example.com/", "user name"),
            ("https://", "is no URL"),
        ] {
            let error = address(url).unwrap_err().to_string();
            assert!(error.contains(why), "{url}: {error}");
        }
    }

    #[test]
    fn browsers_ask_for_names_of_headers_in_lower_case_and_in_order() {
        let given = ["X-B: 1", "Cookie: a=b", "content-type", "X-A"].map(str::to_owned);
        let (names, values) = headers(&given).unwrap();
        assert_eq!(names, ["content-type", "x-a", "x-b"]);
        let values: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(values, ["X-B=1", "Cookie=a=b"]);
    }
}
