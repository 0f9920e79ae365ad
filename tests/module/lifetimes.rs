//! Requests and configurations end; nothing of the one outlives it, nothing of the other is missed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use harness::{server, Connection, Nginx, Request, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

const CLIENTS: usize = 8;
const RELOADS: usize = 50;
/// By then the heap has found its shape.
const SETTLED: usize = 10;
/// The kilobytes by which a heap that has found its shape still breathes. A policy that leaks is larger than this
/// after forty times.
const BREATH: u64 = 64;

/// Every kind of directive, and enough origins for a leak to show.
fn policy() -> String {
    let origins: String = (0..200)
        .map(|number| format!(" https://client-{number}.example.com"))
        .collect();
    server(&format!(
        "location / {{
            cors on;
            cors_allow_origin https://app.example.com{origins} https://*.example.net $arg_origin;
            cors_allow_origin '~https://pr-[0-9]+\\.example\\.org';
            cors_unsafe any_origin_credentials;
            cors_allow_methods GET PUT;
            cors_allow_headers Content-Type;
            cors_expose_headers ETag;
            cors_allow_credentials on;
            cors_max_age 2h;
            cors_enforce on;
            cors_log_level error;
        }}"
    ))
}

/// Ends the clients, also when the test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn reloads_under_load_lose_no_request_and_leave_nothing_in_the_master() {
    // The harness reads the whole log for each reload.
    let policy = "access_log off; error_log /dev/null crit;".to_owned() + &policy();
    let mut nginx = Nginx::builder().http(&policy).start();
    let port = nginx.port();
    let (done, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let client = || {
        let requests = [
            (Request::preflight("/hello.txt", APP, "PUT"), 204),
            (Request::get("/hello.txt").origin(APP), 200),
            (Request::preflight("/hello.txt", STRANGER, "PUT"), 403),
            (Request::post("/hello.txt").origin(STRANGER).body("x"), 403),
        ];
        while !done.load(Ordering::Relaxed) {
            for (request, status) in &requests {
                // Each on a connection of its own: one that is kept may be closed at any time while it is idle.
                let request = request.clone().header("Connection", "close");
                let mut connection = Connection::open(port);
                let response = connection.send(&request);
                connection.assert_closed();
                assert_status(&response, *status);
                match status {
                    403 => assert_silent(&response),
                    _ => assert_allows(&response, APP),
                }
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let memory: Vec<Option<u64>> = thread::scope(|scope| {
        let _stop = Stop(&done);
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        (0..RELOADS)
            .map(|_| {
                let before = answered.load(Ordering::Relaxed);
                nginx.reload_with(&policy);
                while answered.load(Ordering::Relaxed) < before + CLIENTS
                    && !clients.iter().any(thread::ScopedJoinHandle::is_finished)
                {
                    thread::yield_now();
                }
                nginx.master_memory()
            })
            .collect()
    });
    if let (Some(settled), Some(last)) = (memory[SETTLED - 1], memory[RELOADS - 1]) {
        assert!(last <= settled + BREATH, "the master grows: {memory:?}");
    }
}

#[test]
fn a_request_that_spans_a_reload_keeps_its_policy() {
    let old = server("location / { cors on; cors_allow_origin https://app.example.com; cors_allow_methods PUT; }");
    let new = server("location / { cors on; cors_allow_origin https://stranger.example; }");
    let mut nginx = Nginx::builder().http(&old).start();
    let requests = [
        Request::preflight("/", APP, "PUT").to_bytes(),
        Request::get("/hello.txt").origin(APP).to_bytes(),
    ];
    let mut begun: Vec<_> = requests
        .iter()
        .map(|bytes| {
            let mut connection = nginx.connect();
            let (start, rest) = bytes.split_at(20);
            connection.write(start);
            (connection, rest)
        })
        .collect();
    // A worker that has accepted the connections has answered one that came after them.
    assert_allows(&nginx.send(&Request::get("/hello.txt").origin(APP)), APP);
    nginx.reload_beside_old_workers(&new);
    assert_allows(&nginx.send(&Request::get("/hello.txt").origin(STRANGER)), STRANGER);
    for ((connection, rest), status) in begun.iter_mut().zip([204, 200]) {
        connection.write(rest);
        let response = connection.read_response();
        assert_status(&response, status);
        assert_allows(&response, APP);
    }
}

#[test]
fn a_client_that_goes_away_takes_its_request_with_it() {
    let application = Upstream::start(|_| Vec::new());
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com $http_x_origins;
                error_page 502 = @fallback;
                proxy_pass http://127.0.0.1:{port:app};
            }
            location @fallback { proxy_pass http://127.0.0.1:{port:app}; }",
        )
        .start();
    for length in [10, 30, 70, 1000] {
        for request in [Request::get("/").origin(APP), Request::preflight("/", STRANGER, "PUT")] {
            let bytes = request.header("X-Origins", "https://one.example").to_bytes();
            nginx.connect().write(&bytes[..length.min(bytes.len())]);
        }
    }
    assert_allows(&nginx.send(&Request::get("/").origin(APP)), APP);
}

#[test]
fn what_one_request_was_is_not_what_the_next_one_is() {
    let nginx = Nginx::server(
        "location / {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_preflight pass;
            add_header X-Told '$cors_preflight,$cors_result,$cors_origin' always;
        }
        location /off { add_header X-Told '$cors_preflight,$cors_result,$cors_origin' always; }",
    );
    let mut connection = nginx.connect();
    for (request, told) in [
        (Request::preflight("/", APP, "GET"), "1,allowed,https://app.example.com"),
        (Request::get("/hello.txt"), ",none,"),
        (Request::preflight("/", STRANGER, "GET"), "1,origin_denied,"),
        (Request::preflight("/off", APP, "GET"), ",off,"),
        (
            Request::get("/hello.txt").origin(APP),
            ",allowed,https://app.example.com",
        ),
    ] {
        assert_eq!(connection.send(&request).only("X-Told"), told);
    }
}

/// A request that must stay a body.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn the_body_of_an_options_is_never_the_next_request_whoever_answers() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "cors_allow_origin https://app.example.com;
            location /answered { cors on; }
            location /passed { cors on; cors_preflight pass; proxy_pass http://127.0.0.1:{port:app}; }
            location /kept { cors on; cors_preflight pass; }
            location /dry { cors on; cors_dry_run on; }
            location /returned { cors on; return 200 returned; }
            location /paged { cors on; cors_enforce on; error_page 403 /hello.txt; }",
        )
        .start();
    for path in ["/answered", "/passed", "/kept", "/dry", "/returned", "/paged"] {
        for origin in [APP, STRANGER, "nonsense"] {
            let preflight = Request::preflight(path, origin, "PUT");
            let options = Request::new("OPTIONS", path).origin(origin);
            for request in [preflight, options] {
                let chunks = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
                for request in [
                    request.clone().body(HIDDEN),
                    request.header("Transfer-Encoding", "chunked").body(chunks),
                ] {
                    let mut connection = nginx.connect();
                    let first = connection.send(&request);
                    assert!(matches!(first.status, 200 | 204 | 403 | 405), "{path}: {first}");
                    if first.get("Connection") == Some("close") {
                        connection.assert_closed();
                        continue;
                    }
                    let second = connection.send(&Request::get("/hello.txt"));
                    assert_status(&second, 200);
                    assert_eq!(second.text(), "hello", "{path}");
                }
            }
        }
    }
    let log = nginx.prefix().join("logs/access.log");
    assert!(!std::fs::read_to_string(log).expect("an access log").contains("/hidden"));
}

#[test]
fn a_length_and_chunks_at_once_are_refused_by_nginx_as_ever() {
    let nginx = Nginx::server("cors on; cors_allow_origin https://app.example.com; cors_preflight early;");
    let mut connection = nginx.connect();
    let request = Request::preflight("/", APP, "PUT")
        .header("Content-Length", "5")
        .header("Transfer-Encoding", "chunked")
        .body(format!("0\r\n\r\n{HIDDEN}"));
    let response = connection.send(&request);
    assert_status(&response, 400);
    connection.assert_closed();
}
