//! Arbitrary words in the memory of a list that is served: whoever looks there neither panics nor looks for ever.
//!
//! Each ten bytes of the input put a word at a place. What follows the last ten is asked for.
#![no_main]

use std::sync::atomic::{AtomicU64, Ordering};

use cors_lists::{Check, Format, Zone};
use cors_policy::ListRisks;
use libfuzzer_sys::fuzz_target;

const FILE: &[u8] = b"https://a.example https://*.b.example http://localhost:* https://c.example:* app://d.example\n\
    https://a-name-that-is-rather-long.example https://*.another-name-that-is-rather-long.example\n";
const SECRET: [u64; 4] = [1, 2, 3, 4];
const WORDS: usize = 512;

fn serve(zone: &Zone<'_>) {
    let mut check = Check::new(Format::Origins);
    check.feed(FILE);
    let checked = check.finish().expect("right");
    let Some(lease) = zone.take_lease(1, 0, 1, |_| false) else {
        return;
    };
    let Ok(mut build) = lease.build(checked) else {
        return;
    };
    if build.feed(FILE).is_ok() {
        if let Ok(prepared) = build.finish(0) {
            zone.publish(prepared);
        }
    }
    lease.release();
}

fuzz_target!(|input: &[u8]| {
    let words: Vec<_> = (0..WORDS).map(|_| AtomicU64::new(0)).collect();
    serve(&Zone::format(&words, SECRET).expect("large enough"));
    let mut changes = input.chunks_exact(10);
    for change in &mut changes {
        let (place, word) = change.split_first_chunk().expect("ten bytes");
        let word = word.first_chunk().expect("eight bytes");
        let place = usize::from(u16::from_le_bytes(*place)) % WORDS;
        words[place].store(u64::from_le_bytes(*word), Ordering::Relaxed);
    }
    let Some(zone) = Zone::attach(&words) else {
        return;
    };
    for origin in [
        changes.remainder(),
        b"https://a.example",
        b"https://x.b.example",
        b"http://localhost:1",
        b"https://x.y.another-name-that-is-rather-long.example",
        b"null",
    ] {
        for key in [None, Some(origin)] {
            let _ = zone.admits(key, origin, ListRisks::INSECURE);
        }
    }
    let _ = (zone.status(), zone.last_read());
    serve(&zone);
    let _ = zone.admits(None, b"https://a.example", ListRisks::NONE);
});
