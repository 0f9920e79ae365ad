//! nginx's lists of headers.

use core::marker::PhantomData;
use core::ptr;

use nginx_sys::{ngx_list_part_t, ngx_list_push, ngx_list_t, ngx_str_t, ngx_table_elt_t};

use crate::pool::OutOfMemory;

/// A header in a list.
#[repr(transparent)]
pub(crate) struct Entry(ngx_table_elt_t);

impl Entry {
    pub(crate) fn name(&self) -> &[u8] {
        self.0.key.as_bytes()
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.0.value.as_bytes()
    }

    /// Whether nginx still counts the entry; one that was removed stays in its place.
    fn is_live(&self) -> bool {
        self.0.hash != 0
    }
}

/// The live headers of a list.
#[derive(Clone)]
pub(crate) struct Entries<'l> {
    part: *const ngx_list_part_t,
    next: usize,
    list: PhantomData<&'l ngx_list_t>,
}

impl<'l> Entries<'l> {
    pub(crate) fn of(list: &'l ngx_list_t) -> Self {
        Self {
            part: &list.part,
            next: 0,
            list: PhantomData,
        }
    }

    fn next_place(&mut self) -> Option<*mut Entry> {
        loop {
            // SAFETY: parts belong to the list, which outlives this iterator; the last has no next.
            let part = unsafe { self.part.as_ref()? };
            if self.next < part.nelts {
                // SAFETY: a part holds `nelts` elements, and a list of headers holds table elements.
                let place = unsafe { part.elts.cast::<Entry>().add(self.next) };
                self.next += 1;
                // SAFETY: as above; the element was written before it was counted.
                if unsafe { (*place).is_live() } {
                    return Some(place);
                }
            } else {
                self.part = part.next;
                self.next = 0;
            }
        }
    }
}

impl<'l> Iterator for Entries<'l> {
    type Item = &'l Entry;

    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: the place lies in the list, which outlives `'l`; no one keeps an entry while entries are removed.
        self.next_place().map(|place| unsafe { &*place })
    }
}

/// Takes away the headers that `unwanted` picks by name and value.
pub(crate) fn remove(list: &mut ngx_list_t, mut unwanted: impl FnMut(&Entry) -> bool) {
    let mut entries = Entries::of(list);
    while let Some(place) = entries.next_place() {
        // SAFETY: the place lies in the list, of which this function has the only reference.
        unsafe {
            if unwanted(&*place) {
                (*place).0.hash = 0;
            }
        }
    }
}

/// Appends a header. The strings are not copied.
///
/// # Safety
///
/// All three live as long as the list's pool.
pub(crate) unsafe fn push(
    list: &mut ngx_list_t,
    name: &[u8],
    lower_name: &[u8],
    value: &[u8],
) -> Result<(), OutOfMemory> {
    // SAFETY: the list is initialised; nginx does that before any filter runs.
    let place = unsafe { ngx_list_push(list) }.cast::<ngx_table_elt_t>();
    if place.is_null() {
        return Err(OutOfMemory);
    }
    // SAFETY: all fields of a table element may be zero; which fields there are depends on nginx's version.
    let mut entry: ngx_table_elt_t = unsafe { core::mem::zeroed() };
    entry.hash = 1;
    entry.key = str(name);
    entry.value = str(value);
    entry.lowcase_key = lower_name.as_ptr().cast_mut();
    // SAFETY: nginx has just made room for one element there.
    unsafe { ptr::write(place, entry) };
    Ok(())
}

/// A string that nginx only reads.
pub(crate) fn str(bytes: &[u8]) -> ngx_str_t {
    ngx_str_t {
        len: bytes.len(),
        data: bytes.as_ptr().cast_mut(),
    }
}
