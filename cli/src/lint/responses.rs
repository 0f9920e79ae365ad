//! Faults by which responses lack the headers that they were to have, or have them twice.

use super::faults::{
    Fault, HIDDEN_HEADER_LOST, LOST_BY_INHERITANCE, LOST_IN_IF, METHOD_LEFT_OUT, MISSING_ALWAYS, MISSING_VARY,
    SECURITY_HEADERS_LOST, SEVERAL_ORIGIN_LINES, TRY_FILES_IN_IF, UPSTREAM_MAY_SEND_IT_TOO, WITHOUT_ALLOW_ORIGIN,
};
use super::finding::Finding;
use super::survey::{Probe, Survey, STRANGER};
use crate::site::header::own;
use crate::site::{AddedHeader, Answer, Block, BlockId, By, Content, Kind, Request, Response};

const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";
const ALLOW_METHODS: &str = "Access-Control-Allow-Methods";

pub fn check(survey: &Survey<'_, '_>) {
    for probe in &survey.probes {
        several_lines(survey, probe);
        missing_always(survey, probe);
        missing_vary(survey, probe);
        lost_in_if(survey, probe);
        method_left_out(survey, probe);
        without_allow_origin(survey, probe);
        upstream(survey, probe);
        try_files_in_if(survey, probe);
    }
    for (id, block) in survey.site.blocks.iter().enumerate() {
        lost_by_inheritance(survey, id, block);
        security_headers_lost(survey, id, block);
    }
}

/// The line of a configuration as it stands, with what is added to it before its semicolon.
fn with(survey: &Survey<'_, '_>, header: &AddedHeader<'_>, added: &str) -> String {
    let head = survey.configuration.sources.slice(header.directive.head());
    format!("write \"{head}{added};\"")
}

fn several_lines(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>) {
    let origin = probe.allowed.as_deref();
    let asked = [
        (&probe.get, Request::get(origin)),
        (&probe.preflight, Request::preflight(origin, "PUT")),
    ];
    for (response, request) in asked {
        let lines: Vec<_> = response.lines(ALLOW_ORIGIN).collect();
        if let [first, second, ..] = lines[..] {
            let finding = Finding::new(&SEVERAL_ORIGIN_LINES, second.header.value_span, "it is sent once more")
                .beside(first.header.value_span, "it is sent here already")
                .shown_by(survey.curl(probe.location, &request))
                .remedy("remove one; for several origins write \"cors on; cors_allow_origin https://a.example.com https://b.example.com;\"");
            survey.add(finding);
        }
    }
}

/// Whether the content of a location can be an error: not what a `return` always answers.
fn can_fail(response: &Response<'_, '_>) -> bool {
    matches!(response.rewritten.answer, Answer::Content)
}

fn missing_always(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>) {
    let Some(origin) = &probe.allowed else { return };
    if !can_fail(&probe.get) || probe.get.allows(origin).is_none() {
        return;
    }
    for left_out in &probe.failing.left_out {
        let header = left_out.header;
        let counts = header.is(ALLOW_ORIGIN) || header.is("Access-Control-Allow-Credentials");
        if counts && probe.failing.line(&header.name).is_none() {
            let finding = Finding::new(
                &MISSING_ALWAYS,
                header.directive.head(),
                format!("\"{}\" is missing on errors", header.name),
            )
            .shown_by(survey.curl_of_error(probe.location, &Request::get(Some(origin))))
            .remedy(with(survey, header, " always"));
            survey.add(finding);
        }
    }
}

fn missing_vary(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>) {
    let Some(origin) = &probe.allowed else { return };
    let Some(line) = probe.get.allows(origin) else { return };
    let value = |response: &Response<'_, '_>| response.line(ALLOW_ORIGIN).map(|line| line.value.clone());
    let answers = [&probe.get, &probe.stranger, &probe.plain];
    let depends = answers.iter().any(|response| value(response) != value(&probe.get));
    let is_apart = answers
        .iter()
        .all(|response| response.varies_by_origin() || response.is_never_stored() || response.status.is_none());
    if !depends || is_apart {
        return;
    }
    let lacks: Vec<_> = [
        (&probe.get, "for an allowed origin"),
        (&probe.stranger, "for another origin"),
        (&probe.plain, "without an origin"),
    ]
    .into_iter()
    .filter(|(response, _)| !response.varies_by_origin())
    .map(|(_, which)| which)
    .collect();
    let lacks = match lacks.len() {
        3 => "all responses".to_owned(),
        _ => format!("the response {}", lacks.join(" and ")),
    };
    let finding = Finding::new(
        &MISSING_VARY,
        line.header.value_span,
        format!("it depends on \"Origin\", and {lacks} lacks \"Vary: Origin\"").replace("all responses lacks", "no response has"),
    )
    .shown_by(survey.curl(probe.location, &Request::get(Some(STRANGER))))
    .remedy(match line.header.by {
        By::AddHeader => "write \"add_header Vary Origin always;\" in the block of the location, and in each \"if\" with headers of its own",
        By::MoreSetHeaders => "write \"add_header Vary Origin always;\"",
    });
    survey.add(finding);
}

fn lost_in_if(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>) {
    let Some(origin) = &probe.allowed else { return };
    let [earlier @ .., last] = &probe.get.rewritten.taken[..] else {
        return;
    };
    if probe.get.allows(origin).is_some() {
        return;
    }
    for lost in earlier {
        let Some(block) = survey.site.block(*lost) else {
            continue;
        };
        let headers = own(block);
        if let Some(header) = headers
            .iter()
            .find(|header| header.is(ALLOW_ORIGIN) && header.by == By::AddHeader)
        {
            let mut finding = Finding::new(
                &LOST_IN_IF,
                header.directive.head(),
                "it is lost where the condition of a later \"if\" holds, too",
            )
            .shown_by(survey.curl(probe.location, &Request::get(Some(origin))))
            .remedy(
                "have one \"if\" with headers, or a \"map\" whose value is empty where the header is not to be sent",
            );
            if let Some(head) = survey.site.block(*last).and_then(Block::head) {
                finding = finding.beside(head, "this one is in force then");
            }
            survey.add(finding);
        }
    }
}

fn method_left_out(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>) {
    const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let Some(origin) = &probe.allowed else { return };
    let Some(line) = probe.preflight.line(ALLOW_METHODS) else {
        return;
    };
    let Some(list) = line.value.known() else { return };
    let listed = |method: &&str| list.split(',').any(|name| name.trim() == *method);
    let answered = |method: &'static str| {
        let request = Request::get(Some(origin)).with_method(method);
        survey.site.respond(probe.location, &request)
    };
    let (mut with_headers, mut without) = (0, Vec::new());
    for method in METHODS.into_iter().filter(listed) {
        let response = answered(method);
        if response.allows(origin).is_some() {
            with_headers += 1;
        } else if can_fail(&response) {
            without.push(method);
        }
    }
    // Where no method has them, something else is wrong, or the application sends them.
    if with_headers == 0 || without.is_empty() {
        return;
    }
    let Some(first) = without.first() else { return };
    let finding = Finding::new(
        &METHOD_LEFT_OUT,
        line.header.directive.head(),
        format!("the responses to {} have no \"{ALLOW_ORIGIN}\"", without.join(", ")),
    )
    .shown_by(survey.curl(probe.location, &Request::get(Some(origin)).with_method(first)))
    .remedy("add the header to the location itself, outside of \"if ($request_method = ...)\"");
    survey.add(finding);
}

fn without_allow_origin(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>) {
    // An application may send what is missing.
    if !matches!(probe.content, Content::Files) {
        return;
    }
    let has_any = [&probe.get, &probe.preflight, &probe.stranger, &probe.plain]
        .iter()
        .any(|response| response.line(ALLOW_ORIGIN).is_some());
    // What leads elsewhere, or has all it needs in an `if` that is not understood, is not judged.
    let headers = survey.site.headers(probe.get.rewritten.level);
    let is_added = headers.iter().any(|header| header.is(ALLOW_ORIGIN));
    let inner = survey.site.within(probe.location);
    let is_added_inside = inner
        .flat_map(|(id, _)| survey.site.headers(id))
        .any(|header| header.is(ALLOW_ORIGIN));
    let other = headers.iter().find(|header| {
        header.is_cors() && !header.is("Access-Control-Request-Method") && !header.is("Access-Control-Request-Headers")
    });
    if let (false, false, false, true, Some(header)) = (has_any, is_added, is_added_inside, can_fail(&probe.get), other)
    {
        let finding = Finding::new(
            &WITHOUT_ALLOW_ORIGIN,
            header.directive.head(),
            format!("no response has \"{ALLOW_ORIGIN}\", without which this counts for nothing"),
        )
        .shown_by(survey.curl(probe.location, &Request::get(Some("https://app.example.com"))))
        .remedy(format!(
            "write \"add_header {ALLOW_ORIGIN} https://app.example.com always;\" beside it"
        ));
        survey.add(finding);
    }
}

/// By which an application's header is kept from the client.
fn hides(passes: &str) -> &'static str {
    match passes {
        "fastcgi_pass" => "fastcgi_hide_header",
        "uwsgi_pass" => "uwsgi_hide_header",
        "scgi_pass" => "scgi_hide_header",
        "grpc_pass" => "grpc_hide_header",
        _ => "proxy_hide_header",
    }
}

fn upstream(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>) {
    let (Content::Application(passes), Some(origin)) = (probe.content, &probe.allowed) else {
        return;
    };
    let Some(line) = probe.get.allows(origin).filter(|line| line.header.by == By::AddHeader) else {
        return;
    };
    if !can_fail(&probe.get) || clears_origin(survey, probe.location) {
        return;
    }
    let name = hides(&passes.name.value);
    let hidden = |id: BlockId| {
        let lines = survey.site.in_force_at(id, name);
        lines.map(|(at, lines)| {
            let is_hidden = |word: &str| word.eq_ignore_ascii_case(ALLOW_ORIGIN);
            (
                at,
                lines.clone(),
                lines.iter().any(|line| line.argument(0).is_some_and(is_hidden)),
            )
        })
    };
    let here = hidden(probe.location);
    if here.as_ref().is_some_and(|(.., is_hidden)| *is_hidden) {
        return;
    }
    if let Some((at, lines, _)) = &here {
        let outer = survey.site.block(*at).and_then(|block| block.parent);
        let is_lost = outer.and_then(hidden).is_some_and(|(.., is_hidden)| is_hidden);
        if let (true, Some(first)) = (is_lost, lines.first()) {
            let finding = Finding::new(
                &HIDDEN_HEADER_LOST,
                first.head(),
                format!("with it, the application's \"{ALLOW_ORIGIN}\" is no longer hidden here"),
            )
            .shown_by(survey.curl(probe.location, &Request::get(Some(origin))))
            .remedy(format!("write \"{name} {ALLOW_ORIGIN};\" beside it"));
            return survey.add(finding);
        }
    }
    let finding = Finding::new(
        &UPSTREAM_MAY_SEND_IT_TOO,
        line.header.directive.head(),
        format!(
            "if what \"{}\" leads to sends \"{ALLOW_ORIGIN}\", too, there are two",
            &*passes.name.value
        ),
    )
    .beside(passes.head(), "the application is behind this")
    .shown_by(survey.curl(probe.location, &Request::get(Some(origin))))
    .remedy(format!("write \"{name} {ALLOW_ORIGIN};\" beside it"));
    survey.add(finding);
}

/// Whether the application sees no `Origin`, and so has no reason to answer one.
fn clears_origin(survey: &Survey<'_, '_>, location: BlockId) -> bool {
    let lines = survey.site.in_force(location, "proxy_set_header");
    lines.iter().any(|line| {
        let is_origin = line.argument(0).is_some_and(|name| name.eq_ignore_ascii_case("origin"));
        is_origin && line.argument(1) == Some("")
    })
}

fn try_files_in_if(survey: &Survey<'_, '_>, probe: &Probe<'_, '_>) {
    let Some(block) = survey.site.block(probe.location) else {
        return;
    };
    let Some(try_files) = block.own("try_files").next() else {
        return;
    };
    for (id, inner) in survey
        .site
        .within(probe.location)
        .filter(|(_, inner)| inner.kind == Kind::If)
    {
        let answers = inner.directives.iter().any(|directive| {
            matches!(&*directive.name.value, "return" | "rewrite") || directive.name.value.ends_with("_pass")
        });
        let adds = own(inner).iter().any(AddedHeader::is_cors);
        if let (true, false, Some(head)) = (adds, answers, inner.head()) {
            let request = Request::get(probe.allowed.as_deref());
            let taken = survey.site.rewrite(probe.location, &request).taken;
            let mut finding = Finding::new(&TRY_FILES_IN_IF, head, "where this holds, \"try_files\" is not run")
                .beside(try_files.head(), "it is not inherited by \"if\"")
                .remedy("add the headers to the location itself, with a \"map\" that gives them their values");
            if taken.contains(&id) {
                finding = finding.shown_by(survey.curl(probe.location, &request));
            }
            survey.add(finding);
        }
    }
}

fn lost_by_inheritance(survey: &Survey<'_, '_>, id: BlockId, block: &Block<'_>) {
    let Some(outer) = block
        .parent
        .filter(|_| matches!(block.kind, Kind::Server | Kind::Location | Kind::If))
    else {
        return;
    };
    let location = survey.site.location_of(id);
    if survey.overrides(id) || survey.overrides(location) {
        return;
    }
    let headers = own(block);
    let Some(first) = headers.iter().find(|header| header.by == By::AddHeader) else {
        return;
    };
    let is_lost = |header: &&AddedHeader<'_>| header.is(ALLOW_ORIGIN) && header.by == By::AddHeader;
    let Some(lost) = survey.site.headers(outer).iter().find(is_lost) else {
        return;
    };
    // A block that has to do with CORS itself is looked at elsewhere; so is one inside of which others have.
    let has_own = |id: BlockId| survey.site.headers(id).iter().any(AddedHeader::is_cors);
    let inner = survey.site.within(id).filter(|(_, inner)| inner.kind == Kind::If);
    if has_own(id) || inner.map(|(id, _)| id).any(has_own) {
        return;
    }
    // Where it is answered with something that no page is to read.
    if block.kind != Kind::Server {
        let response = survey
            .site
            .respond(location, &Request::get(Some("https://app.example.com")));
        if matches!(response.rewritten.answer, Answer::Status { .. }) && block.kind == Kind::Location {
            return;
        }
        let answers = block.directives.iter().any(|directive| directive.is("return"));
        let denies_all = block.own("deny").any(|directive| directive.argument(0) == Some("all"));
        if answers || denies_all || block.own("internal").next().is_some() {
            return;
        }
    }
    let finding = Finding::new(
        &LOST_BY_INHERITANCE,
        first.directive.head(),
        format!("with it, \"{ALLOW_ORIGIN}\" is no longer inherited here"),
    )
    .beside(lost.directive.head(), "it is added here")
    .shown_by(survey.curl(id, &Request::get(Some("https://app.example.com"))))
    .remedy(format!(
        "repeat it: \"{};\"",
        survey.configuration.sources.slice(lost.directive.head())
    ));
    survey.add(finding);
}

/// Headers by which a site protects its pages.
pub const SECURITY: [&str; 7] = [
    "Strict-Transport-Security",
    "Content-Security-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Permissions-Policy",
    "Cross-Origin-Opener-Policy",
];

fn security_headers_lost(survey: &Survey<'_, '_>, id: BlockId, block: &Block<'_>) {
    let Some(outer) = block.parent else { return };
    let headers = own(block);
    let is_cors = |header: &&AddedHeader<'_>| header.is_cors() && header.by == By::AddHeader;
    // In an answer to a preflight nobody looks for them.
    let answers = block.directives.iter().any(|directive| directive.is("return"));
    let (Some(first), false) = (headers.iter().find(is_cors), answers) else {
        return;
    };
    let here = survey.site.headers(id);
    let lost: Vec<_> = survey
        .site
        .headers(outer)
        .iter()
        .filter(|header| SECURITY.iter().any(|name| header.is(name)) && header.by == By::AddHeader)
        .filter(|header| !here.iter().any(|own| own.is(&header.name)))
        .collect();
    let Some(one) = lost.first() else { return };
    let names: Vec<_> = lost.iter().map(|header| header.name.as_str()).collect();
    let fault: &'static Fault = &SECURITY_HEADERS_LOST;
    let finding = Finding::new(
        fault,
        first.directive.head(),
        format!("with it, {} is no longer inherited here", names.join(", ")),
    )
    .beside(one.directive.head(), "it is added here")
    .remedy(format!(
        "repeat it: \"{};\"",
        survey.configuration.sources.slice(one.directive.head())
    ));
    survey.add(finding);
}
