//! Preflights of an allowed origin that something else has answered, with a status that browsers do not take: the cause
//! that is looked for longest, since an actual request (`curl`) gets all headers.

use harness::{Nginx, Request};

use crate::{APP, STRANGER};

const POLICY: &str = "cors on; cors_allow_origin https://app.example.com; cors_allow_methods PUT;";

/// The status of a preflight, `$cors_result` for it, and the line that it leaves in the error log.
#[track_caller]
fn preflight(server: &str, path: &str) -> (u16, String, String) {
    let nginx = Nginx::builder()
        .file("users", "user:{PLAIN}secret\n")
        .http(&format!(
            "log_format result \"$status $cors_result $cors_reason\";
            server {{ {{listen}} access_log logs/results.log result; {server} }}"
        ))
        .start();
    nginx.send(&Request::preflight(path, APP, "PUT"));
    let result = nginx.log_lines("logs/results.log", 1).remove(0);
    let mut words = result.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (status, result, reason) = (word(), word(), word());
    let log = nginx.error_log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains(" cors ")).collect();
    let line = match lines[..] {
        [] => String::new(),
        [line] => line.to_owned(),
        _ => panic!("more than one line in\n{log}"),
    };
    if result == "unanswered" {
        // nginx writes a quote of a variable as \x22 into an access log.
        let reason = reason.replace("\\x22", "\"");
        assert!(line.contains(" [error] ") && line.contains(&reason), "{line}\n{reason}");
    }
    (status.parse().expect("a status"), result, line)
}

#[track_caller]
fn is_unanswered(server: &str, path: &str, expected: u16, remedy: &str) {
    let (status, result, line) = preflight(server, path);
    assert_eq!((status, &*result), (expected, "unanswered"));
    assert!(line.contains(&format!("the preflight got {expected}")), "{line}");
    assert!(line.contains(remedy), "{line}");
}

#[test]
fn a_redirect_of_the_server() {
    let server = format!("{POLICY} return 301 https://www.example.com$request_uri;");
    is_unanswered(&server, "/", 301, "write \"cors_preflight early\"");
}

#[test]
fn a_redirect_to_a_slash() {
    let server = format!("{POLICY} location /api/ {{ proxy_pass http://127.0.0.1:1; }}");
    is_unanswered(&server, "/api", 301, "a redirect to a slash");
}

#[test]
fn an_if_that_asks_for_a_password() {
    let server = format!("location / {{ {POLICY} if ($http_authorization = \"\") {{ return 401; }} }}");
    is_unanswered(&server, "/", 401, "\"if\"");
}

#[test]
fn a_limit_of_requests() {
    let nginx = Nginx::builder()
        .http(&format!(
            "limit_req_zone $binary_remote_addr zone=requests:64k rate=1r/m;
            log_format result \"$status $cors_result\";
            server {{
                {{listen}}
                access_log logs/results.log result;
                location / {{ {POLICY} limit_req zone=requests; }}
            }}"
        ))
        .start();
    for _ in 0..2 {
        nginx.send(&Request::preflight("/", APP, "PUT"));
    }
    assert_eq!(
        nginx.log_lines("logs/results.log", 2),
        ["204 allowed", "503 unanswered"]
    );
}

#[test]
fn authentication_where_the_application_answers() {
    let server =
        format!("location / {{ {POLICY} cors_preflight pass; auth_basic members; auth_basic_user_file users; }}");
    is_unanswered(&server, "/", 401, "cors_preflight answer");
}

#[test]
fn an_application_that_knows_no_options() {
    let server = format!("location / {{ {POLICY} cors_preflight pass; }}");
    is_unanswered(&server, "/", 405, "authentication or the application has to answer it");
}

#[test]
fn an_application_that_answers_well_is_no_fault() {
    let server =
        format!("location / {{ {POLICY} cors_preflight pass; if ($request_method = OPTIONS) {{ return 204; }} }}");
    assert_eq!(preflight(&server, "/"), (204, "allowed".into(), String::new()));
}

#[test]
fn early_mends_what_stands_in_the_server() {
    let server = format!("{POLICY} cors_preflight early; return 301 https://www.example.com$request_uri;");
    assert_eq!(preflight(&server, "/"), (204, "allowed".into(), String::new()));
}

#[test]
fn a_denied_origin_is_denied_whatever_the_status() {
    let nginx = Nginx::server(&format!("{POLICY} return 301 https://www.example.com$request_uri;"));
    nginx.send(&Request::preflight("/", STRANGER, "PUT"));
    let log = nginx.error_log();
    assert!(log.contains("cors denied: ") && !log.contains("unanswered"), "{log}");
}

#[test]
fn an_actual_request_is_none() {
    let nginx = Nginx::server(&format!("{POLICY} return 301 https://www.example.com$request_uri;"));
    nginx.send(&Request::get("/").origin(APP));
    nginx.send(&Request::new("OPTIONS", "/").origin(APP));
    assert!(!nginx.error_log().contains("unanswered"));
}

#[test]
fn in_a_dry_run_what_the_module_would_have_answered_is_none() {
    let server = format!("location / {{ {POLICY} cors_dry_run on; }}");
    assert_eq!(preflight(&server, "/"), (405, "allowed".into(), String::new()));
}

#[test]
fn in_a_dry_run_what_would_not_have_reached_the_module_is_one() {
    let server = format!("location / {{ {POLICY} cors_dry_run on; return 301 /other; }}");
    let (status, result, line) = preflight(&server, "/");
    assert_eq!((status, &*result), (301, "unanswered"));
    assert!(line.contains("cors unanswered (dry run): "), "{line}");
}

#[test]
fn they_are_counted_apart() {
    let nginx = Nginx::builder()
        .http(&format!(
            "cors_zone cors:128k;
            server {{
                {{listen}}
                location / {{ {POLICY} return 301 /other; }}
                location = /status {{ cors_status prometheus; }}
            }}"
        ))
        .start();
    for _ in 0..3 {
        nginx.send(&Request::preflight("/", APP, "PUT"));
    }
    let text = nginx.send(&Request::get("/status")).text().to_owned();
    let sample = "type=\"preflight\",result=\"unanswered\"} 3";
    assert!(text.contains(sample), "{text}");
    let json = nginx.send(&Request::get("/status").header("Accept", "application/json"));
    assert!(
        !json.text().contains("https://app.example.com\",\"count"),
        "it is no denied origin"
    );
}
