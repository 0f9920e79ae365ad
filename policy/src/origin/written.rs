//! An origin or a pattern as it is written, taken apart and normalised to what browsers send.

use std::borrow::Cow;

use super::error::OriginError;
use super::pattern::{Front, Pattern, PortRule};
use super::regex::OriginRegex;
use super::serialized::{default_port, is_host_byte, is_label_byte, is_web_scheme, SerializedOrigin, LONGEST};
use crate::problem::shown;

/// What is said of a `file` URL, which has no origin of its own.
const FILES: &str = "pages from files have the origin \"file://\" in some apps, and \"null\" in browsers";

/// Why a value cannot be taken apart.
pub(super) enum Unreadable<'a> {
    /// There is a `*` where a pattern has none.
    MisplacedWildcard(Pattern<&'a str>),
    Other(OriginError),
}

impl From<OriginError> for Unreadable<'_> {
    fn from(error: OriginError) -> Self {
        Self::Other(error)
    }
}

impl Unreadable<'_> {
    /// What is told of it. Here, and not when a request comes, it is found out what says the same as a misplaced `*`.
    pub(super) fn told(self) -> OriginError {
        match self {
            Self::MisplacedWildcard(written) => misplaced_wildcard(&written),
            Self::Other(error) => error,
        }
    }
}

impl<'a> Pattern<&'a str> {
    /// Takes a value apart that is neither `*` nor `null`, nor a regular expression. The parts are as they are written.
    pub(super) fn take_apart(value: &'a str) -> Result<Self, Unreadable<'a>> {
        let Some((scheme, rest)) = value.split_once("://") else {
            let host = value.trim_start_matches('/');
            let error = OriginError::new("the scheme is missing");
            return Err(error.write(format!("https://{host}")).into());
        };
        if !is_scheme_in_any_case(scheme) {
            let error = OriginError::new(format!(
                "\"{}\" is no scheme: letters, digits, \"+\", \"-\" and \".\" only, a letter first",
                shown(scheme.as_bytes())
            ));
            return Err(error.advise("begin with \"https://\"").into());
        }
        if scheme.eq_ignore_ascii_case("file") {
            return match rest {
                "" => Ok(Self::whole_host(scheme, "", PortRule::Default)),
                _ => Err(OriginError::new(FILES)
                    .advise("write \"file://\", \"null\", or both")
                    .into()),
            };
        }
        let authority = authority_alone(scheme, rest)?;
        let (host, port) = split_port(authority)?;
        let port = match port {
            PortRule::Only(number) if default_port(lower(scheme).as_bytes()) == Some(number) => PortRule::Default,
            other => other,
        };
        let misplaced = || Unreadable::MisplacedWildcard(Self::whole_host(scheme, host, port));
        let (front, rest) = match host.split_once('.') {
            _ if host == "*" && is_web_scheme(lower(scheme).as_bytes()) => {
                let error = OriginError::new("it would admit every site");
                let advice = "write \"*\" to allow every origin, or name the domains that are meant";
                return Err(error.advise(advice).into());
            }
            _ if host == "*" => (Front::AnyHost, ""),
            Some(("*", rest)) => (Front::Labels, rest),
            Some((label, rest)) if !host.starts_with('[') => match label.split_once('*') {
                Some((_, after)) if after.contains('*') => return Err(misplaced()),
                Some((before, after)) => (Front::Label { before, after }, rest),
                None => (Front::Nothing, host),
            },
            _ => (Front::Nothing, host),
        };
        if rest.contains('*') && !rest.starts_with('[') {
            return Err(misplaced());
        }
        if rest.is_empty() && front != Front::AnyHost {
            let error = OriginError::new("the host is missing");
            return Err(error.advise("write one, as in \"https://app.example.com\"").into());
        }
        Ok(Self {
            scheme,
            front,
            host: rest,
            port,
        })
    }

    fn whole_host(scheme: &'a str, host: &'a str, port: PortRule) -> Self {
        Self {
            scheme,
            front: Front::Nothing,
            host,
            port,
        }
    }

    /// Whether it is written as browsers send it, as far as that shows without parsing the host.
    pub(super) fn is_plain(&self) -> bool {
        let has_plain_front = match self.front {
            Front::Label { before, after } => is_end_of_label(before) && is_end_of_label(after),
            Front::Nothing | Front::Labels | Front::AnyHost => true,
        };
        let origin = SerializedOrigin {
            scheme: self.scheme.as_bytes(),
            host: self.host.as_bytes(),
            port: None,
        };
        has_plain_front
            && !self.scheme.bytes().any(|byte| byte.is_ascii_uppercase())
            && self.host.bytes().all(is_host_byte)
            && (self.front == Front::AnyHost || origin.is_plain())
    }

    /// The pattern as browsers send the origins that it covers.
    pub(super) fn normalized(&self) -> Result<Pattern, OriginError> {
        let host = match self.front {
            Front::AnyHost => String::new(),
            _ => normalized_host(&lower(self.scheme), self.host)?,
        };
        let front = match self.front {
            Front::Nothing => Front::Nothing,
            Front::Labels => Front::Labels,
            Front::AnyHost => Front::AnyHost,
            Front::Label { before, after } => {
                let (before, after) = (lower(before), lower(after));
                let mut ends = before.chars().chain(after.chars());
                if let Some(c) = ends.find(|c| !u8::try_from(*c).is_ok_and(is_label_byte)) {
                    let why = format!("\"{c}\" cannot stand beside a \"*\"");
                    return Err(OriginError::bad_host(&format!("{before}*{after}"), why).advise(HOST_BYTES));
                }
                Front::Label {
                    before: before.into(),
                    after: after.into(),
                }
            }
        };
        if matches!(front, Front::Labels | Front::Label { .. }) && is_address(&host) {
            let address = Pattern::whole_host(self.scheme, &host, self.port);
            return Err(OriginError::new("an address has no names under it").write(address.to_string()));
        }
        let pattern = Pattern {
            scheme: lower(self.scheme).into(),
            front,
            host: host.into(),
            port: self.port,
        };
        // What no request can have as its origin is no entry of a list.
        let sample = pattern.sample();
        if SerializedOrigin::recognize(sample.as_bytes()).is_some() {
            return Ok(pattern);
        }
        if sample.len() > LONGEST {
            return Err(OriginError::new("it is longer than any origin that resolves").advise("shorten it"));
        }
        let host = &*pattern.host;
        let c = host.chars().find(|c| !u8::try_from(*c).is_ok_and(is_host_byte));
        let why = c.map_or_else(String::new, |c| format!("\"{c}\" cannot stand in it"));
        Err(OriginError::bad_host(host, why).advise(HOST_BYTES))
    }
}

/// What hosts consist of that people and certificates have names for. The URL standard lets more pass (`!`, `(`, `;`), but
/// hosts with such characters serve no page.
const HOST_BYTES: &str = "a host has letters, digits, \"-\", \"_\" and \".\" alone";

fn lower(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => text.to_ascii_lowercase().into(),
        false => text.into(),
    }
}

/// RFC 3986, section 3.1.
fn is_scheme_in_any_case(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn is_end_of_label(text: &str) -> bool {
    text.bytes().all(is_label_byte)
}

/// What stands between `://` and the first delimiter, if nothing stands after it.
fn authority_alone<'a>(scheme: &str, rest: &'a str) -> Result<&'a str, OriginError> {
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let bare = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let refused = |reason: &str| OriginError::new(reason).write(format!("{}://{bare}", lower(scheme)));
    if bare.len() < authority.len() {
        return Err(refused("an origin has no user name or password"));
    }
    match tail.as_bytes() {
        [] => Ok(authority),
        b"/" => Err(refused(
            "an origin ends after its host and port, without a trailing \"/\"",
        )),
        [b'/' | b'\\', ..] => Err(refused("an origin has no path")),
        _ => Err(refused("an origin has no query and no fragment")),
    }
}

fn split_port(authority: &str) -> Result<(&str, PortRule), OriginError> {
    let after_address = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None if authority.starts_with('[') => authority.len(),
        None => 0,
    };
    let Some(colon) = authority
        .get(after_address..)
        .and_then(|rest| rest.find(':'))
        .map(|colon| colon + after_address)
    else {
        return Ok((authority, PortRule::Default));
    };
    let (host, port) = authority.split_at(colon);
    let port = port.strip_prefix(':').unwrap_or(port);
    let rule = match port {
        "*" => PortRule::Any,
        _ => match port.parse::<u16>() {
            Ok(number) if number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()) => PortRule::Only(number),
            _ => {
                let error = OriginError::new(format!("\"{}\" is no port", shown(port.as_bytes())));
                return Err(error.advise("write a number from 1 to 65535, or \"*\" for any port"));
            }
        },
    };
    Ok((host, rule))
}

/// The host in the form browsers send: lower case, Punycode, addresses as the URL standard serialises them.
fn normalized_host(scheme: &str, host: &str) -> Result<String, OriginError> {
    let is_web = is_web_scheme(scheme.as_bytes());
    match host.strip_prefix('.') {
        // Electron's `app://.`
        Some("") if !is_web => {}
        Some(rest) => {
            let error = OriginError::bad_host(host, "it starts with a dot");
            let (rest, scheme) = (shown(rest.as_bytes()), shown(scheme.as_bytes()));
            return Err(error.advise(format!("write \"{scheme}://{rest}\", \"{scheme}://*.{rest}\", or both")));
        }
        None => {}
    }
    if is_web || host.starts_with('[') {
        let parsed = url::Host::parse(host).map_err(|error| {
            OriginError::bad_host(host, error).advise("write it as browsers show it in their address bar")
        })?;
        return Ok(parsed.to_string());
    }
    // The hosts of other schemes are opaque (URL standard, "opaque-host parser"); browsers send them in lower case.
    Ok(host.to_ascii_lowercase())
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// A `*` where a pattern has none. What was meant is said by a pattern or a regular expression, where that names a domain.
fn misplaced_wildcard(written: &Pattern<&str>) -> OriginError {
    let Pattern { scheme, host, port, .. } = written;
    let error =
        OriginError::new("\"*\" stands for labels at the front of a host, or once for a part of its first label");
    let parent = host.trim_start_matches("*.");
    if parent.len() < host.len() && !parent.contains('*') {
        return error.write(format!("{}://*.{parent}{port}", lower(scheme)));
    }
    let source = as_regex(&lower(scheme), &lower(host), *port);
    let names_domains = OriginRegex::parse(&source).is_ok_and(|regex| regex.findings().stranger.is_none());
    match names_domains {
        true => error.write(format!("~{source}")),
        false => error.advise("write out the hosts that are meant"),
    }
}

/// A regular expression that matches what stars anywhere in a host seem to stand for.
fn as_regex(scheme: &str, host: &str, port: PortRule) -> String {
    // A hyphen means itself outside of a class, and is easier to read so.
    let escape = |text: &str| regex_syntax::escape(text).replace(r"\-", "-");
    let label = |label: &str| match label {
        "*" => "[a-z0-9_-]+".to_owned(),
        _ => label.split('*').map(escape).collect::<Vec<_>>().join("[a-z0-9-]+"),
    };
    let labels: Vec<_> = host.split('.').map(label).collect();
    let port = match port {
        PortRule::Any => "(:[0-9]+)?".to_owned(),
        port => port.to_string(),
    };
    format!("{}://{}{port}", escape(scheme), labels.join(r"\."))
}
