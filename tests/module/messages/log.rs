//! What the module writes to the error log while nginx runs.

use harness::{Nginx, Request};

use crate::{APP, STRANGER};

/// A line, without what nginx puts around it.
pub struct Line {
    pub level: String,
    pub text: String,
    pub why: &'static str,
    pub remedy: &'static str,
}

/// A request, and what it leaves in the log.
struct Case {
    location: &'static str,
    request: fn() -> Request,
    why: &'static str,
    remedy: &'static str,
}

const POLICY: &str = "cors on; cors_allow_origin https://app.example.com;";

const NOT_LISTED: &str = "The response has no headers of CORS, or the preflight is answered with 403.";
const LISTS: &str = "The answer has the lists, and the browser does not send the request.";
const NO_BROWSER: &str = "A program has sent the request, or something in between has changed it.";
const IGNORED: &str =
    "The value of the variable allows nobody in this request. Each text is told of once by each worker.";

const CANDIDATE: &str = "It would be so with `cors_candidate` in force; nothing has become of it.";
const UNANSWERED: &str = "No browser takes the answer for leave, and no request follows.";

const CASES: [Case; 18] = [
    Case {
        location: POLICY,
        request: || Request::get("/").origin(STRANGER),
        why: NOT_LISTED,
        remedy: "Add the origin to `cors_allow_origin`, if it is yours.",
    },
    Case {
        location: "cors on;",
        request: || Request::get("/").origin(STRANGER),
        why: NOT_LISTED,
        remedy: "Write `cors_allow_origin`.",
    },
    Case {
        location: POLICY,
        request: || Request::preflight("/", APP, "DELETE"),
        why: LISTS,
        remedy: "Add the method to `cors_allow_methods`.",
    },
    Case {
        location: POLICY,
        request: || Request::preflight("/", APP, "GET").header("Access-Control-Request-Headers", "x-api-key"),
        why: LISTS,
        remedy: "Add the name to `cors_allow_headers`.",
    },
    Case {
        location: POLICY,
        request: || Request::preflight("/", APP, "GET").header("Access-Control-Request-Headers", "x:y"),
        why: NO_BROWSER,
        remedy: "—",
    },
    Case {
        location: POLICY,
        request: || Request::get("/").origin("app.example.com"),
        why: NO_BROWSER,
        remedy: "—",
    },
    Case {
        location: POLICY,
        request: || Request::get("/").origin(APP).origin(APP),
        why: NO_BROWSER,
        remedy: "—",
    },
    Case {
        location: "cors on; cors_dry_run on; cors_allow_origin https://app.example.com;",
        request: || Request::get("/").origin(STRANGER),
        why: "With `cors_dry_run on`, nothing has become of it.",
        remedy: "As above.",
    },
    Case {
        location: "cors on; cors_allow_origin $arg_list;",
        request: || Request::get("/?list=app.example.com").origin(APP),
        why: IGNORED,
        remedy: "Have the variable hold origins as browsers send them.",
    },
    Case {
        location: "cors on; cors_allow_origin $http_x_list;",
        request: || Request::get("/").origin(APP).header("X-List", b"https://a.example\x01"),
        why: IGNORED,
        remedy: "Have the variable hold origins as browsers send them.",
    },
    Case {
        location: "cors on; cors_allow_origin $arg_list;",
        request: || Request::get("/?list=~https://a").origin(APP),
        why: IGNORED,
        remedy: "Have a `map` compare the origin, and yield it.",
    },
    Case {
        location: "cors on; cors_allow_origin https://app.example.com; return 301 /other;",
        request: || Request::preflight("/", APP, "GET"),
        why: UNANSWERED,
        remedy: "Write `cors_preflight early`.",
    },
    Case {
        location: "cors on; cors_allow_origin https://app.example.com; cors_preflight pass;",
        request: || Request::preflight("/", APP, "GET"),
        why: UNANSWERED,
        remedy: "Write `cors_preflight answer`, or have the application answer.",
    },
    Case {
        location: "} location /api/ { cors on; cors_allow_origin https://app.example.com; cors_preflight early; proxy_pass http://127.0.0.1:1;",
        request: || Request::preflight("/api", APP, "GET"),
        why: UNANSWERED,
        remedy: "Write `cors_preflight early` in the server.",
    },
    Case {
        location: "cors on; cors_allow_origin https://app.example.com; cors_candidate { cors_allow_origin https://new.example.com; }",
        request: || Request::get("/").origin(APP),
        why: CANDIDATE,
        remedy: "Add to the candidate what is missing there.",
    },
    Case {
        location: "cors on; cors_allow_origin https://app.example.com; cors_candidate { cors_allow_methods PUT; }",
        request: || Request::preflight("/", APP, "PUT"),
        why: CANDIDATE,
        remedy: "Take from the candidate what it should not allow.",
    },
    Case {
        location: "cors on; cors_allow_origin https://app.example.com; cors_candidate { cors_allow_credentials on; }",
        request: || Request::get("/").origin(APP),
        why: CANDIDATE,
        remedy: "Name the origins that are to have credentials.",
    },
    Case {
        location: "cors on; cors_allow_origin https://app.example.com; cors_allow_credentials on; cors_candidate { cors_allow_credentials off; }",
        request: || Request::get("/").origin(APP),
        why: CANDIDATE,
        remedy: "Name the origin in `cors_allow_credentials` of the candidate.",
    },
];

/// What a request leaves in the log.
fn lines_of(case: &Case) -> Vec<Line> {
    let nginx = Nginx::server(&format!("location / {{ {} }}", case.location));
    nginx.send(&(case.request)());
    lines(&nginx.error_log(), case.why, case.remedy)
}

fn lines(log: &str, why: &'static str, remedy: &'static str) -> Vec<Line> {
    let lines = log.lines().filter_map(|line| {
        let (_, behind) = line.split_once(" [")?;
        let (level, behind) = behind.split_once("] ")?;
        let text = &behind[behind.find("cors")?..];
        let text = text.split_once(", client: ").map_or(text, |(text, _)| text);
        let text = text.split_once(" while ").map_or(text, |(text, _)| text);
        let kinds = [
            "cors denied",
            "cors unanswered",
            "cors candidate ",
            "cors: ",
            "cors zone ",
            "cors_origin_list \"",
        ];
        kinds.iter().any(|kind| text.starts_with(kind)).then(|| Line {
            level: level.to_owned(),
            text: text.to_owned(),
            why,
            remedy,
        })
    });
    lines.collect()
}

/// A variable that yields an origin without TLS, beside credentials.
fn insecure_value() -> Vec<Line> {
    let nginx = Nginx::builder()
        .http("map $host $list { default http://app.example.com; }")
        .server("location / { cors on; cors_allow_origin $list; cors_allow_credentials on; }")
        .start();
    nginx.send(&Request::get("/").origin("http://app.example.com"));
    lines(
        &nginx.error_log(),
        IGNORED,
        "Have the variable hold `https://`, or write `cors_unsafe insecure_origins`; for `null`, `cors_unsafe null_origin`.",
    )
}

/// A client that invents more kinds of denials than a worker remembers.
fn invented_kinds() -> Vec<Line> {
    let nginx = Nginx::server(&format!(
        "error_log logs/error.log error; keepalive_requests 10000; location / {{ {POLICY} }}"
    ));
    let mut connection = nginx.connect();
    for number in 0..1000 {
        connection.send(&Request::get("/").origin(format!("https://{number}.example")));
    }
    let log = nginx.error_log();
    let overflow: Vec<_> = log.lines().filter(|line| line.contains("too many kinds")).collect();
    lines(
        &overflow.join("\n"),
        "A client invents origins or header names. A worker remembers 256 kinds, and logs no more in a minute, so that no client fills the disk.",
        "Look at the page of `cors_status`, or write `error_log ... info` for a while.",
    )
}

/// A zone that is laid out anew.
fn new_zones() -> Vec<Line> {
    let server = |size: &str| format!("cors_zone cors:{size};\nserver {{ {{listen}} }}");
    let mut nginx = Nginx::builder().http(&server("64k")).start();
    nginx.reload_with(&server("128k"));
    nginx.reload_with_other_module(&server("128k"));
    lines(&nginx.error_log(), "Counting begins anew.", "—")
}

const LIST: &str = "The list that was there is served on. It is logged once for each version of the file.";

/// What is said of a list as its file changes.
fn lists_as_files_change() -> Vec<Line> {
    let many: String = (0..20_000)
        .map(|n| format!("https://tenant-{n}.example.com\n"))
        .collect();
    let states = [
        (
            "http://b.example http://c.example".to_owned(),
            "\"cors_allow_origin\" ignores",
            "The list is served. Of its entries those are ignored of which a line says so.",
            "Write `https://` in the file, or `cors_unsafe` where the list is used.",
        ),
        (
            "# nobody".to_owned(),
            "it is a list of nobody",
            "The file holds no entry.",
            "—",
        ),
        ("wrong\n".repeat(11), "further faults in", LIST, "Put the file right."),
        (
            many,
            "does not fit into",
            LIST,
            "Write a larger `size`, and reload nginx.",
        ),
    ];
    let nginx = Nginx::builder()
        .http("cors_origin_list tenants tenants.txt check=10ms size=64k;")
        .file("conf/tenants.txt", "")
        .server("location / { cors on; cors_allow_origin @tenants; cors_allow_credentials on; }")
        .start();
    let file = nginx.prefix().join("conf/tenants.txt");
    let mut found = lines(&nginx.error_log(), "It allows nobody.", "—");
    let mut take = |expected: &str, why, remedy| {
        let is_there = harness::poll(|| nginx.error_log().contains(expected).then_some(()));
        assert!(is_there.is_some(), "{expected}: {}", nginx.error_log());
        let known = found.len();
        found.extend(lines(&nginx.error_log(), why, remedy).split_off(known));
    };
    for (content, expected, why, remedy) in states {
        std::fs::write(&file, content).expect("a file");
        take(expected, why, remedy);
    }
    std::fs::remove_file(&file).expect("a file");
    take(
        "No such file",
        LIST,
        "Put the file back. The workers have to be able to read it.",
    );
    std::fs::write(&file, "# nobody").expect("a file");
    take(
        "nothing has changed",
        "The file was touched, or written anew as it was.",
        "—",
    );
    for line in &mut found {
        let prefix = format!("{}/conf/", nginx.prefix().display());
        line.text = line.text.replace(&prefix, "/etc/nginx/");
    }
    found
}

/// All of them.
pub fn all() -> Vec<Line> {
    let cases = CASES.iter().flat_map(lines_of);
    cases
        .chain(insecure_value())
        .chain(invented_kinds())
        .chain(new_zones())
        .chain(lists_as_files_change())
        .collect()
}
