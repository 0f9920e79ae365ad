//! Keeps panics on this side: one that crossed into nginx would take down the worker, or in a directive the master.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

use nginx_sys::{ngx_log_t, NGX_LOG_ALERT};
use ngx::ngx_log_error;

/// Runs what stands behind a door that nginx calls; a panic is logged and becomes `fallback`.
///
/// Nothing that a panic may leave half done is looked at again: the caller gives up the request or the configuration.
pub(crate) fn guard<T>(log: *mut ngx_log_t, fallback: T, run: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        let message = describe(payload.as_ref());
        ngx_log_error!(NGX_LOG_ALERT, log, "cors: internal error: {}", message);
        // A payload may panic when it is dropped.
        std::mem::forget(payload);
        fallback
    })
}

fn describe(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
