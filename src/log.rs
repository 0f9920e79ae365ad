//! Messages about a configuration.

use cors_policy::{Problem, Severity};
use nginx_sys::{ngx_log_t, NGX_LOG_EMERG, NGX_LOG_WARN};
use ngx::ngx_log_error;

/// Logs a problem with its place, as nginx does for its own.
pub(crate) fn problem(log: *mut ngx_log_t, problem: &Problem) {
    let level = match problem.severity {
        Severity::Error => NGX_LOG_EMERG,
        Severity::Warning => NGX_LOG_WARN,
    };
    ngx_log_error!(level, log, "{} in {}", problem, problem.at);
}
