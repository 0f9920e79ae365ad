//! What the governing policy makes of a request.

use cors_policy::{Decision, Field, HeaderName, Outcome, Policy, Preflight, Reason, ResponseKind, Verdict};
use nginx_sys::ngx_uint_t;
use ngx::ngx_log_error;

use crate::prepared::{Answer, Prepared};
use crate::request::{Lines, Request};
use crate::state::{self, State};
use crate::zone::Place;

const ALLOW_ORIGIN: &[u8] = HeaderName::AllowOrigin.as_str().as_bytes();

/// A policy's view of a request.
#[derive(Clone, Copy)]
pub(crate) struct Judgement<'r> {
    prepared: &'r Prepared,
    /// Where it counts, if it does.
    place: Option<&'r Place>,
    pub(crate) policy: &'r Policy,
    pub(crate) verdict: Verdict,
    origin: Field<'r>,
    preflight: Option<Preflight<'r>>,
}

/// Whether a policy takes the request for a preflight. No one has to be judged for that.
pub(crate) fn is_preflight(request: Request<'_>) -> bool {
    if request.location().is_off_here() {
        return false;
    }
    let (location, state) = state::governing(request);
    let is_options = state.map_or_else(|| request.is_options(), State::is_options);
    let is_noted = || state.is_some_and(|state| state.preflight().is_some());
    let governed = location.prepared().is_some();
    governed && (is_noted() || (is_options && request.read().preflight().is_some()))
}

impl<'r> Judgement<'r> {
    /// The judgement on a request, if a policy governs it.
    #[inline(always)] // its parts need not be put together where they are looked at one by one
    pub(crate) fn of(request: Request<'r>) -> Option<Self> {
        if request.location().is_off_here() {
            return None;
        }
        let (location, state) = state::governing(request);
        let place = location.place();
        let prepared = location.prepared()?;
        let policy = prepared.policy();
        if let Some((verdict, preflight)) = state.and_then(State::preflight) {
            return Some(Self {
                prepared,
                place,
                policy,
                verdict,
                origin: Field::One(preflight.origin),
                preflight: Some(preflight),
            });
        }
        let read = if state.map_or_else(|| request.is_options(), State::is_options) {
            request.read()
        } else if policy.answers_anyone() {
            Lines::default()
        } else {
            request.read_actual()
        };
        Some(Self {
            place,
            ..Self::by(prepared, request, &read)
        })
    }

    /// The same, for those who ask more rarely, and perhaps while a judgement is being made.
    #[inline(never)]
    pub(crate) fn once_more(request: Request<'r>) -> Option<Self> {
        if request.is_being_judged() {
            return None;
        }
        Self::of(request)
    }

    /// What a policy makes of a request with these headers.
    #[inline(always)] // as above
    pub(crate) fn by(prepared: &'r Prepared, request: Request<'r>, read: &Lines<'r>) -> Self {
        let policy = &**prepared.policy();
        Self {
            prepared,
            place: None,
            policy,
            verdict: read.decide(false, policy, request).verdict(),
            origin: read.origin(),
            preflight: read.preflight(),
        }
    }

    #[inline]
    pub(crate) fn preflight(self) -> Option<Preflight<'r>> {
        self.preflight
    }

    /// The headers of the response.
    #[inline]
    pub(crate) fn answer(self) -> Option<&'r Answer> {
        self.prepared
            .answer(ResponseKind::of(self.verdict, self.preflight.is_some()))
    }

    /// The one origin of the request.
    #[inline]
    pub(crate) fn origin(self) -> &'r [u8] {
        match self.origin {
            Field::One(origin) => origin,
            Field::Absent | Field::Several => &[],
        }
    }

    /// The value of `Access-Control-Allow-Origin`, which with a plain `*` is sent where there is no `Origin`, too.
    pub(crate) fn allowed_origin(self, request: Request<'r>) -> Option<&'r [u8]> {
        kept_origin(request, self.policy).or_else(|| self.decision().allowed_origin())
    }

    pub(crate) fn place(&self) -> Option<&'r Place> {
        self.place
    }

    /// How the request ended, and why.
    pub(crate) fn outcome(self, request: Request<'r>) -> (Outcome, Option<Reason<'r>>) {
        let decision = match self.preflight {
            // Nobody has looked at the origin yet.
            None if self.policy.answers_anyone() => Decision::new(self.verdict, request.read_actual().origin(), None),
            _ => self.decision(),
        };
        self.policy.result(&decision, request.requested_headers())
    }

    fn decision(&self) -> Decision<'r> {
        Decision::new(self.verdict, self.origin, self.preflight)
    }

    /// Remembers the verdict for when the request is counted.
    pub(crate) fn note(&self, request: Request<'r>) {
        if let (Some(place), None, (_, Some(state))) = (self.place, self.preflight, state::governing(request)) {
            state.note(place, self.verdict, self.origin());
        }
    }

    /// Logs a denial, once a request, if anyone listens.
    pub(crate) fn log(self, request: Request<'r>) {
        if request.logs(self.prepared.log_level()) {
            self.log_at(self.prepared.log_level(), request);
        }
    }

    #[cold]
    fn log_at(self, level: ngx_uint_t, request: Request<'r>) {
        if let (_, Some(reason)) = self.outcome(request) {
            if state::tells_first(request) {
                let dry_run = if self.policy.is_dry_run() { " (dry run)" } else { "" };
                ngx_log_error!(level, request.log(), "cors denied{}: {}", dry_run, reason);
            }
        }
    }
}

/// Logs a denial, once a request, where the caller has seen that someone listens.
#[cold]
pub(crate) fn log_denial(request: Request<'_>) {
    if let Some(judgement) = Judgement::once_more(request) {
        judgement.log(request);
    }
}

/// The value of `Access-Control-Allow-Origin` that the response has already, where that stands.
pub(crate) fn kept_origin<'r>(request: Request<'r>, policy: &Policy) -> Option<&'r [u8]> {
    if policy.overrides() {
        return None;
    }
    let mut headers = request.response_headers();
    headers
        .find(|header| header.name().eq_ignore_ascii_case(ALLOW_ORIGIN))
        .map(|header| header.value())
}
