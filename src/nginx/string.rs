//! nginx's strings.

use nginx_sys::ngx_str_t;

/// A string for a function of nginx that reads `bytes`, and writes none of them, while it runs.
pub(crate) fn as_ngx_str(bytes: &[u8]) -> ngx_str_t {
    ngx_str_t {
        len: bytes.len(),
        data: bytes.as_ptr().cast_mut(),
    }
}
