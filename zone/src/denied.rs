//! The origins that are denied most often.
//!
//! The scheme is Space-Saving (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in
//! Data Streams, ICDT 2005): there is a fixed number of entries, and an origin that has none takes over the one with
//! the lowest count, together with that count, which is the most by which its own may be too high. With `m` entries
//! and `n` denials, every origin with more than `n / m` of them has an entry, whoever sends what in between.
//!
//! The count of an entry shares one word with a part of the origin's hash, so that an entry is taken over, and a
//! denial is counted for the right origin, in one instruction: the counts add up to the number of denials. The rest is
//! written after that; until it agrees with the word the entry has a count, but no origin. If its writer is killed it
//! stays so until it has the lowest count. Two processes may make an entry for one origin; they are added up.

use core::sync::atomic::{AtomicU64, Ordering};

use cors_policy::Reason;

use crate::cause::Cause;
use crate::cell::{self, Cell, HEAD};
use crate::layout::Parts;

/// 256 bytes hold the longest name of a host with scheme and port, but for one that is made to be long.
const ORIGIN: usize = 32;
const DETAIL: usize = 6;

const TAG: usize = 0;
const ERROR: usize = 1;
const LAST: usize = 2;
const ORIGIN_AT: usize = 3;
const DETAIL_AT: usize = ORIGIN_AT + HEAD + ORIGIN;
/// The words of an entry beside its head.
pub(crate) const ENTRY: usize = DETAIL_AT + HEAD + DETAIL;

/// Where to look first, by the hash of an origin.
pub(crate) const HINTS: usize = 256;

/// The head of an entry: a count, and above it a part of the hash.
const COUNT_BITS: u32 = 44;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// Others may be faster so many times; then the denial counts for no origin.
const ATTEMPTS: usize = 16;

/// Strings that were mixed up by two writers are made good after so many denials.
const CHECKED_AFTER: u64 = 256;

/// The last denial of an origin: when, why, and by which policy, in one word.
const POLICY_BITS: u32 = 26;
const CAUSE_BITS: u32 = 4;

/// A policy as far as an entry names it: by the number of its counters and, as they may go to another, a part of its key.
pub(crate) fn policy(number: usize, key: u64) -> u64 {
    const NUMBER_BITS: u32 = 20;
    (key << NUMBER_BITS | number as u64 & ((1 << NUMBER_BITS) - 1)) & POLICY_MASK
}

const POLICY_MASK: u64 = (1 << POLICY_BITS) - 1;

/// A request that was denied.
pub(crate) struct Denial<'r> {
    /// As it was sent.
    pub(crate) origin: &'r [u8],
    pub(crate) reason: Reason<'r>,
    pub(crate) policy: u64,
}

/// An origin in the list. Whoever has it need not look for it again.
#[derive(Clone, Copy)]
pub struct Listed<'m> {
    head: &'m AtomicU64,
    entry: &'m [AtomicU64; ENTRY],
    tag: u64,
    mark: u64,
    /// Policy and cause, as the entry has them.
    why: u64,
}

impl Listed<'_> {
    /// Counts another denial by the same policy. Returns whether that was possible: the entry may have been taken over,
    /// and every so often all of it is to be looked at, as it may be damaged.
    #[inline]
    pub fn count_again(&self, now: u64) -> bool {
        let old = self.head.load(Ordering::Relaxed);
        let count = old ^ self.mark; // if the mark is the same
        if count > COUNT_MASK
            || count % CHECKED_AFTER == 0
            || self.entry[TAG].load(Ordering::Relaxed) != self.tag
            || self
                .head
                .compare_exchange(old, old + 1, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return false;
        }
        // If the entry is taken over at this moment, the new origin has this reason until it is denied again.
        self.entry[LAST].store(last(now, self.why), Ordering::Relaxed);
        true
    }
}

/// An origin that was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeniedOrigin {
    /// As it was sent: it may be anything.
    pub origin: Vec<u8>,
    /// It was longer than that.
    pub is_cut: bool,
    /// How often; it may be less, by as much as `error`.
    pub count: u64,
    /// The most by which the count may be too high.
    pub error: u64,
    /// Why it was denied last.
    pub cause: Cause,
    /// The method or header that was the reason, where that is still known.
    pub detail: Option<Vec<u8>>,
    /// Which policy.
    pub(crate) policy: u64,
    /// When, in seconds since 1970.
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

/// What stands for an origin. It is never 0, as where none is.
fn tag(seed: u64, origin: &[u8]) -> u64 {
    cell::hash(seed, origin).max(1)
}

/// The part of a hash that heads hold. It is never 0, as a head without an origin is.
fn mark(tag: u64) -> u64 {
    (tag >> COUNT_BITS).max(1) << COUNT_BITS
}

fn why(cause: Cause, policy: u64) -> u64 {
    cause.code() << POLICY_BITS | policy
}

#[inline]
fn last(now: u64, why: u64) -> u64 {
    now << (POLICY_BITS + CAUSE_BITS) | why
}

fn cause(last: u64) -> Option<Cause> {
    Cause::from_code(last >> POLICY_BITS & ((1 << CAUSE_BITS) - 1))
}

struct Entry<'m>(&'m [AtomicU64; ENTRY]);

impl<'m> Entry<'m> {
    fn get(parts: &Parts<'m>, number: usize) -> Option<Self> {
        let start = number.checked_mul(ENTRY)?;
        parts.entries.get(start..)?.first_chunk().map(Self)
    }

    fn origin(&self, seed: u64, tag: u64) -> Option<Cell<'m>> {
        Cell::new(self.0.get(ORIGIN_AT..DETAIL_AT)?, seed, tag)
    }

    fn detail(&self, seed: u64, tag: u64) -> Option<Cell<'m>> {
        Cell::new(self.0.get(DETAIL_AT..)?, seed, tag)
    }
}

/// The list of a zone.
pub(crate) struct List<'z, 'm> {
    pub(crate) parts: &'z Parts<'m>,
    pub(crate) seed: u64,
    /// Counts denials that count for no origin.
    pub(crate) unlisted: &'m AtomicU64,
}

impl<'m> List<'_, 'm> {
    /// Counts a denial. Returns the origin's place, if the denial is due to that no list has it.
    pub(crate) fn count(&self, denial: &Denial<'_>, now: u64) -> Option<Listed<'m>> {
        let tag = tag(self.seed, denial.origin);
        let number = self.count_in_place(tag, denial, now)?;
        let (cause, _) = Cause::of(&denial.reason);
        if !matches!(cause, Cause::NoOriginAllowed | Cause::Origin) {
            return None;
        }
        Some(Listed {
            head: self.parts.heads.get(number)?,
            entry: Entry::get(self.parts, number)?.0,
            tag,
            mark: mark(tag),
            why: why(cause, denial.policy),
        })
    }

    /// Counts a denial, and returns the number of the entry.
    fn count_in_place(&self, tag: u64, denial: &Denial<'_>, now: u64) -> Option<usize> {
        let hint = self.parts.hints.get(tag as usize % HINTS);
        let hinted = hint.map_or(0, |hint| hint.load(Ordering::Relaxed)) as usize;
        if self.hit(hinted, tag, denial, now) {
            return Some(hinted);
        }
        for _ in 0..ATTEMPTS {
            let mut lowest = (u64::MAX, 0, 0);
            for (number, head) in self.parts.heads.iter().enumerate() {
                let head = head.load(Ordering::Relaxed);
                if head & !COUNT_MASK == mark(tag) && self.hit(number, tag, denial, now) {
                    self.remember(hint, number);
                    return Some(number);
                }
                if head & COUNT_MASK < lowest.0 {
                    lowest = (head & COUNT_MASK, head, number);
                }
            }
            let (count, head, number) = lowest;
            if self.take_over(number, head, count, tag, denial, now) {
                self.remember(hint, number);
                return Some(number);
            }
        }
        self.unlisted.fetch_add(1, Ordering::Relaxed);
        None
    }

    fn remember(&self, hint: Option<&AtomicU64>, number: usize) {
        if let Some(hint) = hint {
            hint.store(number as u64, Ordering::Relaxed);
        }
    }

    /// Counts the denial in this entry, if that is the origin's.
    fn hit(&self, number: usize, tag: u64, denial: &Denial<'_>, now: u64) -> bool {
        let (Some(head), Some(entry)) = (self.parts.heads.get(number), Entry::get(self.parts, number)) else {
            return false;
        };
        if entry.0[TAG].load(Ordering::Acquire) != tag {
            return false;
        }
        let mut old = head.load(Ordering::Relaxed);
        for _ in 0..ATTEMPTS {
            if old & !COUNT_MASK != mark(tag) {
                return false;
            }
            match head.compare_exchange_weak(old, old + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    self.tell(&entry, tag, denial, now);
                    if old % CHECKED_AFTER == 0 {
                        self.make_good(&entry, tag, denial);
                    }
                    return true;
                }
                Err(other) => old = other,
            }
        }
        // So busy an entry is the origin's: it is not to have another.
        self.unlisted.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Notes why.
    fn tell(&self, entry: &Entry<'m>, tag: u64, denial: &Denial<'_>, now: u64) {
        let (cause, detail) = Cause::of(&denial.reason);
        entry.0[LAST].store(last(now, why(cause, denial.policy)), Ordering::Relaxed);
        if !detail.is_empty() {
            if let Some(cell) = entry.detail(self.seed, tag) {
                if !cell.seems_to_hold(detail) {
                    cell.write(detail);
                }
            }
        }
    }

    #[cold]
    fn make_good(&self, entry: &Entry<'m>, tag: u64, denial: &Denial<'_>) {
        let (_, detail) = Cause::of(&denial.reason);
        for (cell, bytes) in [
            (entry.origin(self.seed, tag), denial.origin),
            (entry.detail(self.seed, tag), detail),
        ] {
            if let Some(cell) = cell.filter(|cell| cell.read().is_none()) {
                cell.write(bytes);
            }
        }
    }

    /// Gives the entry to the origin of the denial, unless it has changed since.
    fn take_over(&self, number: usize, head: u64, count: u64, tag: u64, denial: &Denial<'_>, now: u64) -> bool {
        let (Some(place), Some(entry)) = (self.parts.heads.get(number), Entry::get(self.parts, number)) else {
            return false;
        };
        let new = mark(tag) | (count + 1);
        if place
            .compare_exchange(head, new, Ordering::Relaxed, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        // From here on the denial is counted. The tag comes last: it says that the rest is there.
        entry.0[TAG].store(0, Ordering::Release);
        entry.0[ERROR].store(count, Ordering::Relaxed);
        if let Some(cell) = entry.origin(self.seed, tag) {
            cell.write(denial.origin);
        }
        self.tell(&entry, tag, denial, now);
        entry.0[TAG].store(tag, Ordering::Release);
        if place.load(Ordering::Acquire) & !COUNT_MASK != mark(tag) {
            // Somebody has taken it over meanwhile, and both have written: neither is to be believed.
            entry.0[TAG].store(0, Ordering::Release);
        }
        true
    }

    /// The origins, most frequent first.
    pub(crate) fn read(&self) -> Vec<DeniedOrigin> {
        let mut found: Vec<(u64, DeniedOrigin)> = Vec::new();
        for number in 0..self.parts.heads.len() {
            let Some((tag, denied)) = self.read_entry(number) else {
                continue;
            };
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

    fn read_entry(&self, number: usize) -> Option<(u64, DeniedOrigin)> {
        let place = self.parts.heads.get(number)?;
        let entry = Entry::get(self.parts, number)?;
        let tag = entry.0[TAG].load(Ordering::Acquire);
        let head = place.load(Ordering::Acquire);
        if head & COUNT_MASK == 0 || head & !COUNT_MASK != mark(tag) {
            return None;
        }
        let text = entry.origin(self.seed, tag)?.read()?;
        let error = entry.0[ERROR].load(Ordering::Relaxed);
        let last = entry.0[LAST].load(Ordering::Relaxed);
        let detail = entry.detail(self.seed, tag)?.read();
        if !text.is_cut && self::tag(self.seed, &text.bytes) != tag {
            return None;
        }
        let denied = DeniedOrigin {
            origin: text.bytes,
            is_cut: text.is_cut,
            count: head & COUNT_MASK,
            error,
            cause: cause(last)?,
            detail: detail.map(|detail| detail.bytes),
            policy: last & POLICY_MASK,
            last: last >> (POLICY_BITS + CAUSE_BITS),
        };
        // What was read belongs together if it still does.
        let is_same =
            place.load(Ordering::Acquire) & !COUNT_MASK == mark(tag) && entry.0[TAG].load(Ordering::Acquire) == tag;
        is_same.then_some((tag, denied))
    }

    /// All denials that have been counted.
    #[cfg(test)]
    pub(crate) fn sum(&self) -> u64 {
        let heads = self.parts.heads.iter();
        let listed: u64 = heads.map(|head| head.load(Ordering::Relaxed) & COUNT_MASK).sum();
        listed + self.unlisted.load(Ordering::Relaxed)
    }
}
