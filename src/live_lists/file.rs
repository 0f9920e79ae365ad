//! What the system says of a file.

use std::fs::{metadata, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use cors_lists::{Sighting, Version};

/// The file to which the path leads, symbolic links followed.
pub(super) fn look_at(path: &Path) -> Sighting {
    metadata(path).map_or(Sighting::Gone, |found| version(&found))
}

/// The file that is open.
pub(super) fn look_at_open(file: &File) -> Sighting {
    file.metadata().map_or(Sighting::Gone, |found| version(&found))
}

fn version(found: &Metadata) -> Sighting {
    Sighting::File(Version {
        device: found.dev(),
        inode: found.ino(),
        size: found.size(),
        seconds: found.mtime(),
        nanoseconds: u32::try_from(found.mtime_nsec()).unwrap_or(0),
    })
}

/// Opens a file for reading. It never waits: what is no file, such as a pipe, is refused.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")),
    }
}

/// Seconds since 1970. nginx's own clock is for its own thread.
pub(super) fn seconds_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
