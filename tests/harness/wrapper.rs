//! A tool that watches nginx, such as valgrind, or one that was built into it, such as AddressSanitizer.
//!
//! `CORS_TEST_WRAPPER` is the command line in front of nginx's own: the tool's, or that of `env` with its options.
//! `{reports}` in it stands for the start of the names of files that the tool writes; a test fails if there is anything
//! in one of them.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

const VARIABLE: &str = "CORS_TEST_WRAPPER";
const REPORTS: &str = "report.";

pub fn is_set() -> bool {
    env::var_os(VARIABLE).is_some()
}

/// A command that runs `program`, watched if someone is to watch.
pub(crate) fn command(program: &Path, logs: &Path) -> Command {
    let line = env::var(VARIABLE).unwrap_or_default();
    let reports = logs.join(REPORTS);
    let mut words = line
        .split_whitespace()
        .map(|word| OsString::from(word.replace("{reports}", &reports.to_string_lossy())))
        .chain([program.into()]);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

/// What the tool has to say.
pub(crate) fn report(logs: &Path) -> Option<String> {
    let entries = fs::read_dir(logs).ok()?.flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(REPORTS))
        .filter_map(|entry| fs::read_to_string(entry.path()).ok())
        .find(|report| !report.trim().is_empty())
}
