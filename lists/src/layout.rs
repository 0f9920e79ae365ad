//! Where the parts of a zone lie in its memory. It follows from the size alone.

use crate::checked::Checked;
use crate::control::Control;
use crate::failure::{self, FailureCell};
use crate::half::{self, Half};
use crate::lease::LeaseWord;
use crate::seeds::SECRET_WORDS;
use crate::sync::{AtomicU64, Ordering};
use crate::watch::{self, SeenCell};

/// What the memory begins with. Whoever changes what lies where, or what it means, counts the last byte up.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"cors ls\x02");

/// The words at the beginning: [`MAGIC`], the length of the memory, the secret, and what concerns the zone itself.
pub(crate) const MAGIC_AT: usize = 0;
pub(crate) const LENGTH: usize = 1;
pub(crate) const SECRET: usize = 2;
const CONTROL: usize = SECRET + SECRET_WORDS;
const LEASE: usize = CONTROL + 1;
const SEEN: usize = LEASE + 1;
const FAILURE: usize = SEEN + watch::WORDS;
const HEAD: usize = FAILURE + failure::WORDS;

/// The parts of the memory. Where they lie is computed when they are asked for, as most requests need few of them.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'m> {
    pub(crate) head: &'m [AtomicU64; HEAD],
    halves: &'m [AtomicU64],
}

impl<'m> Parts<'m> {
    /// Divides the memory, if it is large enough.
    #[inline]
    pub(crate) fn of(words: &'m [AtomicU64]) -> Option<Self> {
        let (head, halves) = words.split_first_chunk()?;
        (halves.len() >= 2 * half::HEADER).then_some(Self { head, halves })
    }

    #[inline]
    pub(crate) fn secret(&self) -> [u64; SECRET_WORDS] {
        core::array::from_fn(|number| {
            let word = self.head.get(SECRET + number);
            word.map_or(0, |word| word.load(Ordering::Relaxed))
        })
    }

    #[inline]
    pub(crate) fn control(&self) -> Control<'m> {
        Control(&self.head[CONTROL])
    }

    pub(crate) fn lease(&self) -> LeaseWord<'m> {
        LeaseWord(&self.head[LEASE])
    }

    pub(crate) fn seen(&self) -> Option<SeenCell<'m>> {
        self.head.get(SEEN..)?.first_chunk().map(SeenCell)
    }

    pub(crate) fn failure(&self) -> Option<FailureCell<'m>> {
        self.head.get(FAILURE..)?.first_chunk().map(FailureCell)
    }

    #[inline]
    pub(crate) fn half(&self, number: usize) -> Option<Half<'m>> {
        let length = self.halves.len() / 2;
        let (first, second) = self.halves.split_at_checked(length)?;
        Half::new(if number == 0 { first } else { second.get(..length)? })
    }
}

/// The words of a zone whose halves have room for a table of so many words.
pub(crate) fn words_for_table(words: usize) -> usize {
    HEAD + 2 * (half::HEADER + words)
}

/// The smallest memory in which a zone has room for all entries of a file, in bytes.
pub fn memory_for(checked: &Checked) -> usize {
    words_for_table(checked.least_room()).saturating_mul(size_of::<u64>())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn room(words: usize) -> Option<usize> {
        let memory: Vec<_> = (0..words).map(|_| AtomicU64::new(0)).collect();
        let parts = Parts::of(&memory)?;
        Some(parts.half(0)?.room().min(parts.half(1)?.room()))
    }

    #[test]
    fn both_halves_have_the_room_that_was_asked_for() {
        for words in [0, 1, 2, 1000, 1001] {
            assert_eq!(room(words_for_table(words)), Some(words));
        }
    }

    #[test]
    fn too_few_words_are_refused() {
        assert_eq!(room(0), None);
        assert_eq!(room(words_for_table(0) - 1), None);
    }
}
