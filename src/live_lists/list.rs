//! A list of one configuration, its memory, and the file as it was when the configuration was read.

use core::cell::{Cell, RefCell};
use core::ffi::c_void;
use core::sync::atomic::AtomicU64;
use std::io;
use std::path::Path;
use std::rc::Rc;

use cors_lists::{Check, Checked, Faults, Format, Lease, Prepared, Sighting, Zone, SECRET_WORDS};
use cors_policy::{ListRisks, ListUse, Position, Problem};
use nginx_sys::{ngx_int_t, ngx_log_t, ngx_shm_zone_t, NGX_LOG_EMERG};
use ngx::ngx_log_error;

use super::file;
use super::reading::{FileRead, Outcome, Reading, Refusal};
use super::told::{more_wrong, Ignoring};
use crate::nginx::panic::guard;
use crate::nginx::process;
use crate::nginx::return_code;
use crate::nginx::shared_memory::{self, SharedMemory};

/// So long the master has a lease that it has taken from whoever looked at the file: until the new processes serve.
const SECONDS_OF_MASTER: u32 = 5;

/// So often it is tried to read a file that changes meanwhile.
const ATTEMPTS: usize = 5;

/// What the directive says.
#[derive(Clone, Debug)]
pub(crate) struct ListFile {
    /// The name of the list.
    pub(crate) name: Box<str>,
    /// The whole name of the file.
    pub(crate) file: Box<str>,
    /// The number of the text whose value for a request is the key of the file's lines, where there are keys.
    pub(crate) key: Option<usize>,
    /// The size of the memory, in bytes.
    pub(crate) size: usize,
    /// The milliseconds between two looks at the file.
    pub(crate) check: usize,
    /// Where the directive stands.
    pub(crate) at: Position,
}

/// A list of one configuration.
pub(crate) struct ConfiguredList {
    said: ListFile,
    memory: SharedMemory,
    /// What the file was found to be when the configuration was read.
    checked: RefCell<Option<Checked>>,
    /// A list that was built beside the one that is served, and what the file was.
    prepared: Cell<Option<(Prepared, Sighting)>>,
    /// The directives that name the list, and what their policies ignore in it.
    ignoring: RefCell<Vec<Ignoring>>,
}

impl ConfiguredList {
    pub(crate) fn new(said: ListFile, memory: SharedMemory) -> Self {
        Self {
            said,
            memory,
            checked: RefCell::default(),
            prepared: Cell::new(None),
            ignoring: RefCell::default(),
        }
    }

    pub(crate) fn said(&self) -> &ListFile {
        &self.said
    }

    pub(super) fn path(&self) -> &Path {
        Path::new(&*self.said.file)
    }

    pub(super) fn format(&self) -> Format {
        match self.said.key {
            Some(_) => Format::KeyAndOrigins,
            None => Format::Origins,
        }
    }

    pub(super) fn memory(&self) -> &SharedMemory {
        &self.memory
    }

    /// Notes that a policy uses the list.
    pub(crate) fn note_use(&self, used: &ListUse<'_>) {
        let ignoring = Ignoring {
            directive: used.directive.name(),
            at: used.at.clone(),
            ignored: used.ignored,
        };
        let mut known = self.ignoring.borrow_mut();
        if !known.contains(&ignoring) {
            known.push(ignoring);
        }
    }

    /// Whether the list has the bytes of an `Origin` header, for requests of this key; it has not if the configuration is not
    /// in force any more.
    #[inline]
    pub(crate) fn admits(&self, key: Option<&[u8]>, origin: &[u8], ignored: ListRisks) -> bool {
        let look = |words: &[AtomicU64]| Zone::attach(words).is_some_and(|zone| zone.admits(key, origin, ignored));
        self.memory.look(look).unwrap_or(false)
    }

    /// What there is to show of the list.
    pub(crate) fn status(&self) -> Option<cors_lists::Status> {
        self.memory
            .look(|words| Zone::attach(words).map(|zone| zone.status()))
            .flatten()
    }

    /// Checks the file while the configuration is read, and returns what is wrong with it, and what the policies will
    /// ignore. Whether it lists nobody is returned, too.
    pub(crate) fn read_file(&self) -> (Vec<Problem>, bool) {
        let ListFile { name, file, .. } = &self.said;
        let checked = match self.check() {
            Ok(checked) => checked,
            Err(refusal) => return (self.problems(&refusal), false),
        };
        let risky = checked.risky();
        let mut problems = Vec::new();
        for ignoring in self.ignoring.borrow().iter() {
            let texts = ignoring.texts(&risky, name, file);
            problems.extend(texts.map(|text| Problem::warning(&ignoring.at, text)));
        }
        let is_empty = checked.entries() == 0;
        self.checked.replace(Some(checked));
        (problems, is_empty)
    }

    fn check(&self) -> Result<Checked, Refusal> {
        use std::io::Read as _;

        let mut file = file::open(self.path()).map_err(Refusal::Unreadable)?;
        let mut check = Check::new(self.format());
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return check.finish().map_err(Refusal::Faults),
                Ok(length) => check.feed(buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Refusal::Unreadable(error)),
            }
        }
    }

    /// What is wrong with the file, as `nginx -t` tells it: each fault where it stands.
    fn problems(&self, refusal: &Refusal) -> Vec<Problem> {
        let ListFile {
            name, file, size, at, ..
        } = &self.said;
        let Refusal::Faults(Faults { first, more }) = refusal else {
            let text = refusal.text(file, *size);
            let remedy = match refusal {
                Refusal::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
                    "; create it: one without entries is a list of nobody"
                }
                Refusal::Unreadable(_) => "; name a file that nginx may read",
                Refusal::TooLarge(_) | Refusal::Faults(_) => "",
            };
            return vec![Problem::error(
                at,
                format!("\"cors_origin_list {name}\": {text}{remedy}"),
            )];
        };
        let file: Rc<str> = file.as_ref().into();
        let position = |line: u64| Position {
            file: file.clone(),
            line: usize::try_from(line).unwrap_or(usize::MAX),
        };
        let told = first.iter().map(|fault| {
            Problem::error(
                &position(fault.line),
                format!("\"cors_origin_list {name}\": {}", fault.text),
            )
        });
        let more = (*more > 0).then(|| {
            let text = more_wrong(*more, &file);
            let text = format!("\"cors_origin_list {name}\": {text}; put them right, too");
            Problem::error(at, text)
        });
        told.chain(more).collect()
    }

    /// Builds the list in memory that nginx has mapped. It is served at once if none was; beside one that is served it waits
    /// until the configuration is in force.
    fn build(&self, zone: Zone<'_>) -> Result<(), Refusal> {
        let Some(checked) = self.checked.take() else {
            return Ok(());
        };
        let served = zone.status().served;
        if served.as_ref().is_some_and(|served| served.digest == checked.digest()) {
            return Ok(());
        }
        let is_alive = |_| false;
        let lease = zone.take_lease(process::id(), process::monotonic_seconds(), SECONDS_OF_MASTER, is_alive);
        let Some(lease) = lease else {
            return Ok(()); // another process has taken it at the same moment, and reads the file
        };
        let (prepared, seen) = self.build_of(&lease, checked)?;
        if served.is_some() {
            self.prepared.set(Some((prepared, seen)));
        } else if zone.publish(prepared) {
            lease.note(seen, None);
            lease.release();
        }
        Ok(())
    }

    fn build_of(&self, lease: &Lease<'_>, checked: Checked) -> Result<(Prepared, Sighting), Refusal> {
        let mut checked = Some(checked);
        for _ in 0..ATTEMPTS {
            let file = file::open(self.path()).map_err(Refusal::Unreadable)?;
            let reading = match checked.take() {
                Some(checked) => Reading::of_checked(lease.builder(), file, checked).map_err(Refusal::TooLarge)?,
                None => Reading::new(lease.builder(), file, self.format()),
            };
            let FileRead { seen, outcome } = reading.finish();
            match outcome {
                Outcome::Built(prepared) => return Ok((prepared, seen)),
                Outcome::Refused(refusal) => return Err(refusal),
                Outcome::Unchanged | Outcome::Abandoned => {}
            }
        }
        let error = io::Error::other("it changes all the time");
        Err(Refusal::Unreadable(error))
    }

    /// Serves what was built beside the list of the configuration that was in force before; what the file was then, if this
    /// process is the first to do it.
    pub(super) fn publish(&self, zone: Zone<'_>) -> Option<Sighting> {
        let (prepared, seen) = self.prepared.take()?;
        let generation = |zone: Zone<'_>| zone.status().served.map(|served| served.generation);
        let before = generation(zone);
        (zone.publish(prepared) && generation(zone) != before).then_some(seen)
    }

    /// What the policies ignore in a list with these entries.
    pub(super) fn ignored(&self, risky: &cors_lists::RiskyEntries) -> Vec<String> {
        let ListFile { name, file, .. } = &self.said;
        let ignoring = self.ignoring.borrow();
        let texts = ignoring.iter().flat_map(|ignoring| {
            let texts = ignoring.texts(risky, name, file);
            texts.map(|text| format!("{text} in {}", ignoring.at))
        });
        texts.collect()
    }

    /// Takes up the memory that nginx has mapped.
    fn open(&self, words: &[AtomicU64], is_kept: bool, log: *mut ngx_log_t) -> ngx_int_t {
        let kept = Zone::attach(words).filter(|_| is_kept);
        let Some(zone) = kept.or_else(|| Zone::format(words, secret()?)) else {
            let name = &self.said.name;
            ngx_log_error!(
                NGX_LOG_EMERG,
                log,
                "\"cors_origin_list {}\": its memory cannot be set up",
                name
            );
            return return_code::ERROR;
        };
        match self.build(zone) {
            Ok(()) => return_code::OK,
            Err(refusal) => {
                for problem in self.problems(&refusal) {
                    ngx_log_error!(NGX_LOG_EMERG, log, "{} in {}", problem, problem.at);
                }
                return_code::ERROR
            }
        }
    }
}

/// Numbers that nobody can foresee.
fn secret() -> Option<[u64; SECRET_WORDS]> {
    let mut secret = [0; SECRET_WORDS];
    for word in &mut secret {
        *word = getrandom::u64().ok()?;
    }
    Some(secret)
}

/// nginx has the memory of a list: that of the configuration in force, which comes with `former`, or a new one.
pub(crate) unsafe extern "C" fn open_list(zone: *mut ngx_shm_zone_t, former: *mut c_void) -> ngx_int_t {
    // SAFETY: nginx calls this hook for the zone for which `cors_origin_list` asked, with a `ConfiguredList`.
    let (log, ours) = unsafe {
        (
            shared_memory::log_of(zone),
            shared_memory::data_of::<ConfiguredList>(zone),
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
