//! The lists of origins of a configuration (`cors_origin_list`), by name and by number.

use core::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use cors_policy::{Directive, ListSource, ListUse, LiveList, Position, Problem};

use crate::live_lists::ConfiguredList;

const DIRECTIVE: &str = "cors_origin_list";

/// The lists of a configuration.
#[derive(Default)]
pub(crate) struct OriginLists {
    /// By their numbers.
    named: RefCell<Vec<NamedList>>,
    /// The same, once the configuration has been read.
    complete: OnceCell<Box<[Rc<ConfiguredList>]>>,
    /// Some directive was wrong, so that it is not known which lists there are.
    has_errors: Cell<bool>,
}

/// A list that some directive has named.
struct NamedList {
    list: Rc<LiveList>,
    given: Option<Rc<ConfiguredList>>,
    /// The directives of policies that name it.
    uses: Vec<(Directive, Position)>,
}

impl OriginLists {
    /// The list of this number.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> Option<&ConfiguredList> {
        self.complete.get()?.get(number).map(|list| &**list)
    }

    /// All lists, once the configuration has been read.
    pub(crate) fn all(&self) -> &[Rc<ConfiguredList>] {
        self.complete.get().map_or(&[], |lists| &lists[..])
    }

    /// Notes that a directive was wrong.
    pub(super) fn note_error(&self) {
        self.has_errors.set(true);
    }

    /// The list that `directive` names at `at`.
    pub(super) fn name(&self, name: &str, directive: Directive, at: &Position) -> Rc<LiveList> {
        self.with(name, |named| {
            named.uses.push((directive, at.clone()));
            named.list.clone()
        })
    }

    /// Notes that a policy uses a list.
    pub(super) fn note_use(&self, used: &ListUse<'_>) {
        if let Some(list) = self.named.borrow().get(used.list.number()) {
            if let Some(given) = &list.given {
                given.note_use(used);
            }
        }
    }

    /// The directive that gives the list of this name, if one has been read.
    pub(super) fn given(&self, name: &str) -> Option<Rc<ConfiguredList>> {
        let all = self.named.borrow();
        all.iter().find(|named| named.list.name() == name)?.given.clone()
    }

    /// Takes in what a directive says.
    pub(super) fn give(&self, source: ListSource, list: Rc<ConfiguredList>) {
        let name = list.said().name.clone();
        self.with(&name, |named| {
            named.list.set_source(source);
            named.given = Some(list);
        });
    }

    fn with<T>(&self, name: &str, run: impl FnOnce(&mut NamedList) -> T) -> T {
        let mut all = self.named.borrow_mut();
        let number = all.iter().position(|named| named.list.name() == name);
        match number.and_then(|number| all.get_mut(number)) {
            Some(named) => run(named),
            None => {
                let mut named = NamedList {
                    list: Rc::new(LiveList::new(all.len(), name)),
                    given: None,
                    uses: Vec::new(),
                };
                let outcome = run(&mut named);
                all.push(named);
                outcome
            }
        }
    }

    /// Ends the reading of the configuration: reads the files, and returns what is wrong, and the names of lists of nobody.
    pub(super) fn finish(&self) -> (Vec<Problem>, Vec<String>) {
        let all = self.named.borrow();
        let known: Vec<_> = all
            .iter()
            .filter(|named| named.given.is_some())
            .map(|named| format!("\"@{}\"", named.list.name()))
            .collect();
        // One that nothing names may be meant by a name that is none.
        let has_unknown = known.len() < all.len();
        let (mut problems, mut of_nobody) = (Vec::new(), Vec::new());
        for named in all.iter() {
            let name = named.list.name();
            let Some(given) = &named.given else {
                let uses = named.uses.iter().filter(|_| !self.has_errors.get());
                problems.extend(uses.map(|(directive, at)| unknown(name, *directive, at, &known)));
                continue;
            };
            if named.uses.is_empty() && !has_unknown {
                let text = format!(
                    "\"{DIRECTIVE} {name}\" has no effect: nothing names the list; write \"cors_allow_origin @{name}\" where it is to hold"
                );
                problems.push(Problem::warning(&given.said().at, text));
            }
            let (found, is_of_nobody) = given.read_file();
            problems.extend(found);
            if is_of_nobody {
                of_nobody.push(format!("{DIRECTIVE} \"{name}\": {} lists nobody", given.said().file));
            }
        }
        let complete = all.iter().map(|named| named.given.clone()).collect::<Option<Vec<_>>>();
        if let Some(complete) = complete {
            self.complete.get_or_init(|| complete.into_boxed_slice());
        }
        (problems, of_nobody)
    }
}

/// An error for a list that there is not.
fn unknown(name: &str, directive: Directive, at: &Position, known: &[String]) -> Problem {
    let remedy = match known {
        [] => format!("write \"{DIRECTIVE} {name} {name}.txt;\" in http"),
        [one] => format!("write {one}, or give it a \"{DIRECTIVE}\" in http"),
        all => format!(
            "there are {}; write one of them, or give it a \"{DIRECTIVE}\" in http",
            all.join(", ")
        ),
    };
    let text = format!(
        "\"{}\" has the value \"@{name}\": there is no such list; {remedy}",
        directive.name()
    );
    Problem::error(at, text)
}
