//! What a decision costs, and what it costs to read a policy.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::iter;
use std::rc::Rc;
use std::time::Duration;

use common::{policy, position, Notation, Surroundings};
use cors_policy::{Block, Directive, Field, Level, Policy, Request, Scope, UnusedDirectives, Value};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};

/// A policy for these origins that allows a few methods and headers.
fn reading(origins: impl Iterator<Item = String>) -> Rc<Policy> {
    let at = position(1);
    let mut notation = Notation::default();
    let mut level = Level::default();
    let values: [(Directive, &[&[u8]]); 5] = [
        (Directive::Cors, &[b"on"]),
        (Directive::AllowMethods, &[b"GET", b"PUT", b"DELETE"]),
        (
            Directive::AllowHeaders,
            &[b"Content-Type", b"Authorization", b"X-Requested-With"],
        ),
        (Directive::ExposeHeaders, &[b"ETag"]),
        (Directive::MaxAge, &[b"2h"]),
    ];
    for (directive, values) in values {
        assert!(level.read(directive, values, &at, &mut notation).is_empty());
    }
    for origin in origins {
        let problems = level.read(Directive::AllowOrigin, &[origin.as_bytes()], &at, &mut notation);
        assert!(problems.is_empty());
    }
    let (scope, problems) = level.inherit(&Scope::default(), Block::Http, &mut UnusedDirectives::default());
    assert!(problems.is_empty());
    Rc::clone(scope.policy())
}

/// All that is asked of a policy for an actual request.
fn actual(policy: &Policy, origin: &str) -> usize {
    let request = Request {
        origin: Field::One(origin.as_bytes()),
        fetch_site: Field::One(b"cross-site"),
        ..Request::default()
    };
    let decision = policy.decide(&request, &Surroundings::with_variables(&[]));
    let sent = policy
        .response_headers(decision.response_kind())
        .unwrap()
        .lines()
        .count();
    black_box(policy.result(&decision, iter::empty()));
    sent
}

/// All that is asked of a policy for a preflight.
fn preflight(policy: &Policy, origin: &str, requested: &[u8]) -> usize {
    let request = Request {
        is_options: true,
        origin: Field::One(origin.as_bytes()),
        request_method: Field::One(b"PUT"),
        fetch_site: Field::One(b"cross-site"),
        ..Request::default()
    };
    let decision = policy.decide(&request, &Surroundings::with_variables(&[]));
    let preflight = decision.preflight().unwrap();
    let mut sent = 0;
    for (_, value) in policy.response_headers(decision.response_kind()).unwrap().lines() {
        sent += match value {
            Value::Bytes(bytes) => bytes.len(),
            Value::Origin => decision.origin().value().len(),
            Value::Method => preflight.method.len(),
            _ => policy.echoed_headers([requested].into_iter()).map(<[u8]>::len).sum(),
        };
    }
    black_box(policy.result(&decision, [requested].into_iter()));
    sent
}

fn decide(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, policy: &Policy, hit: &str, miss: &str) {
    const REQUESTED: &[u8] = b"authorization,content-type";
    assert!(actual(policy, hit) > 0 && actual(policy, miss) == 0);
    for (origin, which) in [(hit, "hit"), (miss, "miss")] {
        group.bench_function(format!("actual/{name}/{which}"), |bencher| {
            bencher.iter(|| actual(policy, black_box(origin)))
        });
        group.bench_function(format!("preflight/{name}/{which}"), |bencher| {
            bencher.iter(|| preflight(policy, black_box(origin), black_box(REQUESTED)))
        });
    }
}

fn exact(n: usize) -> String {
    format!("https://tenant-{n:07}.customers.example")
}

fn deciding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    for count in [1, 1_000, 100_000, 1_000_000] {
        let policy = reading((0..count).map(exact));
        let name = format!("{count} exact");
        decide(&mut group, &name, &policy, &exact(count / 2), &exact(9_999_999));
        // Requests that come from everywhere find less in the processor's caches.
        let members: Vec<_> = (0..10_000).map(|n| exact(n * 7_919 % count)).collect();
        let mut next = members.iter().cycle();
        group.bench_function(format!("actual/{name}/hit, another each time"), |bencher| {
            bencher.iter(|| actual(&policy, next.next().unwrap()))
        });
    }
    let patterns = reading((0..1_000).map(|n| format!("https://*.tenant-{n:03}.example")));
    let hit = "https://app.tenant-500.example";
    let miss = "https://app.tenant-abc.example";
    decide(&mut group, "1000 patterns", &patterns, hit, miss);
    let within_labels = reading((0..1_000).map(|n| format!("https://pr-*--tenant-{n:03}.example.com")));
    let hit = "https://pr-42--tenant-500.example.com";
    let miss = "https://pr-42--tenant-abc.example.com";
    decide(&mut group, "1000 patterns within labels", &within_labels, hit, miss);
    let hit = "https://app.tenant-500.example";
    let miss = "https://app.tenant-abc.example";
    let regexes = reading((0..1_000).map(|n| format!(r"~https://[a-z0-9-]+\.tenant-{n:03}\.example")));
    decide(&mut group, "1000 regexes", &regexes, hit, miss);
    // The longest origin there is, and expressions of both directions that read all of it.
    let worst = [
        r"~https://q.*a.{40}b\.example\.com",
        r"~https://a.{40}b.*c\.example\.com",
    ];
    let policy = reading(worst.into_iter().map(str::to_owned));
    let middle = "x".repeat(40);
    let origin = |end: char| {
        let filling = "x".repeat(512 - 8 - 84 - ".example.com".len());
        format!("https://a{middle}b{filling}a{middle}{end}.example.com")
    };
    decide(&mut group, "worst regexes", &policy, &origin('c'), &origin('b'));
    group.finish();
}

fn long_headers(criterion: &mut Criterion) {
    const SIZE: usize = 8 * 1024;
    let names: Vec<_> = (0..).map(|n| format!("x-header-{n:03}")).take(SIZE / 13).collect();
    let line = names.join(",");
    let last = format!("x-denied,{line}");
    let listed = policy(&format!(
        "cors on;\ncors_allow_origin https://a.example;\ncors_allow_methods PUT;\ncors_allow_headers {};",
        names.join(" ")
    ));
    let echoed = policy(
        "cors on;
        cors_allow_origin https://a.example;
        cors_allow_methods PUT;
        cors_allow_headers *;
        cors_allow_credentials on;",
    );
    let mut group = criterion.benchmark_group("8 KB of Access-Control-Request-Headers");
    group.throughput(Throughput::Bytes(line.len() as u64));
    for (name, policy, line) in [
        ("all allowed", &listed, &line),
        ("first denied", &listed, &last),
        ("echoed", &echoed, &line),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| preflight(policy, "https://a.example", black_box(line.as_bytes())))
        });
    }
    group.finish();
}

fn building(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.sample_size(10);
    for count in [100_000, 1_000_000] {
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("{count} exact"), |bencher| {
            bencher.iter(|| reading((0..count).map(exact)))
        });
    }
    for count in [1_000, 100_000] {
        group.throughput(Throughput::Elements(count));
        group.bench_function(format!("{count} patterns"), |bencher| {
            bencher.iter(|| reading((0..count).map(|n| format!("https://*.tenant-{n:03}.example"))))
        });
    }
    for count in [1_000, 10_000] {
        group.throughput(Throughput::Elements(count));
        group.bench_function(format!("{count} regexes"), |bencher| {
            bencher.iter(|| reading((0..count).map(|n| format!(r"~https://[a-z0-9-]+\.tenant-{n:03}\.example"))))
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    deciding(&mut criterion);
    long_headers(&mut criterion);
    building(&mut criterion);
    criterion.final_summary();
}
