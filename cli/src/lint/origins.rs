//! Faults by which the wrong origins are let in, or none.

use super::faults::{
    Fault, INSECURE_WITH_CREDENTIALS, NULL_ORIGIN, ORIGIN_NEVER_SENT, ORIGIN_OF_ANOTHER_HEADER, REFLECTED,
    REFLECTED_WITH_CREDENTIALS, REGEX_ADMITS_STRANGERS, REGEX_DEAD_BRANCH, REGEX_MATCHES_NOTHING, REGEX_NOT_JUDGED,
};
use super::finding::Finding;
use super::survey::{conditions, Admission, Expression, Survey, STRANGER};
use crate::cors_headers::origin_error;
use crate::nginx::{Span, Word};
use crate::site::{BlockId, Conditions, Pattern};

/// So many locations are tried until one shows what an expression does.
const MOST_LOCATIONS: usize = 200;

pub fn check(survey: &Survey<'_, '_>) {
    let mut reflecting = Vec::new();
    for location in relevant(survey) {
        if let Some(admission) = survey.admission(location, STRANGER) {
            reflected(survey, location, &admission);
            reflecting.push(location);
        } else if let Some(admission) = survey.admission(location, "null") {
            null(survey, location, &admission);
        }
    }
    let tried: Vec<_> = relevant(survey)
        .filter(|location| !reflecting.contains(location))
        .take(MOST_LOCATIONS)
        .collect();
    for expression in &survey.expressions {
        judge(survey, expression, &tried);
    }
    literals(survey);
    other_headers(survey);
}

/// The locations whose responses have headers of CORS.
fn relevant<'a>(survey: &'a Survey<'_, '_>) -> impl Iterator<Item = BlockId> + 'a {
    let by_policy = survey.locations().filter(|location| survey.policy(*location).is_some());
    survey.probes.iter().map(|probe| probe.location).chain(by_policy)
}

fn reflected(survey: &Survey<'_, '_>, location: BlockId, admission: &Admission) {
    let fault: &'static Fault = match admission.with_credentials {
        true => &REFLECTED_WITH_CREDENTIALS,
        false => &REFLECTED,
    };
    let what = match admission.with_credentials {
        true => format!("\"{STRANGER}\" is sent back, with credentials, and so is any other origin"),
        false => format!("\"{STRANGER}\" is sent back, and so is any other origin"),
    };
    let remedy = match admission.with_credentials {
        true => "name the origins to trust: \"cors on; cors_allow_origin https://app.example.com; cors_allow_credentials on;\"",
        false => "write \"*\", if everyone may read this; if not, name the origins to trust: \"cors on; cors_allow_origin https://app.example.com;\"",
    };
    let finding = Finding::new(fault, admission.span, what)
        .shown_by(survey.curl(location, &admission.request))
        .remedy(remedy);
    survey.add(finding);
}

fn null(survey: &Survey<'_, '_>, location: BlockId, admission: &Admission) {
    let (span, beside) = decisive(survey, location, "null", admission.span);
    let with = if admission.with_credentials {
        ", with credentials"
    } else {
        ""
    };
    let mut finding = Finding::new(&NULL_ORIGIN, span, format!("the origin \"null\" is allowed{with}"))
        .shown_by(survey.curl(location, &admission.request))
        .remedy(
            "remove it; an app that has no other origin needs a scheme of its own, such as \"capacitor://localhost\"",
        );
    if let Some(beside) = beside {
        finding = finding.beside(beside, "it is sent here");
    }
    survey.add(finding);
}

/// Where a map or a condition lets `origin` in; otherwise where the header is added. In the first case, that too.
fn decisive(survey: &Survey<'_, '_>, location: BlockId, origin: &str, header: Span) -> (Span, Option<Span>) {
    let request = crate::site::Request::get(Some(origin));
    let assigned = survey.site.rewrite(location, &request).assigned;
    let maps = survey.site.variables.maps.iter().filter(|map| map.asks_for_origin());
    for map in maps {
        let entry = survey.site.variables.entry_for(map, &request, &assigned);
        if let Some(entry) = entry.filter(|entry| !entry.value.parts().is_empty()) {
            return (entry.written.span, Some(header));
        }
    }
    (header, None)
}

/// What a regular expression matches that it should not, or does not match though it should.
fn judge(survey: &Survey<'_, '_>, expression: &Expression<'_>, tried: &[BlockId]) {
    let span = expression.word.span;
    let Some(judged) = &expression.judged else {
        let what = "which origins it matches cannot be found out";
        let remedy = "list the origins, or write an expression without look-around and back references";
        survey.add(Finding::new(&REGEX_NOT_JUDGED, span, what).remedy(remedy));
        return;
    };
    if let Some(why) = &judged.nothing {
        // Also `null`, which is no origin with a scheme, can be meant.
        if survey
            .site
            .variables
            .regexes
            .matches(&expression.source, expression.ignores_case, "null")
            != Some(true)
        {
            let what = format!("it matches no origin: {why}");
            survey.add(
                Finding::new(&REGEX_MATCHES_NOTHING, span, what)
                    .remedy("write it as browsers send the origin: \"https://app\\.example\\.com\""),
            );
        }
        return;
    }
    for branch in &judged.dead_branches {
        let finding = Finding::new(&REGEX_DEAD_BRANCH, span, branch.clone());
        survey.findings.borrow_mut().add_another(finding);
    }
    if expression.is_negated {
        return negated(survey, expression, tried);
    }
    if let (Some(stranger), Some(mistake)) = (&judged.stranger, &judged.mistake) {
        if let Some((location, admission)) = admitted(survey, tried, stranger) {
            let mut finding = Finding::new(
                &REGEX_ADMITS_STRANGERS,
                span,
                format!("it also lets \"{stranger}\" in: {mistake}"),
            )
            .shown_by(survey.curl(location, &admission.request))
            .beside(admission.span, "it is sent here");
            finding = finding.remedy(match &judged.patterns {
                Some(patterns) => format!("write \"cors on; cors_allow_origin {patterns};\""),
                None => "bind it to both ends, escape each dot, and write out the domains that are meant: \"~^https://([a-z0-9-]+\\.)*example\\.com$\"".to_owned(),
            });
            survey.add(finding);
        }
    }
    if let Some(insecure) = &judged.insecure {
        if let Some((location, admission)) = admitted(survey, tried, insecure).filter(|(_, a)| a.with_credentials) {
            let finding = Finding::new(
                &INSECURE_WITH_CREDENTIALS,
                span,
                format!("it lets \"{insecure}\" in, with credentials"),
            )
            .shown_by(survey.curl(location, &admission.request))
            .beside(admission.span, "it is sent here")
            .remedy("let \"https://\" in alone");
            survey.add(finding);
        }
    }
}

/// An expression after `!~`: whom it matches gets past the condition.
fn negated(survey: &Survey<'_, '_>, expression: &Expression<'_>, tried: &[BlockId]) {
    let Some(judged) = &expression.judged else { return };
    let (Some(stranger), Some(mistake)) = (&judged.stranger, &judged.mistake) else {
        return;
    };
    if let Some((location, admission)) = admitted(survey, tried, stranger) {
        let what = format!("\"{stranger}\" gets past it: {mistake}");
        let finding = Finding::new(&REGEX_ADMITS_STRANGERS, expression.word.span, what)
            .shown_by(survey.curl(location, &admission.request))
            .beside(admission.span, "it is sent here")
            .remedy("bind it to both ends, and escape each dot: \"^https://([a-z0-9-]+\\.)*example\\.com$\"");
        survey.add(finding);
    }
}

/// A location that lets `origin` in.
fn admitted(survey: &Survey<'_, '_>, tried: &[BlockId], origin: &str) -> Option<(BlockId, Admission)> {
    let mut locations = tried.iter();
    locations.find_map(|location| Some((*location, survey.admission(*location, origin)?)))
}

/// Origins that maps and conditions compare.
fn literals(survey: &Survey<'_, '_>) {
    for map in &survey.site.variables.maps {
        // With `hostnames` a name matches all that ends with it.
        if map.source.variable() != Some("http_origin") || map.has_hostnames {
            continue;
        }
        for entry in &map.entries {
            if let Pattern::Literal(literal) = &entry.pattern {
                compared(survey, literal, entry.written);
            }
        }
    }
    for directive in survey.site.blocks.iter().flat_map(conditions) {
        let Some((name, operator, value)) = Conditions::compared(directive) else {
            continue;
        };
        let word = directive
            .arguments
            .iter()
            .rev()
            .find(|word| word.value.contains(value.as_str()));
        if let (true, "=" | "!=", Some(word)) = (name == "http_origin", &*operator, word) {
            compared(survey, &value, word);
        }
    }
}

fn compared(survey: &Survey<'_, '_>, value: &str, word: &Word) {
    if matches!(value, "" | "null" | "hostnames" | "volatile") || value.contains('$') {
        return;
    }
    if let Some((why, remedy)) = origin_error(value) {
        let what = format!("no browser sends \"{value}\": {why}");
        let mut finding = Finding::new(&ORIGIN_NEVER_SENT, word.span, what);
        finding.remedy = remedy;
        survey.add(finding);
    }
}

/// `Access-Control-Allow-Origin` that is made of something else than `Origin`.
fn other_headers(survey: &Survey<'_, '_>) {
    for probe in &survey.probes {
        for level in [probe.get.rewritten.level, probe.preflight.rewritten.level] {
            for header in survey
                .site
                .headers(level)
                .iter()
                .filter(|header| header.is("Access-Control-Allow-Origin"))
            {
                let mut names = header.value.variables();
                let is_other = |name: &&str| {
                    matches!(
                        *name,
                        "http_referer" | "http_host" | "http_x_forwarded_host" | "http_x_origin"
                    ) || name.starts_with("arg_")
                        || name.starts_with("cookie_")
                };
                if let Some(name) = names.find(is_other) {
                    let what = format!("it is taken from \"${name}\"");
                    let finding = Finding::new(&ORIGIN_OF_ANOTHER_HEADER, header.value_span, what)
                        .remedy("name the origins to trust: \"cors on; cors_allow_origin https://app.example.com;\"");
                    survey.add(finding);
                }
            }
        }
    }
}
