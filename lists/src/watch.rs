//! Whether a file is to be read, by what `stat` says of it from time to time.
//!
//! A file is read once it has changed and then stayed the same until the next look: it may be written in place, and then
//! half of it is there for a while. One that is replaced all the time, by renaming others to its name, is read even so:
//! each of these is whole.

use core::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use crate::sync::{AtomicU64, Ordering};

/// What `stat` says of the file that a path leads to, symbolic links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// There is none, or it cannot be looked at.
    Gone,
    /// There is one.
    File(Version),
}

/// What tells a version of a file from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The device that the file is on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Its size in bytes.
    pub size: u64,
    /// When it was modified, in seconds since 1970.
    pub seconds: i64,
    /// The nanoseconds beyond; 0 on a file system that has none.
    pub nanoseconds: u32,
}

impl Version {
    fn is_file_of(self, other: Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// What to do after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing: the file is the one that was read last.
    Unchanged,
    /// Nothing yet: the file has changed since the last look.
    Wait,
    /// Read the file. Its digest tells whether anything in it has changed.
    Read,
}

/// After so many looks in a row that find another file of the name, the last is read.
const PATIENCE: u32 = 2;

/// Two seconds is the coarsest time of modification that a file system in use has. A file that was read sooner after it
/// was modified may be modified again without any sign.
const COARSEST: i64 = 2;

/// Looks at a file from time to time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch {
    /// What was read last, whatever came of it.
    known: Option<Sighting>,
    /// When that was, unless it is sure that the file has not been modified in the same moment.
    doubted_since: Option<i64>,
    /// What the last look found, where that was no longer what is known.
    changed: Option<Sighting>,
    replaced: u32,
}

impl Watch {
    /// Begins with what another process has read last, if any did.
    pub fn new(known: Option<Sighting>) -> Self {
        Self {
            known,
            ..Self::default()
        }
    }

    /// What to do, given what there is `now`, in seconds since 1970.
    pub fn look(&mut self, found: Sighting, now: i64) -> Look {
        if self.known == Some(found) {
            self.changed = None;
            self.replaced = 0;
            return match (found, self.doubted_since) {
                (Sighting::File(version), Some(_)) if now > version.seconds.saturating_add(COARSEST) => Look::Read,
                _ => Look::Unchanged,
            };
        }
        match (self.changed.replace(found), found) {
            (Some(before), _) if before == found => return Look::Read,
            (Some(Sighting::File(before)), Sighting::File(file)) if !file.is_file_of(before) => self.replaced += 1,
            _ => self.replaced = 0,
        }
        if self.replaced < PATIENCE {
            return Look::Wait;
        }
        Look::Read
    }

    /// The file was read at `now`, and was this one before and after that. It is read again when it changes, even if it
    /// could not be served.
    ///
    /// Where it could not be read at all, nothing need be said: the next look tells to read it again.
    pub fn was_read(&mut self, file: Sighting, now: i64) {
        let is_doubted = match file {
            Sighting::File(version) => version.nanoseconds == 0 && now <= version.seconds.saturating_add(COARSEST),
            Sighting::Gone => false,
        };
        *self = Self {
            known: Some(file),
            doubted_since: is_doubted.then_some(now),
            changed: None,
            replaced: 0,
        };
    }
}

/// The words of a sighting: a checksum and what it is over.
pub(crate) const WORDS: usize = 6;

/// What was read last, in memory that processes share.
#[derive(Clone, Copy)]
pub(crate) struct SeenCell<'m>(pub(crate) &'m [AtomicU64; WORDS]);

impl SeenCell<'_> {
    pub(crate) fn write(self, seen: Sighting) {
        let values = match seen {
            Sighting::Gone => [0; WORDS - 1],
            Sighting::File(version) => [
                version.device,
                version.inode,
                version.size,
                version.seconds as u64,
                u64::from(version.nanoseconds),
            ],
        };
        let [check, words @ ..] = self.0;
        for (word, value) in words.iter().zip(values) {
            word.store(value, Ordering::Relaxed);
        }
        check.store(checksum(values), Ordering::Release);
    }

    /// `None` if nothing was read, or its reader was killed while it wrote this.
    pub(crate) fn read(self) -> Option<Sighting> {
        let [check, words @ ..] = self.0;
        let check = check.load(Ordering::Acquire);
        let values = words.each_ref().map(|word| word.load(Ordering::Relaxed));
        if checksum(values) != check {
            return None;
        }
        if values == [0; WORDS - 1] {
            return Some(Sighting::Gone);
        }
        let [device, inode, size, seconds, nanoseconds] = values;
        Some(Sighting::File(Version {
            device,
            inode,
            size,
            seconds: seconds as i64,
            nanoseconds: u32::try_from(nanoseconds).ok()?,
        }))
    }
}

/// Never 0, as in memory in which nothing was written.
fn checksum(values: [u64; WORDS - 1]) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    values.iter().for_each(|value| hasher.write_u64(*value));
    hasher.finish().max(1)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn version(inode: u64, nanoseconds: u32) -> Version {
        Version {
            device: 1,
            inode,
            size: 100,
            seconds: NOW - 100,
            nanoseconds,
        }
    }

    fn file(inode: u64, nanoseconds: u32) -> Sighting {
        Sighting::File(version(inode, nanoseconds))
    }

    fn watch() -> Watch {
        Watch::new(Some(file(1, 1)))
    }

    #[test]
    fn a_file_that_is_the_one_that_was_read_is_not_read_again() {
        let mut watch = watch();
        for _ in 0..3 {
            assert_eq!(watch.look(file(1, 1), NOW), Look::Unchanged);
        }
    }

    #[test]
    fn a_file_is_read_when_it_has_changed_and_then_stayed_the_same_for_a_look() {
        let same = version(1, 1);
        for changed in [
            file(2, 1),
            file(1, 2),
            Sighting::File(Version { size: 101, ..same }),
            Sighting::File(Version { seconds: NOW, ..same }),
            Sighting::File(Version { device: 2, ..same }),
        ] {
            let mut watch = watch();
            assert_eq!(watch.look(changed, NOW), Look::Wait, "{changed:?}");
            assert_eq!(watch.look(changed, NOW), Look::Read, "{changed:?}");
            watch.was_read(changed, NOW);
            assert_eq!(watch.look(changed, NOW), Look::Unchanged, "{changed:?}");
        }
    }

    #[test]
    fn a_file_that_is_written_in_place_is_waited_for() {
        let mut watch = watch();
        for nanoseconds in 2..10 {
            assert_eq!(watch.look(file(1, nanoseconds), NOW), Look::Wait);
        }
        assert_eq!(watch.look(file(1, 9), NOW), Look::Read);
    }

    #[test]
    fn a_file_that_is_replaced_at_every_look_is_read_even_so() {
        let mut watch = watch();
        let mut reads = 0;
        for inode in 2..20 {
            if watch.look(file(inode, 1), NOW) == Look::Read {
                watch.was_read(file(inode, 1), NOW);
                reads += 1;
            }
        }
        assert_eq!(reads, 6);
    }

    #[test]
    fn a_file_that_comes_back_as_it_was_is_not_read_again() {
        let mut watch = watch();
        assert_eq!(watch.look(Sighting::Gone, NOW), Look::Wait);
        assert_eq!(watch.look(file(1, 1), NOW), Look::Unchanged);
        assert_eq!(watch.look(Sighting::Gone, NOW), Look::Wait);
        assert_eq!(watch.look(Sighting::Gone, NOW), Look::Read);
    }

    #[test]
    fn a_file_that_could_not_be_read_is_tried_again_at_every_look() {
        let mut watch = watch();
        assert_eq!(watch.look(file(2, 1), NOW), Look::Wait);
        for _ in 0..3 {
            assert_eq!(watch.look(file(2, 1), NOW), Look::Read);
        }
        watch.was_read(file(2, 1), NOW);
        assert_eq!(watch.look(file(2, 1), NOW), Look::Unchanged);
    }

    #[test]
    fn without_nanoseconds_a_file_is_read_once_more_when_its_second_is_over() {
        let coarse = Sighting::File(Version {
            seconds: NOW,
            ..version(1, 0)
        });
        let mut watch = watch();
        watch.was_read(coarse, NOW + 1);
        assert_eq!(watch.look(coarse, NOW + 2), Look::Unchanged);
        assert_eq!(watch.look(coarse, NOW + 3), Look::Read);
        watch.was_read(coarse, NOW + 3);
        assert_eq!(watch.look(coarse, NOW + 4), Look::Unchanged);
        // One that was modified long before it was read is not.
        watch.was_read(file(1, 0), NOW);
        assert_eq!(watch.look(file(1, 0), NOW + 10), Look::Unchanged);
    }

    #[test]
    fn the_first_look_of_all_waits_as_well() {
        let mut watch = Watch::new(None);
        assert_eq!(watch.look(file(1, 1), NOW), Look::Wait);
        assert_eq!(watch.look(file(1, 1), NOW), Look::Read);
    }

    #[test]
    fn what_was_read_last_is_known_to_the_next_process() {
        let words = [const { AtomicU64::new(0) }; WORDS];
        let cell = SeenCell(&words);
        assert_eq!(cell.read(), None);
        for seen in [Sighting::Gone, file(7, 8)] {
            cell.write(seen);
            assert_eq!(cell.read(), Some(seen));
        }
        words[3].store(5, Ordering::Relaxed);
        assert_eq!(cell.read(), None);
    }
}
