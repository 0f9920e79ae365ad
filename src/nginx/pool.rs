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

#[cfg(test)]
pub(crate) mod tests {
    use core::cell::Cell;
    use std::rc::Rc;

    use nginx_sys::{ngx_create_pool, ngx_destroy_pool, ngx_log_t};

    use super::*;

    /// A pool for a test.
    pub(crate) struct Pool {
        raw: *mut ngx_pool_t,
        _log: Box<ngx_log_t>,
    }

    impl Pool {
        pub(crate) fn new() -> Self {
            // SAFETY: all fields of a log may be zero; the pool keeps the pointer, and is destroyed before the log.
            unsafe {
                let mut log: Box<ngx_log_t> = Box::new(core::mem::zeroed());
                let raw = ngx_create_pool(1024, &mut *log);
                assert!(!raw.is_null());
                Self { raw, _log: log }
            }
        }

        pub(crate) fn raw(&self) -> *mut ngx_pool_t {
            self.raw
        }

        /// Runs `run` while the pool is full and there is no memory to be had.
        pub(crate) fn exhaust(&self, run: impl FnOnce()) {
            extern "C" {
                fn ngx_http_cors_test_out_of_memory(is: core::ffi::c_int);
            }
            // SAFETY: the function sets a flag of this thread; the pool is alive.
            unsafe {
                ngx_http_cors_test_out_of_memory(1);
                while !ngx_pnalloc(self.raw, 1).is_null() {}
                run();
                ngx_http_cors_test_out_of_memory(0);
            }
        }
    }

    impl Drop for Pool {
        fn drop(&mut self) {
            // SAFETY: the pool was created by `new`, and this is its end.
            unsafe { ngx_destroy_pool(self.raw) };
        }
    }

    struct CountsDrops(Rc<Cell<usize>>);

    impl Drop for CountsDrops {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn what_is_kept_is_dropped_with_the_pool_once() {
        let drops = Rc::new(Cell::new(0));
        let pool = Pool::new();
        for _ in 0..100 {
            // SAFETY: the pool is alive, and so is what is kept, which nothing else borrows.
            let kept = unsafe { keep(pool.raw(), CountsDrops(drops.clone())).expect("memory").as_ref() };
            assert_eq!(kept.0.get(), 0);
        }
        drop(pool);
        assert_eq!(drops.get(), 100);
    }

    #[test]
    fn a_panic_while_the_pool_is_destroyed_stays_on_this_side() {
        struct Panics;
        impl Drop for Panics {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new("dropped"));
            }
        }
        let drops = Rc::new(Cell::new(0));
        let pool = Pool::new();
        // SAFETY: the pool is alive.
        unsafe {
            keep(pool.raw(), CountsDrops(drops.clone())).expect("memory");
            keep(pool.raw(), Panics).expect("memory");
            keep(pool.raw(), CountsDrops(drops.clone())).expect("memory");
        }
        drop(pool);
        assert_eq!(drops.get(), 2);
    }

    // Two functions that differ, or the linker could make one of them.
    unsafe extern "C" fn marker(data: *mut c_void) {
        core::hint::black_box(data);
    }

    unsafe extern "C" fn other_marker(_: *mut c_void) {
        core::hint::black_box(0);
    }

    #[test]
    fn what_is_attached_is_found_by_its_marker_alone() {
        let pool = Pool::new();
        // SAFETY: the pool is alive; each marker stands for one type.
        unsafe {
            assert!(find::<Cell<u64>>(pool.raw(), marker).is_none());
            let attached = attach(pool.raw(), marker, Cell::new(1_u64)).expect("memory");
            attach(pool.raw(), other_marker, [7_u8; 3]).expect("memory");
            keep(pool.raw(), String::from("kept")).expect("memory");
            attached.set(2);
            let found: &Cell<u64> = find(pool.raw(), marker).expect("attached");
            assert!(core::ptr::eq(found, attached));
            assert_eq!(found.get(), 2);
            assert_eq!(find(pool.raw(), other_marker), Some(&[7_u8; 3]));
        }
    }

    #[test]
    fn parts_are_joined_by_commas() {
        let pool = Pool::new();
        // SAFETY: the pool is alive.
        let joined = |parts: &[&[u8]]| unsafe { join(pool.raw(), parts.iter().copied()).expect("memory").to_vec() };
        assert_eq!(joined(&[]), b"");
        assert_eq!(joined(&[b"a"]), b"a");
        assert_eq!(joined(&[b"a", b"bc", b"d"]), b"a, bc, d");
        assert_eq!(joined(&[b"", b"", b"d"]), b", , d");
        let long = [b'x'; 5000];
        assert_eq!(joined(&[&long, b"y"]).len(), 5003);
    }

    #[test]
    fn parts_that_grow_between_two_looks_are_refused() {
        #[derive(Clone)]
        struct Grows(usize, Rc<Cell<usize>>);
        impl Iterator for Grows {
            type Item = &'static [u8];
            fn next(&mut self) -> Option<Self::Item> {
                self.0 += 1;
                match self.0 {
                    1 => {
                        self.1.set(self.1.get() + 1);
                        Some(&b"aaaaaaaa"[..self.1.get()])
                    }
                    _ => None,
                }
            }
        }
        let pool = Pool::new();
        // SAFETY: the pool is alive.
        let joined = unsafe { join(pool.raw(), Grows(0, Rc::default())) };
        assert!(joined.is_err());
    }

    #[test]
    fn nothing_is_made_where_memory_is_lacking() {
        let pool = Pool::new();
        let drops = Rc::new(Cell::new(0));
        // SAFETY: the pool is alive.
        pool.exhaust(|| unsafe {
            assert!(keep(pool.raw(), CountsDrops(drops.clone())).is_err());
            assert!(attach(pool.raw(), marker, 1_u8).is_err());
            assert!(join(pool.raw(), [&b"a"[..]].into_iter()).is_err());
        });
        assert_eq!(drops.get(), 1, "what was not kept");
    }
}
