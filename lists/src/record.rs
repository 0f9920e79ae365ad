//! How an entry is kept: as its text, or as a hash of it where that is shorter.
//!
//! A text of up to [`LONGEST_TEXT`] bytes is kept whole, and whole texts are compared. It fills at most four words, its
//! length in the last byte. For a longer one stands its keyed hash of 128 bits ([`Seeds::digest`]), so that no entry
//! takes more than [`MOST_WORDS`], however long it is.

use crate::seeds::Seeds;
use crate::sync::{AtomicU64, Ordering};

/// The most words of a record.
pub(crate) const MOST_WORDS: usize = 4;
/// The longest text that is kept whole.
pub(crate) const LONGEST_TEXT: usize = MOST_WORDS * WORD - 1;

const WORD: usize = size_of::<u64>();
/// Stands in the place of a length where the record is a hash. No text has it.
const HASHED: u64 = 0xff;
/// How far up the last byte of a word is.
const LAST_BYTE: u32 = u64::BITS - u8::BITS;

/// The number of words that the record of a text of this length has.
#[inline]
pub(crate) fn words_for(length: usize) -> usize {
    match length {
        0..=LONGEST_TEXT => length / WORD + 1,
        _ => 3,
    }
}

/// The words of a record; those past its end are 0.
#[inline]
pub(crate) fn record(text: &[u8], seeds: &Seeds) -> [u64; MOST_WORDS] {
    if text.len() > LONGEST_TEXT {
        return hashed(text, seeds);
    }
    let mut words = [0; MOST_WORDS];
    let mut filled = words.iter_mut();
    let mut chunks = text.chunks_exact(WORD);
    for (word, chunk) in filled.by_ref().zip(&mut chunks) {
        *word = chunk.first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk));
    }
    let rest = chunks.remainder();
    let last = words.get_mut(text.len() / WORD);
    if let Some(last) = last {
        *last = rest_of(text, rest) | (text.len() as u64) << LAST_BYTE;
    }
    words
}

/// Whether these words, which are as many as the record of the text has, are that record under the mask. The words of the
/// text are compared as they come, without a record of them.
#[inline]
pub(crate) fn is_record(kept: &[AtomicU64], text: &[u8], seeds: &Seeds) -> bool {
    let Some((last, whole)) = kept.split_last().filter(|_| text.len() <= LONGEST_TEXT) else {
        return is_hash(kept, text, seeds);
    };
    let mask = seeds.mask();
    let is_same = |kept: &AtomicU64, word: u64| kept.load(Ordering::Relaxed) ^ mask == word;
    let mut chunks = text.chunks_exact(WORD);
    for kept in whole {
        let word = chunks.next().and_then(<[u8]>::first_chunk);
        if !word.is_some_and(|word| is_same(kept, u64::from_le_bytes(*word))) {
            return false;
        }
    }
    is_same(
        last,
        rest_of(text, chunks.remainder()) | (text.len() as u64) << LAST_BYTE,
    )
}

#[inline(never)]
fn is_hash(kept: &[AtomicU64], text: &[u8], seeds: &Seeds) -> bool {
    let mask = seeds.mask();
    let words = hashed(text, seeds);
    let is_same = |(kept, word): (&AtomicU64, u64)| kept.load(Ordering::Relaxed) ^ mask == word;
    kept.iter().zip(words).all(is_same)
}

/// The last bytes of a text, fewer than a word, as the lowest bytes of a word.
#[inline]
fn rest_of(text: &[u8], rest: &[u8]) -> u64 {
    match (text.last_chunk(), rest.len()) {
        (_, 0) => 0,
        // The word that ends with them; those before them are shifted out.
        (Some(last), length) => u64::from_le_bytes(*last) >> (u64::BITS - u8::BITS * length as u32),
        (None, _) => rest
            .iter()
            .rev()
            .fold(0, |word, byte| word << u8::BITS | u64::from(*byte)),
    }
}

#[inline(never)]
fn hashed(text: &[u8], seeds: &Seeds) -> [u64; MOST_WORDS] {
    let [one, other] = seeds.digest(text);
    [one, other, HASHED << LAST_BYTE, 0]
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn seeds() -> Seeds {
        Seeds::of_build([1, 2, 3, 4], 1)
    }

    #[test]
    fn a_short_text_can_be_told_from_its_record() {
        for length in 0..=LONGEST_TEXT {
            let text: Vec<u8> = (1..=length as u8).collect();
            let words = record(&text, &seeds());
            let used = words_for(length);
            let bytes: Vec<u8> = words[..used].iter().flat_map(|word| word.to_le_bytes()).collect();
            assert_eq!(
                (&bytes[..length], usize::from(bytes[used * WORD - 1])),
                (&text[..], length)
            );
            assert!(words[used..].iter().all(|word| *word == 0));
        }
    }

    #[test]
    fn texts_that_differ_have_records_that_differ() {
        let mut texts = HashSet::new();
        for length in 0..100 {
            for byte in [0, 1, b'a', 0xff] {
                texts.insert(vec![byte; length]);
                texts.insert([vec![b'b'; length], vec![byte]].concat());
            }
        }
        let records: HashSet<_> = texts
            .iter()
            .map(|text| (words_for(text.len()), record(text, &seeds())))
            .collect();
        assert_eq!(records.len(), texts.len());
    }

    /// In a table other texts hardly ever come to be compared, as their marks differ.
    #[test]
    fn a_text_has_its_own_record_and_no_other_text_of_its_words_has() {
        for length in 0..=LONGEST_TEXT + 9 {
            let text: Vec<u8> = (1..=length as u8).collect();
            let kept: Vec<_> = record(&text, &seeds())[..words_for(length)]
                .iter()
                .map(|word| AtomicU64::new(word ^ seeds().mask()))
                .collect();
            assert!(is_record(&kept, &text, &seeds()), "{length}");
            for place in 0..length {
                let mut other = text.clone();
                other[place] ^= 1;
                assert!(!is_record(&kept, &other, &seeds()), "{length}: {place}");
            }
            let longer = [&text[..], b"\0"].concat();
            if words_for(longer.len()) == kept.len() {
                assert!(!is_record(&kept, &longer, &seeds()), "{length}");
            }
        }
    }

    #[test]
    fn a_long_text_takes_three_words() {
        for length in [LONGEST_TEXT + 1, 100, 10_000] {
            let text = vec![b'a'; length];
            let [one, other, last, none] = record(&text, &seeds());
            assert_eq!([one, other], seeds().digest(&text));
            assert_eq!((last, none, words_for(length)), (0xff << 56, 0, 3));
        }
    }
}
