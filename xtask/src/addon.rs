//! `cargo xtask addon`: makes `ngx_http_cors_module.so` in the objs directory of an nginx that is configured. The
//! Makefile of nginx calls it, as `config.make` tells it to.

use std::path::Path;

use anyhow::Result;
use xshell::Shell;

use crate::check_module::{self, Symbols};
use crate::module::{Job, Profile};
use crate::nginx::Nginx;
use crate::workspace::{link, put, variable};

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
    // Who packages it may say so, as cargo lets them: CARGO_PROFILE_RELEASE_STRIP=none.
    let symbols = match variable("CARGO_PROFILE_RELEASE_STRIP") {
        Some(strip) if strip == "none" => Symbols::Kept,
        _ => Symbols::Stripped,
    };
    check_module::check_with(&module, symbols)?;
    put(&module, &objs.join("ngx_http_cors_module.so"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::workspace::root;

    /// pkg-oss's build_module.sh, by which docker-nginx builds modules, too, greps `config` for `\.[[:space:]]auto/module`: it
    /// appends to one that does not match, to make it that of a dynamic module. For the file to load it greps for
    /// `ngx_module_name=`, and then for `ngx_addon_name=`.
    #[test]
    fn scripts_that_package_modules_leave_config_alone() {
        let config = fs::read_to_string(root().join("config")).unwrap();
        assert!(config.contains(". auto/module"));
        assert!(!config.contains("ngx_module_name="));
        let names: Vec<&str> = config.lines().filter(|line| line.contains("ngx_addon_name=")).collect();
        assert_eq!(names, ["ngx_addon_name=ngx_http_cors_module"]);
    }
}
