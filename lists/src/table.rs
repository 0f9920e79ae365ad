//! The table of entries: which texts are in a list.
//!
//! It is a hash table with open addressing, in buckets of four slots. A slot has a mark of 16 bits, which says whether it is
//! taken and tells most entries apart, and the place of its record. The marks of a bucket are one word, and are compared at
//! once. An entry is in the bucket that its hash names, or in the first one after that which was not full yet: a bucket
//! with a free slot ends each look-up. Everything is counted from the beginning of the table, so that it may lie at another
//! address in each process.

use cors_policy::ListRisks;

use crate::record::{is_record, record, words_for, MOST_WORDS};
use crate::seeds::Seeds;
use crate::sync::{AtomicU64, Ordering};

/// The slots of a bucket, whose marks share a word.
const SLOTS: usize = 4;
const MARK_BITS: usize = u64::BITS as usize / SLOTS;
/// The slots whose places share a word.
const PLACES: usize = 2;
const PLACE_BITS: usize = u64::BITS as usize / PLACES;
/// The words of a bucket: one with its marks, then those with its places.
const BUCKET_WORDS: usize = 1 + SLOTS / PLACES;

/// The bits of a mark, from the lowest: the risks, what the text is ([`Kind`]), the number of words less one, and eight
/// bits of the hash, which are never 0, as all bits of a free slot are.
const KIND_SHIFT: u32 = ListRisks::BITS;
const WORDS_SHIFT: u32 = KIND_SHIFT + 2;
const TAG_SHIFT: u32 = WORDS_SHIFT + 2;
const RISKS: u64 = (1 << KIND_SHIFT) - 1;
const TAG: u64 = 0xff;
const MARK: u64 = (1 << MARK_BITS) - 1;
/// The lowest bit of each mark of a bucket. The product with a mark is four times that mark.
const EACH: u64 = u64::MAX / MARK;

const _: () = assert!(TAG_SHIFT as usize + 8 == MARK_BITS && MOST_WORDS <= 4);

/// What a text is. Texts of different kinds are different entries, though their bytes be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind(u64);

impl Kind {
    /// The bytes of an `Origin` header.
    pub(crate) const EXACT: Self = Self(0);
    /// A pattern.
    pub(crate) const PATTERN: Self = Self(1);

    /// The same, of which `https://` was left out.
    #[inline]
    pub(crate) fn without_https(self) -> Self {
        Self(self.0 | 2)
    }
}

/// How large a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// The number of buckets.
    pub(crate) buckets: usize,
    /// The words of all records.
    pub(crate) records: usize,
}

impl Size {
    /// The words that a table has.
    pub(crate) fn words(self) -> usize {
        self.buckets * BUCKET_WORDS + self.records
    }

    /// A table for so many entries that has forty bytes for each, as far as there is room: what their records leave of
    /// that is for free slots, which make look-ups of what is not listed short.
    pub(crate) fn of(entries: usize, records: usize, room: usize) -> Option<Self> {
        const WORDS_OF_AN_ENTRY: usize = 5;
        let least = Self::least(entries, records);
        let left = room.min(entries * WORDS_OF_AN_ENTRY).saturating_sub(records);
        // With twice as many slots as entries hardly any bucket is full.
        let most = 2 * entries / SLOTS + 1;
        let size = Self {
            buckets: (left / BUCKET_WORDS).min(most).max(least.buckets),
            records,
        };
        (least.words() <= room).then_some(size)
    }

    /// The smallest that there is for so many entries: of five slots one is free. With less than that, a look-up of what
    /// is not listed passes many full buckets: 12 if one of ten is free, and 4 here.
    pub(crate) fn least(entries: usize, records: usize) -> Self {
        let buckets = (entries + entries / 4) / SLOTS + 1;
        Self { buckets, records }
    }
}

/// A text that is looked for or put into the table.
#[derive(Clone, Copy)]
struct Sought {
    hash: u64,
    /// The mark that it has, without risks.
    mark: u64,
}

impl Sought {
    #[inline]
    fn new(text: &[u8], kind: Kind, seeds: &Seeds) -> Self {
        let hash = seeds.place(text);
        let words = words_for(text.len()) as u64 - 1;
        // The upper bits of the hash are for the bucket.
        let tag = (hash & TAG).max(1);
        Self {
            hash,
            mark: tag << TAG_SHIFT | words << WORDS_SHIFT | kind.0 << KIND_SHIFT,
        }
    }

    #[inline]
    fn first_bucket(&self, buckets: usize) -> usize {
        ((u128::from(self.hash) * buckets as u128) >> u64::BITS) as usize
    }

    /// The slots of a bucket with these marks in which the text may be.
    #[inline]
    fn slots(&self, marks: u64) -> impl Iterator<Item = usize> {
        slots(zeros((marks & !(RISKS * EACH)) ^ (self.mark * EACH)))
    }
}

/// The highest bit of each of four marks that is 0. A mark of 1 above one of 0 is taken for 0, too.
#[inline]
fn zeros(marks: u64) -> u64 {
    const HIGHEST: u64 = EACH << (MARK_BITS - 1);
    marks.wrapping_sub(EACH) & !marks & HIGHEST
}

/// The slots in whose marks a bit is set, the first one first.
#[inline]
fn slots(mut bits: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let slot = bits.trailing_zeros() as usize / MARK_BITS;
        bits = (bits != 0).then(|| bits & (bits - 1))?;
        Some(slot)
    })
}

/// Four slots.
#[derive(Clone, Copy)]
struct Bucket<'m>(&'m [AtomicU64; BUCKET_WORDS]);

impl Bucket<'_> {
    #[inline]
    fn marks(self) -> u64 {
        let [marks, ..] = self.0;
        marks.load(Ordering::Relaxed)
    }

    /// The place of the record of a slot.
    #[inline]
    fn place(self, slot: usize) -> usize {
        let [_, places @ ..] = self.0;
        let word = places.get(slot / PLACES);
        let word = word.map_or(0, |word| word.load(Ordering::Relaxed));
        (word >> (slot % PLACES * PLACE_BITS) & ((1 << PLACE_BITS) - 1)) as usize
    }

    /// Takes a slot for an entry.
    fn take(self, slot: usize, mark: u64, place: u32) {
        let [marks, places @ ..] = self.0;
        if let Some(word) = places.get(slot / PLACES) {
            put(word, slot % PLACES * PLACE_BITS, PLACE_BITS, u64::from(place));
        }
        put(marks, slot * MARK_BITS, MARK_BITS, mark);
    }
}

/// Writes a value into some bits of a word that it shares with others.
fn put(word: &AtomicU64, shift: usize, bits: usize, value: u64) {
    let others = word.load(Ordering::Relaxed) & !(((1 << bits) - 1) << shift);
    word.store(others | value << shift, Ordering::Relaxed);
}

/// Where a look-up ends.
enum Found<'m> {
    /// The text is in the table, with this mark.
    Entry(u64),
    /// It is not; this slot would be its own.
    Free(Bucket<'m>, usize),
}

/// A table in memory that may change while it is looked at: what is found in it then is wrong, and nothing else happens.
#[derive(Clone, Copy)]
pub(crate) struct Table<'m> {
    /// The number of buckets.
    count: usize,
    buckets: &'m [AtomicU64],
    records: &'m [AtomicU64],
    seeds: Seeds,
}

impl<'m> Table<'m> {
    /// The table of so many buckets in these words; `None` if they are too few for it.
    #[inline]
    pub(crate) fn new(words: &'m [AtomicU64], count: usize, seeds: Seeds) -> Option<Self> {
        let (buckets, records) = words.split_at_checked(count.checked_mul(BUCKET_WORDS)?)?;
        Some(Self {
            count,
            buckets,
            records,
            seeds,
        })
    }

    /// Whether the text is in the table, and with none of the risks that are `ignored`.
    #[inline]
    pub(crate) fn holds(&self, text: &[u8], kind: Kind, ignored: ListRisks) -> bool {
        let found = self.find(text, Sought::new(text, kind, &self.seeds));
        matches!(found, Some(Found::Entry(mark)) if mark & u64::from(ignored.bits()) == 0)
    }

    /// Where the text is, or would be; `None` if it is not in the table, and there is no free slot.
    #[inline]
    fn find(&self, text: &[u8], sought: Sought) -> Option<Found<'m>> {
        let mut number = sought.first_bucket(self.count);
        for _ in 0..self.count {
            let bucket = self.bucket(number)?;
            let marks = bucket.marks();
            for slot in sought.slots(marks) {
                if is_record_at(self.records, bucket.place(slot), text, self.seeds) {
                    return Some(Found::Entry(marks >> (slot * MARK_BITS) & MARK));
                }
            }
            if let Some(slot) = slots(zeros(marks)).next() {
                return Some(Found::Free(bucket, slot));
            }
            number = if number + 1 < self.count { number + 1 } else { 0 };
        }
        None
    }

    #[inline]
    fn bucket(&self, number: usize) -> Option<Bucket<'m>> {
        self.buckets.get(number * BUCKET_WORDS..)?.first_chunk().map(Bucket)
    }
}

/// Whether the record of the text is at this place. Hardly any look-up compares more than one, and most of those of what is
/// not listed none: so it is apart, and its arguments need no place in memory where it is not called.
#[inline(never)]
fn is_record_at(records: &[AtomicU64], place: usize, text: &[u8], seeds: Seeds) -> bool {
    let words = words_for(text.len());
    let kept = records.get(place..).and_then(|rest| rest.get(..words));
    kept.is_some_and(|kept| is_record(kept, text, &seeds))
}

/// Fills a table that no one reads.
pub(crate) struct Filling<'m> {
    table: Table<'m>,
    /// The words of records so far.
    used: usize,
    entries: usize,
    most_entries: usize,
}

/// There are more entries, or longer ones, than the table was made for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl<'m> Filling<'m> {
    /// Makes an empty table of this size for at most so many entries.
    pub(crate) fn new(words: &'m [AtomicU64], size: Size, most_entries: usize, seeds: Seeds) -> Option<Self> {
        let table = Table::new(words.get(..size.words())?, size.buckets, seeds)?;
        for Bucket([marks, ..]) in (0..size.buckets).filter_map(|number| table.bucket(number)) {
            marks.store(0, Ordering::Relaxed);
        }
        Some(Self {
            table,
            used: 0,
            entries: 0,
            most_entries,
        })
    }

    /// The number of different entries.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// Puts a text into the table. One that is there already, of the same kind, stays there once.
    pub(crate) fn insert(&mut self, text: &[u8], kind: Kind, risks: ListRisks) -> Result<(), Full> {
        let table = &self.table;
        let sought = Sought::new(text, kind, &table.seeds);
        // Only a build that took over while this one was asleep can have filled the table.
        let (bucket, slot) = match table.find(text, sought).ok_or(Full)? {
            Found::Entry(_) => return Ok(()),
            Found::Free(bucket, slot) => (bucket, slot),
        };
        if self.entries == self.most_entries {
            return Err(Full);
        }
        let words = words_for(text.len());
        let room = table
            .records
            .get(self.used..)
            .and_then(|rest| rest.get(..words))
            .ok_or(Full)?;
        for (word, value) in room.iter().zip(record(text, &table.seeds)) {
            word.store(value ^ table.seeds.mask(), Ordering::Relaxed);
        }
        let place = u32::try_from(self.used).map_err(|_| Full)?;
        bucket.take(slot, sought.mark | u64::from(risks.bits()), place);
        self.used += words;
        self.entries += 1;
        Ok(())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn seeds() -> Seeds {
        Seeds::of_build([1, 2, 3, 4], 1)
    }

    fn words(number: usize) -> Vec<AtomicU64> {
        // What was there before must not matter.
        (0..number).map(|_| AtomicU64::new(u64::MAX)).collect()
    }

    fn size_of_all(texts: &[String]) -> Size {
        let records = texts.iter().map(|text| words_for(text.len())).sum();
        Size::of(texts.len(), records, usize::MAX).unwrap()
    }

    fn fill<'m>(memory: &'m [AtomicU64], size: Size, texts: &[String]) -> Table<'m> {
        let mut filling = Filling::new(memory, size, texts.len(), seeds()).unwrap();
        for text in texts {
            filling.insert(text.as_bytes(), Kind::EXACT, ListRisks::NONE).unwrap();
        }
        assert_eq!(filling.entries(), texts.len());
        filling.table
    }

    #[test]
    fn what_was_put_in_is_found_and_nothing_else() {
        let texts: Vec<_> = (0..10_000).map(|n| format!("tenant-{n}.example")).collect();
        let records = texts.iter().map(|text| words_for(text.len())).sum();
        for size in [size_of_all(&texts), Size::least(texts.len(), records)] {
            let memory = words(size.words());
            let table = fill(&memory, size, &texts);
            for text in &texts {
                assert!(table.holds(text.as_bytes(), Kind::EXACT, ListRisks::NONE), "{text}");
                assert!(!table.holds(text.as_bytes(), Kind::PATTERN, ListRisks::NONE), "{text}");
                assert!(
                    !table.holds(text.as_bytes(), Kind::EXACT.without_https(), ListRisks::NONE),
                    "{text}"
                );
                let stranger = format!("{text}.evil");
                assert!(
                    !table.holds(stranger.as_bytes(), Kind::EXACT, ListRisks::NONE),
                    "{stranger}"
                );
            }
        }
    }

    #[test]
    fn what_finds_its_bucket_full_is_found_in_a_later_one_though_that_be_the_first_of_all() {
        // Where the texts belong is a matter of their hashes: of so many tables some have their last bucket full too early.
        for first in 0..20 {
            let texts: Vec<_> = (first..first + 12).map(|n| format!("tenant-{n}.example")).collect();
            let records = texts.iter().map(|text| words_for(text.len())).sum();
            let size = Size { buckets: 3, records };
            let memory = words(size.words());
            // All slots are taken.
            let table = fill(&memory, size, &texts);
            for text in &texts {
                assert!(table.holds(text.as_bytes(), Kind::EXACT, ListRisks::NONE), "{text}");
            }
            assert!(!table.holds(b"tenant-99.example", Kind::EXACT, ListRisks::NONE));
        }
    }

    #[test]
    fn marks_of_0_are_found_at_once() {
        for free in 0..1 << SLOTS {
            let is_free = |slot: &usize| free >> slot & 1 != 0;
            // But for 1, which no mark is.
            for taken in [2, 0x100, 0x7fff, 0x8000, MARK] {
                let marks = (0..SLOTS).filter(|slot| !is_free(slot));
                let marks = marks.fold(0, |marks, slot| marks | taken << (slot * MARK_BITS));
                let found: Vec<_> = slots(zeros(marks)).collect();
                assert_eq!(found, (0..SLOTS).filter(is_free).collect::<Vec<_>>(), "{marks:x}");
            }
        }
    }

    #[test]
    fn neighbours_in_memory_do_not_join() {
        // With the first record and what comes of the second the words of this text would be in the memory.
        let texts = ["foo.exa".to_owned(), "bar.exa".to_owned()];
        let size = size_of_all(&texts);
        let memory = words(size.words());
        let table = fill(&memory, size, &texts);
        for stranger in [
            &b"foo.exa\x07bar.exa"[..],
            b"foo.exabar.exa",
            b"bar.exa\x07foo.exa",
            b"foo.exa\0",
        ] {
            assert!(!table.holds(stranger, Kind::EXACT, ListRisks::NONE));
        }
    }

    #[test]
    fn an_entry_with_a_risk_that_is_ignored_is_not_found() {
        let size = Size::of(2, 8, usize::MAX).unwrap();
        let memory = words(size.words());
        let mut filling = Filling::new(&memory, size, 2, seeds()).unwrap();
        let risks = ListRisks::INSECURE | ListRisks::SHARED_NAME;
        filling.insert(b"http://*.co.uk", Kind::PATTERN, risks).unwrap();
        let holds = |ignored| filling.table.holds(b"http://*.co.uk", Kind::PATTERN, ignored);
        assert!(holds(ListRisks::NONE) && holds(ListRisks::FILE | ListRisks::ANY_HOST));
        assert!(!holds(ListRisks::INSECURE) && !holds(ListRisks::SHARED_NAME));
    }

    #[test]
    fn a_second_time_takes_no_room() {
        let size = Size::of(1, 1, usize::MAX).unwrap();
        let memory = words(size.words());
        let mut filling = Filling::new(&memory, size, 1, seeds()).unwrap();
        for _ in 0..3 {
            assert_eq!(filling.insert(b"a", Kind::EXACT, ListRisks::NONE), Ok(()));
        }
        assert_eq!(filling.entries(), 1);
        assert_eq!(filling.insert(b"b", Kind::EXACT, ListRisks::NONE), Err(Full));
    }

    #[test]
    fn a_table_that_another_build_has_filled_is_full() {
        let size = Size::of(2, 8, usize::MAX).unwrap();
        let memory = words(size.words());
        let mut filling = Filling::new(&memory, size, 2, seeds()).unwrap();
        memory.iter().for_each(|word| word.store(u64::MAX, Ordering::Relaxed));
        assert_eq!(filling.insert(b"a", Kind::EXACT, ListRisks::NONE), Err(Full));
    }

    #[test]
    fn more_or_longer_entries_than_were_counted_are_refused() {
        let size = Size::of(2, 3, usize::MAX).unwrap();
        let memory = words(size.words());
        let mut filling = Filling::new(&memory, size, 2, seeds()).unwrap();
        let long = [b'a'; 20];
        assert_eq!(filling.insert(&long, Kind::EXACT, ListRisks::NONE), Ok(()));
        assert_eq!(filling.insert(b"b", Kind::EXACT, ListRisks::NONE), Err(Full));
    }

    #[test]
    fn a_table_has_free_slots_and_at_most_forty_bytes_an_entry() {
        for entries in [0, 1, 2, 3, 10, 1_000_000] {
            let records = entries * MOST_WORDS;
            let size = Size::of(entries, records, usize::MAX).unwrap();
            assert!(size.buckets * SLOTS > entries);
            assert!(size.words() * 8 <= entries * 40 + 64, "{entries}");
            let least = Size::least(entries, records);
            assert!(least.buckets * SLOTS > entries && least.words() <= size.words());
            assert_eq!(Size::of(entries, records, least.words()), Some(least));
            assert_eq!(Size::of(entries, records, least.words() - 1), None);
        }
    }

    #[test]
    fn a_table_of_nothing_and_one_of_any_words_end_every_look_up() {
        let memory = words(1000);
        for buckets in [0, 1, 3, 100, 1000] {
            if let Some(table) = Table::new(&memory, buckets, seeds()) {
                assert!(!table.holds(b"a", Kind::EXACT, ListRisks::NONE));
            }
        }
        assert!(Table::new(&memory, usize::MAX, seeds()).is_none());
    }
}
