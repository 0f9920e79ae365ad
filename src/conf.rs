//! From directives to policies: what nginx calls while it reads a configuration.

use core::cell::Cell;
use core::ffi::{c_char, c_void, CStr};
use core::ptr;
use std::rc::Rc;

use cors_policy::{
    Block, Directive, Level, Policy, Position, PreflightMode, Problem, Problems, Scope, Syntax, UnusedDirectives,
};
use nginx_sys::{
    ngx_array_push, ngx_command_t, ngx_conf_t, ngx_cycle_t, ngx_http_add_variable, ngx_http_compile_complex_value,
    ngx_http_compile_complex_value_t, ngx_http_complex_value_t, ngx_http_conf_ctx_t, ngx_http_core_loc_conf_t,
    ngx_http_core_main_conf_t, ngx_http_core_module, ngx_http_core_srv_conf_t, ngx_http_get_variable_index,
    ngx_http_handler_pt, ngx_http_module, ngx_http_phase_handler_t, ngx_http_request_t, ngx_int_t, ngx_log_t,
    ngx_parse_time, ngx_pool_t, ngx_str_t, ngx_uint_t, ngx_variable_value_t, NGX_ERROR, NGX_HTTP_VAR_NOHASH,
    NGX_LOG_EMERG, NGX_OK,
};
use ngx::core::{NGX_CONF_ERROR, NGX_CONF_OK};
use ngx::ngx_log_error;

use crate::guard::guard;
use crate::list::str;
use crate::pool::OutOfMemory;
use crate::prepared::Prepared;
use crate::state::PLACES;
use crate::status::Shows;
use crate::zone::{Place, Zone};
use crate::{log, module, pool, shim};

/// A directive's handler.
pub(crate) type Set = unsafe extern "C" fn(*mut ngx_conf_t, *mut ngx_command_t, *mut c_void) -> *mut c_char;

/// A handler of a phase.
pub(crate) type Handler = unsafe extern "C" fn(*mut ngx_http_request_t) -> ngx_int_t;

/// What gives a variable its value.
pub(crate) type Get = unsafe extern "C" fn(*mut ngx_http_request_t, *mut ngx_variable_value_t, usize) -> ngx_int_t;

/// What concerns the configuration as a whole.
#[derive(Default)]
pub(crate) struct MainConf {
    /// An error was found. It is acted on at the end, so that all errors are told in one run.
    pub(crate) refused: bool,
    /// A location somewhere has `cors on`; without one, nothing is installed.
    pub(crate) in_use: bool,
    /// A location somewhere has an `error_page`: that leads away from one that has not come to its access phase.
    pub(crate) redirects_errors: bool,
    /// One of them answers preflights early.
    pub(crate) early_in_use: bool,
    /// The file that is being read: its name is shared by the positions of its directives.
    file: Option<Rc<str>>,
    unused: UnusedDirectives,
    problems: Problems,
    /// The texts with variables that name origins, by number.
    variables: Vec<Variable>,
    /// The value of one of them is being worked out.
    judging: Cell<bool>,
    /// Where memory of their own begins among the values of the variables of requests.
    pub(crate) first_place: Option<usize>,
    /// Where they are counted.
    pub(crate) zone: Option<Zone>,
    /// The first location that shows the counts.
    pub(crate) status_at: Option<Position>,
}

/// While this lives, no other variable's value is worked out.
pub(crate) struct Judging<'m>(&'m Cell<bool>);

impl Drop for Judging<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl MainConf {
    pub(crate) fn judge_once(&self) -> Option<Judging<'_>> {
        (!self.judging.replace(true)).then_some(Judging(&self.judging))
    }

    pub(crate) fn is_judging(&self) -> bool {
        self.judging.get()
    }

    /// What `Syntax::variable` has given this number.
    pub(crate) fn variable(&self, number: usize) -> Option<&Variable> {
        self.variables.get(number)
    }
}

/// A text with variables.
pub(crate) struct Variable {
    pub(crate) value: ngx_http_complex_value_t,
    /// As it was written.
    pub(crate) text: Box<[u8]>,
    /// This worker has said that its value was of no use.
    pub(crate) complained: Cell<bool>,
}

/// What concerns one location, `if`, `server`, or `http`.
#[derive(Default)]
pub(crate) struct LocationConf {
    level: Level,
    scope: Option<Scope>,
    prepared: Option<Rc<Prepared>>,
    is_off_here: bool,
    /// Under this name its requests are counted.
    place: Option<Rc<Place>>,
    /// It shows what has been counted.
    pub(crate) status: Option<Shows>,
    #[cfg(feature = "fault-injection")]
    pub(crate) fault: crate::fault::Fault,
}

impl LocationConf {
    /// The policy, where CORS is on.
    #[inline]
    pub(crate) fn policy(&self) -> Option<&Policy> {
        Some(self.prepared()?.policy())
    }

    /// The same, with the headers that follow from it.
    #[inline]
    pub(crate) fn prepared(&self) -> Option<&Prepared> {
        self.prepared.as_deref()
    }

    /// Whether the location says `cors off`, which wins over the policy that governs the request.
    pub(crate) fn is_off_here(&self) -> bool {
        self.is_off_here
    }

    /// Where its requests are counted, if they are.
    #[inline]
    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_deref()
    }

    /// What the level says with all that it inherits from `outer`; worked out once.
    fn settle(
        &mut self,
        outer: &Scope,
        inherited: Option<&Rc<Prepared>>,
        block: Block<'_>,
        unused: &mut UnusedDirectives,
    ) -> (&Scope, Vec<Problem>) {
        let mut problems = Vec::new();
        let Self {
            level,
            scope,
            prepared,
            is_off_here,
            ..
        } = self;
        let scope = scope.get_or_insert_with(|| {
            let (scope, found) = core::mem::take(level).inherit(outer, block, unused);
            let same = |inherited: &&Rc<Prepared>| Rc::ptr_eq(inherited.policy(), scope.policy());
            *prepared = match inherited.filter(same) {
                Some(inherited) => Some(inherited.clone()),
                None if scope.policy().is_on() => Some(Rc::new(Prepared::new(scope.policy().clone()))),
                None => None,
            };
            *is_off_here = scope.policy().is_off_here();
            problems = found;
            scope
        });
        (scope, problems)
    }
}

/// The configuration that nginx is reading.
#[derive(Clone, Copy)]
pub(crate) struct Configuration(*mut ngx_conf_t);

impl Configuration {
    /// # Safety
    ///
    /// `cf` is the configuration that nginx is reading, inside `http`, and stays so while this value is used.
    pub(crate) unsafe fn from_raw(cf: *mut ngx_conf_t) -> Self {
        Self(cf)
    }

    pub(crate) fn log(self) -> *mut ngx_log_t {
        // SAFETY: see `from_raw`; a configuration has a log.
        unsafe { (*self.0).log }
    }

    fn pool(self) -> *mut ngx_pool_t {
        // SAFETY: see `from_raw`; a configuration has a pool.
        unsafe { (*self.0).pool }
    }

    fn context(self) -> *mut ngx_http_conf_ctx_t {
        // SAFETY: see `from_raw`; inside `http` the context is that of HTTP.
        unsafe { (*self.0).ctx.cast() }
    }

    /// The main configuration: nginx makes it before it reads a directive, and nothing else holds on to it.
    pub(crate) fn with_main<T>(self, run: impl FnOnce(&mut MainConf) -> T) -> Option<T> {
        // SAFETY: the slot holds what `create_main` made, or null; the reference ends with `run`, which calls no hook.
        let main = unsafe {
            let slots = (*self.context()).main_conf;
            (*slots.add(module::HANDLER.index_in_http()))
                .cast::<MainConf>()
                .as_mut()
        };
        main.map(run)
    }

    /// The core module's main configuration.
    fn core(self) -> *mut ngx_http_core_main_conf_t {
        // SAFETY: see `from_raw`; nginx makes the main configurations of all modules before it reads a directive.
        unsafe {
            let slots = (*self.context()).main_conf;
            (*slots.add(ngx_http_core_module.ctx_index)).cast()
        }
    }

    /// Makes a variable whose value `get` gives; `data` is handed to it.
    pub(crate) fn add_variable(self, name: &'static str, flags: u32, get: Get, data: usize) -> Result<(), OutOfMemory> {
        let mut name = str(name.as_bytes());
        // SAFETY: see `from_raw`; nginx copies the name.
        unsafe {
            let variable = ngx_http_add_variable(self.0, &mut name, flags as ngx_uint_t);
            let variable = variable.as_mut().ok_or(OutOfMemory)?;
            variable.get_handler = Some(get);
            variable.data = data;
        }
        Ok(())
    }

    /// Gives every request places among the values of its variables.
    pub(crate) fn reserve_places(self) -> Result<(), OutOfMemory> {
        let mut first = None;
        for (count, own) in PLACES.into_iter().enumerate() {
            // SAFETY: the core module's main configuration exists.
            let known = unsafe { (*self.core()).variables.nelts };
            self.add_variable(own, NGX_HTTP_VAR_NOHASH, hidden, 0)?;
            let mut name = str(own.as_bytes());
            // SAFETY: see `from_raw`; nginx copies the name.
            let number = unsafe { ngx_http_get_variable_index(self.0, &mut name) };
            let number = usize::try_from(number).map_err(|_| OutOfMemory)?;
            // nginx numbers variables in the order in which it hears of them. One that it knew before is another's.
            if number != known || number != *first.get_or_insert(number) + count {
                ngx_log_error!(
                    NGX_LOG_EMERG,
                    self.log(),
                    "cors: the variable \"{}\" is the module's own; remove it from the configuration",
                    own
                );
                return Err(OutOfMemory);
            }
        }
        self.with_main(|main| main.first_place = first);
        Ok(())
    }

    /// Appends `handler` to those of `phase`, and so makes it the first to run.
    pub(crate) fn add_handler(self, phase: u32, handler: Handler) -> Result<(), OutOfMemory> {
        // SAFETY: the core module's main configuration exists, and its arrays of handlers are initialised, when
        // nginx calls the hooks that install handlers; the arrays hold handlers.
        unsafe {
            let handlers = (*self.core()).phases.get_mut(phase as usize).ok_or(OutOfMemory)?;
            let place = ngx_array_push(&mut handlers.handlers).cast::<ngx_http_handler_pt>();
            if place.is_null() {
                return Err(OutOfMemory);
            }
            place.write(Some(handler));
        }
        Ok(())
    }

    /// Makes `handler` give the content of the location that nginx is reading.
    pub(crate) fn set_handler(self, handler: Handler) {
        // SAFETY: while nginx reads a location its context holds the core module's configuration of it.
        unsafe {
            let slots = (*self.context()).loc_conf;
            let core = (*slots.add(ngx_http_core_module.ctx_index)).cast::<ngx_http_core_loc_conf_t>();
            (*core).handler = Some(handler);
        }
    }

    /// The directive's name and values as they were written.
    pub(crate) fn words<'a>(self) -> Option<(&'a [u8], Vec<&'a [u8]>)> {
        // SAFETY: while a directive is handled its words are an array of strings in the configuration's pool.
        let words = unsafe { (*(*self.0).args).as_slice::<ngx_str_t>() };
        let (name, values) = words.split_first()?;
        Some((name.as_bytes(), values.iter().map(ngx_str_t::as_bytes).collect()))
    }

    /// Where nginx reads now.
    pub(crate) fn position(self) -> Position {
        // SAFETY: nginx reads directives of `http` from a file, and keeps its name in the configuration's pool.
        let (name, line) = unsafe {
            let file = (*self.0).conf_file;
            ((*file).file.name.as_bytes(), (*file).line)
        };
        let file = self.with_main(|main| match &main.file {
            Some(known) if known.as_bytes() == name => known.clone(),
            _ => main.file.insert(String::from_utf8_lossy(name).into()).clone(),
        });
        Position {
            file: file.unwrap_or_default(),
            line,
        }
    }

    /// Runs `run` with the block that nginx is merging.
    fn with_block<T>(self, run: impl FnOnce(Block<'_>) -> T) -> T {
        // SAFETY: while nginx merges a block its context holds the core module's configurations of that block.
        let (location, server) = unsafe {
            let context = self.context();
            let index = ngx_http_core_module.ctx_index;
            let location = (*(*context).loc_conf.add(index)).cast::<ngx_http_core_loc_conf_t>();
            let server = (*(*context).srv_conf.add(index)).cast::<ngx_http_core_srv_conf_t>();
            ((*location).name.as_bytes(), (*server).server_name.as_bytes())
        };
        if location.is_empty() {
            run(Block::Server(&String::from_utf8_lossy(server)))
        } else {
            run(Block::Location(&String::from_utf8_lossy(location)))
        }
    }

    /// Whether the block that nginx is merging has an `error_page`, be it inherited.
    fn redirects_errors(self) -> bool {
        // SAFETY: as in `with_block`; the core module has merged its configuration of the block before.
        let pages = unsafe {
            let slots = (*self.context()).loc_conf;
            let core = (*slots.add(ngx_http_core_module.ctx_index)).cast::<ngx_http_core_loc_conf_t>();
            (*core).error_pages
        };
        !pages.is_null() && pages as usize != usize::MAX
    }

    /// The server that nginx is merging, by its address and its name, and the location by its name; both may be empty.
    fn with_place<T>(self, run: impl FnOnce(usize, &str, &str) -> T) -> T {
        // SAFETY: as in `with_block`; the function reads a few fields, and its answer is static.
        let (server, name, location, modifier) = unsafe {
            let context = self.context();
            let index = ngx_http_core_module.ctx_index;
            let location = (*(*context).loc_conf.add(index)).cast::<ngx_http_core_loc_conf_t>();
            let server = (*(*context).srv_conf.add(index)).cast::<ngx_http_core_srv_conf_t>();
            let modifier = CStr::from_ptr(shim::ngx_http_cors_location_modifier(location));
            let name = (*server).server_name.as_bytes();
            (server as usize, name, (*location).name.as_bytes(), modifier.to_bytes())
        };
        let location = [modifier, location].concat();
        run(
            server,
            &String::from_utf8_lossy(name),
            &String::from_utf8_lossy(&location),
        )
    }

    pub(crate) fn report(self, problems: &[Problem]) {
        let shown = self.with_main(|main| {
            let shown = main.problems.collect(problems.to_vec());
            main.refused = main.problems.has_errors();
            shown
        });
        self.log_problems(&shown.unwrap_or_default());
    }

    fn log_problems(self, problems: &[Problem]) {
        for problem in problems {
            log::problem(self.log(), problem);
        }
    }

    /// What shows only at the end.
    pub(crate) fn report_the_rest(self) {
        if let Some(problems) = self.with_main(|main| main.unused.finish()) {
            self.report(&problems);
        }
    }

    /// The numbers of those that were not shown.
    pub(crate) fn report_numbers(self) {
        let problems = self.with_main(|main| main.problems.finish());
        self.log_problems(&problems.unwrap_or_default());
    }
}

impl Syntax for Configuration {
    fn time(&self, value: &[u8]) -> Option<u64> {
        let mut value = str(value);
        // SAFETY: nginx reads `len` bytes and writes none.
        let seconds = unsafe { ngx_parse_time(&mut value, 1) };
        u64::try_from(seconds).ok()
    }

    fn variable(&mut self, text: &[u8]) -> Option<usize> {
        // SAFETY: all fields of a complex value may be zero; nginx fills it in.
        let mut compiled: ngx_http_complex_value_t = unsafe { core::mem::zeroed() };
        // SAFETY: as above, and likewise for what nginx needs to fill it in.
        let mut compile: ngx_http_compile_complex_value_t = unsafe { core::mem::zeroed() };
        let mut value = str(text);
        compile.cf = self.0;
        compile.value = &mut value;
        compile.complex_value = &mut compiled;
        // SAFETY: nginx allocates in the configuration's pool, and keeps pointers to the text, which lies there too.
        if unsafe { ngx_http_compile_complex_value(&mut compile) } != NGX_OK as ngx_int_t {
            return None;
        }
        self.with_main(|main| {
            main.variables.push(Variable {
                value: compiled,
                text: text.into(),
                complained: Cell::new(false),
            });
            main.variables.len() - 1
        })
    }
}

/// The handlers of all phases, in the order in which nginx runs them.
///
/// # Safety
///
/// The configuration of `cycle` has been read, and serves no request while the handlers are in use.
pub(crate) unsafe fn phase_handlers<'c>(
    cycle: *mut ngx_cycle_t,
) -> impl Iterator<Item = &'c mut ngx_http_phase_handler_t> {
    // SAFETY: the caller vouches for the cycle; a configuration without `http` has no context of it.
    let core = unsafe {
        let context = (*(*cycle).conf_ctx.add(ngx_http_module.index))
            .cast::<ngx_http_conf_ctx_t>()
            .as_ref();
        context.and_then(|context| {
            (*context.main_conf.add(ngx_http_core_module.ctx_index))
                .cast::<ngx_http_core_main_conf_t>()
                .as_ref()
        })
    };
    let mut next = core.map_or(ptr::null_mut(), |core| core.phase_engine.handlers);
    core::iter::from_fn(move || {
        // SAFETY: nginx ends the array with a checker that is none; nothing may lie behind that.
        let is_last = next.is_null() || unsafe { (*next).checker.is_none() };
        if is_last {
            return None;
        }
        // SAFETY: this one is whole.
        let handler = unsafe { &mut *next };
        // SAFETY: as above.
        next = unsafe { next.add(1) };
        Some(handler)
    })
}

/// No one can ask for a variable that no one can name.
unsafe extern "C" fn hidden(_: *mut ngx_http_request_t, _: *mut ngx_variable_value_t, _: usize) -> ngx_int_t {
    NGX_ERROR as ngx_int_t
}

pub(crate) unsafe extern "C" fn create_main(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    unsafe { create::<MainConf>(cf) }
}

pub(crate) unsafe extern "C" fn create_location(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    unsafe { create::<LocationConf>(cf) }
}

/// # Safety
///
/// `cf` is the configuration that nginx is reading.
unsafe fn create<T: Default>(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: the caller vouches for it.
    let configuration = unsafe { Configuration::from_raw(cf) };
    guard(configuration.log(), ptr::null_mut(), || {
        // SAFETY: the pool of a configuration that is being read is alive.
        unsafe { pool::keep(configuration.pool(), T::default()) }.map_or(ptr::null_mut(), |kept| kept.as_ptr().cast())
    })
}

/// Reads any of the directives that make up a policy.
///
/// It succeeds even where a value is wrong: the configuration is refused at the end, with all that is wrong in it.
pub(crate) unsafe extern "C" fn read_directive(
    cf: *mut ngx_conf_t,
    _: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    let mut configuration = unsafe { Configuration::from_raw(cf) };
    guard(configuration.log(), NGX_CONF_ERROR, || {
        // SAFETY: nginx hands over what `create_location` made for this level, and keeps no other reference to it.
        let location = unsafe { conf.cast::<LocationConf>().as_mut() };
        let (Some(location), Some((name, values))) = (location, configuration.words()) else {
            return NGX_CONF_ERROR;
        };
        let Some(directive) = Directive::from_name(name) else {
            return NGX_CONF_ERROR;
        };
        let position = configuration.position();
        let problems = location.level.read(directive, &values, &position, &mut configuration);
        configuration.report(&problems);
        NGX_CONF_OK
    })
}

/// Puts together what a level says and what it inherits. nginx merges outer levels before inner ones.
pub(crate) unsafe extern "C" fn merge_location(
    cf: *mut ngx_conf_t,
    outer: *mut c_void,
    inner: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    let configuration = unsafe { Configuration::from_raw(cf) };
    guard(configuration.log(), NGX_CONF_ERROR, || {
        // SAFETY: nginx hands over what `create_location` made for two different levels.
        let levels = unsafe {
            (
                outer.cast::<LocationConf>().as_mut(),
                inner.cast::<LocationConf>().as_mut(),
            )
        };
        let (Some(outer), Some(inner)) = levels else {
            return NGX_CONF_ERROR;
        };
        #[cfg(feature = "fault-injection")]
        inner.fault.inherit(outer.fault);
        let settled = configuration.with_block(|block| {
            configuration.with_main(|main| {
                // Of all levels only `http` has not been merged into another before.
                let (scope, mut problems) = outer.settle(&Scope::default(), None, Block::Http, &mut main.unused);
                let (scope, inherited) = (scope.clone(), outer.prepared.clone());
                let (_, found) = inner.settle(&scope, inherited.as_ref(), block, &mut main.unused);
                main.in_use |= inner.prepared.is_some();
                main.redirects_errors |= configuration.redirects_errors();
                let is_early = |policy: &Policy| policy.preflight_mode() == PreflightMode::Early;
                main.early_in_use |= matches!(block, Block::Server(_)) && inner.policy().is_some_and(is_early);
                problems.extend(found);
                problems
            })
        });
        match settled {
            Some(problems) => configuration.report(&problems),
            None => return NGX_CONF_ERROR,
        }
        if let Some(prepared) = &inner.prepared {
            inner.place = configuration.with_place(|server, name, location| {
                configuration.with_main(|main| Some(main.zone.as_mut()?.place(server, name, location, prepared)))?
            });
        }
        NGX_CONF_OK
    })
}
