//! For programs.

use serde::Serialize;

use super::audited::{Audited, PAGE};
use crate::audit::{Conclusion, Finding};
use crate::lint::Severity;

/// The document.
#[derive(Serialize)]
pub struct Report<'a> {
    url: String,
    origins: &'a [String],
    /// How many were asked.
    requests: usize,
    findings: Vec<Told<'a>>,
    checks: Vec<Checked>,
}

#[derive(Serialize)]
struct Told<'a> {
    id: &'static str,
    severity: Severity,
    title: &'static str,
    method: &'a str,
    url: String,
    message: &'a str,
    /// How many more answers for this path have the fault.
    others: usize,
    why: &'static str,
    request: String,
    /// The answer's status and headers; none if there was no answer.
    response: Option<String>,
    remedy: &'static str,
    documentation: String,
}

#[derive(Serialize)]
struct Checked {
    id: &'static str,
    severity: Severity,
    result: &'static str,
    reason: Option<&'static str>,
}

pub fn report(audited: &Audited) -> Report<'_> {
    let subject = &audited.recording.subject;
    let mut findings = Vec::new();
    let mut checks = Vec::new();
    for (check, conclusion) in &audited.judged {
        let (result, reason) = match conclusion {
            Conclusion::Passed => ("passed", None),
            Conclusion::NotApplicable(why) => ("not_applicable", Some(*why)),
            Conclusion::Found(found) => {
                findings.extend(found.iter().map(|finding| told(audited, finding)));
                ("found", None)
            }
        };
        checks.push(Checked {
            id: check.id,
            severity: check.severity,
            result,
            reason,
        });
    }
    Report {
        url: subject.url(subject.targets.first().map_or("", String::as_str)),
        origins: &subject.origins,
        requests: audited.count(),
        findings,
        checks,
    }
}

fn told<'a>(audited: &Audited, finding: &'a Finding) -> Told<'a> {
    let exchange = &finding.exchange;
    Told {
        id: finding.check.id,
        severity: finding.check.severity,
        title: finding.check.title,
        method: &exchange.request.method,
        url: audited.url(exchange),
        message: &finding.message,
        others: finding.others,
        why: finding.check.why,
        request: audited.curl(exchange),
        response: exchange.response().map(|response| response.head()),
        remedy: finding.check.remedy,
        documentation: format!("{PAGE}#{}", finding.check.id),
    }
}
