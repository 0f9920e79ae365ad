//! What a look-up costs in instructions, which callgrind counts: `cargo bench -p cors-lists --bench instructions`.
//!
//! This program runs itself under valgrind: once for so many look-ups, and once for twice as many. The difference is what
//! the look-ups cost. Beside it is what the same list costs as directives, in a policy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../policy/tests/common/mod.rs"]
mod common;

use std::env;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::sync::atomic::AtomicU64;

use common::{policy, Surroundings};
use cors_lists::{Check, Format, Zone};
use cors_policy::{Field, ListRisks, Request, Verdict};

const ENTRIES: usize = 10_000;
const LOOK_UPS: usize = 20_000;

/// A list, an origin that it has, and one that it has not.
struct List {
    name: &'static str,
    line: fn(usize) -> String,
    hit: &'static str,
    miss: &'static str,
}

const LISTS: [List; 4] = [
    List {
        name: "exact",
        line: |number| format!("https://tenant-{number:06}.example.com"),
        hit: "https://tenant-005000.example.com",
        miss: "https://tenant-00500a.example.com",
    },
    List {
        name: "long",
        line: |number| format!("https://tenant-{number:06}.a-region-of-the-world.example.com"),
        hit: "https://tenant-005000.a-region-of-the-world.example.com",
        miss: "https://tenant-00500a.a-region-of-the-world.example.com",
    },
    List {
        name: "patterns",
        line: |number| format!("https://*.tenant-{number:06}.example.com"),
        hit: "https://app.tenant-005000.example.com",
        miss: "https://app.tenant-00500a.example.com",
    },
    List {
        name: "keys",
        line: |number| format!("tenant-{number:06}.example.com https://app-{number:06}.example.com"),
        hit: "https://app-005000.example.com",
        miss: "https://app-00500a.example.com",
    },
];
const KEY: &str = "tenant-005000.example.com";

fn list(lines: &str, format: Format) -> Vec<AtomicU64> {
    let words: Vec<_> = (0..ENTRIES * 20 + 1000).map(|_| AtomicU64::new(0)).collect();
    let zone = Zone::format(&words, [11, 12, 13, 14]).expect("large enough");
    let lease = zone.take_lease(1, 0, 1, |_| true).expect("free");
    let mut check = Check::new(format);
    check.feed(lines.as_bytes());
    let mut build = lease.build(check.finish().expect("right")).expect("large enough");
    build.feed(lines.as_bytes()).expect("unchanged");
    assert!(zone.publish(build.finish(0).expect("unchanged")));
    words
}

fn lines(name: &str) -> String {
    let list = LISTS.iter().find(|list| list.name == name).expect("one of the lists");
    (0..ENTRIES).map(|number| (list.line)(number) + "\n").collect()
}

/// Asks the list so often whether it admits the origin; false if that is not what it should say.
fn ask_list(name: &str, origin: &str, look_ups: usize, expected: bool) -> bool {
    let key = (name == "keys").then_some(KEY.as_bytes());
    let format = if key.is_some() {
        Format::KeyAndOrigins
    } else {
        Format::Origins
    };
    let words = list(&lines(name), format);
    (0..look_ups).all(|_| {
        let zone = Zone::attach(black_box(&words)).expect("a zone");
        zone.admits(black_box(key), black_box(origin.as_bytes()), ListRisks::NONE) == expected
    })
}

/// The same for a policy that has the list as directives, or no more than one other origin where there is no list.
fn ask_policy(name: &str, origin: &str, look_ups: usize) -> bool {
    let origins = if name == "none" {
        origin.to_owned()
    } else {
        lines(name).replace('\n', " ")
    };
    let policy = policy(&format!("cors on;\ncors_allow_origin {};", origins.trim_end()));
    let surroundings = Surroundings::with_variables(&[]);
    (0..look_ups).all(|_| {
        let request = Request {
            origin: Field::One(black_box(origin.as_bytes())),
            fetch_site: Field::One(b"cross-site"),
            ..Request::default()
        };
        black_box(policy.decide(&request, &surroundings).verdict()) != Verdict::Anyone
    })
}

/// The instructions of this program with these arguments.
fn count(arguments: &[&str], look_ups: usize) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().expect("a program"))
        .args(arguments)
        .arg(look_ups.to_string())
        .output()
        .expect("valgrind is installed");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let collected = told.split("Collected :").nth(1).expect("a count");
    collected
        .split_whitespace()
        .next()
        .expect("a count")
        .parse()
        .expect("a number")
}

fn per_look_up(arguments: &[&str]) -> f64 {
    (count(arguments, 2 * LOOK_UPS) - count(arguments, LOOK_UPS)) as f64 / LOOK_UPS as f64
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let is_right = match arguments[..] {
        [_, "list", name, origin, expected, look_ups] => {
            ask_list(name, origin, look_ups.parse().expect("a number"), expected == "hit")
        }
        [_, "policy", name, origin, look_ups] => ask_policy(name, origin, look_ups.parse().expect("a number")),
        _ => {
            println!("instructions of a look-up, with a list and with directives");
            for List { name, hit, miss, .. } in LISTS {
                for (what, origin) in [("hit", hit), ("miss", miss)] {
                    let list = per_look_up(&["list", name, origin, what]);
                    let directives = match name {
                        "keys" => "-".to_owned(),
                        _ => {
                            let without = per_look_up(&["policy", "none", origin]);
                            format!("{:.0}", per_look_up(&["policy", name, origin]) - without)
                        }
                    };
                    println!("{name:12} {what:5} {list:6.0} {directives:>6}");
                }
            }
            true
        }
    };
    ExitCode::from(u8::from(!is_right))
}
