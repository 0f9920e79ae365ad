//! Patterns: `https://*.example.com`, `http://localhost:*`.
//!
//! One pass over the request's host, from its end, meets every pattern that could match: at each label boundary the
//! hash of what has been read finds the patterns with that suffix. More patterns make the table larger, not the pass.

use hashbrown::HashTable;

use super::SerializedOrigin;
use crate::name_hash::NameHash;
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
        let host = self.host.bytes().rev().fold(NameHash::new(), NameHash::push);
        key(host, scheme_hash(self.scheme.as_bytes()), self.port, self.subdomains)
    }

    fn is(&self, origin: &SerializedOrigin<'_>, host: &[u8], subdomains: bool, port: PortRule) -> bool {
        self.subdomains == subdomains
            && self.port == port
            && self.host.as_bytes() == host
            && self.scheme.as_bytes() == origin.scheme
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
    /// Bit n is set where a suffix of n bytes exists (63 for all that are longer), so that most labels need no look-up.
    suffix_lengths: u64,
}

impl PatternSet {
    /// Adds a pattern; false where it was there already.
    pub(crate) fn insert(&mut self, pattern: Pattern, at: &Position) -> bool {
        let hash = pattern.hash();
        if self.table.find(hash, |other| other.pattern == pattern).is_some() {
            return false;
        }
        if pattern.subdomains {
            self.suffix_lengths |= length_bit(pattern.host.len());
        }
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

    /// A pattern that covers `origin`, of those that `counts` picks.
    pub(crate) fn covering(
        &self,
        origin: &SerializedOrigin<'_>,
        counts: impl Fn(&Pattern) -> bool,
    ) -> Option<&Pattern> {
        if self.table.is_empty() {
            return None;
        }
        let scheme = scheme_hash(origin.scheme);
        let port = origin.port.map_or(PortRule::Default, PortRule::Only);
        let find = |hash: NameHash, host: &[u8], subdomains: bool| {
            [port, PortRule::Any].into_iter().find_map(|port| {
                let hash = key(hash, scheme, port, subdomains);
                let is_meant =
                    |listed: &Listed| listed.pattern.is(origin, host, subdomains, port) && counts(&listed.pattern);
                self.table.find(hash, is_meant).map(|listed| &listed.pattern)
            })
        };

        let mut hash = NameHash::new();
        let mut found = None;
        // A dot at the end of what is left would make an empty label.
        let mut after_dot = true;
        for (position, &byte) in origin.host.iter().enumerate().rev() {
            if byte == b'.' {
                if after_dot && found.is_some() {
                    return None;
                }
                after_dot = true;
                let suffix = origin.host.get(position + 1..).unwrap_or_default();
                if found.is_none() && self.suffix_lengths & length_bit(suffix.len()) != 0 {
                    found = find(hash, suffix, true);
                }
            } else {
                after_dot = false;
            }
            hash = hash.push(byte);
        }
        // The loop has read the labels in front of the suffix as well: none of them may be empty.
        found.filter(|_| !after_dot).or_else(|| find(hash, origin.host, false))
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
            let origin = SerializedOrigin {
                scheme: pattern.scheme.as_bytes(),
                host: host.as_bytes(),
                port: match pattern.port {
                    PortRule::Default => None,
                    PortRule::Only(port) => Some(port),
                    PortRule::Any => Some(0),
                },
            };
            let other = self.covering(&origin, |other| other != pattern)?;
            Some((pattern.to_string(), at, other))
        })
    }
}

fn scheme_hash(scheme: &[u8]) -> u64 {
    scheme
        .iter()
        .fold(NameHash::new(), |hash, byte| hash.push(*byte))
        .finish()
}

fn key(host: NameHash, scheme: u64, port: PortRule, subdomains: bool) -> u64 {
    let port = match port {
        PortRule::Default => 0,
        PortRule::Only(number) => u64::from(number),
        PortRule::Any => 1 << 16,
    };
    let rest = port | u64::from(subdomains) << 17;
    host.finish() ^ scheme ^ rest.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
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
        SerializedOrigin::recognize(origin.as_bytes()).is_some_and(|origin| set.covering(&origin, |_| true).is_some())
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
