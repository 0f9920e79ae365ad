//! The log line of a denial.

use cors_policy::LogLevel;
use nginx_sys::{ngx_uint_t, NGX_LOG_ERR, NGX_LOG_INFO, NGX_LOG_NOTICE, NGX_LOG_WARN};
use ngx::ngx_log_error;

use crate::decide::Decided;
use crate::request::{Request, RequestContext};

/// Logs why the request was denied, if it was: once a request, and only if the log takes the level.
#[inline]
pub(super) fn log_denial<'r>(request: Request<'r>, decided: &Decided<'r>) {
    // A preflight may be denied for its method or headers, which takes a look at the lists.
    if decided.decision.is_denied() || decided.decision.is_preflight() {
        log_if_denied(request, decided);
    }
}

fn log_if_denied<'r>(request: Request<'r>, decided: &Decided<'r>) {
    let level = match decided.policy.settings().log_level {
        LogLevel::Info => NGX_LOG_INFO,
        LogLevel::Notice => NGX_LOG_NOTICE,
        LogLevel::Warn => NGX_LOG_WARN,
        LogLevel::Error => NGX_LOG_ERR,
    } as ngx_uint_t;
    if !request.logs(level) {
        return;
    }
    let (_, Some(reason)) = decided.result(request) else {
        return;
    };
    let is_first = RequestContext::get(request).is_none_or(RequestContext::claim_denial_log);
    if is_first {
        let dry_run = if decided.policy.settings().dry_run {
            " (dry run)"
        } else {
            ""
        };
        ngx_log_error!(level, request.log(), "cors denied{}: {}", dry_run, reason);
    }
}
