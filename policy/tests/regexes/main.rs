//! What `nginx -t` says of regular expressions, held against a judge that shares no code with the checker: expressions
//! are made as people and attackers write them, and what is said of each has to be true.
//!
//! `cargo test --release -p cors-policy --test regexes -- --ignored --nocapture` judges a million, and shows a table.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable)]

mod generator;
mod judge;

#[path = "../common/mod.rs"]
mod common;

use std::collections::BTreeMap;

use common::{position, Notation};
use cors_policy::{Block, Directive, Level, Scope, Severity, UnusedDirectives};
use generator::{Flags, Random};
use judge::Named;

/// What is said of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Accepted,
    /// It also admits this origin.
    Admits(String),
    MatchesNothing,
    TooLarge,
}

fn said(written: &str) -> Said {
    let value = format!("~{written}");
    let at = position(1);
    let mut level = Level::default();
    let mut problems = level.read(Directive::Cors, &[b"on"], &at, &mut Notation::default());
    problems.extend(level.read(
        Directive::AllowOrigin,
        &[value.as_bytes()],
        &at,
        &mut Notation::default(),
    ));
    let (_, found) = level.inherit(&Scope::default(), Block::Server(""), &mut UnusedDirectives::default());
    problems.extend(found);
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let error = errors.map(ToString::to_string).collect::<Vec<_>>().join("\n");
    if error.is_empty() {
        return Said::Accepted;
    }
    if let Some((_, rest)) = error.split_once("it also admits \"") {
        return Said::Admits(rest.split('"').next().unwrap().to_owned());
    }
    if error.contains("it matches no origin") {
        return Said::MatchesNothing;
    }
    let is_large = error.contains("it is too large") || error.contains("takes too much of each request");
    assert!(is_large, "{error}");
    Said::TooLarge
}

/// How many expressions got which answer, and which of those were wrong.
#[derive(Debug, Default)]
struct Table {
    rows: BTreeMap<(&'static str, &'static str), usize>,
    wrong: Vec<String>,
}

impl Table {
    /// Judges the expression of this number.
    fn judge(&mut self, number: u64) {
        let random = &mut Random(number);
        let part = generator::expression(random);
        let flags = random.choose(&[Flags::None, Flags::None, Flags::None, Flags::AnyCase, Flags::Spaced]);
        let written = part.written(flags, random);
        let kind = kind(&written, flags);
        let Some(named) = Named::by(&part) else {
            *self.rows.entry((kind, "not judged: too many derivations")).or_default() += 1;
            return;
        };
        let said = said(&written);
        let regex = judge::compiled(&written);
        let matches = |origin: &str| judge::read(origin).is_some() && regex.is_match(origin.as_bytes());
        let candidates = || judge::candidates(&part, &named, &mut Random(number));
        let (answer, counterexample) = match &said {
            Said::Accepted => {
                let stranger = candidates()
                    .into_iter()
                    .find(|origin| matches(origin) && named.is_stranger(origin));
                ("accepted", stranger)
            }
            Said::Admits(origin) => {
                let is_stranger = || {
                    named.is_stranger(origin) || Named::really(&part, matches, &mut Random(number)).is_stranger(origin)
                };
                let is_true = matches(origin) && is_stranger();
                ("refused: admits a stranger", (!is_true).then(|| origin.clone()))
            }
            Said::MatchesNothing => (
                "refused: matches no origin",
                candidates().into_iter().find(|origin| matches(origin)),
            ),
            Said::TooLarge => ("refused: too large", None),
        };
        *self.rows.entry((kind, answer)).or_default() += 1;
        if let Some(origin) = counterexample {
            self.wrong
                .push(format!("{number}: {written} {said:?}, but {origin}; {named:?}"));
        }
    }

    fn of(numbers: impl Iterator<Item = u64>) -> Self {
        let mut table = Self::default();
        numbers.for_each(|number| table.judge(number));
        table
    }

    fn merge(mut self, other: Self) -> Self {
        for (row, count) in other.rows {
            *self.rows.entry(row).or_default() += count;
        }
        self.wrong.extend(other.wrong);
        self
    }

    fn count(&self, answer: &str) -> usize {
        let rows = self.rows.iter().filter(|((_, other), _)| other.starts_with(answer));
        rows.map(|(_, count)| count).sum()
    }

    fn print(&self) {
        for ((kind, answer), count) in &self.rows {
            println!("{kind:<22} {answer:<34} {count:>8}");
        }
        println!("{:<22} {:<34} {:>8}", "all", "found by the judge", self.wrong.len());
    }
}

/// What is most remarkable about an expression.
fn kind(written: &str, flags: Flags) -> &'static str {
    match flags {
        Flags::AnyCase => "in any case (?i)",
        Flags::Spaced => "with spaces (?x)",
        _ if written.contains(r"\b") || written.contains(r"\B") => "with word boundaries",
        _ if written.contains('|') => "with alternatives",
        _ if written.contains(['^', '$']) || written.contains(r"\A") || written.contains(r"\z") => "with anchors",
        _ if written.contains('*') || written.contains('+') => "with repetitions",
        _ if written.contains('?') => "with optional parts",
        _ if written.contains('[') => "with classes",
        _ => "plain",
    }
}

#[test]
fn what_is_said_of_generated_expressions_is_true() {
    let table = Table::of(0..1_000);
    assert!(table.wrong.is_empty(), "{:#?}", table.wrong);
    for answer in ["accepted", "refused: admits a stranger", "refused: matches no origin"] {
        assert!(table.count(answer) > 100, "{answer}: {}", table.count(answer));
    }
}

/// Each showed a mistake, of the checker or of the judge, when a million were judged.
#[test]
fn what_is_said_of_expressions_that_showed_a_mistake_is_true() {
    let table = Table::of(
        [
            16070, 23970, 27222, 53857, 71552, 116228, 122312, 123234, 130193, 138926, 141532, 155710, 181370, 219570,
            322547, 348632, 377588, 403850, 413809, 417488, 450346, 493124, 509450, 512128, 524898, 540717, 606272,
            608065, 665044, 675229, 720680, 786288, 847316, 918764, 974290, 977435,
        ]
        .into_iter(),
    );
    assert!(table.wrong.is_empty(), "{:#?}", table.wrong);
}

#[test]
#[ignore = "takes minutes"]
fn what_is_said_of_a_million_generated_expressions_is_true() {
    const COUNT: u64 = 1_000_000;
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let table = std::thread::scope(|scope| {
        let spawn = |first: u64| scope.spawn(move || Table::of((first..COUNT).step_by(threads as usize)));
        let running: Vec<_> = (0..threads).map(spawn).collect();
        let tables = running.into_iter().map(|thread| thread.join().unwrap());
        tables.fold(Table::default(), Table::merge)
    });
    table.print();
    let first: Vec<_> = table.wrong.iter().take(20).collect();
    assert!(table.wrong.is_empty(), "{first:#?}");
}
