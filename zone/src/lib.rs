//! Counts what the policies decide, in memory that several processes share, and shows it.
//!
//! The memory is a slice of [`AtomicU64`](std::sync::atomic::AtomicU64), which outlives the processes that write to
//! it. There is no lock: a process may be killed at any instruction and leaves nothing that another would wait for.
//! What was counted stays counted, and what was half written is recognised as such and written over.
//!
//! This crate knows no server and has no unsafe code. Whoever uses it maps the memory.
//!
//! # Storeys
//!
//! Imports only go down.
//!
//! | storey | files |
//! |---|---|
//! | how the figures are shown | `prometheus` and `page`, above `report`, above `curl` and `html`; all above `query`, above `accept` |
//! | the zone: opened, assigned, counted in, read | `zone` |
//! | where its parts lie | `layout` |
//! | its parts | `counters`, `history`, and `listed_origins` above `record` |
//! | what they are made of | `text_cell`, `cause`, `sync` |
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod accept;
mod cause;
mod counters;
mod curl;
mod history;
mod html;
mod layout;
mod listed_origins;
pub mod page;
mod prometheus;
mod query;
mod record;
mod report;
mod sync;
mod text_cell;
mod zone;

pub use accept::Format;
pub use cause::Cause;
pub use counters::{CandidateChange, Counted, Effect, RequestKind, Totals};
pub use curl::Listener;
pub use history::{History, STEP};
pub use layout::words_for;
pub use query::{Query, TryRequest};
pub use record::{ListedAs, ListedOrigin};
pub use report::{CountedLocation, FailedRead, List, Report, TriedRequest};
pub use zone::{Counter, Slot, Zone};
