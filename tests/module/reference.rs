//! `docs/directives.md` names versions that there have been, and variables that there are.

use std::fs;

use harness::{workspace_root, Nginx};

fn page() -> String {
    fs::read_to_string(workspace_root().join("docs/directives.md")).expect("the page")
}

/// The numbers of a version, which compare as the versions do.
fn numbers(version: &str) -> Vec<u32> {
    let numbers = version.split('.').map(|number| number.parse().expect("a number"));
    numbers.collect()
}

#[test]
fn since_names_a_version_that_there_has_been() {
    let page = page();
    let since: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("- Since: ")).collect();
    assert!(!since.is_empty());
    for version in since {
        assert!(numbers(version) <= numbers(env!("CARGO_PKG_VERSION")), "{version}");
    }
}

#[test]
fn nginx_knows_every_variable() {
    let page = page();
    let variables: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("### $")).collect();
    assert_eq!(variables.len(), 5);
    for variable in variables {
        let check = Nginx::builder().server(&format!("return 200 ${variable};")).check();
        assert!(check.accepted(), "{}", check.stderr);
    }
}
