//! Whether a changed configuration does what it did: both are followed for the same requests.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use cors_policy::Severity;

use super::plan::{Conflict, Draft, Planner};
use super::reason::Reason;
use super::today::Today;
use crate::lint::SECURITY;
use crate::nginx::{self, Configuration, Limits};
use crate::site::{Answer, BlockId, Kind, Policies, Request, Site};
use crate::written_policy::standing;

const STRANGER: &str = "https://stranger.example";

/// What is wrong with a draft.
pub enum Flaw {
    /// The `Vary` of this block has to stay.
    KeepVary(BlockId),
    Conflict(Conflict),
}

/// The texts of the files that a draft changes, by their numbers.
pub fn texts(configuration: &Configuration, draft: &Draft) -> BTreeMap<usize, String> {
    let files = draft.edits.files();
    files
        .map(|file| {
            let text = draft.edits.apply(file, configuration.sources.text(file).as_bytes());
            (file, String::from_utf8_lossy(&text).into_owned())
        })
        .collect()
}

/// Follows requests through the configuration as it would be, and returns what is wrong with it.
pub fn prove(
    planner: &Planner<'_, '_>,
    draft: &Draft,
    file: &Path,
    prefix: Option<&Path>,
    limits: Limits,
) -> anyhow::Result<Vec<Flaw>> {
    let sources = &planner.configuration.sources;
    let replaced: HashMap<PathBuf, String> = texts(planner.configuration, draft)
        .into_iter()
        .filter_map(|(file, text)| Some((sources.path(file)?.to_owned(), text)))
        .collect();
    // What is added is little.
    let limits = Limits {
        bytes: limits.bytes.saturating_mul(2),
        ..limits
    };
    let mut changed = nginx::read_with(file, prefix, limits, replaced)?;
    let directives = std::mem::take(&mut changed.directives);
    let after = Site::build(&directives);
    let policies = Policies::read(&after, &changed.sources);
    let before = planner.asked.site;
    let answering = |site: &Site<'_>| -> Vec<BlockId> {
        let blocks = site.blocks.iter().enumerate();
        let answering = blocks.filter(|(_, block)| matches!(block.kind, Kind::Server | Kind::Location));
        answering.map(|(id, _)| id).collect()
    };
    let (old, new) = (answering(before), answering(&after));
    anyhow::ensure!(old.len() == new.len(), "the changed configuration has other blocks");
    let proof = Proof {
        planner,
        before,
        after: &after,
        policies: &policies,
    };
    let count = |policies: &Policies| {
        let errors = policies.problems.iter();
        errors.filter(|problem| problem.severity == Severity::Error).count()
    };
    if count(&policies) > count(planner.asked.policies) {
        let told = policies.problems.iter().map(ToString::to_string);
        let known: Vec<_> = planner
            .asked
            .policies
            .problems
            .iter()
            .map(ToString::to_string)
            .collect();
        let new = told
            .filter(|problem| !known.contains(problem))
            .collect::<Vec<_>>()
            .join("; ");
        return Ok(vec![Flaw::Conflict(
            proof.all(&format!("nginx would refuse it: {new}")),
        )]);
    }
    let blocks = old.into_iter().zip(new);
    Ok(blocks
        .filter_map(|(id, changed)| proof.block(id, changed).err())
        .collect())
}

struct Proof<'p, 's, 't, 'a> {
    planner: &'p Planner<'s, 't>,
    before: &'p Site<'t>,
    after: &'p Site<'a>,
    policies: &'p Policies,
}

/// A header of a response: its name in lower case, and its value.
type Header = (String, String);

impl Proof<'_, '_, '_, '_> {
    fn all(&self, why: &str) -> Conflict {
        let blocks: Vec<_> = self.planner.converted().map(|(id, _)| id).collect();
        let first = self.planner.converted().next();
        let span = first.and_then(|(_, meaning)| meaning.required.first().copied());
        Conflict {
            blocks,
            reason: Reason::new(span.unwrap_or_default(), why),
        }
    }

    fn block(&self, id: BlockId, changed: BlockId) -> Result<(), Flaw> {
        match self.planner.today(id) {
            Some(Today::Policy(meaning)) => {
                let span = meaning.required.first().copied();
                let conflict = |why: String| {
                    let head = self.before.block(id).and_then(crate::site::Block::head);
                    let span = span.or(head).unwrap_or_default();
                    Flaw::Conflict(Conflict {
                        blocks: vec![id],
                        reason: Reason::new(span, why),
                    })
                };
                self.headers(id, changed, &meaning.sample, &conflict)?;
                self.preflights(id, changed, &meaning.sample, &conflict)?;
                let Some(of) = self.policies.in_force(changed) else {
                    return Err(conflict("no policy would be in force here".to_owned()));
                };
                let wanted = self.planner.asked.compiled(&meaning.policy);
                for origin in &meaning.tried {
                    if standing(&of.policy, origin) != wanted.standing(origin) {
                        return Err(conflict(format!(
                            "another policy would be in force here for \"{origin}\""
                        )));
                    }
                }
                Ok(())
            }
            Some(Today::Governed) | None => Ok(()),
            Some(Today::Nothing | Today::Left(_)) => {
                let is_new =
                    self.policies.in_force(changed).is_some() && self.planner.asked.policies.in_force(id).is_none();
                let requests = requests(STRANGER).into_iter().chain([
                    Request::get(Some("https://app.example.com")),
                    Request::get(Some("null")),
                ]);
                let is_same = requests
                    .map(|request| {
                        (
                            self.response(self.before, id, &request, true),
                            self.response(self.after, changed, &request, true),
                        )
                    })
                    .all(|(before, after)| before == after);
                match is_same && !is_new {
                    true => Ok(()),
                    false => {
                        let name = self.planner.name(id);
                        let mut conflict = self.all(&format!("{name} would answer otherwise"));
                        // Mostly it is a policy of a block around it.
                        let is_around = |block: &BlockId| {
                            let home = self.planner.home(*block);
                            self.before.around(id).any(|(around, _)| Some(around) == home)
                        };
                        if conflict.blocks.iter().any(is_around) {
                            conflict.blocks.retain(is_around);
                        }
                        Err(Flaw::Conflict(conflict))
                    }
                }
            }
        }
    }

    /// Headers that are none of CORS have to stay what they are.
    fn headers(
        &self,
        id: BlockId,
        changed: BlockId,
        sample: &str,
        conflict: &impl Fn(String) -> Flaw,
    ) -> Result<(), Flaw> {
        for request in requests(sample) {
            let (answer, before) = self.response(self.before, id, &request, false);
            let (changed_answer, after) = self.response(self.after, changed, &request, false);
            if answer != changed_answer {
                return Err(conflict(format!(
                    "{answer} would be {changed_answer} for a {}",
                    request.method
                )));
            }
            if let Some((name, _)) = before.iter().find(|header| !after.contains(header)) {
                return Err(conflict(format!("the header \"{name}\" would be lost")));
            }
            // An inner block that has no header of its own any more inherits those of the outer one.
            let is_welcome = |name: &str| SECURITY.iter().any(|known| known.eq_ignore_ascii_case(name));
            let gained = after
                .iter()
                .find(|header| !before.contains(header) && !is_welcome(&header.0));
            if let Some((name, _)) = gained {
                return Err(match self.planner.can_keep_vary(id) {
                    true => Flaw::KeepVary(id),
                    false => conflict(format!(
                        "without a header of its own it would inherit \"{name}\" from an outer block"
                    )),
                });
            }
        }
        Ok(())
    }

    /// Preflights have to reach the module, unless they get no further today.
    fn preflights(
        &self,
        id: BlockId,
        changed: BlockId,
        sample: &str,
        conflict: &impl Fn(String) -> Flaw,
    ) -> Result<(), Flaw> {
        let request = Request::preflight(Some(sample), "PUT");
        let before = self.before.rewrite(id, &request).answer;
        match self.after.rewrite(changed, &request).answer {
            Answer::Content => Ok(()),
            Answer::Moved => Err(conflict("preflights would go on in another location".to_owned())),
            Answer::Status { status, .. } => {
                let plain = self.after.rewrite(changed, &Request::get(None)).answer;
                let answers_all = matches!(plain, Answer::Status { status: same, .. } if same == status);
                let was_refused =
                    matches!(before, Answer::Status { status: same, .. } if same == status && status >= 300);
                match answers_all || was_refused {
                    true => Ok(()),
                    false => Err(conflict(format!(
                        "preflights would still get {status} before the module can answer"
                    ))),
                }
            }
        }
    }

    /// The answer to a request, and its headers.
    fn response(&self, site: &Site<'_>, id: BlockId, request: &Request, with_cors: bool) -> (String, Vec<Header>) {
        let response = site.respond(id, request);
        let answer = match response.rewritten.answer {
            Answer::Status { status, by } => {
                let words: Vec<_> = by.arguments.iter().map(|word| &*word.value).collect();
                format!("\"{} {}\" ({status})", by.name.value, words.join(" "))
            }
            Answer::Moved => "going on in another location".to_owned(),
            Answer::Content => "the content".to_owned(),
        };
        let headers = response.sent.iter().filter(|sent| with_cors || !sent.header.is_cors());
        let mut headers: Vec<_> = headers
            .map(|sent| {
                let value = sent.value.known().unwrap_or("(unknown)").to_owned();
                (sent.header.name.to_ascii_lowercase(), value)
            })
            .filter(|(name, value)| with_cors || name != "vary" || !value.eq_ignore_ascii_case("origin"))
            .collect();
        headers.sort();
        (answer, headers)
    }
}

/// Requests that are no preflights.
fn requests(origin: &str) -> Vec<Request> {
    let mut requests = Vec::new();
    for origin in [Some(origin), Some(STRANGER), None] {
        let get = Request::get(origin);
        requests.extend(["POST", "PUT", "HEAD"].map(|method| get.clone().with_method(method)));
        requests.push(get.clone().failing());
        requests.push(get);
    }
    requests
}
