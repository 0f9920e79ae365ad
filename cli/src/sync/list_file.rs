//! The file: replaced as a whole, or not at all.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use cors_lists::{Check, Digest, Format};
use rustix::fs::{flock, FlockOperation};
use rustix::io::Errno;

/// The file that nginx reads. Another file with the new content is written beside it, and gets its name.
pub struct ListFile {
    path: PathBuf,
    /// What it was found to hold, or was given.
    known: Option<Known>,
}

/// What a file holds, for as long as nobody has written to it.
#[derive(Clone, Copy)]
struct Known {
    version: Version,
    digest: Digest,
}

/// What changes when a file is written or replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// A list that was there before.
pub struct Found {
    /// How many entries it has.
    pub entries: usize,
    /// What identifies it.
    pub digest: Digest,
}

impl ListFile {
    /// The file with this path. Where it is a link, what it leads to is replaced.
    pub fn new(path: &Path) -> Result<Self> {
        let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
        let path = match is_link {
            true => fs::canonicalize(path).with_context(|| format!("{} leads nowhere", path.display()))?,
            false => path.to_owned(),
        };
        if path.file_name().is_none() || path.is_dir() {
            bail!("{} is no name of a file", path.display());
        }
        let directory = directory(&path);
        if !directory.is_dir() {
            bail!("there is no directory {}; make it: mkdir -p {0}", directory.display());
        }
        Ok(Self { path, known: None })
    }

    /// Looks at the list that is there, if it is one that nginx would serve.
    pub fn look(&mut self, format: Format) -> Option<Found> {
        let mut file = File::open(&self.path).ok()?;
        let version = Version::of(&file.metadata().ok()?);
        let mut check = Check::new(format);
        let mut piece = vec![0; 1 << 16];
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => check.feed(piece.get(..length)?),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        let checked = check.finish().ok()?;
        let digest = checked.digest();
        self.known = Some(Known { version, digest });
        Some(Found {
            entries: checked.entries(),
            digest,
        })
    }

    /// Whether the file is still what it was found to be, or was given.
    pub fn is_untouched(&self) -> bool {
        let now = fs::metadata(&self.path).ok().as_ref().map(Version::of);
        self.known.is_some_and(|known| now == Some(known.version))
    }

    /// Whether the file has this content.
    pub fn holds(&self, digest: Digest) -> bool {
        self.known.is_some_and(|known| known.digest == digest) && self.is_untouched()
    }

    /// Replaces the file. Whoever opens it sees the old or the new content, also after a crash of the machine.
    pub fn replace(&mut self, content: &[u8], digest: Digest) -> Result<()> {
        let beside = beside(&self.path);
        let file = open_alone(&beside)?;
        let written = self.write_beside(file, &beside, content);
        if written.is_err() {
            // It takes room that may be what was missing. That it is in the way of no one is all that matters.
            let _ = fs::remove_file(&beside);
        }
        let version = written?;
        self.known = Some(Known { version, digest });
        Ok(())
    }

    fn write_beside(&self, mut file: File, beside: &Path, content: &[u8]) -> Result<Version> {
        let explain = || format!("{} cannot be written", beside.display());
        file.set_len(0).with_context(explain)?;
        file.write_all(content).with_context(explain)?;
        if let Ok(before) = fs::metadata(&self.path) {
            // Who may read the file is not for this command to change.
            let permissions = Permissions::from_mode(before.mode() & 0o7777);
            file.set_permissions(permissions).with_context(explain)?;
        }
        file.sync_all().with_context(explain)?;
        let version = Version::of(&file.metadata().with_context(explain)?);
        fs::rename(beside, &self.path).with_context(|| format!("{} cannot be replaced", self.path.display()))?;
        // The new name is on the disk when the directory is. Some file systems cannot be asked for that.
        let _ = File::open(directory(&self.path)).and_then(|directory| directory.sync_all());
        Ok(version)
    }
}

/// Opens the file that is written to. Another process that writes to the same one is not disturbed.
fn open_alone(path: &Path) -> Result<File> {
    loop {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            // The workers of nginx read it, under a user of their own.
            .mode(0o644)
            .open(path)
            .with_context(|| {
                let directory = directory(path);
                format!(
                    "{} cannot be opened; this user has to be able to write to the directory {}",
                    path.display(),
                    directory.display()
                )
            })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => bail!(
                "{} is being written by another nginx-cors sync; end one of the two",
                path.display()
            ),
            // A file system without locks.
            Err(_) => return Ok(file),
            Ok(()) => {}
        }
        // The one who had the lock before may have given the file its final name.
        let opened = file.metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok();
        let named = fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
        if opened.is_some() && opened == named {
            return Ok(file);
        }
    }
}

/// The file that the new content is written to. It is always the same, so that those who are killed leave one at most.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    fn digest_of(content: &str) -> Digest {
        let mut check = Check::new(Format::Origins);
        check.feed(content.as_bytes());
        check.finish().unwrap().digest()
    }

    fn replace(file: &mut ListFile, content: &str) -> Result<()> {
        file.replace(content.as_bytes(), digest_of(content))
    }

    fn names(directory: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(directory.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_file_gets_another_inode_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list.txt");
        let mut file = ListFile::new(&path).unwrap();
        replace(&mut file, "https://a.example\n").unwrap();
        let open = File::open(&path).unwrap();
        replace(&mut file, "https://b.example\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "https://b.example\n");
        assert_eq!(io::read_to_string(open).unwrap(), "https://a.example\n");
        assert_eq!(names(&directory), ["list.txt"]);
    }

    #[test]
    fn who_may_read_the_file_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list.txt");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        replace(&mut ListFile::new(&path).unwrap(), "https://a.example\n").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
    }

    #[test]
    fn what_a_killed_process_has_left_is_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list.txt");
        fs::write(
            directory.path().join(".list.txt.new"),
            "https://a.example\nhttps://b.ex",
        )
        .unwrap();
        replace(&mut ListFile::new(&path).unwrap(), "https://c.example\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "https://c.example\n");
        assert_eq!(names(&directory), ["list.txt"]);
    }

    #[test]
    fn what_a_link_leads_to_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("data")).unwrap();
        let (target, link) = (
            directory.path().join("data/list.txt"),
            directory.path().join("list.txt"),
        );
        fs::write(&target, "").unwrap();
        symlink("data/list.txt", &link).unwrap();
        replace(&mut ListFile::new(&link).unwrap(), "https://a.example\n").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "https://a.example\n");
    }

    #[test]
    fn another_process_that_writes_is_not_disturbed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list.txt");
        let other = open_alone(&directory.path().join(".list.txt.new")).unwrap();
        let error = replace(&mut ListFile::new(&path).unwrap(), "https://a.example\n").unwrap_err();
        assert!(error.to_string().contains("another nginx-cors sync"), "{error}");
        drop(other);
    }

    #[test]
    fn a_file_that_somebody_else_writes_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list.txt");
        let mut file = ListFile::new(&path).unwrap();
        replace(&mut file, "https://a.example\n").unwrap();
        assert!(file.is_untouched() && file.holds(digest_of("https://a.example\n")));
        fs::write(&path, "https://a.example https://b.example\n").unwrap();
        assert!(!file.is_untouched());
        fs::remove_file(&path).unwrap();
        assert!(!file.is_untouched());
    }

    #[test]
    fn the_list_that_is_there_is_known_only_if_nginx_would_serve_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list.txt");
        let mut file = ListFile::new(&path).unwrap();
        assert!(file.look(Format::Origins).is_none());
        fs::write(&path, "a.example\n").unwrap();
        assert!(file.look(Format::Origins).is_none());
        fs::write(&path, "https://a.example\n").unwrap();
        assert_eq!(file.look(Format::Origins).unwrap().entries, 1);
        assert!(file.holds(digest_of("https://a.example\n")));
    }

    #[test]
    fn a_directory_that_is_missing_is_told_with_how_to_make_it() {
        let error = ListFile::new(Path::new("/nowhere/list.txt")).err().unwrap();
        assert_eq!(
            error.to_string(),
            "there is no directory /nowhere; make it: mkdir -p /nowhere"
        );
        assert!(ListFile::new(Path::new("/tmp")).is_err());
    }
}
