//! `nginx-cors convert`: from the headers of a configuration to the directives of the module.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{bail, Result};
use serde::Serialize;
use similar::TextDiff;

use crate::convert::{self, Changed, Conversion, Converted, Left, Options};
use crate::diff::{Difference, Side};
use crate::diff_command::{self, Trial};
use crate::import;
use crate::lint;
use crate::nginx::{self, Limits};
use crate::outcome::Outcome;
use crate::output::{self, counted, Format, Report};

/// Write the directives of the module that do what a configuration does today.
///
/// Reads an nginx configuration with the files that it includes, finds out what each location answers to pages of allowed
/// origins, to strangers and to preflights, and writes the cors_* directives that say so in the place of "add_header", "map"
/// and "if". Comments and layout stay. What cannot be said, or would be dangerous, is left as it is, with the reason:
/// docs/convert.md has the rules.
///
/// Shows a diff, and changes nothing unless --write is given.
///
/// Objects of Kubernetes and files of other gateways (*.yaml, *.json, *.toml, "-" for standard input, or a directory) become
/// blocks for a configuration of nginx, on standard output.
#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 if nothing was left as it is, 1 if something was, 2 if the command could not run.

Examples:
  nginx-cors convert /etc/nginx/nginx.conf
  nginx-cors convert --verify --nginx /usr/sbin/nginx --write /etc/nginx/nginx.conf
  nginx-cors convert --prefix /etc/nginx sites/shop.conf | patch -p0
  kubectl get ingress -A -o yaml | nginx-cors convert -"
)]
pub struct Arguments {
    /// A configuration, or a file that one includes; or documents of other gateways.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The directory to which the names of included files belong; that of FILE unless it is given.
    #[arg(short, long, value_name = "DIRECTORY")]
    prefix: Option<PathBuf>,
    /// Change the files. What each of them was stays beside it, as FILE.bak.
    #[arg(short, long)]
    write: bool,
    /// Text for people, with a diff, or JSON.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// The file of the module, for the "load_module" that a whole configuration gets.
    #[arg(long, value_name = "FILE", default_value = "modules/ngx_http_cors_module.so")]
    load_module: String,
    /// Write no "load_module": the module is loaded elsewhere.
    #[arg(long, conflicts_with = "load_module")]
    no_load_module: bool,
    /// For documents of other gateways: write snippets for NGINX Gateway Fabric and F5's NGINX Ingress Controller, in the place of
    /// blocks.
    #[arg(long)]
    snippets: bool,
    /// Start both on loopback, as "nginx-cors diff" does, and write nothing if more is different than what was found says.
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    trial: Trial,
}

/// Converts, and says what was done.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    if arguments.files.iter().any(|file| import::is_ours(file)) {
        return import(arguments);
    }
    if arguments.snippets {
        bail!("--snippets is for documents of other gateways: *.yaml, *.json, *.toml, \"-\" or a directory");
    }
    let options = Options {
        prefix: arguments.prefix.as_deref(),
        load_module: (!arguments.no_load_module).then_some(arguments.load_module.as_str()),
        limits: Limits::default(),
    };
    let mut told = Told::default();
    for file in &arguments.files {
        let conversion = convert::convert(file, &options)?;
        let verified = match arguments.verify && !conversion.files.is_empty() {
            true => Some(verify(file, &conversion, arguments)?),
            false => None,
        };
        let is_right = verified.as_ref().is_none_or(|verified| verified.others.is_empty());
        for changed in &conversion.files {
            told.diff.extend(diff(changed)?);
            let backup = match arguments.write && is_right {
                true => Some(convert::write(changed, |name| conversion.would_include(name))?),
                false => None,
            };
            told.files.push(File {
                file: changed.path.display().to_string(),
                backup: backup.map(|backup| backup.display().to_string()),
            });
        }
        let Conversion { converted, left, .. } = conversion;
        told.converted.extend(converted);
        told.left.extend(left);
        told.verified.extend(verified);
    }
    output::print(&told, arguments.format)?;
    if arguments.format == Format::Text {
        told.summarise()?;
    }
    if told.verified.iter().any(|verified| !verified.others.is_empty()) {
        bail!("more is answered differently than what was found says; nothing was written of that configuration");
    }
    Ok(match told.left.is_empty() {
        true => Outcome::NothingFound,
        false => Outcome::Found,
    })
}

/// Makes policies of what other gateways say.
fn import(arguments: &Arguments) -> Result<Outcome> {
    if let Some(other) = arguments.files.iter().find(|file| !import::is_ours(file)) {
        bail!("{}: convert configurations of nginx by themselves", other.display());
    }
    if arguments.write || arguments.verify {
        bail!("--write and --verify are for configurations of nginx: nothing is changed here");
    }
    let imported = import::import(&arguments.files)?;
    let mut out = io::stderr().lock();
    for left in &imported.left {
        writeln!(
            out,
            "{}:{}: {}: left: {}",
            left.file, left.line, left.object, left.reason
        )?;
    }
    drop(out);
    let outcome = match imported.left.is_empty() {
        true => Outcome::NothingFound,
        false => Outcome::Found,
    };
    match arguments.snippets {
        true => output::print(&import::Snippets(imported), arguments.format)?,
        false => output::print(&imported, arguments.format)?,
    }
    Ok(outcome)
}

/// What was done, and what was left.
#[derive(Default, Serialize)]
struct Told {
    converted: Vec<Converted>,
    left: Vec<Left>,
    files: Vec<File>,
    #[serde(serialize_with = "as_text")]
    diff: Vec<u8>,
    /// For each configuration that was tried before and after.
    verified: Vec<Verified>,
}

/// A file that is changed.
#[derive(Serialize)]
struct File {
    file: String,
    /// What it was, once it is written.
    backup: Option<String>,
}

/// What is answered differently once it is converted.
#[derive(Serialize)]
struct Verified {
    requests: usize,
    /// What the faults that were found announce, and the notes.
    announced: Vec<Difference>,
    others: Vec<Difference>,
}

fn as_text<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}

/// Tries a configuration before and after.
fn verify(file: &Path, conversion: &Conversion, arguments: &Arguments) -> Result<Verified> {
    let prefix = arguments.prefix.as_deref();
    let faults = lint::faults_of(file, prefix, Limits::default())?;
    let faults: Vec<_> = faults.iter().map(|fault| fault.id).collect();
    let notes: Vec<_> = conversion
        .converted
        .iter()
        .flat_map(|converted| converted.notes.iter().copied())
        .collect();
    let texts: HashMap<_, _> = conversion
        .files
        .iter()
        .map(|changed| {
            // Carriage returns are spaces for nginx.
            let text = String::from_utf8_lossy(&changed.after).replace('\r', " ");
            (changed.path.clone(), text)
        })
        .collect();
    let old = Side::read(file, prefix, Limits::default())?;
    let new = Side::new(file, prefix, nginx::read_with(file, prefix, Limits::default(), texts)?)?;
    let compared = arguments.trial.run(&old, &new)?;
    let names = || faults.iter().copied().chain(notes.iter().copied());
    let (announced, others) = compared
        .differences
        .into_iter()
        .partition(|difference| convert::is_announced(difference, names()));
    Ok(Verified {
        requests: compared.requests,
        announced,
        others,
    })
}

impl Report for Told {
    /// The diff alone, so that `patch` can have it.
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.diff)
    }
}

impl Told {
    /// Tells on the side what the diff does not show.
    fn summarise(&self) -> io::Result<()> {
        let mut out = io::stderr().lock();
        for Left { place, reason } in &self.left {
            writeln!(out, "{}:{}: left as it is: {reason}", place.file, place.line)?;
        }
        for converted in &self.converted {
            for note in &converted.notes {
                let place = &converted.place;
                writeln!(out, "{}:{}: note: {note}", place.file, place.line)?;
            }
        }
        for verified in &self.verified {
            writeln!(
                out,
                "tried before and after with {}: {} as what was found says",
                counted(verified.requests, "request", "requests"),
                counted(verified.announced.len(), "difference", "differences"),
            )?;
            diff_command::write_differences(&verified.announced, &mut out)?;
            if !verified.others.is_empty() {
                writeln!(out, "and {}:", counted(verified.others.len(), "other", "others"))?;
                diff_command::write_differences(&verified.others, &mut out)?;
            }
        }
        for File { file, backup } in &self.files {
            if let Some(backup) = backup {
                writeln!(out, "{file}: written; {backup} has what it was")?;
            }
        }
        let policies = self.converted.iter();
        let policies = policies.filter(|converted| !converted.locations.is_empty()).count();
        writeln!(
            out,
            "{} in {}, {} left as {}",
            counted(policies, "policy", "policies"),
            counted(self.files.len(), "file", "files"),
            counted(self.left.len(), "place", "places"),
            if self.left.len() == 1 { "it is" } else { "they are" },
        )
    }
}

/// A unified diff of a file.
fn diff(changed: &Changed) -> Result<Vec<u8>> {
    let name = changed.path.display().to_string();
    let lines = TextDiff::from_lines(&changed.before[..], &changed.after[..]);
    let mut text = Vec::new();
    lines
        .unified_diff()
        .context_radius(3)
        .header(&name, &name)
        .to_writer(&mut text)?;
    Ok(text)
}
