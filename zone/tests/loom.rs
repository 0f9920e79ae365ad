//! Models of the shared memory, which loom runs in every order in which processes can go: `make loom`.
//!
//! Threads stand in for processes. What is modelled is the code itself, on memory that is as small as it can be.
#![cfg(loom)]
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

#[path = "../src/cause.rs"]
mod cause;
#[path = "../src/counters.rs"]
mod counters;
#[path = "../src/listed_origins.rs"]
mod listed_origins;
#[path = "../src/record.rs"]
mod record;
#[path = "../src/sync.rs"]
mod sync;
#[path = "../src/text_cell.rs"]
mod text_cell;

use std::sync::Arc;

use cors_policy::{Outcome, Reason};
use loom::model::Builder;
use loom::thread;

use cause::Cause;
use counters::{Counted, Counters, Effect, RequestKind};
use listed_origins::{ListedOrigins, Memory};
use record::{ListedAs, ListedRequest, Place, RECORD};
use sync::AtomicU64;
use text_cell::{TextCell, CELL_HEAD};

const SEED: u64 = 1;

fn words(number: usize) -> Arc<Vec<AtomicU64>> {
    Arc::new((0..number).map(|_| AtomicU64::new(0)).collect())
}

/// Every order in which the processor goes over from one thread to another at most so often while that has more to do.
fn model(preemptions: usize, run: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(run);
}

#[test]
fn a_string_that_two_write_is_read_whole_or_not_at_all() {
    const STRINGS: [&[u8]; 2] = [b"https://a.example", b"https://b.example:8"];
    model(3, || {
        let words = words(CELL_HEAD + 3);
        let writers = STRINGS.map(|string| {
            let words = words.clone();
            thread::spawn(move || TextCell::new(&words, SEED, 7).unwrap().write(string))
        });
        if let Some(text) = TextCell::new(&words, SEED, 7).unwrap().read() {
            assert!(STRINGS.contains(&&text.bytes[..]), "{text:?}");
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    });
}

const ALLOWED: Counted = Counted {
    kind: RequestKind::Actual,
    outcome: Some(Outcome::Allowed),
    effect: Effect::None,
    candidate: None,
};

/// A worker of the old configuration goes on counting while its counters are given to another policy.
#[test]
fn counters_that_are_given_to_another_policy_lose_none_of_its_requests() {
    const OLD: u64 = 1;
    const NEW: u64 = 2;
    model(3, || {
        let words = words(counters::WORDS);
        let get = |words: &[AtomicU64]| Counters::get(words, 0).map(|counters| counters.start(OLD, 1));
        get(&words).unwrap();
        let count_by = |key: u64| {
            let words = words.clone();
            thread::spawn(move || Counters::get(&words, 0).unwrap().count(key, ALLOWED))
        };
        let (of_old, of_new) = (count_by(OLD), count_by(NEW));
        let counters = Counters::get(&words, 0).unwrap();
        counters.start(NEW, 2);
        of_old.join().unwrap();
        let counted = u64::from(of_new.join().unwrap());
        let shown = counters.totals().all();
        // At most the one that the old worker was about to add is too many.
        assert!(
            (counted..=counted + 1).contains(&shown),
            "{counted} counted, {shown} shown"
        );
    });
}

/// A list with a single record, for which the origins compete.
struct OneRecord(Arc<Vec<AtomicU64>>);

impl OneRecord {
    fn new() -> Self {
        Self(words(2 + RECORD))
    }

    fn list(&self) -> ListedOrigins<'_> {
        let ([unlisted, head], records) = self.0.split_first_chunk::<2>().unwrap();
        ListedOrigins {
            memory: Memory {
                hints: &[],
                heads: std::slice::from_ref(head),
                records,
            },
            seed: SEED,
            unlisted,
        }
    }

    /// Another process denies an origin.
    fn deny(&self, origin: &'static [u8], reason: Reason<'static>) -> thread::JoinHandle<()> {
        let memory = Self(self.0.clone());
        thread::spawn(move || {
            let (cause, detail) = Cause::of(&reason).unwrap();
            memory.list().count(&ListedRequest {
                origin,
                cause,
                detail,
                place: Place {
                    policy: 1,
                    listed_as: ListedAs::Denied,
                },
                now: 1,
            });
        })
    }
}

#[test]
fn a_record_that_two_take_over_counts_both_and_shows_one_or_none() {
    model(2, || {
        let memory = OneRecord::new();
        let denials = [
            memory.deny(b"https:a", Reason::Origin(b"https:a")),
            memory.deny(b"https:b", Reason::SeveralOrigins),
        ];
        for denied in memory.list().read() {
            let expected: &[u8] = match denied.cause {
                Cause::Origin => b"https:a",
                Cause::SeveralOrigins => b"https:b",
                other => panic!("{other:?}"),
            };
            assert_eq!((&denied.origin[..], denied.is_cut), (expected, false));
        }
        denials.into_iter().for_each(|denial| denial.join().unwrap());
        assert_eq!(memory.list().sum(), 2);
    });
}

#[test]
fn an_origin_that_is_denied_for_two_reasons_is_shown_with_one_of_them() {
    model(2, || {
        let memory = OneRecord::new();
        memory.deny(b"https:a", Reason::Method(b"PUT")).join().unwrap();
        let denial = memory.deny(b"https:a", Reason::Header(b"x-one"));
        for denied in memory.list().read() {
            let expected: [(Cause, Option<&[u8]>); 4] = [
                (Cause::Method, Some(b"PUT")),
                (Cause::Method, None),
                (Cause::Header, Some(b"x-one")),
                (Cause::Header, None),
            ];
            assert!(
                expected.contains(&(denied.cause, denied.detail.as_deref())),
                "{denied:?}"
            );
        }
        denial.join().unwrap();
        assert_eq!(memory.list().sum(), 2);
    });
}
