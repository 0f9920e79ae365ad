//! What comes of a request.

use std::fmt;

/// What the policy makes of a request's origin. Those that let no one read the answer come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This origin may not, or it is none: see [`Policy::outcome`](crate::Policy::outcome).
    Denied,
    /// There is no `Origin`.
    NoOrigin,
    /// The request stays within its origin and needs no leave.
    SameOrigin,
    /// Any origin may read the answer: `Access-Control-Allow-Origin: *`.
    Anyone,
    /// This origin may read the answer.
    Allowed,
    /// The same with credentials.
    AllowedWithCredentials,
}

impl Verdict {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::Denied,
        Self::NoOrigin,
        Self::SameOrigin,
        Self::Anyone,
        Self::Allowed,
        Self::AllowedWithCredentials,
    ];

    #[inline]
    pub(crate) const fn allowed(credentials: bool) -> Self {
        match credentials {
            false => Self::Allowed,
            true => Self::AllowedWithCredentials,
        }
    }

    /// Its number in [`Verdict::ALL`].
    #[inline]
    pub const fn number(self) -> usize {
        self as usize
    }

    /// Whether the origin may read the answer.
    #[inline]
    pub const fn admits(self) -> bool {
        self.number() >= Self::Anyone.number()
    }
}

/// How a request ended, as `$cors_result` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is no `Origin`.
    None,
    /// The request stays within its origin.
    SameOrigin,
    /// The request may be made, and read.
    Allowed,
    /// The origin is not in the list.
    OriginDenied,
    /// The origin is, the method is not.
    MethodDenied,
    /// Origin and method are, a header is not.
    HeaderDenied,
    /// No browser sends such an `Origin`.
    Malformed,
}

impl Outcome {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SameOrigin => "same_origin",
            Self::Allowed => "allowed",
            Self::OriginDenied => "origin_denied",
            Self::MethodDenied => "method_denied",
            Self::HeaderDenied => "header_denied",
            Self::Malformed => "malformed",
        }
    }
}

/// Why a request was denied, in a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason<'r> {
    /// There is no list.
    NoOriginAllowed,
    /// The origin is not in the list.
    Origin(&'r [u8]),
    /// The method is not in the list.
    Method(&'r [u8]),
    /// The header is not in the list.
    Header(&'r [u8]),
    /// The element of `Access-Control-Request-Headers` is no token.
    NotAHeaderName(&'r [u8]),
    /// The value of `Origin` is none that browsers send.
    NotAnOrigin(&'r [u8]),
    /// There is more than one `Origin`.
    SeveralOrigins,
}

/// So much of a request is shown, or a log line would have no room for the rest that it tells.
const SHOWN: usize = 256;

/// Bytes of a request, escaped so that they cannot break a log line.
struct Shown<'r>(&'r [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_at_checked(SHOWN) {
            Some((start, [_, ..])) => write!(f, "\"{}...\"", start.escape_ascii()),
            _ => write!(f, "\"{}\"", self.0.escape_ascii()),
        }
    }
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOriginAllowed => f.write_str("no origin is in cors_allow_origin"),
            Self::Origin(origin) => write!(f, "origin {} is not in cors_allow_origin", Shown(origin)),
            Self::Method(method) => write!(f, "method {} is not in cors_allow_methods", Shown(method)),
            Self::Header(name) => write!(f, "header {} is not in cors_allow_headers", Shown(name)),
            Self::NotAHeaderName(name) => write!(
                f,
                "Access-Control-Request-Headers holds {}, which is no header name",
                Shown(name)
            ),
            Self::NotAnOrigin(origin) => write!(f, "Origin {} is not what a browser sends", Shown(origin)),
            Self::SeveralOrigins => f.write_str("the request has more than one Origin"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_cannot_break_a_log_line() {
        let reason = Reason::Origin(b"https://a\r\nevil\"\\\x00\xff");
        assert_eq!(
            reason.to_string(),
            r#"origin "https://a\r\nevil\"\\\x00\xff" is not in cors_allow_origin"#
        );
    }

    #[test]
    fn a_long_value_leaves_room_for_the_rest_of_a_log_line() {
        let long = vec![b'a'; 8000];
        let reason = Reason::Header(&long).to_string();
        assert!(
            reason.len() < 400 && reason.ends_with("aaa...\" is not in cors_allow_headers"),
            "{reason}"
        );
    }
}
