//! `cors_origin_list`: what the directive says, and which lists a configuration has.

use std::rc::Rc;

use crate::directive::Directive;
use crate::live_list::{ListSource, LiveList};
use crate::problem::{shown, Position, Problem};
use crate::syntax::Syntax;

const DIRECTIVE: &str = "cors_origin_list";
const EXAMPLE: &str = "cors_origin_list tenants tenants.txt;";

/// The parameters, and what they are if they are not given.
const KEY: &str = "key=";
const SIZE: &str = "size=";
const CHECK: &str = "check=";
const DEFAULT_SIZE: usize = 8 << 20;
const DEFAULT_CHECK: usize = 1000;

/// The least size of a list's memory, most of which the server takes for itself.
const LEAST_SIZE: usize = 32 * 1024;

/// `cors_origin_list name file [key=$variable] [size=8m] [check=1s]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginListDirective<'v> {
    /// Its name, without the `@` that it is used with.
    pub name: &'v str,
    /// The file as it was written.
    pub file: &'v str,
    /// The text whose value for a request is the key of the file's lines, and its number ([`Syntax::variable`]).
    pub key: Option<(&'v str, usize)>,
    /// The size of the memory, in bytes.
    pub size: usize,
    /// The milliseconds between two looks at the file.
    pub check: usize,
}

impl<'v> OriginListDirective<'v> {
    /// Reads the values of the directive; what is wrong with them, if something is, names the directive, the value, the
    /// reason and what to write instead.
    pub fn read(values: &[&'v [u8]], syntax: &mut impl Syntax) -> Result<Self, String> {
        let refused = |value: &[u8], why: &str| format!("\"{DIRECTIVE}\" has the value \"{}\": {why}", shown(value));
        let mut texts = Vec::new();
        for value in values {
            let text = core::str::from_utf8(value)
                .map_err(|_| refused(value, "it is no UTF-8; save the configuration as UTF-8"))?;
            texts.push(text);
        }
        let [name, file, parameters @ ..] = &texts[..] else {
            let given = values.join(&b' ');
            return Err(match given.is_empty() {
                true => format!("\"{DIRECTIVE}\" has no value; write a name and a file, such as \"{EXAMPLE}\""),
                false => refused(&given, &format!("a name and a file are expected; write \"{EXAMPLE}\"")),
            });
        };
        LiveList::check_name(name).map_err(|_| {
            let why = match name.strip_prefix('@') {
                Some(rest) if LiveList::check_name(rest).is_ok() => {
                    format!("\"@\" begins the name where a list is used; write \"{rest}\"")
                }
                _ => "a name consists of letters, digits and \"_\", \"-\", \".\"; write \"tenants\"".to_owned(),
            };
            refused(name.as_bytes(), &why)
        })?;
        let mut said = Self {
            name,
            file,
            key: None,
            size: DEFAULT_SIZE,
            check: DEFAULT_CHECK,
        };
        let mut seen: Vec<&str> = Vec::new();
        for parameter in parameters {
            let refused = |why: &str| refused(parameter.as_bytes(), why);
            let known = [KEY, SIZE, CHECK]
                .into_iter()
                .find(|known| parameter.starts_with(known));
            let Some(known) = known else {
                return Err(refused(
                    "there is no such parameter; write \"key=$host\", \"size=8m\" or \"check=1s\"",
                ));
            };
            if seen.contains(&known) {
                return Err(refused("the parameter is given already; remove one"));
            }
            seen.push(known);
            let value = parameter.strip_prefix(known).unwrap_or_default();
            match known {
                KEY if !value.contains('$') => {
                    return Err(refused(
                        "a key is a text with variables, such as the host that the request names; write \"key=$host\"",
                    ));
                }
                KEY => {
                    let number = syntax.variable(value.as_bytes());
                    let number = number.ok_or_else(|| refused("it is no text with variables; write \"key=$host\""))?;
                    said.key = Some((value, number));
                }
                SIZE => {
                    let size = syntax.size(value.as_bytes());
                    said.size = size.ok_or_else(|| refused("it is no size; write \"size=8m\""))?;
                    if said.size < LEAST_SIZE {
                        let least = LEAST_SIZE / 1024;
                        return Err(refused(&format!("it is too small; write \"size={least}k\" or more")));
                    }
                }
                _ => {
                    let check = syntax.milliseconds(value.as_bytes());
                    said.check = check.ok_or_else(|| refused("it is no time; write \"check=1s\""))?;
                    if said.check == 0 {
                        return Err(refused(
                            "the file would be looked at without a pause; write \"check=1s\"",
                        ));
                    }
                }
            }
        }
        Ok(said)
    }
}

/// The lists of a configuration, by name and by number. `T` is what the server keeps of a list that a directive gives.
#[derive(Debug)]
pub struct OriginLists<T> {
    /// By their numbers.
    named: Vec<NamedList<T>>,
    /// Some directive was wrong, so that it is not known which lists there are.
    has_errors: bool,
}

/// A list that some directive has named.
#[derive(Debug)]
struct NamedList<T> {
    list: Rc<LiveList>,
    /// Where it is given, and what is kept of it.
    given: Option<(Position, T)>,
    /// The directives of policies that name it.
    uses: Vec<(Directive, Position)>,
}

impl<T> Default for OriginLists<T> {
    fn default() -> Self {
        Self {
            named: Vec::new(),
            has_errors: false,
        }
    }
}

impl<T> OriginLists<T> {
    /// Notes that a `cors_origin_list` was wrong.
    pub fn note_error(&mut self) {
        self.has_errors = true;
    }

    /// The list that `directive` names at `at`.
    pub fn name(&mut self, name: &str, directive: Directive, at: &Position) -> Rc<LiveList> {
        let named = self.named(name);
        named.uses.push((directive, at.clone()));
        named.list.clone()
    }

    /// Whether a directive may give a list of this name; what is wrong, if there is one already.
    pub fn check_new(&self, name: &str) -> Result<(), String> {
        let earlier = self.named.iter().find(|named| named.list.name() == name);
        match earlier.and_then(|named| named.given.as_ref()) {
            None => Ok(()),
            Some((at, _)) => Err(format!(
                "\"{DIRECTIVE}\" has the value \"{name}\": there is such a list at {at} already; give this one another name, or \
                 remove it",
            )),
        }
    }

    /// Takes in what a directive at `at` says, and what is kept of the list.
    pub fn give(&mut self, name: &str, source: ListSource, at: &Position, kept: T) {
        let named = self.named(name);
        named.list.set_source(source);
        named.given = Some((at.clone(), kept));
    }

    fn named(&mut self, name: &str) -> &mut NamedList<T> {
        let number = self.named.iter().position(|named| named.list.name() == name);
        let number = number.unwrap_or_else(|| {
            self.named.push(NamedList {
                list: Rc::new(LiveList::new(self.named.len(), name)),
                given: None,
                uses: Vec::new(),
            });
            self.named.len() - 1
        });
        #[allow(clippy::indexing_slicing)] // it was found there, or has just been put there
        &mut self.named[number]
    }

    /// What is kept of the list of this number, if a directive has given it.
    pub fn get(&self, number: usize) -> Option<&T> {
        let (_, kept) = self.named.get(number)?.given.as_ref()?;
        Some(kept)
    }

    /// What is kept of each list, by number: nothing of those that no directive gives.
    pub fn iter(&self) -> impl Iterator<Item = Option<&T>> {
        self.named
            .iter()
            .map(|named| named.given.as_ref().map(|(_, kept)| kept))
    }

    /// What is wrong with the names of lists, once the whole configuration has been read.
    pub fn problems(&self) -> Vec<Problem> {
        let given = self.named.iter().filter(|named| named.given.is_some());
        let known: Vec<_> = given.map(|named| format!("\"@{}\"", named.list.name())).collect();
        // One that nothing names may be meant by a name that is none.
        let has_unknown = known.len() < self.named.len();
        let mut problems = Vec::new();
        for named in &self.named {
            let name = named.list.name();
            match &named.given {
                None if self.has_errors => {}
                None => {
                    let unknown = |(directive, at): &(Directive, _)| unknown(name, *directive, at, &known);
                    problems.extend(named.uses.iter().map(unknown));
                }
                Some((at, _)) if named.uses.is_empty() && !has_unknown => problems.push(unused(name, at)),
                Some(_) => {}
            }
        }
        problems
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

/// A warning for a list that nothing names.
fn unused(name: &str, at: &Position) -> Problem {
    let text = format!(
        "\"{DIRECTIVE} {name}\" has no effect: nothing names the list; write \"cors_allow_origin @{name}\" where it is to hold"
    );
    Problem::warning(at, text)
}
