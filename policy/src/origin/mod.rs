//! Origins: what browsers send, what operators list, and whether the one is in the other.

mod allowed;
mod entry;
mod error;
mod exact;
mod label_patterns;
mod listed;
mod pattern;
mod pattern_set;
mod regex;
mod risk;
mod serialized;
mod set;
mod shapes;
mod suffixes;
mod written;

pub(crate) use allowed::AllowedOrigin;
pub(crate) use entry::{EntryMatch, Matched};
pub use listed::{ListEntry, ListEntryError, ListRisks};
pub use regex::{SearchedRegex, SearchedRegexError};
pub(crate) use risk::{risks, Risk};
pub(crate) use serialized::{default_port, is_insecure, is_origin, stands_for_no_site, SerializedOrigin};
pub(crate) use set::OriginSet;
pub use shapes::{PatternShapes, Pieces};
pub(crate) use suffixes::Shared;
pub use suffixes::PUBLIC_SUFFIX_LIST_DATE;
