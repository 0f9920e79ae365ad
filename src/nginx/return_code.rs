//! What handlers return to nginx, in the type in which it takes it.

use nginx_sys::{
    ngx_int_t, NGX_DECLINED, NGX_DONE, NGX_ERROR, NGX_HTTP_FORBIDDEN, NGX_HTTP_INTERNAL_SERVER_ERROR, NGX_OK,
};

pub(crate) const OK: ngx_int_t = NGX_OK as ngx_int_t;

/// Something failed that no status tells the client of.
pub(crate) const ERROR: ngx_int_t = NGX_ERROR as ngx_int_t;

/// From a phase handler: nginx asks the next one.
pub(crate) const DECLINED: ngx_int_t = NGX_DECLINED as ngx_int_t;

/// From a phase handler: the request has been finalized, and nothing touches it any more.
pub(crate) const DONE: ngx_int_t = NGX_DONE as ngx_int_t;

pub(crate) const FORBIDDEN: ngx_int_t = NGX_HTTP_FORBIDDEN as ngx_int_t;

pub(crate) const INTERNAL_SERVER_ERROR: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;
