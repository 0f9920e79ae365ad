//! The number of requests in each ten seconds of the last minutes.
//!
//! Two totals are counted. The first process that counts in a step of ten seconds notes what the totals are then; the
//! requests of a step are the difference between its note and the next.

use crate::sync::{AtomicU64, Ordering};

/// The length of a step in seconds.
pub const STEP: u64 = 10;
const STEPS: usize = 90;
/// The number of totals: all requests, and those that were denied.
const SERIES: usize = 2;

/// When the step that is counted began, in seconds since 1970.
const BEGAN: usize = 0;
/// The totals.
const REQUESTS: usize = 1;
const DENIED: usize = 2;
/// The notes: what the totals were when a step began.
const NOTES: usize = 8;
pub(crate) const WORDS: usize = NOTES + STEPS * SERIES;

/// A note shares its word with the number of its step, so that one instruction replaces a note of an earlier round.
const TIME_SHIFT: u32 = 40;
const TIME_MASK: u64 = (1 << (64 - TIME_SHIFT)) - 1;
const SUM_MASK: u64 = (1 << TIME_SHIFT) - 1;

#[inline]
fn stamp(step: u64) -> u64 {
    (step & TIME_MASK) << TIME_SHIFT
}

fn place(step: u64, series: usize) -> usize {
    NOTES + (step % STEPS as u64) as usize * SERIES + series
}

fn load(words: &[AtomicU64; WORDS], place: usize) -> u64 {
    words.get(place).map_or(0, |word| word.load(Ordering::Relaxed))
}

/// Whether the step that is counted is over.
#[inline]
pub(crate) fn is_over(words: &[AtomicU64; WORDS], now: u64) -> bool {
    // A clock that was set back makes the difference huge.
    now.wrapping_sub(words[BEGAN].load(Ordering::Relaxed)) >= STEP
}

/// Counts one request.
#[inline]
pub(crate) fn count(words: &[AtomicU64; WORDS], denied: bool) {
    words[REQUESTS].fetch_add(1, Ordering::Relaxed);
    if denied {
        words[DENIED].fetch_add(1, Ordering::Relaxed);
    }
}

/// Begins a step: notes the totals, if no other process has. A process that is killed here leaves that to the next.
pub(crate) fn begin(words: &[AtomicU64; WORDS], now: u64) {
    let step = now / STEP;
    for (series, sum) in [REQUESTS, DENIED].into_iter().enumerate() {
        let Some(note) = words.get(place(step, series)) else {
            continue;
        };
        let old = note.load(Ordering::Relaxed);
        if old & !SUM_MASK != stamp(step) {
            let new = stamp(step) | load(words, sum) & SUM_MASK;
            let _ = note.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
    words[BEGAN].store(step * STEP, Ordering::Relaxed);
}

/// The last minutes, in steps of [`STEP`] seconds, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// When the last step began, in seconds since 1970.
    pub last: u64,
    /// Requests in each step.
    pub requests: Vec<u64>,
    /// Those that were denied.
    pub denied: Vec<u64>,
}

pub(crate) fn read(words: &[AtomicU64; WORDS], now: u64) -> History {
    let last = now / STEP;
    let first = (last + 1).saturating_sub(STEPS as u64);
    let series = |series: usize, sum: usize| {
        let note = |step| {
            let note = load(words, place(step, series));
            (note & !SUM_MASK == stamp(step)).then_some(note & SUM_MASK)
        };
        // Where a clock was set back, a note may be older than those before it, and says nothing of its step.
        let mut highest = None;
        let mut is_next = |note: &u64| {
            let is_next = highest.is_none_or(|highest| note.wrapping_sub(highest) & SUM_MASK <= SUM_MASK / 2);
            highest = if is_next { Some(*note) } else { highest };
            is_next
        };
        let notes: Vec<Option<u64>> = (first..=last).map(|step| note(step).filter(&mut is_next)).collect();
        // The total is read after the notes: it only grows, so no note is above it.
        let mut end = load(words, sum);
        let mut counts: Vec<u64> = notes
            .into_iter()
            .rev()
            .map(|note| {
                let start = note.unwrap_or(end);
                let count = end.wrapping_sub(start) & SUM_MASK;
                end = start;
                count
            })
            .collect();
        counts.reverse();
        counts
    };
    History {
        last: last * STEP,
        requests: series(0, REQUESTS),
        denied: series(1, DENIED),
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Counts one request.
    fn count(words: &[AtomicU64; WORDS], now: u64, denied: bool) {
        if is_over(words, now) {
            begin(words, now);
        }
        super::count(words, denied);
    }

    const NOW: u64 = 1_800_000_000;

    fn memory() -> [AtomicU64; WORDS] {
        core::array::from_fn(|_| AtomicU64::new(0))
    }

    fn last(words: &[AtomicU64; WORDS], now: u64, steps: usize) -> Vec<u64> {
        read(words, now).requests[STEPS - steps..].to_vec()
    }

    #[test]
    fn steps_follow_each_other_and_old_ones_are_forgotten() {
        let words = memory();
        count(&words, NOW, false);
        count(&words, NOW + STEP - 1, true);
        count(&words, NOW + STEP, false);
        let seen = read(&words, NOW + STEP);
        assert_eq!(seen.requests.len(), STEPS);
        assert_eq!(seen.requests[STEPS - 3..], [0, 2, 1]);
        assert_eq!(seen.denied[STEPS - 3..], [0, 1, 0]);
        assert_eq!(seen.last, NOW + STEP);

        let later = NOW + STEPS as u64 * STEP;
        assert_eq!(read(&words, later).requests.iter().sum::<u64>(), 1);
        count(&words, later, false);
        assert_eq!(read(&words, later).requests.iter().sum::<u64>(), 2);
        assert_eq!(read(&words, 2 * later).requests.iter().sum::<u64>(), 0);
    }
    #[test]
    fn a_step_that_was_not_noted_counts_with_the_one_before() {
        let words = memory();
        count(&words, NOW, false);
        count(&words, NOW + STEP, false);
        words[place((NOW + STEP) / STEP, 0)].store(0, Ordering::Relaxed);
        count(&words, NOW + 2 * STEP, false);
        assert_eq!(last(&words, NOW + 2 * STEP, 3), [2, 0, 1]);
    }

    #[test]
    fn processes_whose_clocks_differ_by_a_moment_begin_a_step_once() {
        let words = memory();
        for now in [NOW, NOW + STEP, NOW + STEP - 1, NOW + STEP, NOW + STEP + 1] {
            count(&words, now, false);
        }
        assert_eq!(last(&words, NOW + STEP, 2), [1, 4]);
    }

    #[test]
    fn sums_may_run_over() {
        let words = memory();
        words[REQUESTS].store(SUM_MASK, Ordering::Relaxed);
        for step in 0..3 {
            count(&words, NOW + step * STEP, false);
        }
        assert_eq!(last(&words, NOW + 2 * STEP, 4), [0, 1, 1, 1]);
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nothing() {
        let words = memory();
        for now in [NOW, NOW + 5 * STEP, NOW + 2 * STEP, NOW + 3 * STEP, NOW + 6 * STEP] {
            count(&words, now, false);
        }
        assert_eq!(last(&words, NOW + 6 * STEP, 7), [2, 0, 1, 1, 0, 0, 1]);
    }
}
