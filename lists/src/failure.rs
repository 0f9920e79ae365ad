//! Why the last attempt to read the file failed, in memory that other processes write to at the same time, or were
//! writing to when they were killed.
//!
//! The record begins with a checksum, which is written last: what is half written does not agree with it, and is no
//! failure that could be shown.

use core::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use crate::sync::{AtomicU64, Ordering};

const CHECK: usize = 0;
const AT: usize = 1;
const TEXT_LENGTH: usize = 2;
const HEAD: usize = 3;
/// The words of the text.
const TEXT: usize = 64;
/// The words of the record.
pub(crate) const WORDS: usize = HEAD + TEXT;

const WORD: usize = size_of::<u64>();
/// The longest text that is kept whole.
const LONGEST: usize = TEXT * WORD;

/// An attempt to read the file that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When it was, in seconds since 1970.
    pub at: u64,
    /// Why it failed; a text that was too long ends with `...`.
    pub text: String,
}

/// Where the last failure is kept.
#[derive(Clone, Copy)]
pub(crate) struct FailureCell<'m>(pub(crate) &'m [AtomicU64; WORDS]);

impl FailureCell<'_> {
    fn words(&self) -> [u64; WORDS] {
        self.0.each_ref().map(|word| word.load(Ordering::Relaxed))
    }

    pub(crate) fn write(self, failure: &Failure) {
        const CUT: &str = "...";
        let mut text = failure.text.clone();
        if text.len() > LONGEST {
            let end = (0..=LONGEST - CUT.len()).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or_default());
            text.push_str(CUT);
        }
        let mut words = [0; WORDS];
        let [_, at, length, rest @ ..] = &mut words;
        *at = failure.at;
        *length = text.len() as u64;
        for (word, chunk) in rest.iter_mut().zip(text.as_bytes().chunks(WORD)) {
            *word = chunk
                .iter()
                .rev()
                .fold(0, |word, byte| word << u8::BITS | u64::from(*byte));
        }
        for (word, value) in self.0.iter().zip(words).skip(1) {
            word.store(value, Ordering::Relaxed);
        }
        self.0[CHECK].store(checksum(&words), Ordering::Release);
    }

    /// Forgets the last failure.
    pub(crate) fn clear(self) {
        self.0[CHECK].store(0, Ordering::Release);
    }

    /// The last failure, if there is one and it is whole.
    pub(crate) fn read(self) -> Option<Failure> {
        let check = self.0[CHECK].load(Ordering::Acquire);
        let words = self.words();
        if check == 0 || checksum(&words) != check {
            return None;
        }
        let bytes: Vec<u8> = words.iter().skip(HEAD).flat_map(|word| word.to_le_bytes()).collect();
        let length = usize::try_from(words[TEXT_LENGTH]).ok()?;
        let text = String::from_utf8(bytes.get(..length)?.to_vec()).ok()?;
        Some(Failure { at: words[AT], text })
    }
}

/// Over everything but itself; never 0, as in memory without a failure.
fn checksum(words: &[u64; WORDS]) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    words.iter().skip(1).for_each(|word| hasher.write_u64(*word));
    hasher.finish().max(1)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn memory() -> [AtomicU64; WORDS] {
        [const { AtomicU64::new(0) }; WORDS]
    }

    fn failure(text: &str) -> Failure {
        Failure {
            at: 1_800_000_000,
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_last_failure_is_kept_until_it_is_forgotten() {
        let memory = memory();
        let cell = FailureCell(&memory);
        assert_eq!(cell.read(), None);
        for text in ["", "line 3: no origin", "tür"] {
            cell.write(&failure(text));
            assert_eq!(cell.read(), Some(failure(text)));
        }
        cell.clear();
        assert_eq!(cell.read(), None);
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let memory = memory();
        let cell = FailureCell(&memory);
        cell.write(&failure(&"a".repeat(LONGEST)));
        assert_eq!(cell.read().unwrap().text.len(), LONGEST);
        cell.write(&failure(&"ü".repeat(LONGEST)));
        let text = cell.read().unwrap().text;
        assert!(text.ends_with("ü...") && text.len() > LONGEST - 4, "{text}");
    }

    #[test]
    fn a_reason_that_is_half_written_is_not_shown() {
        let memory = memory();
        let cell = FailureCell(&memory);
        cell.write(&failure("one reason, and how it goes on"));
        for word in memory.iter().take(7) {
            let whole = word.load(Ordering::Relaxed);
            word.store(whole ^ 0x100, Ordering::Relaxed);
            assert_eq!(cell.read(), None);
            word.store(whole, Ordering::Relaxed);
        }
        assert!(cell.read().is_some());
    }
}
