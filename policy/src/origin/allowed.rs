//! One value of `cors_allow_origin`, read and normalised to what browsers send.

use super::error::OriginError;
use super::pattern::{Front, Pattern, PortRule};
use super::regex::OriginRegex;
use super::serialized::{SerializedOrigin, LONGEST};
use super::written::Unreadable;

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

impl AllowedOrigin {
    /// Reads a value as the operator wrote it. An exact origin, and each origin that a pattern covers, is one that
    /// [`SerializedOrigin::recognize`] takes for one.
    pub(crate) fn parse(value: &str) -> Result<Self, OriginError> {
        Self::read(value).map_err(|error| {
            error.checked(|remedy| match Self::parse(remedy)? {
                Self::Pattern(pattern) if pattern.shared_name().is_some() => {
                    Err(OriginError::new("").advise("name the domain that is meant"))
                }
                Self::Regex(regex) => match &regex.findings().stranger {
                    Some(stranger) => Err(OriginError::new("").advise(&stranger.mistake)),
                    None => Ok(()),
                },
                Self::Any => Err(OriginError::new("").advise("write it alone, or the origins without it")),
                _ => Ok(()),
            })
        })
    }

    fn read(value: &str) -> Result<Self, OriginError> {
        match value {
            "" => {
                let error = OriginError::new("it is empty");
                return Err(error.advise("write an origin such as \"https://app.example.com\""));
            }
            "*" => return Ok(Self::Any),
            "null" => return Ok(Self::Null),
            _ => {}
        }
        if let Some(source) = value.strip_prefix("~*") {
            OriginRegex::parse(source)?;
            return Err(OriginError::new("browsers send origins in lower case").write(format!("~{source}")));
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
            let error = OriginError::new("a list is separated by spaces, not by commas");
            return Err(error.write(values.collect::<Vec<_>>().join(" ")));
        }
        let is_plain = value.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain && value.chars().any(|c| c.is_whitespace() || c.is_control()) {
            let error = OriginError::new("it holds a space or a control character");
            let values: Vec<_> = value.split(' ').filter(|value| !value.is_empty()).collect();
            return Err(match &values[..] {
                [_, _, ..] if !value.contains(char::is_control) => error.write(values.join(" ")),
                _ => error.advise("write each origin as a value of its own"),
            });
        }
        if value.len() > LONGEST {
            return Err(OriginError::new("it is longer than any origin that resolves").advise("shorten it"));
        }
        let pattern = Pattern::take_apart(value).map_err(Unreadable::told)?.normalized()?;
        Ok(match (&pattern.front, pattern.port) {
            (Front::Nothing, PortRule::Default | PortRule::Only(_)) => Self::Exact(pattern.to_string()),
            _ => Self::Pattern(pattern),
        })
    }
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
            ("app://.", "app://."),
            ("App://B", "app://b"),
            ("file://", "file://"),
            ("FILE://", "file://"),
        ] {
            assert_eq!(exact(written), sent);
        }
    }

    #[test]
    fn stars_make_patterns() {
        let pattern = |scheme: &str, front, host: &str, port| {
            Ok(AllowedOrigin::Pattern(Pattern {
                scheme: scheme.into(),
                front,
                host: host.into(),
                port,
            }))
        };
        let label = |before: &str, after: &str| Front::Label {
            before: before.into(),
            after: after.into(),
        };
        let default = PortRule::Default;
        for (written, expected) in [
            (
                "https://*.Example.com",
                pattern("https", Front::Labels, "example.com", default),
            ),
            (
                "https://*.example.com:443",
                pattern("https", Front::Labels, "example.com", default),
            ),
            (
                "https://*.example.com:8443",
                pattern("https", Front::Labels, "example.com", PortRule::Only(8443)),
            ),
            (
                "https://*.example.com:*",
                pattern("https", Front::Labels, "example.com", PortRule::Any),
            ),
            (
                "http://localhost:*",
                pattern("http", Front::Nothing, "localhost", PortRule::Any),
            ),
            (
                "http://[::1]:*",
                pattern("http", Front::Nothing, "[::1]", PortRule::Any),
            ),
            (
                "https://*.bücher.example",
                pattern("https", Front::Labels, "xn--bcher-kva.example", default),
            ),
            (
                "https://PR-*-web.Example.com",
                pattern("https", label("pr-", "-web"), "example.com", default),
            ),
            (
                "https://*--shop.bücher.example:*",
                pattern("https", label("", "--shop"), "xn--bcher-kva.example", PortRule::Any),
            ),
            (
                "https://a_*.example.com",
                pattern("https", label("a_", ""), "example.com", default),
            ),
            (
                "Chrome-Extension://*",
                pattern("chrome-extension", Front::AnyHost, "", default),
            ),
            ("app://*:*", pattern("app", Front::AnyHost, "", PortRule::Any)),
            ("app://*.b", pattern("app", Front::Labels, "b", default)),
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
        assert!(error("https://example.com/").ends_with("without a trailing \"/\"; write \"https://example.com\""));
        assert!(error("https://example.com:8443/api").ends_with("has no path; write \"https://example.com:8443\""));
        assert!(error("https://example.com?a").ends_with("no fragment; write \"https://example.com\""));
        assert!(error("https://me:pw@example.com").ends_with("write \"https://example.com\""));
        assert!(error("https://").contains("host is missing"));
    }

    #[test]
    fn of_files_there_are_two_origins() {
        for value in ["file:///", "file:///android_asset/index.html", "file://server/share"] {
            assert!(
                error(value).ends_with("write \"file://\", \"null\", or both"),
                "{value}"
            );
        }
    }

    #[test]
    fn a_bad_port_is_named() {
        for port in ["", "0", "65536", "80a", "+80", "-1", "**"] {
            let message = error(&format!("https://example.com:{port}"));
            assert!(message.starts_with(&format!("\"{port}\" is no port")), "{message}");
        }
    }

    #[test]
    fn a_star_elsewhere_is_refused_with_what_says_the_same() {
        for (value, remedy) in [
            ("https://*.*.example.com", "write \"https://*.example.com\""),
            (
                "https://a.*.example.com:8443",
                r#"write "~https://a\.[a-z0-9_-]+\.example\.com:8443""#,
            ),
            (
                "https://pr-*-*.example.com",
                r#"write "~https://pr-[a-z0-9-]+-[a-z0-9-]+\.example\.com""#,
            ),
            ("https://example.*", "write out the hosts that are meant"),
            ("https://pr-*", "write out the hosts that are meant"),
            ("chrome-extension://a*", r#"write "~chrome-extension://a[a-z0-9-]+""#),
            ("https://*.*.co.uk", "name the domain that is meant"),
            ("https://*.127.0.0.1", "write \"https://127.0.0.1\""),
            ("https://pr-*.127.0.0.1", "write \"https://127.0.0.1\""),
        ] {
            assert!(error(value).ends_with(remedy), "{value}: {}", error(value));
        }
    }

    #[test]
    fn every_host_is_meant_of_an_app_but_not_of_a_site() {
        for value in ["https://*", "http://*:*", "HTTPS://*", "wss://*"] {
            assert!(
                error(value).starts_with("it would admit every site; write \"*\""),
                "{value}"
            );
        }
    }

    #[test]
    fn a_remedy_is_what_is_accepted_in_the_end() {
        for (value, remedy) in [
            (
                "example.com/app",
                "the scheme is missing; write \"https://example.com\"",
            ),
            (
                "https://me@App.example/x",
                "an origin has no user name or password; write \"https://App.example\"",
            ),
            ("*.co.uk", "the scheme is missing; name the domain that is meant"),
            (
                "https://a.example,b.example",
                "a list is separated by spaces, not by commas; write each origin as a value of its own",
            ),
            (
                "https://a.example,*",
                "a list is separated by spaces, not by commas; write each origin as a value of its own",
            ),
            (
                "*,",
                "a list is separated by spaces, not by commas; write it alone, or the origins without it",
            ),
        ] {
            assert_eq!(error(value), remedy, "{value}");
        }
    }

    #[test]
    fn what_browsers_do_not_send_is_refused_though_urls_hold_it() {
        for c in ["!", "$", "&", "'", "(", ")", "+", ";", "=", "`", "{", "}", "~", "\""] {
            for value in [
                format!("https://a{c}b.example"),
                format!("https://*.a{c}b.example"),
                format!("https://pr-*{c}.example.com"),
                format!("app://a{c}b"),
            ] {
                assert!(
                    error(&value).contains(&format!("\"{c}\" cannot stand")),
                    "{}",
                    error(&value)
                );
            }
        }
        assert!(error("https://bü*.example.com").contains("\"ü\" cannot stand beside a \"*\""));
        assert!(error("app://bücher").contains("\"ü\" cannot stand in it"));
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
        let remedy = "a list is separated by spaces, not by commas; write \"https://a.example https://b.example\" without quotes around them";
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
