//! Lists against what they should be: a set of origins, and the patterns of a configuration.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "../../policy/tests/common/mod.rs"]
mod common;

use std::collections::HashSet;
use std::sync::atomic::AtomicU64;

use common::{policy, Surroundings};
use cors_lists::{Check, Format, Zone};
use cors_policy::{Field, ListRisks, Policy, Request, Verdict};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

fn served(format: Format, file: &str, entries: usize) -> Vec<AtomicU64> {
    let words: Vec<_> = (0..entries * 10 + 500).map(|_| AtomicU64::new(u64::MAX)).collect();
    let zone = Zone::format(&words, [5, 6, 7, 8]).expect("large enough");
    let lease = zone.take_lease(1, 0, 1, |_| true).expect("free");
    let mut check = Check::new(format);
    check.feed(file.as_bytes());
    let mut build = lease.build(check.finish().expect("right")).expect("large enough");
    build.feed(file.as_bytes()).expect("unchanged");
    assert!(zone.publish(build.finish(0).expect("unchanged")));
    words
}

/// Numbers that look random, the same in every run.
struct Numbers(u64);

impl Numbers {
    /// xorshift64*, <https://doi.org/10.1145/2845077>.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// An origin of a few that are much alike.
    fn origin(&mut self) -> String {
        let scheme = ["https", "https", "https", "http", "app"][self.below(5)];
        let number = self.below(1_500_000);
        let name = ["tenant", "shop", "a-name-of-a-tenant-that-is-rather-long"][self.below(3)];
        let parent = ["example", "example.com", "b.example", "x"][self.below(4)];
        let port = ["", "", "", ":8443"][self.below(4)];
        format!("{scheme}://{name}-{number}.{parent}{port}")
    }
}

/// Asks a list of so many entries about so many origins, half of which it has.
fn hold_against_a_set(entries: usize, look_ups: usize) {
    let mut numbers = Numbers(1);
    let set: HashSet<String> = (0..entries).map(|_| numbers.origin()).collect();
    let listed: Vec<_> = set.iter().collect();
    let file: String = listed.iter().map(|origin| format!("{origin}\n")).collect();
    let words = served(Format::Origins, &file, listed.len());
    let zone = Zone::attach(&words).expect("a zone");
    let status = zone.status().served.expect("a list");
    assert_eq!(status.entries, set.len() as u64);
    for _ in 0..look_ups {
        let mut origin = match numbers.below(2) {
            0 => numbers.origin(),
            _ => listed[numbers.below(listed.len())].clone(),
        };
        if numbers.below(10) == 0 {
            // One character is another, or too many.
            let at = numbers.below(origin.len());
            let character = ["a", "-", "*", ":", "\0", "\u{1f}", ""][numbers.below(7)];
            origin.replace_range(at..=at, character);
        }
        assert_eq!(
            zone.admits(None, origin.as_bytes(), ListRisks::NONE),
            set.contains(&origin),
            "{origin}"
        );
    }
}

#[test]
fn a_list_has_the_origins_of_a_set_and_no_others() {
    hold_against_a_set(20_000, 100_000);
}

#[test]
#[ignore = "takes a minute, and half an hour without optimisation"]
fn a_list_of_a_million_has_the_origins_of_a_set_and_no_others_in_ten_million_look_ups() {
    hold_against_a_set(1_000_000, 10_000_000);
}

fn admits(policy: &Policy, origin: &str) -> bool {
    let request = Request {
        origin: Field::One(origin.as_bytes()),
        ..Request::default()
    };
    let verdict = policy.decide(&request, &Surroundings::with_variables(&[])).verdict();
    matches!(verdict, Verdict::Allowed | Verdict::AllowedWithCredentials)
}

const ENTRIES: [&str; 14] = [
    "https://a.example.com",
    "https://example.com",
    "http://localhost",
    "https://a-name-that-is-rather-long.b.example.com",
    "app://a.example.com",
    "https://b.example.com:8443",
    "https://*.example.com",
    "https://*.example.com:*",
    "https://*.b.example.com:8443",
    "https://*.a-name-that-is-rather-long.b.example.com",
    "http://localhost:*",
    "http://*.localhost",
    "https://example.com:*",
    "app://*.example.com",
];

fn origin() -> impl Strategy<Value = String> {
    let label = select(
        &[
            "a",
            "b",
            "example",
            "com",
            "localhost",
            "a-name-that-is-rather-long",
            "",
            "*",
            "A",
        ][..],
    );
    let scheme = select(&["https", "http", "app", "HTTPS"][..]);
    let tail = select(&["", "", ".", ":*", ":8443", ":443", ":"][..]);
    (scheme, prop::collection::vec(label, 1..5), tail)
        .prop_map(|(scheme, labels, tail)| format!("{scheme}://{}{tail}", labels.join(".")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_list_admits_what_the_same_entries_as_directives_admit(
        entries in subsequence(&ENTRIES[..], 1..=ENTRIES.len()),
        origins in prop::collection::vec(origin(), 1..50),
    ) {
        let words = served(Format::Origins, &entries.join("\n"), entries.len());
        let zone = Zone::attach(&words).unwrap();
        let policy = policy(&format!("cors on;\ncors_allow_origin {};", entries.join(" ")));
        for origin in origins {
            let expected = admits(&policy, &origin);
            prop_assert_eq!(zone.admits(None, origin.as_bytes(), ListRisks::NONE), expected, "{}", origin);
        }
    }

    #[test]
    fn with_keys_each_key_has_a_list_of_its_own(
        lists in prop::collection::vec(subsequence(&ENTRIES[..], 1..=ENTRIES.len()), 3),
        origins in prop::collection::vec(origin(), 1..50),
    ) {
        let keys = ["one", "two.example", "a-key-that-is-rather-long.example"];
        let lines = keys.iter().zip(&lists).map(|(key, entries)| format!("{key} {}\n", entries.join(" ")));
        let file: String = lines.collect();
        let words = served(Format::KeyAndOrigins, &file, lists.iter().map(Vec::len).sum());
        let zone = Zone::attach(&words).unwrap();
        for (key, entries) in keys.iter().zip(&lists) {
            let policy = policy(&format!("cors on;\ncors_allow_origin {};", entries.join(" ")));
            for origin in &origins {
                let expected = admits(&policy, origin);
                let found = zone.admits(Some(key.as_bytes()), origin.as_bytes(), ListRisks::NONE);
                prop_assert_eq!(found, expected, "{} {}", key, origin);
            }
        }
    }
}
