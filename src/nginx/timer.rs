//! nginx's timers.

use core::ptr::NonNull;

use nginx_sys::{ngx_connection_t, ngx_cycle_t, ngx_event_t, ngx_log_t};

use super::panic::guard;
use super::pool::OutOfMemory;
use super::shim;

/// What a timer calls.
pub(crate) trait OnTimer: 'static {
    /// The time has come.
    fn on_timer(&self);
}

/// A timer of this process, which calls once for each time that it is started. It does not keep a process that finishes
/// from its end. When it is dropped, it calls no more.
pub(crate) struct Timer {
    event: NonNull<ngx_event_t>,
}

impl Timer {
    /// A timer that calls `target`.
    ///
    /// # Safety
    ///
    /// nginx has made the event loop of this process. The timer is dropped before `target`, and before the pool of `cycle` is
    /// destroyed.
    pub(crate) unsafe fn new<T: OnTimer>(cycle: *mut ngx_cycle_t, target: *const T) -> Result<Self, OutOfMemory> {
        // SAFETY: the caller vouches for the cycle; the function allocates in its pool, and returns null or a timer.
        let event = unsafe { shim::ngx_http_cors_new_timer(cycle, Some(call::<T>), target.cast_mut().cast()) };
        let event = NonNull::new(event).ok_or(OutOfMemory)?;
        Ok(Self { event })
    }

    /// Has it call in so many milliseconds, and not when it would have called before.
    pub(crate) fn start(&self, milliseconds: usize) {
        // SAFETY: see `new`; only this thread works with timers (invariant 1).
        unsafe { shim::ngx_http_cors_start_timer(self.event.as_ptr(), milliseconds as _) };
    }

    /// The log of the configuration for which it was made.
    pub(crate) fn log(&self) -> *mut ngx_log_t {
        // SAFETY: see `new`.
        unsafe { (*self.event.as_ptr()).log }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: see `new`; the event loop lasts as long as the process.
        unsafe { shim::ngx_http_cors_stop_timer(self.event.as_ptr()) };
    }
}

unsafe extern "C" fn call<T: OnTimer>(event: *mut ngx_event_t) {
    // SAFETY: nginx calls this hook with the event of a timer that is not dropped; see `Timer::new` for what it was made
    // with.
    let (log, target) = unsafe {
        let connection = (*event).data.cast::<ngx_connection_t>();
        ((*event).log, (*connection).data.cast::<T>())
    };
    guard(log, (), || {
        // SAFETY: as above.
        if let Some(target) = unsafe { target.as_ref() } {
            target.on_timer();
        }
    });
}
