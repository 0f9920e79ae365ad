//! A list of origins, in whatever form they were written.

use super::exact::{ExactOrigins, Full};
use super::pattern::PatternSet;
use super::{AllowedOrigin, SerializedOrigin};

/// The origins that one list names.
#[derive(Default, Debug)]
pub(crate) struct OriginSet {
    exact: ExactOrigins,
    patterns: PatternSet,
    null: bool,
    /// The first member that travels in the clear.
    insecure: Option<Box<str>>,
}

impl OriginSet {
    /// Adds what `origin` names; false where it was there already. `*` is no member of a set.
    pub(crate) fn insert(&mut self, origin: AllowedOrigin) -> Result<bool, Full> {
        match origin {
            AllowedOrigin::Any => Ok(false),
            AllowedOrigin::Null => Ok(!std::mem::replace(&mut self.null, true)),
            AllowedOrigin::Exact(origin) => {
                self.note_insecure(&origin);
                self.exact.insert(&origin)
            }
            AllowedOrigin::Pattern(pattern) => {
                self.note_insecure(&pattern.to_string());
                Ok(self.patterns.insert(pattern))
            }
        }
    }

    fn note_insecure(&mut self, origin: &str) {
        if self.insecure.is_none() && is_insecure(origin) {
            self.insecure = Some(origin.into());
        }
    }

    /// Whether the bytes of an `Origin` header are in the list.
    #[inline]
    pub(crate) fn contains(&self, origin: &[u8]) -> bool {
        if self.exact.contains(origin) {
            return true;
        }
        if self.null && origin == b"null" {
            return true;
        }
        !self.patterns.is_empty()
            && SerializedOrigin::recognize(origin).is_some_and(|origin| self.patterns.matches(&origin))
    }

    pub(crate) fn has_null(&self) -> bool {
        self.null
    }

    /// The first member that a network attacker could speak for: `http://`, other than loopback.
    pub(crate) fn insecure_member(&self) -> Option<&str> {
        self.insecure.as_deref()
    }

    /// Gives back what growing left over, once the list is complete.
    pub(crate) fn shrink(&mut self) {
        self.exact.shrink();
    }
}

/// Whether an origin travels in the clear. Loopback does not travel, and `localhost` is loopback (RFC 6761, 6.3).
fn is_insecure(origin: &str) -> bool {
    let Some(authority) = origin.strip_prefix("http://") else {
        return false;
    };
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    let loopback = name == "localhost"
        || name.ends_with(".localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    !loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: &[&str]) -> OriginSet {
        let mut set = OriginSet::default();
        for value in values {
            set.insert(AllowedOrigin::parse(value).unwrap()).unwrap();
        }
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
    fn loopback_is_not_insecure() {
        for origins in [
            "http://localhost",
            "http://localhost:3000",
            "http://a.localhost",
            "http://*.localhost",
            "http://localhost.",
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]:1",
            "https://example.com",
            "capacitor://localhost",
            "http://localhost:*",
        ] {
            assert_eq!(set(&[origins]).insecure_member(), None, "{origins}");
        }
        for origins in [
            "http://example.com",
            "http://*.example.com",
            "http://192.168.0.1:*",
            "http://notlocalhost",
            "http://localhost.example",
        ] {
            assert_eq!(set(&[origins]).insecure_member(), Some(origins));
        }
    }
}
