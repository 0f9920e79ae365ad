//! Models of the shared memory, which loom runs in every order in which processes can go: `make loom`.
//!
//! Threads stand in for processes. What is modelled is the code itself, on memory that is as small as it can be.
#![cfg(loom)]
#![allow(dead_code, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../src/control.rs"]
mod control;
#[path = "../src/lease.rs"]
mod lease;
#[path = "../src/record.rs"]
mod record;
#[path = "../src/seeds.rs"]
mod seeds;
#[path = "../src/sync.rs"]
mod sync;
#[path = "../src/table.rs"]
mod table;
#[path = "../src/watch.rs"]
mod watch;

use std::sync::Arc;

use cors_policy::ListRisks;
use loom::model::Builder;
use loom::thread;

use control::{Control, Overtaken, Stamp, Written};
use lease::LeaseWord;
use seeds::Seeds;
use sync::{AtomicU64, Ordering};
use table::{Filling, Kind, Size, Table};
use watch::{SeenCell, Sighting, Version};

fn words(number: usize) -> Arc<Vec<AtomicU64>> {
    Arc::new((0..number).map(|_| AtomicU64::new(0)).collect())
}

/// Every order in which the processor goes over from one thread to another at most so often while that has more to do.
fn model(preemptions: usize, run: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(run);
}

/// A control word and two halves, in each of which there is a list of one number, written twice.
#[derive(Clone)]
struct Numbers(Arc<Vec<AtomicU64>>);

impl Numbers {
    fn new() -> Self {
        Self(words(5))
    }

    fn control(&self) -> Control<'_> {
        Control(&self.0[0])
    }

    fn half(&self, number: usize) -> &[AtomicU64] {
        &self.0[1 + 2 * number..][..2]
    }

    fn replace(&self, list: u64) -> Result<(), Overtaken> {
        let build = self.control().begin();
        for word in self.half(build.half) {
            word.store(list, Ordering::Relaxed);
        }
        self.control().publish(build.stamp)
    }

    /// The two numbers of the list that is served.
    fn read(&self) -> Result<Option<[u64; 2]>, Overtaken> {
        let look = |served: Written| [0, 1].map(|at: usize| self.half(served.half)[at].load(Ordering::Relaxed));
        self.control().read(look)
    }
}

/// The second time the writer fills the half that the reader may still be in.
#[test]
fn a_reader_sees_one_whole_list_while_two_replace_it() {
    model(3, || {
        let memory = Numbers::new();
        memory.replace(1).unwrap();
        let writer = {
            let memory = memory.clone();
            thread::spawn(move || {
                memory.replace(2).unwrap();
                memory.replace(3).unwrap();
            })
        };
        let [one, other] = memory.read().unwrap().unwrap();
        assert_eq!(one, other);
        assert!((1..=3).contains(&one));
        let [later, _] = memory.read().unwrap().unwrap();
        assert!(later >= one);
        writer.join().unwrap();
        assert_eq!(memory.read(), Ok(Some([3, 3])));
    });
}

/// The lease keeps two from building at the same time; should it fail to, one of them is overtaken.
#[test]
fn of_two_that_build_at_once_only_one_that_was_not_overtaken_is_served() {
    model(3, || {
        let memory = Numbers::new();
        let other = {
            let memory = memory.clone();
            thread::spawn(move || memory.replace(2).is_ok())
        };
        let is_served = memory.replace(1).is_ok();
        let is_other_served = other.join().unwrap();
        assert!(is_served || is_other_served);
        assert!(memory.control().served().unwrap().stamp <= 2);
    });
}

#[test]
fn a_build_that_was_killed_does_not_keep_the_next_from_being_served() {
    model(3, || {
        let memory = Numbers::new();
        memory.replace(1).unwrap();
        // It is killed after the first word.
        let killed = memory.control().begin();
        memory.half(killed.half)[0].store(9, Ordering::Relaxed);
        let next = {
            let memory = memory.clone();
            thread::spawn(move || memory.replace(2).unwrap())
        };
        let seen = memory.read().unwrap().unwrap();
        assert!(seen == [1, 1] || seen == [2, 2], "{seen:?}");
        next.join().unwrap();
        assert_eq!(memory.read(), Ok(Some([2, 2])));
    });
}

/// A control word and two tables of one entry.
#[derive(Clone)]
struct Tables(Arc<Vec<AtomicU64>>);

const SIZE: Size = Size { buckets: 1, records: 1 };

impl Tables {
    fn new() -> Self {
        Self(words(1 + 2 * SIZE.words()))
    }

    fn control(&self) -> Control<'_> {
        Control(&self.0[0])
    }

    fn half(&self, number: usize) -> &[AtomicU64] {
        &self.0[1 + SIZE.words() * number..][..SIZE.words()]
    }

    fn seeds(stamp: Stamp) -> Seeds {
        Seeds::of_build([1, 2, 3, 4], stamp)
    }

    /// Whoever was overtaken goes on all the same: it may have been asleep between a look and what it writes.
    fn replace(&self, entry: &[u8]) -> Result<(), Overtaken> {
        let build = self.control().begin();
        let mut filling = Filling::new(self.half(build.half), SIZE, 1, Self::seeds(build.stamp)).unwrap();
        let _ = filling.insert(entry, Kind::EXACT, ListRisks::NONE);
        self.control().publish(build.stamp)
    }

    /// Which of the entries the list that is served has.
    fn has<const N: usize>(&self, entries: [&[u8]; N]) -> Option<[bool; N]> {
        let look = |served: Written| {
            let table = Table::new(self.half(served.half), SIZE.buckets, Self::seeds(served.stamp)).unwrap();
            entries.map(|entry| table.holds(entry, Kind::EXACT, ListRisks::NONE))
        };
        self.control().read(look).unwrap()
    }
}

#[test]
fn an_entry_is_found_in_the_list_that_has_it_and_in_no_other() {
    model(2, || {
        let memory = Tables::new();
        memory.replace(b"a").unwrap();
        let writer = {
            let memory = memory.clone();
            thread::spawn(move || {
                memory.replace(b"b").unwrap();
                memory.replace(b"c").unwrap();
            })
        };
        let found = memory.has([b"a", b"b", b"c"]).unwrap();
        assert_eq!(found.iter().filter(|found| **found).count(), 1, "{found:?}");
        writer.join().unwrap();
        assert_eq!(memory.has([b"a", b"b", b"c"]), Some([false, false, true]));
    });
}

/// One was stopped, its lease ran out, and it goes on while another builds: its entry is never found.
#[test]
fn what_an_overtaken_build_writes_is_no_entry_of_the_list_that_is_served() {
    model(2, || {
        let memory = Tables::new();
        let slow = {
            let memory = memory.clone();
            thread::spawn(move || memory.replace(b"slow").is_ok())
        };
        let is_quick_served = memory.replace(b"quick").is_ok();
        let found = memory.has([b"slow", b"quick"]);
        let is_slow_served = slow.join().unwrap();
        if let Some([slow, quick]) = found {
            assert!(is_slow_served || !slow);
            assert!(is_quick_served || !quick);
        }
        let later = memory.has([b"slow", b"quick"]).unwrap();
        assert!(later != [true, true]);
        assert!(is_slow_served || !later[0]);
        assert!(is_quick_served || !later[1]);
    });
}

#[test]
fn of_two_that_ask_for_the_lease_one_gets_it() {
    // It is free, or its holder is dead, or it is out.
    for (held, now) in [(None, 5), (Some(1), 5), (Some(4), 50)] {
        model(3, move || {
            let word = words(1);
            if let Some(holder) = held {
                LeaseWord(&word[0]).take(holder, 0, 10, |_| true).unwrap();
            }
            let is_alive = |holder| holder != 1;
            let other = {
                let word = word.clone();
                thread::spawn(move || LeaseWord(&word[0]).take(3, now, 10, is_alive))
            };
            let ours = LeaseWord(&word[0]).take(2, now, 10, is_alive);
            let theirs = other.join().unwrap();
            assert!(ours.is_some() != theirs.is_some());
            let lease = LeaseWord(&word[0]);
            assert_eq!(
                ours.is_some(),
                ours.and_then(|term| lease.renew(term, now + 1, 10)).is_some()
            );
        });
    }
}

#[test]
fn the_holder_of_a_lease_that_is_out_renews_it_or_another_takes_it() {
    model(3, || {
        let word = words(1);
        let held = LeaseWord(&word[0]).take(2, 0, 10, |_| true).unwrap();
        let other = {
            let word = word.clone();
            thread::spawn(move || LeaseWord(&word[0]).take(3, 10, 10, |_| true).is_some())
        };
        let is_renewed = LeaseWord(&word[0]).renew(held, 10, 10).is_some();
        assert!(is_renewed != other.join().unwrap());
    });
}

#[test]
fn what_two_note_is_read_whole_or_not_at_all() {
    let seen = [1, 2].map(|number| {
        Sighting::File(Version {
            device: number,
            inode: number,
            size: number,
            seconds: number as i64,
            nanoseconds: number as u32,
        })
    });
    model(2, move || {
        let memory = words(watch::WORDS);
        let cell = |words: &[AtomicU64], sighting| SeenCell(words.first_chunk().unwrap()).write(sighting);
        let other = {
            let memory = memory.clone();
            thread::spawn(move || cell(&memory, seen[1]))
        };
        cell(&memory, seen[0]);
        let read = SeenCell(memory.first_chunk().unwrap()).read();
        assert!(read.is_none_or(|read| seen.contains(&read)), "{read:?}");
        other.join().unwrap();
    });
}
