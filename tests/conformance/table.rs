//! `docs/conformance.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::peer::Peer;

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// With what was wrong.
    Failed(String),
}

impl Outcome {
    fn mark(outcome: Option<&Self>) -> &'static str {
        match outcome {
            Some(Self::Passed) => "✓",
            Some(Self::Failed(_)) => "✗",
            None => "–",
        }
    }
}

/// What came of all cases at a peer.
pub struct Results {
    pub peer: &'static Peer,
    pub of_gateway_api: Vec<(&'static str, Outcome)>,
    /// By the identifiers of the checks; without those that had nothing to look at.
    pub of_audit: BTreeMap<String, Outcome>,
}

impl Results {
    pub fn new(peer: &'static Peer) -> Self {
        Self {
            peer,
            of_gateway_api: Vec::new(),
            of_audit: BTreeMap::new(),
        }
    }

    /// The cases that it fails, with what is wrong.
    pub fn failed(&self) -> Vec<(&str, &str)> {
        let of_gateway_api = self.of_gateway_api.iter().map(|(name, outcome)| (*name, outcome));
        let of_audit = self.of_audit.iter().map(|(id, outcome)| (id.as_str(), outcome));
        of_gateway_api
            .chain(of_audit)
            .filter_map(|(name, outcome)| match outcome {
                Outcome::Failed(why) => Some((name, why.as_str())),
                Outcome::Passed => None,
            })
            .collect()
    }
}

const HEAD: &str = "# Conformance of CORS at a gateway

Whoever passes requests on for an application can answer for it what CORS asks. This is a suite of cases for that, and how seven
ways to do it in nginx and one in HAProxy fare: those of Gateway API's own conformance test, and the checks of
[`nginx-cors audit`](audit.md), which are stricter: they look at caches, at errors, and at origins that resemble the allowed ones.

Each gateway has the policies of Gateway API's test: two origins, one of them a pattern, with credentials and lists; one origin
with every method; every origin; and every origin with credentials. Their configurations are in `tests/conformance/peers`:
those of controllers are written after their templates, with the version in the first line, the others as they are commonly
written, with the right origins. Behind them is an application that sends headers of its own on one path, and does not answer
on another; one path needs a password.

`make conformance` runs all cases on this machine, with Debian's nginx and packages, and compares: it fails if this module fails
a case, or if anything below has changed. `UPDATE_DOCS=1 make conformance` writes this page anew.

✓ passed, ✗ failed, – nothing to look at.

";

/// A row of a table.
fn row(cells: impl IntoIterator<Item = String>) -> String {
    let mut row = "|".to_owned();
    for cell in cells {
        let _ = write!(row, " {cell} |");
    }
    row + "\n"
}

fn heading(first: &str, all: &[Results]) -> String {
    let titles = all.iter().map(|results| results.peer.title.to_owned());
    let lines = std::iter::once("---".to_owned()).chain(all.iter().map(|_| ":-:".to_owned()));
    row(std::iter::once(first.to_owned()).chain(titles)) + &row(lines)
}

/// `passed of all`, for each peer.
fn counts<'r>(all: &'r [Results], outcomes: impl Fn(&'r Results) -> Vec<&'r Outcome>) -> String {
    let counted = all.iter().map(|results| {
        let outcomes = outcomes(results);
        let passed = outcomes.iter().filter(|outcome| ***outcome == Outcome::Passed).count();
        format!("{passed}/{}", outcomes.len())
    });
    row(std::iter::once("**passed**".to_owned()).chain(counted))
}

pub fn page(all: &[Results]) -> String {
    let mut page = HEAD.to_owned();
    page += "## Gateway API\n\nThe cases of `HTTPRouteCORS` (kubernetes-sigs/gateway-api, conformance/tests/httproute-cors.go), by their names\nthere.\n\n";
    page += &heading("case", all);
    let names = all.first().into_iter().flat_map(|results| &results.of_gateway_api);
    for (index, (name, _)) in names.enumerate() {
        let marks = all.iter().map(|results| {
            let case = results.of_gateway_api.get(index);
            Outcome::mark(case.map(|(_, outcome)| outcome)).to_owned()
        });
        page += &row(std::iter::once((*name).to_owned()).chain(marks));
    }
    page += &counts(all, |results| {
        results.of_gateway_api.iter().map(|(_, outcome)| outcome).collect()
    });
    page += "\n## nginx-cors audit\n\n";
    page += &heading("check", all);
    let ids: BTreeSet<_> = all.iter().flat_map(|results| results.of_audit.keys()).collect();
    for id in ids {
        let marks = all
            .iter()
            .map(|results| Outcome::mark(results.of_audit.get(id)).to_owned());
        page += &row(std::iter::once(format!("[{id}](audit.md#{id})")).chain(marks));
    }
    page += &counts(all, |results| results.of_audit.values().collect());
    page
}
