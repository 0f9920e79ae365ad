//! For code scanning: the address that was asked stands for the file.

use serde_sarif::sarif;

use super::audited::{Audited, PAGE};
use crate::audit::{self, Conclusion, Finding};
use crate::report::sarif::{document, level, rule};

pub fn report(audited: &Audited) -> sarif::Sarif {
    let rules = audit::ALL
        .iter()
        .map(|check| rule(check.id, check.title, check.why, PAGE));
    let mut results = Vec::new();
    for (_, conclusion) in &audited.judged {
        if let Conclusion::Found(findings) = conclusion {
            results.extend(findings.iter().map(|finding| result(audited, finding)));
        }
    }
    document(rules.collect(), results)
}

fn result(audited: &Audited, finding: &Finding) -> sarif::Result {
    let check = finding.check;
    let request = &finding.exchange.request;
    let message = format!(
        "{} {}: {}\n\nTry: {}\n\nRemedy: {}",
        request.method,
        request.target,
        finding.message,
        audited.curl(&finding.exchange),
        check.remedy
    );
    let index = audit::ALL.iter().position(|other| *other == check);
    let artifact = sarif::ArtifactLocation::builder()
        .uri(audited.url(&finding.exchange))
        .build();
    let physical = sarif::PhysicalLocation::builder().artifact_location(artifact).build();
    let location = sarif::Location::builder().physical_location(physical).build();
    sarif::Result::builder()
        .rule_id(check.id)
        .rule_index(index.and_then(|index| i64::try_from(index).ok()).unwrap_or(-1))
        .level(level(check.severity))
        .message(sarif::Message::builder().text(message).build())
        .locations(vec![location])
        .build()
}
