//! `cargo xtask dist`: leaves in build/ the sources of the commit that is checked out, as a tarball; with all crates that they
//! need, if they are to be built where no registry is reached. The same commit makes the same bytes each time.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use xshell::{cmd, Shell};

use crate::workspace::{root, VERSION};

/// What cargo is told where the crates lie beside the sources.
const VENDORED: &str = "
# The crates are here: no registry is asked.
[source.crates-io]
replace-with = \"vendored-sources\"

[source.vendored-sources]
directory = \"vendor\"
";

/// The directory that the tarballs have at their top, and how their names begin.
pub fn name() -> String {
    format!("ngx-http-cors-{VERSION}")
}

/// The name of a tarball.
pub fn tarball(vendored: bool) -> String {
    match vendored {
        true => format!("{}-vendored.tar.gz", name()),
        false => format!("{}.tar.gz", name()),
    }
}

/// Leaves the tarball in build/.
pub fn write(sh: &Shell, vendored: bool) -> Result<()> {
    let file = tarball(vendored);
    if cmd!(sh, "git diff --quiet HEAD").quiet().run().is_err() {
        eprintln!("warning: {file} is made of the last commit, without what was changed since");
    }
    let time = cmd!(sh, "git log -1 --format=%ct").quiet().read()?;
    let work = sh.create_temp_dir()?;
    let path = fs::canonicalize(work.path())?;
    let archive = path.join("sources.tar");
    let name = name();
    cmd!(sh, "git archive --format=tar --prefix={name}/ --output={archive} HEAD")
        .quiet()
        .run()?;
    if vendored {
        cmd!(sh, "tar -x -C {path} -f {archive}").quiet().run()?;
        vendor(sh, &path.join(&name))?;
        sh.remove_path(&archive)?;
        let same_bytes = [
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "--mode=u+rwX,go+rX,go-w",
            "--format=gnu",
        ];
        cmd!(
            sh,
            "tar -c -C {path} -f {archive} {same_bytes...} --mtime=@{time} {name}"
        )
        .quiet()
        .run()?;
    }
    cmd!(sh, "gzip --no-name --best {archive}").quiet().run()?;
    let build = sh.create_dir(root().join("build"))?;
    sh.copy_file(path.join("sources.tar.gz"), build.join(&file))?;
    let _in_build = sh.push_dir(build);
    Ok(cmd!(sh, "sha256sum {file}").quiet().run()?)
}

/// Puts the crates of Cargo.lock beside the sources, and tells cargo so.
fn vendor(sh: &Shell, sources: &Path) -> Result<()> {
    let _in_sources = sh.push_dir(sources);
    // Where crates are fetched from is the business of whoever calls this.
    cmd!(
        sh,
        "cargo vendor --quiet --locked --versioned-dirs --respect-source-config"
    )
    .ignore_stdout()
    .run()?;
    let config = sources.join(".cargo/config.toml");
    let text = fs::read_to_string(&config).with_context(|| config.display().to_string())?;
    fs::write(&config, text + VENDORED)?;
    Ok(())
}
