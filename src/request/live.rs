//! The request that nginx is processing.

use core::cell::Cell;
use core::marker::PhantomData;
use core::ptr::{addr_of_mut, NonNull};

use nginx_sys::{
    ngx_http_discard_request_body, ngx_http_filter_finalize_request, ngx_http_finalize_request, ngx_http_request_t,
    ngx_int_t, ngx_log_t, ngx_pool_t, ngx_uint_t, NGX_HTTP_GET, NGX_HTTP_HEAD, NGX_HTTP_OPTIONS, NGX_HTTP_VERSION_20,
};

use crate::config::{LocationConf, MainConf};
use crate::nginx::list::HeaderList;
use crate::nginx::module::{HandlerModule, ModuleRecord};
use crate::nginx::panic::guard;
use crate::nginx::pool::{self, OutOfMemory};
use crate::nginx::{return_code, shim};

/// A request that nginx has handed to a hook of the module. What it lends for `'r` lives as long as the request: its
/// memory, its header's strings, and the configuration. `'r` can be made neither longer nor shorter (`Cell`), so that what
/// is put into the request's memory lives as long, too.
#[derive(Clone, Copy)]
pub(crate) struct Request<'r> {
    raw: NonNull<ngx_http_request_t>,
    life: PhantomData<Cell<&'r ngx_http_request_t>>,
}

/// Runs what stands behind a hook. As `work` must take any lifetime, it can put nothing into the request's memory that
/// does not live as long. A panic gives up the request: it is logged, and `failed` is returned.
///
/// # Safety
///
/// nginx has called a hook of this module with `raw`, or `raw` is null.
#[inline]
pub(crate) unsafe fn with_request<T>(
    raw: *mut ngx_http_request_t,
    failed: T,
    work: impl for<'r> FnOnce(Request<'r>) -> T,
) -> T {
    let Some(raw) = NonNull::new(raw) else {
        return failed;
    };
    let request = Request { raw, life: PhantomData };
    guard(request.log(), failed, || work(request))
}

/// What becomes of a request after a phase handler.
#[derive(Clone, Copy)]
pub(crate) enum Next {
    /// It goes on to the next handler.
    Continue,
    /// nginx ends it with what is wrong.
    Fail(ngx_int_t),
    /// A response that is all header, with this status, ends it: no other handler and no `error_page` sees it.
    AnswerWithHeader(u16),
    /// An error ends it, through `error_page` as usual, but so that a later grant of access (`satisfy any`) cannot outvote
    /// it.
    Refuse(ngx_int_t),
}

/// Runs a phase handler, and does what it has decided once nothing refers to the request any more: after that it may be
/// gone.
///
/// # Safety
///
/// nginx has called a phase handler of this module with `raw`, which returns what this returns.
#[inline]
pub(crate) unsafe fn run_phase(
    raw: *mut ngx_http_request_t,
    handler: impl for<'r> FnOnce(Request<'r>) -> Next,
) -> ngx_int_t {
    // SAFETY: the caller vouches for the request, which lives until it is ended; `DONE` tells nginx to leave it alone then.
    unsafe {
        match with_request(raw, Next::Fail(return_code::INTERNAL_SERVER_ERROR), handler) {
            Next::Continue => return_code::DECLINED,
            Next::Fail(status) => status,
            Next::AnswerWithHeader(status) => {
                shim::ngx_http_cors_end_with_header(raw, status.into());
                return_code::DONE
            }
            Next::Refuse(error) => {
                ngx_http_finalize_request(raw, error);
                return_code::DONE
            }
        }
    }
}

/// Sends an error instead of the response whose header a filter could not make. nginx clears the contexts of all other
/// modules.
///
/// # Safety
///
/// nginx has called a header filter of this module with `raw`, which returns what this returns.
pub(crate) unsafe fn replace_response(raw: *mut ngx_http_request_t, error: ngx_int_t) -> ngx_int_t {
    // SAFETY: the caller vouches for the request.
    unsafe {
        shim::ngx_http_cors_allow_body(raw);
        ngx_http_filter_finalize_request(raw, HandlerModule::record(), error)
    }
}

impl<'r> Request<'r> {
    /// For reading one field. The reference is let go before nginx or this module writes to the request.
    #[inline]
    fn fields(&self) -> &'r ngx_http_request_t {
        // SAFETY: `with_request` was promised a request that nginx is processing (invariant 2); it is written to by one thread
        // alone (invariant 1), and by no function that holds this reference.
        unsafe { self.raw.as_ref() }
    }

    pub(super) fn as_ptr(self) -> *mut ngx_http_request_t {
        self.raw.as_ptr()
    }

    #[inline]
    pub(crate) fn log(self) -> *mut ngx_log_t {
        // SAFETY: a request has a connection for as long as it lives.
        unsafe { (*self.fields().connection).log }
    }

    /// Whether the error log takes messages of this level.
    #[inline]
    pub(crate) fn logs(self, level: ngx_uint_t) -> bool {
        // SAFETY: a connection has a log for as long as it lives.
        unsafe { (*self.log()).log_level >= level }
    }

    #[inline]
    pub(super) fn pool(self) -> *mut ngx_pool_t {
        self.fields().pool
    }

    /// Whether it is what a client has sent, and no subrequest.
    #[inline]
    pub(crate) fn is_main(self) -> bool {
        core::ptr::eq(self.fields().main, self.raw.as_ptr())
    }

    /// The request of the client that this one is, or serves as a subrequest.
    pub(crate) fn main(self) -> Self {
        Self {
            raw: NonNull::new(self.fields().main).unwrap_or(self.raw),
            life: PhantomData,
        }
    }

    /// Whether the answer is out, and nginx runs the request again for `post_action`.
    #[inline]
    pub(crate) fn is_post_action(self) -> bool {
        // SAFETY: the request is alive; the function reads one field.
        unsafe { shim::ngx_http_cors_is_post_action(self.as_ptr()) != 0 }
    }

    #[inline]
    pub(crate) fn is_options(self) -> bool {
        self.fields().method == NGX_HTTP_OPTIONS as ngx_uint_t
    }

    pub(crate) fn is_get_or_head(self) -> bool {
        self.fields().method & (NGX_HTTP_GET | NGX_HTTP_HEAD) as ngx_uint_t != 0
    }

    /// What stands behind the `?`.
    pub(crate) fn query(self) -> &'r [u8] {
        self.fields().args.as_bytes()
    }

    /// What the directives say for the location in which the request is now.
    #[inline]
    pub(crate) fn location(self) -> &'r LocationConf {
        // SAFETY: nginx allocated a slot for every module; this module's holds what `create_location` made, as nginx
        // takes up no configuration for which that failed. It is never borrowed mutably, and outlives its requests
        // (invariant 3).
        unsafe {
            let slot = *self.fields().loc_conf.add(HandlerModule::index());
            &*slot.cast::<LocationConf>()
        }
    }

    #[inline]
    pub(crate) fn main_conf(self) -> &'r MainConf {
        // SAFETY: as in `location`, for `create_main`.
        unsafe {
            let slot = *self.fields().main_conf.add(HandlerModule::index());
            &*slot.cast::<MainConf>()
        }
    }

    /// Where nginx keeps this module's context; nginx clears it on an internal redirect.
    #[inline]
    pub(super) fn context_slot(self) -> *mut *mut core::ffi::c_void {
        // SAFETY: nginx allocated a slot for every module.
        unsafe { self.fields().ctx.add(HandlerModule::index()) }
    }

    /// Whether nginx may have cleared the contexts of modules.
    #[inline]
    pub(super) fn may_have_lost_contexts(self) -> bool {
        // SAFETY: the request is alive; the function reads two fields.
        unsafe { shim::ngx_http_cors_may_have_lost_contexts(self.as_ptr()) != 0 }
    }

    /// How often its URI may still change: one less after each internal redirect, and after each `rewrite ... last`.
    #[inline]
    pub(super) fn uri_changes_left(self) -> usize {
        // SAFETY: the request is alive; the function reads one field.
        unsafe { shim::ngx_http_cors_uri_changes_left(self.as_ptr()) }
    }

    /// The header of the request.
    #[inline]
    pub(super) fn header_list(self) -> HeaderList<'r> {
        // SAFETY: the list is initialised before any hook is called, and holds table elements; its strings lie in memory
        // of the request or the connection that nginx keeps until the request ends, and no one else works on the request
        // while a hook runs (invariants 1 and 2).
        unsafe {
            HeaderList::from_raw(NonNull::new_unchecked(addr_of_mut!(
                (*self.as_ptr()).headers_in.headers
            )))
        }
    }

    /// The header of the response, but for what nginx keeps in fields.
    #[inline]
    pub(super) fn response_list(self) -> HeaderList<'r> {
        // SAFETY: as in `header_list`.
        unsafe {
            HeaderList::from_raw(NonNull::new_unchecked(addr_of_mut!(
                (*self.as_ptr()).headers_out.headers
            )))
        }
    }

    /// Whether nginx will write a `Server` and a `Date` of its own, which are in no list.
    pub(super) fn implied_response_headers(self) -> [Option<&'static [u8]>; 2] {
        let out = &self.fields().headers_out;
        [
            out.server.is_null().then_some(b"Server"),
            out.date.is_null().then_some(b"Date"),
        ]
    }

    #[inline]
    pub(crate) fn response_status(self) -> u16 {
        u16::try_from(self.fields().headers_out.status).unwrap_or(0)
    }

    /// `Host`, or what stands for it: host and port as the client wrote them.
    #[inline]
    pub(super) fn authority(self) -> &'r [u8] {
        let headers = &self.fields().headers_in;
        // SAFETY: the pointer is null or points into the request's list of headers, of which one string is read.
        match unsafe { headers.host.as_ref() } {
            Some(host) => host.value.as_bytes(),
            None => self.pseudo_authority().unwrap_or_else(|| headers.server.as_bytes()),
        }
    }

    /// `:authority` as it came; what nginx makes of it has lost the port.
    #[cold]
    fn pseudo_authority(self) -> Option<&'r [u8]> {
        let request = self.fields();
        // In HTTP/1 the two marks bound the host in a request line, without its port.
        if request.http_version < NGX_HTTP_VERSION_20 as ngx_uint_t || request.host_start.is_null() {
            return None;
        }
        let length = (request.host_end as usize).checked_sub(request.host_start as usize)?;
        // SAFETY: nginx sets both marks to the bounds of one string, which it keeps until the request ends.
        Some(unsafe { core::slice::from_raw_parts(request.host_start, length) })
    }

    /// Whether it came over TLS.
    pub(super) fn is_secure(self) -> bool {
        // SAFETY: the request is alive; the function reads one field of its connection.
        unsafe { shim::ngx_http_cors_is_secure(self.as_ptr()) != 0 }
    }

    /// `parts` joined by `, ` in the request's memory.
    pub(crate) fn join<'a>(self, parts: impl Iterator<Item = &'a [u8]> + Clone) -> Result<&'r [u8], OutOfMemory> {
        // SAFETY: the pool of a request lives as long as the request.
        unsafe { pool::join(self.pool(), parts) }
    }

    /// Has nginx read the body and throw it away: on a connection that is kept it would be taken for the next request.
    /// An error is the status to return.
    pub(crate) fn discard_body(self) -> Result<(), ngx_int_t> {
        // SAFETY: the request is alive and in a handler.
        match unsafe { ngx_http_discard_request_body(self.as_ptr()) } {
            return_code::OK => Ok(()),
            failed => Err(failed),
        }
    }

    /// Lets the response have a body, though the module has ended the request with a header alone.
    pub(crate) fn allow_body(self) {
        // SAFETY: the request is alive.
        unsafe { shim::ngx_http_cors_allow_body(self.as_ptr()) };
    }
}
