//! A list in shared memory: looked at by all processes, replaced by one.

use cors_policy::{ListRisks, Pieces};

use crate::build::{Build, Prepared, TooLarge};
use crate::checked::{Checked, Digest};
use crate::control::{Overtaken, Written};
use crate::entry;
use crate::failure::{Failure, FailureCell};
use crate::half::{Half, Served};
use crate::layout::{self, Parts, LENGTH, MAGIC, MAGIC_AT, SECRET};
use crate::lease::Term;
use crate::seeds::{Seeds, SECRET_WORDS};
use crate::sync::{AtomicU64, Ordering};
use crate::watch::{SeenCell, Sighting};

/// A list in memory that processes share.
#[derive(Clone, Copy)]
pub struct Zone<'m> {
    parts: Parts<'m>,
}

/// The right to look at the file and to replace the list, which one process has for a time.
pub struct Lease<'m> {
    zone: Zone<'m>,
    term: Term,
    seconds: u32,
}

/// A lease between two looks: whoever has it can go on with the lease ([`Zone::resume`]), wherever the memory is by then.
#[derive(Clone, Copy, Debug)]
pub struct LeaseTicket {
    term: Term,
    seconds: u32,
}

/// Builds lists for whoever holds the lease, on another thread if need be.
#[derive(Clone, Copy)]
pub struct Builder<'m> {
    zone: Zone<'m>,
}

/// Another process holds the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseLost;

/// What there is to know of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The list that is served, if there is one.
    pub served: Option<Served>,
    /// Why the last attempt to read the file failed, if it did.
    pub failure: Option<Failure>,
}

impl<'m> Zone<'m> {
    /// The zone that is in this memory, if there is one. Nothing in it is changed.
    #[inline]
    pub fn attach(words: &'m [AtomicU64]) -> Option<Self> {
        let parts = Parts::of(words)?;
        let is_ours = parts.head[MAGIC_AT].load(Ordering::Acquire) == MAGIC
            && parts.head[LENGTH].load(Ordering::Relaxed) == words.len() as u64;
        is_ours.then_some(Self { parts })
    }

    /// Makes a zone without a list in this memory, if it is large enough. `secret` are numbers that nobody can foresee,
    /// and nobody is shown.
    ///
    /// This is for memory that is new, or in which [`Zone::attach`] finds no zone: what is there is lost.
    pub fn format(words: &'m [AtomicU64], secret: [u64; SECRET_WORDS]) -> Option<Self> {
        let parts = Parts::of(words)?;
        // All but the halves, which hold nothing before one of them is served.
        for word in words.iter().take(layout::words_for_table(0)) {
            word.store(0, Ordering::Relaxed);
        }
        for (word, value) in parts.head.iter().skip(SECRET).zip(secret) {
            word.store(value, Ordering::Relaxed);
        }
        parts.head[LENGTH].store(words.len() as u64, Ordering::Relaxed);
        parts.head[MAGIC_AT].store(MAGIC, Ordering::Release);
        Some(Self { parts })
    }

    /// Whether the list admits the bytes of an `Origin` header, for requests with this key where the file has keys.
    /// Entries with one of the risks that are `ignored` do not count.
    ///
    /// If the process was stopped again and again in the middle of this, each time until the list had been replaced
    /// twice, the answer is no.
    #[inline]
    pub fn admits(&self, key: Option<&[u8]>, origin: &[u8], ignored: ListRisks) -> bool {
        let look = |served: Written| {
            let Some(half) = self.parts.half(served.half) else {
                return false;
            };
            if key.is_some() || half.has_patterns() {
                return admits_by_key_or_pattern(half, self.seeds(served.stamp), key, origin, ignored);
            }
            let table = half.table(self.seeds(served.stamp));
            table.is_some_and(|table| entry::is_listed(&table, None, origin, ignored))
        };
        matches!(self.parts.control().read(look), Ok(Some(true)))
    }

    /// What there is to know of the list.
    pub fn status(&self) -> Status {
        Status {
            served: self.served(),
            failure: self.parts.failure().and_then(FailureCell::read),
        }
    }

    fn served(&self) -> Option<Served> {
        let served = self
            .parts
            .control()
            .read(|served| Some(self.parts.half(served.half)?.served()));
        served.ok().flatten().flatten()
    }

    /// What was read last, whatever came of it: what the next holder of the lease begins with.
    pub fn last_read(&self) -> Option<Sighting> {
        self.parts.seen().and_then(SeenCell::read)
    }

    /// Takes the lease for the process `holder` until `now + seconds`, if no living process holds it. `now` is counted
    /// by a clock that all processes share and that is not set, such as `CLOCK_MONOTONIC`. Of a process that holds the
    /// lease it is asked whether it `is_alive`.
    pub fn take_lease(
        &self,
        holder: u32,
        now: u32,
        seconds: u32,
        is_alive: impl FnOnce(u32) -> bool,
    ) -> Option<Lease<'m>> {
        let term = self.parts.lease().take(holder, now, seconds, is_alive)?;
        Some(Lease {
            zone: *self,
            term,
            seconds,
        })
    }

    /// Goes on with a lease of this zone.
    pub fn resume(&self, LeaseTicket { term, seconds }: LeaseTicket) -> Lease<'m> {
        Lease {
            zone: *self,
            term,
            seconds,
        }
    }

    /// Serves a list that has been prepared; false if another build has begun since.
    ///
    /// Any process may do this. Where several do, the first one does it.
    pub fn publish(&self, prepared: Prepared) -> bool {
        match self.parts.control().publish(prepared.stamp) {
            Ok(()) => true,
            Err(Overtaken) => self
                .parts
                .control()
                .served()
                .is_some_and(|served| served.stamp == prepared.stamp),
        }
    }

    #[inline]
    fn seeds(&self, stamp: u32) -> Seeds {
        Seeds::of_build(self.parts.secret(), stamp)
    }
}

/// Apart from what most lists need, which is short. The arguments are values, so that they need no place in memory where
/// this is not called.
#[inline(never)]
fn admits_by_key_or_pattern(
    half: Half<'_>,
    seeds: Seeds,
    key: Option<&[u8]>,
    origin: &[u8],
    ignored: ListRisks,
) -> bool {
    let Some(table) = half.table(seeds) else {
        return false;
    };
    let is_listed = |pieces: &Pieces<'_>| entry::is_pattern_listed(&table, key, pieces, ignored);
    entry::is_listed(&table, key, origin, ignored) || half.has_patterns() && half.shapes().is_covered(origin, is_listed)
}

impl<'m> Lease<'m> {
    /// Prolongs the lease, by as much as it was taken for.
    pub fn renew(&mut self, now: u32) -> Result<(), LeaseLost> {
        let renewed = self.zone.parts.lease().renew(self.term, now, self.seconds);
        self.term = renewed.ok_or(LeaseLost)?;
        Ok(())
    }

    /// Gives the lease back, so that the next one need not wait until it is out.
    pub fn release(self) {
        self.zone.parts.lease().release(self.term);
    }

    /// What is kept of the lease until the next look.
    pub fn ticket(&self) -> LeaseTicket {
        LeaseTicket {
            term: self.term,
            seconds: self.seconds,
        }
    }

    /// What builds lists. The lease has to be renewed meanwhile.
    pub fn builder(&self) -> Builder<'m> {
        Builder { zone: self.zone }
    }

    /// Begins to build a list: see [`Builder::build`].
    pub fn build(&self, checked: Checked) -> Result<Build<'m>, TooLarge> {
        self.builder().build(checked)
    }

    /// Takes note of a file that is as it was: see [`Builder::is_unchanged`].
    pub fn is_unchanged(&self, digest: Digest, now: u64) -> bool {
        self.builder().is_unchanged(digest, now)
    }

    /// Takes note of what was read, whatever came of it, and why the attempt failed if it did. False if an attempt to
    /// read the same version has failed for the same reason: that has been logged.
    pub fn note(&self, read: Sighting, failure: Option<&Failure>) -> bool {
        let parts = self.zone.parts;
        let (Some(seen), Some(cell)) = (parts.seen(), parts.failure()) else {
            return true;
        };
        let (read_before, before) = (seen.read(), cell.read());
        seen.write(read);
        let Some(failure) = failure else {
            cell.clear();
            return true;
        };
        cell.write(failure);
        // What was written may have been cut.
        let text = |failure: Option<Failure>| failure.map(|failure| failure.text);
        read_before != Some(read) || text(before) != text(cell.read())
    }
}

impl<'m> Builder<'m> {
    /// Begins to build the list of a file that was checked, where no one reads. A build that another process has begun
    /// comes to nothing.
    pub fn build(&self, checked: Checked) -> Result<Build<'m>, TooLarge> {
        let Zone { parts } = self.zone;
        let too_large = TooLarge {
            needed: layout::memory_for(&checked),
        };
        let room = parts.half(0).map_or(0, |half| half.room());
        if checked.size(room).is_none() {
            return Err(too_large);
        }
        let generation = self.zone.served().map_or(0, |served| served.generation) + 1;
        let half_of = |number| parts.half(number);
        let seeds_of = |stamp| self.zone.seeds(stamp);
        Build::begin(self.zone.parts.control(), half_of, checked, seeds_of, generation).ok_or(too_large)
    }

    /// Takes note that the file was read once more and that this digest, that of the list which is served, is still
    /// its own; false if another list is served.
    pub fn is_unchanged(&self, digest: Digest, now: u64) -> bool {
        let is_same = self.zone.served().is_some_and(|served| served.digest == digest);
        if let Some(served) = self.zone.parts.control().served().filter(|_| is_same) {
            if let Some(half) = self.zone.parts.half(served.half) {
                half.read_again(now);
            }
        }
        is_same
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
