//! What there is to know of a file once all of it has been read.

use core::fmt;

use cors_policy::{ListRisks, PatternShapes};

use crate::table::Size;
use crate::words::Format;

/// The words of a digest.
pub(crate) const DIGEST_WORDS: usize = 4;
const WORD: usize = size_of::<u64>();
/// So many bytes of a digest are shown.
const SHOWN: usize = 8;

/// The SHA-256 of a file. It is shown as the first 16 digits of what `sha256sum` says of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub(crate) [u8; DIGEST_WORDS * WORD]);

impl Digest {
    /// All of its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn to_words(self) -> [u64; DIGEST_WORDS] {
        let mut words = [0; DIGEST_WORDS];
        for (word, bytes) in words.iter_mut().zip(self.0.chunks_exact(WORD)) {
            *word = bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        }
        words
    }

    pub(crate) fn from_words(words: [u64; DIGEST_WORDS]) -> Self {
        let mut bytes = [0; DIGEST_WORDS * WORD];
        for (to, word) in bytes.chunks_exact_mut(WORD).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(SHOWN).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The entries that a policy may have to ignore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskyEntries {
    /// By risk: how many entries have it, and the line of the first.
    each: [(u64, u64); ListRisks::EACH.len()],
}

impl RiskyEntries {
    /// By risk, those that are in `ignored`: the risk, how many entries have it, and the line of the first.
    pub fn iter(&self, ignored: ListRisks) -> impl Iterator<Item = (ListRisks, u64, u64)> + '_ {
        let risks = ListRisks::EACH.into_iter().zip(self.each);
        risks
            .filter(move |(risk, (count, _))| *count > 0 && risk.intersects(ignored))
            .map(|(risk, (count, line))| (risk, count, line))
    }

    pub(crate) fn add(&mut self, risks: ListRisks, line: u64) {
        for (risk, (count, first)) in ListRisks::EACH.into_iter().zip(&mut self.each) {
            if risk.intersects(risks) {
                if *count == 0 {
                    *first = line;
                }
                *count += 1;
            }
        }
    }

    pub(crate) fn each(&self) -> [(u64, u64); ListRisks::EACH.len()] {
        self.each
    }

    pub(crate) fn from_each(each: [(u64, u64); ListRisks::EACH.len()]) -> Self {
        Self { each }
    }
}

/// A file in which nothing is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub(crate) format: Format,
    /// The number of entries, those that are there twice counted twice.
    pub(crate) entries: usize,
    /// The words of their records.
    pub(crate) records: usize,
    pub(crate) shapes: PatternShapes,
    pub(crate) digest: Digest,
    pub(crate) risky: RiskyEntries,
}

impl Checked {
    /// The number of entries, those that are there twice counted twice.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// The digest of the file.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The entries that a policy may have to ignore.
    pub fn risky(&self) -> RiskyEntries {
        self.risky
    }

    /// The smallest table that has room for all entries, in words.
    pub(crate) fn least_room(&self) -> usize {
        Size::least(self.entries, self.records).words()
    }

    pub(crate) fn size(&self, room: usize) -> Option<Size> {
        Size::of(self.entries, self.records, room)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_shown_as_the_beginning_of_what_sha256sum_shows() {
        let bytes = core::array::from_fn(|number| number as u8 + 0xa0);
        let digest = Digest(bytes);
        assert_eq!(digest.to_string(), "a0a1a2a3a4a5a6a7");
        assert_eq!(Digest::from_words(digest.to_words()), digest);
    }

    #[test]
    fn the_first_line_of_each_risk_is_remembered() {
        let mut risky = RiskyEntries::default();
        risky.add(ListRisks::NONE, 1);
        risky.add(ListRisks::INSECURE, 2);
        risky.add(ListRisks::INSECURE | ListRisks::FILE, 3);
        let ignored = ListRisks::INSECURE | ListRisks::FILE | ListRisks::SHARED_NAME;
        let seen: Vec<_> = risky.iter(ignored).collect();
        assert_eq!(seen, [(ListRisks::INSECURE, 2, 2), (ListRisks::FILE, 1, 3)]);
        assert_eq!(risky.iter(ListRisks::SHARED_NAME).count(), 0);
    }
}
