//! Faults by which preflights fail.

use super::faults::{
    Fault, OPTIONS_SWALLOWED, PREFLIGHT_BEHIND_AUTHENTICATION, PREFLIGHT_FORBIDDEN, PREFLIGHT_LIMITED,
    PREFLIGHT_NOT_OK, PREFLIGHT_REDIRECTED, PREFLIGHT_TAKEN, PREFLIGHT_UNANSWERED, PREFLIGHT_WITHOUT_ORIGIN,
};
use super::finding::Finding;
use super::survey::{Probe, Survey};
use crate::nginx::Directive;
use crate::site::{Answer, Block, BlockId, Content, Kind, Request, Text};
use cors_policy::PreflightMode;

const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";

/// Who sends the preflights that are shown.
const ANYONE: &str = "https://app.example.com";

pub fn check(survey: &Survey<'_, '_>) {
    for probe in &survey.probes {
        if survey.policy(probe.location).is_none() {
            by_headers(survey, probe);
        }
    }
    for location in survey.locations() {
        by_policy(survey, location);
    }
}

/// A location that answers preflights by `add_header` and `return`.
fn by_headers(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>) {
    let Some(origin) = &probe.allowed else { return };
    let request = Request::preflight(Some(origin), "PUT");
    let curl = || survey.curl(probe.location, &request);
    let get_is_allowed = probe.get.allows(origin).is_some();
    match probe.preflight_answer() {
        Some((status, by)) if (200..300).contains(&status) => {
            if get_is_allowed && probe.preflight.line(ALLOW_ORIGIN).is_none() {
                let finding = Finding::new(
                    &PREFLIGHT_WITHOUT_ORIGIN,
                    by.head(),
                    format!("this answers preflights, without \"{ALLOW_ORIGIN}\""),
                )
                .shown_by(curl());
                let line = probe.get.line(ALLOW_ORIGIN).map(|line| line.header.directive.head());
                let finding = match line {
                    Some(line) => finding
                        .beside(line, "other responses have it from here")
                        .remedy(format!(
                            "repeat it in the same \"if\": \"{};\"",
                            survey.configuration.sources.slice(line)
                        )),
                    None => finding,
                };
                survey.add(finding);
            }
            swallowed(survey, probe, by);
        }
        // Where all requests go elsewhere, pages do not ask here.
        Some((status, by)) if get_is_allowed && matches!(probe.get.rewritten.answer, Answer::Content) => {
            survey.add(refused(status, by).shown_by(curl()));
        }
        Some(_) => {}
        None => {
            if matches!(probe.preflight.rewritten.answer, Answer::Content) && get_is_allowed {
                by_content(survey, probe, curl().as_deref());
            }
        }
    }
}

/// Whether the headers of a location say that preflights are expected.
fn expects_preflights(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>) -> bool {
    let names = [
        "Access-Control-Allow-Methods",
        "Access-Control-Allow-Headers",
        "Access-Control-Max-Age",
    ];
    let levels = [probe.get.rewritten.level, probe.preflight.rewritten.level];
    let mut headers = levels.into_iter().flat_map(|level| survey.site.headers(level));
    headers.any(|header| names.iter().any(|name| header.is(name)))
}

/// A preflight that goes the way of every other request.
fn by_content(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>, curl: Option<&str>) {
    if !expects_preflights(survey, probe) {
        return;
    }
    let level = probe.preflight.rewritten.level;
    if let Some(by) = authentication(survey, level) {
        let finding = Finding::new(
            &PREFLIGHT_BEHIND_AUTHENTICATION,
            by.head(),
            "preflights have to get past this, and browsers send no credentials with them",
        )
        .shown_by(curl.map(str::to_owned))
        .remedy("have the module answer them before authentication: \"cors on; cors_allow_origin https://app.example.com;\"");
        return survey.add(finding);
    }
    if let Some(by) = forbids_options(survey, probe.location) {
        let finding = Finding::new(
            &PREFLIGHT_FORBIDDEN,
            by.head(),
            "\"OPTIONS\" is not among the methods that are free",
        )
        .shown_by(curl.map(str::to_owned))
        .remedy(format!(
            "write \"{} OPTIONS\"",
            survey.configuration.sources.slice(by.head())
        ));
        return survey.add(finding);
    }
    limited(survey, level, curl);
    if matches!(probe.content, Content::Files) {
        let line = probe.get.line(ALLOW_ORIGIN).map(|line| line.header.directive.head());
        let Some(line) = line else { return };
        let finding = Finding::new(
            &PREFLIGHT_UNANSWERED,
            line,
            "nginx answers preflights for files with 405, whatever headers it adds",
        )
        .shown_by(curl.map(str::to_owned))
        .remedy("write \"cors on; cors_allow_origin https://app.example.com;\" in its place, or answer preflights: \"if ($request_method = OPTIONS) { ... return 204; }\"");
        survey.add(finding);
    }
}

/// A location with a policy: what gets in before it.
fn by_policy(survey: &Survey<'_, '_>, location: BlockId) {
    let Some(of) = survey.policy(location) else { return };
    let settings = of.policy.settings();
    if settings.preflight == PreflightMode::Early || settings.dry_run || !stands_near(survey, location) {
        return;
    }
    let request = Request::preflight(Some(ANYONE), "PUT");
    let curl = survey.curl(location, &request);
    let rewritten = survey.site.rewrite(location, &request);
    if let Answer::Status { status, by } = rewritten.answer {
        let for_all = matches!(
            survey.site.rewrite(location, &Request::get(Some(ANYONE))).answer,
            Answer::Status { .. }
        );
        if (200..300).contains(&status) {
            // A location that answers everything itself answers preflights, too, with the headers of the policy.
            if !for_all {
                let finding = Finding::new(
                    &PREFLIGHT_TAKEN,
                    by.head(),
                    "this answers preflights in the place of the policy",
                )
                .shown_by(curl)
                .remedy("remove the \"if\"; the module answers preflights");
                survey.add(finding);
            }
            return;
        }
        let finding = refused(status, by).shown_by(curl);
        return survey.add(match for_all && rewritten.at_server {
            true => finding.remedy("write \"cors_preflight early;\" in the server, or have pages ask where this leads"),
            false => finding.remedy("write \"cors_preflight early;\", or remove it"),
        });
    }
    if !matches!(rewritten.answer, Answer::Content) {
        return;
    }
    if settings.preflight == PreflightMode::Pass {
        if let Some(by) = authentication(survey, rewritten.level) {
            let finding = Finding::new(
                &PREFLIGHT_BEHIND_AUTHENTICATION,
                by.head(),
                "with \"cors_preflight pass\" preflights have to get past this, and browsers send no credentials with them",
            )
            .shown_by(curl.clone())
            .remedy("write \"cors_preflight answer;\", or let preflights through: $cors_preflight is \"1\" for them");
            survey.add(finding);
        }
    }
    limited(survey, rewritten.level, curl.as_deref());
}

/// Whether `cors` is said in the server of a location, or in the location: what `http` says of all servers holds for those,
/// too, that only redirect.
fn stands_near(survey: &Survey<'_, '_>, location: BlockId) -> bool {
    let said = survey.site.in_force_at(location, "cors").map(|(at, _)| at);
    let kind = said.and_then(|at| survey.site.block(at)).map(|block| block.kind);
    kind.is_some_and(|kind| kind != Kind::Http)
}

fn refused(status: u16, by: &Directive) -> Finding {
    let fault: &'static Fault = match status {
        300..=399 => &PREFLIGHT_REDIRECTED,
        _ => &PREFLIGHT_NOT_OK,
    };
    Finding::new(fault, by.head(), format!("preflights get {status} here")).remedy(
        "answer preflights before it: \"cors on; cors_allow_origin https://app.example.com; cors_preflight early;\"",
    )
}

/// What asks for credentials at this level.
fn authentication<'t>(survey: &Survey<'_, 't>, level: BlockId) -> Option<&'t Directive> {
    let site = survey.site;
    // One of several conditions may be met otherwise.
    if site.setting(level, "satisfy") == Some("any") {
        return None;
    }
    let by = [
        "auth_basic",
        "auth_request",
        "auth_jwt",
        "auth_digest",
        "auth_pam",
        "auth_ldap",
    ]
    .into_iter()
    .filter_map(|name| site.in_force(level, name).last().copied())
    .find(|directive| {
        directive
            .argument(0)
            .is_some_and(|value| value != "off" && !value.contains('$'))
    });
    let certificate = site.in_force(level, "ssl_verify_client").last().copied();
    by.or(certificate.filter(|directive| directive.argument(0) == Some("on")))
}

/// A `limit_except` that keeps `OPTIONS` out.
fn forbids_options<'t>(survey: &Survey<'_, 't>, location: BlockId) -> Option<&'t Directive> {
    let limits = survey
        .site
        .within(location)
        .filter(|(_, block)| block.kind == Kind::LimitExcept);
    for (_, block) in limits {
        let opened = block.opened?;
        let frees = opened
            .arguments
            .iter()
            .any(|word| word.value.eq_ignore_ascii_case("OPTIONS"));
        let denies = block.own("deny").any(|directive| directive.argument(0) == Some("all"));
        let allows = block.own("allow").next().is_some();
        let asks = block.own("auth_basic").next().is_some();
        if !frees && ((denies && !allows) || asks) {
            return Some(opened);
        }
    }
    None
}

fn limited(survey: &Survey<'_, '_>, level: BlockId, curl: Option<&str>) {
    for (name, zones) in [("limit_req", "limit_req_zone"), ("limit_conn", "limit_conn_zone")] {
        for limit in survey.site.in_force(level, name) {
            if limit_spares_preflights(survey, limit, zones) {
                continue;
            }
            let finding = Finding::new(&PREFLIGHT_LIMITED, limit.head(), "preflights count, too, and get 503 above the limit")
                .shown_by(curl.map(str::to_owned))
                .remedy("use a key that is empty for preflights: \"map $cors_preflight $key { 1 \"\"; default $binary_remote_addr; }\"");
            survey.add(finding);
        }
    }
}

/// Whether the key of a limit depends on what tells preflights apart.
fn limit_spares_preflights(survey: &Survey<'_, '_>, limit: &Directive, zones: &str) -> bool {
    let named = limit.arguments.iter().find_map(|word| match limit.is("limit_req") {
        true => word.value.strip_prefix("zone="),
        false => Some(&*word.value),
    });
    let Some(named) = named else { return false };
    let all = survey.site.of_kind(Kind::Http).flat_map(|(_, http)| http.own(zones));
    let mut of_zone = all.filter(|zone| {
        let mut words = zone
            .arguments
            .iter()
            .filter_map(|word| word.value.strip_prefix("zone="));
        words.any(|zone| zone.split(':').next() == Some(named))
    });
    let tells_apart = |name: &str| {
        matches!(
            name,
            "request_method" | "cors_preflight" | "http_access_control_request_method"
        )
    };
    of_zone.any(|zone| {
        let key = Text::parse(zone.argument(0).unwrap_or_default());
        let maps = survey.site.variables.maps_of(&key);
        key.variables().any(tells_apart) || maps.iter().any(|map| map.source.variables().any(tells_apart))
    })
}

fn swallowed(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>, by: &Directive) {
    let is_application = matches!(probe.content, Content::Application(_));
    let answers_all = matches!(probe.get.rewritten.answer, Answer::Status { .. });
    let Answer::Status { status, by: answering } = probe.options.rewritten.answer else {
        return;
    };
    if !is_application || answers_all || !(200..300).contains(&status) || !std::ptr::eq(answering, by) {
        return;
    }
    let request = Request::get(None).with_method("OPTIONS");
    let head = survey.site.block(probe.options.rewritten.level).and_then(Block::head);
    let span = head
        .filter(|_| !probe.options.rewritten.taken.is_empty())
        .unwrap_or_else(|| by.head());
    let finding = Finding::new(
        &OPTIONS_SWALLOWED,
        span,
        "an \"OPTIONS\" that is no preflight never reaches the application",
    )
    .shown_by(survey.curl(probe.location, &request))
    .remedy("the module answers preflights alone: \"cors on; cors_allow_origin https://app.example.com;\"");
    survey.add(finding);
}
