//! Keeps panics on this side: one that crossed into nginx would take down the worker, or in a directive the master.

use std::any::Any;
use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
use std::sync::Mutex;

use nginx_sys::{ngx_log_t, NGX_LOG_ALERT};
use ngx::ngx_log_error;

/// Runs what stands behind a door that nginx calls; a panic is logged and becomes `fallback`.
///
/// What a panic may leave half done is given up: the response, or the configuration.
#[inline]
pub(crate) fn guard<T>(log: *mut ngx_log_t, fallback: T, run: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        tell(log, payload);
        fallback
    })
}

#[cold]
fn tell(log: *mut ngx_log_t, payload: Box<dyn Any + Send>) {
    let message = describe(payload.as_ref()).escape_debug();
    let place = PLACE
        .try_lock()
        .map(|mut place| std::mem::take(&mut *place))
        .unwrap_or_default();
    ngx_log_error!(NGX_LOG_ALERT, log, "cors: internal error: {} at {}", message, place);
    discard(payload);
}

/// Drops what a panic carried. That may panic as well, with a payload that may do the same: that one is forgotten.
pub(crate) fn discard(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
}

/// Where the last panic was. A thread-local variable would keep nginx from unloading the module.
static PLACE: Mutex<String> = Mutex::new(String::new());

/// Keeps the standard library from writing to the error log in a manner of its own.
pub(crate) fn silence() {
    set_hook(Box::new(|panic| {
        if let (Some(location), Ok(mut place)) = (panic.location(), PLACE.try_lock()) {
            *place = location.to_string();
        }
    }));
}

fn describe(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
