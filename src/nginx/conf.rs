//! The parts of a configuration that nginx keeps for a module.

use core::ffi::c_void;
use core::ptr;

use nginx_sys::ngx_conf_t;

use super::panic::guard;
use super::pool;

/// Makes a part that lives as long as the configuration, and is dropped with it. Null tells nginx that it failed.
///
/// # Safety
///
/// `cf` is the configuration that nginx is reading.
pub(crate) unsafe fn create<T: Default + 'static>(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: the caller vouches for the configuration, which has a log and a pool.
    let (log, pool) = unsafe { ((*cf).log, (*cf).pool) };
    guard(log, ptr::null_mut(), || {
        // SAFETY: the pool of a configuration that is being read is alive; the value borrows nothing.
        let kept = unsafe { pool::keep(pool, T::default()) };
        kept.map_or(ptr::null_mut(), |kept| kept.as_ptr().cast())
    })
}
