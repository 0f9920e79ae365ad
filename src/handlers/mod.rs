//! What nginx calls for requests. Each handler finds the request's context, asks for the decision, and acts on it.

mod access;
mod denial;
mod header_filter;
mod install;
mod log;
mod preflight;
mod rewrite;
mod status;
mod variables;

pub(crate) use header_filter::install as install_header_filter;
pub(crate) use install::{end_process, install, start, start_process};
pub(crate) use status::answer_status;
