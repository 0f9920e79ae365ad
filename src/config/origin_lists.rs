//! The lists of origins of a configuration (`cors_origin_list`), with their memory.

use core::cell::{OnceCell, RefCell};
use std::rc::Rc;

use cors_policy::{Directive, ListSource, ListUse, LiveList, Position, Problem};

use crate::live_lists::ConfiguredList;

/// The lists of a configuration.
#[derive(Default)]
pub(crate) struct OriginLists {
    named: RefCell<cors_policy::OriginLists<Rc<ConfiguredList>>>,
    /// By their numbers, once the configuration has been read.
    complete: OnceCell<Box<[Rc<ConfiguredList>]>>,
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
        self.named.borrow_mut().note_error();
    }

    /// The list that `directive` names at `at`.
    pub(super) fn name(&self, name: &str, directive: Directive, at: &Position) -> Rc<LiveList> {
        self.named.borrow_mut().name(name, directive, at)
    }

    /// Notes that a policy uses a list.
    pub(super) fn note_use(&self, used: &ListUse<'_>) {
        if let Some(given) = self.named.borrow().get(used.list.number()) {
            given.note_use(used);
        }
    }

    /// Whether a directive may give a list of this name; what is wrong, if there is one already.
    pub(super) fn check_new(&self, name: &str) -> Result<(), String> {
        self.named.borrow().check_new(name)
    }

    /// Takes in what a directive says.
    pub(super) fn give(&self, source: ListSource, list: Rc<ConfiguredList>) {
        let said = list.said().clone();
        self.named.borrow_mut().give(&said.name, source, &said.at, list);
    }

    /// Ends the reading of the configuration: reads the files, and returns what is wrong, and what to tell of lists of nobody.
    pub(super) fn finish(&self) -> (Vec<Problem>, Vec<String>) {
        let all = self.named.borrow();
        let (mut problems, mut of_nobody) = (all.problems(), Vec::new());
        for given in all.iter().flatten() {
            let (found, is_of_nobody) = given.read_file();
            problems.extend(found);
            if is_of_nobody {
                let said = given.said();
                of_nobody.push(format!(
                    "cors_origin_list \"{}\": {} lists nobody",
                    said.name, said.file
                ));
            }
        }
        if let Some(complete) = all.iter().map(|given| given.cloned()).collect::<Option<Vec<_>>>() {
            self.complete.get_or_init(|| complete.into_boxed_slice());
        }
        (problems, of_nobody)
    }
}
