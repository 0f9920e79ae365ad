//! `cors_zone`: what is counted, under whose name, and what becomes of it.

use std::thread;

use harness::{server, Nginx, Request, Upstream};
use serde_json::Value;

use crate::{APP, STRANGER};

const ZONE: &str = "cors_zone cors:64k;";
const POLICY: &str = "
    server_name shop.example;
    location /api/ {
        cors on;
        cors_allow_origin https://app.example.com;
        cors_allow_methods GET PUT;
        cors_allow_headers X-One;
        alias html/;
    }
    location /plain/ { alias html/; }
    location = /status { cors_status; }";

fn nginx() -> Nginx {
    Nginx::builder().http(ZONE).server(POLICY).start()
}

/// The figures, once `count` requests are counted: nginx counts when the client has its response already.
#[track_caller]
pub(crate) fn figures(nginx: &Nginx, count: u64) -> Value {
    let read = || -> Value { serde_json::from_str(nginx.send(&Request::get("/status")).text()).expect("JSON") };
    let total = |figures: &Value| -> u64 {
        let policies = figures["policies"].as_array().expect("policies");
        policies
            .iter()
            .map(|policy| policy["total"].as_u64().expect("a number"))
            .sum()
    };
    let enough = harness::poll(|| Some(read()).filter(|figures| total(figures) >= count));
    let figures = enough.unwrap_or_else(|| panic!("not {count} requests: {:#}", read()));
    assert_eq!(total(&figures), count, "{figures:#}");
    figures
}

/// The figures of one location.
#[track_caller]
fn policy<'f>(figures: &'f Value, location: &str) -> &'f Value {
    let policies = figures["policies"].as_array().expect("policies");
    let found = policies.iter().find(|policy| policy["location"] == location);
    found.unwrap_or_else(|| panic!("no {location} in {figures:#}"))
}

/// What is not zero, by name.
fn counted(figures: &Value) -> Vec<(&str, u64)> {
    let counts = figures.as_object().expect("counts").iter();
    counts
        .map(|(name, count)| (name.as_str(), count.as_u64().expect("a number")))
        .filter(|(_, count)| *count > 0)
        .collect()
}

#[test]
fn requests_are_counted_by_how_they_ended() {
    let nginx = nginx();
    let requests = [
        Request::get("/api/hello.txt"),
        Request::get("/api/hello.txt").origin(APP),
        Request::get("/api/missing").origin(APP),
        Request::get("/api/hello.txt").origin("http://localhost"),
        Request::get("/api/hello.txt").origin(STRANGER),
        Request::get("/api/hello.txt").origin("what?"),
        Request::get("/api/hello.txt").origin(APP).origin(APP),
        Request::preflight("/api/", APP, "PUT"),
        Request::preflight("/api/", APP, "PUT").header("Access-Control-Request-Headers", "x-one"),
        Request::preflight("/api/", APP, "PUT").header("Access-Control-Request-Headers", "x-one"),
        Request::preflight("/api/", APP, "PUT").header("Access-Control-Request-Headers", "x-two"),
        Request::preflight("/api/", APP, "DELETE").header("Access-Control-Request-Headers", "x-one"),
        Request::preflight("/api/", STRANGER, "PUT").header("Access-Control-Request-Headers", "x-one"),
        Request::preflight("/api/", "what?", "PUT"),
    ];
    for request in &requests {
        nginx.send(request);
    }
    // No policy has to do with these.
    nginx.send(&Request::get("/plain/hello.txt").origin(STRANGER));
    let figures = figures(&nginx, requests.len() as u64);
    let api = policy(&figures, "/api/");
    assert_eq!(api["server"], "shop.example");
    assert_eq!(
        counted(&api["requests"]),
        [
            ("allowed", 2),
            ("malformed", 2),
            ("none", 1),
            ("origin_denied", 1),
            ("same_origin", 1)
        ]
    );
    assert_eq!(
        counted(&api["preflights"]),
        [
            ("allowed", 3),
            ("header_denied", 1),
            ("malformed", 1),
            ("method_denied", 1),
            ("origin_denied", 1)
        ]
    );
    assert_eq!(api["preflights_answered"], 7);
    assert_eq!(api["denied"], 7);
    let history = figures["history"]["requests"].as_array().expect("a history");
    assert_eq!(history.iter().filter_map(Value::as_u64).sum::<u64>(), 14);
}

#[test]
fn a_plain_star_tells_requests_with_an_origin_from_others() {
    let server = "location / { cors on; cors_allow_origin *; } location = /status { cors_status; }";
    let nginx = Nginx::builder().http(ZONE).server(server).start();
    nginx.send(&Request::get("/hello.txt"));
    nginx.send(&Request::get("/hello.txt").origin(STRANGER));
    nginx.send(&Request::get("/hello.txt").origin("what?"));
    let figures = figures(&nginx, 3);
    assert_eq!(
        counted(&policy(&figures, "/")["requests"]),
        [("allowed", 2), ("none", 1)]
    );
    assert_eq!(policy(&figures, "/")["server"], "_");
}

#[test]
fn what_was_enforced_and_what_would_have_been_is_told() {
    let server = "
        location /strict/ { cors on; cors_allow_origin https://app.example.com; cors_enforce on; alias html/; }
        location /dry/ { cors on; cors_allow_origin https://app.example.com; cors_enforce on; cors_dry_run on; alias html/; }
        location /off/ { cors off; alias html/; }
        location = /to_off { cors on; cors_allow_origin https://app.example.com; try_files /none /off/hello.txt; }
        location = /status { cors_status; }";
    let nginx = Nginx::builder().http(ZONE).server(server).start();
    for path in ["/strict/hello.txt", "/dry/hello.txt", "/to_off"] {
        nginx.send(&Request::get(path).origin(STRANGER));
        nginx.send(&Request::get(path).origin(APP));
    }
    nginx.send(&Request::preflight("/dry/", STRANGER, "PUT"));
    let figures = figures(&nginx, 7);
    let strict = policy(&figures, "/strict/");
    assert_eq!(
        (&strict["enforced_denials"], &strict["dry_run_denials"]),
        (&1.into(), &0.into())
    );
    let dry = policy(&figures, "/dry/");
    assert_eq!(
        (&dry["enforced_denials"], &dry["dry_run_denials"]),
        (&0.into(), &2.into())
    );
    assert_eq!(
        (&dry["dry_run"], &dry["preflights_answered"]),
        (&true.into(), &0.into())
    );
    assert_eq!(counted(&policy(&figures, "= /to_off")["requests"]), [("off", 2)]);
}

/// More often than the module takes a request for the last one without a closer look.
const OFTEN: u64 = 300;

#[test]
fn what_comes_again_and_again_is_counted_each_time() {
    let server = "
        location /api/ { cors on; cors_allow_origin https://app.example.com; cors_allow_methods PUT; cors_allow_headers X-One; }
        location /strict/ { cors on; cors_allow_origin https://app.example.com; cors_enforce on; alias html/; }
        location /dry/ { cors on; cors_allow_origin https://app.example.com; cors_dry_run on; alias html/; }
        location = /status { cors_status; }";
    let nginx = Nginx::builder()
        .http(&format!("{ZONE} keepalive_requests 10000;"))
        .server(server)
        .start();
    let preflight =
        |origin| Request::preflight("/api/", origin, "PUT").header("Access-Control-Request-Headers", "x-one");
    let requests = [
        preflight(APP),
        preflight(STRANGER),
        Request::get("/api/hello.txt").origin(STRANGER),
        Request::get("/strict/hello.txt").origin(STRANGER),
        Request::get("/dry/hello.txt").origin(STRANGER),
    ];
    let mut connection = nginx.connect();
    for request in requests.iter().flat_map(|request| (0..OFTEN).map(move |_| request)) {
        connection.send(request);
    }
    let figures = figures(&nginx, 5 * OFTEN);
    let denied = [("origin_denied", OFTEN)];
    let api = policy(&figures, "/api/");
    assert_eq!(counted(&api["preflights"]), [("allowed", OFTEN), denied[0]]);
    assert_eq!(api["preflights_answered"], 2 * OFTEN);
    assert_eq!(counted(&api["requests"]), denied);
    let strict = policy(&figures, "/strict/");
    assert_eq!(counted(&strict["requests"]), denied);
    assert_eq!(
        (&strict["enforced_denials"], &strict["dry_run_denials"]),
        (&OFTEN.into(), &0.into())
    );
    let dry = policy(&figures, "/dry/");
    assert_eq!(counted(&dry["requests"]), denied);
    assert_eq!(
        (&dry["enforced_denials"], &dry["dry_run_denials"]),
        (&0.into(), &OFTEN.into())
    );
    assert_eq!(figures_of(&figures, STRANGER), 4 * OFTEN);
    let rows: Vec<_> = figures["denied_origins"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| {
            (
                row["location"].as_str(),
                row["dry_run"].as_bool(),
                row["count"].as_u64(),
            )
        })
        .collect();
    assert_eq!(rows.len(), 3, "{rows:?}");
    for row in [
        ("/api/", false, 2 * OFTEN),
        ("/strict/", false, OFTEN),
        ("/dry/", true, OFTEN),
    ] {
        assert!(rows.contains(&(Some(row.0), Some(row.1), Some(row.2))), "{rows:?}");
    }
}

#[test]
fn strangers_who_take_turns_are_told_apart() {
    let nginx = nginx();
    let mut connection = nginx.connect();
    let strangers: Vec<String> = [2, 7, 18, 30, 80]
        .into_iter()
        .flat_map(|length| {
            let same = "a".repeat(length);
            ["xa", "ax"].map(|ends| {
                let (start, end) = ends.split_at(1);
                format!("https://{start}{same}{end}")
            })
        })
        .collect();
    // Each comes twice, and then one of the same length that has another start and end.
    for stranger in strangers
        .iter()
        .flat_map(|stranger| [stranger, stranger])
        .cycle()
        .take(60)
    {
        connection.send(&Request::get("/api/hello.txt").origin(stranger));
    }
    let figures = figures(&nginx, 60);
    for stranger in strangers {
        assert_eq!(figures_of(&figures, &stranger), 6, "{stranger}");
    }
}

#[test]
fn a_get_is_no_preflight_whatever_it_asks_for() {
    let server = "
        location /api/ {
            cors on;
            cors_allow_origin https://app.example.com;
            add_header X-Result $cors_result always;
            alias html/;
        }
        location = /status { cors_status; }";
    let nginx = Nginx::builder().http(ZONE).server(server).start();
    for (origin, result) in [
        (APP, "allowed"),
        (STRANGER, "origin_denied"),
        (STRANGER, "origin_denied"),
    ] {
        let request = Request::get("/api/hello.txt")
            .origin(origin)
            .header("Access-Control-Request-Method", "PUT")
            .header("Sec-Fetch-Site", "cross-site")
            .header("Sec-Fetch-Site", "cross-site");
        assert_eq!(nginx.send(&request).all("X-Result"), [result]);
    }
    let figures = figures(&nginx, 3);
    let api = policy(&figures, "/api/");
    assert_eq!(counted(&api["requests"]), [("allowed", 1), ("origin_denied", 2)]);
    assert_eq!(counted(&api["preflights"]), []);
}

#[test]
fn what_comes_after_the_response_changes_nothing() {
    let server = "
        location /api/ { cors on; cors_allow_origin https://app.example.com; post_action /after; alias html/; }
        location = /after { cors off; return 204; }
        location = /status { cors_status; }";
    let nginx = Nginx::builder().http(ZONE).server(server).start();
    for origin in [APP, STRANGER, STRANGER, APP] {
        nginx.send(&Request::get("/api/hello.txt").origin(origin));
    }
    let figures = figures(&nginx, 4);
    assert_eq!(
        counted(&policy(&figures, "/api/")["requests"]),
        [("allowed", 2), ("origin_denied", 2)]
    );
    assert_eq!(figures_of(&figures, STRANGER), 2);
}

#[test]
fn a_preflight_counts_by_the_status_that_the_client_got_whatever_comes_after() {
    let application = Upstream::with_headers(&[]);
    let server = "
        location /api/ {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_allow_methods PUT;
            cors_preflight pass;
            error_log logs/crit.log crit;
            post_action /after;
            alias html/;
        }
        location = /after { proxy_pass http://127.0.0.1:{port:app}; }
        location = /status { cors_status; }";
    let nginx = Nginx::builder()
        .http(ZONE)
        .port("app", application.port())
        .server(server)
        .start();
    // A file is no answer to OPTIONS.
    nginx.send(&Request::preflight("/api/hello.txt", APP, "PUT"));
    let figures = figures(&nginx, 1);
    assert_eq!(counted(&policy(&figures, "/api/")["preflights"]), [("unanswered", 1)]);
    assert_eq!(application.requests().len(), 1);
}

#[test]
fn a_policy_that_comes_after_the_response_counts_nothing() {
    let server = "
        location /plain/ { post_action /after; alias html/; access_log logs/result.log result; }
        location = /after { cors on; cors_allow_origin https://app.example.com; access_log logs/result.log result; return 204; }
        location /api/ { cors on; cors_allow_origin https://app.example.com; alias html/; }
        location = /status { cors_status; }";
    let nginx = Nginx::builder()
        .http(&format!("{ZONE} log_format result $cors_result;"))
        .server(server)
        .start();
    nginx.send(&Request::get("/plain/hello.txt").origin(APP));
    assert_eq!(nginx.log_lines("logs/result.log", 1), ["off"]);
    nginx.send(&Request::get("/api/hello.txt").origin(APP));
    figures(&nginx, 1);
}

/// A name as long as that of `Access-Control-Request-Headers`, and as hard to tell from it by nginx's hash.
fn name_like_request_headers() -> String {
    let hash = |name: &str| {
        name.bytes()
            .fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()))
    };
    let model = "access-control-request-headers";
    let names = (0..10_000).map(|number| format!("x-a-name-that-is-as-long-{number:05}"));
    let mut alike = names.filter(|name| name.len() == model.len() && hash(name) % 64 == hash(model) % 64);
    alike.next().expect("a name")
}

#[test]
fn a_preflight_that_asks_for_more_than_the_last_is_not_taken_for_it() {
    const NAMES: &str = "Access-Control-Request-Headers";
    for mode in ["answer", "early"] {
        let server = format!(
            "server_name shop.example; cors on; cors_preflight {mode}; cors_allow_origin https://app.example.com;
             cors_allow_methods PUT PATCH; cors_allow_headers X-One;
             location = /status {{ cors off; cors_status; }}"
        );
        let nginx = Nginx::builder().http(ZONE).server(&server).start();
        let preflight = |method| Request::preflight("/", APP, method);
        let allowed = [
            preflight("PUT"),
            preflight("PUT").header(NAMES, "x-one"),
            preflight("PUT"),
            preflight("PUT").header(NAMES, "x-one"),
            preflight("PATCH").header(NAMES, "x-one"),
            preflight("PATCH").header(&name_like_request_headers(), "x-one"),
        ];
        let denied = [
            preflight("PATCH").header(NAMES, "x-two"),
            preflight("PATCH").header(NAMES, "x-one").header(NAMES, "x-two"),
            preflight("PATCH")
                .header(NAMES, "x-two")
                .header(&name_like_request_headers(), "x-one"),
            preflight("PATCH")
                .header(&name_like_request_headers(), "x-one")
                .header(NAMES, "x-two"),
        ];
        for request in &allowed {
            nginx.send(request);
        }
        for request in &denied {
            for last in [preflight("PATCH").header(NAMES, "x-one"), preflight("PATCH")] {
                nginx.send(&last);
                nginx.send(request);
            }
        }
        nginx.send(&preflight("DELETE"));
        let figures = figures(&nginx, 6 + 16 + 1);
        assert_eq!(
            counted(&policy(&figures, "server")["preflights"]),
            [("allowed", 14), ("header_denied", 8), ("method_denied", 1)],
            "{mode}"
        );
    }
}

#[test]
fn an_if_counts_as_its_location_by_its_own_policy() {
    let server = "
        location /api/ {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_allow_methods PUT;
            if ($arg_open) { cors_allow_methods PUT DELETE; cors_dry_run on; }
        }
        location = /status { cors_status; }";
    let nginx = Nginx::builder().http(ZONE).server(server).start();
    for _ in 0..3 {
        nginx.send(&Request::preflight("/api/", APP, "PUT"));
        nginx.send(&Request::get("/api/?open=1").origin(STRANGER));
        nginx.send(&Request::get("/api/").origin(STRANGER));
    }
    let figures = figures(&nginx, 9);
    let api = policy(&figures, "/api/");
    assert_eq!(figures["policies"].as_array().map(Vec::len), Some(1));
    assert_eq!(counted(&api["requests"]), [("origin_denied", 6)]);
    assert_eq!((&api["dry_run"], &api["dry_run_denials"]), (&false.into(), &3.into()));
    assert_eq!(figures_of(&figures, STRANGER), 6);
}

#[test]
fn denied_origins_are_listed_with_the_reason_and_the_remedy() {
    let nginx = nginx();
    for _ in 0..20 {
        nginx.send(&Request::get("/api/hello.txt").origin(STRANGER));
    }
    for _ in 0..2 {
        nginx.send(&Request::preflight("/api/", APP, "DELETE"));
    }
    nginx.send(&Request::get("/api/hello.txt").origin("https://<img src=x onerror=alert(1)>.example"));
    let figures = figures(&nginx, 23);
    let denied = figures["denied_origins"].as_array().expect("a list");
    let seen: Vec<_> = denied
        .iter()
        .map(|one| {
            (
                one["origin"].as_str().unwrap_or_default(),
                one["count"].as_u64(),
                one["remedy"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (
                STRANGER,
                Some(20),
                Some("cors_allow_origin https://app.example.com https://stranger.example;")
            ),
            (APP, Some(2), Some("cors_allow_methods GET PUT DELETE;")),
            ("https://<img src=x onerror=alert(1)>.example", Some(1), None),
        ]
    );
    assert_eq!(denied[1]["reason"], "method \"DELETE\" is not in cors_allow_methods");
    assert_eq!(
        (&denied[0]["server"], &denied[0]["location"]),
        (&"shop.example".into(), &"/api/".into())
    );
}

#[test]
fn servers_of_one_name_are_told_apart() {
    let location = "location / { cors on; cors_allow_origin *; }";
    let nginx = Nginx::builder()
        .http(ZONE)
        .server(&format!("{location} location = /status {{ cors_status; }}"))
        .http(&format!("server {{ {{listen:other}} {location} }}"))
        .start();
    nginx.send_to("other", &Request::get("/hello.txt"));
    let figures = figures(&nginx, 1);
    let seen: Vec<_> = figures["policies"].as_array().expect("policies").iter().collect();
    assert_eq!((&seen[0]["server"], &seen[0]["total"]), (&"_".into(), &0.into()));
    assert_eq!((&seen[1]["server"], &seen[1]["total"]), (&"_#2".into(), &1.into()));
}

#[test]
fn a_reload_keeps_the_counts() {
    let mut nginx = nginx();
    nginx.send(&Request::get("/api/hello.txt").origin(APP));
    nginx.send(&Request::get("/api/hello.txt").origin(STRANGER));
    let before = figures(&nginx, 2);
    let more = "location /more/ { cors on; cors_allow_origin *; alias html/; }";
    nginx.reload_with(&format!("{ZONE} {}", server(&format!("{more} {POLICY}"))));
    let after = figures(&nginx, 2);
    assert_eq!(policy(&before, "/api/"), policy(&after, "/api/"));
    let denied = |figures: &Value| {
        let one = &figures["denied_origins"][0];
        (one["origin"].clone(), one["count"].clone(), one["last"].clone())
    };
    assert_eq!(denied(&after), denied(&before));
    nginx.send(&Request::get("/more/hello.txt"));
    assert_eq!(policy(&figures(&nginx, 3), "/more/")["total"], 1);
    assert!(!nginx.error_log().contains("afresh"));
}

#[test]
fn another_size_starts_afresh_and_says_so() {
    let mut nginx = nginx();
    nginx.send(&Request::get("/api/hello.txt").origin(APP));
    figures(&nginx, 1);
    nginx.reload_with(&format!("cors_zone cors:128k; {}", server(POLICY)));
    figures(&nginx, 0);
    let log = nginx.error_log();
    assert!(
        log.contains("[notice]") && log.contains("cors zone \"cors\" starts afresh: its size was 65536, and is 131072"),
        "{log}"
    );
}

#[test]
fn another_build_of_the_module_starts_afresh_and_says_so() {
    let mut nginx = nginx();
    nginx.send(&Request::get("/api/hello.txt").origin(APP));
    figures(&nginx, 1);
    nginx.reload_with_other_module(&format!("{ZONE} {}", server(POLICY)));
    figures(&nginx, 0);
    let log = nginx.error_log();
    assert!(
        log.contains("[notice]")
            && log.contains("cors zone \"cors\" starts afresh: it was that of another build of the module"),
        "{log}"
    );
}

/// Sends `count` requests on one connection, several at a time.
fn load(port: u16, count: usize) {
    const AT_ONCE: usize = 50;
    let origins = [APP, STRANGER];
    let mut connection = harness::Connection::open(port);
    for round in 0..count / AT_ONCE {
        let requests: Vec<_> = (0..AT_ONCE)
            .map(|number| Request::get("/api/hello.txt").origin(origins[(round + number) % 2]))
            .collect();
        connection.write(requests.iter().flat_map(Request::to_bytes).collect::<Vec<u8>>());
        for request in &requests {
            assert_eq!(connection.read_response_to(request).status, 200);
        }
    }
}

#[test]
fn four_workers_lose_no_request() {
    let count = if harness::is_watched() { 4_000 } else { 100_000 };
    let nginx = Nginx::builder()
        .workers(4)
        .http(&format!("{ZONE} access_log off; keepalive_requests 1000000;"))
        .server(POLICY)
        .start();
    let port = nginx.port();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| load(port, count / 8));
        }
    });
    let figures = figures(&nginx, count as u64);
    let half = count as u64 / 2;
    assert_eq!(
        counted(&policy(&figures, "/api/")["requests"]),
        [("allowed", half), ("origin_denied", half)]
    );
    assert_eq!(figures["denied_origins"][0]["count"], half);
}

#[test]
fn a_killed_worker_leaves_the_counts_as_they_are() {
    let mut nginx = Nginx::builder()
        .workers(2)
        .http(&format!("{ZONE} access_log off; keepalive_requests 1000000;"))
        .server(POLICY)
        .start();
    load(nginx.port(), 1000);
    let before = figures(&nginx, 1000);
    let port = nginx.port();
    let answered = thread::scope(|scope| {
        let client = |_| {
            scope.spawn(move || {
                let mut connection = harness::Connection::open(port);
                let request = Request::get("/api/hello.txt").origin(STRANGER);
                let mut answered = 0_u64;
                while connection.try_send(&request).is_some() && answered < 20_000 {
                    answered += 1;
                }
                answered
            })
        };
        let clients: Vec<_> = (0..8).map(client).collect();
        nginx.kill_workers();
        clients
            .into_iter()
            .map(|client| client.join().expect("a client"))
            .sum::<u64>()
    });
    load(nginx.port(), 100);
    let read = || -> Value { serde_json::from_str(nginx.send(&Request::get("/status")).text()).expect("JSON") };
    let total = |figures: &Value| policy(figures, "/api/")["total"].as_u64().expect("a number");
    // Each client had one request on its way at most, and one that was answered, but not counted yet.
    let expected = 1100 + answered;
    let after = harness::poll(|| Some(read()).filter(|figures| total(figures) + 8 >= expected)).expect("all figures");
    assert!(total(&after) <= expected + 8, "{answered} {after:#}");
    assert!(total(&before) < total(&after));
    let requests = policy(&after, "/api/")["requests"].as_object().expect("counts");
    let denied = requests["origin_denied"].as_u64().expect("a number");
    // A worker may have counted the request, and not its origin yet, or the other way round.
    assert!(figures_of(&after, STRANGER).abs_diff(denied) <= 2, "{after:#}");
}

fn figures_of(figures: &Value, origin: &str) -> u64 {
    let denied = figures["denied_origins"].as_array().expect("a list").iter();
    denied
        .filter(|one| one["origin"] == origin)
        .filter_map(|one| one["count"].as_u64())
        .sum()
}

#[test]
fn a_zone_that_cannot_be_is_refused() {
    let check = |http: &str| Nginx::builder().http(http).server(POLICY).check();
    for (zone, why) in [
        (
            "cors_zone;",
            "\"cors_zone\" has the value \"\": it takes one value; write a name and a size, such as \"cors:256k\"",
        ),
        ("cors_zone cors;", "a name, a colon and a size are expected"),
        ("cors_zone :64k;", "a name, a colon and a size are expected"),
        ("cors_zone cors:64x;", "\"64x\" is no size"),
        ("cors_zone cors:8k;", "it is too small; write \"cors:"),
        ("cors_zone one:64k two:64k;", "it takes one value"),
    ] {
        let refusal = check(zone);
        let message = refusal.error_at(zone);
        assert!(
            message.contains("\"cors_zone\" has the value") && message.contains(why),
            "{message}"
        );
    }
    let twice = check("cors_zone cors:64k;\ncors_zone other:64k;");
    let message = twice.error_at("other:64k");
    assert!(
        message.contains("\"cors_zone\" directive is duplicate: it stands at"),
        "{message}"
    );
}

#[test]
fn a_zone_with_too_little_room_says_how_much_it_takes() {
    let location = |number: usize| format!("location /{number}/ {{ cors on; cors_allow_origin *; }}");
    let locations: String = (0..300).map(location).collect();
    let check = Nginx::builder().http("cors_zone cors:32k;").server(&locations).check();
    let message = check.error_at("cors_zone").to_owned();
    assert!(
        message.contains("\"cors:32k\": it is too small for 300 policies; write \"cors:"),
        "{message}"
    );
    let enough = message
        .split("write \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a remedy");
    let nginx = Nginx::builder()
        .http(&format!("cors_zone {enough};"))
        .server(&locations)
        .start();
    nginx.send(&Request::get("/299/"));
}

/// nginx unmaps the zone of a configuration that it has replaced, and with `master_process off` goes on in the same
/// process: a connection that is kept still belongs to the old configuration.
#[test]
fn an_old_configuration_leaves_the_memory_alone_that_it_has_lost() {
    let with = |zone: &str| {
        format!(
            "access_log off; {zone} {}",
            server("location / { cors on; cors_allow_origin https://app.example.com; }")
        )
    };
    for zone in ["cors_zone cors:128k;", "cors_zone other:64k;"] {
        let mut nginx = Nginx::builder().single_process().http(&with(ZONE)).start();
        let mut kept = nginx.connect();
        let request = Request::get("/hello.txt").origin(STRANGER);
        assert_eq!(kept.send(&request).status, 200);
        nginx.reload_single_process(&with(zone));
        for _ in 0..3 {
            assert_eq!(kept.send(&request).status, 200, "{zone}");
        }
    }
}

#[test]
fn a_reload_that_fails_takes_no_counters_from_those_that_are_running() {
    // As many policies as have room, under other names in each configuration.
    const POLICIES: usize = 200;
    let http = |prefix: &str, listen: &str| {
        let locations: String = (0..POLICIES)
            .map(|number| {
                format!("location /{prefix}{number}/ {{ cors on; cors_allow_origin https://app.example.com; }}")
            })
            .collect();
        format!(
            "cors_zone cors:116k; {} server {{ {listen} }}",
            server(&format!("{locations} location = /status {{ cors_status; }}"))
        )
    };
    let mut nginx = Nginx::builder().http(&http("a", "{listen:other}")).start();
    let count_all = |nginx: &Nginx| {
        let mut connection = nginx.connect();
        for number in 0..POLICIES {
            connection.send(&Request::get(&format!("/a{number}/")).origin(APP));
        }
    };
    count_all(&nginx);
    figures(&nginx, POLICIES as u64);
    // The sockets are opened after the memory.
    let refusal = nginx.reload_refused(&http("b", "listen unix:no/such/directory/socket;"));
    assert!(refusal.contains("bind()"), "{refusal}");
    count_all(&nginx);
    figures(&nginx, 2 * POLICIES as u64);
}
