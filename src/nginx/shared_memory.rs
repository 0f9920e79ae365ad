//! A zone of memory that all processes of nginx share, and that a reload keeps.
//!
//! nginx maps the memory while it takes up a configuration. It unmaps it when another configuration has taken the place
//! of that one and no longer has the zone, or has it in another size. With `master_process off` the same process goes on
//! then, and may still have requests of the old configuration. So the memory is looked at only while the configuration
//! is the one in force.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicU64;

use nginx_sys::{
    ngx_conf_t, ngx_cycle, ngx_cycle_t, ngx_int_t, ngx_list_part_t, ngx_log_t, ngx_shared_memory_add, ngx_shm_zone_t,
    ngx_slab_pool_t,
};

use super::module::{HandlerModule, ModuleRecord};
use super::string::as_ngx_str;

/// What nginx calls once it has the memory.
pub(crate) type Init = unsafe extern "C" fn(*mut ngx_shm_zone_t, *mut c_void) -> ngx_int_t;

/// A zone of one configuration.
pub(crate) struct SharedMemory {
    /// The configuration.
    cycle: *const ngx_cycle_t,
    words: Cell<Option<NonNull<[AtomicU64]>>>,
}

impl SharedMemory {
    /// # Safety
    ///
    /// `cf` is the configuration that nginx is reading.
    pub(crate) unsafe fn new(cf: *const ngx_conf_t) -> Self {
        Self {
            // SAFETY: the caller vouches for it.
            cycle: unsafe { (*cf).cycle },
            words: Cell::new(None),
        }
    }

    /// Takes up the memory that nginx has mapped, and shows it to `look`.
    ///
    /// # Safety
    ///
    /// nginx has called the init hook of `zone`, a zone of this configuration, and that has not returned yet.
    pub(crate) unsafe fn open<R>(&self, zone: *const ngx_shm_zone_t, look: impl FnOnce(&[AtomicU64]) -> R) -> R {
        // SAFETY: nginx has put a slab pool before the memory that is for the module, and no one allocates from that.
        // All processes that have the mapping see the words as atomics alone.
        let words = unsafe {
            let pool = (*zone).shm.addr.cast::<ngx_slab_pool_t>();
            let (start, end) = ((*pool).start, (*pool).end);
            let length = (end as usize).saturating_sub(start as usize) / size_of::<AtomicU64>();
            &*ptr::slice_from_raw_parts(start.cast::<AtomicU64>(), length)
        };
        self.words.set(Some(NonNull::from(words)));
        look(words)
    }

    /// Shows the memory to `look` before the configuration is in force.
    ///
    /// # Safety
    ///
    /// nginx is taking up this configuration: it has called a hook for its cycle, and that has not returned yet.
    pub(crate) unsafe fn look_before_use<R>(&self, look: impl FnOnce(&[AtomicU64]) -> R) -> Option<R> {
        // SAFETY: `open` was given memory that nginx does not unmap while it is taking up the configuration.
        self.words.get().map(|words| look(unsafe { words.as_ref() }))
    }

    /// Shows the memory to `look`, while the configuration is in force.
    #[inline]
    pub(crate) fn look<R>(&self, look: impl FnOnce(&[AtomicU64]) -> R) -> Option<R> {
        // SAFETY: nginx sets the variable before it reads a configuration, and this process has one thread.
        let is_in_force = unsafe { ptr::eq(ngx_cycle.cast_const(), self.cycle) };
        // SAFETY: nginx unmaps the memory only when it has put another cycle in the place of this one, which cannot
        // happen while `look` runs, as `look` does not return to nginx. A cycle does not come back.
        let look = |words: NonNull<[AtomicU64]>| look(unsafe { words.as_ref() });
        self.words.get().filter(|_| is_in_force).map(look)
    }
}

impl SharedMemory {
    /// The memory, for as long as it may be: it is not to be looked at when the configuration is in force no more.
    ///
    /// # Safety
    ///
    /// In a worker it is used until nginx calls the hook for the end of the process, and no longer. With
    /// `master_process off` it is used within [`SharedMemory::look`] alone.
    pub(crate) unsafe fn lend(&self) -> Option<&'static [AtomicU64]> {
        // SAFETY: nginx unmaps nothing in a worker, whose configuration stays the one in force; `look` makes sure of that
        // where one process serves. The caller vouches for the rest.
        self.words.get().map(|words| unsafe { words.as_ref() })
    }
}

/// Asks nginx for a zone in the configuration that it is reading; `None` if nginx refuses it, and has said why.
///
/// # Safety
///
/// `cf` is that configuration. `name`, and `data`, which `init` finds in the zone, live as long.
pub(crate) unsafe fn request_zone(
    cf: *mut ngx_conf_t,
    name: &[u8],
    size: usize,
    init: Init,
    data: *mut c_void,
) -> Option<()> {
    // SAFETY: the caller vouches for the configuration. nginx keeps the name and the tag, which is static,
    // and returns null or a zone of this configuration.
    unsafe {
        let zone = ngx_shared_memory_add(cf, &mut as_ngx_str(name), size, HandlerModule::record().cast());
        if zone.is_null() {
            return None;
        }
        (*zone).init = Some(init);
        (*zone).data = data;
    }
    Some(())
}

/// The log of the process that is taking up the configuration of this zone.
///
/// # Safety
///
/// nginx has called the init hook of `zone`.
pub(crate) unsafe fn log_of(zone: *const ngx_shm_zone_t) -> *mut ngx_log_t {
    // SAFETY: the caller vouches for it.
    unsafe { (*zone).shm.log }
}

/// What [`request_zone`] was given as `data`.
///
/// # Safety
///
/// nginx has called the init hook of `zone`, and `request_zone` was given a `T`.
pub(crate) unsafe fn data_of<'z, T>(zone: *const ngx_shm_zone_t) -> Option<&'z T> {
    // SAFETY: the caller vouches for it.
    unsafe { (*zone).data.cast::<T>().as_ref() }
}

/// The size that the zone of this name has in the configuration that is in force while nginx reads `cf`.
///
/// # Safety
///
/// `cf` is the configuration that nginx is reading.
pub(crate) unsafe fn size_in_force(cf: *const ngx_conf_t, name: &[u8]) -> Option<usize> {
    // SAFETY: the caller vouches for it; the former cycle lives until the new one is complete, and the list of its zones
    // is empty or initialised.
    unsafe {
        let former = (*(*cf).cycle).old_cycle.as_ref()?;
        let mut part: *const ngx_list_part_t = &former.shared_memory.part;
        while let Some(here) = part.as_ref() {
            for number in 0..here.nelts {
                let zone = &*here.elts.cast::<ngx_shm_zone_t>().add(number);
                if zone.shm.name.as_bytes() == name {
                    return Some(zone.shm.size);
                }
            }
            part = here.next;
        }
    }
    None
}
