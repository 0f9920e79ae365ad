//! `cargo xtask deb`: leaves in build/ the packages for the Debian release that this runs on: the module, for its nginx, and
//! the tool.

use std::fs;
use std::time::UNIX_EPOCH;

use anyhow::{ensure, Context, Result};
use xshell::{cmd, Shell};

use crate::workspace::{cargo_home, root, rustup_home, target_directory, variable, VERSION};
use crate::{nginx, nginx_tree};

/// The source package, and the first of the packages that it makes.
const SOURCE: &str = "libnginx-mod-http-cors";
const PACKAGES: [&str; 2] = [SOURCE, "nginx-cors"];

pub fn package(sh: &Shell) -> Result<()> {
    ensure!(
        cmd!(sh, "dpkg-query --version").quiet().ignore_stdout().run().is_ok(),
        "packages are made on Debian"
    );
    let version = package_version(
        &variable("DEB_REVISION").map_or_else(|| "1".into(), |revision| revision.to_string_lossy().into_owned()),
        &sh.read_file("/etc/os-release")?,
    );
    let time = source_time(sh)?;
    write_changelog(sh, &version, &time)?;

    // Kept from one build to the next, which the package's own directory is not; and shared with the module for the
    // release's nginx, where that one is named.
    let target = match (variable("CARGO_TARGET_DIR"), variable("NGINX_BINARY")) {
        (Some(target), _) => root().join(target),
        (None, Some(_)) => nginx_tree::configured_tree(sh, &nginx::named_by_environment(sh)?)?,
        (None, None) => target_directory("deb"),
    };
    cmd!(sh, "dpkg-buildpackage --build=binary --no-sign --jobs=auto")
        .env("SOURCE_DATE_EPOCH", &time)
        .env("CARGO_TARGET_DIR", target)
        // The build gets another HOME, below which these would not be.
        .env("CARGO_HOME", cargo_home())
        .env("RUSTUP_HOME", rustup_home())
        .run()?;

    let architecture = cmd!(sh, "dpkg --print-architecture").quiet().read()?;
    sh.create_dir("build")?;
    let packages = PACKAGES.map(|package| format!("{package}_{version}_{architecture}.deb"));
    let about = ["buildinfo", "changes"].map(|extension| format!("{SOURCE}_{version}_{architecture}.{extension}"));
    for file in packages.iter().chain(&about) {
        // dpkg-buildpackage leaves them beside the sources.
        cmd!(sh, "mv ../{file} build/").quiet().run()?;
    }
    for package in packages {
        println!("build/{package}");
    }
    Ok(())
}

/// Who makes the packages.
pub fn maintainer(sh: &Shell) -> Result<String> {
    let control = sh.read_file("debian/control")?;
    let maintainer = control.lines().find_map(|line| line.strip_prefix("Maintainer: "));
    Ok(maintainer.context("debian/control names no maintainer")?.to_owned())
}

/// A later release of Debian gets the later version, so that upgrading it upgrades this, too.
fn package_version(revision: &str, os_release: &str) -> String {
    let release = os_release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_ID="))
        .map(|id| format!("~deb{}", id.trim_matches('"')));
    format!("{VERSION}-{revision}{}", release.unwrap_or_default())
}

/// The seconds since 1970 that stand for every time in the package: SOURCE_DATE_EPOCH, or when the last commit was made.
fn source_time(sh: &Shell) -> Result<String> {
    if let Some(time) = variable("SOURCE_DATE_EPOCH") {
        return Ok(time.to_string_lossy().into_owned());
    }
    if let Ok(time) = cmd!(sh, "git log -1 --format=%ct").quiet().ignore_stderr().read() {
        return Ok(time);
    }
    let modified = fs::metadata(root().join("Cargo.toml"))?.modified()?;
    Ok(modified.duration_since(UNIX_EPOCH)?.as_secs().to_string())
}

/// The version of the package stands in its changelog, so that is made for each build.
fn write_changelog(sh: &Shell, version: &str, time: &str) -> Result<()> {
    let maintainer = maintainer(sh)?;
    let date = cmd!(sh, "date -u -R -d @{time}").env("LC_ALL", "C").quiet().read()?;
    let entry = format!(
        "{SOURCE} ({version}) unstable; urgency=medium\n\n  \
         * Version {VERSION}: see CHANGELOG.md.\n\n \
         -- {maintainer}  {date}\n"
    );
    Ok(sh.write_file("debian/changelog", entry)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_part_of_the_version() {
        let debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n";
        assert_eq!(package_version("1", debian), format!("{VERSION}-1~deb12"));
    }

    #[test]
    fn sid_has_no_number_and_the_latest_version() {
        assert_eq!(package_version("2", "VERSION_CODENAME=sid\n"), format!("{VERSION}-2"));
    }
}
