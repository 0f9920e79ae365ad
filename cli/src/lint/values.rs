//! Faults in the values of headers.

use super::faults::{
    CREDENTIALS_NOT_TRUE, MALFORMED_LIST, MALFORMED_MAX_AGE, MALFORMED_ORIGIN, MAX_AGE_TOO_LONG, METHOD_IN_LOWER_CASE,
    MISSPELT_HEADER, ORIGIN_PATTERN, PRIVATE_NETWORK, REQUEST_HEADER_IN_RESPONSE, SEVERAL_ORIGINS_IN_A_VALUE,
    WILDCARD_LIST_WITH_CREDENTIALS, WILDCARD_WITH_CREDENTIALS,
};
use super::finding::Finding;
use super::survey::{Probe, Survey};
use crate::cors_headers::{
    nearest_response_header, origin_error, LONGEST_MAX_AGE, RESPONSE_HEADERS, UPPER_CASE_METHODS,
};
use crate::nginx::Span;
use crate::site::header::own;
use crate::site::{AddedHeader, Request, Response};
use cors_policy::is_token;

pub fn check(survey: &Survey<'_, '_>) {
    for block in &survey.site.blocks {
        for header in own(block).iter().filter(|header| header.is_cors()) {
            name(survey, header);
            value(survey, header);
        }
    }
    for probe in &survey.probes {
        wildcards(survey, probe);
    }
}

fn name(survey: &Survey<'_, '_>, header: &AddedHeader<'_>) {
    let name = &header.name;
    if RESPONSE_HEADERS.iter().any(|known| header.is(known)) {
        if header.is("Access-Control-Allow-Private-Network") {
            let finding = Finding::new(&PRIVATE_NETWORK, header.name_span, "browsers no longer look at it");
            survey.add(finding.remedy("remove the line"));
        }
        return;
    }
    if header.is("Access-Control-Request-Method") || header.is("Access-Control-Request-Headers") {
        let meant = match header.is("Access-Control-Request-Method") {
            true => "Access-Control-Allow-Methods",
            false => "Access-Control-Allow-Headers",
        };
        let what = format!("\"{name}\" is what browsers ask with; a response has \"{meant}\"");
        let finding = Finding::new(&REQUEST_HEADER_IN_RESPONSE, header.name_span, what);
        survey.add(finding.remedy(format!("write \"{meant}\", or remove the line")));
        return;
    }
    let nearest = nearest_response_header(name);
    let what = format!("browsers know no header \"{name}\"");
    let finding = Finding::new(&MISSPELT_HEADER, header.name_span, what);
    survey.add(finding.remedy(format!("write \"{nearest}\"")));
}

fn value(survey: &Survey<'_, '_>, header: &AddedHeader<'_>) {
    if header.is("Access-Control-Allow-Origin") {
        return origins(survey, header);
    }
    let Some(value) = header.value.literal().filter(|value| !value.is_empty()) else {
        return;
    };
    let span = header.value_span;
    if header.is("Access-Control-Allow-Credentials") {
        if value != "true" {
            let remedy = match value.eq_ignore_ascii_case("false") {
                true => "remove the line",
                false => "write \"true\", or remove the line",
            };
            let what = format!("\"{value}\" means the same as no header");
            survey.add(Finding::new(&CREDENTIALS_NOT_TRUE, span, what).remedy(remedy));
        }
    } else if header.is("Access-Control-Max-Age") {
        max_age(survey, value, span);
    } else if header.is("Access-Control-Allow-Private-Network") {
    } else if RESPONSE_HEADERS.iter().any(|known| header.is(known)) {
        list(survey, value, span, header.is("Access-Control-Allow-Methods"));
    }
}

/// The values that `Access-Control-Allow-Origin` can have, as far as they are written out.
fn origins(survey: &Survey<'_, '_>, header: &AddedHeader<'_>) {
    if let Some(value) = header.value.literal() {
        return origin(survey, value, header.value_span);
    }
    let Some(map) = header.value.variable().and_then(|name| survey.site.variables.map(name)) else {
        return;
    };
    for entry in &map.entries {
        if let (Some(value), Some(word)) = (entry.value.literal(), entry.value_word) {
            // `1` and the like are for conditions.
            if value.contains("://") || value.contains('*') {
                origin(survey, value, word.span);
            }
        }
    }
}

fn origin(survey: &Survey<'_, '_>, value: &str, span: Span) {
    if matches!(value, "" | "*" | "null") {
        return;
    }
    if value.trim().contains([',', ' ']) {
        let origins: Vec<_> = value.split([',', ' ']).filter(|part| !part.is_empty()).collect();
        let what = "no page has this list for its origin";
        let finding = Finding::new(&SEVERAL_ORIGINS_IN_A_VALUE, span, what);
        return survey.add(finding.remedy(format!("write \"cors on; cors_allow_origin {};\"", origins.join(" "))));
    }
    if value.contains('*') {
        let what = format!("no page has the origin \"{value}\"");
        let finding = Finding::new(&ORIGIN_PATTERN, span, what);
        return survey.add(finding.remedy(format!("write \"cors on; cors_allow_origin {value};\"")));
    }
    if let Some((why, remedy)) = origin_error(value) {
        let mut finding = Finding::new(
            &MALFORMED_ORIGIN,
            span,
            format!("no page has the origin \"{value}\": {why}"),
        );
        finding.remedy = remedy;
        survey.add(finding);
    }
}

fn max_age(survey: &Survey<'_, '_>, value: &str, span: Span) {
    match value.parse::<u64>() {
        Ok(seconds) if seconds > LONGEST_MAX_AGE => {
            let what = format!("{seconds} seconds are more than any browser keeps");
            survey.add(
                Finding::new(&MAX_AGE_TOO_LONG, span, what)
                    .remedy("write \"7200\", which Chromium keeps, or \"86400\", which Firefox does"),
            );
        }
        Ok(_) => {}
        // `-1` has browsers keep nothing (Fetch, CORS-preflight fetch, step 7.8).
        Err(_) if value == "-1" => {}
        Err(_) => {
            let what = format!("\"{value}\" is no number of seconds");
            survey.add(Finding::new(&MALFORMED_MAX_AGE, span, what).remedy("write the number alone, as in \"7200\""));
        }
    }
}

fn list(survey: &Survey<'_, '_>, value: &str, span: Span, of_methods: bool) {
    let names: Vec<_> = value
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    if names.iter().any(|name| !is_token(name.as_bytes())) {
        let separators = [',', ' ', ';', '|', '"', '\'', '[', ']', '\t'];
        let meant: Vec<_> = value.split(separators).filter(|name| !name.is_empty()).collect();
        let mut finding = Finding::new(
            &MALFORMED_LIST,
            span,
            format!("\"{value}\" is no list of names with commas"),
        );
        if meant.iter().all(|name| is_token(name.as_bytes())) {
            finding = finding.remedy(format!("write \"{}\"", meant.join(", ")));
        }
        return survey.add(finding);
    }
    let is_lower = |name: &&&str| {
        let upper = name.to_ascii_uppercase();
        of_methods && **name != upper && UPPER_CASE_METHODS.contains(&&*upper)
    };
    if let Some(lower) = names.iter().find(is_lower) {
        let what = format!(
            "browsers send \"{}\", which is not \"{lower}\"",
            lower.to_ascii_uppercase()
        );
        let upper: Vec<_> = names.iter().map(|name| name.to_ascii_uppercase()).collect();
        survey.add(Finding::new(&METHOD_IN_LOWER_CASE, span, what).remedy(format!("write \"{}\"", upper.join(", "))));
    }
}

fn wildcards(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>) {
    let asked = [
        (&probe.get, Request::get(probe.allowed.as_deref())),
        (&probe.preflight, Request::preflight(probe.allowed.as_deref(), "PUT")),
    ];
    for (response, request) in asked {
        if response.has_credentials() {
            wildcards_of(survey, probe, response, &request);
        }
    }
}

fn wildcards_of(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>, response: &Response<'_, '_>, request: &Request) {
    let is_star = |name: &str| response.line(name).filter(|line| line.value.known() == Some("*"));
    let credentials = response
        .line("Access-Control-Allow-Credentials")
        .map(|line| line.header.value_span);
    if let Some(line) = is_star("Access-Control-Allow-Origin") {
        let mut finding = Finding::new(
            &WILDCARD_WITH_CREDENTIALS,
            line.header.value_span,
            "browsers refuse \"*\" beside \"Access-Control-Allow-Credentials: true\"",
        )
        .shown_by(survey.curl(probe.location, request))
        .remedy("if pages need the user's cookies, name their origins: \"cors on; cors_allow_origin https://app.example.com; cors_allow_credentials on;\"; if not, remove Access-Control-Allow-Credentials");
        if let Some(credentials) = credentials {
            finding = finding.beside(credentials, "credentials are allowed here");
        }
        return survey.add(finding);
    }
    let names: &[&str] = match request.asks_for {
        Some(_) => &["Access-Control-Allow-Methods", "Access-Control-Allow-Headers"],
        None => &["Access-Control-Expose-Headers"],
    };
    for name in names {
        if let Some(line) = is_star(name) {
            let finding = Finding::new(
                &WILDCARD_LIST_WITH_CREDENTIALS,
                line.header.value_span,
                "a request with credentials finds here a name \"*\", and nothing else",
            );
            survey.add(
                finding
                    .shown_by(survey.curl(probe.location, request))
                    .remedy("write out the names that are meant"),
            );
        }
    }
}
