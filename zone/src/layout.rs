//! Where the parts of a zone lie in its memory. It follows from the size alone, so that a reload finds everything again.

use crate::listed_origins::Memory;
use crate::sync::AtomicU64;
use crate::{counters, history};

/// The words at the beginning, about the zone itself.
pub(crate) const HEADER: usize = 16;

/// The most origins in a list: a request of an origin that is not in it looks at all of them.
const MOST_ORIGINS: usize = 256;
/// The fewest: a shorter list says too little.
const FEWEST_ORIGINS: usize = 12;
/// There is one of the denied origins, and one of those for which candidates would change something. A list has memory of
/// its own, so that a flood of denied strangers pushes none of those out that would lose.
const LISTS: usize = 2;

/// The parts of the memory.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'m> {
    pub(crate) header: &'m [AtomicU64; HEADER],
    pub(crate) history: &'m [AtomicU64; history::WORDS],
    pub(crate) slots: &'m [AtomicU64],
    /// The memory of the denied origins, which only a denial has divided further.
    pub(crate) denied: &'m [AtomicU64],
    /// The same for the origins for which candidates would change something.
    pub(crate) changed: &'m [AtomicU64],
}

impl<'m> Parts<'m> {
    /// Divides the memory, if it is large enough.
    pub(crate) fn of(words: &'m [AtomicU64]) -> Option<Self> {
        let (header, rest) = words.split_first_chunk::<HEADER>()?;
        let (history, rest) = rest.split_first_chunk()?;
        let origins = origins_in(rest.len()).filter(|origins| *origins >= FEWEST_ORIGINS)?;
        let (denied, rest) = rest.split_at_checked(Memory::words(origins))?;
        let (changed, slots) = rest.split_at_checked(Memory::words(origins))?;
        Some(Self {
            header,
            history,
            slots,
            denied,
            changed,
        })
    }
}

/// The words of the lists apart from their records, and those of a record in each.
const LISTS_ALONE: usize = LISTS * Memory::words(0);
const ORIGIN: usize = LISTS * (Memory::words(1) - Memory::words(0));

/// The number of origins for which there is room in each list: half of `words` is for them, until there are enough.
fn origins_in(words: usize) -> Option<usize> {
    let words = words.checked_sub(LISTS_ALONE)?;
    Some((words / 2 / ORIGIN).min(MOST_ORIGINS))
}

/// The number of words that suffice for the counters of so many policies.
pub fn words_for(policies: usize) -> usize {
    let fixed = HEADER + history::WORDS + LISTS_ALONE;
    let slots = policies * counters::WORDS;
    let origins = (slots / ORIGIN + 1).clamp(FEWEST_ORIGINS, MOST_ORIGINS);
    fixed + (2 * origins * ORIGIN).max(slots + origins * ORIGIN)
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
            assert!(Memory::of(parts.denied).heads.len() >= FEWEST_ORIGINS);
        }
    }

    #[test]
    fn too_few_words_are_refused() {
        for words in [0, HEADER, HEADER + history::WORDS, words_for(0) - 2 * ORIGIN] {
            assert!(Parts::of(&memory(words)).is_none(), "{words}");
        }
    }
}
