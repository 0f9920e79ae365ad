//! Where the parts of a zone lie in its memory. It follows from the size alone.

use crate::control::Control;
use crate::failure::{self, FailureCell};
use crate::half::{self, Half};
use crate::lease::LeaseWord;
use crate::seeds::SECRET_WORDS;
use crate::sync::AtomicU64;
use crate::watch::{self, SeenCell};

/// What the memory begins with. Whoever changes what lies where, or what it means, counts the last byte up.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"cors ls\x01");

/// Of the words at the beginning: [`MAGIC`], the length of the memory, the secret.
pub(crate) const MAGIC_AT: usize = 0;
pub(crate) const LENGTH: usize = 1;
pub(crate) const SECRET: usize = 2;
const HEAD: usize = SECRET + SECRET_WORDS;

/// The parts of the memory.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'m> {
    pub(crate) head: &'m [AtomicU64; HEAD],
    pub(crate) lease: LeaseWord<'m>,
    pub(crate) seen: SeenCell<'m>,
    pub(crate) failure: FailureCell<'m>,
    pub(crate) control: Control<'m>,
    halves: [Half<'m>; 2],
}

impl<'m> Parts<'m> {
    /// Divides the memory, if it is large enough.
    pub(crate) fn of(words: &'m [AtomicU64]) -> Option<Self> {
        let (head, rest) = words.split_first_chunk()?;
        let ([lease], rest) = rest.split_first_chunk()?;
        let (seen, rest) = rest.split_first_chunk()?;
        let (failure, rest) = rest.split_first_chunk()?;
        let ([control], rest) = rest.split_first_chunk()?;
        let (first, rest) = rest.split_at_checked(rest.len() / 2)?;
        let second = rest.get(..first.len())?;
        Some(Self {
            head,
            lease: LeaseWord(lease),
            seen: SeenCell(seen),
            failure: FailureCell(failure),
            control: Control(control),
            halves: [Half::new(first)?, Half::new(second)?],
        })
    }

    #[inline]
    pub(crate) fn half(&self, number: usize) -> &Half<'m> {
        let [first, second] = &self.halves;
        if number == 0 {
            first
        } else {
            second
        }
    }
}

/// The words of a zone whose halves have room for a table of so many words.
pub(crate) fn words_for_table(words: usize) -> usize {
    let before = HEAD + 1 + watch::WORDS + failure::WORDS + 1;
    before + 2 * (half::HEADER + words)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn room(words: usize) -> Option<usize> {
        let memory: Vec<_> = (0..words).map(|_| AtomicU64::new(0)).collect();
        Parts::of(&memory).map(|parts| parts.half(0).room().min(parts.half(1).room()))
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
