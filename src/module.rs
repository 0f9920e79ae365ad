//! What nginx finds when it loads the library: two modules, their directives and hooks.
//!
//! Two, because one place in nginx's order cannot serve both: the handler wants to be the last module, so that its phase
//! handlers run first, and the filter wants to run after everything that adds headers.

use core::cell::UnsafeCell;
use core::ffi::{c_char, c_void, CStr};
use core::ptr;

use cors_policy::Directive;
use nginx_sys::{
    ngx_command_t, ngx_cycle_t, ngx_http_module_t, ngx_int_t, ngx_module_t, ngx_str_t, ngx_uint_t, NGX_CONF_ANY,
    NGX_CONF_BLOCK, NGX_HTTP_LIF_CONF, NGX_HTTP_LOC_CONF, NGX_HTTP_LOC_CONF_OFFSET, NGX_HTTP_MAIN_CONF,
    NGX_HTTP_MAIN_CONF_OFFSET, NGX_HTTP_MODULE, NGX_HTTP_SRV_CONF,
};

use crate::config::{self, DirectiveHandler, RequestHandler};
use crate::handlers;
use crate::nginx::module::{HandlerModule, ModuleRecord};

/// What nginx calls once a configuration is complete.
type InitModule = unsafe extern "C" fn(*mut ngx_cycle_t) -> ngx_int_t;

/// What nginx calls when a process ends.
type ExitProcess = unsafe extern "C" fn(*mut ngx_cycle_t);

/// What nginx calls a module for apart from a configuration's blocks and requests.
#[derive(Clone, Copy)]
struct Life {
    /// A configuration is complete.
    start: Option<InitModule>,
    /// A process begins to serve.
    start_process: Option<InitModule>,
    /// A process ends.
    end_process: Option<ExitProcess>,
}

/// A module's own structure, which nginx fills in when it loads the module.
#[repr(transparent)]
pub struct Module(UnsafeCell<ngx_module_t>);

// SAFETY: a process of nginx has one thread (invariant 1).
unsafe impl Sync for Module {}

/// The hooks of a module.
#[repr(transparent)]
struct Hooks(ngx_http_module_t);

// SAFETY: nginx and this module only read them.
unsafe impl Sync for Hooks {}

/// The directives of a module that has none.
#[repr(transparent)]
struct NoCommands(ngx_command_t);

// SAFETY: nginx only reads it, and it points to nothing.
unsafe impl Sync for NoCommands {}

/// Names of modules; the last one is null.
#[repr(transparent)]
pub struct Names<const N: usize>([*const c_char; N]);

// SAFETY: nginx only reads them, and they point to static strings.
unsafe impl<const N: usize> Sync for Names<N> {}

impl Module {
    const fn new(hooks: &'static Hooks, commands: *const ngx_command_t, life: Life) -> Self {
        let mut module = ngx_module_t::default();
        module.ctx = ptr::from_ref(hooks).cast::<c_void>().cast_mut();
        module.commands = commands.cast_mut();
        module.type_ = NGX_HTTP_MODULE as ngx_uint_t;
        module.init_module = life.start;
        module.init_process = life.start_process;
        module.exit_process = life.end_process;
        Self(UnsafeCell::new(module))
    }
}

static HANDLER: Module = Module::new(
    &HANDLER_HOOKS,
    ptr::from_ref(&COMMANDS).cast(),
    Life {
        start: Some(handlers::start),
        start_process: Some(handlers::start_process),
        end_process: Some(handlers::end_process),
    },
);

static FILTER: Module = Module::new(
    &FILTER_HOOKS,
    ptr::from_ref(&NO_COMMANDS).cast(),
    Life {
        start: None,
        start_process: None,
        end_process: None,
    },
);

impl ModuleRecord for HandlerModule {
    #[inline]
    fn record() -> *mut ngx_module_t {
        HANDLER.0.get()
    }
}

static HANDLER_HOOKS: Hooks = Hooks(ngx_http_module_t {
    preconfiguration: None,
    postconfiguration: Some(handlers::install),
    create_main_conf: Some(config::create_main),
    init_main_conf: None,
    create_srv_conf: None,
    merge_srv_conf: None,
    create_loc_conf: Some(config::create_location),
    merge_loc_conf: Some(config::merge_location),
});

static FILTER_HOOKS: Hooks = Hooks(ngx_http_module_t {
    preconfiguration: None,
    postconfiguration: Some(handlers::install_header_filter),
    create_main_conf: None,
    init_main_conf: None,
    create_srv_conf: None,
    merge_srv_conf: None,
    create_loc_conf: None,
    merge_loc_conf: None,
});

/// Everywhere in `http`.
const ALL_LEVELS: u32 = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_HTTP_LIF_CONF;

/// The directives of a policy. How many values each takes is for the policy to say, in the words of the directive.
#[allow(clippy::indexing_slicing)] // the compiler carries it out
const fn policy_directives<const N: usize>() -> [ngx_command_t; N] {
    let mut commands = [ngx_command_t::empty(); N];
    let mut number = 0;
    while number < N {
        let name = Directive::ALL[number].c_name();
        commands[number] = directive(
            name,
            ALL_LEVELS,
            NGX_HTTP_LOC_CONF_OFFSET,
            config::read_policy_directive,
        );
        number += 1;
    }
    commands
}

/// A directive of these levels; `set` gets the configuration at `offset`.
const fn directive(name: &'static CStr, levels: u32, offset: usize, set: DirectiveHandler) -> ngx_command_t {
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

/// `cors_status`, which makes `handler` give the content of a location.
const fn status_directive(handler: RequestHandler) -> ngx_command_t {
    let mut command = directive(
        c"cors_status",
        NGX_HTTP_LOC_CONF,
        NGX_HTTP_LOC_CONF_OFFSET,
        config::read_status_directive,
    );
    command.post = handler as *mut c_void;
    command
}

/// All directives, in the order of memory: those of a policy, the others, and the empty one with which nginx's array ends.
#[repr(C)]
struct AllCommands {
    of_policies: [ngx_command_t; Directive::ALL.len()],
    others: [ngx_command_t; 4],
    #[cfg(feature = "fault-injection")]
    for_tests: ngx_command_t,
    end: ngx_command_t,
}

// SAFETY: nginx and this module only read them, and what they point to is static.
unsafe impl Sync for AllCommands {}

static COMMANDS: AllCommands = AllCommands {
    of_policies: policy_directives(),
    others: [
        directive(
            c"cors_candidate",
            NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_BLOCK,
            NGX_HTTP_LOC_CONF_OFFSET,
            config::read_candidate_directive,
        ),
        directive(
            c"cors_zone",
            NGX_HTTP_MAIN_CONF,
            NGX_HTTP_MAIN_CONF_OFFSET,
            config::read_zone_directive,
        ),
        directive(
            c"cors_origin_list",
            NGX_HTTP_MAIN_CONF,
            NGX_HTTP_MAIN_CONF_OFFSET,
            config::read_origin_list_directive,
        ),
        status_directive(handlers::answer_status),
    ],
    #[cfg(feature = "fault-injection")]
    for_tests: directive(
        c"cors_test_panic",
        ALL_LEVELS,
        NGX_HTTP_LOC_CONF_OFFSET,
        config::read_fault_directive,
    ),
    end: ngx_command_t::empty(),
};

/// The filter module has no directive.
static NO_COMMANDS: NoCommands = NoCommands(ngx_command_t::empty());

const HANDLER_NAME: *const c_char = c"ngx_http_cors_module".as_ptr();
const FILTER_NAME: *const c_char = c"ngx_http_cors_filter_module".as_ptr();

/// The modules in this library; the last pointer is null.
#[no_mangle]
pub static ngx_modules: [Option<&'static Module>; 3] = [Some(&HANDLER), Some(&FILTER), None];

/// Their names.
#[no_mangle]
pub static ngx_module_names: Names<3> = Names([HANDLER_NAME, FILTER_NAME, ptr::null()]);

/// The filter goes before the first of the modules that follow it here. Filters run from the last module to the first: it
/// runs after `add_header`, and after the filters that make nginx write a `Vary` of its own or a `Content-Range`. The
/// handler module is not named, and goes last.
#[no_mangle]
pub static ngx_module_order: Names<12> = Names([
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
