//! Runs the unit tests of the module's own files, against nginx's own pools, lists, arrays and strings.
//!
//! The module is a library that nginx loads and no test can be linked with, so this is a program of the same files. What
//! it uses of nginx is compiled for it by `build.rs`; there is no event loop.

#![allow(dead_code, unused_imports)] // hooks that only nginx calls
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod config;
#[cfg(feature = "fault-injection")]
mod fault;
mod live_lists;
mod metrics;
mod nginx;
mod request;

use core::ptr::addr_of_mut;

use nginx::module::{HandlerModule, ModuleRecord};
use nginx_sys::ngx_module_t;

/// In the place of the record that nginx would have loaded: the number of the module is 0.
impl ModuleRecord for HandlerModule {
    fn record() -> *mut ngx_module_t {
        static mut RECORD: ngx_module_t = {
            let mut record = ngx_module_t::default();
            record.ctx_index = 0;
            record
        };
        addr_of_mut!(RECORD)
    }
}
