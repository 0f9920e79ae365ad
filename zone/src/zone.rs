//! The memory as a whole.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::cause::Cause;
use crate::cell;
use crate::counters::{is_denial, Counted, Counters, Slot, Totals, WORDS};
use crate::denied::{Denial, DeniedOrigin, List};
use crate::history::{self, History};
use crate::layout::Parts;

/// What the memory begins with. Whoever changes what lies where, or what it means, counts the last byte up.
const MAGIC: u64 = u64::from_le_bytes(*b"cors zn\x01");

const MAGIC_AT: usize = 0;
const LENGTH: usize = 1;
const SEED: usize = 2;
const STARTED: usize = 3;
const GENERATION: usize = 4;
const UNLISTED: usize = 5;

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
    pub fn assign<'n>(&self, names: impl Iterator<Item = (&'n str, &'n str)>) -> Vec<Option<Slot>> {
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
                    return Some(Slot { number, key });
                }
                let (_, number) = unused.pop()?;
                Counters::get(self.parts.slots, number)?.start(key, generation);
                known.insert(key, number);
                Some(Slot { number, key })
            })
            .collect()
    }

    /// Counts a request.
    #[inline]
    pub fn count(&self, slot: Slot, request: Counted, now: u64) {
        let Some(counters) = Counters::get(self.parts.slots, slot.number) else {
            return;
        };
        // A process that has outlived several configurations may find another policy in its place.
        if counters.key() != slot.key {
            return;
        }
        counters.count(request);
        history::count(self.parts.history, now, is_denial(request.outcome));
    }

    fn denials(&self) -> List<'_, 'm> {
        List {
            parts: &self.parts,
            seed: self.seed,
            unlisted: &self.parts.header[UNLISTED],
        }
    }

    /// Counts the origin of a request that was denied.
    pub fn deny(&self, denial: &Denial<'_>, now: u64) {
        self.denials().count(denial, now);
    }

    /// Does the same where nothing but the time has changed since this policy last denied this origin, and says why that
    /// was. The denial need not be worked out then.
    #[inline]
    pub fn deny_again(&self, origin: &[u8], slot: Slot, now: u64) -> Option<Cause> {
        self.denials().count_again(origin, slot, now)
    }

    /// What has been counted for a policy.
    pub fn totals(&self, slot: Slot) -> Totals {
        Counters::get(self.parts.slots, slot.number)
            .filter(|counters| counters.key() == slot.key)
            .map_or_else(Totals::default, Counters::totals)
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

#[cfg(test)]
mod tests;
