//! What the directives of one level (`http`, a `server`, a `location`, an `if`) say, and what it inherits.

use std::fmt::{self, Display};
use std::rc::Rc;

use crate::census::{Census, Ticket};
use crate::credentials::AllowCredentials;
use crate::directive::Directive;
use crate::expose::ExposeHeaders;
use crate::headers::AllowHeaders;
use crate::max_age::MaxAge;
use crate::methods::AllowMethods;
use crate::origin::{AllowedOrigin, OriginSet};
use crate::policy::{AllowOrigin, Cors, Policy, UnsafeOptions};
use crate::problem::{shown, Position, Problem, Severity};
use crate::risks::{Risks, MOST_TOLD};
use crate::settings::{Enforce, LogLevel, PreflightMode, Word};

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

/// What was said, and where.
#[derive(Debug)]
struct Said<T> {
    value: T,
    at: Position,
}

/// A list of origins, and what is dangerous in it.
#[derive(Debug, Default)]
struct Origins<T> {
    list: T,
    risks: Risks,
}

/// The directives of one level, as they were read.
#[derive(Debug, Default)]
pub struct Level {
    says_something: bool,
    cors: Option<Said<bool>>,
    allow_origin: Option<Said<Origins<AllowOrigin>>>,
    allow_methods: Option<Said<AllowMethods>>,
    allow_headers: Option<Said<AllowHeaders>>,
    expose_headers: Option<Said<ExposeHeaders>>,
    allow_credentials: Option<Said<Origins<AllowCredentials>>>,
    max_age: Option<Said<Option<MaxAge>>>,
    preflight_status: Option<Said<u16>>,
    preflight: Option<Said<PreflightMode>>,
    overrides: Option<Said<bool>>,
    enforce: Option<Said<Enforce>>,
    dry_run: Option<Said<bool>>,
    log_level: Option<Said<LogLevel>>,
    timing_allow_origin: Option<Said<bool>>,
    allow_private_network: Option<Said<bool>>,
    unsafe_options: Option<Said<UnsafeOptions>>,
}

/// A level with everything that it inherits.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    policy: Rc<Policy>,
    origin_risks: Rc<Risks>,
    credential_risks: Rc<Risks>,
    credentials_at: Option<Position>,
    cors: Option<Ticket>,
    /// The lists in force, each in a place of its own.
    lists: [Option<Ticket>; 5],
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
            Directive::Cors => self.cors = Some(said(word(values, &mut report).unwrap_or(true), at)),
            Directive::AllowOrigin => self.read_origins(values, at, syntax, &mut report),
            Directive::AllowMethods => {
                let list = &mut said_list(&mut self.allow_methods, at, AllowMethods::empty).value;
                each(values, &mut report, |value, report| {
                    report.added(value.as_bytes(), list.add(value))
                });
            }
            Directive::AllowHeaders => {
                let list = &mut said_list(&mut self.allow_headers, at, AllowHeaders::default).value;
                each(values, &mut report, |value, report| {
                    report.added(value.as_bytes(), list.add(value))
                });
            }
            Directive::ExposeHeaders => {
                let list = &mut said_list(&mut self.expose_headers, at, ExposeHeaders::default).value;
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
                self.max_age = Some(said(age.map(|(age, _)| age), at));
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
                self.preflight_status = Some(said(value.unwrap_or(204), at));
            }
            Directive::Preflight => choose(&mut self.preflight, values, &mut report),
            Directive::Override => choose(&mut self.overrides, values, &mut report),
            Directive::Enforce => choose(&mut self.enforce, values, &mut report),
            Directive::DryRun => choose(&mut self.dry_run, values, &mut report),
            Directive::LogLevel => choose(&mut self.log_level, values, &mut report),
            Directive::TimingAllowOrigin => choose(&mut self.timing_allow_origin, values, &mut report),
            Directive::AllowPrivateNetwork => choose(&mut self.allow_private_network, values, &mut report),
            Directive::Unsafe => {
                let options = &mut said_list(&mut self.unsafe_options, at, UnsafeOptions::default).value;
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
        fn at<T>(said: &Option<Said<T>>) -> Option<&Position> {
            said.as_ref().map(|said| &said.at)
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
        let Origins { list, risks } = &mut said_list(&mut self.allow_origin, at, Origins::default).value;
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
                    risks.note(&AllowedOrigin::Any, value, at);
                }
                AllowOrigin::Listed { variables, .. } if value.contains('$') && !value.starts_with('~') => {
                    match syntax.variable(value.as_bytes()) {
                        Some(variable) => {
                            variables.push(variable);
                            if matches!(value, "$http_origin" | "${http_origin}") {
                                // It lists whoever asks.
                                risks.note(&AllowedOrigin::Any, value, at);
                            }
                        }
                        None => report.error(value.as_bytes(), "it is no text with variables; write \"$name\""),
                    }
                }
                AllowOrigin::Listed { set, .. } => match AllowedOrigin::parse(value) {
                    Ok(origin) => {
                        risks.note(&origin, value, at);
                        warn_of_dead_branches(&origin, value, report);
                        insert(set, origin, value, report);
                    }
                    Err(error) => report.error(value.as_bytes(), error),
                },
            }
        });
    }

    fn trusts_a_list(&self) -> bool {
        let said = self.allow_credentials.as_ref();
        said.is_some_and(|said| matches!(said.value.list, AllowCredentials::For(_)))
    }

    fn read_credentials(&mut self, values: &[&[u8]], at: &Position, report: &mut Report<'_>) {
        let (earlier, mut risks) = match self.allow_credentials.take() {
            Some(Said { value, .. }) => (Some(value.list), value.risks),
            None => (None, Risks::default()),
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
                        risks.note(&origin, value, at);
                        warn_of_dead_branches(&origin, value, report);
                        insert(&mut set, origin, value, report);
                    }
                    Err(error) => report.error(value.as_bytes(), format_args!("{error}, or write \"on\" or \"off\"")),
                }
                });
                AllowCredentials::For(set)
            }
        };
        self.allow_credentials = Some(said(Origins { list, risks }, at));
    }

    /// Makes the policy of this level, which is that of `block`, from what it says and what `outer` says.
    pub fn inherit(self, outer: &Scope, block: Block<'_>, census: &mut Census) -> (Scope, Vec<Problem>) {
        if !self.says_something {
            // What `http` says is looked at where a server inherits it.
            let problems = match block {
                Block::Server(_) => outer.take_effect(&outer.policy, block, census),
                Block::Http | Block::Location(_) => Vec::new(),
            };
            return (outer.clone(), census.untold(problems));
        }
        let mut problems = Vec::new();
        let mut scope = outer.clone();
        let mut policy = (*outer.policy).clone();
        if let Some(Said { value, at }) = self.cors {
            policy.cors = match block {
                Block::Http | Block::Server(_) if !value => Cors::Off,
                Block::Location(_) if !value => Cors::OffHere,
                _ => Cors::On,
            };
            scope.cors = value.then(|| census.enter(Directive::Cors, &at));
        }
        let mut lists = scope.lists;
        let [origin_list, credential_list, method_list, header_list, expose_list] = &mut lists;
        if let Some(Said { value, at }) = self.allow_origin {
            let Origins { mut list, risks } = value;
            if let AllowOrigin::Listed { set, .. } = &mut list {
                complete(set, Directive::AllowOrigin, &at, &mut problems);
            }
            policy.allow_origin = Rc::new(list);
            scope.origin_risks = Rc::new(risks);
            *origin_list = Some(census.enter(Directive::AllowOrigin, &at));
        }
        if let Some(Said { value, at }) = self.allow_credentials {
            let Origins { mut list, risks } = value;
            *credential_list = None;
            if let AllowCredentials::For(set) = &mut list {
                *credential_list = Some(census.enter(Directive::AllowCredentials, &at));
                complete(set, Directive::AllowCredentials, &at, &mut problems);
            }
            policy.allow_credentials = Rc::new(list);
            scope.credential_risks = Rc::new(risks);
            scope.credentials_at = Some(at);
        }
        if let Some(Said { value, at }) = self.allow_methods {
            policy.allow_methods = Rc::new(value);
            *method_list = Some(census.enter(Directive::AllowMethods, &at));
        }
        if let Some(Said { value, at }) = self.allow_headers {
            policy.allow_headers = Rc::new(value);
            *header_list = Some(census.enter(Directive::AllowHeaders, &at));
        }
        if let Some(Said { value, at }) = self.expose_headers {
            policy.expose_headers = Rc::new(value);
            *expose_list = Some(census.enter(Directive::ExposeHeaders, &at));
        }
        scope.lists = lists;
        if let (Block::Location(_), Some(Said { value, at })) = (block, &self.preflight) {
            problems.extend(too_late(*value, at));
        }
        take(&mut policy.max_age, self.max_age);
        take(&mut policy.preflight_status, self.preflight_status);
        take(&mut policy.preflight, self.preflight);
        take(&mut policy.overrides, self.overrides);
        take(&mut policy.enforce, self.enforce);
        take(&mut policy.dry_run, self.dry_run);
        take(&mut policy.log_level, self.log_level);
        take(&mut policy.timing_allow_origin, self.timing_allow_origin);
        take(&mut policy.allow_private_network, self.allow_private_network);
        take(&mut policy.unsafe_options, self.unsafe_options);
        policy.settle();
        if block != Block::Http {
            problems.extend(scope.take_effect(&policy, block, census));
        }
        scope.policy = Rc::new(policy);
        (scope, census.untold(problems))
    }
}

impl Scope {
    /// Counts what has an effect in `block`, and finds what is wrong with it.
    fn take_effect(&self, policy: &Policy, block: Block<'_>, census: &mut Census) -> Vec<Problem> {
        if !policy.is_on() {
            return Vec::new();
        }
        self.lists.iter().flatten().for_each(|list| census.note(*list, true));
        if let Some(cors) = self.cors {
            census.note(cors, !matches!(*policy.allow_origin, AllowOrigin::Nobody));
        }
        self.check(policy, block)
    }

    /// What is wrong only once everything is put together.
    fn check(&self, policy: &Policy, block: Block<'_>) -> Vec<Problem> {
        let with_credentials = matches!(*policy.allow_credentials, AllowCredentials::On);
        let lists = [
            (Directive::AllowOrigin, &self.origin_risks, with_credentials),
            (Directive::AllowCredentials, &self.credential_risks, true),
        ];
        let mut problems = Vec::new();
        for (directive, risks, with_credentials) in lists {
            for objection in risks.objections(policy.unsafe_options) {
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
        let text = format!("\"{}\" takes too much of each request: {error}", directive.name());
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

fn said<T>(value: T, at: &Position) -> Said<T> {
    Said { value, at: at.clone() }
}

/// The list that this and further lines of a directive add to.
fn said_list<'a, T>(slot: &'a mut Option<Said<T>>, at: &Position, empty: impl FnOnce() -> T) -> &'a mut Said<T> {
    slot.get_or_insert_with(|| said(empty(), at))
}

fn take<T>(inherited: &mut T, own: Option<Said<T>>) {
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

/// Warns about branches of a regular expression that match nothing.
fn warn_of_dead_branches(origin: &AllowedOrigin, value: &str, report: &mut Report<'_>) {
    if let AllowedOrigin::Regex(regex) = origin {
        for branch in &regex.findings().dead_branches {
            report.warning(value.as_bytes(), branch);
        }
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

fn choose<T: Word>(slot: &mut Option<Said<T>>, values: &[&[u8]], report: &mut Report<'_>) {
    *slot = word(values, report).map(|value| said(value, report.at));
}
