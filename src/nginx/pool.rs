//! nginx's pools: memory that is freed when a request or a configuration ends.

use core::ffi::c_void;
use core::mem::{align_of, needs_drop, size_of};
use core::ptr::NonNull;
use std::panic::catch_unwind;

use nginx_sys::{ngx_pnalloc, ngx_pool_cleanup_add, ngx_pool_cleanup_pt, ngx_pool_t};

use super::panic::discard;

/// nginx has no memory left.
#[derive(Debug)]
pub(crate) struct OutOfMemory;

/// nginx aligns what it allocates for a cleanup to a word (`NGX_ALIGNMENT`).
const ALIGNMENT: usize = size_of::<usize>();

/// The function that nginx calls for a cleanup.
pub(crate) type Cleanup = unsafe extern "C" fn(*mut c_void);

/// Moves `value` to the heap until `pool` is destroyed, and drops it then.
///
/// # Safety
///
/// `pool` is alive. Whatever `value` borrows outlives the pool.
pub(crate) unsafe fn keep<T>(pool: *mut ngx_pool_t, value: T) -> Result<NonNull<T>, OutOfMemory> {
    // SAFETY: the caller vouches for the pool. What nginx returns is null or a new cleanup, which nothing else uses.
    let cleanup = unsafe { ngx_pool_cleanup_add(pool, 0).as_mut() }.ok_or(OutOfMemory)?;
    let kept = NonNull::from(Box::leak(Box::new(value)));
    cleanup.data = kept.as_ptr().cast();
    cleanup.handler = Some(drop_kept::<T>);
    Ok(kept)
}

unsafe extern "C" fn drop_kept<T>(data: *mut c_void) {
    // There is no log here that is sure to be alive. What cannot be dropped is left.
    catch_unwind(|| {
        // SAFETY: `keep` made this very pointer from a box, and nginx runs a cleanup once.
        drop(unsafe { Box::from_raw(data.cast::<T>()) });
    })
    .unwrap_or_else(discard);
}

/// Puts `value` into the memory of `pool`, where [`find`] finds it by `marker`. It is not dropped.
///
/// # Safety
///
/// `pool` is alive for `'p`, as is what `value` borrows.
pub(crate) unsafe fn attach<'p, T>(pool: *mut ngx_pool_t, marker: Cleanup, value: T) -> Result<&'p T, OutOfMemory> {
    const {
        assert!(align_of::<T>() <= ALIGNMENT && size_of::<T>() > 0 && !needs_drop::<T>());
    }
    // SAFETY: the caller vouches for the pool. What nginx returns is null or a new cleanup, whose data is new memory of
    // the pool, large enough and aligned for a `T`, which is written before it is read.
    unsafe {
        let cleanup = ngx_pool_cleanup_add(pool, size_of::<T>());
        if cleanup.is_null() {
            return Err(OutOfMemory);
        }
        let place = (*cleanup).data.cast::<T>();
        place.write(value);
        (*cleanup).handler = Some(marker);
        Ok(&*place)
    }
}

/// What was put into the memory of `pool` under this marker.
///
/// # Safety
///
/// `pool` is alive for `'p`. No function but [`attach`] uses the marker, and always with this `T`; what that borrows
/// lives for `'p`, too.
pub(crate) unsafe fn find<'p, T>(pool: *mut ngx_pool_t, marker: Cleanup) -> Option<&'p T> {
    // SAFETY: the cleanups of a pool that is alive are a list whose last element has no next one. The data of one with
    // this marker is what `attach` has written.
    unsafe {
        let mut cleanup = (*pool).cleanup;
        while !cleanup.is_null() {
            if is(marker, (*cleanup).handler) {
                return Some(&*(*cleanup).data.cast::<T>());
            }
            cleanup = (*cleanup).next;
        }
    }
    None
}

fn is(marker: Cleanup, handler: ngx_pool_cleanup_pt) -> bool {
    handler.is_some_and(|handler| handler as usize == marker as usize)
}

/// Bytes in the memory of `pool`: `parts` joined by `, `.
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
    let mut is_first = true;
    for part in parts {
        for bytes in [if is_first { &[] } else { SEPARATOR }, part] {
            if bytes.len() > length - written {
                // An iterator that gives more the second time would write past the end.
                return Err(OutOfMemory);
            }
            // SAFETY: `written + bytes.len() <= length`, and `length` bytes were allocated just now.
            unsafe { start.add(written).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            written += bytes.len();
        }
        is_first = false;
    }
    // SAFETY: the first `written` bytes have been written, and nothing else points to them.
    Ok(unsafe { core::slice::from_raw_parts(start, written) })
}
