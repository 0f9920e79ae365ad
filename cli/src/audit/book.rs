//! `docs/audit.md`, which is made of the table of checks, and of a server for each check that has its fault and no other.

use std::fmt::Write;
use std::fs;

use super::checks::{find, ALL};
use super::exchange::{Failure, Request, Response, Version};
use super::hostile::{Variant, STRANGER};
use super::right::{self, APP};
use super::{judge, record, Conclusion, Finding, Recording, Subject};
use crate::lint;
use crate::made_page::assert_written;
use crate::nginx::Limits;

const HEAD: &str = "# nginx-cors audit

`nginx-cors audit URL --origin ORIGIN...` asks a running server, whatever software it is, and names what a browser, a cache or
an attacker would make of its answers.

```sh
nginx-cors audit https://api.example.com/users --origin https://app.example.com
nginx-cors audit https://api.example.com/users --origin https://app.example.com --credentials \\
    --method PUT --header Content-Type --header \"Authorization: Bearer $TOKEN\"
nginx-cors audit http://127.0.0.1:8080/ --origin https://app.example.com --path /api/ --path /files/logo.svg
nginx-cors audit https://api.example.com/ --origin https://app.example.com --format sarif > audit.sarif # or json
nginx-cors audit --explain missing-vary
```

Say which pages the server is meant for: `--origin` their origins, `--method` and `--header` what they use beyond `GET`, and
`--credentials` that they ask with cookies or the like. A header with a value is sent with each request but preflights, as
browsers send them; in what is printed, a variable stands for its value.

The exit status is 0 if nothing was found, 1 if something was, and 2 if the server could not be asked. An **error** lets a
stranger in, or keeps out who is to be let in. A **warning** is an answer that some browsers or caches make something else of
than was meant. A **note** is worth a look. `--level` leaves out what is less bad, and `--allow` a check.

## How it asks

- Gently: 20 requests a second, unless `--rate` says otherwise, one after the other, and none at all if there would be more of them
  than `--limit`. A path takes about 60, and 30 more for each further origin.
- Nothing that changes anything: it sends `GET`, `HEAD`, `OPTIONS` and `PROPFIND`, which only reads (RFC 4918, section 9.1), and
  the handshake of a WebSocket. Other methods it asks preflights about; `--unsafe-methods` has it send them, with no content, and
  `POST`.
- No other server: it follows no redirect.
- With limits: a server that does not answer within `--timeout`, or sends more than 64 KiB of headers, has not answered. Of the
  content it reads 64 KiB at most. A request on a connection that the server closes is asked once more, as browsers do it.
  After three requests in a row without an answer it gives up.
- Over HTTP/1.1; over HTTP/2 with `--http2`, or `--http2-prior-knowledge` where there is no TLS. With TLS the main requests are
  asked in the other version, too, and the answers compared.

Ask servers of your own alone.

## The checks

This page is made by the tests: `UPDATE_DOCS=1 cargo test -p nginx-cors book` writes it anew. For each check there is a server
with its fault, and what is shown below was found in its answers.

| check | severity | |
|---|---|---|
";

/// What a faulty server makes of a right answer.
type Spoil = fn(&Request, &mut Response);

/// A server with a fault.
struct Faulty {
    id: &'static str,
    /// The checks that find something, too, as one thing leads to the other.
    others: &'static [&'static str],
    subject: Subject,
    spoil: Spoil,
}

fn from_app(request: &Request) -> bool {
    request.only("Origin") == Some(APP)
}

fn is_options(request: &Request) -> bool {
    request.method == "OPTIONS"
}

/// A request that is no preflight, of the page that is allowed.
fn is_of_app(request: &Request) -> bool {
    from_app(request) && !is_options(request)
}

fn is_preflight_of_app(request: &Request) -> bool {
    from_app(request) && is_options(request) && request.only("Access-Control-Request-Method").is_some()
}

fn add(response: &mut Response, name: &str, value: &str) {
    response.headers.push((name.to_owned(), value.to_owned()));
}

fn remove(response: &mut Response, name: &str) {
    response.headers.retain(|(sent, _)| sent != name);
}

fn set(response: &mut Response, name: &str, value: &str) {
    remove(response, name);
    add(response, name, value);
}

/// Takes all headers of CORS away.
fn strip(response: &mut Response) {
    response
        .headers
        .retain(|(name, _)| !name.starts_with("access-control-"));
}

/// Allows the origin that was asked with, if it is one of these.
fn allow_variant(request: &Request, response: &mut Response, variant: Variant) {
    if let Some(origin) = request.only("Origin") {
        if variant.of(APP).iter().any(|hostile| hostile == origin) {
            set(response, "access-control-allow-origin", origin);
        }
    }
}

fn faulty_servers() -> Vec<Faulty> {
    let mut all = Vec::new();
    let mut server = |id, others, spoil| {
        all.push(Faulty {
            id,
            others,
            subject: right::subject(),
            spoil,
        });
    };
    origins(&mut server);
    caches(&mut server);
    other_answers(&mut server);
    preflights(&mut server);
    values(&mut server);
    access(&mut server);
    for faulty in &mut all {
        match faulty.id {
            "method-without-headers" => faulty.subject.asks_unsafe_methods = true,
            "authorization-under-wildcard" => faulty.subject.has_credentials = false,
            _ => {}
        }
    }
    all
}

type Add<'a> = &'a mut dyn FnMut(&'static str, &'static [&'static str], Spoil);

fn origins(server: Add<'_>) {
    server("allowed-origin-refused", &[], |request, response| {
        if !is_options(request) {
            strip(response);
        }
    });
    server("credentials-missing", &[], |_, response| {
        remove(response, "access-control-allow-credentials");
    });
    server("reflected-with-credentials", &[], |request, response| {
        if let Some(origin) = request.only("Origin").filter(|_| !is_options(request)) {
            set(response, "access-control-allow-origin", origin);
            set(response, "access-control-allow-credentials", "true");
        }
    });
    server("reflected-origin", &[], |request, response| {
        if let Some(origin) = request.only("Origin").filter(|origin| *origin != APP) {
            set(response, "access-control-allow-origin", origin);
        }
    });
    server("null-origin", &[], |request, response| {
        if request.only("Origin") == Some("null") {
            set(response, "access-control-allow-origin", "null");
            set(response, "access-control-allow-credentials", "true");
        }
    });
    server("loopback-origin", &[], |request, response| {
        if let Some(origin) = request
            .only("Origin")
            .filter(|origin| origin.starts_with("http://localhost"))
        {
            set(response, "access-control-allow-origin", origin);
        }
    });
    server("origin-with-suffix", &[], |request, response| {
        allow_variant(request, response, Variant::Suffix);
    });
    server("origin-with-prefix", &[], |request, response| {
        allow_variant(request, response, Variant::Prefix);
    });
    server("other-top-level-domain", &[], |request, response| {
        allow_variant(request, response, Variant::OtherTopLevel);
    });
    server("dot-for-any-character", &[], |request, response| {
        allow_variant(request, response, Variant::Dot);
    });
    server("subdomain-allowed", &[], |request, response| {
        allow_variant(request, response, Variant::Subdomain);
    });
    server("other-port-allowed", &[], |request, response| {
        allow_variant(request, response, Variant::Port);
    });
    server("insecure-origin-allowed", &[], |request, response| {
        allow_variant(request, response, Variant::Scheme);
    });
    server("user-info-allowed", &[], |request, response| {
        allow_variant(request, response, Variant::UserInfo);
    });
    server("upper-case-allowed", &[], |request, response| {
        allow_variant(request, response, Variant::UpperCase);
    });
    server("trailing-dot-allowed", &[], |request, response| {
        allow_variant(request, response, Variant::TrailingDot);
    });
    server("path-allowed", &[], |request, response| {
        allow_variant(request, response, Variant::Path);
    });
    server("malformed-origin-sent-back", &[], |request, response| {
        if let Some(origin) = request.only("Origin").filter(|origin| origin.contains(", ")) {
            set(response, "access-control-allow-origin", origin);
        }
    });
    server("second-origin-sent-back", &[], |request, response| {
        let count = request.headers.iter().filter(|(name, _)| *name == "Origin").count();
        if count == 2 {
            set(response, "access-control-allow-origin", STRANGER);
        }
    });
}

fn caches(server: Add<'_>) {
    server("missing-vary", &[], |request, response| {
        if is_of_app(request) {
            remove(response, "vary");
        }
    });
    server("missing-vary-for-strangers", &[], |request, response| {
        if request.only("Origin") == Some(STRANGER) {
            remove(response, "vary");
        }
    });
    server("missing-vary-without-origin", &[], |request, response| {
        if request.headers.is_empty() {
            remove(response, "vary");
        }
    });
    server("shared-cache-mixes-origins", &[], |request, response| {
        if !is_options(request) {
            remove(response, "vary");
            add(response, "cache-control", "public, max-age=60");
        }
    });
    server("missing-vary-on-preflight", &[], |request, response| {
        if is_options(request) {
            remove(response, "vary");
        }
    });
    server("preflight-cached", &[], |request, response| {
        if is_options(request) {
            remove(response, "vary");
            add(response, "cache-control", "max-age=600");
        }
    });
    server("vary-doubled", &[], |_, response| {
        add(response, "vary", "Accept-Encoding, origin");
    });
}

fn other_answers(server: Add<'_>) {
    server("not-found-without-headers", &[], |_, response| {
        if response.status == 404 {
            strip(response);
        }
    });
    server("method-refused-without-headers", &[], |_, response| {
        if response.status == 405 {
            strip(response);
        }
    });
    server("server-error-without-headers", &[], |_, response| {
        if response.status == 405 {
            response.status = 500;
            strip(response);
        }
    });
    server("partial-without-headers", &[], |_, response| {
        if response.status == 206 {
            strip(response);
        }
    });
    server("not-modified-without-headers", &[], |_, response| {
        if response.status == 304 {
            strip(response);
        }
    });
    server("method-without-headers", &[], |request, response| {
        if request.method == "PUT" {
            strip(response);
        }
    });
    server("redirect-without-headers", &[], |request, response| {
        if is_of_app(request) {
            response.status = 301;
            strip(response);
            add(response, "location", "/login");
        }
    });
    server("redirected-elsewhere", &[], |request, response| {
        if is_of_app(request) {
            response.status = 301;
            add(response, "location", "https://www.example.com/");
        }
    });
    server("head-differs", &[], |request, response| {
        if request.method == "HEAD" {
            remove(response, "access-control-expose-headers");
        }
    });
    server("versions-differ", &[], |request, response| {
        if request.version == Version::Http2 && is_of_app(request) {
            strip(response);
        }
    });
}

fn preflights(server: Add<'_>) {
    server("preflight-redirected", &[], |request, response| {
        if is_preflight_of_app(request) {
            response.status = 301;
            strip(response);
            add(response, "location", "https://api.example.com/v2/");
        }
    });
    server("preflight-behind-authentication", &[], |request, response| {
        if is_options(request) {
            response.status = 401;
            strip(response);
            add(response, "www-authenticate", "Basic realm=\"staff\"");
        }
    });
    server("preflight-not-ok", &[], |request, response| {
        if is_options(request) {
            response.status = 404;
            strip(response);
        }
    });
    server("preflight-without-origin", &[], |request, response| {
        if is_options(request) {
            strip(response);
        }
    });
    server("preflight-with-body", &[], |request, response| {
        if is_preflight_of_app(request) {
            response.status = 200;
            response.body = 12;
            add(response, "content-length", "12");
        }
    });
    server("method-not-granted", &[], |request, response| {
        if is_preflight_of_app(request) {
            set(response, "access-control-allow-methods", "GET, POST");
        }
    });
    server("header-not-granted", &[], |request, response| {
        if is_preflight_of_app(request) {
            set(response, "access-control-allow-headers", "Authorization");
        }
    });
    server("authorization-under-wildcard", &[], |request, response| {
        remove(response, "access-control-allow-credentials");
        if is_preflight_of_app(request) {
            set(response, "access-control-allow-headers", "*");
        }
    });
    server("any-method-granted", &[], |request, response| {
        if let Some(method) = request
            .only("Access-Control-Request-Method")
            .filter(|_| from_app(request))
        {
            set(response, "access-control-allow-methods", method);
        }
    });
    server("two-methods-taken", &[], |request, response| {
        let names = request.headers.iter().map(|(name, _)| *name);
        if names.filter(|name| *name == "Access-Control-Request-Method").count() == 2 {
            response.status = 204;
            add(response, "access-control-allow-methods", "GET, PUT");
        }
    });
    server("options-swallowed", &[], |request, response| {
        if is_options(request) && response.status == 405 && request.headers.len() < 2 {
            response.status = 204;
            remove(response, "allow");
        }
    });
    server("private-network", &[], |request, response| {
        if request.only("Access-Control-Request-Private-Network").is_some() {
            add(response, "access-control-allow-private-network", "true");
        }
    });
    server("preflight-headers-on-actual", &[], |request, response| {
        if is_of_app(request) {
            add(response, "access-control-allow-methods", "GET, PUT");
        }
    });
    server("without-allow-origin", &[], |request, response| {
        if is_options(request) && response.status == 403 {
            add(response, "access-control-allow-methods", "GET, PUT");
        }
    });
}

fn values(server: Add<'_>) {
    server(
        "several-origins-in-a-value",
        &["allowed-origin-refused"],
        |request, response| {
            if is_of_app(request) {
                set(
                    response,
                    "access-control-allow-origin",
                    "https://app.example.com, https://www.example.com",
                );
            }
        },
    );
    server(
        "several-origin-lines",
        &["allowed-origin-refused"],
        |request, response| {
            if is_of_app(request) {
                add(response, "access-control-allow-origin", APP);
            }
        },
    );
    server(
        "slash-after-origin",
        &["allowed-origin-refused"],
        |request, response| {
            if is_of_app(request) {
                set(response, "access-control-allow-origin", "https://app.example.com/");
            }
        },
    );
    server("malformed-origin", &["allowed-origin-refused"], |request, response| {
        if is_of_app(request) {
            set(response, "access-control-allow-origin", "https://*.example.com");
        }
    });
    server("wildcard-with-credentials", &[], |request, response| {
        if is_of_app(request) {
            set(response, "access-control-allow-origin", "*");
        }
    });
    server(
        "wildcard-methods-with-credentials",
        &["method-not-granted"],
        |request, response| {
            if is_preflight_of_app(request) {
                set(response, "access-control-allow-methods", "*");
            }
        },
    );
    server(
        "wildcard-headers-with-credentials",
        &["header-not-granted"],
        |request, response| {
            if is_preflight_of_app(request) {
                set(response, "access-control-allow-headers", "*");
            }
        },
    );
    server("wildcard-exposed-with-credentials", &[], |request, response| {
        if is_of_app(request) {
            set(response, "access-control-expose-headers", "*");
        }
    });
    server("credentials-not-true", &[], |request, response| {
        if from_app(request) {
            set(response, "access-control-allow-credentials", "True");
        }
    });
    server("malformed-max-age", &[], |request, response| {
        if is_preflight_of_app(request) {
            set(response, "access-control-max-age", "10m");
        }
    });
    server("negative-max-age", &[], |request, response| {
        if is_preflight_of_app(request) {
            set(response, "access-control-max-age", "-1");
        }
    });
    server("max-age-too-long", &[], |request, response| {
        if is_preflight_of_app(request) {
            set(response, "access-control-max-age", "1728000");
        }
    });
    server("method-in-lower-case", &[], |request, response| {
        if is_preflight_of_app(request) {
            set(response, "access-control-allow-methods", "get, put");
        }
    });
    server("malformed-list", &[], |request, response| {
        if is_of_app(request) {
            set(response, "access-control-expose-headers", "X-Total-Count X-Page");
        }
    });
    server("misspelt-header", &[], |request, response| {
        if is_preflight_of_app(request) {
            add(response, "access-control-allow-method", "GET, PUT");
        }
    });
    server("request-header-in-response", &[], |request, response| {
        if is_preflight_of_app(request) {
            add(response, "access-control-request-headers", "Content-Type");
        }
    });
}

fn access(server: Add<'_>) {
    server("same-origin-refused", &[], |request, response| {
        if request.only("Origin") == Some("https://api.example.com") {
            response.status = 403;
        }
    });
    server("websocket-for-strangers", &[], |request, response| {
        if request.only("Upgrade").is_some() {
            response.status = 101;
        }
    });
    // `recorded` has it answer nothing to an Origin that is none.
    server("no-answer", &[], |_, _| {});
}

fn recorded(faulty: &Faulty) -> Recording {
    let mut ask = |request: &Request| {
        if faulty.id == "no-answer" && request.only("Origin") == Some("://") {
            return Err(Failure::Closed);
        }
        let mut response = right::answer(request);
        (faulty.spoil)(request, &mut response);
        Ok(response)
    };
    record(faulty.subject.clone(), &mut ask, &mut || {}).unwrap()
}

/// All that is found in a recording.
fn found(recording: &Recording) -> Vec<Finding> {
    let judged = judge(recording, ALL).into_iter();
    judged
        .filter_map(|(_, conclusion)| match conclusion {
            Conclusion::Found(findings) => Some(findings),
            _ => None,
        })
        .flatten()
        .collect()
}

fn ids(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.check.id).collect()
}

#[test]
fn a_right_server_has_no_fault() {
    let mut subject = right::subject();
    subject.asks_unsafe_methods = true;
    let mut ask = |request: &Request| Ok(right::answer(request));
    let recording = record(subject, &mut ask, &mut || {}).unwrap();
    assert_eq!(ids(&found(&recording)), [""; 0]);
}

#[test]
fn each_check_looks_at_something_in_the_answers_of_a_right_server() {
    let mut subject = right::subject();
    subject.asks_unsafe_methods = true;
    let mut ask = |request: &Request| Ok(right::answer(request));
    let recording = record(subject, &mut ask, &mut || {}).unwrap();
    let judged = judge(&recording, ALL).into_iter();
    let unused: Vec<_> = judged
        .filter(|(_, conclusion)| matches!(conclusion, Conclusion::NotApplicable(_)))
        .map(|(check, _)| check.id)
        .collect();
    // It answers nothing with 5xx, and redirects nobody.
    assert_eq!(
        unused,
        [
            "server-error-without-headers",
            "redirect-without-headers",
            "redirected-elsewhere"
        ]
    );
}

#[test]
fn each_faulty_server_has_its_fault_and_no_other() {
    for faulty in faulty_servers() {
        let recording = recorded(&faulty);
        let mut expected = [&[faulty.id], faulty.others].concat();
        let findings = found(&recording);
        let mut ids = ids(&findings);
        expected.sort_unstable();
        ids.sort_unstable();
        assert_eq!(ids, expected, "{}: {findings:#?}", faulty.id);
    }
}

fn section(faulty: &Faulty) -> String {
    let check = find(faulty.id).unwrap_or_else(|| panic!("there is no check {}", faulty.id));
    let recording = recorded(faulty);
    let findings = found(&recording);
    let finding = findings.iter().find(|finding| finding.check == check).unwrap();
    let mut section = format!(
        "\n### {}\n\n**{}** ({}). {}\n\n",
        check.id, check.title, check.severity, check.why
    );
    let request = &finding.exchange.request;
    let _ = writeln!(section, "```sh\n{}\n```\n", recording.subject.curl(request));
    if let Some(response) = finding.exchange.response() {
        let _ = writeln!(section, "```http\n{}```\n", response.head());
    }
    let _ = writeln!(section, "Found: {}.\n\nRemedy: {}.", finding.message, check.remedy);
    section
}

#[test]
fn the_page_has_a_section_on_each_check_with_what_is_found_in_its_server() {
    let faulty_servers = faulty_servers();
    let mut page = HEAD.to_owned();
    for check in ALL {
        let _ = writeln!(
            page,
            "| [{0}](#{0}) | {1} | {2} |",
            check.id, check.severity, check.title
        );
    }
    for check in ALL {
        let mut servers = faulty_servers.iter();
        let faulty = servers
            .find(|faulty| faulty.id == check.id)
            .unwrap_or_else(|| panic!("no server has the fault {}", check.id));
        page += &section(faulty);
    }
    assert_written("docs/audit.md", &page);
}

/// The directives that stand in quotes in a text.
fn quoted_directives(text: &str) -> Vec<&str> {
    let quoted = text.split('"').skip(1).step_by(2);
    quoted.filter(|quoted| quoted.ends_with(';')).collect()
}

#[test]
fn nginx_takes_the_directives_of_the_remedies() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nginx.conf");
    let mut count = 0;
    for check in ALL {
        for directives in quoted_directives(check.remedy) {
            count += 1;
            fs::write(&path, directives).unwrap();
            let (_, findings) = lint::lint(&path, None, Limits::default()).unwrap();
            let refused = findings
                .iter()
                .find(|finding| ["nginx-refuses", "unknown-directive"].contains(&finding.fault.id));
            assert!(refused.is_none(), "{}: {directives}: {refused:?}", check.id);
        }
    }
    assert!(count > 20, "{count}");
}
