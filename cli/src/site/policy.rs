//! The `cors_*` directives: what the module makes of them, and what `nginx -t` says.

use std::collections::HashMap;
use std::rc::Rc;

use cors_policy::{
    Block as PolicyBlock, Directive as PolicyDirective, Level, LiveList, Policy, Position, Problem, Problems, Scope,
    Syntax, UnusedDirectives,
};

use super::block::{BlockId, Kind};
use super::text::Text;
use super::whole::Site;
use crate::nginx::{Directive, Sources, Span};

/// The policy of a block.
#[derive(Clone, Debug)]
pub struct PolicyOf {
    pub policy: Rc<Policy>,
    /// The block has `cors_*` directives of its own.
    pub is_own: bool,
}

/// The policies of a configuration, and what is wrong with them.
#[derive(Debug, Default)]
pub struct Policies {
    of: Vec<Option<PolicyOf>>,
    pub problems: Vec<Problem>,
    /// Where directives stand, by the file and line that problems name.
    places: HashMap<(Rc<str>, usize), Span>,
}

/// Names that begin like those of this module, and are no part of a policy.
const OTHER_NAMES: [&str; 5] = [
    "cors_candidate",
    "cors_origin_list",
    "cors_status",
    "cors_test_panic",
    "cors_zone",
];

/// Whether the module has a directive of this name.
pub fn is_known(name: &str) -> bool {
    PolicyDirective::from_name(name.as_bytes()).is_some() || OTHER_NAMES.contains(&name)
}

impl Policies {
    pub fn of(&self, id: BlockId) -> Option<&PolicyOf> {
        self.of.get(id)?.as_ref()
    }

    /// The policy in force in a block, if CORS is on there.
    pub fn in_force(&self, id: BlockId) -> Option<&PolicyOf> {
        self.of(id).filter(|of| of.policy.is_on())
    }

    /// Where the directive stands that a problem is about.
    pub fn place(&self, at: &Position) -> Option<Span> {
        self.places.get(&(at.file.clone(), at.line)).copied()
    }

    pub fn read(site: &Site<'_>, sources: &Sources) -> Self {
        let mut reader = Reader {
            sources,
            names: HashMap::new(),
            syntax: NginxSyntax::default(),
            policies: Self::default(),
            unused: UnusedDirectives::default(),
            problems: Vec::new(),
        };
        reader.policies.of.resize_with(site.blocks.len(), || None);
        if let Some((http, _)) = site.of_kind(Kind::Http).next() {
            reader.block(site, http, &Scope::default());
        }
        let mut problems = reader.problems;
        problems.extend(reader.unused.finish());
        let mut shown = Problems::default();
        let mut policies = reader.policies;
        policies.problems = shown.collect(problems);
        policies.problems.extend(shown.finish());
        policies
    }
}

struct Reader<'s> {
    sources: &'s Sources,
    /// The names of files, as positions share them.
    names: HashMap<usize, Rc<str>>,
    syntax: NginxSyntax,
    policies: Policies,
    unused: UnusedDirectives,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn block(&mut self, site: &Site<'_>, id: BlockId, outer: &Scope) {
        let Some(block) = site.block(id) else { return };
        let mut level = Level::default();
        let mut candidate = None;
        for directive in block.directives {
            if directive.is("cors_candidate") {
                candidate = Some(self.candidate(directive));
            } else {
                self.directive(&mut level, directive);
            }
        }
        let is_own = level.position().is_some();
        let server_name = site.server_name(id).unwrap_or_default();
        let location = site.block(site.location_of(id)).and_then(|block| block.location());
        let named = match (block.kind, location) {
            (Kind::Http, _) => PolicyBlock::Http,
            (Kind::Server, _) => PolicyBlock::Server(server_name),
            (_, location) => PolicyBlock::Location(location.map_or("", |(_, path)| path)),
        };
        let (scope, found) = level.inherit(outer, named, &mut self.unused);
        self.problems.extend(found);
        if let Some(candidate) = candidate {
            let ignored = &mut UnusedDirectives::default();
            self.problems.extend(candidate.inherit(&scope, named, ignored).1);
        }
        if let Some(of) = self.policies.of.get_mut(id) {
            *of = Some(PolicyOf {
                policy: scope.policy().clone(),
                is_own,
            });
        }
        for (inner, _) in site.within(id) {
            self.block(site, inner, &scope);
        }
    }

    fn directive(&mut self, level: &mut Level, directive: &Directive) {
        let Some(name) = PolicyDirective::from_name(directive.name.value.as_bytes()) else {
            return;
        };
        let at = self.position(directive);
        let values: Vec<_> = directive.arguments.iter().map(|word| word.value.as_bytes()).collect();
        self.problems.extend(level.read(name, &values, &at, &mut self.syntax));
    }

    fn candidate(&mut self, directive: &Directive) -> Level {
        let mut level = Level::default();
        for line in directive.inner() {
            self.directive(&mut level, line);
        }
        level
    }

    fn position(&mut self, directive: &Directive) -> Position {
        let span = directive.head();
        let file = self
            .names
            .entry(span.file)
            .or_insert_with(|| self.sources.name(span.file).into());
        let at = Position {
            file: file.clone(),
            line: self.sources.line(span.file, span.start),
        };
        self.policies.places.entry((at.file.clone(), at.line)).or_insert(span);
        at
    }
}

/// nginx's notation of times and of texts with variables, and the lists that directives name.
#[derive(Debug, Default)]
pub struct NginxSyntax {
    texts: usize,
    lists: Vec<Rc<LiveList>>,
}

impl Syntax for NginxSyntax {
    fn time(&self, value: &[u8]) -> Option<u64> {
        seconds(std::str::from_utf8(value).ok()?)
    }

    fn variable(&mut self, text: &[u8]) -> Option<usize> {
        let text = Text::parse(std::str::from_utf8(text).ok()?);
        // A "$" without a name is an error of nginx.
        let has_dollar = text.parts().iter().any(|part| match part {
            super::text::Part::Literal(literal) => literal.contains('$'),
            super::text::Part::Variable(_) => false,
        });
        self.texts += 1;
        (!has_dollar).then_some(self.texts - 1)
    }

    fn live_list(&mut self, name: &str, _: PolicyDirective, _: &Position) -> Rc<LiveList> {
        if let Some(known) = self.lists.iter().find(|list| list.name() == name) {
            return known.clone();
        }
        let list = Rc::new(LiveList::new(self.lists.len(), name));
        self.lists.push(list.clone());
        list
    }
}

/// The units of `ngx_parse_time`, each once and in this order, with their seconds.
const UNITS: [(char, u64); 7] = [
    ('y', 31_536_000),
    ('M', 2_592_000),
    ('w', 604_800),
    ('d', 86_400),
    ('h', 3_600),
    ('m', 60),
    ('s', 1),
];

/// The seconds of a time as nginx writes it: `1h 30m`.
fn seconds(value: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = value;
    let mut units = &UNITS[..];
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let Some(unit) = behind.chars().next() else {
            return total.checked_add(number);
        };
        let place = units.iter().position(|(name, _)| *name == unit)?;
        let (_, seconds) = units.get(place)?;
        total = total.checked_add(number.checked_mul(*seconds)?)?;
        units = units.get(place + 1..)?;
        rest = behind.get(1..)?.trim_start_matches(' ');
        if rest.is_empty() {
            return Some(total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_nginx() {
        for (written, expected) in [
            ("2h", Some(7_200)),
            ("1h 30m", Some(5_400)),
            ("1d12h", Some(129_600)),
            ("600", Some(600)),
            ("1M", Some(2_592_000)),
            ("30m 1h", None),
            ("1h1h", None),
            ("h", None),
            ("", None),
            ("1 h", None),
            ("1x", None),
        ] {
            assert_eq!(seconds(written), expected, "{written}");
        }
    }

    fn told(text: &str) -> Vec<String> {
        let directives = crate::site::block::tests::directives(text);
        let mut sources = Sources::default();
        sources.add(std::path::Path::new("nginx.conf"), text.to_owned());
        let policies = Policies::read(&Site::build(&directives), &sources);
        policies.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn problems_are_those_of_the_module() {
        let told = told(
            "http { server { server_name a.example; location / { cors on;\ncors_allow_origin app.example.com; } } }",
        );
        assert_eq!(
            told,
            [
                r#""cors_allow_origin" has the value "app.example.com": the scheme is missing; write "https://app.example.com""#
            ]
        );
    }

    #[test]
    fn a_policy_is_judged_in_the_block_that_inherits_it() {
        let told = told(
            "http { cors_allow_origin *; server { server_name a.example; location /x { cors on; cors_allow_credentials on; } } }",
        );
        assert_eq!(told.len(), 1);
        assert!(told[0].ends_with(r#"(in location "/x")"#), "{told:?}");
    }

    #[test]
    fn a_candidate_is_judged_beside_the_policy_in_force() {
        let told = told(
            "http { server { cors on; cors_allow_origin https://a.example; cors_candidate { cors_max_age soon; } } }",
        );
        assert_eq!(told.len(), 1, "{told:?}");
    }
}
