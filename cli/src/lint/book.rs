//! `docs/lint.md`, which is made of the table of faults and of what is found in its examples.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use super::faults::{Fault, ALL};
use super::{lint, Finding};
use crate::made_page::assert_written;
use crate::nginx::Limits;

const HEAD: &str = "# nginx-cors lint

`nginx-cors lint FILE...` reads an nginx configuration with the files that it includes, and names the CORS faults in it: those
of `add_header`, `map` and `if`, and what `nginx -t` says of the `cors_*` directives. It starts no nginx, needs none, and asks
nobody anything.

```sh
nginx-cors lint /etc/nginx/nginx.conf
nginx-cors lint --prefix /etc/nginx sites/shop.conf          # a file that another one includes
nginx-cors lint --format sarif nginx.conf > nginx-cors.sarif # or json
nginx-cors lint --level warning --deny security-headers-lost nginx.conf
nginx-cors lint --explain missing-vary
```

The exit status is 0 if nothing was found, 1 if something was, and 2 if the configuration could not be read. An **error** lets a
stranger in, or is an answer that no browser takes, or a configuration that nginx refuses. A **warning** is a request that is not
answered as it was meant. A **note** is worth a look: whether it does harm depends on what the configuration does not show.
`--level` leaves out what is less bad, `--allow` leaves a fault out, `--deny` makes one an error.

A comment at the end of a line, or alone above it, allows a fault there, and says why:

```nginx
add_header Access-Control-Allow-Origin *; # nginx-cors: allow missing-always - errors are nobody's business
```

How it looks: for each location it works out which answer nginx gives to a page of an allowed origin, to one of a stranger, to
`null`, to a preflight, and to an error, by the rules of `map`, `set`, `if`, `return` and `add_header`. What only a running nginx
knows (files, hosts, upstreams) it does not guess: a condition on such a thing is taken for false. Lua, njs and other modules are
not followed.

This page is made by the tests: `UPDATE_DOCS=1 cargo test -p nginx-cors book` writes it anew. Each example was linted, with what
is shown below it, and so were the lines without the fault.

| fault | severity | |
|---|---|---|
";

/// What is found in lines of a configuration.
fn found(lines: &str) -> (PathBuf, Vec<Finding>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nginx.conf");
    fs::write(&path, lines).unwrap();
    let (_, findings) = lint(&path, None, Limits::default()).unwrap();
    (path, findings)
}

fn ids(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.fault.id).collect()
}

fn chapter(fault: &'static Fault) -> String {
    let (path, findings) = found(fault.broken);
    let finding = findings
        .iter()
        .find(|finding| finding.fault == fault)
        .unwrap_or_else(|| panic!("{} is not found in its example, but {:?}", fault.id, ids(&findings)));
    let directory = path.parent().unwrap().display().to_string();
    let line = finding.span.start;
    let line = fault.broken.get(..line).unwrap().matches('\n').count() + 1;
    let mut chapter = format!("\n## {}\n\n**{}** ({}).", fault.id, fault.title, fault.severity);
    let _ = write!(chapter, " {}\n\n```nginx\n{}\n```\n\n", fault.why, fault.broken);
    let message = finding.message.replace(&format!("{directory}/"), "");
    let _ = writeln!(chapter, "Line {line}: {message}.\n");
    if let Some(request) = &finding.request {
        let _ = writeln!(chapter, "```sh\n{request}\n```\n");
    }
    if let Some(remedy) = &finding.remedy {
        let _ = writeln!(chapter, "Remedy: {remedy}.\n");
    }
    let _ = write!(chapter, "Without it:\n\n```nginx\n{}\n```\n", fault.mended);
    chapter
}

#[test]
fn the_page_has_a_chapter_on_each_fault_with_what_is_found_in_its_example() {
    let mut page = HEAD.to_owned();
    for fault in ALL {
        let _ = writeln!(
            page,
            "| [{0}](#{0}) | {1} | {2} |",
            fault.id, fault.severity, fault.title
        );
    }
    for fault in ALL {
        page += &chapter(fault);
    }
    assert_written("docs/lint.md", &page);
}

#[test]
fn the_mended_lines_have_the_fault_no_more() {
    for fault in ALL {
        let (_, findings) = found(fault.mended);
        assert!(
            !findings.iter().any(|finding| finding.fault == *fault),
            "{}: {:?}",
            fault.id,
            findings.iter().map(|finding| &finding.message).collect::<Vec<_>>()
        );
    }
}

#[test]
fn what_is_not_missing_always_is_silent_where_a_comment_says_so() {
    let (_, findings) = found("add_header Access-Control-Allow-Origin *; # nginx-cors: allow missing-always - why");
    assert_eq!(ids(&findings), [""; 0]);
}

#[test]
fn a_comment_alone_on_its_line_is_for_the_next_one() {
    let (_, findings) = found("# nginx-cors: allow missing-always\nadd_header Access-Control-Allow-Origin *;");
    assert_eq!(ids(&findings), [""; 0]);
}
