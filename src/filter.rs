//! The header filter: gives every response its headers.

use core::ptr::NonNull;

use cors_policy::{vary, Field, HeaderName, Policy, Preflight, ResponseKind, Vary, Verdict};
use nginx_sys::{
    ngx_conf_t, ngx_http_request_t, ngx_http_top_header_filter, ngx_int_t, ngx_uint_t, NGX_ERROR,
    NGX_HTTP_INTERNAL_SERVER_ERROR, NGX_HTTP_SWITCHING_PROTOCOLS, NGX_OK,
};

use crate::conf::Configuration;
use crate::guard::guard;
use crate::judgement::{kept_origin, log_denial, Judgement};
use crate::list::Entry;
use crate::module::{self, Module};
use crate::pool::OutOfMemory;
use crate::prepared::{Answer, Open};
use crate::request::{Lines, Request};
use crate::state::{self, State};

/// A header filter.
type Filter = unsafe extern "C" fn(*mut ngx_http_request_t) -> ngx_int_t;

/// The filter that runs next. Every configuration builds the chain anew.
static mut NEXT: Filter = end;

/// nginx's own filter that sends the header is always there, so this one never runs.
unsafe extern "C" fn end(_: *mut ngx_http_request_t) -> ngx_int_t {
    NGX_ERROR as ngx_int_t
}

pub(crate) unsafe extern "C" fn install(cf: *mut ngx_conf_t) -> ngx_int_t {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    let configuration = unsafe { Configuration::from_raw(cf) };
    guard(configuration.log(), NGX_ERROR as ngx_int_t, || {
        if configuration.with_main(|main| main.in_use) == Some(true) {
            // SAFETY: nginx has one thread, and runs no filter while it installs them.
            unsafe {
                NEXT = ngx_http_top_header_filter.unwrap_or(end);
                ngx_http_top_header_filter = Some(filter);
            }
        }
        NGX_OK as ngx_int_t
    })
}

unsafe extern "C" fn filter(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls its filters with live requests.
    let request = unsafe { Request::from_raw(NonNull::new_unchecked(raw)) };
    if state::is_bystander(request, request.location()) {
        return next(raw);
    }
    concern(request)
}

/// Not a part of the filter itself, which most requests only pass through.
#[inline(never)]
fn concern(request: Request<'_>) -> ngx_int_t {
    if let Some((reply, origin)) = state::reply(request) {
        // Nothing can panic here. SAFETY: the headers are the policy's, which lives as long as the cycle, and so longer
        // than a request; the origin lies in the request's memory.
        if unsafe { request.reply(reply, origin) } {
            return next(request.as_ptr());
        }
    }
    concern_closely(request)
}

/// The same for all but preflights that the module has answered.
#[inline(never)]
fn concern_closely(request: Request<'_>) -> ngx_int_t {
    const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;
    let raw = request.as_ptr();
    // If the filter has failed on this request before, this is the response that says so.
    if request.context::<Module>(&module::FILTER).is_some() || !request.is_main() {
        return next(raw);
    }
    let outcome = guard(request.log(), FAILED, || {
        decorate(request).map_or(NGX_ERROR as ngx_int_t, |()| NGX_OK as ngx_int_t)
    });
    if outcome == NGX_OK as ngx_int_t {
        return next(raw);
    }
    if outcome == FAILED {
        request.set_context(&module::FILTER, NonNull::from(&module::FILTER));
        return request.replace_by_error(&module::FILTER, FAILED);
    }
    outcome
}

#[inline]
fn next(raw: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: `install` saved the filter, and nginx runs none before. It takes what this one was given.
    unsafe { NEXT(raw) }
}

/// Puts the policy's headers in the place of those that the response has.
#[inline(always)]
fn decorate(request: Request<'_>) -> Result<(), OutOfMemory> {
    #[cfg(feature = "fault-injection")]
    crate::fault::strike_filter(request);
    if let Some((reply, origin)) = state::reply(request) {
        if !reply.is_of(request.status()) {
            // A filter has put an error in the place of the answer, and that has a body.
            request.allow_body();
        }
        if let Some(policy) = state::governing(request).0.policy() {
            return replace(request, policy, &reply.answer, origin, None);
        }
    }
    if request.location().is_off_here() {
        // A response that was given up may have left a note.
        state::forget_sort(request);
        return Ok(());
    }
    let (location, state) = state::governing(request);
    let Some(prepared) = location.prepared() else {
        return Ok(());
    };
    if state.map_or_else(|| request.is_options(), State::is_options) {
        return decorate_options(request);
    }
    let policy = prepared.policy();
    let is_for_anyone = policy.answers_anyone();
    let read = match is_for_anyone {
        true => Lines::default(),
        false => request.read_actual(),
    };
    let (verdict, origin) = match read.origin() {
        Field::One(origin) => (read.decide(false, policy, request).verdict(), origin),
        Field::Absent if !is_for_anyone => (Verdict::NoOrigin, &[][..]),
        Field::Absent | Field::Several => (read.decide(false, policy, request).verdict(), &[][..]),
    };
    if verdict == Verdict::Denied && request.logs(prepared.log_level()) {
        log_denial(request);
    }
    if let (Some(place), Some(state)) = (location.place(), state) {
        state.note(place, verdict, origin);
    }
    if policy.may_leave_responses() && leaves_alone(request, policy) {
        return Ok(());
    }
    match prepared.answer(ResponseKind::of(verdict, false)) {
        Some(answer) if request.status() != NGX_HTTP_SWITCHING_PROTOCOLS as ngx_uint_t => {
            replace(request, policy, answer, origin, None)
        }
        _ => Ok(()),
    }
}

/// The same for a request that came as `OPTIONS`, and had no answer from the access phase.
#[inline(never)]
fn decorate_options(request: Request<'_>) -> Result<(), OutOfMemory> {
    let Some(judgement) = Judgement::once_more(request) else {
        return Ok(());
    };
    judgement.log(request);
    judgement.note(request);
    let policy = judgement.policy;
    if leaves_alone(request, policy) || request.status() == NGX_HTTP_SWITCHING_PROTOCOLS as ngx_uint_t {
        return Ok(());
    }
    match judgement.answer() {
        Some(answer) => replace(request, policy, answer, judgement.origin(), judgement.preflight()),
        None => Ok(()),
    }
}

/// Whether the response stays as it is.
#[inline(never)]
fn leaves_alone(request: Request<'_>, policy: &Policy) -> bool {
    policy.is_dry_run() || kept_origin(request, policy).is_some()
}

#[inline]
fn replace<'r>(
    mut request: Request<'r>,
    policy: &Policy,
    answer: &Answer,
    origin: &'r [u8],
    preflight: Option<Preflight<'r>>,
) -> Result<(), OutOfMemory> {
    let mut varies_already = false;
    request.remove_headers(|header| {
        varies_already |= is_vary(header.name());
        policy.governs(header.name())
    });
    let gzip_varies = !answer.vary().is_empty() && request.take_gzip_vary();
    if !answer.vary().is_empty() && (varies_already || gzip_varies) {
        let but_vary = answer.headers().split_last().map_or(&[][..], |(_, others)| others);
        add(request, policy, answer, but_vary, origin, preflight)?;
        let needed = match gzip_varies {
            true => Vary::ACCEPT_ENCODING.and(answer.vary()),
            false => answer.vary(),
        };
        return merge_vary(request, needed);
    }
    add(request, policy, answer, answer.headers(), origin, preflight)
}

/// Gives the response `headers`, those of `answer` or part of them.
#[inline]
fn add<'r>(
    mut request: Request<'r>,
    policy: &Policy,
    answer: &Answer,
    headers: &[Entry],
    origin: &'r [u8],
    preflight: Option<Preflight<'r>>,
) -> Result<(), OutOfMemory> {
    if !answer.is_complete() {
        return fill_in(request, policy, answer, headers, origin, preflight);
    }
    // SAFETY: the headers are the policy's, which lives as long as the cycle, and so longer than a request; the origin
    // lies in the request's memory.
    unsafe { request.add_headers(headers, answer.origins(), origin) }
}

/// The same, where values have to be put together.
#[cold]
fn fill_in<'r>(
    mut request: Request<'r>,
    policy: &Policy,
    answer: &Answer,
    headers: &[Entry],
    origin: &'r [u8],
    preflight: Option<Preflight<'r>>,
) -> Result<(), OutOfMemory> {
    for (number, header) in headers.iter().enumerate() {
        let Some((_, open)) = answer.open().iter().find(|(open, _)| *open == number) else {
            // SAFETY: as in `add`.
            unsafe {
                let header = core::slice::from_ref(header);
                request.add_headers(header, answer.origins() >> number & 1, origin)?;
            }
            continue;
        };
        let value = match open {
            Open::Method => preflight.map_or(&[][..], |preflight| preflight.method),
            Open::PrivateNetwork if preflight.is_some_and(|preflight| preflight.private_network) => b"true",
            Open::PrivateNetwork => &[],
            Open::FromRequest => match policy.echoed_line(request.requested_headers()) {
                Some(line) => line,
                None => request.join(policy.echoed_headers(request.requested_headers()))?,
            },
            Open::FromResponse => request.join(policy.exposed_headers(request.response_header_names()))?,
        };
        if !value.is_empty() {
            // SAFETY: the name is static; the value lies in the request's memory, or is static.
            unsafe { request.add_headers(&[header.with(value)], 0, &[])? };
        }
    }
    Ok(())
}

/// Makes the response, which may say so already, say once and on one line what it depends on.
#[cold]
fn merge_vary(mut request: Request<'_>, needed: Vary) -> Result<(), OutOfMemory> {
    let lines = request
        .response_headers()
        .filter(|header| is_vary(header.name()))
        .map(|header| header.value());
    if lines.clone().any(vary::has_star) {
        return Ok(());
    }
    let untold = lines.clone().fold(needed, Vary::missing_from);
    if untold.is_empty() && lines.clone().count() == 1 {
        return Ok(());
    }
    let merged = request.join(vary::merged(lines, untold))?;
    request.remove_headers(|header| is_vary(header.name()));
    // SAFETY: the name is static, and the value lies in the request's memory.
    unsafe { request.add_headers(&[Entry::new(HeaderName::Vary, merged)], 0, &[]) }
}

fn is_vary(name: &[u8]) -> bool {
    name.len() == 4 && name.eq_ignore_ascii_case(b"Vary")
}
