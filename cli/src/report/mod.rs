//! What was found, in the form that was asked for.

mod audit;
mod json;
mod linted;
mod sarif;
mod text;

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;
use serde_sarif::sarif::Sarif;

pub use self::audit::Audited;
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

/// Prints what lint has found.
pub fn print(linted: &[Linted], denied: &[&'static Fault], format: Format) -> io::Result<()> {
    write(
        format,
        |has_colours| text::rendered(linted, denied, has_colours),
        || json::report(linted, denied),
        || sarif::report(linted, denied),
    )
}

/// Prints what an audit has found.
pub fn print_audit(audited: &Audited, format: Format) -> io::Result<()> {
    write(
        format,
        |has_colours| audit::text::rendered(audited, has_colours),
        || audit::json::report(audited),
        || audit::sarif::report(audited),
    )
}

/// Writes one of the forms. Only a terminal gets colours.
fn write<J: Serialize>(
    format: Format,
    text: impl FnOnce(bool) -> String,
    json: impl FnOnce() -> J,
    sarif: impl FnOnce() -> Sarif,
) -> io::Result<()> {
    let stdout = io::stdout();
    let has_colours = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut out = stdout.lock();
    match format {
        Format::Text => out.write_all(text(has_colours).as_bytes())?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &json())?;
            writeln!(out)?;
        }
        Format::Sarif => {
            serde_json::to_writer_pretty(&mut out, &sarif())?;
            writeln!(out)?;
        }
    }
    out.flush()
}
