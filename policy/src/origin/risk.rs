//! What is dangerous about an origin that is listed, though it can be meant.

use super::allowed::AllowedOrigin;
use super::serialized::is_insecure;
use super::suffixes::{shared, Shared};

/// A reason to ask the operator whether it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Risk {
    /// It is everyone.
    Anyone,
    /// It is `null`, which every site can be.
    Null,
    /// It lets in this origin, which whoever is on the network can be.
    Insecure(String),
    /// It lets in whoever has a name under this one, which many share.
    SharedName(String, Shared),
    /// It lets in this origin, which is outside the domains that it names, by this mistake.
    Stranger(String, String),
    /// It lets in this origin of an app or an extension, and those of others.
    AnyApp(String),
}

impl Risk {
    /// How many kinds there are.
    pub(crate) const KINDS: usize = 6;

    /// The number of its kind.
    pub(crate) fn kind(&self) -> usize {
        match self {
            Self::Anyone => 0,
            Self::Null => 1,
            Self::Insecure(_) => 2,
            Self::SharedName(..) => 3,
            Self::Stranger(..) => 4,
            Self::AnyApp(_) => 5,
        }
    }
}

/// All that is dangerous about `origin`.
pub(crate) fn risks(origin: &AllowedOrigin) -> Vec<Risk> {
    match origin {
        AllowedOrigin::Any => vec![Risk::Anyone],
        AllowedOrigin::Null => vec![Risk::Null],
        AllowedOrigin::Exact(origin) if is_insecure(origin) => vec![Risk::Insecure(origin.clone())],
        AllowedOrigin::Exact(_) => Vec::new(),
        AllowedOrigin::Pattern(pattern) => {
            let written = pattern.to_string();
            let mut risks = Vec::new();
            let name = pattern.host.strip_suffix('.').unwrap_or(&pattern.host);
            if let Some(kind) = shared(name.as_bytes()).filter(|_| pattern.subdomains) {
                risks.push(Risk::SharedName(pattern.host.to_string(), kind));
            }
            if is_insecure(&written) {
                risks.push(Risk::Insecure(written));
            }
            risks
        }
        AllowedOrigin::Regex(regex) => {
            let found = regex.findings();
            let stranger = found.stranger.clone();
            let stranger = stranger.map(|stranger| Risk::Stranger(stranger.origin, stranger.mistake));
            let insecure = found.insecure.clone().map(Risk::Insecure);
            let any_app = found.any_app.clone().map(Risk::AnyApp);
            stranger.into_iter().chain(insecure).chain(any_app).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Vec<Risk> {
        risks(&AllowedOrigin::parse(value).unwrap())
    }

    #[test]
    fn a_wildcard_under_a_public_suffix_is_risky() {
        for host in ["com", "co.uk", "github.io", "com.", "xn--p1ai", "anything.ck"] {
            assert_eq!(
                of(&format!("https://*.{host}")),
                [Risk::SharedName(host.to_owned(), Shared::Suffix)],
                "{host}"
            );
        }
        for host in ["example.com", "example.co.uk", "localhost", "internal", "me.github.io"] {
            assert_eq!(of(&format!("https://*.{host}")), [], "{host}");
        }
        assert_eq!(of("https://com:*"), []);
    }

    #[test]
    fn a_wildcard_above_public_suffixes_is_risky() {
        for host in ["amazonaws.com", "core.windows.net", "ck"] {
            assert_eq!(
                of(&format!("https://*.{host}")),
                [Risk::SharedName(host.to_owned(), Shared::Parent)],
                "{host}"
            );
        }
    }

    #[test]
    fn origins_in_the_clear_are_risky_in_every_form() {
        for value in [
            "http://a.example",
            "http://*.a.example",
            "http://a.example:*",
            r"~https?://a\.example",
        ] {
            assert!(matches!(&of(value)[..], [Risk::Insecure(_)]), "{value}");
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
    fn everyone_null_and_strangers_are_risky() {
        assert_eq!(of("*"), [Risk::Anyone]);
        assert_eq!(of("null"), [Risk::Null]);
        assert!(matches!(&of(r"~https://a.example\.com")[..], [Risk::Stranger(..)]));
    }
}
