//! What concerns one block: `http`, a `server`, a `location`, or an `if` in one.

use core::cell::{Cell, OnceCell, RefCell};
use core::ffi::{c_char, c_void};
use std::rc::Rc;

use cors_policy::{Block, Level, Policy, Position, PreflightMode, Problem, Scope};
use cors_zone::Format;
use nginx_sys::ngx_conf_t;
use ngx::core::{NGX_CONF_ERROR, NGX_CONF_OK};

use super::candidate::{CandidateScope, GivenCandidate};
use super::main_conf::MainConf;
use super::reader::{with_configuration, MergedBlock};
#[cfg(feature = "fault-injection")]
use crate::fault::Fault;
use crate::metrics::CounterHandle;
use crate::nginx::conf;

/// nginx makes one for each block. Everyone shares it, so what changes is in cells.
#[derive(Default)]
pub(crate) struct LocationConf {
    /// What the directives of the block say, until it is merged with what it inherits.
    pub(super) level: RefCell<Level>,
    scope: OnceCell<Scope>,
    /// Where `cors_candidate` stands, if the block has one, and what that says.
    pub(super) candidate_at: OnceCell<Position>,
    pub(super) candidate_level: RefCell<Level>,
    candidate_scope: OnceCell<CandidateScope>,
    /// The policy in force; none where CORS is off.
    policy: OnceCell<Rc<Policy>>,
    /// The policy that is judged beside it, if there is one.
    candidate: OnceCell<Rc<Policy>>,
    /// The block says `cors off` itself.
    says_off: Cell<bool>,
    /// Where its requests are counted, if they are.
    counted: OnceCell<CounterHandle>,
    /// What `cors_status` shows here.
    pub(super) status: OnceCell<StatusFormat>,
    #[cfg(feature = "fault-injection")]
    pub(crate) fault: Cell<Fault>,
}

/// The format in which a location with `cors_status` answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusFormat {
    /// The one that the client prefers (`Accept`).
    Negotiated,
    Always(Format),
}

impl LocationConf {
    /// One with or without a policy, for unit tests.
    #[cfg(test)]
    pub(crate) fn for_test(has_policy: bool) -> Self {
        let conf = Self::default();
        if has_policy {
            conf.policy.get_or_init(Rc::default);
        }
        conf
    }

    /// The policy in force, if CORS is on.
    #[inline]
    pub(crate) fn policy(&self) -> Option<&Policy> {
        self.policy.get().map(|policy| &**policy)
    }

    /// The policy that is judged beside the one in force, if there is one.
    #[inline]
    pub(crate) fn candidate(&self) -> Option<&Policy> {
        self.candidate.get().map(|policy| &**policy)
    }

    /// Whether the block says `cors off` itself. A response that it serves is left alone, whichever policy governs the
    /// request.
    #[inline]
    pub(crate) fn says_off(&self) -> bool {
        self.says_off.get()
    }

    /// Where its requests are counted, if they are.
    #[inline]
    pub(crate) fn counted(&self) -> Option<&CounterHandle> {
        self.counted.get()
    }

    pub(crate) fn status(&self) -> Option<StatusFormat> {
        self.status.get().copied()
    }

    /// Puts together what the block says and what it inherits, once. `http` has no outer block.
    fn merge(&self, outer: Option<&Self>, block: Block<'_>, main: &MainConf) -> Vec<Problem> {
        let mut problems = Vec::new();
        let scope = self.scope.get_or_init(|| {
            let (level, found) = self.level.take().complete();
            problems.extend(found);
            let nothing = Scope::default();
            let outer_scope = outer.and_then(|outer| outer.scope.get()).unwrap_or(&nothing);
            let (scope, found) = level.inherit(outer_scope, block, &mut main.unused.borrow_mut());
            problems.extend(found);
            let outer_candidate = outer.and_then(|outer| outer.candidate_scope.get());
            let given = self.candidate_at.get().map(|at| {
                let given = Rc::new(GivenCandidate::new(at.clone()));
                main.candidates.borrow_mut().push(given.clone());
                (given, self.candidate_level.take())
            });
            let (candidate, found) = CandidateScope::of_block(given, &level, &scope, outer_candidate, block);
            problems.extend(found);
            if let Some(candidate) = candidate {
                self.candidate_scope.get_or_init(|| candidate);
            }
            scope
        });
        if scope.policy().is_on() {
            self.policy.get_or_init(|| scope.policy().clone());
            // `http` by itself serves no request.
            if let Some(candidate) = self.candidate_scope.get().filter(|_| block != Block::Http) {
                self.candidate.get_or_init(|| candidate.policy().clone());
                main.has_candidate.set(true);
            }
        }
        self.says_off.set(scope.policy().is_off_here());
        problems
    }
}

impl MergedBlock {
    fn as_block(&self) -> Block<'_> {
        match &*self.location {
            "" => Block::Server(&self.server_name),
            location => Block::Location(location),
        }
    }
}

pub(crate) unsafe extern "C" fn create_location(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    unsafe { conf::create::<LocationConf>(cf) }
}

/// nginx merges outer blocks before inner ones.
pub(crate) unsafe extern "C" fn merge_location(
    cf: *mut ngx_conf_t,
    outer: *mut c_void,
    inner: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx calls this hook for the configuration that it reads, with what `create_location` made for two blocks
    // of it; neither is ever borrowed mutably (invariant 3).
    let (outer, inner) = unsafe {
        (
            outer.cast::<LocationConf>().as_ref(),
            inner.cast::<LocationConf>().as_ref(),
        )
    };
    // SAFETY: as above.
    unsafe {
        with_configuration(cf, NGX_CONF_ERROR, |configuration, main| {
            let (outer, inner) = (outer?, inner?);
            #[cfg(feature = "fault-injection")]
            inner.fault.set(inner.fault.get().or(outer.fault.get()));
            let block = configuration.merged_block();
            let own_policy_at = inner.level.borrow().position().cloned();
            // Of all blocks only `http` has not been merged into another one before.
            let mut problems = outer.merge(None, Block::Http, main);
            problems.extend(inner.merge(Some(outer), block.as_block(), main));
            configuration.report(main, problems);
            if let Some(policy) = inner.policy.get() {
                main.has_policy.set(true);
                let policies = [Some(policy), inner.candidate.get()].into_iter().flatten();
                for used in policies.flat_map(|policy| policy.live_lists()) {
                    main.origin_lists.note_use(&used);
                }
                let names = configuration.named_error_pages().into_iter();
                main.governed_names
                    .borrow_mut()
                    .extend(names.map(|name| (block.server, name)));
                if let (true, Some(at)) = (block.location.starts_with('@'), own_policy_at) {
                    let named = (block.server, block.location.clone(), at);
                    main.named_policies.borrow_mut().push(named);
                }
                if block.location.is_empty() && policy.settings().preflight == PreflightMode::Early {
                    main.has_early_server.set(true);
                }
                if let Some(zone) = main.zone() {
                    let location = format!("{}{}", block.modifier, block.location);
                    let server = (block.server, &*block.server_name);
                    let listener = || configuration.listener(block.server);
                    let has_candidate = inner.candidate.get().is_some();
                    let counted = zone.count_location(server, listener, &location, policy, has_candidate);
                    inner.counted.get_or_init(|| counted);
                }
            }
            Some(NGX_CONF_OK)
        })
    }
}
