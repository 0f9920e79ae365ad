//! From `add_header`, `map` and `if` to the directives of the module.
//!
//! `today` finds out what each location does, and the policy that says the same; `plan` decides where it is written and what
//! goes for it; `edits` changes the texts; `proof` reads them again, and follows requests through both. Whatever fails on the
//! way leaves its location as it is, with the reason, and the rest is planned anew.

mod announced;
mod edits;
mod lists;
mod plan;
mod proof;
mod reason;
#[cfg(test)]
mod tests;
mod today;
mod words;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{bail, Context, Result};

pub use self::announced::is_announced;
use self::edits::Edits;
use self::plan::{At, Draft, Planner, MOST_ATTEMPTS};
use self::proof::Flaw;
use self::today::Asked;
pub use self::write::{write, Changed};
use crate::lint;
use crate::nginx::{self, Configuration, Directive, Limits, Span};
use crate::site::{Policies, Site};

/// What becomes of a configuration.
pub struct Conversion {
    pub files: Vec<Changed>,
    pub converted: Vec<Converted>,
    pub left: Vec<Left>,
    configuration: Configuration,
}

impl Conversion {
    /// Whether an `include` of the configuration would take in a file of this name.
    pub fn would_include(&self, path: &Path) -> bool {
        self.configuration.would_include(path)
    }
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    pub file: String,
    pub line: usize,
}

/// A block that gets a policy.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Converted {
    /// Where it is written, as lines are counted before.
    #[serde(flatten)]
    pub place: Place,
    pub block: String,
    /// The locations that come under it.
    pub locations: Vec<String>,
    pub directives: Vec<String>,
    /// What is answered differently, though no fault was found in it.
    pub notes: Vec<&'static str>,
}

/// What is left as it is.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Left {
    #[serde(flatten)]
    pub place: Place,
    pub reason: String,
}

/// How a configuration is converted.
pub struct Options<'a> {
    pub prefix: Option<&'a Path>,
    /// The file of the module for `load_module`; none to leave that to others.
    pub load_module: Option<&'a str>,
    pub limits: Limits,
}

/// Converts a configuration with the files that it includes. Nothing is written.
pub fn convert(file: &Path, options: &Options<'_>) -> Result<Conversion> {
    let mut configuration = nginx::read(file, options.prefix, options.limits)?;
    let directives = std::mem::take(&mut configuration.directives);
    let site = Site::build(&directives);
    let policies = Policies::read(&site, &configuration.sources);
    let asked = Asked::new(&site, &policies);
    let mut planner = Planner::new(&asked, &configuration, &directives);
    if let Some(skipped) = configuration
        .skipped
        .iter()
        .find(|skipped| !lint::is_harmless(&configuration, skipped))
    {
        let blocks: Vec<_> = planner.converted().map(|(id, _)| id).collect();
        let named = configuration.sources.slice(skipped.span);
        let why = format!("\"{named}\" was not read, and may need what would go");
        planner.leave(plan::Conflict {
            blocks,
            reason: reason::Reason::new(skipped.span, why),
        });
    }
    let draft = proven(&mut planner, file, options)?;
    let Draft { mut edits, written } = draft;
    let sources = &configuration.sources;
    let place = |span: Span| Place {
        file: sources.name(span.file).to_owned(),
        line: sources.line(span.file, span.start),
    };
    let mut converted: Vec<Converted> = Vec::new();
    for written in &written {
        let (At::InPlaceOf(span) | At::First(span)) = written.at;
        let place = place(span);
        let locations = written.locations.iter().map(|id| planner.name(*id));
        // A file that several blocks include is changed once.
        match converted.iter_mut().find(|known| known.place == place) {
            Some(known) => known.locations.extend(locations),
            None => converted.push(Converted {
                place,
                block: planner.name(written.block),
                locations: locations.collect(),
                directives: written.lines.clone(),
                notes: planner.notes(written),
            }),
        }
    }
    if let (Some(module), false) = (options.load_module, converted.is_empty()) {
        load_module(&configuration, &directives, module, &mut edits);
    }
    let left = planner.left().into_iter().map(|reason| Left {
        place: place(reason.span),
        reason: reason.why,
    });
    let left = left.collect();
    Ok(Conversion {
        files: changed(&configuration, &edits)?,
        converted,
        left,
        configuration,
    })
}

/// A plan that does what it should. What does not fit is left as it is, until the rest does.
fn proven(planner: &mut Planner<'_, '_>, file: &Path, options: &Options<'_>) -> Result<Draft> {
    for _ in 0..MOST_ATTEMPTS {
        let draft = match planner.draft() {
            Ok(draft) => draft,
            Err(conflicts) => {
                conflicts.into_iter().for_each(|conflict| planner.leave(conflict));
                continue;
            }
        };
        if draft.written.is_empty() {
            return Ok(draft);
        }
        let flaws = proof::prove(planner, &draft, file, options.prefix, options.limits)?;
        if flaws.is_empty() {
            return Ok(draft);
        }
        for flaw in flaws {
            match flaw {
                Flaw::KeepVary(id) => planner.keep_vary(id),
                Flaw::Conflict(conflict) => planner.leave(conflict),
            }
        }
    }
    bail!("no way is found to convert a part of it within {MOST_ATTEMPTS} attempts")
}

/// Has the module loaded, where this is a whole configuration and nothing loads it yet.
fn load_module(configuration: &Configuration, directives: &[Directive], module: &str, edits: &mut Edits) {
    let mut top = directives.iter();
    let is_whole = top.any(|directive| directive.is("http"));
    let loads = |directive: &Directive| {
        directive.is("load_module")
            && directive
                .argument(0)
                .is_some_and(|file| file.contains("ngx_http_cors_module"))
    };
    let main = configuration.sources.text(0);
    // Debian's packages have files of their own there.
    if !is_whole || directives.iter().any(loads) || main.contains("modules-enabled/") {
        return;
    }
    let line = format!("load_module {module};");
    let others = directives
        .iter()
        .rfind(|directive| directive.is("load_module") && directive.span.file == 0);
    match others {
        Some(last) => edits.replace(last.span, vec![configuration.sources.slice(last.span).to_owned(), line]),
        None => edits.head(0, vec![line, String::new()]),
    }
}

/// The files with their changes, in the bytes that they have on disk.
fn changed(configuration: &Configuration, edits: &Edits) -> Result<Vec<Changed>> {
    let sources = &configuration.sources;
    let mut seen = BTreeMap::new();
    for file in 0..sources.count() {
        let path = sources.path(file).unwrap_or(Path::new(""));
        seen.entry(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
            .or_insert_with(BTreeSet::new)
            .insert(file);
    }
    let mut files = Vec::new();
    for file in edits.files() {
        let path = sources.path(file).unwrap_or(Path::new("")).to_owned();
        if seen.values().any(|same| same.len() > 1 && same.contains(&file)) {
            bail!(
                "{}: it is included by two names; name it the same everywhere",
                path.display()
            );
        }
        let before = fs::read(&path).with_context(|| path.display().to_string())?;
        if before.len() != sources.text(file).len() {
            bail!("{}: it has changed while it was looked at", path.display());
        }
        let after = edits.apply(file, &before);
        files.push(Changed { path, before, after });
    }
    Ok(files)
}
