//! `docs/directives.md` documents every directive, with its context and the default that it really has.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{told, Configuration};
use cors_policy::{Directive, PUBLIC_SUFFIX_LIST_DATE};

/// Directives that make up no policy, each with its only context: the module reads them. That nginx allows them there,
/// and nowhere else, is for the tests of the module.
const NOT_OF_A_POLICY: [(&str, &str); 4] = [
    ("cors_candidate", "http, server, location"),
    ("cors_origin_list", "http"),
    ("cors_zone", "http"),
    ("cors_status", "location"),
];

fn text() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/directives.md");
    fs::read_to_string(file).unwrap()
}

/// What is said of each directive under labels such as `Default`.
fn documented() -> BTreeMap<String, BTreeMap<String, String>> {
    let text = text();
    let mut sections = BTreeMap::new();
    for section in text.split("\n### ").skip(1) {
        let (name, rest) = section.split_once('\n').unwrap();
        if name.starts_with('$') {
            continue;
        }
        let entries = rest
            .lines()
            .filter_map(|line| line.strip_prefix("- ")?.split_once(": "));
        let entries = entries
            .filter(|(label, _)| matches!(*label, "Syntax" | "Default" | "Context" | "Since"))
            .map(|(label, value)| (label.to_owned(), value.replace('`', "")))
            .collect();
        assert!(
            sections.insert(name.to_owned(), entries).is_none(),
            "{name} stands twice"
        );
    }
    sections
}

/// The same of those that make up a policy.
fn documented_of_policies() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut sections = documented();
    sections.retain(|name, _| !NOT_OF_A_POLICY.iter().any(|(other, _)| other == name));
    sections
}

/// All that decides about a request, where this line stands beside others.
fn compiled(line: &str) -> String {
    let rest = "cors_allow_origin https://a.example;\ncors_allow_headers X-Asked;\ncors on;";
    let read = Configuration::read(&format!("server a {{\n{rest}\n{line}\n}}"));
    assert!(
        read.told().iter().all(|told| !told.starts_with("error")),
        "{line}: {:?}",
        read.told()
    );
    format!("{:?}", read.policy("server a"))
}

#[test]
fn every_directive_is_documented() {
    let documented = documented();
    let everywhere = |directive: Directive| (directive.name(), "http, server, location, if in location");
    let known: BTreeMap<_, _> = Directive::ALL
        .iter()
        .copied()
        .map(everywhere)
        .chain(NOT_OF_A_POLICY)
        .collect();
    for (&name, &context) in &known {
        let entries = documented
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not documented"));
        let labels: Vec<_> = entries.keys().map(String::as_str).collect();
        assert_eq!(labels, ["Context", "Default", "Since", "Syntax"], "{name}");
        assert!(entries["Syntax"].starts_with(&format!("{name} ")), "{name}");
        assert!(entries["Syntax"].ends_with([';', '}']), "{name}");
        assert_eq!(entries["Context"], context, "{name}");
    }
    for name in documented.keys() {
        assert!(known.contains_key(name.as_str()), "{name} is no directive");
    }
}

#[test]
fn the_default_is_what_holds_without_the_directive() {
    assert!(!Configuration::read("server a {\n}").policy("server a").is_on());
    for (name, entries) in documented_of_policies() {
        match entries["Default"].as_str() {
            "cors off;" => {}
            // Without a list nobody and nothing is allowed: there is no line that says so.
            "—" => assert!(
                entries["Syntax"].ends_with("...;") || entries["Syntax"].contains("| *;"),
                "{name}"
            ),
            line => assert_eq!(compiled(line), compiled(""), "{line}"),
        }
    }
}

#[test]
fn no_other_word_means_the_same_as_the_default() {
    for (name, entries) in documented_of_policies() {
        let words = entries["Syntax"].trim_end_matches(';').split(' ').skip(1);
        for word in words.filter(|word| word.len() > 1 && !word.contains(['~', '$', '.'])) {
            let line = format!("{name} {word};");
            // A kind of value, such as `time`, is no word.
            let read = Configuration::read(&format!("server a {{\n{line}\n}}"));
            if name != "cors" && line != entries["Default"] && read.told().iter().all(|told| !told.starts_with("error"))
            {
                assert_ne!(compiled(&line), compiled(""), "{line}");
            }
        }
    }
}

#[test]
fn the_regular_expressions_in_its_table_admit_what_it_says() {
    let text = text();
    let (_, table) = text
        .split_once("| expression | domains | outside |\n|---|---|---|\n")
        .unwrap();
    let rows: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 5, "{rows:?}");
    for row in rows {
        let row = row.replace("\\|", "\u{0}");
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect();
        let [_, expression, _, outside, _] = &cells[..] else {
            panic!("{row}")
        };
        let told = told(&format!(
            "cors on;\ncors_allow_origin ~{};",
            expression.trim_matches('`')
        ));
        match outside.as_str() {
            "none" => assert!(told.is_empty(), "{told:#?}"),
            origin => {
                let admits = format!("it also admits \"{}\"", origin.trim_matches('`'));
                assert!(told[0].contains(&admits), "{}", told[0]);
            }
        }
    }
}

#[test]
fn the_age_of_the_list_of_public_suffixes_is_told() {
    let told = format!("published on {PUBLIC_SUFFIX_LIST_DATE}.");
    assert!(text().replace('\n', " ").contains(&told), "{told}");
}
