//! `cors_allow_origin $variable`.

use harness::{Nginx, Request};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

#[test]
fn the_map_that_people_have_works_unchanged() {
    let nginx = Nginx::builder()
        .http(r#"map $http_origin $cors_ok { default ""; "~^https://[a-z]+\.example\.com$" $http_origin; }"#)
        .server("location / { cors on; cors_allow_origin $cors_ok; }")
        .start();
    assert_allows(&nginx.send(&Request::get("/").origin(APP)), APP);
    let denied = nginx.send(&Request::get("/").origin(STRANGER));
    assert_silent(&denied);
    assert_eq!(denied.only("Vary"), "Origin");
    assert_status(&nginx.send(&Request::preflight("/", APP, "GET")), 204);
    assert_status(&nginx.send(&Request::preflight("/", STRANGER, "GET")), 403);
}

#[test]
fn a_variable_holds_a_list_with_commas_or_spaces() {
    let nginx = Nginx::server(
        r#"set $tenants "https://one.example, https://two.example https://three.example";
        location / { cors on; cors_allow_origin https://static.example $tenants; }"#,
    );
    for origin in [
        "https://static.example",
        "https://one.example",
        "https://two.example",
        "https://three.example",
    ] {
        assert_allows(&nginx.send(&Request::get("/").origin(origin)), origin);
    }
    for origin in [
        "https://four.example",
        "https://one.example,",
        "https://one.example, https://two.example",
    ] {
        assert_silent(&nginx.send(&Request::get("/").origin(origin)));
    }
}

#[test]
fn text_around_a_variable_is_part_of_the_origin() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin https://$arg_tenant.example.com; }");
    assert_allows(&nginx.send(&Request::get("/?tenant=app").origin(APP)), APP);
    assert_silent(&nginx.send(&Request::get("/?tenant=other").origin(APP)));
}

#[test]
fn a_variable_holds_patterns_and_null() {
    let nginx = Nginx::builder()
        .http(
            r#"map $host $tenants {
                default "https://*.example.com, https://pr-*-web.example.org:* null";
            }"#,
        )
        .server("location / { cors on; cors_allow_origin $tenants; }")
        .start();
    for origin in [APP, "https://pr-1-web.example.org:8443", "null"] {
        assert_allows(&nginx.send(&Request::get("/").origin(origin)), origin);
    }
    for origin in ["https://example.com", "https://pr-1.example.org", STRANGER] {
        assert_silent(&nginx.send(&Request::get("/").origin(origin)));
    }
}

/// The answer depends on the variable, and so on what the request says.
#[test]
fn a_star_in_a_variable_is_everyone() {
    let nginx = Nginx::builder()
        .http("map $arg_public $who { default https://app.example.com; 1 *; }")
        .server("location / { cors on; cors_allow_origin $who; }")
        .start();
    for origin in [APP, STRANGER] {
        let response = nginx.send(&Request::get("/?public=1").origin(origin));
        assert_allows(&response, "*");
        assert_eq!(response.only("Vary"), "Origin");
    }
    assert_status(&nginx.send(&Request::preflight("/?public=1", STRANGER, "GET")), 204);
    assert_silent(&nginx.send(&Request::get("/").origin(STRANGER)));
}

/// The lines of the error log that tell of ignored values, without what nginx adds.
fn ignored(nginx: &Nginx) -> Vec<String> {
    let log = nginx.error_log();
    let lines = log.lines().filter(|line| line.contains("is ignored"));
    let texts = lines.map(|line| {
        assert!(line.contains("[warn]"), "{line}");
        let (_, text) = line.split_once("cors: ").expect("a line of the module");
        text.split(", client:").next().unwrap_or_default().to_owned()
    });
    texts.collect()
}

#[test]
fn what_names_no_origin_is_ignored_and_logged_once() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin $arg_origins; }");
    for _ in 0..3 {
        assert_silent(&nginx.send(&Request::get("/?origins=app.example.com").origin(APP)));
        assert_silent(&nginx.send(&Request::get("/?origins=app.example.org").origin(APP)));
    }
    assert_eq!(
        ignored(&nginx),
        [r#""app.example.com" in the value of "$arg_origins" is ignored: it is no origin"#]
    );
}

#[test]
fn each_kind_of_what_is_ignored_is_logged_for_each_location() {
    let nginx = Nginx::server(
        r#"cors on;
        cors_allow_credentials on;
        set $list "http://a.example https://*.com ~https://a * https://app.example.com";
        location /one { cors_allow_origin $list; }
        location /two { cors_allow_origin $list; }"#,
    );
    for _ in 0..2 {
        for path in ["/one", "/two"] {
            assert_silent(&nginx.send(&Request::get(path).origin("http://a.example")));
            assert_silent(&nginx.send(&Request::get(path).origin("https://b.com")));
            assert_allows(&nginx.send(&Request::get(path).origin(APP)), APP);
        }
    }
    let mut ignored = ignored(&nginx);
    ignored.sort();
    let each = [
        r#""*" in the value of "$list" is ignored: with credentials it needs "cors_unsafe any_origin_credentials""#,
        r#""http://a.example" in the value of "$list" is ignored: with credentials it needs "cors_unsafe insecure_origins""#,
        r#""https://*.com" in the value of "$list" is ignored: it needs "cors_unsafe public_suffixes""#,
        r#""~https://a" in the value of "$list" is ignored: a variable holds no regular expressions; use one in a "map""#,
    ];
    assert_eq!(ignored, each.map(|line| [line; 2]).concat());
}

#[test]
fn what_is_ignored_cannot_break_a_log_line_or_fill_it() {
    let nginx = Nginx::server("location / { cors on; cors_allow_origin $http_x_list; }");
    let request = Request::get("/")
        .origin(APP)
        .header("X-List", format!("a\"b\\{}", "c".repeat(4_000)));
    assert_silent(&nginx.send(&request));
    let ignored = ignored(&nginx);
    let [line] = &ignored[..] else { panic!("{ignored:?}") };
    assert!(line.starts_with(r#""a\"b\\ccc"#) && line.len() < 500, "{line}");
    assert!(
        line.ends_with(r#"ccc..." in the value of "$http_x_list" is ignored: it is no origin"#),
        "{line}"
    );
}

#[test]
fn with_credentials_a_variable_cannot_bring_in_null_or_an_origin_in_the_clear() {
    let location = |unsafe_options: &str| {
        format!("location / {{ cors on; set $asking $http_origin; cors_allow_origin $asking; cors_allow_credentials on; {unsafe_options} }}")
    };
    let nginx = Nginx::server(&location(""));
    assert_allows(&nginx.send(&Request::get("/").origin(APP)), APP);
    assert_silent(&nginx.send(&Request::get("/").origin("http://app.example.com")));
    assert_silent(&nginx.send(&Request::get("/").origin("null")));

    let nginx = Nginx::server(&location("cors_unsafe insecure_origins null_origin;"));
    for origin in [APP, "http://app.example.com", "null"] {
        let response = nginx.send(&Request::get("/").origin(origin));
        assert_allows(&response, origin);
        assert_eq!(response.only("Access-Control-Allow-Credentials"), "true");
    }
}

/// nginx takes the names of variables in any case, and a text may hold more than a variable.
#[test]
fn a_variable_that_repeats_the_request_is_refused_with_credentials() {
    let check = |origins: &str| {
        let location = format!("location / {{ cors on; cors_allow_origin {origins}; cors_allow_credentials on; }}");
        Nginx::builder().server(&location).check()
    };
    for origins in [
        "$http_origin",
        "$HTTP_ORIGIN",
        "${http_origin}",
        "$http_origin,",
        "$arg_o",
        "$cookie_x",
    ] {
        let check = check(origins);
        let message = check.error_at("cors_allow_origin");
        let why = "every site could read what the user may read; list the origins to trust, or write \"cors_unsafe any_origin_credentials\"";
        assert!(
            message.contains(&format!("\"{origins}\"")) && message.contains(why),
            "{message}"
        );
    }
    let unknown = check("$host$tenants").stderr;
    assert!(unknown.contains("unknown \"tenants\" variable"), "{unknown}");
    let own = check("https://$host");
    assert!(own.accepted() && !own.stderr.contains("[warn]"), "{}", own.stderr);
}

#[test]
fn of_a_map_beside_credentials_one_warning_says_what_to_check() {
    let check = Nginx::builder()
        .http(r#"map $http_origin $cors_ok { default $http_origin; }"#)
        .server("location / { cors on; cors_allow_origin $cors_ok; cors_allow_credentials on; }")
        .check();
    assert!(check.accepted(), "{}", check.stderr);
    let warnings: Vec<_> = check.stderr.lines().filter(|line| line.contains("[warn]")).collect();
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    assert!(
        warning.contains("check that no \"map\" or \"set\" gives it \"$http_origin\"")
            && warning.contains("write \"cors_allow_credentials https://app.example.com\""),
        "{warning}"
    );
}
