//! The checkout, and what several commands do with its files.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{cmd, Shell};

/// The version, which stands in the workspace's Cargo.toml and nowhere else.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The oldest Rust that compiles the module, which stands there, too.
pub const RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// The top of the checkout.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Makes a path absolute that an argument names, which is relative to where the command was called.
pub fn from_here(path: &Path) -> Result<PathBuf> {
    fs::canonicalize(path).with_context(|| format!("no such file: {}", path.display()))
}

/// An environment variable, where it is set and not empty.
pub fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The directory of cargo's own files.
pub fn cargo_home() -> PathBuf {
    home("CARGO_HOME", ".cargo")
}

/// The directory of the toolchains.
pub fn rustup_home() -> PathBuf {
    home("RUSTUP_HOME", ".rustup")
}

fn home(name: &str, below_home: &str) -> PathBuf {
    variable(name).map_or_else(
        || PathBuf::from(variable("HOME").unwrap_or_default()).join(below_home),
        PathBuf::from,
    )
}

/// The target directory of what is built for `name`.
pub fn target_directory(name: &str) -> PathBuf {
    let target = variable("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    root().join(target).join(name)
}

/// Puts an executable file at its destination by renaming: a running nginx has the old file mapped, and must keep it.
/// A file with the same content is left alone.
pub fn put(file: &Path, destination: &Path) -> Result<()> {
    if same_content(file, destination)? {
        return Ok(());
    }
    let new = destination.with_extension("new");
    if let Some(directory) = destination.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::copy(file, &new).with_context(|| format!("cannot copy {} to {}", file.display(), new.display()))?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
    fs::rename(&new, destination).with_context(|| format!("cannot write {}", destination.display()))
}

/// Whether both files exist and have the same bytes.
pub fn same_content(one: &Path, other: &Path) -> Result<bool> {
    let read = |path: &Path| match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        content => content.map(Some).with_context(|| path.display().to_string()),
    };
    Ok(match read(other)? {
        Some(content) => read(one)? == Some(content),
        None => false,
    })
}

/// Makes `link` a symbolic link to `target`, whatever it was a link to before.
pub fn link(target: &Path, link: &Path) -> Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).context(link.display().to_string()),
        _ => symlink(target, link).with_context(|| format!("cannot make the link {}", link.display())),
    }
}

/// Runs `tools/require.sh`, which installs what is missing.
pub fn require(sh: &Shell, jobs: &[&str]) -> Result<()> {
    // What a command prints for others to read is not mixed with what a package manager prints.
    cmd!(sh, "bash -c 'exec tools/require.sh \"$@\" >&2' bash {jobs...}")
        .quiet()
        .run()
        .with_context(|| format!("tools/require.sh {}", jobs.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_put_by_renaming() {
        let directory = tempfile::tempdir().unwrap();
        let (file, destination) = (directory.path().join("made"), directory.path().join("deep/module.so"));
        fs::write(&file, "one").unwrap();
        put(&file, &destination).unwrap();
        let mapped = fs::File::open(&destination).unwrap();
        fs::write(&file, "another").unwrap();
        put(&file, &destination).unwrap();

        assert_eq!(fs::read_to_string(&destination).unwrap(), "another");
        assert_eq!(
            io::read_to_string(mapped).unwrap(),
            "one",
            "the file that is open was written to"
        );
        assert_eq!(fs::metadata(&destination).unwrap().permissions().mode() & 0o777, 0o755);
    }

    #[test]
    fn a_file_that_is_the_same_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (file, destination) = (directory.path().join("made"), directory.path().join("module.so"));
        fs::write(&file, "one").unwrap();
        put(&file, &destination).unwrap();
        let before = fs::metadata(&destination).unwrap().modified().unwrap();
        put(&file, &destination).unwrap();
        assert_eq!(fs::metadata(&destination).unwrap().modified().unwrap(), before);
    }
}
