//! One entry of a list that is known only when a request comes: what a variable holds.

use std::str::from_utf8;

use super::pattern::{Front, Pattern};
use super::serialized::{SerializedOrigin, LONGEST};

/// What an entry says of the origin of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryMatch {
    /// It is for other origins.
    Other,
    /// It is for this origin.
    Matches(Matched),
    /// `*`: it is for everyone.
    Everyone,
    /// A regular expression, which would have to be compiled for each request.
    Regex,
    /// It names no origin.
    Invalid,
}

/// For whom an entry is that matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Matched {
    /// For names that different people may hold, such as those under a public suffix.
    pub shared_name: bool,
    /// For every host of a scheme.
    pub any_host: bool,
}

impl EntryMatch {
    /// Holds the bytes of an `Origin` header against an entry in the syntax of `cors_allow_origin`. What is written as
    /// browsers send it takes no memory.
    pub(crate) fn of(entry: &[u8], origin: &[u8]) -> Self {
        match entry {
            b"*" => return Self::Everyone,
            b"null" => return Self::exact(entry == origin),
            [b'~', ..] => return Self::Regex,
            _ => {}
        }
        if SerializedOrigin::recognize(entry).is_some_and(|exact| entry == origin || exact.is_plain()) {
            return Self::exact(entry == origin);
        }
        let text = from_utf8(entry).ok().filter(|text| text.len() <= LONGEST);
        let Some(Ok(pattern)) = text.map(Pattern::take_apart) else {
            return Self::Invalid;
        };
        if pattern.is_plain() {
            return Self::by(&pattern, origin);
        }
        match pattern.normalized() {
            Ok(pattern) => Self::by(&pattern, origin),
            Err(_) => Self::Invalid,
        }
    }

    fn by<T: AsRef<str>>(pattern: &Pattern<T>, origin: &[u8]) -> Self {
        match SerializedOrigin::recognize(origin) {
            Some(origin) if pattern.covers(&origin) => Self::Matches(Matched {
                shared_name: pattern.shared_name().is_some(),
                any_host: matches!(pattern.front, Front::AnyHost),
            }),
            _ => Self::Other,
        }
    }

    fn exact(is_same: bool) -> Self {
        match is_same {
            true => Self::Matches(Matched::default()),
            false => Self::Other,
        }
    }
}
