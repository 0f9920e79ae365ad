//! Faults of the `cors_*` directives.

use std::collections::BTreeMap;

use cors_policy::{Directive as PolicyDirective, Severity as PolicySeverity};

use super::faults::{
    Fault, HEADER_BESIDE_POLICY, NGINX_REFUSES, NGINX_WARNS, POLICY_DEAD, SET_UNDER_EARLY, UNKNOWN_DIRECTIVE,
};
use super::finding::Finding;
use super::survey::Survey;
use crate::nginx::{Directive, Span};
use crate::site::policy::is_known;
use crate::site::{AddedHeader, Block, BlockId, Kind, Text};

pub fn check(survey: &Survey<'_, '_>) {
    by_nginx(survey);
    unknown(survey);
    dead(survey);
    for location in survey.locations() {
        set_under_early(survey, location);
    }
    for id in 0..survey.site.blocks.len() {
        header_beside_policy(survey, id);
    }
}

/// What `nginx -t` says, word by word.
fn by_nginx(survey: &Survey<'_, '_>) {
    for problem in &survey.policies.problems {
        let fault: &'static Fault = match problem.severity {
            PolicySeverity::Error => &NGINX_REFUSES,
            PolicySeverity::Warning => &NGINX_WARNS,
        };
        if let Some(span) = survey.policies.place(&problem.at) {
            let finding = Finding::new(fault, span, problem.to_string());
            survey.findings.borrow_mut().add_another(finding);
        }
    }
}

fn unknown(survey: &Survey<'_, '_>) {
    for directive in survey.site.blocks.iter().flat_map(|block| block.directives) {
        let name = &*directive.name.value;
        if !name.starts_with("cors_") || is_known(name) {
            continue;
        }
        let names = PolicyDirective::ALL.iter().map(|directive| directive.name());
        let nearest = names
            .min_by_key(|known| strsim::osa_distance(known, name))
            .unwrap_or_default();
        let finding = Finding::new(
            &UNKNOWN_DIRECTIVE,
            directive.name.span,
            format!("unknown directive \"{name}\""),
        );
        survey.add(finding.remedy(format!("write \"{nearest}\"")));
    }
}

/// The named locations with a policy of their own to which locations with a policy lead.
fn dead(survey: &Survey<'_, '_>) {
    let site = survey.site;
    for (id, block) in site.of_kind(Kind::Location) {
        let Some(("", name)) = block.location().filter(|(_, name)| name.starts_with('@')) else {
            continue;
        };
        let Some(of) = survey.policy(id).filter(|of| of.is_own) else {
            continue;
        };
        let Some((server, _)) = site.server_of(id) else {
            continue;
        };
        // Whatever is set that a response goes by; `cors_zone` and the like are not meant.
        let Some(own) = block.directives.iter().find(|directive| is_policy(directive)) else {
            continue;
        };
        let mut led = BTreeMap::<bool, Vec<Span>>::new();
        for (from, source) in site.of_kind(Kind::Location) {
            if from == id || site.server_of(from).map(|(server, _)| server) != Some(server) {
                continue;
            }
            for line in leads_to(source, name) {
                let governed = survey.policy(from).is_some();
                let is_same = survey
                    .policy(from)
                    .is_some_and(|other| std::rc::Rc::ptr_eq(&other.policy, &of.policy));
                led.entry(governed && !is_same).or_default().push(line.head());
            }
        }
        // One way without a policy is enough for it to count.
        if let (None, Some(ways)) = (led.get(&false), led.get(&true)) {
            let mut finding = Finding::new(
                &POLICY_DEAD,
                own.head(),
                format!("requests come to \"{name}\" from locations with a policy of their own, which governs them to the end"),
            )
            .remedy("remove the policy here, and write it where the requests come from; or write \"cors off\" here for responses without CORS headers");
            if let Some(way) = ways.first() {
                finding = finding.beside(*way, "they come from here");
            }
            survey.add(finding);
        }
    }
}

fn is_policy(directive: &Directive) -> bool {
    let is_off = directive.is("cors") && directive.argument(0) == Some("off");
    PolicyDirective::from_name(directive.name.value.as_bytes()).is_some() && !is_off
}

/// The lines of a location by which requests go on in the named location.
fn leads_to<'t>(block: &Block<'t>, name: &str) -> Vec<&'t Directive> {
    let lines = block
        .directives
        .iter()
        .filter(|directive| matches!(&*directive.name.value, "try_files" | "error_page"));
    lines
        .filter(|line| line.arguments.last().is_some_and(|last| &*last.value == name))
        .collect()
}

fn set_under_early(survey: &Survey<'_, '_>, location: BlockId) {
    if !survey.answers_early(location) {
        return;
    }
    for line in survey.site.in_force(location, "cors_allow_origin") {
        for word in line.arguments.iter().filter(|word| !word.value.starts_with('~')) {
            let text = Text::parse(&word.value);
            let variables = &survey.site.variables;
            let maps = variables.maps_of(&text);
            let names = text
                .variables()
                .chain(maps.iter().flat_map(|map| map.source.variables()));
            let is_set = |name: &&str| variables.set.contains(*name) && variables.map(name).is_none();
            let Some(name) = names.into_iter().find(is_set) else {
                continue;
            };
            let finding = Finding::new(
                &SET_UNDER_EARLY,
                word.span,
                format!("\"set\" writes \"${name}\" after \"cors_preflight early\" has answered"),
            )
            .shown_by(survey.curl(
                location,
                &crate::site::Request::preflight(Some("https://app.example.com"), "PUT"),
            ))
            .remedy("give the variable its value in a \"map\"");
            survey.add(finding);
        }
    }
}

fn header_beside_policy(survey: &Survey<'_, '_>, id: BlockId) {
    if !survey.overrides(id) {
        return;
    }
    for header in survey.site.headers(id).iter().filter(|header| header.is_cors()) {
        // A header that an outer block adds for others is no mistake of this one.
        let is_near = survey
            .site
            .around(id)
            .take_while(|(_, block)| block.kind != Kind::Http)
            .any(|(around, block)| {
                survey.overrides(around)
                    && block
                        .directives
                        .iter()
                        .any(|directive| std::ptr::eq(directive, header.directive))
            });
        if is_near && is_written(header) {
            let finding = Finding::new(
                &HEADER_BESIDE_POLICY,
                header.directive.head(),
                format!("the module replaces \"{}\"", header.name),
            );
            survey.add(
                finding.remedy(
                    "remove the line, or write \"cors_override off\" where the application's headers are to stay",
                ),
            );
        }
    }
}

/// Whether the module writes this header, or takes it away.
fn is_written(header: &AddedHeader<'_>) -> bool {
    let name = header.name.to_ascii_lowercase();
    name.starts_with("access-control-allow-")
        || name.starts_with("access-control-expose-")
        || name == "access-control-max-age"
}
