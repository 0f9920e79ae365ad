//! What was found, in the form that was asked for.

mod json;
mod linted;
mod sarif;
mod text;

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;

pub use self::linted::Linted;
use crate::lint::Fault;

/// Who is to read the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, with the lines shown.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// Prints what was found. Only a terminal gets colours.
pub fn print(linted: &[Linted], denied: &[&'static Fault], format: Format) -> io::Result<()> {
    let stdout = io::stdout();
    let has_colours = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut out = stdout.lock();
    match format {
        Format::Text => out.write_all(text::rendered(linted, denied, has_colours).as_bytes())?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &json::report(linted, denied))?;
            writeln!(out)?;
        }
        Format::Sarif => {
            serde_json::to_writer_pretty(&mut out, &sarif::report(linted, denied))?;
            writeln!(out)?;
        }
    }
    out.flush()
}
