//! Two configurations side by side: both are started on loopback, with all that is real replaced, and asked the same.
//!
//! `treatment` says what becomes of each directive, and `stage` writes a configuration anew by that; `trial` starts nginx and
//! ends it; `application` stands in for the applications; `questions` finds out what to ask, `client` asks, and `ask` compares
//! what browsers and caches make of the answers.

mod application;
mod ask;
mod client;
mod questions;
mod stage;
mod treatment;
mod trial;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, Context, Result};

pub use self::ask::{Change, Compared, Difference, Patience, What};
use self::ask::{Comparison, Served};
use self::questions::{authentication, header_names, targets, Origins, Target};
use self::stage::{stage, Stage, Staged, PASSWORDS};
use self::trial::Trials;
use crate::nginx::{self, Configuration, Directive, Limits};
use crate::site::Site;

/// One of the configurations.
pub struct Side {
    /// As messages name it.
    pub name: PathBuf,
    pub configuration: Configuration,
    pub directives: Vec<Directive>,
    /// To where relative names of files belong.
    pub files: PathBuf,
}

impl Side {
    pub fn read(file: &Path, prefix: Option<&Path>, limits: Limits) -> Result<Self> {
        Self::new(file, prefix, nginx::read(file, prefix, limits)?)
    }

    /// A configuration that was read, perhaps with changes that are not written.
    pub fn new(file: &Path, prefix: Option<&Path>, mut configuration: Configuration) -> Result<Self> {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        let files = prefix.or(parent).unwrap_or(Path::new("."));
        let directives = std::mem::take(&mut configuration.directives);
        Ok(Self {
            name: file.to_owned(),
            files: fs::canonicalize(files).with_context(|| files.display().to_string())?,
            configuration,
            directives,
        })
    }
}

/// The nginx that both are started with.
pub struct Binary<'a> {
    pub nginx: &'a Path,
    /// The module, in the place of the one that the configurations load.
    pub module: Option<&'a Path>,
}

/// How long nginx may take to start, or to check a configuration.
const START: Duration = Duration::from_secs(30);

/// Starts both, and asks them.
pub fn diff(old: &Side, new: &Side, binary: &Binary<'_>, patience: Patience) -> Result<Compared> {
    let (trials, _guard) = Trials::begin()?;
    let sites = [old, new].map(|side| Site::build(&side.directives));
    let mut places: BTreeSet<Target> = BTreeSet::new();
    let mut origins = Origins::default();
    let mut names = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for (site, side) in sites.iter().zip([old, new]) {
        places.extend(targets(site));
        origins.add(site, &side.directives);
        header_names(site, &side.directives, &mut names);
        asked.extend(authentication(&side.directives));
    }
    let places: Vec<_> = places.into_iter().collect();
    let directory = trials.directory()?;
    let missing = modules_left_out(&trials, binary, &directory)?;
    let socket = directory.join("application");
    application::serve(&socket, asked)?;
    let mut staged = Vec::new();
    // Nothing is started before it is clear that both can be.
    for (number, side) in [old, new].into_iter().enumerate() {
        let prefix = directory.join(number.to_string());
        let on_stage = stage(
            &side.configuration,
            &side.directives,
            &Stage {
                prefix: &prefix,
                application: &socket,
                module: binary.module,
                missing: &missing,
                files: &side.files,
            },
        )?;
        furnish(&prefix, &places, &on_stage.text)?;
        staged.push((side, prefix, on_stage));
    }
    for (side, prefix, on_stage) in &staged {
        check(&trials, binary, side, prefix, on_stage)?;
    }
    for (side, prefix, on_stage) in &staged {
        start(&trials, binary, side, prefix, on_stage)?;
    }
    let [(.., old_staged), (.., new_staged)] = &staged[..] else {
        bail!("two configurations are compared");
    };
    Comparison {
        old: Served {
            sockets: &old_staged.sockets,
            name: &old.name,
        },
        new: Served {
            sockets: &new_staged.sockets,
            name: &new.name,
        },
        origins: origins.finish(),
        header_names: names,
        patience,
    }
    .run(&places)
}

/// The modules of nginx that this one was built without.
fn modules_left_out(trials: &Trials, binary: &Binary<'_>, directory: &Path) -> Result<Vec<String>> {
    let mut command = Command::new(binary.nginx);
    command.arg("-V");
    let (_, said) = trials.run(command, &directory.join("version"), START)?;
    if !said.contains("configure arguments") {
        bail!("{} is no nginx", binary.nginx.display());
    }
    let words = said.split_whitespace();
    let names = words.filter_map(|word| word.strip_prefix("--without-http_")?.strip_suffix("_module"));
    Ok(names.map(str::to_owned).collect())
}

/// Puts the files of a trial into its prefix.
fn furnish(prefix: &Path, places: &[Target], text: &str) -> Result<()> {
    let write = |name: &Path, content: &[u8]| -> Result<()> {
        let path = prefix.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        }
        fs::write(&path, content).with_context(|| path.display().to_string())
    };
    write(Path::new("nginx.conf"), text.as_bytes())?;
    write(Path::new("passwords"), PASSWORDS.as_bytes())?;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).context("no certificate can be made")?;
    write(Path::new("certificate.pem"), made.cert.pem().as_bytes())?;
    write(
        Path::new("certificate.key"),
        made.signing_key.serialize_pem().as_bytes(),
    )?;
    write(Path::new("files/index.html"), b"stand-in\n")?;
    for place in places {
        let steps: Vec<_> = place.path.split('/').filter(|step| !step.is_empty()).collect();
        if steps.iter().any(|step| *step == ".." || step.contains('\0')) {
            continue;
        }
        let mut file = Path::new("files").join(steps.join("/"));
        if place.path.ends_with('/') {
            file.push("index.html");
        }
        // One place may be a directory of another.
        let _ = write(&file, b"stand-in\n");
    }
    Ok(())
}

/// A call of nginx for a trial.
fn command(binary: &Binary<'_>, prefix: &Path) -> Command {
    let mut command = Command::new(binary.nginx);
    command.arg("-p").arg(prefix).arg("-c").arg(prefix.join("nginx.conf"));
    command.arg("-e").arg(prefix.join("error.log"));
    command
}

fn check(trials: &Trials, binary: &Binary<'_>, side: &Side, prefix: &Path, staged: &Staged) -> Result<()> {
    let mut command = command(binary, prefix);
    command.arg("-t");
    let (status, said) = trials.run(command, &prefix.join("output"), START)?;
    if !status.success() {
        bail!(
            "{}: nginx refuses it: {}",
            side.name.display(),
            placed(&said, side, prefix, staged)
        );
    }
    Ok(())
}

fn start(trials: &Trials, binary: &Binary<'_>, side: &Side, prefix: &Path, staged: &Staged) -> Result<()> {
    let sockets: Vec<_> = staged.sockets.values().map(|socket| socket.path.as_path()).collect();
    trials
        .serve(command(binary, prefix), &prefix.join("output"), &sockets, START)
        .with_context(|| side.name.display().to_string())
}

/// What nginx says, with the places of the user's files.
fn placed(said: &str, side: &Side, prefix: &Path, staged: &Staged) -> String {
    let file = format!("{}/nginx.conf:", prefix.display());
    let sources = &side.configuration.sources;
    let lines = said.lines().filter(|line| line.contains("[emerg]"));
    let told = lines.map(|line| {
        let message = line.split("[emerg] ").nth(1).unwrap_or(line);
        let number = message.rsplit_once(&file).and_then(|(before, number)| {
            let span = staged.origin_of(number.trim().parse().ok()?)?;
            let place = format!("{}:{}", sources.name(span.file), sources.line(span.file, span.start));
            Some(format!("{before}{place}"))
        });
        let told = number.unwrap_or_else(|| message.to_owned());
        match told.contains("unknown directive") {
            true => format!("{told}; the module that has it is not in this nginx, or is not loaded"),
            false => told,
        }
    });
    told.collect::<Vec<_>>().join("; ")
}
