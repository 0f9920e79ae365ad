//! The faults, and the looking for them: a file for each family.

mod allows;
#[cfg(test)]
mod book;
pub mod faults;
mod finding;
mod origins;
mod policies;
mod preflights;
mod responses;
mod survey;
mod values;

use std::path::Path;

use anyhow::Result;

pub use self::faults::{Fault, Severity};
pub use self::finding::Finding;
use self::finding::Findings;
pub use self::responses::SECURITY;
use self::survey::Survey;
use crate::nginx::{self, Configuration, Limits, Skipped};
use crate::site::{Policies, Site};

/// Looks for the faults of one configuration.
pub fn lint(file: &Path, prefix: Option<&Path>, limits: Limits) -> Result<(Configuration, Vec<Finding>)> {
    let (configuration, findings) = look(file, prefix, limits)?;
    let findings = allows::apply(&configuration, findings);
    Ok((configuration, findings))
}

/// The faults of one configuration, also those that comments allow.
pub fn faults_of(file: &Path, prefix: Option<&Path>, limits: Limits) -> Result<Vec<&'static Fault>> {
    let (_, findings) = look(file, prefix, limits)?;
    Ok(findings.sorted().iter().map(|finding| finding.fault).collect())
}

fn look(file: &Path, prefix: Option<&Path>, limits: Limits) -> Result<(Configuration, Findings)> {
    let mut configuration = nginx::read(file, prefix, limits)?;
    let directives = std::mem::take(&mut configuration.directives);
    let site = Site::build(&directives);
    let policies = Policies::read(&site, &configuration.sources);
    let survey = Survey::new(&configuration, &site, &policies);
    origins::check(&survey);
    values::check(&survey);
    responses::check(&survey);
    preflights::check(&survey);
    policies::check(&survey);
    not_read(&survey);
    let findings = survey.findings.take();
    Ok((configuration, findings))
}

/// Included files that hold nothing of CORS, and come with nginx.
const HARMLESS: [&str; 8] = [
    "mime.types",
    "fastcgi_params",
    "fastcgi.conf",
    "uwsgi_params",
    "scgi_params",
    "koi-utf",
    "koi-win",
    "win-utf",
];

/// Whether a file that was not read holds nothing of CORS.
pub fn is_harmless(configuration: &Configuration, skipped: &Skipped) -> bool {
    let named = configuration.sources.slice(skipped.span).trim_matches(['"', '\'']);
    let name = named.rsplit('/').next().unwrap_or_default();
    HARMLESS.contains(&name)
}

fn not_read(survey: &Survey<'_, '_>) {
    for skipped in &survey.configuration.skipped {
        if !is_harmless(survey.configuration, skipped) {
            let finding = Finding::new(&faults::INCLUDE_NOT_READ, skipped.span, skipped.why.clone());
            survey.add(finding.remedy(
                "name the directory to which it belongs with --prefix, or leave it out with --allow include-not-read",
            ));
        }
    }
}
