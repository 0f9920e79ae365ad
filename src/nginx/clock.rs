//! nginx's clock.

use nginx_sys::ngx_cached_time;

/// Seconds since 1970, as of when nginx last looked at the clock.
pub(crate) fn now() -> u64 {
    // SAFETY: nginx sets the pointer before it reads a configuration, and always to a time that it has written whole;
    // nothing else runs in this process meanwhile (invariant 1).
    let seconds = unsafe { (*ngx_cached_time).sec };
    u64::try_from(seconds).unwrap_or(0)
}
