//! The configurations on which `nginx-cors lint` is tried: nginx takes those that it is meant to take.

use std::fs;
use std::path::Path;

use harness::{workspace_root, Nginx};

/// A text that `expected.toml` gives to a key.
fn given<'t>(expected: &'t str, key: &str) -> &'t str {
    let line = expected
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    line.expect("the key").trim_matches('"')
}

/// The certificates that a configuration names, in whichever of its files.
fn certificates(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a readable directory") {
        let path = entry.expect("a readable directory").path();
        if path.is_dir() {
            found.extend(certificates(&path));
            continue;
        }
        let text = fs::read_to_string(&path).expect("a readable file");
        let value = |name: &str| {
            let lines = text.lines().map(str::trim);
            let values =
                lines.filter_map(move |line| line.strip_prefix(name)?.trim().strip_suffix(';').map(str::to_owned));
            values.collect::<Vec<_>>()
        };
        found.extend(value("ssl_certificate ").into_iter().zip(value("ssl_certificate_key ")));
    }
    found
}

#[test]
fn nginx_takes_those_that_it_is_meant_to_take() {
    let mut tried = 0;
    for entry in fs::read_dir(workspace_root().join("tests/corpus")).expect("the corpus") {
        let directory = entry.expect("a readable directory").path();
        let expected = fs::read_to_string(directory.join("expected.toml")).expect("what is expected");
        let nginx = given(&expected, "nginx");
        // A module that this nginx does not have.
        if nginx.starts_with("needs ") {
            continue;
        }
        let mut builder = Nginx::from_file(&directory.join("nginx.conf"));
        for (certificate, key) in certificates(&directory) {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
            builder = builder
                .file(&certificate, made.cert.pem())
                .file(&key, made.signing_key.serialize_pem());
        }
        let check = builder.check();
        let name = directory.display();
        assert_eq!(check.accepted(), nginx != "refuses", "{name}: {}", check.stderr);
        let warns = check.stderr.contains("[warn]");
        assert!(
            nginx == "refuses" || warns == (nginx == "warns"),
            "{name}: {}",
            check.stderr
        );
        tried += 1;
    }
    assert!(tried >= 55, "{tried}");
}
