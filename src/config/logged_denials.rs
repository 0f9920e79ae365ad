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
    /// When it was logged that there is no room for another kind.
    overflow_logged_at: Cell<Option<u64>>,
}

/// A kind, and when it was logged.
#[derive(Clone, Copy, Default)]
struct LoggedKind {
    kind: u64,
    at: u64,
}

/// Whether a denial is the first of its kind in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KindSeen {
    First,
    Before,
    /// There is no room to remember the kind, and the log does not say so yet for this minute.
    NoRoom,
    /// There is no room, and the log says so.
    NoRoomAsLogged,
}

impl Default for LoggedDenials {
    fn default() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| Default::default()).collect(),
            overflow_logged_at: Cell::new(None),
        }
    }
}

fn is_recent(at: u64, now: u64) -> bool {
    at <= now && now < at + MINUTE
}

impl LoggedDenials {
    /// Whether a denial of this kind was logged in the last minute; from now on one has been, if there is room to remember it.
    pub(crate) fn look(&self, kind: u64, now: u64) -> KindSeen {
        let Some(bucket) = self.buckets.get(kind as usize % BUCKETS) else {
            return KindSeen::First;
        };
        let is_kept = |entry: &&Cell<LoggedKind>| is_recent(entry.get().at, now);
        if bucket.iter().filter(is_kept).any(|entry| entry.get().kind == kind) {
            return KindSeen::Before;
        }
        match bucket.iter().find(|entry| !is_kept(entry)) {
            Some(free) => {
                free.set(LoggedKind { kind, at: now });
                KindSeen::First
            }
            None if self.overflow_logged_at.get().is_some_and(|at| is_recent(at, now)) => KindSeen::NoRoomAsLogged,
            None => {
                self.overflow_logged_at.set(Some(now));
                KindSeen::NoRoom
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn a_kind_is_new_once_a_minute() {
        let logged = LoggedDenials::default();
        for (kind, now, seen) in [
            (7, NOW, KindSeen::First),
            (8, NOW, KindSeen::First),
            (7, NOW, KindSeen::Before),
            (7, NOW + 59, KindSeen::Before),
            (7, NOW + 60, KindSeen::First),
            (7, NOW + 61, KindSeen::Before),
        ] {
            assert_eq!(logged.look(kind, now), seen, "{kind} {now}");
        }
    }

    #[test]
    fn whoever_invents_kinds_fills_the_table_and_not_the_log() {
        let logged = LoggedDenials::default();
        let count = |seen, now| (0..100_000).filter(|kind| logged.look(*kind, now) == seen).count();
        assert_eq!(count(KindSeen::First, NOW), BUCKETS * BUCKET);
        assert_eq!(logged.look(0, NOW + 30), KindSeen::Before);
        assert_eq!(logged.look(100_001, NOW + 30), KindSeen::NoRoomAsLogged);
        assert_eq!(logged.look(100_001, NOW + 60), KindSeen::First);
    }

    #[test]
    fn once_a_minute_it_is_to_be_logged_that_there_is_no_room() {
        let logged = LoggedDenials::default();
        for minute in 0..3 {
            let kinds = (0..1000).map(|kind| logged.look(kind, NOW + minute * MINUTE));
            assert_eq!(kinds.filter(|seen| *seen == KindSeen::NoRoom).count(), 1);
        }
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nothing_silent() {
        let logged = LoggedDenials::default();
        assert_eq!(logged.look(7, NOW), KindSeen::First);
        assert_eq!(logged.look(7, NOW - 3600), KindSeen::First);
    }
}
