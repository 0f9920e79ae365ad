//! Strings in memory that other processes write to at the same time, or were writing to when they were killed.
//!
//! A cell begins with a checksum of the string and of its owner, the value that it belongs to. The checksum is written
//! last: a string that is half written, or was left by another owner, does not agree with it and is not read.

use core::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use crate::sync::{AtomicU64, Ordering};

/// A hash of `bytes` that no one can foresee who does not know the seed.
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(seed).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// The words of a cell before the string: a checksum and a length.
pub(crate) const CELL_HEAD: usize = 2;

/// A string of limited length in shared memory.
pub(crate) struct TextCell<'m> {
    check: &'m AtomicU64,
    length: &'m AtomicU64,
    body: &'m [AtomicU64],
    seed: u64,
}

/// The string that a cell holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) bytes: Vec<u8>,
    /// Whether the string was longer than the cell.
    pub(crate) is_cut: bool,
}

impl<'m> TextCell<'m> {
    /// The cell in these words for a string that belongs to `owner`.
    pub(crate) fn new(words: &'m [AtomicU64], seed: u64, owner: u64) -> Option<Self> {
        let ([check, length], body) = words.split_first_chunk::<CELL_HEAD>()?;
        Some(Self {
            check,
            length,
            body,
            seed: seed ^ owner,
        })
    }

    fn room(&self) -> usize {
        self.body.len() * size_of::<u64>()
    }

    fn sum(&self, kept: &[u8], length: u64) -> u64 {
        hash(self.seed, kept).wrapping_add(length)
    }

    fn kept<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        bytes.get(..self.room()).unwrap_or(bytes)
    }

    /// Writes `bytes`, or as much of them as there is room for.
    pub(crate) fn write(&self, bytes: &[u8]) {
        let kept = self.kept(bytes);
        let length = bytes.len() as u64;
        self.length.store(length, Ordering::Relaxed);
        for (word, chunk) in self.body.iter().zip(kept.chunks(size_of::<u64>())) {
            let mut padded = [0; size_of::<u64>()];
            padded.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            word.store(u64::from_le_bytes(padded), Ordering::Relaxed);
        }
        self.check.store(self.sum(kept, length), Ordering::Release);
    }

    /// Whether `bytes` are there already, as far as the checksum tells.
    pub(crate) fn seems_to_hold(&self, bytes: &[u8]) -> bool {
        self.check.load(Ordering::Relaxed) == self.sum(self.kept(bytes), bytes.len() as u64)
    }

    /// The string, if it is whole.
    pub(crate) fn read(&self) -> Option<Text> {
        let check = self.check.load(Ordering::Acquire);
        let length = self.length.load(Ordering::Relaxed);
        let kept = usize::try_from(length).unwrap_or(usize::MAX).min(self.room());
        let mut bytes = Vec::with_capacity(self.room());
        for word in self.body.iter().take(kept.div_ceil(size_of::<u64>())) {
            bytes.extend_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
        }
        bytes.truncate(kept);
        (self.sum(&bytes, length) == check).then_some(Text {
            is_cut: length > kept as u64,
            bytes,
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn words(number: usize) -> Vec<AtomicU64> {
        (0..number).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn what_was_written_is_read() {
        let words = words(CELL_HEAD + 2);
        let cell = TextCell::new(&words, 1, 2).unwrap();
        for (bytes, kept) in [
            (&b""[..], &b""[..]),
            (b"short", b"short"),
            (b"sixteen bytes ..", b"sixteen bytes .."),
            (b"a few bytes too many", b"a few bytes too "),
        ] {
            cell.write(bytes);
            assert!(cell.seems_to_hold(bytes));
            let text = cell.read().unwrap();
            assert_eq!((&text.bytes[..], text.is_cut), (kept, kept != bytes));
        }
    }

    #[test]
    fn a_string_that_is_half_written_or_of_another_owner_is_not_read() {
        let words = words(CELL_HEAD + 4);
        let cell = TextCell::new(&words, 1, 2).unwrap();
        cell.write(b"https://app.example.com");
        for (number, word) in words.iter().enumerate().take(CELL_HEAD + 3) {
            let whole = word.load(Ordering::Relaxed);
            word.store(whole ^ 0x100, Ordering::Relaxed);
            assert_eq!(cell.read(), None, "{number}");
            word.store(whole, Ordering::Relaxed);
        }
        assert!(cell.read().is_some());
        assert_eq!(TextCell::new(&words, 1, 3).unwrap().read(), None);
    }
}
