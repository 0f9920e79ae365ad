//! A request that stands in for one that nobody has sent, so that a policy can be asked about it: while the disguise
//! lasts it has another `Origin`, and none of its variables has a value yet.

use core::mem::size_of;
use core::ptr;

use nginx_sys::{
    ngx_http_core_main_conf_t, ngx_http_core_module, ngx_list_create, ngx_list_t, ngx_pcalloc, ngx_table_elt_t,
    ngx_variable_value_t,
};

use crate::list::{self, Entry};
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
            if variables.is_null() || list.is_null() {
                return Err(OutOfMemory);
            }
            let origin = request.join(core::iter::once(origin))?;
            let sent = request.header().filter(|header| !is_told_anew(header.name()));
            for header in sent
                .map(Entry::copy)
                .chain([Entry::from_parts("Origin", "origin", origin)])
            {
                list::append(&mut *list, &[header], 0, &[])?;
            }
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
