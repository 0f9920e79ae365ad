//! `Access-Control-Max-Age`.

use std::rc::Rc;

use crate::problem::Warning;

/// The longest that a browser keeps an answer, in seconds: that is Firefox. Chromium keeps it for 7200, Safari for 600.
const LONGEST_KEPT: u64 = 86_400;

/// The value of `cors_max_age`: the seconds for which a browser may keep the answer to a preflight (Fetch,
/// "CORS-preflight cache").
#[derive(Clone, Debug)]
pub(crate) struct MaxAge {
    line: Rc<str>,
}

/// The time is longer than any browser keeps an answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("Firefox keeps an answer for 86400 seconds at most, Chromium for 7200 and Safari for 600; write \"1d\"")]
pub(crate) struct LongerThanKept;

impl Warning for LongerThanKept {
    fn what(&self) -> &'static str {
        "too long"
    }
}

impl MaxAge {
    pub(crate) fn new(seconds: u64) -> (Self, Option<LongerThanKept>) {
        let line = seconds.to_string().into();
        (Self { line }, (seconds > LONGEST_KEPT).then_some(LongerThanKept))
    }

    pub(crate) fn line(&self) -> &Rc<str> {
        &self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_day_is_warned_about() {
        assert_eq!(MaxAge::new(86_400).1, None);
        assert_eq!(MaxAge::new(86_401).1, Some(LongerThanKept));
        assert_eq!(&**MaxAge::new(0).0.line(), "0");
    }
}
