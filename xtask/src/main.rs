//! `cargo xtask <command>`: the part of building, checking and packaging that reads what other programs print, or
//! decides. The Makefile is the front door; it calls these commands.

// A test says by panicking what it has found.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod addon;
mod build;
mod check_module;
mod deb;
mod demo;
mod dist;
mod layers;
mod matrix;
mod module;
mod nginx;
mod nginx_tree;
mod packaging;
mod sbom;
mod test_in;
mod tool;
mod unit_tests;
mod versions;
mod workspace;

use std::process::ExitCode;

use xshell::Shell;

/// The grammar of the command line.
mod flags {
    use std::path::PathBuf;

    use crate::build::Variant;

    xflags::xflags! {
        /// Builds, checks and packages the module.
        cmd xtask {
            /// Leaves in build/ an nginx, the module that fits it, and nginx-cors. BUILD_DIR=<directory> takes the place of build/.
            cmd build {
                /// test: in build/test/ also the module with faults to inject.
                /// debug, valgrind, asan: all three below build/<variant>/.
                optional variant: Variant
            }
            /// Runs clippy on the module, where every warning is an error.
            cmd clippy {
                /// On the module with faults to inject.
                optional --fault-injection
            }
            /// Fails if a released module is not stripped, or exports more than nginx looks up in it.
            cmd check-module {
                required module: PathBuf
            }
            /// Makes the module for a configured nginx, in its objs directory. nginx's own build calls it.
            cmd addon {
                required source: PathBuf
                required objs: PathBuf
            }
            /// Prints the directory with the configured sources of the nginx NGINX_BINARY.
            cmd nginx-tree {}
            /// Runs the tests of the module in an nginx that is built in another way, or watched by a tool.
            cmd test-in {
                /// debug, valgrind or asan.
                required variant: Variant
                /// Arguments for the tests.
                repeated arguments: String
            }
            /// Runs the unit tests of the module, where the sources of nginx are there: of one that is installed they are not.
            cmd unit-tests {}
            /// Serves the demo until Ctrl-C. PORT=<number> is the first of its four ports.
            cmd demo {}
            /// Fails where the imports of a crate form a circle of files.
            cmd layers {}
            /// Makes the packages for the Debian release that this runs on, and for its nginx.
            cmd deb {}
            /// Makes a tarball of the sources of the last commit.
            cmd dist {
                /// With the crates that they need.
                optional --vendored
            }
            /// Fills in the recipes of packaging/ for pkg-oss, docker-nginx, RPM and Alpine. RELEASES=<URL> is where the
            /// tarballs of a release lie; else it is build/ here.
            cmd packaging {
                /// The row of nginx-versions.toml whose version pkg-oss is at; mainline, unless named.
                optional nginx: String
            }
            /// Makes a bill of the crates that are linked into the module.
            cmd sbom {}
            /// Builds, tests, packages and installs the module with each nginx in fresh roots, and prints a table.
            /// KEEP=<directory> keeps what was made there for the next run; SOURCES=<directory> has, as nginx-<version>,
            /// the sources of those that no Debian release packages.
            cmd matrix {
                /// Names of nginx-versions.toml; all, unless named.
                repeated names: String
            }
            /// Prints rows of the table of the supported nginx.
            cmd versions {
                /// debian, images (both as JSON) or compatibility (as Markdown).
                required kind: String
            }
            /// Prints the version of the module.
            cmd version {}
        }
    }
}

fn run(command: flags::XtaskCmd) -> anyhow::Result<()> {
    use flags::XtaskCmd;

    let sh = Shell::new()?;
    sh.change_dir(workspace::root());
    match command {
        XtaskCmd::Build(build) => build::build(&sh, build.variant),
        XtaskCmd::Clippy(clippy) => module::clippy(&sh, clippy.fault_injection),
        XtaskCmd::CheckModule(check) => check_module::check(&workspace::from_here(&check.module)?),
        XtaskCmd::Addon(addon) => addon::make(
            &sh,
            &workspace::from_here(&addon.source)?,
            &workspace::from_here(&addon.objs)?,
        ),
        XtaskCmd::NginxTree(_) => {
            let binary = nginx::named_by_environment(&sh)?;
            println!("{}", nginx_tree::configured_tree(&sh, &binary)?.display());
            Ok(())
        }
        XtaskCmd::TestIn(test_in) => test_in::test(&sh, test_in.variant, &test_in.arguments),
        XtaskCmd::UnitTests(_) => unit_tests::test(&sh),
        XtaskCmd::Demo(_) => demo::serve(&sh),
        XtaskCmd::Layers(_) => layers::check(workspace::root()),
        XtaskCmd::Deb(_) => deb::package(&sh),
        XtaskCmd::Dist(dist) => dist::write(&sh, dist.vendored),
        XtaskCmd::Packaging(packaging) => packaging::write(&sh, packaging.nginx.as_deref().unwrap_or("mainline")),
        XtaskCmd::Sbom(_) => sbom::write(&sh),
        XtaskCmd::Matrix(matrix) => matrix::run(&sh, &matrix.names),
        XtaskCmd::Versions(versions) => versions::print(&versions.kind),
        XtaskCmd::Version(_) => {
            println!("{}", workspace::VERSION);
            Ok(())
        }
    }
}

fn main() -> ExitCode {
    let flags = flags::Xtask::from_env_or_exit();
    match run(flags.subcommand) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
