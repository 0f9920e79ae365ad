//! Whether an expression lets in someone whom it was not meant for.
//!
//! Its samples tell for whose domains it is meant. Origins that an attacker could register are made from them, each by
//! one of the mistakes that people make, and tried.

use std::collections::HashSet;

use super::samples::{samples, Sample};
use super::{OriginRegex, RegexSet};
use crate::origin::{is_insecure, SerializedOrigin};

/// An origin that got in, and by which mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stranger {
    pub origin: String,
    pub mistake: &'static str,
}

const UNESCAPED_DOT: &str = "a \".\" stands for any character; write \"\\.\"";
const NO_BOUNDARY_BEFORE: &str = "nothing ends the label before the domain; write \"(.+\\.)?\" before it, or \"\\.\"";
const OPEN_END: &str = "it goes on behind the domain; end it there";
const ANY_SCHEME: &str = "it leaves the scheme open; write \"https://\"";
const ANY_DOMAIN: &str = "everyone can register a name there; name the domain to trust";
const OPEN_DOMAIN: &str = "it leaves part of the domain open; write the domain out";
const ANYONE: &str = "it names no domain; name those to trust";

/// A stranger whom `regex` admits.
pub(crate) fn stranger(regex: &OriginRegex, matcher: &RegexSet) -> Option<Stranger> {
    let samples = samples(&regex.tree);
    let origins: Vec<_> = samples
        .iter()
        .filter_map(|sample| SerializedOrigin::recognize(&sample.text))
        .collect();
    let homes: HashSet<&[u8]> = samples
        .iter()
        .filter(|sample| !leaves_home_open(sample))
        .filter_map(|sample| SerializedOrigin::recognize(&sample.text))
        .map(|origin| home(origin.host))
        .collect();
    let schemes: HashSet<&[u8]> = origins.iter().map(|origin| origin.scheme).collect();
    let gets_in = |text: &[u8]| {
        matcher.matches(text)
            && SerializedOrigin::recognize(text)
                .is_some_and(|origin| !homes.contains(home(origin.host)) || !schemes.contains(origin.scheme))
    };
    let admitted = |text: Vec<u8>, mistake| {
        gets_in(&text).then(|| Stranger {
            origin: String::from_utf8_lossy(&text).into_owned(),
            mistake,
        })
    };

    for anyone in ["https://evil.net", "https://a.evil.net", "http://evil.net:1337"] {
        if let Some(stranger) = admitted(anyone.into(), ANYONE) {
            return Some(stranger);
        }
    }
    for sample in &samples {
        for &position in &sample.unescaped_dots {
            let mut text = sample.text.clone();
            if let Some(byte) = text.get_mut(position) {
                *byte = b'x';
            }
            if let Some(stranger) = admitted(text, UNESCAPED_DOT) {
                return Some(stranger);
            }
        }
    }
    for origin in &origins {
        let home = home(origin.host);
        let subdomain = origin.host.strip_suffix(home).unwrap_or_default();
        // The same top-level domain with a name that someone else may register.
        let suffix = home
            .iter()
            .position(|byte| *byte == b'.')
            .and_then(|dot| home.get(dot..));
        let other = suffix.map(|suffix| {
            (
                with(origin, origin.scheme, &[&b"evil-a1"[..], suffix].concat()),
                ANY_DOMAIN,
            )
        });
        let other_plain = suffix.map(|suffix| {
            (
                with(origin, origin.scheme, &[&b"evil"[..], suffix].concat()),
                ANY_DOMAIN,
            )
        });
        for (text, mistake) in other.into_iter().chain(other_plain) {
            if let Some(stranger) = admitted(text, mistake) {
                return Some(stranger);
            }
        }
        let before = [&b""[..], subdomain, b"a."].map(|left| [left, b"evil", home].concat());
        let after = [&b".evil.net"[..], b"evil.net", b"x", b"-evil.net"].map(|right| [origin.host, right].concat());
        let variants = before
            .map(|host| (host, NO_BOUNDARY_BEFORE))
            .into_iter()
            .chain(after.map(|host| (host, OPEN_END)));
        for (host, mistake) in variants {
            if let Some(stranger) = admitted(with(origin, origin.scheme, &host), mistake) {
                return Some(stranger);
            }
        }
        for scheme in [
            [origin.scheme, b"x"].concat(),
            [b"x", origin.scheme].concat(),
            b"evil".to_vec(),
        ] {
            if let Some(stranger) = admitted(with(origin, &scheme, origin.host), ANY_SCHEME) {
                return Some(stranger);
            }
        }
    }
    let open = samples.iter().find(|sample| leaves_home_open(sample))?;
    admitted(open.text.clone(), OPEN_DOMAIN)
}

/// An origin in the clear that `regex` admits.
pub(crate) fn insecure_example(regex: &OriginRegex, matcher: &RegexSet) -> Option<String> {
    samples(&regex.tree).iter().find_map(|sample| {
        let origin = SerializedOrigin::recognize(&sample.text)?;
        [origin.scheme, b"http"]
            .into_iter()
            .map(|scheme| with(&origin, scheme, origin.host))
            .find(|text| is_insecure_text(matcher, text))
            .map(|text| String::from_utf8_lossy(&text).into_owned())
    })
}

fn is_insecure_text(matcher: &RegexSet, text: &[u8]) -> bool {
    matcher.matches(text) && std::str::from_utf8(text).is_ok_and(is_insecure)
}

/// `origin` with another scheme and another host.
fn with(origin: &SerializedOrigin<'_>, scheme: &[u8], host: &[u8]) -> Vec<u8> {
    let mut text = [scheme, b"://", host].concat();
    if let Some(port) = origin.port {
        text.extend_from_slice(format!(":{port}").as_bytes());
    }
    text
}

/// Whether the expression leaves open a part of what someone had to register for this sample.
fn leaves_home_open(sample: &Sample) -> bool {
    let Some(origin) = SerializedOrigin::recognize(&sample.text) else {
        return false;
    };
    let end = origin.scheme.len() + "://".len() + origin.host.len();
    let home = end - home(origin.host).len()..end;
    let registrable = matches!(origin.scheme, b"http" | b"https") && !is_address(origin.host);
    registrable && sample.open.iter().any(|position| home.contains(position))
}

fn is_address(host: &[u8]) -> bool {
    host.starts_with(b"[") || std::str::from_utf8(host).is_ok_and(|host| host.parse::<std::net::Ipv4Addr>().is_ok())
}

/// The part of a host that someone had to register; all of it, where there is no such part.
fn home(host: &[u8]) -> &[u8] {
    match psl::domain(host) {
        Some(domain) if !is_address(host) => domain.as_bytes(),
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(source: &str) -> Option<String> {
        let regex = OriginRegex::parse(source).unwrap();
        stranger(&regex, &regex.matcher().unwrap()).map(|stranger| stranger.origin)
    }

    #[test]
    fn a_dot_that_was_not_escaped_is_found() {
        assert_eq!(
            admitted(r"https://app.example\.com").as_deref(),
            Some("https://appxexample.com")
        );
        assert_eq!(
            admitted(r"https://app\.example.com").as_deref(),
            Some("https://app.examplexcom")
        );
        assert_eq!(
            admitted(r"^https://example.com$").as_deref(),
            Some("https://examplexcom")
        );
    }

    #[test]
    fn a_missing_boundary_before_the_domain_is_found() {
        assert_eq!(
            admitted(r"https://.*example\.com").as_deref(),
            Some("https://evilexample.com")
        );
        assert_eq!(
            admitted(r"https://[a-z.-]*example\.com").as_deref(),
            Some("https://evilexample.com")
        );
        assert_eq!(
            admitted(r"https://(www.)?example\.com").as_deref(),
            Some("https://wwwxexample.com")
        );
    }

    #[test]
    fn an_open_end_is_found() {
        assert_eq!(
            admitted(r"https://example\.com.*").as_deref(),
            Some("https://example.com.evil.net")
        );
        assert_eq!(
            admitted(r"https://example\.com[a-z]*").as_deref(),
            Some("https://example.comx")
        );
        assert_eq!(
            admitted(r"https://example\.[a-z.]+").as_deref(),
            Some("https://example.a.evil.net")
        );
    }

    #[test]
    fn an_open_scheme_is_found() {
        assert!(admitted(r".*://example\.com").is_some());
        assert!(admitted(r"https.*://example\.com").is_some());
    }

    #[test]
    fn an_expression_for_everyone_is_found() {
        for source in [
            ".*",
            ".+",
            "https://.*",
            r"https?://[a-z0-9.-]+(:\d+)?",
            r"https://[^/]+",
        ] {
            assert!(admitted(source).is_some(), "{source}");
        }
    }

    #[test]
    fn a_mistake_behind_many_branches_is_found() {
        let many: Vec<_> = (0..70).map(|n| format!("app{n}")).collect();
        let many = many.join("|");
        assert!(admitted(&format!(r"https://({many})\.example\.com|https://.*example\.org")).is_some());
        assert!(admitted(&format!(r"https://(www.)?({many})\.com")).is_some());
        assert_eq!(admitted(&format!(r"https://({many})\.example\.com")), None);
    }

    #[test]
    fn a_domain_that_is_left_open_is_found() {
        for source in [
            r"https://[0-9]+example\.com",
            r"https://[a-d]*example\.com",
            r"https://x[0-9]*example\.com",
            r"https://[a-z]{3}example\.com",
            r"https://.{3}example\.com",
            r"https://.?example\.com",
            r"https://example\.[a-z]{2}",
            r"https://example\.com?",
        ] {
            assert!(admitted(source).is_some(), "{source}");
        }
    }

    #[test]
    fn a_name_that_anyone_can_register_is_found() {
        assert_eq!(admitted(r"https://[a-z]+\.com").as_deref(), Some("https://evil.com"));
        assert!(admitted(r"https://.+\.github\.io").is_some());
    }

    #[test]
    fn a_dot_that_may_be_missing_or_doubled_is_found() {
        for source in [
            r"https://app.?example\.com",
            r"https://app.{1,2}example\.com",
            r"https://app[^/]example\.com",
        ] {
            assert!(admitted(source).is_some(), "{source}");
        }
    }

    #[test]
    fn what_keeps_to_its_domains_passes() {
        for source in [
            r"https://[a-z0-9-]+\.example\.com",
            r"https://.+\.example\.com",
            r"^https://(.+\.)?example\.com$",
            r"https?://(app|www)\.example\.(com|org)(:\d+)?",
            r"https://example\.com|https://example\.co\.uk",
            r"http://localhost(:[0-9]+)?",
            r"http://127\.0\.0\.1:\d{4,5}",
            r"https://[^.]+\.example\.com",
            r"https://app\.example\.com:(8443|9443)",
            r"https://pr-\d+--site\.example\.app",
            r"capacitor://localhost",
            r"https://[a-z-]+\.example\.net",
            r"chrome-extension://[a-p]{32}",
        ] {
            assert_eq!(admitted(source), None, "{source}");
        }
    }

    #[test]
    fn an_origin_in_the_clear_is_found() {
        let insecure = |source| {
            let regex = OriginRegex::parse(source).unwrap();
            insecure_example(&regex, &regex.matcher().unwrap())
        };
        assert_eq!(
            insecure(r"https?://a\.example\.com").as_deref(),
            Some("http://a.example.com")
        );
        assert_eq!(
            insecure(r"h.*://a\.example\.com").as_deref(),
            Some("http://a.example.com")
        );
        assert_eq!(insecure(r"https://a\.example\.com"), None);
        assert_eq!(insecure(r"http://localhost:\d+"), None);
    }
}
