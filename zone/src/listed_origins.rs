//! The origins with the most requests of a kind, such as denials, each with the policy that made them so.
//!
//! The scheme is Space-Saving (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in
//! Data Streams, ICDT 2005): there is a fixed number of records, and an origin that has none takes over the one with
//! the lowest count, together with that count, which is the most by which its own may be too high. With `m` records
//! and `n` requests, every origin with more than `n / m` of them has a record, whatever is sent in between. The counts
//! add up to the number of requests. Two processes may make a record for one origin; they are added up.

use crate::record::{mark_of, tag_of, Count, ListedOrigin, ListedRequest, Record, ATTEMPTS, COUNT_MASK, RECORD};
use crate::sync::{AtomicU64, Ordering};

/// The words that hold, by the hash of an origin, the number of the record in which to look for it first.
pub(crate) const HINTS: usize = 256;

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

impl<'m> Memory<'m> {
    /// The words that a list of so many records takes.
    pub(crate) const fn words(records: usize) -> usize {
        HINTS + records * (1 + RECORD)
    }

    /// Divides the memory of a list.
    pub(crate) fn of(words: &'m [AtomicU64]) -> Self {
        let (hints, rest) = words.split_at_checked(HINTS).unwrap_or_default();
        let (heads, records) = rest.split_at_checked(rest.len() / (1 + RECORD)).unwrap_or_default();
        Self { hints, heads, records }
    }
}

/// A list of a zone.
pub(crate) struct ListedOrigins<'m> {
    pub(crate) memory: Memory<'m>,
    pub(crate) seed: u64,
    /// Counts the requests that count for no origin.
    pub(crate) unlisted: &'m AtomicU64,
}

impl<'m> ListedOrigins<'m> {
    #[inline]
    fn record(&self, number: usize) -> Option<Record<'m>> {
        let start = number.checked_mul(RECORD)?;
        Some(Record {
            head: self.memory.heads.get(number)?,
            words: self.memory.records.get(start..)?.first_chunk()?,
            seed: self.seed,
        })
    }

    /// Counts a request.
    #[inline]
    pub(crate) fn count(&self, request: &ListedRequest<'_>) {
        let tag = tag_of(self.seed, request.place, request.origin);
        let hint = self.memory.hints.get(tag as usize % HINTS);
        let hinted = hint.and_then(|hint| self.record(hint.load(Ordering::Relaxed) as usize));
        match hinted.map_or(Count::OtherOrigin, |record| record.count(tag, request)) {
            Count::Done => {}
            Count::TooBusy => self.count_unlisted(),
            Count::OtherOrigin => self.search(hint, tag, request),
        }
    }

    /// Counts a request of an origin whose record is to be found, or made.
    #[cold]
    fn search(&self, hint: Option<&AtomicU64>, tag: u64, request: &ListedRequest<'_>) {
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
                    match self.record(number).map(|record| record.count(tag, request)) {
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
                .is_some_and(|record| record.take_over(head, tag, request))
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
    pub(crate) fn read(&self) -> Vec<ListedOrigin> {
        let mut found: Vec<(u64, ListedOrigin)> = Vec::new();
        let numbers = 0..self.memory.heads.len();
        for (tag, listed) in numbers.filter_map(|number| self.record(number)?.read()) {
            match found.iter_mut().find(|(other, _)| *other == tag) {
                Some((_, first)) => {
                    first.count += listed.count;
                    first.error += listed.error;
                    if listed.last > first.last {
                        let (count, error) = (first.count, first.error);
                        *first = ListedOrigin { count, error, ..listed };
                    }
                }
                None => found.push((tag, listed)),
            }
        }
        let mut found: Vec<_> = found.into_iter().map(|(_, listed)| listed).collect();
        found.sort_by(|one, other| {
            let key = |listed: &ListedOrigin| (u64::MAX - listed.count, listed.error);
            let name = |listed: &'_ ListedOrigin| (listed.policy, listed.listed_as as u64);
            key(one)
                .cmp(&key(other))
                .then_with(|| one.origin.cmp(&other.origin))
                .then_with(|| name(one).cmp(&name(other)))
        });
        found
    }

    /// The number of all requests that have been counted.
    #[cfg(test)]
    pub(crate) fn sum(&self) -> u64 {
        let heads = self.memory.heads.iter();
        let listed: u64 = heads.map(|head| head.load(Ordering::Relaxed) & COUNT_MASK).sum();
        listed + self.unlisted.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use cors_policy::Reason;

    use super::*;
    use crate::cause::Cause;
    use crate::record::{cause_of, last_request, ListedAs, Place, LAST};

    const ORIGIN: &[u8] = b"https://a.example";
    const NOW: u64 = 1_800_000_000;
    const SEED: u64 = 1;
    const PLACE: Place = Place {
        policy: 7,
        listed_as: ListedAs::Denied,
    };

    struct Zone {
        words: Vec<AtomicU64>,
    }

    impl Zone {
        fn new() -> Self {
            let words = (0..1 + Memory::words(1)).map(|_| AtomicU64::new(0)).collect();
            Self { words }
        }

        /// A list with one record.
        fn list(&self) -> ListedOrigins<'_> {
            let (unlisted, rest) = self.words.split_first().unwrap();
            ListedOrigins {
                memory: Memory::of(rest),
                seed: SEED,
                unlisted,
            }
        }
    }

    fn denial(reason: Reason<'_>, now: u64) -> ListedRequest<'_> {
        let (cause, detail) = Cause::of(&reason).unwrap();
        ListedRequest {
            origin: ORIGIN,
            cause,
            detail,
            place: PLACE,
            now,
        }
    }

    #[test]
    fn the_detail_of_a_denial_is_not_shown_beside_the_cause_of_another() {
        let tag = tag_of(SEED, PLACE, ORIGIN);
        let interrupted = [
            last_request(tag, NOW, Cause::Header, PLACE),
            last_request(tag, NOW + 1, Cause::Method, PLACE),
        ];
        for last in interrupted {
            let zone = Zone::new();
            let list = zone.list();
            list.count(&denial(Reason::Method(b"PUT"), NOW));
            assert_eq!(list.read()[0].detail.as_deref(), Some(&b"PUT"[..]));
            // A process that is killed here has written the cause of a second denial, and not its detail.
            list.record(0).unwrap().words[LAST].store(last, Ordering::Relaxed);
            let denied = &list.read()[0];
            assert_eq!((Some(denied.cause), &denied.detail), (cause_of(last, tag), &None));
            list.count(&denial(Reason::Header(b"x-one"), NOW + 2));
            assert_eq!(list.read()[0].reason(), Some(Reason::Header(b"x-one")));
        }
    }

    #[test]
    fn the_cause_of_the_denial_of_another_origin_is_not_shown() {
        let zone = Zone::new();
        let list = zone.list();
        list.count(&denial(Reason::Origin(ORIGIN), NOW));
        // A process that had counted for the origin before writes only now.
        let late = last_request(
            tag_of(SEED, PLACE, b"https://b.example"),
            NOW,
            Cause::SeveralOrigins,
            PLACE,
        );
        list.record(0).unwrap().words[LAST].store(late, Ordering::Relaxed);
        assert_eq!(list.read(), []);
        list.count(&denial(Reason::Origin(ORIGIN), NOW));
        assert_eq!((list.read()[0].cause, list.read()[0].count), (Cause::Origin, 2));
    }

    #[test]
    fn the_denial_of_another_policy_is_not_taken_for_that_of_the_record() {
        let zone = Zone::new();
        let list = zone.list();
        list.count(&denial(Reason::Origin(ORIGIN), NOW));
        let tag = tag_of(SEED, PLACE, ORIGIN);
        for other in [
            Place { policy: 8, ..PLACE },
            Place {
                listed_as: ListedAs::DeniedInDryRun,
                ..PLACE
            },
        ] {
            let late = last_request(tag, NOW, Cause::Origin, other);
            list.record(0).unwrap().words[LAST].store(late, Ordering::Relaxed);
            assert_eq!(list.read(), []);
        }
    }
}
