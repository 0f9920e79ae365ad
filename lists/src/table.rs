//! The table of entries: which texts are in a list.
//!
//! It is a hash table with open addressing. A slot has a mark of 16 bits, which says whether it is taken and tells most
//! entries apart, and the place of its record. Everything is counted from the beginning of the table, so that it may lie
//! at another address in each process.

use cors_policy::ListRisks;

use crate::record::{is_record, record, words_for, MOST_WORDS};
use crate::seeds::Seeds;
use crate::sync::{AtomicU64, Ordering};

/// The slots whose marks share a word.
const MARKS: usize = 4;
const MARK_BITS: usize = u64::BITS as usize / MARKS;
/// The slots whose places share a word.
const PLACES: usize = 2;
const PLACE_BITS: usize = u64::BITS as usize / PLACES;

/// The bits of a mark, from the lowest: the risks, what the text is ([`Kind`]), the number of words less one, and eight
/// bits of the hash, which are never 0, as all bits of a free slot are.
const KIND_SHIFT: u32 = ListRisks::BITS;
const WORDS_SHIFT: u32 = KIND_SHIFT + 2;
const TAG_SHIFT: u32 = WORDS_SHIFT + 2;
const RISKS: u64 = (1 << KIND_SHIFT) - 1;
const TAG: u64 = 0xff;

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
    /// The number of slots.
    pub(crate) slots: usize,
    /// The words of all records.
    pub(crate) records: usize,
}

impl Size {
    /// The words that a table has.
    pub(crate) fn words(self) -> usize {
        self.slots.div_ceil(MARKS) + self.slots.div_ceil(PLACES) + self.records
    }

    /// A table for so many entries that has forty bytes for each, as far as there is room: what their records leave of
    /// that is for free slots, which make look-ups of what is not listed short.
    pub(crate) fn of(entries: usize, records: usize, room: usize) -> Option<Self> {
        [Self::roomy(entries, records), Self::tight(entries, records)]
            .into_iter()
            .find(|size| size.words() <= room)
    }

    fn roomy(entries: usize, records: usize) -> Self {
        const WORDS_OF_AN_ENTRY: usize = 5;
        // A slot has 3/4 of a word: its mark and its place.
        let slots = (entries * WORDS_OF_AN_ENTRY).saturating_sub(records) * 4 / 3;
        Self {
            slots: slots.clamp(entries + entries / 3, 2 * entries) + 1,
            records,
        }
    }

    /// The smallest that there is for so many entries.
    pub(crate) fn tight(entries: usize, records: usize) -> Self {
        let slots = entries + entries / 9 + 1;
        Self { slots, records }
    }
}

/// A text that is looked for or put into the table.
#[derive(Clone, Copy)]
struct Sought {
    place: u64,
    /// The mark that it has, without risks.
    mark: u64,
}

impl Sought {
    #[inline]
    fn new(text: &[u8], kind: Kind, seeds: &Seeds) -> Self {
        let hash = seeds.place(text);
        let words = words_for(text.len()) as u64 - 1;
        // The upper bits of the hash are for the slot.
        let tag = (hash & TAG).max(1);
        Self {
            place: hash,
            mark: tag << TAG_SHIFT | words << WORDS_SHIFT | kind.0 << KIND_SHIFT,
        }
    }

    #[inline]
    fn first_slot(&self, slots: usize) -> usize {
        ((u128::from(self.place) * slots as u128) >> u64::BITS) as usize
    }
}

/// A table in memory that may change while it is looked at: what is found in it then is wrong, and nothing else happens.
#[derive(Clone, Copy)]
pub(crate) struct Table<'m> {
    slots: usize,
    marks: &'m [AtomicU64],
    places: &'m [AtomicU64],
    records: &'m [AtomicU64],
    seeds: Seeds,
}

impl<'m> Table<'m> {
    /// The table of so many slots in these words; `None` if they are too few for it.
    #[inline]
    pub(crate) fn new(words: &'m [AtomicU64], slots: usize, seeds: Seeds) -> Option<Self> {
        let (marks, rest) = words.split_at_checked(slots.div_ceil(MARKS))?;
        let (places, records) = rest.split_at_checked(slots.div_ceil(PLACES))?;
        Some(Self {
            slots,
            marks,
            places,
            records,
            seeds,
        })
    }

    /// Whether the text is in the table, and with none of the risks that are `ignored`.
    #[inline]
    pub(crate) fn holds(&self, text: &[u8], kind: Kind, ignored: ListRisks) -> bool {
        let sought = Sought::new(text, kind, &self.seeds);
        let mut slot = sought.first_slot(self.slots);
        for _ in 0..self.slots {
            let mark = self.mark(slot);
            if mark == 0 {
                return false;
            }
            if mark & !RISKS == sought.mark && self.is_record_of(slot, text) {
                return mark & u64::from(ignored.bits()) == 0;
            }
            slot = self.after(slot);
        }
        false
    }

    #[inline]
    fn after(&self, slot: usize) -> usize {
        if slot + 1 < self.slots {
            slot + 1
        } else {
            0
        }
    }

    /// The mark of a slot; past the end of the table there are none.
    #[inline]
    fn mark(&self, slot: usize) -> u64 {
        let word = self.marks.get(slot / MARKS);
        let word = word.map_or(0, |word| word.load(Ordering::Relaxed));
        word >> (slot % MARKS * MARK_BITS) & ((1 << MARK_BITS) - 1)
    }

    #[inline]
    fn is_record_of(&self, slot: usize, text: &[u8]) -> bool {
        let place = self.places.get(slot / PLACES);
        let place = place.map_or(0, |word| word.load(Ordering::Relaxed));
        let place = place >> (slot % PLACES * PLACE_BITS) & ((1 << PLACE_BITS) - 1);
        let words = words_for(text.len());
        let Some(kept) = self.records.get(place as usize..).and_then(|rest| rest.get(..words)) else {
            return false;
        };
        is_record(kept, text, &self.seeds)
    }
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
        let table = Table::new(words.get(..size.words())?, size.slots, seeds)?;
        for word in table.marks {
            word.store(0, Ordering::Relaxed);
        }
        Some(Self {
            table,
            used: 0,
            entries: 0,
            most_entries: most_entries.min(size.slots.saturating_sub(1)),
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
        let first = sought.first_slot(table.slots);
        // Only a build that took over while this one was asleep can have filled the table.
        let slots = core::iter::successors(Some(first), |slot| Some(table.after(*slot))).take(table.slots);
        let mut free = None;
        for slot in slots {
            let mark = table.mark(slot);
            if mark == 0 {
                free = Some(slot);
                break;
            }
            if mark & !RISKS == sought.mark && table.is_record_of(slot, text) {
                return Ok(());
            }
        }
        let slot = free.ok_or(Full)?;
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
        put(table.places, slot, PLACES, u64::from(place));
        put(table.marks, slot, MARKS, sought.mark | u64::from(risks.bits()));
        self.used += words;
        self.entries += 1;
        Ok(())
    }
}

/// Writes the value of a slot into the word that it shares with others.
fn put(words: &[AtomicU64], slot: usize, of_a_word: usize, value: u64) {
    if let Some(word) = words.get(slot / of_a_word) {
        let bits = u64::BITS as usize / of_a_word;
        let shift = slot % of_a_word * bits;
        let others = word.load(Ordering::Relaxed) & !(((1 << bits) - 1) << shift);
        word.store(others | value << shift, Ordering::Relaxed);
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
        for size in [size_of_all(&texts), Size::tight(texts.len(), records)] {
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
        filling
            .table
            .marks
            .iter()
            .for_each(|word| word.store(u64::MAX, Ordering::Relaxed));
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
            assert!(size.slots > entries);
            assert!(size.words() * 8 <= entries * 40 + 64, "{entries}");
            let tight = Size::tight(entries, records);
            assert!(tight.slots > entries && tight.words() <= size.words());
            assert_eq!(Size::of(entries, records, tight.words()), Some(tight));
            assert_eq!(Size::of(entries, records, tight.words() - 1), None);
        }
    }

    #[test]
    fn a_table_of_nothing_and_one_of_any_words_end_every_look_up() {
        let memory = words(1000);
        for slots in [0, 1, 3, 100, 1000] {
            if let Some(table) = Table::new(&memory, slots, seeds()) {
                assert!(!table.holds(b"a", Kind::EXACT, ListRisks::NONE));
            }
        }
        assert!(Table::new(&memory, usize::MAX, seeds()).is_none());
    }
}
