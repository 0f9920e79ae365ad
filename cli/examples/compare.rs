//! `nginx-cors lint` on tests/corpus beside two other linters, gixy-ng and gixy-next: which faults each finds, and what it
//! says that is no fault. Also how long it takes on a site of 1 000 locations in 200 files.
//!
//! `make compare-linters` runs it. The other linters are Python packages; they are installed below target/.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use serde_json::Value;

/// The other linters.
const OTHERS: [&str; 2] = ["gixy-ng", "gixy-next"];

/// Checks of theirs that have to do with CORS: the name, a text of the message, and the faults that are meant.
const CHECKS: [(&str, &str, &[&str]); 4] = [
    (
        "origins",
        "Reflecting",
        &["reflected-with-credentials", "reflected-origin"],
    ),
    (
        "origins",
        "Regex matches",
        &[
            "regex-admits-strangers",
            "insecure-origin-with-credentials",
            "regex-matches-nothing",
            "regex-dead-branch",
        ],
    ),
    (
        "add_header_redefinition",
        "access-control-",
        &["lost-by-inheritance", "preflight-without-origin", "lost-in-if"],
    ),
    (
        "add_header_redefinition",
        "strict-transport-security",
        &["security-headers-lost"],
    ),
];

/// They name the block, or the line that opens it; so many lines away a fault counts as the one that is meant.
const NEAR: usize = 8;

/// A fault at a line of a file of a configuration.
type Place = (String, String, usize);

/// How many faults there are, and were found.
#[derive(Default)]
struct Counts {
    expected: usize,
    found: usize,
    /// What was told, and is none.
    wrong: usize,
}

#[derive(serde::Deserialize)]
struct Expected {
    findings: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn main() {
    let tool = tool();
    let linters: Vec<_> = OTHERS.iter().map(|name| (*name, installed(name))).collect();
    let mut tables: Vec<BTreeMap<String, Counts>> = (0..=OTHERS.len()).map(|_| BTreeMap::new()).collect();
    let mut directories: Vec<_> = fs::read_dir(root().join("tests/corpus"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    directories.sort();
    for directory in &directories {
        let expected: Expected = toml::from_str(&fs::read_to_string(directory.join("expected.toml")).unwrap()).unwrap();
        let expected: Vec<_> = expected
            .findings
            .iter()
            .map(|finding| place(directory, finding))
            .collect();
        let (ours, others) = tables.split_first_mut().unwrap();
        count_ours(ours, &expected, &by_tool(&tool, directory));
        for ((_, linter), table) in linters.iter().zip(others) {
            count_theirs(table, &expected, &by_other(linter, directory));
        }
    }
    print!("{}", table(directories.len(), &tables));
    println!("\n{}", time_of_a_large_site(&tool));
}

fn tool() -> PathBuf {
    let target = env::current_exe().unwrap();
    // target/<profile>/examples/compare
    let tool = target.parent().unwrap().parent().unwrap().join("nginx-cors");
    assert!(
        tool.is_file(),
        "{} is missing: cargo build -p nginx-cors makes it",
        tool.display()
    );
    tool
}

/// The command of a Python package, which is installed where it is not.
fn installed(name: &str) -> PathBuf {
    let directory = root().join("target/linters").join(name);
    let command = directory.join("bin/gixy");
    if !command.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&directory));
        run(Command::new(directory.join("bin/pip")).args(["install", "--quiet", name]));
    }
    command
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// `file:line identifier` of an `expected.toml`.
fn place(directory: &Path, finding: &str) -> Place {
    let (place, id) = finding.split_once(' ').unwrap();
    let (file, line) = place.rsplit_once(':').unwrap();
    let file = directory.join(file).display().to_string();
    (id.to_owned(), file, line.parse().unwrap())
}

fn by_tool(tool: &Path, directory: &Path) -> Vec<Place> {
    let output = Command::new(tool)
        .args(["lint", "--format", "json"])
        .arg(directory.join("nginx.conf"))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().unwrap().to_owned();
            let line = usize::try_from(finding["line"].as_u64().unwrap()).unwrap();
            (text("id"), text("file"), line)
        })
        .collect()
}

/// What another linter says, as its check and message.
fn by_other(linter: &Path, directory: &Path) -> Vec<Place> {
    let output = Command::new(linter)
        .args(["--format", "json"])
        .arg(directory.join("nginx.conf"))
        .output()
        .unwrap();
    let Ok(Value::Array(findings)) = serde_json::from_slice(&output.stdout) else {
        return Vec::new();
    };
    let told = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let line = usize::try_from(finding["line"].as_u64()?).unwrap();
        Some((format!("{}: {}", text("plugin"), text("reason")), text("file"), line))
    };
    findings.iter().filter_map(told).collect()
}

fn count_ours(table: &mut BTreeMap<String, Counts>, expected: &[Place], found: &[Place]) {
    let mut left = found.to_vec();
    for place in expected {
        let counts = table.entry(place.0.clone()).or_default();
        counts.expected += 1;
        if let Some(number) = left.iter().position(|other| other == place) {
            left.remove(number);
            counts.found += 1;
        }
    }
    for (id, ..) in left {
        table.entry(id).or_default().wrong += 1;
    }
}

fn count_theirs(table: &mut BTreeMap<String, Counts>, expected: &[Place], told: &[Place]) {
    let mut found = BTreeSet::new();
    for (message, file, line) in told {
        let check = CHECKS
            .iter()
            .find(|(name, text, _)| message.starts_with(name) && message.contains(text));
        let Some((_, _, faults)) = check else { continue };
        let meant: Vec<_> = expected
            .iter()
            .enumerate()
            .filter(|(_, (id, of, at))| faults.contains(&&**id) && of == file && at.abs_diff(*line) <= NEAR)
            .map(|(number, _)| number)
            .collect();
        if meant.is_empty() {
            table.entry(faults.first().unwrap().to_string()).or_default().wrong += 1;
        }
        found.extend(meant);
    }
    for (number, (id, ..)) in expected.iter().enumerate() {
        let counts = table.entry(id.clone()).or_default();
        counts.expected += 1;
        counts.found += usize::from(found.contains(&number));
    }
}

fn table(configurations: usize, tables: &[BTreeMap<String, Counts>]) -> String {
    let mut text = format!(
        "Faults found of those that {configurations} configurations have (tests/corpus), and how often it is told of one that \
         is none:\n\n| fault | there are | nginx-cors lint |"
    );
    for name in OTHERS {
        let _ = write!(text, " {name} |");
    }
    text += &format!("\n|---|---|---|{}\n", "---|".repeat(OTHERS.len()));
    let ids: BTreeSet<_> = tables.iter().flat_map(BTreeMap::keys).collect();
    let mut totals: Vec<Counts> = tables.iter().map(|_| Counts::default()).collect();
    for id in ids {
        let there_are = tables
            .first()
            .and_then(|table| table.get(id))
            .map_or(0, |counts| counts.expected);
        let _ = write!(text, "| {id} | {there_are} |");
        for (table, total) in tables.iter().zip(&mut totals) {
            let counts = table.get(id);
            let (found, wrong) = counts.map_or((0, 0), |counts| (counts.found, counts.wrong));
            total.expected += there_are;
            total.found += found;
            total.wrong += wrong;
            text += &match wrong {
                0 => format!(" {found} |"),
                _ => format!(" {found}, wrong {wrong} |"),
            };
        }
        text += "\n";
    }
    text += "| **recall** | |";
    for total in &totals {
        let _ = write!(text, " {} % |", percent(total.found, total.expected));
    }
    text += "\n| **precision** | |";
    for total in &totals {
        let _ = write!(text, " {} % |", percent(total.found, total.found + total.wrong));
    }
    text + "\n"
}

fn percent(part: usize, whole: usize) -> usize {
    (100 * part).checked_div(whole).unwrap_or(100)
}

/// The time for a site of 1 000 locations in 200 files.
fn time_of_a_large_site(tool: &Path) -> String {
    const SITES: usize = 200;
    const LOCATIONS: usize = 5;
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let entries: String = (0..50)
        .map(|n| format!("    ~^https://t{n}\\.example\\.com$ $http_origin;\n"))
        .collect();
    write(
        "nginx.conf",
        &format!("events {{}}\nhttp {{\n  map $http_origin $cors {{\n{entries}  }}\n  include sites/*.conf;\n}}\n"),
    );
    write(
        "snippets/cors.conf",
        "add_header Access-Control-Allow-Origin $cors always;\nadd_header Vary Origin always;\n\
         add_header Access-Control-Allow-Methods \"GET, PUT\";\nif ($request_method = OPTIONS) { return 204; }\n",
    );
    for site in 0..SITES {
        let mut text = format!("server {{\n  listen 80;\n  server_name s{site}.example.com;\n");
        for location in 0..LOCATIONS {
            text += &match location % 2 {
                0 => format!(
                    "  location /l{location}/ {{\n    add_header Access-Control-Allow-Origin https://app.example.com;\n    \
                     root /srv;\n  }}\n"
                ),
                _ => format!(
                    "  location /l{location}/ {{\n    include snippets/cors.conf;\n    proxy_pass http://127.0.0.1:8080;\n  }}\n"
                ),
            };
        }
        write(&format!("sites/{site:03}.conf"), &(text + "}\n"));
    }
    let start = Instant::now();
    let output = Command::new(tool)
        .args(["lint", "--format", "json"])
        .arg(directory.path().join("nginx.conf"))
        .output()
        .unwrap();
    let elapsed = start.elapsed();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    format!(
        "A site of {} locations in {} files: {} findings in {} ms.",
        SITES * LOCATIONS,
        SITES + 2,
        report["findings"].as_array().unwrap().len(),
        elapsed.as_millis()
    )
}
