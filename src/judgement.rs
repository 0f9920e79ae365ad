//! What the governing policy makes of a request.

use cors_policy::{Field, HeaderName, Kind, LogLevel, Outcome, Policy, Preflight, Reason, Verdict};
use nginx_sys::{ngx_uint_t, NGX_LOG_ERR, NGX_LOG_INFO, NGX_LOG_NOTICE, NGX_LOG_WARN};
use ngx::ngx_log_error;

use crate::prepared::{Answer, Prepared};
use crate::request::Request;
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
        if request.location().is_off_here() || request.is_being_judged() {
            return None;
        }
        let (location, state) = state::governing(request);
        let place = location.place();
        let prepared = location.prepared()?;
        let is_options = state.map_or_else(|| request.is_options(), State::is_options);
        if let Some((verdict, preflight)) = state.and_then(State::preflight) {
            return Some(Self {
                prepared,
                place,
                policy: prepared.policy(),
                verdict,
                origin: Field::One(preflight.origin),
                preflight: Some(preflight),
            });
        }
        Some(Self {
            place,
            ..Self::by(prepared, request, is_options)
        })
    }

    /// The same, for those who ask more rarely.
    #[inline(never)]
    pub(crate) fn once_more(request: Request<'r>) -> Option<Self> {
        Self::of(request)
    }

    /// What a policy makes of a request that came as `OPTIONS`, or did not.
    #[inline(always)] // as above
    pub(crate) fn by(prepared: &'r Prepared, request: Request<'r>, is_options: bool) -> Self {
        let policy = &**prepared.policy();
        let (origin, preflight) = if is_options {
            let read = request.read();
            (read.origin, read.preflight())
        } else if policy.answers_anyone() {
            (Field::Absent, None)
        } else {
            (request.origin(), None)
        };
        Self {
            prepared,
            place: None,
            policy,
            verdict: policy.judge_origin(origin, || request.fetch_site(), &request),
            origin,
            preflight,
        }
    }

    #[inline]
    pub(crate) fn preflight(self) -> Option<Preflight<'r>> {
        self.preflight
    }

    /// The headers of the response.
    #[inline]
    pub(crate) fn answer(self) -> Option<&'r Answer> {
        self.prepared.answer(Kind::of(self.verdict, self.preflight.is_some()))
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
        self.kept_origin(request)
            .or_else(|| self.policy.allowed_origin(self.verdict, self.origin))
    }

    /// The value that the response has already, where that stands.
    pub(crate) fn kept_origin(self, request: Request<'r>) -> Option<&'r [u8]> {
        if self.policy.overrides() {
            return None;
        }
        let mut headers = request.response_headers();
        headers
            .find(|header| header.name().eq_ignore_ascii_case(ALLOW_ORIGIN))
            .map(|header| header.value())
    }

    pub(crate) fn place(&self) -> Option<&'r Place> {
        self.place
    }

    /// How the request ended, and why.
    pub(crate) fn outcome(self, request: Request<'r>) -> (Outcome, Option<Reason<'r>>) {
        match self.preflight {
            Some(preflight) => self
                .policy
                .preflight_outcome(self.verdict, preflight, request.requested_headers()),
            // Nobody has looked at it yet.
            None if self.policy.answers_anyone() => self.policy.outcome(self.verdict, request.origin()),
            None => self.policy.outcome(self.verdict, self.origin),
        }
    }

    /// Remembers the verdict for when the request is counted.
    #[inline]
    pub(crate) fn note(&self, request: Request<'r>) {
        if let (Some(place), None) = (self.place, self.preflight) {
            state::note(request, place, self.verdict);
        }
    }

    /// Logs a denial, once a request, if anyone listens.
    #[inline]
    pub(crate) fn log(self, request: Request<'r>) {
        let level = match self.policy.log_level() {
            LogLevel::Info => NGX_LOG_INFO,
            LogLevel::Notice => NGX_LOG_NOTICE,
            LogLevel::Warn => NGX_LOG_WARN,
            LogLevel::Error => NGX_LOG_ERR,
        };
        if request.logs(level as ngx_uint_t) {
            self.log_at(level, request);
        }
    }

    #[cold]
    fn log_at(self, level: u32, request: Request<'r>) {
        if let (_, Some(reason)) = self.outcome(request) {
            if state::tells_first(request) {
                let dry_run = if self.policy.is_dry_run() { " (dry run)" } else { "" };
                ngx_log_error!(level, request.log(), "cors denied{}: {}", dry_run, reason);
            }
        }
    }
}
