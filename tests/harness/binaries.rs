//! The files under test, and what `nginx -V` tells about the binary.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use once_cell::sync::OnceCell;

/// The directory that holds the workspace's `Cargo.toml`.
pub fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the workspace")
}

fn built(variable: &str, path: &str) -> PathBuf {
    let path = env::var_os(variable).map_or_else(|| workspace_root().join("build").join(path), Into::into);
    assert!(
        path.is_file(),
        "{} is missing: `make test` builds it, or name another one in {variable}",
        path.display()
    );
    path
}

/// The module under test.
pub fn module() -> PathBuf {
    built("CORS_TEST_MODULE", "ngx_http_cors_module.so")
}

/// The command-line tool.
pub fn tool() -> PathBuf {
    built("CORS_TEST_TOOL", "nginx-cors")
}

/// The nginx that the module was built for.
pub fn nginx() -> PathBuf {
    built("CORS_TEST_NGINX", "nginx")
}

/// The same module with the directive `cors_test_panic`.
pub(crate) fn faulty_module() -> PathBuf {
    built("CORS_TEST_FAULTY_MODULE", "test/ngx_http_cors_module.so")
}

/// The nginx binary under test.
pub(crate) struct Binary {
    pub(crate) path: PathBuf,
    version: (u32, u32, u32),
    configure_arguments: String,
}

impl Binary {
    /// The binary that all tests share. It is asked about itself once.
    pub(crate) fn get() -> &'static Self {
        static BINARY: OnceCell<Binary> = OnceCell::new();
        BINARY
            .get_or_try_init(|| Self::ask(nginx()))
            .unwrap_or_else(|error| panic!("nginx -V: {error}"))
    }

    fn ask(path: PathBuf) -> io::Result<Self> {
        let output = Command::new(&path).arg("-V").env_remove("NGINX").output()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let version = version(&text).ok_or_else(|| io::Error::other(format!("no version in {text:?}")))?;
        Ok(Self {
            path,
            version,
            configure_arguments: text,
        })
    }

    /// Whether HTTP/2 is a directive, and no longer a parameter of `listen`.
    pub(crate) fn has_http2_directive(&self) -> bool {
        self.version >= (1, 25, 1)
    }

    /// Whether it speaks HTTP/3.
    pub(crate) fn has_http3(&self) -> bool {
        self.configure_arguments.contains("--with-http_v3_module")
    }

    /// The file of a dynamic module of other people that was built for it; nothing where it is not installed.
    pub(crate) fn dynamic_module(&self, name: &str) -> Option<PathBuf> {
        let arguments = self.configure_arguments.split_whitespace();
        let mut configured = arguments.filter_map(|argument| argument.strip_prefix("--modules-path="));
        let directory = env::var_os("CORS_TEST_NGINX_MODULES")
            .or_else(|| configured.next_back().map(Into::into))
            .map(PathBuf::from)?;
        Some(directory.join(format!("{name}.so"))).filter(|file| file.is_file())
    }

    /// Whether the standard module `http_<name>` was left in.
    pub(crate) fn has_http_module(&self, name: &str) -> bool {
        !self
            .configure_arguments
            .contains(&format!("--without-http_{name}_module"))
    }
}

fn version(text: &str) -> Option<(u32, u32, u32)> {
    let number = text
        .split_once("nginx/")?
        .1
        .split(|c: char| c != '.' && !c.is_ascii_digit())
        .next()?;
    let mut parts = number.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?))
}
