use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use cors_policy::{Outcome, Reason};
use proptest::prelude::*;

use super::*;
use crate::{words_for, Cause, Effect, RequestKind};

const NOW: u64 = 1_800_000_000;
const SEED: u64 = 0x5eed;

fn memory(counters: usize) -> Vec<AtomicU64> {
    (0..words_for(counters)).map(|_| AtomicU64::new(0xa5a5)).collect()
}

fn format(words: &[AtomicU64]) -> Zone<'_> {
    Zone::format(words, SEED, NOW).expect("large enough")
}

fn only_counter<'m>(zone: &Zone<'m>) -> Counter<'m> {
    zone.assign([("example.com", "/")].into_iter(), NOW)[0].expect("room")
}

fn deny(counter: Counter<'_>, origin: &str) {
    counter.deny(origin.as_bytes(), Reason::Origin(origin.as_bytes()), false, NOW);
}

const ALLOWED: Counted = Counted {
    kind: RequestKind::Actual,
    outcome: Some(Outcome::Allowed),
    effect: Effect::None,
    candidate: None,
};

fn image(words: &[AtomicU64]) -> Vec<u64> {
    words.iter().map(|word| word.load(Ordering::Relaxed)).collect()
}

fn restore(words: &[AtomicU64], image: &[u64]) {
    words
        .iter()
        .zip(image)
        .for_each(|(word, value)| word.store(*value, Ordering::Relaxed));
}

#[test]
fn every_kind_of_request_has_a_counter_of_its_own() {
    let words = memory(2);
    let zone = format(&words);
    let counters = zone.assign([("a", "/"), ("b", "/")].into_iter(), NOW);
    let [Some(one), Some(other)] = counters[..] else {
        panic!()
    };
    let (allowed, denied) = (Some(Outcome::Allowed), Some(Outcome::OriginDenied));
    for (kind, outcome, effect) in [
        (RequestKind::Actual, allowed, Effect::None),
        (RequestKind::Actual, None, Effect::None),
        (RequestKind::Actual, denied, Effect::Enforced),
        (RequestKind::Actual, denied, Effect::DryRun),
        (RequestKind::Actual, allowed, Effect::DryRun),
        (RequestKind::Preflight, Some(Outcome::MethodDenied), Effect::Answered),
    ] {
        one.count(
            Counted {
                kind,
                outcome,
                effect,
                candidate: None,
            },
            NOW,
        );
    }
    let totals = one.totals();
    assert_eq!(totals.requests(RequestKind::Actual, Some(Outcome::Allowed)), 2);
    assert_eq!(totals.requests(RequestKind::Actual, None), 1);
    assert_eq!(totals.requests(RequestKind::Actual, Some(Outcome::OriginDenied)), 2);
    assert_eq!(totals.requests(RequestKind::Preflight, Some(Outcome::MethodDenied)), 1);
    assert_eq!(
        (totals.all(), totals.answered, totals.enforced, totals.dry_run),
        (6, 1, 1, 1)
    );
    assert_eq!(other.totals().all(), 0);
    assert_eq!(zone.history(NOW).requests.iter().sum::<u64>(), 6);
    assert_eq!(zone.history(NOW).denied.iter().sum::<u64>(), 3);
}

#[test]
fn a_name_finds_its_counters_again() {
    let words = memory(3);
    let zone = format(&words);
    let counter = only_counter(&zone);
    counter.count(ALLOWED, NOW);
    let zone = Zone::attach(&words).expect("a zone");
    let counters = zone.assign(
        [("new.example", "/"), ("example.com", "/"), ("new.example", "/b")].into_iter(),
        NOW,
    );
    assert_eq!(counters[1].unwrap().totals().all(), 1);
    assert_eq!(counters[0].unwrap().totals().all(), 0);
    assert_eq!(zone.started(), NOW);
}

/// What a failed reload leaves behind: it has opened the memory, and gone no further.
#[test]
fn opening_a_zone_changes_nothing_in_it() {
    let words = memory(1);
    let counters = format(&words).assign([("a.example", "/"), ("b.example", "/")].into_iter(), NOW);
    for counter in counters.iter().flatten() {
        counter.count(ALLOWED, NOW);
        deny(*counter, "https://stranger.example");
    }
    let before = image(&words);
    let opened = Zone::attach(&words).or_else(|| Zone::format(&words, SEED + 1, NOW + 1));
    assert_eq!(image(&words), before);
    // The next step is what takes the counters of the running configuration.
    let names: Vec<String> = (0..opened.unwrap().capacity())
        .map(|number| number.to_string())
        .collect();
    opened
        .unwrap()
        .assign(names.iter().map(|name| (name.as_str(), "/")), NOW);
    assert!(counters.iter().flatten().all(|counter| counter.totals().all() == 0));
}

#[test]
fn forty_thousand_policies_are_assigned_in_a_moment() {
    let names: Vec<String> = (0..40_000).map(|number| format!("{number}.example")).collect();
    let words = memory(names.len());
    let zone = format(&words);
    let began = Instant::now();
    for _ in 0..2 {
        let counters = zone.assign(names.iter().map(|name| (name.as_str(), "/")), NOW);
        assert!(counters.iter().all(Option::is_some));
    }
    // It takes some hundredths of a second; to compare each with each would take minutes.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn the_longest_unused_make_room() {
    let words = memory(0);
    let zone = format(&words);
    let capacity = zone.capacity();
    let first = only_counter(&zone);
    first.count(ALLOWED, NOW);
    deny(first, "https://a.example");
    let names: Vec<String> = (0..=capacity).map(|number| number.to_string()).collect();
    let all_but_one = names.iter().skip(1).map(|name| (name.as_str(), "/"));
    let others = zone.assign(all_but_one, NOW);
    assert!(others.iter().all(Option::is_some));
    let denied = &zone.denied_origins()[0];
    assert!(first.policy() == denied.policy);
    assert!(
        others.iter().flatten().all(|other| other.policy() != denied.policy),
        "it was not they"
    );
    assert_eq!(first.totals().all(), 0, "another's");
    // Whoever still has the old ones counts nothing there.
    first.count(ALLOWED, NOW);
    let counters = zone.assign(names.iter().map(|name| (name.as_str(), "/")), NOW);
    assert_eq!(counters.iter().filter(|counter| counter.is_none()).count(), 1);
    assert!(counters.iter().flatten().all(|counter| counter.totals().all() == 0));
}

#[test]
fn of_the_unused_the_longest_unused_goes_first() {
    let words = memory(0);
    let zone = format(&words);
    let only = |name| zone.assign([(name, "/")].into_iter(), NOW)[0].expect("room");
    let (older, newer) = (only("older"), only("newer"));
    older.count(ALLOWED, NOW);
    newer.count(ALLOWED, NOW);
    // Room for all but one.
    let names: Vec<String> = (1..zone.capacity()).map(|number| number.to_string()).collect();
    zone.assign(names.iter().map(|name| (name.as_str(), "/")), NOW);
    assert_eq!((older.totals().all(), newer.totals().all()), (0, 1));
}

#[test]
fn memory_of_another_size_or_layout_is_no_zone() {
    // One word less has room for a zone as well.
    let words = memory(100);
    assert!(Zone::attach(&words).is_none());
    format(&words);
    assert!(Zone::attach(&words).is_some());
    assert!(Zone::attach(&words[..words.len() - 1]).is_none());
    words[0].fetch_add(1 << 56, Ordering::Relaxed);
    assert!(Zone::attach(&words).is_none());
}

#[test]
fn a_denied_origin_is_listed_with_its_reason() {
    let words = memory(1);
    let zone = format(&words);
    let counter = only_counter(&zone);
    let origin = b"https://a.example".as_slice();
    for reason in [
        Reason::Origin(origin),
        Reason::Header(b"x-one"),
        Reason::Header(b"x-two"),
    ] {
        counter.deny(origin, reason, false, NOW + 1);
    }
    let long = [b'a'; 1000];
    counter.deny(&long, Reason::NotAnOrigin(&long), false, NOW);
    let [one, other] = &zone.denied_origins()[..] else {
        panic!()
    };
    assert_eq!(
        (&one.origin[..], one.count, one.error, one.is_cut),
        (origin, 3, 0, false)
    );
    assert_eq!(one.reason(), Some(Reason::Header(b"x-two")));
    assert_eq!((one.last, counter.policy() == one.policy), (NOW + 1, true));
    assert_eq!(
        (other.origin.len(), other.is_cut, other.cause),
        (256, true, Cause::NotAnOrigin)
    );
}

#[test]
fn denials_of_an_origin_at_two_places_and_in_a_dry_run_are_told_apart() {
    let words = memory(2);
    let zone = format(&words);
    let counters = zone.assign([("example.com", "/"), ("example.com", "/api/")].into_iter(), NOW);
    let [root, api] = [0, 1].map(|number| counters[number].expect("room"));
    let origin = b"https://a.example".as_slice();
    for (counter, dry_run, times) in [(root, false, 3), (api, false, 2), (api, true, 1)] {
        for _ in 0..times {
            counter.deny(origin, Reason::Origin(origin), dry_run, NOW);
        }
    }
    let listed: Vec<_> = zone
        .denied_origins()
        .iter()
        .map(|denied| (denied.policy == root.policy(), denied.listed_as, denied.count))
        .collect();
    assert_eq!(
        listed,
        [
            (true, ListedAs::Denied, 3),
            (false, ListedAs::Denied, 2),
            (false, ListedAs::DeniedInDryRun, 1)
        ]
    );
}

#[test]
fn an_origin_that_gains_and_one_that_loses_are_listed_with_what_would_change() {
    let words = memory(1);
    let zone = format(&words);
    let counter = only_counter(&zone);
    let changes = [
        Change::Denied(Reason::Origin(b"https://a.example")),
        Change::Denied(Reason::Method(b"PUT")),
        Change::Allowed(Reason::Header(b"x-one")),
        Change::WithoutCredentials(b"https://b.example"),
        Change::WithCredentials(b"https://c.example"),
    ];
    for (origin, number) in [("a", 0), ("a", 1), ("a", 2), ("b", 3), ("b", 3), ("b", 3), ("c", 4)] {
        counter.change(format!("https://{origin}.example").as_bytes(), &changes[number], NOW);
    }
    let listed = zone.changed_origins();
    let seen: Vec<_> = listed
        .iter()
        .map(|one| (one.listed_as, one.count, one.change().expect("whole")))
        .collect();
    assert_eq!(
        seen,
        [
            (ListedAs::Loss, 3, changes[3]),
            (ListedAs::Loss, 2, changes[1]),
            (ListedAs::Gain, 1, changes[2]),
            (ListedAs::Gain, 1, changes[4]),
        ]
    );
    assert_eq!(zone.denied_origins(), []);
}

#[test]
fn a_flood_of_denials_pushes_no_one_out_who_would_lose() {
    let words = memory(1);
    let zone = format(&words);
    let counter = only_counter(&zone);
    counter.change(
        b"https://a.example",
        &Change::Denied(Reason::Origin(b"https://a.example")),
        NOW,
    );
    for number in 0..10_000 {
        deny(counter, &format!("https://{number}.stranger.example"));
    }
    assert_eq!(zone.changed_origins()[0].origin, b"https://a.example");
}

#[test]
fn it_is_known_since_when_a_configuration_is_in_force() {
    let words = memory(1);
    let zone = format(&words);
    for now in [NOW + 5, NOW + 9] {
        zone.assign([("a.example", "/")].into_iter(), now);
        assert_eq!((zone.started(), zone.configured()), (NOW, now));
    }
}

/// Origins that come once each do not push out those that come often, and take no memory.
#[test]
fn a_million_strangers_change_nothing() {
    // 128 KiB
    let words: Vec<_> = (0..16384).map(|_| AtomicU64::new(0)).collect();
    let zone = format(&words);
    let counter = only_counter(&zone);
    let strangers = 1_000_000;
    let heavy = |number: u64| format!("https://heavy-{number}.example");
    let every = |number: u64| 50 - 2 * number;
    let mut sent: HashMap<String, u64> = HashMap::new();
    for number in 0..strangers {
        deny(counter, &format!("https://{number}.stranger.example"));
        for ten in 0..10 {
            if number % every(ten) == 0 {
                deny(counter, &heavy(ten));
                *sent.entry(heavy(ten)).or_default() += 1;
            }
        }
    }
    let listed = zone.denied_origins();
    assert!(listed.len() <= zone.listed_at_most());
    let mut first: Vec<String> = listed
        .iter()
        .take(10)
        .map(|one| String::from_utf8_lossy(&one.origin).into())
        .collect();
    for denied in &listed[..10] {
        let truly = sent[&*String::from_utf8_lossy(&denied.origin)];
        assert!(
            truly <= denied.count && denied.count - denied.error <= truly,
            "{truly} {denied:?}"
        );
    }
    first.sort();
    let mut expected: Vec<String> = sent.keys().cloned().collect();
    expected.sort();
    assert_eq!(first, expected);
    assert_eq!(zone.denied().sum(), strangers + sent.values().sum::<u64>());
}

#[test]
fn processes_that_count_at_the_same_time_lose_nothing() {
    const EACH: u64 = 50_000;
    let words = memory(1);
    let zone = format(&words);
    let counter = only_counter(&zone);
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            scope.spawn(move || {
                for number in 0..EACH {
                    counter.count(
                        Counted {
                            outcome: Some(Outcome::OriginDenied),
                            ..ALLOWED
                        },
                        NOW,
                    );
                    // Two that all share, among more than have room.
                    let origin = match number % 4 {
                        0 => "https://one.example".to_owned(),
                        1 => "https://two.example".to_owned(),
                        _ => format!("https://{}.example", (number * 7 + thread) % 1000),
                    };
                    deny(counter, &origin);
                }
            });
        }
    });
    let totals = counter.totals();
    assert_eq!(
        totals.requests(RequestKind::Actual, Some(Outcome::OriginDenied)),
        4 * EACH
    );
    assert_eq!(zone.denied().sum(), 4 * EACH);
    let listed = zone.denied_origins();
    for denied in listed.iter().take(2) {
        let origin = String::from_utf8_lossy(&denied.origin);
        assert!(
            ["https://one.example", "https://two.example"].contains(&&*origin),
            "{denied:?}"
        );
        assert!(
            denied.count - denied.error <= EACH
                && EACH <= denied.count + zone.denied().unlisted.load(Ordering::Relaxed),
            "{denied:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counts_are_right_within_their_error(stream in prop::collection::vec(0_u64..60, 1..3000)) {
        let words = memory(1);
        let zone = format(&words);
        let counter = only_counter(&zone);
        let mut sent: HashMap<Vec<u8>, u64> = HashMap::new();
        for number in &stream {
            // Low numbers come more often.
            let origin = format!("https://{}.example", number * number / 60);
            deny(counter, &origin);
            *sent.entry(origin.into_bytes()).or_default() += 1;
        }
        prop_assert_eq!(zone.denied().sum(), stream.len() as u64);
        let listed = zone.denied_origins();
        for denied in &listed {
            let truly = sent[&denied.origin];
            prop_assert!(truly <= denied.count && denied.count - denied.error <= truly);
        }
        let guaranteed = stream.len() as u64 / zone.listed_at_most() as u64;
        for (origin, truly) in sent {
            prop_assert!(truly <= guaranteed || listed.iter().any(|denied| denied.origin == origin));
        }
    }

    /// A process is killed in the middle of a write: any part of what it would have changed is there, or is not.
    #[test]
    fn what_is_half_written_is_never_shown_and_never_stuck(parts in prop::collection::vec(any::<bool>(), 64)) {
        let words = memory(1);
        let zone = format(&words);
        let counter = only_counter(&zone);
        for number in 0..zone.listed_at_most() as u64 {
            for _ in 0..10 {
                deny(counter, &format!("https://resident-{number}.example"));
            }
        }
        let before = image(&words);
        deny(counter, "https://newcomer.example");
        let after = image(&words);
        let mut parts = parts.iter().cycle();
        let torn: Vec<u64> = before
            .iter()
            .zip(&after)
            .map(|(old, new)| if old != new && *parts.next().unwrap() { *new } else { *old })
            .collect();
        restore(&words, &torn);
        for denied in zone.denied_origins() {
            let origin = String::from_utf8(denied.origin).unwrap();
            prop_assert!(origin.starts_with("https://resident-") || origin == "https://newcomer.example");
        }
        for _ in 0..2000 {
            deny(counter, "https://newcomer.example");
        }
        let listed = zone.denied_origins();
        prop_assert_eq!(&listed[0].origin[..], b"https://newcomer.example");
        prop_assert!(listed[0].count >= 2000);
        // The others go on as well; whatever was torn is taken over in time.
        for number in 0..2 * zone.listed_at_most() as u64 {
            for _ in 0..30 {
                deny(counter, &format!("https://next-{number}.example"));
            }
        }
        prop_assert_eq!(zone.denied_origins().len(), zone.listed_at_most());
    }
}
