//! cargo for the module. Each nginx has a target directory of its own, and the module with faults one below it, so that
//! switching between them rebuilds nothing.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use xshell::{cmd, Cmd, Shell};

use crate::nginx::{vendored_arguments, Kind, Nginx, Watcher};
use crate::workspace::{cargo_home, link, root, variable};

#[derive(Clone, Copy)]
pub enum Profile {
    Debug,
    Release,
}

/// What is asked of cargo for the module.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    pub nginx: &'a Nginx,
    pub profile: Profile,
    /// With the feature fault-injection.
    pub faults: bool,
}

impl Job<'_> {
    /// Builds the module, and before it nginx, where that is the vendored one and not built yet. Returns the `.so`.
    pub fn build(&self, sh: &Shell, arguments: &[&str]) -> Result<PathBuf> {
        let printed = self.cargo(sh, "build", arguments)?;
        module_file(&printed).context("cargo has built no module")
    }

    /// Returns the messages that cargo prints as JSON, a line each.
    pub fn cargo(&self, sh: &Shell, subcommand: &str, arguments: &[&str]) -> Result<String> {
        let directory = self.target_directory();
        let mut cargo = cmd!(
            sh,
            "cargo {subcommand} -p ngx-http-cors --target-dir {directory} --message-format=json-render-diagnostics"
        )
        // The make that builds nginx is not to take up the flags and the job server of another one.
        .env_remove("MAKEFLAGS")
        .env_remove("MFLAGS");
        if let Profile::Release = self.profile {
            cargo = cargo.arg("--release");
        }
        if self.faults {
            cargo = cargo.args(["--features", "fault-injection"]);
        }
        cargo = match self.nginx.kind {
            Kind::Vendored(Some(watcher)) => watched(sh, cargo, watcher)?,
            _ => cargo.env("CARGO_ENCODED_RUSTFLAGS", flags(&directory, &host(sh)?)?),
        };
        if let Kind::Vendored(_) = self.nginx.kind {
            cargo = cargo.env(
                "NGX_CONFIGURE_ARGS",
                variable("NGX_CONFIGURE_ARGS").unwrap_or_else(|| vendored_arguments(root()).into()),
            );
        }
        cargo = if self.builds_nginx() {
            // nginx-sys takes even an empty value for a path.
            cargo
                .args(["--features", "vendored"])
                .env_remove("NGINX_SOURCE_DIR")
                .env_remove("NGINX_BUILD_DIR")
        } else {
            let part = |name| {
                let tree = &self.nginx.tree;
                fs::canonicalize(tree.join(name)).with_context(|| {
                    format!(
                        "no nginx in {} yet: the release build of the plain module makes it",
                        tree.display()
                    )
                })
            };
            cargo
                .env("NGINX_SOURCE_DIR", part("source")?)
                .env("NGINX_BUILD_DIR", part("objs")?)
        };

        let output = Command::from(cargo.args(arguments))
            .stderr(Stdio::inherit())
            .output()
            .context("cargo cannot be run")?;
        let printed = String::from_utf8(output.stdout)?;
        if self.builds_nginx() {
            if let Some(out) = nginx_directory(&printed) {
                keep_nginx(&out, &self.nginx.tree)?;
            }
        }
        ensure!(
            output.status.success(),
            "cargo {subcommand} of the module has failed, see above"
        );
        Ok(printed)
    }

    fn builds_nginx(&self) -> bool {
        matches!((self.nginx.kind, self.profile), (Kind::Vendored(_), Profile::Release)) && !self.faults
    }

    fn target_directory(&self) -> PathBuf {
        let tree = &self.nginx.tree;
        match self.nginx.kind {
            _ if self.faults => tree.join("faults"),
            // nginx's own build may share what was built before.
            Kind::Configured => variable("CARGO_TARGET_DIR").map_or_else(|| tree.clone(), PathBuf::from),
            _ => tree.clone(),
        }
    }
}

/// Runs clippy. In release, as it shares the nginx of the build then, instead of compiling one more.
pub fn clippy(sh: &Shell, faults: bool) -> Result<()> {
    let job = Job {
        nginx: &Nginx::from_environment(sh)?,
        profile: Profile::Release,
        faults,
    };
    job.cargo(sh, "clippy", &["--all-targets", "--", "-D", "warnings"])?;
    Ok(())
}

/// The flags of RUSTFLAGS, and those that keep what was built where out of what is built. What watches the module is to
/// find its sources, and does without them.
fn flags(target: &Path, host: &str) -> Result<OsString> {
    let mut flags: Vec<OsString> = env::var("RUSTFLAGS")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(OsString::from)
        .collect();
    if host.ends_with("-musl") {
        // There rustc links the C library in, unless told otherwise, and can then make no library that is loaded.
        flags.push("-Ctarget-feature=-crt-static".into());
    }
    let home = cargo_home();
    let real_home = fs::canonicalize(&home).with_context(|| home.display().to_string())?;
    for (place, name) in [
        (home.as_path(), "cargo"),
        (&real_home, "cargo"),
        (root(), "."),
        (target, "target"),
    ] {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(place);
        flag.push("=");
        flag.push(name);
        flags.push(flag);
    }
    Ok(flags.join(OsString::from("\x1f").as_os_str()))
}

fn watched<'a>(sh: &Shell, cargo: Cmd<'a>, watcher: Watcher) -> Result<Cmd<'a>> {
    // What comes from a pool is then allocated, freed and watched by itself.
    let palloc = "-DNGX_DEBUG_PALLOC=1";
    // Reports name functions and lines.
    let cargo = cargo
        .env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only")
        .env("CARGO_PROFILE_RELEASE_STRIP", "none");
    Ok(match watcher {
        Watcher::Valgrind => cargo.env("NGX_CFLAGS", palloc),
        Watcher::AddressSanitizer => cargo
            // With a target the flags leave build scripts alone, which have no runtime to link with.
            .args(["--target", &host(sh)?])
            // rustc links no runtime into a module: the one of nginx serves both.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", "-Zsanitizer=address -Cforce-frame-pointers=yes")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env(
                "NGX_CFLAGS",
                format!("{palloc} -fsanitize=address -fno-omit-frame-pointer"),
            )
            .env("NGX_LDFLAGS", "-fsanitize=address")
            // The small programs that configure runs leak.
            .env("ASAN_OPTIONS", "detect_leaks=0"),
    })
}

fn host(sh: &Shell) -> Result<String> {
    let version = cmd!(sh, "rustc -vV").quiet().read()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}

pub fn messages<'a>(printed: &'a str, reason: &'a str) -> impl Iterator<Item = Value> + 'a {
    printed
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(move |message| message.get("reason").is_some_and(|found| found == reason))
}

/// Where the build script of nginx-sys has left nginx.
fn nginx_directory(printed: &str) -> Option<PathBuf> {
    let text = |message: &Value, name| message.get(name).and_then(Value::as_str).map(str::to_owned);
    messages(printed, "build-script-executed")
        .find(|message| text(message, "package_id").is_some_and(|id| id.contains("#nginx-sys@")))
        .and_then(|message| text(&message, "out_dir"))
        .map(PathBuf::from)
}

fn module_file(printed: &str) -> Option<PathBuf> {
    messages(printed, "compiler-artifact")
        .filter(|message| {
            message
                .pointer("/target/name")
                .is_some_and(|name| name == "ngx_http_cors_module")
        })
        .find_map(|message| {
            let files = message.get("filenames")?.as_array()?;
            let module = files
                .iter()
                .filter_map(Value::as_str)
                .find(|file| file.ends_with(".so"))?;
            Some(PathBuf::from(module))
        })
}

/// Makes the vendored nginx in `out` that of `tree`.
fn keep_nginx(out: &Path, tree: &Path) -> Result<()> {
    // cargo watches these two for changes and takes their making for one: the next run would build anew.
    let invoked = fs::metadata(out.join("../invoked.timestamp"))?.modified()?;
    for file in ["objs/Makefile", "objs/ngx_auto_config.h"] {
        let path = out.join(file);
        fs::File::options()
            .append(true)
            .open(&path)
            .and_then(|file| file.set_modified(invoked))
            .with_context(|| path.display().to_string())?;
    }
    let info = out.join("objs/last-build-info");
    let content = fs::read_to_string(&info).with_context(|| info.display().to_string())?;
    link(
        &vendored_sources(&content).context("last-build-info names no sources")?,
        &tree.join("source"),
    )?;
    link(&out.join("objs"), &tree.join("objs"))
}

/// nginx-sys notes what it built from as `"<sources>"|...`.
fn vendored_sources(build_info: &str) -> Option<PathBuf> {
    build_info.lines().find_map(|line| {
        let (source, _) = line.strip_prefix('"')?.split_once("\"|")?;
        Some(PathBuf::from(source))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = concat!(
        r#"{"reason":"build-script-executed","package_id":"registry+x#libc@0.2.1","out_dir":"/t/libc/out"}"#,
        "\n",
        r#"{"reason":"build-script-executed","package_id":"registry+x#nginx-sys@0.5.0","out_dir":"/t/sys \"a\"/out"}"#,
        "\n",
        r#"{"reason":"compiler-artifact","target":{"name":"cors_policy"},"filenames":["/t/libcors_policy.so"]}"#,
        "\n",
        r#"{"reason":"compiler-artifact","target":{"name":"ngx_http_cors_module"},"filenames":["/t/a.d","/t/a.so"]}"#,
        "\n",
        r#"{"reason":"build-finished","success":true}"#,
        "\n",
    );

    #[test]
    fn with_musl_the_module_is_not_linked_statically() {
        let of = |host| flags(Path::new("/target"), host).unwrap().into_string().unwrap();
        assert!(of("x86_64-unknown-linux-musl").contains("-crt-static"));
        assert!(!of("x86_64-unknown-linux-gnu").contains("-crt-static"));
    }

    #[test]
    fn the_module_is_found_in_what_cargo_prints() {
        assert_eq!(module_file(PRINTED), Some(PathBuf::from("/t/a.so")));
    }

    #[test]
    fn the_vendored_nginx_is_found_in_what_cargo_prints() {
        assert_eq!(nginx_directory(PRINTED), Some(PathBuf::from("/t/sys \"a\"/out")));
    }

    #[test]
    fn clippy_makes_no_module() {
        let checked =
            r#"{"reason":"compiler-artifact","target":{"name":"ngx_http_cors_module"},"filenames":["/t/a.rmeta"]}"#;
        assert_eq!(module_file(checked), None);
    }

    #[test]
    fn the_vendored_sources_stand_in_the_note_of_their_build() {
        assert_eq!(
            vendored_sources("\"/crates/nginx-src/nginx\"|[\"--with-compat\"]\n"),
            Some(PathBuf::from("/crates/nginx-src/nginx"))
        );
    }
}
