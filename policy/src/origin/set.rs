//! A list of origins, in whatever form they were written.

use super::allowed::AllowedOrigin;
use super::exact::{ExactOrigins, Full};
use super::pattern::Pattern;
use super::pattern_set::PatternSet;
use super::regex::{RegexSet, SetError};
use super::serialized::SerializedOrigin;
use super::serialized::LONGEST;
use crate::problem::Position;

/// The origins that one list names.
#[derive(Default, Debug)]
pub(crate) struct OriginSet {
    exact: ExactOrigins,
    patterns: PatternSet,
    null: bool,
    regexes: RegexSet,
    is_more_than_exact: bool,
}

impl OriginSet {
    /// Adds what `origin` names; false where it was there already. `*` is no member of a set.
    pub(crate) fn insert(&mut self, origin: AllowedOrigin, at: &Position) -> Result<bool, Full> {
        self.is_more_than_exact |= !matches!(origin, AllowedOrigin::Exact(_));
        match origin {
            AllowedOrigin::Any => Ok(false),
            AllowedOrigin::Null => Ok(!std::mem::replace(&mut self.null, true)),
            AllowedOrigin::Exact(origin) => self.exact.insert(&origin, at),
            AllowedOrigin::Pattern(pattern) => Ok(self.patterns.insert(pattern, at)),
            AllowedOrigin::Regex(regex) => Ok(self.regexes.insert(regex)),
        }
    }

    /// Whether the bytes of an `Origin` header are in the list.
    #[inline(always)]
    pub(crate) fn contains(&self, origin: &[u8]) -> bool {
        origin.len() <= LONGEST
            && (self.exact.contains(origin) || (self.is_more_than_exact && self.contains_otherwise(origin)))
    }

    #[inline(never)]
    fn contains_otherwise(&self, origin: &[u8]) -> bool {
        if self.null && origin == b"null" {
            return true;
        }
        if !self.patterns.is_empty() && self.patterns.covers(origin) {
            return true;
        }
        !self.regexes.is_empty() && SerializedOrigin::recognize(origin).is_some() && self.regexes.matches(origin)
    }

    /// Members that add nothing, since a pattern covers them: the member, where it was listed if that is known, and
    /// the pattern.
    pub(crate) fn covered(&self) -> impl Iterator<Item = (String, Option<Position>, &Pattern)> + '_ {
        let exact = (!self.patterns.is_empty())
            .then(|| self.exact.iter())
            .into_iter()
            .flatten();
        let exact = exact.filter_map(|(origin, at)| {
            let parts = SerializedOrigin::recognize(origin.as_bytes())?;
            let pattern = self.patterns.covering(parts.scheme, parts.host, parts.port, |_| true)?;
            Some((origin.to_owned(), at, pattern))
        });
        let patterns = self.patterns.covered();
        exact.chain(patterns.map(|(member, at, pattern)| (member, Some(at.clone()), pattern)))
    }

    /// The exact members that are not in `other`, and where each was listed if that is known.
    pub(crate) fn not_in<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = (&'s str, Option<Position>)> + 's {
        self.exact
            .iter()
            .filter(|(origin, _)| !other.contains(origin.as_bytes()))
    }

    /// Whether there are patterns and expressions, and no member is in `other`, as far as that can be told: where `other` has
    /// exact members alone, and `null` is no member, which is dangerous in any case.
    pub(crate) fn is_apart_from(&self, other: &Self) -> bool {
        self.is_more_than_exact
            && !self.null
            && !other.is_more_than_exact
            && !other.exact.iter().any(|(origin, _)| self.contains(origin.as_bytes()))
    }

    /// Makes the list ready for requests, once it is complete.
    pub(crate) fn complete(&mut self) -> Result<(), SetError> {
        self.regexes.compile()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: &[&str]) -> OriginSet {
        let mut set = OriginSet::default();
        for value in values {
            let origin = AllowedOrigin::parse(value).unwrap();
            set.insert(origin, &Position::default()).unwrap();
        }
        set.complete().unwrap();
        set
    }

    #[test]
    fn neighbours_in_one_list_admit_no_mixture() {
        let set = set(&["https://foo.example", "https://bar.example", "https://*.foo.example"]);
        assert!(set.contains(b"https://foo.example"));
        assert!(set.contains(b"https://bar.example"));
        for stranger in [
            &b"https://barfoo.example"[..],
            b"https://foo.examplebar.example",
            b"https://foo.example.evil.net",
            b"https://evilfoo.example",
            b"https://a.foo.example@evil.net",
            b"https://a.foo.example`.evil.net",
            b"https://A.foo.example",
            b"null",
            b"",
        ] {
            assert!(!set.contains(stranger), "{}", String::from_utf8_lossy(stranger));
        }
    }

    #[test]
    fn null_needs_to_be_listed() {
        assert!(!set(&["https://a.example"]).contains(b"null"));
        assert!(set(&["null"]).contains(b"null"));
        assert!(!set(&["null"]).contains(b"NULL"));
    }

    #[test]
    fn a_regex_sees_only_what_browsers_send() {
        let set = set(&[r"~https://.+\.example\.com"]);
        assert!(set.contains(b"https://a.example.com"));
        for stranger in [
            "https://a.example.com@evil.net/.example.com",
            "https://evil.net/.example.com",
            "https://evil.net?.example.com",
            "https://A.example.com",
            "https://a b.example.com",
        ] {
            assert!(!set.contains(stranger.as_bytes()), "{stranger}");
        }
    }

    #[test]
    fn what_a_pattern_covers_is_found() {
        let covered = |values: &[&str]| -> Vec<_> {
            let set = set(values);
            let covered = set.covered();
            covered.map(|(member, _, by)| format!("{member} by {by}")).collect()
        };
        assert_eq!(
            covered(&["https://a.example.com", "https://*.example.com", "https://example.com"]),
            ["https://a.example.com by https://*.example.com"]
        );
        assert_eq!(
            covered(&["https://*.a.example.com", "https://*.example.com:*"]),
            ["https://*.a.example.com by https://*.example.com:*"]
        );
        assert_eq!(
            covered(&["http://localhost:3000", "http://localhost:*"]),
            ["http://localhost:3000 by http://localhost:*"]
        );
        assert_eq!(
            covered(&["https://*.example.com:*", "https://*.a.example.com:8443"]).len(),
            1
        );
        assert_eq!(
            covered(&["https://pr-*-web.example.com", "https://*.example.com"]),
            ["https://pr-*-web.example.com by https://*.example.com"]
        );
        assert_eq!(
            covered(&["https://pr-*.example.com:8443", "https://p*.example.com:*"]),
            ["https://pr-*.example.com:8443 by https://p*.example.com:*"]
        );
        assert_eq!(
            covered(&["https://pr-1.example.com", "https://pr-*.example.com"]),
            ["https://pr-1.example.com by https://pr-*.example.com"]
        );
        assert_eq!(covered(&["app://*", "app://*:*", "app://b"]).len(), 2);
        assert!(covered(&[
            "https://pra*.example.com",
            "https://pr-*.example.com",
            "https://*pr.example.com",
            "https://a*a.example.com",
            "https://a*aa.b.example.com",
            "https://q*x.example.com",
            "https://qa*.example.com",
        ])
        .is_empty());
        assert!(covered(&[
            "https://*.example.com",
            "https://*.a.example.com:*",
            "http://*.a.example.com"
        ])
        .is_empty());
    }
}
