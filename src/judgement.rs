//! What the governing policy makes of a request.

use cors_policy::{Field, HeaderName, LogLevel, Outcome, Policy, Preflight, Reason, ResponseHeaders, Verdict};
use nginx_sys::{ngx_uint_t, NGX_LOG_ERR, NGX_LOG_INFO, NGX_LOG_NOTICE, NGX_LOG_WARN};
use ngx::ngx_log_error;

use crate::pool::OutOfMemory;
use crate::request::Request;
use crate::state;

const ALLOW_ORIGIN: &[u8] = HeaderName::AllowOrigin.as_str().as_bytes();

/// A policy's view of a request.
pub(crate) struct Judgement<'r> {
    pub(crate) policy: &'r Policy,
    pub(crate) verdict: Verdict,
    origin: Field<'r>,
    preflight: Option<Preflight<'r>>,
}

/// Whether a policy takes the request for a preflight. No one has to be judged for that.
pub(crate) fn is_preflight(request: Request<'_>) -> bool {
    if request.location().is_some_and(|location| location.is_off_here()) {
        return false;
    }
    let sight = state::governing(request);
    let governed = sight.location.is_some_and(|location| location.policy().is_some());
    governed && (sight.preflight.is_some() || (sight.is_options && request.read().preflight().is_some()))
}

impl<'r> Judgement<'r> {
    /// The judgement on a request, if a policy governs it.
    pub(crate) fn of(request: Request<'r>) -> Option<Self> {
        if request.location().is_some_and(|location| location.is_off_here()) || request.is_being_judged() {
            return None;
        }
        let sight = state::governing(request);
        let policy = sight.location?.policy()?;
        Some(match sight.preflight {
            Some((verdict, preflight)) => Self::of_preflight(policy, verdict, preflight),
            None => Self::by(policy, request, sight.is_options),
        })
    }

    fn of_preflight(policy: &'r Policy, verdict: Verdict, preflight: Preflight<'r>) -> Self {
        Self {
            policy,
            verdict,
            origin: Field::One(preflight.origin),
            preflight: Some(preflight),
        }
    }

    /// What `policy` makes of a request that came as `OPTIONS`, or did not.
    pub(crate) fn by(policy: &'r Policy, request: Request<'r>, is_options: bool) -> Self {
        let read = request.read();
        Self {
            policy,
            verdict: policy.judge(&read, &request),
            origin: read.origin,
            preflight: is_options.then(|| read.preflight()).flatten(),
        }
    }

    pub(crate) fn preflight(&self) -> Option<Preflight<'r>> {
        self.preflight
    }

    /// The headers of the response.
    pub(crate) fn headers(&self) -> ResponseHeaders<'r> {
        match self.preflight {
            Some(preflight) => self.policy.preflight_response(self.verdict, preflight),
            None => self.policy.response(self.verdict, self.origin),
        }
    }

    /// The value of `Access-Control-Allow-Origin`, which with a plain `*` is sent where there is no `Origin`, too.
    pub(crate) fn allowed_origin(&self, request: Request<'r>) -> Option<&'r [u8]> {
        self.kept_origin(request)
            .or_else(|| self.policy.allowed_origin(self.verdict, self.origin))
    }

    /// The value that the response has already, where that stands.
    pub(crate) fn kept_origin(&self, request: Request<'r>) -> Option<&'r [u8]> {
        if self.policy.overrides() {
            return None;
        }
        let mut headers = request.response_headers();
        headers
            .find(|header| header.name().eq_ignore_ascii_case(ALLOW_ORIGIN))
            .map(|header| header.value())
    }

    /// How the request ended, and why.
    pub(crate) fn outcome(&self, request: Request<'r>) -> (Outcome, Option<Reason<'r>>) {
        match self.preflight {
            Some(preflight) => self
                .policy
                .preflight_outcome(self.verdict, preflight, request.requested_headers()),
            None => self.policy.outcome(self.verdict, self.origin),
        }
    }

    /// Logs a denial, once a request, if anyone listens.
    pub(crate) fn log(&self, request: Request<'r>) -> Result<(), OutOfMemory> {
        let level = match self.policy.log_level() {
            LogLevel::Info => NGX_LOG_INFO,
            LogLevel::Notice => NGX_LOG_NOTICE,
            LogLevel::Warn => NGX_LOG_WARN,
            LogLevel::Error => NGX_LOG_ERR,
        };
        if !request.logs(level as ngx_uint_t) {
            return Ok(());
        }
        if let (_, Some(reason)) = self.outcome(request) {
            if state::tells_first(request)? {
                let dry_run = if self.policy.is_dry_run() { " (dry run)" } else { "" };
                ngx_log_error!(level, request.log(), "cors denied{}: {}", dry_run, reason);
            }
        }
        Ok(())
    }
}
