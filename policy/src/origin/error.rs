//! Why a value names no origin, and what to write instead.

use std::fmt::{self, Display};

use super::regex::RegexError;
use crate::problem::{shown, UNQUOTED};

/// A longer remedy would be cut in a message, and could not be pasted.
const LONGEST_REMEDY: usize = 190;

/// Why a value names no origin, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OriginError {
    reason: String,
    remedy: Remedy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Remedy {
    /// The reason holds it, or there is none.
    None,
    /// Values that can be pasted in the place of the wrong one, separated by spaces.
    Write(String),
    /// What to decide, where it cannot be known what was meant.
    Advice(String),
}

impl OriginError {
    /// An error without a remedy.
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            remedy: Remedy::None,
        }
    }

    /// The same with values that can be pasted.
    pub(super) fn write(self, values: String) -> Self {
        Self {
            remedy: Remedy::Write(values),
            ..self
        }
    }

    /// The same with what has to be decided.
    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        Self {
            remedy: Remedy::Advice(advice.into()),
            ..self
        }
    }

    pub(super) fn bad_host(host: &str, why: impl Display) -> Self {
        Self::new(format!("\"{}\" is no host: {why}", shown(host.as_bytes())))
    }

    /// Holds the remedy against `accept`, which says why a value is refused. One that is refused is replaced by the remedy
    /// for what is wrong with it.
    pub(super) fn checked(self, accept: impl Fn(&str) -> Result<(), Self>) -> Self {
        let Remedy::Write(values) = &self.remedy else {
            return self;
        };
        let remedy = match values.split(' ').try_for_each(accept) {
            Ok(()) if values.len() <= LONGEST_REMEDY => return self,
            Err(Self { remedy, .. }) if !values.contains(' ') => remedy,
            Ok(()) | Err(_) => Remedy::Advice("write each origin as a value of its own".to_owned()),
        };
        Self { remedy, ..self }
    }
}

impl Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        match &self.remedy {
            Remedy::None => Ok(()),
            Remedy::Write(values) => {
                let quotes = if values.contains(' ') { UNQUOTED } else { "" };
                write!(f, "; write \"{}\"{quotes}", shown(values.as_bytes()))
            }
            Remedy::Advice(advice) => write!(f, "; {advice}"),
        }
    }
}

impl From<RegexError> for OriginError {
    fn from(error: RegexError) -> Self {
        Self::new(error.to_string())
    }
}
