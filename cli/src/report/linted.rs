//! What is reported.

use crate::lint::{Fault, Finding, Severity};
use crate::nginx::Configuration;

/// A configuration, and what was found in it.
pub struct Linted {
    pub configuration: Configuration,
    pub findings: Vec<Finding>,
}

/// The page that has a chapter on each fault.
pub const PAGE: &str = "docs/lint.md";

/// The severity of a finding; `denied` are errors.
pub fn severity(finding: &Finding, denied: &[&'static Fault]) -> Severity {
    match denied.contains(&finding.fault) {
        true => Severity::Error,
        false => finding.fault.severity,
    }
}
