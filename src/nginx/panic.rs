//! Keeps panics on this side: one that crossed into nginx would take down the worker, or in a directive the master.

use std::any::Any;
use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
use std::sync::Mutex;

use nginx_sys::{ngx_log_t, NGX_LOG_ALERT};
use ngx::ngx_log_error;

/// Runs what stands behind a hook. A panic is logged, and `failed` is returned.
///
/// What a panic may leave half done is given up: the response, or the configuration.
#[inline]
pub(crate) fn guard<T>(log: *mut ngx_log_t, failed: T, run: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        log_panic(log, payload);
        failed
    })
}

#[cold]
fn log_panic(log: *mut ngx_log_t, payload: Box<dyn Any + Send>) {
    let message = message_of(payload.as_ref()).escape_debug();
    let location = LAST_LOCATION
        .try_lock()
        .map(|mut location| std::mem::take(&mut *location))
        .unwrap_or_default();
    ngx_log_error!(NGX_LOG_ALERT, log, "cors: internal error: {} at {}", message, location);
    discard(payload);
}

/// Drops what a panic carried. That may panic as well, with a payload that may do the same: that one is forgotten.
pub(crate) fn discard(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
}

/// Where the last panic was, for the log line. A thread-local variable would keep nginx from unloading the module.
static LAST_LOCATION: Mutex<String> = Mutex::new(String::new());

/// Leaves it to [`guard`] to log panics: the standard library would write to standard error, in a form of its own.
pub(crate) fn take_over_panic_messages() {
    set_hook(Box::new(|panic| {
        if let (Some(location), Ok(mut last)) = (panic.location(), LAST_LOCATION.try_lock()) {
            *last = location.to_string();
        }
    }));
}

fn message_of(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
