//! The zone: which locations are counted, and where in the shared memory.
//!
//! | when | what |
//! |---|---|
//! | nginx merges the blocks | each location with a policy gets a name ([`ConfiguredZone::count_location`]) |
//! | nginx has mapped the memory | it is formatted, if it is new ([`open_zone`]); what the configuration in force counts stays untouched |
//! | nothing can fail any more | the names get their counters ([`ConfiguredZone::assign_counters`]) |
//! | a request ends | it is counted ([`CounterHandle::count`]) |

use core::cell::{OnceCell, RefCell};
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::AtomicU64;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use cors_policy::{Change, Policy, Position, Problem, Reason};
use cors_zone::{words_for, Counted, Counter, Effect, Listener, Slot};
use nginx_sys::{ngx_int_t, ngx_log_t, ngx_shm_zone_t, NGX_LOG_EMERG, NGX_LOG_NOTICE};
use ngx::ngx_log_error;

use crate::nginx::clock::now;
use crate::nginx::panic::guard;
use crate::nginx::return_code;
use crate::nginx::shared_memory::{self, SharedMemory};

/// The name of a server that has none, and of its policy outside of any location.
const UNNAMED: &str = "_";
pub(crate) const NO_LOCATION: &str = "server";

/// The zone of a configuration.
pub(crate) struct ConfiguredZone {
    name: Box<str>,
    size: usize,
    /// Where the directive stands.
    at: Position,
    /// The size of the zone of this name in the configuration that was in force before.
    former_size: Option<usize>,
    locations: RefCell<Locations>,
    memory: SharedMemory,
    /// The counters of the locations, by their numbers; none where there was no room.
    slots: OnceCell<Vec<Option<Slot>>>,
}

/// The locations that are counted, each name once.
#[derive(Default)]
struct Locations {
    list: Vec<NamedLocation>,
    /// Their numbers in the list, by the number of the server and the name of the location.
    numbers: HashMap<(usize, Box<str>), usize>,
    /// The servers by their numbers.
    servers: HashMap<usize, Rc<NamedServer>>,
    server_names: HashSet<Rc<str>>,
    /// How often a server had this name.
    namesakes: HashMap<Box<str>, usize>,
}

/// A server with the name under which it is shown.
struct NamedServer {
    name: Rc<str>,
    listener: Option<Listener>,
}

/// A name under which requests are counted.
struct NamedLocation {
    server: Rc<NamedServer>,
    location: Box<str>,
    /// The policy of the location. An `if` in it has its own, and counts as the location.
    policy: Rc<Policy>,
    /// Whether another policy is judged beside it.
    has_candidate: bool,
}

/// A location with what has been counted for it.
pub(crate) struct LocationCounters<'z> {
    named: &'z NamedLocation,
    counter: Counter<'z>,
}

impl<'z> LocationCounters<'z> {
    pub(crate) fn server(&self) -> &'z str {
        &self.named.server.name
    }

    /// An address on which the server listens.
    pub(crate) fn listener(&self) -> Option<&'z Listener> {
        self.named.server.listener.as_ref()
    }

    pub(crate) fn location(&self) -> &'z str {
        &self.named.location
    }

    pub(crate) fn policy(&self) -> &'z Policy {
        &self.named.policy
    }

    /// The same for a report.
    pub(crate) fn counted(&self) -> cors_zone::CountedLocation<'z> {
        cors_zone::CountedLocation {
            server: self.server(),
            location: self.location(),
            policy: self.policy(),
            has_candidate: self.named.has_candidate,
            counter: self.counter,
        }
    }
}

/// Where the requests of one location are counted.
pub(crate) struct CounterHandle {
    zone: Rc<ConfiguredZone>,
    number: usize,
}

impl CounterHandle {
    /// Counts a request that has ended, and its origin if it was denied or the candidate would change something for it. It
    /// is not counted if the configuration is not in force any more.
    pub(crate) fn count(
        &self,
        counted: Counted,
        origin: &[u8],
        denied: Option<Reason<'_>>,
        change: Option<&Change<'_>>,
    ) {
        let now = now();
        self.zone.memory.look(|words| {
            let slot = (*self.zone.slots.get()?.get(self.number)?)?;
            let counter = cors_zone::Zone::attach(words)?.counter(slot)?;
            counter.count(counted, now);
            if let Some(reason) = denied {
                counter.deny(origin, reason, counted.effect == Effect::DryRun, now);
            }
            if let Some(change) = change {
                counter.change(origin, change, now);
            }
            Some(())
        });
    }
}

impl ConfiguredZone {
    pub(crate) fn new(name: &str, size: usize, at: Position, former_size: Option<usize>, memory: SharedMemory) -> Self {
        Self {
            name: name.into(),
            size,
            at,
            former_size,
            locations: RefCell::default(),
            memory,
            slots: OnceCell::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Where the directive stands.
    pub(crate) fn at(&self) -> &Position {
        &self.at
    }

    /// Where the requests of a location are counted. nginx merges a location just before the blocks that are in it, so
    /// that an `if` finds the name of its location taken, and counts under it. `server` is its number and its name.
    pub(crate) fn count_location(
        self: &Rc<Self>,
        server: (usize, &str),
        listener: impl FnOnce() -> Option<Listener>,
        location: &str,
        policy: &Rc<Policy>,
        has_candidate: bool,
    ) -> CounterHandle {
        let number = self
            .locations
            .borrow_mut()
            .number(server, listener, location, policy, has_candidate);
        CounterHandle {
            zone: self.clone(),
            number,
        }
    }

    /// What is wrong once all locations are known.
    pub(crate) fn check(&self) -> Option<Problem> {
        let locations = self.locations.borrow().list.len();
        let needed = bytes_for(locations);
        (self.size < needed).then(|| {
            let text = format!(
                "\"cors_zone\" has the value \"{0}:{1}k\": it is too small for {2} policies; write \"{0}:{3}k\"",
                self.name,
                self.size / 1024,
                locations,
                needed / 1024,
            );
            Problem::error(&self.at, text)
        })
    }

    /// Gives each location its counters: those that it had under the same name before, or free ones.
    ///
    /// # Safety
    ///
    /// nginx is taking up this configuration, and cannot fail to any more.
    pub(crate) unsafe fn assign_counters(&self) {
        let locations = self.locations.borrow();
        let names = locations
            .list
            .iter()
            .map(|named| (&*named.server.name, &*named.location));
        let assign = |words: &[AtomicU64]| {
            let zone = cors_zone::Zone::attach(words).or_else(|| format(words))?;
            let counters = zone.assign(names, now());
            Some(counters.iter().map(|counter| Some(counter.as_ref()?.slot())).collect())
        };
        // SAFETY: the caller vouches for it.
        let slots = unsafe { self.memory.look_before_use(assign) };
        self.slots.get_or_init(|| slots.flatten().unwrap_or_default());
    }

    /// Shows what has been counted to `look`.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&cors_zone::Zone<'_>, &[LocationCounters<'_>]) -> R) -> Option<R> {
        let locations = self.locations.borrow();
        let slots = self.slots.get()?;
        self.memory
            .look(|words| {
                let zone = cors_zone::Zone::attach(words)?;
                let locations: Vec<_> = locations
                    .list
                    .iter()
                    .zip(slots)
                    .filter_map(|(named, slot)| {
                        let counter = zone.counter((*slot)?)?;
                        Some(LocationCounters { named, counter })
                    })
                    .collect();
                Some(look(&zone, &locations))
            })
            .flatten()
    }

    /// Looks at the memory that nginx has mapped: `is_kept` if the configuration in force counts in it. That is left as it
    /// is, even if another build of the module has laid it out, until nothing can fail any more.
    fn open(&self, words: &[AtomicU64], is_kept: bool, log: *mut ngx_log_t) -> ngx_int_t {
        if is_kept && cors_zone::Zone::attach(words).is_some() {
            return return_code::OK;
        }
        self.log_why_new(log);
        if !is_kept && format(words).is_none() {
            let name = &self.name;
            ngx_log_error!(NGX_LOG_EMERG, log, "cors zone \"{}\" is too small", name);
            return return_code::ERROR;
        }
        return_code::OK
    }

    /// Says why counting begins anew, where it does.
    fn log_why_new(&self, log: *mut ngx_log_t) {
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

impl Locations {
    fn number(
        &mut self,
        (number, name): (usize, &str),
        listener: impl FnOnce() -> Option<Listener>,
        location: &str,
        policy: &Rc<Policy>,
        has_candidate: bool,
    ) -> usize {
        let server = self.server(number, name, listener);
        let location = if location.is_empty() { NO_LOCATION } else { location };
        *self.numbers.entry((number, location.into())).or_insert_with(|| {
            self.list.push(NamedLocation {
                server,
                location: location.into(),
                policy: policy.clone(),
                has_candidate,
            });
            self.list.len() - 1
        })
    }

    /// The server of this number. It is shown under its own name, with a number if another has it already.
    fn server(&mut self, server: usize, name: &str, listener: impl FnOnce() -> Option<Listener>) -> Rc<NamedServer> {
        if let Some(named) = self.servers.get(&server) {
            return named.clone();
        }
        let name = if name.is_empty() { UNNAMED } else { name };
        let mut shown: Rc<str> = name.into();
        let number = self.namesakes.entry(name.into()).or_insert(0);
        loop {
            *number += 1;
            if *number > 1 {
                shown = format!("{name}#{number}").into();
            }
            if self.server_names.insert(shown.clone()) {
                break;
            }
        }
        let named = Rc::new(NamedServer {
            name: shown,
            listener: listener(),
        });
        self.servers.insert(server, named.clone());
        named
    }
}

/// Makes an empty zone of the memory, if that is large enough.
fn format(words: &[AtomicU64]) -> Option<cors_zone::Zone<'_>> {
    let address = ptr::from_ref(words).cast::<u8>() as u64;
    let seed = now() ^ address.rotate_left(32) ^ u64::from(std::process::id());
    cors_zone::Zone::format(words, seed, now())
}

/// The size of a zone that has room for so many policies, and for what nginx puts before that.
pub(super) fn bytes_for(policies: usize) -> usize {
    const PAGE: usize = 4096;
    let bytes = words_for(policies) * size_of::<AtomicU64>();
    (bytes + bytes / 128 + 2 * PAGE).next_multiple_of(PAGE)
}

/// nginx has the memory: that of the configuration in force, which comes with `former`, or a new one. The configuration
/// may still fail, so that nothing is changed in what is kept.
pub(crate) unsafe extern "C" fn open_zone(zone: *mut ngx_shm_zone_t, former: *mut c_void) -> ngx_int_t {
    // SAFETY: nginx calls this hook for the zone for which `cors_zone` asked, with a `ConfiguredZone`.
    let (log, ours) = unsafe {
        (
            shared_memory::log_of(zone),
            shared_memory::data_of::<ConfiguredZone>(zone),
        )
    };
    guard(log, return_code::ERROR, || {
        let Some(ours) = ours else {
            return return_code::ERROR;
        };
        // SAFETY: nginx waits for this hook, which belongs to the configuration of the zone.
        unsafe { ours.memory.open(zone, |words| ours.open(words, !former.is_null(), log)) }
    })
}
