//! Which denials this process has logged in the last minute.

use core::cell::Cell;

/// A kind has its place in one bucket, so that few entries have to be looked at. No more kinds than have room are logged at
/// `cors_log_level` in a minute.
const BUCKETS: usize = 64;
const BUCKET: usize = 4;

/// How long a kind is remembered, in seconds.
const MINUTE: u64 = 60;

/// The kinds of denials that were logged in the last minute. Clients choose what a kind is (an origin, a method); the table
/// does not grow with that.
pub(crate) struct LoggedDenials {
    buckets: Box<[[Cell<LoggedKind>; BUCKET]]>,
}

/// A kind, and when it was logged.
#[derive(Clone, Copy, Default)]
struct LoggedKind {
    kind: u64,
    at: u64,
}

impl Default for LoggedDenials {
    fn default() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| Default::default()).collect(),
        }
    }
}

impl LoggedDenials {
    /// Whether no denial of this kind was logged in the last minute; from now on one has been. While there is no room for
    /// another kind, none is new.
    pub(crate) fn is_first(&self, kind: u64, now: u64) -> bool {
        let Some(bucket) = self.buckets.get(kind as usize % BUCKETS) else {
            return true;
        };
        let is_recent = |logged: LoggedKind| logged.at <= now && now < logged.at + MINUTE;
        if bucket
            .iter()
            .any(|entry| entry.get().kind == kind && is_recent(entry.get()))
        {
            return false;
        }
        match bucket.iter().find(|entry| !is_recent(entry.get())) {
            Some(free) => free.set(LoggedKind { kind, at: now }),
            None => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn a_kind_is_new_once_a_minute() {
        let logged = LoggedDenials::default();
        assert!(logged.is_first(7, NOW) && logged.is_first(8, NOW));
        assert!(!logged.is_first(7, NOW) && !logged.is_first(7, NOW + 59));
        assert!(logged.is_first(7, NOW + 60) && !logged.is_first(7, NOW + 61));
    }

    #[test]
    fn whoever_invents_kinds_fills_the_table_and_not_the_log() {
        let logged = LoggedDenials::default();
        let firsts = (0..100_000).filter(|kind| logged.is_first(*kind, NOW)).count();
        assert_eq!(firsts, BUCKETS * BUCKET);
        assert!(!logged.is_first(0, NOW + 30) && !logged.is_first(100_001, NOW + 30));
        assert!(logged.is_first(100_001, NOW + 60));
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nothing_silent() {
        let logged = LoggedDenials::default();
        assert!(logged.is_first(7, NOW) && logged.is_first(7, NOW - 3600));
    }
}
