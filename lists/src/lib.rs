//! Lists of origins that change while a server runs (`cors_origin_list`): read from a file, kept in memory that several
//! processes share, replaced as a whole.
//!
//! The memory is a slice of [`AtomicU64`](std::sync::atomic::AtomicU64). There is no lock: a process may be killed at any
//! instruction, and leaves nothing that another would wait for. This crate knows no server, does no input or output, and
//! has no unsafe code. Whoever uses it maps the memory, looks at the file and reads it.
//!
//! # How a list is replaced
//!
//! The memory holds two halves. One is served, and the other is free.
//!
//! 1. One process holds the [`Lease`]. It looks at the file from time to time and is told by its [`Watch`] when to read it.
//! 2. It reads the file once to [`Check`] it. Where anything is wrong nothing changes, and it [notes](Lease::note) why. Where
//!    the file is still the one that is served ([`Lease::is_unchanged`]) nothing changes, either.
//! 3. It reads the file a second time, and [builds](Lease::build) a list of it in the free half. Now it is known how many
//!    entries there are, so that the table is as large as they need; nothing but the table is kept of them.
//! 4. It [publishes](Zone::publish) the half. From then on all processes look there.
//!
//! A process that [looks up](Zone::admits) an origin reads which half is served, looks, and reads again whether that is still
//! so: a half is written only while the other is served. If it is not, it looks again, four times at most. Each time a list
//! must have been published within the few hundred instructions of a look-up; a process for which that happens four times in
//! a row was stopped each time, and the answer that it gives then is no.
//!
//! A process that was stopped while it built, until its lease was out and another took over, may wake up and write into a half
//! that is served by now. It looks every 64 KiB of the file whether it may go on, so it writes little. And nothing that it
//! writes is an entry for those who look up: each build stores its entries under a mask of its own, which is made of a secret
//! and of the number of the build (see `seeds`). An entry of the list that is served may be missing then until the list is
//! built anew; a stranger is never let in.
//!
//! # How a server uses it
//!
//! What the server keeps between two looks is in parentheses.
//!
//! | when | what |
//! |---|---|
//! | it reads the configuration | It asks for memory under a name that is made of the list's name, the file, the text of `key=` and the size. A configuration that changes one of them then gets memory of its own, and never shares a list with one that is still in force. |
//! | the memory is mapped | [`Zone::attach`], or [`Zone::format`] with secrets of the system's random generator. Then it reads the file: [`Check`]. What is wrong in it is an error of the configuration. |
//! | …and no list is served | It takes the lease, builds and publishes: no request is served without a list. |
//! | …and another list is served | The running configuration uses it, and this one may yet fail. It takes the lease from whoever has it (`is_alive` says no), for five seconds, and builds, but keeps the [`Prepared`] list. The first process of the new configuration publishes it; if the configuration fails, no one does, and the next build uses the half. If [`Lease::is_unchanged`], there is nothing to do. |
//! | every `check`, in each process | Without a lease: [`Zone::take_lease`] for three times `check`, ten seconds at least, with the time of `CLOCK_MONOTONIC`, and for `is_alive` whether `kill(pid, 0)` says anything but `ESRCH`; whoever gets it begins a (`Watch`) with [`Zone::last_read`]. With the ([`LeaseTicket`]): [`Zone::resume`], [`Lease::renew`], `stat` of the path, [`Watch::look`]. |
//! | [`Look::Read`] | Opens the file, keeps what `fstat` says, reads it through [`Check`], rewinds, reads it through [`Build`], and asks `fstat` again. If that is as before: [`Lease::note`] with it, and [`Watch::was_read`]. If it could not be opened or read: [`Lease::note`] with [`Sighting::Gone`] and the failure, and no `was_read`, so that the next look tries again. |
//! | [`Lease::note`] says true, and there is a failure | It logs it. The same failure of the same version is not logged again, whichever process meets it. |
//! | a request | [`Zone::admits`], with the value of `key=` and what `cors_unsafe` of the policy does not permit. |
//! | a list of another [`generation`](Served::generation) is served | Each policy that ignores some of [`Served::risky`] says so once. |
//! | a process ends its service | [`Lease::release`]. |
//!
//! [`Check`] and [`Build`] take pieces of any size and are [`Send`]: they can be fed by a timer, a few milliseconds each time
//! (64 KiB take about half a millisecond), or by a thread, which gets a [`Builder`] of the lease. The lease is renewed by
//! the timer meanwhile.
//!
//! # What was compared
//!
//! Figures are in README.md of this crate.
//!
//! # Storeys
//!
//! Imports only go down.
//!
//! | storey | files |
//! |---|---|
//! | the zone: opened, asked, leased, shown | `zone` |
//! | where its parts lie | `layout` |
//! | reading a file: the first time, the second time | `check`; `build` |
//! | a list: its half of the memory | `half` |
//! | what is known of a file; entries and their texts | `checked`; `entry` |
//! | their table | `table`, above `record` |
//! | what they are made of | `words`; `seeds`, above `control`; `lease`; `watch`; `failure`; `sync` |
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod build;
mod check;
mod checked;
mod control;
mod entry;
mod failure;
mod half;
mod layout;
mod lease;
mod record;
mod seeds;
mod sync;
mod table;
mod watch;
mod words;
mod zone;

pub use build::{Build, BuildError, Prepared, TooLarge};
pub use check::{Check, Fault, Faults, Listener};
pub use checked::{Checked, Digest, RiskyEntries};
pub use failure::Failure;
pub use half::Served;
pub use layout::memory_for;
pub use seeds::SECRET_WORDS;
pub use watch::{Look, Sighting, Version, Watch};
pub use words::Format;
pub use zone::{Builder, Lease, LeaseLost, LeaseTicket, Status, Zone};
