//! What is wrong with a configuration, told so that it can be mended.

use std::fmt;
use std::rc::Rc;

/// Longer values are cut in messages: a log line holds 2048 bytes in all.
const SHOWN: usize = 200;

/// A place in a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The file's name.
    pub file: Rc<str>,
    /// The line, counted from 1.
    pub line: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Whether a problem can be lived with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// It is not.
    Warning,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether it can be lived with.
    pub severity: Severity,
    /// Where.
    pub at: Position,
    text: String,
    /// The block whose policy is wrong, where that shows only once everything is put together.
    place: Option<Box<str>>,
}

impl Problem {
    pub(crate) fn new(severity: Severity, at: &Position, text: String) -> Self {
        Self {
            severity,
            at: at.clone(),
            text,
            place: None,
        }
    }

    /// A directive that is no part of a policy cannot be carried out.
    pub fn error(at: &Position, text: String) -> Self {
        Self::new(Severity::Error, at, text)
    }

    pub(crate) fn in_place(mut self, place: &str) -> Self {
        self.place = Some(place.into());
        self
    }

    /// What it tells, of whichever block that inherits it.
    pub(crate) fn told(&self) -> Told {
        (self.at.clone(), self.text.clone())
    }
}

/// What a problem tells, and of which place.
pub(crate) type Told = (Position, String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.place {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

/// A value as a message shows it: control characters escaped, long ones cut.
pub fn shown(value: &[u8]) -> String {
    let mut shown = String::new();
    for c in String::from_utf8_lossy(value).chars() {
        if shown.len() >= SHOWN {
            shown.push_str("...");
            break;
        }
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
