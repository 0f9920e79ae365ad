//! Reads the file of a list, a piece at a time: once to check it, and once to build a list of it.
//!
//! Nothing here knows nginx: it is done in a thread of its own.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use cors_lists::{Build, BuildError, Builder, Check, Checked, Faults, Format, Prepared, Sighting, TooLarge};

use super::file::{look_at_open, seconds_now};

/// A piece of the file: it takes about half a millisecond.
const PIECE: usize = 64 * 1024;

/// A file that is being read.
pub(super) struct Reading<'m> {
    builder: Builder<'m>,
    file: File,
    /// What the file was when this began.
    seen: Sighting,
    buffer: Box<[u8]>,
    stage: Stage<'m>,
}

enum Stage<'m> {
    Checking(Box<Check>),
    Building(Box<Build<'m>>),
    Ended,
}

/// A file that was read.
pub(super) struct FileRead {
    /// What it was before and after that.
    pub(super) seen: Sighting,
    pub(super) outcome: Outcome,
}

impl FileRead {
    /// What a panic leaves.
    pub(super) fn of_panic() -> Self {
        let error = io::Error::other("an internal error");
        Self {
            seen: Sighting::Gone,
            outcome: Outcome::Refused(Refusal::Unreadable(error)),
        }
    }
}

/// What came of reading a file.
pub(super) enum Outcome {
    /// A list, which is not served yet.
    Built(Prepared),
    /// The list that is served is of this very file.
    Unchanged,
    /// The file cannot be served.
    Refused(Refusal),
    /// Nothing: the file changed meanwhile, another process has built a list, or the process ends.
    Abandoned,
}

/// Why a file cannot be served.
pub(super) enum Refusal {
    Faults(Faults),
    TooLarge(TooLarge),
    Unreadable(io::Error),
}

impl<'m> Reading<'m> {
    /// Begins with checking the file.
    pub(super) fn new(builder: Builder<'m>, file: File, format: Format) -> Self {
        Self {
            builder,
            seen: look_at_open(&file),
            file,
            buffer: vec![0; PIECE].into_boxed_slice(),
            stage: Stage::Checking(Box::new(Check::new(format))),
        }
    }

    /// Begins with building the list of a file that has been checked.
    pub(super) fn of_checked(builder: Builder<'m>, file: File, checked: Checked) -> Result<Self, TooLarge> {
        Ok(Self {
            builder,
            seen: look_at_open(&file),
            file,
            buffer: vec![0; PIECE].into_boxed_slice(),
            stage: Stage::Building(Box::new(builder.build(checked)?)),
        })
    }

    /// Reads the next piece. Something is returned at the end.
    pub(super) fn step(&mut self) -> Option<FileRead> {
        let piece = match self.file.read(&mut self.buffer) {
            Ok(length) => self.buffer.get(..length).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return None,
            Err(error) => return Some(self.end(Outcome::Refused(Refusal::Unreadable(error)))),
        };
        match &mut self.stage {
            _ if piece.is_empty() => return self.end_stage().map(|outcome| self.end(outcome)),
            Stage::Checking(check) => check.feed(piece),
            Stage::Building(build) => {
                if build.feed(piece).is_err() {
                    return Some(self.end(Outcome::Abandoned));
                }
            }
            Stage::Ended => {}
        }
        None
    }

    /// Ends before all of it has been read.
    pub(super) fn abandon(mut self) -> FileRead {
        self.end(Outcome::Abandoned)
    }

    /// Reads to the end.
    pub(super) fn finish(mut self) -> FileRead {
        loop {
            if let Some(read) = self.step() {
                return read;
            }
        }
    }

    /// Goes on to the next stage, or tells what came of the last one.
    fn end_stage(&mut self) -> Option<Outcome> {
        match core::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Checking(check) => {
                let checked = match check.finish() {
                    Ok(checked) => checked,
                    Err(faults) => return Some(Outcome::Refused(Refusal::Faults(faults))),
                };
                if self.builder.is_unchanged(checked.digest(), seconds_now()) {
                    return Some(Outcome::Unchanged);
                }
                if let Err(error) = self.file.rewind() {
                    return Some(Outcome::Refused(Refusal::Unreadable(error)));
                }
                match self.builder.build(checked) {
                    Ok(build) => self.stage = Stage::Building(Box::new(build)),
                    Err(too_large) => return Some(Outcome::Refused(Refusal::TooLarge(too_large))),
                }
                None
            }
            Stage::Building(build) => Some(match build.finish(seconds_now()) {
                Ok(prepared) => Outcome::Built(prepared),
                Err(BuildError::Changed | BuildError::Overtaken) => Outcome::Abandoned,
            }),
            Stage::Ended => Some(Outcome::Abandoned),
        }
    }

    fn end(&mut self, outcome: Outcome) -> FileRead {
        self.stage = Stage::Ended;
        let is_same = look_at_open(&self.file) == self.seen;
        let seen = self.seen;
        match outcome {
            Outcome::Refused(Refusal::Unreadable(_)) => FileRead { seen, outcome },
            // What was read may be half of one version and half of another.
            _ if !is_same => FileRead {
                seen,
                outcome: Outcome::Abandoned,
            },
            _ => FileRead { seen, outcome },
        }
    }
}
