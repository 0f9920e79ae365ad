//! Where nginx keeps what belongs to this module.
//!
//! nginx numbers its modules when it loads them, and finds a module's configurations and contexts by that number. The
//! records that carry the numbers name all the hooks of the module, so they stand at the top (`module.rs`). What lies
//! below asks for them through [`ModuleRecord`].

use nginx_sys::ngx_module_t;

/// A module in this library.
pub(crate) trait ModuleRecord {
    /// The structure that nginx has loaded.
    fn record() -> *mut ngx_module_t;

    /// The number under which nginx keeps this module's configurations and contexts.
    #[inline]
    fn index() -> usize {
        // SAFETY: the record is static; nginx writes the number when it loads the module, before it calls any hook.
        unsafe { (*Self::record()).ctx_index }
    }
}

/// The module with the directives, the variables and the phase handlers; configurations and contexts are kept under its
/// number.
pub(crate) struct HandlerModule;
