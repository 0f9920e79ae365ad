//! Comments that allow a fault: `# nginx-cors: allow missing-vary`.

use super::faults::{Fault, UNKNOWN_ALLOW, USELESS_ALLOW};
use super::finding::{Finding, Findings};
use crate::nginx::{Comment, Configuration, Span};

/// A fault that a comment allows on a line.
struct Allow {
    fault: &'static Fault,
    file: usize,
    /// The line that it is for.
    line: usize,
    /// The identifier in the comment.
    span: Span,
    is_used: bool,
}

/// Takes away what comments allow, and adds what is wrong with those.
pub fn apply(configuration: &Configuration, findings: Findings) -> Vec<Finding> {
    let mut allows = Vec::new();
    let mut kept = Findings::default();
    for comment in &configuration.comments {
        read(configuration, comment, &mut allows, &mut kept);
    }
    for finding in findings.sorted() {
        let line = configuration.sources.line(finding.span.file, finding.span.start);
        let allow = allows
            .iter_mut()
            .find(|allow| (allow.fault, allow.file, allow.line) == (finding.fault, finding.span.file, line));
        match allow {
            Some(allow) => allow.is_used = true,
            None => kept.add_another(finding),
        }
    }
    for allow in allows.iter().filter(|allow| !allow.is_used) {
        let what = format!("there is no \"{}\" on the line that it is for", allow.fault.id);
        kept.add(Finding::new(&USELESS_ALLOW, allow.span, what).remedy("remove it"));
    }
    kept.sorted()
}

fn read(configuration: &Configuration, comment: &Comment, allows: &mut Vec<Allow>, kept: &mut Findings) {
    const MARK: &str = "nginx-cors: allow ";
    let text = configuration.sources.slice(comment.span);
    let Some(place) = text.find(MARK) else { return };
    // Only what stands at the start of a comment is meant for the tool.
    if !text
        .get(..place)
        .is_some_and(|before| before.trim_matches(['#', ' ', '\t']).is_empty())
    {
        return;
    }
    let Span { file, start, .. } = comment.span;
    let line = configuration.sources.line(file, start);
    let line = if comment.is_alone { line + 1 } else { line };
    let list = place + MARK.len();
    let mut offset = list;
    for word in text.get(list..).unwrap_or_default().split([' ', ',', '\t']) {
        let span = Span {
            file,
            start: start + offset,
            end: start + offset + word.len(),
        };
        offset += word.len() + 1;
        if word.is_empty() {
            continue;
        }
        // What follows is why.
        if !word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') || word.starts_with('-') {
            break;
        }
        match Fault::find(word) {
            Some(fault) => allows.push(Allow {
                fault,
                file,
                line,
                span,
                is_used: false,
            }),
            None => {
                let names = super::faults::ALL.iter().map(|fault| fault.id);
                let nearest = names
                    .min_by_key(|id| strsim::osa_distance(id, word))
                    .unwrap_or_default();
                let finding = Finding::new(&UNKNOWN_ALLOW, span, format!("there is no fault \"{word}\""));
                kept.add(finding.remedy(format!("write \"{nearest}\"")));
            }
        }
    }
}
