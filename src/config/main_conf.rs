//! What concerns a configuration as a whole.

use core::cell::{Cell, OnceCell, RefCell};
use core::ffi::c_void;
use std::collections::HashSet;
use std::rc::Rc;

use cors_policy::{Position, Problems, UnusedDirectives};
use nginx_sys::{ngx_conf_t, ngx_cycle_t, ngx_http_conf_ctx_t, ngx_http_module};

use super::candidate::GivenCandidate;
use super::logged_denials::LoggedDenials;
use super::origin_lists::OriginLists;
use super::texts::Texts;
use crate::live_lists::Follower;
use crate::metrics::ConfiguredZone;
use crate::nginx::conf;
use crate::nginx::module::{HandlerModule, ModuleRecord};
use crate::nginx::panic::take_over_panic_messages;
use crate::nginx::pool::OutOfMemory;

/// nginx makes one for each configuration that it reads. Everyone shares it, so what changes is in cells.
#[derive(Default)]
pub(crate) struct MainConf {
    /// What was found wrong. It is acted on at the end, so that one run shows all errors.
    pub(super) problems: RefCell<Problems>,
    /// Some location has `cors on`; without one, no handler is installed.
    pub(crate) has_policy: Cell<bool>,
    /// Some server answers preflights early.
    pub(crate) has_early_server: Cell<bool>,
    /// Some policy has a candidate beside it.
    pub(crate) has_candidate: Cell<bool>,
    /// The `cors_candidate` of all blocks.
    pub(super) candidates: RefCell<Vec<Rc<GivenCandidate>>>,
    /// The file that was read last: the positions of its directives share its name.
    file: RefCell<Option<Rc<str>>>,
    pub(super) unused: RefCell<UnusedDirectives>,
    /// The texts with variables that list origins.
    pub(crate) texts: Texts,
    /// The lists of origins that change while nginx runs.
    pub(crate) origin_lists: OriginLists,
    /// What follows their files in this process.
    followers: OnceCell<Box<[Follower]>>,
    /// The named locations, by server and name, to which an `error_page` leads from a block with a policy.
    pub(super) governed_names: RefCell<HashSet<(usize, String)>>,
    /// The named locations that have a policy of their own, and where that begins.
    pub(super) named_policies: RefCell<Vec<(usize, String, Position)>>,
    /// What this process has logged in the last minute.
    pub(crate) logged_denials: LoggedDenials,
    pub(super) zone: OnceCell<Rc<ConfiguredZone>>,
    /// Where the first `cors_status` stands.
    pub(super) status_at: OnceCell<Position>,
}

impl MainConf {
    /// Where requests are counted, if they are.
    pub(crate) fn zone(&self) -> Option<&Rc<ConfiguredZone>> {
        self.zone.get()
    }

    /// Begins to follow the files of lists in this process.
    ///
    /// # Safety
    ///
    /// `cycle` is that of this configuration, and this process serves it from now on: nginx waits for a hook that says so.
    pub(crate) unsafe fn follow_lists(&self, cycle: *mut ngx_cycle_t) -> Result<(), OutOfMemory> {
        if !self.has_policy.get() {
            return Ok(());
        }
        let lists = self.origin_lists.all().iter().cloned();
        let followers = self.followers.get_or_init(|| lists.map(Follower::new).collect());
        // SAFETY: the caller vouches for the cycle. The followers stay where they are until the configuration is dropped.
        followers
            .iter()
            .try_for_each(|follower| unsafe { follower.begin(cycle) })
    }

    /// Ends that.
    pub(crate) fn end_following(&self) {
        self.followers.get().into_iter().flatten().for_each(Follower::end);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.problems.borrow().has_errors()
    }

    /// The name of a file, which the directives of that file share.
    pub(super) fn file_name(&self, name: &[u8]) -> Rc<str> {
        let mut last = self.file.borrow_mut();
        match &*last {
            Some(known) if known.as_bytes() == name => known.clone(),
            _ => last.insert(String::from_utf8_lossy(name).into()).clone(),
        }
    }
}

/// The first hook that nginx calls for a configuration.
pub(crate) unsafe extern "C" fn create_main(cf: *mut ngx_conf_t) -> *mut c_void {
    take_over_panic_messages();
    // SAFETY: nginx calls this hook for the configuration that it reads.
    unsafe { conf::create::<MainConf>(cf) }
}

/// The module's part of the configuration of `cycle`, if that has an `http`.
///
/// # Safety
///
/// The configuration of `cycle` has been read, and lives for `'c`.
pub(crate) unsafe fn main_conf_of<'c>(cycle: *const ngx_cycle_t) -> Option<&'c MainConf> {
    // SAFETY: the caller vouches for the cycle, in which nginx allocated a slot for every module; that of `http` is null
    // or has a slot for every module of HTTP, and this module's holds what `create_main` made.
    unsafe {
        let http = (*(*cycle).conf_ctx.add(ngx_http_module.index)).cast::<ngx_http_conf_ctx_t>();
        if http.is_null() {
            return None;
        }
        let slots = (*http).main_conf;
        (*slots.add(HandlerModule::index())).cast::<MainConf>().as_ref()
    }
}
