//! Where the parts of a zone lie in its memory. It follows from the size alone, so that a reload finds everything again.

use crate::sync::AtomicU64;
use crate::{counters, denied, history, record};

/// The words at the beginning, about the zone itself.
pub(crate) const HEADER: usize = 16;

/// The most origins that are listed: a denial of an origin that is not listed looks at all of them.
const MOST_ORIGINS: usize = 256;
/// The fewest: a shorter list says too little.
const FEWEST_ORIGINS: usize = 24;

/// The parts of the memory.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'m> {
    pub(crate) header: &'m [AtomicU64; HEADER],
    pub(crate) history: &'m [AtomicU64; history::WORDS],
    pub(crate) slots: &'m [AtomicU64],
    pub(crate) denied: denied::Memory<'m>,
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
        let (records, slots) = rest.split_at_checked(origins * record::RECORD)?;
        Some(Self {
            header,
            history,
            slots,
            denied: denied::Memory { hints, heads, records },
        })
    }
}

/// The number of origins for which there is room: half of `words` is for them, until there are enough.
fn origins_in(words: usize) -> usize {
    (words / 2 / (record::RECORD + 1)).min(MOST_ORIGINS)
}

/// The number of words that suffice for the counters of so many policies.
pub fn words_for(policies: usize) -> usize {
    let fixed = HEADER + history::WORDS + denied::HINTS;
    let slots = policies * counters::WORDS;
    let origins = (slots / (record::RECORD + 1) + 1).clamp(FEWEST_ORIGINS, MOST_ORIGINS);
    fixed + (2 * origins * (record::RECORD + 1)).max(slots + origins * (record::RECORD + 1))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn memory(words: usize) -> Vec<AtomicU64> {
        (0..words).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn words_for_a_number_of_policies_have_room_for_them() {
        for policies in [0, 1, 2, 20, 33, 34, 100, 400, 500, 600, 1000, 10_000] {
            let words = memory(words_for(policies));
            let parts = Parts::of(&words).expect("large enough");
            assert!(parts.slots.len() / counters::WORDS >= policies, "{policies}");
            assert!(parts.denied.heads.len() >= FEWEST_ORIGINS);
        }
    }

    #[test]
    fn too_few_words_are_refused() {
        for words in [0, HEADER, HEADER + history::WORDS, words_for(0) - 2 * record::RECORD] {
            assert!(Parts::of(&memory(words)).is_none(), "{words}");
        }
    }
}
