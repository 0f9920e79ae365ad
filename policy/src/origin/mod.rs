//! Origins: what browsers send, what operators list, and whether the one is in the other.

mod allowed;
mod exact;
mod pattern;
mod serialized;
mod set;

pub(crate) use allowed::AllowedOrigin;
pub(crate) use serialized::{default_port, SerializedOrigin};
pub(crate) use set::OriginSet;
