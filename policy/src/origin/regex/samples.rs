//! Texts that an expression matches, to learn from them what it is meant to match.

use std::collections::HashSet;

use regex_syntax::hir::{Class, Hir, HirKind};

/// So many samples are enough to see every branch of what people write.
const MOST_SAMPLES: usize = 1024;

/// Where branches meet, so many of their combinations are tried beyond those that show each branch once.
const MOST_COMBINATIONS: usize = 64;

/// No origin is longer.
const LONGEST_SAMPLE: usize = 512;

/// A text that matches.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    pub text: Vec<u8>,
    /// Where a dot stands because the expression takes any character there.
    pub unescaped_dots: Vec<usize>,
    /// Which bytes the expression leaves open: others could stand there, or none.
    pub open: Vec<usize>,
}

impl Sample {
    fn of(text: &[u8]) -> Self {
        Self {
            text: text.to_vec(),
            ..Self::default()
        }
    }

    fn left_open(mut self) -> Self {
        self.open = (0..self.text.len()).collect();
        self
    }

    fn followed_by(&self, next: &Self) -> Self {
        let shift = self.text.len();
        let mut both = self.clone();
        both.text.extend_from_slice(&next.text);
        both.unescaped_dots
            .extend(next.unescaped_dots.iter().map(|position| position + shift));
        both.open.extend(next.open.iter().map(|position| position + shift));
        both
    }
}

/// Samples of every branch of `tree`, as far as [`MOST_SAMPLES`] goes.
pub(super) fn samples(tree: &Hir) -> Vec<Sample> {
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![Sample::default()],
        HirKind::Literal(literal) => vec![Sample::of(&literal.0)],
        HirKind::Class(class) => character(class).into_iter().collect(),
        HirKind::Capture(capture) => samples(&capture.sub),
        HirKind::Alternation(branches) => {
            let mut all: Vec<_> = branches.iter().flat_map(samples).collect();
            all.truncate(MOST_SAMPLES);
            all
        }
        HirKind::Concat(parts) => parts
            .iter()
            .fold(vec![Sample::default()], |so_far, part| product(&so_far, &samples(part))),
        HirKind::Repetition(repetition) => {
            let mut once = samples(&repetition.sub);
            if matches!(repetition.sub.kind(), HirKind::Class(_)) && repetition.max.is_none_or(|max| max > 2) {
                // A dot that is repeated stands for a text, not for a dot that someone forgot to escape.
                for sample in once.iter_mut().filter(|sample| !sample.unescaped_dots.is_empty()) {
                    *sample = Sample::of(b"a").left_open();
                }
            }
            if repetition.max != Some(repetition.min) {
                once = once.into_iter().map(Sample::left_open).collect();
            }
            let mut all = Vec::new();
            if repetition.min == 0 {
                all.push(Sample::default());
            }
            if repetition.max != Some(0) {
                let times = repetition.min.clamp(1, 64);
                all.extend((1..times).fold(once.clone(), |so_far, _| product(&so_far, &once)));
            }
            all.truncate(MOST_SAMPLES);
            all
        }
    }
}

/// Samples of two parts in a row: first each of either at least once, then more combinations as far as that goes.
fn product(first: &[Sample], second: &[Sample]) -> Vec<Sample> {
    let diagonal = (0..first.len().max(second.len())).map(|n| (n % first.len().max(1), n % second.len().max(1)));
    let rest = (0..first.len()).flat_map(|n| (0..second.len()).map(move |m| (n, m)));
    let all = diagonal.chain(rest.take(MOST_COMBINATIONS));
    let mut seen = HashSet::new();
    all.filter(|pair| seen.insert(*pair))
        .filter_map(|(n, m)| Some(first.get(n)?.followed_by(second.get(m)?)))
        .filter(|sample| sample.text.len() <= LONGEST_SAMPLE)
        .take(MOST_SAMPLES)
        .collect()
}

/// The member of a class that looks most like part of an origin.
fn character(class: &Class) -> Option<Sample> {
    let has = |wanted: u8| match class {
        Class::Bytes(class) => class
            .iter()
            .any(|range| range.start() <= wanted && wanted <= range.end()),
        Class::Unicode(class) => class
            .iter()
            .any(|range| range.start() <= char::from(wanted) && char::from(wanted) <= range.end()),
    };
    if has(b'.') && has(b'x') {
        return Some(Sample {
            text: vec![b'.'],
            unescaped_dots: vec![0],
            open: vec![0],
        });
    }
    let letters = b'a'..=b'z';
    let others = [b'1', b'-', b'.', b':', b'/', b'0'];
    letters
        .chain(b'2'..=b'9')
        .chain(others)
        .chain(0..=u8::MAX)
        .find(|&byte| has(byte))
        .map(|byte| Sample::of(&[byte]).left_open())
}

#[cfg(test)]
mod tests {
    use super::super::OriginRegex;
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        samples(&OriginRegex::parse(source).unwrap().tree)
            .into_iter()
            .map(|sample| String::from_utf8(sample.text).unwrap())
            .collect()
    }

    #[test]
    fn every_branch_gives_a_sample() {
        let mut seen = texts(r"https?://(app|www)\.example\.com(:[0-9]+)?");
        seen.sort();
        assert_eq!(
            seen,
            [
                "http://app.example.com",
                "http://app.example.com:2",
                "http://www.example.com",
                "http://www.example.com:2",
                "https://app.example.com",
                "https://app.example.com:2",
                "https://www.example.com",
                "https://www.example.com:2",
            ]
        );
    }

    #[test]
    fn samples_match_the_expression() {
        for source in [
            r"https://.+\.example\.com",
            r"https://[^.]{3}\.a\.b",
            r"(a|b)*c{2,}",
            r"https://app.example.com",
        ] {
            let regex = OriginRegex::parse(source).unwrap();
            let matcher = regex.matcher().unwrap();
            for text in texts(source) {
                assert!(matcher.matches(text.as_bytes()), "{source}: {text}");
            }
        }
    }

    #[test]
    fn an_unescaped_dot_is_remembered() {
        let tree = OriginRegex::parse(r"a.b\.c").unwrap().tree;
        let all = samples(&tree);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].text, b"a.b.c");
        assert_eq!(all[0].unescaped_dots, [1]);
    }

    #[test]
    fn a_branch_behind_many_others_gives_a_sample_too() {
        let many: Vec<_> = (0..200).map(|n| format!("app{n}")).collect();
        let source = format!(r"(www\.)?({})\.example\.com|http://last\.example", many.join("|"));
        let seen = texts(&source);
        for text in ["app0.example.com", "www.app199.example.com", "http://last.example"] {
            assert!(seen.iter().any(|sample| sample == text), "{text}");
        }
    }

    #[test]
    fn their_number_is_bounded() {
        assert!(texts(&"(aa|bb)".repeat(30)).len() <= MOST_SAMPLES);
        assert!(texts("((a?){20}){20}").len() <= MOST_SAMPLES);
    }
}
