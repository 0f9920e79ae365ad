//! What `deploy/` and the documents have run `nginx-cors`: it is accepted, and does what it is for.

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{workspace_root, Page};
use serde::Deserialize;
use serde_json::Value;

use crate::engine::Redis;
use crate::process::{directory, run};
use crate::{lines, origin};

fn read(path: &str) -> String {
    fs::read_to_string(workspace_root().join(path)).expect("a file of the workspace")
}

/// Fails unless `sync` takes these arguments. It is stopped by the place of the file or of a password, neither of which
/// this machine has.
#[track_caller]
fn assert_taken(arguments: &[String]) {
    let output = Command::new(harness::tool()).args(arguments).output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr);
    let stopped = told.contains("there is no directory") || told.contains("cannot be read: No such file");
    assert!(stopped, "{arguments:?}: {told}");
}

fn words(list: &Value) -> Vec<String> {
    let words = list.as_array().expect("a list").iter();
    words.map(|word| word.as_str().expect("a text").to_owned()).collect()
}

#[test]
fn what_the_manifests_run_is_taken() {
    let text = read("deploy/kubernetes/origin-lists.yaml");
    let objects = serde_yaml_ng::Deserializer::from_str(&text).map(|object| Value::deserialize(object).expect("YAML"));
    let deployment = objects
        .into_iter()
        .find(|object| object["kind"] == "Deployment")
        .expect("a Deployment");
    assert_taken(&words(
        &deployment["spec"]["template"]["spec"]["initContainers"][0]["args"],
    ));

    let compose: Value = serde_yaml_ng::from_str(&read("deploy/docker/compose.yaml")).expect("YAML");
    assert_taken(&words(&compose["services"]["sync"]["command"]));
}

#[test]
fn what_the_page_runs_is_taken() {
    let mut count = 0;
    for block in Page::read("docs/lists.md").blocks("console") {
        for command in block.lines().filter_map(|line| line.strip_prefix("$ nginx-cors ")) {
            let words = run(Command::new("sh").args(["-euc", &format!("printf '%s\\n' {command}")]));
            assert_taken(&words.lines().map(str::to_owned).collect::<Vec<_>>());
            count += 1;
        }
    }
    assert_eq!(count, 6);
}

/// The unit, with the binary under test.
fn write_unit(directory: &Path) -> std::path::PathBuf {
    let unit = read("deploy/systemd/nginx-cors-sync@.service");
    let file = directory.join("nginx-cors-sync@.service");
    let tool = harness::tool().display().to_string();
    fs::write(&file, unit.replace("/usr/bin/nginx-cors", &tool)).expect("a new file");
    file
}

#[test]
fn systemd_finds_no_fault_in_the_unit_and_little_exposure() {
    let directory = directory();
    let unit = write_unit(directory.path());
    // The manual page that it names comes with the package.
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&unit)
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "{told}");
    // Out of 100; that of a unit without any limits is 96.
    run(Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=15"])
        .arg(&unit));
}

#[test]
fn the_command_of_the_unit_writes_the_file() {
    let redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let directory = directory();
    let unit = fs::read_to_string(write_unit(directory.path())).expect("a unit");
    let command = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="))
        .expect("a command");
    let state = directory.path().display().to_string();
    let command = command.replace("/var/lib/nginx-cors", &state).replace("%i", "list");
    run(Command::new("sh")
        .args(["-euc", &command])
        .env("SOURCE", redis.source("", "list"))
        .env("OPTIONS", "--once --every 60"));
    let held = fs::read_to_string(directory.path().join("list.txt")).expect("the file");
    assert_eq!(held, lines(&["a"]));
}
