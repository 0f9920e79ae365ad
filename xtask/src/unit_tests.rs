//! `cargo xtask unit-tests`: the module's own unit tests, which are built like the module, for an nginx whose sources
//! are there: of an installed one there are only headers, as a rule.

use std::path::PathBuf;

use anyhow::{Context, Result};
use xshell::{cmd, Shell};

use crate::module::{Job, Profile};
use crate::nginx::{Kind, Nginx};

pub fn test(sh: &Shell) -> Result<()> {
    let nginx = Nginx::from_environment(sh)?;
    match nginx.kind {
        Kind::Vendored(_) | Kind::FromDirectory => test_for(sh, &nginx),
        Kind::Installed | Kind::Configured => Ok(()),
    }
}

/// Builds and runs them for this nginx, and under what watches it.
pub fn test_for(sh: &Shell, nginx: &Nginx) -> Result<()> {
    let job = Job {
        nginx,
        profile: Profile::Release,
        faults: false,
    };
    let printed = job.cargo(sh, "test", &["--test", "unit", "--no-run"])?;
    let program = executable(&printed).context("cargo has built no unit tests")?;
    Ok(cmd!(sh, "{program}").run()?)
}

fn executable(printed: &str) -> Option<PathBuf> {
    crate::module::messages(printed, "compiler-artifact")
        .filter(|message| message.pointer("/target/name").is_some_and(|name| name == "unit"))
        .find_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)))
}
