//! Builds the command-line tool `nginx-cors`.
//!
//! cargo builds it by itself and with a profile of its own: neither its dependencies nor their features become part of
//! the module.

use std::path::Path;

use anyhow::Result;
use xshell::{cmd, Shell};

use crate::workspace::{put, target_directory};

/// Leaves nginx-cors in a directory.
pub fn build(sh: &Shell, directory: &Path) -> Result<()> {
    let target = target_directory("tool");
    cmd!(sh, "cargo build -p nginx-cors --profile tool --target-dir {target}").run()?;
    put(&target.join("tool/nginx-cors"), &directory.join("nginx-cors"))
}
