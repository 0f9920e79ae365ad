//! Origins against the crate `url`, which serialises them as browsers do: what a browser would send for a URL that a
//! value covers is admitted, and what it would send for any other URL is not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::iter;

use common::{policy, position, read_line, Configuration, Notation, Surroundings};
use cors_policy::{Decision, Field, Level, Outcome, Policy, Request, Severity, Verdict};
use proptest::prelude::*;
use proptest::sample::select;
use url::Url;

/// The policy that lists `values`, however dangerous they are.
fn listing(values: &str) -> std::rc::Rc<Policy> {
    policy(&format!(
        "cors on;\ncors_allow_origin {values};\ncors_unsafe public_suffixes broad_regex;"
    ))
}

fn decide<'r>(policy: &Policy, origin: Field<'r>) -> Decision<'r> {
    let request = Request {
        origin,
        ..Request::default()
    };
    policy.decide(&request, &Surroundings::with_variables(&[]))
}

fn judge(policy: &Policy, origin: Field<'_>) -> Verdict {
    decide(policy, origin).verdict()
}

fn admits(policy: &Policy, origin: &str) -> bool {
    matches!(
        judge(policy, Field::One(origin.as_bytes())),
        Verdict::Allowed | Verdict::AllowedWithCredentials
    )
}

fn is_refused(value: &str) -> bool {
    let mut level = Level::default();
    let line = format!("cors_allow_origin {value}");
    let problems = read_line(&mut level, &line, &position(1), &mut Notation::default());
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

/// What a browser sends as the origin of a page at `url`.
fn sent(url: &str) -> Option<String> {
    let origin = Url::parse(url).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// The schemes whose URLs have origins everywhere.
fn scheme() -> impl Strategy<Value = &'static str> {
    select(&["http", "https", "ws", "wss", "ftp", "HTTPS", "Http"][..])
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,4}",
        2 => "[a-zA-Z0-9_-]{1,6}",
        1 => select(&["münchen", "BÜCHER", "straße", "日本", "xn--mnchen-3ya", "a\u{ad}b", "É", "０", "%61", "a!b", ""][..])
            .prop_map(str::to_owned),
    ]
}

/// Hosts in the ways that people write them: names, addresses in odd notations, and a few that are none.
fn host() -> impl Strategy<Value = String> {
    let names = (proptest::collection::vec(label(), 1..4), select(&["", "", "", "."][..]))
        .prop_map(|(labels, end)| labels.join(".") + end);
    let v4 = any::<[u8; 4]>().prop_map(|[a, b, c, d]| std::net::Ipv4Addr::new(a, b, c, d));
    let v4 = (v4, 0_u8..7).prop_map(|(address, notation)| {
        let [a, b, c, d] = address.octets();
        match notation {
            0 => address.to_string(),
            1 => u32::from(address).to_string(),
            2 => format!("{:#x}", u32::from(address)),
            3 => format!("{a}.{}", u32::from(address) & 0x00ff_ffff),
            4 => format!("0{a:o}.{b:#X}.{c}.{d}"),
            5 => format!("{address}."),
            _ => format!("{a}.{b}.{c}.{d}.{d}"),
        }
    });
    let v6 = (any::<[u16; 8]>(), any::<[bool; 8]>(), 0_u8..4).prop_map(|(segments, zero, notation)| {
        let mut segments = segments;
        for (segment, _) in segments.iter_mut().zip(zero).filter(|(_, zero)| *zero) {
            *segment = 0;
        }
        let address = std::net::Ipv6Addr::from(segments);
        match notation {
            0 => format!("[{address}]"),
            1 => format!("[{}]", address.to_string().to_uppercase()),
            2 => {
                let all: Vec<_> = segments.iter().map(|segment| format!("{segment:04X}")).collect();
                format!("[{}]", all.join(":"))
            }
            _ => format!("[::ffff:{}]", std::net::Ipv4Addr::from(u32::from(segments[0]))),
        }
    });
    prop_oneof![5 => names, 2 => v4, 2 => v6]
}

fn port() -> impl Strategy<Value = Option<u16>> {
    prop_oneof![
        3 => Just(None),
        2 => select(&[21, 80, 443, 8080][..]).prop_map(Some),
        1 => (1..=u16::MAX).prop_map(Some),
    ]
}

fn with_port(port: Option<u16>) -> String {
    port.map(|port| format!(":{port}")).unwrap_or_default()
}

/// What may stand around an origin in a URL.
fn surroundings() -> impl Strategy<Value = (&'static str, &'static str)> {
    (
        select(&["", "user@", "user:secret@"][..]),
        select(
            &[
                "",
                "/",
                "/path?query#fragment",
                "?https://other.example",
                "/@other.example",
            ][..],
        ),
    )
}

/// Host names of which some are subdomains of others.
fn family_host() -> impl Strategy<Value = String> {
    let front = select(
        &[
            "", "a.", "A.b.", "x_y-1.", "evil", "é.", "a!b.", "a..", ".", "ab.", "a-.", "evil.", "e-1.", "e--1.",
            "e_-1.", "x_yz.", "x_z.", "b.evil.", "a_b.",
        ][..],
    );
    let parent = select(
        &[
            "example.com",
            "Example.COM",
            "example.com.",
            "b.example.com",
            "example.com.evil.net",
            "bücher.example",
            "localhost",
        ][..],
    );
    (front, parent).prop_map(|(front, parent)| format!("{front}{parent}"))
}

#[derive(Clone, Copy, Debug)]
enum PortWritten {
    None,
    Number(u16),
    Any,
}

/// What stands before the host of a pattern.
#[derive(Clone, Copy, Debug)]
enum Star {
    None,
    /// `*.`
    Labels,
    /// A label with a `*` between these texts.
    WithinLabel(&'static str, &'static str),
}

impl Star {
    fn text(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Labels => "*.".to_owned(),
            Self::WithinLabel(before, after) => format!("{before}*{after}."),
        }
    }

    /// Whether it covers what stands before the host.
    fn covers(self, front: &str) -> bool {
        let is_made_of = |text: &str, signs: &str| {
            let is_one = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || signs.contains(c);
            !text.is_empty() && text.chars().all(is_one)
        };
        let Some(labels) = front.strip_suffix('.') else {
            return matches!(self, Self::None) && front.is_empty();
        };
        match self {
            Self::None => false,
            Self::Labels => labels.split('.').all(|label| is_made_of(label, "-_")),
            Self::WithinLabel(before, after) => {
                let part = labels
                    .strip_prefix(&before.to_ascii_lowercase())
                    .and_then(|rest| rest.strip_suffix(&after.to_ascii_lowercase()));
                part.is_some_and(|part| is_made_of(part, "-"))
            }
        }
    }
}

/// A pattern, taken apart.
#[derive(Clone, Debug)]
struct Written {
    scheme: &'static str,
    star: Star,
    host: &'static str,
    port: PortWritten,
}

impl Written {
    fn value(&self) -> String {
        let star = self.star.text();
        let port = match self.port {
            PortWritten::None => String::new(),
            PortWritten::Number(port) => format!(":{port}"),
            PortWritten::Any => ":*".to_owned(),
        };
        format!("{}://{star}{}{port}", self.scheme, self.host)
    }

    /// Whether it covers the URL: same scheme, the host or a host below it, same port.
    fn covers(&self, url: &Url) -> bool {
        let listed = Url::parse(&format!("{}://{}", self.scheme, self.host)).unwrap();
        let host = url.host_str().unwrap();
        let front = host.strip_suffix(listed.host_str().unwrap());
        let host_covered = front.is_some_and(|front| self.star.covers(front));
        let port_covered = match self.port {
            PortWritten::None => url.port_or_known_default() == listed.port_or_known_default(),
            PortWritten::Number(port) => url.port_or_known_default() == Some(port),
            PortWritten::Any => true,
        };
        url.scheme() == listed.scheme() && host_covered && port_covered
    }
}

fn written() -> impl Strategy<Value = Written> {
    (
        scheme(),
        select(
            &[
                Star::None,
                Star::Labels,
                Star::WithinLabel("a", ""),
                Star::WithinLabel("", "il"),
                Star::WithinLabel("E", "-1"),
                Star::WithinLabel("x_", "z"),
            ][..],
        ),
        select(
            &[
                "example.com",
                "EXAMPLE.com",
                "b.example.com",
                "bücher.example",
                "localhost",
                "com",
                "example.com.",
            ][..],
        ),
        prop_oneof![
            Just(PortWritten::None),
            Just(PortWritten::Any),
            select(&[80, 443, 8080][..]).prop_map(PortWritten::Number),
        ],
    )
        .prop_map(|(scheme, star, host, port)| Written {
            scheme,
            star,
            host,
            port,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_exact_value_becomes_what_browsers_send(
        scheme in scheme(), host in host(), port in port(), (user, tail) in surroundings(),
    ) {
        let value = format!("{scheme}://{host}{}", with_port(port));
        match sent(&format!("{scheme}://{user}{host}{}{tail}", with_port(port))) {
            // A slip rather than a host; and in a URL without a host the path is taken for one.
            Some(_) if host.starts_with('.') || host.is_empty() => {
                prop_assert!(is_refused(&value), "{}", value);
            }
            // URLs hold it, but no host has such a name.
            Some(origin) if origin.contains('!') => prop_assert!(is_refused(&value), "{}", value),
            Some(origin) => {
                prop_assert!(!is_refused(&value), "{} should be {}", value, origin);
                prop_assert!(admits(&listing(&value), &origin), "{} should be {}", value, origin);
            }
            None => prop_assert!(is_refused(&value), "{} is no origin", value),
        }
    }

    #[test]
    fn an_exact_value_admits_no_other_url(
        schemes in [scheme(), scheme()], hosts in [family_host(), family_host()], ports in [port(), port()],
    ) {
        let url = |index: usize| format!("{}://{}{}", schemes[index], hosts[index], with_port(ports[index]));
        if let (Some(listed), Some(other)) = (sent(&url(0)), sent(&url(1))) {
            if !is_refused(&url(0)) {
                prop_assert_eq!(admits(&listing(&url(0)), &other), listed == other, "{} {}", url(0), url(1));
            }
        }
    }

    #[test]
    fn a_pattern_admits_the_urls_that_it_covers_and_no_others(
        written in written(), scheme in scheme(), host in family_host(), port in port(), (user, tail) in surroundings(),
    ) {
        let policy = listing(&written.value());
        if let Ok(url) = Url::parse(&format!("{scheme}://{user}{host}{}{tail}", with_port(port))) {
            let origin = url.origin().ascii_serialization();
            prop_assert_eq!(admits(&policy, &origin), written.covers(&url), "{} {}", written.value(), url);
        }
    }

    #[test]
    fn patterns_in_one_list_admit_what_one_of_them_covers(
        all in proptest::collection::vec(written(), 1..6), scheme in scheme(), host in family_host(), port in port(),
    ) {
        let values: Vec<_> = all.iter().map(Written::value).collect();
        let policy = listing(&values.join(" "));
        if let Ok(url) = Url::parse(&format!("{scheme}://{host}{}", with_port(port))) {
            let origin = url.origin().ascii_serialization();
            let covered = all.iter().any(|written| written.covers(&url));
            prop_assert_eq!(admits(&policy, &origin), covered, "{:?} {}", values, url);
        }
    }

    #[test]
    fn only_the_very_bytes_that_browsers_send_are_admitted(
        written in written(), front in "[a-z]{1,3}", position in any::<proptest::sample::Index>(), byte in any::<u8>(),
    ) {
        let policy = listing(&written.value());
        let front = written.star.text().replace('*', &front);
        let port = match written.port {
            PortWritten::None => String::new(),
            PortWritten::Number(port) => format!(":{port}"),
            PortWritten::Any => ":8443".to_owned(),
        };
        let origin = sent(&format!("{}://{front}{}{port}", written.scheme, written.host)).unwrap();
        prop_assert!(admits(&policy, &origin));
        let mut bytes = origin.clone().into_bytes();
        let position = position.index(bytes.len());
        bytes[position] = byte;
        let admitted = matches!(judge(&policy, Field::One(&bytes)), Verdict::Allowed | Verdict::AllowedWithCredentials);
        // What was changed into another origin has to be one that a browser would send, and covered.
        let text = String::from_utf8(bytes).unwrap_or_default();
        let covered = sent(&text).as_deref() == Some(&text) && written.covers(&Url::parse(&text).unwrap());
        prop_assert_eq!(admitted, covered, "{}", text);
    }
}

/// Values as people write them, right and wrong ones: each may have stars, signs and upper case in any place.
fn scribbled() -> impl Strategy<Value = String> {
    let scheme = select(
        &[
            "https",
            "http",
            "HTTPS",
            "wss",
            "app",
            "Chrome-Extension",
            "file",
            "a+b.c",
        ][..],
    );
    let label = prop_oneof![
        4 => "[a-z]{1,3}",
        2 => "[a-zA-Z0-9*_-]{1,5}",
        1 => "[!-~]{1,3}",
        1 => select(&["*", "é", "xn--bcher-kva", "pr-*-web", "*--x", "1", "0x7f", ""][..]).prop_map(str::to_owned),
    ];
    let port = select(&["", "", "", ":*", ":443", ":80", ":8443", ":0"][..]);
    let end = select(&["", "", "", ".", "/"][..]);
    (scheme, proptest::collection::vec(label, 1..4), end, port)
        .prop_map(|(scheme, labels, end, port)| format!("{scheme}://{}{end}{port}", labels.join(".")))
        .prop_filter("variables", |value| !value.contains('$'))
}

/// An origin that a value means: one with something in the place of each star.
fn meant(value: &str) -> Option<String> {
    let (start, port) = match value.strip_suffix(":*") {
        Some(start) => (start, ":8443"),
        None => (value, ""),
    };
    let url = start.replace('*', "q-1") + port;
    sent(&url).or_else(|| {
        // Browsers give some such schemes an origin, and `url` gives them none.
        let parsed = Url::parse(&url.to_ascii_lowercase()).ok()?;
        let host = parsed.host_str().unwrap_or_default();
        Some(format!("{}://{host}{}", parsed.scheme(), with_port(parsed.port())))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_value_that_is_accepted_admits_an_origin(value in scribbled()) {
        if !is_refused(&value) {
            let origin = meant(&value);
            prop_assert!(origin.is_some(), "{}", value);
            let origin = origin.unwrap();
            prop_assert!(admits(&listing(&value), &origin), "{} {}", value, origin);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_variable_admits_what_the_directive_admits_and_what_is_refused_there_admits_nobody(
        value in scribbled().prop_filter("a list, or a slip", |value| !value.contains(',') && !value.contains("://.")),
        host in family_host(),
        credentials in select(&["off", "on"][..]),
    ) {
        let configured = |origins: &str| {
            let text = format!("cors on;\ncors_allow_origin {origins};\ncors_allow_credentials {credentials};");
            let read = Configuration::read(&text);
            let is_refused = read.problems.iter().any(|problem| problem.severity == Severity::Error);
            (!is_refused).then(|| std::rc::Rc::clone(read.policy("http")))
        };
        let directive = configured(&value);
        let variable = configured("$origins").unwrap();
        let values = [value.as_bytes()];
        let surroundings = Surroundings::with_variables(&values);
        for origin in meant(&value).into_iter().chain(sent(&format!("https://{host}"))) {
            let request = Request {
                origin: Field::One(origin.as_bytes()),
                ..Request::default()
            };
            let by_directive = directive.as_ref().map_or(Verdict::Denied, |policy| judge(policy, request.origin));
            prop_assert_eq!(variable.decide(&request, &surroundings).verdict(), by_directive, "{} {}", value, origin);
        }
    }
}

#[test]
fn files_have_an_origin_without_a_host() {
    let policy = listing("https://a.example FILE://");
    assert!(admits(&policy, "file://"));
    for stranger in ["file:///", "file://a", "null", "files://"] {
        assert!(!admits(&policy, stranger), "{stranger}");
    }
}

/// Every form of a value that means `a.example.com` and its neighbours.
const ALL_FORMS: &str = r"https://a.example.com https://*.example.com https://a.example.com:* https://*.a.example.com:* \
    https://foo.example https://bar.example https://example.com ~https://[a-z]+\.example\.com";

#[test]
fn strangers_match_nothing() {
    let policy = listing(&ALL_FORMS.replace("\\\n", ""));
    for member in [
        "https://a.example.com",
        "https://foo.example",
        "https://bar.example",
        "https://example.com",
    ] {
        assert!(admits(&policy, member), "{member}");
    }
    for stranger in [
        "https://barfoo.example",
        "https://foobar.example",
        "https://foo.examplebar.example",
        "https://foo.example,https://bar.example",
        "https://example.com.evil.net",
        "https://a.example.com.evil.net",
        "https://evilexample.com",
        "https://evil-example.com",
        "https://a.example.com@evil.net",
        "https://a.example.com`.evil.net",
        "https://a.example.com%60.evil.net",
        "https://a.example.com\\.evil.net",
        "https://a.example.com/.evil.net",
        "https://evil.net#.example.com",
        "https://evil.net/.example.com",
        "https://A.example.com",
        "https://a.Example.com",
        "HTTPS://a.example.com",
        "https://a.example.com/",
        "https://a.example.com:443",
        "https://a.example.com.",
        "https://a.example.com ",
        " https://a.example.com",
        "https://a.example.com\0",
        "https://a.example.com, https://a.example.com",
        "http://foo.example",
        "//a.example.com",
        "a.example.com",
        "null",
        "",
    ] {
        assert!(!admits(&policy, stranger), "{stranger}");
    }
}

#[test]
fn two_origin_lines_match_nothing() {
    let policy = listing("https://a.example.com https://*.example.com");
    let mut origin = Field::Absent;
    origin.add(b"https://a.example.com");
    assert!(matches!(
        judge(&policy, origin),
        Verdict::Allowed | Verdict::AllowedWithCredentials
    ));
    origin.add(b"https://a.example.com");
    let decision = decide(&policy, origin);
    assert_eq!(decision.verdict(), Verdict::Denied);
    assert_eq!(policy.result(&decision, iter::empty()).0, Outcome::Malformed);
}

/// Browsers give some such schemes an origin, and `url` gives them none.
#[test]
fn schemes_of_apps_and_extensions_are_compared_as_they_are() {
    let policy =
        listing("capacitor://localhost Tauri://LocalHost app://*.example.com app://b:80 app://. moz-extension://*");
    for member in [
        "capacitor://localhost",
        "tauri://localhost",
        "app://a.example.com",
        "app://b:80",
        "app://.",
        "moz-extension://6c2b",
    ] {
        assert!(admits(&policy, member), "{member}");
    }
    for stranger in [
        "ionic://localhost",
        "capacitor://localhost:80",
        "app://example.com",
        "app://b",
        "moz-extension://a:80",
        "https://localhost",
    ] {
        assert!(!admits(&policy, stranger), "{stranger}");
    }
}

#[test]
fn every_value_of_a_large_list_is_found_and_no_other() {
    let mut text = String::from("cors on;\n");
    for n in 0..2_000 {
        text.push_str(&format!(
            "cors_allow_origin https://t{n}.example https://*.p{n}.example;\n"
        ));
    }
    let configuration = Configuration::read(&text);
    let policy = configuration.policy("http");
    for n in 0..2_000 {
        assert!(admits(policy, &format!("https://t{n}.example")));
        assert!(admits(policy, &format!("https://a.p{n}.example")));
        assert!(!admits(policy, &format!("https://a.t{n}.example")));
        assert!(!admits(policy, &format!("https://p{n}.example")));
    }
}
