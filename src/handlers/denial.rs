//! The log lines of denials, and of what a candidate would change.
//!
//! The first of a kind in a minute is logged at `cors_log_level`, which is `error` unless it says otherwise, as
//! `limit_req` and `deny` log theirs. What follows is logged at `info`: a popular page of a stranger fills no disk.

use core::hash::{BuildHasher, Hash};

use cors_policy::{Change, LogLevel, Outcome};
use foldhash::fast::FixedState;
use nginx_sys::{ngx_uint_t, NGX_LOG_ERR, NGX_LOG_INFO, NGX_LOG_NOTICE, NGX_LOG_WARN};
use ngx::ngx_log_error;

use crate::config::KindSeen;
use crate::decide::Decided;
use crate::nginx::clock::now;
use crate::request::{Request, RequestContext};

/// Logs why a request was denied, or why its preflight is of no use, if that is so: once a request. Where the log takes no
/// line of this level, nobody asks here whether a preflight finds its method and headers allowed.
pub(super) fn log_denial<'r>(request: Request<'r>, context: &RequestContext<'r>, decided: &Decided<'r>) {
    let level = log_level(decided);
    if !request.logs(level) {
        return;
    }
    let (outcome, Some(reason)) = decided.result(request) else {
        return;
    };
    if !context.claim_denial_log() {
        return;
    }
    let level = level_of_kind(request, level, (address(decided), reason));
    let what = match outcome {
        Outcome::Unanswered => "unanswered",
        _ => "denied",
    };
    let dry_run = if decided.policy.settings().dry_run {
        " (dry run)"
    } else {
        ""
    };
    ngx_log_error!(level, request.log(), "cors {}{}: {}", what, dry_run, reason);
}

/// Logs what the candidate of a location would change for the request.
pub(super) fn log_change<'r>(request: Request<'r>, decided: &Decided<'r>, change: &Change<'r>) {
    let level = log_level(decided);
    if !request.logs(level) {
        return;
    }
    let level = level_of_kind(request, level, (address(decided), change));
    ngx_log_error!(level, request.log(), "cors candidate {}", change);
}

fn log_level(decided: &Decided<'_>) -> ngx_uint_t {
    let level = match decided.policy.settings().log_level {
        LogLevel::Info => NGX_LOG_INFO,
        LogLevel::Notice => NGX_LOG_NOTICE,
        LogLevel::Warn => NGX_LOG_WARN,
        LogLevel::Error => NGX_LOG_ERR,
    };
    level as ngx_uint_t
}

fn address(decided: &Decided<'_>) -> usize {
    core::ptr::from_ref(decided.location) as usize
}

/// The level for a line of this kind: `first` for the first one in a minute. Lines of a kind have location, result, and the
/// origin, method or header that failed in common.
///
/// Whoever invents kinds leaves no room for others, whose lines are then at `info`. A line at `first` says so: who sees it
/// knows that the log does not show everything.
fn level_of_kind(request: Request<'_>, first: ngx_uint_t, kind: impl Hash) -> ngx_uint_t {
    let kind = FixedState::default().hash_one(kind);
    let seen = request.main_conf().logged_denials.look(kind, now());
    if seen == KindSeen::NoRoom {
        ngx_log_error!(
            first,
            request.log(),
            "cors: too many kinds of denials: for a minute, further kinds are logged at \"info\"; cors_status counts them all"
        );
    }
    match seen {
        KindSeen::First => first,
        KindSeen::Before | KindSeen::NoRoom | KindSeen::NoRoomAsLogged => NGX_LOG_INFO as ngx_uint_t,
    }
}
