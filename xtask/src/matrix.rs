//! `cargo xtask matrix`: prints what holds on each Debian release, from trying it in fresh roots: the module is built
//! and tested with the release's nginx and packaged, and the package is installed, asked, upgraded and removed.

use std::fs::{self, File};
use std::mem;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{bail, Context, Result};
use xshell::Shell;

use crate::workspace::{root, variable};

const COLUMNS: [&str; 4] = ["vendored", "bookworm", "trixie", "sid"];
/// The tests in debian/tests.
const PACKAGE_TESTS: [&str; 4] = ["serve", "lua", "upgrade", "remove"];

/// What cargo makes outlives the root, and is there for the next step.
const KEEP_TARGET: &str = "mkdir -p /root/share/target; ln -s /root/share/target target
    export PATH=\"$PATH:/root/.cargo/bin\"";
/// What follows the installation of what is needed. The version is printed for the table.
const TEST: &str = "cargo xtask build test
    cargo xtask check-module build/ngx_http_cors_module.so
    build/nginx -v
    cargo test -p cors-tests --no-fail-fast";
const PACKAGE: &str = "tools/require.sh nginx
    make deb NGINX_BINARY=/usr/sbin/nginx
    cp build/*.deb /root/share";
/// Installing nginx must not start it on a port of this machine; the tests of the package start it on theirs.
const INSTALL: &str = "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
    mkdir build; cp /root/share/*.deb build
    make test-deb";

pub fn run(sh: &Shell, columns: &[String]) -> Result<()> {
    let columns: Vec<&str> = match columns {
        [] => COLUMNS.to_vec(),
        named => named.iter().map(String::as_str).collect(),
    };
    let kept = variable("KEEP").map(|keep| root().join(keep));
    let temporary = match kept {
        Some(_) => None,
        None => Some(sh.create_temp_dir()?),
    };
    let keep = match (&kept, &temporary) {
        (Some(keep), _) => sh.create_dir(keep)?,
        (None, Some(directory)) => directory.path().to_owned(),
        (None, None) => bail!("no directory for the roots"),
    };

    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for column in columns {
        let trial = Trial {
            release: column,
            bases: &keep,
            share: sh.create_dir(keep.join(column))?,
        };
        let row = trial.run()?;
        if row.failed {
            failed.push(format!("{column} (see the logs in {})", trial.share.display()));
        }
        rows.push(row.cells);
    }
    print!("{}", table(&rows));
    if !failed.is_empty() {
        // The directory is removed when this is dropped, and the logs are in it.
        mem::forget(temporary);
        bail!("not everything holds: {}", failed.join(", "));
    }
    Ok(())
}

/// One release, or the vendored nginx on the release of this machine.
struct Trial<'a> {
    release: &'a str,
    /// Keeps what the roots start from.
    bases: &'a Path,
    /// Is /root/share in the roots.
    share: PathBuf,
}

struct Row {
    cells: Vec<String>,
    failed: bool,
}

impl Trial<'_> {
    fn run(&self) -> Result<Row> {
        for entry in fs::read_dir(&self.share)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "deb" || extension == "log")
            {
                fs::remove_file(path)?;
            }
        }
        let vendored = self.release == "vendored";
        let nginx = if vendored {
            "tools/require.sh build test"
        } else {
            "tools/require.sh build test nginx; export NGINX_BINARY=/usr/sbin/nginx"
        };
        let (tested, log) = self.step("test", &format!("{KEEP_TARGET}\n{nginx}\n{TEST}"))?;
        let mut cells = vec![self.release.to_owned(), nginx_version(&log), test_results(&log)];
        let mut failed = !tested;
        if vendored {
            cells.extend(vec!["-".to_owned(); 2 + PACKAGE_TESTS.len()]);
        } else {
            let (packaged, _) = self.step("package", &format!("{KEEP_TARGET}\n{PACKAGE}"))?;
            let (installed, log) = match packaged {
                true => self.step("install", INSTALL)?,
                false => (false, String::new()),
            };
            failed |= !packaged || !installed;
            // It begins where lintian has found nothing.
            let lint = log.contains("autopkgtest [");
            cells.extend([packaged, lint].map(|holds| if holds { "yes" } else { "no" }.to_owned()));
            cells.extend(PACKAGE_TESTS.iter().map(|test| package_result(&log, test)));
        }
        Ok(Row { cells, failed })
    }

    /// Runs a script in a fresh root. Returns whether it succeeded, and what it printed, which is kept as well.
    fn step(&self, name: &str, script: &str) -> Result<(bool, String)> {
        let path = self.share.join(format!("{name}.log"));
        let log = File::create(&path)?;
        let mut command = Command::new(root().join("tools/clean-root.sh"));
        command
            .args(["sh", "-euxc", script])
            .env("SHARE", &self.share)
            .env("BASES", self.bases)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        if self.release != "vendored" {
            command.env("RELEASE", self.release);
        }
        let status = command.status().context("tools/clean-root.sh")?;
        let printed = String::from_utf8_lossy(&fs::read(path)?).into_owned();
        Ok((status.success(), printed))
    }
}

fn nginx_version(log: &str) -> String {
    log.lines()
        .find_map(|line| line.strip_prefix("nginx version: nginx/"))
        .and_then(|rest| rest.split(' ').next())
        .unwrap_or("-")
        .to_owned()
}

/// The sum of what the test programs report.
fn test_results(log: &str) -> String {
    let (mut passed, mut failed) = (0, 0);
    for line in log.lines().filter(|line| line.starts_with("test result: ")) {
        let number_of = |what: &str| {
            let mut words = line.split_ascii_whitespace();
            let mut before = 0;
            words.find(|word| {
                let found = word.trim_end_matches(';') == what;
                if !found {
                    before = word.parse().unwrap_or(0);
                }
                found
            });
            before
        };
        passed += number_of("passed");
        failed += number_of("failed");
    }
    match (passed, failed) {
        (0, 0) => "no".to_owned(),
        (_, 0) => format!("{passed} passed"),
        (_, failed) => format!("{failed} failed"),
    }
}

/// What the summary of autopkgtest says of one test.
fn package_result(log: &str, test: &str) -> String {
    log.rsplit_once("@@@ summary")
        .and_then(|(_, summary)| {
            summary.lines().find_map(|line| {
                let mut words = line.split_ascii_whitespace();
                (words.next() == Some(test)).then(|| words.next()).flatten()
            })
        })
        .unwrap_or("no")
        .to_lowercase()
}

fn table(rows: &[Vec<String>]) -> String {
    let mut head = vec!["release", "nginx", "tests", "package", "lintian"];
    head.extend(PACKAGE_TESTS);
    let head: Vec<String> = head.into_iter().map(str::to_owned).collect();
    let lines: Vec<&Vec<String>> = [&head].into_iter().chain(rows).collect();
    let mut text = String::new();
    for line in &lines {
        for (place, cell) in line.iter().enumerate() {
            let width = lines.iter().filter_map(|line| line.get(place)).map(String::len).max();
            text.push_str(&format!("{cell:<width$}  ", width = width.unwrap_or_default()));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_test_programs_are_added_up() {
        let log = "test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(test_results(log), "42 passed");
    }

    #[test]
    fn one_failure_is_what_counts() {
        let log =
            "test result: ok. 40 passed; 0 failed; 0 ignored\ntest result: FAILED. 2 passed; 3 failed; 1 ignored\n";
        assert_eq!(test_results(log), "3 failed");
        assert_eq!(test_results("error: could not compile"), "no");
    }

    #[test]
    fn the_summary_of_autopkgtest_is_read() {
        let log = "serve FAIL early\nautopkgtest [10:00:00]: @@@@@@@@@@@@@@@@@@@@ summary\n\
            serve                PASS\nlua                  SKIP installation fails\n";
        assert_eq!(package_result(log, "serve"), "pass");
        assert_eq!(package_result(log, "lua"), "skip");
        assert_eq!(package_result(log, "upgrade"), "no");
        assert_eq!(package_result("", "serve"), "no");
    }

    #[test]
    fn the_version_is_the_first_that_is_printed() {
        assert_eq!(
            nginx_version("+ build/nginx -v\nnginx version: nginx/1.26.3 (Debian)\n"),
            "1.26.3"
        );
    }

    #[test]
    fn the_cells_of_a_column_are_as_wide_as_the_widest() {
        let row = [
            "sid", "1.30.0", "2 passed", "yes", "yes", "pass", "skip", "pass", "pass",
        ];
        let rows = [row.iter().map(|cell| cell.to_string()).collect()];
        assert_eq!(
            table(&rows),
            "release  nginx   tests     package  lintian  serve  lua   upgrade  remove\n\
             sid      1.30.0  2 passed  yes      yes      pass   skip  pass     pass\n"
        );
    }
}
