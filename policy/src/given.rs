//! The values of one directive as they are read, and what is wrong with them.

use std::fmt::Display;
use std::rc::Rc;

use crate::directive::Directive;
use crate::problem::{shown, Position, Problem, ProblemKind, Severity, Warning, UNQUOTED};
use crate::token::is_token;

/// What a directive can choose, by its word.
pub(crate) trait Word: Sized + Copy + 'static {
    /// All words.
    const WORDS: &'static [(&'static str, Self)];
}

/// The value of a directive, and where it was given.
#[derive(Debug)]
pub(crate) struct Given<T> {
    pub value: T,
    pub at: Position,
}

impl<T> Given<T> {
    pub(crate) fn new(value: T, at: &Position) -> Self {
        Self { value, at: at.clone() }
    }

    /// The list that this and further lines of a directive add to.
    pub(crate) fn list<'a>(slot: &'a mut Option<Self>, at: &Position, empty: impl FnOnce() -> T) -> &'a mut T {
        &mut slot.get_or_insert_with(|| Self::new(empty(), at)).value
    }

    /// The same with a value that several levels can hold.
    pub(crate) fn shared(self) -> Given<Rc<T>> {
        Given {
            value: Rc::new(self.value),
            at: self.at,
        }
    }
}

impl<T: Clone> Given<T> {
    /// Puts the value in the place of the one that is inherited.
    pub(crate) fn replace(given: &Option<Self>, inherited: &mut T) {
        if let Some(given) = given {
            *inherited = given.value.clone();
        }
    }
}

/// The names of a list that stands in one value, in quotes or with commas, separated as nginx separates values.
fn separated_by_spaces(value: &str) -> Option<String> {
    let names: Vec<_> = value.split([',', ' ']).filter(|name| !name.is_empty()).collect();
    let is_list = value.contains([',', ' ']) && !names.is_empty();
    (is_list && names.iter().all(|name| is_token(name.as_bytes()))).then(|| names.join(" "))
}

/// A name that can be one by the grammar, but hardly is.
#[derive(Debug, thiserror::Error)]
enum NameDoubt {
    #[error("it is taken for a name, and allows no other; write \"*\" to allow every name")]
    Everything,
    #[error("\"{0}\" is taken for a part of the name; separate names by spaces, without other signs")]
    Sign(char),
}

impl NameDoubt {
    fn of(name: &str) -> Option<Self> {
        // RFC 9110 allows these signs in tokens. No method and no header that is in use has one; lists and expressions of
        // other software do.
        const SIGNS: [char; 9] = ['!', '#', '%', '&', '\'', '^', '`', '|', '~'];
        if ["all", "any"].iter().any(|word| name.eq_ignore_ascii_case(word)) {
            return Some(Self::Everything);
        }
        name.chars().find(|c| SIGNS.contains(c)).map(Self::Sign)
    }
}

impl Warning for NameDoubt {
    fn what(&self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Sign(_) => "sign",
        }
    }
}

/// Collects what is wrong with one directive.
pub(crate) struct Report<'a> {
    pub directive: Directive,
    pub at: &'a Position,
    pub problems: Vec<Problem>,
}

impl Report<'_> {
    pub(crate) fn add(&mut self, severity: Severity, what: &'static str, text: String) {
        let kind = ProblemKind {
            severity,
            directive: self.directive.name(),
            what,
        };
        self.problems.push(Problem::new(kind, self.at, text));
    }

    fn text(&self, value: &[u8], why: impl Display) -> String {
        let name = self.directive.name();
        format!("\"{name}\" has the value \"{}\": {why}", shown(value))
    }

    pub(crate) fn error(&mut self, value: &[u8], why: impl Display) {
        self.add(Severity::Error, "", self.text(value, why));
    }

    pub(crate) fn warning(&mut self, value: &[u8], why: impl Warning) {
        self.add(Severity::Warning, why.what(), self.text(value, why));
    }

    /// Takes the outcome of adding one value to a list.
    pub(crate) fn added<W: Warning, E: Display>(&mut self, value: &str, outcome: Result<Option<W>, E>) {
        match outcome {
            Ok(None) => {}
            Ok(Some(warning)) => self.warning(value.as_bytes(), warning),
            Err(error) => self.error(value.as_bytes(), error),
        }
    }

    /// Adds each value to a list.
    pub(crate) fn each(&mut self, values: &[&[u8]], mut add: impl FnMut(&str, &mut Self)) {
        for value in values {
            match std::str::from_utf8(value) {
                Ok(value) => add(value, self),
                Err(_) => self.error(value, "it is no UTF-8; save the configuration as UTF-8"),
            }
        }
    }

    /// The same for names of methods or headers, which are written out. `$` and `*` may occur in names by the grammar of
    /// tokens, but whoever writes them means something else.
    pub(crate) fn each_name(&mut self, values: &[&[u8]], mut add: impl FnMut(&str, &mut Self)) {
        self.each(values, |value, report| {
            if value.contains('$') {
                report.error(
                    value.as_bytes(),
                    "variables are not taken here; write \"*\" to allow whatever is asked for",
                );
            } else if value.contains('*') && value != "*" {
                report.error(
                    value.as_bytes(),
                    "\"*\" stands for every name and not for a part of one; write the names one by one, or \"*\"",
                );
            } else if let Some(names) = separated_by_spaces(value) {
                let quotes = if names.contains(' ') { UNQUOTED } else { "" };
                report.error(
                    value.as_bytes(),
                    format_args!(
                        "a list is separated by spaces, each name a value of its own; write \"{names}\"{quotes}"
                    ),
                );
            } else {
                let before = report.problems.len();
                add(value, report);
                let is_refused = |problem: &Problem| problem.severity == Severity::Error;
                let found = report.problems.get(before..).unwrap_or_default();
                if let (Some(doubt), false) = (NameDoubt::of(value), found.iter().any(is_refused)) {
                    report.problems.truncate(before);
                    report.warning(value.as_bytes(), doubt);
                }
            }
        });
    }

    /// Reads the value of a directive that takes one.
    pub(crate) fn one<T, E: Display>(
        &mut self,
        values: &[&[u8]],
        parse: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Option<T> {
        let [value] = values else {
            let takes = self.directive.takes();
            self.error(&values.join(&b' '), format_args!("it takes one value; write {takes}"));
            return None;
        };
        parse(value).map_err(|why| self.error(value, why)).ok()
    }

    /// Reads the value of a directive that takes one of a few words.
    pub(crate) fn word<T: Word>(&mut self, values: &[&[u8]]) -> Option<T> {
        let takes = self.directive.takes();
        self.one(values, |value| {
            let found = T::WORDS.iter().find(|(word, _)| word.as_bytes() == value);
            found
                .map(|(_, meaning)| *meaning)
                .ok_or(format!("there is no such value; write {takes}"))
        })
    }

    /// Reads the value of such a directive into its slot.
    pub(crate) fn choose<T: Word>(&mut self, slot: &mut Option<Given<T>>, values: &[&[u8]]) {
        *slot = self.word(values).map(|value| Given::new(value, self.at));
    }
}
