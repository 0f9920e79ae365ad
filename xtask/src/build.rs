//! `cargo xtask build`: an nginx, the module that fits it, and the command-line tool, side by side.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Result;
use xshell::Shell;

use crate::module::{Job, Profile};
use crate::nginx::{Nginx, Watcher};
use crate::tool;
use crate::workspace::{put, root, same_content, variable};

/// What is built beside the plain module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The module with faults to inject.
    Test,
    /// A debug build of the module, which checks more.
    Debug,
    /// An nginx that a tool looks into.
    Watched(Watcher),
}

impl Variant {
    /// Its name on the command line, and of its directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Debug => "debug",
            Self::Watched(watcher) => watcher.name(),
        }
    }
}

impl FromStr for Variant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [
            Self::Test,
            Self::Debug,
            Self::Watched(Watcher::Valgrind),
            Self::Watched(Watcher::AddressSanitizer),
        ]
        .into_iter()
        .find(|variant| variant.name() == name)
        .ok_or_else(|| format!("it is test, debug, valgrind or asan, not '{name}'"))
    }
}

/// Leaves in build/, or in BUILD_DIR, what is asked for.
pub fn build(sh: &Shell, variant: Option<Variant>) -> Result<()> {
    let directory = root().join(variable("BUILD_DIR").map_or_else(|| PathBuf::from("build"), PathBuf::from));
    let nginx = match variant {
        Some(Variant::Watched(watcher)) => Nginx::vendored(Some(watcher))?,
        _ => Nginx::from_environment(sh)?,
    };
    let release = Job {
        nginx: &nginx,
        profile: Profile::Release,
        faults: false,
    };
    let debug = Job {
        profile: Profile::Debug,
        ..release
    };
    match variant {
        None => plain(sh, release, &directory)?,
        Some(Variant::Test) => {
            plain(sh, release, &directory)?;
            faulty(sh, release, &directory)?;
        }
        Some(Variant::Debug) => {
            let below = directory.join("debug");
            plain(sh, release, &directory)?; // brings nginx
            plain(sh, debug, &below)?;
            faulty(sh, debug, &below)?;
        }
        Some(Variant::Watched(watcher)) => {
            let below = directory.join(watcher.name());
            plain(sh, release, &below)?;
            faulty(sh, release, &below)?;
        }
    }
    tool::build(sh, &directory)
}

/// The module and its nginx.
fn plain(sh: &Shell, job: Job, directory: &Path) -> Result<()> {
    let module = job.build(sh, &[])?;
    let nginx = directory.join("nginx");
    if !same_content(&job.nginx.binary, &nginx)? {
        // What was made for another nginx must not be found beside this one.
        sh.remove_path(with_faults(directory))?;
    }
    put(&module, &directory.join("ngx_http_cors_module.so"))?;
    put(&job.nginx.binary, &nginx)
}

/// The module with faults to inject.
fn faulty(sh: &Shell, job: Job, directory: &Path) -> Result<()> {
    let job = Job { faults: true, ..job };
    put(&job.build(sh, &[])?, &with_faults(directory))
}

fn with_faults(directory: &Path) -> PathBuf {
    directory.join("test/ngx_http_cors_module.so")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_read_by_their_names() {
        assert_eq!("test".parse(), Ok(Variant::Test));
        assert_eq!("asan".parse(), Ok(Variant::Watched(Watcher::AddressSanitizer)));
        assert!("fast".parse::<Variant>().unwrap_err().contains("'fast'"));
    }
}
