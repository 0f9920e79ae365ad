//! How many requests there were in the last minutes.

use core::sync::atomic::{AtomicU64, Ordering};

/// The seconds that are counted together.
pub const STEP: u64 = 10;
const STEPS: usize = 90;
/// All requests, and those that were denied.
const SERIES: usize = 2;
pub(crate) const WORDS: usize = STEPS * SERIES;

/// Each count shares its word with the time that it is for: the next round begins anew in one instruction.
const TIME_SHIFT: u32 = 40;
const TIME_MASK: u64 = (1 << (64 - TIME_SHIFT)) - 1;

/// Others may be faster so many times; then the chart goes without this request.
const ATTEMPTS: usize = 16;

#[inline]
fn stamp(step: u64) -> u64 {
    (step & TIME_MASK) << TIME_SHIFT
}

#[inline]
fn place(step: u64) -> usize {
    (step % STEPS as u64) as usize * SERIES
}

#[inline]
fn add(words: &[AtomicU64], place: usize, stamp: u64) {
    let Some(word) = words.get(place) else {
        return;
    };
    let mut old = word.load(Ordering::Relaxed);
    for _ in 0..ATTEMPTS {
        let is_current = old >> TIME_SHIFT == stamp >> TIME_SHIFT;
        let new = if is_current { old } else { stamp } + 1;
        match word.compare_exchange_weak(old, new, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(other) => old = other,
        }
    }
}

/// Counts one request.
#[inline]
pub(crate) fn count(words: &[AtomicU64], now: u64, denied: bool) {
    let step = now / STEP;
    let (place, stamp) = (place(step), stamp(step));
    add(words, place, stamp);
    if denied {
        add(words, place + 1, stamp);
    }
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

pub(crate) fn read(words: &[AtomicU64], now: u64) -> History {
    let last = now / STEP;
    let first = (last + 1).saturating_sub(STEPS as u64);
    let series = |series: usize| {
        let steps = first..=last;
        steps
            .map(|step| {
                let word = words.get(place(step) + series);
                let word = word.map_or(0, |word| word.load(Ordering::Relaxed));
                let is_current = word >> TIME_SHIFT == stamp(step) >> TIME_SHIFT;
                if is_current {
                    word & ((1 << TIME_SHIFT) - 1)
                } else {
                    0
                }
            })
            .collect()
    };
    History {
        last: last * STEP,
        requests: series(0),
        denied: series(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn steps_follow_each_other_and_old_ones_are_forgotten() {
        let words: Vec<_> = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
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
}
