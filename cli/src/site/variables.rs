//! Variables: what `map` makes of a request, and which ones `set` writes.

use std::collections::{HashMap, HashSet};

use super::regex::Regexes;
use super::request::Request;
use super::text::{Part, Text};
use crate::nginx::{Directive, Word};

/// The value of a text for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Known(String),
    /// Only a running nginx knows.
    Unknown,
}

impl Value {
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown => None,
        }
    }

    /// Whether it is known to be empty.
    pub fn is_empty(&self) -> bool {
        self.known() == Some("")
    }
}

/// What stands on the left side of an entry of a `map`.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// nginx compares it without regard to case.
    Literal(String),
    Regex {
        source: String,
        ignores_case: bool,
    },
    Default,
}

#[derive(Debug)]
pub struct MapEntry<'t> {
    pub pattern: Pattern,
    pub written: &'t Word,
    pub value: Text,
    pub value_word: Option<&'t Word>,
}

/// A `map`.
#[derive(Debug)]
pub struct Map<'t> {
    pub directive: &'t Directive,
    pub source: Text,
    pub entries: Vec<MapEntry<'t>>,
    /// Its literals are names of hosts, perhaps with a wildcard.
    pub has_hostnames: bool,
    /// The literal entries by what they compare, in lower case.
    literals: HashMap<String, usize>,
}

impl<'t> Map<'t> {
    fn read(directive: &'t Directive) -> Option<Self> {
        let source = Text::parse(directive.argument(0)?);
        let mut has_hostnames = false;
        let mut entries = Vec::new();
        let mut literals = HashMap::new();
        for entry in directive.inner() {
            let Some(value) = entry.arguments.first() else {
                has_hostnames |= entry.is("hostnames");
                continue;
            };
            let pattern = match &*entry.name.value {
                "default" => Pattern::Default,
                written => match written.strip_prefix('~') {
                    Some(source) => {
                        let (ignores_case, source) =
                            source.strip_prefix('*').map_or((false, source), |rest| (true, rest));
                        Pattern::Regex {
                            source: source.to_owned(),
                            ignores_case,
                        }
                    }
                    None => Pattern::Literal(written.strip_prefix('\\').unwrap_or(written).to_ascii_lowercase()),
                },
            };
            if let Pattern::Literal(literal) = &pattern {
                literals.entry(literal.clone()).or_insert(entries.len());
            }
            entries.push(MapEntry {
                pattern,
                written: &entry.name,
                value: Text::parse(&value.value),
                value_word: Some(value),
            });
        }
        Some(Self {
            directive,
            source,
            entries,
            has_hostnames,
            literals,
        })
    }

    /// The name of its variable.
    pub fn name(&self) -> String {
        let written = self.directive.argument(1).unwrap_or_default();
        written.trim_start_matches('$').to_ascii_lowercase()
    }

    /// Whether its values go by the header `Origin`.
    pub fn asks_for_origin(&self) -> bool {
        self.source.variables().any(|name| name == "http_origin")
    }
}

/// How a request's variables got their values.
#[derive(Clone, Debug, Default)]
pub struct Assigned {
    values: HashMap<String, Value>,
    groups: Vec<String>,
}

impl Assigned {
    pub fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    pub fn capture(&mut self, groups: Vec<String>) {
        self.groups = groups;
    }
}

/// The variables of a configuration.
#[derive(Debug, Default)]
pub struct Variables<'t> {
    pub maps: Vec<Map<'t>>,
    by_name: HashMap<String, usize>,
    /// Those that `set` writes.
    pub set: HashSet<String>,
    pub regexes: Regexes,
}

/// Maps may be made of each other; nginx ends a circle so, too.
const DEEPEST: usize = 16;

impl<'t> Variables<'t> {
    /// Reads what a directive says of variables.
    pub fn read(&mut self, directive: &'t Directive) {
        if directive.is("map") && directive.block.is_some() {
            if let Some(map) = Map::read(directive) {
                self.by_name.insert(map.name(), self.maps.len());
                self.maps.push(map);
            }
        }
        if let Some(name) = directive.argument(0).filter(|_| directive.is("set")) {
            self.set.insert(name.trim_start_matches('$').to_ascii_lowercase());
        }
    }

    pub fn map(&self, name: &str) -> Option<&Map<'t>> {
        self.maps.get(*self.by_name.get(name)?)
    }

    /// The value of a text for a request.
    pub fn value(&self, text: &Text, request: &Request, assigned: &Assigned) -> Value {
        self.value_within(text, request, assigned, 0)
    }

    fn value_within(&self, text: &Text, request: &Request, assigned: &Assigned, depth: usize) -> Value {
        let mut value = String::new();
        for part in text.parts() {
            match part {
                Part::Literal(literal) => value.push_str(literal),
                Part::Variable(name) => match self.variable(name, request, assigned, depth) {
                    Value::Known(known) => value.push_str(&known),
                    Value::Unknown => return Value::Unknown,
                },
            }
        }
        Value::Known(value)
    }

    fn variable(&self, name: &str, request: &Request, assigned: &Assigned, depth: usize) -> Value {
        if depth > DEEPEST {
            return Value::Unknown;
        }
        if let Some(value) = assigned.values.get(name) {
            return value.clone();
        }
        if let Ok(number) = name.parse::<usize>() {
            return Value::Known(assigned.groups.get(number).cloned().unwrap_or_default());
        }
        if let Some(map) = self.map(name) {
            return match self.value_within(&map.source, request, assigned, depth + 1) {
                Value::Known(source) => self.mapped(map, &source, request, assigned, depth + 1),
                Value::Unknown => Value::Unknown,
            };
        }
        match name {
            "request_method" => Value::Known(request.method.to_owned()),
            "args" | "query_string" | "is_args" | "remote_user" => Value::Known(String::new()),
            // No `set` has run for this request.
            _ if self.set.contains(name) => Value::Known(String::new()),
            _ => match name.split_once('_') {
                // The request has no such headers, cookies and arguments. Its Host and its path are not known.
                Some(("http", "host" | "referer" | "user_agent" | "x_forwarded_proto")) => Value::Unknown,
                Some(("http", header)) => Value::Known(request.header(header).to_owned()),
                Some(("arg" | "cookie", _)) => Value::Known(String::new()),
                _ => Value::Unknown,
            },
        }
    }

    /// The value that a map has for what its source says.
    fn mapped(&self, map: &Map<'t>, source: &str, request: &Request, assigned: &Assigned, depth: usize) -> Value {
        let mut assigned = assigned.clone();
        let found = match self.entry(map, source, &mut assigned) {
            Ok(entry) => entry,
            Err(Unmatched) => return Value::Unknown,
        };
        match found {
            Some(entry) => self.value_within(&entry.value, request, &assigned, depth),
            None => Value::Known(String::new()),
        }
    }

    /// The entry of a map for what its source says: literals first, then expressions in their order, then the default.
    fn entry<'m>(
        &self,
        map: &'m Map<'t>,
        source: &str,
        assigned: &mut Assigned,
    ) -> Result<Option<&'m MapEntry<'t>>, Unmatched> {
        let literal = map.literals.get(&source.to_ascii_lowercase());
        if let Some(entry) = literal.and_then(|number| map.entries.get(*number)) {
            return Ok(Some(entry));
        }
        if map.has_hostnames {
            return Err(Unmatched);
        }
        for entry in &map.entries {
            let Pattern::Regex {
                source: regex,
                ignores_case,
            } = &entry.pattern
            else {
                continue;
            };
            match self.regexes.find(regex, *ignores_case, source) {
                Ok(Some(groups)) => {
                    assigned.capture(groups);
                    return Ok(Some(entry));
                }
                Ok(None) => {}
                Err(_) => return Err(Unmatched),
            }
        }
        let is_default = |entry: &&MapEntry<'_>| matches!(entry.pattern, Pattern::Default);
        Ok(map.entries.iter().find(is_default))
    }

    /// The entry by which a map gives a request its value.
    pub fn entry_for<'m>(&self, map: &'m Map<'t>, request: &Request, assigned: &Assigned) -> Option<&'m MapEntry<'t>> {
        let source = self.value_within(&map.source, request, assigned, 1);
        self.entry(map, source.known()?, &mut assigned.clone()).ok()?
    }

    /// The maps that a text goes by, also through others.
    pub fn maps_of(&self, text: &Text) -> Vec<&Map<'t>> {
        let mut found: Vec<&Map<'t>> = Vec::new();
        let mut names: Vec<String> = text.variables().map(str::to_owned).collect();
        while let Some(name) = names.pop() {
            let Some(map) = self.map(&name) else { continue };
            if found.iter().any(|known| std::ptr::eq(*known, map)) {
                continue;
            }
            found.push(map);
            let values = map.entries.iter().flat_map(|entry| entry.value.variables());
            names.extend(values.chain(map.source.variables()).map(str::to_owned));
        }
        found
    }
}

/// It cannot be known which entry it is.
struct Unmatched;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::block::Blocks;

    /// The value of `$v`.
    fn value(configuration: &str, origin: &str) -> Value {
        let directives = crate::site::block::tests::directives(configuration);
        let site = Blocks::read(&directives);
        let text = Text::parse("$v");
        site.variables
            .value(&text, &Request::get(Some(origin)), &Assigned::default())
    }

    fn known(text: &str) -> Value {
        Value::Known(text.to_owned())
    }

    #[test]
    fn a_map_takes_literals_first_then_expressions_in_their_order() {
        let map = r"http { map $http_origin $v {
            default no; ~^https://a first; ~^https://ab second; https://ABC.example literal; } }";
        assert_eq!(value(map, "https://abc.example"), known("literal"));
        assert_eq!(value(map, "https://abd.example"), known("first"));
        assert_eq!(value(map, "https://b.example"), known("no"));
    }

    #[test]
    fn a_map_without_a_default_has_an_empty_value() {
        assert_eq!(value("http { map $http_origin $v { a b; } }", "c"), known(""));
    }

    #[test]
    fn a_value_may_hold_what_was_captured_and_other_maps() {
        let maps =
            r"http { map $http_origin $v { ~^https://([a-z]+)\.example$ $1-$w; } map $request_method $w { GET g; } }";
        assert_eq!(value(maps, "https://abc.example"), known("abc-g"));
    }

    #[test]
    fn what_only_a_running_nginx_knows_is_unknown() {
        assert_eq!(value("http { map $host $v { a b; } }", "c"), Value::Unknown);
        assert_eq!(
            value(r"http { map $http_origin $v { ~^(?!https) b; } }", "c"),
            Value::Unknown
        );
    }

    #[test]
    fn maps_in_a_circle_end() {
        let circle = "http { map $w $v { default $w; } map $v $w { default $v; } }";
        assert_eq!(value(circle, "c"), Value::Unknown);
    }
}
