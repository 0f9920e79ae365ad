//! With the module loaded and no `cors` directive, nginx is what it was.

use std::fs;

use harness::{Nginx, Request, Response, Upstream};
use regex::Regex;

use crate::{APP, STRANGER};

fn requests() -> Vec<Request> {
    let mut requests = Vec::new();
    for target in [
        "/",
        "/hello.txt",
        "/missing",
        "/returns",
        "/forbidden",
        "/dir",
        "/proxied",
        "/accel",
    ] {
        requests.push(Request::get(target));
        for origin in [APP, STRANGER, "nonsense\x1b"] {
            requests.extend([
                Request::get(target).origin(origin),
                Request::head(target).origin(origin).http10(),
                Request::new("OPTIONS", target).origin(origin).body("x"),
                Request::preflight(target, origin, "PUT").header("Access-Control-Request-Headers", "x-any"),
            ]);
        }
    }
    requests.push(Request::get("/").header("Host", "bad host/").origin(APP));
    requests
}

/// The responses, and what the logs say about them.
fn run(application: &Upstream, without_module: bool) -> (Vec<String>, Vec<String>, Vec<String>) {
    let mut builder = Nginx::builder()
        .port("app", application.port())
        .file("html/dir/index.html", "index")
        .http(
            "log_format all '$request|$status|$bytes_sent|$sent_http_vary|$sent_http_access_control_allow_origin';
            access_log logs/all.log all;
            error_log logs/all-errors.log info;",
        )
        .server(
            "gzip on;
            gzip_vary on;
            gzip_types *;
            gzip_min_length 1;
            add_header Access-Control-Allow-Origin * always;
            location /missing { error_page 404 /hello.txt; }
            location /returns { return 200 returned; }
            location /forbidden { satisfy any; deny all; }
            location /proxied { proxy_pass http://127.0.0.1:{port:app}; }
            location /accel { proxy_pass http://127.0.0.1:{port:app}; }",
        );
    if without_module {
        builder = builder.without_module();
    }
    let nginx = builder.start();
    let requests = requests();
    let responses = requests
        .iter()
        .map(|request| without_date(nginx.send(request)))
        .collect();
    let mut logged = nginx.log_lines("logs/all.log", requests.len());
    // Those with a body are logged when it has been read, which may be after the next request.
    logged.sort();
    let errors = fs::read_to_string(nginx.prefix().join("logs/all-errors.log")).expect("an error log");
    let own = Regex::new(r"^\S+ \S+ (\[\w+\]) \d+#\d+: (?:\*\d+ )?").expect("a valid pattern");
    let port = Regex::new(r"127\.0\.0\.1:\d+|/tmp/[^/]+").expect("a valid pattern");
    let mut errors: Vec<String> = errors
        .lines()
        .filter(|line| line.contains("client: ") && !line.contains("client closed connection"))
        .map(|line| port.replace_all(&own.replace(line, "$1 "), "").into_owned())
        .collect();
    errors.sort();
    (responses, logged, errors)
}

fn without_date(mut response: Response) -> String {
    response
        .headers
        .retain(|(name, _)| !matches!(&**name, "Date" | "ETag" | "Last-Modified" | "Location"));
    response.to_string()
}

#[test]
fn headers_and_logs_are_those_of_an_nginx_without_it() {
    let application = Upstream::start(|request| match &*request.target {
        "/accel" => b"HTTP/1.1 200 OK\r\nX-Accel-Redirect: /hello.txt\r\nContent-Length: 0\r\n\r\n".to_vec(),
        _ => b"HTTP/1.1 200 OK\r\nVary: Cookie\r\nVary: Origin\r\nAccess-Control-Allow-Origin: *\r\n\
               Content-Length: 5\r\n\r\nhello"
            .to_vec(),
    });
    let (responses, logged, errors) = run(&application, true);
    let (responses_beside, logged_beside, errors_beside) = run(&application, false);
    assert!(!errors.is_empty());
    assert_eq!(responses_beside, responses);
    assert_eq!(logged_beside, logged);
    assert_eq!(errors_beside, errors);
}

#[test]
fn its_variables_are_there_and_say_off() {
    let nginx = Nginx::server("add_header X-Told '$cors_result,$cors_preflight,$cors_origin,$cors_reason';");
    let response = nginx.send(&Request::get("/hello.txt").origin(APP));
    assert_eq!(response.only("X-Told"), "off,,,");
}
