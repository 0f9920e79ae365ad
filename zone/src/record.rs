//! The record of one origin whose requests one policy denied, or its candidate would change: how often, when it was last,
//! and why.
//!
//! The count of a record shares one word, its head, with a part of the origin's hash, so that one instruction takes a
//! record over, or counts a request for the right origin. The rest is written after that; until it agrees with the head
//! the record has a count, but no origin. If its writer is killed it stays so until it has the lowest count.

use cors_policy::{Change, Reason};

use crate::cause::Cause;
use crate::sync::{AtomicU64, Ordering};
use crate::text_cell::{self, TextCell, CELL_HEAD};

/// The words of a record for the origin: 256 bytes hold the longest name of a host with scheme and port.
const ORIGIN: usize = 32;
/// The words for the method or header that the reason names.
const DETAIL: usize = 6;

/// The hash of the origin and of its place, or 0 while the record is written.
const TAG: usize = 0;
/// The count that the record had when its origin took it over.
const ERROR: usize = 1;
/// The last request: see [`last_request`].
pub(crate) const LAST: usize = 2;
const ORIGIN_AT: usize = 3;
const DETAIL_AT: usize = ORIGIN_AT + CELL_HEAD + ORIGIN;
/// The words of a record, apart from its head.
pub(crate) const RECORD: usize = DETAIL_AT + CELL_HEAD + DETAIL;

/// A head is a count, and above it the mark: a part of the hash.
const COUNT_BITS: u32 = 44;
pub(crate) const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// How often counting is tried again when other processes are faster; then the request counts for no origin.
pub(crate) const ATTEMPTS: usize = 16;

/// After so many requests a record is read and, if two writers have mixed up its strings, written again.
const CHECKED_AFTER: u64 = 256;

/// The bits of [`last_request`], from the lowest.
const POLICY_BITS: u32 = 20;
const CAUSE_BITS: u32 = 3;
const LISTED_AS_BITS: u32 = 2;
const ORIGIN_BITS: u32 = 7;
const CAUSE_SHIFT: u32 = POLICY_BITS;
const LISTED_AS_SHIFT: u32 = CAUSE_SHIFT + CAUSE_BITS;
const ORIGIN_SHIFT: u32 = LISTED_AS_SHIFT + LISTED_AS_BITS;
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

/// When, where and why a request of an origin was listed, in one word. A part of the origin's hash is in it, too: a
/// process that was interrupted may write the word into a record that another origin has taken over in the meantime.
/// The time has 32 bits, which last until 2106.
pub(crate) fn last_request(tag: u64, now: u64, cause: Cause, place: Place) -> u64 {
    let listed_as = (place.listed_as as u64) << LISTED_AS_SHIFT;
    now << TIME_SHIFT | origin_bits(tag) << ORIGIN_SHIFT | listed_as | cause.code() << CAUSE_SHIFT | place.policy
}

/// Other bits than those of [`mark_of`].
fn origin_bits(tag: u64) -> u64 {
    low_bits(tag, ORIGIN_BITS)
}

/// The cause, if the word was written for the origin.
pub(crate) fn cause_of(last: u64, tag: u64) -> Option<Cause> {
    let is_of_origin = low_bits(last >> ORIGIN_SHIFT, ORIGIN_BITS) == origin_bits(tag);
    let cause = Cause::from_code(low_bits(last >> CAUSE_SHIFT, CAUSE_BITS));
    cause.filter(|_| is_of_origin)
}

/// What became of the requests of an origin, or what would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedAs {
    /// The policy in force denied them.
    Denied,
    /// A dry run denied them, which changed no response (`cors_dry_run`).
    DeniedInDryRun,
    /// They would be better off under the candidate (`cors_candidate`).
    Gain,
    /// They would be worse off under the candidate.
    Loss,
}

impl ListedAs {
    fn of(last: u64) -> Self {
        match low_bits(last >> LISTED_AS_SHIFT, LISTED_AS_BITS) {
            0 => Self::Denied,
            1 => Self::DeniedInDryRun,
            2 => Self::Gain,
            _ => Self::Loss,
        }
    }
}

/// What an origin has a record of its own for: its denials at two locations are told apart, and so are its gains and losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// See [`policy`].
    pub(crate) policy: u64,
    pub(crate) listed_as: ListedAs,
}

impl Place {
    fn of(last: u64) -> Self {
        Self {
            policy: low_bits(last, POLICY_BITS),
            listed_as: ListedAs::of(last),
        }
    }

    /// A number of its own for each place.
    fn number(self) -> u64 {
        self.policy << LISTED_AS_BITS | self.listed_as as u64
    }
}

/// A request that is to be listed.
pub(crate) struct ListedRequest<'r> {
    /// As it was sent.
    pub(crate) origin: &'r [u8],
    pub(crate) cause: Cause,
    /// The method or header that the cause is about.
    pub(crate) detail: &'r [u8],
    pub(crate) place: Place,
    pub(crate) now: u64,
}

/// An origin that a policy denied, or for which its candidate would change something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedOrigin {
    /// The bytes that were sent, whatever they are.
    pub origin: Vec<u8>,
    /// Whether the origin was longer.
    pub is_cut: bool,
    /// How many of its requests; it may be less, by as much as `error`.
    pub count: u64,
    /// The most by which the count may be too high.
    pub error: u64,
    /// Why it was so last.
    pub cause: Cause,
    /// The method or header that the cause is about, if that is known.
    pub detail: Option<Vec<u8>>,
    /// The policy; see [`policy`].
    pub(crate) policy: u64,
    /// What became of its requests, or what would.
    pub listed_as: ListedAs,
    /// When it was so last, in seconds since 1970.
    pub last: u64,
}

impl ListedOrigin {
    /// Why a request of it was, or would be, denied last.
    pub fn reason(&self) -> Option<Reason<'_>> {
        let needs_detail = matches!(self.cause, Cause::Method | Cause::Header | Cause::NotAHeaderName);
        match &self.detail {
            Some(detail) => self.cause.reason(&self.origin, detail),
            None if needs_detail => None,
            None => self.cause.reason(&self.origin, &[]),
        }
    }

    /// What the candidate would have changed last, if this is of such a list.
    pub fn change(&self) -> Option<Change<'_>> {
        Some(match (self.listed_as, self.cause) {
            (ListedAs::Denied | ListedAs::DeniedInDryRun, _) => return None,
            (ListedAs::Gain, Cause::Credentials) => Change::WithCredentials(&self.origin),
            (ListedAs::Loss, Cause::Credentials) => Change::WithoutCredentials(&self.origin),
            (ListedAs::Gain, _) => Change::Allowed(self.reason()?),
            (ListedAs::Loss, _) => Change::Denied(self.reason()?),
        })
    }
}

/// The hash that stands for an origin and for its place. It is never 0, as in a record without one.
pub(crate) fn tag_of(seed: u64, place: Place, origin: &[u8]) -> u64 {
    text_cell::hash(seed.wrapping_add(place.number()), origin).max(1)
}

/// The part of a hash that heads hold. It is never 0, as in a head without an origin.
pub(crate) fn mark_of(tag: u64) -> u64 {
    (tag >> COUNT_BITS).max(1) << COUNT_BITS
}

/// One record.
pub(crate) struct Record<'m> {
    pub(crate) head: &'m AtomicU64,
    pub(crate) words: &'m [AtomicU64; RECORD],
    pub(crate) seed: u64,
}

impl<'m> Record<'m> {
    fn origin(&self, tag: u64) -> Option<TextCell<'m>> {
        TextCell::new(self.words.get(ORIGIN_AT..DETAIL_AT)?, self.seed, tag)
    }

    /// The detail belongs to one request: beside the time, the cause and the policy of another it is not read. They are
    /// written before it, and a process may be killed in between.
    fn detail(&self, tag: u64, last: u64) -> Option<TextCell<'m>> {
        TextCell::new(self.words.get(DETAIL_AT..)?, self.seed, tag ^ last)
    }

    /// Counts the request here, if the record is that of its origin.
    #[inline]
    pub(crate) fn count(&self, tag: u64, request: &ListedRequest<'_>) -> Count {
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
                    self.write_last(tag, request);
                    if old % CHECKED_AFTER == 0 {
                        self.repair(tag, request);
                    }
                    return Count::Done;
                }
                Err(other) => old = other,
            }
        }
        Count::TooBusy
    }

    /// Writes when and why the request was listed.
    fn write_last(&self, tag: u64, request: &ListedRequest<'_>) {
        let last = last_request(tag, request.now, request.cause, request.place);
        self.words[LAST].store(last, Ordering::Relaxed);
        if !request.detail.is_empty() {
            self.write_detail(tag, last, request.detail);
        }
    }

    /// Not a part of [`Record::write_last`]: most requests have no detail.
    #[inline(never)]
    fn write_detail(&self, tag: u64, last: u64, detail: &[u8]) {
        if let Some(cell) = self.detail(tag, last).filter(|cell| !cell.seems_to_hold(detail)) {
            cell.write(detail);
        }
    }

    /// Writes the origin again, if two processes have written it at the same time.
    #[cold]
    fn repair(&self, tag: u64, request: &ListedRequest<'_>) {
        if let Some(cell) = self.origin(tag).filter(|cell| cell.read().is_none()) {
            cell.write(request.origin);
        }
    }

    /// Gives the record to the origin of the request, unless its head has changed since it was `head`.
    pub(crate) fn take_over(&self, head: u64, tag: u64, request: &ListedRequest<'_>) -> bool {
        let count = head & COUNT_MASK;
        let new = mark_of(tag) | (count + 1);
        if self
            .head
            .compare_exchange(head, new, Ordering::Relaxed, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        // From here on the request is counted. The tag is written last: it says that the rest is there.
        self.words[TAG].store(0, Ordering::Release);
        self.words[ERROR].store(count, Ordering::Relaxed);
        if let Some(cell) = self.origin(tag) {
            cell.write(request.origin);
        }
        self.write_last(tag, request);
        self.words[TAG].store(tag, Ordering::Release);
        if self.head.load(Ordering::Acquire) & !COUNT_MASK != mark_of(tag) {
            // Another process has taken it over in the meantime, and both have written: neither is right.
            self.words[TAG].store(0, Ordering::Release);
        }
        true
    }

    /// The hash of the origin and what is known of it, if the record is whole.
    pub(crate) fn read(&self) -> Option<(u64, ListedOrigin)> {
        let tag = self.words[TAG].load(Ordering::Acquire);
        let head = self.head.load(Ordering::Acquire);
        if head & COUNT_MASK == 0 || head & !COUNT_MASK != mark_of(tag) {
            return None;
        }
        let origin = self.origin(tag)?.read()?;
        let error = self.words[ERROR].load(Ordering::Relaxed);
        let last = self.words[LAST].load(Ordering::Relaxed);
        let detail = self.detail(tag, last)?.read();
        let place = Place::of(last);
        if !origin.is_cut && tag_of(self.seed, place, &origin.bytes) != tag {
            return None;
        }
        let listed = ListedOrigin {
            origin: origin.bytes,
            is_cut: origin.is_cut,
            count: head & COUNT_MASK,
            error,
            cause: cause_of(last, tag)?,
            detail: detail.map(|detail| detail.bytes),
            policy: place.policy,
            listed_as: place.listed_as,
            last: last >> TIME_SHIFT,
        };
        // What was read belongs together if the record is still that of the origin.
        let is_same = self.head.load(Ordering::Acquire) & !COUNT_MASK == mark_of(tag)
            && self.words[TAG].load(Ordering::Acquire) == tag;
        is_same.then_some((tag, listed))
    }
}

/// Whether a request was counted in a record.
pub(crate) enum Count {
    Done,
    /// The record is that of another origin.
    OtherOrigin,
    /// The record is that of the origin, but other processes count in it all the time.
    TooBusy,
}
