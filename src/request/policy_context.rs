//! What a decision may want to know of a request beyond its header lines.

use core::ptr;

use cors_policy::{Context, IgnoredValue, ListRisks};
use nginx_sys::{ngx_http_complex_value, ngx_http_request_t, ngx_log_t, ngx_str_t, NGX_LOG_WARN};
use ngx::ngx_log_error;

use super::live::Request;
use crate::config::MainConf;
use crate::nginx::return_code;

impl<'r> Context<'r> for Request<'r> {
    #[inline]
    fn authority(&self) -> &'r [u8] {
        Request::authority(*self)
    }

    fn is_secure(&self) -> bool {
        Request::is_secure(*self)
    }

    fn variable(&self, number: usize) -> &'r [u8] {
        // SAFETY: the request is alive for `'r`, and no reference into it is held.
        unsafe { evaluate(self.as_ptr(), self.main_conf(), number) }
    }

    #[inline]
    fn list_admits(&self, number: usize, origin: &[u8], ignored: ListRisks) -> bool {
        // SAFETY: the request is alive, and no reference into it is held.
        unsafe { list_admits(self.as_ptr(), self.main_conf(), number, origin, ignored) }
    }

    fn ignored_value(&self, number: usize, ignored: IgnoredValue<'_>) {
        warn_once(self.log(), self.main_conf(), number, ignored);
    }
}

/// The value of a text with variables; empty if it has none.
///
/// # Safety
///
/// `request` is a request that nginx can evaluate variables for, with a pool that lives for `'r`, and nothing holds a
/// reference into it.
pub(super) unsafe fn evaluate<'r>(request: *mut ngx_http_request_t, main: &MainConf, number: usize) -> &'r [u8] {
    let value = main.texts.evaluate_once(|| {
        // nginx only reads the compiled text, though it does not say so.
        let compiled = ptr::from_ref(&main.texts.get(number)?.compiled).cast_mut();
        let mut value = ngx_str_t::empty();
        // SAFETY: the caller vouches for the request. The compiled text is borrowed from the configuration until this
        // returns. nginx writes the value to the request's pool, or points to what lives as long.
        unsafe {
            if ngx_http_complex_value(request, compiled, &mut value) != return_code::OK || value.len == 0 {
                return None;
            }
            Some(core::slice::from_raw_parts(value.data, value.len))
        }
    });
    value.flatten().unwrap_or_default()
}

/// Whether a list has the bytes of an `Origin` header, for the key that the request has.
///
/// # Safety
///
/// As for [`evaluate`].
#[inline]
pub(super) unsafe fn list_admits(
    request: *mut ngx_http_request_t,
    main: &MainConf,
    number: usize,
    origin: &[u8],
    ignored: ListRisks,
) -> bool {
    let Some(list) = main.origin_lists.get(number) else {
        return false;
    };
    // SAFETY: the caller vouches for the request.
    let key = list.said().key.map(|text| unsafe { evaluate(request, main, text) });
    list.admits(key, origin, ignored)
}

/// Logs that a part of the value of a text is of no use: one of each kind, in this process.
pub(super) fn warn_once(log: *mut ngx_log_t, main: &MainConf, number: usize, ignored: IgnoredValue<'_>) {
    let Some(value) = main.texts.get(number) else {
        return;
    };
    if value.claim_warning(ignored.kind()) {
        ngx_log_error!(
            NGX_LOG_WARN,
            log,
            "cors: {} in the value of \"{}\" is ignored: {}",
            ignored.shown(),
            value.text().escape_ascii(),
            ignored
        );
    }
}
