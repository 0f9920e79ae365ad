//! The table of `docs/troubleshooting.md`: what log, figures and `try` say where a preflight of an allowed origin fails.

use std::fmt::Write as _;
use std::{env, fs};

use harness::{workspace_root, Nginx, Request};
use serde_json::Value;

use crate::APP;

const FILE: &str = "docs/troubleshooting.md";
const MARKS: (&str, &str) = (
    "<!-- made by tests: UPDATE_DOCS=1 cargo test -p cors-tests --test module breakages -->\n",
    "<!-- end -->\n",
);

/// What stands around the policy, and how many preflights come before the one that is looked at.
const BREAKAGES: [(&str, &str, usize); 5] = [
    (
        "`return 301` in the server",
        "return 301 https://www.example.com$request_uri; location / { POLICY }",
        0,
    ),
    (
        "`if` with `return 401`",
        "location / { POLICY if ($http_authorization = \"\") { return 401; } }",
        0,
    ),
    ("`limit_req`", "location / { POLICY limit_req zone=requests; }", 1),
    (
        "`cors_preflight pass` behind authentication",
        "location / { POLICY cors_preflight pass; auth_basic members; auth_basic_user_file users; }",
        0,
    ),
    (
        "a method that is missing",
        "location / { POLICY cors_allow_methods POST; }",
        0,
    ),
];

struct Said {
    status: u16,
    result: String,
    log: String,
    figures: String,
    tried: String,
}

fn ask(inside: &str, before: usize) -> Said {
    let policy = "cors on; cors_allow_origin https://app.example.com;";
    let policy = match inside.contains("cors_allow_methods") {
        true => policy.to_owned(),
        false => format!("{policy} cors_allow_methods PUT;"),
    };
    // A policy that is not in a location is that of the server.
    let server = match inside.starts_with("return") {
        true => format!("{policy} {}", inside.replace("POLICY", "")),
        false => inside.replace("POLICY", &policy),
    };
    let nginx = Nginx::builder()
        .file("conf/users", "user:{PLAIN}secret\n")
        .http(&format!(
            "cors_zone cors:128k;
            limit_req_zone $binary_remote_addr zone=requests:64k rate=1r/m;
            log_format result $cors_result;
            server {{ {{listen}} access_log logs/results.log result; {server} }}
            server {{ {{listen:status}} access_log off; location / {{ cors_status; }} }}"
        ))
        .start();
    let preflight = Request::preflight("/", APP, "PUT");
    for _ in 0..before {
        nginx.send(&preflight);
    }
    let status = nginx.send(&preflight).status;
    let result = nginx.log_lines("logs/results.log", before + 1).pop().expect("a line");
    let json = |query: &str| -> Value {
        let response = nginx.send_to("status", &Request::get(query).header("Accept", "application/json"));
        serde_json::from_str(response.text()).expect("JSON")
    };
    let log = nginx.error_log();
    let log = log.lines().find_map(|line| {
        let (_, text) = line.split_once(" cors ")?;
        Some(format!("cors {}", text.split(',').next()?))
    });
    let figures = json("/");
    let preflights = figures["policies"][0]["preflights"].as_object().expect("results");
    let counted: Vec<_> = preflights
        .iter()
        .filter(|(_, count)| count.as_u64() > Some(0))
        .map(|(name, count)| format!("`{name}`: {count}"))
        .collect();
    let tried = json("/?try=1&origin=https%3A%2F%2Fapp.example.com&method=PUT&location=%2F");
    let tried = match tried.get("error") {
        None => tried,
        Some(_) => json("/?try=1&origin=https%3A%2F%2Fapp.example.com&method=PUT"),
    };
    let not_run = tried["preflight"]["not_run"].as_array().expect("a list").iter();
    let not_run: Vec<_> = not_run.filter_map(Value::as_str).collect();
    let explanation = tried["explanation"].as_str().expect("a sentence").to_owned();
    let tried = match not_run.is_empty() {
        true => explanation,
        false => format!("{explanation}; not run: {}", not_run.join(", ")),
    };
    Said {
        status,
        result,
        log: log.unwrap_or_default(),
        figures: counted.join(", "),
        tried,
    }
}

fn table() -> String {
    let mut table =
        "| | status | `$cors_result` | error log | figures | `try` |\n|---|---|---|---|---|---|\n".to_owned();
    for (name, inside, before) in BREAKAGES {
        let Said {
            status,
            result,
            log,
            figures,
            tried,
        } = ask(inside, before);
        let log = log.replace('|', "\\|");
        let _ = writeln!(
            table,
            "| {name} | {status} | `{result}` | `{log}` | {figures} | {tried} |"
        );
    }
    table
}

#[test]
fn the_table_of_the_page_is_what_nginx_says() {
    let path = workspace_root().join(FILE);
    let page = fs::read_to_string(&path).expect("the page");
    let (head, rest) = page.split_once(MARKS.0).expect("the beginning of the table");
    let (written, tail) = rest.split_once(MARKS.1).expect("the end of the table");
    let table = format!("\n{}\n", table());
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{head}{}{table}{}{tail}", MARKS.0, MARKS.1)).expect("the page");
    } else {
        assert_eq!(written, table, "{FILE} is out of step: UPDATE_DOCS=1 writes it anew");
    }
}
