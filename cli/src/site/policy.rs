//! The `cors_*` directives: what the module makes of them, and what `nginx -t` says.

use std::collections::HashMap;
use std::rc::Rc;

use cors_policy::{
    Block as PolicyBlock, Directive as PolicyDirective, Level, ListSource, LiveList, OriginListDirective, OriginLists,
    Policy, Position, Problem, Problems, Scope, Syntax, UnusedDirectives,
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
        problems.extend(reader.syntax.lists.problems());
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
            } else if directive.is("cors_origin_list") && block.kind == Kind::Http {
                self.origin_list(directive);
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

    fn origin_list(&mut self, directive: &Directive) {
        let at = self.position(directive);
        let values: Vec<_> = directive.arguments.iter().map(|word| word.value.as_bytes()).collect();
        let said = OriginListDirective::read(&values, &mut self.syntax);
        let lists = &mut self.syntax.lists;
        match said.and_then(|said| lists.check_new(said.name).map(|()| said)) {
            Ok(said) => {
                let source = ListSource {
                    file: said.file.into(),
                    key: said.key.map(|(text, _)| text.into()),
                };
                lists.give(said.name, source, &at, ());
            }
            Err(text) => {
                lists.note_error();
                self.problems.push(Problem::error(&at, text));
            }
        }
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

/// nginx's notation of values, and the lists that directives name.
#[derive(Debug, Default)]
pub struct NginxSyntax {
    texts: usize,
    lists: OriginLists<()>,
}

impl Syntax for NginxSyntax {
    fn time(&self, value: &[u8]) -> Option<u64> {
        Some(time(value, UNITS_OF_SECONDS)? / 1000)
    }

    fn milliseconds(&self, value: &[u8]) -> Option<usize> {
        usize::try_from(time(value, UNITS_OF_MILLISECONDS)?).ok()
    }

    fn size(&self, value: &[u8]) -> Option<usize> {
        let (number, unit) = match value {
            [number @ .., b'k' | b'K'] => (number, 1 << 10),
            [number @ .., b'm' | b'M'] => (number, 1 << 20),
            number => (number, 1),
        };
        let number: usize = std::str::from_utf8(number).ok()?.parse().ok()?;
        number.checked_mul(unit)
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

    fn live_list(&mut self, name: &str, directive: PolicyDirective, at: &Position) -> Rc<LiveList> {
        self.lists.name(name, directive, at)
    }
}

/// The units of `ngx_parse_time`, each once and in this order, with their milliseconds.
const UNITS: [(&str, u64); 8] = [
    ("y", 31_536_000_000),
    ("M", 2_592_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Those of times that are to be seconds, without `ms`, and of times that are to be milliseconds, without years and months.
const UNITS_OF_SECONDS: &[(&str, u64)] = UNITS.split_at(UNITS.len() - 1).0;
const UNITS_OF_MILLISECONDS: &[(&str, u64)] = UNITS.split_at(2).1;

/// The milliseconds of a time as nginx writes it: `1h 30m`. A number without a unit is seconds.
fn time(value: &[u8], mut units: &[(&str, u64)]) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = std::str::from_utf8(value).ok()?;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        if behind.is_empty() {
            return total.checked_add(number.checked_mul(1000)?);
        }
        // "ms" begins like "m".
        let is_unit = |(name, _): &(&str, u64)| behind.starts_with(name) && (*name != "m" || !behind.starts_with("ms"));
        let place = units.iter().position(is_unit)?;
        let (name, milliseconds) = units.get(place)?;
        total = total.checked_add(number.checked_mul(*milliseconds)?)?;
        units = units.get(place + 1..)?;
        rest = behind.strip_prefix(name)?.trim_start_matches(' ');
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
            ("500ms", None),
        ] {
            let syntax = NginxSyntax::default();
            assert_eq!(syntax.time(written.as_bytes()), expected, "{written}");
        }
        for (written, expected) in [
            ("500ms", Some(500)),
            ("1s", Some(1_000)),
            ("1", Some(1_000)),
            ("1m 1ms", Some(60_001)),
            ("1M", None),
        ] {
            let syntax = NginxSyntax::default();
            assert_eq!(syntax.milliseconds(written.as_bytes()), expected, "{written}");
        }
    }

    #[test]
    fn a_list_that_there_is_not_is_told_as_nginx_tells_it() {
        let there_is = "http { cors_origin_list tenants tenants.txt; server { cors on; cors_allow_origin @tenants; } }";
        assert_eq!(told(there_is), [""; 0]);
        let other = "http { cors_origin_list tenants tenants.txt; server { cors on; cors_allow_origin @tennants; } }";
        assert_eq!(
            told(other),
            ["\"cors_allow_origin\" has the value \"@tennants\": there is no such list; write \"@tenants\", or give it a \
              \"cors_origin_list\" in http"]
        );
        assert_eq!(
            told("http { cors_origin_list @tenants tenants.txt; server { cors on; cors_allow_origin @tenants; } }"),
            ["\"cors_origin_list\" has the value \"@tenants\": \"@\" begins the name where a list is used; write \"tenants\""]
        );
        assert_eq!(told("http { cors_origin_list a a.txt size=1k; }").len(), 1);
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
