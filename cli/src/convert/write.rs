//! Writing a changed file: as a whole, or not at all, with what it was beside it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{fchown, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

/// A file that is changed.
pub struct Changed {
    pub path: PathBuf,
    pub before: Vec<u8>,
    pub after: Vec<u8>,
}

/// So many backups are kept apart.
const MOST_BACKUPS: usize = 1_000;

/// Writes a file, and returns the name of its backup. `is_read` says of a name whether nginx would read such a file.
pub fn write(changed: &Changed, is_read: impl Fn(&Path) -> bool) -> Result<PathBuf> {
    // Of a link, that to which it leads is replaced.
    let path = fs::canonicalize(&changed.path).with_context(|| changed.path.display().to_string())?;
    if fs::read(&path).with_context(|| path.display().to_string())? != changed.before {
        bail!(
            "{} has changed while it was looked at: nothing is written",
            path.display()
        );
    }
    let backup = back_up(&path, &changed.before, is_read)?;
    replace(&path, &changed.after).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(backup)
}

/// Keeps what a file was, under a name that no file has.
fn back_up(path: &Path, before: &[u8], is_read: impl Fn(&Path) -> bool) -> Result<PathBuf> {
    for number in 0..MOST_BACKUPS {
        let suffix = match number {
            0 => ".bak".to_owned(),
            _ => format!(".bak.{number}"),
        };
        let mut backup = named(path, "", &suffix);
        // `include sites-enabled/*` would take it for a site; glob(3) leaves hidden files out.
        if is_read(&backup) {
            backup = named(path, ".", &suffix);
        }
        let opened = OpenOptions::new().write(true).create_new(true).open(&backup);
        match opened {
            Ok(mut file) => {
                let copied = like(&file, path)
                    .and_then(|()| file.write_all(before))
                    .and_then(|()| file.sync_all());
                copied.with_context(|| format!("{} cannot be written", backup.display()))?;
                return Ok(backup);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("{} cannot be written", backup.display())),
        }
    }
    bail!("{} has {MOST_BACKUPS} backups: remove some", path.display())
}

fn named(path: &Path, before: &str, suffix: &str) -> PathBuf {
    let mut name = OsString::from(before);
    name.push(path.file_name().unwrap_or_default());
    name.push(suffix);
    path.with_file_name(name)
}

/// Gives a file the owner and the permissions of another one.
fn like(file: &File, path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    // Only root may give files away; whoever else writes here owns the other one mostly.
    let _ = fchown(file, Some(metadata.uid()), Some(metadata.gid()));
    file.set_permissions(metadata.permissions())
}

fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let mut beside = tempfile::Builder::new().prefix(".nginx-cors-").tempfile_in(directory)?;
    beside.write_all(content)?;
    like(beside.as_file(), path)?;
    beside.as_file().sync_all()?;
    beside.persist(path)?;
    // The new name is on the disk when the directory is. Some file systems cannot be asked for that.
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{symlink, PermissionsExt};

    use super::*;

    fn changed(path: &Path) -> Changed {
        Changed {
            path: path.to_owned(),
            before: fs::read(path).unwrap(),
            after: b"after".to_vec(),
        }
    }

    fn file() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("site.conf");
        fs::write(&path, "before").unwrap();
        (directory, path)
    }

    #[test]
    fn what_a_file_was_is_kept_beside_it() {
        let (_directory, path) = file();
        let backup = write(&changed(&path), |_| false).unwrap();
        assert!(backup.ends_with("site.conf.bak"), "{}", backup.display());
        assert_eq!(fs::read(&path).unwrap(), b"after");
        assert_eq!(fs::read(backup).unwrap(), b"before");
    }

    #[test]
    fn an_earlier_backup_is_never_overwritten() {
        let (_directory, path) = file();
        fs::write(path.with_file_name("site.conf.bak"), "earlier").unwrap();
        let backup = write(&changed(&path), |_| false).unwrap();
        assert!(backup.ends_with("site.conf.bak.1"), "{}", backup.display());
        assert_eq!(fs::read(path.with_file_name("site.conf.bak")).unwrap(), b"earlier");
    }

    #[test]
    fn nginx_does_not_read_a_backup() {
        let (_directory, path) = file();
        let backup = write(&changed(&path), |name| {
            !name.file_name().unwrap().to_string_lossy().starts_with('.')
        })
        .unwrap();
        assert!(backup.ends_with(".site.conf.bak"), "{}", backup.display());
    }

    #[test]
    fn permissions_stay_what_they_are() {
        let (_directory, path) = file();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let backup = write(&changed(&path), |_| false).unwrap();
        for file in [path, backup] {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o640);
        }
    }

    #[test]
    fn a_link_stays_a_link() {
        let (directory, path) = file();
        let link = directory.path().join("enabled");
        symlink(&path, &link).unwrap();
        write(&changed(&link), |_| false).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"after");
    }

    #[test]
    fn a_file_that_somebody_else_has_changed_is_left_alone() {
        let (_directory, path) = file();
        let changed = changed(&path);
        fs::write(&path, "somebody else").unwrap();
        assert!(write(&changed, |_| false).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"somebody else");
    }
}
