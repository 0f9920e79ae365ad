//! What lies where in the memory. It follows from the size alone, so that a reload finds everything again.

use core::sync::atomic::AtomicU64;

use crate::{counters, denied, history};

/// Words about the zone itself.
pub(crate) const HEADER: usize = 16;

/// Origins that are listed at most: every denial of an origin that is not has a look at all of them.
const MOST_ORIGINS: usize = 256;
/// Fewer say too little.
const FEWEST_ORIGINS: usize = 24;

/// The parts of the memory.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'m> {
    pub(crate) header: &'m [AtomicU64; HEADER],
    pub(crate) history: &'m [AtomicU64; history::WORDS],
    pub(crate) slots: &'m [AtomicU64],
    pub(crate) hints: &'m [AtomicU64],
    pub(crate) heads: &'m [AtomicU64],
    pub(crate) entries: &'m [AtomicU64],
}

impl<'m> Parts<'m> {
    /// Divides the memory, if it is large enough.
    pub(crate) fn of(words: &'m [AtomicU64]) -> Option<Self> {
        let (header, rest) = words.split_first_chunk::<HEADER>()?;
        let (history, rest) = rest.split_first_chunk()?;
        let (hints, rest) = rest.split_at_checked(denied::HINTS)?;
        let origins = origins_in(rest.len());
        if origins < FEWEST_ORIGINS {
            return None;
        }
        let (heads, rest) = rest.split_at_checked(origins)?;
        let (entries, slots) = rest.split_at_checked(origins * denied::ENTRY)?;
        Some(Self {
            header,
            history,
            slots,
            hints,
            heads,
            entries,
        })
    }
}

/// Half of `words` is for origins, until there are enough of them.
fn origins_in(words: usize) -> usize {
    (words / 2 / (denied::ENTRY + 1)).min(MOST_ORIGINS)
}

/// So many words suffice for `slots` policies.
pub fn words_for(slots: usize) -> usize {
    let fixed = HEADER + history::WORDS + denied::HINTS;
    let slots = slots * counters::WORDS;
    let origins = (slots / (denied::ENTRY + 1) + 1).clamp(FEWEST_ORIGINS, MOST_ORIGINS);
    fixed + (2 * origins * (denied::ENTRY + 1)).max(slots + origins * (denied::ENTRY + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(words: usize) -> Vec<AtomicU64> {
        (0..words).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn as_many_words_as_it_takes_suffice() {
        for slots in [0, 1, 2, 20, 33, 34, 100, 400, 500, 600, 1000, 10_000] {
            let words = memory(words_for(slots));
            let parts = Parts::of(&words).expect("large enough");
            assert!(parts.slots.len() / counters::WORDS >= slots, "{slots}");
            assert!(parts.heads.len() >= FEWEST_ORIGINS);
        }
    }

    #[test]
    fn too_few_words_are_refused() {
        for words in [0, HEADER, HEADER + history::WORDS, words_for(0) - 2 * denied::ENTRY] {
            assert!(Parts::of(&memory(words)).is_none(), "{words}");
        }
    }
}
