//! Texts that an expression matches, to learn from them what it is meant to match.

use regex_syntax::hir::{Class, Hir, HirKind};

/// So many samples are enough to see every branch of what people write.
const MOST_SAMPLES: usize = 64;

/// No origin is longer.
const LONGEST_SAMPLE: usize = 512;

/// A text that matches.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    pub text: Vec<u8>,
    /// Where a dot stands because the expression takes any character there.
    pub unescaped_dots: Vec<usize>,
}

impl Sample {
    fn of(text: &[u8]) -> Self {
        Self {
            text: text.to_vec(),
            unescaped_dots: Vec::new(),
        }
    }

    fn followed_by(&self, next: &Self) -> Self {
        let shift = self.text.len();
        let mut both = self.clone();
        both.text.extend_from_slice(&next.text);
        both.unescaped_dots
            .extend(next.unescaped_dots.iter().map(|position| position + shift));
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
            if matches!(repetition.sub.kind(), HirKind::Class(_)) {
                // A dot that is repeated stands for a text, not for a dot that someone forgot to escape.
                for sample in once.iter_mut().filter(|sample| !sample.unescaped_dots.is_empty()) {
                    *sample = Sample::of(b"a");
                }
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

fn product(first: &[Sample], second: &[Sample]) -> Vec<Sample> {
    first
        .iter()
        .flat_map(|first| second.iter().map(move |second| first.followed_by(second)))
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
    if has(b'.') && has(b'x') && has(b'/') {
        return Some(Sample {
            text: vec![b'.'],
            unescaped_dots: vec![0],
        });
    }
    let letters = b'a'..=b'z';
    let others = [b'1', b'-', b'.', b':', b'/', b'0'];
    letters
        .chain(b'2'..=b'9')
        .chain(others)
        .chain(0..=u8::MAX)
        .find(|&byte| has(byte))
        .map(|byte| Sample::of(&[byte]))
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
        assert_eq!(
            texts(r"https?://(app|www)\.example\.com(:[0-9]+)?"),
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
    fn their_number_is_bounded() {
        assert_eq!(texts(&"(aa|bb)".repeat(30)).len(), MOST_SAMPLES);
        assert!(texts("((a?){20}){20}").len() <= MOST_SAMPLES);
    }
}
