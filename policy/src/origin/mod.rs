//! Origins: what browsers send, what operators list, and whether the one is in the other.

mod allowed;
mod exact;
mod pattern;
mod regex;
mod risk;
mod serialized;
mod set;
mod suffixes;

pub(crate) use allowed::AllowedOrigin;
pub(crate) use risk::{risks, Risk};
pub(crate) use serialized::{default_port, is_insecure, is_origin, SerializedOrigin};
pub(crate) use set::OriginSet;
pub(crate) use suffixes::Shared;
pub use suffixes::PUBLIC_SUFFIX_LIST_DATE;
