//! `cors_status?try=1`: what it says is what the line that it names gets, or it says what may give another response.

use std::collections::BTreeMap;
use std::process::Command;

use harness::{Nginx, Request, Upstream};
use serde_json::{json, Value};

use crate::{APP, STRANGER};

const HTTP: &str = "
    cors_zone cors:128k;
    map $http_origin $by_origin { https://app.example.com $http_origin; }
    map $host $by_host { early.example https://app.example.com; }
    server {
        {listen}
        cors_allow_origin https://app.example.com;
        cors_allow_methods PUT;
        cors_allow_headers X-One;
        location /listed/ { cors on; cors_max_age 1h; cors_expose_headers X-Total; alias html/; }
        location = /exact { cors on; alias html/hello.txt; }
        location ^~ /preferred/ { cors on; cors_allow_origin *; alias html/; }
        location /cookies/ { cors on; cors_allow_credentials on; cors_allow_headers *; alias html/; }
        location /enforced/ { cors on; cors_enforce on; alias html/; }
        location /status200/ { cors on; cors_preflight_status 200; alias html/; }
        location /mapped/ { cors on; cors_allow_origin $by_origin; alias html/; }
        location /early/ { cors on; cors_preflight early; return 418; }
        location /idiom/ { cors on; cors_preflight early; if ($request_method = OPTIONS) { return 418; } alias html/; }
        location /leads/ { cors on; rewrite ^ /without last; }
        location /without { alias html/hello.txt; }

        location /returns/ { cors on; return 418; }
        location /rewritten/ { cors on; rewrite ^ /narrow/ last; }
        location /narrow/ { cors on; cors_allow_origin https://narrow.example; alias html/; }
        location /passed/ { cors on; cors_preflight pass; alias html/; }
        location /kept/ { cors on; cors_override off; proxy_pass http://127.0.0.1:{port:app}/; }
        location ~ ^/regex/ { cors on; return 204; }

        location /set/ { set $list https://app.example.com; cors on; cors_allow_origin $list; alias html/; }
        location /asked/ {
            cors on;
            cors_preflight pass;
            cors_allow_origin $granted;
            auth_request /guard;
            auth_request_set $granted $upstream_http_x_allow;
            alias html/;
        }
        location /upstream/ {
            cors on;
            cors_preflight pass;
            cors_allow_origin $upstream_http_x_allow;
            proxy_pass http://127.0.0.1:{port:app}/;
        }
        location /host/ { cors on; cors_allow_origin $by_host; alias html/; }
        location = /guard { internal; proxy_pass http://127.0.0.1:{port:app}/; }
        location /status { cors_status; }
    }
    server {
        {listen}
        server_name early.example;
        cors on;
        cors_allow_origin https://app.example.com;
        cors_preflight early;
        location / { return 418; }
        location /other/ { cors_allow_origin https://stranger.example; cors_allow_methods PUT; alias html/; }
        location /off/ { cors off; alias html/; }
    }
    server {
        {listen}
        server_name set.example;
        set $list https://app.example.com;
        cors on;
        cors_allow_origin $list;
        cors_allow_methods PUT;
        cors_preflight early;
        location / { cors_expose_headers X-Total; alias html/; }
    }";

const UNNAMED: &str = "_";

struct Tried {
    nginx: Nginx,
    _application: Upstream,
}

fn start() -> Tried {
    let application = Upstream::with_headers(&[
        "X-Allow: https://app.example.com",
        "Access-Control-Allow-Origin: https://old.example",
    ]);
    Tried {
        nginx: Nginx::builder().port("app", application.port()).http(HTTP).start(),
        _application: application,
    }
}

/// The status, if it is told, and the `Access-Control-` headers.
type Answer = (Option<u64>, BTreeMap<String, String>);

fn is_access_control(name: &str) -> bool {
    name.to_ascii_lowercase().starts_with("access-control-")
}

/// What a part of `try`'s answer says.
fn said(part: &Value) -> Answer {
    let headers = part["headers"].as_array().expect("headers").iter();
    let pair = |pair: &Value| {
        let [name, value] = [&pair[0], &pair[1]].map(|text| text.as_str().expect("text").to_owned());
        (name, value)
    };
    let headers = headers.map(pair).filter(|(name, _)| is_access_control(name));
    (part["status"].as_u64(), headers.collect())
}

/// What the line of a part of `try`'s answer gets.
fn got(part: &Value) -> Answer {
    let line = part["curl"].as_str().expect("a line");
    let output = Command::new("sh")
        .args(["-c", &format!("{line} --silent --show-error --max-time 20")])
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{line}: {output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = lines.take_while(|line| !line.is_empty());
    let headers = headers.filter_map(|line| line.split_once(": "));
    let headers = headers.filter(|(name, _)| is_access_control(name));
    (
        status,
        headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    )
}

impl Tried {
    fn ask(&self, server: &str, location: &str, query: &str) -> Value {
        let location = location.replace(' ', "+");
        let query = format!("/status?try=1&server={server}&location={location}&{query}");
        serde_json::from_str(self.nginx.send(&Request::get(&query)).text()).expect("JSON")
    }

    /// Asks about a few requests, and gives each part of each answer to `look` with its query.
    fn ask_all(&self, server: &str, location: &str, mut look: impl FnMut(&Value, &Value, &str)) {
        for origin in [APP, STRANGER] {
            for more in [
                "method=GET",
                "method=put",
                "method=PUT&headers=X-One,x-two",
                "method=DELETE",
            ] {
                let query = format!("origin={origin}&{more}");
                let answer = self.ask(server, location, &query);
                for part in [&answer["preflight"], &answer["request"]] {
                    if !part.is_null() {
                        look(&answer, part, &query);
                    }
                }
            }
        }
    }
}

/// Fails unless a part of an answer is what its line gets.
#[track_caller]
fn assert_agrees(part: &Value, query: &str) {
    let (said, got) = (said(part), got(part));
    assert_eq!(said.1, got.1, "{query}: {part:#}");
    // Whose status it is, where the module does not choose it, nobody has said.
    assert!(said.0.is_none() || said.0 == got.0, "{query}: {got:?}, not {part:#}");
}

#[test]
fn it_says_what_requests_get() {
    let tried = start();
    for (server, location) in [
        (UNNAMED, "/listed/"),
        (UNNAMED, "= /exact"),
        (UNNAMED, "^~ /preferred/"),
        (UNNAMED, "/cookies/"),
        (UNNAMED, "/enforced/"),
        (UNNAMED, "/status200/"),
        (UNNAMED, "/mapped/"),
        (UNNAMED, "/early/"),
        (UNNAMED, "/idiom/"),
        (UNNAMED, "/leads/"),
        ("early.example", "/"),
        ("early.example", "/other/"),
        ("early.example", "server"),
    ] {
        let mut seen = 0;
        tried.ask_all(server, location, |answer, part, query| {
            assert_eq!(answer.get("unknown_variables"), None, "{answer:#}");
            assert_agrees(part, &format!("{server} {location} {query}"));
            seen += 1;
        });
        assert!(seen > 8, "{seen}");
    }
}

#[test]
fn the_policy_of_an_early_server_answers_for_its_locations() {
    let tried = start();
    let answer = tried.ask("early.example", "/other/", "origin=https://stranger.example&method=PUT");
    let preflight = &answer["preflight"];
    assert_eq!(
        (&preflight["location"], &preflight["status"], &preflight["not_run"]),
        (&json!("server"), &json!(403), &json!([]))
    );
    assert_eq!(answer["request"]["location"], "/other/");
    assert_eq!(answer["allowed"], false, "{answer:#}");
    // Its own policy, outside of its locations.
    let answer = tried.ask("early.example", "server", "origin=https://app.example.com&method=PUT");
    assert_eq!(answer["preflight"]["not_run"], json!([]), "{answer:#}");
}

#[test]
fn before_set_a_variable_is_known_to_be_empty() {
    let tried = start();
    let answer = tried.ask("set.example", "/", &format!("origin={APP}&method=PUT"));
    let preflight = &answer["preflight"];
    assert_eq!(preflight["status"], 403, "{answer:#}");
    assert_agrees(preflight, "set.example");
    // The request itself comes after `set`.
    assert_eq!(answer["unknown_variables"], json!(["$list"]), "{answer:#}");
    assert!(got(&answer["request"]).1.contains_key("Access-Control-Allow-Origin"));
}

#[test]
fn it_says_what_it_does_not_run() {
    const LOCATION: &str = "return, rewrite, if and set of the location";
    let tried = start();
    for (location, part, not_run) in [
        ("/returns/", "preflight", LOCATION),
        ("/rewritten/", "preflight", LOCATION),
        ("/rewritten/", "request", LOCATION),
        ("/kept/", "request", "the application"),
    ] {
        let answer = tried.ask(UNNAMED, location, &format!("origin={APP}&method=PUT"));
        let part = &answer[part];
        let (said, got) = (said(part), got(part));
        assert!(
            (said.0.is_some() && said.0 != got.0) || said.1 != got.1,
            "{location} agrees: {got:?}"
        );
        let named = part["not_run"].as_array().expect("a list");
        assert!(named.contains(&json!(not_run)), "{location}: {part:#}");
    }
}

#[test]
fn under_pass_the_application_answers() {
    let tried = start();
    let answer = tried.ask(UNNAMED, "/passed/", &format!("origin={APP}&method=PUT"));
    let preflight = &answer["preflight"];
    assert_eq!(
        (&preflight["status"], &answer["allowed"]),
        (&Value::Null, &json!(false))
    );
    for not_run in ["authentication", "the application"] {
        assert!(
            preflight["not_run"]
                .as_array()
                .expect("a list")
                .contains(&json!(not_run)),
            "{preflight:#}"
        );
    }
    assert_agrees(preflight, "/passed/");
    // Here it knows no OPTIONS.
    assert_eq!(got(preflight).0, Some(405));
}

#[test]
fn it_says_which_variables_only_a_request_has() {
    let tried = start();
    for (location, variable) in [
        ("/set/", "$list"),
        ("/asked/", "$granted"),
        ("/upstream/", "$upstream_http_x_allow"),
    ] {
        let answer = tried.ask(UNNAMED, location, &format!("origin={APP}"));
        assert_eq!(answer["unknown_variables"], json!([variable]), "{location}: {answer:#}");
        let (said, got) = (said(&answer["request"]), got(&answer["request"]));
        assert_ne!(said.1, got.1, "{location}");
    }
}

/// Those of the request itself are those of the request for the status location: here its host is another one.
#[test]
fn it_shows_the_values_that_variables_have_here() {
    let tried = start();
    let answer = tried.ask(UNNAMED, "/host/", &format!("origin={APP}"));
    assert_eq!(answer["variables"]["$host"], "localhost", "{answer:#}");
    assert_eq!(answer["variables"]["$by_host"], "");
    assert_eq!(answer.get("unknown_variables"), None);
    let answer = tried.ask(UNNAMED, "/listed/", &format!("origin={APP}"));
    assert_eq!(answer.get("variables"), None, "{answer:#}");
}

#[test]
fn where_no_path_leads_there_is_no_line() {
    let tried = start();
    let answer = tried.ask(UNNAMED, "~ ^/regex/", &format!("origin={APP}&method=PUT"));
    assert_eq!(answer["location"], "~ ^/regex/", "{answer:#}");
    for part in ["preflight", "request"] {
        assert_eq!(answer[part]["curl"], Value::Null, "{answer:#}");
    }
}
