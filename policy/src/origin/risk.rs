//! What is dangerous about an origin that is listed, though it can be meant.

use super::allowed::AllowedOrigin;
use super::pattern::{Front, Pattern};
use super::serialized::{is_insecure, LOCAL_FILES};
use super::suffixes::Shared;

/// A reason to ask the operator whether it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Risk {
    /// It is everyone.
    Anyone,
    /// It is `null`, which every site can be.
    Null,
    /// It lets in `file://`, which every file on a device is.
    LocalFiles,
    /// It lets in this origin, which whoever is on the network can be.
    Insecure(String),
    /// It lets in whoever has a name under this one, which many share.
    SharedName {
        name: String,
        kind: Shared,
        /// The pattern that was perhaps meant.
        meant: Option<String>,
    },
    /// It lets in this origin, which is outside the domains that it names, by this mistake.
    Stranger(String, String),
    /// It lets in this origin of an app or an extension, and those of others.
    AnyApp(String),
}

impl Risk {
    /// How many kinds there are.
    pub(crate) const KINDS: usize = 7;

    /// The number of its kind.
    pub(crate) fn kind(&self) -> usize {
        match self {
            Self::Anyone => 0,
            Self::Null => 1,
            Self::Insecure(_) => 2,
            Self::SharedName { .. } => 3,
            Self::Stranger(..) => 4,
            Self::AnyApp(_) => 5,
            Self::LocalFiles => 6,
        }
    }
}

/// All that is dangerous about `origin`.
pub(crate) fn risks(origin: &AllowedOrigin) -> Vec<Risk> {
    match origin {
        AllowedOrigin::Any => vec![Risk::Anyone],
        AllowedOrigin::Null => vec![Risk::Null],
        AllowedOrigin::Exact(origin) if is_insecure(origin) => vec![Risk::Insecure(origin.clone())],
        AllowedOrigin::Exact(origin) if origin == LOCAL_FILES => vec![Risk::LocalFiles],
        AllowedOrigin::Exact(_) => Vec::new(),
        AllowedOrigin::Pattern(pattern) => risks_of_pattern(pattern),
        AllowedOrigin::Regex(regex) => {
            let found = regex.findings();
            let stranger = found.stranger.clone();
            let stranger = stranger.map(|stranger| Risk::Stranger(stranger.origin, stranger.mistake));
            let insecure = found.insecure.clone().map(Risk::Insecure);
            let any_app = found.any_app.clone().map(Risk::AnyApp);
            let local_files = found.has_local_files.then_some(Risk::LocalFiles);
            let credentials = insecure.into_iter().chain(any_app).chain(local_files);
            stranger.into_iter().chain(credentials).collect()
        }
    }
}

fn risks_of_pattern(pattern: &Pattern) -> Vec<Risk> {
    let mut risks = Vec::new();
    if let Some(kind) = pattern.shared_name() {
        risks.push(Risk::SharedName {
            name: pattern.host.to_string(),
            kind,
            meant: names_under(pattern),
        });
    }
    let written = pattern.to_string();
    if is_insecure(&written) {
        risks.push(Risk::Insecure(written));
    }
    if pattern.front == Front::AnyHost {
        risks.push(Risk::AnyApp(pattern.sample()));
    }
    risks
}

/// The pattern that was meant where the dot behind a `*` was forgotten: `https://*.example.com` for `https://*example.com`.
fn names_under(pattern: &Pattern) -> Option<String> {
    let Front::Label { before, after } = &pattern.front else {
        return None;
    };
    let meant = Pattern {
        front: Front::Labels,
        host: format!("{after}.{}", pattern.host).into(),
        ..pattern.clone()
    };
    let is_meant = before.is_empty() && !after.starts_with('-') && meant.shared_name().is_none();
    is_meant.then(|| meant.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Vec<Risk> {
        risks(&AllowedOrigin::parse(value).unwrap())
    }

    fn shared_name(name: &str, kind: Shared) -> Risk {
        Risk::SharedName {
            name: name.to_owned(),
            kind,
            meant: None,
        }
    }

    #[test]
    fn a_wildcard_under_a_public_suffix_is_risky() {
        for host in ["com", "co.uk", "github.io", "com.", "xn--p1ai", "anything.ck"] {
            assert_eq!(
                of(&format!("https://*.{host}")),
                [shared_name(host, Shared::Suffix)],
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
                [shared_name(host, Shared::Parent)],
                "{host}"
            );
        }
    }

    #[test]
    fn a_part_of_a_label_under_a_public_suffix_is_risky() {
        assert_eq!(
            of("https://*--shop.netlify.app"),
            [shared_name("netlify.app", Shared::Suffix)]
        );
        assert_eq!(of("https://pr-*-web.example.com"), []);
        let forgotten_dot = Risk::SharedName {
            name: "com".to_owned(),
            kind: Shared::Suffix,
            meant: Some("https://*.example.com:8443".to_owned()),
        };
        assert_eq!(of("https://*example.com:8443"), [forgotten_dot]);
    }

    #[test]
    fn every_host_of_a_scheme_is_risky() {
        assert_eq!(
            of("chrome-extension://*"),
            [Risk::AnyApp("chrome-extension://a".to_owned())]
        );
        assert_eq!(of("chrome-extension://abcdef"), []);
    }

    #[test]
    fn files_are_risky_in_every_form() {
        for value in ["file://", "~file://", r"~(https://a\.example|file://)"] {
            assert_eq!(of(value), [Risk::LocalFiles], "{value}");
        }
        assert_eq!(of("app://."), []);
    }

    #[test]
    fn origins_in_the_clear_are_risky_in_every_form() {
        for value in [
            "http://a.example",
            "http://*.a.example",
            "http://a.example:*",
            "http://pr-*.a.example",
            r"~https?://a\.example",
        ] {
            assert!(matches!(&of(value)[..], [Risk::Insecure(_)]), "{value}");
        }
        for value in [
            "https://a.example",
            "http://localhost:*",
            "http://pr-*.localhost",
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
