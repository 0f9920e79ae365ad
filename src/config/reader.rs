//! The configuration that nginx is reading.

use core::cell::Cell;
use core::ffi::{c_char, c_void, CStr};
use core::marker::PhantomData;
use core::ptr;
use std::rc::Rc;

use cors_policy::{Directive, LiveList, Position, Problem, Severity, Syntax};
use cors_zone::Listener;
use nginx_sys::{
    ngx_array_push, ngx_command_t, ngx_conf_full_name, ngx_conf_parse, ngx_conf_t, ngx_http_add_variable,
    ngx_http_conf_ctx_t, ngx_http_core_loc_conf_t, ngx_http_core_main_conf_t, ngx_http_core_module,
    ngx_http_core_srv_conf_t, ngx_http_handler_pt, ngx_http_request_t, ngx_int_t, ngx_log_t, ngx_str_t, ngx_uint_t,
    ngx_variable_value_t, NGX_HTTP_VAR_CHANGEABLE, NGX_LOG_EMERG, NGX_LOG_NOTICE, NGX_LOG_WARN,
};
use ngx::core::NGX_CONF_OK;
use ngx::ngx_log_error;

use super::main_conf::MainConf;
use crate::nginx::module::{HandlerModule, ModuleRecord};
use crate::nginx::panic::guard;
use crate::nginx::pool::{self, OutOfMemory};
use crate::nginx::return_code;
use crate::nginx::shared_memory;
use crate::nginx::shim;
use crate::nginx::string::{as_ngx_str, parse_milliseconds, parse_seconds, parse_size};

/// What nginx calls for a directive.
pub(crate) type DirectiveHandler =
    unsafe extern "C" fn(*mut ngx_conf_t, *mut ngx_command_t, *mut c_void) -> *mut c_char;

/// What nginx calls for a request, in a phase or for its content.
pub(crate) type RequestHandler = unsafe extern "C" fn(*mut ngx_http_request_t) -> ngx_int_t;

/// What gives a variable its value.
pub(crate) type VariableGetter =
    unsafe extern "C" fn(*mut ngx_http_request_t, *mut ngx_variable_value_t, usize) -> ngx_int_t;

/// The configuration that nginx is reading, inside `http`. What it lends for `'c` lies in the configuration's pool; `'c` can
/// be made neither longer nor shorter (`Cell`).
#[derive(Clone, Copy)]
pub(crate) struct Configuration<'c> {
    cf: *mut ngx_conf_t,
    pool: PhantomData<Cell<&'c ()>>,
}

/// The block that nginx is merging.
pub(super) struct MergedBlock {
    /// The server, by a number that no other has.
    pub(super) server: usize,
    /// The first name of the server; empty if it has none.
    pub(super) server_name: String,
    /// The location as it was written, without what says how it matches; empty for the server itself.
    pub(super) location: String,
    /// What says how it matches: nothing, or a sign and a space.
    pub(super) modifier: &'static str,
}

/// Runs `run` with the configuration for which nginx calls a hook. A panic, or a configuration without this module's
/// part, is `failed`.
///
/// # Safety
///
/// nginx has called a hook of this module with `cf`, inside `http`.
pub(crate) unsafe fn with_configuration<T>(
    cf: *mut ngx_conf_t,
    failed: T,
    run: impl for<'c> FnOnce(Configuration<'c>, &'c MainConf) -> Option<T>,
) -> T {
    let configuration = Configuration { cf, pool: PhantomData };
    let outcome = guard(configuration.log(), None, || run(configuration, configuration.main()?));
    outcome.unwrap_or(failed)
}

impl<'c> Configuration<'c> {
    fn log(self) -> *mut ngx_log_t {
        // SAFETY: see `with_configuration`; a configuration has a log.
        unsafe { (*self.cf).log }
    }

    fn context(self) -> *mut ngx_http_conf_ctx_t {
        // SAFETY: see `with_configuration`; inside `http` the context is that of HTTP.
        unsafe { (*self.cf).ctx.cast() }
    }

    fn main(self) -> Option<&'c MainConf> {
        // SAFETY: nginx makes the main configurations of all modules before it calls any other hook; the slot holds what
        // `create_main` made, or null. It is never borrowed mutably (invariant 3).
        unsafe {
            let slots = (*self.context()).main_conf;
            (*slots.add(HandlerModule::index())).cast::<MainConf>().as_ref()
        }
    }

    /// The core module's main configuration.
    fn core(self) -> *mut ngx_http_core_main_conf_t {
        // SAFETY: see `with_configuration`; nginx makes the main configurations of all modules before it calls any other hook.
        unsafe {
            let slots = (*self.context()).main_conf;
            (*slots.add(ngx_http_core_module.ctx_index)).cast()
        }
    }

    /// The core module's configuration of the block that nginx is reading or merging.
    fn core_location(self) -> *mut ngx_http_core_loc_conf_t {
        // SAFETY: see `with_configuration`; while nginx reads or merges a block the context holds the configurations of that block.
        unsafe {
            let slots = (*self.context()).loc_conf;
            (*slots.add(ngx_http_core_module.ctx_index)).cast()
        }
    }

    /// Makes a variable, unless the configuration defines one of this name itself: that is left as it is, and `false` is
    /// returned. `number` is handed to `getter`.
    pub(crate) fn add_variable(
        self,
        name: &'static str,
        flags: u32,
        getter: VariableGetter,
        number: usize,
    ) -> Result<bool, OutOfMemory> {
        let flags = (flags | NGX_HTTP_VAR_CHANGEABLE) as ngx_uint_t;
        // SAFETY: see `with_configuration`; nginx copies the name, and returns null, a new variable, or the one that the configuration
        // has defined. No request has asked for it yet.
        unsafe {
            let variable = ngx_http_add_variable(self.cf, &mut as_ngx_str(name.as_bytes()), flags);
            if variable.is_null() {
                return Err(OutOfMemory);
            }
            if (*variable).get_handler.is_some() {
                return Ok(false);
            }
            (*variable).get_handler = Some(getter);
            (*variable).data = number;
        }
        Ok(true)
    }

    /// Logs something that is worth knowing about the configuration.
    pub(super) fn notice(self, text: &str) {
        ngx_log_error!(NGX_LOG_NOTICE, self.log(), "{}", text);
    }

    /// Logs a warning about the configuration as a whole.
    pub(crate) fn warn(self, text: &str) {
        ngx_log_error!(NGX_LOG_WARN, self.log(), "{}", text);
    }

    /// Registers `handler` for `phase`. Of the handlers of a phase nginx runs the last one first.
    pub(crate) fn add_phase_handler(self, phase: u32, handler: RequestHandler) -> Result<(), OutOfMemory> {
        // SAFETY: see `with_configuration`; when nginx calls the hooks that register handlers, its arrays of them are initialised.
        unsafe {
            let phase = (*self.core()).phases.get_mut(phase as usize).ok_or(OutOfMemory)?;
            let place = ngx_array_push(&mut phase.handlers).cast::<ngx_http_handler_pt>();
            if place.is_null() {
                return Err(OutOfMemory);
            }
            place.write(Some(handler));
        }
        Ok(())
    }

    /// Makes `handler` give the content of the location that nginx is reading.
    pub(super) fn set_content_handler(self, handler: RequestHandler) {
        // SAFETY: the location exists while nginx reads it.
        unsafe { (*self.core_location()).handler = Some(handler) };
    }

    /// The directive's name and values as they were written.
    pub(super) fn words(self) -> Option<(&'c [u8], Vec<&'c [u8]>)> {
        // SAFETY: while a directive is handled its words are an array of strings in the configuration's pool.
        let words: &'c [ngx_str_t] = unsafe { (*(*self.cf).args).as_slice::<ngx_str_t>() };
        let (name, values) = words.split_first()?;
        Some((name.as_bytes(), values.iter().map(ngx_str_t::as_bytes).collect()))
    }

    /// Reads the lines of the block that the directive opens; `read_line` is called for each, with `data`. False if nginx has
    /// found an error, which it has logged.
    ///
    /// # Safety
    ///
    /// `read_line` may be called with `data`, for the configuration that is read, until this returns.
    pub(super) unsafe fn read_block(self, read_line: DirectiveHandler, data: *mut c_void) -> bool {
        // SAFETY: see `with_configuration`. nginx's own directives with blocks do the same: it calls the handler for each
        // line, and everything else is put back.
        unsafe {
            let saved = self.cf.read();
            (*self.cf).handler = Some(read_line);
            (*self.cf).handler_conf = data;
            let outcome = ngx_conf_parse(self.cf, ptr::null_mut());
            self.cf.write(saved);
            outcome == NGX_CONF_OK
        }
    }

    /// Where the directive stands.
    pub(super) fn position(self, main: &MainConf) -> Position {
        // SAFETY: nginx reads the directives of `http` from a file, and keeps its name in the configuration's pool.
        let (name, line) = unsafe {
            let file = (*self.cf).conf_file;
            ((*file).file.name.as_bytes(), (*file).line)
        };
        Position {
            file: main.file_name(name),
            line,
        }
    }

    /// The block that nginx is merging.
    pub(super) fn merged_block(self) -> MergedBlock {
        let location = self.core_location();
        // SAFETY: while nginx merges a block the context holds the core module's configurations of that block and of its
        // server. The shim's function reads a few fields and returns a static string.
        let (server, server_name, location, modifier) = unsafe {
            let slots = (*self.context()).srv_conf;
            let server = (*slots.add(ngx_http_core_module.ctx_index)).cast::<ngx_http_core_srv_conf_t>();
            let modifier = CStr::from_ptr(shim::ngx_http_cors_location_modifier(location));
            (
                server,
                (*server).server_name.as_bytes(),
                (*location).name.as_bytes(),
                modifier,
            )
        };
        MergedBlock {
            server: server as usize,
            server_name: String::from_utf8_lossy(server_name).into_owned(),
            location: String::from_utf8_lossy(location).into_owned(),
            modifier: modifier.to_str().unwrap_or_default(),
        }
    }

    /// The first address on which a server listens. `server` is its number, as [`MergedBlock`] has it.
    pub(super) fn listener(self, server: usize) -> Option<Listener> {
        let mut is_tls = 0;
        // SAFETY: see `with_configuration`; servers are merged when all of `http` has been read. The function compares
        // `server` with addresses, and reads what nginx has noted of `listen`; the string lives as long as the configuration.
        let address = unsafe { shim::ngx_http_cors_listener(self.core(), server as *const c_void, &mut is_tls) };
        let address = String::from_utf8_lossy(address.as_bytes()).into_owned();
        (!address.is_empty()).then_some(Listener {
            address,
            is_tls: is_tls != 0,
        })
    }

    /// The named locations to which an `error_page` of the block that nginx is merging leads.
    pub(super) fn named_error_pages(self) -> Vec<String> {
        let mut names = Vec::new();
        for number in 0.. {
            // SAFETY: see `core_location`; the core module has merged its configuration of the block before. The function
            // reads a field, and the string lies in the configuration's pool.
            let target = unsafe { shim::ngx_http_cors_error_page(self.core_location(), number) };
            let target = String::from_utf8_lossy(target.as_bytes());
            if target.is_empty() {
                break;
            }
            if target.starts_with('@') {
                names.push(target.into_owned());
            }
        }
        names
    }

    /// Asks nginx for a zone of shared memory; `None` if it refuses, and has logged why.
    pub(super) fn request_zone<T>(
        self,
        name: &'c str,
        size: usize,
        init: shared_memory::Init,
        data: &'c T,
    ) -> Option<()> {
        let data = ptr::from_ref(data).cast_mut().cast();
        // SAFETY: see `with_configuration`; the name and the data live as long as the configuration.
        unsafe { shared_memory::request_zone(self.cf, name.as_bytes(), size, init, data) }
    }

    /// Keeps a value as long as the configuration.
    pub(super) fn keep<T: 'static>(self, value: T) -> Option<&'c T> {
        // SAFETY: see `with_configuration`; the configuration's pool is alive, and what is kept in it is dropped with it.
        unsafe { Some(pool::keep((*self.cf).pool, value).ok()?.as_ref()) }
    }

    /// The whole name of a file, which is looked for where the configuration is.
    pub(super) fn full_name(self, name: &str) -> Option<String> {
        let mut name = as_ngx_str(name.as_bytes());
        // SAFETY: see `with_configuration`; nginx puts another string in the place of this one, in the pool of the cycle,
        // and writes to none.
        unsafe {
            if ngx_conf_full_name((*self.cf).cycle, &mut name, 1) != return_code::OK {
                return None;
            }
            Some(String::from_utf8_lossy(name.as_bytes()).into_owned())
        }
    }

    /// Compiles a text with variables, and numbers it; `None` if nginx cannot.
    pub(super) fn compile(self, main: &MainConf, text: &[u8]) -> Option<usize> {
        // SAFETY: see `with_configuration`.
        unsafe { main.texts.compile(self.cf, text) }
    }

    pub(super) fn shared_memory(self) -> shared_memory::SharedMemory {
        // SAFETY: see `with_configuration`.
        unsafe { shared_memory::SharedMemory::new(self.cf) }
    }

    /// The size that the zone of this name has in the configuration that is in force.
    pub(super) fn zone_size_in_force(self, name: &str) -> Option<usize> {
        // SAFETY: see `with_configuration`.
        unsafe { shared_memory::size_in_force(self.cf, name.as_bytes()) }
    }

    /// Logs what is wrong, as nginx does, unless enough of its kind has been shown; an error refuses the configuration in
    /// the end.
    pub(super) fn report(self, main: &MainConf, problems: Vec<Problem>) {
        let shown = main.problems.borrow_mut().collect(problems);
        self.log_problems(&shown);
    }

    /// Logs how many problems have not been shown.
    pub(super) fn report_numbers(self, main: &MainConf) {
        let numbers = main.problems.borrow_mut().finish();
        self.log_problems(&numbers);
    }

    fn log_problems(self, problems: &[Problem]) {
        for problem in problems {
            let level = match problem.severity {
                Severity::Error => NGX_LOG_EMERG,
                Severity::Warning => NGX_LOG_WARN,
            };
            ngx_log_error!(level, self.log(), "{} in {}", problem, problem.at);
        }
    }

    /// nginx's notation of values, for the policy.
    pub(super) fn syntax(self, main: &'c MainConf) -> NginxSyntax<'c> {
        NginxSyntax {
            configuration: self,
            main,
        }
    }
}

/// nginx's notation of values.
pub(super) struct NginxSyntax<'c> {
    configuration: Configuration<'c>,
    main: &'c MainConf,
}

impl Syntax for NginxSyntax<'_> {
    fn time(&self, value: &[u8]) -> Option<u64> {
        parse_seconds(value)
    }

    fn milliseconds(&self, value: &[u8]) -> Option<usize> {
        parse_milliseconds(value)
    }

    fn size(&self, value: &[u8]) -> Option<usize> {
        parse_size(value)
    }

    fn variable(&mut self, text: &[u8]) -> Option<usize> {
        self.configuration.compile(self.main, text)
    }

    fn live_list(&mut self, name: &str, directive: Directive, at: &Position) -> Rc<LiveList> {
        self.main.origin_lists.name(name, directive, at)
    }
}
