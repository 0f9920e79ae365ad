//! Which policy governs a request, and what the access phase made of it.
//!
//! nginx wipes the contexts of modules on an internal redirect. What has to last lies among the values of variables,
//! which it keeps for the whole request: in the places of variables whose names no configuration can write. The context is
//! left to tell whether nginx has wiped it since.

use core::ptr::{self, NonNull};
use core::slice;

use cors_policy::{Enforce, Preflight, Verdict};
use nginx_sys::ngx_variable_value_t;

use crate::conf::LocationConf;
use crate::module::{self, Module};
use crate::prepared::{Prepared, Reply};
use crate::request::{Lines, Request};
use crate::zone::{Place, Sort};

/// The names of the variables whose places make up a request's memory, in the order of [`Slot`]. They are the module's own
/// only if no one has taken them before, which a configuration can do, but not by accident: they hold a space.
pub(crate) const PLACES: [&str; 8] = [
    "cors location",
    "cors marks",
    "cors origin",
    "cors origin length",
    "cors method",
    "cors method length",
    "cors reply",
    "cors sort",
];

/// What lies in these places.
#[derive(Clone, Copy)]
enum Slot {
    Location,
    Marks,
    Origin,
    OriginLength,
    Method,
    MethodLength,
    Reply,
    Sort,
}

const _: () = assert!(Slot::Sort as usize + 1 == PLACES.len());

/// What the module remembers of a request. Of the values that lie in its places only the pointers are used.
#[derive(Clone, Copy)]
pub(crate) struct State<'r> {
    request: Request<'r>,
    places: NonNull<ngx_variable_value_t>,
}

/// There is a state.
const KNOWN: usize = 1;
/// The location governs the request to its end. If it does not, it is the one that is processing its rewrite phase:
/// if it answers there, it governs what becomes of that.
const SETTLED: usize = 1 << 1;
/// The request came as `OPTIONS`; `error_page` makes a `GET` of it.
const OPTIONS: usize = 1 << 2;
/// It has stood in an access phase since its policy was settled.
const JUDGED: usize = 1 << 3;
/// Its denial has been logged.
const TOLD: usize = 1 << 4;

/// It is a preflight that was answered.
const ANSWERED: usize = 1 << 5;
/// It was refused.
const REFUSED: usize = 1 << 6;
/// It is a preflight.
const PREFLIGHT: usize = 1 << 7;
/// The preflight asks for leave to enter a private network.
const PRIVATE_NETWORK: usize = 1 << 8;
/// From here on, the verdict on the preflight.
const VERDICT_SHIFT: u32 = 9;

/// A verdict takes so many bits.
const VERDICT: usize = 7;

/// None of the bits is set where there is no verdict.
#[inline]
const fn to_bits(verdict: Verdict) -> usize {
    verdict.number() + 1
}

#[inline]
fn from_bits(bits: usize) -> Option<Verdict> {
    Verdict::ALL.get((bits & VERDICT).checked_sub(1)?).copied()
}

impl<'r> State<'r> {
    #[inline]
    pub(crate) fn of(request: Request<'r>) -> Option<Self> {
        let places = request.values_at(request.first_place()?);
        Some(Self { request, places })
    }

    #[inline]
    fn get(self, slot: Slot) -> *mut u8 {
        // SAFETY: the values are the request's, and no one holds a reference to them; there is one for each slot.
        unsafe { (*self.places.as_ptr().add(slot as usize)).data }
    }

    #[inline]
    fn set(self, slot: Slot, to: *mut u8) {
        // SAFETY: as above.
        unsafe { (*self.places.as_ptr().add(slot as usize)).data = to };
    }

    #[inline]
    fn marks(self) -> usize {
        self.get(Slot::Marks) as usize
    }

    #[inline]
    fn is(self, marks: usize) -> bool {
        self.marks() & marks != 0
    }

    #[inline]
    fn mark(self, marks: usize) {
        self.set(Slot::Marks, (self.marks() | marks) as *mut u8);
    }

    /// The location that governs the request, or may come to.
    #[inline]
    pub(crate) fn location(self) -> Option<&'r LocationConf> {
        // SAFETY: `keep` alone writes this pointer; configurations live as long as the cycle, and a request does not
        // outlive its cycle.
        unsafe { self.get(Slot::Location).cast::<LocationConf>().as_ref() }
    }

    #[inline]
    fn keep(self, location: Option<&LocationConf>) {
        let location = location.map_or(ptr::null(), ptr::from_ref);
        self.set(Slot::Location, location.cast_mut().cast());
    }

    #[inline]
    fn begin(self, location: Option<&LocationConf>, marks: usize) {
        self.keep(location);
        self.mark(KNOWN | marks | if self.request.is_options() { OPTIONS } else { 0 });
        touch(self.request);
    }

    /// Whether no policy governs the request yet.
    #[inline]
    fn is_fresh(self) -> bool {
        !self.is(SETTLED | JUDGED)
    }

    /// Whether the request came as `OPTIONS`.
    pub(crate) fn is_options(self) -> bool {
        self.is(OPTIONS)
    }

    /// The preflight gets its answer; with this header, if that can be told now.
    #[inline]
    pub(crate) fn note_answer(self, reply: Option<&'r Reply>) {
        self.mark(ANSWERED);
        self.set(Slot::Reply, reply.map_or(ptr::null(), ptr::from_ref).cast_mut().cast());
    }

    /// The header of the answer to the preflight, if that is known.
    #[inline]
    fn reply(self) -> Option<&'r Reply> {
        // SAFETY: `note_answer` alone writes this pointer, to a part of the configuration.
        unsafe { self.get(Slot::Reply).cast::<Reply>().as_ref() }
    }

    /// Whether the request is a preflight that was answered.
    pub(crate) fn is_answered(self) -> bool {
        self.is(ANSWERED)
    }

    /// Whether `cors_enforce` has refused the request.
    pub(crate) fn is_refused(self) -> bool {
        self.is(REFUSED)
    }

    /// `cors_enforce` refuses the request.
    pub(crate) fn note_refusal(self) {
        self.mark(REFUSED);
    }

    /// Notes how a request that is no preflight is to be counted, and the origin if that is denied.
    #[inline]
    pub(crate) fn note(self, place: &'r Place, verdict: Verdict, origin: &'r [u8]) {
        if verdict == Verdict::Denied {
            self.note_origin(origin);
        }
        let is_refused = verdict == Verdict::Denied && self.is_refused();
        self.note_sort(place.actual(verdict, is_refused));
    }

    /// Notes how a preflight that is answered is to be counted, if that is known already.
    #[inline(always)]
    pub(crate) fn note_answered(self, place: &'r Place, verdict: Verdict, read: &Lines<'r>) {
        match verdict {
            Verdict::Denied => self.note_sort(place.preflight_denied()),
            _ => self.note_allowed(place, read.request_headers()),
        }
    }

    /// What was allowed just before needs no other look.
    #[inline(never)]
    fn note_allowed(self, place: &'r Place, headers: Option<&'r [u8]>) {
        if let Some(headers) = headers {
            self.note_sort(place.preflight_allowed(self.method(), headers));
        }
    }

    /// Notes how a request is to be counted.
    #[inline]
    fn note_sort(self, sort: Option<&'r Sort>) {
        self.set(Slot::Sort, sort.map_or(ptr::null(), ptr::from_ref).cast_mut().cast());
    }

    #[inline]
    fn note_origin(self, origin: &'r [u8]) {
        self.set(Slot::Origin, origin.as_ptr().cast_mut());
        self.set(Slot::OriginLength, origin.len() as *mut u8);
    }

    /// What was noted.
    #[inline]
    pub(crate) fn sort(self) -> Option<&'r Sort> {
        // SAFETY: `note_sort` alone writes this pointer, to a part of the configuration, which outlives the request.
        unsafe { self.get(Slot::Sort).cast::<Sort>().as_ref() }
    }

    /// Notes what was made of a preflight.
    #[inline]
    pub(crate) fn note_preflight(self, verdict: Verdict, preflight: Preflight<'r>) {
        let network = if preflight.private_network { PRIVATE_NETWORK } else { 0 };
        self.note_origin(preflight.origin);
        self.set(Slot::Method, preflight.method.as_ptr().cast_mut());
        self.set(Slot::MethodLength, preflight.method.len() as *mut u8);
        let verdict = to_bits(verdict) << VERDICT_SHIFT;
        let kept = self.marks() & !(VERDICT << VERDICT_SHIFT | PRIVATE_NETWORK);
        self.set(Slot::Marks, (kept | PREFLIGHT | network | verdict) as *mut u8);
    }

    /// The preflight that the request is, if that was noted.
    #[inline]
    pub(crate) fn preflight(self) -> Option<(Verdict, Preflight<'r>)> {
        if !self.is(PREFLIGHT) {
            return None;
        }
        let preflight = Preflight {
            origin: self.origin(),
            method: self.method(),
            private_network: self.is(PRIVATE_NETWORK),
        };
        Some((from_bits(self.marks() >> VERDICT_SHIFT)?, preflight))
    }

    /// The origin that was noted, if one was.
    #[inline]
    pub(crate) fn origin(self) -> &'r [u8] {
        // SAFETY: `note_origin` alone writes these, of a header of the request.
        unsafe { self.string(Slot::Origin, Slot::OriginLength) }
    }

    /// The method that a preflight asks for, if one was noted.
    #[inline]
    pub(crate) fn method(self) -> &'r [u8] {
        // SAFETY: `note_preflight` alone writes these, of a header of the request.
        unsafe { self.string(Slot::Method, Slot::MethodLength) }
    }

    /// # Safety
    ///
    /// Either nothing was written to the two places, or they tell of a string that nginx keeps as long as the request.
    #[inline]
    unsafe fn string(self, start: Slot, length: Slot) -> &'r [u8] {
        let start = self.get(start);
        if start.is_null() {
            return &[];
        }
        // SAFETY: the caller vouches for it.
        unsafe { slice::from_raw_parts(start, self.get(length) as usize) }
    }
}

/// Whether no policy has to do with the request: neither that of the location in which it stands, nor an earlier one,
/// which would have left a context behind, or a redirect.
#[inline]
pub(crate) fn is_bystander(request: Request<'_>, here: &LocationConf) -> bool {
    here.prepared().is_none() && !is_touched(request) && !request.is_internal()
}

/// Leaves a context behind.
#[inline]
fn touch(request: Request<'_>) {
    request.set_context(&module::HANDLER, NonNull::from(&module::HANDLER));
}

/// Whether nginx has wiped no context since there is a state.
#[inline]
fn is_touched(request: Request<'_>) -> bool {
    request.context::<Module>(&module::HANDLER).is_some()
}

#[inline]
fn recall(request: Request<'_>) -> Option<State<'_>> {
    State::of(request).filter(|state| state.is(KNOWN))
}

#[inline]
fn with_policy(location: &LocationConf) -> Option<&LocationConf> {
    Some(location).filter(|location| location.prepared().is_some())
}

/// The request enters the rewrite phase of the location in which it stands.
#[inline]
pub(crate) fn enter<'r>(request: Request<'r>, here: &'r LocationConf) {
    let here = with_policy(here);
    let Some(state) = State::of(request) else {
        return;
    };
    if !state.is(KNOWN) {
        if here.is_some() {
            state.begin(here, 0);
        }
        return;
    }
    let was_forgotten = !is_touched(request);
    if !state.is(SETTLED) {
        if was_forgotten && state.location().is_some() {
            // The candidate has answered in its rewrite phase, and this is where `error_page` led.
            state.mark(SETTLED);
        } else {
            state.keep(here);
        }
    }
    if was_forgotten {
        touch(request);
    }
}

/// The request stands in an access phase. The location that governs it is returned, the first time that there is one.
#[inline]
pub(crate) fn stand<'r>(
    request: Request<'r>,
    location: &'r LocationConf,
) -> Option<(&'r LocationConf, &'r Prepared, State<'r>)> {
    let state = State::of(request)?;
    if let (true, Some(prepared)) = (state.is_fresh(), location.prepared()) {
        state.begin(Some(location), SETTLED | JUDGED);
        return Some((location, prepared, state));
    }
    stand_again(location, state)
}

/// The same, where the request has come a longer way.
#[inline(never)]
fn stand_again<'r>(
    location: &'r LocationConf,
    state: State<'r>,
) -> Option<(&'r LocationConf, &'r Prepared, State<'r>)> {
    let here = with_policy(location);
    if !state.is(KNOWN) {
        here?;
        state.begin(here, SETTLED);
    } else if !state.is(SETTLED) {
        state.keep(here);
        if here.is_some() {
            state.mark(SETTLED);
        }
    }
    if !state.is(SETTLED) || state.is(JUDGED) {
        return None;
    }
    state.mark(JUDGED);
    let location = state.location()?;
    Some((location, location.prepared()?, state))
}

/// Whether an access phase has nothing to do with the request but to settle that its location governs it, which is done
/// then. So it is with most requests.
#[inline]
pub(crate) fn stand_by(request: Request<'_>, here: &LocationConf) -> bool {
    if request.is_options() {
        return false;
    }
    let (Some(prepared), Some(state)) = (here.prepared(), State::of(request)) else {
        return false;
    };
    #[cfg(feature = "fault-injection")]
    if here.fault != crate::fault::Fault::None {
        return false;
    }
    let idle = state.is_fresh() && !state.is_options() && prepared.policy().enforce() == Enforce::Off;
    if idle {
        state.begin(Some(here), SETTLED | JUDGED);
    }
    idle
}

/// What an answered preflight is to get, if that is known, and its origin.
#[inline(always)]
pub(crate) fn reply(request: Request<'_>) -> Option<(&Reply, &[u8])> {
    let state = State::of(request)?;
    Some((state.reply()?, state.origin()))
}

/// `location` governs the request from now on, whichever location nginx would choose.
pub(crate) fn settle<'r>(request: Request<'r>, location: &LocationConf) -> Option<State<'r>> {
    let state = State::of(request)?;
    state.begin(Some(location), SETTLED);
    Some(state)
}

/// Whether the request has been seen before.
pub(crate) fn is_known(request: Request<'_>) -> bool {
    recall(request).is_some()
}

/// The request is not to be counted by what was noted.
pub(crate) fn forget_sort(request: Request<'_>) {
    if let Some(state) = State::of(request) {
        state.note_sort(None);
    }
}

/// Whether the caller is the first who has a denial of this request to tell.
pub(crate) fn tells_first(request: Request<'_>) -> bool {
    let Some(state) = State::of(request) else {
        return true;
    };
    if !state.is(KNOWN) {
        state.begin(Some(request.location()), 0);
    }
    let told = state.is(TOLD);
    state.mark(TOLD);
    !told
}

/// The location that governs the response, and the state of the request, if it has one.
#[inline]
pub(crate) fn governing<'r>(request: Request<'r>) -> (&'r LocationConf, Option<State<'r>>) {
    let here = request.location();
    let Some(state) = recall(request) else {
        return (here, None);
    };
    let kept = state.location().filter(|_| state.is(SETTLED) || !is_touched(request));
    (kept.unwrap_or(here), Some(state))
}
