//! The log line of a denial.
//!
//! The first of a kind in a minute is logged at `cors_log_level`, which is `error` unless it says otherwise, as
//! `limit_req` and `deny` log theirs. What follows is logged at `info`: a popular page of a stranger fills no disk.

use core::hash::{BuildHasher, BuildHasherDefault};
use std::hash::DefaultHasher;

use cors_policy::{LogLevel, Outcome, Reason};
use nginx_sys::{ngx_uint_t, NGX_LOG_ERR, NGX_LOG_INFO, NGX_LOG_NOTICE, NGX_LOG_WARN};
use ngx::ngx_log_error;

use crate::decide::Decided;
use crate::nginx::clock::now;
use crate::request::{Request, RequestContext};

/// Logs why a request was denied, or why its preflight is of no use, if that is so: once a request.
pub(super) fn log_denial<'r>(
    request: Request<'r>,
    context: &RequestContext<'r>,
    decided: &Decided<'r>,
    (outcome, reason): (Outcome, Option<Reason<'r>>),
) {
    let Some(reason) = reason else {
        return;
    };
    let level = match decided.policy.settings().log_level {
        LogLevel::Info => NGX_LOG_INFO,
        LogLevel::Notice => NGX_LOG_NOTICE,
        LogLevel::Warn => NGX_LOG_WARN,
        LogLevel::Error => NGX_LOG_ERR,
    };
    if !request.logs(level as ngx_uint_t) || !context.claim_denial_log() {
        return;
    }
    let kind = kind(decided, &reason);
    let level = match request.main_conf().logged_denials.is_first(kind, now()) {
        true => level,
        false => NGX_LOG_INFO,
    };
    let what = match outcome {
        Outcome::Unanswered => "unanswered",
        _ => "denied",
    };
    let dry_run = if decided.policy.settings().dry_run {
        " (dry run)"
    } else {
        ""
    };
    ngx_log_error!(
        level as ngx_uint_t,
        request.log(),
        "cors {}{}: {}",
        what,
        dry_run,
        reason
    );
}

/// A number for denials that have location, result, and the origin, method or header that failed in common.
fn kind(decided: &Decided<'_>, reason: &Reason<'_>) -> u64 {
    let location = core::ptr::from_ref(decided.location) as usize;
    BuildHasherDefault::<DefaultHasher>::default().hash_one((location, reason))
}
