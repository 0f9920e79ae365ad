//! A level with everything that it inherits: its policy, and what is wrong with it once that is known.

use std::fmt::{self, Display};
use std::rc::Rc;

use crate::credentials::AllowCredentials;
use crate::directive::Directive;
use crate::expose::ExposeHeaders;
use crate::given::Given;
use crate::given_origins::{complete, GivenOrigins, LaterChecks};
use crate::headers::AllowHeaders;
use crate::level::Level;
use crate::max_age::MaxAge;
use crate::methods::AllowMethods;
use crate::origin::OriginSet;
use crate::policy::Policy;
use crate::problem::{shown, Position, Problem, ProblemKind, Severity};
use crate::rules::{AllowOrigin, Cors, Rules};
use crate::settings::{GivenSettings, PreflightMode};
use crate::unsafe_options::UnsafeOptions;
use crate::unused::{DirectiveId, UnusedDirectives};
use crate::written::WrittenLists;

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
            Self::Server(name) => write!(f, "in server \"{}\"", shown(name.as_bytes())),
            Self::Location(name) => write!(f, "in location \"{}\"", shown(name.as_bytes())),
        }
    }
}

/// A level with everything that it inherits.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    policy: Rc<Policy>,
    origin_checks: Rc<LaterChecks>,
    credential_checks: Rc<LaterChecks>,
    credentials_at: Option<Position>,
    /// The `cors on` in force.
    cors: Option<DirectiveId>,
    /// The lists in force, each at a place of its own.
    lists: [Option<DirectiveId>; 5],
    /// The server of the level answers preflights before a location is chosen.
    server_answers_early: bool,
}

impl Scope {
    /// The policy of the level.
    pub fn policy(&self) -> &Rc<Policy> {
        &self.policy
    }

    fn answers_early(&self) -> bool {
        let settings = self.policy.settings();
        self.policy.is_on() && !settings.dry_run && settings.preflight == PreflightMode::Early
    }
}

/// The directives of one level, complete: what they say can be put together with what several outer levels say.
#[derive(Debug, Default)]
pub struct CompleteLevel {
    first_at: Option<Position>,
    cors: Option<Given<bool>>,
    allow_origin: Option<CompleteOrigins<AllowOrigin>>,
    allow_credentials: Option<CompleteOrigins<AllowCredentials>>,
    allow_methods: Option<Given<Rc<AllowMethods>>>,
    allow_headers: Option<Given<Rc<AllowHeaders>>>,
    expose_headers: Option<Given<Rc<ExposeHeaders>>>,
    max_age: Option<Given<Option<MaxAge>>>,
    preflight_status: Option<Given<u16>>,
    unsafe_options: Option<Given<UnsafeOptions>>,
    settings: GivenSettings,
    written: WrittenLists,
}

/// A list of origins, where it was given, and what has to be looked at once the other directives are known.
#[derive(Debug)]
struct CompleteOrigins<T> {
    list: Rc<T>,
    checks: Rc<LaterChecks>,
    at: Position,
}

impl<T> CompleteOrigins<T> {
    fn new(given: Given<GivenOrigins<T>>) -> Self {
        let GivenOrigins { list, checks } = given.value;
        Self {
            list: Rc::new(list),
            checks: Rc::new(checks),
            at: given.at,
        }
    }
}

impl Level {
    /// Ends the reading of the level. What shows only now is returned, too.
    pub fn complete(mut self) -> (CompleteLevel, Vec<Problem>) {
        let mut problems = Vec::new();
        if let Some(Given { value, at }) = &mut self.allow_origin {
            if let AllowOrigin::Listed { set, .. } = &mut value.list {
                problems.extend(complete(set, Directive::AllowOrigin, at));
            }
        }
        if let Some(Given { value, at }) = &mut self.allow_credentials {
            if let AllowCredentials::For { set, .. } = &mut value.list {
                problems.extend(complete(set, Directive::AllowCredentials, at));
            }
        }
        let level = CompleteLevel {
            first_at: self.first_at,
            cors: self.cors,
            allow_origin: self.allow_origin.map(CompleteOrigins::new),
            allow_credentials: self.allow_credentials.map(CompleteOrigins::new),
            allow_methods: self.allow_methods.map(Given::shared),
            allow_headers: self.allow_headers.map(Given::shared),
            expose_headers: self.expose_headers.map(Given::shared),
            max_age: self.max_age,
            preflight_status: self.preflight_status,
            unsafe_options: self.unsafe_options,
            settings: self.settings,
            written: self.written,
        };
        (level, problems)
    }

    /// Puts together what this level says and what it inherits, for one that nothing else builds upon.
    pub fn inherit(self, outer: &Scope, block: Block<'_>, unused: &mut UnusedDirectives) -> (Scope, Vec<Problem>) {
        let (level, mut problems) = self.complete();
        let (scope, found) = level.inherit(outer, block, unused);
        problems.extend(found);
        (scope, problems)
    }
}

impl CompleteLevel {
    /// Puts together what this level, which is that of `block`, says and what it inherits from `outer`.
    pub fn inherit(&self, outer: &Scope, block: Block<'_>, unused: &mut UnusedDirectives) -> (Scope, Vec<Problem>) {
        let differs_from_early = !self.says_early() || self.says_what_is_allowed();
        let Some(first_at) = &self.first_at else {
            // The values of `http` are checked where a server inherits them.
            let problems = match block {
                Block::Server(_) => outer.check_in_force(&outer.policy, block, unused),
                Block::Http | Block::Location(_) => Vec::new(),
            };
            let mut scope = outer.clone();
            scope.server_answers_early |= matches!(block, Block::Server(_)) && outer.answers_early();
            return (scope, problems);
        };
        let mut problems = Vec::new();
        let mut scope = outer.clone();
        let mut rules: Rules = outer.policy.rules().clone();
        if let Some(Given { value: is_on, at }) = &self.cors {
            rules.cors = match block {
                Block::Http | Block::Server(_) if !is_on => Cors::Off,
                Block::Location(_) if !is_on => Cors::OffHere,
                _ => Cors::On,
            };
            scope.cors = is_on.then(|| unused.add(Directive::Cors, at));
        }
        // An outer level may list origins with credentials that only some of the inner ones allow.
        let origins_are_given_here = self.allow_origin.is_some();
        let [origin_list, credential_list, method_list, header_list, expose_list] = &mut scope.lists;
        if let Some(CompleteOrigins { list, checks, at }) = &self.allow_origin {
            rules.allow_origin = list.clone();
            scope.origin_checks = checks.clone();
            *origin_list = Some(unused.add(Directive::AllowOrigin, at));
        }
        if let Some(CompleteOrigins { list, checks, at }) = &self.allow_credentials {
            *credential_list = None;
            if let AllowCredentials::For { set, lists } = &**list {
                *credential_list = Some(unused.add(Directive::AllowCredentials, at));
                if origins_are_given_here && lists.is_empty() {
                    problems.extend(without_permission(set, &rules.allow_origin, at));
                }
            }
            rules.allow_credentials = list.clone();
            scope.credential_checks = checks.clone();
            scope.credentials_at = Some(at.clone());
        }
        if let Some(Given { value, at }) = &self.allow_methods {
            rules.allow_methods = value.clone();
            *method_list = Some(unused.add(Directive::AllowMethods, at));
        }
        if let Some(Given { value, at }) = &self.allow_headers {
            rules.allow_headers = value.clone();
            *header_list = Some(unused.add(Directive::AllowHeaders, at));
        }
        if let Some(Given { value, at }) = &self.expose_headers {
            rules.expose_headers = value.clone();
            *expose_list = Some(unused.add(Directive::ExposeHeaders, at));
        }
        if let (Block::Location(name), true, true) = (block, outer.server_answers_early, differs_from_early) {
            problems.push(not_asked(name, first_at));
        }
        Given::replace(&self.max_age, &mut rules.max_age);
        Given::replace(&self.preflight_status, &mut rules.preflight_status);
        Given::replace(&self.unsafe_options, &mut rules.unsafe_options);
        self.settings.replace(&mut rules.settings);
        rules.written = self.written.or_inherited(&outer.policy.rules().written);
        rules.written_here = self.written.clone();
        let policy = Policy::new(rules);
        if block != Block::Http {
            problems.extend(scope.check_in_force(&policy, block, unused));
        }
        scope.policy = Rc::new(policy);
        scope.server_answers_early |= matches!(block, Block::Server(_)) && scope.answers_early();
        (scope, problems)
    }
}

impl CompleteLevel {
    fn says_early(&self) -> bool {
        let given = self.settings.preflight.as_ref();
        given.is_some_and(|given| given.value == PreflightMode::Early)
    }

    /// Whether the level has a say in what a preflight is allowed.
    fn says_what_is_allowed(&self) -> bool {
        self.cors.is_some()
            || self.allow_origin.is_some()
            || self.allow_credentials.is_some()
            || self.allow_methods.is_some()
            || self.allow_headers.is_some()
    }
}

impl Scope {
    /// Checks what is in force in `block`, and notes that it is.
    fn check_in_force(&self, policy: &Policy, block: Block<'_>, unused: &mut UnusedDirectives) -> Vec<Problem> {
        if !policy.is_on() {
            return Vec::new();
        }
        for list in self.lists.iter().flatten() {
            unused.mark_in_force(*list, true);
        }
        if let Some(cors) = self.cors {
            let allows_no_one = matches!(*policy.rules().allow_origin, AllowOrigin::Nobody);
            unused.mark_in_force(cors, !allows_no_one);
        }
        let block = block.to_string();
        let problems = self.dangerous_values(policy).chain(self.unknown_values(policy));
        problems.map(|problem| problem.in_block(&block)).collect()
    }

    /// Errors for values that `cors_unsafe` does not permit.
    fn dangerous_values<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = Problem> + 'a {
        let Rules {
            allow_credentials,
            unsafe_options,
            ..
        } = policy.rules();
        let is_on = matches!(**allow_credentials, AllowCredentials::On);
        let lists = [
            (Directive::AllowOrigin, &self.origin_checks, is_on),
            (Directive::AllowCredentials, &self.credential_checks, true),
        ];
        lists
            .into_iter()
            .flat_map(move |(directive, checks, with_credentials)| {
                let objections = checks.risks.objections(*unsafe_options);
                let objections = objections.filter(move |objection| with_credentials || !objection.needs_credentials);
                objections.map(move |objection| {
                    let beside = match (&self.credentials_at, directive) {
                        (Some(at), Directive::AllowOrigin) if objection.needs_credentials => {
                            format!(" beside \"cors_allow_credentials\" at {at}")
                        }
                        _ => String::new(),
                    };
                    let text = format!(
                        "\"{}\" has the value \"{}\"{beside}: {}",
                        directive.name(),
                        shown(objection.value.as_bytes()),
                        objection.why,
                    );
                    let kind = ProblemKind {
                        severity: Severity::Error,
                        directive: directive.name(),
                        what: option_named_in(&objection.why),
                    };
                    Problem::new(kind, objection.at, text).and_more(objection.more)
                })
            })
    }

    /// Warnings of values that may repeat the request beside credentials, as far as can be known.
    fn unknown_values<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = Problem> + 'a {
        let rules = policy.rules();
        let matters =
            matches!(*rules.allow_credentials, AllowCredentials::On) && !rules.unsafe_options.any_origin_credentials;
        let unknown = self.origin_checks.unknown.iter().filter(move |_| matters);
        unknown.map(|(value, at)| {
            let beside = match &self.credentials_at {
                Some(at) => format!(" beside \"cors_allow_credentials\" at {at}"),
                None => String::new(),
            };
            let text = format!(
                "\"cors_allow_origin\" has the value \"{}\"{beside}: what it holds is known only for a request; check that no \"map\" or \"set\" gives it \"$http_origin\", which would let every site read what the user may read, or name the origins that get credentials: write \"cors_allow_credentials https://app.example.com\"",
                shown(value.as_bytes()),
            );
            let kind = ProblemKind {
                severity: Severity::Warning,
                directive: Directive::AllowOrigin.name(),
                what: "unknown",
            };
            Problem::new(kind, at, text)
        })
    }
}

/// Warnings of origins that get no credentials, though they are listed, as they are not allowed at all.
fn without_permission(credentials: &OriginSet, allowed: &AllowOrigin, at: &Position) -> Vec<Problem> {
    let allowed = match allowed {
        AllowOrigin::Listed { set, variables, lists } if variables.is_empty() && lists.is_empty() => set,
        // Everyone is allowed, or nobody, which has a warning of its own, or who is shows for a request only.
        _ => return Vec::new(),
    };
    let warning = |text: String, at: &Position| {
        let kind = ProblemKind {
            severity: Severity::Warning,
            directive: Directive::AllowCredentials.name(),
            what: "outside",
        };
        Problem::new(kind, at, text)
    };
    let members = credentials.not_in(allowed).map(|(member, place)| {
        let text = format!(
            "\"cors_allow_credentials\" has the value \"{}\": \"cors_allow_origin\" does not allow it, and without that it gets no credentials; add it there, or remove it here",
            shown(member.as_bytes()),
        );
        warning(text, place.as_ref().unwrap_or(at))
    });
    let mut warnings: Vec<_> = members.collect();
    if warnings.is_empty() && credentials.is_apart_from(allowed) {
        let text = "\"cors_allow_credentials\" lists none of the origins that \"cors_allow_origin\" allows, and others get no credentials; list one of those, or add the others there";
        warnings.push(warning(text.to_owned(), at));
    }
    warnings
}

/// The option of `cors_unsafe` that would permit a dangerous value: the reason against it names one.
fn option_named_in(why: &str) -> &'static str {
    let mut options = UnsafeOptions::NAMES.into_iter();
    options.find(|option| why.contains(option)).unwrap_or_default()
}

/// A location in a server that answers preflights early has directives of its own: preflights are answered before it is
/// chosen, by the server's.
fn not_asked(location: &str, at: &Position) -> Problem {
    let text = format!(
        "\"cors_preflight early\" of the server answers the preflights of location \"{}\" under the policy of the server, whatever the location says; write \"cors_preflight early;\" in the locations instead, or give this one the policy of the server",
        shown(location.as_bytes()),
    );
    let kind = ProblemKind {
        severity: Severity::Warning,
        directive: Directive::Preflight.name(),
        what: "not asked",
    };
    Problem::new(kind, at, text)
}
