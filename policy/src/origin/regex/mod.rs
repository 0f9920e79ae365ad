//! Regular expressions: `~https://[a-z]+\.example\.com`.
//!
//! They match origins as a whole, in time that is linear in the origin: all of one list together are one automaton.

mod samples;
mod strangers;

use std::cell::RefCell;

use regex_automata::dfa::{dense, Automaton, StartKind};
use regex_automata::nfa::thompson::{self, pikevm::PikeVM, NFA};
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::Hir;

pub(crate) use strangers::{insecure_example, stranger};

/// How large the automaton of one expression may be, in bytes.
const LARGEST_EXPRESSION: usize = 1 << 20;

/// How large the table of all of them may be, in bytes; what does not fit is searched without a table.
const LARGEST_TABLE: usize = 16 << 20;

/// One expression, syntactically right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OriginRegex {
    source: Box<str>,
    tree: Hir,
}

impl OriginRegex {
    /// Reads an expression as it stands behind the `~`.
    pub(crate) fn parse(source: &str) -> Result<Self, String> {
        // Origins are ASCII; Unicode classes would make the automaton large for nothing.
        let tree = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(source)
            .map_err(|error| match error {
                regex_syntax::Error::Parse(error) => error.kind().to_string(),
                regex_syntax::Error::Translate(error) => error.kind().to_string(),
                error => error.to_string(),
            })?;
        let regex = Self {
            source: source.into(),
            tree,
        };
        match compile(&[&regex]) {
            Ok(_) => Ok(regex),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A matcher for this expression alone. It is for a few texts: a table would take longer to make than it saves.
    pub(crate) fn matcher(&self) -> Option<RegexSet> {
        let engine = simulation(compile(&[self]).ok()?).ok()?;
        Some(RegexSet {
            expressions: vec![self.clone()],
            engine,
        })
    }
}

/// All expressions of a list.
#[derive(Default, Debug)]
pub(crate) struct RegexSet {
    expressions: Vec<OriginRegex>,
    engine: Engine,
}

#[derive(Default, Debug)]
enum Engine {
    /// There is nothing to match, or it has not been compiled yet.
    #[default]
    Empty,
    /// A table that knows the next state for every byte.
    Table(Box<dense::DFA<Vec<u32>>>),
    /// A simulation in memory of fixed size, for expressions whose table would be too large.
    Simulation(Box<(PikeVM, RefCell<thompson::pikevm::Cache>)>),
}

impl RegexSet {
    /// Adds an expression; false where it was there already.
    pub(crate) fn insert(&mut self, regex: OriginRegex) -> bool {
        let new = !self.expressions.iter().any(|other| other.source == regex.source);
        if new {
            self.expressions.push(regex);
        }
        new
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.expressions.is_empty()
    }

    /// Makes one automaton of all expressions, once the list is complete.
    pub(crate) fn compile(&mut self) -> Result<(), String> {
        if self.expressions.is_empty() {
            return Ok(());
        }
        let expressions: Vec<_> = self.expressions.iter().collect();
        let nfa = compile(&expressions).map_err(|error| error.to_string())?;
        let table = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .match_kind(MatchKind::All)
                    .start_kind(StartKind::Anchored)
                    .dfa_size_limit(Some(LARGEST_TABLE))
                    .determinize_size_limit(Some(LARGEST_TABLE)),
            )
            .build_from_nfa(&nfa);
        self.engine = match table {
            Ok(table) => Engine::Table(Box::new(table)),
            Err(_) => simulation(nfa)?,
        };
        Ok(())
    }

    /// Whether one of the expressions matches the whole of `origin`.
    pub(crate) fn matches(&self, origin: &[u8]) -> bool {
        let input = Input::new(origin).anchored(Anchored::Yes);
        match &self.engine {
            Engine::Empty => false,
            Engine::Table(table) => {
                let Ok(mut state) = table.start_state_forward(&input) else {
                    return false;
                };
                for &byte in origin {
                    state = table.next_state(state, byte);
                    if table.is_dead_state(state) || table.is_quit_state(state) {
                        return false;
                    }
                }
                // Matches are reported one step late: this one ends with the last byte.
                table.is_match_state(table.next_eoi_state(state))
            }
            Engine::Simulation(simulation) => {
                let (vm, cache) = &**simulation;
                cache
                    .try_borrow_mut()
                    .is_ok_and(|mut cache| vm.is_match(&mut cache, input))
            }
        }
    }
}

fn simulation(nfa: NFA) -> Result<Engine, String> {
    let vm = PikeVM::builder()
        .configure(PikeVM::config().match_kind(MatchKind::All))
        .build_from_nfa(nfa)
        .map_err(|error| error.to_string())?;
    let mut cache = vm.create_cache();
    // Its stack grows with the first text that it sees; that is not to be a request's.
    vm.is_match(&mut cache, Input::new(b"https://a.example").anchored(Anchored::Yes));
    let cache = RefCell::new(cache);
    Ok(Engine::Simulation(Box::new((vm, cache))))
}

/// The automaton of all `expressions`, each bound to the end of the text.
fn compile(expressions: &[&OriginRegex]) -> Result<NFA, Box<thompson::BuildError>> {
    let trees: Vec<Hir> = expressions
        .iter()
        .map(|expression| Hir::concat(vec![expression.tree.clone(), Hir::look(regex_syntax::hir::Look::End)]))
        .collect();
    thompson::Compiler::new()
        .configure(
            thompson::Config::new()
                .utf8(false)
                .nfa_size_limit(Some(LARGEST_EXPRESSION.saturating_mul(expressions.len())))
                .which_captures(thompson::WhichCaptures::None),
        )
        .build_many_from_hir(&trees)
        .map_err(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(sources: &[&str]) -> RegexSet {
        let mut set = RegexSet::default();
        for source in sources {
            assert!(set.insert(OriginRegex::parse(source).unwrap()));
        }
        set.compile().unwrap();
        set
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
    fn many_expressions_are_tried_in_one_pass() {
        let sources: Vec<_> = (0..1000)
            .map(|n| format!(r"https://[a-z0-9-]+\.tenant{n}\.example"))
            .collect();
        let set = set(&sources.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(matches!(set.engine, Engine::Table(_)));
        assert!(set.matches(b"https://a.tenant0.example"));
        assert!(set.matches(b"https://a-1.tenant999.example"));
        assert!(!set.matches(b"https://a.tenant1000.example"));
    }

    #[test]
    fn an_expression_without_a_table_of_bearable_size_matches_all_the_same() {
        let set = set(&[r"https://.*a.{40}b\.example"]);
        assert!(matches!(set.engine, Engine::Simulation(_)));
        let middle = "x".repeat(40);
        assert!(set.matches(format!("https://a{middle}b.example").as_bytes()));
        assert!(!set.matches(format!("https://a{middle}b.example.evil.net").as_bytes()));
        assert!(!set.matches(format!("https://a{middle}xb.example").as_bytes()));
    }

    #[test]
    fn what_takes_more_than_linear_time_or_much_memory_is_refused() {
        for source in [
            r"(?=a)b",
            r"(a)\1",
            r"(?<!a)b",
            "(",
            "*.example.com",
            "a{1000}{1000}{1000}",
        ] {
            assert!(OriginRegex::parse(source).is_err(), "{source}");
        }
    }
}
