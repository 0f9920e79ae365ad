//! What nginx finds when it loads the file: two modules, their directives and hooks.
//!
//! Two, because one place in nginx's order cannot serve both: the handler wants to be the last module, so that its
//! handlers run first, and the filter wants to run after everything that adds headers.

use core::cell::UnsafeCell;
use core::ffi::{c_char, c_void, CStr};
use core::ptr;

use nginx_sys::{
    ngx_command_t, ngx_cycle_t, ngx_http_module_t, ngx_int_t, ngx_module_t, ngx_str_t, ngx_uint_t, NGX_CONF_ANY,
    NGX_HTTP_LIF_CONF, NGX_HTTP_LOC_CONF, NGX_HTTP_LOC_CONF_OFFSET, NGX_HTTP_MAIN_CONF, NGX_HTTP_MAIN_CONF_OFFSET,
    NGX_HTTP_MODULE, NGX_HTTP_SRV_CONF,
};

use crate::{access, conf, filter, heap, status, variables, zone};

/// What nginx calls once a configuration is complete.
type Start = unsafe extern "C" fn(*mut ngx_cycle_t) -> ngx_int_t;

/// A module's own structure, which nginx fills in when it loads the module.
#[repr(transparent)]
pub(crate) struct Module(UnsafeCell<ngx_module_t>);

// SAFETY: nginx has one thread, and writes to a module only while it reads a configuration.
unsafe impl Sync for Module {}

impl Module {
    const fn new(
        context: &'static Constant<ngx_http_module_t>,
        commands: *const ngx_command_t,
        start: Option<Start>,
        start_worker: Option<Start>,
    ) -> Self {
        let mut module = ngx_module_t::default();
        module.ctx = ptr::from_ref(context).cast::<c_void>().cast_mut();
        module.commands = commands.cast_mut();
        module.type_ = NGX_HTTP_MODULE as ngx_uint_t;
        module.init_module = start;
        module.init_process = start_worker;
        Self(UnsafeCell::new(module))
    }

    pub(crate) fn as_ptr(&self) -> *mut ngx_module_t {
        self.0.get()
    }

    /// Where nginx keeps this module's configurations and contexts.
    #[inline]
    pub(crate) fn index_in_http(&self) -> usize {
        // SAFETY: see `Sync` above.
        unsafe { (*self.0.get()).ctx_index }
    }
}

/// Tables of pointers that nginx only reads.
#[repr(transparent)]
pub struct Constant<T>(T);

// SAFETY: nothing writes to them.
unsafe impl<T> Sync for Constant<T> {}

/// The module with the directives and the phase handlers.
pub(crate) static HANDLER: Module = Module::new(
    &HANDLER_CONTEXT,
    ptr::from_ref(&COMMANDS).cast(),
    Some(access::shorten),
    Some(heap::prepare),
);

/// The module with the header filter.
pub(crate) static FILTER: Module = Module::new(&FILTER_CONTEXT, ptr::from_ref(&NO_COMMANDS).cast(), None, None);

static HANDLER_CONTEXT: Constant<ngx_http_module_t> = Constant(ngx_http_module_t {
    preconfiguration: Some(variables::install),
    postconfiguration: Some(access::install),
    create_main_conf: Some(conf::create_main),
    init_main_conf: None,
    create_srv_conf: None,
    merge_srv_conf: None,
    create_loc_conf: Some(conf::create_location),
    merge_loc_conf: Some(conf::merge_location),
});

static FILTER_CONTEXT: Constant<ngx_http_module_t> = Constant(ngx_http_module_t {
    preconfiguration: None,
    postconfiguration: Some(filter::install),
    create_main_conf: None,
    init_main_conf: None,
    create_srv_conf: None,
    merge_srv_conf: None,
    create_loc_conf: None,
    merge_loc_conf: None,
});

/// A directive of every level. How many values it takes is for the policy to say, in the words of the directive.
const fn everywhere(name: &'static CStr, set: conf::Set) -> ngx_command_t {
    let levels = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_HTTP_LIF_CONF;
    directive(name, levels, NGX_HTTP_LOC_CONF_OFFSET, set)
}

/// A directive of some levels; `set` gets the configuration at `offset`.
const fn directive(name: &'static CStr, levels: u32, offset: usize, set: conf::Set) -> ngx_command_t {
    let name = name.to_bytes();
    ngx_command_t {
        name: ngx_str_t {
            len: name.len(),
            data: name.as_ptr().cast_mut(),
        },
        type_: (levels | NGX_CONF_ANY) as ngx_uint_t,
        set: Some(set),
        conf: offset,
        offset: 0,
        post: ptr::null_mut(),
    }
}

static COMMANDS: Constant<[ngx_command_t; 18 + cfg!(feature = "fault-injection") as usize + 1]> = Constant([
    everywhere(c"cors", conf::read_directive),
    everywhere(c"cors_allow_origin", conf::read_directive),
    everywhere(c"cors_allow_methods", conf::read_directive),
    everywhere(c"cors_allow_headers", conf::read_directive),
    everywhere(c"cors_expose_headers", conf::read_directive),
    everywhere(c"cors_allow_credentials", conf::read_directive),
    everywhere(c"cors_max_age", conf::read_directive),
    everywhere(c"cors_preflight_status", conf::read_directive),
    everywhere(c"cors_preflight", conf::read_directive),
    everywhere(c"cors_override", conf::read_directive),
    everywhere(c"cors_enforce", conf::read_directive),
    everywhere(c"cors_dry_run", conf::read_directive),
    everywhere(c"cors_log_level", conf::read_directive),
    everywhere(c"cors_timing_allow_origin", conf::read_directive),
    everywhere(c"cors_allow_private_network", conf::read_directive),
    everywhere(c"cors_unsafe", conf::read_directive),
    directive(
        c"cors_zone",
        NGX_HTTP_MAIN_CONF,
        NGX_HTTP_MAIN_CONF_OFFSET,
        zone::read_directive,
    ),
    directive(
        c"cors_status",
        NGX_HTTP_LOC_CONF,
        NGX_HTTP_LOC_CONF_OFFSET,
        status::read_directive,
    ),
    #[cfg(feature = "fault-injection")]
    everywhere(c"cors_test_panic", crate::fault::read_directive),
    ngx_command_t::empty(),
]);

static NO_COMMANDS: Constant<[ngx_command_t; 1]> = Constant([ngx_command_t::empty()]);

const HANDLER_NAME: *const c_char = c"ngx_http_cors_module".as_ptr();
const FILTER_NAME: *const c_char = c"ngx_http_cors_filter_module".as_ptr();

/// The modules in this file.
#[no_mangle]
pub static ngx_modules: Constant<[*const Module; 3]> = Constant([&HANDLER, &FILTER, ptr::null()]);

/// Their names.
#[no_mangle]
pub static ngx_module_names: Constant<[*const c_char; 3]> = Constant([HANDLER_NAME, FILTER_NAME, ptr::null()]);

/// The filter goes before the first of the modules that follow it here. Filters run from the last module to the
/// first: it runs after `add_header`, and after the filters that make nginx write a `Vary` of its own
/// or a `Content-Range`. The handler
/// module is not named, and goes last.
#[no_mangle]
pub static ngx_module_order: Constant<[*const c_char; 12]> = Constant([
    FILTER_NAME,
    c"ngx_http_range_header_filter_module".as_ptr(),
    c"ngx_http_gzip_filter_module".as_ptr(),
    c"ngx_http_postpone_filter_module".as_ptr(),
    c"ngx_http_ssi_filter_module".as_ptr(),
    c"ngx_http_charset_filter_module".as_ptr(),
    c"ngx_http_addition_filter_module".as_ptr(),
    c"ngx_http_gunzip_filter_module".as_ptr(),
    c"ngx_http_userid_filter_module".as_ptr(),
    c"ngx_http_headers_filter_module".as_ptr(),
    c"ngx_http_copy_filter_module".as_ptr(),
    ptr::null(),
]);
