//! Origins that resemble an allowed one, and are others.
//!
//! Each is let in by a mistake that is often made: a comparison of the beginning or the end alone, a regular expression
//! without an anchor, or with a dot that stands for any character.

use std::net::IpAddr;

use psl::{List, Psl};

/// A page of somebody else. Nobody can register a name below `example` (RFC 2606).
pub const STRANGER: &str = "https://stranger.example";

/// How an origin differs from the allowed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// It goes on behind the allowed one.
    Suffix,
    /// Its domain ends with that of the allowed one.
    Prefix,
    /// It has another top-level domain, or a shorter one.
    OtherTopLevel,
    /// A dot is another character.
    Dot,
    Subdomain,
    Port,
    /// `http` instead of `https`.
    Scheme,
    /// The allowed one stands where a user name would.
    UserInfo,
    UpperCase,
    TrailingDot,
    Path,
}

impl Variant {
    pub const ALL: [Self; 11] = [
        Self::Suffix,
        Self::Prefix,
        Self::OtherTopLevel,
        Self::Dot,
        Self::Subdomain,
        Self::Port,
        Self::Scheme,
        Self::UserInfo,
        Self::UpperCase,
        Self::TrailingDot,
        Self::Path,
    ];

    /// The origins that differ from `origin` in this way; none where it has nothing that could.
    pub fn of(self, origin: &str) -> Vec<String> {
        let Some((scheme, authority)) = origin.split_once("://") else {
            return Vec::new();
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let with_host = |host: &str| match port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        let mut variants: Vec<String> = match self {
            Self::Suffix if host.starts_with('[') => Vec::new(),
            Self::Suffix => ["", "_"]
                .iter()
                .map(|joint| with_host(&format!("{host}{joint}.stranger.example")))
                .collect(),
            Self::Prefix => match registrable(host) {
                Some(domain) => {
                    let labels = host.strip_suffix(domain).unwrap_or_default();
                    vec![
                        with_host(&format!("stranger{domain}")),
                        with_host(&format!("{labels}stranger{domain}")),
                    ]
                }
                None => Vec::new(),
            },
            Self::OtherTopLevel => other_top_level(host).iter().map(|host| with_host(host)).collect(),
            Self::Dot => with_a_dot_replaced(host).iter().map(|host| with_host(host)).collect(),
            Self::Subdomain if registrable(host).is_some() => vec![with_host(&format!("stranger.{host}"))],
            Self::Subdomain => Vec::new(),
            Self::Port => {
                let other = if port == Some("8443") { "8444" } else { "8443" };
                vec![format!("{scheme}://{host}:{other}")]
            }
            Self::Scheme if scheme == "https" => vec![format!("http://{authority}")],
            Self::Scheme => Vec::new(),
            Self::UserInfo => vec![format!("{origin}@stranger.example")],
            Self::UpperCase => vec![origin.to_ascii_uppercase(), with_host(&host.to_ascii_uppercase())],
            Self::TrailingDot if host.starts_with('[') => Vec::new(),
            Self::TrailingDot => vec![with_host(&format!("{host}."))],
            Self::Path => vec![format!("{origin}/"), format!("{origin}/stranger")],
        };
        variants.retain(|variant| variant != origin);
        variants.dedup();
        variants
    }
}

/// The part of a host name that somebody registers: none of an address, or of a name without a known suffix.
fn registrable(host: &str) -> Option<&str> {
    if host.parse::<IpAddr>().is_ok() || host.starts_with('[') {
        return None;
    }
    let suffix = List.suffix(host.as_bytes())?;
    // Names for documentation are in no list, and are asked for all the same.
    let is_known = suffix.is_known() || suffix == "example";
    is_known.then(|| psl::domain_str(host)).flatten()
}

fn other_top_level(host: &str) -> Vec<String> {
    let Some(suffix) = registrable(host).and_then(|_| psl::suffix_str(host)) else {
        return Vec::new();
    };
    let Some(front) = host.strip_suffix(suffix) else {
        return Vec::new();
    };
    let other = if suffix == "net" { "org" } else { "net" };
    let mut hosts = vec![format!("{front}{other}")];
    let shorter = suffix.get(..suffix.len() - 1).filter(|shorter| shorter.len() > 1);
    hosts.extend(shorter.map(|shorter| format!("{front}{shorter}")));
    hosts
}

/// The names that have another character for a dot, and belong to somebody else by that.
fn with_a_dot_replaced(host: &str) -> Vec<String> {
    let Some(domain) = registrable(host) else {
        return Vec::new();
    };
    let dots = host.match_indices('.').map(|(at, _)| at);
    let replaced = dots.filter_map(|at| Some(format!("{}x{}", host.get(..at)?, host.get(at + 1..)?)));
    replaced
        .filter(|other| registrable(other).is_some_and(|of_other| of_other != domain))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_of_a_name_is_one_that_a_mistake_lets_in() {
        let of = |variant: Variant| variant.of("https://app.example.com");
        assert_eq!(
            of(Variant::Suffix),
            [
                "https://app.example.com.stranger.example",
                "https://app.example.com_.stranger.example"
            ]
        );
        assert_eq!(
            of(Variant::Prefix),
            ["https://strangerexample.com", "https://app.strangerexample.com"]
        );
        assert_eq!(
            of(Variant::OtherTopLevel),
            ["https://app.example.net", "https://app.example.co"]
        );
        assert_eq!(of(Variant::Dot), ["https://appxexample.com"]);
        assert_eq!(of(Variant::Subdomain), ["https://stranger.app.example.com"]);
        assert_eq!(of(Variant::Port), ["https://app.example.com:8443"]);
        assert_eq!(of(Variant::Scheme), ["http://app.example.com"]);
        assert_eq!(of(Variant::UserInfo), ["https://app.example.com@stranger.example"]);
        assert_eq!(
            of(Variant::UpperCase),
            ["HTTPS://APP.EXAMPLE.COM", "https://APP.EXAMPLE.COM"]
        );
        assert_eq!(of(Variant::TrailingDot), ["https://app.example.com."]);
        assert_eq!(
            of(Variant::Path),
            ["https://app.example.com/", "https://app.example.com/stranger"]
        );
    }

    #[test]
    fn a_port_stays_where_it_is() {
        assert_eq!(
            Variant::Suffix.of("https://app.example.com:8443")[0],
            "https://app.example.com.stranger.example:8443"
        );
        assert_eq!(
            Variant::Port.of("https://app.example.com:8443"),
            ["https://app.example.com:8444"]
        );
    }

    #[test]
    fn a_suffix_of_two_labels_is_replaced_as_a_whole() {
        assert_eq!(
            Variant::OtherTopLevel.of("https://example.co.uk")[0],
            "https://example.net"
        );
    }

    #[test]
    fn an_address_has_no_domain_to_play_with() {
        for origin in ["http://127.0.0.1:3000", "http://[::1]:3000"] {
            for variant in [
                Variant::Prefix,
                Variant::OtherTopLevel,
                Variant::Dot,
                Variant::Subdomain,
                Variant::Scheme,
            ] {
                assert_eq!(variant.of(origin), [""; 0], "{variant:?} of {origin}");
            }
        }
        assert_eq!(Variant::Port.of("http://[::1]"), ["http://[::1]:8443"]);
    }

    #[test]
    fn no_variant_is_the_origin_itself() {
        for origin in [
            "https://app.example.com",
            "https://EXAMPLE.COM",
            "app://localhost",
            "null",
        ] {
            for variant in Variant::ALL {
                assert!(
                    !variant.of(origin).contains(&origin.to_owned()),
                    "{variant:?} of {origin}"
                );
            }
        }
    }
}
