//! nginx's lists of headers: `ngx_list_t` of `ngx_table_elt_t`.
//!
//! Everything here goes through raw pointers. `last` mostly points into the list itself (to `part`), so that a
//! `&mut ngx_list_t` would be a second and conflicting way to what is written through `last`.

use core::cell::Cell;
use core::marker::PhantomData;
use core::mem::zeroed;
use core::ptr::{addr_of, NonNull};

use nginx_sys::{ngx_list_part_t, ngx_list_push, ngx_list_t, ngx_table_elt_t};

use super::pool::OutOfMemory;
use super::string::as_ngx_str;

/// A list of headers whose memory and strings live for `'p`, which can be made neither longer nor shorter (`Cell`): what is
/// put into the list has to live as long.
#[derive(Clone, Copy)]
pub(crate) struct HeaderList<'p> {
    raw: NonNull<ngx_list_t>,
    strings: PhantomData<Cell<&'p [u8]>>,
}

/// A header that is in a list.
#[derive(Clone, Copy)]
pub(crate) struct Header<'p> {
    element: *mut ngx_table_elt_t,
    strings: PhantomData<&'p [u8]>,
}

impl<'p> Header<'p> {
    #[inline]
    pub(crate) fn name(self) -> &'p [u8] {
        // SAFETY: the element belongs to a list, for whose elements `HeaderList::from_raw` was promised that their strings
        // live for `'p`. No reference into the element is made.
        unsafe { bytes(addr_of!((*self.element).key)) }
    }

    #[inline]
    pub(crate) fn value(self) -> &'p [u8] {
        // SAFETY: as in `name`.
        unsafe { bytes(addr_of!((*self.element).value)) }
    }
}

/// A header to be put into a list. The value is not copied.
#[derive(Clone, Copy)]
pub(crate) struct HeaderLine<'p> {
    /// As HTTP/1 writes it.
    pub(crate) name: &'p [u8],
    /// As HTTP/2 and 3 write it: in lower case, and as long.
    pub(crate) lower_name: &'p [u8],
    pub(crate) value: &'p [u8],
}

impl<'p> HeaderList<'p> {
    /// # Safety
    ///
    /// For all of `'p`: the list is initialised and holds table elements, the strings of its elements stay where they
    /// are and are not written to, the pool of the list is alive, and nothing but this module's hooks, which run one at
    /// a time, reads or writes the list while one of them runs.
    pub(crate) unsafe fn from_raw(raw: NonNull<ngx_list_t>) -> Self {
        Self {
            raw,
            strings: PhantomData,
        }
    }

    /// The headers that count; nginx leaves those that were removed in their place, with a hash of 0. Whether headers are
    /// seen that are added meanwhile is not said.
    #[inline]
    pub(crate) fn iter(self) -> Headers<'p> {
        Headers {
            next: core::ptr::null_mut(),
            end: core::ptr::null_mut(),
            // SAFETY: the list is alive (`from_raw`); no reference is made.
            part: unsafe { addr_of!((*self.raw.as_ptr()).part) },
            strings: PhantomData,
        }
    }

    /// Puts a header at the end.
    #[inline]
    pub(crate) fn push(self, line: HeaderLine<'p>) -> Result<(), OutOfMemory> {
        // SAFETY: all fields of a table element may be zero; which there are depends on nginx's version.
        let mut element: ngx_table_elt_t = unsafe { zeroed() };
        element.hash = 1; // anything but 0, which would mean that it was removed
        element.key = as_ngx_str(line.name);
        element.lowcase_key = line.lower_name.as_ptr().cast_mut();
        element.value = as_ngx_str(line.value);
        // SAFETY: the list is initialised (`from_raw`). nginx returns room for an element, which is not initialised, or
        // null. The element is written whole; its strings live as long as the list is used, as `'p` says.
        unsafe {
            let place = ngx_list_push(self.raw.as_ptr()).cast::<ngx_table_elt_t>();
            if place.is_null() {
                return Err(OutOfMemory);
            }
            place.write(element);
        }
        Ok(())
    }

    /// Removes the headers that `is_unwanted` picks.
    #[inline]
    pub(crate) fn remove(self, mut is_unwanted: impl FnMut(Header<'p>) -> bool) {
        for header in self.iter() {
            if is_unwanted(header) {
                // SAFETY: the element belongs to the list, and no reference into it exists.
                unsafe { (*header.element).hash = 0 };
            }
        }
    }
}

/// # Safety
///
/// `string` is a string of nginx whose bytes are not written to for `'p`.
#[inline]
unsafe fn bytes<'p>(string: *const nginx_sys::ngx_str_t) -> &'p [u8] {
    // SAFETY: the caller vouches for the string; an empty one may have no pointer.
    unsafe {
        match (*string).len {
            0 => &[],
            length => core::slice::from_raw_parts((*string).data, length),
        }
    }
}

/// The headers of a list, in their order.
#[derive(Clone)]
pub(crate) struct Headers<'p> {
    next: *mut ngx_table_elt_t,
    /// Where the elements end of the part to which `next` belongs.
    end: *mut ngx_table_elt_t,
    /// The part after that; null if there is none.
    part: *const ngx_list_part_t,
    strings: PhantomData<&'p [u8]>,
}

impl<'p> Iterator for Headers<'p> {
    type Item = Header<'p>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.next == self.end {
                if self.part.is_null() {
                    return None;
                }
                // SAFETY: `part` belongs to a list that is alive, and holds `nelts` table elements; the last part has no
                // next one.
                unsafe {
                    self.next = (*self.part).elts.cast();
                    self.end = self.next.add((*self.part).nelts);
                    self.part = (*self.part).next;
                }
                continue;
            }
            let element = self.next;
            // SAFETY: `element` is one of a part, and `end` is where that ends.
            unsafe {
                self.next = element.add(1);
                if (*element).hash != 0 {
                    let strings = PhantomData;
                    return Some(Header { element, strings });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nginx::pool::tests::Pool;

    /// A list whose parts have room for two headers each.
    fn list(pool: &Pool) -> HeaderList<'_> {
        // SAFETY: the pool is alive; the list is initialised, and nothing else uses it.
        unsafe {
            let list = nginx_sys::ngx_list_create(pool.raw(), 2, size_of::<ngx_table_elt_t>());
            HeaderList::from_raw(NonNull::new(list).expect("memory"))
        }
    }

    fn line<'p>(name: &'p str, value: &'p str) -> HeaderLine<'p> {
        HeaderLine {
            name: name.as_bytes(),
            lower_name: name.as_bytes(),
            value: value.as_bytes(),
        }
    }

    fn shown(list: HeaderList<'_>) -> Vec<String> {
        let shown = |header: Header<'_>| format!("{}: {}", header.name().escape_ascii(), header.value().escape_ascii());
        list.iter().map(shown).collect()
    }

    #[test]
    fn headers_are_read_in_the_order_in_which_they_were_added() {
        let pool = Pool::new();
        let list = list(&pool);
        assert_eq!(shown(list), [""; 0]);
        for (name, value) in [("a", "1"), ("b", ""), ("", "3"), ("d", "4"), ("e", "5")] {
            list.push(line(name, value)).expect("memory");
        }
        assert_eq!(shown(list), ["a: 1", "b: ", ": 3", "d: 4", "e: 5"]);
    }

    #[test]
    fn what_is_removed_is_read_no_more_and_keeps_its_place() {
        let pool = Pool::new();
        let list = list(&pool);
        for name in ["a", "b", "c", "d", "e"] {
            list.push(line(name, name)).expect("memory");
        }
        list.remove(|header| matches!(header.name(), b"a" | b"d" | b"e"));
        assert_eq!(shown(list), ["b: b", "c: c"]);
        list.remove(|header| {
            assert_ne!(header.name(), b"a", "removed before");
            true
        });
        assert_eq!(shown(list), [""; 0]);
        list.push(line("f", "f")).expect("memory");
        assert_eq!(shown(list), ["f: f"]);
    }

    #[test]
    fn what_is_read_stays_while_the_list_grows() {
        let pool = Pool::new();
        let list = list(&pool);
        for name in ["a", "b", "c"] {
            list.push(line(name, "1")).expect("memory");
        }
        let first = list.iter().next().expect("a header");
        for header in list.iter().take(3) {
            list.push(line("new", "2")).expect("memory");
            assert_eq!(header.value(), b"1");
        }
        assert_eq!(first.name(), b"a");
        assert_eq!(list.iter().count(), 6);
    }

    #[test]
    fn nothing_is_added_where_memory_is_lacking() {
        let pool = Pool::new();
        let list = list(&pool);
        for _ in 0..2 {
            list.push(line("a", "1")).expect("memory");
        }
        pool.exhaust(|| assert!(list.push(line("b", "2")).is_err()));
        assert_eq!(shown(list), ["a: 1", "a: 1"]);
    }
}
