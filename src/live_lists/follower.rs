//! Follows the file of a list, in each process that serves.
//!
//! All of them have a timer; the one with the lease looks at the file. What takes long is done in a thread of its own. With
//! `master_process off` it is done on the timer, a piece at a time: nginx may then unmap the memory whenever it has read
//! another configuration, and calls no hook of a module that is not in that, so that no one could stop a thread.

use core::cell::RefCell;
use core::sync::atomic::{AtomicBool, Ordering};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

use cors_lists::{Builder, Failure, Lease, LeaseTicket, Look, Sighting, Watch, Zone};
use nginx_sys::{ngx_cycle_t, NGX_LOG_ERR, NGX_LOG_INFO, NGX_LOG_NOTICE, NGX_LOG_WARN};
use ngx::ngx_log_error;

use super::file::{self, seconds_now};
use super::list::ConfiguredList;
use super::reading::{FileRead, Outcome, Reading, Refusal};
use super::told;
use crate::nginx::panic::discard;
use crate::nginx::pool::OutOfMemory;
use crate::nginx::process::{self, Role};
use crate::nginx::timer::{OnTimer, Timer};

/// The milliseconds after which it is looked whether a thread has finished.
const WAIT_FOR_THREAD: usize = 10;

/// The milliseconds between two pieces of a file that is read on the timer: requests come in between.
const WAIT_FOR_PIECE: usize = 1;

/// The first look comes as soon as the process serves.
const FIRST_LOOK: usize = 1;

/// A lease is for three looks, and for as many seconds at least.
const LEAST_LEASE: usize = 10;

/// Follows the file of a list, in one process.
pub(crate) struct Follower {
    list: Rc<ConfiguredList>,
    /// None before it has begun.
    timer: RefCell<Option<Timer>>,
    /// What there is to do for the process that has the lease.
    duty: RefCell<Option<Duty>>,
}

/// What the process with the lease keeps between two looks.
struct Duty {
    ticket: LeaseTicket,
    watch: Watch,
    job: Option<Job>,
}

/// A file that is being read.
enum Job {
    Thread {
        /// None once it has been joined.
        thread: Option<JoinHandle<FileRead>>,
        is_to_end: Arc<AtomicBool>,
    },
    Pieces(Box<Reading<'static>>),
}

impl Follower {
    pub(crate) fn new(list: Rc<ConfiguredList>) -> Self {
        Self {
            list,
            timer: RefCell::default(),
            duty: RefCell::default(),
        }
    }

    /// Serves the list of this configuration, and begins to follow the file.
    ///
    /// # Safety
    ///
    /// This process serves the configuration of `cycle` from now on: nginx waits for a hook that says so. The follower stays
    /// where it is until it is dropped with that configuration.
    pub(crate) unsafe fn begin(&self, cycle: *mut ngx_cycle_t) -> Result<(), OutOfMemory> {
        // SAFETY: the caller vouches for it.
        unsafe {
            self.list.memory().look_before_use(|words| {
                let zone = Zone::attach(words)?;
                let seen = self.list.publish(zone)?;
                // The master has the lease, which has built the list.
                let is_alive = |id| id != process::parent_id() && id != process::id() && process::is_alive(id);
                let lease = self.take_lease(zone, is_alive)?;
                lease.note(seen, None);
                self.duty.replace(Some(Duty::new(&lease, Some(seen))));
                Some(())
            });
        }
        // SAFETY: nginx has made the event loop when it calls the hooks for the beginning of a process. The timer is dropped
        // with this follower, which belongs to the configuration.
        let timer = unsafe { Timer::new(cycle, self) }?;
        timer.start(FIRST_LOOK);
        self.timer.replace(Some(timer));
        Ok(())
    }

    /// Ends all that goes on, and lets another process look at the file.
    pub(crate) fn end(&self) {
        self.timer.take();
        self.resign();
    }

    fn resign(&self) {
        let Some(duty) = self.duty.take() else {
            return;
        };
        let ticket = duty.ticket;
        // Its thread has ended when this returns.
        drop(duty);
        self.list.memory().look(|words| {
            if let Some(zone) = Zone::attach(words) {
                zone.resume(ticket).release();
            }
        });
    }

    fn take_lease<'m>(&self, zone: Zone<'m>, is_alive: impl FnOnce(u32) -> bool) -> Option<Lease<'m>> {
        let seconds = (3 * self.list.said().check).div_ceil(1000).max(LEAST_LEASE);
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        zone.take_lease(process::id(), process::monotonic_seconds(), seconds, is_alive)
    }

    /// Does what is to be done, and returns the milliseconds until the next time.
    fn advance(&self, zone: Zone<'_>) -> usize {
        let check = self.list.said().check;
        let mut kept = self.duty.borrow_mut();
        let duty = match &mut *kept {
            Some(duty) => duty,
            none => {
                let Some(lease) = self.take_lease(zone, process::is_alive) else {
                    return check;
                };
                none.insert(Duty::new(&lease, zone.last_read()))
            }
        };
        let mut lease = zone.resume(duty.ticket);
        if lease.renew(process::monotonic_seconds()).is_err() {
            *kept = None;
            return check;
        }
        duty.ticket = lease.ticket();
        if let Some(job) = &mut duty.job {
            let wait = job.wait();
            let Some(read) = job.poll() else {
                return wait;
            };
            duty.job = None;
            self.take_up(duty, zone, &lease, read);
            return check;
        }
        let found = file::look_at(self.list.path());
        if duty.watch.look(found, seconds_now().try_into().unwrap_or(i64::MAX)) == Look::Read {
            match self.read(&lease) {
                Ok(job) => {
                    let wait = job.wait();
                    duty.job = Some(job);
                    return wait;
                }
                Err(refusal) => self.refuse(&lease, Sighting::Gone, &refusal),
            }
        }
        check
    }

    /// Begins to read the file.
    fn read(&self, lease: &Lease<'_>) -> Result<Job, Refusal> {
        let file = file::open(self.list.path()).map_err(Refusal::Unreadable)?;
        let format = self.list.format();
        // SAFETY: in a worker, a thread uses the memory, which ends with it (invariant 7): `end` drops the job. Otherwise
        // `poll` does, which is called within `look`.
        let Some(zone) = (unsafe { self.list.memory().lend() }).and_then(Zone::attach) else {
            return Err(Refusal::Unreadable(std::io::Error::other(
                "the memory of the list is gone",
            )));
        };
        let builder: Builder<'static> = zone.resume(lease.ticket()).builder();
        let reading = Reading::new(builder, file, format);
        match process::role() {
            Role::Worker => Job::in_thread(reading).map_err(Refusal::Unreadable),
            Role::Single | Role::Other => Ok(Job::Pieces(Box::new(reading))),
        }
    }

    /// Serves what was read, or says why not.
    fn take_up(&self, duty: &mut Duty, zone: Zone<'_>, lease: &Lease<'_>, FileRead { seen, outcome }: FileRead) {
        let now = seconds_now().try_into().unwrap_or(i64::MAX);
        match outcome {
            Outcome::Built(prepared) => {
                if zone.publish(prepared) {
                    duty.watch.was_read(seen, now);
                    lease.note(seen, None);
                    self.log_served(zone);
                }
            }
            Outcome::Unchanged => {
                duty.watch.was_read(seen, now);
                lease.note(seen, None);
                let name = &self.list.said().name;
                self.log(
                    NGX_LOG_INFO,
                    &format!("cors_origin_list \"{name}\": read again, and nothing has changed"),
                );
            }
            Outcome::Refused(refusal @ Refusal::Unreadable(_)) => self.refuse(lease, Sighting::Gone, &refusal),
            Outcome::Refused(refusal) => {
                duty.watch.was_read(seen, now);
                self.refuse(lease, seen, &refusal);
            }
            Outcome::Abandoned => {}
        }
    }

    fn log_served(&self, zone: Zone<'_>) {
        let Some(served) = zone.status().served else {
            return;
        };
        let name = &self.list.said().name;
        let (entries, generation) = (told::entries(served.entries), served.generation);
        let nobody = if served.entries == 0 {
            ", it is a list of nobody"
        } else {
            ""
        };
        self.log(
            NGX_LOG_NOTICE,
            &format!("cors_origin_list \"{name}\": {entries}, generation {generation}{nobody}"),
        );
        for text in self.list.ignored(&served.risky) {
            self.log(NGX_LOG_WARN, &format!("cors_origin_list \"{name}\": {text}"));
        }
    }

    /// Takes note of why the file cannot be served, and logs it, if no process has done so for this version.
    fn refuse(&self, lease: &Lease<'_>, seen: Sighting, refusal: &Refusal) {
        let said = self.list.said();
        let failure = Failure {
            at: seconds_now(),
            text: refusal.text(&said.file, said.size),
        };
        if !lease.note(seen, Some(&failure)) {
            return;
        }
        let name = &said.name;
        for line in refusal.lines(&said.file, said.size) {
            self.log(
                NGX_LOG_ERR,
                &format!("cors_origin_list \"{name}\": the list stays as it was: {line}"),
            );
        }
    }

    fn log(&self, level: u32, text: &str) {
        if let Some(timer) = &*self.timer.borrow() {
            ngx_log_error!(level, timer.log(), "{}", text);
        }
    }
}

impl OnTimer for Follower {
    fn on_timer(&self) {
        if process::is_finishing() {
            return self.resign();
        }
        let advanced = self
            .list
            .memory()
            .look(|words| Zone::attach(words).map(|zone| self.advance(zone)));
        match (advanced, &*self.timer.borrow()) {
            (Some(wait), Some(timer)) => timer.start(wait.unwrap_or(self.list.said().check)),
            // Another configuration is in force.
            _ => drop(self.duty.take()),
        }
    }
}

impl Duty {
    fn new(lease: &Lease<'_>, last_read: Option<Sighting>) -> Self {
        Self {
            ticket: lease.ticket(),
            watch: Watch::new(last_read),
            job: None,
        }
    }
}

impl Job {
    fn in_thread(mut reading: Reading<'static>) -> std::io::Result<Self> {
        let is_to_end = Arc::new(AtomicBool::new(false));
        let told_to_end = is_to_end.clone();
        let thread = process::spawn_without_signals(move || loop {
            if let Some(read) = reading.step() {
                return read;
            }
            if told_to_end.load(Ordering::Relaxed) {
                return reading.abandon();
            }
        })?;
        Ok(Self::Thread {
            thread: Some(thread),
            is_to_end,
        })
    }

    /// The milliseconds until it is to be polled.
    fn wait(&self) -> usize {
        match self {
            Self::Thread { .. } => WAIT_FOR_THREAD,
            Self::Pieces(_) => WAIT_FOR_PIECE,
        }
    }

    /// What came of it, once there is something.
    fn poll(&mut self) -> Option<FileRead> {
        match self {
            Self::Pieces(reading) => reading.step(),
            Self::Thread { thread, .. } => {
                if !thread.as_ref()?.is_finished() {
                    return None;
                }
                Some(thread.take()?.join().unwrap_or_else(|payload| {
                    discard(payload);
                    FileRead::of_panic()
                }))
            }
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Self::Thread { thread, is_to_end } = self {
            is_to_end.store(true, Ordering::Relaxed);
            if let Some(Err(payload)) = thread.take().map(JoinHandle::join) {
                discard(payload);
            }
        }
    }
}
