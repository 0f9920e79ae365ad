//! Lists as they are written in a configuration, so that a remedy can show the whole one with what is missing.

use std::fmt;
use std::rc::Rc;

use crate::directive::Directive;
use crate::live_list::name_in;
use crate::problem::Position;
use crate::variables::holds_variables;

/// The values of a list that are kept. Whoever has more looks at the file.
const MOST_VALUES: usize = 20;

/// A list as it is written.
#[derive(Clone, Debug)]
pub(crate) struct WrittenList {
    /// Where its first line stands.
    pub at: Position,
    /// Its first values.
    pub values: Vec<String>,
    /// How many values it has in all.
    pub count: usize,
}

/// The lists of one level that a remedy may add to.
#[derive(Clone, Default)]
pub(crate) struct WrittenLists {
    allow_origin: Option<Rc<WrittenList>>,
    allow_credentials: Option<Rc<WrittenList>>,
    allow_methods: Option<Rc<WrittenList>>,
    allow_headers: Option<Rc<WrittenList>>,
}

/// Where a list stands is no part of what it says: policies that are written in different ways show to be the same.
impl fmt::Debug for WrittenLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrittenLists").finish_non_exhaustive()
    }
}

impl WrittenLists {
    fn slot(&mut self, directive: Directive) -> Option<&mut Option<Rc<WrittenList>>> {
        match directive {
            Directive::AllowOrigin => Some(&mut self.allow_origin),
            Directive::AllowCredentials => Some(&mut self.allow_credentials),
            Directive::AllowMethods => Some(&mut self.allow_methods),
            Directive::AllowHeaders => Some(&mut self.allow_headers),
            _ => None,
        }
    }

    /// Takes in a line of a directive, if it is one of these.
    pub(crate) fn add(&mut self, directive: Directive, values: &[&[u8]], at: &Position) {
        let Some(slot) = self.slot(directive) else {
            return;
        };
        let list = slot.get_or_insert_with(|| {
            Rc::new(WrittenList {
                at: at.clone(),
                values: Vec::new(),
                count: 0,
            })
        });
        let Some(list) = Rc::get_mut(list) else {
            return; // no one else has it while the level is read
        };
        list.count += values.len();
        let room = MOST_VALUES.saturating_sub(list.values.len());
        let kept = values.iter().take(room);
        list.values
            .extend(kept.map(|value| String::from_utf8_lossy(value).into_owned()));
    }

    /// The lists in force where a level gives `self` and inherits `outer`.
    pub(crate) fn or_inherited(&self, outer: &Self) -> Self {
        let either =
            |own: &Option<Rc<WrittenList>>, outer: &Option<Rc<WrittenList>>| own.clone().or_else(|| outer.clone());
        Self {
            allow_origin: either(&self.allow_origin, &outer.allow_origin),
            allow_credentials: either(&self.allow_credentials, &outer.allow_credentials),
            allow_methods: either(&self.allow_methods, &outer.allow_methods),
            allow_headers: either(&self.allow_headers, &outer.allow_headers),
        }
    }

    /// The list of a directive, if it is one of these.
    pub(crate) fn get(&self, directive: Directive) -> Option<&WrittenList> {
        let list = match directive {
            Directive::AllowOrigin => &self.allow_origin,
            Directive::AllowCredentials => &self.allow_credentials,
            Directive::AllowMethods => &self.allow_methods,
            Directive::AllowHeaders => &self.allow_headers,
            _ => &None,
        };
        list.as_deref()
    }
}

impl WrittenList {
    /// Whether all of its values are known.
    pub(crate) fn is_whole(&self) -> bool {
        self.values.len() == self.count
    }

    /// Its first value with variables: what that is for a request decides.
    pub(crate) fn variable(&self) -> Option<&str> {
        let mut values = self.values.iter();
        let found = values.find(|value| holds_variables(value));
        found.map(String::as_str)
    }

    /// The name of the first list that changes while the server runs, if all of the values name such lists.
    pub(crate) fn live_list(&self) -> Option<&str> {
        let names = self.values.iter().map(|value| name_in(value)?.ok());
        let names = names.collect::<Option<Vec<_>>>().filter(|_| self.is_whole());
        names?.first().copied()
    }
}
