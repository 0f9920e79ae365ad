//! Cross-origin resource sharing for nginx, as a dynamic module.
//!
//! This crate is the glue: it knows how nginx is talked to and holds all of the unsafe code. What the rules of CORS
//! are, it leaves to `cors-policy`.

mod access;
mod conf;
mod count;
mod disguise;
#[cfg(feature = "fault-injection")]
mod fault;
mod filter;
mod guard;
mod heap;
mod judgement;
mod list;
mod log;
mod module;
mod pool;
mod prepared;
mod request;
mod shim;
mod state;
mod status;
mod variables;
mod zone;
