//! What it costs to read a file, to build a list of it, and to ask the list.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::hint::black_box;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use cors_lists::{Check, Checked, Format, Zone};
use cors_policy::ListRisks;
use criterion::{BenchmarkGroup, Criterion, Throughput};

/// So much of a file is read at once.
const PIECE: usize = 64 * 1024;
const MILLION: usize = 1_000_000;

fn file(entries: usize, line: impl Fn(usize) -> String) -> String {
    (0..entries).map(|number| line(number) + "\n").collect()
}

fn exact(number: usize) -> String {
    format!("https://tenant-{number:06}.example.com")
}

fn pattern(number: usize) -> String {
    format!("https://*.tenant-{number:06}.example.com")
}

fn memory(entries: usize) -> Vec<AtomicU64> {
    (0..entries * 10 + 1000).map(|_| AtomicU64::new(0)).collect()
}

fn check(file: &str) -> Checked {
    let mut check = Check::new(Format::Origins);
    file.as_bytes().chunks(PIECE).for_each(|piece| check.feed(piece));
    check.finish().unwrap()
}

fn serve(zone: &Zone<'_>, checked: Checked, file: &str) {
    let lease = zone.take_lease(1, 0, 1, |_| false).unwrap();
    let mut build = lease.build(checked).unwrap();
    for piece in file.as_bytes().chunks(PIECE) {
        build.feed(piece).unwrap();
    }
    assert!(zone.publish(build.finish(0).unwrap()));
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read");
    group.sample_size(10);
    for (name, file) in [("exact", file(MILLION, exact)), ("patterns", file(MILLION, pattern))] {
        let memory = memory(MILLION);
        let zone = Zone::format(&memory, [1, 2, 3, 4]).unwrap();
        group.throughput(Throughput::Elements(MILLION as u64));
        group.bench_function(format!("check a million {name}"), |bencher| {
            bencher.iter(|| check(&file))
        });
        let checked = check(&file);
        group.bench_function(format!("build a million {name}"), |bencher| {
            bencher.iter(|| serve(&zone, checked.clone(), &file))
        });
    }
    group.finish();
}

fn ask(group: &mut BenchmarkGroup<'_, criterion::measurement::WallTime>, name: &str, file: &str, origins: &[String]) {
    let memory = memory(file.lines().count());
    let zone = Zone::format(&memory, [1, 2, 3, 4]).unwrap();
    serve(&zone, check(file), file);
    let mut next = origins.iter().cycle();
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let origin = next.next().unwrap().as_bytes();
            zone.admits(None, black_box(origin), ListRisks::NONE)
        })
    });
}

fn asking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ask a list of a million");
    let files = [("exact", file(MILLION, exact)), ("patterns", file(MILLION, pattern))];
    let app = |number: usize| exact(number).replace("https://", "https://app.");
    let hits = [exact as fn(usize) -> String, app as fn(usize) -> String];
    for ((name, file), hit) in files.iter().zip(hits) {
        let another = |number: usize| hit(number * 7_919 % MILLION);
        let same = [hit(500_000)];
        let others: Vec<_> = (0..100_000).map(another).collect();
        let misses: Vec<_> = others.iter().map(|origin| origin.replace("example", "evil")).collect();
        ask(&mut group, &format!("{name}/hit, the same each time"), file, &same);
        ask(&mut group, &format!("{name}/hit, another each time"), file, &others);
        ask(&mut group, &format!("{name}/miss, another each time"), file, &misses);
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    reading(&mut criterion);
    asking(&mut criterion);
    criterion.final_summary();
}
