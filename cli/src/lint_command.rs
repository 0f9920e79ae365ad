//! `nginx-cors lint`: the CORS faults of an nginx configuration.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{bail, Result};

use crate::lint::{self, faults, Fault, Severity};
use crate::nginx::Limits;
use crate::outcome::Outcome;
use crate::report::{self, Format, Linted};

/// Find the CORS faults of an nginx configuration.
///
/// Reads a configuration with the files that it includes, and says which answers browsers, caches and strangers get by it:
/// from "add_header" in a "map" or an "if", and from the cors_* directives of the module. Each fault has an identifier, the
/// line, why, a request that shows it, and what to write instead. docs/lint.md has a page on each.
///
/// A comment "# nginx-cors: allow IDENTIFIER" at the end of a line, or alone above it, allows a fault there.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  nginx-cors lint /etc/nginx/nginx.conf
  nginx-cors lint --prefix /etc/nginx sites/shop.conf
  nginx-cors lint --format sarif nginx.conf > nginx-cors.sarif
  nginx-cors lint --level warning --deny security-headers-lost nginx.conf")]
pub struct Arguments {
    /// A configuration, or a file that one includes.
    #[arg(value_name = "FILE", required_unless_present = "explain")]
    files: Vec<PathBuf>,
    /// The directory to which the names of included files belong; that of FILE unless it is given.
    #[arg(short, long, value_name = "DIRECTORY")]
    prefix: Option<PathBuf>,
    /// Text for people, JSON, or SARIF 2.1.0 for code scanning.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Leave out what is less bad.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = Severity::Note)]
    level: Severity,
    /// Leave this fault out.
    #[arg(long, value_name = "IDENTIFIER")]
    allow: Vec<String>,
    /// Take this fault for an error, whatever --level says.
    #[arg(long, value_name = "IDENTIFIER")]
    deny: Vec<String>,
    /// Tell of a fault: what it is, lines that have it, and the same without it.
    #[arg(long, value_name = "IDENTIFIER")]
    explain: Option<String>,
}

/// Looks for faults.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    if let Some(id) = &arguments.explain {
        for fault in known(std::slice::from_ref(id))? {
            writeln!(io::stdout(), "{}", explained(fault))?;
        }
        return Ok(Outcome::NothingFound);
    }
    let allowed = known(&arguments.allow)?;
    let denied = known(&arguments.deny)?;
    let mut linted = Vec::new();
    for file in &arguments.files {
        let (configuration, findings) = lint::lint(file, arguments.prefix.as_deref(), Limits::default())?;
        let findings = findings.into_iter().filter(|finding| {
            let is_denied = denied.contains(&finding.fault);
            !allowed.contains(&finding.fault) && (is_denied || finding.fault.severity >= arguments.level)
        });
        linted.push(Linted {
            findings: findings.collect(),
            configuration,
        });
    }
    report::print(&linted, &denied, arguments.format)?;
    Ok(match linted.iter().all(|linted| linted.findings.is_empty()) {
        true => Outcome::NothingFound,
        false => Outcome::Found,
    })
}

/// What is told of a fault.
fn explained(fault: &Fault) -> String {
    let indented = |lines: &str| lines.lines().map(|line| format!("    {line}\n")).collect::<String>();
    format!(
        "{}: {} ({})\n\n{}\n\nWith it:\n\n{}\nWithout it:\n\n{}",
        fault.id,
        fault.title,
        fault.severity,
        fault.why,
        indented(fault.broken),
        indented(fault.mended)
    )
}

/// The faults of these identifiers.
fn known(ids: &[String]) -> Result<Vec<&'static Fault>> {
    let mut found = Vec::new();
    for id in ids {
        let Some(fault) = Fault::find(id) else {
            let names = faults::ALL.iter().map(|fault| fault.id);
            let nearest = names
                .min_by_key(|name| strsim::osa_distance(name, id))
                .unwrap_or_default();
            bail!("there is no fault \"{id}\"; \"{nearest}\" is the nearest, and docs/lint.md lists them all");
        };
        found.push(fault);
    }
    Ok(found)
}
