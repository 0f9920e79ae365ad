//! Many patterns.
//!
//! A request's host is held against one suffix for each length that a pattern's has, and only where a label begins:
//! more patterns make the table larger, not the search.

use hashbrown::HashTable;

use super::exact::hash;
use super::label_patterns::LabelPatterns;
use super::pattern::{Front, Listed, Pattern, PortRule};
use super::serialized::{are_labels, split};
use crate::problem::Position;

/// Many patterns.
#[derive(Default, Debug)]
pub(crate) struct PatternSet {
    table: HashTable<Listed>,
    /// Those with a `*` within their first label.
    labels: LabelPatterns,
    /// How long the hosts after `*.` are: each length once, the shortest first.
    suffix_lengths: Vec<usize>,
    /// Some spell out the whole host.
    has_whole_hosts: bool,
    /// Some are for any host of a scheme.
    has_any_host: bool,
    /// Some have `:*`.
    has_any_port: bool,
}

impl PatternSet {
    /// Adds a pattern; false where it was there already.
    pub(crate) fn insert(&mut self, pattern: Pattern, at: &Position) -> bool {
        let listed = Listed {
            pattern,
            at: at.clone(),
        };
        let pattern = &listed.pattern;
        let Some(key) = Key::of(pattern) else {
            return self.labels.insert(listed);
        };
        let hash = key.hash();
        if self.table.find(hash, |other| key.finds(&other.pattern)).is_some() {
            return false;
        }
        match key.front {
            FrontKind::WholeHost => self.has_whole_hosts = true,
            FrontKind::AnyHost => self.has_any_host = true,
            FrontKind::Labels => {
                if let Err(place) = self.suffix_lengths.binary_search(&pattern.host.len()) {
                    self.suffix_lengths.insert(place, pattern.host.len());
                }
            }
        }
        self.has_any_port |= pattern.port == PortRule::Any;
        self.table.insert_unique(hash, listed, |listed| {
            Key::of(&listed.pattern).map_or(0, |key| key.hash())
        });
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.table.is_empty() && self.labels.is_empty()
    }

    /// Whether a pattern covers the bytes of an `Origin` header.
    pub(crate) fn covers(&self, origin: &[u8]) -> bool {
        split(origin).is_some_and(|(scheme, host, port)| self.covering(scheme, host, port, |_| true).is_some())
    }

    /// A pattern that covers an origin of these parts, of those that `counts` picks. No one need have looked at `host`
    /// before, if the scheme is one of the web's: what a pattern spells out it equals, and what a `*` stands for is looked
    /// at here.
    pub(crate) fn covering(
        &self,
        scheme: &[u8],
        host: &[u8],
        port: Option<u16>,
        counts: impl Fn(&Pattern) -> bool,
    ) -> Option<&Pattern> {
        let port = PortRule::of(port);
        let find_with = |host: &[u8], front: FrontKind, port: PortRule| {
            let key = Key {
                scheme,
                host,
                front,
                port,
            };
            let is_meant = |listed: &Listed| key.finds(&listed.pattern) && counts(&listed.pattern);
            self.table.find(key.hash(), is_meant).map(|listed| &listed.pattern)
        };
        let find = |host: &[u8], front: FrontKind| {
            let any = || self.has_any_port.then(|| find_with(host, front, PortRule::Any))?;
            find_with(host, front, port).or_else(any)
        };
        for &length in &self.suffix_lengths {
            let Some((labels, suffix)) = host.split_at_checked(host.len().wrapping_sub(length)) else {
                break;
            };
            if let [labels @ .., b'.'] = labels {
                if let Some(pattern) = find(suffix, FrontKind::Labels).filter(|_| are_labels(labels)) {
                    return Some(pattern);
                }
            }
        }
        let whole_host = || self.has_whole_hosts.then(|| find(host, FrontKind::WholeHost))?;
        let any_host = || self.has_any_host.then(|| find(b"", FrontKind::AnyHost))?;
        let label = || match self.labels.is_empty() {
            true => None,
            false => self.labels.covering(scheme, host, port, &counts),
        };
        label().or_else(whole_host).or_else(any_host)
    }

    /// Patterns that add nothing, since another one covers them: the one, where it was listed, and the other.
    pub(crate) fn covered(&self) -> impl Iterator<Item = (String, &Position, &Pattern)> + '_ {
        let all = self.table.iter().chain(self.labels.iter());
        all.filter_map(|Listed { pattern, at }| {
            // What covers a host of each kind, and with `:*` a port that only `:*` can mean, covers the pattern.
            let host = pattern.sample_host();
            let port = match pattern.port {
                PortRule::Default => None,
                PortRule::Only(port) => Some(port),
                PortRule::Any => Some(0),
            };
            let other = self.covering(pattern.scheme.as_bytes(), host.as_bytes(), port, |other| {
                other != pattern && other.includes(pattern)
            })?;
            Some((pattern.to_string(), at, other))
        })
    }
}

/// The fronts of the patterns in the table, which are found by a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrontKind {
    WholeHost,
    Labels,
    AnyHost,
}

/// All parts of a pattern that is in the table.
#[derive(Clone, Copy)]
struct Key<'p> {
    scheme: &'p [u8],
    host: &'p [u8],
    front: FrontKind,
    port: PortRule,
}

impl<'p> Key<'p> {
    /// Nothing for a pattern that is kept elsewhere.
    fn of(pattern: &'p Pattern) -> Option<Self> {
        Some(Self {
            scheme: pattern.scheme.as_bytes(),
            host: pattern.host.as_bytes(),
            front: FrontKind::of(pattern)?,
            port: pattern.port,
        })
    }

    fn finds(&self, pattern: &Pattern) -> bool {
        self.host == pattern.host.as_bytes()
            && self.scheme == pattern.scheme.as_bytes()
            && matches!(
                (self.front, &pattern.front),
                (FrontKind::WholeHost, Front::Nothing)
                    | (FrontKind::Labels, Front::Labels)
                    | (FrontKind::AnyHost, Front::AnyHost)
            )
            && self.port == pattern.port
    }

    /// Of the scheme it takes what tells the usual ones apart.
    fn hash(&self) -> u64 {
        let port = match self.port {
            PortRule::Default => 0,
            PortRule::Only(number) => u64::from(number),
            PortRule::Any => 1 << 16,
        };
        let rest = port | (self.front as u64) << 17 | (self.scheme.len() as u64) << 19;
        hash(self.host) ^ rest.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl FrontKind {
    fn of(pattern: &Pattern) -> Option<Self> {
        match pattern.front {
            Front::Nothing => Some(Self::WholeHost),
            Front::Labels => Some(Self::Labels),
            Front::AnyHost => Some(Self::AnyHost),
            Front::Label { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AllowedOrigin, SerializedOrigin};
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

    /// Whether a pattern covers `origin`; the patterns one by one agree.
    fn matches(set: &PatternSet, origin: &str) -> bool {
        let covers = set.covers(origin.as_bytes());
        let all = set.table.iter().chain(set.labels.iter());
        let by_one = SerializedOrigin::recognize(origin.as_bytes())
            .is_some_and(|origin| all.into_iter().any(|listed| listed.pattern.covers(&origin)));
        assert_eq!(covers, by_one, "{origin}");
        covers
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
    fn a_star_within_a_label_is_one_or_more_of_its_bytes() {
        let set = set(&["https://pr-*-web.example.com", "https://*--shop.example.app"]);
        for origin in [
            "https://pr-1-web.example.com",
            "https://pr-feature-x-web.example.com",
            "https://pr---web.example.com",
            "https://pr-web-web.example.com",
            "https://a--shop.example.app",
            "https://----shop.example.app",
            "https://-a--shop.example.app",
        ] {
            assert!(matches(&set, origin), "{origin}");
        }
        for origin in [
            "https://pr--web.example.com",
            "https://pr-web.example.com",
            "https://pr-a.b-web.example.com",
            "https://pr-a_b-web.example.com",
            "https://pr-1-web.evil.example.com",
            "https://a.pr-1-web.example.com",
            "https://pr-1-web.example.com.evil.net",
            "https://pr-1-web.example.com:8443",
            "http://pr-1-web.example.com",
            "https://pr-1-web.example.app",
            "https://xpr-1-web.example.com",
            "https://pr-1-webx.example.com",
            "https://--shop.example.app",
            "https://a--shop.example.com",
            "https://a--shopexample.app",
        ] {
            assert!(!matches(&set, origin), "{origin}");
        }
    }

    #[test]
    fn beginnings_and_ends_of_labels_do_not_hide_one_another() {
        let set = set(&[
            "https://a*z.example.com",
            "https://ab*yz.example.com",
            "https://abc*.example.com",
            "https://*xyz.example.com",
            "https://a*z.example.com:*",
            "https://ab*.example.com:8443",
        ]);
        for (origin, covered) in [
            ("https://aXz.example.com", false),
            ("https://a-z.example.com", true),
            ("https://a-z.example.com:1", true),
            ("https://az.example.com", false),
            ("https://abcd.example.com", true),
            ("https://abd.example.com", false),
            ("https://abd.example.com:8443", true),
            ("https://qxyz.example.com", true),
            ("https://xyz.example.com", false),
            ("https://ab_yz.example.com", false),
            ("https://ab_cyz.example.com", false),
            ("https://abyz.example.com", true),
        ] {
            assert_eq!(matches(&set, origin), covered, "{origin}");
        }
    }

    #[test]
    fn a_star_for_the_host_covers_every_host_of_the_scheme() {
        let set = set(&["chrome-extension://*", "app://*:*", "moz-extension://*:8443"]);
        for origin in [
            "chrome-extension://abcdefghijklmnop",
            "chrome-extension://a.b",
            "app://.",
            "app://[::1]:8443",
            "app://b:80",
            "moz-extension://a:8443",
        ] {
            assert!(matches(&set, origin), "{origin}");
        }
        for origin in [
            "chrome-extension://abcd:80",
            "chrome-extension://",
            "chrome-extension://A",
            "chrome-extension://a/b",
            "chrome-extensions://a",
            "moz-extension://a",
            "https://a",
            "file://",
            "null",
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
        for value in ["https://pr-*.example.com", "app://*"] {
            let AllowedOrigin::Pattern(pattern) = AllowedOrigin::parse(value).unwrap() else {
                panic!()
            };
            assert!(set.insert(pattern.clone(), &Position::default()), "{value}");
            assert!(!set.insert(pattern, &Position::default()), "{value}");
        }
    }
}
