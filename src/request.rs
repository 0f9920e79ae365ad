//! A request, as far as the module looks at it.

use core::marker::PhantomData;
use core::ptr::NonNull;

use cors_policy::{is_named, Context, Decision, Field, Policy, Preflight};
use nginx_sys::{
    ngx_http_complex_value, ngx_http_discard_request_body, ngx_http_filter_finalize_request, ngx_http_finalize_request,
    ngx_http_request_t, ngx_int_t, ngx_list_t, ngx_log_t, ngx_pool_t, ngx_str_t, ngx_uint_t, ngx_variable_value_t,
    NGX_AGAIN, NGX_HTTP_OPTIONS, NGX_HTTP_VERSION_20, NGX_HTTP_VERSION_9, NGX_LOG_WARN, NGX_OK,
};

use ngx::ngx_log_error;

use crate::conf::{LocationConf, MainConf};
use crate::list::{self, Entries, Entry, Sieve};
use crate::pool::{self, OutOfMemory};
use crate::prepared::Reply;
use crate::zone::Zone;
use crate::{module, shim};

/// A request that nginx has handed to the module for `'r`.
#[derive(Clone, Copy)]
pub(crate) struct Request<'r> {
    raw: NonNull<ngx_http_request_t>,
    life: PhantomData<&'r ngx_http_request_t>,
}

/// The lines of a request's header that decide: the last of each name, and which names came more than once. A [`Field`]
/// says the same in more words, which the loop over all headers would carry with it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Lines<'r> {
    origin: Option<&'r Entry>,
    fetch_site: Option<&'r Entry>,
    request_method: Option<&'r Entry>,
    private_network: Option<&'r Entry>,
    /// Of that name, or of one as long: most who want the others do without this one.
    request_headers: Option<&'r Entry>,
    again: u32,
}

const ORIGIN: u32 = 1;
const FETCH_SITE: u32 = 1 << 1;
const REQUEST_METHOD: u32 = 1 << 2;
const PRIVATE_NETWORK: u32 = 1 << 3;
const REQUEST_HEADERS: u32 = 1 << 4;

const REQUEST_HEADERS_NAME: &[u8; 30] = b"access-control-request-headers";

const DECIDING: [&[u8]; 4] = [
    b"origin",
    b"sec-fetch-site",
    b"access-control-request-method",
    b"access-control-request-private-network",
];

impl<'r> Lines<'r> {
    /// Takes note of `header`, if it is one of those that decide on any request. Returns its bit if there was one before.
    #[inline(always)]
    fn add_actual(&mut self, header: &'r Entry) -> u32 {
        let name = header.name();
        if is_named(name, b"origin") {
            set(&mut self.origin, header, ORIGIN)
        } else if is_named(name, b"sec-fetch-site") {
            set(&mut self.fetch_site, header, FETCH_SITE)
        } else {
            0
        }
    }

    /// The same, if it is one of those that decide.
    #[inline(always)]
    fn add(&mut self, header: &'r Entry) -> u32 {
        let name = header.name();
        if is_named(name, b"access-control-request-method") {
            set(&mut self.request_method, header, REQUEST_METHOD)
        } else if is_named(name, b"access-control-request-private-network") {
            set(&mut self.private_network, header, PRIVATE_NETWORK)
        } else if name.len() == REQUEST_HEADERS_NAME.len() {
            set(&mut self.request_headers, header, REQUEST_HEADERS)
        } else {
            self.add_actual(header)
        }
    }

    #[inline(always)]
    fn field(self, last: Option<&'r Entry>, bit: u32) -> Field<'r> {
        match last {
            Some(_) if self.again & bit != 0 => Field::Several,
            Some(header) => Field::One(header.value()),
            None => Field::Absent,
        }
    }

    /// `Origin`
    #[inline(always)]
    pub(crate) fn origin(&self) -> Field<'r> {
        self.field(self.origin, ORIGIN)
    }

    /// `Sec-Fetch-Site`
    #[inline(always)]
    pub(crate) fn fetch_site(&self) -> Field<'r> {
        self.field(self.fetch_site, FETCH_SITE)
    }

    /// What a preflight asks for at most: the value of the one header that can be `Access-Control-Request-Headers`, as its
    /// name is as long. If it is not, there is none, and the preflight asks for nothing. Nothing is returned if there are
    /// several.
    #[inline(always)]
    pub(crate) fn request_headers(&self) -> Option<&'r [u8]> {
        match self.request_headers {
            _ if self.again & REQUEST_HEADERS != 0 => None,
            Some(header) => Some(header.value()),
            None => Some(&[]),
        }
    }

    /// The request as a policy sees it.
    fn request(&self, is_options: bool) -> cors_policy::Request<'r> {
        cors_policy::Request {
            is_options,
            origin: self.origin(),
            request_method: self.field(self.request_method, REQUEST_METHOD),
            fetch_site: self.fetch_site(),
            private_network: self.field(self.private_network, PRIVATE_NETWORK),
        }
    }

    /// The preflight that an `OPTIONS` request with these lines is, if it is one.
    pub(crate) fn preflight(&self) -> Option<Preflight<'r>> {
        self.request(true).preflight()
    }

    pub(crate) fn decide(&self, is_options: bool, policy: &Policy, request: Request<'r>) -> Decision<'r> {
        policy.decide(&self.request(is_options), &request)
    }
}

/// Sets `line` to `header`; returns `bit` if it was set before.
#[inline(always)]
fn set<'r>(line: &mut Option<&'r Entry>, header: &'r Entry, bit: u32) -> u32 {
    if line.replace(header).is_some() {
        bit
    } else {
        0
    }
}

impl<'r> Request<'r> {
    /// # Safety
    ///
    /// `raw` is a request that nginx is processing and will not free during `'r`.
    pub(crate) unsafe fn from_raw(raw: NonNull<ngx_http_request_t>) -> Self {
        Self { raw, life: PhantomData }
    }

    /// Puts the request into its next phase, as nginx does where a handler has declined.
    #[inline]
    pub(crate) fn go_on(self) -> ngx_int_t {
        // SAFETY: the request is alive, and no one holds a reference to the field.
        unsafe { (*self.raw.as_ptr()).phase_handler += 1 };
        NGX_AGAIN as ngx_int_t
    }

    /// For reading a field. The reference is to end before nginx or this module writes to the request.
    pub(crate) fn get(&self) -> &'r ngx_http_request_t {
        // SAFETY: `from_raw` was promised a live request; every caller reads one field and lets the reference go.
        unsafe { self.raw.as_ref() }
    }

    pub(crate) fn as_ptr(self) -> *mut ngx_http_request_t {
        self.raw.as_ptr()
    }

    pub(crate) fn log(self) -> *mut ngx_log_t {
        // SAFETY: a request has a connection for as long as it lives.
        unsafe { (*self.get().connection).log }
    }

    /// Whether messages of `level` go anywhere.
    pub(crate) fn logs(self, level: ngx_uint_t) -> bool {
        // SAFETY: a connection has a log for as long as it lives.
        unsafe { (*self.log()).log_level >= level }
    }

    pub(crate) fn pool(self) -> *mut ngx_pool_t {
        self.get().pool
    }

    pub(crate) fn is_main(self) -> bool {
        core::ptr::eq(self.get().main, self.raw.as_ptr())
    }

    /// The request that this one is, or serves as a subrequest.
    pub(crate) fn main(self) -> Self {
        let main = NonNull::new(self.get().main).unwrap_or(self.raw);
        // SAFETY: a request lives as long as its subrequests.
        unsafe { Self::from_raw(main) }
    }

    /// Whether the answer is out, and nginx runs the request again for `post_action`.
    #[inline]
    pub(crate) fn is_post_action(self) -> bool {
        // nginx makes it one of HTTP/0.9, so that it has no header.
        self.get().http_version == NGX_HTTP_VERSION_9 as ngx_uint_t
            // SAFETY: the request is alive, and the function reads one field.
            && unsafe { shim::ngx_http_cors_is_post_action(self.as_ptr()) != 0 }
    }

    pub(crate) fn asks_for_websocket(self) -> bool {
        // SAFETY: the request is alive, and the function reads one of its headers.
        unsafe { shim::ngx_http_cors_asks_for_websocket(self.as_ptr()) != 0 }
    }

    pub(crate) fn is_options(self) -> bool {
        self.get().method == NGX_HTTP_OPTIONS as ngx_uint_t
    }

    /// Whether an internal redirect has brought the request here.
    #[inline]
    pub(crate) fn is_internal(self) -> bool {
        // SAFETY: the request is alive, and the function reads one field.
        unsafe { shim::ngx_http_cors_is_internal(self.as_ptr()) != 0 }
    }

    /// What the directives of the location say in which the request stands now.
    #[inline]
    pub(crate) fn location(self) -> &'r LocationConf {
        // SAFETY: nginx allocated a slot for every module. This module's holds its own configuration, as nginx takes up
        // no configuration for which `create_location` failed; it lives as long as the cycle, and a request does not
        // outlive its cycle.
        unsafe {
            let slot = *self.get().loc_conf.add(module::HANDLER.index_in_http());
            &*slot.cast::<LocationConf>()
        }
    }

    /// The context of one of the two modules.
    #[inline]
    pub(crate) fn context<T>(self, module: &module::Module) -> Option<NonNull<T>> {
        // SAFETY: nginx allocated a slot for every module.
        NonNull::new(unsafe { *self.get().ctx.add(module.index_in_http()) }.cast())
    }

    pub(crate) fn set_context<T>(self, module: &module::Module, context: NonNull<T>) {
        // SAFETY: nginx allocated a slot for every module, and hands it to this one alone.
        unsafe { *self.get().ctx.add(module.index_in_http()) = context.as_ptr().cast() };
    }

    /// The headers that decide on a request that is no preflight.
    #[inline(always)] // all headers go through it
    pub(crate) fn read_actual(self) -> Lines<'r> {
        let once = self.read_lines::<false>(const { Sieve::of(DECIDING.split_at(2).0) });
        once.unwrap_or_else(|| self.read_all::<false>())
    }

    /// The headers that make a preflight of an `OPTIONS` request, and decide on it, and those that it asks for.
    #[inline]
    pub(crate) fn read(self) -> Lines<'r> {
        self.read_once(true).unwrap_or_else(|| self.read_repeated())
    }

    /// The same, unless a line comes again, so that the caller knows that none does. If the headers that a preflight asks
    /// for are not wanted, what is read does not tell of them.
    #[inline(always)] // as above
    pub(crate) fn read_once(self, wants_request_headers: bool) -> Option<Lines<'r>> {
        const FEW: Sieve = Sieve::of(&DECIDING);
        const ALL: Sieve = FEW.and(Sieve::of(&[REQUEST_HEADERS_NAME]));
        self.read_lines::<true>(if wants_request_headers { ALL } else { FEW })
    }

    /// The same as `read`, where a line comes again.
    pub(crate) fn read_repeated(self) -> Lines<'r> {
        self.read_all::<true>()
    }

    #[inline(always)] // as above
    fn read_lines<const IS_OPTIONS: bool>(self, sieve: Sieve) -> Option<Lines<'r>> {
        let mut lines = Lines::default();
        for part in self.header().parts() {
            for header in part {
                let mut add = || match IS_OPTIONS {
                    true => lines.add(header),
                    false => lines.add_actual(header),
                };
                if sieve.lets_through(header) && add() != 0 {
                    return None;
                }
            }
        }
        Some(lines)
    }

    #[cold]
    fn read_all<const IS_OPTIONS: bool>(self) -> Lines<'r> {
        let mut lines = Lines::default();
        for header in self.header() {
            lines.again |= match IS_OPTIONS {
                true => lines.add(header),
                false => lines.add_actual(header),
            };
        }
        lines
    }

    /// Its headers.
    #[inline]
    pub(crate) fn header(self) -> Entries<'r> {
        Entries::of(&self.get().headers_in.headers)
    }

    /// The lines of `Access-Control-Request-Headers`.
    pub(crate) fn requested_headers(self) -> impl Iterator<Item = &'r [u8]> + Clone {
        const SIEVE: Sieve = Sieve::of(&[REQUEST_HEADERS_NAME]);
        self.header()
            .filter(|header| SIEVE.lets_through(header) && is_named(header.name(), REQUEST_HEADERS_NAME))
            .map(|header| header.value())
    }

    pub(crate) fn status(self) -> ngx_uint_t {
        self.get().headers_out.status
    }

    /// The response's headers, apart from those that nginx keeps in fields.
    pub(crate) fn response_headers(self) -> Entries<'r> {
        Entries::of(&self.get().headers_out.headers)
    }

    /// The names of all headers that the response carries and that are not safelisted for scripts anyway.
    pub(crate) fn response_header_names(self) -> impl Iterator<Item = &'r [u8]> + Clone {
        let headers = &self.get().headers_out;
        // nginx writes these two by itself where the list has none.
        let server = headers.server.is_null().then_some(&b"Server"[..]);
        let date = headers.date.is_null().then_some(&b"Date"[..]);
        self.response_headers()
            .map(|header| header.name())
            .chain(server)
            .chain(date)
    }

    fn response_list(&mut self) -> &mut ngx_list_t {
        // SAFETY: nginx runs one handler or filter at a time; the filter, which alone writes to the list, keeps no
        // header of it by reference while it does.
        unsafe { &mut (*self.raw.as_ptr()).headers_out.headers }
    }

    /// Takes away the response headers that `unwanted` picks.
    #[inline]
    pub(crate) fn remove_headers(&mut self, unwanted: impl FnMut(&Entry) -> bool) {
        list::remove(self.response_list(), unwanted);
    }

    /// Gives the response headers; where a bit of `origins` is set, `origin` is the value.
    ///
    /// # Safety
    ///
    /// The strings, which are not copied, live as long as the request.
    #[inline]
    pub(crate) unsafe fn add_headers(
        &mut self,
        headers: &[Entry],
        origins: u64,
        origin: &[u8],
    ) -> Result<(), OutOfMemory> {
        // SAFETY: the caller vouches for it; the list's pool is the request's.
        unsafe { list::append(self.response_list(), headers, origins, origin) }
    }

    /// Gives a response that has no header yet those of `reply`; false where it has some, or there is no room, or it is no
    /// longer that response.
    ///
    /// # Safety
    ///
    /// As above.
    #[inline(always)]
    pub(crate) unsafe fn reply(self, reply: &Reply, origin: &[u8]) -> bool {
        // SAFETY: the request is alive, and no one holds a reference to the response's header. The caller vouches for
        // the strings; the list's pool is the request's.
        unsafe {
            let out = &mut (*self.raw.as_ptr()).headers_out;
            if !reply.is_of(out.status) {
                return false;
            }
            match list::fill(&mut out.headers, &reply.headers, reply.answer.origins(), origin) {
                Some(last) if reply.has_length => out.content_length = last,
                Some(_) => {}
                None => return false,
            }
        }
        true
    }

    /// `parts` joined by `, ` in the request's memory.
    pub(crate) fn join<'a>(self, parts: impl Iterator<Item = &'a [u8]> + Clone) -> Result<&'r [u8], OutOfMemory> {
        // SAFETY: the request's pool lives as long as the request.
        unsafe { pool::join(self.pool(), parts) }
    }

    /// Whether nginx is about to write `Vary: Accept-Encoding` outside the list of headers; it no longer will.
    pub(crate) fn take_gzip_vary(self) -> bool {
        // SAFETY: the request is alive; the function changes one bit of it.
        unsafe { shim::ngx_http_cors_take_gzip_vary(self.as_ptr()) != 0 }
    }

    /// Has nginx read the body and throw it away; on a connection that is kept it would be taken for a request.
    /// Fails with the status to return.
    pub(crate) fn discard_body(self) -> Result<(), ngx_int_t> {
        // SAFETY: the request is alive and in a phase handler.
        match unsafe { ngx_http_discard_request_body(self.as_ptr()) } {
            rc if rc == NGX_OK as ngx_int_t => Ok(()),
            rc => Err(rc),
        }
    }

    /// Answers with nothing but a header, and ends the request: no other handler and no `error_page` sees it, and no one
    /// touches it after that.
    pub(crate) fn answer(self, status: u16) {
        // SAFETY: the request is alive and in a phase handler, which returns `NGX_DONE` next.
        unsafe { shim::ngx_http_cors_answer(self.as_ptr(), status.into()) }
    }

    /// Lets the response have a body, though `answer` meant it to have none.
    pub(crate) fn allow_body(self) {
        // SAFETY: the request is alive.
        unsafe { shim::ngx_http_cors_allow_body(self.as_ptr()) };
    }

    /// Sends an error in the place of the response whose header a filter has failed to make.
    pub(crate) fn replace_by_error(self, filter: &module::Module, status: ngx_int_t) -> ngx_int_t {
        // SAFETY: the request is alive and in a header filter. The bit may be left over from `answer`, and the error
        // has a body.
        unsafe {
            self.allow_body();
            ngx_http_filter_finalize_request(self.as_ptr(), filter.as_ptr(), status)
        }
    }

    /// Ends the request with a status, through `error_page` as usual, and also under `satisfy any`.
    pub(crate) fn finalize(self, status: ngx_int_t) {
        // SAFETY: the request is alive and in a phase handler, which returns `NGX_DONE` next.
        unsafe { ngx_http_finalize_request(self.as_ptr(), status) };
    }

    /// Whether the value of a variable that lists origins is being worked out.
    pub(crate) fn is_being_judged(self) -> bool {
        self.main_conf().is_judging()
    }

    #[inline(never)]
    fn authority_without_host(self) -> &'r [u8] {
        self.pseudo_authority()
            .unwrap_or_else(|| self.get().headers_in.server.as_bytes())
    }

    /// `:authority` as it came; what nginx makes of it has lost the port.
    fn pseudo_authority(self) -> Option<&'r [u8]> {
        let request = self.get();
        // In HTTP/1 they bound the host in a request line, without its port.
        if request.http_version < NGX_HTTP_VERSION_20 as ngx_uint_t || request.host_start.is_null() {
            return None;
        }
        let length = (request.host_end as usize).checked_sub(request.host_start as usize)?;
        // SAFETY: nginx sets both marks to the bounds of one string, which it keeps as long as the request.
        Some(unsafe { core::slice::from_raw_parts(request.host_start, length) })
    }

    /// Where requests are counted, if they are.
    #[inline]
    pub(crate) fn zone(self) -> Option<&'r Zone> {
        self.main_conf().zone.as_ref()
    }

    /// Where memory of the request's own begins among the values of its variables.
    #[inline]
    pub(crate) fn first_place(self) -> Option<usize> {
        self.main_conf().first_place
    }

    /// Some values of variables, as nginx keeps them, from the one with this number on.
    #[inline]
    pub(crate) fn values_at(self, first: usize) -> NonNull<ngx_variable_value_t> {
        // SAFETY: nginx allocated a value for each variable that had a number when the configuration was complete.
        unsafe { NonNull::new_unchecked(self.get().variables.add(first)) }
    }

    #[inline]
    fn main_conf(self) -> &'r MainConf {
        // SAFETY: nginx allocated a slot for every module. This module's holds its own configuration, as nginx takes up
        // no configuration for which `create_main` failed; it lives as long as the cycle, and a request does not outlive
        // its cycle.
        unsafe {
            let slot = *self.get().main_conf.add(module::HANDLER.index_in_http());
            &*slot.cast::<MainConf>()
        }
    }
}

impl<'r> Context<'r> for Request<'r> {
    #[inline(always)]
    fn authority(&self) -> &'r [u8] {
        let headers = &self.get().headers_in;
        // SAFETY: the pointer is null or points into the request's list of headers.
        match unsafe { headers.host.as_ref() } {
            Some(host) => host.value.as_bytes(),
            None => self.authority_without_host(),
        }
    }

    fn is_secure(&self) -> bool {
        // SAFETY: the request is alive, and the function reads one field of its connection.
        unsafe { shim::ngx_http_cors_is_secure(self.as_ptr()) != 0 }
    }

    fn variable(&self, number: usize) -> &'r [u8] {
        let Some(variable) = self.main_conf().variable(number) else {
            return &[];
        };
        // The variable may be made of this module's own, which must not ask for a judgement in their turn.
        let Some(_judging) = self.main_conf().judge_once() else {
            return &[];
        };
        let mut value = ngx_str_t::empty();
        // nginx only reads the complex value, though it does not say so.
        let compiled = (&raw const variable.value).cast_mut();
        // SAFETY: the request is alive; nginx writes the value to memory that lives as long as the request.
        unsafe {
            if ngx_http_complex_value(self.as_ptr(), compiled, &mut value) != NGX_OK as ngx_int_t {
                return &[];
            }
            core::slice::from_raw_parts(
                if value.len == 0 {
                    NonNull::dangling().as_ptr()
                } else {
                    value.data
                },
                value.len,
            )
        }
    }

    fn ignored_value(&self, number: usize, why: &'static str) {
        let Some(variable) = self.main_conf().variable(number) else {
            return;
        };
        if !variable.complained.replace(true) {
            let text = variable.text.escape_ascii();
            ngx_log_error!(
                NGX_LOG_WARN,
                self.log(),
                "cors: the value of \"{}\" is ignored_value: {}",
                text,
                why
            );
        }
    }
}
