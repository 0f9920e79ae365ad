//! What a browser, a cache or an attacker makes of the answers of a running server.
//!
//! `plan` says which requests are asked, `client` asks them, and `checks` look at what was recorded: they ask nobody.

#[cfg(test)]
mod book;
mod checks;
mod client;
mod exchange;
mod hostile;
mod plan;
mod purpose;
mod recording;
#[cfg(test)]
mod right;
mod subject;

use anyhow::{bail, Result};

pub use self::checks::{find, Check, ALL};
use self::checks::{Seen, Verdict};
pub use self::client::{Client, ClientOptions, Trust};
pub use self::exchange::{Failure, Request, Response, Version};
pub use self::recording::{Exchange, Recording};
pub use self::subject::Subject;

/// After so many requests in a row without an answer, no more are asked.
const MOST_FAILURES: usize = 3;

/// A server that is asked.
pub type Ask<'a> = &'a mut dyn FnMut(&Request) -> Result<Response, Failure>;

/// What a check has found on a path.
#[derive(Clone, Debug)]
pub struct Finding {
    pub check: &'static Check,
    /// The first exchange that shows it.
    pub exchange: Exchange,
    /// The header of the answer to point at; empty for the whole answer.
    pub header: &'static str,
    pub message: String,
    /// How many more exchanges of the path show it.
    pub others: usize,
}

/// How a check has ended.
#[derive(Clone, Debug)]
pub enum Conclusion {
    Passed,
    Found(Vec<Finding>),
    /// There was nothing that it could look at, for this reason.
    NotApplicable(&'static str),
}

/// How many requests there will be, at most.
pub fn count(subject: &Subject) -> usize {
    let planned = plan::plan(subject);
    let compared = planned.iter().filter(|planned| plan::is_compared(planned, subject));
    let repeated = if is_repeated(subject) { compared.count() } else { 0 };
    planned.len() + repeated
}

/// Whether the main requests are asked in the other version of HTTP, too. That a server speaks HTTP/2 without TLS one has to
/// know.
fn is_repeated(subject: &Subject) -> bool {
    subject.is_secure() || subject.version == Version::Http2
}

/// Asks everything. `asked` is called after each request.
pub fn record(subject: Subject, ask: Ask<'_>, asked: &mut dyn FnMut()) -> Result<Recording> {
    let planned = plan::plan(&subject);
    let mut recording = Recording::new(subject);
    let mut failures = 0;
    for planned in &planned {
        let Some(request) = plan::completed(planned, &recording) else {
            asked();
            continue;
        };
        // A WebSocket is opened over HTTP/1.1, which a server may not speak.
        let is_required = request.version == recording.subject.version;
        let outcome = ask(&request);
        asked();
        if let Err(failure) = &outcome {
            failures += usize::from(is_required);
            let url = recording.subject.url(&request.target);
            if recording.exchanges.is_empty() {
                bail!("{url}: {failure}");
            }
            if failures == MOST_FAILURES {
                let count = recording.exchanges.len() + 1;
                bail!("{url}: {failure}; the last {MOST_FAILURES} of {count} requests have had no answer, and no more are asked");
            }
        } else {
            failures = 0;
        }
        recording.exchanges.push(Exchange {
            purpose: planned.purpose,
            path: planned.path,
            origin: planned.origin.clone(),
            request,
            outcome,
            is_repeated: false,
        });
    }
    if is_repeated(&recording.subject) {
        repeat(&mut recording, ask, asked);
    }
    Ok(recording)
}

/// Asks what is compared in the other version of HTTP, if the server speaks it.
fn repeat(recording: &mut Recording, ask: Ask<'_>, asked: &mut dyn FnMut()) {
    let other = recording.subject.version.other();
    for planned in plan::plan(&recording.subject) {
        if !plan::is_compared(&planned, &recording.subject) {
            continue;
        }
        let request = Request {
            version: other,
            ..planned.request
        };
        let outcome = ask(&request);
        asked();
        let is_spoken = outcome.as_ref().is_ok_and(|response| response.version == other);
        if !is_spoken {
            return;
        }
        recording.exchanges.push(Exchange {
            purpose: planned.purpose,
            path: planned.path,
            origin: planned.origin,
            request,
            outcome,
            is_repeated: true,
        });
    }
}

/// What each of these checks makes of it.
pub fn judge(recording: &Recording, checks: &[&'static Check]) -> Vec<(&'static Check, Conclusion)> {
    let judged = checks.iter().map(|check| {
        let conclusion = match (check.look)(recording) {
            Verdict::NotApplicable(why) => Conclusion::NotApplicable(why),
            Verdict::Looked(seen) if seen.is_empty() => Conclusion::Passed,
            Verdict::Looked(seen) => Conclusion::Found(one_for_each_path(check, seen)),
        };
        (*check, conclusion)
    });
    judged.collect()
}

fn one_for_each_path(check: &'static Check, all: Vec<Seen<'_>>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for seen in all {
        let same_path = findings
            .iter_mut()
            .find(|finding| finding.exchange.path == seen.exchange.path);
        match same_path {
            Some(finding) => finding.others += 1,
            None => findings.push(Finding {
                check,
                exchange: seen.exchange.clone(),
                header: seen.header,
                message: seen.message,
                others: 0,
            }),
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_never_answers_is_told_after_one_request() {
        let mut count = 0;
        let mut ask = |_: &Request| {
            count += 1;
            Err(Failure::Connect("nobody is there".to_owned()))
        };
        let error = record(right::subject(), &mut ask, &mut || {}).unwrap_err();
        assert_eq!(
            error.to_string(),
            "https://api.example.com/: cannot be reached: nobody is there"
        );
        assert_eq!(count, 1);
    }

    #[test]
    fn a_server_that_stops_answering_is_asked_three_times_more() {
        let mut count = 0;
        let mut ask = |request: &Request| {
            count += 1;
            match count {
                ..=5 => Ok(right::answer(request)),
                _ => Err(Failure::Broken("reset".to_owned())),
            }
        };
        let error = record(right::subject(), &mut ask, &mut || {}).unwrap_err();
        assert!(error.to_string().contains("the last 3 of 8 requests"), "{error}");
        assert_eq!(count, 8);
    }

    #[test]
    fn as_many_requests_are_asked_as_are_counted() {
        let mut asked = 0;
        let mut ask = |request: &Request| Ok(right::answer(request));
        record(right::subject(), &mut ask, &mut || asked += 1).unwrap();
        assert_eq!(asked, count(&right::subject()));
    }

    #[test]
    fn several_answers_of_a_path_make_one_finding() {
        let mut subject = right::subject();
        subject.targets.push("/other".to_owned());
        let mut ask = |request: &Request| {
            let mut response = right::answer(request);
            response.headers.retain(|(name, _)| name != "vary");
            Ok(response)
        };
        let recording = record(subject, &mut ask, &mut || {}).unwrap();
        let check = find("missing-vary-on-preflight").unwrap();
        let judged = judge(&recording, &[check]);
        let [(_, Conclusion::Found(findings))] = &judged[..] else {
            panic!("{judged:?}");
        };
        let paths: Vec<_> = findings
            .iter()
            .map(|finding| (finding.exchange.path, finding.others))
            .collect();
        assert_eq!(paths, [(0, 1), (1, 1)]);
    }
}
