//! What the tests share: configurations as text, requests, and responses as they are sent.
#![allow(dead_code)] // each user needs a part of it

use std::cell::RefCell;
use std::rc::Rc;

use cors_policy::{
    Block, Context, Decision, Directive, IgnoredValue, Level, ListRisks, ListSource, LiveList, Policy, Position,
    Problem, Problems, Scope, Severity, Syntax, Target, UnusedDirectives, Value,
};

/// Times and variables as nginx writes them, as far as the tests need them.
#[derive(Default)]
pub struct Notation {
    /// The texts with variables, each at its number.
    pub variables: Vec<String>,
    /// The lists that change while the server runs, each at its number. They are in files of their names.
    pub lists: Vec<Rc<LiveList>>,
}

impl Syntax for Notation {
    fn time(&self, value: &[u8]) -> Option<u64> {
        let value = std::str::from_utf8(value).ok()?;
        let (number, unit) = match value.char_indices().last()? {
            (end, 's') => (value.get(..end)?, 1),
            (end, 'm') => (value.get(..end)?, 60),
            (end, 'h') => (value.get(..end)?, 3_600),
            (end, 'd') => (value.get(..end)?, 86_400),
            _ => (value, 1),
        };
        number.parse::<u64>().ok()?.checked_mul(unit)
    }

    fn milliseconds(&self, value: &[u8]) -> Option<usize> {
        let value = std::str::from_utf8(value).ok()?;
        match value.strip_suffix("ms") {
            Some(number) => number.parse().ok(),
            None => usize::try_from(self.time(value.as_bytes())?).ok()?.checked_mul(1000),
        }
    }

    fn size(&self, value: &[u8]) -> Option<usize> {
        let value = std::str::from_utf8(value).ok()?;
        match value.strip_suffix(['k', 'K']) {
            Some(number) => number.parse::<usize>().ok()?.checked_mul(1024),
            None => value.parse().ok(),
        }
    }

    fn variable(&mut self, text: &[u8]) -> Option<usize> {
        let text = std::str::from_utf8(text).ok().filter(|text| !text.ends_with('$'))?;
        self.variables.push(text.to_owned());
        Some(self.variables.len() - 1)
    }

    fn live_list(&mut self, name: &str, _: Directive, _: &Position) -> Rc<LiveList> {
        let known = self.lists.iter().find(|list| list.name() == name);
        known.cloned().unwrap_or_else(|| {
            let list = Rc::new(LiveList::new(self.lists.len(), name));
            list.set_source(ListSource {
                file: format!("/lists/{name}").into(),
                key: name.starts_with("keyed").then(|| "$host".into()),
            });
            self.lists.push(list.clone());
            list
        })
    }
}

/// A configuration that was read.
pub struct Configuration {
    /// What is shown of all that was wrong, in that order.
    pub problems: Vec<Problem>,
    /// The levels by what opens them; `http` is the outermost.
    scopes: Vec<(String, Scope)>,
}

/// One block of a configuration, with the blocks in it.
struct Node {
    opened_by: String,
    level: Level,
    inner: Vec<Node>,
}

impl Node {
    fn new(opened_by: &str) -> Self {
        Self {
            opened_by: opened_by.to_owned(),
            level: Level::default(),
            inner: Vec::new(),
        }
    }
}

impl Configuration {
    /// Reads the inside of an `http` block in the file `nginx.conf`: on each line a directive, what opens a block, or
    /// what closes it.
    pub fn read(text: &str) -> Self {
        let mut notation = Notation::default();
        let mut problems = Vec::new();
        let mut open = vec![Node::new("http")];
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_matches(' ');
            if line == "}" {
                let closed = open.pop().unwrap();
                open.last_mut().unwrap().inner.push(closed);
            } else if let Some(opened_by) = line.strip_suffix(" {") {
                open.push(Node::new(opened_by));
            } else if let Some(directive) = line.strip_suffix(';') {
                let level = &mut open.last_mut().unwrap().level;
                problems.extend(read_line(level, directive, &position(index + 1), &mut notation));
            } else {
                assert!(line.is_empty(), "{line}");
            }
        }
        assert_eq!(open.len(), 1, "a block is not closed");

        let mut unused = UnusedDirectives::default();
        let mut scopes = Vec::new();
        inherit(
            open.remove(0),
            &Scope::default(),
            &mut unused,
            &mut scopes,
            &mut problems,
        );
        problems.extend(unused.finish());
        let mut all = Problems::default();
        let mut problems = all.collect(problems);
        problems.extend(all.finish());
        Self { problems, scopes }
    }

    /// What the operator is told.
    pub fn told(&self) -> Vec<String> {
        self.problems.iter().map(rendered).collect()
    }

    /// The policy of the block that `opened_by` opens.
    pub fn policy(&self, opened_by: &str) -> &Rc<Policy> {
        let (_, scope) = self.scopes.iter().find(|(name, _)| name == opened_by).unwrap();
        scope.policy()
    }
}

/// nginx merges outer levels before inner ones.
fn inherit(
    node: Node,
    outer: &Scope,
    unused: &mut UnusedDirectives,
    scopes: &mut Vec<(String, Scope)>,
    problems: &mut Vec<Problem>,
) {
    let block = match node.opened_by.split_once(' ') {
        Some(("server", name)) => Block::Server(name),
        Some(("location", name)) => Block::Location(name),
        _ => Block::Http,
    };
    let (scope, found) = node.level.inherit(outer, block, unused);
    problems.extend(found);
    // What `http` says takes effect in a server; where none is written, there is one that says nothing.
    let has_server = node.inner.iter().any(|inner| inner.opened_by.starts_with("server"));
    let scope = if block == Block::Http && !has_server {
        let (scope, found) = Level::default().inherit(&scope, Block::Server(""), unused);
        problems.extend(found);
        scope
    } else {
        scope
    };
    for inner in node.inner {
        inherit(inner, &scope, unused, scopes, problems);
    }
    scopes.push((node.opened_by, scope));
}

/// Reads a directive with its values: words, or texts between quotes.
pub fn read_line(level: &mut Level, line: &str, at: &Position, notation: &mut Notation) -> Vec<Problem> {
    let (name, mut rest) = line.split_once(' ').unwrap_or((line, ""));
    let mut values = Vec::new();
    while !rest.is_empty() {
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap(),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        values.push(value.as_bytes());
        rest = after.trim_start_matches(' ');
    }
    let directive = Directive::from_name(name.as_bytes()).unwrap();
    level.read(directive, &values, at, notation)
}

pub fn position(line: usize) -> Position {
    Position {
        file: "nginx.conf".into(),
        line,
    }
}

/// A problem as nginx logs it.
pub fn rendered(problem: &Problem) -> String {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    format!("{severity}: {problem} in {}", problem.at)
}

/// What is told of a configuration.
pub fn told(text: &str) -> Vec<String> {
    Configuration::read(text).told()
}

/// The policy of a configuration that is not refused.
pub fn policy(text: &str) -> Rc<Policy> {
    let configuration = Configuration::read(text);
    let refused = configuration
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    assert!(!refused, "{:#?}", configuration.told());
    Rc::clone(configuration.policy("http"))
}

/// A request's surroundings.
pub struct Surroundings<'r> {
    pub target: Target<'r>,
    /// The values of the variables, each at its number.
    pub variables: &'r [&'r [u8]],
    /// The entries of lists that change while the server runs: the number of the list, an origin and its risks.
    pub listed: &'r [(usize, &'r [u8], ListRisks)],
    /// What the variables held that could not be used, and why.
    pub ignored: RefCell<Vec<(usize, String)>>,
}

impl<'r> Surroundings<'r> {
    pub fn with_variables(variables: &'r [&'r [u8]]) -> Self {
        Self {
            target: Target {
                secure: true,
                authority: b"api.example",
            },
            variables,
            listed: &[],
            ignored: RefCell::default(),
        }
    }

    pub fn with_listed(listed: &'r [(usize, &'r [u8], ListRisks)]) -> Self {
        Self {
            listed,
            ..Self::with_variables(&[])
        }
    }
}

impl<'r> Context<'r> for Surroundings<'r> {
    fn authority(&self) -> &'r [u8] {
        self.target.authority
    }

    fn is_secure(&self) -> bool {
        self.target.secure
    }

    fn variable(&self, number: usize) -> &'r [u8] {
        self.variables.get(number).copied().unwrap_or_default()
    }

    fn list_admits(&self, number: usize, origin: &[u8], ignored: ListRisks) -> bool {
        let mut entries = self.listed.iter();
        entries.any(|(list, entry, risks)| (*list, *entry) == (number, origin) && !risks.intersects(ignored))
    }

    fn ignored_value(&self, number: usize, ignored: IgnoredValue<'_>) {
        let text = format!("{}: {ignored}", ignored.shown());
        self.ignored.borrow_mut().push((number, text));
    }
}

/// The header lines of the response, with the lines of the request's `Access-Control-Request-Headers` and the names of
/// the headers that the response carries already. A header without a value is not sent, and `Vary` comes last.
pub fn sent(
    policy: &Policy,
    decision: &Decision<'_>,
    requested: &[&[u8]],
    carried: &[&[u8]],
) -> Vec<(&'static str, String)> {
    let headers = policy.response_headers(decision.response_kind()).unwrap();
    let preflight = decision.preflight();
    let mut lines: Vec<_> = headers
        .lines()
        .map(|(name, value)| {
            let value = match value {
                Value::Bytes(bytes) => bytes.to_vec(),
                Value::Origin => decision.allowed_origin().unwrap().to_vec(),
                Value::Method => preflight.unwrap().method.to_vec(),
                Value::PrivateNetwork if preflight.unwrap().private_network => b"true".to_vec(),
                Value::PrivateNetwork => Vec::new(),
                Value::FromRequest => {
                    let requested = requested.iter().copied();
                    policy.echoed_headers(requested).collect::<Vec<_>>().join(&b", "[..])
                }
                Value::FromResponse => {
                    let carried = carried.iter().copied();
                    policy.exposed_headers(carried).collect::<Vec<_>>().join(&b", "[..])
                }
            };
            (name.as_str(), String::from_utf8(value).unwrap())
        })
        .filter(|(_, value)| !value.is_empty())
        .collect();
    if !headers.vary().is_empty() {
        lines.push(("Vary", headers.vary().names().collect::<Vec<_>>().join(", ")));
    }
    lines
}
