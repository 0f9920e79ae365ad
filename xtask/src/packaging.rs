//! `cargo xtask packaging`: leaves in build/packaging the recipes of packaging/, with all that a release decides: versions, where
//! its tarballs lie, and what they hash to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure, Context, Result};
use xshell::{cmd, Shell};

use crate::workspace::{root, variable, RUST, VERSION};
use crate::{deb, dist, versions};

/// Writes all recipes. `nginx` names the row of nginx-versions.toml that pkg-oss packages beside.
pub fn write(sh: &Shell, nginx: &str) -> Result<()> {
    let build = root().join("build");
    let tarball = build.join(dist::tarball(true));
    ensure!(
        tarball.exists(),
        "no {}: make dist-vendored leaves it there",
        tarball.display()
    );
    let values = values(sh, nginx, &tarball)?;
    let (recipes, made) = (root().join("packaging"), build.join("packaging"));
    sh.remove_path(&made)?;
    for recipe in files_below(&recipes)? {
        let path = recipe.strip_prefix(&recipes)?;
        if path == Path::new("README.md") {
            continue;
        }
        let text = fs::read_to_string(&recipe).with_context(|| recipe.display().to_string())?;
        let text = fill_in(&text, &values).with_context(|| recipe.display().to_string())?;
        let file = made.join(path);
        sh.write_file(&file, text)?;
        fs::set_permissions(&file, fs::metadata(&recipe)?.permissions())?;
    }
    println!("build/packaging");
    Ok(())
}

/// What stands for `@NAME@` in a recipe.
fn values(sh: &Shell, nginx: &str, tarball: &Path) -> Result<BTreeMap<&'static str, String>> {
    // Until there is a release, its tarball is the one that was just made.
    let releases = variable("RELEASES").map_or_else(
        || format!("file://{}", root().join("build").display()),
        |url| url.to_string_lossy().trim_end_matches('/').to_owned(),
    );
    let time = cmd!(sh, "git log -1 --format=%ct").quiet().read()?;
    let format = |format: &str| {
        cmd!(sh, "date -u -d @{time} {format}")
            .env("LC_ALL", "C")
            .quiet()
            .read()
    };
    let sum = cmd!(sh, "sha512sum {tarball}").quiet().read()?;
    let digest = sum.split(' ').next().unwrap_or_default().to_owned();
    let maintainer = deb::maintainer(sh)?;
    Ok(BTreeMap::from([
        ("VERSION", VERSION.to_owned()),
        ("RUST", RUST.to_owned()),
        ("MAINTAINER_XML", maintainer.replace('<', "&lt;").replace('>', "&gt;")),
        ("MAINTAINER", maintainer),
        ("RELEASES", releases),
        ("VENDORED_SHA512", digest),
        ("NGINX_VERSION", versions::named(nginx)?.version),
        ("LICENSE", sh.read_file("LICENSE")?.trim_end().to_owned()),
        ("DATE", format("+%Y-%m-%d")?),
        ("TIME", format("+%H:%M:%S %z")?),
        ("RPM_DATE", format("+%a %b %d %Y")?),
    ]))
}

fn files_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        match path.is_dir() {
            true => files.extend(files_below(&path)?),
            false => files.push(path),
        }
    }
    Ok(files)
}

/// Puts the values in the place of the names. A name is of capitals, digits and `_`: whatever else stands between two `@`
/// is left alone.
fn fill_in(text: &str, values: &BTreeMap<&'static str, String>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('@') {
        filled.push_str(before);
        let name = after.split('@').next().unwrap_or_default();
        let is_name = !name.is_empty()
            && name.len() < after.len()
            && name
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if !is_name {
            filled.push('@');
            rest = after;
            continue;
        }
        match values.get(name) {
            Some(value) => filled.push_str(value),
            None => bail!("@{name}@ is not known"),
        }
        rest = after.get(name.len() + 1..).unwrap_or_default();
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_by_values_and_nothing_else() {
        let values = BTreeMap::from([("VERSION", "1.2".to_owned())]);
        let filled = fill_in("v@VERSION@, m@x.org, $@, @VERSION@", &values).unwrap();
        assert_eq!(filled, "v1.2, m@x.org, $@, 1.2");
    }

    #[test]
    fn a_name_that_is_misspelt_is_an_error() {
        assert!(fill_in("@VERSIONS@", &BTreeMap::new()).is_err());
    }
}
