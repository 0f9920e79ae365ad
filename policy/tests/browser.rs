//! *The browser permits if and only if the policy permits*: a model of the browser's side of the
//! [Fetch standard](https://fetch.spec.whatwg.org/), a plain reading of the directives, and random policies and
//! requests on which the two have to agree.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::iter;
use std::rc::Rc;

use common::{policy, sent, Surroundings};
use cors_policy::{Field, Outcome, Policy, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

type Lines = Vec<(&'static str, String)>;

/// The browser's side.
mod browser {
    /// Whether a request carries cookies and the like: credentials mode `include`, or `omit`.
    pub type Include = bool;

    #[derive(Debug, PartialEq, Eq)]
    pub enum Refusal {
        Origin,
        Method,
        Header,
    }

    /// The header list's values of one name, combined.
    fn get(response: &super::Lines, name: &str) -> Option<String> {
        let values: Vec<_> = response
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// [Extract header list values](https://fetch.spec.whatwg.org/#extract-header-list-values), where all are tokens.
    fn list(response: &super::Lines, name: &str) -> Vec<String> {
        let value = get(response, name).unwrap_or_default();
        let elements = value.split(',').map(|element| element.trim_matches([' ', '\t']));
        elements
            .filter(|element| !element.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// [CORS-safelisted method](https://fetch.spec.whatwg.org/#cors-safelisted-method)
    pub fn is_safelisted(method: &str) -> bool {
        matches!(method, "GET" | "HEAD" | "POST")
    }

    /// [CORS check](https://fetch.spec.whatwg.org/#concept-cors-check)
    pub fn cors_check(response: &super::Lines, origin: &str, include: Include) -> bool {
        let Some(allowed) = get(response, "Access-Control-Allow-Origin") else {
            return false;
        };
        if !include && allowed == "*" {
            return true;
        }
        if allowed != origin {
            return false;
        }
        !include || get(response, "Access-Control-Allow-Credentials").as_deref() == Some("true")
    }

    /// [CORS-preflight fetch](https://fetch.spec.whatwg.org/#cors-preflight-fetch), from the response on.
    pub fn preflight_check(
        status: u16,
        response: &super::Lines,
        origin: &str,
        method: &str,
        unsafe_names: &[&str],
        include: Include,
    ) -> Result<(), Refusal> {
        if !cors_check(response, origin, include) || !(200..=299).contains(&status) {
            return Err(Refusal::Origin);
        }
        let methods = list(response, "Access-Control-Allow-Methods");
        let names = list(response, "Access-Control-Allow-Headers");
        let wildcard = |list: &[String]| !include && list.iter().any(|element| element == "*");
        if !methods.iter().any(|other| other == method) && !is_safelisted(method) && !wildcard(&methods) {
            return Err(Refusal::Method);
        }
        let listed = |name: &str| names.iter().any(|other| other.eq_ignore_ascii_case(name));
        for name in unsafe_names {
            // The only CORS non-wildcard request-header name.
            if name.eq_ignore_ascii_case("Authorization") && !listed(name) {
                return Err(Refusal::Header);
            }
        }
        for name in unsafe_names {
            if !listed(name) && !wildcard(&names) {
                return Err(Refusal::Header);
            }
        }
        Ok(())
    }

    /// The value of `Access-Control-Request-Headers`: sorted, in lower case, joined by commas.
    pub fn request_headers(unsafe_names: &[&str]) -> Option<String> {
        let mut names: Vec<_> = unsafe_names.iter().map(|name| name.to_ascii_lowercase()).collect();
        names.sort();
        (!names.is_empty()).then(|| names.join(","))
    }

    /// What a script may read of `carried`, the names of a response's headers: main fetch sets the CORS-exposed
    /// header-name list, and a CORS filtered response shows those and the safelisted ones.
    pub fn exposed<'a>(response: &super::Lines, carried: &[&'a str], include: Include) -> Vec<&'a str> {
        let names = list(response, "Access-Control-Expose-Headers");
        let all = !include && names.iter().any(|name| name == "*");
        let listed = |name: &str| names.iter().any(|other| other.eq_ignore_ascii_case(name));
        let of_everyone = |name: &str| {
            [
                "cache-control",
                "content-language",
                "content-length",
                "content-type",
                "expires",
                "last-modified",
                "pragma",
            ]
            .contains(&name.to_ascii_lowercase().as_str())
        };
        let forbidden =
            |name: &str| name.eq_ignore_ascii_case("set-cookie") || name.eq_ignore_ascii_case("set-cookie2");
        let may_be_read = |name: &&str| (all || listed(name) || of_everyone(name)) && !forbidden(name);
        carried.iter().copied().filter(may_be_read).collect()
    }
}

/// One value of a list of origins, and whom it means.
#[derive(Clone, Copy)]
struct Value {
    written: &'static str,
    means: fn(&str) -> bool,
    /// Whether it needs `cors_unsafe insecure_origins` to get credentials.
    in_the_clear: bool,
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.written)
    }
}

/// One or more labels of what host names are made of.
fn are_labels(text: &str) -> bool {
    text.split('.').all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    })
}

/// What a `*` within a label stands for.
fn is_part_of_label(text: &str) -> bool {
    let is_covered = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    !text.is_empty() && text.bytes().all(is_covered)
}

/// A port that is not the default one of `https`, as browsers write it.
fn is_port(text: &str) -> bool {
    text.parse::<u16>()
        .is_ok_and(|port| port > 0 && port != 443 && port.to_string() == text)
}

/// Takes a known start and a known end off.
fn between<'a>(origin: &'a str, start: &str, end: &str) -> Option<&'a str> {
    origin.strip_prefix(start)?.strip_suffix(end)
}

const fn value(written: &'static str, means: fn(&str) -> bool) -> Value {
    Value {
        written,
        means,
        in_the_clear: false,
    }
}

const VALUES: &[Value] = &[
    value("https://a.example", |origin| origin == "https://a.example"),
    value("https://b.example", |origin| origin == "https://b.example"),
    value("HTTPS://C.Example:443", |origin| origin == "https://c.example"),
    value("https://münchen.example:8443", |origin| {
        origin == "https://xn--mnchen-3ya.example:8443"
    }),
    value("https://[0::1]:9", |origin| origin == "https://[::1]:9"),
    value("capacitor://localhost", |origin| origin == "capacitor://localhost"),
    value("http://localhost:3000", |origin| origin == "http://localhost:3000"),
    Value {
        in_the_clear: true,
        ..value("http://a.example", |origin| origin == "http://a.example")
    },
    Value {
        in_the_clear: true,
        ..value("http://*.a.example", |origin| {
            between(origin, "http://", ".a.example").is_some_and(are_labels)
        })
    },
    value("https://*.example.com", |origin| {
        between(origin, "https://", ".example.com").is_some_and(are_labels)
    }),
    value("https://*.p.example:8443", |origin| {
        between(origin, "https://", ".p.example:8443").is_some_and(are_labels)
    }),
    value("https://*.q.example:*", |origin| {
        let Some((labels, port)) = origin
            .strip_prefix("https://")
            .and_then(|rest| rest.split_once(".q.example"))
        else {
            return false;
        };
        are_labels(labels) && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
    }),
    value("https://b.example:*", |origin| {
        origin == "https://b.example" || origin.strip_prefix("https://b.example:").is_some_and(is_port)
    }),
    value("https://PR-*-web.w.example", |origin| {
        between(origin, "https://pr-", "-web.w.example").is_some_and(is_part_of_label)
    }),
    value("https://*--shop.w.example:*", |origin| {
        let Some((label, port)) = origin
            .strip_prefix("https://")
            .and_then(|rest| rest.split_once("--shop.w.example"))
        else {
            return false;
        };
        is_part_of_label(label) && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
    }),
    value("app://.", |origin| origin == "app://."),
    value(r"~https://[a-z]+\.r\.example", |origin| {
        between(origin, "https://", ".r.example")
            .is_some_and(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_lowercase()))
    }),
    value(r"~https://s\.example|https://t\.example", |origin| {
        origin == "https://s.example" || origin == "https://t.example"
    }),
];

/// Origins that browsers send: members of the values above, near misses, and strangers.
const SENT: &[&str] = &[
    "https://a.example",
    "https://a.example:8443",
    "https://a.example.",
    "https://aa.example",
    "https://a.examplex",
    "https://a.example.evil.net",
    "https://evil-a.example",
    "https://ba.example",
    "http://a.example",
    "http://x.a.example",
    "http://evila.example",
    "wss://a.example",
    "https://b.example",
    "https://b.example:1",
    "https://b.example:65535",
    "https://b.examplex:1",
    "https://x.b.example:1",
    "http://b.example",
    "https://c.example",
    "http://c.example:443",
    "https://xn--mnchen-3ya.example:8443",
    "https://xn--mnchen-3ya.example",
    "https://[::1]:9",
    "https://[::1]",
    "https://[::2]:9",
    "capacitor://localhost",
    "ionic://localhost",
    "http://localhost:3000",
    "http://localhost",
    "http://localhost:30000",
    "https://x.example.com",
    "https://x.y_z.example.com",
    "https://x..example.com",
    "https://.example.com",
    "https://example.com",
    "https://evilexample.com",
    "https://x.example.com.evil.net",
    "https://x.example.com:8443",
    "https://x.example.com.",
    "http://x.example.com",
    "https://x.p.example:8443",
    "https://x.p.example",
    "https://x.p.example:84",
    "https://p.example:8443",
    "https://x.q.example",
    "https://x.y.q.example:1",
    "https://q.example:1",
    "https://pr-1-web.w.example",
    "https://pr--web.w.example",
    "https://pr-1-web.w.example:8443",
    "https://pr-1.x-web.w.example",
    "https://pr-1_x-web.w.example",
    "https://x.pr-1-web.w.example",
    "https://pr-1-web.v.example",
    "https://a--shop.w.example",
    "https://a--shop.w.example:8443",
    "https://--shop.w.example",
    "https://a-shop.w.example",
    "app://.",
    "app://a",
    "file://",
    "https://x.r.example",
    "https://x1.r.example",
    "https://x.y.r.example",
    "https://xxr.example",
    "https://s.example",
    "https://t.example",
    "https://s.example.evil.net",
    "https://xaxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxb.example",
    "https://xaxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxb.example",
    "https://evil.net",
    "null",
];

/// What no browser sends as an origin.
const NEVER_SENT: &[&str] = &[
    "",
    "*",
    "NULL",
    " null",
    "https://A.example",
    "HTTPS://a.example",
    "https://a.example/",
    "https://a.example:443",
    "https://a.example:08443",
    "https://a.example, https://b.example",
    "https://a.example https://b.example",
    "https://x.example.com@evil.net",
    "https://x.example.com`.evil.net",
    "https://evil.net/.example.com",
    "https://evil.net?.example.com",
    "https://x%2eexample.com",
    "https://\u{fc}.example.com",
    "https://x.q.example:0",
    "https://x.q.example:65536",
    "https://x.q.example:",
    "https://b.example:x",
    "//a.example",
    "a.example",
];

#[derive(Clone, Debug)]
enum Origins {
    Any,
    Listed {
        values: Vec<Value>,
        null: bool,
        variable: bool,
    },
}

#[derive(Clone, Debug)]
enum Credentials {
    Off,
    On,
    For(Vec<Value>),
}

/// The directives of one level.
#[derive(Clone, Debug)]
struct Directives {
    origins: Origins,
    /// What the variable holds.
    variable: &'static str,
    credentials: Credentials,
    methods: Option<Vec<&'static str>>,
    headers: Option<Vec<&'static str>>,
    expose: Option<Vec<&'static str>>,
    max_age: Option<&'static str>,
    status: Option<&'static str>,
    /// Whether `cors_unsafe` has these though nothing that is known beforehand needs them.
    insecure_origins: bool,
    null_origin: bool,
}

impl Directives {
    /// Whether the values that are known beforehand may get credentials only by `cors_unsafe insecure_origins`.
    fn needs_insecure_origins(&self) -> bool {
        let in_the_clear = |values: &[Value]| values.iter().any(|value| value.in_the_clear);
        match (&self.origins, &self.credentials) {
            (Origins::Listed { values, .. }, Credentials::On) => in_the_clear(values),
            (Origins::Any, Credentials::On) => true,
            (_, Credentials::For(values)) => in_the_clear(values),
            (_, Credentials::Off) => false,
        }
    }

    fn has_insecure_origins(&self) -> bool {
        self.insecure_origins || self.needs_insecure_origins()
    }

    fn has_null_origin(&self) -> bool {
        let listed = matches!(self.origins, Origins::Listed { null: true, .. });
        self.null_origin || (listed && matches!(self.credentials, Credentials::On))
    }

    fn written(&self) -> String {
        let mut lines = vec!["cors on".to_owned()];
        let mut add = |name: &str, values: &[&str]| {
            if !values.is_empty() {
                lines.push(format!("{name} {}", values.join(" ")));
            }
        };
        let written = |values: &[Value]| values.iter().map(|value| value.written).collect::<Vec<_>>();
        match &self.origins {
            Origins::Any => add("cors_allow_origin", &["*"]),
            Origins::Listed { values, null, variable } => {
                let mut values = written(values);
                values.extend(null.then_some("null"));
                values.extend(variable.then_some("$origins"));
                add("cors_allow_origin", &values);
            }
        }
        match &self.credentials {
            Credentials::Off => {}
            Credentials::On => add("cors_allow_credentials", &["on"]),
            Credentials::For(values) => add("cors_allow_credentials", &written(values)),
        }
        add("cors_allow_methods", self.methods.as_deref().unwrap_or_default());
        add("cors_allow_headers", self.headers.as_deref().unwrap_or_default());
        add("cors_expose_headers", self.expose.as_deref().unwrap_or_default());
        add("cors_max_age", self.max_age.as_slice());
        add("cors_preflight_status", self.status.as_slice());
        let mut keywords = Vec::new();
        if matches!((&self.origins, &self.credentials), (Origins::Any, Credentials::On)) {
            keywords.push("any_origin_credentials");
        }
        keywords.extend(self.has_insecure_origins().then_some("insecure_origins"));
        keywords.extend(self.has_null_origin().then_some("null_origin"));
        add("cors_unsafe", &keywords);
        lines.join(";\n") + ";"
    }

    fn compiled(&self) -> Rc<Policy> {
        policy(&self.written())
    }

    /// Whether the policy lets `origin` read, without credentials or with them.
    fn permits(&self, origin: &str, include: bool) -> bool {
        let lists = |values: &[Value]| values.iter().any(|value| (value.means)(origin));
        let admitted = match &self.origins {
            Origins::Any => true,
            Origins::Listed { values, null, variable } => {
                lists(values) || (*null && origin == "null") || (*variable && self.variable_yields(origin))
            }
        };
        let with_credentials = match &self.credentials {
            Credentials::Off => false,
            Credentials::On => !matches!(origin, "null" | "file://") || self.has_null_origin(),
            Credentials::For(values) => lists(values),
        };
        admitted && (with_credentials || !include)
    }

    /// Whether the policy lets everyone read, without credentials.
    fn admits_anyone(&self) -> bool {
        let has_star = match self.origins {
            Origins::Any => true,
            Origins::Listed { variable, .. } => {
                variable && self.variable.split([',', ' ']).any(|element| element == "*")
            }
        };
        has_star && !matches!(self.credentials, Credentials::On)
    }

    /// Whether the variable holds `origin`, and it may be used: where it would get credentials, `http://`, `null` and `*`
    /// need a keyword.
    fn variable_yields(&self, origin: &str) -> bool {
        if self.admits_anyone() {
            return true;
        }
        let means = |element: &str| {
            let listed = VALUES.iter().find(|value| value.written == element);
            listed.is_some_and(|value| !element.starts_with('~') && (value.means)(origin))
        };
        let mut elements = self.variable.split([',', ' ']);
        let holds = elements.any(|element| element == origin || means(element));
        let in_the_clear = origin.starts_with("http://") && !origin.starts_with("http://localhost");
        let needs_a_keyword = (in_the_clear && !self.has_insecure_origins())
            || (matches!(origin, "null" | "file://") && !self.has_null_origin());
        holds && !(matches!(self.credentials, Credentials::On) && needs_a_keyword)
    }

    /// Whether an allowed preflight may be for `method`.
    fn permits_method(&self, method: &str) -> bool {
        let listed = |wanted: &str| self.methods.iter().flatten().any(|listed| *listed == wanted);
        matches!(method, "GET" | "HEAD" | "POST") || listed(method) || listed("*")
    }

    /// Whether an allowed preflight may name `header`. Where credentials apply, all names that `*` stands for are sent back.
    fn permits_header(&self, header: &str, credentials: bool) -> bool {
        let listed = |wanted: &str| {
            self.headers
                .iter()
                .flatten()
                .any(|listed| listed.eq_ignore_ascii_case(wanted))
        };
        listed(header) || (listed("*") && (credentials || !header.eq_ignore_ascii_case("Authorization")))
    }

    /// Whether a script that may read the response may read its header `name`.
    fn exposes(&self, name: &str) -> bool {
        let listed = |wanted: &str| {
            self.expose
                .iter()
                .flatten()
                .any(|listed| listed.eq_ignore_ascii_case(wanted))
        };
        let cookie = name.to_ascii_lowercase().starts_with("set-cookie");
        !cookie && (listed(name) || listed("*") || matches!(name, "Content-Type" | "Cache-Control"))
    }

    fn depends_on_the_origin(&self) -> bool {
        !matches!((&self.origins, &self.credentials), (Origins::Any, Credentials::Off))
    }
}

fn values() -> impl Strategy<Value = Vec<Value>> {
    subsequence(VALUES, 1..6)
}

fn origins() -> impl Strategy<Value = Origins> {
    let listed = (values(), any::<bool>(), any::<bool>()).prop_map(|(values, null, variable)| Origins::Listed {
        values,
        null,
        variable,
    });
    prop_oneof![1 => Just(Origins::Any), 3 => listed]
}

fn credentials() -> impl Strategy<Value = Credentials> {
    prop_oneof![
        Just(Credentials::Off),
        Just(Credentials::On),
        values().prop_map(Credentials::For)
    ]
}

fn directives() -> impl Strategy<Value = Directives> {
    let variable = select(
        &[
            "",
            "https://v.example",
            "https://a.example,https://evil.net",
            "http://a.example http://localhost:3000, null",
            "rubbish, HTTPS://a.example/",
            r"~https://[a-z]+\.r\.example https://b.example:*",
            "https://*.example.com,https://*.q.example:*",
            "https://PR-*-web.w.example https://*--shop.w.example:* HTTPS://C.Example:443",
            "http://*.a.example app://. file://",
            "*",
            "https://a.example *",
        ][..],
    );
    let methods = subsequence(
        &["GET", "POST", "PUT", "DELETE", "PATCH", "patch", "QUERY", "*"][..],
        1..5,
    );
    let headers = subsequence(
        &[
            "Content-Type",
            "X-Foo",
            "x-bar",
            "Authorization",
            "X-Requested-With",
            "*",
        ][..],
        1..5,
    );
    let expose = subsequence(&["ETag", "x-total", "Set-Cookie", "Content-Type", "*"][..], 1..4);
    (
        (origins(), variable, credentials()),
        (
            proptest::option::of(methods),
            proptest::option::of(headers),
            proptest::option::of(expose),
        ),
        (
            proptest::option::of(select(&["1h", "off", "0"][..])),
            proptest::option::of(select(&["200", "204", "299"][..])),
        ),
        any::<(bool, bool)>(),
    )
        .prop_map(
            |(who, (methods, headers, expose), (max_age, status), keywords)| Directives {
                origins: who.0,
                variable: who.1,
                credentials: who.2,
                methods,
                headers,
                expose,
                max_age,
                status,
                insecure_origins: keywords.0,
                null_origin: keywords.1,
            },
        )
}

/// Methods as browsers send them: they upper-case six of them, and let no script send `TRACE` and the like.
fn method() -> impl Strategy<Value = &'static str> {
    select(
        &[
            "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "patch", "QUERY", "Put-It", "*",
        ][..],
    )
}

/// CORS-unsafe request-header names as scripts write them.
fn unsafe_names() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(
        &[
            "Content-Type",
            "X-Foo",
            "X-Bar",
            "authorization",
            "X-Requested-With",
            "x-other",
            "*",
        ][..],
        0..5,
    )
}

/// The response's own headers.
const CARRIED: &[&str] = &[
    "Content-Type",
    "Cache-Control",
    "ETag",
    "X-Total",
    "Set-Cookie",
    "X-Other",
];

fn surroundings<'a>(variables: &'a [&'a [u8]]) -> Surroundings<'a> {
    Surroundings::with_variables(variables)
}

/// What a server with this policy answers to a preflight, how that ended, and the header lines.
fn answer_preflight(
    policy: &Policy,
    variable: &str,
    origin: &str,
    method: &str,
    requested: Option<&str>,
) -> (Outcome, Lines) {
    let request = Request {
        origin: Field::One(origin.as_bytes()),
        is_options: true,
        request_method: Field::One(method.as_bytes()),
        fetch_site: Field::One(b"cross-site"),
        ..Request::default()
    };
    let decision = policy.decide(&request, &surroundings(&[variable.as_bytes()]));
    assert!(decision.is_preflight());
    let requested: Vec<_> = requested.iter().map(|line| line.as_bytes()).collect();
    let (outcome, reason) = policy.result(&decision, requested.iter().copied());
    assert_eq!(reason.is_none(), outcome == Outcome::Allowed);
    (outcome, sent(policy, &decision, &requested, &[]))
}

/// What it adds to the response to an actual request, how that ended, and the header lines.
fn answer(policy: &Policy, variable: &str, origin: Field<'_>) -> (Outcome, Lines) {
    let request = Request {
        origin,
        fetch_site: Field::One(b"cross-site"),
        ..Request::default()
    };
    let decision = policy.decide(&request, &surroundings(&[variable.as_bytes()]));
    let carried: Vec<_> = CARRIED.iter().map(|name| name.as_bytes()).collect();
    let (outcome, _) = policy.result(&decision, iter::empty());
    (outcome, sent(policy, &decision, &[], &carried))
}

fn named_by_vary(lines: &Lines, name: &str) -> bool {
    lines
        .iter()
        .any(|(header, value)| *header == "Vary" && value.split(", ").any(|named| named == name))
}

fn without_vary(lines: &Lines) -> Lines {
    lines.iter().filter(|(name, _)| *name != "Vary").cloned().collect()
}

/// What holds for the header lines of every response.
fn assert_well_formed(lines: &Lines, origin: Option<&str>) {
    let value = |wanted: &str| {
        lines
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.as_str())
    };
    for (index, (name, value)) in lines.iter().enumerate() {
        assert!(
            !lines[..index].iter().any(|(other, _)| other == name),
            "twice: {lines:?}"
        );
        assert!(!value.contains(|c: char| c.is_control()), "{lines:?}");
    }
    let allowed = value("Access-Control-Allow-Origin");
    match allowed {
        Some("*") => assert_eq!(value("Access-Control-Allow-Credentials"), None, "{lines:?}"),
        Some(allowed) => assert_eq!(Some(allowed), origin, "{lines:?}"),
        None => assert!(without_vary(lines).is_empty(), "{lines:?}"),
    }
    assert!(matches!(value("Access-Control-Allow-Credentials"), None | Some("true")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_browser_permits_a_preflighted_request_if_and_only_if_the_policy_does(
        directives in directives(),
        requests in vec((select(SENT), method(), unsafe_names(), any::<bool>()), 24),
    ) {
        let policy = directives.compiled();
        for (origin, method, names, include) in requests {
            let requested = browser::request_headers(&names);
            let (outcome, lines) = answer_preflight(
                &policy, directives.variable, origin, method, requested.as_deref(),
            );
            assert_well_formed(&lines, Some(origin));
            let status = policy.preflight_status();
            let check = |include| browser::preflight_check(status, &lines, origin, method, &names, include);

            let of_origin = directives.permits(origin, include);
            let of_method = directives.permits_method(method);
            let of_headers = names.iter().all(|name| directives.permits_header(name, directives.permits(origin, true)));
            prop_assert_eq!(
                check(include).is_ok(), of_origin && of_method && of_headers,
                "{} {} {:?} include={} {:#?}\n{}", origin, method, names, include, lines, directives.written()
            );

            // Without credentials the browser refuses for the reason that the log tells.
            let expected = match check(false) {
                Ok(()) => Outcome::Allowed,
                Err(browser::Refusal::Origin) => Outcome::OriginDenied,
                Err(browser::Refusal::Method) => Outcome::MethodDenied,
                Err(browser::Refusal::Header) => Outcome::HeaderDenied,
            };
            prop_assert_eq!(outcome, expected, "{} {} {:?}\n{}", origin, method, names, directives.written());
        }
    }

    #[test]
    fn the_browser_lets_a_script_read_a_response_if_and_only_if_the_policy_does(
        directives in directives(),
        requests in vec((select(SENT), any::<bool>()), 24),
    ) {
        let policy = directives.compiled();
        for (origin, include) in requests {
            let (outcome, lines) = answer(&policy, directives.variable, Field::One(origin.as_bytes()));
            assert_well_formed(&lines, Some(origin));
            let permitted = directives.permits(origin, include);
            prop_assert_eq!(
                browser::cors_check(&lines, origin, include), permitted,
                "{} include={} {:#?}\n{}", origin, include, lines, directives.written()
            );
            let without_credentials = browser::cors_check(&lines, origin, false);
            prop_assert_eq!(outcome == Outcome::Allowed, without_credentials, "{}", origin);
            prop_assert_eq!(outcome == Outcome::OriginDenied, !without_credentials, "{}", origin);
            if permitted {
                let exposed = browser::exposed(&lines, CARRIED, include);
                let expected: Vec<_> = CARRIED.iter().copied().filter(|name| directives.exposes(name)).collect();
                prop_assert_eq!(exposed, expected, "{} include={}\n{}", origin, include, directives.written());
            }
        }
    }

    #[test]
    fn what_no_browser_sends_gets_no_more_than_a_star(
        directives in directives(),
        origins in vec(select(NEVER_SENT), 8),
    ) {
        let policy = directives.compiled();
        let anyone = directives.admits_anyone();
        for origin in origins {
            let (outcome, lines) = answer(&policy, directives.variable, Field::One(origin.as_bytes()));
            let (preflight_outcome, preflight_lines) =
                answer_preflight(&policy, directives.variable, origin, "GET", None);
            for (outcome, lines) in [(outcome, lines), (preflight_outcome, preflight_lines)] {
                assert_well_formed(&lines, None);
                prop_assert_eq!(outcome == Outcome::Malformed, !anyone, "{}", origin);
                prop_assert_eq!(without_vary(&lines).is_empty(), !anyone, "{} {:?}", origin, lines);
            }
        }
        let (outcome, lines) = answer(&policy, directives.variable, Field::Several);
        assert_well_formed(&lines, None);
        prop_assert_eq!(outcome == Outcome::Malformed, !anyone);
        prop_assert_eq!(without_vary(&lines).is_empty(), !anyone);
    }

    #[test]
    fn vary_names_what_the_answer_depends_on(
        directives in directives(),
        origins in [select(SENT), select(SENT)],
        methods in [method(), method()],
        names in [unsafe_names(), unsafe_names()],
    ) {
        let policy = directives.compiled();
        let actual = origins.map(|origin| answer(&policy, directives.variable, Field::One(origin.as_bytes())).1);
        let absent = answer(&policy, directives.variable, Field::Absent).1;
        let several = answer(&policy, directives.variable, Field::Several).1;
        for lines in [&actual[0], &actual[1], &absent, &several] {
            assert_well_formed(lines, Some(origins[0]).filter(|_| lines == &actual[0]).or(Some(origins[1])));
            prop_assert_eq!(named_by_vary(lines, "Origin"), directives.depends_on_the_origin(), "{:?}", lines);
            for other in [&actual[0], &actual[1], &absent, &several] {
                if without_vary(lines) != without_vary(other) {
                    prop_assert!(named_by_vary(lines, "Origin"), "{:?} {:?}", lines, other);
                }
            }
        }

        let requested = [browser::request_headers(&names[0]), browser::request_headers(&names[1])];
        let preflight = |origin: usize, method: usize, names: usize| {
            let requested = requested[names].as_deref();
            answer_preflight(&policy, directives.variable, origins[origin], methods[method], requested).1
        };
        let base = preflight(0, 0, 0);
        for (other, header) in [
            (preflight(1, 0, 0), "Origin"),
            (preflight(0, 1, 0), "Access-Control-Request-Method"),
            (preflight(0, 0, 1), "Access-Control-Request-Headers"),
        ] {
            if without_vary(&base) != without_vary(&other) {
                prop_assert!(named_by_vary(&base, header), "{} {:?} {:?}", header, base, other);
                prop_assert!(named_by_vary(&other, header), "{} {:?} {:?}", header, base, other);
            }
        }
    }

    #[test]
    fn a_request_within_its_own_origin_is_never_denied(directives in directives()) {
        let policy = directives.compiled();
        // The surroundings' own origin, and a stranger's that the browser calls same-origin.
        for (origin, site) in [("https://api.example", "cross-site"), ("https://evil.net", "same-origin")] {
            let request = Request {
                origin: Field::One(origin.as_bytes()),
                fetch_site: Field::One(site.as_bytes()),
                ..Request::default()
            };
            let decision = policy.decide(&request, &surroundings(&[directives.variable.as_bytes()]));
            let (outcome, reason) = policy.result(&decision, iter::empty());
            prop_assert_eq!(reason, None);
            let lines = sent(&policy, &decision, &[], &[]);
            if directives.permits(origin, false) {
                prop_assert_eq!(outcome, Outcome::Allowed);
            } else {
                prop_assert_eq!(outcome, Outcome::SameOrigin);
                prop_assert!(without_vary(&lines).is_empty(), "{:?}", lines);
            }
        }
    }

    #[test]
    fn requested_headers_may_be_written_in_any_way_that_a_list_may(
        directives in directives(),
        lines in vec("[ \t,]{0,3}((x-foo|X-BAR|Content-type|authorization|bad name|bad:name|\u{e9})?[ \t]{0,2},?){0,4}", 0..4),
    ) {
        let policy = directives.compiled();
        let trusting = common::policy("cors on;\ncors_allow_origin https://a.example;\ncors_allow_credentials on;");
        let preflight = Request {
            is_options: true,
            origin: Field::One(b"https://a.example"),
            request_method: Field::One(b"PUT"),
            ..Request::default()
        };
        let decision = trusting.decide(&preflight, &Surroundings::with_variables(&[]));
        let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        let elements: Vec<_> = lines
            .iter()
            .flat_map(|line| std::str::from_utf8(line).unwrap().split(','))
            .map(|element| element.trim_matches([' ', '\t']))
            .filter(|element| !element.is_empty())
            .collect();
        let is_name = |element: &str| {
            element.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        let denied = elements.iter().find(|element| !is_name(element) || !directives.permits_header(element, true));
        if directives.permits_method("PUT") {
            let (outcome, reason) = policy.result(&decision, lines.iter().copied());
            prop_assert_eq!(outcome == Outcome::HeaderDenied, denied.is_some(), "{:?}", lines);
            if let Some(denied) = denied {
                let quoted = format!("\"{}\"", denied.as_bytes().escape_ascii());
                prop_assert!(reason.unwrap().to_string().contains(&quoted));
            }
        }
        let echoed: Vec<_> = policy.echoed_headers(lines.iter().copied()).collect();
        let expected: Vec<_> = elements
            .into_iter()
            .filter(|element| is_name(element) && directives.permits_header(element, true))
            .map(str::as_bytes)
            .collect();
        prop_assert_eq!(echoed, expected);
    }
}

/// Its automaton would need a table too large, so it is searched without one.
#[test]
fn an_expression_without_a_table_admits_whom_it_means() {
    let policy = policy(
        r"cors on;
        cors_allow_origin ~https://.*a.{40}b\.example;
        cors_unsafe broad_regex;",
    );
    let forty = "x".repeat(40);
    for (origin, permitted) in [
        (format!("https://a{forty}b.example"), true),
        (format!("https://xa{forty}b.example"), true),
        (format!("https://a{forty}xb.example"), false),
        (format!("https://a{forty}b.example.evil.net"), false),
        (format!("https://a{forty}b.example/"), false),
    ] {
        let (_, lines) = answer(&policy, "", Field::One(origin.as_bytes()));
        assert_eq!(browser::cors_check(&lines, &origin, false), permitted, "{origin}");
    }
}

/// A model that permits nothing, or everything, would agree with many policies.
#[test]
fn the_model_of_the_browser_knows_the_rules() {
    let check = |lines: &[(&'static str, &str)], method, names: &[&str], include| {
        let lines: Lines = lines.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        browser::preflight_check(204, &lines, "https://a.example", method, names, include)
    };
    let star = [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", "*"),
        ("Access-Control-Allow-Headers", "*"),
    ];
    assert_eq!(check(&star, "PUT", &["x-foo"], false), Ok(()));
    assert_eq!(
        check(&star, "PUT", &["authorization"], false),
        Err(browser::Refusal::Header)
    );
    assert_eq!(check(&star, "GET", &[], true), Err(browser::Refusal::Origin));
    let trusted = [
        ("Access-Control-Allow-Origin", "https://a.example"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Methods", "*"),
        ("Access-Control-Allow-Headers", "*, X-Foo"),
    ];
    assert_eq!(check(&trusted, "PUT", &[], true), Err(browser::Refusal::Method));
    assert_eq!(check(&trusted, "POST", &["x-foo"], true), Ok(()));
    assert_eq!(check(&trusted, "POST", &["x-bar"], true), Err(browser::Refusal::Header));
    assert_eq!(check(&[], "GET", &[], false), Err(browser::Refusal::Origin));
}
