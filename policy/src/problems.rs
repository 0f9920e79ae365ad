//! Keeps what `nginx -t` prints short, however long a configuration is.

use std::collections::{HashMap, HashSet};

use crate::problem::{Position, Problem, ProblemKind, Severity, MOST_ERRORS};

/// The number of warnings of one kind that are shown, before the last one that tells how many there are.
const WARNINGS: usize = 10;

/// Collects all problems of a configuration.
///
/// Each is shown once, though several blocks may inherit it. Of each kind a limited number is shown at once, in the
/// order in which they are found; one more is kept to the end, and tells how many others there are.
#[derive(Debug, Default)]
pub struct Problems {
    known: HashSet<(Position, String)>,
    kinds: HashMap<ProblemKind, OfKind>,
    /// The kinds in the order in which they were found.
    order: Vec<ProblemKind>,
    has_errors: bool,
}

/// The problems of one kind.
#[derive(Debug, Default)]
struct OfKind {
    shown: usize,
    /// The problem that is shown at the end, with the number of those that are not shown.
    last: Option<Problem>,
}

impl Problems {
    /// Takes in problems, and returns those that are to be shown now.
    pub fn collect(&mut self, mut problems: Vec<Problem>) -> Vec<Problem> {
        problems.retain(|problem| self.is_to_be_shown(problem));
        problems
    }

    fn is_to_be_shown(&mut self, problem: &Problem) -> bool {
        self.has_errors |= problem.severity == Severity::Error;
        if !self.known.insert((problem.at.clone(), problem.text.clone())) {
            return false;
        }
        let limit = match problem.severity {
            Severity::Warning => WARNINGS,
            Severity::Error => MOST_ERRORS,
        };
        let of_kind = self.kinds.entry(problem.kind).or_insert_with(|| {
            self.order.push(problem.kind);
            OfKind::default()
        });
        if of_kind.shown < limit && problem.more == 0 {
            of_kind.shown += 1;
            return true;
        }
        match &mut of_kind.last {
            Some(last) => last.more += 1 + problem.more,
            none => *none = Some(problem.clone()),
        }
        false
    }

    /// Whether a problem is an error, so that the configuration is refused.
    pub fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// Ends the collection: returns the problems that tell how many were not shown.
    pub fn finish(&mut self) -> Vec<Problem> {
        let Self { kinds, order, .. } = std::mem::take(self);
        self.has_errors = kinds.keys().any(|kind| kind.severity == Severity::Error);
        let mut kinds = kinds;
        let last = order.iter().filter_map(|kind| kinds.remove(kind)?.last);
        last.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(severity: Severity, line: usize) -> Problem {
        let kind = ProblemKind {
            severity,
            directive: "cors_allow_methods",
            what: "",
        };
        let at = Position {
            file: "nginx.conf".into(),
            line,
        };
        Problem::new(kind, &at, format!("the {line}th"))
    }

    #[test]
    fn ten_warnings_of_a_kind_are_shown_and_one_with_the_number_of_the_rest() {
        let mut problems = Problems::default();
        let all = (1..=100_000).map(|line| problem(Severity::Warning, line)).collect();
        assert_eq!(problems.collect(all).len(), 10);
        let [rest] = &problems.finish()[..] else { panic!() };
        assert_eq!(rest.at.line, 11);
        assert_eq!(rest.to_string(), "the 11th (and 99989 more of this kind)");
        assert!(!problems.has_errors());
    }

    #[test]
    fn an_eleventh_warning_that_is_the_last_is_shown_as_it_is() {
        let mut problems = Problems::default();
        problems.collect((1..=11).map(|line| problem(Severity::Warning, line)).collect());
        assert_eq!(problems.finish()[0].to_string(), "the 11th");
    }

    #[test]
    fn a_hundred_errors_of_a_kind_are_shown_beside_the_warnings() {
        let mut problems = Problems::default();
        let warnings = (1..=500).map(|line| problem(Severity::Warning, line));
        let errors = (501..=1000).map(|line| problem(Severity::Error, line));
        assert_eq!(problems.collect(warnings.chain(errors).collect()).len(), 10 + 100);
        assert!(problems.has_errors());
        assert_eq!(problems.finish().len(), 2);
        assert!(problems.has_errors());
    }

    #[test]
    fn a_problem_that_several_blocks_inherit_is_shown_once() {
        let mut problems = Problems::default();
        assert_eq!(problems.collect(vec![problem(Severity::Error, 1)]).len(), 1);
        assert_eq!(problems.collect(vec![problem(Severity::Error, 1)]).len(), 0);
    }

    #[test]
    fn what_was_counted_before_it_came_here_is_counted_too() {
        let mut problems = Problems::default();
        let all = vec![problem(Severity::Error, 1), problem(Severity::Error, 2).and_more(23)];
        assert_eq!(problems.collect(all).len(), 1);
        assert_eq!(problems.finish()[0].to_string(), "the 2th (and 23 more of this kind)");
    }
}
