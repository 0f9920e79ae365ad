//! What is decided about a request.

use std::fmt;

use crate::escaped::Escaped;
use crate::request::{Field, Preflight};
use crate::settings::PreflightMode;

/// What was decided about a request. Whatever is done with the request later follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'r> {
    pub(crate) verdict: Verdict,
    pub(crate) origin: Field<'r>,
    pub(crate) preflight: Option<Preflight<'r>>,
}

impl<'r> Decision<'r> {
    /// The verdict on the origin.
    #[inline]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The `Origin` of the request.
    #[inline]
    pub fn origin(&self) -> Field<'r> {
        self.origin
    }

    /// What the request asks for, if it is a preflight.
    #[inline]
    pub fn preflight(&self) -> Option<Preflight<'r>> {
        self.preflight
    }

    /// Whether the request is a preflight, and may be answered by the module.
    #[inline]
    pub fn is_preflight(&self) -> bool {
        self.preflight.is_some()
    }

    /// What becomes of a preflight of an allowed origin by the status of its response: browsers take only an "ok status"
    /// (Fetch, CORS-preflight fetch, step 7). Nothing if that is what it has, or it is no such preflight.
    pub fn unanswered(&self, status: u16, mode: PreflightMode) -> Option<(Outcome, Option<Reason<'r>>)> {
        let is_allowed = matches!(
            self.verdict,
            Verdict::Anyone | Verdict::Allowed | Verdict::AllowedWithCredentials
        );
        let is_unanswered = self.is_preflight() && is_allowed && !(200..300).contains(&status);
        is_unanswered.then_some((Outcome::Unanswered, Some(Reason::Unanswered { status, mode })))
    }

    /// Whether the origin is denied: `cors_enforce` refuses such a request.
    #[inline]
    pub fn is_denied(&self) -> bool {
        self.verdict == Verdict::Denied
    }

    /// The kind of the response, which determines its headers.
    #[inline]
    pub fn response_kind(&self) -> ResponseKind {
        ResponseKind::of(self.verdict, self.is_preflight())
    }

    /// The value of `Access-Control-Allow-Origin`, if the response gets one.
    pub fn allowed_origin(&self) -> Option<&'r [u8]> {
        match (self.verdict, self.origin) {
            (Verdict::Anyone, _) => Some(b"*"),
            (Verdict::Allowed | Verdict::AllowedWithCredentials, Field::One(origin)) => Some(origin),
            _ => None,
        }
    }
}

/// The verdict on a request's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The origin may not read the response, or it is no origin: [`Policy::result`](crate::Policy::result) tells which.
    Denied,
    /// There is no `Origin`.
    NoOrigin,
    /// The request stays within its origin, and CORS has no part in it.
    SameOrigin,
    /// Any origin may read the response: `Access-Control-Allow-Origin: *`.
    Anyone,
    /// The origin may read the response.
    Allowed,
    /// The origin may read the response to a request with credentials.
    AllowedWithCredentials,
}

impl Verdict {
    /// All verdicts, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::Denied,
        Self::NoOrigin,
        Self::SameOrigin,
        Self::Anyone,
        Self::Allowed,
        Self::AllowedWithCredentials,
    ];

    /// The number of the verdict in [`Verdict::ALL`].
    #[inline]
    pub const fn number(self) -> usize {
        self as usize
    }
}

/// A kind of response. All responses of a kind get the same headers, apart from values that the request or the
/// response gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseKind(usize);

impl ResponseKind {
    /// The number of kinds.
    pub const COUNT: usize = 7;

    /// All kinds, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// The kind of the response to a request with this verdict.
    #[inline]
    pub fn of(verdict: Verdict, is_preflight: bool) -> Self {
        let number = match verdict {
            Verdict::Denied | Verdict::NoOrigin | Verdict::SameOrigin => return Self(0),
            Verdict::Anyone => 1,
            Verdict::Allowed => 2,
            Verdict::AllowedWithCredentials => 3,
        };
        Self(if is_preflight { number + 3 } else { number })
    }

    /// The number of the kind, below [`ResponseKind::COUNT`].
    #[inline]
    pub fn number(self) -> usize {
        self.0
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
    /// The origin is in its list, the method is not.
    MethodDenied,
    /// Origin and method are in their lists, a header is not.
    HeaderDenied,
    /// No browser sends such an `Origin`.
    Malformed,
    /// The response has kept the `Access-Control-Allow-Origin` that it had (`cors_override off`): what may be read is for
    /// whoever gave it that.
    Kept,
    /// The origin of a preflight is allowed, but something else has answered it, with a status that browsers do not take.
    Unanswered,
}

impl Outcome {
    /// All outcomes, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::SameOrigin,
        Self::Allowed,
        Self::OriginDenied,
        Self::MethodDenied,
        Self::HeaderDenied,
        Self::Malformed,
        Self::Kept,
        Self::Unanswered,
    ];

    /// The number of the outcome in [`Outcome::ALL`].
    #[inline]
    pub const fn number(self) -> usize {
        self as usize
    }

    /// The value of `$cors_result`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SameOrigin => "same_origin",
            Self::Allowed => "allowed",
            Self::OriginDenied => "origin_denied",
            Self::MethodDenied => "method_denied",
            Self::HeaderDenied => "header_denied",
            Self::Malformed => "malformed",
            Self::Kept => "kept",
            Self::Unanswered => "unanswered",
        }
    }

    /// Whether the request was denied.
    pub const fn is_denial(self) -> bool {
        match self {
            Self::OriginDenied | Self::MethodDenied | Self::HeaderDenied | Self::Malformed => true,
            Self::None | Self::SameOrigin | Self::Allowed | Self::Kept | Self::Unanswered => false,
        }
    }

    /// Whether a preflight can end so, or else any other request.
    pub const fn is_possible(self, is_preflight: bool) -> bool {
        match self {
            Self::None => !is_preflight,
            Self::MethodDenied | Self::HeaderDenied | Self::Unanswered => is_preflight,
            Self::SameOrigin | Self::Allowed | Self::OriginDenied | Self::Malformed | Self::Kept => true,
        }
    }
}

/// Why a request was denied, or its preflight is of no use, in a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason<'r> {
    /// There is no `cors_allow_origin`.
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
    /// A preflight of an allowed origin was answered by something else.
    Unanswered {
        /// The status of the answer.
        status: u16,
        /// What the policy does with preflights that reach it.
        mode: PreflightMode,
    },
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOriginAllowed => f.write_str("no origin is in cors_allow_origin"),
            Self::Origin(origin) => write!(f, "origin {} is not in cors_allow_origin", Escaped(origin)),
            Self::Method(method) => write!(f, "method {} is not in cors_allow_methods", Escaped(method)),
            Self::Header(name) => write!(f, "header {} is not in cors_allow_headers", Escaped(name)),
            Self::NotAHeaderName(name) => write!(
                f,
                "Access-Control-Request-Headers holds {}, which is no header name",
                Escaped(name)
            ),
            Self::NotAnOrigin(origin) => write!(f, "Origin {} is not what a browser sends", Escaped(origin)),
            Self::SeveralOrigins => f.write_str("the request has more than one Origin"),
            Self::Unanswered { status, mode } => {
                write!(f, "the preflight got {status}, and browsers take only 200 to 299: ")?;
                f.write_str(match mode {
                    PreflightMode::Answer => "\"return\", \"rewrite\", \"if\", \"limit_req\" or a redirect to a slash answered before the module; write \"cors_preflight early\" in the location, or for redirects to a slash and what stands in the server, there, beside \"cors on\" and the rest of the policy",
                    PreflightMode::Early => "\"return\", \"rewrite\" or \"if\" of the server, or a redirect to a slash, answered before the location was asked; write \"cors on\", the rest of the policy and \"cors_preflight early\" in the server",
                    PreflightMode::Pass => "with \"cors_preflight pass\", authentication or the application has to answer it; write \"cors_preflight answer\" to have the module do so",
                })
            }
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
