//! Names that many people share: the [Public Suffix List](https://publicsuffix.org/list/), and what lies above it.

use std::cell::Cell;

use psl::Psl;

/// The day on which the list was published that this crate carries. `psl` carries it; a test holds its version in
/// Cargo.lock against [`LIST_VERSION`], so that both lines change together.
pub const PUBLIC_SUFFIX_LIST_DATE: &str = "2026-11-05";

/// The version of the crate `psl` whose list was published on [`PUBLIC_SUFFIX_LIST_DATE`].
#[cfg(test)]
const LIST_VERSION: &str = "2.1.247";

/// Why different people hold the names under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shared {
    /// It is a public suffix, such as `com`, `co.uk` and `github.io`: everyone can register a name under it.
    Suffix,
    /// Public suffixes lie under it, as `s3.amazonaws.com` does under `amazonaws.com`.
    Parent,
}

/// Whether the names under `name`, which has no trailing dot, are held by different people. A name whose last label is
/// not in the list, such as `localhost` or a company's own top-level domain, is taken for the operator's own.
pub(crate) fn shared(name: &[u8]) -> Option<Shared> {
    // The list is compiled into a function that takes labels from the last to the first. It asks for one more than the
    // name has only where there are rules below the name.
    let asked_for_more = Cell::new(false);
    let labels = name.rsplit(|&byte| byte == b'.');
    let labels = labels.chain(std::iter::from_fn(|| {
        asked_for_more.set(true);
        None
    }));
    let rule = psl::List.find(labels);
    if rule.typ.is_some() && rule.len == name.len() {
        Some(Shared::Suffix)
    } else if asked_for_more.get() {
        Some(Shared::Parent)
    } else {
        None
    }
}

/// Whether the host of a web origin is an address: in brackets, or with a number at its end
/// ([URL](https://url.spec.whatwg.org/#ends-in-a-number-checker)).
pub(crate) fn is_address(host: &[u8]) -> bool {
    let last = host.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    host.ends_with(b"]") || (!last.is_empty() && last.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_suffixes_are_shared() {
        for name in [
            "com",
            "co.uk",
            "github.io",
            "xn--p1ai",
            "netlify.app",
            "s3.amazonaws.com",
        ] {
            assert_eq!(shared(name.as_bytes()), Some(Shared::Suffix), "{name}");
        }
    }

    #[test]
    fn every_name_under_a_wildcard_rule_is_shared_and_so_is_what_the_rule_hangs_on() {
        assert_eq!(shared(b"anything.ck"), Some(Shared::Suffix));
        assert_eq!(shared(b"ck"), Some(Shared::Parent));
        assert_eq!(shared(b"anything.kobe.jp"), Some(Shared::Suffix));
        assert!(shared(b"kobe.jp").is_some());
    }

    #[test]
    fn an_exception_to_a_wildcard_rule_is_not_shared() {
        assert_eq!(shared(b"www.ck"), None);
        assert_eq!(shared(b"city.kobe.jp"), None);
    }

    #[test]
    fn what_public_suffixes_lie_under_is_shared() {
        for name in [
            "amazonaws.com",
            "core.windows.net",
            "windows.net",
            "compute.amazonaws.com",
        ] {
            assert_eq!(shared(name.as_bytes()), Some(Shared::Parent), "{name}");
        }
    }

    #[test]
    fn registered_names_and_names_outside_the_list_are_not_shared() {
        for name in [
            "example.com",
            "example.co.uk",
            "me.github.io",
            "console.amazonaws.com",
            "localhost",
            "internal",
            "app.internal",
        ] {
            assert_eq!(shared(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn the_date_is_that_of_the_list_in_use() {
        let locked = include_str!("../../../Cargo.lock");
        let entry = format!("name = \"psl\"\nversion = \"{LIST_VERSION}\"");
        assert!(
            locked.contains(&entry),
            "Cargo.lock has another version of psl: give its day of publication (\"pubtime\" in the registry's index)"
        );
    }

    #[test]
    fn addresses_are_told_from_names() {
        for host in ["127.0.0.1", "[::1]", "1.2.3", "1"] {
            assert!(is_address(host.as_bytes()), "{host}");
        }
        for host in ["a.1b", "localhost", "1.example", "xn--p1ai"] {
            assert!(!is_address(host.as_bytes()), "{host}");
        }
    }
}
