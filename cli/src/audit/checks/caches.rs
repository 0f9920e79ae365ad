//! What caches make of the answers.

use super::check::{each, Fault, Verdict};
use crate::audit::exchange::{Response, ALLOW_ORIGIN, VARY};
use crate::audit::purpose::Purpose;
use crate::audit::recording::{Exchange, Recording};

/// Answers that a cache may keep.
const ACTUAL: [Purpose; 3] = [Purpose::NoOrigin, Purpose::Allowed, Purpose::Stranger];
const PREFLIGHTS: [Purpose; 2] = [Purpose::Preflight, Purpose::PreflightOfStranger];

const SAME_FOR_ALL: &str = "all origins get the same answer";

/// Whether caches that many people share are told to keep it (RFC 9111, section 5.2.2; RFC 9213 for CDNs).
fn is_for_shared_caches(response: &Response) -> bool {
    let names = ["cdn-cache-control", "surrogate-control", "cache-control"];
    let Some(name) = names.into_iter().find(|name| response.has(name)) else {
        return false;
    };
    let directives: Vec<_> = response.list(name).map(str::to_ascii_lowercase).collect();
    let age = |directive: &str| {
        let value = directives.iter().find_map(|given| given.strip_prefix(directive));
        value.map(|value| value.trim_matches('"').parse::<u64>().unwrap_or(0))
    };
    let is_forbidden = ["private", "no-store", "no-cache"]
        .iter()
        .any(|forbidden| directives.iter().any(|given| given == forbidden));
    let age = age("s-maxage=").or_else(|| age("max-age="));
    !is_forbidden && age.map_or_else(|| directives.iter().any(|given| given == "public"), |age| age > 0)
}

fn without_vary(response: &Response) -> Fault {
    match response.combined(VARY) {
        Some(value) => (VARY, format!("Vary names \"{value}\", and not Origin")),
        None => (ALLOW_ORIGIN, "there is no Vary".to_owned()),
    }
}

/// Answers that depend on the origin.
fn dependent<'r>(
    recording: &'r Recording,
    purposes: &'r [Purpose],
    among: &'r [Purpose],
) -> impl Iterator<Item = (&'r Exchange, &'r Response)> {
    let answers = recording.answers(purposes);
    answers.filter(|(exchange, _)| recording.depends_on_origin(exchange.path, among))
}

fn missing_vary_for<'r>(recording: &'r Recording, purposes: &'r [Purpose]) -> Verdict<'r> {
    each(dependent(recording, purposes, &ACTUAL), SAME_FOR_ALL, |_, response| {
        let is_missing = !response.varies_by("Origin") && !is_for_shared_caches(response);
        is_missing.then(|| without_vary(response))
    })
}

pub fn missing_vary(recording: &Recording) -> Verdict<'_> {
    missing_vary_for(recording, &[Purpose::Allowed])
}

pub fn missing_vary_for_strangers(recording: &Recording) -> Verdict<'_> {
    missing_vary_for(recording, &[Purpose::Stranger])
}

pub fn missing_vary_without_origin(recording: &Recording) -> Verdict<'_> {
    missing_vary_for(recording, &[Purpose::NoOrigin])
}

pub fn shared_cache_mixes_origins(recording: &Recording) -> Verdict<'_> {
    each(dependent(recording, &ACTUAL, &ACTUAL), SAME_FOR_ALL, |_, response| {
        let is_mixed = !response.varies_by("Origin") && is_for_shared_caches(response);
        is_mixed.then(|| {
            let (_, what) = without_vary(response);
            (
                "cache-control",
                format!("shared caches are told to keep it, and {what}"),
            )
        })
    })
}

pub fn missing_vary_on_preflight(recording: &Recording) -> Verdict<'_> {
    each(
        dependent(recording, &PREFLIGHTS, &PREFLIGHTS),
        SAME_FOR_ALL,
        |_, response| {
            let is_missing = response.is_success() && !response.varies_by("Origin") && !is_for_shared_caches(response);
            is_missing.then(|| without_vary(response))
        },
    )
}

pub fn preflight_cached(recording: &Recording) -> Verdict<'_> {
    each(
        dependent(recording, &PREFLIGHTS, &PREFLIGHTS),
        SAME_FOR_ALL,
        |_, response| {
            let is_mixed = !response.varies_by("Origin") && is_for_shared_caches(response);
            is_mixed.then(|| {
                let (_, what) = without_vary(response);
                (
                    "cache-control",
                    format!("a CDN that keeps answers to OPTIONS keeps it, and {what}"),
                )
            })
        },
    )
}

pub fn vary_doubled(recording: &Recording) -> Verdict<'_> {
    let answers = recording.all_answers().filter(|(_, response)| response.has(VARY));
    each(answers, "no answer has a Vary", |_, response| {
        let mut names: Vec<_> = response.list(VARY).map(str::to_ascii_lowercase).collect();
        names.sort();
        let twice = names.windows(2).find(|pair| pair.first() == pair.last())?;
        Some((VARY, format!("\"{}\" is named twice", twice.first()?)))
    })
}
