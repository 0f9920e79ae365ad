//! `Vary` (RFC 9110, section 12.5.5): what the answer depends on, told once.

use crate::distinct::distinct;
use crate::token::elements;

/// The request headers that an answer depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vary(u8);

/// In the order of the bits.
const NAMES: [&str; 4] = [
    "Origin",
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
    "Accept-Encoding",
];

impl Vary {
    /// The answer is the same whatever the request says.
    pub const NOTHING: Self = Self(0);
    /// It depends on `Origin`.
    pub const ORIGIN: Self = Self(1);
    /// It echoes `Access-Control-Request-Method`.
    pub const REQUEST_METHOD: Self = Self(1 << 1);
    /// It echoes `Access-Control-Request-Headers`.
    pub const REQUEST_HEADERS: Self = Self(1 << 2);
    /// It depends on `Accept-Encoding`, as nginx says outside the list of headers with `gzip_vary`.
    pub const ACCEPT_ENCODING: Self = Self(1 << 3);

    /// Whether nothing is to be told.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is left of `self` once `line`, a value that is sent already, has told its part.
    #[must_use]
    pub fn untold_by(self, line: &[u8]) -> Self {
        elements(line).fold(self, |left, element| {
            if element == b"*" {
                return Self::NOTHING;
            }
            let told = NAMES
                .iter()
                .position(|name| element.eq_ignore_ascii_case(name.as_bytes()));
            told.map_or(left, |bit| Self(left.0 & !(1 << bit)))
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

/// Whether `line` says that the answer depends on more than headers: nothing can be added to that.
pub fn is_anything(line: &[u8]) -> bool {
    elements(line).any(|element| element == b"*")
}

/// What `lines` and `untold` say together, each name once.
pub fn merged<'a>(
    lines: impl Iterator<Item = &'a [u8]> + Clone,
    untold: Vary,
) -> impl Iterator<Item = &'a [u8]> + Clone {
    distinct(lines.flat_map(elements)).chain(untold.names().map(|name| -> &'a [u8] { name.as_bytes() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_already_is_not_told_again() {
        assert_eq!(Vary::ORIGIN.untold_by(b"Accept-Encoding"), Vary::ORIGIN);
        assert_eq!(Vary::ORIGIN.untold_by(b"accept-encoding, ORIGIN"), Vary::NOTHING);
        assert_eq!(Vary::ORIGIN.untold_by(b"X-Origin"), Vary::ORIGIN);
        assert_eq!(
            Vary::ORIGIN.and(Vary::REQUEST_METHOD).untold_by(b"Origin"),
            Vary::REQUEST_METHOD
        );
    }

    #[test]
    fn a_star_tells_everything() {
        assert_eq!(Vary::ORIGIN.untold_by(b"*"), Vary::NOTHING);
        assert!(is_anything(b"Accept, *"));
        assert!(!is_anything(b"Accept"));
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
    fn a_name_that_two_lines_tell_is_told_once() {
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
