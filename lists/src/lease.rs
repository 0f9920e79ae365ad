//! Who looks at the file: one of the processes, for a time that it has to prolong.
//!
//! It is no lock. A process that holds the lease may be killed at any instruction, and no one ever waits for it: the
//! others look from time to time whether the lease is free, out, or held by a process that is no more. What two
//! processes would do that both take themselves for the holder is harmless; see [`control`](crate::control).

use crate::sync::{AtomicU64, Ordering};

const HOLDER_SHIFT: u32 = 32;

/// The word: the number of the process that holds the lease, and until when, in seconds; 0 if no one does.
#[derive(Clone, Copy)]
pub(crate) struct LeaseWord<'m>(pub(crate) &'m AtomicU64);

/// What the word holds while the lease is held; it tells the holder from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term(u64);

impl Term {
    fn new(holder: u32, until: u32) -> Self {
        Self(u64::from(holder) << HOLDER_SHIFT | u64::from(until))
    }

    fn holder(self) -> u32 {
        (self.0 >> HOLDER_SHIFT) as u32
    }

    fn until(self) -> u32 {
        self.0 as u32
    }
}

impl LeaseWord<'_> {
    /// Takes the lease for `holder` until `now + seconds`, if no living process holds it. It is asked for a process of
    /// another number only, whether that `is_alive`.
    pub(crate) fn take(self, holder: u32, now: u32, seconds: u32, is_alive: impl FnOnce(u32) -> bool) -> Option<Term> {
        let held = Term(self.0.load(Ordering::Acquire));
        let is_out = held.until() <= now || held.until() - now > seconds.max(MOST_SECONDS);
        // A process of this number that held it is no more: it has no way to ask for it twice.
        if held.0 != 0 && !is_out && held.holder() != holder && is_alive(held.holder()) {
            return None;
        }
        self.change(held, Term::new(holder, now.saturating_add(seconds)))
    }

    /// Prolongs the lease until `now + seconds`; `None` if someone else has it by now.
    pub(crate) fn renew(self, held: Term, now: u32, seconds: u32) -> Option<Term> {
        let next = Term::new(held.holder(), now.saturating_add(seconds));
        self.change(held, next)
    }

    /// Gives the lease back, if it is still held.
    pub(crate) fn release(self, held: Term) {
        self.change(held, Term(0));
    }

    fn change(self, from: Term, to: Term) -> Option<Term> {
        let changed = self
            .0
            .compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Relaxed);
        changed.ok().map(|_| to)
    }
}

/// A lease that is held for longer than this was taken by another clock.
const MOST_SECONDS: u32 = 24 * 3600;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const DEAD: fn(u32) -> bool = |_| false;
    const ALIVE: fn(u32) -> bool = |_| true;

    #[test]
    fn one_process_holds_the_lease_until_it_is_out_or_given_back() {
        let word = AtomicU64::new(0);
        let lease = LeaseWord(&word);
        let held = lease.take(7, 100, 10, ALIVE).unwrap();
        assert_eq!(lease.take(8, 109, 10, ALIVE), None);
        let held = lease.renew(held, 109, 10).unwrap();
        assert_eq!(lease.take(8, 118, 10, ALIVE), None);
        let other = lease.take(8, 119, 10, ALIVE).unwrap();
        assert_eq!(lease.renew(held, 119, 10), None);
        lease.release(held);
        assert_eq!(lease.take(9, 120, 10, ALIVE), None);
        lease.release(other);
        assert!(lease.take(9, 120, 10, ALIVE).is_some());
    }

    #[test]
    fn the_lease_of_a_process_that_is_no_more_is_taken_at_once() {
        let word = AtomicU64::new(0);
        let lease = LeaseWord(&word);
        lease.take(7, 100, 10, ALIVE).unwrap();
        assert!(lease.take(8, 101, 10, |holder| holder != 7).is_some());
    }

    #[test]
    fn a_process_that_got_the_number_of_a_dead_one_takes_its_lease() {
        let word = AtomicU64::new(0);
        let lease = LeaseWord(&word);
        let dead = lease.take(7, 100, 10, DEAD).unwrap();
        let held = lease.take(7, 101, 10, ALIVE).unwrap();
        assert_ne!(dead, held);
    }

    #[test]
    fn a_lease_of_the_far_future_is_out() {
        let word = AtomicU64::new(0);
        let lease = LeaseWord(&word);
        lease.take(7, 1_000_000_000, 10, ALIVE).unwrap();
        assert!(lease.take(8, 100, 10, ALIVE).is_some());
    }
}
