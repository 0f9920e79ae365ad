//! The policy of one location, compiled.

use std::rc::Rc;

use crate::answers::{answers, Answers, Kind};
use crate::credentials::AllowCredentials;
use crate::decision::{Outcome, Reason, Verdict};
use crate::expose::{exposable, ExposeHeaders};
use crate::headers::AllowHeaders;
use crate::max_age::MaxAge;
use crate::methods::AllowMethods;
use crate::origin::{is_insecure, is_origin, OriginSet};
use crate::request::{Context, Field, Preflight, Request, Target};
use crate::response::{is_governed, ResponseHeaders, TIMING_ALLOW_ORIGIN};
use crate::settings::{Enforce, LogLevel, PreflightMode};
use crate::token::is_token;

/// What `cors_allow_origin` says.
#[derive(Debug, Default)]
#[allow(clippy::large_enum_variant)] // there is one for a list, and it lies on the heap
pub(crate) enum AllowOrigin {
    /// Nothing: there is no such directive.
    #[default]
    Nobody,
    /// `*`
    Any,
    /// These.
    Listed {
        /// Known when the configuration is read.
        set: OriginSet,
        /// Known for each request: the numbers under which the server keeps them.
        variables: Vec<usize>,
    },
}

/// What `cors` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cors {
    On,
    /// The location has no policy of its own.
    #[default]
    Off,
    /// The location is to have none, whichever policy governs the request.
    OffHere,
}

/// What the `cors_*` directives of one location say. Lists are shared with the levels that inherit them.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) cors: Cors,
    pub(crate) allow_origin: Rc<AllowOrigin>,
    pub(crate) allow_methods: Rc<AllowMethods>,
    pub(crate) allow_headers: Rc<AllowHeaders>,
    pub(crate) expose_headers: Rc<ExposeHeaders>,
    pub(crate) allow_credentials: Rc<AllowCredentials>,
    pub(crate) max_age: Option<MaxAge>,
    pub(crate) preflight_status: u16,
    pub(crate) preflight: PreflightMode,
    pub(crate) overrides: bool,
    pub(crate) enforce: Enforce,
    pub(crate) dry_run: bool,
    pub(crate) log_level: LogLevel,
    pub(crate) timing_allow_origin: bool,
    pub(crate) allow_private_network: bool,
    pub(crate) unsafe_options: UnsafeOptions,
    /// Whether the answer depends on the origin; see [`Policy::settle`].
    pub(crate) varies: bool,
    answers: Option<Rc<Answers>>,
}

/// What `cors_unsafe` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UnsafeOptions {
    pub any_origin_credentials: bool,
    pub insecure_origins: bool,
    pub null_origin: bool,
    pub public_suffixes: bool,
    pub broad_regex: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            cors: Cors::default(),
            allow_origin: Rc::default(),
            allow_methods: Rc::default(),
            allow_headers: Rc::default(),
            expose_headers: Rc::default(),
            allow_credentials: Rc::default(),
            max_age: None,
            preflight_status: 204,
            preflight: PreflightMode::default(),
            overrides: true,
            enforce: Enforce::default(),
            dry_run: false,
            log_level: LogLevel::default(),
            timing_allow_origin: false,
            allow_private_network: false,
            unsafe_options: UnsafeOptions::default(),
            varies: false,
            answers: None,
        }
    }
}

impl Policy {
    /// Whether the policy applies.
    pub fn is_on(&self) -> bool {
        self.cors == Cors::On
    }

    /// Whether the location itself says `cors off`, which wins over the policy that governs the request. For a whole
    /// server that says it, it is no more than the default.
    pub fn is_off_here(&self) -> bool {
        self.cors == Cors::OffHere
    }

    /// The status of an answered preflight.
    pub fn preflight_status(&self) -> u16 {
        self.preflight_status
    }

    /// The status with which a preflight is answered, unless it goes on to its handler.
    pub fn preflight_answer(&self, verdict: Verdict) -> Option<u16> {
        if self.dry_run {
            return None;
        }
        self.preflight_reply(verdict)
    }

    /// The same, were it no dry run.
    pub(crate) fn preflight_reply(&self, verdict: Verdict) -> Option<u16> {
        if self.preflight == PreflightMode::Pass {
            return None;
        }
        match verdict {
            Verdict::Anyone | Verdict::Allowed | Verdict::AllowedWithCredentials => Some(self.preflight_status),
            // No browser asks leave for a request within its own origin; whatever asks here is not to be denied.
            Verdict::SameOrigin | Verdict::NoOrigin => None,
            Verdict::Denied => Some(403),
        }
    }

    /// What happens to a preflight.
    pub fn preflight_mode(&self) -> PreflightMode {
        self.preflight
    }

    /// Whether the policy's headers take the place of those that the response has, or stand back behind them.
    pub fn overrides(&self) -> bool {
        self.overrides
    }

    /// Whether actual requests are refused.
    pub fn enforce(&self) -> Enforce {
        self.enforce
    }

    /// Whether the policy decides, but changes no response.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Whether the policy may leave a response as it is.
    #[inline]
    pub fn is_reserved(&self) -> bool {
        self.dry_run || !self.overrides
    }

    /// How loudly denials are logged.
    pub fn log_level(&self) -> LogLevel {
        self.log_level
    }

    /// Whether a response header of this name is the policy's to give or to take away.
    #[inline]
    pub fn governs(&self, name: &[u8]) -> bool {
        is_governed(name) || (self.timing_allow_origin && name.eq_ignore_ascii_case(TIMING_ALLOW_ORIGIN))
    }

    /// Whether an actual request gets the same answer whatever it says.
    #[inline]
    pub fn answers_anyone(&self) -> bool {
        matches!(*self.allow_origin, AllowOrigin::Any) && !self.varies
    }

    /// Works out once what follows from the lists.
    pub(crate) fn settle(&mut self) {
        self.varies = match &*self.allow_origin {
            AllowOrigin::Nobody => false,
            AllowOrigin::Any => !matches!(*self.allow_credentials, AllowCredentials::Off),
            AllowOrigin::Listed { .. } => true,
        };
        self.answers = match self.cors {
            Cors::On => Some(Rc::new(answers(self))),
            Cors::Off | Cors::OffHere => None,
        };
    }

    /// What the policy makes of the request's origin.
    pub fn judge<'r>(&self, request: &Request<'r>, context: &impl Context<'r>) -> Verdict {
        self.judge_origin(request.origin, || request.fetch_site, context)
    }

    /// The same; `Sec-Fetch-Site` is asked for only if it matters.
    #[inline]
    pub fn judge_origin<'r>(
        &self,
        origin: Field<'r>,
        fetch_site: impl FnOnce() -> Field<'r>,
        context: &impl Context<'r>,
    ) -> Verdict {
        match origin {
            Field::One(origin) => self.judge_one(origin, fetch_site, context),
            Field::Absent | Field::Several => self.judge_unlisted(origin, Field::Absent, context),
        }
    }

    /// The same for a request with one `Origin`.
    #[inline(always)] // nearly all that a request costs is here, and most of it in what its callers know already
    pub fn judge_one<'r>(
        &self,
        origin: &'r [u8],
        fetch_site: impl FnOnce() -> Field<'r>,
        context: &impl Context<'r>,
    ) -> Verdict {
        let AllowOrigin::Listed { set, variables } = &*self.allow_origin else {
            return self.judge_unlisted(Field::One(origin), fetch_site(), context);
        };
        let listed = set.contains(origin) || (!variables.is_empty() && self.variables_list(variables, origin, context));
        if !listed {
            return judge_stranger(origin, says_same_origin(fetch_site()), context);
        }
        Verdict::allowed(match &*self.allow_credentials {
            AllowCredentials::Off => false,
            AllowCredentials::On => true,
            AllowCredentials::For(trusted) => trusted.contains(origin),
        })
    }

    /// The same, where there is no list, or not one origin.
    #[inline(never)]
    fn judge_unlisted<'r>(&self, origin: Field<'r>, fetch_site: Field<'r>, context: &impl Context<'r>) -> Verdict {
        if self.answers_anyone() {
            return Verdict::Anyone;
        }
        let origin = match origin {
            Field::Absent => return Verdict::NoOrigin,
            // Where everyone may read the answer, so may whoever sends this.
            Field::Several => {
                return match (&*self.allow_origin, &*self.allow_credentials) {
                    (AllowOrigin::Any, AllowCredentials::For(_)) => Verdict::Anyone,
                    _ => Verdict::Denied,
                }
            }
            Field::One(origin) => origin,
        };
        let admitted = match &*self.allow_origin {
            AllowOrigin::Nobody | AllowOrigin::Listed { .. } => None,
            AllowOrigin::Any => match &*self.allow_credentials {
                AllowCredentials::Off => Some(Verdict::Anyone),
                AllowCredentials::On => is_origin(origin).then(|| Verdict::allowed(self.may_have_credentials(origin))),
                AllowCredentials::For(trusted) => Some(if trusted.contains(origin) {
                    Verdict::AllowedWithCredentials
                } else {
                    Verdict::Anyone
                }),
            },
        };
        admitted.unwrap_or_else(|| judge_stranger(origin, says_same_origin(fetch_site), context))
    }

    #[inline(never)]
    fn variables_list<'r>(&self, variables: &[usize], origin: &[u8], context: &impl Context<'r>) -> bool {
        variables
            .iter()
            .any(|variable| self.variable_lists(*variable, origin, context))
    }

    /// Whether `origin` is in the list that a variable holds for this request.
    fn variable_lists<'r>(&self, variable: usize, origin: &[u8], context: &impl Context<'r>) -> bool {
        let value = context.variable(variable);
        if value.iter().any(u8::is_ascii_control) {
            context.ignored(variable, "it holds a control character");
            return false;
        }
        let mut elements = value
            .split(|byte| matches!(byte, b',' | b' '))
            .filter(|element| !element.is_empty())
            .peekable();
        if elements.peek().is_none() {
            return false;
        }
        let mut holds_an_origin = false;
        for element in elements {
            let valid = is_origin(element);
            holds_an_origin |= valid;
            if valid && element == origin {
                return self.may_have_credentials(origin) || {
                    context.ignored(
                        variable,
                        "with credentials, it yields an origin that needs \"cors_unsafe\"",
                    );
                    false
                };
            }
        }
        if !holds_an_origin {
            context.ignored(variable, "it holds no origin");
        }
        false
    }

    /// Whether an origin that no one has looked at before may get credentials, as far as it would get them here.
    fn may_have_credentials(&self, origin: &[u8]) -> bool {
        if !matches!(*self.allow_credentials, AllowCredentials::On) {
            return true;
        }
        if origin == b"null" {
            return self.unsafe_options.null_origin;
        }
        self.unsafe_options.insecure_origins || std::str::from_utf8(origin).is_ok_and(|origin| !is_insecure(origin))
    }

    /// The headers of a kind of response, if the policy applies.
    pub fn headers(&self, kind: Kind) -> Option<ResponseHeaders<'_>> {
        self.answers.as_ref()?.get(kind.number()).map(ResponseHeaders)
    }

    /// For [`Value::FromRequest`](crate::Value::FromRequest): the names to echo from the lines of `Access-Control-Request-Headers`.
    pub fn echoed_headers<'a>(
        &'a self,
        lines: impl Iterator<Item = &'a [u8]> + Clone + 'a,
    ) -> impl Iterator<Item = &'a [u8]> + Clone + 'a {
        self.allow_headers.echo(lines)
    }

    /// The same where all that was asked for is sent back, and stands on one line: that line.
    pub fn echoed_line<'a>(&self, mut lines: impl Iterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
        let line = lines.next()?;
        (lines.next().is_none() && self.allow_headers.echoes_whole(line)).then_some(line)
    }

    /// For [`Value::FromResponse`](crate::Value::FromResponse): the names to expose of those that the response carries.
    pub fn exposed_headers<'a>(
        &self,
        names: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> impl Iterator<Item = &'a [u8]> + Clone {
        exposable(names)
    }

    /// The value of `Access-Control-Allow-Origin`, if the response gets one.
    pub fn allowed_origin<'r>(&self, verdict: Verdict, origin: Field<'r>) -> Option<&'r [u8]> {
        match (verdict, origin) {
            (Verdict::Anyone, _) => Some(b"*"),
            (Verdict::Allowed | Verdict::AllowedWithCredentials, Field::One(origin)) => Some(origin),
            _ => None,
        }
    }

    /// How an actual request ended, and why.
    pub fn outcome<'r>(&self, verdict: Verdict, origin: Field<'r>) -> (Outcome, Option<Reason<'r>>) {
        match verdict {
            Verdict::NoOrigin => (Outcome::None, None),
            Verdict::Anyone if origin == Field::Absent => (Outcome::None, None),
            Verdict::Anyone | Verdict::Allowed | Verdict::AllowedWithCredentials => (Outcome::Allowed, None),
            Verdict::SameOrigin => (Outcome::SameOrigin, None),
            Verdict::Denied => match (&*self.allow_origin, origin) {
                (_, Field::Several) => (Outcome::Malformed, Some(Reason::SeveralOrigins)),
                (_, Field::One(origin)) if !is_origin(origin) => {
                    (Outcome::Malformed, Some(Reason::NotAnOrigin(origin)))
                }
                (AllowOrigin::Nobody, _) => (Outcome::OriginDenied, Some(Reason::NoOriginAllowed)),
                (_, Field::One(origin)) => (Outcome::OriginDenied, Some(Reason::Origin(origin))),
                (_, Field::Absent) => (Outcome::OriginDenied, None),
            },
        }
    }

    /// How a preflight ended, and why: origin, method and headers in this order, the first that failed.
    pub fn preflight_outcome<'r>(
        &self,
        verdict: Verdict,
        preflight: Preflight<'r>,
        request_headers: impl Iterator<Item = &'r [u8]>,
    ) -> (Outcome, Option<Reason<'r>>) {
        let of_origin = self.outcome(verdict, Field::One(preflight.origin));
        if of_origin.0 != Outcome::Allowed {
            return of_origin;
        }
        if !self.allow_methods.allows(preflight.method) {
            return (Outcome::MethodDenied, Some(Reason::Method(preflight.method)));
        }
        match self.allow_headers.first_denied(request_headers) {
            Some(name) if is_token(name) => (Outcome::HeaderDenied, Some(Reason::Header(name))),
            Some(name) => (Outcome::HeaderDenied, Some(Reason::NotAHeaderName(name))),
            None => (Outcome::Allowed, None),
        }
    }
}

#[inline(always)]
fn says_same_origin(fetch_site: Field<'_>) -> bool {
    fetch_site == Field::One(b"same-origin")
}

/// The verdict on an origin that no list admits.
#[inline(always)]
fn judge_stranger<'r>(origin: &[u8], says_same_origin: bool, context: &impl Context<'r>) -> Verdict {
    if says_same_origin || Target::may_be(context.authority(), origin) {
        judge_neighbour(origin, says_same_origin, context)
    } else {
        Verdict::Denied
    }
}

/// The same for an origin that may be the request's own.
#[inline(never)]
fn judge_neighbour<'r>(origin: &[u8], says_same_origin: bool, context: &impl Context<'r>) -> Verdict {
    if context.target().is(origin) || (says_same_origin && is_origin(origin)) {
        Verdict::SameOrigin
    } else {
        Verdict::Denied
    }
}
