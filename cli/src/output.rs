//! The form of the output.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

/// Who is to read the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// Something that can be told in each form.
pub trait Report: Serialize {
    /// Writes the lines for people.
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()>;
}

/// Prints a report.
pub fn print(report: &impl Report, format: Format) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        Format::Text => report.write_text(&mut out)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, report)?;
            writeln!(out)?;
        }
    }
    out.flush()
}

/// A number with what it counts.
pub fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}
