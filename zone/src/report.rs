//! The figures, and their JSON. The documentation describes the JSON; names that are in it stay in it.

use std::collections::{BTreeMap, HashMap};

use cors_policy::{BrowserOutcome, Change, Explanation, Outcome, Remedy, SimulatedResponse, Wanted};
use serde::Serialize;

use crate::cause::Cause;
use crate::counters::{is_denial, outcomes, RequestKind, Totals};
use crate::curl::Listener;
use crate::history::STEP;
use crate::query::TryRequest;
use crate::record::{ListedAs, ListedOrigin};
use crate::zone::{Counter, Zone};

/// A location, or a server outside of its locations, with a policy whose requests are counted.
#[derive(Clone, Copy)]
pub struct CountedLocation<'n> {
    /// The server.
    pub server: &'n str,
    /// The location in it.
    pub location: &'n str,
    /// Its policy.
    pub policy: &'n cors_policy::Policy,
    /// Whether another policy is judged beside this one (`cors_candidate`).
    pub has_candidate: bool,
    /// The counters of its policy.
    pub counter: Counter<'n>,
}

/// A list of origins that changes while nginx runs (`cors_origin_list`).
#[derive(Clone, Debug, Serialize)]
pub struct List<'n> {
    /// Its name.
    pub name: &'n str,
    /// Its file.
    pub file: &'n str,
    /// The number of different entries.
    pub entries: u64,
    /// How many lists of this name have been served since nginx started, with this one.
    pub generation: u64,
    /// When the file was read, in seconds since 1970.
    pub read: u64,
    /// The digest of the file: the beginning of what `sha256sum` shows.
    pub digest: String,
    /// Why the file could not be served the last time that it was read, if that is so.
    pub failed: Option<FailedRead>,
}

/// An attempt to read the file of a list that failed: the list that was there is served.
#[derive(Clone, Debug, Serialize)]
pub struct FailedRead {
    /// When it was, in seconds since 1970.
    pub at: u64,
    /// Why.
    pub reason: String,
}

/// The figures at one moment.
#[derive(Debug, Serialize)]
pub struct Report<'n> {
    pub(crate) zone: About<'n>,
    pub(crate) policies: Vec<Policy<'n>>,
    pub(crate) lists: Vec<List<'n>>,
    pub(crate) denied_origins: Vec<Denied<'n>>,
    pub(crate) candidate_changes: Vec<Changed<'n>>,
    pub(crate) history: History,
}

#[derive(Debug, Serialize)]
pub(crate) struct About<'n> {
    pub(crate) name: &'n str,
    pub(crate) size: usize,
    pub(crate) started: u64,
    /// When the configuration in force was taken up.
    pub(crate) configured: u64,
    pub(crate) now: u64,
    /// The date of the public suffixes by which `nginx -t` has checked the policies.
    pub(crate) public_suffix_list: &'static str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Policy<'n> {
    pub(crate) server: &'n str,
    pub(crate) location: &'n str,
    pub(crate) dry_run: bool,
    pub(crate) mode: &'static str,
    pub(crate) candidate: bool,
    pub(crate) total: u64,
    pub(crate) denied: u64,
    requests: BTreeMap<&'static str, u64>,
    preflights: BTreeMap<&'static str, u64>,
    pub(crate) preflights_answered: u64,
    pub(crate) enforced_denials: u64,
    pub(crate) dry_run_denials: u64,
    pub(crate) candidate_gains: u64,
    pub(crate) candidate_losses: u64,
    #[serde(skip)]
    pub(crate) totals: Totals,
}

#[derive(Debug, Serialize)]
pub(crate) struct Denied<'n> {
    pub(crate) origin: String,
    pub(crate) dry_run: bool,
    pub(crate) count: u64,
    pub(crate) error: u64,
    pub(crate) result: &'static str,
    reason: String,
    /// The reason beside the origin, which it does not repeat.
    #[serde(skip)]
    pub(crate) short_reason: String,
    pub(crate) server: Option<&'n str>,
    pub(crate) location: Option<&'n str>,
    /// The directive that would allow the request, with its whole list.
    pub(crate) remedy: Option<String>,
    /// What to do with that, or instead.
    pub(crate) advice: Option<String>,
    pub(crate) last: u64,
}

/// An origin for which a candidate would change something.
#[derive(Debug, Serialize)]
pub(crate) struct Changed<'n> {
    pub(crate) origin: String,
    /// `gain` or `loss`
    pub(crate) change: &'static str,
    pub(crate) count: u64,
    pub(crate) error: u64,
    reason: String,
    /// The reason beside the origin, which it does not repeat.
    #[serde(skip)]
    pub(crate) short_reason: String,
    pub(crate) server: &'n str,
    pub(crate) location: &'n str,
    pub(crate) last: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct History {
    pub(crate) step: u64,
    last: u64,
    pub(crate) requests: Vec<u64>,
    pub(crate) denied: Vec<u64>,
}

/// The value of `$cors_result`.
pub(crate) fn name(outcome: Option<Outcome>) -> &'static str {
    outcome.map_or("off", Outcome::as_str)
}

impl<'n> Report<'n> {
    /// Reads the figures of the policies of the configuration.
    pub fn new(name: &'n str, size: usize, zone: &Zone<'_>, locations: &[CountedLocation<'n>], now: u64) -> Self {
        let history = zone.history(now);
        let by_policy: HashMap<u64, &CountedLocation<'n>> = locations
            .iter()
            .map(|location| (location.counter.policy(), location))
            .collect();
        Self {
            zone: About {
                name,
                size,
                started: zone.started(),
                configured: zone.configured(),
                now,
                public_suffix_list: cors_policy::PUBLIC_SUFFIX_LIST_DATE,
            },
            policies: locations.iter().map(Policy::new).collect(),
            lists: Vec::new(),
            denied_origins: zone
                .denied_origins()
                .iter()
                .map(|denied| Denied::new(denied, by_policy.get(&denied.policy).copied()))
                .collect(),
            // The list outlives the candidates: a location that has none any more has nothing to decide.
            candidate_changes: zone
                .changed_origins()
                .iter()
                .filter_map(|changed| {
                    let location = by_policy.get(&changed.policy)?;
                    location.has_candidate.then(|| Changed::new(changed, location))
                })
                .collect(),
            history: History {
                step: STEP,
                last: history.last,
                requests: history.requests,
                denied: history.denied,
            },
        }
    }

    /// Adds the lists of the configuration that change while nginx runs.
    pub fn with_lists(mut self, lists: Vec<List<'n>>) -> Self {
        self.lists = lists;
        self
    }

    /// The figures as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        json(self)
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    text
}

impl<'n> Policy<'n> {
    fn new(location: &CountedLocation<'n>) -> Self {
        let totals = location.counter.totals();
        let settings = location.policy.settings();
        let by_result = |kind: RequestKind| {
            let all = outcomes(kind);
            all.map(|outcome| (name(outcome), totals.requests(kind, outcome)))
                .collect()
        };
        let denied = RequestKind::ALL.into_iter().flat_map(|kind| {
            let denials = outcomes(kind).filter(|outcome| is_denial(*outcome));
            denials.map(move |outcome| totals.requests(kind, outcome))
        });
        Self {
            server: location.server,
            location: location.location,
            dry_run: settings.dry_run,
            mode: settings.preflight.as_str(),
            candidate: location.has_candidate,
            total: totals.all(),
            denied: denied.sum(),
            requests: by_result(RequestKind::Actual),
            preflights: by_result(RequestKind::Preflight),
            preflights_answered: totals.answered,
            enforced_denials: totals.enforced,
            dry_run_denials: totals.dry_run,
            candidate_gains: totals.candidate_gains,
            candidate_losses: totals.candidate_losses,
            totals,
        }
    }
}

/// The origin as it is shown.
fn shown_origin(listed: &ListedOrigin) -> String {
    let mut origin = String::from_utf8_lossy(&listed.origin).into_owned();
    if listed.is_cut {
        origin.push_str("...");
    }
    origin
}

/// Why a request was denied, or would be, in one sentence.
fn reason(listed: &ListedOrigin) -> String {
    listed.reason().map_or_else(
        || match listed.cause {
            Cause::Method => "the method is not in cors_allow_methods".to_owned(),
            _ => "a header is not in cors_allow_headers".to_owned(),
        },
        |reason| reason.to_string(),
    )
}

/// The same beside the origin, which it does not repeat.
fn short_reason(listed: &ListedOrigin) -> String {
    match listed.cause {
        Cause::Origin => "not in cors_allow_origin".to_owned(),
        Cause::NotAnOrigin => "not an origin".to_owned(),
        _ => reason(listed),
    }
}

impl<'n> Changed<'n> {
    fn new(changed: &ListedOrigin, location: &CountedLocation<'n>) -> Self {
        let is_gain = changed.listed_as == ListedAs::Gain;
        Self {
            origin: shown_origin(changed),
            change: if is_gain { "gain" } else { "loss" },
            count: changed.count,
            error: changed.error,
            reason: match (changed.change(), is_gain) {
                (Some(change), _) => change.to_string(),
                (None, true) => format!("would allow what is denied: {}", reason(changed)),
                (None, false) => format!("would deny: {}", reason(changed)),
            },
            short_reason: match (changed.change(), is_gain) {
                (Some(Change::WithCredentials(_)), _) => "would get credentials".to_owned(),
                (Some(Change::WithoutCredentials(_)), _) => "would lose its credentials".to_owned(),
                (_, true) => format!("would be allowed (in force: {})", short_reason(changed)),
                (_, false) => format!("would be denied: {}", short_reason(changed)),
            },
            server: location.server,
            location: location.location,
            last: changed.last,
        }
    }
}

impl<'n> Denied<'n> {
    fn new(denied: &ListedOrigin, location: Option<&CountedLocation<'n>>) -> Self {
        let (remedy, advice) = parts(location.and_then(|location| remedy_for(denied, location)));
        Self {
            origin: shown_origin(denied),
            dry_run: denied.listed_as == ListedAs::DeniedInDryRun,
            count: denied.count,
            error: denied.error,
            result: denied.cause.outcome().as_str(),
            short_reason: short_reason(denied),
            reason: reason(denied),
            server: location.map(|location| location.server),
            location: location.map(|location| location.location),
            remedy,
            advice,
            last: denied.last,
        }
    }
}

/// What to write so that such a request would be allowed.
fn remedy_for(denied: &ListedOrigin, location: &CountedLocation<'_>) -> Option<Remedy> {
    let reason = denied.reason().filter(|_| !denied.is_cut)?;
    location.policy.remedy(Wanted::of(&reason, &denied.origin)?)
}

fn parts(remedy: Option<Remedy>) -> (Option<String>, Option<String>) {
    match remedy {
        Some(Remedy { line, advice }) => (line, Some(advice)),
        None => (None, None),
    }
}

/// A request that `try` was asked about, and what would become of it.
pub struct TriedRequest<'t> {
    /// What was asked.
    pub question: &'t TryRequest,
    /// The location whose policy was asked.
    pub location: CountedLocation<'t>,
    /// The name that stands in the place of a location for the policy of the server.
    pub server_location: &'t str,
    /// Where the server listens.
    pub listener: Option<&'t Listener>,
    /// What would become of it.
    pub explanation: &'t Explanation<'t>,
    /// The variables on whose values the decision depends, with their values here; none if the value is known for real
    /// requests alone.
    pub variables: &'t BTreeMap<String, Option<String>>,
}

/// The JSON of an explanation.
#[derive(Serialize)]
struct ExplanationJson<'t> {
    server: &'t str,
    location: &'t str,
    dry_run: bool,
    allowed: bool,
    explanation: String,
    /// The directive that would allow the request, with its whole list.
    remedy: Option<String>,
    /// What to do with that, or instead.
    advice: Option<String>,
    preflight: Option<ResponseJson<'t>>,
    request: ResponseJson<'t>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variables: BTreeMap<&'t str, &'t str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown_variables: Vec<&'t str>,
}

#[derive(Serialize)]
struct ResponseJson<'t> {
    location: &'t str,
    result: &'static str,
    reason: Option<String>,
    status: Option<u16>,
    headers: Vec<(&'static str, String)>,
    not_run: Vec<String>,
    curl: Option<String>,
}

impl<'t> ResponseJson<'t> {
    fn new(tried: &TriedRequest<'t>, response: &SimulatedResponse<'_>, is_preflight: bool) -> Self {
        let headers = response.headers.iter();
        let (server, location) = (tried.location.server, tried.location.location);
        let path = if location == tried.server_location {
            "/"
        } else {
            location
        };
        let method = String::from_utf8_lossy(tried.explanation.method);
        Self {
            location: if response.is_early {
                tried.server_location
            } else {
                location
            },
            not_run: response.not_run.iter().map(ToString::to_string).collect(),
            curl: tried
                .listener
                .and_then(|listener| listener.curl(server, path, tried.question, &method, is_preflight)),
            result: response.outcome.as_str(),
            reason: response.reason.map(|reason| reason.to_string()),
            status: response.status,
            headers: headers
                .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value).into_owned()))
                .collect(),
        }
    }
}

impl TriedRequest<'_> {
    /// What would become of it, as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let (location, explanation) = (&self.location, self.explanation);
        let (remedy, advice) = parts(explanation.remedy.clone());
        let known = self.variables.iter();
        let unknown = self.variables.iter().filter(|(_, value)| value.is_none());
        json(&ExplanationJson {
            server: location.server,
            location: location.location,
            dry_run: location.policy.settings().dry_run,
            allowed: matches!(
                explanation.in_browser,
                BrowserOutcome::Readable | BrowserOutcome::SameOrigin
            ),
            explanation: explanation.in_browser.to_string(),
            remedy,
            advice,
            preflight: explanation
                .preflight
                .as_ref()
                .map(|preflight| ResponseJson::new(self, preflight, true)),
            request: ResponseJson::new(self, &explanation.actual, false),
            variables: known
                .filter_map(|(name, value)| Some((&**name, value.as_deref()?)))
                .collect(),
            unknown_variables: unknown.map(|(name, _)| &**name).collect(),
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::BTreeSet;

    use cors_policy::Reason;
    use serde_json::Value;

    use super::*;
    use crate::sync::AtomicU64;
    use crate::words_for;

    const NOW: u64 = 1_800_000_000;
    const ALLOWED: crate::Counted = crate::Counted {
        kind: RequestKind::Actual,
        outcome: Some(Outcome::Allowed),
        effect: crate::Effect::None,
        candidate: None,
    };

    /// The figures of one place that has a candidate, after what `count` counts there.
    fn figures(count: impl Fn(Counter<'_>)) -> Value {
        let words: Vec<_> = (0..words_for(1)).map(|_| AtomicU64::new(0)).collect();
        let zone = Zone::format(&words, 1, NOW).unwrap();
        let counter = zone.assign([("a.example", "/api/")].into_iter(), NOW)[0].unwrap();
        counter.count(ALLOWED, NOW);
        count(counter);
        let policy = cors_policy::Policy::default();
        let location = CountedLocation {
            server: "a.example",
            location: "/api/",
            policy: &policy,
            has_candidate: true,
            counter,
        };
        let report = Report::new("cors", 65536, &zone, &[location], NOW).with_lists(vec![List {
            name: "tenants",
            file: "/lists/tenants.txt",
            entries: 2,
            generation: 3,
            read: NOW,
            digest: "00e16e1d31c0ba2b".to_owned(),
            failed: Some(FailedRead {
                at: NOW,
                reason: "it is \"gone\"".to_owned(),
            }),
        }]);
        let prometheus = String::from_utf8(report.to_prometheus()).unwrap();
        assert!(
            prometheus.contains("nginx_cors_list_entries{list=\"tenants\"} 2\n"),
            "{prometheus}"
        );
        let page = String::from_utf8(report.to_html()).unwrap();
        assert!(
            page.contains("/lists/tenants.txt") && page.contains("it is &quot;gone&quot;"),
            "{page}"
        );
        serde_json::from_slice(&report.to_json()).unwrap()
    }

    /// Every name in the JSON, but for the results, which are those of `$cors_result`.
    fn names(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    found.insert(name.clone());
                    if !matches!(name.as_str(), "requests" | "preflights") {
                        names(member, found);
                    }
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| names(element, found)),
            _ => {}
        }
    }

    #[test]
    fn every_name_in_the_json_is_in_the_reference() {
        let reference = include_str!("../../docs/directives.md");
        let section = reference
            .split("\n### ")
            .find(|section| section.starts_with("cors_status\n"));
        let mut found = BTreeSet::new();
        let origin = b"https://b.example";
        let figures = figures(|counter| {
            counter.deny(origin, Reason::Origin(origin), false, NOW);
            counter.change(origin, &Change::WithCredentials(origin), NOW);
        });
        names(&figures, &mut found);
        assert!(found.len() > 25, "{found:?}");
        for name in found {
            assert!(section.unwrap().contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn what_a_candidate_would_change_is_told_in_words() {
        let origin = b"https://b.example".as_slice();
        for (change, kind, reason, beside_origin) in [
            (
                Change::Denied(Reason::Origin(origin)),
                "loss",
                "would deny: origin \"https://b.example\" is not in cors_allow_origin",
                "would be denied: not in cors_allow_origin",
            ),
            (
                Change::Allowed(Reason::Method(b"PUT")),
                "gain",
                "would allow what is denied: method \"PUT\" is not in cors_allow_methods",
                "would be allowed (in force: method \"PUT\" is not in cors_allow_methods)",
            ),
            (
                Change::WithCredentials(origin),
                "gain",
                "would give credentials to origin \"https://b.example\"",
                "would get credentials",
            ),
            (
                Change::WithoutCredentials(origin),
                "loss",
                "would take the credentials from origin \"https://b.example\"",
                "would lose its credentials",
            ),
        ] {
            let words: Vec<_> = (0..words_for(1)).map(|_| AtomicU64::new(0)).collect();
            let zone = Zone::format(&words, 1, NOW).unwrap();
            let counter = zone.assign([("a.example", "/api/")].into_iter(), NOW)[0].unwrap();
            counter.change(origin, &change, NOW);
            let policy = cors_policy::Policy::default();
            let location = |has_candidate| CountedLocation {
                server: "a.example",
                location: "/api/",
                policy: &policy,
                has_candidate,
                counter,
            };
            let with = [location(true)];
            let report = Report::new("cors", 65536, &zone, &with, NOW);
            let shown = &report.candidate_changes[0];
            assert_eq!(
                (&*shown.origin, shown.change, &*shown.reason, &*shown.short_reason),
                ("https://b.example", kind, reason, beside_origin)
            );
            // Once the candidate is gone there is nothing to decide.
            let without = [location(false)];
            assert!(Report::new("cors", 65536, &zone, &without, NOW)
                .candidate_changes
                .is_empty());
        }
    }

    #[test]
    fn the_directive_that_would_admit_a_denied_origin_is_named() {
        let origin = b"https://b.example".as_slice();
        let long = [b'a'; 1000];
        for (origin, reason, remedy) in [
            (
                origin,
                Reason::Origin(origin),
                Some("cors_allow_origin https://b.example;"),
            ),
            (
                origin,
                Reason::NoOriginAllowed,
                Some("cors_allow_origin https://b.example;"),
            ),
            (origin, Reason::Method(b"PATCH"), Some("cors_allow_methods PATCH;")),
            (origin, Reason::Header(b"x-one"), Some("cors_allow_headers x-one;")),
            // None of these could be copied as they are, and some would be dangerous.
            (origin, Reason::Method(b"PATCH;"), None),
            (origin, Reason::Header(b"x-{one}"), None),
            (origin, Reason::NotAHeaderName(b"x one"), None),
            (&long, Reason::Origin(&long), None),
            (b"https://b.example;", Reason::Origin(b"https://b.example;"), None),
            (b"$http_origin", Reason::NotAnOrigin(b"$http_origin"), None),
            (b"", Reason::SeveralOrigins, None),
        ] {
            let figures = figures(|counter| counter.deny(origin, reason, false, NOW));
            assert_eq!(figures["denied_origins"][0]["remedy"].as_str(), remedy, "{reason}");
        }
    }
}
