//! What packages install beside the tool: manual pages and completions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;
use std::process::Command;

/// What `nginx-cors generate` has written, in the order of the names.
fn generated(directory: &Path) -> Vec<String> {
    let status = Command::new(env!("CARGO_BIN_EXE_nginx-cors"))
        .arg("generate")
        .arg(directory)
        .status()
        .expect("it runs");
    assert!(status.success());
    let entries = fs::read_dir(directory).expect("a directory");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

/// The names of the commands, as `--help` lists them.
fn commands() -> Vec<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_nginx-cors"))
        .arg("--help")
        .output()
        .expect("it runs");
    let help = String::from_utf8(help.stdout).expect("text");
    let (_, list) = help.split_once("Commands:\n").expect("a list");
    let lines = list.lines().take_while(|line| !line.is_empty());
    // What is said of a command goes on in lines that are indented further.
    let firsts = lines.filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')));
    let names = firsts.filter_map(|rest| rest.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn each_command_has_a_manual_page() {
    let directory = tempfile::tempdir().expect("a directory");
    let names = generated(directory.path());
    let commands = commands();
    assert!(commands.contains(&"lint".to_owned()));
    for command in commands {
        let page = format!("nginx-cors-{command}.1");
        assert!(names.contains(&page), "{page} is not among {names:?}");
        let text = fs::read_to_string(directory.path().join(page)).expect("a page");
        assert!(text.contains(".SH OPTIONS"), "{text}");
    }
    assert!(names.contains(&"nginx-cors.1".to_owned()));
    let helps = names.iter().find(|name| name.starts_with("nginx-cors-help"));
    assert_eq!(helps, None, "a page on the help of each page");
}

#[test]
fn shells_complete_each_command() {
    let directory = tempfile::tempdir().expect("a directory");
    generated(directory.path());
    for file in ["nginx-cors.bash", "nginx-cors.fish", "_nginx-cors"] {
        let text = fs::read_to_string(directory.path().join(file)).expect(file);
        for command in commands() {
            assert!(text.contains(&command), "{file} does not know {command}");
        }
    }
}

#[test]
fn the_same_program_writes_the_same_bytes() {
    let (one, other) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another"));
    let names = generated(one.path());
    assert_eq!(generated(other.path()), names);
    for name in names {
        let read = |directory: &Path| fs::read(directory.join(&name)).expect("a file");
        assert_eq!(read(one.path()), read(other.path()), "{name}");
    }
}
