//! Regular expressions as nginx matches them: searched for, in PCRE's syntax.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use ::regex::{Captures, Regex, RegexBuilder};

/// The expressions of a configuration, each compiled once.
#[derive(Debug, Default)]
pub struct Regexes(RefCell<HashMap<Source, Option<Rc<Regex>>>>);

/// An expression as it is written, and whether it ignores case.
type Source = (String, bool);

/// The groups that an expression has captured: first the whole, then each.
pub type Groups = Vec<String>;

impl Regexes {
    /// What `source` captures in `text`; `None` if it does not match, and an error if it is beyond what can be tried here
    /// (look-around, back references).
    pub fn find(&self, source: &str, ignores_case: bool, text: &str) -> Result<Option<Groups>, Untried> {
        let regex = self.compiled(source, ignores_case).ok_or(Untried)?;
        Ok(regex.captures(text).map(|captures| groups(&captures)))
    }

    /// Whether `source` matches `text`; unknown where it cannot be tried.
    pub fn matches(&self, source: &str, ignores_case: bool, text: &str) -> Option<bool> {
        let found = self.find(source, ignores_case, text).ok()?;
        Some(found.is_some())
    }

    fn compiled(&self, source: &str, ignores_case: bool) -> Option<Rc<Regex>> {
        let mut known = self.0.borrow_mut();
        let compiled = known.entry((source.to_owned(), ignores_case)).or_insert_with(|| {
            let regex = RegexBuilder::new(source).case_insensitive(ignores_case).build();
            regex.ok().map(Rc::new)
        });
        compiled.clone()
    }
}

/// The expression cannot be tried.
#[derive(Clone, Copy, Debug)]
pub struct Untried;

fn groups(captures: &Captures<'_>) -> Groups {
    let groups = captures.iter();
    groups
        .map(|group| group.map_or_else(String::new, |group| group.as_str().to_owned()))
        .collect()
}
