//! Origins: what browsers send, what operators list, and whether the one is in the other.

mod allowed;
mod exact;
mod listed;
mod pattern;
mod regex;
mod risk;
mod serialized;
mod set;
mod shapes;
mod suffixes;

pub(crate) use allowed::AllowedOrigin;
pub use listed::{ListEntry, ListEntryError, ListRisks};
pub(crate) use risk::{risks, Risk};
pub(crate) use serialized::{default_port, is_insecure, is_origin, SerializedOrigin};
pub(crate) use set::OriginSet;
pub use shapes::{PatternShapes, Pieces};
pub(crate) use suffixes::Shared;
pub use suffixes::PUBLIC_SUFFIX_LIST_DATE;
