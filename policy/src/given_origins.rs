//! The values of the directives that list origins, as they are read.

use std::rc::Rc;

use crate::credentials::AllowCredentials;
use crate::directive::Directive;
use crate::given::Report;
use crate::live_list::{name_in, LiveList};
use crate::origin::{AllowedOrigin, OriginSet};
use crate::problem::{shown, Position, Problem, ProblemKind, Severity, Warning};
use crate::risks::Risks;
use crate::rules::AllowOrigin;
use crate::syntax::Syntax;
use crate::variables::{holds_variables, source, Source};

/// A list of origins, and what has to be looked at once the other directives are known.
#[derive(Debug, Default)]
pub(crate) struct GivenOrigins<T> {
    pub list: T,
    pub checks: LaterChecks,
}

/// Values of a list that may be dangerous beside other directives.
#[derive(Debug, Default)]
pub(crate) struct LaterChecks {
    /// The dangerous values.
    pub risks: Risks,
    /// The values with variables that come neither from the server nor straight from the request.
    pub unknown: Vec<(String, Position)>,
}

/// A member of a list of origins, or a part of one, that adds nothing.
#[derive(Debug, thiserror::Error)]
enum OriginWarning {
    #[error("it is listed already; remove one")]
    Duplicate,
    #[error("{0}")]
    DeadBranch(String),
}

impl Warning for OriginWarning {
    fn what(&self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::DeadBranch(_) => "dead branch",
        }
    }
}

impl GivenOrigins<AllowOrigin> {
    /// Reads a value of `cors_allow_origin`.
    pub(crate) fn read(&mut self, value: &str, syntax: &mut impl Syntax, report: &mut Report<'_>) {
        const BESIDE: &str =
            "\"*\" admits every origin and cannot stand beside others; remove the others, or the \"*\"";
        let Self { list, checks } = self;
        if matches!(list, AllowOrigin::Nobody) && value != "*" {
            *list = AllowOrigin::Listed {
                set: OriginSet::default(),
                variables: Vec::new(),
                lists: Vec::new(),
            };
        }
        if let AllowOrigin::Listed { lists, .. } = list {
            if names_list(lists, value, syntax, report) {
                return;
            }
        }
        match list {
            AllowOrigin::Any if value == "*" => report.warning(value.as_bytes(), OriginWarning::Duplicate),
            AllowOrigin::Any => report.error(value.as_bytes(), BESIDE),
            AllowOrigin::Listed { .. } if value == "*" => report.error(value.as_bytes(), BESIDE),
            AllowOrigin::Nobody => {
                *list = AllowOrigin::Any;
                checks.risks.note(&AllowedOrigin::Any, value, report.at);
            }
            AllowOrigin::Listed { variables, .. } if holds_variables(value) => {
                match syntax.variable(value.as_bytes()) {
                    Some(variable) => {
                        variables.push(variable);
                        match source(value) {
                            // It allows whoever asks, as `*` does.
                            Source::Request => checks.risks.note(&AllowedOrigin::Any, value, report.at),
                            Source::Unknown => checks.unknown.push((value.to_owned(), report.at.clone())),
                            Source::Server => {}
                        }
                    }
                    None => report.error(value.as_bytes(), "it is no text with variables; write \"$name\""),
                }
            }
            AllowOrigin::Listed { set, .. } => match AllowedOrigin::parse(value) {
                Ok(origin) => {
                    checks.risks.note(&origin, value, report.at);
                    insert(set, origin, value, report);
                }
                Err(error) => report.error(value.as_bytes(), error),
            },
        }
    }
}

impl GivenOrigins<AllowCredentials> {
    /// Whether further lines of `cors_allow_credentials` may add to the list.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.list, AllowCredentials::For { .. })
    }

    /// Reads the values of a line of `cors_allow_credentials`.
    pub(crate) fn read(&mut self, values: &[&[u8]], syntax: &mut impl Syntax, report: &mut Report<'_>) {
        match values {
            [b"on"] => self.list = AllowCredentials::On,
            [b"off"] => self.list = AllowCredentials::Off,
            _ => {
                if !self.is_list() {
                    self.list = AllowCredentials::For {
                        set: OriginSet::default(),
                        lists: Vec::new(),
                    };
                }
                report.each(values, |value, report| self.read_origin(value, syntax, report));
            }
        }
    }

    fn read_origin(&mut self, value: &str, syntax: &mut impl Syntax, report: &mut Report<'_>) {
        let AllowCredentials::For { set, lists } = &mut self.list else {
            return;
        };
        let bytes = value.as_bytes();
        if matches!(value, "on" | "off") {
            return report.error(bytes, "it cannot stand beside origins; remove it, or the origins");
        }
        if names_list(lists, value, syntax, report) {
            return;
        }
        if holds_variables(value) {
            return report.error(
                bytes,
                "variables are evaluated in \"cors_allow_origin\" alone; write \"on\", or list origins",
            );
        }
        match AllowedOrigin::parse(value) {
            Ok(AllowedOrigin::Any) => report.error(
                bytes,
                "\"*\" would hand every site the user's credentials; write \"on\" for the origins of cors_allow_origin, or list origins",
            ),
            Ok(origin) => {
                self.checks.risks.note(&origin, value, report.at);
                insert(set, origin, value, report);
            }
            Err(_) if matches!(value, "true" | "yes" | "1") => report.error(bytes, "it is no origin; write \"on\""),
            Err(_) if matches!(value, "false" | "no" | "0") => report.error(bytes, "it is no origin; write \"off\""),
            Err(_) if bytes.iter().all(u8::is_ascii_alphabetic) => {
                report.error(bytes, "it is no origin; write \"on\" or \"off\", or list origins");
            }
            Err(error) => report.error(bytes, error),
        }
    }
}

/// Whether the value names a list that changes while the server runs. That is put to `lists` then, or reported.
fn names_list(lists: &mut Vec<Rc<LiveList>>, value: &str, syntax: &mut impl Syntax, report: &mut Report<'_>) -> bool {
    match name_in(value) {
        None => return false,
        Some(Err(error)) => report.error(value.as_bytes(), error),
        Some(Ok(name)) if lists.iter().any(|list| list.name() == name) => {
            report.warning(value.as_bytes(), OriginWarning::Duplicate);
        }
        Some(Ok(name)) => lists.push(syntax.live_list(name, report.directive, report.at)),
    }
    true
}

fn insert(set: &mut OriginSet, origin: AllowedOrigin, value: &str, report: &mut Report<'_>) {
    if let AllowedOrigin::Regex(regex) = &origin {
        for branch in &regex.findings().dead_branches {
            report.warning(value.as_bytes(), OriginWarning::DeadBranch(branch.clone()));
        }
    }
    match set.insert(origin, report.at) {
        Ok(true) => {}
        Ok(false) => report.warning(value.as_bytes(), OriginWarning::Duplicate),
        Err(_) => report.error(value.as_bytes(), "the list holds 4 GiB already; use patterns"),
    }
}

/// Makes a list ready for requests, and warns about members that add nothing.
pub(crate) fn complete(set: &mut OriginSet, directive: Directive, at: &Position) -> Vec<Problem> {
    let mut problems = Vec::new();
    let kind = |severity, what| ProblemKind {
        severity,
        directive: directive.name(),
        what,
    };
    if let Err(error) = set.complete() {
        let text = format!("\"{}\" takes too much of each request: {error}", directive.name());
        problems.push(Problem::new(kind(Severity::Error, ""), at, text));
    }
    let mut covered: Vec<_> = set.covered().collect();
    covered.sort_by(|(_, one, _), (_, other, _)| one.cmp(other));
    for (member, place, pattern) in covered {
        let text = format!(
            "\"{}\" has the value \"{}\": \"{pattern}\" covers it; remove one",
            directive.name(),
            shown(member.as_bytes()),
        );
        let at = place.as_ref().unwrap_or(at);
        problems.push(Problem::new(kind(Severity::Warning, "covered"), at, text));
    }
    problems
}
