//! Why a request was denied, as far as it is kept.

use cors_policy::{Outcome, Reason};

/// Why a request was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// There is no list of origins.
    NoOriginAllowed,
    /// The origin is not in it.
    Origin,
    /// The method is not in its list.
    Method,
    /// The header is not in its list.
    Header,
    /// What the preflight names is no header.
    NotAHeaderName,
    /// The value of `Origin` is none.
    NotAnOrigin,
    /// There is more than one `Origin`.
    SeveralOrigins,
}

impl Cause {
    const ALL: [Self; 7] = [
        Self::NoOriginAllowed,
        Self::Origin,
        Self::Method,
        Self::Header,
        Self::NotAHeaderName,
        Self::NotAnOrigin,
        Self::SeveralOrigins,
    ];

    pub(crate) fn code(self) -> u64 {
        self as u64
    }

    pub(crate) fn from_code(code: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }

    /// What a reason comes to, and what it names beside the origin.
    pub(crate) fn of<'r>(reason: &Reason<'r>) -> (Self, &'r [u8]) {
        match *reason {
            Reason::NoOriginAllowed => (Self::NoOriginAllowed, &[]),
            Reason::Origin(_) => (Self::Origin, &[]),
            Reason::Method(method) => (Self::Method, method),
            Reason::Header(name) => (Self::Header, name),
            Reason::NotAHeaderName(name) => (Self::NotAHeaderName, name),
            Reason::NotAnOrigin(_) => (Self::NotAnOrigin, &[]),
            Reason::SeveralOrigins => (Self::SeveralOrigins, &[]),
        }
    }

    /// The reason again.
    pub(crate) fn reason<'a>(self, origin: &'a [u8], detail: &'a [u8]) -> Reason<'a> {
        match self {
            Self::NoOriginAllowed => Reason::NoOriginAllowed,
            Self::Origin => Reason::Origin(origin),
            Self::Method => Reason::Method(detail),
            Self::Header => Reason::Header(detail),
            Self::NotAHeaderName => Reason::NotAHeaderName(detail),
            Self::NotAnOrigin => Reason::NotAnOrigin(origin),
            Self::SeveralOrigins => Reason::SeveralOrigins,
        }
    }

    /// How such a request ended.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::NoOriginAllowed | Self::Origin => Outcome::OriginDenied,
            Self::Method => Outcome::MethodDenied,
            Self::Header | Self::NotAHeaderName => Outcome::HeaderDenied,
            Self::NotAnOrigin | Self::SeveralOrigins => Outcome::Malformed,
        }
    }
}
