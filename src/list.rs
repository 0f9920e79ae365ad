//! nginx's lists of headers.

use core::marker::PhantomData;
use core::ptr;
use core::slice;

use cors_policy::HeaderName;
use nginx_sys::{ngx_list_part_t, ngx_list_push, ngx_list_t, ngx_str_t, ngx_table_elt_t};

use crate::pool::OutOfMemory;

/// A header in a list.
#[repr(transparent)]
pub(crate) struct Entry(ngx_table_elt_t);

impl Entry {
    /// A header for a response. `value` is not copied, and neither is it looked at.
    pub(crate) fn new(name: HeaderName, value: &[u8]) -> Self {
        Self::from_parts(name.as_str(), name.as_lower_str(), value)
    }

    /// The same for any name.
    pub(crate) fn from_parts(name: &'static str, lower: &'static str, value: &[u8]) -> Self {
        // SAFETY: all fields of a table element may be zero; which fields there are depends on nginx's version.
        let mut entry: ngx_table_elt_t = unsafe { core::mem::zeroed() };
        entry.hash = 1;
        entry.key = str(name.as_bytes());
        entry.value = str(value);
        entry.lowcase_key = lower.as_ptr().cast_mut();
        Self(entry)
    }

    /// The same header.
    pub(crate) fn copy(&self) -> Self {
        Self(self.0)
    }

    /// The same header with another value.
    pub(crate) fn with(&self, value: &[u8]) -> Self {
        let mut entry = self.0;
        entry.value = str(value);
        Self(entry)
    }

    #[inline]
    pub(crate) fn name(&self) -> &[u8] {
        self.0.key.as_bytes()
    }

    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        self.0.value.as_bytes()
    }

    /// Whether nginx still counts the entry; one that was removed stays in its place.
    #[inline]
    fn is_live(&self) -> bool {
        self.0.hash != 0
    }
}

/// Most headers of a request are passed over with one look at what nginx's parsers have worked out from their names:
/// a hash. Few others fall through the sieve with those that are wanted; one that was removed, which has no hash, does not.
#[derive(Clone, Copy)]
pub(crate) struct Sieve(u64);

impl Sieve {
    /// Lets through headers with these names, which are in lower case.
    pub(crate) const fn of(mut names: &[&[u8]]) -> Self {
        // A module that adds a header to a request may know of no other hash than 1.
        let mut holes = 1 << 1;
        while let [name, others @ ..] = names {
            holes |= 1 << (hash(name) % 64);
            names = others;
        }
        assert!(holes & 1 == 0, "entries that were removed must not fall through");
        Self(holes)
    }

    /// Lets through what either does.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[inline(always)]
    pub(crate) fn lets_through(self, entry: &Entry) -> bool {
        self.0 >> (entry.0.hash % 64) & 1 != 0
    }
}

/// nginx's hash of a name in lower case (`ngx_hash_key`).
const fn hash(mut name: &[u8]) -> usize {
    let mut hash = 0_usize;
    while let [byte, rest @ ..] = name {
        hash = hash.wrapping_mul(31).wrapping_add(*byte as usize);
        name = rest;
    }
    hash
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

    /// The parts of the list: a loop in a loop is the shortest way through it.
    #[inline(always)]
    pub(crate) fn parts(self) -> impl Iterator<Item = &'l [Entry]> {
        let mut next = self.part;
        core::iter::from_fn(move || {
            // SAFETY: parts belong to the list, which outlives this iterator; the last has no next.
            let part = unsafe { next.as_ref() }?;
            next = part.next;
            Some(if part.nelts == 0 {
                &[]
            } else {
                // SAFETY: a part holds `nelts` elements, and a list of headers holds table elements.
                unsafe { slice::from_raw_parts(part.elts.cast::<Entry>(), part.nelts) }
            })
        })
    }
}

impl<'l> Iterator for Entries<'l> {
    type Item = &'l Entry;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            // SAFETY: parts belong to the list, which outlives this iterator; the last has no next.
            let part = unsafe { self.part.as_ref()? };
            if self.next < part.nelts {
                // SAFETY: a part holds `nelts` elements, and a list of headers holds table elements; no one keeps one
                // while others are removed.
                let entry = unsafe { &*part.elts.cast::<Entry>().add(self.next) };
                self.next += 1;
                if entry.is_live() {
                    return Some(entry);
                }
            } else {
                self.part = part.next;
                self.next = 0;
            }
        }
    }
}

/// Takes away the headers that `unwanted` picks by name and value.
#[inline]
pub(crate) fn remove(list: &mut ngx_list_t, mut unwanted: impl FnMut(&Entry) -> bool) {
    let mut next: *mut ngx_list_part_t = &mut list.part;
    // SAFETY: parts belong to the list; the last has no next.
    while let Some(part) = unsafe { next.as_mut() } {
        next = part.next;
        for number in 0..part.nelts {
            // SAFETY: a part holds `nelts` table elements, of which this function has the only reference.
            let entry = unsafe { &mut *part.elts.cast::<Entry>().add(number) };
            if entry.is_live() && unwanted(entry) {
                entry.0.hash = 0;
            }
        }
    }
}

/// Appends copies of headers; their strings are not copied. Where a bit of `origins` is set, the header of this number
/// gets `origin` for its value.
///
/// # Safety
///
/// The strings live as long as the list's pool.
#[inline]
pub(crate) unsafe fn append(
    list: &mut ngx_list_t,
    headers: &[Entry],
    mut origins: u64,
    origin: &[u8],
) -> Result<(), OutOfMemory> {
    // SAFETY: the list is initialised, as nginx does before any filter runs: it has a last part, which has room for
    // `nalloc` elements. Values are written to elements that were copied just before.
    unsafe {
        let last = list.last;
        let count = (*last).nelts;
        if list.nalloc.saturating_sub(count) < headers.len() {
            return append_singly(list, headers, origins, origin);
        }
        let place = (*last).elts.cast::<Entry>().add(count);
        ptr::copy_nonoverlapping(headers.as_ptr(), place, headers.len());
        while origins != 0 {
            let number = origins.trailing_zeros() as usize;
            if number < headers.len() {
                (*place.add(number)).0.value = str(origin);
            }
            origins &= origins - 1;
        }
        (*last).nelts = count + headers.len();
    }
    Ok(())
}

/// The same for a list that is empty; the last of the headers is returned. Nothing happens where it is not, or has no
/// room.
///
/// # Safety
///
/// As above.
#[inline(always)]
pub(crate) unsafe fn fill(
    list: &mut ngx_list_t,
    headers: &[Entry],
    origins: u64,
    origin: &[u8],
) -> Option<*mut ngx_table_elt_t> {
    if list.part.nelts != 0 || !ptr::eq(list.last, &list.part) || headers.is_empty() || list.nalloc < headers.len() {
        return None;
    }
    // SAFETY: the caller vouches for it; the list has its first part alone, so that nothing but memory can be missing.
    unsafe {
        append(list, headers, origins, origin).ok()?;
        Some(list.part.elts.cast::<ngx_table_elt_t>().add(headers.len() - 1))
    }
}

/// The same, where the list has to grow.
///
/// # Safety
///
/// As above.
#[cold]
unsafe fn append_singly(
    list: &mut ngx_list_t,
    headers: &[Entry],
    origins: u64,
    origin: &[u8],
) -> Result<(), OutOfMemory> {
    for (number, header) in headers.iter().enumerate() {
        let takes_origin = number < 64 && origins & (1 << number) != 0;
        // SAFETY: the list is initialised, and holds table elements.
        unsafe {
            let place = ngx_list_push(list).cast::<Entry>();
            if place.is_null() {
                return Err(OutOfMemory);
            }
            ptr::write(
                place,
                if takes_origin {
                    header.with(origin)
                } else {
                    header.copy()
                },
            );
        }
    }
    Ok(())
}

/// A string that nginx only reads.
pub(crate) fn str(bytes: &[u8]) -> ngx_str_t {
    ngx_str_t {
        len: bytes.len(),
        data: bytes.as_ptr().cast_mut(),
    }
}
