//! For programs.

use serde::Serialize;

use super::linted::{severity, Linted, PAGE};
use crate::lint::{Fault, Finding, Severity};
use crate::nginx::{Sources, Span};

/// The document.
#[derive(Serialize)]
pub struct Report<'a> {
    findings: Vec<Told<'a>>,
    /// How many files were looked at.
    files: usize,
}

#[derive(Serialize)]
struct Told<'a> {
    id: &'static str,
    severity: Severity,
    title: &'static str,
    #[serde(flatten)]
    at: At<'a>,
    /// The line as it stands.
    text: &'a str,
    message: &'a str,
    why: &'static str,
    request: Option<&'a str>,
    remedy: Option<&'a str>,
    related: Vec<Related<'a>>,
    documentation: String,
}

#[derive(Serialize)]
struct At<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct Related<'a> {
    #[serde(flatten)]
    at: At<'a>,
    message: &'a str,
}

pub fn report<'a>(linted: &'a [Linted], denied: &[&'static Fault]) -> Report<'a> {
    let mut findings = Vec::new();
    for Linted {
        configuration,
        findings: found,
    } in linted
    {
        findings.extend(
            found
                .iter()
                .map(|finding| told(&configuration.sources, finding, denied)),
        );
    }
    Report {
        findings,
        files: linted.iter().map(|linted| linted.configuration.sources.count()).sum(),
    }
}

fn told<'a>(sources: &'a Sources, finding: &'a Finding, denied: &[&'static Fault]) -> Told<'a> {
    let at = at(sources, finding.span);
    Told {
        id: finding.fault.id,
        severity: severity(finding, denied),
        title: finding.fault.title,
        text: sources.line_text(finding.span.file, at.line).trim(),
        at,
        message: &finding.message,
        why: finding.fault.why,
        request: finding.request.as_deref(),
        remedy: finding.remedy.as_deref(),
        related: finding
            .related
            .iter()
            .map(|(span, message)| Related {
                at: self::at(sources, *span),
                message,
            })
            .collect(),
        documentation: format!("{PAGE}#{}", finding.fault.id),
    }
}

fn at(sources: &Sources, span: Span) -> At<'_> {
    let place = sources.place(span);
    At {
        file: sources.name(span.file),
        line: place.line,
        column: place.column,
    }
}
