//! Which patterns could cover an origin, for a list that is kept elsewhere and asked for each by its text.
//!
//! A list may have a million patterns. What is known of all of them together, their [`PatternShapes`], tells which
//! pieces of an origin to put a `*` in the place of: only these patterns are asked for.

use super::listed::ListEntry;
use super::pattern::is_part_of_label;
use super::serialized::{are_labels, split};

/// `http://localhost:*`
const WHOLE_HOSTS: u64 = 1;
/// `https://*.example.com`
const SUBDOMAINS: u64 = 1 << 1;
/// `https://pr-*-web.example.com`
const FIRST_LABELS: u64 = 1 << 2;
/// `chrome-extension://*`
const ANY_HOST: u64 = 1 << 3;
/// One of the above with `:*`
const ANY_PORT: u64 = 1 << 4;

/// The bits of a word.
const WORD: usize = u64::BITS as usize;
/// So long are the hosts of origins at most.
const LONGEST: usize = 512;

/// The words before the lengths of parents.
const HEAD: usize = 3;

/// The kinds of patterns that a list has: a word of bits such as [`SUBDOMAINS`]; a bit for each number of characters that
/// a first label has before its `*`, and for those after it; and a bit for each length of a host after `*.`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatternShapes([u64; Self::WORDS]);

impl Default for PatternShapes {
    fn default() -> Self {
        Self([0; Self::WORDS])
    }
}

/// The pieces of a pattern's text, one after the other.
pub type Pieces<'o> = [&'o [u8]; 5];

impl PatternShapes {
    /// The number of words that hold all that is known.
    pub const WORDS: usize = HEAD + LONGEST / WORD;

    /// What was known when [`PatternShapes::words`] was asked.
    pub fn from_words(words: [u64; Self::WORDS]) -> Self {
        Self(words)
    }

    /// All that is known. The first word is 0 where there are no patterns.
    pub fn words(&self) -> &[u64; Self::WORDS] {
        &self.0
    }

    /// Takes note of an entry of the list. False if no origin that there can be is covered by it.
    pub fn add(&mut self, entry: &ListEntry<'_>) -> bool {
        if !entry.is_pattern {
            return true;
        }
        let text = entry.text.as_ref();
        let Some((_, authority)) = text.split_once("://") else {
            return false;
        };
        let end = authority.rfind(']').unwrap_or_default();
        let port = authority.get(end..).and_then(|rest| rest.find(':'));
        let end = port.map_or(authority.len(), |port| end + port);
        let (host, port) = authority.split_at_checked(end).unwrap_or_default();
        let [kinds, prefixes, suffixes, lengths @ ..] = &mut self.0;
        let kind = if host == "*" {
            ANY_HOST
        } else if let Some(parent) = host.strip_prefix("*.") {
            if !set(lengths, parent.len()) {
                return false;
            }
            SUBDOMAINS
        } else if let Some((prefix, rest)) = host.split_once('*') {
            let suffix = rest.split('.').next().unwrap_or_default();
            let is_label = set(std::slice::from_mut(prefixes), prefix.len());
            if !is_label || !set(std::slice::from_mut(suffixes), suffix.len()) {
                return false;
            }
            FIRST_LABELS
        } else {
            WHOLE_HOSTS
        };
        *kinds |= kind | if port == ":*" { ANY_PORT } else { 0 };
        true
    }

    /// Whether `is_listed` says so of the text of a pattern that covers the bytes of an `Origin` header.
    pub fn is_covered(&self, origin: &[u8], mut is_listed: impl FnMut(&Pieces<'_>) -> bool) -> bool {
        let [kinds, prefixes, suffixes, lengths @ ..] = &self.0;
        // No origin holds a `*`, and what is put together here must hold none but its own.
        if *kinds == 0 || origin.len() > LONGEST || origin.contains(&b'*') {
            return false;
        }
        let Some((scheme, host, _)) = split(origin) else {
            return false;
        };
        let front = scheme.len() + b"://".len();
        let (Some(front), Some(port)) = (origin.get(..front), origin.get(front + host.len()..)) else {
            return false;
        };
        let any_port = kinds & ANY_PORT != 0;
        let mut is_listed = |before: &[u8], star: &[u8], after: &[u8]| {
            // Without a `*` in its host it has one for its port.
            let is_pattern = !star.is_empty();
            is_pattern && is_listed(&[front, before, star, after, port])
                || any_port && is_listed(&[front, before, star, after, b":*"])
        };
        if kinds & WHOLE_HOSTS != 0 && is_listed(host, b"", b"") {
            return true;
        }
        if kinds & SUBDOMAINS != 0 {
            for (dot, _) in host.iter().enumerate().filter(|(_, byte)| **byte == b'.') {
                let (labels, parent) = host.split_at_checked(dot).unwrap_or_default();
                let length = parent.len().saturating_sub(1);
                if is_set(lengths, length) && is_listed(b"", b"*", parent) && are_labels(labels) {
                    return true;
                }
            }
        }
        if kinds & FIRST_LABELS != 0 && covers_first_label(host, *prefixes, *suffixes, &mut is_listed) {
            return true;
        }
        kinds & ANY_HOST != 0 && is_listed(b"", b"*", b"")
    }
}

/// Puts a `*` into the first label of a host wherever patterns have it.
fn covers_first_label(
    host: &[u8],
    prefixes: u64,
    suffixes: u64,
    is_listed: &mut impl FnMut(&[u8], &[u8], &[u8]) -> bool,
) -> bool {
    let length = host.iter().position(|byte| *byte == b'.').unwrap_or(host.len());
    for before in numbers(prefixes).take_while(|before| *before < length) {
        for after in numbers(suffixes).take_while(|after| before + after < length) {
            let (prefix, rest) = host.split_at_checked(before).unwrap_or_default();
            let (star, rest) = rest.split_at_checked(length - before - after).unwrap_or_default();
            if is_listed(prefix, b"*", rest) && is_part_of_label(star) {
                return true;
            }
        }
    }
    false
}

/// Sets the bit of a number; false where the number is too large for that.
fn set(words: &mut [u64], number: usize) -> bool {
    let word = words.get_mut(number / WORD);
    word.map(|word| *word |= 1 << (number % WORD)).is_some()
}

fn is_set(words: &[u64], number: usize) -> bool {
    words
        .get(number / WORD)
        .is_some_and(|word| word >> (number % WORD) & 1 != 0)
}

/// The numbers whose bits are set, the smallest first.
fn numbers(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let number = bits.trailing_zeros();
        bits = (bits != 0).then(|| bits & (bits - 1))?;
        Some(number as usize)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    use super::super::pattern_set::PatternSet;
    use super::super::AllowedOrigin;
    use super::*;
    use crate::problem::Position;

    /// A list of patterns that is asked for each by its text.
    #[derive(Default)]
    struct Texts {
        shapes: PatternShapes,
        texts: HashSet<Vec<u8>>,
    }

    impl Texts {
        fn of(patterns: &[&str]) -> Self {
            let mut list = Self::default();
            for pattern in patterns {
                let entry = ListEntry::read(pattern).unwrap();
                list.add(&entry);
            }
            list
        }

        fn add(&mut self, entry: &ListEntry<'_>) {
            assert!(entry.is_pattern && self.shapes.add(entry), "{entry}");
            self.texts.insert(entry.text.as_bytes().to_owned());
        }

        fn covers(&self, origin: &[u8]) -> bool {
            let shapes = PatternShapes::from_words(*self.shapes.words());
            shapes.is_covered(origin, |pieces| self.texts.contains(&pieces.concat()))
        }
    }

    const PATTERNS: [&str; 12] = [
        "https://*.example.com",
        "https://*.example.com:*",
        "https://*.b.example.com:8443",
        "https://*.example.com.",
        "https://*.com.example",
        "http://localhost:*",
        "http://[::1]:*",
        "https://example.com:*",
        "http://*.localhost",
        "wss://*.example.com",
        "app://*.example.com:*",
        "https://*.a-1_b.example.com",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_list_of_texts_covers_what_the_same_patterns_in_a_configuration_cover(
            patterns in subsequence(&PATTERNS[..], 0..=PATTERNS.len()),
            scheme in select(&["https", "http", "wss", "app", "Https"][..]),
            labels in prop::collection::vec(
                select(&["a", "b", "example", "com", "localhost", "a-1_b", "", "*", "A", "a@b", "[::1]", "pr-1"][..]),
                1..6,
            ),
            tail in select(&["", ".", ":*", ":8443", ":443", ":1", ":x", ":", ":8443:*", "*"][..]),
        ) {
            let mut set = PatternSet::default();
            for pattern in &patterns {
                let Ok(AllowedOrigin::Pattern(pattern)) = AllowedOrigin::parse(pattern) else { panic!("{pattern}") };
                set.insert(pattern, &Position::default());
            }
            let origin = format!("{scheme}://{}{tail}", labels.join("."));
            prop_assert_eq!(Texts::of(&patterns).covers(origin.as_bytes()), set.covers(origin.as_bytes()), "{}", origin);
        }
    }

    /// As [`ListEntry::read`] makes it of a pattern.
    fn pattern(text: &str) -> ListEntry<'_> {
        ListEntry {
            text: text.into(),
            is_pattern: true,
            risks: crate::ListRisks::NONE,
        }
    }

    #[test]
    fn a_star_within_the_first_label_is_one_or_more_characters_of_it() {
        let mut list = Texts::default();
        for text in [
            "https://pr-*-web.example.com",
            "https://*--shop.example.app",
            "https://v*.example.com:*",
        ] {
            list.add(&pattern(text));
        }
        for origin in [
            "https://pr-1-web.example.com",
            "https://pr---web.example.com",
            "https://a-b--shop.example.app",
            "https://v1.example.com",
            "https://v2-3.example.com:8443",
        ] {
            assert!(list.covers(origin.as_bytes()), "{origin}");
        }
        for origin in [
            "https://pr--web.example.com",
            "https://pr-1_2-web.example.com",
            "https://pr-1.2-web.example.com",
            "https://pr-*-web.example.com",
            "https://a.pr-1-web.example.com",
            "https://pr-1-web.example.com:8443",
            "https://pr-1-web.b.example.com",
            "https://pr-1-web",
            "https://--shop.example.app",
            "https://v.example.com",
            "https://v1@b.example.com",
            "https://v1.example.com:*",
        ] {
            assert!(!list.covers(origin.as_bytes()), "{origin}");
        }
    }

    #[test]
    fn a_star_as_the_host_is_any_host_of_the_scheme() {
        let mut list = Texts::default();
        list.add(&pattern("chrome-extension://*"));
        assert!(list.covers(b"chrome-extension://abcdefgh"));
        for origin in [
            "moz-extension://abcdefgh",
            "chrome-extension://",
            "chrome-extension://*",
            "chrome-extension://a/b",
            "chrome-extension://a:1",
        ] {
            assert!(!list.covers(origin.as_bytes()), "{origin}");
        }
    }

    #[test]
    fn an_origin_that_spells_out_a_pattern_is_no_origin() {
        let list = Texts::of(&["https://example.com:*", "https://*.example.com:*"]);
        for origin in [
            "https://*.example.com",
            "https://*.example.com:*",
            "https://example.com:*",
        ] {
            assert!(!list.covers(origin.as_bytes()), "{origin}");
        }
    }

    #[test]
    fn a_list_without_patterns_is_asked_for_none() {
        let mut shapes = PatternShapes::default();
        assert!(shapes.add(&ListEntry::read("https://a.example.com").unwrap()));
        assert_eq!(shapes.words()[0], 0);
        assert!(!shapes.is_covered(b"https://a.example.com", |_| panic!("asked")));
    }

    #[test]
    fn a_pattern_that_no_origin_can_have_is_refused() {
        let label = "a".repeat(64);
        let mut shapes = PatternShapes::default();
        assert!(!shapes.add(&pattern(&format!("https://{label}*.example.com"))));
        assert!(!shapes.add(&pattern(&format!("https://*{label}.example.com"))));
        assert!(!shapes.add(&pattern(&format!("https://*.{}", "a.".repeat(300)))));
    }
}
