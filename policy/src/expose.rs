//! `Access-Control-Expose-Headers`.

use crate::distinct::distinct;
use crate::header_name::is_governed;
use crate::headers::NotAName;
use crate::name_list::NameList;
use crate::problem::Warning;
use crate::token::is_token;

/// The value of `cors_expose_headers`.
#[derive(Debug, Default)]
pub(crate) struct ExposeHeaders {
    names: NameList,
    any: bool,
}

/// Why a name that is listed is warned about.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExposeWarning {
    #[error("it is listed already; remove one")]
    Duplicate,
    #[error("browsers let no script read it (Fetch, \"forbidden response-header name\"); remove it")]
    Forbidden,
    #[error("\"*\" covers every header; remove the others, or the \"*\"")]
    Covered,
}

impl Warning for ExposeWarning {
    fn what(&self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Forbidden => "forbidden",
            Self::Covered => "covered",
        }
    }
}

impl ExposeHeaders {
    /// Adds a name or `*`.
    pub(crate) fn add(&mut self, value: &str) -> Result<Option<ExposeWarning>, NotAName> {
        if !is_token(value.as_bytes()) {
            return Err(NotAName);
        }
        if self.names.has_in_any_case(value.as_bytes()) {
            return Ok(Some(ExposeWarning::Duplicate));
        }
        let warning = if self.any || (value == "*" && !self.names.is_empty()) {
            Some(ExposeWarning::Covered)
        } else {
            is_forbidden(value.as_bytes()).then_some(ExposeWarning::Forbidden)
        };
        self.any |= value == "*";
        self.names.add_in_any_case(value);
        Ok(warning)
    }

    /// Whether `*` has to be spelled out: with credentials it would be an ordinary name.
    pub(crate) fn expands(&self, credentials: bool) -> bool {
        self.any && credentials
    }

    /// The value to send where nothing is expanded; empty if there is none.
    pub(crate) fn line(&self) -> &str {
        match self.any {
            true => "*",
            false => self.names.line(),
        }
    }
}

/// The response's own header names that a script may read once they are exposed, each once.
pub(crate) fn exposable<'r>(names: impl Iterator<Item = &'r [u8]> + Clone) -> impl Iterator<Item = &'r [u8]> + Clone {
    distinct(names).filter(|name| is_token(name) && !is_forbidden(name) && !is_governed(name))
}

/// [Forbidden response-header name](https://fetch.spec.whatwg.org/#forbidden-response-header-name)
fn is_forbidden(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"set-cookie") || name.eq_ignore_ascii_case(b"set-cookie2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sent_as_written() {
        let mut expose = ExposeHeaders::default();
        assert_eq!(expose.line(), "");
        assert_eq!(expose.add("X-Total"), Ok(None));
        assert_eq!(expose.add("ETag"), Ok(None));
        assert_eq!(expose.line(), "X-Total, ETag");
        assert!(!expose.expands(true));
    }

    #[test]
    fn a_star_covers_the_rest_and_expands_with_credentials() {
        let mut expose = ExposeHeaders::default();
        assert_eq!(expose.add("X-Total"), Ok(None));
        assert_eq!(expose.add("*"), Ok(Some(ExposeWarning::Covered)));
        assert_eq!(expose.line(), "*");
        assert!(expose.expands(true));
        assert!(!expose.expands(false));
    }

    #[test]
    fn odd_values_are_noticed() {
        let mut expose = ExposeHeaders::default();
        assert_eq!(expose.add("X-A, X-B"), Err(NotAName));
        assert_eq!(expose.add("Set-Cookie"), Ok(Some(ExposeWarning::Forbidden)));
        assert_eq!(expose.add("set-cookie"), Ok(Some(ExposeWarning::Duplicate)));
    }

    #[test]
    fn cookies_and_the_headers_of_cors_are_not_exposed() {
        let names = [
            &b"ETag"[..],
            b"Set-Cookie",
            b"x-a",
            b"bad name",
            b"Access-Control-Allow-Origin",
        ];
        assert_eq!(exposable(names.into_iter()).collect::<Vec<_>>(), [&b"ETag"[..], b"x-a"]);
    }
}
