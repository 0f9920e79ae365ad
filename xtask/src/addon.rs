//! `cargo xtask addon`: makes `ngx_http_cors_module.so` in the objs directory of an nginx that is configured. The
//! Makefile of nginx calls it, as `config.make` tells it to.

use std::path::Path;

use anyhow::Result;
use xshell::Shell;

use crate::check_module;
use crate::module::{Job, Profile};
use crate::nginx::Nginx;
use crate::workspace::{link, put};

pub fn make(sh: &Shell, source: &Path, objs: &Path) -> Result<()> {
    let tree = sh.create_dir(objs.join("ngx_http_cors"))?;
    link(source, &tree.join("source"))?;
    link(objs, &tree.join("objs"))?;
    let job = Job {
        nginx: &Nginx::configured(tree),
        profile: Profile::Release,
        faults: false,
    };
    let module = job.build(sh, &["--locked"])?;
    check_module::check(&module)?;
    put(&module, &objs.join("ngx_http_cors_module.so"))
}
