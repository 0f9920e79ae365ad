//! `Access-Control-Allow-Headers`.

use crate::name_list::NameList;
use crate::problem::Warning;
use crate::token::{elements, is_tchar, is_token};

/// Names that browsers let no script set (forbidden request-headers), apart from the prefixes.
const FORBIDDEN: [&str; 21] = [
    "accept-charset",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "date",
    "dnt",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "via",
];

/// The value of `cors_allow_headers`.
#[derive(Debug, Default)]
pub(crate) struct AllowHeaders {
    names: NameList,
    any: bool,
}

/// Why a value is no header name to list.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a header name is a token (RFC 9110, section 5.1): letters, digits and a few signs, no colon, no comma; separate names by spaces")]
pub(crate) struct NotAName;

/// Why a name that is listed is warned about.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeaderWarning {
    #[error("it is listed already; remove one")]
    Duplicate,
    #[error("browsers let no script set it (Fetch, \"forbidden request-header\"); remove it")]
    Forbidden,
    #[error("\"*\" covers every header (but \"Authorization\", by the standard; browsers let that pass, too); remove it, or the \"*\"")]
    Covered,
}

impl Warning for HeaderWarning {
    fn what(&self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Forbidden => "forbidden",
            Self::Covered => "covered",
        }
    }
}

impl AllowHeaders {
    /// Adds a name or `*`.
    pub(crate) fn add(&mut self, value: &str) -> Result<Option<HeaderWarning>, NotAName> {
        if !is_token(value.as_bytes()) {
            return Err(NotAName);
        }
        if self.names.has_in_any_case(value.as_bytes()) || (value == "*" && self.any) {
            return Ok(Some(HeaderWarning::Duplicate));
        }
        let covers = |any: bool, name: &str| any && !name.eq_ignore_ascii_case("authorization");
        let warning = if value == "*" {
            self.names
                .iter()
                .any(|name| covers(true, name))
                .then_some(HeaderWarning::Covered)
        } else if covers(self.any, value) {
            Some(HeaderWarning::Covered)
        } else {
            is_forbidden(value).then_some(HeaderWarning::Forbidden)
        };
        if value == "*" {
            self.any = true;
            self.names.add_to_line(value);
        } else {
            self.names.add_in_any_case(value);
        }
        Ok(warning)
    }

    /// Whether a preflight that names `name` finds it allowed. With `credentials` the names are sent back that `*` stands
    /// for, so that it covers all of them. Without, `*` itself is sent, which does not cover `Authorization`
    /// (CORS-preflight fetch, step 7.6: "CORS non-wildcard request-header name"); browsers let that pass as well.
    pub(crate) fn allows(&self, name: &[u8], credentials: bool) -> bool {
        let is_covered = || self.any && (credentials || !name.eq_ignore_ascii_case(b"authorization"));
        // What is listed is a token.
        self.names.has_in_any_case(name) || (is_covered() && is_token(name))
    }

    /// The first requested name that is not allowed.
    pub(crate) fn first_denied<'r>(
        &self,
        mut lines: impl Iterator<Item = &'r [u8]>,
        credentials: bool,
    ) -> Option<&'r [u8]> {
        lines.find_map(|line| elements(line).find(|name| !self.allows(name, credentials)))
    }

    /// The requested names that are allowed, to be sent back where credentials apply.
    pub(crate) fn echo<'r, 's: 'r>(
        &'s self,
        lines: impl Iterator<Item = &'r [u8]> + Clone + 'r,
    ) -> impl Iterator<Item = &'r [u8]> + Clone + 'r {
        lines.flat_map(elements).filter(|name| self.allows(name, true))
    }

    /// Whether `line` can be sent back as it is: it lists names, as browsers write that, and all of them are allowed.
    pub(crate) fn echoes_whole(&self, line: &[u8]) -> bool {
        let mut rest = line;
        loop {
            let length = rest.iter().position(|&byte| !is_tchar(byte)).unwrap_or(rest.len());
            let (name, others) = rest.split_at(length);
            if name.is_empty() {
                return false;
            }
            match others {
                [] => return self.any,
                [b',', others @ ..] => rest = others,
                _ => return false,
            }
        }
    }

    /// Whether `*` has to be spelled out: with credentials it would be an ordinary name.
    pub(crate) fn echoes(&self, credentials: bool) -> bool {
        self.any && credentials
    }

    /// The value to send where nothing is echoed; empty if there is none.
    pub(crate) fn line(&self) -> &str {
        self.names.line()
    }
}

/// [Forbidden request-header](https://fetch.spec.whatwg.org/#forbidden-request-header)
fn is_forbidden(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    FORBIDDEN.contains(&name.as_str()) || name == "upgrade" || name.starts_with("proxy-") || name.starts_with("sec-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> AllowHeaders {
        let mut headers = AllowHeaders::default();
        for value in values {
            headers.add(value).unwrap();
        }
        headers
    }

    fn denied<'r>(headers: &AllowHeaders, lines: &[&'r str]) -> Option<&'r str> {
        headers
            .first_denied(lines.iter().map(|line| line.as_bytes()), false)
            .map(|name| std::str::from_utf8(name).unwrap())
    }

    #[test]
    fn names_match_in_any_case_and_order_over_several_lines() {
        let headers = headers(&["Content-Type", "X-Foo"]);
        assert_eq!(headers.line(), "Content-Type, X-Foo");
        assert_eq!(denied(&headers, &["x-foo,content-type"]), None);
        assert_eq!(denied(&headers, &[" X-FOO ,, content-TYPE,"]), None);
        assert_eq!(denied(&headers, &["x-foo", "content-type"]), None);
        assert_eq!(denied(&headers, &[]), None);
        assert_eq!(denied(&headers, &["x-foo", "x-bar, x-baz"]), Some("x-bar"));
    }

    #[test]
    fn no_name_is_implied() {
        assert_eq!(
            denied(&AllowHeaders::default(), &["content-type"]),
            Some("content-type")
        );
        assert_eq!(AllowHeaders::default().line(), "");
    }

    #[test]
    fn a_star_never_covers_authorization() {
        assert_eq!(
            denied(&headers(&["*"]), &["x-any,authorization"]),
            Some("authorization")
        );
        let both = headers(&["*", "Authorization"]);
        assert_eq!(denied(&both, &["x-any,authorization"]), None);
        assert_eq!(both.line(), "*, Authorization");
    }

    #[test]
    fn what_is_no_token_is_denied_and_echoed_nowhere() {
        let headers = headers(&["*"]);
        assert_eq!(denied(&headers, &["x-a, b c, x-d"]), Some("b c"));
        let line = &b"x-a,x b,,x-c,Authorization"[..];
        let echoed: Vec<_> = headers.echo([line].into_iter()).collect();
        assert_eq!(echoed, [&b"x-a"[..], b"x-c", b"Authorization"]);
    }

    #[test]
    fn a_line_of_names_that_are_all_allowed_is_sent_back_as_it_is() {
        let any = headers(&["*"]);
        for line in [
            "x-a",
            "x-a,content-type,cache-control",
            "authorization",
            "x-a,Authorization",
        ] {
            assert!(any.echoes_whole(line.as_bytes()), "{line}");
        }
        for line in ["", ",", "x-a,", ",x-a", "x-a,,x-b", "x-a, x-b", "x a", "x-a\t", "x:a"] {
            assert!(!any.echoes_whole(line.as_bytes()), "{line}");
        }
        assert!(!headers(&["X-A"]).echoes_whole(b"x-a"));
    }

    #[test]
    fn a_value_that_is_no_name_is_an_error() {
        for value in ["X-Foo:", "X Foo", "X-Foo,X-Bar", ""] {
            assert_eq!(AllowHeaders::default().add(value), Err(NotAName), "{value}");
        }
    }

    #[test]
    fn odd_names_are_warned_about() {
        let mut headers = headers(&["X-Foo"]);
        assert_eq!(headers.add("x-foo"), Ok(Some(HeaderWarning::Duplicate)));
        for forbidden in ["Cookie", "host", "Sec-Fetch-Site", "Proxy-Authorization", "Upgrade"] {
            assert_eq!(
                headers.add(forbidden),
                Ok(Some(HeaderWarning::Forbidden)),
                "{forbidden}"
            );
        }
        assert_eq!(headers.add("*"), Ok(Some(HeaderWarning::Covered)));
        assert_eq!(headers.add("Authorization"), Ok(None));
        assert_eq!(headers.add("X-Bar"), Ok(Some(HeaderWarning::Covered)));
    }
}
