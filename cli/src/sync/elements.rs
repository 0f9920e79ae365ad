//! What a source holds.

use std::borrow::Cow;
use std::fmt;

/// An element: one line of the file.
pub struct Element<'s> {
    /// The line, or why it can be none.
    pub text: Result<Cow<'s, [u8]>, String>,
    /// Where it comes from.
    pub place: Place<'s>,
}

/// Where in its source an element is.
#[derive(Clone, Copy)]
pub enum Place<'s> {
    /// The value of a key in etcd.
    Key(&'s [u8]),
    /// A member of a set, which says all of it.
    Member,
    /// A row of the result, counted from 1.
    Row(u64),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "the value of \"{}\"", String::from_utf8_lossy(key)),
            Self::Member => f.write_str("a member of the set"),
            Self::Row(number) => write!(f, "row {number}"),
        }
    }
}
