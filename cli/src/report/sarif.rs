//! For code scanning: the Static Analysis Results Interchange Format, version 2.1.0.

use serde_sarif::sarif;

use super::linted::{severity, Linted, PAGE};
use crate::lint::{faults, Fault, Finding, Severity};
use crate::nginx::{Sources, Span};

pub fn report(linted: &[Linted], denied: &[&'static Fault]) -> sarif::Sarif {
    let rules = faults::ALL
        .iter()
        .map(|fault| rule(fault.id, fault.title, fault.why, PAGE));
    let mut results = Vec::new();
    for Linted {
        configuration,
        findings,
    } in linted
    {
        results.extend(
            findings
                .iter()
                .map(|finding| result(&configuration.sources, finding, denied)),
        );
    }
    document(rules.collect(), results)
}

/// A run of this tool.
pub fn document(rules: Vec<sarif::ReportingDescriptor>, results: Vec<sarif::Result>) -> sarif::Sarif {
    let driver = sarif::ToolComponent::builder()
        .name("nginx-cors")
        .version(env!("CARGO_PKG_VERSION"))
        .rules(rules)
        .build();
    let run = sarif::Run::builder()
        .tool(sarif::Tool::builder().driver(driver).build())
        .column_kind(serde_json::json!("unicodeCodePoints"))
        .results(results)
        .build();
    sarif::Sarif::builder()
        .version(serde_json::json!("2.1.0"))
        .schema("https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json")
        .runs(vec![run])
        .build()
}

/// What a fault is, with a chapter of `page` on it.
pub fn rule(id: &str, title: &str, why: &str, page: &str) -> sarif::ReportingDescriptor {
    sarif::ReportingDescriptor::builder()
        .id(id)
        .short_description(text(title))
        .full_description(text(why))
        .help(text(&format!("{why}\n\nSee {page}#{id}")))
        .build()
}

fn text(text: &str) -> sarif::MultiformatMessageString {
    sarif::MultiformatMessageString::builder().text(text).build()
}

pub fn level(severity: Severity) -> sarif::ResultLevel {
    match severity {
        Severity::Error => sarif::ResultLevel::Error,
        Severity::Warning => sarif::ResultLevel::Warning,
        Severity::Note => sarif::ResultLevel::Note,
    }
}

fn result(sources: &Sources, finding: &Finding, denied: &[&'static Fault]) -> sarif::Result {
    let mut message = finding.message.clone();
    if let Some(request) = &finding.request {
        message += &format!("\n\nTry: {request}");
    }
    if let Some(remedy) = &finding.remedy {
        message += &format!("\n\nRemedy: {remedy}");
    }
    let index = faults::ALL.iter().position(|fault| fault.id == finding.fault.id);
    let related = finding.related.iter();
    let related = related.map(|(span, what)| {
        let mut location = location(sources, *span);
        location.message = Some(sarif::Message::builder().text(what.as_str()).build());
        location
    });
    sarif::Result::builder()
        .rule_id(finding.fault.id)
        .rule_index(index.and_then(|index| i64::try_from(index).ok()).unwrap_or(-1))
        .level(level(severity(finding, denied)))
        .message(sarif::Message::builder().text(message).build())
        .locations(vec![location(sources, finding.span)])
        .related_locations(related.collect::<Vec<_>>())
        .build()
}

fn location(sources: &Sources, span: Span) -> sarif::Location {
    let place = sources.place(span);
    let end = sources.place(Span {
        start: span.end,
        ..span
    });
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let region = sarif::Region::builder()
        .start_line(number(place.line))
        .start_column(number(place.column))
        .end_line(number(end.line))
        .end_column(number(end.column))
        .build();
    let artifact = sarif::ArtifactLocation::builder().uri(sources.name(span.file)).build();
    let physical = sarif::PhysicalLocation::builder()
        .artifact_location(artifact)
        .region(region)
        .build();
    sarif::Location::builder().physical_location(physical).build()
}
