//! What a command ends with.

use std::io;
use std::process::ExitCode;

use anyhow::{Error, Result};

/// What a command that could run has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is well: exit status 0.
    NothingFound,
    /// Something is wrong with what was looked at: exit status 1.
    Found,
}

/// The exit status: 0 nothing found, 1 found, 2 could not run. In the last case it says why.
pub fn exit_code(outcome: Result<Outcome>) -> ExitCode {
    match outcome {
        Ok(Outcome::NothingFound) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Err(error) => {
            if !is_closed_pipe(&error) {
                eprintln!("error: {error:#}");
            }
            ExitCode::from(2)
        }
    }
}

/// Whether the output went to a reader that had seen enough, such as `head`.
fn is_closed_pipe(error: &Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}
