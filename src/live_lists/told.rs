//! What is told of a list, in the words of the log.

use core::fmt::Display;
use std::io;

use cors_lists::{RiskyEntries, TooLarge};
use cors_policy::{ListRisks, Position};

use super::reading::Refusal;

/// A directive that names a list, with the entries that its policies ignore.
#[derive(PartialEq, Eq)]
pub(super) struct Ignoring {
    /// The name of the directive.
    pub(super) directive: &'static str,
    pub(super) at: Position,
    pub(super) ignored: ListRisks,
}

impl Ignoring {
    /// What there is to say of a list with these entries: one text for each option of `cors_unsafe` that is missing.
    pub(super) fn texts<'t>(
        &'t self,
        risky: &'t RiskyEntries,
        name: &'t str,
        file: &'t str,
    ) -> impl Iterator<Item = String> + 't {
        risky.iter(self.ignored).map(move |(risk, count, line)| {
            let place = if count == 1 { "in" } else { "the first in" };
            let credentials = if risk.is_of_credentials() { "with credentials " } else { "" };
            format!(
                "\"{}\" ignores {} of the list \"{name}\", {place} {file}:{line}: {credentials}it needs \"cors_unsafe {}\"; write that beside it, or change the file",
                self.directive,
                entries(count),
                risk.option(),
            )
        })
    }
}

/// The number of wrong entries that are not told one by one.
pub(super) fn more_wrong(more: u64, file: &str) -> String {
    format!("further faults in {file}: {more}")
}

/// A number of entries.
pub(super) fn entries(count: u64) -> String {
    match count {
        1 => "1 entry".to_owned(),
        _ => format!("{count} entries"),
    }
}

/// Why a file could not be read.
pub(super) fn unreadable(file: impl Display, error: &io::Error) -> String {
    format!("{file} cannot be read: {error}")
}

/// Why a file has no room.
pub(super) fn too_large(file: impl Display, size: usize, TooLarge { needed }: TooLarge) -> String {
    format!(
        "{file} does not fit into {}; write \"size={}\" or more",
        in_units(size),
        in_units(size_for(needed)),
    )
}

/// The size of a zone that has room for so many bytes, and for what nginx puts before them: whole megabytes.
pub(super) fn size_for(bytes: usize) -> usize {
    const PAGE: usize = 4096;
    const MEGABYTE: usize = 1 << 20;
    let with_pages = bytes.saturating_add(bytes / 128 + 2 * PAGE);
    with_pages.checked_next_multiple_of(MEGABYTE).unwrap_or(with_pages)
}

/// A size as it is written in a configuration.
pub(super) fn in_units(bytes: usize) -> String {
    const KILO: usize = 1 << 10;
    const MEGA: usize = 1 << 20;
    match bytes {
        _ if bytes % MEGA == 0 => format!("{}m", bytes / MEGA),
        _ if bytes % KILO == 0 => format!("{}k", bytes / KILO),
        _ => bytes.to_string(),
    }
}

impl Refusal {
    /// All of it on one line, for the figures.
    pub(super) fn text(&self, file: &str, size: usize) -> String {
        match self {
            Self::Faults(faults) => format!("{file}: {faults}"),
            Self::TooLarge(needed) => too_large(file, size, *needed),
            Self::Unreadable(error) => unreadable(file, error),
        }
    }

    /// A line of the log for each thing that is wrong, and one for the number of those that are not told.
    pub(super) fn lines(&self, file: &str, size: usize) -> Vec<String> {
        let Self::Faults(faults) = self else {
            return vec![self.text(file, size)];
        };
        let first = faults
            .first
            .iter()
            .map(|fault| format!("{} in {file}:{}", fault.text, fault.line));
        let more = (faults.more > 0).then(|| more_wrong(faults.more, file));
        first.chain(more).collect()
    }
}
