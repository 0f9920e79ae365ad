//! All expressions of a list, matched at once when requests come.
//!
//! They are made into tables of states, two at most, that read an origin byte by byte. So a request costs one look into
//! each table for each byte of its origin, of which there are 512 at most, whatever the expressions are and however many.
//! What does not fit into tables of bearable size is refused when the configuration is read.
//!
//! Origins are read from their end, where the domain is: by then few expressions are left, and the table is small.
//! Forwards, the tables of a thousand expressions such as `https://(.+\.)?tenant1\.com` take seconds to make.

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use regex_automata::dfa::{dense, Automaton, StartKind};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::Hir;

use super::expression::OriginRegex;
use crate::problem::shown;

/// How large a table may be, in bytes: so much in any case, so much for each byte of its expressions, and never more than
/// that. So the time to make it is bounded, too, and in proportion to the length of the configuration.
const SMALLEST_ROOM: usize = 384 << 10;
const ROOM_FOR_EACH_BYTE: usize = 448;
const LARGEST_ROOM: usize = 64 << 20;

/// Of a list whose expressions cannot all be read from the end, so many may be read from the start.
const MOST_FORWARD: usize = 8;

/// Why a list cannot be matched quickly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SetError {
    #[error("the regular expression \"~{0}\" would need too large a table to be matched quickly; repeat less, as in \"[a-z0-9-]+\" for \"[a-z0-9-]{{1,40}}\", or list patterns such as \"https://*.example.com\"")]
    Expression(String),
    #[error("its regular expressions together would need too large tables to be matched quickly; list patterns such as \"https://*.example.com\" instead")]
    All,
}

/// All expressions of a list.
#[derive(Default, Debug)]
pub(crate) struct RegexSet {
    sources: HashSet<Box<str>, FixedState>,
    expressions: Vec<(Box<str>, Hir)>,
    tables: Vec<Table>,
}

impl RegexSet {
    /// Adds an expression; false where it was there already.
    pub(crate) fn insert(&mut self, regex: OriginRegex) -> bool {
        let OriginRegex { source, tree, .. } = regex;
        let is_new = self.sources.insert(source.clone());
        if is_new {
            self.expressions.push((source, tree));
        }
        is_new
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.expressions.is_empty()
    }

    /// Makes the tables, once the list is complete.
    pub(crate) fn compile(&mut self) -> Result<(), SetError> {
        self.tables.clear();
        let all: Vec<_> = self.expressions.iter().collect();
        if all.is_empty() {
            return Ok(());
        }
        if let Some(table) = Table::new(&all, Direction::Backward) {
            self.tables.push(table);
            return Ok(());
        }
        if room(&all) == LARGEST_ROOM {
            return Err(SetError::All);
        }
        let (mut backward, mut forward) = (Vec::new(), Vec::new());
        for expression in all {
            if Table::new(&[expression], Direction::Backward).is_some() {
                backward.push(expression);
            } else if forward.len() < MOST_FORWARD && Table::new(&[expression], Direction::Forward).is_some() {
                forward.push(expression);
            } else {
                return Err(SetError::Expression(shown(expression.0.as_bytes())));
            }
        }
        for (group, direction) in [(backward, Direction::Backward), (forward, Direction::Forward)] {
            match Table::new(&group, direction) {
                _ if group.is_empty() => {}
                // That was tried: it is all of them.
                _ if group.len() == self.expressions.len() && direction == Direction::Backward => {
                    return Err(SetError::All)
                }
                Some(table) => self.tables.push(table),
                None => return Err(SetError::All),
            }
        }
        Ok(())
    }

    /// Whether one of the expressions matches the whole of `origin`.
    pub(crate) fn matches(&self, origin: &[u8]) -> bool {
        self.tables.iter().any(|table| table.matches(origin))
    }
}

/// How large the table of these expressions may be.
fn room(group: &[&(Box<str>, Hir)]) -> usize {
    let length: usize = group.iter().map(|(source, _)| source.len()).sum();
    (SMALLEST_ROOM + length * ROOM_FOR_EACH_BYTE).min(LARGEST_ROOM)
}

/// From which end an origin is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Backward,
    /// An expression such as `a.{40}b.*` needs forty states forwards, and 2^40 backwards.
    Forward,
}

/// The automaton of some expressions, as a table that knows the next state for every byte.
#[derive(Debug)]
struct Table {
    states: Box<dense::DFA<Vec<u32>>>,
    start: StateID,
    direction: Direction,
}

impl Table {
    /// Nothing where it would be too large.
    fn new(group: &[&(Box<str>, Hir)], direction: Direction) -> Option<Self> {
        let room = room(group);
        let trees: Vec<&Hir> = group.iter().map(|(_, tree)| tree).collect();
        let config = thompson::Config::new()
            .utf8(false)
            .reverse(direction == Direction::Backward)
            .nfa_size_limit(Some(room))
            .which_captures(WhichCaptures::None);
        let automaton = thompson::Compiler::new()
            .configure(config)
            .build_many_from_hir(&trees)
            .ok()?;
        let config = dense::Config::new()
            .match_kind(MatchKind::All)
            .start_kind(StartKind::Anchored)
            // Origins are ASCII: no other byte comes.
            .unicode_word_boundary(true)
            .dfa_size_limit(Some(room))
            // What it takes to find a state weighs more than the state: a tenth of a second for each MiB.
            .determinize_size_limit(Some(room / 3));
        let states = dense::Builder::new()
            .configure(config)
            .build_from_nfa(&automaton)
            .ok()?;
        let input = Input::new(b"").anchored(Anchored::Yes);
        let start = match direction {
            Direction::Backward => states.start_state_reverse(&input),
            Direction::Forward => states.start_state_forward(&input),
        };
        Some(Self {
            start: start.ok()?,
            states: Box::new(states),
            direction,
        })
    }

    fn matches(&self, origin: &[u8]) -> bool {
        match self.direction {
            Direction::Backward => self.reads(origin.iter().rev()),
            Direction::Forward => self.reads(origin.iter()),
        }
    }

    #[inline]
    fn reads<'o>(&self, bytes: impl Iterator<Item = &'o u8>) -> bool {
        let mut state = self.start;
        for &byte in bytes {
            state = self.states.next_state(state, byte);
            if self.states.is_dead_state(state) || self.states.is_quit_state(state) {
                return false;
            }
        }
        // Matches are reported one step late: this one ends with the last byte.
        self.states.is_match_state(self.states.next_eoi_state(state))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(sources: &[&str]) -> Result<RegexSet, SetError> {
        let mut set = RegexSet::default();
        for source in sources {
            assert!(set.insert(OriginRegex::parse(source).unwrap()));
        }
        set.compile().map(|()| set)
    }

    fn set(sources: &[&str]) -> RegexSet {
        compiled(sources).unwrap()
    }

    fn directions(set: &RegexSet) -> Vec<Direction> {
        set.tables.iter().map(|table| table.direction).collect()
    }

    #[test]
    fn an_expression_has_to_match_the_whole_origin() {
        let set = set(&[r"https://[a-z]+\.example\.com"]);
        assert!(set.matches(b"https://app.example.com"));
        for origin in [
            "https://app.example.com.evil.net",
            "xhttps://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.co",
            "https://.example.com",
        ] {
            assert!(!set.matches(origin.as_bytes()), "{origin}");
        }
    }

    #[test]
    fn an_alternation_is_bound_as_a_whole() {
        let set = set(&[r"https://a\.example|https://ab\.example"]);
        assert!(set.matches(b"https://a.example"));
        assert!(set.matches(b"https://ab.example"));
        assert!(!set.matches(b"https://a.example.evil.net"));
        assert!(!set.matches(b"x https://ab.example"));
    }

    #[test]
    fn anchors_that_people_write_do_no_harm() {
        let set = set(&[r"^https://a\.example$"]);
        assert!(set.matches(b"https://a.example"));
        assert!(!set.matches(b"https://a.example\n"));
    }

    #[test]
    fn a_shorter_branch_does_not_hide_a_longer_one() {
        let set = set(&[r"https://(a|ab)(c|bcd)\.example"]);
        assert!(set.matches(b"https://abcd.example"));
        assert!(set.matches(b"https://abc.example"));
    }

    #[test]
    fn the_same_expression_is_kept_once() {
        let mut set = RegexSet::default();
        assert!(set.insert(OriginRegex::parse(r"https://a\.example").unwrap()));
        assert!(!set.insert(OriginRegex::parse(r"https://a\.example").unwrap()));
    }

    #[test]
    fn many_expressions_are_tried_in_one_pass() {
        let sources: Vec<_> = (0..1000)
            .map(|n| format!(r"https://[a-z0-9-]+\.tenant{n}\.example"))
            .collect();
        let set = set(&sources.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(set.tables.len(), 1);
        assert!(set.matches(b"https://a.tenant0.example"));
        assert!(set.matches(b"https://a-1.tenant999.example"));
        assert!(!set.matches(b"https://a.tenant1000.example"));
    }

    #[test]
    fn an_expression_whose_table_is_too_large_forwards_is_read_backwards() {
        let set = set(&[r"https://.*a.{40}b\.example"]);
        assert_eq!(directions(&set), [Direction::Backward]);
        let middle = "x".repeat(40);
        assert!(set.matches(format!("https://a{middle}b.example").as_bytes()));
        assert!(!set.matches(format!("https://a{middle}b.example.evil.net").as_bytes()));
        assert!(!set.matches(format!("https://a{middle}xb.example").as_bytes()));
    }

    #[test]
    fn word_boundaries_mean_the_same_in_both_directions() {
        let set = set(&[r"https://.*\ba.{40}\bb\B-?c\.example", r"https://\ba\b\.example"]);
        let middle = format!("{}-", "x".repeat(39));
        assert!(set.matches(format!("https://a{middle}bc.example").as_bytes()));
        assert!(set.matches(format!("https://x.a{middle}bc.example").as_bytes()));
        assert!(!set.matches(format!("https://xa{middle}bc.example").as_bytes()));
        assert!(!set.matches(format!("https://a{middle}b-c.example").as_bytes()));
        assert!(set.matches(b"https://a.example"));
    }

    #[test]
    fn an_expression_whose_table_is_too_large_backwards_is_read_forwards() {
        let set = set(&[r"https://a.{40}b.*c\.example"]);
        assert_eq!(directions(&set), [Direction::Forward]);
        let middle = "x".repeat(40);
        assert!(set.matches(format!("https://a{middle}bxc.example").as_bytes()));
        assert!(!set.matches(format!("https://a{middle}xxc.example").as_bytes()));
        assert!(!set.matches(format!("https://a{middle}bxc.example.evil.net").as_bytes()));
    }

    #[test]
    fn expressions_that_need_different_directions_get_tables_of_their_own() {
        let set = set(&[
            r"https://.*a.{40}b\.example",
            r"https://a.{40}b.*c\.example",
            r"https://d\.example",
        ]);
        assert_eq!(directions(&set), [Direction::Backward, Direction::Forward]);
        let middle = "x".repeat(40);
        assert!(set.matches(format!("https://xa{middle}b.example").as_bytes()));
        assert!(set.matches(format!("https://a{middle}bxc.example").as_bytes()));
        assert!(set.matches(b"https://d.example"));
        assert!(!set.matches(format!("https://a{middle}d.example").as_bytes()));
    }

    #[test]
    fn an_expression_without_a_table_of_bearable_size_is_refused_by_name() {
        let large = r"https://.*a.{40}b.{40}a.*c\.example";
        let refused = compiled(&[r"https://a\.example", large]).unwrap_err();
        assert_eq!(refused, SetError::Expression(large.to_owned()));
    }

    #[test]
    fn a_list_whose_tables_would_be_too_large_is_refused() {
        // Whether each of these words came is one bit of the state, whichever way the origin is read.
        let sources: Vec<_> = (0..200).map(|n| format!(r"https://.*w{n}x.*\.example")).collect();
        let sources: Vec<_> = sources.iter().map(String::as_str).collect();
        assert_eq!(compiled(&sources).unwrap_err(), SetError::All);
    }
}
