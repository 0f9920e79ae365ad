//! `cors_status`: the figures in three forms, and an answer to "what if?".

use harness::{Nginx, Request, Response};
use serde_json::Value;

use crate::{assert_status, APP, STRANGER};

const SERVER: &str = "
    location /api/ { cors on; cors_allow_origin https://app.example.com; cors_allow_headers X-One; alias html/; }
    location /empty/ { cors on; alias html/; }
    location /mapped/ { cors on; cors_allow_origin $mapped; cors_allow_credentials on; alias html/; }
    location /page { cors_status html; }
    location /metrics { cors_status prometheus; }
    location /json { cors_status json; }
    location /status { cors_status; }";
const HTTP: &str = "
    cors_zone cors:64k;
    map $http_origin $mapped { https://mapped.example $http_origin; }";

fn nginx() -> Nginx {
    Nginx::builder().http(HTTP).server(SERVER).start()
}

#[track_caller]
fn json(response: &Response) -> Value {
    serde_json::from_str(response.text()).expect("JSON")
}

#[test]
fn a_client_gets_what_it_likes_best() {
    let nginx = nginx();
    for (accept, content_type) in [
        ("text/html,*/*;q=0.8", "text/html; charset=utf-8"),
        (
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "text/plain; version=0.0.4; charset=utf-8",
        ),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
    ] {
        let response = nginx.send(&Request::get("/status").header("Accept", accept));
        assert_status(&response, 200);
        assert_eq!(response.only("Content-Type"), content_type);
        assert_eq!(response.only("Cache-Control"), "no-store");
        assert_eq!(response.only("Vary"), "Accept");
    }
    for (path, content_type) in [
        ("/page", "text/html"),
        ("/metrics", "text/plain"),
        ("/json", "application/json"),
    ] {
        let response = nginx.send(&Request::get(path).header("Accept", "image/png"));
        assert!(response.only("Content-Type").starts_with(content_type), "{response}");
        assert!(response.get("Vary").is_none(), "{response}");
    }
    assert_eq!(
        json(&nginx.send(&Request::get("/page?format=json")))["zone"]["name"],
        "cors"
    );
}

#[test]
fn it_is_read_and_nothing_else() {
    let nginx = nginx();
    let head = nginx.send(&Request::head("/status"));
    assert_status(&head, 200);
    assert!(head.body.is_empty());
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let response = nginx.send(&Request::new(method, "/status").body("x"));
        assert_status(&response, 405);
        assert_eq!(response.only("Allow"), "GET, HEAD");
    }
    let mut connection = nginx.connect();
    for _ in 0..2 {
        assert_status(&connection.send(&Request::get("/status").body("a body")), 200);
    }
}

#[test]
fn the_page_may_do_little() {
    let response = nginx().send(&Request::get("/page"));
    let policy = response.only("Content-Security-Policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for elsewhere in ["http:", "https:", "src=\"", "@import"] {
        let text = response
            .text()
            .replace("http://www.w3.org/2000/svg", "")
            .replace("https://app.example.com", "");
        assert!(!text.contains(elsewhere), "{elsewhere}");
    }
}

#[test]
fn the_page_has_its_figures_when_it_is_sent() {
    let nginx = nginx();
    let mut connection = nginx.connect();
    for origin in [APP, STRANGER, "https://<script>alert(1)</script>&\"'.example"] {
        connection.send(&Request::get("/api/hello.txt").origin(origin));
    }
    let page = connection.send(&Request::get("/page")).text().to_owned();
    assert!(page.contains("data-live=\"total\">3</b>"), "{page}");
    assert!(page.contains("data-live=\"share\">66.7 %</b>"), "{page}");
    assert!(page.contains(&format!(">{STRANGER}</th>")), "{page}");
    assert!(
        page.contains(">https://&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;.example</th>"),
        "{page}"
    );
    assert!(!page.contains("<script>alert"), "{page}");
}

#[test]
fn a_policy_can_be_asked() {
    let nginx = nginx();
    let ask = |query: &str| json(&nginx.send(&Request::get(&format!("/status?try=1&{query}"))));
    let allowed = ask("location=/api/&origin=https://app.example.com&method=POST&headers=X-One");
    assert_eq!(allowed["allowed"], true, "{allowed:#}");
    assert_eq!(allowed["preflight"]["status"], 204);
    assert_eq!(allowed["request"]["headers"][0][1], APP);

    let denied = ask("location=/api/&origin=https://stranger.example");
    assert_eq!(denied["allowed"], false);
    assert_eq!(
        denied["remedy"],
        "cors_allow_origin https://app.example.com https://stranger.example;"
    );
    let advice = denied["advice"].as_str().unwrap_or_default();
    assert!(advice.starts_with("it takes the place of \"cors_allow_origin\" at ") && advice.contains("nginx.conf:"));
    assert_eq!(denied["preflight"], Value::Null);

    let unlisted = ask("location=/empty/&origin=https://app.example.com");
    assert_eq!(unlisted["remedy"], "cors_allow_origin https://app.example.com;");

    let header = ask("location=/api/&origin=https://app.example.com&headers=X-Two");
    assert_eq!(
        (&header["allowed"], &header["preflight"]["result"]),
        (&false.into(), &"header_denied".into())
    );
    let credentials = ask("location=/api/&origin=https://app.example.com&credentials=1");
    assert_eq!(
        credentials["remedy"], "cors_allow_credentials https://app.example.com;",
        "{credentials:#}"
    );

    let nowhere = nginx.send(&Request::get("/status?try=1&location=/nowhere"));
    assert_status(&nowhere, 400);
    assert!(json(&nowhere)["error"].is_string());
}

/// The variables have the values that they would have for the request that is tried, and afterwards their own again.
#[test]
fn a_variable_is_worked_out_for_the_origin_that_is_tried() {
    let nginx = Nginx::builder()
        .http(HTTP)
        .http("log_format seen '$mapped|$http_origin|$http_sec_fetch_mode';")
        .server(&format!(
            "access_log logs/seen.log seen; if ($mapped) {{ set $x 1; }} {SERVER}"
        ))
        .start();
    let ask = |origin: &str| {
        let query = format!("/status?try=1&location=/mapped/&origin={origin}&credentials=1");
        let request = Request::get(&query).origin(STRANGER).header("Sec-Fetch-Mode", "cors");
        json(&nginx.send(&request))["allowed"].clone()
    };
    assert_eq!(ask("https://mapped.example"), true);
    assert_eq!(ask("https://stranger.example"), false);
    for line in nginx.log_lines("logs/seen.log", 2) {
        assert_eq!(line, "|https://stranger.example|cors");
    }
}

#[test]
fn what_cannot_be_shown_is_refused() {
    let check = |zone: &str, status: &str| {
        Nginx::builder()
            .http(zone)
            .server(&format!("location /s {{\n{status}\n}}"))
            .check()
    };
    for (zone, status, why) in [
        ("cors_zone c:64k;", "cors_status xml;", "\"cors_status\" has the value \"xml\": there is no such format; write \"json\", \"prometheus\" or \"html\""),
        ("cors_zone c:64k;", "cors_status json;\ncors_status html;", "\"cors_status\" directive is duplicate; remove one"),
        ("cors_zone c:64k;", "cors_status json html;", "\"json html\": it takes one value"),
        ("", "cors_status;", "\"cors_status\" has nothing to show: \"cors_zone\" is missing; write \"cors_zone cors:256k;\" in http"),
    ] {
        let refusal = check(zone, status);
        let last = status.lines().last().unwrap_or_default();
        let message = refusal.error_at(last);
        assert!(message.contains(why), "{message}");
    }
}

/// The body of a subrequest is a part of another: whoever takes it for the last part ends that in the middle, and the rest
/// is read as the next response.
#[test]
fn in_a_subrequest_it_is_a_part_of_the_page() {
    let start = |listen: &str| {
        let server = format!(
            "server {{
                {listen}
                location /api/ {{ cors on; cors_allow_origin https://app.example.com; alias html/; }}
                location = /json {{ cors_status json; }}
                location = /page {{ ssi on; default_type text/html; }}
                location = /around {{
                    add_before_body /json;
                    add_after_body /json;
                    default_type text/html;
                    alias html/hello.txt;
                }}
            }}"
        );
        Nginx::builder()
            .http(&format!("{HTTP} {server}"))
            .file("html/page", "<!--#include virtual=\"/json\" -->|and the rest")
            .start()
    };
    let nginx = start("{listen}");
    let page = |text: &str| text.starts_with("{\"zone\"") && text.ends_with("}\n|and the rest");
    let around =
        |text: &str| text.starts_with("{\"zone\"") && text.contains("}\nhello{\"zone\"") && text.ends_with("}\n");
    let mut connection = nginx.connect();
    for _ in 0..2 {
        let response = connection.send(&Request::get("/page"));
        assert!(page(response.text()), "{response}");
        let response = connection.send(&Request::get("/around"));
        assert!(around(response.text()), "{response}");
    }
    let response = nginx.send(&Request::get("/page").http10());
    assert!(page(response.text()), "{response}");
    let response = start("{listen_http2}").send_http2(&Request::get("/page"));
    assert!(page(response.text()), "{response}");
}

#[test]
fn what_is_tried_changes_nothing_for_the_request_that_asks() {
    let http = "
        cors_zone cors:64k;
        map $http_origin $mapped { \"~^https://(?<shop>[a-z]+)\\.example$\" $http_origin; }";
    let server = "
        location /mapped/ { cors on; cors_allow_origin $mapped; alias html/; }
        location ~ ^/(status)$ {
            cors_status;
            add_header X-Path $1;
            add_header X-Origin \"$http_origin,$mapped\";
        }";
    let nginx = Nginx::builder().http(http).server(server).start();
    let request = Request::get("/status?try=1&location=/mapped/&origin=https://shop.example").origin(APP);
    let response = nginx.send(&request);
    assert_eq!(json(&response)["allowed"], true, "{response}");
    assert_eq!(response.only("X-Path"), "status");
    assert_eq!(response.only("X-Origin"), format!("{APP},"));
}

#[test]
fn it_says_what_it_cannot_know() {
    let server = "
        set $list https://app.example.com;
        location /set/ { cors on; cors_allow_origin $list; alias html/; }
        location /map/ { cors on; cors_allow_origin $through_a_map; alias html/; }
        location /known/ { cors on; cors_allow_origin $mapped; alias html/; }
        location /status { cors_status; }";
    let http = format!("{HTTP} map $list $through_a_map {{ ~. $list; }}");
    let nginx = Nginx::builder().http(&http).server(server).start();
    let ask = |location: &str| {
        json(&nginx.send(&Request::get(&format!(
            "/status?try=1&location={location}&origin={APP}"
        ))))
    };
    for location in ["/set/", "/map/"] {
        let answer = ask(location);
        assert_eq!(answer["unknown_variables"], serde_json::json!(["$list"]), "{answer}");
    }
    let answer = ask("/known/");
    assert!(answer.get("unknown_variables").is_none(), "{answer}");
}
