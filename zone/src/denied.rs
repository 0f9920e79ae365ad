//! The origins that are denied most often.
//!
//! The scheme is Space-Saving (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in
//! Data Streams, ICDT 2005): there is a fixed number of records, and an origin that has none takes over the one with
//! the lowest count, together with that count, which is the most by which its own may be too high. With `m` records
//! and `n` denials, every origin with more than `n / m` of them has a record, whatever is sent in between.
//!
//! The count of a record shares one word, its head, with a part of the origin's hash, so that one instruction takes a
//! record over, or counts a denial for the right origin: the counts add up to the number of denials. The rest is
//! written after that; until it agrees with the head the record has a count, but no origin. If its writer is killed it
//! stays so until it has the lowest count. Two processes may make a record for one origin; they are added up.

use crate::cause::Cause;
use crate::sync::{AtomicU64, Ordering};
use crate::text_cell::{self, TextCell, CELL_HEAD};

use cors_policy::Reason;

/// The words of a record for the origin: 256 bytes hold the longest name of a host with scheme and port.
const ORIGIN: usize = 32;
/// The words for the method or header that was denied.
const DETAIL: usize = 6;

/// The hash of the origin, or 0 while the record is written.
const TAG: usize = 0;
/// The count that the record had when its origin took it over.
const ERROR: usize = 1;
/// The last denial: see [`last_denial`].
const LAST: usize = 2;
const ORIGIN_AT: usize = 3;
const DETAIL_AT: usize = ORIGIN_AT + CELL_HEAD + ORIGIN;
/// The words of a record, apart from its head.
pub(crate) const RECORD: usize = DETAIL_AT + CELL_HEAD + DETAIL;

/// The words that tell, by the hash of an origin, in which record to look for it first.
pub(crate) const HINTS: usize = 256;

/// A head is a count, and above it the mark: a part of the hash.
const COUNT_BITS: u32 = 44;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// How often a denial is tried again when other processes are faster; then it counts for no origin.
const ATTEMPTS: usize = 16;

/// After so many denials a record is read and, if two writers have mixed up its strings, written again.
const CHECKED_AFTER: u64 = 256;

/// The bits of [`last_denial`], from the lowest.
const POLICY_BITS: u32 = 20;
const CAUSE_BITS: u32 = 3;
const ORIGIN_BITS: u32 = 9;
const CAUSE_SHIFT: u32 = POLICY_BITS;
const ORIGIN_SHIFT: u32 = CAUSE_SHIFT + CAUSE_BITS;
const TIME_SHIFT: u32 = ORIGIN_SHIFT + ORIGIN_BITS;

fn low_bits(value: u64, bits: u32) -> u64 {
    value & ((1 << bits) - 1)
}

/// What a record keeps of a policy: the number of its counters and, as those may be given to another policy, a part of
/// its key.
pub(crate) fn policy(number: usize, key: u64) -> u64 {
    const NUMBER_BITS: u32 = 17;
    low_bits(key << NUMBER_BITS | low_bits(number as u64, NUMBER_BITS), POLICY_BITS)
}

/// When and why an origin was denied, and by which policy, in one word. A part of the origin's hash is in it, too: a
/// process that was interrupted may write the word into a record that another origin has taken over in the meantime.
/// The time has 32 bits, which last until 2106.
fn last_denial(tag: u64, now: u64, cause: Cause, policy: u64) -> u64 {
    now << TIME_SHIFT | origin_bits(tag) << ORIGIN_SHIFT | cause.code() << CAUSE_SHIFT | policy
}

/// Other bits than those of [`mark_of`].
fn origin_bits(tag: u64) -> u64 {
    low_bits(tag, ORIGIN_BITS)
}

/// The cause, if the word was written for the origin.
fn cause_of(last: u64, tag: u64) -> Option<Cause> {
    let is_of_origin = low_bits(last >> ORIGIN_SHIFT, ORIGIN_BITS) == origin_bits(tag);
    let cause = Cause::from_code(low_bits(last >> CAUSE_SHIFT, CAUSE_BITS));
    cause.filter(|_| is_of_origin)
}

/// A request that was denied.
pub(crate) struct Denial<'r> {
    /// As it was sent.
    pub(crate) origin: &'r [u8],
    pub(crate) reason: Reason<'r>,
    pub(crate) policy: u64,
    pub(crate) now: u64,
}

/// An origin that was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeniedOrigin {
    /// The bytes that were sent, whatever they are.
    pub origin: Vec<u8>,
    /// Whether the origin was longer.
    pub is_cut: bool,
    /// How often it was denied; it may be less, by as much as `error`.
    pub count: u64,
    /// The most by which the count may be too high.
    pub error: u64,
    /// Why it was denied last.
    pub cause: Cause,
    /// The method or header that was denied, if that is known.
    pub detail: Option<Vec<u8>>,
    /// The policy that denied it last; see [`policy`].
    pub(crate) policy: u64,
    /// When it was denied last, in seconds since 1970.
    pub last: u64,
}

impl DeniedOrigin {
    /// Why it was denied last.
    pub fn reason(&self) -> Option<Reason<'_>> {
        let needs_detail = matches!(self.cause, Cause::Method | Cause::Header | Cause::NotAHeaderName);
        match &self.detail {
            Some(detail) => Some(self.cause.reason(&self.origin, detail)),
            None if needs_detail => None,
            None => Some(self.cause.reason(&self.origin, &[])),
        }
    }
}

/// The hash that stands for an origin. It is never 0, as in a record without one.
fn tag_of(seed: u64, origin: &[u8]) -> u64 {
    text_cell::hash(seed, origin).max(1)
}

/// The part of a hash that heads hold. It is never 0, as in a head without an origin.
fn mark_of(tag: u64) -> u64 {
    (tag >> COUNT_BITS).max(1) << COUNT_BITS
}

/// The memory of the list.
#[derive(Clone, Copy)]
pub(crate) struct Memory<'m> {
    /// [`HINTS`] words.
    pub(crate) hints: &'m [AtomicU64],
    /// A word for each record.
    pub(crate) heads: &'m [AtomicU64],
    /// [`RECORD`] words for each record.
    pub(crate) records: &'m [AtomicU64],
}

/// The list of a zone.
pub(crate) struct DeniedOrigins<'m> {
    pub(crate) memory: Memory<'m>,
    pub(crate) seed: u64,
    /// Counts the denials that count for no origin.
    pub(crate) unlisted: &'m AtomicU64,
}

/// One record.
struct Record<'m> {
    head: &'m AtomicU64,
    words: &'m [AtomicU64; RECORD],
    seed: u64,
}

impl<'m> Record<'m> {
    fn origin(&self, tag: u64) -> Option<TextCell<'m>> {
        TextCell::new(self.words.get(ORIGIN_AT..DETAIL_AT)?, self.seed, tag)
    }

    /// The detail belongs to one denial: beside the time, the cause and the policy of another it is not read. They are
    /// written before it, and a process may be killed in between.
    fn detail(&self, tag: u64, last: u64) -> Option<TextCell<'m>> {
        TextCell::new(self.words.get(DETAIL_AT..)?, self.seed, tag ^ last)
    }

    /// Counts the denial here, if the record is that of its origin.
    fn count(&self, tag: u64, denial: &Denial<'_>) -> Count {
        if self.words[TAG].load(Ordering::Acquire) != tag {
            return Count::OtherOrigin;
        }
        let mut old = self.head.load(Ordering::Relaxed);
        for _ in 0..ATTEMPTS {
            if old & !COUNT_MASK != mark_of(tag) {
                return Count::OtherOrigin;
            }
            match self
                .head
                .compare_exchange_weak(old, old + 1, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => {
                    self.write_last(tag, denial);
                    if old % CHECKED_AFTER == 0 {
                        self.repair(tag, denial);
                    }
                    return Count::Done;
                }
                Err(other) => old = other,
            }
        }
        Count::TooBusy
    }

    /// Writes when and why the origin was denied.
    fn write_last(&self, tag: u64, denial: &Denial<'_>) {
        let (cause, detail) = Cause::of(&denial.reason);
        let last = last_denial(tag, denial.now, cause, denial.policy);
        self.words[LAST].store(last, Ordering::Relaxed);
        if !detail.is_empty() {
            if let Some(cell) = self.detail(tag, last).filter(|cell| !cell.seems_to_hold(detail)) {
                cell.write(detail);
            }
        }
    }

    /// Writes the origin again, if two processes have written it at the same time.
    #[cold]
    fn repair(&self, tag: u64, denial: &Denial<'_>) {
        if let Some(cell) = self.origin(tag).filter(|cell| cell.read().is_none()) {
            cell.write(denial.origin);
        }
    }

    /// Gives the record to the origin of the denial, unless its head has changed since it was `head`.
    fn take_over(&self, head: u64, tag: u64, denial: &Denial<'_>) -> bool {
        let count = head & COUNT_MASK;
        let new = mark_of(tag) | (count + 1);
        if self
            .head
            .compare_exchange(head, new, Ordering::Relaxed, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        // From here on the denial is counted. The tag is written last: it says that the rest is there.
        self.words[TAG].store(0, Ordering::Release);
        self.words[ERROR].store(count, Ordering::Relaxed);
        if let Some(cell) = self.origin(tag) {
            cell.write(denial.origin);
        }
        self.write_last(tag, denial);
        self.words[TAG].store(tag, Ordering::Release);
        if self.head.load(Ordering::Acquire) & !COUNT_MASK != mark_of(tag) {
            // Another process has taken it over in the meantime, and both have written: neither is right.
            self.words[TAG].store(0, Ordering::Release);
        }
        true
    }

    /// The hash of the origin and what is known of it, if the record is whole.
    fn read(&self) -> Option<(u64, DeniedOrigin)> {
        let tag = self.words[TAG].load(Ordering::Acquire);
        let head = self.head.load(Ordering::Acquire);
        if head & COUNT_MASK == 0 || head & !COUNT_MASK != mark_of(tag) {
            return None;
        }
        let origin = self.origin(tag)?.read()?;
        let error = self.words[ERROR].load(Ordering::Relaxed);
        let last = self.words[LAST].load(Ordering::Relaxed);
        let detail = self.detail(tag, last)?.read();
        if !origin.is_cut && tag_of(self.seed, &origin.bytes) != tag {
            return None;
        }
        let denied = DeniedOrigin {
            origin: origin.bytes,
            is_cut: origin.is_cut,
            count: head & COUNT_MASK,
            error,
            cause: cause_of(last, tag)?,
            detail: detail.map(|detail| detail.bytes),
            policy: low_bits(last, POLICY_BITS),
            last: last >> TIME_SHIFT,
        };
        // What was read belongs together if the record is still that of the origin.
        let is_same = self.head.load(Ordering::Acquire) & !COUNT_MASK == mark_of(tag)
            && self.words[TAG].load(Ordering::Acquire) == tag;
        is_same.then_some((tag, denied))
    }
}

/// Whether a denial was counted in a record.
enum Count {
    Done,
    /// The record is that of another origin.
    OtherOrigin,
    /// The record is that of the origin, but other processes count in it all the time.
    TooBusy,
}

impl<'m> DeniedOrigins<'m> {
    fn record(&self, number: usize) -> Option<Record<'m>> {
        let start = number.checked_mul(RECORD)?;
        Some(Record {
            head: self.memory.heads.get(number)?,
            words: self.memory.records.get(start..)?.first_chunk()?,
            seed: self.seed,
        })
    }

    /// Counts a denial.
    pub(crate) fn count(&self, denial: &Denial<'_>) {
        let tag = tag_of(self.seed, denial.origin);
        let hint = self.memory.hints.get(tag as usize % HINTS);
        let hinted = hint.and_then(|hint| self.record(hint.load(Ordering::Relaxed) as usize));
        match hinted.map_or(Count::OtherOrigin, |record| record.count(tag, denial)) {
            Count::Done => {}
            Count::TooBusy => self.count_unlisted(),
            Count::OtherOrigin => self.search(hint, tag, denial),
        }
    }

    /// Counts a denial of an origin whose record is to be found, or made.
    #[cold]
    fn search(&self, hint: Option<&AtomicU64>, tag: u64, denial: &Denial<'_>) {
        let remember = |number: usize| {
            if let Some(hint) = hint {
                hint.store(number as u64, Ordering::Relaxed);
            }
        };
        for _ in 0..ATTEMPTS {
            let mut lowest = (u64::MAX, 0);
            for (number, head) in self.memory.heads.iter().enumerate() {
                let head = head.load(Ordering::Relaxed);
                if head & !COUNT_MASK == mark_of(tag) {
                    match self.record(number).map(|record| record.count(tag, denial)) {
                        Some(Count::Done) => return remember(number),
                        // The origin has a record, and is not to get another.
                        Some(Count::TooBusy) => return self.count_unlisted(),
                        Some(Count::OtherOrigin) | None => {}
                    }
                }
                if head & COUNT_MASK < lowest.0 & COUNT_MASK {
                    lowest = (head, number);
                }
            }
            let (head, number) = lowest;
            if self
                .record(number)
                .is_some_and(|record| record.take_over(head, tag, denial))
            {
                return remember(number);
            }
        }
        self.count_unlisted();
    }

    fn count_unlisted(&self) {
        self.unlisted.fetch_add(1, Ordering::Relaxed);
    }

    /// The origins, most frequent first.
    pub(crate) fn read(&self) -> Vec<DeniedOrigin> {
        let mut found: Vec<(u64, DeniedOrigin)> = Vec::new();
        let numbers = 0..self.memory.heads.len();
        for (tag, denied) in numbers.filter_map(|number| self.record(number)?.read()) {
            match found.iter_mut().find(|(other, _)| *other == tag) {
                Some((_, first)) => {
                    first.count += denied.count;
                    first.error += denied.error;
                    if denied.last > first.last {
                        let (count, error) = (first.count, first.error);
                        *first = DeniedOrigin { count, error, ..denied };
                    }
                }
                None => found.push((tag, denied)),
            }
        }
        let mut found: Vec<_> = found.into_iter().map(|(_, denied)| denied).collect();
        found.sort_by(|one, other| {
            let key = |denied: &DeniedOrigin| (u64::MAX - denied.count, denied.error);
            key(one).cmp(&key(other)).then_with(|| one.origin.cmp(&other.origin))
        });
        found
    }

    /// The number of all denials that have been counted.
    #[cfg(test)]
    pub(crate) fn sum(&self) -> u64 {
        let heads = self.memory.heads.iter();
        let listed: u64 = heads.map(|head| head.load(Ordering::Relaxed) & COUNT_MASK).sum();
        listed + self.unlisted.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const ORIGIN: &[u8] = b"https://a.example";
    const NOW: u64 = 1_800_000_000;
    const SEED: u64 = 1;

    struct Zone {
        words: Vec<AtomicU64>,
    }

    impl Zone {
        fn new() -> Self {
            let words = (0..1 + HINTS + 1 + RECORD).map(|_| AtomicU64::new(0)).collect();
            Self { words }
        }

        /// A list with one record.
        fn list(&self) -> DeniedOrigins<'_> {
            let ([unlisted, ..], rest) = self.words.split_at(1) else {
                panic!()
            };
            let (hints, rest) = rest.split_at(HINTS);
            let (heads, records) = rest.split_at(1);
            DeniedOrigins {
                memory: Memory { hints, heads, records },
                seed: SEED,
                unlisted,
            }
        }
    }

    fn denial(reason: Reason<'_>, policy: u64, now: u64) -> Denial<'_> {
        Denial {
            origin: ORIGIN,
            reason,
            policy,
            now,
        }
    }

    #[test]
    fn the_detail_of_a_denial_is_not_shown_beside_the_cause_of_another() {
        let tag = tag_of(SEED, ORIGIN);
        let interrupted = [
            last_denial(tag, NOW, Cause::Header, 7),
            last_denial(tag, NOW, Cause::Method, 8),
            last_denial(tag, NOW + 1, Cause::Method, 7),
        ];
        for last in interrupted {
            let zone = Zone::new();
            let list = zone.list();
            list.count(&denial(Reason::Method(b"PUT"), 7, NOW));
            assert_eq!(list.read()[0].detail.as_deref(), Some(&b"PUT"[..]));
            // A process that is killed here has written the cause of a second denial, and not its detail.
            list.record(0).unwrap().words[LAST].store(last, Ordering::Relaxed);
            let denied = &list.read()[0];
            assert_eq!((Some(denied.cause), &denied.detail), (cause_of(last, tag), &None));
            list.count(&denial(Reason::Header(b"x-one"), 7, NOW + 2));
            assert_eq!(list.read()[0].reason(), Some(Reason::Header(b"x-one")));
        }
    }

    #[test]
    fn the_cause_of_the_denial_of_another_origin_is_not_shown() {
        let zone = Zone::new();
        let list = zone.list();
        list.count(&denial(Reason::Origin(ORIGIN), 7, NOW));
        // A process that had counted for the origin before writes only now.
        let late = last_denial(tag_of(SEED, b"https://b.example"), NOW, Cause::SeveralOrigins, 7);
        list.record(0).unwrap().words[LAST].store(late, Ordering::Relaxed);
        assert_eq!(list.read(), []);
        list.count(&denial(Reason::Origin(ORIGIN), 7, NOW));
        assert_eq!((list.read()[0].cause, list.read()[0].count), (Cause::Origin, 2));
    }
}
