//! `nginx-cors convert` on documents of other gateways: `tests/imports` has a folder for each product, and beside each
//! document what is written for it. `UPDATE_IMPORTS=1 cargo test -p nginx-cors --test imports` writes those files anew; the
//! crate `tests` has nginx read them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn imports() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/imports")
}

fn convert(arguments: &[&str], directory: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nginx-cors"));
    command
        .arg("convert")
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The documents of a product, by their names.
fn documents(product: &Path) -> Vec<String> {
    let entries = fs::read_dir(product).unwrap().map(|entry| entry.unwrap().path());
    let documents = entries.filter(|path| {
        path.extension()
            .is_some_and(|ending| ending != "conf" && ending != "snippets")
    });
    let mut names: Vec<_> = documents
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_written_is_as_it_is_kept() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    for product in fs::read_dir(imports()).unwrap() {
        let product = product.unwrap().path();
        for document in documents(&product) {
            tried += 1;
            let output = convert(&[&document], &product);
            let (out, err) = (text(&output.stdout), text(&output.stderr));
            // What is left is told on both sides, and by the exit status.
            let left: Vec<_> = out.lines().filter_map(|line| line.strip_prefix("# ")).collect();
            assert_eq!(left, err.lines().collect::<Vec<_>>(), "{document}");
            assert_eq!(
                output.status.code(),
                Some(i32::from(!left.is_empty())),
                "{document}: {err}"
            );
            let kept = product.join(&document).with_extension("conf");
            if env::var_os("UPDATE_IMPORTS").is_some() {
                fs::write(&kept, &out).unwrap();
            }
            if fs::read_to_string(&kept).unwrap_or_default() != out {
                wrong.push(format!("{}:\n{out}", kept.display()));
            }
        }
    }
    assert!(tried > 0);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn snippets_are_as_they_are_kept() {
    for document in [
        "gateway-api/everything.yaml",
        "f5-nic/policy.yaml",
        "ingress-nginx/defaults.yaml",
    ] {
        let out = text(&convert(&["--snippets", document], &imports()).stdout);
        let kept = imports().join(document).with_extension("snippets");
        if env::var_os("UPDATE_IMPORTS").is_some() {
            fs::write(&kept, &out).unwrap();
        }
        assert_eq!(fs::read_to_string(&kept).unwrap_or_default(), out, "{document}");
    }
}

#[test]
fn what_a_document_holds_goes_on_as_no_directive() {
    let directory = tempfile::tempdir().unwrap();
    let document = concat!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: \"a\\nb { }\"}\n",
        "spec:\n  hostnames: [\"a; }\", a.example.com]\n  rules:\n",
        "    - matches: [{path: {value: \"/a\\n} x\"}}, {path: {value: \"/b { return 1; }\"}}]\n",
        "      filters: [{type: CORS, cors: {allowOrigins: [\"https://a.example.com;\\n x\", \"https://b.example.com\"]}}]\n"
    );
    fs::write(directory.path().join("a.yaml"), document).unwrap();
    let out = text(&convert(&["a.yaml"], directory.path()).stdout);
    let lines: Vec<_> = out
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(
        lines,
        [
            "",
            "server {",
            "server_name a.example.com;",
            "",
            "location = \"/b { return 1; }\" {",
            "cors on;",
            "cors_allow_origin https://b.example.com;",
            "}",
            "",
            "location \"/b { return 1; }/\" {",
            "cors on;",
            "cors_allow_origin https://b.example.com;",
            "}",
            "}"
        ]
    );
}

#[test]
fn a_directory_is_read_with_those_below_it() {
    let one = convert(&["--format", "json", "ingress-nginx/defaults.yaml"], &imports());
    let all = convert(&["--format", "json", "."], &imports());
    let [one, all] = [one, all].map(|output| serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap());
    assert_eq!(one["converted"][0]["directives"][1], "cors_allow_origin *;");
    assert!(all["converted"].as_array().unwrap().len() > 5);
    assert!(all["left"].as_array().unwrap().len() > 5);
}

#[test]
fn standard_input_is_read() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nginx-cors"))
        .args(["convert", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let document = fs::read(imports().join("ingress-nginx/defaults.yaml")).unwrap();
    child.stdin.take().unwrap().write_all(&document).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(text(&output.stdout).contains("server_name api.example.com;"));
}

#[test]
fn a_document_that_is_wrong_is_told_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.yaml"), "kind: Ingress\nspec: [\n").unwrap();
    let output = convert(&["a.yaml"], directory.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).starts_with("error: a.yaml:3: "),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_document_with_nothing_to_read_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.yaml"), "kind: Deployment\n").unwrap();
    assert_eq!(convert(&["a.yaml"], directory.path()).status.code(), Some(2));
}
