//! The memory as a whole: opening it, giving policies their counters, reading it.

use std::collections::HashMap;

use cors_policy::{Change, Reason};

use crate::cause::Cause;
use crate::counters::{is_denial, Counted, Counters, Totals, WORDS};
use crate::history::{self, History};
use crate::layout::Parts;
use crate::listed_origins::{ListedOrigins, Memory};
use crate::record::{self, ListedAs, ListedOrigin, ListedRequest, Place};
use crate::sync::{AtomicU64, Ordering};
use crate::text_cell;

/// What the memory begins with. Whoever changes what lies where, or what it means, counts the last byte up.
const MAGIC: u64 = u64::from_le_bytes(*b"cors zn\x07");

const MAGIC_AT: usize = 0;
const LENGTH: usize = 1;
const SEED: usize = 2;
const STARTED: usize = 3;
const GENERATION: usize = 4;
const UNLISTED_DENIALS: usize = 5;
const UNLISTED_CHANGES: usize = 6;
const CONFIGURED: usize = 7;

/// Counters in shared memory.
///
/// A server that reads a new configuration takes two steps. It opens the memory ([`Zone::attach`], or [`Zone::format`]
/// where there is no zone yet) while that configuration can still be refused: opening changes nothing that the running
/// configuration counts. Once nothing can fail any more it gives the new policies their counters ([`Zone::assign`]),
/// which may take those of policies that are gone.
#[derive(Clone, Copy)]
pub struct Zone<'m> {
    parts: Parts<'m>,
    seed: u64,
}

/// Where the requests of one policy are counted.
#[derive(Clone, Copy)]
pub struct Counter<'m> {
    zone: Zone<'m>,
    counters: Counters<'m>,
    slot: Slot,
    /// The policy as the lists of origins name it.
    policy: u64,
}

/// Which counters a policy has. It says nothing about where the memory lies, so that it can be kept while that is not
/// looked at.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    number: usize,
    key: u64,
}

impl<'m> Zone<'m> {
    /// The zone that is in this memory, if there is one. Nothing in it is changed.
    pub fn attach(words: &'m [AtomicU64]) -> Option<Self> {
        let parts = Parts::of(words)?;
        let is_ours = parts.header[MAGIC_AT].load(Ordering::Acquire) == MAGIC
            && parts.header[LENGTH].load(Ordering::Relaxed) == words.len() as u64;
        is_ours.then(|| Self {
            seed: parts.header[SEED].load(Ordering::Relaxed),
            parts,
        })
    }

    /// Makes an empty zone in this memory, if it is large enough. `seed` is a number that nobody can foresee.
    ///
    /// This is for memory that is new, or in which [`Zone::attach`] finds no zone: whatever is there is overwritten.
    pub fn format(words: &'m [AtomicU64], seed: u64, now: u64) -> Option<Self> {
        let parts = Parts::of(words)?;
        for word in words {
            word.store(0, Ordering::Relaxed);
        }
        parts.header[LENGTH].store(words.len() as u64, Ordering::Relaxed);
        parts.header[SEED].store(seed, Ordering::Relaxed);
        parts.header[STARTED].store(now, Ordering::Relaxed);
        parts.header[MAGIC_AT].store(MAGIC, Ordering::Release);
        Some(Self { parts, seed })
    }

    /// When counting began, in seconds since 1970.
    pub fn started(&self) -> u64 {
        self.parts.header[STARTED].load(Ordering::Relaxed)
    }

    /// The number of policies for which there are counters.
    pub fn capacity(&self) -> usize {
        self.parts.slots.len() / WORDS
    }

    /// When the configuration in force was taken up, in seconds since 1970.
    pub fn configured(&self) -> u64 {
        self.parts.header[CONFIGURED].load(Ordering::Relaxed)
    }

    /// The most origins that a list has.
    pub fn listed_at_most(&self) -> usize {
        self.denied().memory.heads.len()
    }

    /// Gives the policies of a configuration their counters, by server and location: those that were counted for the
    /// same name before, or else unused ones; where there are none left, those that were unused for longest.
    ///
    /// It is called by one process at a time, and only once the configuration cannot be refused any more: it may take
    /// the counters of a policy of the running configuration.
    pub fn assign<'n>(&self, names: impl Iterator<Item = (&'n str, &'n str)>, now: u64) -> Vec<Option<Counter<'m>>> {
        self.parts.header[CONFIGURED].store(now, Ordering::Relaxed);
        let generation = self.parts.header[GENERATION].fetch_add(1, Ordering::Relaxed) + 1;
        let keys: Vec<u64> = names
            .map(|(server, location)| {
                let name = format!("{server}\0{location}");
                text_cell::hash(self.seed, name.as_bytes()).max(1)
            })
            .collect();
        let mut known: HashMap<u64, usize> = self
            .slots()
            .map(|(number, counters)| (counters.key(), number))
            .collect();
        for key in &keys {
            if let Some(counters) = known.get(key).and_then(|number| self.counters(*number)) {
                counters.keep(generation);
            }
        }
        // The last is taken first: free counters, which have no generation, then those that were unused for longest.
        let mut unused: Vec<_> = self
            .slots()
            .filter(|(_, counters)| counters.generation() != generation || counters.key() == 0)
            .map(|(number, counters)| (if counters.key() == 0 { 0 } else { counters.generation() }, number))
            .collect();
        unused.sort_unstable_by(|one, other| other.cmp(one));
        keys.into_iter()
            .map(|key| {
                if let Some(&number) = known.get(&key) {
                    return self.counter(Slot { number, key });
                }
                let (_, number) = unused.pop()?;
                self.counters(number)?.start(key, generation);
                known.insert(key, number);
                self.counter(Slot { number, key })
            })
            .collect()
    }

    fn counters(&self, number: usize) -> Option<Counters<'m>> {
        Counters::get(self.parts.slots, number)
    }

    fn slots(&self) -> impl Iterator<Item = (usize, Counters<'m>)> + '_ {
        (0..self.capacity()).filter_map(|number| Some((number, self.counters(number)?)))
    }

    /// The counters that [`Zone::assign`] gave a policy, found again by [`Counter::slot`].
    #[inline]
    pub fn counter(&self, slot: Slot) -> Option<Counter<'m>> {
        Some(Counter {
            zone: *self,
            counters: self.counters(slot.number)?,
            slot,
            policy: record::policy(slot.number, slot.key),
        })
    }

    fn denied(&self) -> ListedOrigins<'m> {
        self.list(self.parts.denied, &self.parts.header[UNLISTED_DENIALS])
    }

    fn changed(&self) -> ListedOrigins<'m> {
        self.list(self.parts.changed, &self.parts.header[UNLISTED_CHANGES])
    }

    fn list(&self, memory: &'m [AtomicU64], unlisted: &'m AtomicU64) -> ListedOrigins<'m> {
        ListedOrigins {
            memory: Memory::of(memory),
            seed: self.seed,
            unlisted,
        }
    }

    /// The origins that were denied most often, most frequent first: once for each policy that denied them, and once more if it
    /// was a dry run at another time.
    pub fn denied_origins(&self) -> Vec<ListedOrigin> {
        self.denied().read()
    }

    /// The origins that gain or lose most often by candidates, most frequent first: once for each policy, and once more if they
    /// both gain and lose.
    pub fn changed_origins(&self) -> Vec<ListedOrigin> {
        self.changed().read()
    }

    /// The requests of the last minutes.
    pub fn history(&self, now: u64) -> History {
        history::read(self.parts.history, now)
    }
}

impl Counter<'_> {
    /// By this [`Zone::counter`] finds the counters again.
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Counts a request.
    #[inline]
    pub fn count(&self, request: Counted, now: u64) {
        let history = self.zone.parts.history;
        if history::is_over(history, now) {
            history::begin(history, now);
        }
        if self.counters.count(self.slot.key, request) {
            history::count(history, is_denial(request.outcome));
        }
    }

    /// Counts the origin of a request that was denied, as it was sent; it is empty where there were several. A denial of a
    /// dry run is counted apart. A reason that is none for a denial counts nothing.
    #[inline]
    pub fn deny(&self, origin: &[u8], reason: Reason<'_>, dry_run: bool, now: u64) {
        let listed_as = match dry_run {
            true => ListedAs::DeniedInDryRun,
            false => ListedAs::Denied,
        };
        self.list(self.zone.denied(), origin, Cause::of(&reason), listed_as, now);
    }

    /// Counts the origin of a request for which the candidate would change something.
    #[inline]
    pub fn change(&self, origin: &[u8], change: &Change<'_>, now: u64) {
        let listed_as = match change.is_gain() {
            true => ListedAs::Gain,
            false => ListedAs::Loss,
        };
        self.list(self.zone.changed(), origin, Cause::of_change(change), listed_as, now);
    }

    #[inline]
    fn list(
        &self,
        list: ListedOrigins<'_>,
        origin: &[u8],
        cause: Option<(Cause, &[u8])>,
        listed_as: ListedAs,
        now: u64,
    ) {
        let Some((cause, detail)) = cause else {
            return;
        };
        if self.counters.belong_to(self.slot.key) {
            let policy = self.policy;
            list.count(&ListedRequest {
                origin,
                cause,
                detail,
                place: Place { policy, listed_as },
                now,
            });
        }
    }

    /// What has been counted.
    pub fn totals(&self) -> Totals {
        match self.counters.belong_to(self.slot.key) {
            true => self.counters.totals(),
            false => Totals::default(),
        }
    }

    /// The policy as [`ListedOrigin`] names it.
    pub(crate) fn policy(&self) -> u64 {
        self.policy
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
