//! `cargo xtask matrix`: prints what holds with each nginx of nginx-versions.toml, from trying it in fresh roots: the
//! module is built and tested with it; where a Debian release packages that nginx, the module is packaged too, and the
//! package installed, asked, upgraded and removed.

use std::fs::{self, File};
use std::mem;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{bail, ensure, Context, Result};
use xshell::{cmd, Shell};

use crate::versions::{self, Source, Supported};
use crate::workspace::{root, variable};

/// The tests in debian/tests.
const PACKAGE_TESTS: [&str; 6] = ["serve", "lua", "upgrade", "nginx-upgrade", "tool", "remove"];

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

pub fn run(sh: &Shell, names: &[String]) -> Result<()> {
    let rows = match names {
        [] => versions::supported()?,
        named => named.iter().map(|name| versions::named(name)).collect::<Result<_>>()?,
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

    let mut table = Table::default();
    let mut failed = Vec::new();
    for nginx in &rows {
        let sources = sources_of(nginx)?;
        if nginx.source == Source::Directory && sources.is_none() {
            table.not_tried(
                nginx,
                &format!("no sources: SOURCES=<directory> with nginx-{}", nginx.version),
            );
            continue;
        }
        let trial = Trial {
            nginx,
            bases: &keep,
            share: sh.create_dir(keep.join(&nginx.name))?,
        };
        if let Some(sources) = sources {
            let copy = trial.share.join("nginx");
            sh.remove_path(&copy)?;
            cmd!(sh, "cp -R {sources} {copy}").quiet().run()?;
        }
        let row = trial.run()?;
        for fault in row.faults {
            failed.push(format!(
                "{}: {fault} (see the logs in {})",
                nginx.name,
                trial.share.display()
            ));
        }
        table.rows.push(row.cells);
    }
    print!("{}", table.text());
    if !failed.is_empty() {
        // The directory is removed when this is dropped, and the logs are in it.
        mem::forget(temporary);
        bail!("not everything holds\n{}", failed.join("\n"));
    }
    Ok(())
}

/// The directory `nginx-<version>` in the one that SOURCES names, for an nginx that is built from a directory.
fn sources_of(nginx: &Supported) -> Result<Option<PathBuf>> {
    if nginx.source != Source::Directory {
        return Ok(None);
    }
    let Some(sources) = variable("SOURCES") else {
        return Ok(None);
    };
    let sources = root().join(sources).join(format!("nginx-{}", nginx.version));
    if !sources.is_dir() {
        return Ok(None);
    }
    ensure!(
        versions::is_version_of(&sources, &nginx.version)?,
        "{} are not the sources of nginx {}",
        sources.display(),
        nginx.version
    );
    Ok(Some(sources))
}

/// One nginx, in a root of the Debian release that packages it; any other in one of the release of this machine.
struct Trial<'a> {
    nginx: &'a Supported,
    /// Keeps what the roots start from.
    bases: &'a Path,
    /// Is /root/share in the roots.
    share: PathBuf,
}

struct Row {
    cells: Vec<String>,
    faults: Vec<String>,
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
        let nginx = match self.nginx.source {
            Source::Vendored => "tools/require.sh build test",
            Source::Debian(_) => "tools/require.sh build test nginx; export NGINX_BINARY=/usr/sbin/nginx",
            Source::Directory => "tools/require.sh build test; export NGINX_SOURCE_DIR=/root/share/nginx",
        };
        let (tested, log) = self.step("test", &format!("{KEEP_TARGET}\n{nginx}\n{TEST}"))?;
        let found = nginx_version(&log);
        let mut faults = Vec::new();
        if !tested {
            faults.push("the tests fail".to_owned());
        }
        if found != self.nginx.version {
            faults.push(format!(
                "nginx-versions.toml says {}, but it is {found}: correct the table",
                self.nginx.version
            ));
        }
        let mut cells = vec![self.nginx.name.clone(), found, test_results(&log)];
        if let Source::Debian(_) = self.nginx.source {
            let (packaged, _) = self.step("package", &format!("{KEEP_TARGET}\n{PACKAGE}"))?;
            let (installed, log) = match packaged {
                true => self.step("install", INSTALL)?,
                false => (false, String::new()),
            };
            if !packaged {
                faults.push("it cannot be packaged".to_owned());
            } else if !installed {
                faults.push("the tests of the package fail".to_owned());
            }
            // It begins where lintian has found nothing.
            let lint = log.contains("autopkgtest [");
            cells.extend([packaged, lint].map(|holds| if holds { "yes" } else { "no" }.to_owned()));
            cells.extend(PACKAGE_TESTS.iter().map(|test| package_result(&log, test)));
        } else {
            cells.extend(vec!["-".to_owned(); 2 + PACKAGE_TESTS.len()]);
        }
        Ok(Row { cells, faults })
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
        if let Source::Debian(release) = &self.nginx.source {
            command.env("RELEASE", release);
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

#[derive(Default)]
struct Table {
    rows: Vec<Vec<String>>,
    /// A line each about what is in no row.
    notes: Vec<String>,
}

impl Table {
    fn not_tried(&mut self, nginx: &Supported, why: &str) {
        self.notes
            .push(format!("{} {} was not tried: {why}", nginx.name, nginx.version));
    }

    fn text(&self) -> String {
        let mut head = vec!["nginx", "version", "tests", "package", "lintian"];
        head.extend(PACKAGE_TESTS);
        let head: Vec<String> = head.into_iter().map(str::to_owned).collect();
        let lines: Vec<&Vec<String>> = [&head].into_iter().chain(&self.rows).collect();
        let mut text = String::new();
        for line in &lines {
            for (place, cell) in line.iter().enumerate() {
                let width = lines.iter().filter_map(|line| line.get(place)).map(String::len).max();
                text.push_str(&format!("{cell:<width$}  ", width = width.unwrap_or_default()));
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        for note in &self.notes {
            text.push_str(note);
            text.push('\n');
        }
        text
    }
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
            "sid", "1.30.0", "2 passed", "yes", "yes", "pass", "skip", "pass", "pass", "pass", "pass",
        ];
        let table = Table {
            rows: vec![row.iter().map(|cell| cell.to_string()).collect()],
            notes: vec!["mainline was not tried: no sources".to_owned()],
        };
        assert_eq!(
            table.text(),
            "nginx  version  tests     package  lintian  serve  lua   upgrade  nginx-upgrade  tool  remove\n\
             sid    1.30.0   2 passed  yes      yes      pass   skip  pass     pass           pass  pass\n\
             mainline was not tried: no sources\n"
        );
    }
}
