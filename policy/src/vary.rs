//! `Vary` (RFC 9110, section 12.5.5): the request headers on which a response depends, each named once.

use crate::distinct::distinct;
use crate::token::elements;

/// The request headers on which a response depends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vary(u8);

/// The names, in the order of the bits.
const NAMES: [&str; 4] = [
    "Origin",
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
    "Accept-Encoding",
];

impl Vary {
    /// The response is the same whatever the request says.
    pub const NOTHING: Self = Self(0);
    /// It depends on `Origin`.
    pub const ORIGIN: Self = Self(1);
    /// It echoes `Access-Control-Request-Method`.
    pub const REQUEST_METHOD: Self = Self(1 << 1);
    /// It echoes `Access-Control-Request-Headers`.
    pub const REQUEST_HEADERS: Self = Self(1 << 2);
    /// It depends on `Accept-Encoding`, as nginx says outside the list of headers with `gzip_vary`.
    pub const ACCEPT_ENCODING: Self = Self(1 << 3);

    /// Whether there is no name.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The names of `self` that are not in `line`, a value of `Vary` that the response has already.
    #[must_use]
    pub fn missing_from(self, line: &[u8]) -> Self {
        elements(line).fold(self, |left, element| {
            if element == b"*" {
                return Self::NOTHING;
            }
            let named = NAMES
                .iter()
                .position(|name| element.eq_ignore_ascii_case(name.as_bytes()));
            named.map_or(left, |bit| Self(left.0 & !(1 << bit)))
        })
    }

    /// The names, one by one.
    pub fn names(self) -> impl Iterator<Item = &'static str> + Clone {
        NAMES
            .into_iter()
            .enumerate()
            .filter_map(move |(bit, name)| (self.0 & (1 << bit) != 0).then_some(name))
    }
}

/// Whether `line` holds `*`: the response depends on more than headers, and no name adds anything to that.
pub fn has_star(line: &[u8]) -> bool {
    elements(line).any(|element| element == b"*")
}

/// The names in `lines`, each once, and after them those that are `missing`.
pub fn merged<'a>(
    lines: impl Iterator<Item = &'a [u8]> + Clone,
    missing: Vary,
) -> impl Iterator<Item = &'a [u8]> + Clone {
    distinct(lines.flat_map(elements)).chain(missing.names().map(|name| -> &'a [u8] { name.as_bytes() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_there_already_is_not_missing() {
        assert_eq!(Vary::ORIGIN.missing_from(b"Accept-Encoding"), Vary::ORIGIN);
        assert_eq!(Vary::ORIGIN.missing_from(b"accept-encoding, ORIGIN"), Vary::NOTHING);
        assert_eq!(Vary::ORIGIN.missing_from(b"X-Origin"), Vary::ORIGIN);
        assert_eq!(
            Vary::ORIGIN.and(Vary::REQUEST_METHOD).missing_from(b"Origin"),
            Vary::REQUEST_METHOD
        );
    }

    #[test]
    fn beside_a_star_no_name_is_missing() {
        assert_eq!(Vary::ORIGIN.missing_from(b"*"), Vary::NOTHING);
        assert!(has_star(b"Accept, *"));
        assert!(!has_star(b"Accept"));
    }

    #[test]
    fn names_come_in_a_fixed_order() {
        let vary = Vary::REQUEST_HEADERS.and(Vary::ORIGIN);
        assert_eq!(
            vary.names().collect::<Vec<_>>(),
            ["Origin", "Access-Control-Request-Headers"]
        );
    }

    #[test]
    fn a_name_on_two_lines_is_merged_into_one() {
        let lines = [&b"Origin, Accept"[..], b"origin", b"Accept-Encoding , accept"];
        let names: Vec<_> = merged(lines.into_iter(), Vary::REQUEST_METHOD).collect();
        assert_eq!(
            names,
            [
                &b"Origin"[..],
                b"Accept",
                b"Accept-Encoding",
                b"Access-Control-Request-Method"
            ]
        );
    }
}
