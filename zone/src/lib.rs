//! Counts what the policies decide, in memory that several processes share, and shows it.
//!
//! The memory is a slice of [`AtomicU64`](std::sync::atomic::AtomicU64), which outlives the processes that write to
//! it. There is no lock: a process may be killed at any instruction and leaves nothing that another would wait for.
//! What was counted stays counted, and what was half written is known for that and written over.
//!
//! This crate knows no server and has no unsafe code. Whoever uses it maps the memory.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod accept;
mod cause;
mod cell;
mod counters;
mod denied;
mod history;
mod layout;
pub mod page;
mod prometheus;
mod query;
mod report;
mod zone;

pub use accept::Format;
pub use cause::Cause;
pub use counters::{Counted, Effect, Kind, Totals};
pub use denied::{DeniedOrigin, Listed};
pub use history::{History, STEP};
pub use layout::words_for;
pub use query::{Query, Try};
pub use report::{tried, Named, Report};
pub use zone::{Counter, Tally, Zone};
