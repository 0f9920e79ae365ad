//! `cargo xtask sbom`: leaves in build/ a bill of the crates that are linked into the module, as of the commit that is
//! checked out, in CycloneDX: the same bytes each time, and without the directories of this machine.

use std::fs;

use anyhow::Result;
use xshell::{cmd, Shell};

use crate::workspace::{root, VERSION};

pub fn write(sh: &Shell) -> Result<()> {
    let tool = cmd!(sh, "cargo cyclonedx --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr();
    if tool.run().is_err() {
        cmd!(sh, "cargo install --locked cargo-cyclonedx").run()?;
    }
    let time = cmd!(sh, "git log -1 --format=%ct").quiet().read()?;
    let name = format!("ngx-http-cors-{VERSION}.cdx.json");
    let bill = sh.create_dir("build")?.join(&name);

    // It writes a bill beside each Cargo.toml.
    let work = sh.create_temp_dir()?;
    let path = fs::canonicalize(work.path())?;
    let archive = path.join("sources.tar");
    cmd!(sh, "git archive --output {archive} HEAD").quiet().run()?;
    {
        let _in_work = sh.push_dir(&path);
        cmd!(sh, "tar -x -f {archive}").quiet().run()?;
        cmd!(
            sh,
            "cargo cyclonedx --quiet --format json --spec-version 1.5 --no-build-deps"
        )
        .env("SOURCE_DATE_EPOCH", time)
        .run()?;
    }
    let written = sh.read_file(path.join("ngx-http-cors.cdx.json"))?;
    sh.write_file(
        &bill,
        written.replace(&format!("path+file://{}", path.display()), "path+file://"),
    )?;

    let _in_build = sh.push_dir(root().join("build"));
    Ok(cmd!(sh, "sha256sum {name}").quiet().run()?)
}
