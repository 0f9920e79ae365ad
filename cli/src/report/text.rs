//! For people: each fault with its line.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::linted::{severity, Linted, PAGE};
use crate::lint::{Fault, Finding, Severity};
use crate::nginx::{Sources, Span};

pub fn rendered(linted: &[Linted], denied: &[&'static Fault], has_colours: bool) -> String {
    let renderer = match has_colours {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    let mut text = String::new();
    let mut counts = [0_usize; 3];
    let mut files = 0;
    for Linted {
        configuration,
        findings,
    } in linted
    {
        files += configuration.sources.count();
        for finding in findings {
            let severity = severity(finding, denied);
            if let Some(count) = counts.get_mut(severity as usize) {
                *count += 1;
            }
            text += &renderer.render(&[group(&configuration.sources, finding, severity)]);
            text += "\n\n";
        }
    }
    let [notes, warnings, errors] = counts;
    let numbers: Vec<_> = [(errors, "error"), (warnings, "warning"), (notes, "note")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}{}", if count == 1 { "" } else { "s" }))
        .collect();
    let numbers = match numbers.is_empty() {
        true => "nothing found".to_owned(),
        false => numbers.join(", "),
    };
    let _ = writeln!(
        text,
        "{numbers} in {files} {}",
        if files == 1 { "file" } else { "files" }
    );
    text
}

fn group<'a>(sources: &'a Sources, finding: &'a Finding, severity: Severity) -> Group<'a> {
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(finding.fault.title).id(finding.fault.id);
    let mut group = title.element(
        snippet(sources, finding.span).annotation(
            AnnotationKind::Primary
                .span(one_line(sources, finding.span))
                .label(finding.message.as_str()),
        ),
    );
    for (span, what) in &finding.related {
        let place = AnnotationKind::Context
            .span(one_line(sources, *span))
            .label(what.as_str());
        group = group.element(snippet(sources, *span).annotation(place));
    }
    group = group.element(Level::NOTE.with_name("why").message(finding.fault.why));
    if let Some(request) = &finding.request {
        group = group.element(Level::NOTE.with_name("try").message(request.as_str()));
    }
    if let Some(remedy) = &finding.remedy {
        group = group.element(Level::HELP.with_name("remedy").message(remedy.as_str()));
    }
    group.element(
        Level::NOTE
            .with_name("see")
            .message(format!("{PAGE}#{}", finding.fault.id)),
    )
}

fn snippet<'a, T: Clone>(sources: &'a Sources, span: Span) -> Snippet<'a, T> {
    Snippet::source(sources.text(span.file)).path(sources.name(span.file))
}

/// A part of a file, up to the end of its first line.
fn one_line(sources: &Sources, span: Span) -> std::ops::Range<usize> {
    let shown = sources.slice(span).lines().next().unwrap_or_default();
    span.start..span.start + shown.len()
}
