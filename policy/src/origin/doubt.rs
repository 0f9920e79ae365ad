//! What is dangerous about an origin that is listed, though it can be meant.

use super::regex::{insecure_example, stranger};
use super::{is_insecure, AllowedOrigin};

/// A reason to ask the operator whether it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// It is everyone.
    Anyone,
    /// It is `null`, which every site can be.
    Null,
    /// It lets in this origin, which whoever is on the network can be.
    Insecure(String),
    /// It lets in whoever registers a name under this suffix.
    PublicSuffix(String),
    /// It lets in this stranger, by this mistake.
    Stranger(String, &'static str),
}

impl Doubt {
    /// How many kinds there are.
    pub(crate) const KINDS: usize = 5;

    /// The number of its kind.
    pub(crate) fn kind(&self) -> usize {
        match self {
            Self::Anyone => 0,
            Self::Null => 1,
            Self::Insecure(_) => 2,
            Self::PublicSuffix(_) => 3,
            Self::Stranger(..) => 4,
        }
    }
}

/// All that is dangerous about `origin`.
pub(crate) fn doubts(origin: &AllowedOrigin) -> Vec<Doubt> {
    match origin {
        AllowedOrigin::Any => vec![Doubt::Anyone],
        AllowedOrigin::Null => vec![Doubt::Null],
        AllowedOrigin::Exact(origin) if is_insecure(origin) => vec![Doubt::Insecure(origin.clone())],
        AllowedOrigin::Exact(_) => Vec::new(),
        AllowedOrigin::Pattern(pattern) => {
            let written = pattern.to_string();
            let mut doubts = Vec::new();
            if pattern.subdomains && is_public_suffix(&pattern.host) {
                doubts.push(Doubt::PublicSuffix(pattern.host.to_string()));
            }
            if is_insecure(&written) {
                doubts.push(Doubt::Insecure(written));
            }
            doubts
        }
        AllowedOrigin::Regex(regex) => {
            let Some(matcher) = regex.matcher() else {
                return Vec::new();
            };
            let stranger = stranger(regex, &matcher).map(|stranger| Doubt::Stranger(stranger.origin, stranger.mistake));
            let insecure = insecure_example(regex, &matcher).map(Doubt::Insecure);
            stranger.into_iter().chain(insecure).collect()
        }
    }
}

/// Whether names directly under `host` are registered by different people
/// ([Public Suffix List](https://publicsuffix.org/)). A name that is not in the list at all, such as `localhost` or a
/// company's own top-level domain, is taken for the operator's own.
fn is_public_suffix(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_suffix = |name: &str| psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known() && suffix == name);
    // Some suffixes are all names under a domain: `*.ck`.
    is_suffix(host) || is_suffix(&format!("a.{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Vec<Doubt> {
        doubts(&AllowedOrigin::parse(value).unwrap())
    }

    #[test]
    fn a_wildcard_under_a_public_suffix_is_doubted() {
        for host in ["com", "co.uk", "github.io", "com.", "xn--p1ai", "ck", "kobe.jp"] {
            assert_eq!(
                of(&format!("https://*.{host}")),
                [Doubt::PublicSuffix(host.to_owned())],
                "{host}"
            );
        }
        for host in ["example.com", "example.co.uk", "localhost", "internal", "me.github.io"] {
            assert_eq!(of(&format!("https://*.{host}")), [], "{host}");
        }
        assert_eq!(of("https://com:*"), []);
    }

    #[test]
    fn origins_in_the_clear_are_doubted_in_every_form() {
        for value in [
            "http://a.example",
            "http://*.a.example",
            "http://a.example:*",
            r"~https?://a\.example",
        ] {
            assert!(matches!(&of(value)[..], [Doubt::Insecure(_)]), "{value}");
        }
        for value in [
            "https://a.example",
            "http://localhost:*",
            "capacitor://localhost",
            r"~http://localhost:\d+",
        ] {
            assert_eq!(of(value), [], "{value}");
        }
    }

    #[test]
    fn everyone_null_and_strangers_are_doubted() {
        assert_eq!(of("*"), [Doubt::Anyone]);
        assert_eq!(of("null"), [Doubt::Null]);
        assert!(matches!(&of(r"~https://a.example\.com")[..], [Doubt::Stranger(..)]));
    }
}
