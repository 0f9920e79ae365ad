//! What an audit has found, in the form that was asked for.

mod audited;
pub mod json;
pub mod sarif;
pub mod text;

pub use self::audited::Audited;
