//! Why a request is listed, without its bytes.

use cors_policy::{Change, Outcome, Reason};

/// Why a request was denied, or would be, or what else a candidate would change for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// There is no `cors_allow_origin`.
    NoOriginAllowed,
    /// The origin is not in `cors_allow_origin`.
    Origin,
    /// The method is not in `cors_allow_methods`.
    Method,
    /// The header is not in `cors_allow_headers`.
    Header,
    /// An element of `Access-Control-Request-Headers` is no header name.
    NotAHeaderName,
    /// The value of `Origin` is no origin.
    NotAnOrigin,
    /// The request has more than one `Origin`.
    SeveralOrigins,
    /// A candidate would give its origin credentials, or take them. This is no denial.
    Credentials,
}

impl Cause {
    const ALL: [Self; 8] = [
        Self::NoOriginAllowed,
        Self::Origin,
        Self::Method,
        Self::Header,
        Self::NotAHeaderName,
        Self::NotAnOrigin,
        Self::SeveralOrigins,
        Self::Credentials,
    ];

    pub(crate) fn code(self) -> u64 {
        self as u64
    }

    pub(crate) fn from_code(code: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }

    /// The cause of a denial with this reason, and the method or header that the reason names; nothing if it is no denial.
    pub(crate) fn of<'r>(reason: &Reason<'r>) -> Option<(Self, &'r [u8])> {
        Some(match *reason {
            Reason::NoOriginAllowed => (Self::NoOriginAllowed, &[]),
            Reason::Origin(_) => (Self::Origin, &[]),
            Reason::Method(method) => (Self::Method, method),
            Reason::Header(name) => (Self::Header, name),
            Reason::NotAHeaderName(name) => (Self::NotAHeaderName, name),
            Reason::NotAnOrigin(_) => (Self::NotAnOrigin, &[]),
            Reason::SeveralOrigins => (Self::SeveralOrigins, &[]),
            Reason::Unanswered { .. } => return None,
        })
    }

    /// The cause of a change by a candidate, and the method or header that its reason names.
    pub(crate) fn of_change<'r>(change: &Change<'r>) -> Option<(Self, &'r [u8])> {
        match change {
            Change::Denied(reason) | Change::Allowed(reason) => Self::of(reason),
            Change::WithCredentials(_) | Change::WithoutCredentials(_) => Some((Self::Credentials, &[])),
        }
    }

    /// The reason for a denial that is made of the cause, the origin, and the method or header.
    pub(crate) fn reason<'a>(self, origin: &'a [u8], detail: &'a [u8]) -> Option<Reason<'a>> {
        Some(match self {
            Self::NoOriginAllowed => Reason::NoOriginAllowed,
            Self::Origin => Reason::Origin(origin),
            Self::Method => Reason::Method(detail),
            Self::Header => Reason::Header(detail),
            Self::NotAHeaderName => Reason::NotAHeaderName(detail),
            Self::NotAnOrigin => Reason::NotAnOrigin(origin),
            Self::SeveralOrigins => Reason::SeveralOrigins,
            Self::Credentials => return None,
        })
    }

    /// The outcome of a request with this cause.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::NoOriginAllowed | Self::Origin => Outcome::OriginDenied,
            Self::Method => Outcome::MethodDenied,
            Self::Header | Self::NotAHeaderName => Outcome::HeaderDenied,
            Self::NotAnOrigin | Self::SeveralOrigins => Outcome::Malformed,
            Self::Credentials => Outcome::Allowed,
        }
    }
}
