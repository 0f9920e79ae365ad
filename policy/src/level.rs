//! What the directives of one level (`http`, a `server`, a `location`, an `if`) say, and what it inherits.

use std::fmt::Display;
use std::rc::Rc;

use crate::credentials::AllowCredentials;
use crate::directive::Directive;
use crate::expose::ExposeHeaders;
use crate::headers::AllowHeaders;
use crate::max_age::MaxAge;
use crate::methods::AllowMethods;
use crate::origin::{AllowedOrigin, OriginSet};
use crate::policy::{AllowOrigin, Policy, UnsafeOptions};
use crate::problem::{shown, Position, Problem, Severity};

/// What was said, and where.
#[derive(Debug)]
struct Said<T> {
    value: T,
    at: Position,
}

/// The directives of one level, as they were read.
#[derive(Debug, Default)]
pub struct Level {
    cors: Option<Said<bool>>,
    allow_origin: Option<Said<AllowOrigin>>,
    allow_methods: Option<Said<AllowMethods>>,
    allow_headers: Option<Said<AllowHeaders>>,
    expose_headers: Option<Said<ExposeHeaders>>,
    allow_credentials: Option<Said<AllowCredentials>>,
    max_age: Option<Said<Option<MaxAge>>>,
    preflight_status: Option<Said<u16>>,
    unsafe_options: Option<Said<UnsafeOptions>>,
}

/// A level with everything that it inherits.
#[derive(Clone, Debug)]
pub struct Scope {
    policy: Rc<Policy>,
    origins_at: Option<Position>,
    credentials_at: Option<Position>,
    cors_at: Option<Position>,
}

impl Default for Scope {
    /// What is in force where nothing was said.
    fn default() -> Self {
        Self {
            policy: Rc::default(),
            origins_at: None,
            credentials_at: None,
            cors_at: None,
        }
    }
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
    /// Takes in one directive with its values. `parse_time` reads the server's notation of time, in seconds.
    pub fn read(
        &mut self,
        directive: Directive,
        values: &[&[u8]],
        at: &Position,
        parse_time: impl Fn(&[u8]) -> Option<u64>,
    ) -> Vec<Problem> {
        let mut report = Report {
            directive,
            at,
            problems: Vec::new(),
        };
        if self.refuses(directive, values, &mut report) {
            return report.problems;
        }
        match directive {
            Directive::Cors => {
                // A bad value is reported; what follows is read as if CORS were on, so that it is checked too.
                let value = one(values, &mut report, flag).unwrap_or(true);
                self.cors = Some(said(value, at));
            }
            Directive::AllowOrigin => self.read_origins(values, at, &mut report),
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
                    _ => parse_time(value)
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
            Directive::Unsafe => {
                let options = &mut said_list(&mut self.unsafe_options, at, UnsafeOptions::default).value;
                each(values, &mut report, |value, report| match value {
                    "any_origin_credentials" => options.any_origin_credentials = true,
                    "insecure_origins" => options.insecure_origins = true,
                    "null_origin" => options.null_origin = true,
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
        let first = match directive {
            _ if directive.is_list() => None,
            Directive::Cors => self.cors.as_ref().map(|said| &said.at),
            Directive::AllowCredentials => self.allow_credentials.as_ref().map(|said| &said.at),
            Directive::MaxAge => self.max_age.as_ref().map(|said| &said.at),
            Directive::PreflightStatus => self.preflight_status.as_ref().map(|said| &said.at),
            _ => None,
        };
        match first {
            None => false,
            Some(first) => {
                let text = format!("\"{name}\" directive is duplicate: it stands at {first} already; remove one");
                refuse(report, text)
            }
        }
    }

    fn read_origins(&mut self, values: &[&[u8]], at: &Position, report: &mut Report<'_>) {
        let allow = &mut said_list(&mut self.allow_origin, at, AllowOrigin::default).value;
        each(values, report, |value, report| {
            let origin = match AllowedOrigin::parse(value) {
                Ok(origin) => origin,
                Err(error) => return report.error(value.as_bytes(), error),
            };
            let beside = "\"*\" admits every origin and cannot stand beside others; remove the others, or the \"*\"";
            match (&mut *allow, origin) {
                (AllowOrigin::Nobody, AllowedOrigin::Any) => *allow = AllowOrigin::Any,
                (AllowOrigin::Any, AllowedOrigin::Any) => {
                    report.warning(value.as_bytes(), "it is listed already; remove one")
                }
                (AllowOrigin::Any, _) | (AllowOrigin::Listed(_), AllowedOrigin::Any) => {
                    report.error(value.as_bytes(), beside)
                }
                (AllowOrigin::Listed(set), origin) => insert(set, origin, value, report),
                (AllowOrigin::Nobody, origin) => {
                    let mut set = OriginSet::default();
                    insert(&mut set, origin, value, report);
                    *allow = AllowOrigin::Listed(set);
                }
            }
        });
    }

    fn read_credentials(&mut self, values: &[&[u8]], at: &Position, report: &mut Report<'_>) {
        let credentials = match values {
            [b"on"] => AllowCredentials::On,
            [b"off"] => AllowCredentials::Off,
            _ => {
                let mut set = OriginSet::default();
                each(values, report, |value, report| {
                    match AllowedOrigin::parse(value) {
                    _ if matches!(value, "on" | "off") => {
                        report.error(value.as_bytes(), "it cannot stand beside origins; remove it, or the origins");
                    }
                    Ok(AllowedOrigin::Any) => report.error(
                        value.as_bytes(),
                        "\"*\" would hand every site the user's credentials; write \"on\" for the origins of cors_allow_origin, or list origins",
                    ),
                    Ok(origin) => insert(&mut set, origin, value, report),
                    Err(error) => report.error(value.as_bytes(), format_args!("{error}, or write \"on\" or \"off\"")),
                }
                });
                set.shrink();
                AllowCredentials::For(set)
            }
        };
        self.allow_credentials = Some(said(credentials, at));
    }

    /// Whether no directive was read.
    fn is_empty(&self) -> bool {
        let Self {
            cors,
            allow_origin,
            allow_methods,
            allow_headers,
            expose_headers,
            allow_credentials,
            max_age,
            preflight_status,
            unsafe_options,
        } = self;
        cors.is_none()
            && allow_origin.is_none()
            && allow_methods.is_none()
            && allow_headers.is_none()
            && expose_headers.is_none()
            && allow_credentials.is_none()
            && max_age.is_none()
            && preflight_status.is_none()
            && unsafe_options.is_none()
    }

    /// Makes the policy of this level, called `name` in messages, from what it says and what `outer` says.
    pub fn inherit(self, outer: &Scope, name: &str) -> (Scope, Vec<Problem>) {
        if self.is_empty() {
            return (outer.clone(), Vec::new());
        }
        let mut scope = outer.clone();
        let mut policy = (*outer.policy).clone();
        if let Some(Said { value, at }) = self.cors {
            policy.cors = Some(value);
            scope.cors_at = Some(at);
        }
        if let Some(Said { mut value, at }) = self.allow_origin {
            if let AllowOrigin::Listed(set) = &mut value {
                set.shrink();
            }
            policy.allow_origin = Rc::new(value);
            scope.origins_at = Some(at);
        }
        if let Some(Said { value, at }) = self.allow_credentials {
            policy.allow_credentials = Rc::new(value);
            scope.credentials_at = Some(at);
        }
        take(
            &mut policy.allow_methods,
            self.allow_methods.map(|said| Rc::new(said.value)),
        );
        take(
            &mut policy.allow_headers,
            self.allow_headers.map(|said| Rc::new(said.value)),
        );
        take(
            &mut policy.expose_headers,
            self.expose_headers.map(|said| Rc::new(said.value)),
        );
        take(&mut policy.max_age, self.max_age.map(|said| said.value));
        take(
            &mut policy.preflight_status,
            self.preflight_status.map(|said| said.value),
        );
        take(&mut policy.unsafe_options, self.unsafe_options.map(|said| said.value));
        policy.settle();
        let problems = if policy.is_on() {
            scope.check(&policy, name)
        } else {
            Vec::new()
        };
        scope.policy = Rc::new(policy);
        (scope, problems)
    }
}

impl Scope {
    /// What is wrong only once everything is put together.
    fn check(&self, policy: &Policy, name: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        let origins_at = self.origins_at.as_ref();
        if let (AllowOrigin::Nobody, Some(at)) = (&*policy.allow_origin, &self.cors_at) {
            let text = "\"cors on\" allows no origin: \"cors_allow_origin\" is missing; add it, or write \"cors off\"";
            problems.push(Problem::new(Severity::Warning, at, text.to_owned()).in_place(name));
        }
        let Some(credentials_at) = &self.credentials_at else {
            return problems;
        };
        let options = policy.unsafe_options;
        let mut refuse = |at: &Position, directive: Directive, member: &str, why: &str| {
            let text = format!(
                "\"{}\" has the value \"{}\" beside \"cors_allow_credentials\" at {credentials_at}: {why}",
                directive.name(),
                shown(member.as_bytes()),
            );
            problems.push(Problem::new(Severity::Error, at, text).in_place(name));
        };
        let (trusted, at, directive) = match (&*policy.allow_credentials, &*policy.allow_origin, origins_at) {
            (AllowCredentials::On, AllowOrigin::Any, Some(at)) => {
                if !options.any_origin_credentials {
                    refuse(
                        at,
                        Directive::AllowOrigin,
                        "*",
                        "every site could read what the user may read; list the origins to trust, or write \"cors_unsafe any_origin_credentials\"",
                    );
                }
                return problems;
            }
            (AllowCredentials::On, AllowOrigin::Listed(set), Some(at)) => (set, at, Directive::AllowOrigin),
            (AllowCredentials::For(set), ..) => (set, credentials_at, Directive::AllowCredentials),
            _ => return problems,
        };
        if let Some(member) = trusted.insecure_member().filter(|_| !options.insecure_origins) {
            refuse(
                at,
                directive,
                member,
                "whoever is on the network can speak for an origin without TLS; write \"https://\", or \"cors_unsafe insecure_origins\"",
            );
        }
        if trusted.has_null() && !options.null_origin {
            refuse(
                at,
                directive,
                "null",
                "any site can make itself the origin \"null\" with a sandboxed frame; remove it, or write \"cors_unsafe null_origin\"",
            );
        }
        problems
    }
}

fn said<T>(value: T, at: &Position) -> Said<T> {
    Said { value, at: at.clone() }
}

/// The list that this and further lines of a directive add to.
fn said_list<'a, T>(slot: &'a mut Option<Said<T>>, at: &Position, empty: impl FnOnce() -> T) -> &'a mut Said<T> {
    slot.get_or_insert_with(|| said(empty(), at))
}

fn take<T>(inherited: &mut T, own: Option<T>) {
    if let Some(own) = own {
        *inherited = own;
    }
}

fn insert(set: &mut OriginSet, origin: AllowedOrigin, value: &str, report: &mut Report<'_>) {
    match set.insert(origin) {
        Ok(true) => {}
        Ok(false) => report.warning(value.as_bytes(), "it is listed already; remove one"),
        Err(_) => report.error(value.as_bytes(), "the list is longer than 4 GiB; use patterns"),
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

fn flag(value: &[u8]) -> Result<bool, &'static str> {
    match value {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err("it is no flag; write \"on\" or \"off\""),
    }
}
