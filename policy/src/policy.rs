//! The policy of one location: it decides about requests and knows the headers of the responses to them.

use std::rc::Rc;

use crate::credentials::AllowCredentials;
use crate::decision::{Decision, Outcome, Reason, ResponseKind, Verdict};
use crate::expose::exposable;
use crate::header_name::{is_governed, TIMING_ALLOW_ORIGIN};
use crate::live_list::LiveList;
use crate::origin::{is_origin, ListRisks, OriginSet};
use crate::request::{Context, Field, IgnoredValue, Preflight, Request, Target};
use crate::response::{response_templates, ResponseHeaders, ResponseTemplates};
use crate::rules::{AllowOrigin, Cors, ListUse, Rules};
use crate::settings::{PreflightMode, Settings};
use crate::token::is_token;
use crate::variable_list::{admitted, Admitted};

/// What the `cors_*` directives of one location say.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    rules: Rules,
    /// Whether every request gets the same answer: `Access-Control-Allow-Origin: *`.
    answers_anyone: bool,
    /// What is ignored in lists that change while the server runs: in those of `cors_allow_origin`, and in those of
    /// `cors_allow_credentials`.
    ignored_in_lists: [ListRisks; 2],
    /// The headers of responses; there are none where CORS is off.
    responses: Option<Rc<ResponseTemplates>>,
}

impl Policy {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            answers_anyone: matches!(*rules.allow_origin, AllowOrigin::Any) && !rules.vary_by_origin(),
            ignored_in_lists: [
                rules.ignored_in_lists(matches!(*rules.allow_credentials, AllowCredentials::On)),
                rules.ignored_in_lists(true),
            ],
            responses: match rules.cors {
                Cors::On => Some(Rc::new(response_templates(&rules))),
                Cors::Off | Cors::OffHere => None,
            },
            rules,
        }
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Decides about a request. This is the only place where a request meets the rules.
    #[inline]
    pub fn decide<'r, 'c>(&self, request: &Request<'r>, context: &impl Context<'c>) -> Decision<'r> {
        Decision {
            verdict: self.judge(request, context),
            origin: request.origin,
            preflight: request.preflight(),
        }
    }

    /// Judges the origin of a request. The headers that follow from the verdict make the browser's "CORS check" (Fetch)
    /// succeed or fail.
    #[inline]
    fn judge<'c>(&self, request: &Request<'_>, context: &impl Context<'c>) -> Verdict {
        // CORS check, step 3: `*` is for requests without credentials, of any origin. Requests without an `Origin` get
        // it too, so that a cache may keep one response for all (Fetch, "CORS protocol and HTTP caches").
        if self.answers_anyone {
            return Verdict::Anyone;
        }
        let origin = match request.origin {
            // HTTP requests: a CORS request is one that has an `Origin`.
            Field::Absent => return Verdict::NoOrigin,
            Field::Several => return self.judge_several_origins(context),
            Field::One(origin) => origin,
        };
        // CORS check, step 4: the response has to name the origin, byte by byte.
        let allowed = match &*self.rules.allow_origin {
            AllowOrigin::Listed { set, .. } if set.contains(origin) => Some(self.judge_listed_origin(origin, context)),
            AllowOrigin::Listed { lists, .. } if self.is_in_lists(lists, origin, context) => {
                Some(self.judge_listed_origin(origin, context))
            }
            AllowOrigin::Listed { variables, .. } if variables.is_empty() => None,
            AllowOrigin::Listed { variables, .. } => match self.admitted_by_variables(variables, origin, context) {
                Admitted::Origin => Some(self.judge_listed_origin(origin, context)),
                Admitted::Anyone => self.judge_any_origin(origin, context),
                Admitted::Nobody => None,
            },
            AllowOrigin::Any => self.judge_any_origin(origin, context),
            AllowOrigin::Nobody => None,
        };
        match allowed {
            Some(verdict) => verdict,
            None => judge_unlisted(origin, request.fetch_site, context),
        }
    }

    /// An origin that is in the list (CORS check, steps 5 to 7).
    #[inline]
    fn judge_listed_origin<'c>(&self, origin: &[u8], context: &impl Context<'c>) -> Verdict {
        match &*self.rules.allow_credentials {
            AllowCredentials::Off => Verdict::Allowed,
            AllowCredentials::On => Verdict::AllowedWithCredentials,
            AllowCredentials::For { set, lists } if self.is_trusted(set, lists, origin, context) => {
                Verdict::AllowedWithCredentials
            }
            AllowCredentials::For { .. } => Verdict::Allowed,
        }
    }

    /// Whether one of these lists of `cors_allow_origin` admits the origin.
    #[inline]
    fn is_in_lists<'c>(&self, lists: &[Rc<LiveList>], origin: &[u8], context: &impl Context<'c>) -> bool {
        let [ignored, _] = self.ignored_in_lists;
        lists
            .iter()
            .any(|list| context.list_admits(list.number(), origin, ignored))
    }

    /// Whether `cors_allow_credentials` lists the origin.
    #[inline]
    fn is_trusted<'c>(
        &self,
        set: &OriginSet,
        lists: &[Rc<LiveList>],
        origin: &[u8],
        context: &impl Context<'c>,
    ) -> bool {
        let [_, ignored] = self.ignored_in_lists;
        set.contains(origin)
            || lists
                .iter()
                .any(|list| context.list_admits(list.number(), origin, ignored))
    }

    /// The lists that change while the server runs, and how the policy uses them.
    pub fn live_lists(&self) -> impl Iterator<Item = ListUse<'_>> {
        self.rules.list_uses()
    }

    /// `*` beside `cors_allow_credentials`, in `cors_allow_origin` or in a variable: `*` with credentials fails (CORS check,
    /// step 4), so an origin that is to have them is named.
    #[inline(never)]
    fn judge_any_origin<'c>(&self, origin: &[u8], context: &impl Context<'c>) -> Option<Verdict> {
        match &*self.rules.allow_credentials {
            AllowCredentials::On if !is_origin(origin) => None,
            AllowCredentials::On if self.rules.option_for_credentials(origin).is_none() => {
                Some(Verdict::AllowedWithCredentials)
            }
            AllowCredentials::On => Some(Verdict::Allowed),
            AllowCredentials::For { set, lists } if self.is_trusted(set, lists, origin, context) => {
                Some(Verdict::AllowedWithCredentials)
            }
            AllowCredentials::For { .. } | AllowCredentials::Off => Some(Verdict::Anyone),
        }
    }

    /// No browser sends several `Origin` headers. If everyone may read the response, so may whoever sends this.
    #[cold]
    fn judge_several_origins<'c>(&self, context: &impl Context<'c>) -> Verdict {
        let admits_anyone = match &*self.rules.allow_origin {
            AllowOrigin::Any => true,
            AllowOrigin::Listed { variables, .. } => {
                self.admitted_by_variables(variables, b"", context) == Admitted::Anyone
            }
            AllowOrigin::Nobody => false,
        };
        match &*self.rules.allow_credentials {
            AllowCredentials::Off | AllowCredentials::For { .. } if admits_anyone => Verdict::Anyone,
            _ => Verdict::Denied,
        }
    }

    /// Whom the values with variables admit, of those that may have sent this `Origin`.
    #[inline(never)]
    fn admitted_by_variables<'c>(&self, variables: &[usize], origin: &[u8], context: &impl Context<'c>) -> Admitted {
        for &number in variables {
            let ignore = |ignored: IgnoredValue<'_>| context.ignored_value(number, ignored);
            match admitted(&self.rules, context.variable(number), origin, &ignore) {
                Admitted::Nobody => {}
                admitted => return admitted,
            }
        }
        Admitted::Nobody
    }

    /// How a request ended, and why. `requested_headers` are the lines of its `Access-Control-Request-Headers`, which
    /// are read for a preflight alone. Of a preflight, origin, method and headers are looked at in this order, as
    /// browsers do, and the first that fails is the reason.
    pub fn result<'r>(
        &self,
        decision: &Decision<'r>,
        requested_headers: impl Iterator<Item = &'r [u8]>,
    ) -> (Outcome, Option<Reason<'r>>) {
        match (decision.preflight, decision.verdict) {
            (Some(preflight), Verdict::Anyone | Verdict::Allowed | Verdict::AllowedWithCredentials) => {
                let credentials = decision.verdict == Verdict::AllowedWithCredentials;
                self.result_of_preflight(preflight, requested_headers, credentials)
            }
            _ => self.result_of_origin(decision),
        }
    }

    /// How a preflight from an allowed origin ended.
    fn result_of_preflight<'r>(
        &self,
        preflight: Preflight<'r>,
        requested_headers: impl Iterator<Item = &'r [u8]>,
        credentials: bool,
    ) -> (Outcome, Option<Reason<'r>>) {
        // CORS-preflight fetch, step 7.5
        if !self.rules.allow_methods.allows(preflight.method) {
            return (Outcome::MethodDenied, Some(Reason::Method(preflight.method)));
        }
        // CORS-preflight fetch, steps 7.6 and 7.7
        match self.rules.allow_headers.first_denied(requested_headers, credentials) {
            Some(name) if is_token(name) => (Outcome::HeaderDenied, Some(Reason::Header(name))),
            Some(name) => (Outcome::HeaderDenied, Some(Reason::NotAHeaderName(name))),
            None => (Outcome::Allowed, None),
        }
    }

    /// How a request ended, going by its origin alone.
    fn result_of_origin<'r>(&self, decision: &Decision<'r>) -> (Outcome, Option<Reason<'r>>) {
        match decision.verdict {
            Verdict::NoOrigin => (Outcome::None, None),
            Verdict::SameOrigin => (Outcome::SameOrigin, None),
            Verdict::Anyone if decision.origin == Field::Absent => (Outcome::None, None),
            Verdict::Anyone | Verdict::Allowed | Verdict::AllowedWithCredentials => (Outcome::Allowed, None),
            Verdict::Denied => match decision.origin {
                Field::Several => (Outcome::Malformed, Some(Reason::SeveralOrigins)),
                Field::One(origin) if !is_origin(origin) => (Outcome::Malformed, Some(Reason::NotAnOrigin(origin))),
                Field::One(_) if matches!(*self.rules.allow_origin, AllowOrigin::Nobody) => {
                    (Outcome::OriginDenied, Some(Reason::NoOriginAllowed))
                }
                Field::One(origin) => (Outcome::OriginDenied, Some(Reason::Origin(origin))),
                Field::Absent => (Outcome::OriginDenied, None),
            },
        }
    }

    /// The status with which a preflight with this verdict is answered; `None` if it goes on to its handler.
    pub fn preflight_answer(&self, verdict: Verdict) -> Option<u16> {
        self.preflight_answer_if_applied(verdict)
            .filter(|_| !self.rules.settings.dry_run)
    }

    /// The status with which a preflight would be answered if this were no dry run.
    pub(crate) fn preflight_answer_if_applied(&self, verdict: Verdict) -> Option<u16> {
        if self.rules.settings.preflight == PreflightMode::Pass {
            return None;
        }
        match verdict {
            // CORS-preflight fetch, step 7: it has to be an ok status.
            Verdict::Anyone | Verdict::Allowed | Verdict::AllowedWithCredentials => Some(self.rules.preflight_status),
            // No browser asks before a request within its own origin; whatever asks here is not to be denied.
            Verdict::SameOrigin | Verdict::NoOrigin => None,
            Verdict::Denied => Some(403),
        }
    }

    /// The headers of a kind of response, if the policy applies.
    pub fn response_headers(&self, kind: ResponseKind) -> Option<ResponseHeaders<'_>> {
        self.responses.as_ref()?.get(kind.number()).map(ResponseHeaders)
    }

    /// For [`Value::FromRequest`](crate::Value::FromRequest): the names to echo from the lines of
    /// `Access-Control-Request-Headers`.
    pub fn echoed_headers<'a>(
        &'a self,
        lines: impl Iterator<Item = &'a [u8]> + Clone + 'a,
    ) -> impl Iterator<Item = &'a [u8]> + Clone + 'a {
        self.rules.allow_headers.echo(lines)
    }

    /// The line of `Access-Control-Request-Headers`, where it can be echoed as it stands: it is the only one, and all
    /// that it names is allowed.
    pub fn echoed_line<'a>(&self, mut lines: impl Iterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
        let line = lines.next()?;
        (lines.next().is_none() && self.rules.allow_headers.echoes_whole(line)).then_some(line)
    }

    /// For [`Value::FromResponse`](crate::Value::FromResponse): the names to expose of those that the response carries.
    pub fn exposed_headers<'a>(
        &self,
        names: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> impl Iterator<Item = &'a [u8]> + Clone {
        exposable(names)
    }

    /// Whether a response header of this name is the policy's to give or to take away.
    #[inline]
    pub fn owns_header(&self, name: &[u8]) -> bool {
        is_governed(name) || (self.rules.settings.timing_allow_origin && name.eq_ignore_ascii_case(TIMING_ALLOW_ORIGIN))
    }

    /// Whether the policy applies.
    pub fn is_on(&self) -> bool {
        self.rules.cors == Cors::On
    }

    /// Whether the location itself says `cors off`, which wins over the policy that governs the request. A whole
    /// server that says it only repeats the default.
    pub fn is_off_here(&self) -> bool {
        self.rules.cors == Cors::OffHere
    }

    /// The status of an answered preflight.
    pub fn preflight_status(&self) -> u16 {
        self.rules.preflight_status
    }

    /// The directives that say how the policy is applied.
    #[inline]
    pub fn settings(&self) -> &Settings {
        &self.rules.settings
    }
}

/// Judges an origin that the policy does not allow. Same-origin requests carry an `Origin` too unless they are `GET` or
/// `HEAD` (Fetch, "append a request `Origin` header"), and are no business of CORS.
#[inline]
fn judge_unlisted<'c>(origin: &[u8], fetch_site: Field<'_>, context: &impl Context<'c>) -> Verdict {
    let says_same_origin = fetch_site == Field::One(b"same-origin");
    if !says_same_origin && !Target::may_be(context.authority(), origin) {
        return Verdict::Denied;
    }
    if context.target().is(origin) || (says_same_origin && is_origin(origin)) {
        Verdict::SameOrigin
    } else {
        Verdict::Denied
    }
}
