//! `cors_zone`: shared memory in which requests are counted. Workers write to it, reloads keep it.

use core::cell::{OnceCell, UnsafeCell};
use core::ffi::{c_char, c_void};
use core::ptr;
use core::sync::atomic::AtomicU64;
use std::rc::Rc;

use cors_policy::{shown, Decision, Field, Outcome, Position, Problem, Verdict};
use cors_zone::{words_for, Counted, Counter, Effect, RequestKind};
use nginx_sys::{
    ngx_cached_time, ngx_command_t, ngx_conf_t, ngx_int_t, ngx_list_part_t, ngx_log_t, ngx_parse_size,
    ngx_shared_memory_add, ngx_shm_zone_t, ngx_slab_pool_t, NGX_ERROR, NGX_LOG_EMERG, NGX_LOG_NOTICE, NGX_OK,
};
use ngx::core::{NGX_CONF_ERROR, NGX_CONF_OK};
use ngx::ngx_log_error;

use crate::conf::{Configuration, MainConf};
use crate::guard::guard;
use crate::list::str;
use crate::prepared::Prepared;
use crate::{module, status};

const DIRECTIVE: &str = "cors_zone";

/// A server without a name, and its policy outside of any location.
const UNNAMED: &str = "_";
const NO_LOCATION: &str = "server";

/// The zone of a configuration.
pub(crate) struct Zone {
    name: Box<str>,
    size: usize,
    at: Position,
    /// The size that it has in the running configuration.
    former_size: Option<usize>,
    /// Servers by the addresses of their configurations, with their names as they are shown.
    servers: Vec<(usize, Rc<str>)>,
    places: Vec<Rc<Place>>,
    memory: OnceCell<cors_zone::Zone<'static>>,
}

/// A location, or a server, with a policy.
pub(crate) struct Place {
    pub(crate) server: Rc<str>,
    pub(crate) location: Box<str>,
    pub(crate) prepared: Rc<Prepared>,
    /// Another place has this name already: an `if` counts as the location around it.
    is_namesake: bool,
    memory: OnceCell<Memory>,
    /// Browsers ask the same again and again: the last preflight that was allowed.
    allowed: Memo<Asked>,
}

/// What a preflight asks for.
#[derive(Default)]
struct Asked {
    method: Vec<u8>,
    headers: Vec<u8>,
}

/// Longer strings are not remembered.
const LONGEST: usize = 512;

/// What a place has once nginx has made the memory.
struct Memory {
    counted: Rc<CountedPolicy>,
    /// By the numbers of verdicts.
    actual: [Sort; Verdict::ALL.len()],
    refused: Sort,
    preflight_allowed: Sort,
    preflight_denied: Sort,
}

/// A policy, and where its requests are counted.
struct CountedPolicy {
    prepared: Rc<Prepared>,
    counter: Counter<'static>,
}

/// A sort of requests that end alike. Which it is is noted of a request when that is decided, and it is counted when the
/// request ends.
pub(crate) struct Sort {
    pub(crate) needs: Needs,
    by: Rc<CountedPolicy>,
    what: Counted,
    /// As what those count that have no origin.
    without: Option<Counted>,
}

/// What is to be known before a request can be counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// Whether it has an origin.
    Origin,
    /// That the origin is listed among the denied.
    Listing,
}

impl Memory {
    fn new(counter: Counter<'static>, prepared: Rc<Prepared>) -> Option<Self> {
        let is_dry_run = prepared.policy().is_dry_run();
        let by = Rc::new(CountedPolicy { prepared, counter });
        let sort = |needs, kind, outcome, effect| {
            let outcome = Some(outcome);
            let what = Counted { kind, outcome, effect };
            Some(Sort {
                needs,
                by: by.clone(),
                what,
                without: None,
            })
        };
        let denied = |kind, effect| sort(Needs::Listing, kind, Outcome::OriginDenied, effect);
        let actual = |verdict| {
            let plain = |outcome| sort(Needs::Nothing, RequestKind::Actual, outcome, Effect::None);
            match verdict {
                Verdict::Allowed | Verdict::AllowedWithCredentials => plain(Outcome::Allowed),
                Verdict::SameOrigin => plain(Outcome::SameOrigin),
                Verdict::NoOrigin => plain(Outcome::None),
                Verdict::Anyone => Some(Sort {
                    needs: Needs::Origin,
                    without: Some(plain(Outcome::None)?.what),
                    ..plain(Outcome::Allowed)?
                }),
                Verdict::Denied if is_dry_run => denied(RequestKind::Actual, Effect::DryRun),
                Verdict::Denied => denied(RequestKind::Actual, Effect::None),
            }
        };
        let [a, b, c, d, e, f] = Verdict::ALL.map(actual);
        Some(Self {
            actual: [a?, b?, c?, d?, e?, f?],
            refused: denied(RequestKind::Actual, Effect::Enforced)?,
            preflight_allowed: sort(
                Needs::Nothing,
                RequestKind::Preflight,
                Outcome::Allowed,
                Effect::Answered,
            )?,
            preflight_denied: denied(RequestKind::Preflight, Effect::Answered)?,
            counted: by,
        })
    }
}

impl Sort {
    /// Counts a request.
    #[inline]
    pub(crate) fn count(&self) {
        self.by.counter.count(self.what, now());
    }

    /// Counts a request that has no origin.
    pub(crate) fn count_without(&self) {
        self.by.counter.count(self.without.unwrap_or(self.what), now());
    }

    /// Counts a denial.
    pub(crate) fn count_denied(&self, origin: Field<'_>) {
        let (CountedPolicy { prepared, counter }, now) = (&*self.by, now());
        let (outcome, reason) = prepared
            .policy()
            .result(&Decision::new(Verdict::Denied, origin, None), core::iter::empty());
        let outcome = Some(outcome);
        counter.count(Counted { outcome, ..self.what }, now);
        let bytes = match origin {
            Field::One(bytes) => bytes,
            Field::Absent | Field::Several => &[],
        };
        if let Some(reason) = reason {
            counter.deny(bytes, reason, now);
        }
    }
}

impl Place {
    /// The counters.
    pub(crate) fn counter(&self) -> Option<&Counter<'static>> {
        Some(&self.memory.get()?.counted.counter)
    }

    /// The sort of requests with this verdict that are no preflights.
    #[inline]
    pub(crate) fn actual(&self, verdict: Verdict, is_refused: bool) -> Option<&Sort> {
        let memory = self.memory.get()?;
        match is_refused {
            false => memory.actual.get(verdict.number()),
            true => Some(&memory.refused),
        }
    }

    /// The sort of preflights that are denied, and so answered.
    #[inline]
    pub(crate) fn preflight_denied(&self) -> Option<&Sort> {
        Some(&self.memory.get()?.preflight_denied)
    }

    /// The sort of preflights that are allowed and answered, if the last such asked the same.
    #[inline]
    pub(crate) fn preflight_allowed(&self, method: &[u8], headers: &[u8]) -> Option<&Sort> {
        let memory = self.memory.get()?;
        let is_known = self
            .allowed
            .with(|allowed| is_same(&allowed.method, method) && is_same(&allowed.headers, headers));
        is_known.then_some(&memory.preflight_allowed)
    }

    /// The next preflight like this one is allowed.
    pub(crate) fn note_allowed(&self, method: &[u8], headers: &[u8]) {
        if method.len() <= LONGEST && headers.len() <= LONGEST {
            self.allowed.change(|allowed| {
                method.clone_into(&mut allowed.method);
                headers.clone_into(&mut allowed.headers);
            });
        }
    }
}

impl Zone {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The places, each name once.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        self.places
            .iter()
            .map(|place| &**place)
            .filter(|place| !place.is_namesake)
    }

    /// The counters, once nginx has made the memory.
    #[inline]
    pub(crate) fn memory(&self) -> Option<&cors_zone::Zone<'_>> {
        self.memory.get()
    }

    /// The place of this name and policy in a server.
    pub(crate) fn place(&mut self, server: usize, name: &str, location: &str, prepared: &Rc<Prepared>) -> Rc<Place> {
        let server = self.server(server, name);
        let location = if location.is_empty() { NO_LOCATION } else { location };
        let of_name = |place: &&Rc<Place>| Rc::ptr_eq(&place.server, &server) && *place.location == *location;
        let mut known = self.places.iter().rev().filter(of_name).peekable();
        // nginx merges a location just before what is in it.
        let is_namesake = known.peek().is_some();
        if let Some(place) = known.find(|place| Rc::ptr_eq(&place.prepared, prepared)) {
            return place.clone();
        }
        let place = Rc::new(Place {
            location: location.into(),
            prepared: prepared.clone(),
            is_namesake,
            memory: OnceCell::new(),
            allowed: Memo::default(),
            server,
        });
        self.places.push(place.clone());
        place
    }

    /// The name by which a server is shown: its own, with a number if it is not the first of that name.
    fn server(&mut self, address: usize, name: &str) -> Rc<str> {
        if let Some((_, label)) = self.servers.iter().rev().find(|(known, _)| *known == address) {
            return label.clone();
        }
        let name = if name.is_empty() { UNNAMED } else { name };
        let is_of_name =
            |label: &str| label == name || label.strip_prefix(name).is_some_and(|rest| rest.starts_with('#'));
        let earlier = self.servers.iter().filter(|(_, label)| is_of_name(label)).count();
        let label: Rc<str> = match earlier {
            0 => name.into(),
            _ => format!("{name}#{}", earlier + 1).into(),
        };
        self.servers.push((address, label.clone()));
        label
    }

    /// What is wrong once all policies are known.
    pub(crate) fn check(&self) -> Option<Problem> {
        let policies = self.places().count();
        let needed = bytes_for(policies);
        (self.size < needed).then(|| {
            let text = format!(
                "\"{DIRECTIVE}\" has the value \"{0}:{1}k\": it is too small for {2} policies; write \"{0}:{3}k\"",
                self.name,
                self.size / 1024,
                policies,
                needed / 1024,
            );
            Problem::error(&self.at, text)
        })
    }
}

/// What a worker has found out, until it finds out something else.
#[derive(Default)]
struct Memo<T>(UnsafeCell<T>);

impl<T> Memo<T> {
    #[inline]
    fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        // SAFETY: a process of nginx has one thread, and no `look` or `change` of this module comes back here.
        look(unsafe { &*self.0.get() })
    }

    fn change(&self, change: impl FnOnce(&mut T)) {
        // SAFETY: as above.
        change(unsafe { &mut *self.0.get() });
    }
}

/// Whether two strings are the same, found out without a call.
#[inline(always)]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    fn ends<const N: usize>(bytes: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
        Some((bytes.first_chunk()?, bytes.last_chunk()?))
    }
    one.len() == other.len()
        && match one.len() {
            8.. => match one.len() {
                33.. => is_same_long(one, other),
                16.. => ends::<16>(one) == ends(other),
                _ => ends::<8>(one) == ends(other),
            },
            4.. => ends::<4>(one) == ends(other),
            2.. => ends::<2>(one) == ends(other),
            _ => one.first() == other.first(),
        }
}

/// The same for strings of one length, which is no less than that of a chunk.
#[inline(always)]
fn is_same_long(one: &[u8], other: &[u8]) -> bool {
    const CHUNK: usize = 32;
    let (mut rest, mut other_rest) = (one, other);
    while let (Some((chunk, after)), Some((other_chunk, other_after))) = (
        rest.split_first_chunk::<CHUNK>(),
        other_rest.split_first_chunk::<CHUNK>(),
    ) {
        if chunk != other_chunk {
            return false;
        }
        (rest, other_rest) = (after, other_after);
    }
    one.last_chunk::<CHUNK>() == other.last_chunk()
}

/// The size of a zone that has room for so many policies, and for what nginx puts before that.
fn bytes_for(policies: usize) -> usize {
    const PAGE: usize = 4096;
    let bytes = words_for(policies) * size_of::<AtomicU64>();
    (bytes + bytes / 128 + 2 * PAGE).next_multiple_of(PAGE)
}

/// Seconds since 1970, as of when nginx last looked at the clock.
pub(crate) fn now() -> u64 {
    // SAFETY: nginx sets the pointer before it reads a configuration, and always to a whole time; it has one thread.
    let seconds = unsafe { (*ngx_cached_time).sec };
    seconds as u64 // no clock stands before 1970
}

impl Configuration {
    /// Reports what is wrong with the zone.
    pub(crate) fn check_zone(self) {
        let problem = self.with_main(|main| match (&main.zone, &main.status_at) {
            (Some(zone), _) => zone.check(),
            (None, Some(at)) if !main.refused => Some(status::without_zone(at)),
            (None, _) => None,
        });
        if let Some(problem) = problem.flatten() {
            self.report(&[problem]);
        }
    }
}

pub(crate) unsafe extern "C" fn read_directive(
    cf: *mut ngx_conf_t,
    _: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx calls this hook for the configuration that it reads.
    let configuration = unsafe { Configuration::from_raw(cf) };
    guard(configuration.log(), NGX_CONF_ERROR, || {
        let Some((_, values)) = configuration.words() else {
            return NGX_CONF_ERROR;
        };
        let at = configuration.position();
        let (name, size) = match parse(&values) {
            Ok(zone) => zone,
            Err(text) => {
                configuration.report(&[Problem::error(&at, text)]);
                return NGX_CONF_OK;
            }
        };
        let earlier = configuration
            .with_main(|main| Some(main.zone.as_ref()?.at.clone()))
            .flatten();
        if let Some(earlier) = earlier {
            let text = format!("\"{DIRECTIVE}\" directive is duplicate: it stands at {earlier} already; remove one");
            configuration.report(&[Problem::error(&at, text)]);
            return NGX_CONF_OK;
        }
        let mut shared_name = str(name.as_bytes());
        // SAFETY: see above; nginx keeps the name, which lies in the configuration's pool, and the tag, which is static.
        let (shared, former_size) = unsafe {
            (
                ngx_shared_memory_add(cf, &mut shared_name, size, module::HANDLER.as_ptr().cast()).as_mut(),
                former_size(cf, name),
            )
        };
        let Some(shared) = shared else {
            return NGX_CONF_ERROR; // nginx has said why
        };
        shared.init = Some(start);
        shared.data = conf;
        configuration.with_main(|main| {
            main.zone = Some(Zone {
                name: name.into(),
                size,
                at,
                former_size,
                servers: Vec::new(),
                places: Vec::new(),
                memory: OnceCell::new(),
            });
        });
        NGX_CONF_OK
    })
}

/// Name and size, or what is wrong with them.
fn parse<'v>(values: &[&'v [u8]]) -> Result<(&'v str, usize), String> {
    const WRITE: &str = "write a name and a size, such as \"cors:256k\"";
    let refused = |value: &[u8], why: &str| format!("\"{DIRECTIVE}\" has the value \"{}\": {why}", shown(value));
    let [value] = values else {
        return Err(refused(&values.join(&b' '), &format!("it takes one value; {WRITE}")));
    };
    let text = std::str::from_utf8(value).ok().and_then(|value| value.rsplit_once(':'));
    let Some((name, size)) = text.filter(|(name, _)| !name.is_empty()) else {
        return Err(refused(
            value,
            &format!("a name, a colon and a size are expected; {WRITE}"),
        ));
    };
    // SAFETY: nginx reads `len` bytes and writes none.
    let bytes = usize::try_from(unsafe { ngx_parse_size(&mut str(size.as_bytes())) })
        .map_err(|_| refused(value, &format!("\"{size}\" is no size; {WRITE}")))?;
    let least = bytes_for(1);
    if bytes < least {
        return Err(refused(
            value,
            &format!("it is too small; write \"{name}:{}k\"", least / 1024),
        ));
    }
    Ok((name, bytes))
}

/// The size of the zone of this name that the running configuration has.
///
/// # Safety
///
/// `cf` is the configuration that nginx is reading.
unsafe fn former_size(cf: *mut ngx_conf_t, name: &str) -> Option<usize> {
    // SAFETY: the caller vouches for it; the former cycle lives until the new one is complete, and the list of its
    // zones is empty or initialised.
    unsafe {
        let former = (*(*cf).cycle).old_cycle.as_ref()?;
        let mut part: *const ngx_list_part_t = &former.shared_memory.part;
        while let Some(here) = part.as_ref() {
            for number in 0..here.nelts {
                let zone = &*here.elts.cast::<ngx_shm_zone_t>().add(number);
                if zone.shm.name.as_bytes() == name.as_bytes() {
                    return Some(zone.shm.size);
                }
            }
            part = here.next;
        }
    }
    None
}

/// nginx has the memory: that of the running configuration, which comes with `former`, or a new one.
unsafe extern "C" fn start(shared: *mut ngx_shm_zone_t, former: *mut c_void) -> ngx_int_t {
    // SAFETY: nginx calls this hook with the zone, which has the log of the process that reads the configuration.
    let log = unsafe { (*shared).shm.log };
    guard(log, NGX_ERROR as ngx_int_t, || {
        // SAFETY: `read_directive` put the main configuration there; no one else holds on to it now. Before the memory
        // that is for the module nginx has put a pool, which no one allocates from.
        let (main, words) = unsafe {
            let pool = &*(*shared).shm.addr.cast::<ngx_slab_pool_t>();
            let bytes = (pool.end as usize).saturating_sub(pool.start as usize);
            let words = ptr::slice_from_raw_parts(pool.start.cast::<AtomicU64>(), bytes / size_of::<AtomicU64>());
            // Processes that have this mapping see the words as atomics alone, and the mapping lasts as long as the
            // configuration, which keeps no reference for longer than it lives itself.
            ((*shared).data.cast::<MainConf>().as_ref(), &*words)
        };
        let zone = main.and_then(|main| main.zone.as_ref());
        match zone.and_then(|zone| zone.start(words, !former.is_null(), log)) {
            Some(()) => NGX_OK as ngx_int_t,
            None => NGX_ERROR as ngx_int_t,
        }
    })
}

impl Zone {
    fn start(&self, words: &'static [AtomicU64], is_known: bool, log: *mut ngx_log_t) -> Option<()> {
        let known = is_known.then(|| cors_zone::Zone::attach(words)).flatten();
        if known.is_none() {
            self.tell_why_afresh(log);
        }
        let seed = now() ^ (ptr::from_ref(words).cast::<u8>() as u64).rotate_left(32) ^ u64::from(std::process::id());
        let Some(memory) = known.or_else(|| cors_zone::Zone::format(words, seed, now())) else {
            let name = &self.name;
            ngx_log_error!(NGX_LOG_EMERG, log, "cors zone \"{}\" is too small", name);
            return None;
        };
        let names = self.places.iter().map(|place| (&*place.server, &*place.location));
        for (place, counter) in self.places.iter().zip(memory.assign(names)) {
            if let Some(memory) = counter.and_then(|counter| Memory::new(counter, place.prepared.clone())) {
                place.memory.set(memory).ok()?;
            }
        }
        self.memory.set(memory).ok()
    }

    fn tell_why_afresh(&self, log: *mut ngx_log_t) {
        let Some(former) = self.former_size else {
            return;
        };
        let (name, size) = (&self.name, self.size);
        if former == size {
            ngx_log_error!(
                NGX_LOG_NOTICE,
                log,
                "cors zone \"{}\" starts afresh: it was that of another build of the module",
                name
            );
        } else {
            ngx_log_error!(
                NGX_LOG_NOTICE,
                log,
                "cors zone \"{}\" starts afresh: its size was {}, and is {}",
                name,
                former,
                size
            );
        }
    }
}
