//! One value of `cors_allow_origin`, read and normalised to what browsers send.

use super::pattern::{Pattern, PortRule};
use super::regex::{OriginRegex, RegexError};
use super::serialized::{default_port, is_scheme, SerializedOrigin, LONGEST};
use crate::problem::shown;

/// A value that names origins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AllowedOrigin {
    /// `*`
    Any,
    /// `null`: sandboxed frames, files, and whoever wants to look like one.
    Null,
    /// One origin, serialised.
    Exact(String),
    /// `https://*.example.com`, `http://localhost:*`
    Pattern(Pattern),
    /// `~regex`
    Regex(OriginRegex),
}

/// Why a value names no origin, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OriginError {
    #[error("the scheme is missing; write \"https://{0}\"")]
    NoScheme(String),
    #[error(
        "\"{0}\" is no scheme: letters, digits, \"+\", \"-\" and \".\" only, a letter first; begin with \"https://\""
    )]
    BadScheme(String),
    #[error("an origin ends after its host and port; remove the trailing \"/\": write \"{0}\"")]
    TrailingSlash(String),
    #[error("an origin has no path; write \"{0}\"")]
    Path(String),
    #[error("an origin has no query and no fragment; write \"{0}\"")]
    Query(String),
    #[error("an origin has no user name or password; write \"{0}\"")]
    UserInfo(String),
    #[error("the host is missing; pages from files send the origin \"null\"")]
    NoHost,
    #[error("\"{0}\" is no port; write a number from 1 to 65535, or \"*\" for any port")]
    BadPort(String),
    #[error("\"{0}\" is no host: {1}; copy it from the address bar of a browser")]
    BadHost(String, String),
    #[error("\"*\" stands for whole labels at the front of a host only; write \"{0}\"")]
    MisplacedWildcard(String),
    #[error("an address has no subdomains; remove the \"*.\"")]
    WildcardAddress,
    #[error("it is empty; write an origin such as \"https://app.example.com\"")]
    Empty,
    #[error("a list is separated by spaces, not by commas; write \"{0}\"")]
    Comma(String),
    #[error("it holds a space or a control character; write each origin as a value of its own")]
    Whitespace,
    #[error("it is longer than any origin that resolves; shorten it")]
    TooLong,
    #[error(transparent)]
    Regex(#[from] RegexError),
    #[error("browsers send origins in lower case; write \"~{0}\"")]
    CaseInsensitiveRegex(String),
}

impl AllowedOrigin {
    /// Reads a value as the operator wrote it.
    pub(crate) fn parse(value: &str) -> Result<Self, OriginError> {
        match value {
            "" => return Err(OriginError::Empty),
            "*" => return Ok(Self::Any),
            "null" => return Ok(Self::Null),
            _ => {}
        }
        if let Some(source) = value.strip_prefix("~*") {
            return Err(OriginError::CaseInsensitiveRegex(quoted(source)));
        }
        if let Some(source) = value.strip_prefix('~') {
            return Ok(Self::Regex(OriginRegex::parse(source)?));
        }
        // Most are written as browsers send them; a long list is read faster for it.
        if SerializedOrigin::recognize(value.as_bytes()).is_some_and(|origin| origin.is_plain()) {
            return Ok(Self::Exact(value.to_owned()));
        }
        if value.contains(',') {
            let values = value.split([',', ' ']).filter(|value| !value.is_empty());
            return Err(OriginError::Comma(quoted(&values.collect::<Vec<_>>().join(" "))));
        }
        let is_plain = value.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain && value.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(OriginError::Whitespace);
        }
        if value.len() > LONGEST {
            return Err(OriginError::TooLong);
        }
        let Some((scheme, rest)) = value.split_once("://") else {
            return Err(OriginError::NoScheme(quoted(value.trim_start_matches('/'))));
        };
        let scheme = scheme.to_ascii_lowercase();
        if !is_scheme(scheme.as_bytes()) {
            return Err(OriginError::BadScheme(quoted(&scheme)));
        }
        let authority = authority_alone(&scheme, rest)?;
        let (host, port) = split_port(authority)?;
        let (subdomains, host) = match host.strip_prefix("*.") {
            Some(parent) => (true, parent),
            None => (false, host),
        };
        if host.is_empty() {
            return Err(OriginError::NoHost);
        }
        if host.contains('*') {
            return Err(OriginError::MisplacedWildcard(wildcard_remedy(&scheme, host)));
        }
        let host = normalized_host(&scheme, host)?;
        if subdomains && is_address(&host) {
            return Err(OriginError::WildcardAddress);
        }
        let port = match port {
            PortRule::Only(number) if default_port(scheme.as_bytes()) == Some(number) => PortRule::Default,
            other => other,
        };
        Ok(match (subdomains, port) {
            (false, PortRule::Default) => Self::Exact(format!("{scheme}://{host}")),
            (false, PortRule::Only(number)) => Self::Exact(format!("{scheme}://{host}:{number}")),
            _ => Self::Pattern(Pattern {
                scheme: scheme.into(),
                host: host.into(),
                subdomains,
                port,
            }),
        })
    }
}

/// A part of the value, as a message can show it.
fn quoted(text: &str) -> String {
    shown(text.as_bytes())
}

/// What stands between `://` and the first delimiter, if nothing stands after it.
fn authority_alone<'a>(scheme: &str, rest: &'a str) -> Result<&'a str, OriginError> {
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let bare = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let remedy = || quoted(&format!("{scheme}://{bare}"));
    if bare.is_empty() {
        return Err(OriginError::NoHost);
    }
    if bare.len() < authority.len() {
        return Err(OriginError::UserInfo(remedy()));
    }
    match tail.as_bytes() {
        [] => Ok(authority),
        b"/" => Err(OriginError::TrailingSlash(remedy())),
        [b'/' | b'\\', ..] => Err(OriginError::Path(remedy())),
        _ => Err(OriginError::Query(remedy())),
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
            _ => return Err(OriginError::BadPort(quoted(port))),
        },
    };
    Ok((host, rule))
}

/// The host in the form browsers send: lower case, Punycode, addresses as the URL standard serialises them.
fn normalized_host(scheme: &str, host: &str) -> Result<String, OriginError> {
    let bad = |reason: String| OriginError::BadHost(quoted(host), reason);
    if host.starts_with('.') {
        return Err(bad("it starts with a dot".to_owned()));
    }
    if default_port(scheme.as_bytes()).is_some() || host.starts_with('[') {
        let parsed = url::Host::parse(host).map_err(|error| bad(error.to_string()))?;
        return Ok(parsed.to_string());
    }
    // Schemes of apps and extensions have no rules for hosts beyond the characters; browsers send them in lower case.
    let lower = host.to_ascii_lowercase();
    match lower
        .chars()
        .find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '-' | '_'))
    {
        Some(c) => Err(bad(format!("\"{c}\" cannot stand in it"))),
        None => Ok(lower),
    }
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// `https://*example.com` and `https://a.*.example.com` most likely meant all subdomains of what follows the star.
fn wildcard_remedy(scheme: &str, host: &str) -> String {
    let parent = host
        .rsplit('*')
        .next()
        .unwrap_or_default()
        .trim_start_matches(['.', '-']);
    let parent = if parent.contains('.') { parent } else { "example.com" };
    quoted(&format!("{scheme}://*.{parent}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(value: &str) -> String {
        match AllowedOrigin::parse(value) {
            Ok(AllowedOrigin::Exact(origin)) => origin,
            other => panic!("{value}: {other:?}"),
        }
    }

    fn error(value: &str) -> String {
        AllowedOrigin::parse(value).unwrap_err().to_string()
    }

    #[test]
    fn origins_become_what_browsers_send() {
        for (written, sent) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.COM", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://app.example.com:443", "http://app.example.com:443"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
            ("http://127.1", "http://127.0.0.1"),
            ("https://münchen.example", "https://xn--mnchen-3ya.example"),
            ("https://MÜNCHEN.example:8443", "https://xn--mnchen-3ya.example:8443"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("https://under_score.example", "https://under_score.example"),
            ("https://example.com.", "https://example.com."),
        ] {
            assert_eq!(exact(written), sent);
        }
    }

    #[test]
    fn stars_make_patterns() {
        let pattern = |scheme: &str, host: &str, subdomains, port| {
            Ok(AllowedOrigin::Pattern(Pattern {
                scheme: scheme.into(),
                host: host.into(),
                subdomains,
                port,
            }))
        };
        for (written, expected) in [
            (
                "https://*.Example.com",
                pattern("https", "example.com", true, PortRule::Default),
            ),
            (
                "https://*.example.com:443",
                pattern("https", "example.com", true, PortRule::Default),
            ),
            (
                "https://*.example.com:8443",
                pattern("https", "example.com", true, PortRule::Only(8443)),
            ),
            (
                "https://*.example.com:*",
                pattern("https", "example.com", true, PortRule::Any),
            ),
            ("http://localhost:*", pattern("http", "localhost", false, PortRule::Any)),
            ("http://[::1]:*", pattern("http", "[::1]", false, PortRule::Any)),
            (
                "https://*.bücher.example",
                pattern("https", "xn--bcher-kva.example", true, PortRule::Default),
            ),
        ] {
            assert_eq!(AllowedOrigin::parse(written), expected, "{written}");
        }
    }

    #[test]
    fn a_missing_scheme_is_named_with_the_remedy() {
        assert_eq!(
            error("app.example.com"),
            "the scheme is missing; write \"https://app.example.com\""
        );
        assert_eq!(
            error("//app.example.com"),
            "the scheme is missing; write \"https://app.example.com\""
        );
        assert!(error("1a://b").contains("is no scheme"));
    }

    #[test]
    fn what_follows_an_origin_is_refused_with_the_origin_to_write() {
        assert!(error("https://example.com/").ends_with("remove the trailing \"/\": write \"https://example.com\""));
        assert!(error("https://example.com:8443/api").ends_with("has no path; write \"https://example.com:8443\""));
        assert!(error("https://example.com?a").ends_with("no fragment; write \"https://example.com\""));
        assert!(error("https://me:pw@example.com").ends_with("write \"https://example.com\""));
        assert!(error("file:///").contains("host is missing"));
        assert!(error("https://").contains("host is missing"));
    }

    #[test]
    fn a_bad_port_is_named() {
        for port in ["", "0", "65536", "80a", "+80", "-1", "**"] {
            let message = error(&format!("https://example.com:{port}"));
            assert!(message.starts_with(&format!("\"{port}\" is no port")), "{message}");
        }
    }

    #[test]
    fn a_star_elsewhere_is_refused() {
        for value in [
            "https://*",
            "https://*example.com",
            "https://a.*.example.com",
            "https://*.*.example.com",
            "https://example.*",
        ] {
            assert!(
                error(value).starts_with("\"*\" stands for whole labels at the front"),
                "{value}"
            );
        }
        assert!(error("https://*example.com").ends_with("write \"https://*.example.com\""));
        assert!(error("https://*.127.0.0.1").contains("no subdomains"));
    }

    #[test]
    fn what_no_request_can_match_for_its_length_is_refused() {
        assert!(error(&format!("https://{}.example", "a".repeat(600))).contains("longer than any origin"));
    }

    #[test]
    fn a_bad_regex_is_explained() {
        assert!(error("~https://(a").contains("unclosed group"));
        assert!(error("~(?=a)").contains("look-around"));
        assert!(error(r"~*https://a\.example").ends_with(r#"write "~https://a\.example""#));
    }

    #[test]
    fn a_list_with_commas_is_refused_with_the_list_to_write() {
        let remedy = "a list is separated by spaces, not by commas; write \"https://a.example https://b.example\"";
        assert_eq!(error("https://a.example,https://b.example"), remedy);
        assert_eq!(error("https://a.example, https://b.example"), remedy);
        assert!(error("https://a.example,").ends_with("write \"https://a.example\""));
    }

    #[test]
    fn a_bad_host_is_named() {
        for value in [
            "https://exa<mple.com",
            "https://[::g]",
            "https://.example.com",
            "http://1.2.3.4.5",
            "app://a%b",
            "https://[::1",
        ] {
            assert!(error(value).contains("is no host"), "{value}: {}", error(value));
        }
        assert!(error("https://exa mple.com").contains("space"));
    }
}
