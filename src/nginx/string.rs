//! nginx's strings, and its notation of sizes and times.

use nginx_sys::{ngx_parse_size, ngx_parse_time, ngx_str_t};

/// A string for a function of nginx that reads `bytes`, and writes none of them, while it runs.
pub(crate) fn as_ngx_str(bytes: &[u8]) -> ngx_str_t {
    ngx_str_t {
        len: bytes.len(),
        data: bytes.as_ptr().cast_mut(),
    }
}

/// The bytes of a size such as `8m`.
pub(crate) fn parse_size(value: &[u8]) -> Option<usize> {
    // SAFETY: nginx reads the bytes and writes none.
    usize::try_from(unsafe { ngx_parse_size(&mut as_ngx_str(value)) }).ok()
}

/// The seconds of a time such as `2h`.
pub(crate) fn parse_seconds(value: &[u8]) -> Option<u64> {
    // SAFETY: as above.
    u64::try_from(unsafe { ngx_parse_time(&mut as_ngx_str(value), 1) }).ok()
}

/// The milliseconds of a time such as `1s` or `500ms`.
pub(crate) fn parse_milliseconds(value: &[u8]) -> Option<usize> {
    // SAFETY: as above.
    usize::try_from(unsafe { ngx_parse_time(&mut as_ngx_str(value), 0) }).ok()
}
