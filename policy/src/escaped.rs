//! Bytes of a request as log lines show them.

use std::fmt;

/// How many bytes are shown: nginx has 2048 bytes for a log line, and writes more into it.
const SHOWN: usize = 256;

/// Bytes of a request between quotes, escaped so that they cannot break a log line, and cut if there are many.
pub(crate) struct Escaped<'r>(pub &'r [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_at_checked(SHOWN) {
            Some((start, [_, ..])) => write!(f, "\"{}...\"", start.escape_ascii()),
            _ => write!(f, "\"{}\"", self.0.escape_ascii()),
        }
    }
}
