//! `Access-Control-Allow-Methods`.

use crate::name_list::NameList;
use crate::problem::{shown, Warning};
use crate::token::is_token;

/// Methods that need no listing (Fetch, "CORS-safelisted method").
const SAFELISTED: [&str; 3] = ["GET", "HEAD", "POST"];

/// Methods that browsers let no script send (Fetch, "forbidden method").
const FORBIDDEN: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];

/// Methods that browsers send in upper case however a script writes them.
const NORMALIZED: [&str; 6] = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

/// `method` as browsers send it (Fetch, "normalize a method").
pub(crate) fn normalized(method: &[u8]) -> &[u8] {
    let mut known = NORMALIZED.iter().map(|known| known.as_bytes());
    known.find(|known| known.eq_ignore_ascii_case(method)).unwrap_or(method)
}

/// The value of `cors_allow_methods`.
#[derive(Debug)]
pub(crate) struct AllowMethods {
    names: NameList,
    any: bool,
}

/// Why a value is no method to list.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MethodError {
    #[error("a method is a token (RFC 9110, section 9.1): letters, digits and a few signs, no comma; separate methods by spaces")]
    NotAToken,
    #[error("browsers let no script send it (Fetch, \"forbidden method\"); remove it")]
    Forbidden,
}

/// Why a method that is listed is warned about.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MethodWarning {
    #[error("it is listed already; remove one")]
    Duplicate,
    #[error("methods are case-sensitive and browsers send \"{0}\"; write \"{0}\"")]
    Case(String),
    #[error("browsers send a method in the case that the script wrote, mostly \"{0}\"; list \"{0}\", or both")]
    UnusualCase(String),
    #[error("\"*\" covers every method; remove the others, or the \"*\"")]
    Covered,
}

impl Warning for MethodWarning {
    fn what(&self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Case(_) | Self::UnusualCase(_) => "case",
            Self::Covered => "covered",
        }
    }
}

impl Default for AllowMethods {
    fn default() -> Self {
        let mut methods = Self::empty();
        SAFELISTED.into_iter().for_each(|name| methods.names.add(name));
        methods
    }
}

impl AllowMethods {
    /// An empty list to add to.
    pub(crate) fn empty() -> Self {
        Self {
            names: NameList::default(),
            any: false,
        }
    }

    /// Adds a method or `*`.
    pub(crate) fn add(&mut self, value: &str) -> Result<Option<MethodWarning>, MethodError> {
        if value == "*" {
            let warning = match self.any {
                true => Some(MethodWarning::Duplicate),
                false => (!self.names.is_empty()).then_some(MethodWarning::Covered),
            };
            self.any = true;
            return Ok(warning);
        }
        if !is_token(value.as_bytes()) {
            return Err(MethodError::NotAToken);
        }
        let upper = value.to_ascii_uppercase();
        if FORBIDDEN.contains(&upper.as_str()) {
            return Err(MethodError::Forbidden);
        }
        if self.names.has_exactly(value.as_bytes()) {
            return Ok(Some(MethodWarning::Duplicate));
        }
        self.names.add(value);
        Ok(if self.any {
            Some(MethodWarning::Covered)
        } else if upper == value {
            None
        } else if NORMALIZED.contains(&upper.as_str()) {
            Some(MethodWarning::Case(upper))
        } else {
            Some(MethodWarning::UnusualCase(shown(upper.as_bytes())))
        })
    }

    /// Whether a preflight for `method` would find it allowed.
    pub(crate) fn allows(&self, method: &[u8]) -> bool {
        self.any || SAFELISTED.iter().any(|name| name.as_bytes() == method) || self.names.has_exactly(method)
    }

    /// Whether `*` has to be spelled out: with credentials it would be an ordinary name.
    pub(crate) fn echoes(&self, credentials: bool) -> bool {
        self.any && credentials
    }

    /// The value to send where nothing is echoed.
    pub(crate) fn line(&self) -> &str {
        match self.any {
            true => "*",
            false => self.names.line(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(values: &[&str]) -> AllowMethods {
        let mut methods = AllowMethods::empty();
        for value in values {
            methods.add(value).unwrap();
        }
        methods
    }

    #[test]
    fn the_whole_list_is_sent_as_written() {
        let listed = methods(&["PUT", "GET", "PATCH"]);
        assert_eq!(listed.line(), "PUT, GET, PATCH");
        assert!(!listed.echoes(true));
        assert_eq!(AllowMethods::default().line(), "GET, HEAD, POST");
    }

    #[test]
    fn safelisted_methods_need_no_listing() {
        let methods = methods(&["PUT"]);
        for method in ["GET", "HEAD", "POST", "PUT"] {
            assert!(methods.allows(method.as_bytes()), "{method}");
        }
        for method in ["DELETE", "get", "put", "PUTS", ""] {
            assert!(!methods.allows(method.as_bytes()), "{method}");
        }
    }

    #[test]
    fn a_star_is_sent_without_credentials_and_echoes_with_them() {
        let methods = methods(&["*"]);
        assert!(methods.allows(b"PATCH"));
        assert_eq!(methods.line(), "*");
        assert!(!methods.echoes(false));
        assert!(methods.echoes(true));
    }

    #[test]
    fn forbidden_methods_and_no_tokens_are_errors() {
        for value in ["CONNECT", "TRACE", "TRACK", "trace"] {
            assert_eq!(AllowMethods::empty().add(value), Err(MethodError::Forbidden), "{value}");
        }
        for value in ["GET,PUT", "GET PUT", "", "G\u{e9}T", "PUT;"] {
            assert_eq!(AllowMethods::empty().add(value), Err(MethodError::NotAToken), "{value}");
        }
    }

    #[test]
    fn odd_methods_are_warned_about() {
        let mut methods = methods(&["PUT"]);
        assert_eq!(methods.add("PUT"), Ok(Some(MethodWarning::Duplicate)));
        assert_eq!(
            methods.add("patch"),
            Ok(Some(MethodWarning::UnusualCase("PATCH".into())))
        );
        assert_eq!(methods.add("delete"), Ok(Some(MethodWarning::Case("DELETE".into()))));
        assert_eq!(methods.add("*"), Ok(Some(MethodWarning::Covered)));
        assert_eq!(methods.add("QUERY"), Ok(Some(MethodWarning::Covered)));
    }
}
