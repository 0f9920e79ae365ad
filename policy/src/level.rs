//! What the directives of one level (`http`, a `server`, a `location`, an `if`) say, and what it inherits.

use std::fmt::{self, Display};
use std::rc::Rc;

use crate::credentials::AllowCredentials;
use crate::directive::Directive;
use crate::doubts::{Doubts, MOST_TOLD};
use crate::expose::ExposeHeaders;
use crate::headers::AllowHeaders;
use crate::max_age::MaxAge;
use crate::methods::AllowMethods;
use crate::origin::{AllowedOrigin, OriginSet};
use crate::policy::Policy;
use crate::problem::{shown, Position, Problem, Severity};
use crate::rules::{AllowOrigin, Cors, Rules, UnsafeOptions};
use crate::settings::{Enforce, LogLevel, PreflightMode, Word};
use crate::unused::{DirectiveId, UnusedDirectives};

/// What a server's notation means.
pub trait Syntax {
    /// The seconds of a time such as `2h`.
    fn time(&self, value: &[u8]) -> Option<u64>;

    /// Keeps a text with variables for the time of requests, and numbers it.
    fn variable(&mut self, text: &[u8]) -> Option<usize>;
}

/// A block of the configuration, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block<'a> {
    /// `http`
    Http,
    /// `server`
    Server(&'a str),
    /// `location`, or an `if` or `limit_except` in it
    Location(&'a str),
}

impl Display for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http => f.write_str("in http"),
            Self::Server("") => f.write_str("in server"),
            Self::Server(name) => write!(f, "in server \"{name}\""),
            Self::Location(name) => write!(f, "in location \"{name}\""),
        }
    }
}

/// What was given, and where.
#[derive(Debug)]
struct Given<T> {
    value: T,
    at: Position,
}

/// A list of origins, and what is dangerous in it.
#[derive(Debug, Default)]
struct Origins<T> {
    list: T,
    doubts: Doubts,
}

/// The directives of one level, as they were read.
#[derive(Debug, Default)]
pub struct Level {
    says_something: bool,
    cors: Option<Given<bool>>,
    allow_origin: Option<Given<Origins<AllowOrigin>>>,
    allow_methods: Option<Given<AllowMethods>>,
    allow_headers: Option<Given<AllowHeaders>>,
    expose_headers: Option<Given<ExposeHeaders>>,
    allow_credentials: Option<Given<Origins<AllowCredentials>>>,
    max_age: Option<Given<Option<MaxAge>>>,
    preflight_status: Option<Given<u16>>,
    preflight: Option<Given<PreflightMode>>,
    overrides: Option<Given<bool>>,
    enforce: Option<Given<Enforce>>,
    dry_run: Option<Given<bool>>,
    log_level: Option<Given<LogLevel>>,
    timing_allow_origin: Option<Given<bool>>,
    allow_private_network: Option<Given<bool>>,
    unsafe_options: Option<Given<UnsafeOptions>>,
}

/// A level with everything that it inherits.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    policy: Rc<Policy>,
    origin_doubts: Rc<Doubts>,
    credential_doubts: Rc<Doubts>,
    credentials_at: Option<Position>,
    cors: Option<DirectiveId>,
    /// The lists in force, each in a place of its own.
    lists: [Option<DirectiveId>; 5],
}

impl Scope {
    /// The compiled policy.
    pub fn policy(&self) -> &Rc<Policy> {
        &self.policy
    }
}

/// Collects what is wrong with one directive.
struct Report<'a> {
    directive: Directive,
    at: &'a Position,
    problems: Vec<Problem>,
}

impl Report<'_> {
    fn value(&mut self, severity: Severity, value: &[u8], why: impl Display) {
        let name = self.directive.name();
        let text = format!("\"{name}\" has the value \"{}\": {why}", shown(value));
        self.problems.push(Problem::new(severity, self.at, text));
    }

    fn error(&mut self, value: &[u8], why: impl Display) {
        self.value(Severity::Error, value, why);
    }

    fn warning(&mut self, value: &[u8], why: impl Display) {
        self.value(Severity::Warning, value, why);
    }

    /// Takes the outcome of adding one value to a list.
    fn added<W: Display, E: Display>(&mut self, value: &[u8], outcome: Result<Option<W>, E>) {
        match outcome {
            Ok(None) => {}
            Ok(Some(warning)) => self.warning(value, warning),
            Err(error) => self.error(value, error),
        }
    }
}

impl Level {
    /// Takes in one directive with its values.
    pub fn read(
        &mut self,
        directive: Directive,
        values: &[&[u8]],
        at: &Position,
        syntax: &mut impl Syntax,
    ) -> Vec<Problem> {
        let mut report = Report {
            directive,
            at,
            problems: Vec::new(),
        };
        self.says_something = true;
        if self.refuses(directive, values, &mut report) {
            return report.problems;
        }
        match directive {
            // A bad value is reported; what follows is read as if CORS were on, so that it is checked too.
            Directive::Cors => self.cors = Some(given(word(values, &mut report).unwrap_or(true), at)),
            Directive::AllowOrigin => self.read_origins(values, at, syntax, &mut report),
            Directive::AllowMethods => {
                let list = &mut given_list(&mut self.allow_methods, at, AllowMethods::empty).value;
                each(values, &mut report, |value, report| {
                    report.added(value.as_bytes(), list.add(value))
                });
            }
            Directive::AllowHeaders => {
                let list = &mut given_list(&mut self.allow_headers, at, AllowHeaders::default).value;
                each(values, &mut report, |value, report| {
                    report.added(value.as_bytes(), list.add(value))
                });
            }
            Directive::ExposeHeaders => {
                let list = &mut given_list(&mut self.expose_headers, at, ExposeHeaders::default).value;
                each(values, &mut report, |value, report| {
                    report.added(value.as_bytes(), list.add(value))
                });
            }
            Directive::AllowCredentials => self.read_credentials(values, at, &mut report),
            Directive::MaxAge => {
                let value = one(values, &mut report, |value| match value {
                    b"off" => Ok(None),
                    _ => syntax
                        .time(value)
                        .map(Some)
                        .ok_or("it is no time; write a number with a unit, such as \"2h\", or \"off\""),
                });
                let age = value.flatten().map(MaxAge::new);
                if let Some((_, Some(warning))) = &age {
                    report.warning(values.first().copied().unwrap_or_default(), warning);
                }
                self.max_age = Some(given(age.map(|(age, _)| age), at));
            }
            Directive::PreflightStatus => {
                let value = one(values, &mut report, |value| {
                    std::str::from_utf8(value)
                        .ok()
                        .filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()))
                        .and_then(|value| value.parse().ok())
                        .filter(|status| (200..300).contains(status))
                        .ok_or("browsers take an answer for a success only with a status from 200 to 299; write \"204\" or \"200\"")
                });
                self.preflight_status = Some(given(value.unwrap_or(204), at));
            }
            Directive::Preflight => choose(&mut self.preflight, values, &mut report),
            Directive::Override => choose(&mut self.overrides, values, &mut report),
            Directive::Enforce => choose(&mut self.enforce, values, &mut report),
            Directive::DryRun => choose(&mut self.dry_run, values, &mut report),
            Directive::LogLevel => choose(&mut self.log_level, values, &mut report),
            Directive::TimingAllowOrigin => choose(&mut self.timing_allow_origin, values, &mut report),
            Directive::AllowPrivateNetwork => choose(&mut self.allow_private_network, values, &mut report),
            Directive::Unsafe => {
                let options = &mut given_list(&mut self.unsafe_options, at, UnsafeOptions::default).value;
                each(values, &mut report, |value, report| match value {
                    "any_origin_credentials" => options.any_origin_credentials = true,
                    "insecure_origins" => options.insecure_origins = true,
                    "null_origin" => options.null_origin = true,
                    "public_suffixes" => options.public_suffixes = true,
                    "broad_regex" => options.broad_regex = true,
                    _ => report.error(
                        value.as_bytes(),
                        format_args!("there is no such option; write {}", directive.takes()),
                    ),
                });
            }
        }
        report.problems
    }

    /// Whether the directive is given without a value or for the second time.
    fn refuses(&self, directive: Directive, values: &[&[u8]], report: &mut Report<'_>) -> bool {
        let name = directive.name();
        let refuse = |report: &mut Report<'_>, text: String| {
            report.problems.push(Problem::new(Severity::Error, report.at, text));
            true
        };
        if values.is_empty() {
            return refuse(report, format!("\"{name}\" has no value; write {}", directive.takes()));
        }
        fn at<T>(given: &Option<Given<T>>) -> Option<&Position> {
            given.as_ref().map(|given| &given.at)
        }
        let first = match directive {
            Directive::Cors => at(&self.cors),
            // Lists of origins add up.
            Directive::AllowCredentials => at(&self.allow_credentials)
                .filter(|_| values.iter().any(|value| matches!(*value, b"on" | b"off")) || !self.trusts_a_list()),
            Directive::MaxAge => at(&self.max_age),
            Directive::PreflightStatus => at(&self.preflight_status),
            Directive::Preflight => at(&self.preflight),
            Directive::Override => at(&self.overrides),
            Directive::Enforce => at(&self.enforce),
            Directive::DryRun => at(&self.dry_run),
            Directive::LogLevel => at(&self.log_level),
            Directive::TimingAllowOrigin => at(&self.timing_allow_origin),
            Directive::AllowPrivateNetwork => at(&self.allow_private_network),
            Directive::AllowOrigin
            | Directive::AllowMethods
            | Directive::AllowHeaders
            | Directive::ExposeHeaders
            | Directive::Unsafe => None,
        };
        match first {
            None => false,
            Some(first) => {
                let text = format!("\"{name}\" directive is duplicate: it stands at {first} already; remove one");
                refuse(report, text)
            }
        }
    }

    fn read_origins(&mut self, values: &[&[u8]], at: &Position, syntax: &mut impl Syntax, report: &mut Report<'_>) {
        const BESIDE: &str =
            "\"*\" admits every origin and cannot stand beside others; remove the others, or the \"*\"";
        let Origins { list, doubts } = &mut given_list(&mut self.allow_origin, at, Origins::default).value;
        each(values, report, |value, report| {
            if matches!(list, AllowOrigin::Nobody) && value != "*" {
                *list = AllowOrigin::Listed {
                    set: OriginSet::default(),
                    variables: Vec::new(),
                };
            }
            match list {
                AllowOrigin::Any if value == "*" => {
                    report.warning(value.as_bytes(), "it is listed already; remove one");
                }
                AllowOrigin::Any => report.error(value.as_bytes(), BESIDE),
                AllowOrigin::Listed { .. } if value == "*" => report.error(value.as_bytes(), BESIDE),
                AllowOrigin::Nobody => {
                    *list = AllowOrigin::Any;
                    doubts.note(&AllowedOrigin::Any, value, at);
                }
                AllowOrigin::Listed { variables, .. } if value.contains('$') && !value.starts_with('~') => {
                    match syntax.variable(value.as_bytes()) {
                        Some(variable) => {
                            variables.push(variable);
                            if matches!(value, "$http_origin" | "${http_origin}") {
                                // It lists whoever asks.
                                doubts.note(&AllowedOrigin::Any, value, at);
                            }
                        }
                        None => report.error(value.as_bytes(), "it is no text with variables; write \"$name\""),
                    }
                }
                AllowOrigin::Listed { set, .. } => match AllowedOrigin::parse(value) {
                    Ok(origin) => {
                        doubts.note(&origin, value, at);
                        insert(set, origin, value, report);
                    }
                    Err(error) => report.error(value.as_bytes(), error),
                },
            }
        });
    }

    fn trusts_a_list(&self) -> bool {
        let given = self.allow_credentials.as_ref();
        given.is_some_and(|given| matches!(given.value.list, AllowCredentials::For(_)))
    }

    fn read_credentials(&mut self, values: &[&[u8]], at: &Position, report: &mut Report<'_>) {
        let (earlier, mut doubts) = match self.allow_credentials.take() {
            Some(Given { value, .. }) => (Some(value.list), value.doubts),
            None => (None, Doubts::default()),
        };
        let list = match values {
            [b"on"] => AllowCredentials::On,
            [b"off"] => AllowCredentials::Off,
            _ => {
                let mut set = match earlier {
                    Some(AllowCredentials::For(set)) => set,
                    _ => OriginSet::default(),
                };
                each(values, report, |value, report| {
                    match AllowedOrigin::parse(value) {
                    _ if matches!(value, "on" | "off") => {
                        report.error(value.as_bytes(), "it cannot stand beside origins; remove it, or the origins");
                    }
                    _ if value.contains('$') && !value.starts_with('~') => report.error(
                        value.as_bytes(),
                        "variables are evaluated in \"cors_allow_origin\" alone; write \"on\", or list origins",
                    ),
                    Ok(AllowedOrigin::Any) => report.error(
                        value.as_bytes(),
                        "\"*\" would hand every site the user's credentials; write \"on\" for the origins of cors_allow_origin, or list origins",
                    ),
                    Ok(origin) => {
                        doubts.note(&origin, value, at);
                        insert(&mut set, origin, value, report);
                    }
                    Err(error) => report.error(value.as_bytes(), format_args!("{error}, or write \"on\" or \"off\"")),
                }
                });
                AllowCredentials::For(set)
            }
        };
        self.allow_credentials = Some(given(Origins { list, doubts }, at));
    }

    /// Makes the policy of this level, which is that of `block`, from what it says and what `outer` says.
    pub fn inherit(self, outer: &Scope, block: Block<'_>, unused: &mut UnusedDirectives) -> (Scope, Vec<Problem>) {
        if !self.says_something {
            // What `http` says is looked at where a server inherits it.
            let problems = match block {
                Block::Server(_) => outer.take_effect(&outer.policy, block, unused),
                Block::Http | Block::Location(_) => Vec::new(),
            };
            return (outer.clone(), unused.untold(problems));
        }
        let mut problems = Vec::new();
        let mut scope = outer.clone();
        let mut rules: Rules = outer.policy.rules().clone();
        if let Some(Given { value, at }) = self.cors {
            rules.cors = match block {
                Block::Http | Block::Server(_) if !value => Cors::Off,
                Block::Location(_) if !value => Cors::OffHere,
                _ => Cors::On,
            };
            scope.cors = value.then(|| unused.add(Directive::Cors, &at));
        }
        let mut lists = scope.lists;
        let [origin_list, credential_list, method_list, header_list, expose_list] = &mut lists;
        if let Some(Given { value, at }) = self.allow_origin {
            let Origins { mut list, doubts } = value;
            if let AllowOrigin::Listed { set, .. } = &mut list {
                complete(set, Directive::AllowOrigin, &at, &mut problems);
            }
            rules.allow_origin = Rc::new(list);
            scope.origin_doubts = Rc::new(doubts);
            *origin_list = Some(unused.add(Directive::AllowOrigin, &at));
        }
        if let Some(Given { value, at }) = self.allow_credentials {
            let Origins { mut list, doubts } = value;
            *credential_list = None;
            if let AllowCredentials::For(set) = &mut list {
                *credential_list = Some(unused.add(Directive::AllowCredentials, &at));
                complete(set, Directive::AllowCredentials, &at, &mut problems);
            }
            rules.allow_credentials = Rc::new(list);
            scope.credential_doubts = Rc::new(doubts);
            scope.credentials_at = Some(at);
        }
        if let Some(Given { value, at }) = self.allow_methods {
            rules.allow_methods = Rc::new(value);
            *method_list = Some(unused.add(Directive::AllowMethods, &at));
        }
        if let Some(Given { value, at }) = self.allow_headers {
            rules.allow_headers = Rc::new(value);
            *header_list = Some(unused.add(Directive::AllowHeaders, &at));
        }
        if let Some(Given { value, at }) = self.expose_headers {
            rules.expose_headers = Rc::new(value);
            *expose_list = Some(unused.add(Directive::ExposeHeaders, &at));
        }
        scope.lists = lists;
        if let (Block::Location(_), Some(Given { value, at })) = (block, &self.preflight) {
            problems.extend(too_late(*value, at));
        }
        take(&mut rules.max_age, self.max_age);
        take(&mut rules.preflight_status, self.preflight_status);
        take(&mut rules.preflight, self.preflight);
        take(&mut rules.overrides, self.overrides);
        take(&mut rules.enforce, self.enforce);
        take(&mut rules.dry_run, self.dry_run);
        take(&mut rules.log_level, self.log_level);
        take(&mut rules.timing_allow_origin, self.timing_allow_origin);
        take(&mut rules.allow_private_network, self.allow_private_network);
        take(&mut rules.unsafe_options, self.unsafe_options);
        let policy = Policy::new(rules);
        if block != Block::Http {
            problems.extend(scope.take_effect(&policy, block, unused));
        }
        scope.policy = Rc::new(policy);
        (scope, unused.untold(problems))
    }
}

impl Scope {
    /// Counts what has an effect in `block`, and finds what is wrong with it.
    fn take_effect(&self, policy: &Policy, block: Block<'_>, unused: &mut UnusedDirectives) -> Vec<Problem> {
        if !policy.is_on() {
            return Vec::new();
        }
        self.lists
            .iter()
            .flatten()
            .for_each(|list| unused.mark_in_force(*list, true));
        if let Some(cors) = self.cors {
            unused.mark_in_force(cors, !matches!(*policy.rules().allow_origin, AllowOrigin::Nobody));
        }
        self.check(policy, block)
    }

    /// What is wrong only once everything is put together.
    fn check(&self, policy: &Policy, block: Block<'_>) -> Vec<Problem> {
        let with_credentials = matches!(*policy.rules().allow_credentials, AllowCredentials::On);
        let lists = [
            (Directive::AllowOrigin, &self.origin_doubts, with_credentials),
            (Directive::AllowCredentials, &self.credential_doubts, true),
        ];
        let mut problems = Vec::new();
        for (directive, doubts, with_credentials) in lists {
            for objection in doubts.objections(policy.rules().unsafe_options) {
                if objection.needs_credentials && !with_credentials {
                    continue;
                }
                let beside = match (&self.credentials_at, directive) {
                    (Some(at), Directive::AllowOrigin) if objection.needs_credentials => {
                        format!(" beside \"cors_allow_credentials\" at {at}")
                    }
                    _ => String::new(),
                };
                let mut text = format!(
                    "\"{}\" has the value \"{}\"{beside}: {}",
                    directive.name(),
                    shown(objection.value.as_bytes()),
                    objection.why,
                );
                text.push_str(&and_more(objection.more));
                problems.push(Problem::new(Severity::Error, objection.at, text).in_place(&block.to_string()));
            }
        }
        problems
    }
}

/// Makes a list ready, and warns about members that add nothing.
fn complete(set: &mut OriginSet, directive: Directive, at: &Position, problems: &mut Vec<Problem>) {
    if let Err(error) = set.complete() {
        let text = format!(
            "\"{}\" has too many or too large regular expressions: {error}; use patterns",
            directive.name()
        );
        problems.push(Problem::new(Severity::Error, at, text));
    }
    let mut covered: Vec<_> = set.covered().collect();
    covered.sort_by(|(_, one, _), (_, other, _)| one.cmp(other));
    let more = covered.len().saturating_sub(MOST_TOLD);
    for (number, (member, place, pattern)) in covered.iter().take(MOST_TOLD).enumerate() {
        let text = format!(
            "\"{}\" has the value \"{}\": \"{pattern}\" covers it; remove one{}",
            directive.name(),
            shown(member.as_bytes()),
            and_more(if number + 1 == MOST_TOLD { more } else { 0 }),
        );
        problems.push(Problem::new(Severity::Warning, place.as_ref().unwrap_or(at), text));
    }
}

/// What a message adds where it is the last of many.
fn and_more(number: usize) -> String {
    match number {
        0 => String::new(),
        _ => format!(" (so it is with {number} more values of this list)"),
    }
}

/// What a location says when there is one has no part in what was answered before.
fn too_late(mode: PreflightMode, at: &Position) -> Option<Problem> {
    let text = "\"cors_preflight\" has the value \"early\": it works in a server alone, since nginx has not chosen a location by then, and is \"answer\" here; write it in the server, or write \"answer\"";
    (mode == PreflightMode::Early).then(|| Problem::new(Severity::Warning, at, text.to_owned()))
}

fn given<T>(value: T, at: &Position) -> Given<T> {
    Given { value, at: at.clone() }
}

/// The list that this and further lines of a directive add to.
fn given_list<'a, T>(slot: &'a mut Option<Given<T>>, at: &Position, empty: impl FnOnce() -> T) -> &'a mut Given<T> {
    slot.get_or_insert_with(|| given(empty(), at))
}

fn take<T>(inherited: &mut T, own: Option<Given<T>>) {
    if let Some(own) = own {
        *inherited = own.value;
    }
}

fn insert(set: &mut OriginSet, origin: AllowedOrigin, value: &str, report: &mut Report<'_>) {
    match set.insert(origin, report.at) {
        Ok(true) => {}
        Ok(false) => report.warning(value.as_bytes(), "it is listed already; remove one"),
        Err(_) => report.error(value.as_bytes(), "the list holds 4 GiB already; use patterns"),
    }
}

fn each(values: &[&[u8]], report: &mut Report<'_>, mut add: impl FnMut(&str, &mut Report<'_>)) {
    for value in values {
        match std::str::from_utf8(value) {
            Ok(value) => add(value, report),
            Err(_) => report.error(value, "it is no UTF-8; save the configuration as UTF-8"),
        }
    }
}

/// Reads the value of a directive that takes one.
fn one<T, E: Display>(
    values: &[&[u8]],
    report: &mut Report<'_>,
    parse: impl FnOnce(&[u8]) -> Result<T, E>,
) -> Option<T> {
    let [value] = values else {
        let takes = report.directive.takes();
        report.error(&values.join(&b' '), format_args!("it takes one value; write {takes}"));
        return None;
    };
    parse(value).map_err(|why| report.error(value, why)).ok()
}

/// Reads the value of a directive that takes one of a few words.
fn word<T: Word>(values: &[&[u8]], report: &mut Report<'_>) -> Option<T> {
    let takes = report.directive.takes();
    one(values, report, |value| {
        let found = T::WORDS.iter().find(|(word, _)| word.as_bytes() == value);
        found
            .map(|(_, meaning)| *meaning)
            .ok_or(format!("there is no such value; write {takes}"))
    })
}

fn choose<T: Word>(slot: &mut Option<Given<T>>, values: &[&[u8]], report: &mut Report<'_>) {
    *slot = word(values, report).map(|value| given(value, report.at));
}
