//! Arbitrary files: nothing panics, what is wrong can be shown on a line of a log, and a file in which nothing is wrong
//! becomes a list of what is in it, wherever it is cut into pieces.
//!
//! The first byte tells whether the file has keys, and how long the pieces are.
#![no_main]

use std::sync::atomic::AtomicU64;

use cors_lists::{Check, Checked, Faults, Format, Zone};
use cors_policy::{ListEntry, ListRisks};
use libfuzzer_sys::fuzz_target;

fn check(format: Format, pieces: impl Iterator<Item = impl AsRef<[u8]>>) -> Result<Checked, Faults> {
    let mut check = Check::new(format);
    pieces.for_each(|piece| check.feed(piece.as_ref()));
    check.finish()
}

/// The words of each line, with its key where it has one.
fn entries(format: Format, file: &[u8]) -> impl Iterator<Item = (Option<&[u8]>, &[u8])> {
    let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    file.split(|byte| *byte == b'\n').flat_map(move |line| {
        let words = line.split(|byte| b" \t\r".contains(byte));
        let words = words.filter(|word| !word.is_empty());
        let mut words = words.take_while(|word| !word.starts_with(b"#"));
        let key = match format {
            Format::Origins => None,
            Format::KeyAndOrigins => words.next(),
        };
        words.map(move |word| (key, word))
    })
}

fuzz_target!(|input: &[u8]| {
    let Some((&first, file)) = input.split_first() else {
        return;
    };
    let format = if first & 1 == 0 {
        Format::Origins
    } else {
        Format::KeyAndOrigins
    };
    let size = usize::from(first >> 1) + 1;
    let whole = check(format, std::iter::once(file));
    assert_eq!(check(format, file.chunks(size)), whole);
    let checked = match whole {
        Ok(checked) => checked,
        Err(faults) => {
            assert!(!faults.first.is_empty() && faults.first.len() <= 10);
            for fault in faults.first {
                assert!(!fault.text.contains(|c: char| c.is_control()), "{fault:?}");
                assert!(fault.text.len() < 1_900, "{fault:?}");
            }
            return;
        }
    };

    let words: Vec<_> = (0..file.len() * 2 + 1_000).map(|_| AtomicU64::new(u64::MAX)).collect();
    let zone = Zone::format(&words, [1, 2, 3, 4]).expect("large enough");
    let lease = zone.take_lease(1, 0, 1, |_| true).expect("free");
    let mut build = lease.build(checked).expect("large enough");
    file.chunks(size)
        .for_each(|piece| build.feed(piece).expect("unchanged"));
    assert!(zone.publish(build.finish(0).expect("unchanged")));
    for (key, word) in entries(format, file) {
        let word = std::str::from_utf8(word).expect("it was accepted");
        let entry = ListEntry::read(word).expect("it was accepted");
        let text = entry.text.as_bytes();
        assert_eq!(zone.admits(key, text, ListRisks::NONE), !entry.is_pattern, "{word}");
    }
});
