//! Patterns: `https://*.example.com`, `http://localhost:*`.
//!
//! A request's host is held against one suffix for each length that a pattern's has, and only where a label begins:
//! more patterns make the table larger, not the search.

use hashbrown::HashTable;

use super::exact::hash;
use super::serialized::{is_label_byte, split};
use crate::problem::Position;

/// Which ports a pattern covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortRule {
    /// The one that browsers leave out.
    Default,
    /// This one.
    Only(u16),
    /// Every port, the default one too.
    Any,
}

/// Origins that differ in their subdomain, their port, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub scheme: Box<str>,
    /// The whole host, or with `subdomains` what follows `*.`.
    pub host: Box<str>,
    pub subdomains: bool,
    pub port: PortRule,
}

impl Pattern {
    fn hash(&self) -> u64 {
        key(self.scheme.as_bytes(), self.host.as_bytes(), self.subdomains, self.port)
    }

    fn is(&self, scheme: &[u8], host: &[u8], subdomains: bool, port: PortRule) -> bool {
        self.host.as_bytes() == host
            && self.scheme.as_bytes() == scheme
            && self.subdomains == subdomains
            && self.port == port
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let star = if self.subdomains { "*." } else { "" };
        write!(f, "{}://{star}{}", self.scheme, self.host)?;
        match self.port {
            PortRule::Default => Ok(()),
            PortRule::Only(port) => write!(f, ":{port}"),
            PortRule::Any => f.write_str(":*"),
        }
    }
}

/// A pattern, and where it was listed.
#[derive(Debug)]
struct Listed {
    pattern: Pattern,
    at: Position,
}

/// Many patterns.
#[derive(Default, Debug)]
pub(crate) struct PatternSet {
    table: HashTable<Listed>,
    /// How long the hosts after `*.` are: each length once, the shortest first.
    suffix_lengths: Vec<usize>,
    /// Some have no `*.`.
    has_whole_hosts: bool,
    /// Some have `:*`.
    has_any_port: bool,
}

impl PatternSet {
    /// Adds a pattern; false where it was there already.
    pub(crate) fn insert(&mut self, pattern: Pattern, at: &Position) -> bool {
        let hash = pattern.hash();
        if self.table.find(hash, |other| other.pattern == pattern).is_some() {
            return false;
        }
        if !pattern.subdomains {
            self.has_whole_hosts = true;
        } else if let Err(place) = self.suffix_lengths.binary_search(&pattern.host.len()) {
            self.suffix_lengths.insert(place, pattern.host.len());
        }
        self.has_any_port |= pattern.port == PortRule::Any;
        let listed = Listed {
            pattern,
            at: at.clone(),
        };
        self.table.insert_unique(hash, listed, |listed| listed.pattern.hash());
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Whether a pattern covers the bytes of an `Origin` header.
    pub(crate) fn covers(&self, origin: &[u8]) -> bool {
        split(origin).is_some_and(|(scheme, host, port)| self.covering(scheme, host, port, |_| true).is_some())
    }

    /// A pattern that covers an origin of these parts, of those that `counts` picks. No one need have looked at `host`
    /// before: what a pattern spells out it equals, and the labels that a `*` stands for are looked at here.
    pub(crate) fn covering(
        &self,
        scheme: &[u8],
        host: &[u8],
        port: Option<u16>,
        counts: impl Fn(&Pattern) -> bool,
    ) -> Option<&Pattern> {
        let port = port.map_or(PortRule::Default, PortRule::Only);
        let find_with = |host: &[u8], subdomains: bool, port: PortRule| {
            let is_meant =
                |listed: &Listed| listed.pattern.is(scheme, host, subdomains, port) && counts(&listed.pattern);
            let listed = self.table.find(key(scheme, host, subdomains, port), is_meant);
            listed.map(|listed| &listed.pattern)
        };
        let find = |host: &[u8], subdomains: bool| {
            let any = || self.has_any_port.then(|| find_with(host, subdomains, PortRule::Any))?;
            find_with(host, subdomains, port).or_else(any)
        };
        for &length in &self.suffix_lengths {
            let Some((labels, suffix)) = host.split_at_checked(host.len().wrapping_sub(length)) else {
                break;
            };
            if let [labels @ .., b'.'] = labels {
                if let Some(pattern) = find(suffix, true).filter(|_| are_labels(labels)) {
                    return Some(pattern);
                }
            }
        }
        self.has_whole_hosts.then(|| find(host, false))?
    }

    /// Patterns that add nothing, since another one covers them: the one, where it was listed, and the other.
    pub(crate) fn covered(&self) -> impl Iterator<Item = (String, &Position, &Pattern)> + '_ {
        self.table.iter().filter_map(|Listed { pattern, at }| {
            // What covers a subdomain of each kind, and with `:*` a port that only `:*` can mean, covers the pattern.
            let host = if pattern.subdomains {
                format!("a.{}", pattern.host)
            } else {
                pattern.host.to_string()
            };
            let port = match pattern.port {
                PortRule::Default => None,
                PortRule::Only(port) => Some(port),
                PortRule::Any => Some(0),
            };
            let other = self.covering(pattern.scheme.as_bytes(), host.as_bytes(), port, |other| {
                other != pattern
            })?;
            Some((pattern.to_string(), at, other))
        })
    }
}

/// Whether these are one or more labels of a host.
pub(super) fn are_labels(bytes: &[u8]) -> bool {
    let mut is_empty = true;
    for &byte in bytes {
        if is_label_byte(byte) {
            is_empty = false;
        } else if byte == b'.' && !is_empty {
            is_empty = true;
        } else {
            return false;
        }
    }
    !is_empty
}

/// Under this hash a pattern is found. Of the scheme it takes what tells the usual ones apart.
fn key(scheme: &[u8], host: &[u8], subdomains: bool, port: PortRule) -> u64 {
    let port = match port {
        PortRule::Default => 0,
        PortRule::Only(number) => u64::from(number),
        PortRule::Any => 1 << 16,
    };
    let rest = port | u64::from(subdomains) << 17 | (scheme.len() as u64) << 18;
    hash(host) ^ rest.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::super::AllowedOrigin;
    use super::*;

    fn set(patterns: &[&str]) -> PatternSet {
        let mut set = PatternSet::default();
        for pattern in patterns {
            match AllowedOrigin::parse(pattern) {
                Ok(AllowedOrigin::Pattern(pattern)) => assert!(set.insert(pattern, &Position::default())),
                other => panic!("{pattern}: {other:?}"),
            }
        }
        set
    }

    fn matches(set: &PatternSet, origin: &str) -> bool {
        set.covers(origin.as_bytes())
    }

    #[test]
    fn a_star_is_one_or_more_labels_but_not_none() {
        let set = set(&["https://*.example.com"]);
        for origin in [
            "https://a.example.com",
            "https://a.b.example.com",
            "https://a-1_b.example.com",
            "https://xn--a.example.com",
        ] {
            assert!(matches(&set, origin), "{origin}");
        }
        for origin in [
            "https://example.com",
            "http://a.example.com",
            "https://a.example.com:8443",
            "https://aexample.com",
            "https://evilexample.com",
            "https://example.com.evil.net",
            "https://a.example.com.",
            "https://.example.com",
            "https://a..example.com",
            "https://a..b.example.com",
            "https://.a.example.com",
            "https://a.example.org",
            "https://a.example.com.br",
            "wss://a.example.com",
        ] {
            assert!(!matches(&set, origin), "{origin}");
        }
    }

    #[test]
    fn a_star_covers_what_browsers_send_and_nothing_else() {
        use super::super::SerializedOrigin;
        let set = set(&["https://*.example.com", "https://*.example.com:*"]);
        let bytes = b"a1.-_/@:A%\0";
        let mut fronts = vec![Vec::new()];
        for _ in 0..4 {
            let longer = |front: &Vec<u8>| bytes.map(|byte| [front.as_slice(), &[byte]].concat());
            fronts.extend(fronts.clone().iter().flat_map(longer));
            fronts.sort();
            fronts.dedup();
        }
        for front in fronts {
            for port in ["", ":", ":1", ":443", ":x"] {
                let origin = [b"https://", &front[..], b".example.com", port.as_bytes()].concat();
                let labels = front.split(|&byte| byte == b'.').all(|label| !label.is_empty());
                let expected = labels && SerializedOrigin::recognize(&origin).is_some();
                assert_eq!(set.covers(&origin), expected, "{}", origin.escape_ascii());
            }
        }
    }

    #[test]
    fn a_port_star_covers_every_port_and_the_default() {
        let set = set(&["http://localhost:*", "http://[::1]:*"]);
        for origin in [
            "http://localhost",
            "http://localhost:3000",
            "http://localhost:443",
            "http://[::1]:1",
            "http://[::1]",
        ] {
            assert!(matches(&set, origin), "{origin}");
        }
        for origin in [
            "https://localhost:3000",
            "http://a.localhost:3000",
            "http://localhost.:3000",
            "http://[::2]:1",
        ] {
            assert!(!matches(&set, origin), "{origin}");
        }
    }

    #[test]
    fn both_stars_may_be_combined() {
        let set = set(&["https://*.example.com:*"]);
        assert!(matches(&set, "https://a.example.com"));
        assert!(matches(&set, "https://a.example.com:8443"));
        assert!(!matches(&set, "https://example.com:8443"));
    }

    #[test]
    fn a_pattern_with_a_port_covers_that_port_alone() {
        let set = set(&["https://*.example.com:8443", "https://*.example.com:9443"]);
        assert!(matches(&set, "https://a.example.com:8443"));
        assert!(matches(&set, "https://a.example.com:9443"));
        assert!(!matches(&set, "https://a.example.com"));
        assert!(!matches(&set, "https://a.example.com:84"));
    }

    #[test]
    fn suffixes_of_one_another_do_not_hide_one_another() {
        let set = set(&[
            "https://*.example.com",
            "https://*.b.example.com:*",
            "http://*.com.example",
        ]);
        assert!(matches(&set, "https://a.b.example.com:1"));
        assert!(matches(&set, "https://b.example.com"));
        assert!(!matches(&set, "https://b.example.com:1"));
        assert!(matches(&set, "http://x.com.example"));
    }

    #[test]
    fn a_suffix_may_be_longer_than_the_length_filter() {
        let parent = "a.".repeat(40) + "example";
        let set = set(&[&format!("https://*.{parent}")]);
        assert!(matches(&set, &format!("https://x.{parent}")));
        assert!(!matches(&set, &format!("https://x.{}", parent.replacen('a', "b", 1))));
    }

    #[test]
    fn a_trailing_dot_is_another_host() {
        let set = set(&["https://*.example.com."]);
        assert!(matches(&set, "https://a.example.com."));
        assert!(!matches(&set, "https://a.example.com"));
    }

    #[test]
    fn the_same_pattern_is_kept_once() {
        let mut set = set(&["https://*.example.com"]);
        let AllowedOrigin::Pattern(again) = AllowedOrigin::parse("https://*.EXAMPLE.com").unwrap() else {
            panic!()
        };
        assert!(!set.insert(again, &Position::default()));
    }
}
