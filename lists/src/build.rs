//! Fills the half that is not served with a file that was checked: the second of the two times that it is read.

use core::fmt;

use cors_policy::ListEntry;
use sha2::{Digest as _, Sha256};

use crate::checked::{Checked, Digest};
use crate::control::{Control, Stamp, Written};
use crate::entry;
use crate::half::Half;
use crate::seeds::Seeds;
use crate::table::Filling;
use crate::words::{Word, WordKind, Words};

/// After so many bytes it is looked whether another build has taken over.
const PIECE: usize = 64 * 1024;

/// The entries do not fit into the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The size of memory in which they would, in bytes.
    pub needed: usize,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its entries need {} bytes of shared memory", self.needed)
    }
}

impl std::error::Error for TooLarge {}

/// Why a build came to nothing. What was served still is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// The file is no longer what was checked.
    Changed,
    /// Another process builds, or has built.
    Overtaken,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "it changed while it was read",
            Self::Overtaken => "another process has read it meanwhile",
        })
    }
}

impl std::error::Error for BuildError {}

/// A list that is complete, and not served yet. It stays so until it is published, or another build begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    pub(crate) stamp: Stamp,
}

/// A list that is being built from a file, which is given in pieces of any size.
pub struct Build<'m> {
    control: Control<'m>,
    half: Half<'m>,
    pub(crate) stamp: Stamp,
    generation: u64,
    checked: Checked,
    words: Words,
    digest: Sha256,
    filling: Filling<'m>,
    is_changed: bool,
}

impl<'m> Build<'m> {
    /// Begins a build, which ends those that have begun before, in the half that is not served.
    pub(crate) fn begin(
        control: Control<'m>,
        half_of: impl FnOnce(usize) -> Option<Half<'m>>,
        checked: Checked,
        seeds_of: impl FnOnce(Stamp) -> Seeds,
        generation: u64,
    ) -> Option<Self> {
        let Written { half, stamp } = control.begin();
        let (half, seeds) = (half_of(half)?, seeds_of(stamp));
        let size = checked.size(half.room())?;
        half.describe(&checked, size.buckets);
        Some(Self {
            control,
            filling: Filling::new(half.words(), size, checked.entries, seeds)?,
            half,
            stamp,
            generation,
            words: Words::new(checked.format),
            checked,
            digest: Sha256::new(),
            is_changed: false,
        })
    }

    /// Reads the next piece.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), BuildError> {
        for piece in bytes.chunks(PIECE) {
            self.go_on()?;
            self.digest.update(piece);
            let Self {
                words,
                filling,
                is_changed,
                ..
            } = self;
            words.feed(piece, &mut |word| *is_changed |= !insert(filling, word));
        }
        self.go_on()
    }

    fn go_on(&self) -> Result<(), BuildError> {
        if !self.control.is_writing(self.stamp) {
            return Err(BuildError::Overtaken);
        }
        if self.is_changed {
            return Err(BuildError::Changed);
        }
        Ok(())
    }

    /// Completes the list, all of which was read at `now`, in seconds since 1970.
    pub fn finish(self, now: u64) -> Result<Prepared, BuildError> {
        self.go_on()?;
        let Self {
            control,
            half,
            stamp,
            generation,
            checked,
            words,
            digest,
            mut filling,
            ..
        } = self;
        let mut is_changed = Digest(digest.finalize().into()) != checked.digest;
        words.finish(&mut |word| is_changed |= !insert(&mut filling, word));
        if !control.is_writing(stamp) {
            return Err(BuildError::Overtaken);
        }
        if is_changed {
            return Err(BuildError::Changed);
        }
        half.complete(filling.entries() as u64, generation, now);
        Ok(Prepared { stamp })
    }
}

/// Puts an entry into the table; false if it cannot be one of the file that was checked.
fn insert(filling: &mut Filling<'_>, word: Word<'_>) -> bool {
    match word.kind {
        WordKind::Key(_) => true,
        WordKind::TooLong(_) => false,
        WordKind::Entry { key, text } => core::str::from_utf8(text)
            .ok()
            .and_then(|value| ListEntry::read(value).ok())
            .is_some_and(|entry| entry::insert(filling, key, &entry).is_ok()),
    }
}
