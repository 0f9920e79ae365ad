//! The checks: a table, and a file for each family with the functions that look.

mod access;
mod caches;
mod check;
mod origins;
mod other_answers;
mod preflights;
mod table;
mod values;

pub use self::check::{Check, Seen, Verdict};
pub use self::table::{find, ALL};
