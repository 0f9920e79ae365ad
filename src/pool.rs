//! Memory whose life nginx ends.

use core::ffi::c_void;
use core::ptr::NonNull;
use std::panic::catch_unwind;

use nginx_sys::{ngx_pnalloc, ngx_pool_cleanup_add, ngx_pool_t};

use crate::guard::discard;

/// nginx has no memory left.
#[derive(Debug)]
pub(crate) struct OutOfMemory;

/// Moves `value` to the heap until `pool` is destroyed, and drops it then.
///
/// # Safety
///
/// `pool` is alive.
pub(crate) unsafe fn keep<T>(pool: *mut ngx_pool_t, value: T) -> Result<NonNull<T>, OutOfMemory> {
    // SAFETY: the caller vouches for the pool.
    let cleanup = unsafe { ngx_pool_cleanup_add(pool, 0).as_mut() }.ok_or(OutOfMemory)?;
    let kept = NonNull::from(Box::leak(Box::new(value)));
    cleanup.data = kept.as_ptr().cast();
    cleanup.handler = Some(drop_kept::<T>);
    Ok(kept)
}

unsafe extern "C" fn drop_kept<T>(data: *mut c_void) {
    // There is no log here that is sure to be alive. What cannot be dropped is left.
    catch_unwind(|| {
        // SAFETY: `keep` leaked this very box, and nginx runs a cleanup once.
        drop(unsafe { Box::from_raw(data.cast::<T>()) });
    })
    .unwrap_or_else(discard);
}

/// Bytes that live as long as `pool`: `parts` joined by `, `.
///
/// # Safety
///
/// `pool` is alive for `'p`.
pub(crate) unsafe fn join<'p, 'a>(
    pool: *mut ngx_pool_t,
    parts: impl Iterator<Item = &'a [u8]> + Clone,
) -> Result<&'p [u8], OutOfMemory> {
    const SEPARATOR: &[u8] = b", ";
    let length: usize = parts.clone().map(|part| part.len() + SEPARATOR.len()).sum();
    let length = length.saturating_sub(SEPARATOR.len());
    // SAFETY: the caller vouches for the pool.
    let start = unsafe { ngx_pnalloc(pool, length.max(1)) }.cast::<u8>();
    if start.is_null() {
        return Err(OutOfMemory);
    }
    let mut written = 0;
    for part in parts {
        for bytes in [if written == 0 { &[] } else { SEPARATOR }, part] {
            if bytes.len() > length - written {
                // An iterator that gives more the second time would write past the end.
                return Err(OutOfMemory);
            }
            // SAFETY: `written + bytes.len() <= length`, and `length` bytes were allocated just now.
            unsafe { start.add(written).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            written += bytes.len();
        }
    }
    // SAFETY: the first `written` bytes have been written, and nothing else points to them.
    Ok(unsafe { core::slice::from_raw_parts(start, written) })
}
