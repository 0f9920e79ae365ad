//! `docs/messages.md`.

use std::env;
use std::fmt::Write as _;
use std::fs;

use harness::workspace_root;

use super::log::Line;
use super::pasting::reason;
use super::{Finding, Message};

const FILE: &str = "docs/messages.md";

const HEAD: &str = "# Messages

What `nginx -t` says about the directives of this module, and what the module writes to the error log. The
[reference](directives.md) describes the directives.

This page is made by the tests. `UPDATE_MESSAGES=1 cargo test -p cors-tests --test module -- messages` writes it anew. Each
example was put through `nginx -t`, and so was what to write instead: it is accepted, without a warning.

An error refuses the configuration; a warning does not. Each message ends with the file and the line, and with the block where
it depends on what a block inherits. In the examples `{long}`, `{many names}` and the like stand for what is too much to write
out.
";

/// The page, as it follows from what nginx says.
pub fn page(findings: &[Finding], log: &[Line]) -> String {
    let mut page = HEAD.to_owned();
    let mut directives: Vec<&str> = Vec::new();
    for finding in findings {
        let name = subject(finding);
        if !directives.contains(&name) {
            directives.push(name);
        }
    }
    for directive in directives {
        let _ = write!(
            page,
            "\n## {directive}\n\n| written | what `nginx -t` says | why | what to write |\n|---|---|---|---|\n"
        );
        for finding in findings.iter().filter(|finding| subject(finding) == directive) {
            for message in &finding.messages {
                page += &table_row(finding, message);
            }
        }
    }
    page += "\n## While nginx runs\n\n| the error log says | at the level | why | what to do |\n|---|---|---|---|\n";
    for Line {
        level,
        text,
        why,
        remedy,
    } in log
    {
        let level = match text.starts_with("cors denied") {
            true => "that of `cors_log_level`".to_owned(),
            false => format!("`{level}`"),
        };
        let _ = writeln!(page, "| {} | {level} | {why} | {remedy} |", code(text));
    }
    page
}

/// The directive that the message is about.
fn subject(finding: &Finding) -> &str {
    let text = finding.messages.first().map_or("", |message| message.text.as_str());
    let name = text.split('"').nth(1).unwrap_or_default();
    match text.starts_with("the variable") {
        true => "Variables",
        false => name.split(' ').next().unwrap_or_default(),
    }
}

fn table_row(finding: &Finding, message: &Message) -> String {
    let severity = if message.is_error { "Error" } else { "Warning" };
    let mended: Vec<_> = finding
        .mended
        .iter()
        .map(|(mended, _)| match mended.text.trim() {
            "" => "nothing".to_owned(),
            text => code(text),
        })
        .collect();
    let mended = match mended.is_empty() {
        true => reason(&message.text).rsplit("; ").next().unwrap_or_default().to_owned(),
        false => mended.join("<br>or<br>"),
    };
    format!(
        "| {} | {severity}: {} | {} | {mended} |\n",
        code(finding.row.written),
        code(&message.text),
        finding.row.why
    )
}

/// A text as code in a cell of a table.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.replace("{server}", "listen 80;"));
    let lines = lines.filter(|line| !line.trim().is_empty());
    let lines = lines.map(|line| format!("`{}`", line.trim().replace('|', "\\|")));
    lines.collect::<Vec<_>>().join("<br>")
}

/// Fails unless the page in the tree is this one; with `UPDATE_MESSAGES` it is from now on.
pub fn assert_up_to_date(page: &str) {
    let file = workspace_root().join(FILE);
    if env::var_os("UPDATE_MESSAGES").is_some() {
        fs::write(&file, page).expect("a writable tree");
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).find(|(one, other)| one != other);
    assert!(
        written == page,
        "{FILE} is out of step; UPDATE_MESSAGES=1 writes it anew. The first line that differs:\n{differs:?}"
    );
}
