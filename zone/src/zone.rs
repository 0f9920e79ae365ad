//! The memory as a whole.

use core::sync::atomic::{AtomicU64, Ordering};

use cors_policy::Reason;

use crate::cell;
use crate::counters::{is_denial, Counted, Counters, Totals, WORDS};
use crate::denied::{self, Denial, DeniedOrigin, List, Listed};
use crate::history::{self, History};
use crate::layout::Parts;

/// What the memory begins with. Whoever changes what lies where, or what it means, counts the last byte up.
const MAGIC: u64 = u64::from_le_bytes(*b"cors zn\x02");

const MAGIC_AT: usize = 0;
const LENGTH: usize = 1;
const SEED: usize = 2;
const STARTED: usize = 3;
const GENERATION: usize = 4;
const UNLISTED: usize = 5;

/// Where the requests of one policy are counted.
#[derive(Clone, Copy)]
pub struct Counter<'m> {
    zone: Zone<'m>,
    counters: Counters<'m>,
    key: u64,
    /// What the policy is called where it denies.
    policy: u64,
}

/// Counters in shared memory.
#[derive(Clone, Copy)]
pub struct Zone<'m> {
    parts: Parts<'m>,
    seed: u64,
}

impl<'m> Zone<'m> {
    /// The zone that is in this memory, if there is one.
    pub fn attach(words: &'m [AtomicU64]) -> Option<Self> {
        let parts = Parts::of(words)?;
        let is_ours = parts.header[MAGIC_AT].load(Ordering::Acquire) == MAGIC
            && parts.header[LENGTH].load(Ordering::Relaxed) == words.len() as u64;
        is_ours.then(|| Self {
            seed: parts.header[SEED].load(Ordering::Relaxed),
            parts,
        })
    }

    /// Makes an empty one of it, if it is large enough. `seed` is a number that nobody can foresee.
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

    /// So many policies have room.
    pub fn capacity(&self) -> usize {
        self.parts.slots.len() / WORDS
    }

    /// So many denied origins are listed at most.
    pub fn listed_at_most(&self) -> usize {
        self.parts.heads.len()
    }

    fn slots(&self) -> impl Iterator<Item = (usize, Counters<'m>)> + '_ {
        (0..self.capacity()).filter_map(|number| Some((number, Counters::get(self.parts.slots, number)?)))
    }

    /// Finds slots for the policies of a configuration by their names, and keeps those that were counted for under the
    /// same name before. Where there is no room left, the longest unused go. To be called by one process at a time.
    pub fn assign<'n>(&self, names: impl Iterator<Item = (&'n str, &'n str)>) -> Vec<Option<Counter<'m>>> {
        let generation = self.parts.header[GENERATION].fetch_add(1, Ordering::Relaxed) + 1;
        let keys: Vec<u64> = names
            .map(|(server, location)| {
                let name = format!("{server}\0{location}");
                cell::hash(self.seed, name.as_bytes()).max(1)
            })
            .collect();
        let mut known: std::collections::HashMap<u64, usize> = self
            .slots()
            .map(|(number, counters)| (counters.key(), number))
            .collect();
        for key in &keys {
            if let Some(counters) = known
                .get(key)
                .and_then(|number| Counters::get(self.parts.slots, *number))
            {
                counters.keep(generation);
            }
        }
        // Free ones have no generation.
        let mut unused: Vec<_> = self
            .slots()
            .filter(|(_, counters)| counters.generation() != generation || counters.key() == 0)
            .map(|(number, counters)| (if counters.key() == 0 { 0 } else { counters.generation() }, number))
            .collect();
        unused.sort_unstable_by(|one, other| other.cmp(one));
        keys.into_iter()
            .map(|key| {
                if let Some(&number) = known.get(&key) {
                    return self.counter(number, key);
                }
                let (_, number) = unused.pop()?;
                Counters::get(self.parts.slots, number)?.start(key, generation);
                known.insert(key, number);
                self.counter(number, key)
            })
            .collect()
    }

    fn counter(&self, number: usize, key: u64) -> Option<Counter<'m>> {
        Some(Counter {
            zone: *self,
            counters: Counters::get(self.parts.slots, number)?,
            key,
            policy: denied::policy(number, key),
        })
    }

    fn denials(&self) -> List<'_, 'm> {
        List {
            parts: &self.parts,
            seed: self.seed,
            unlisted: &self.parts.header[UNLISTED],
        }
    }

    /// The origins that were denied most often, most frequent first.
    pub fn denied_origins(&self) -> Vec<DeniedOrigin> {
        self.denials().read()
    }

    /// The last minutes.
    pub fn history(&self, now: u64) -> History {
        history::read(self.parts.history, now)
    }
}

impl<'m> Counter<'m> {
    /// Where requests of one sort are counted.
    pub fn tally(&self, request: Counted) -> Option<Tally<'m>> {
        let (requests, also) = self.counters.of(request)?;
        Some(Tally {
            counters: self.counters,
            key: self.key,
            history: self.zone.parts.history,
            requests,
            also,
            is_denial: is_denial(request.outcome),
        })
    }

    /// Counts a request.
    pub fn count(&self, request: Counted, now: u64) {
        if let Some(tally) = self.tally(request) {
            tally.count(now);
        }
    }

    /// Counts the origin of a request that was denied: as it was sent; nothing where there were several. Returns its
    /// place, if it was denied because no list has it, as it will be the next time.
    pub fn deny(&self, origin: &[u8], reason: Reason<'_>, now: u64) -> Option<Listed<'m>> {
        if !self.counters.belong_to(self.key) {
            return None;
        }
        let policy = self.policy;
        self.zone.denials().count(&Denial { origin, reason, policy }, now)
    }

    /// What has been counted.
    pub fn totals(&self) -> Totals {
        match self.counters.belong_to(self.key) {
            true => self.counters.totals(),
            false => Totals::default(),
        }
    }

    /// Whether this policy is the last that denied the origin.
    pub(crate) fn has_denied(&self, origin: &DeniedOrigin) -> bool {
        self.policy == origin.policy
    }
}

/// Where requests of one sort are counted: found once, so that counting takes next to nothing.
#[derive(Clone, Copy)]
pub struct Tally<'m> {
    counters: Counters<'m>,
    key: u64,
    history: &'m [AtomicU64; history::WORDS],
    requests: &'m AtomicU64,
    also: Option<&'m AtomicU64>,
    is_denial: bool,
}

impl Tally<'_> {
    /// Counts a request.
    #[inline]
    pub fn count(&self, now: u64) {
        if history::is_over(self.history, now) {
            self.count_in_new_step(now);
        } else {
            self.add();
        }
    }

    #[cold]
    fn count_in_new_step(&self, now: u64) {
        history::begin(self.history, now);
        self.add();
    }

    #[inline]
    fn add(&self) {
        if !self.counters.belong_to(self.key) {
            return;
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(also) = self.also {
            also.fetch_add(1, Ordering::Relaxed);
        }
        history::count(self.history, self.is_denial);
    }
}

#[cfg(test)]
mod tests;
