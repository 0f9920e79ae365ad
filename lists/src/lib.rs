//! Lists of origins that change while a server runs (`cors_origin_list`).
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
pub use check::{Check, Fault, Faults};
pub use checked::{Checked, Digest, RiskyEntries};
pub use failure::Failure;
pub use half::Served;
pub use seeds::SECRET_WORDS;
pub use watch::{Look, Sighting, Version, Watch};
pub use words::Format;
pub use zone::{Lease, LeaseLost, Status, Zone};
