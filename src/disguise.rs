//! A request that stands in for one that nobody has sent, so that a policy can be asked about it: while the disguise
//! lasts it has another `Origin`, and none of its variables has a value yet.

use core::mem::size_of;
use core::ptr;

use nginx_sys::{
    ngx_http_core_main_conf_t, ngx_http_core_module, ngx_list_create, ngx_list_push, ngx_list_t, ngx_pcalloc,
    ngx_pnalloc, ngx_table_elt_t, ngx_variable_value_t,
};

use crate::list::{str, Entries};
use crate::pool::OutOfMemory;
use crate::request::Request;

/// While this lives the request is another. No one but the policy may look at it.
pub(crate) struct Disguise<'r> {
    request: Request<'r>,
    headers: ngx_list_t,
    variables: *mut ngx_variable_value_t,
}

impl<'r> Disguise<'r> {
    /// A content handler's request, of which nginx keeps no header in a field that a policy looks at but for `Host`,
    /// which stays.
    pub(crate) fn new(request: Request<'r>, origin: &[u8]) -> Result<Self, OutOfMemory> {
        let raw = request.as_ptr();
        // SAFETY: the request is alive, and so is its pool, from which everything here is allocated. The core module's
        // main configuration says how many variables have a number; a value whose bytes are zero is not valid yet.
        unsafe {
            let core = (*(*raw).main_conf.add(ngx_http_core_module.ctx_index)).cast::<ngx_http_core_main_conf_t>();
            let count = (*core).variables.nelts.max(1);
            let variables = ngx_pcalloc((*raw).pool, count * size_of::<ngx_variable_value_t>());
            let list = ngx_list_create((*raw).pool, 16, size_of::<ngx_table_elt_t>());
            let bytes = ngx_pnalloc((*raw).pool, origin.len().max(1)).cast::<u8>();
            if variables.is_null() || list.is_null() || bytes.is_null() {
                return Err(OutOfMemory);
            }
            ptr::copy_nonoverlapping(origin.as_ptr(), bytes, origin.len());
            let sent = Entries::of(&(*raw).headers_in.headers);
            for header in sent.filter(|header| !is_told_anew(header.name())) {
                push(list, header.raw())?;
            }
            let mut header: ngx_table_elt_t = core::mem::zeroed();
            header.hash = nginx_sys::ngx_hash_key(c"origin".as_ptr().cast_mut().cast(), 6);
            header.key = str(b"Origin");
            header.value = str(core::slice::from_raw_parts(bytes, origin.len()));
            header.lowcase_key = c"origin".as_ptr().cast_mut().cast();
            push(list, header)?;
            Ok(Self {
                request,
                headers: ptr::replace(&mut (*raw).headers_in.headers, *list),
                variables: ptr::replace(&mut (*raw).variables, variables.cast()),
            })
        }
    }

    pub(crate) fn request(&self) -> &Request<'r> {
        &self.request
    }
}

impl Drop for Disguise<'_> {
    fn drop(&mut self) {
        // SAFETY: the request is alive, as it was when these were taken from it.
        unsafe {
            let raw = self.request.as_ptr();
            (*raw).headers_in.headers = self.headers;
            (*raw).variables = self.variables;
        }
    }
}

/// Whether the page's own header says nothing about the request that is tried.
fn is_told_anew(name: &[u8]) -> bool {
    const PREFIXES: [&[u8]; 3] = [b"origin", b"sec-fetch-", b"access-control-"];
    PREFIXES.iter().any(|prefix| {
        name.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    })
}

/// # Safety
///
/// `list` is initialised, and holds table elements.
unsafe fn push(list: *mut ngx_list_t, header: ngx_table_elt_t) -> Result<(), OutOfMemory> {
    // SAFETY: the caller vouches for the list.
    unsafe {
        let place = ngx_list_push(list).cast::<ngx_table_elt_t>();
        if place.is_null() {
            return Err(OutOfMemory);
        }
        place.write(header);
    }
    Ok(())
}
