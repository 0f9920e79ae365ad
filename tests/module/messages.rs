//! Everything that `nginx -t` says about the directives of this module, and what the module writes to the error log.
//!
//! [`rows`] has a configuration for each text. From what nginx says about them follows `docs/messages.md`, and each remedy
//! that a message names is pasted into its configuration, and put through `nginx -t` again.
//!
//! `UPDATE_MESSAGES=1 cargo test -p cors-tests --test module -- messages` writes the document anew.

mod document;
mod log;
mod pasting;
mod rows;
mod sources;

use std::collections::BTreeMap;
use std::thread;

use harness::{Check, Nginx, Request};
use once_cell::sync::Lazy;
use regex::Regex;

use self::pasting::Mended;
use self::rows::{Place, Row, ROWS};

/// What nginx says about a row, and what became of the remedies.
struct Finding {
    row: &'static Row,
    messages: Vec<Message>,
    /// The configurations with the remedies pasted, and what nginx says about them.
    mended: Vec<(Mended, Check)>,
}

/// A line that nginx prints.
#[derive(Clone, PartialEq, Eq)]
struct Message {
    is_error: bool,
    /// Without the place of the directive and the block; other places are those in the row.
    text: String,
    /// As nginx prints it.
    printed: String,
    /// The line of the row.
    line: usize,
}

/// A text with everything written out that stands for more.
fn written_out(said: &str) -> String {
    let each = |count: usize, one: &dyn Fn(usize) -> String, between: &str| {
        let all: Vec<_> = (0..count).map(one).collect();
        all.join(between)
    };
    said.replace("{long}", &"a".repeat(600))
        .replace("{many names}", &each(40, &|n| format!("name{n}"), "|"))
        .replace(
            "{many expressions}",
            &each(200, &|n| format!("~https://.*w{n}x.*\\.example"), " "),
        )
        .replace(
            "{many locations}",
            &each(
                60,
                &|n| format!("location /{n}/ {{ cors on; cors_allow_origin *; }}"),
                "\n",
            ),
        )
}

/// The row as nginx reads it, and the number of lines before what the row says.
fn configuration(row: &Row, said: &str, name: &str) -> (String, usize) {
    let said = written_out(said);
    match row.place {
        Place::Http => (said.replace("{server}", &format!("{{listen}} server_name {name};")), 0),
        Place::Location => {
            let mut before = vec![
                format!("server {{ {{listen}} server_name {name};"),
                "location / {".to_owned(),
            ];
            let has = |directive: &str| {
                said.split_whitespace()
                    .any(|word| word == directive || word.strip_suffix(';') == Some(directive))
            };
            if !has("cors") {
                before.push("cors on;".to_owned());
            }
            if !has("cors_allow_origin") {
                before.push("cors_allow_origin https://app.example.com;".to_owned());
            }
            (format!("{}\n{said}\n}}\n}}\n", before.join("\n")), before.len())
        }
    }
}

/// No UTF-8, which a row cannot hold.
const LATIN_1: (&str, &[u8]) = ("conf/latin-1.conf", b"cors_allow_headers X-Gr\xfc\xdfe;\n");

/// The files of lists.
fn list_files() -> Vec<(&'static str, String)> {
    let many = |count: usize| {
        (0..count)
            .map(|n| format!("https://tenant-{n}.example.com\n"))
            .collect()
    };
    vec![
        ("conf/tenants.txt", "https://a.example".to_owned()),
        ("conf/mended.txt", "https://tenant.example".to_owned()),
        ("conf/keyed.txt", "row.test https://a.example".to_owned()),
        ("conf/empty.txt", String::new()),
        ("conf/wrong.txt", "tenant.example".to_owned()),
        ("conf/star.txt", "*".to_owned()),
        ("conf/null.txt", "null".to_owned()),
        ("conf/variable.txt", "https://$host".to_owned()),
        ("conf/insecure.txt", "https://a.example\nhttp://b.example".to_owned()),
        ("conf/large.txt", many(20_000)),
    ]
}

fn check(row: &Row, said: &str) -> (Check, usize) {
    let (text, before) = configuration(row, said, "row.test");
    let builder = Nginx::builder().file(LATIN_1.0, LATIN_1.1);
    let lists = list_files().into_iter();
    let builder = lists.fold(builder, |builder, (name, content)| builder.file(name, content));
    let builder = builder
        .included("conf/row.conf", &text)
        .http("server { {listen} }\ninclude row.conf;");
    (builder.check(), before)
}

/// What nginx prints about the directives of the module.
fn messages(check: &Check, before: usize) -> Vec<Message> {
    static LINE: Lazy<Regex> = Lazy::new(|| {
        Regex::new(r#"^nginx: \[(emerg|warn)\] ((?:"cors|the variable ).*?)(?: \(in [^()]*\))?(?: in /\S+/conf/\S+:([0-9]+))?$"#)
            .expect("a valid pattern")
    });
    static PLACE: Lazy<Regex> = Lazy::new(|| Regex::new(r"/\S+/conf/row\.conf:([0-9]+)").expect("a valid pattern"));
    static LIST: Lazy<Regex> = Lazy::new(|| Regex::new(r"/\S+/conf/((?:[a-z]+\.txt)?)").expect("a valid pattern"));
    let number = |text: &str| text.parse::<usize>().expect("a number").saturating_sub(before);
    let lines = check.stderr.lines().filter_map(|line| LINE.captures(line));
    lines
        .map(|line| Message {
            is_error: &line[1] == "emerg",
            text: {
                let text = PLACE.replace_all(&line[2], |place: &regex::Captures<'_>| {
                    format!("nginx.conf:{}", number(&place[1]))
                });
                LIST.replace_all(&text, "/etc/nginx/$1").into_owned()
            },
            printed: line[0].to_owned(),
            line: line.get(3).map_or(0, |line| number(line.as_str())),
        })
        .collect()
}

fn find(row: &'static Row) -> Finding {
    let (said, before) = check(row, row.written);
    let messages = messages(&said, before);
    let mended = messages.iter().flat_map(|message| pasting::mend(row, message));
    let mended = mended.map(|mended| {
        let check = check(row, &mended.text).0;
        (mended, check)
    });
    Finding {
        row,
        mended: mended.collect(),
        messages,
    }
}

/// What there is to find about all rows. Several tests look at it.
static FINDINGS: Lazy<Vec<Finding>> = Lazy::new(|| {
    const THREADS: usize = 4;
    let shares = ROWS.chunks(ROWS.len().div_ceil(THREADS));
    thread::scope(|scope| {
        let threads: Vec<_> = shares
            .map(|rows| scope.spawn(|| rows.iter().map(find).collect::<Vec<_>>()))
            .collect();
        let findings = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a thread that has ended"));
        findings.collect()
    })
});

#[test]
fn each_row_has_one_message() {
    for Finding { row, messages, .. } in FINDINGS.iter() {
        let texts: Vec<_> = messages.iter().map(|message| &message.text).collect();
        assert_eq!(texts.len(), 1, "{}:\n{texts:#?}", row.written);
    }
}

/// Written in the place of what was wrong, it is accepted, and without a warning.
#[test]
fn each_remedy_can_be_pasted() {
    let mut wrong = Vec::new();
    for Finding { row, messages, mended } in FINDINGS.iter() {
        for (mended, check) in mended {
            if !check.accepted() || check.stderr.contains("[warn] \"cors") {
                let said = &messages[0].text;
                wrong.push(format!(
                    "{}\n{said}\nmended:\n{}\n{}",
                    row.written, mended.text, check.stderr
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} remedies:\n{}", wrong.len(), wrong.join("\n"));
}

/// Where a row says itself what becomes of it, that is what the message says.
#[test]
fn each_remedy_has_been_tried() {
    for Finding { row, messages, .. } in FINDINGS.iter() {
        for message in messages {
            let untried = pasting::untried(row, message);
            assert!(untried.is_empty(), "{untried:?}: {}", message.text);
        }
    }
}

/// A message that names no line to write tells what to decide.
#[test]
fn each_message_has_a_remedy() {
    for Finding { row, messages, .. } in FINDINGS.iter() {
        for message in messages {
            assert!(message.text.contains("; "), "{}: {}", row.written, message.text);
        }
    }
}

#[test]
fn each_remedy_allows_whom_the_author_meant() {
    let mut servers = BTreeMap::new();
    for Finding { row, mended, .. } in FINDINGS.iter().filter(|finding| !finding.row.allows.is_empty()) {
        assert!(!mended.is_empty(), "no remedy: {}", row.written);
        for (mended, _) in mended.iter().filter(|(mended, _)| !mended.takes_away) {
            servers.insert(format!("s{}.test", servers.len()), (row, mended));
        }
    }
    let text: String = servers
        .iter()
        .map(|(name, (row, mended))| configuration(row, &mended.text, name).0)
        .collect();
    let nginx = Nginx::builder()
        .http("server_names_hash_max_size 4096;")
        .http(&text)
        .start();
    let mut connection = nginx.connect();
    for (name, (row, mended)) in &servers {
        for origin in row.allows {
            let response = connection.send(&Request::get("/hello.txt").origin(origin).header("Host", name));
            let allowed = response.get("Access-Control-Allow-Origin");
            assert!(
                allowed == Some(origin) || allowed == Some("*"),
                "{origin} is not allowed:\n{}\nmended:\n{}",
                row.written,
                mended.text
            );
        }
    }
}

/// What the log says. Several tests look at it.
static LOG: Lazy<Vec<log::Line>> = Lazy::new(log::all);

#[test]
fn every_text_of_the_sources_has_been_seen() {
    let messages = FINDINGS.iter().flat_map(|finding| &finding.messages);
    let printed: Vec<_> = messages
        .map(|message| &message.printed)
        .chain(LOG.iter().map(|line| &line.text))
        .collect();
    let unseen = sources::texts()
        .into_iter()
        .filter(|text| !printed.iter().any(|printed| text.is_in(printed)));
    let unseen: Vec<_> = unseen.map(|text| format!("{}: {:?}", text.place, text.text)).collect();
    assert!(
        unseen.is_empty(),
        "{} texts, for which tests/module/messages has no configuration or request:\n{}",
        unseen.len(),
        unseen.join("\n")
    );
}

#[test]
fn the_document_has_all_of_them() {
    document::assert_up_to_date(&document::page(&FINDINGS, &LOG));
}
