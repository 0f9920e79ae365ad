//! One half of a zone: a table of entries, and what there is to know of it.

use cors_policy::{ListRisks, PatternShapes};

use crate::checked::{Checked, Digest, RiskyEntries, DIGEST_WORDS};
use crate::seeds::Seeds;
use crate::sync::{AtomicU64, Ordering};
use crate::table::Table;

/// Every look-up reads these; the table is found by them.
const BUCKETS: usize = 0;
const SHAPES: usize = 1;
const ENTRIES: usize = SHAPES + PatternShapes::WORDS;
const GENERATION: usize = ENTRIES + 1;
const READ_AT: usize = GENERATION + 1;
const DIGEST: usize = READ_AT + 1;
const RISKY: usize = DIGEST + DIGEST_WORDS;
/// The words before the table.
pub(crate) const HEADER: usize = RISKY + 2 * ListRisks::EACH.len();

/// A half of the memory.
#[derive(Clone, Copy)]
pub(crate) struct Half<'m> {
    header: &'m [AtomicU64; HEADER],
    table: &'m [AtomicU64],
}

/// What there is to know of a list that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The number of different entries.
    pub entries: u64,
    /// How many lists have been served, with this one.
    pub generation: u64,
    /// When the file was read, in seconds since 1970.
    pub read_at: u64,
    /// The digest of the file.
    pub digest: Digest,
    /// The entries that a policy may have to ignore.
    pub risky: RiskyEntries,
}

impl<'m> Half<'m> {
    #[inline]
    pub(crate) fn new(words: &'m [AtomicU64]) -> Option<Self> {
        let (header, table) = words.split_first_chunk()?;
        Some(Self { header, table })
    }

    /// The words that a table may have.
    pub(crate) fn room(&self) -> usize {
        self.table.len()
    }

    /// The words of a table to be.
    pub(crate) fn words(&self) -> &'m [AtomicU64] {
        self.table
    }

    /// The table that was built with these secrets. Where the half is being written to it may be none.
    #[inline]
    pub(crate) fn table(&self, seeds: Seeds) -> Option<Table<'m>> {
        let buckets = usize::try_from(self.load(BUCKETS)).ok()?;
        Table::new(self.table, buckets, seeds)
    }

    #[inline]
    pub(crate) fn has_patterns(&self) -> bool {
        self.load(SHAPES) != 0
    }

    /// What patterns the list has.
    pub(crate) fn shapes(&self) -> PatternShapes {
        PatternShapes::from_words(core::array::from_fn(|number| self.load(SHAPES + number)))
    }

    /// Writes all that is known of a list before its table is filled.
    pub(crate) fn describe(&self, checked: &Checked, buckets: usize) {
        self.store(BUCKETS, buckets as u64);
        self.store_all(SHAPES, checked.shapes.words());
        self.store_all(DIGEST, &checked.digest.to_words());
        for (number, (count, line)) in checked.risky.each().into_iter().enumerate() {
            self.store_all(RISKY + 2 * number, &[count, line]);
        }
    }

    /// Writes what is known once the table is filled.
    pub(crate) fn complete(&self, entries: u64, generation: u64, read_at: u64) {
        self.store_all(ENTRIES, &[entries, generation, read_at]);
    }

    /// Writes when the same file was read again.
    pub(crate) fn read_again(&self, at: u64) {
        self.store(READ_AT, at);
    }

    pub(crate) fn served(&self) -> Served {
        let risky = core::array::from_fn(|number| {
            let at = RISKY + 2 * number;
            (self.load(at), self.load(at + 1))
        });
        Served {
            entries: self.load(ENTRIES),
            generation: self.load(GENERATION),
            read_at: self.load(READ_AT),
            digest: Digest::from_words(core::array::from_fn(|number| self.load(DIGEST + number))),
            risky: RiskyEntries::from_each(risky),
        }
    }

    #[inline]
    fn load(&self, at: usize) -> u64 {
        self.header.get(at).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    fn store(&self, at: usize, value: u64) {
        if let Some(word) = self.header.get(at) {
            word.store(value, Ordering::Relaxed);
        }
    }

    fn store_all(&self, from: usize, values: &[u64]) {
        for (word, value) in self.header.iter().skip(from).zip(values) {
            word.store(*value, Ordering::Relaxed);
        }
    }
}
