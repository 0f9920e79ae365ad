//! What is wrong with a configuration, told so that it can be put right.

use std::fmt;
use std::rc::Rc;

/// The length to which a value is cut in a message: nginx has 2048 bytes for a log line.
const SHOWN: usize = 200;

/// The number of errors of one kind that are shown. They are meant to be put right in one go.
pub(crate) const MOST_ERRORS: usize = 100;

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

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// The configuration works, but perhaps not as it was meant.
    Warning,
}

/// Problems of one kind say the same about different values. See [`Problems`](crate::Problems).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ProblemKind {
    pub severity: Severity,
    /// The directive.
    pub directive: &'static str,
    /// What is wrong, where a directive has problems of several kinds.
    pub what: &'static str,
}

/// A reason to warn of a value, shown as what follows the value in the message.
pub(crate) trait Warning: fmt::Display {
    /// The name of the kind, for [`ProblemKind::what`].
    fn what(&self) -> &'static str;
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub at: Position,
    pub(crate) kind: ProblemKind,
    pub(crate) text: String,
    /// The number of other problems of this kind that were not made.
    pub(crate) more: usize,
    /// The block whose policy is wrong, where that shows only once all levels are put together.
    block: Option<Box<str>>,
}

impl Problem {
    pub(crate) fn new(kind: ProblemKind, at: &Position, text: String) -> Self {
        Self {
            severity: kind.severity,
            at: at.clone(),
            kind,
            text,
            more: 0,
            block: None,
        }
    }

    /// An error in a directive that is no part of a policy.
    pub fn error(at: &Position, text: String) -> Self {
        let kind = ProblemKind {
            severity: Severity::Error,
            directive: "",
            what: "",
        };
        Self::new(kind, at, text)
    }

    /// A warning that a server found.
    pub fn warning(at: &Position, text: String) -> Self {
        let kind = ProblemKind {
            severity: Severity::Warning,
            directive: "",
            what: "",
        };
        Self::new(kind, at, text)
    }

    pub(crate) fn in_block(mut self, block: &str) -> Self {
        self.block = Some(block.into());
        self
    }

    /// Adds the number of problems of this kind that the list of dangerous values has counted, but not kept.
    pub(crate) fn and_more(mut self, more: usize) -> Self {
        self.more = more;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if self.more > 0 {
            write!(f, " (and {} more of this kind)", self.more)?;
        }
        match &self.block {
            Some(block) => write!(f, " ({block})"),
            None => Ok(()),
        }
    }
}

/// What follows values to be written that are several: nginx takes what stands in quotes for one.
pub(crate) const UNQUOTED: &str = " without quotes around them";

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
