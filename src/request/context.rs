//! What is remembered of a request.
//!
//! A context lies in the request's pool and lasts as long. nginx keeps a pointer to it among the contexts of modules,
//! which an internal redirect clears; it is then found again by its pool cleanup, as `ngx_http_realip_module` does.
//!
//! # Which policy governs
//!
//! ```text
//!                  rewrite phase of a                    access phase of a
//!                  location with a policy                location with a policy
//!     Unbound ----------------------------> Candidate ---------------------------> Bound
//!        |  ^                                |  ^   |                                ^
//!        |  |  rewrite phase of a location   |  |   |  internal redirect: the        |
//!        |  +----- without a policy ---------+  |   |  location has answered in      |
//!        |         (rewrite ... last)           |   |  its rewrite phase             |
//!        |                                      |   +--------------------------------+
//!        |      rewrite phase of another +------+                                    |
//!        |      location with a policy                                               |
//!        +---------------------------------------------------------------------------+
//!               the server answers the preflight (cors_preflight early), or
//!               access phase of a location with a policy
//! ```
//!
//! A request without a context is unbound. `Bound` is final.
//!
//! # What was decided
//!
//! A decision is kept once nothing can change it: in the access phase for what is answered or refused there, else by the
//! header filter, else by the log phase. It belongs to the policy by which it was made.

use core::cell::Cell;
use core::ffi::c_void;

use cors_policy::Decision;

use super::live::Request;
use crate::config::LocationConf;
use crate::nginx::pool::{self, Cleanup, OutOfMemory};
use crate::nginx::shim;

/// The pool cleanup by which a context is found. It has nothing to clean.
const MARKER: Cleanup = shim::ngx_http_cors_context_cleanup;

/// What is remembered of a request. What it borrows lives as long as the request (invariant 5).
pub(crate) struct RequestContext<'r> {
    /// The client's method was `OPTIONS`; `error_page` may have made a `GET` of it since.
    is_options: bool,
    binding: Cell<Binding<'r>>,
    /// The request has passed an access phase since its policy was bound.
    has_passed_access: Cell<bool>,
    decision: Cell<Option<KeptDecision<'r>>>,
    action: Cell<Action>,
    is_denial_logged: Cell<bool>,
    has_filter_failed: Cell<bool>,
}

/// Which policy governs the request.
#[derive(Clone, Copy)]
pub(crate) enum Binding<'r> {
    /// None yet.
    Unbound,
    /// That of this location, should it answer in its rewrite phase.
    Candidate(&'r LocationConf),
    /// That of this location, whichever serves the request in the end.
    Bound(&'r LocationConf),
}

/// What was decided, and whose policy decided.
#[derive(Clone, Copy)]
pub(crate) struct KeptDecision<'r> {
    pub(crate) location: &'r LocationConf,
    pub(crate) decision: Decision<'r>,
}

/// What the module did to a request beside giving its response headers.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Action {
    #[default]
    None,
    /// It answered a preflight, with this status.
    Answered(u16),
    /// It refused an actual request (`cors_enforce`).
    Refused,
}

impl<'r> RequestContext<'r> {
    /// The context of a request, if it has one.
    #[inline]
    pub(crate) fn get(request: Request<'r>) -> Option<&'r Self> {
        let slot = request.context_slot();
        // SAFETY: the slot is the module's own, and holds null or what `create` or `find` has put there: a context in
        // the request's pool, which is never borrowed mutably. All that it borrows lives as long as the request
        // (invariant 5), which is what `'r` stands for.
        match unsafe { (*slot).cast::<Self>().as_ref() } {
            None if request.may_have_lost_contexts() => Self::find(request),
            found => found,
        }
    }

    /// Finds the context after nginx has cleared its slot: on an internal redirect, or as a filter has given up the
    /// response.
    #[cold]
    fn find(request: Request<'r>) -> Option<&'r Self> {
        if !request.is_main() {
            return None; // a subrequest has the pool of its main request
        }
        // SAFETY: the pool of a request lives as long as the request; `create` alone uses the marker, for contexts; what
        // they borrow lives as long (invariant 5).
        let context = unsafe { pool::find::<Self>(request.pool(), MARKER) }?;
        if let Binding::Candidate(location) = context.binding.get() {
            context.binding.set(Binding::Bound(location));
        }
        context.remember(request);
        Some(context)
    }

    /// The context of a request, which has one from now on.
    pub(crate) fn get_or_create(request: Request<'r>) -> Result<&'r Self, OutOfMemory> {
        match Self::get(request) {
            Some(context) => Ok(context),
            None => Self::create(request),
        }
    }

    fn create(request: Request<'r>) -> Result<&'r Self, OutOfMemory> {
        let context = Self {
            is_options: request.is_options(),
            binding: Cell::new(Binding::Unbound),
            has_passed_access: Cell::new(false),
            decision: Cell::new(None),
            action: Cell::new(Action::None),
            is_denial_logged: Cell::new(false),
            has_filter_failed: Cell::new(false),
        };
        // SAFETY: the pool of a request lives as long as the request, as does what a context borrows (invariant 5).
        let context = unsafe { pool::attach(request.pool(), MARKER, context) }?;
        context.remember(request);
        Ok(context)
    }

    fn remember(&self, request: Request<'r>) {
        let context = core::ptr::from_ref(self).cast_mut().cast::<c_void>();
        // SAFETY: the slot is the module's own; the pointer is only read through.
        unsafe { *request.context_slot() = context };
    }

    /// Whether the client's method was `OPTIONS`.
    #[inline]
    pub(crate) fn is_options(&self) -> bool {
        self.is_options
    }

    #[inline]
    pub(crate) fn binding(&self) -> Binding<'r> {
        self.binding.get()
    }

    /// The request has entered the rewrite phase of `location`.
    pub(crate) fn enter_rewrite(&self, location: &'r LocationConf) {
        if !matches!(self.binding.get(), Binding::Bound(_)) {
            self.binding.set(match location.policy() {
                Some(_) => Binding::Candidate(location),
                None => Binding::Unbound,
            });
        }
    }

    /// `location` governs the request from now on, if no other does.
    pub(crate) fn bind(&self, location: &'r LocationConf) {
        if !matches!(self.binding.get(), Binding::Bound(_)) {
            self.binding.set(Binding::Bound(location));
        }
    }

    /// The request is in an access phase; whether it is the first under the policy that governs it.
    pub(crate) fn enter_access(&self) -> bool {
        !self.has_passed_access.replace(true)
    }

    /// What was decided under the policy of `location`, if that is kept.
    #[inline]
    pub(crate) fn decision(&self, location: &LocationConf) -> Option<Decision<'r>> {
        let kept = self.decision.get()?;
        core::ptr::eq(kept.location, location).then_some(kept.decision)
    }

    /// What was decided last, and by whose policy, if that is kept.
    pub(crate) fn last_decision(&self) -> Option<KeptDecision<'r>> {
        self.decision.get()
    }

    pub(crate) fn keep(&self, location: &'r LocationConf, decision: Decision<'r>) {
        self.decision.set(Some(KeptDecision { location, decision }));
    }

    /// The response comes from a location that says `cors off`.
    pub(crate) fn forget_decision(&self) {
        self.decision.set(None);
    }

    #[inline]
    pub(crate) fn action(&self) -> Action {
        self.action.get()
    }

    pub(crate) fn note_action(&self, action: Action) {
        self.action.set(action);
    }

    /// Whether no denial of this request has been logged; from now on one has.
    pub(crate) fn may_log_denial(&self) -> bool {
        !self.is_denial_logged.replace(true)
    }

    /// Whether the header filter has failed on a response to this request: the next one tells of that.
    #[inline]
    pub(crate) fn has_filter_failed(&self) -> bool {
        self.has_filter_failed.get()
    }

    pub(crate) fn note_filter_failure(&self) {
        self.has_filter_failed.set(true);
    }
}
