//! Asking two configurations the same, and what is different for whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use serde::Serialize;

use super::application::STATUS;
use super::client::{ask, Sent};
use super::questions::{Origins, Target};
use super::stage::{Socket, AUTHORIZATION};
use crate::browser::{Answer, SAFE_METHODS};

/// Who has something that he had not, or no longer has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    Gains,
    Loses,
    /// It is neither.
    Changes,
}

/// What is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A page reads responses.
    Read,
    /// A page reads errors.
    ReadErrors,
    /// A page sends credentials, and reads the response.
    Credentials,
    /// A page sends requests with a method.
    SendMethod,
    /// A page sends requests with a header.
    SendHeader,
    /// A page reads a header of responses.
    ReadHeader,
    /// Browsers keep the answer to preflights for another time.
    MaxAge,
    /// Caches keep the answers to different origins apart.
    Caches,
    /// The status of a response.
    Status,
    /// The status of a response to an `OPTIONS` that is no preflight.
    Options,
    /// A header that is none of CORS.
    Header,
}

/// Something that is answered differently.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// The host and the path.
    pub place: String,
    /// An origin, or "everyone".
    pub who: String,
    pub change: Change,
    pub what: What,
    /// In words.
    pub text: String,
}

/// What a running configuration is asked through.
pub struct Served<'a> {
    pub sockets: &'a BTreeMap<String, Socket>,
    /// As messages name it.
    pub name: &'a Path,
}

/// Limits of a trial.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one request.
    pub request: Duration,
    /// For all of them.
    pub total: Duration,
}

/// Both configurations, and what they are asked.
pub struct Comparison<'a> {
    pub old: Served<'a>,
    pub new: Served<'a>,
    pub origins: Origins,
    pub header_names: BTreeSet<String>,
    pub patience: Patience,
}

/// What was found out.
pub struct Compared {
    pub requests: usize,
    pub differences: Vec<Difference>,
}

/// The methods that pages use.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

impl Comparison<'_> {
    /// Asks both for each of these places.
    pub fn run(&self, targets: &[Target]) -> Result<Compared> {
        let deadline = Instant::now() + self.patience.total;
        let mut compared = Compared {
            requests: 0,
            differences: Vec::new(),
        };
        for (number, target) in targets.iter().enumerate() {
            let mut asked = Asked {
                comparison: self,
                target,
                deadline,
                number,
                of: targets.len(),
                compared: &mut compared,
            };
            asked.place()?;
        }
        compared.differences.sort();
        compared.differences.dedup();
        Ok(compared)
    }
}

/// One place, in both configurations.
struct Asked<'c, 'a> {
    comparison: &'c Comparison<'a>,
    target: &'c Target,
    deadline: Instant,
    number: usize,
    of: usize,
    compared: &'c mut Compared,
}

/// The answers of both, the old one first.
type Both = [Answer; 2];

impl Asked<'_, '_> {
    fn place(&mut self) -> Result<()> {
        let sides = [&self.comparison.old, &self.comparison.new];
        if let Some(side) = sides
            .iter()
            .find(|side| !side.sockets.contains_key(&self.target.address))
        {
            let text = format!("{} does not listen on \"{}\"", side.name.display(), self.target.address);
            self.add("everyone", Change::Changes, What::Status, text);
            return Ok(());
        }
        let plain = self.both("GET", None, &[])?;
        let options = self.both("OPTIONS", None, &[])?;
        self.compare_plain(&plain, "GET without an origin");
        if options[0].status != options[1].status {
            let text = format!(
                "an OPTIONS that is no preflight gets {}, and got {}",
                options[1].status, options[0].status
            );
            self.add("everyone", Change::Changes, What::Options, text);
        }
        let mut by_origin = vec![plain];
        let origins = self.comparison.origins.clone();
        for origin in origins.named.iter().chain(&origins.feigned) {
            by_origin.push(self.origin(origin)?);
        }
        self.caches(&by_origin);
        Ok(())
    }

    /// All that a page of an origin may do. Returns the answers to its `GET`.
    fn origin(&mut self, origin: &str) -> Result<Both> {
        let get = self.actual("GET", origin)?;
        self.compare_plain(&get, "GET");
        let preflight = self.preflight("PUT", origin)?;
        let knows = |answer: &Answer| answer.is_readable(origin, false);
        if !get.iter().chain(&preflight).any(knows) {
            return Ok(get);
        }
        for method in METHODS {
            let answers = match method {
                "GET" => get.clone(),
                _ => self.actual(method, origin)?,
            };
            let sends = match method {
                "PUT" => preflight.clone(),
                _ => self.preflight(method, origin)?,
            };
            self.reads(origin, method, &answers, &sends);
            self.sends(origin, &sends, What::SendMethod, method, Answer::lets_send_method);
        }
        let failing = self.failing(origin)?;
        // Where nothing fails there is no error to be read.
        if failing.iter().all(|answer| answer.status >= 400) {
            self.reads(origin, "GET", &failing, &asked_nothing());
        }
        let asked = self.preflight("POST", origin)?;
        for name in self.comparison.header_names.clone() {
            self.sends(origin, &asked, What::SendHeader, &name, Answer::lets_send_header);
        }
        if asked
            .iter()
            .all(|answer| answer.lets_send_method(origin, "POST", false))
            && asked[0].max_age() != asked[1].max_age()
        {
            let text = format!(
                "answers to preflights are kept for {} seconds, and were for {}",
                asked[1].max_age(),
                asked[0].max_age()
            );
            self.add("everyone", Change::Changes, What::MaxAge, text);
        }
        if get.iter().all(knows) {
            let named = get.iter().flat_map(Answer::exposed).filter(|name| name != "*");
            for name in named.collect::<BTreeSet<_>>() {
                let reads =
                    |with| [0, 1].map(|side: usize| get.get(side).is_some_and(|answer| answer.lets_read(&name, with)));
                self.compare(
                    origin,
                    reads(false),
                    reads(true),
                    What::ReadHeader,
                    &format!("reads the header {name}"),
                );
            }
        }
        Ok(get)
    }

    /// Compares what a page may read, without and with credentials. What it may not send it does not read.
    fn reads(&mut self, origin: &str, method: &str, answers: &Both, preflights: &Both) {
        let is_safe = SAFE_METHODS.contains(&method);
        let reads = |with| {
            [0, 1].map(|side: usize| {
                let (answer, preflight) = (answers.get(side), preflights.get(side));
                let is_sent = preflight.is_some_and(|preflight| preflight.lets_send_method(origin, method, with));
                (is_safe || is_sent) && answer.is_some_and(|answer| answer.is_readable(origin, with))
            })
        };
        match answers.iter().all(|answer| answer.status >= 400) {
            true => self.compare(origin, reads(false), reads(true), What::ReadErrors, "reads errors"),
            false => {
                let text = format!("reads responses to {method}");
                self.compare(origin, reads(false), reads(true), What::Read, &text);
            }
        }
    }

    fn sends(
        &mut self,
        origin: &str,
        answers: &Both,
        what: What,
        name: &str,
        lets: impl Fn(&Answer, &str, &str, bool) -> bool,
    ) {
        let sends =
            |with| [0, 1].map(|side: usize| answers.get(side).is_some_and(|answer| lets(answer, origin, name, with)));
        let kind = if what == What::SendMethod {
            "requests with the method"
        } else {
            "the header"
        };
        // What needs no preflight is sent in any case.
        if what == What::SendMethod && SAFE_METHODS.contains(&name) {
            return;
        }
        self.compare(origin, sends(false), sends(true), what, &format!("sends {kind} {name}"));
    }

    fn compare(&mut self, origin: &str, plain: [bool; 2], with_credentials: [bool; 2], what: What, text: &str) {
        let change = |[old, new]: [bool; 2]| match (old, new) {
            (false, true) => Some(Change::Gains),
            (true, false) => Some(Change::Loses),
            _ => None,
        };
        match (change(plain), change(with_credentials)) {
            (Some(change), _) => self.add(origin, change, what, text.to_owned()),
            (None, Some(change)) => self.add(origin, change, What::Credentials, format!("{text}, with credentials")),
            (None, None) => {}
        }
    }

    /// Whether caches keep apart what depends on the origin.
    fn caches(&mut self, answers: &[Both]) {
        let is_fine = |side: usize| {
            let answers: Vec<_> = answers.iter().filter_map(|both| both.get(side)).collect();
            let allowed = |answer: &&Answer| answer.value("access-control-allow-origin");
            let first = answers.first().and_then(allowed);
            let depends = answers.iter().any(|answer| allowed(answer) != first);
            !depends || answers.iter().all(|answer| answer.varies_by_origin())
        };
        let text = "caches keep the answers to different origins apart".to_owned();
        match (is_fine(0), is_fine(1)) {
            (false, true) => self.add("everyone", Change::Gains, What::Caches, text),
            (true, false) => self.add("everyone", Change::Loses, What::Caches, text),
            _ => {}
        }
    }

    /// Compares what has nothing to do with CORS.
    fn compare_plain(&mut self, answers: &Both, which: &str) {
        let [old, new] = answers;
        if old.status != new.status {
            let text = format!("{which} gets {}, and got {}", new.status, old.status);
            self.add("everyone", Change::Changes, What::Status, text);
        }
        let others = |answer: &Answer| -> BTreeSet<(String, String)> {
            let headers = answer.headers.iter().filter(|(name, _)| !is_ignored(name));
            headers.cloned().collect()
        };
        let (before, after) = (others(old), others(new));
        for (name, value) in after.difference(&before) {
            self.add(
                "everyone",
                Change::Gains,
                What::Header,
                format!("the header {name}: {value}"),
            );
        }
        for (name, value) in before.difference(&after) {
            self.add(
                "everyone",
                Change::Loses,
                What::Header,
                format!("the header {name}: {value}"),
            );
        }
    }

    fn add(&mut self, who: &str, change: Change, what: What, text: String) {
        self.compared.differences.push(Difference {
            place: format!("{}{}", self.target.host, self.target.path),
            who: who.to_owned(),
            change,
            what,
            text,
        });
    }

    fn actual(&mut self, method: &str, origin: &str) -> Result<Both> {
        self.both(method, Some(origin), &credentials())
    }

    fn failing(&mut self, origin: &str) -> Result<Both> {
        let mut headers = credentials();
        headers.push((STATUS.to_owned(), "500".to_owned()));
        let path = self.target.missing.clone().unwrap_or_else(|| self.target.path.clone());
        self.both_at(&path, "GET", Some(origin), &headers)
    }

    fn preflight(&mut self, method: &str, origin: &str) -> Result<Both> {
        let names: Vec<_> = self.comparison.header_names.iter().cloned().collect();
        let headers = [
            ("Access-Control-Request-Method".to_owned(), method.to_owned()),
            ("Access-Control-Request-Headers".to_owned(), names.join(",")),
        ];
        self.both("OPTIONS", Some(origin), &headers)
    }

    fn both(&mut self, method: &str, origin: Option<&str>, headers: &[(String, String)]) -> Result<Both> {
        let path = self.target.path.clone();
        self.both_at(&path, method, origin, headers)
    }

    fn both_at(
        &mut self,
        path: &str,
        method: &str,
        origin: Option<&str>,
        headers: &[(String, String)],
    ) -> Result<Both> {
        let mut all: Vec<_> = origin
            .map(|origin| ("Origin".to_owned(), origin.to_owned()))
            .into_iter()
            .collect();
        all.extend_from_slice(headers);
        let sent = Sent {
            method: method.to_owned(),
            path: path.to_owned(),
            host: self.target.host.clone(),
            headers: all,
        };
        let comparison = self.comparison;
        Ok([self.one(&comparison.old, &sent)?, self.one(&comparison.new, &sent)?])
    }

    fn one(&mut self, served: &Served<'_>, sent: &Sent) -> Result<Answer> {
        if Instant::now() > self.deadline {
            bail!(
                "the trial took more than {} seconds: {} of {} places were looked at; --timeout gives it more",
                self.comparison.patience.total.as_secs(),
                self.number,
                self.of
            );
        }
        let socket = served
            .sockets
            .get(&self.target.address)
            .context("the address is known")?;
        self.compared.requests += 1;
        ask(&socket.path, socket.tls, sent, self.comparison.patience.request)
            .with_context(|| format!("{}: {} {}{}", served.name.display(), sent.method, sent.host, sent.path))
    }
}

/// The answers to preflights that are not needed.
fn asked_nothing() -> Both {
    [Answer::default(), Answer::default()]
}

/// What a page sends for its user.
fn credentials() -> Vec<(String, String)> {
    vec![
        ("Authorization".to_owned(), AUTHORIZATION.to_owned()),
        ("Cookie".to_owned(), "session=1".to_owned()),
    ]
}

/// Headers that differ by themselves, and those of CORS, which are looked at otherwise.
fn is_ignored(name: &str) -> bool {
    matches!(
        name,
        "date"
            | "server"
            | "etag"
            | "last-modified"
            | "content-length"
            | "connection"
            | "transfer-encoding"
            | "vary"
            | "expires"
    ) || name.starts_with("access-control-")
}
