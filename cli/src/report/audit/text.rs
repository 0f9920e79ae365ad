//! For people: each fault with the answer that shows it, and a table of all checks.

use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::audited::{Audited, PAGE};
use crate::audit::{Conclusion, Finding};
use crate::lint::Severity;
use crate::output::counted;

/// How wide the columns of the table are.
const WIDTH_OF_ID: usize = 33;

pub fn rendered(audited: &Audited, has_colours: bool) -> String {
    let renderer = match has_colours {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    let mut text = String::new();
    for (_, conclusion) in &audited.judged {
        if let Conclusion::Found(findings) = conclusion {
            for finding in findings {
                let shown = Shown::new(audited, finding);
                text += &renderer.render(&[shown.group(finding)]);
                text += "\n\n";
            }
        }
    }
    table(audited, &mut text);
    text
}

/// The texts that are shown of a finding.
struct Shown {
    request: String,
    head: String,
    mark: Range<usize>,
    message: String,
    curl: String,
}

impl Shown {
    fn new(audited: &Audited, finding: &Finding) -> Self {
        let exchange = &finding.exchange;
        let head = match &exchange.outcome {
            Ok(response) => response.head(),
            Err(_) => "no answer\n".to_owned(),
        };
        let mut message = finding.message.clone();
        if finding.others > 0 {
            message += &format!(
                "; {} like it",
                counted(finding.others, "more answer is", "more answers are")
            );
        }
        Self {
            request: format!("{} {}", exchange.request.method, audited.url(exchange)),
            mark: line_of(&head, finding.header),
            head,
            message,
            curl: audited.curl(exchange),
        }
    }

    fn group<'a>(&'a self, finding: &'a Finding) -> Group<'a> {
        let level = match finding.check.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let marked = AnnotationKind::Primary
            .span(self.mark.clone())
            .label(self.message.as_str());
        let snippet = Snippet::source(self.head.as_str()).path(self.request.as_str());
        level
            .primary_title(finding.check.title)
            .id(finding.check.id)
            .element(snippet.annotation(marked))
            .element(Level::NOTE.with_name("why").message(finding.check.why))
            .element(Level::NOTE.with_name("try").message(self.curl.as_str()))
            .element(Level::HELP.with_name("remedy").message(finding.check.remedy))
            .element(
                Level::NOTE
                    .with_name("see")
                    .message(format!("{PAGE}#{}", finding.check.id)),
            )
    }
}

/// Where the line of a header stands; the first line if there is none of this name.
fn line_of(head: &str, name: &str) -> Range<usize> {
    let mut start = 0;
    for line in head.lines() {
        let is_it = line.split_once(": ").is_some_and(|(sent, _)| sent == name);
        if is_it {
            return start..start + line.len();
        }
        start += line.len() + 1;
    }
    0..head.lines().next().unwrap_or_default().len()
}

fn table(audited: &Audited, text: &mut String) {
    let [mut passed, mut found, mut not_applicable] = [0_usize; 3];
    let _ = writeln!(text, "{:WIDTH_OF_ID$}  severity  result", "check");
    for (check, conclusion) in &audited.judged {
        let result = match conclusion {
            Conclusion::Passed => {
                passed += 1;
                "passed".to_owned()
            }
            Conclusion::Found(_) => {
                found += 1;
                "found".to_owned()
            }
            Conclusion::NotApplicable(why) => {
                not_applicable += 1;
                format!("not applicable: {why}")
            }
        };
        let severity = check.severity.to_string();
        let _ = writeln!(text, "{:WIDTH_OF_ID$}  {severity:8}  {result}", check.id);
    }
    let _ = writeln!(
        text,
        "\n{found} found, {passed} passed, {not_applicable} not applicable; {} to {}",
        counted(audited.count(), "request", "requests"),
        audited.recording.subject.own_origin
    );
}
