//! A configuration as nginx reads it: words, directives and blocks, with the files that `include` names.

mod include;
mod parse;
mod source;
mod tree;
mod words;

pub use include::{read, read_with, Configuration, Limits, Skipped};
pub use source::{Sources, Span};
pub use tree::{Comment, Directive, Word};
