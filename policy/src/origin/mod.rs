//! Origins: what browsers send, what operators list, and whether the one is in the other.

mod allowed;
mod doubt;
mod exact;
mod pattern;
mod regex;
mod serialized;
mod set;

pub(crate) use allowed::AllowedOrigin;
pub(crate) use doubt::{doubts, Doubt};
pub(crate) use serialized::{default_port, is_insecure, is_origin, SerializedOrigin};
pub(crate) use set::OriginSet;
