//! The nginx that the module is built for. A module fits one certain nginx: its version and how it was configured.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use xshell::{cmd, Shell};

use crate::nginx_tree;
use crate::workspace::{root, target_directory, variable};

/// What the crate nginx-src asks for.
const NGINX_SRC_MODULES: &str = "--with-compat \
    --with-http_realip_module \
    --with-http_ssl_module \
    --with-http_v2_module \
    --with-stream \
    --with-stream_realip_module \
    --with-stream_ssl_module \
    --with-threads";

/// Added to that.
const VENDORED_MODULES: &str = "--with-debug \
    --with-http_addition_module \
    --with-http_auth_request_module \
    --with-http_dav_module \
    --with-http_gunzip_module \
    --with-http_gzip_static_module \
    --with-http_mp4_module \
    --with-http_secure_link_module \
    --with-http_slice_module \
    --with-http_stub_status_module \
    --with-http_sub_module \
    --with-http_v3_module";

/// A tool that looks into the vendored nginx, which is built for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watcher {
    Valgrind,
    AddressSanitizer,
}

impl Watcher {
    pub fn name(self) -> &'static str {
        match self {
            Self::Valgrind => "valgrind",
            Self::AddressSanitizer => "asan",
        }
    }
}

/// Where the nginx comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Built from the sources that the crate nginx-src carries.
    Vendored(Option<Watcher>),
    /// On this machine already.
    Installed,
    /// Built from the sources in a directory.
    FromDirectory,
    /// Being built by its own build, which asks for the module.
    Configured,
}

pub struct Nginx {
    pub kind: Kind,
    pub binary: PathBuf,
    /// Has its sources as `source`, and what configure made of them as `objs`; it is a target directory, too.
    pub tree: PathBuf,
}

impl Nginx {
    /// The one that NGINX_BINARY names; else one built from the sources that NGINX_SOURCE_DIR names; else the vendored one.
    pub fn from_environment(sh: &Shell) -> Result<Self> {
        if variable("NGINX_BINARY").is_none() {
            return match variable("NGINX_SOURCE_DIR") {
                Some(source) => Self::from_directory(sh, Path::new(&source)),
                None => Self::vendored(None),
            };
        }
        let binary = named_by_environment(sh)?;
        Ok(Self {
            kind: Kind::Installed,
            tree: nginx_tree::configured_tree(sh, &binary)?,
            binary,
        })
    }

    pub fn vendored(watcher: Option<Watcher>) -> Result<Self> {
        if let (Some(watcher), Some(_)) = (watcher, variable("NGINX_BINARY")) {
            bail!(
                "{} needs an nginx that is built for it: leave out NGINX_BINARY",
                watcher.name()
            );
        }
        if let (Some(watcher), Some(_)) = (watcher, variable("NGINX_SOURCE_DIR")) {
            bail!(
                "{} needs the vendored nginx: leave out NGINX_SOURCE_DIR",
                watcher.name()
            );
        }
        refuse_build_directory()?;
        let tree = target_directory(watcher.map_or("vendored", Watcher::name));
        Ok(Self {
            kind: Kind::Vendored(watcher),
            binary: tree.join("objs/nginx"),
            tree,
        })
    }

    /// Built, and configured as the vendored one is.
    fn from_directory(sh: &Shell, source: &Path) -> Result<Self> {
        refuse_build_directory()?;
        let arguments = format!("{NGINX_SRC_MODULES} {}", vendored_arguments(root()));
        let tree = nginx_tree::built_tree(sh, source, &arguments)?;
        Ok(Self {
            kind: Kind::FromDirectory,
            binary: tree.join("objs/nginx"),
            tree,
        })
    }

    /// One that is configured, and perhaps not built: `tree` has it as `source` and `objs`.
    pub fn configured(tree: PathBuf) -> Self {
        Self {
            kind: Kind::Configured,
            binary: tree.join("objs/nginx"),
            tree,
        }
    }
}

fn refuse_build_directory() -> Result<()> {
    if variable("NGINX_BUILD_DIR").is_some() {
        bail!("NGINX_BUILD_DIR describes the nginx of NGINX_BINARY, which is not set");
    }
    Ok(())
}

/// The arguments for configuring the vendored nginx. The prefix keeps it away from an installed one, and has it
/// configured anew where the checkout has moved.
pub fn vendored_arguments(root: &Path) -> String {
    format!("--prefix={} {VENDORED_MODULES}", root.join("build").display())
}

/// The executable that NGINX_BINARY names, as the shell finds it.
pub fn named_by_environment(sh: &Shell) -> Result<PathBuf> {
    let name = variable("NGINX_BINARY").context("NGINX_BINARY=<nginx> is not set")?;
    find(sh, &name).with_context(|| format!("NGINX_BINARY is no executable: {}", name.to_string_lossy()))
}

fn find(sh: &Shell, name: &OsStr) -> Result<PathBuf> {
    let found = cmd!(sh, "sh -c 'command -v \"$1\"' sh {name}").quiet().read()?;
    Ok(PathBuf::from(found))
}
