//! The line in the error log that tells of a denial: once a request, at the level that was asked for.

use harness::{Nginx, Request};

use crate::{APP, STRANGER};

/// The lines about denials.
fn denials(log: &str) -> Vec<String> {
    log.lines()
        .filter(|line| line.contains("cors denied"))
        .map(str::to_owned)
        .collect()
}

/// The one line that `request` leaves under `location`.
#[track_caller]
fn denial(location: &str, request: &Request) -> String {
    let nginx = Nginx::server(location);
    nginx.connect().send(request);
    let log = nginx.error_log();
    let [line] = &denials(&log)[..] else {
        panic!("not one denial in\n{log}");
    };
    line.clone()
}

const POLICY: &str = "location / {
    cors on;
    cors_allow_origin https://app.example.com;
    cors_allow_methods PUT;
    cors_allow_headers Content-Type;
}";

#[test]
fn it_names_the_origin_and_then_client_server_and_request() {
    let nginx = Nginx::server(&format!("server_name notes.example; {POLICY}"));
    nginx.send(
        &Request::get("/hello.txt?a=b")
            .origin(STRANGER)
            .header("Host", "notes.example"),
    );
    let log = nginx.error_log();
    let [line] = &denials(&log)[..] else {
        panic!("not one denial in\n{log}");
    };
    assert!(line.contains(" [error] "), "{line}");
    assert!(
        line.contains(" cors denied: origin \"https://stranger.example\" is not in cors_allow_origin"),
        "{line}"
    );
    assert!(
        line.ends_with(
            ", client: 127.0.0.1, server: notes.example, request: \"GET /hello.txt?a=b HTTP/1.1\", host: \"notes.example\""
        ),
        "{line}"
    );
}

#[test]
fn a_preflight_leaves_one_line_too() {
    let line = denial(POLICY, &Request::preflight("/", STRANGER, "PUT"));
    assert!(
        line.contains("origin \"https://stranger.example\" is not in cors_allow_origin, client: "),
        "{line}"
    );
    assert!(line.contains("request: \"OPTIONS / HTTP/1.1\""), "{line}");
}

#[test]
fn a_method_outside_the_list_is_named() {
    let line = denial(POLICY, &Request::preflight("/", APP, "DELETE"));
    assert!(
        line.contains("cors denied: method \"DELETE\" is not in cors_allow_methods, client: "),
        "{line}"
    );
}

#[test]
fn a_header_outside_the_list_is_named() {
    let request = Request::preflight("/", APP, "PUT").header("Access-Control-Request-Headers", "content-type,x-foo");
    let line = denial(POLICY, &request);
    assert!(
        line.contains("cors denied: header \"x-foo\" is not in cors_allow_headers, client: "),
        "{line}"
    );
}

#[test]
fn a_header_that_is_no_token_is_named_and_escaped() {
    let request = Request::preflight("/", APP, "PUT").header("Access-Control-Request-Headers", "x\"\u{1b}y");
    let line = denial(POLICY, &request);
    assert!(
        line.contains(r#"holds "x\"\x1by", which is no header name, client: "#),
        "{line}"
    );
}

#[test]
fn two_origins_are_said_to_be_two() {
    let line = denial(POLICY, &Request::get("/").origin(APP).origin(APP));
    assert!(
        line.contains("cors denied: the request has more than one Origin, client: "),
        "{line}"
    );
}

#[test]
fn a_hostile_origin_cannot_forge_a_line() {
    let hostile = b"https://a\x1b[31m\t\"\\, client: 10.0.0.1, server: forged\x7f\xff\xc2\x85".as_slice();
    let line = denial(POLICY, &Request::get("/").origin(hostile));
    assert!(
        line.contains(
            r#"Origin "https://a\x1b[31m\t\"\\, client: 10.0.0.1, server: forged\x7f\xff\xc2\x85" is not what a browser sends, client: 127.0.0.1"#
        ),
        "{line}"
    );
    assert!(
        line.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '),
        "{line}"
    );
}

#[test]
fn a_long_origin_leaves_room_for_the_rest() {
    let long = format!("https://{}.example", "a".repeat(5000));
    let line = denial(POLICY, &Request::get("/").origin(long));
    assert!(line.contains("aaa...\" is not"), "{line}");
    assert!(line.contains("request: \"GET / HTTP/1.1\""), "{line}");
}

#[test]
fn what_is_not_denied_leaves_no_line() {
    let nginx = Nginx::server(POLICY);
    for request in [
        Request::get("/hello.txt"),
        Request::get("/hello.txt").origin(APP),
        Request::get("/hello.txt").origin("http://localhost"),
        Request::get("/hello.txt")
            .origin(STRANGER)
            .header("Sec-Fetch-Site", "same-origin"),
        Request::preflight("/", APP, "PUT").header("Access-Control-Request-Headers", "content-type"),
        Request::preflight("/", APP, "GET"),
    ] {
        nginx.send(&request);
    }
    assert_eq!(denials(&nginx.error_log()), [""; 0]);
}

#[test]
fn it_is_logged_at_the_level_of_the_directive() {
    for level in ["info", "notice", "warn", "error"] {
        let location = format!("cors_log_level {level}; {POLICY}");
        let line = denial(&location, &Request::get("/").origin(STRANGER));
        assert!(line.contains(&format!(" [{level}] ")), "{line}");
    }
}

#[test]
fn a_stock_error_log_shows_denials_unless_their_level_is_lower() {
    let nginx = Nginx::server(&format!(
        "error_log logs/errors.log error;
        {POLICY}
        location /warns {{
            cors on;
            cors_allow_origin https://app.example.com;
            cors_log_level warn;
        }}"
    ));
    for path in ["/warns", "/hello.txt"] {
        nginx.send(&Request::get(path).origin(STRANGER));
    }
    let log = nginx.log_lines("logs/errors.log", 1).join("\n");
    let [line] = &denials(&log)[..] else {
        panic!("not one denial in\n{log}");
    };
    assert!(line.contains("[error]") && line.contains("GET /hello.txt"), "{line}");
}

/// The level of each line about a denial that the requests leave.
fn levels(requests: &[Request]) -> Vec<String> {
    let nginx = Nginx::server(&format!(
        "{POLICY} location /other {{ {} }}",
        &POLICY[12..POLICY.len() - 1]
    ));
    for request in requests {
        nginx.send(request);
    }
    let level = |line: &String| line.split(['[', ']']).nth(1).unwrap_or_default().to_owned();
    denials(&nginx.error_log()).iter().map(level).collect()
}

#[test]
fn further_denials_of_a_kind_are_logged_at_info() {
    let denied = || Request::get("/hello.txt").origin(STRANGER);
    assert_eq!(levels(&[denied(), denied(), denied()]), ["error", "info", "info"]);
}

#[test]
fn a_client_that_invents_origins_fills_no_log_and_the_log_says_that_it_does_not_show_everything() {
    let nginx = Nginx::server(&format!(
        "error_log logs/errors.log error; keepalive_requests 10000; {POLICY}"
    ));
    let mut connection = nginx.connect();
    for number in 0..1000 {
        connection.send(&Request::get("/hello.txt").origin(format!("https://{number}.example")));
    }
    let log = nginx.log_lines("logs/errors.log", 100).join("\n");
    let told = log.matches("cors: too many kinds of denials").count();
    // A minute may end in between.
    assert!((1..=2).contains(&told), "{told}");
    assert!(denials(&log).len() <= told * 256 + 256, "{}", denials(&log).len());
}

#[test]
fn location_origin_method_and_header_make_kinds_of_their_own() {
    let preflight = |method: &str| Request::preflight("/", APP, method);
    let header = |name: &str| preflight("PUT").header("Access-Control-Request-Headers", name);
    let requests = [
        Request::get("/hello.txt").origin(STRANGER),
        Request::get("/other").origin(STRANGER),
        Request::get("/hello.txt").origin("https://another.example"),
        preflight("DELETE"),
        preflight("PATCH"),
        header("x-one"),
        header("x-two"),
    ];
    assert_eq!(levels(&requests), ["error"; 7]);
}

#[test]
fn a_failed_precondition_leaves_one_line() {
    let request = Request::get("/hello.txt")
        .origin(STRANGER)
        .header("If-Match", "\"other\"");
    denial(POLICY, &request);
}

#[test]
fn a_range_outside_the_file_leaves_one_line() {
    let request = Request::get("/hello.txt")
        .origin(STRANGER)
        .header("Range", "bytes=100-");
    denial(POLICY, &request);
}

#[test]
fn an_error_page_leaves_one_line() {
    let server = "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_enforce on;
            error_page 403 404 /hello.txt;
        }
        location = /hello.txt { }";
    denial(server, &Request::get("/missing").origin(STRANGER));
    denial(
        &server.replace("cors_enforce on;", ""),
        &Request::get("/missing").origin(STRANGER),
    );
}

#[test]
fn a_page_with_fragments_leaves_one_line() {
    let nginx = Nginx::builder()
        .file(
            "html/page",
            "<!--#include virtual=\"/one\" --><!--#include virtual=\"/two\" -->",
        )
        .server(
            "cors on;
            cors_allow_origin https://app.example.com;
            default_type text/html;
            location / { ssi on; }
            location /one { return 200 1; }
            location /two { return 200 2; }",
        )
        .start();
    assert_eq!(nginx.send(&Request::get("/page").origin(STRANGER)).text(), "12");
    assert_eq!(denials(&nginx.error_log()).len(), 1);
}

#[test]
fn each_request_of_a_connection_leaves_its_own_line() {
    let nginx = Nginx::server(POLICY);
    let mut connection = nginx.connect();
    for _ in 0..3 {
        connection.send(&Request::get("/hello.txt").origin(STRANGER));
    }
    assert_eq!(denials(&nginx.error_log()).len(), 3);
}

#[test]
fn a_refused_websocket_leaves_one_line() {
    let request = Request::get("/")
        .origin(STRANGER)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket");
    denial(
        "location / { cors on; cors_allow_origin https://app.example.com; cors_enforce websocket; }",
        &request,
    );
}

#[test]
fn an_early_preflight_leaves_one_line() {
    denial(
        "cors on; cors_allow_origin https://app.example.com; cors_preflight early; return 418;",
        &Request::preflight("/", STRANGER, "PUT"),
    );
}

#[test]
fn a_preflight_that_is_passed_on_leaves_one_line() {
    denial(
        "location / { cors on; cors_allow_origin https://app.example.com; cors_preflight pass; }",
        &Request::preflight("/", STRANGER, "PUT"),
    );
}
