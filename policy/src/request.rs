//! The parts of a request that matter to CORS.

use std::fmt;

use crate::escaped::Escaped;
use crate::origin::{default_port, ListRisks, SerializedOrigin};
use crate::token::is_token;
use crate::unsafe_options::UnsafeOptions;

/// A header as a request carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field<'r> {
    /// The request has no such header.
    #[default]
    Absent,
    /// It has one.
    One(&'r [u8]),
    /// It has several, which no browser sends.
    Several,
}

impl<'r> Field<'r> {
    /// The value, where there is one line; else nothing.
    #[inline]
    pub fn value(self) -> &'r [u8] {
        match self {
            Self::One(value) => value,
            Self::Absent | Self::Several => &[],
        }
    }

    /// Takes in one more header of this name.
    pub fn add(&mut self, line: &'r [u8]) {
        *self = match self {
            Self::Absent => Self::One(line),
            Self::One(_) | Self::Several => Self::Several,
        };
    }
}

/// The parts of a request that decide.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'r> {
    /// Whether the client sent the method `OPTIONS`. A server may have changed it since: for an error page nginx makes
    /// a `GET` of it.
    pub is_options: bool,
    /// `Origin`
    pub origin: Field<'r>,
    /// `Access-Control-Request-Method`
    pub request_method: Field<'r>,
    /// `Access-Control-Request-Headers`
    pub requested_headers: Field<'r>,
    /// `Sec-Fetch-Site`
    pub fetch_site: Field<'r>,
    /// `Access-Control-Request-Private-Network`
    pub private_network: Field<'r>,
}

/// A CORS-preflight request (Fetch, "HTTP requests"): a browser asks whether it may send another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preflight<'r> {
    /// The one `Access-Control-Request-Method`, a token.
    pub method: &'r [u8],
    /// `Access-Control-Request-Headers`, which may have several lines.
    pub requested_headers: Field<'r>,
    /// Whether it asks for access to a private network.
    pub private_network: bool,
}

impl<'r> Request<'r> {
    /// The preflight that this request is, if it is one: `OPTIONS` with one `Origin` and one
    /// `Access-Control-Request-Method`, which is a method (RFC 9110, section 9.1: a token).
    #[inline]
    pub fn preflight(&self) -> Option<Preflight<'r>> {
        match (self.is_options, self.origin, self.request_method) {
            (true, Field::One(_), Field::One(method)) if is_method(method) => Some(Preflight {
                method,
                requested_headers: self.requested_headers,
                private_network: self.private_network == Field::One(b"true"),
            }),
            _ => None,
        }
    }
}

fn is_method(bytes: &[u8]) -> bool {
    // Almost every preflight asks for one of these.
    matches!(bytes, b"GET" | b"PUT" | b"HEAD" | b"POST" | b"PATCH" | b"DELETE") || is_token(bytes)
}

/// What a decision may need beyond the request's headers. It is asked for only when it is needed.
pub trait Context<'r> {
    /// The host and port that the request names.
    fn authority(&self) -> &'r [u8];

    /// Whether it came over TLS.
    fn is_secure(&self) -> bool;

    /// The server to which the request was sent.
    fn target(&self) -> Target<'r> {
        Target {
            secure: self.is_secure(),
            authority: self.authority(),
        }
    }

    /// The value that the text with variables has for this request, which
    /// [`Syntax::variable`](crate::Syntax::variable) gave this number.
    fn variable(&self, number: usize) -> &'r [u8];

    /// Whether the list of this number ([`LiveList::number`](crate::LiveList::number)) admits the bytes of an `Origin`
    /// header, entries with one of the risks that are `ignored` left out.
    fn list_admits(&self, number: usize, origin: &[u8], ignored: ListRisks) -> bool;

    /// Says which part of the value of a text with variables was not used, and why.
    fn ignored_value(&self, number: usize, ignored: IgnoredValue<'_>);
}

/// A part of the value of a text with variables that is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IgnoredValue<'v> {
    /// The whole value, as it holds a control character.
    ControlCharacter(&'v [u8]),
    /// It names no origin.
    NoOrigin(&'v [u8]),
    /// It is a regular expression.
    Regex(&'v [u8]),
    /// `cors_unsafe` would have to permit it.
    Dangerous {
        /// The part of the value.
        part: &'v [u8],
        /// The option that permits it.
        option: &'static str,
        /// Whether it is dangerous for the credentials that it would get.
        with_credentials: bool,
    },
}

impl<'v> IgnoredValue<'v> {
    /// The part of the value.
    pub fn part(self) -> &'v [u8] {
        match self {
            Self::ControlCharacter(part) | Self::NoOrigin(part) | Self::Regex(part) => part,
            Self::Dangerous { part, .. } => part,
        }
    }

    /// The number of its kind, below 8: of a kind one is worth a line in the log.
    pub fn kind(self) -> usize {
        match self {
            Self::ControlCharacter(_) => 0,
            Self::NoOrigin(_) => 1,
            Self::Regex(_) => 2,
            Self::Dangerous { option, .. } => {
                let number = UnsafeOptions::NAMES.iter().position(|name| *name == option);
                3 + number.unwrap_or_default()
            }
        }
    }

    /// The part as a log line shows it: escaped, and cut if it is long.
    pub fn shown(self) -> impl fmt::Display + 'v {
        Escaped(self.part())
    }
}

/// Why it is not used.
impl fmt::Display for IgnoredValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlCharacter(_) => f.write_str("it holds a control character"),
            Self::NoOrigin(_) => f.write_str("it is no origin"),
            Self::Regex(_) => f.write_str("a variable holds no regular expressions; use one in a \"map\""),
            Self::Dangerous {
                option,
                with_credentials,
                ..
            } => {
                let credentials = if *with_credentials { "with credentials " } else { "" };
                write!(f, "{credentials}it needs \"cors_unsafe {option}\"")
            }
        }
    }
}

/// The server to which a request was sent.
#[derive(Clone, Copy, Debug)]
pub struct Target<'r> {
    /// Whether it came over TLS.
    pub secure: bool,
    /// Host and port as the request names them.
    pub authority: &'r [u8],
}

impl Target<'_> {
    /// Whether `authority` and the host of `origin` begin with the same four bytes. If they do not, as mostly, the origin
    /// is not the server's own, and nothing else needs to be compared.
    #[inline(always)]
    pub(crate) fn may_be(authority: &[u8], origin: &[u8]) -> bool {
        let (Some(authority), Some(origin)) = (authority.first_chunk::<4>(), origin.get(4..12)) else {
            return true;
        };
        let Ok(origin) = origin.try_into().map(u64::from_le_bytes) else {
            return true;
        };
        // In lower case, as far as they are letters.
        const FOLD: u32 = 0x2020_2020;
        let host = u32::from_le_bytes(*authority) | FOLD;
        // The host comes after `http://` or `https://`.
        let begins = |shift: u32| (origin >> shift) as u32 | FOLD == host;
        begins(3 * 8) || begins(4 * 8)
    }

    /// Whether `origin` is the target's own.
    pub(crate) fn is(&self, origin: &[u8]) -> bool {
        let scheme: &[u8] = if self.secure { b"https" } else { b"http" };
        let Some(rest) = origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(b"://")) else {
            return false;
        };
        // The port may be written differently, but both begin with the same host.
        let shorter = rest.len().min(self.authority.len());
        let same_start = match (rest.get(..shorter), self.authority.get(..shorter)) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            _ => false,
        };
        same_start && self.is_exactly(scheme, origin)
    }

    fn is_exactly(&self, scheme: &[u8], origin: &[u8]) -> bool {
        let Some(origin) = SerializedOrigin::recognize(origin) else {
            return false;
        };
        let after_address = self.authority.iter().rposition(|&byte| byte == b']').unwrap_or(0);
        let colon = self
            .authority
            .iter()
            .rposition(|&byte| byte == b':')
            .filter(|&colon| colon > after_address);
        let (host, port) = self.authority.split_at(colon.unwrap_or(self.authority.len()));
        let port = match port {
            [] | [b':'] => default_port(scheme),
            [b':', digits @ ..] => std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()),
            _ => None,
        };
        origin.scheme == scheme
            && origin.host.eq_ignore_ascii_case(host)
            && port.is_some()
            && origin.port.or(default_port(scheme)) == port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preflight_has_exactly_one_origin_and_one_method_that_is_a_token() {
        let request = |origin, request_method| Request {
            is_options: true,
            origin,
            request_method,
            ..Request::default()
        };
        let origin = Field::One(&b"https://a.example"[..]);
        let method = Field::One(&b"PUT"[..]);
        assert!(request(origin, method).preflight().is_some());
        assert!(request(Field::Absent, method).preflight().is_none());
        assert!(request(Field::Several, method).preflight().is_none());
        assert!(request(origin, Field::Absent).preflight().is_none());
        assert!(request(origin, Field::Several).preflight().is_none());
        assert!(request(origin, Field::One(b"PUT, GET")).preflight().is_none());
        assert!(request(origin, Field::One(b"")).preflight().is_none());
        let not_options = Request {
            is_options: false,
            ..request(origin, method)
        };
        assert!(not_options.preflight().is_none());
    }

    #[test]
    fn a_target_knows_its_own_origin() {
        let own = |secure, authority: &str, origin: &str| {
            let target = Target {
                secure,
                authority: authority.as_bytes(),
            };
            let is = target.is(origin.as_bytes());
            assert!(!is || Target::may_be(target.authority, origin.as_bytes()));
            is
        };
        assert!(own(true, "example.com", "https://example.com"));
        assert!(own(false, "Example.com", "http://example.com"));
        assert!(own(true, "Example.COM:443", "https://example.com"));
        assert!(own(false, "example.com:8080", "http://example.com:8080"));
        assert!(own(false, "[::1]:8080", "http://[::1]:8080"));
        assert!(own(false, "[::1]", "http://[::1]"));
        assert!(own(true, "example.com:443", "https://example.com"));
        assert!(own(false, "example.com:", "http://example.com"));
        assert!(!own(true, "example.com", "https://example.com.evil.net"));
        assert!(!own(true, "example.com.evil.net", "https://example.com"));
        assert!(!own(true, "example.com", "https://Example.com"));
        assert!(!own(true, "example.com", "https://example.com/"));
        assert!(!own(false, "example.com", "https://example.com"));
        assert!(!own(true, "example.com", "https://example.com:8443"));
        assert!(!own(true, "example.com:8443", "https://example.com"));
        assert!(!own(true, "example.com:x", "https://example.com"));
        assert!(!own(true, "", "https://example.com"));
    }
}
