//! What is remembered of a request.
//!
//! A context lies in the request's pool and lasts as long. nginx keeps a pointer to it among the contexts of modules,
//! which an internal redirect clears; it is then found again by its pool cleanup, as `ngx_http_realip_module` does.
//!
//! # Which policy governs
//!
//! ```text
//!                  rewrite phase of a                    access phase, or an internal redirect:
//!                  location with a policy                the candidate has answered in its rewrite phase
//!     Unbound ----------------------------> Candidate ---------------------------> Bound
//!        |  ^                                |  ^  |                                 ^
//!        |  |  rewrite phase of a location   |  |  |  rewrite phase of another       |
//!        |  +---- that says `cors off` ------+  +--+  location with a policy         |
//!        |        (rewrite ... last)                  (rewrite ... last)             |
//!        |                                                                           |
//!        +---------------------------------------------------------------------------+
//!               access phase of a location with a policy, or a preflight that is
//!               answered in a rewrite phase (cors_preflight early)
//! ```
//!
//! A request without a context is unbound. `Bound` is final. `rewrite ... last` to a location that has no policy and does
//! not say `cors off` leaves the candidate as it is. So does an internal redirect from a location to which `rewrite ... last`
//! has led, but whose rewrite phase has not begun: nginx has refused the body there (413).
//!
//! # What was decided
//!
//! A decision is kept once nothing can change it: in the access phase for what is answered or refused there, else by the
//! header filter, else by the log phase. It belongs to the policy by which it was made. What became of the request is worked
//! out for whoever asks first, and kept once the header filter has seen the response.

use core::cell::Cell;
use core::ffi::c_void;

use cors_policy::{Decision, Outcome, Reason};

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
    /// How often the URI might still change when the request entered the rewrite phase of a location last.
    uri_changes_left: Cell<usize>,
    /// The request has passed an access phase since its policy was bound.
    has_passed_access: Cell<bool>,
    decision: Cell<Option<KeptDecision<'r>>>,
    /// The status of the response that the header filter has seen last.
    response_status: Cell<Option<u16>>,
    /// What became of the request by that response, once someone has asked: it may take a look at many names.
    result: Cell<Option<(Outcome, Option<Reason<'r>>)>>,
    action: Cell<Action>,
    is_denial_logged: Cell<bool>,
    /// The header filter has given the response the policy's headers.
    has_headers: Cell<bool>,
    has_filter_failed: Cell<bool>,
}

/// Which policy governs the request.
#[derive(Clone, Copy)]
pub(crate) enum Binding<'r> {
    /// None yet.
    Unbound,
    /// That of this location, should it answer in its rewrite phase, or none follow that has a policy.
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
            None if request.may_have_lost_contexts() => Self::recover(request),
            found => found,
        }
    }

    /// Finds the context after nginx has cleared its slot: on an internal redirect, or as a filter has given up the
    /// response.
    #[cold]
    fn recover(request: Request<'r>) -> Option<&'r Self> {
        if !request.is_main() {
            return None; // a subrequest has the pool of its main request
        }
        // SAFETY: the pool of a request lives as long as the request; `create` alone uses the marker, for contexts; what
        // they borrow lives as long (invariant 5).
        let context = unsafe { pool::find::<Self>(request.pool(), MARKER) }?;
        if let Binding::Candidate(location) = context.binding.get() {
            // The redirect is one change of the URI. Another one is a `rewrite ... last` to a location that has refused
            // the request before its rewrite phase (413), and which nginx tells nobody.
            if context.uri_changes_left.get() <= request.uri_changes_left() + 1 {
                context.bind(location);
            }
        }
        context.store_in_slot(request);
        Some(context)
    }

    /// The context of a request, which has one from now on.
    pub(crate) fn get_or_create(request: Request<'r>) -> Result<&'r Self, OutOfMemory> {
        match Self::get(request) {
            Some(context) => Ok(context),
            None => Self::create(request),
        }
    }

    /// Makes the context of a request for which [`RequestContext::get`] has found none.
    pub(crate) fn create(request: Request<'r>) -> Result<&'r Self, OutOfMemory> {
        let context = Self {
            is_options: request.is_options(),
            binding: Cell::new(Binding::Unbound),
            uri_changes_left: Cell::new(0),
            has_passed_access: Cell::new(false),
            decision: Cell::new(None),
            response_status: Cell::new(None),
            result: Cell::new(None),
            action: Cell::new(Action::None),
            is_denial_logged: Cell::new(false),
            has_headers: Cell::new(false),
            has_filter_failed: Cell::new(false),
        };
        // SAFETY: the pool of a request lives as long as the request, as does what a context borrows (invariant 5).
        let context = unsafe { pool::attach(request.pool(), MARKER, context) }?;
        context.store_in_slot(request);
        Ok(context)
    }

    fn store_in_slot(&self, request: Request<'r>) {
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
    pub(crate) fn enter_rewrite(&self, request: Request<'r>, location: &'r LocationConf) {
        self.uri_changes_left.set(request.uri_changes_left());
        match self.binding.get() {
            Binding::Bound(_) => {}
            _ if location.policy().is_some() => self.binding.set(Binding::Candidate(location)),
            _ if location.says_off() => self.binding.set(Binding::Unbound),
            _ => {}
        }
    }

    /// The request is in the access phase of `location`. Whichever location governs it now does so to the end.
    pub(crate) fn bind_in_access(&self, location: &'r LocationConf) {
        match (location.policy(), self.binding.get()) {
            (Some(_), _) => self.bind(location),
            (None, Binding::Candidate(left)) => self.bind(left),
            (None, Binding::Unbound | Binding::Bound(_)) => {}
        }
    }

    /// `location` governs the request from now on, if no other does.
    pub(crate) fn bind(&self, location: &'r LocationConf) {
        if !matches!(self.binding.get(), Binding::Bound(_)) {
            self.binding.set(Binding::Bound(location));
        }
    }

    /// The request is in an access phase; whether it is the first under the policy that governs it.
    pub(crate) fn is_first_access(&self) -> bool {
        !self.has_passed_access.replace(true)
    }

    /// Whether the request has passed an access phase under the policy that governs it.
    pub(crate) fn has_passed_access(&self) -> bool {
        self.has_passed_access.get()
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

    pub(crate) fn keep_decision(&self, location: &'r LocationConf, decision: Decision<'r>) {
        self.decision.set(Some(KeptDecision { location, decision }));
    }

    /// The response comes from a location that says `cors off`.
    pub(crate) fn forget_decision(&self) {
        self.decision.set(None);
        self.response_status.set(None);
        self.result.set(None);
    }

    /// What became of the request by its response, if that is known.
    pub(crate) fn result(&self) -> Option<(Outcome, Option<Reason<'r>>)> {
        self.result.get()
    }

    /// The status of the response, once the header filter has seen it.
    pub(crate) fn response_status(&self) -> Option<u16> {
        self.response_status.get()
    }

    /// Keeps what became of the request, if its response is there: until then it may still change.
    pub(crate) fn keep_result(&self, result: (Outcome, Option<Reason<'r>>)) {
        if self.response_status.get().is_some() {
            self.result.set(Some(result));
        }
    }

    #[inline]
    pub(crate) fn action(&self) -> Action {
        self.action.get()
    }

    pub(crate) fn note_action(&self, action: Action) {
        self.action.set(action);
    }

    /// Whether no denial of this request has been logged; from now on one has.
    pub(crate) fn claim_denial_log(&self) -> bool {
        !self.is_denial_logged.replace(true)
    }

    /// Whether the CORS headers of the response are those of the policy, whatever `cors_override` says: the module has made
    /// the response itself, or has added the headers.
    pub(crate) fn is_response_own(&self) -> bool {
        self.has_headers.get() || matches!(self.action.get(), Action::Answered(_))
    }

    /// The header filter sees a response with this status, which may be another than it saw before.
    pub(crate) fn begin_response(&self, status: u16) {
        self.response_status.set(Some(status));
        self.has_headers.set(false);
        self.result.set(None);
    }

    /// The header filter has given the response the policy's headers.
    pub(crate) fn note_headers(&self) {
        self.has_headers.set(true);
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

#[cfg(test)]
mod tests {
    use core::ffi::c_void;
    use std::sync::Mutex;

    use cors_policy::Policy;
    use nginx_sys::{ngx_connection_t, ngx_http_request_t, ngx_log_t, NGX_HTTP_OPTIONS};

    use super::*;
    use crate::nginx::pool::tests::Pool;
    use crate::nginx::return_code;
    use crate::request::with_request;

    extern "C" {
        fn ngx_http_cors_test_begin(request: *mut ngx_http_request_t);
        fn ngx_http_cors_test_rewrite(request: *mut ngx_http_request_t);
        fn ngx_http_cors_test_redirect(request: *mut ngx_http_request_t);
    }

    /// A request, as far as a context looks at it.
    struct Client {
        request: Box<ngx_http_request_t>,
        contexts: Box<[*mut c_void; 4]>,
        pool: Pool,
        _connection: Box<ngx_connection_t>,
        _log: Box<ngx_log_t>,
    }

    impl Client {
        fn new() -> Self {
            let pool = Pool::new();
            // SAFETY: all fields of these may be zero.
            let (mut request, mut connection, mut log): (
                Box<ngx_http_request_t>,
                Box<ngx_connection_t>,
                Box<ngx_log_t>,
            ) = unsafe {
                (
                    Box::new(core::mem::zeroed()),
                    Box::new(core::mem::zeroed()),
                    Box::new(core::mem::zeroed()),
                )
            };
            let mut contexts = Box::new([core::ptr::null_mut(); 4]);
            connection.log = &mut *log;
            request.connection = &mut *connection;
            request.ctx = contexts.as_mut_ptr();
            request.pool = pool.raw();
            request.main = &mut *request;
            request.method = NGX_HTTP_OPTIONS as _;
            // SAFETY: the function sets bits of the request.
            unsafe { ngx_http_cors_test_begin(&mut *request) };
            Self {
                request,
                contexts,
                pool,
                _connection: connection,
                _log: log,
            }
        }

        /// Runs `work` as nginx runs a hook.
        fn hook(&mut self, work: impl for<'r> FnOnce(Request<'r>)) {
            // SAFETY: the request has what a context asks of it, and lives while `work` runs.
            let outcome = unsafe {
                with_request(&mut *self.request, return_code::ERROR, |request| {
                    work(request);
                    return_code::OK
                })
            };
            assert_eq!(outcome, return_code::OK);
        }

        /// What nginx does on an internal redirect.
        fn redirect(&mut self) {
            self.contexts.fill(core::ptr::null_mut());
            // SAFETY: the function sets bits of the request.
            unsafe { ngx_http_cors_test_redirect(&mut *self.request) };
        }

        /// What nginx does once `rewrite ... last` has changed the URI.
        fn rewrite(&mut self) {
            // SAFETY: the function sets bits of the request.
            unsafe { ngx_http_cors_test_rewrite(&mut *self.request) };
        }
    }

    /// A location that outlives every request. A list holds it, so that it is no leak.
    fn location(has_policy: bool) -> &'static LocationConf {
        static ALL: Mutex<Vec<usize>> = Mutex::new(Vec::new());
        let location: &_ = Box::leak(Box::new(LocationConf::for_test(has_policy)));
        ALL.lock().expect("a list").push(core::ptr::from_ref(location) as usize);
        location
    }

    fn is_bound_to(context: &RequestContext<'_>, location: &LocationConf) -> bool {
        matches!(context.binding(), Binding::Bound(bound) if core::ptr::eq(bound, location))
    }

    #[test]
    fn a_context_is_found_again_after_a_redirect() {
        let mut client = Client::new();
        client.hook(|request| {
            assert!(RequestContext::get(request).is_none());
            let context = RequestContext::get_or_create(request).expect("memory");
            context.note_action(Action::Answered(204));
        });
        client.redirect();
        client.request.method = 0;
        client.hook(|request| {
            let context = RequestContext::get(request).expect("found");
            assert!(context.is_options() && context.action() == Action::Answered(204));
        });
        assert!(!client.contexts[0].is_null(), "it need not be looked for twice");
    }

    #[test]
    fn a_subrequest_does_not_find_the_context_of_its_main_request() {
        let mut client = Client::new();
        client.hook(|request| {
            RequestContext::get_or_create(request).expect("memory");
        });
        client.redirect();
        client.request.main = core::ptr::null_mut();
        client.hook(|request| assert!(RequestContext::get(request).is_none()));
    }

    #[test]
    fn a_location_that_rewrite_leaves_governs_where_none_follows_that_has_a_policy() {
        let (left, next) = (location(true), location(false));
        let mut client = Client::new();
        client.hook(|request| {
            let context = RequestContext::get_or_create(request).expect("memory");
            context.enter_rewrite(request, left);
            assert!(matches!(context.binding(), Binding::Candidate(_)));
            context.enter_rewrite(request, next);
            context.bind_in_access(next);
            assert!(is_bound_to(context, left));
        });
    }

    #[test]
    fn the_last_location_with_a_policy_to_which_rewrite_leads_governs() {
        let (left, next) = (location(true), location(true));
        let mut client = Client::new();
        client.hook(|request| {
            let context = RequestContext::get_or_create(request).expect("memory");
            context.enter_rewrite(request, left);
            context.enter_rewrite(request, next);
            context.bind_in_access(next);
            assert!(is_bound_to(context, next));
        });
    }

    #[test]
    fn a_location_that_answers_in_its_rewrite_phase_governs_the_error_page() {
        let (answers, page) = (location(true), location(true));
        let mut client = Client::new();
        client.hook(|request| {
            RequestContext::get_or_create(request)
                .expect("memory")
                .enter_rewrite(request, answers)
        });
        client.redirect();
        client.hook(|request| {
            let context = RequestContext::get(request).expect("found");
            context.enter_rewrite(request, page);
            assert!(is_bound_to(context, answers));
        });
    }

    #[test]
    fn a_location_that_rewrite_left_does_not_bind_the_error_page_of_one_that_was_never_entered() {
        let (left, page) = (location(true), location(true));
        let mut client = Client::new();
        client.hook(|request| {
            let context = RequestContext::get_or_create(request).expect("memory");
            context.enter_rewrite(request, left);
        });
        client.rewrite();
        client.redirect();
        client.hook(|request| {
            let context = RequestContext::get(request).expect("found");
            assert!(matches!(context.binding(), Binding::Candidate(candidate) if core::ptr::eq(candidate, left)));
            context.enter_rewrite(request, page);
            context.bind_in_access(page);
            assert!(is_bound_to(context, page));
        });
    }

    #[test]
    fn what_governs_once_governs_to_the_end() {
        let (first, later) = (location(true), location(true));
        let mut client = Client::new();
        client.hook(|request| {
            let context = RequestContext::get_or_create(request).expect("memory");
            context.bind(first);
            assert!(context.is_first_access() && !context.is_first_access());
        });
        client.redirect();
        client.hook(|request| {
            let context = RequestContext::get(request).expect("found");
            context.enter_rewrite(request, later);
            context.bind(later);
            assert!(is_bound_to(context, first) && !context.is_first_access());
        });
    }

    #[test]
    fn a_decision_is_that_of_the_policy_that_made_it() {
        let (one, other) = (location(true), location(true));
        let mut client = Client::new();
        client.hook(|request| {
            let context = RequestContext::get_or_create(request).expect("memory");
            let decision = Policy::default().decide(&cors_policy::Request::default(), &request);
            context.keep_decision(one, decision);
            assert_eq!(context.decision(one), Some(decision));
            assert_eq!(context.decision(other), None);
            context.forget_decision();
            assert_eq!(context.decision(one), None);
        });
    }

    #[test]
    fn one_denial_is_logged() {
        let mut client = Client::new();
        client.hook(|request| {
            let context = RequestContext::get_or_create(request).expect("memory");
            assert!(context.claim_denial_log() && !context.claim_denial_log());
        });
    }

    #[test]
    fn there_is_no_context_where_memory_is_lacking() {
        let mut client = Client::new();
        let pool = client.pool.raw();
        client.hook(|request| {
            assert_eq!(request.pool(), pool);
        });
        let Client { ref pool, .. } = client;
        let request = core::ptr::from_mut(&mut *client.request);
        // SAFETY: as in `hook`.
        pool.exhaust(|| unsafe {
            with_request(request, return_code::ERROR, |request| {
                assert!(RequestContext::get_or_create(request).is_err());
                return_code::OK
            });
        });
        assert!(client.contexts[0].is_null());
    }
}
