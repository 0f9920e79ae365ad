//! Configurations that people have written, and what they get.

use std::fs;

use harness::{workspace_root, Check, Nginx, Request, Upstream};

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

/// What nginx says of a policy with this line; without one for origins there is one.
fn check(line: &str) -> Check {
    let origins = match line.contains("cors_allow_origin") {
        true => "",
        false => "cors_allow_origin https://app.example.com;",
    };
    let server = format!("location / {{\ncors on; {origins}\n{line}\n}}");
    Nginx::builder().server(&server).check()
}

/// Fails unless nginx refuses `line` and tells `remedy`, by which `instead` is meant, and accepts that without a warning.
#[track_caller]
fn assert_refused(line: &str, remedy: &str, instead: &str) {
    let refused = check(line);
    assert_eq!(refused.code, Some(1), "{line} is accepted: {}", refused.stderr);
    assert!(refused.stderr.contains(remedy), "no {remedy:?}: {}", refused.stderr);
    let mended = check(instead);
    let is_silent = !mended.stderr.contains("[warn]");
    assert!(mended.accepted() && is_silent, "{instead}: {}", mended.stderr);
}

#[test]
fn commas_between_origins_are_refused_with_the_list_to_write() {
    let instead = "cors_allow_origin https://a.example https://b.example;";
    let list = "a list is separated by spaces, not by commas; write \"https://a.example https://b.example\"";
    assert_refused(
        "cors_allow_origin https://a.example, https://b.example;",
        "a list is separated by spaces, not by commas; write \"https://a.example\"",
        instead,
    );
    assert_refused(
        "cors_allow_origin \"https://a.example, https://b.example\";",
        list,
        instead,
    );
    assert_refused("cors_allow_origin https://a.example,https://b.example;", list, instead);
}

#[test]
fn a_regex_that_was_meant_to_be_searched_for_is_refused_with_the_pattern() {
    assert_refused(
        r"cors_allow_origin ~\.example\.com$;",
        "write \"https://*.example.com\"",
        "cors_allow_origin https://*.example.com;",
    );
}

#[test]
fn a_regex_that_ends_with_a_slash_is_refused() {
    assert_refused(
        r"cors_allow_origin ~https://b\.example/;",
        r#"without a slash or a path; write "~https://b\.example""#,
        r"cors_allow_origin ~https://b\.example;",
    );
}

#[test]
fn names_take_no_variables_and_no_prefixes() {
    for directive in ["cors_allow_headers", "cors_allow_methods", "cors_expose_headers"] {
        let variables = "variables are not taken here; write \"*\"";
        let any = format!("{directive} *;");
        assert_refused(
            &format!("{directive} $http_access_control_request_headers;"),
            variables,
            &any,
        );
        assert_refused(&format!("{directive} $m;"), variables, &any);
        assert_refused(
            &format!("{directive} x-amz-*;"),
            "write the names one by one, or \"*\"",
            &any,
        );
    }
}

/// The hosts of deployments of one project, as hosting services name them.
#[test]
fn a_star_within_the_first_label_is_accepted_where_names_are_the_operator_s() {
    let accepted = check("cors_allow_origin https://*-team.apps.example.com;");
    assert!(accepted.accepted(), "{}", accepted.stderr);
    let line = "cors_allow_origin https://*-team.netlify.app;";
    let refused = check(line);
    let message = refused.error_at(line);
    assert!(
        message.contains("everyone can register a name under \"netlify.app\"")
            && message.contains("write \"cors_unsafe public_suffixes\""),
        "{message}"
    );
    let permitted = check(&format!("{line} cors_unsafe public_suffixes;"));
    assert!(permitted.accepted(), "{}", permitted.stderr);
}

#[test]
fn every_extension_is_accepted_but_with_credentials_only_by_leave() {
    let line = "cors_allow_origin moz-extension://*;";
    assert!(check(line).accepted(), "{}", check(line).stderr);
    let with_credentials = format!("{line}\ncors_allow_credentials on;");
    let refused = check(&with_credentials);
    let message = refused.error_at(line);
    assert!(
        message.contains("other authors' apps and extensions")
            && message.contains("write \"cors_unsafe any_origin_credentials\""),
        "{message}"
    );
    let permitted = check(&format!("{with_credentials} cors_unsafe any_origin_credentials;"));
    assert!(permitted.accepted(), "{}", permitted.stderr);
}

#[test]
fn a_flag_in_other_words_is_refused_with_the_word() {
    assert_refused(
        "cors_allow_credentials true;",
        "write \"on\"",
        "cors_allow_credentials on;",
    );
}

#[test]
fn a_negative_age_is_refused_with_the_age_that_was_meant() {
    assert_refused(
        "cors_max_age -1;",
        "write \"0\", by which browsers keep no answer",
        "cors_max_age 0;",
    );
}

#[test]
fn access_to_a_private_network_is_warned_about() {
    let line = "cors_allow_private_network on;";
    let check = check(line);
    let message = check.warning_at(line);
    assert!(
        message.contains("browsers have given Private Network Access up"),
        "{message}"
    );
}

/// A front controller, as PHP frameworks have it.
#[test]
fn a_policy_survives_a_rewrite_to_the_application() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location /rw/ {
                cors on;
                cors_allow_origin https://app.example.com;
                cors_allow_methods GET PUT DELETE;
                cors_enforce on;
                if (!-e $request_filename) { rewrite ^ /index.php last; }
            }
            location = /index.php { proxy_pass http://127.0.0.1:{port:app}; }",
        )
        .start();
    let response = nginx.send(&Request::get("/rw/item").origin(APP));
    assert_status(&response, 200);
    assert_allows(&response, APP);
    assert_status(&nginx.send(&Request::post("/rw/item").origin(STRANGER)), 403);
    assert_eq!(application.requests().len(), 1);
    assert_status(&nginx.send(&Request::preflight("/rw/item", APP, "PUT")), 204);
}

/// The application decides who may read, and says so in a header of its own.
#[test]
fn with_pass_it_is_decided_when_the_response_is_there() {
    let application = Upstream::with_headers(&["X-Allow: https://app.example.com"]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "location / {
                cors on;
                cors_preflight pass;
                cors_allow_methods PUT;
                cors_allow_origin $upstream_http_x_allow;
                proxy_pass http://127.0.0.1:{port:app};
                add_header X-Result $cors_result always;
            }",
        )
        .start();
    for request in [Request::get("/").origin(APP), Request::preflight("/", APP, "PUT")] {
        assert_allows(&nginx.send(&request), APP);
    }
    assert_silent(&nginx.send(&Request::preflight("/", STRANGER, "PUT")));
}

#[test]
fn what_auth_request_set_says_counts_for_a_preflight_that_is_passed_on() {
    let guard = Upstream::with_headers(&["X-Allow: https://app.example.com"]);
    let nginx = Nginx::builder()
        .port("guard", guard.port())
        .server(
            "location / {
                cors on;
                cors_preflight pass;
                cors_allow_methods PUT;
                cors_allow_origin $allowed;
                auth_request /guard;
                auth_request_set $allowed $upstream_http_x_allow;
                return 204;
            }
            location = /content {
                cors on;
                cors_preflight pass;
                cors_allow_methods PUT;
                cors_allow_origin $allowed;
                auth_request /guard;
                auth_request_set $allowed $upstream_http_x_allow;
                alias html/hello.txt;
            }
            location = /guard { internal; proxy_pass http://127.0.0.1:{port:guard}; }",
        )
        .start();
    assert_allows(&nginx.send(&Request::get("/content").origin(APP)), APP);
    assert_allows(&nginx.send(&Request::preflight("/content", APP, "PUT")), APP);
    assert_silent(&nginx.send(&Request::preflight("/content", STRANGER, "PUT")));
}

/// A server that has done CORS with `add_header`, and hands one location over.
#[test]
fn add_header_of_the_server_does_not_touch_the_answer_to_a_preflight() {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .server(
            "add_header Access-Control-Allow-Origin * always;
            location / {
                cors on;
                cors_allow_origin https://app.example.com;
                cors_allow_methods GET PUT DELETE;
                cors_override off;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start();
    let response = nginx.send(&Request::preflight("/", APP, "PUT"));
    assert_status(&response, 204);
    assert_allows(&response, APP);
    assert_eq!(response.only("Access-Control-Allow-Methods"), "GET, PUT, DELETE");
    assert_allows(&nginx.send(&Request::get("/").origin(APP)), "*");
}

#[test]
fn a_response_that_keeps_what_the_application_allows_is_neither_allowed_nor_denied() {
    let application = Upstream::with_headers(&["Access-Control-Allow-Origin: https://stranger.example"]);
    let nginx = Nginx::builder()
        .port("app", application.port())
        .http("log_format result $cors_result;")
        .server(
            "location / {
                cors on;
                cors_allow_origin https://app.example.com;
                cors_override off;
                access_log logs/result.log result;
                proxy_pass http://127.0.0.1:{port:app};
            }",
        )
        .start();
    assert_allows(&nginx.send(&Request::get("/").origin(STRANGER)), STRANGER);
    assert_eq!(nginx.log_lines("logs/result.log", 1), ["kept"]);
    assert!(!nginx.error_log().contains("cors denied"), "{}", nginx.error_log());
}

#[test]
fn every_line_of_upgrade_is_looked_at() {
    let nginx = Nginx::server("cors on; cors_allow_origin https://app.example.com; cors_enforce websocket;");
    let request = Request::get("/hello.txt")
        .origin(STRANGER)
        .header("Connection", "upgrade")
        .header("Upgrade", "h2c");
    let mut connection = nginx.connect();
    assert_status(&connection.send(&request), 200);
    assert_status(&connection.send(&request.header("Upgrade", "websocket")), 403);
}

/// A server that answers preflights early does so for its locations, too, whatever they say.
#[test]
fn an_early_server_that_speaks_for_other_policies_is_warned_about_and_an_early_location_speaks_for_itself() {
    let server = |narrow: &str| {
        Nginx::builder().server(&format!(
            "cors on;
            cors_allow_origin https://app.example.com;
            cors_allow_methods GET PUT DELETE;
            cors_allow_credentials on;
            cors_preflight early;
            location /private/ {{
                cors off;
            }}
            location /narrow/ {{
                {narrow}
            }}"
        ))
    };
    let check = server("cors_allow_methods GET;").check();
    for line in ["cors off;", "cors_allow_methods GET;"] {
        let message = check.warning_at(line);
        assert!(message.contains("under the policy of the server"), "{message}");
    }

    let nginx = Nginx::server(
        "location /narrow/ {
            cors on;
            cors_allow_origin https://app.example.com;
            cors_allow_methods PUT;
            cors_preflight early;
            if ($request_method = OPTIONS) { return 418; }
            return 418;
        }",
    );
    let response = nginx.send(&Request::preflight("/narrow/", APP, "PUT"));
    assert_status(&response, 204);
    assert_eq!(response.only("Access-Control-Allow-Methods"), "PUT");
}

#[test]
fn the_policy_of_a_named_location_is_dead_where_a_location_with_a_policy_leads_there() {
    let server = |leads: &str| {
        format!(
            "location / {{ cors on; cors_allow_origin *; {leads} }}
            location @app {{
                cors on;
                cors_allow_origin https://app.example.com;
                cors_allow_credentials on;
                cors_enforce on;
                return 200 application;
            }}"
        )
    };
    for leads in ["try_files $uri @app;", "error_page 404 = @app;"] {
        let nginx = Nginx::server(&server(leads));
        assert_allows(&nginx.send(&Request::get("/missing").origin(STRANGER)), "*");
    }
    // Only the second is there for the module to see.
    let check = Nginx::builder().server(&server("error_page 404 = @app;")).check();
    assert!(check.accepted(), "{}", check.stderr);
    let warning = "\"cors\" of location \"@app\" says nothing about requests that \"error_page\" leads there";
    assert!(check.stderr.contains(warning), "{}", check.stderr);
}

#[test]
fn any_header_with_credentials_is_authorization_too() {
    let nginx = Nginx::server(
        "cors on;
        cors_allow_origin https://app.example.com;
        cors_allow_headers *;
        cors_allow_credentials on;",
    );
    let request = Request::preflight("/", APP, "GET");
    let response = nginx.send(&request.header("Access-Control-Request-Headers", "authorization,content-type"));
    assert_eq!(
        response.list("Access-Control-Allow-Headers"),
        ["authorization", "content-type"]
    );
}

/// `early` comes before `set`: the list is still empty, and the answer is final.
#[test]
fn a_variable_of_set_is_empty_for_a_preflight_that_is_answered_early() {
    let server = |mode: &str| {
        format!(
            "set $list https://app.example.com;
            cors on;
            cors_allow_origin $list;
            cors_preflight {mode};"
        )
    };
    let preflight = Request::preflight("/hello.txt", APP, "GET");
    let early = Nginx::server(&server("early"));
    assert_status(&early.send(&preflight), 403);
    assert_allows(&early.send(&Request::get("/hello.txt").origin(APP)), APP);
    let answer = Nginx::server(&server("answer"));
    assert_allows(&answer.send(&preflight), APP);

    let mapped = Nginx::builder()
        .http("map \"\" $list { default https://app.example.com; }")
        .server(&server("early").replace("set $list https://app.example.com;", ""))
        .start();
    assert_allows(&mapped.send(&preflight), APP);
}

#[test]
fn try_says_that_it_runs_no_rewrite_and_knows_no_variable_of_set() {
    let nginx = Nginx::builder()
        .http("cors_zone cors:64k;")
        .server(
            "location /rewritten/ { cors on; cors_allow_origin *; rewrite ^ /other/ last; }
            location /other/ { cors on; cors_allow_origin https://other.example; }
            location /set/ { set $list https://app.example.com; cors on; cors_allow_origin $list; }
            location /status { cors_status; }",
        )
        .start();
    let ask = |location: &str| -> serde_json::Value {
        let query = format!("/status?try=1&location={location}&origin={APP}");
        serde_json::from_str(nginx.send(&Request::get(&query)).text()).expect("JSON")
    };
    let rewritten = ask("/rewritten/");
    assert_eq!(rewritten["allowed"], true);
    assert_silent(&nginx.send(&Request::get("/rewritten/").origin(APP)));
    let not_run = rewritten["request"]["not_run"].to_string();
    assert!(not_run.contains("rewrite"), "{rewritten:#}");

    let set = ask("/set/");
    assert_eq!(set["allowed"], false);
    assert_allows(&nginx.send(&Request::get("/set/").origin(APP)), APP);
    assert_eq!(set["unknown_variables"], serde_json::json!(["$list"]));
}

/// The answer, the variable, the log, the counters and the documents say the same.
#[test]
fn a_method_that_is_not_listed_is_a_denial_everywhere() {
    let nginx = Nginx::builder()
        .http("cors_zone cors:64k; log_format result $cors_result;")
        .server(
            "access_log logs/result.log result;
            location /api/ { cors on; cors_allow_origin https://app.example.com; }
            location /status { cors_status json; access_log off; }",
        )
        .start();
    let response = nginx.send(&Request::preflight("/api/", APP, "DELETE"));
    assert_status(&response, 204);
    assert_allows(&response, APP);
    assert_eq!(nginx.log_lines("logs/result.log", 1), ["method_denied"]);
    let denied = "cors denied: method \"DELETE\" is not in cors_allow_methods";
    assert!(nginx.error_log().contains(denied), "{}", nginx.error_log());
    let figures = nginx.send(&Request::get("/status"));
    let figures: serde_json::Value = serde_json::from_str(figures.text()).expect("JSON");
    assert_eq!(figures["policies"][0]["denied"], 1, "{figures:#}");
    assert_eq!(figures["denied_origins"][0]["result"], "method_denied", "{figures:#}");
    for page in ["README.md", "docs/directives.md"] {
        let text = fs::read_to_string(workspace_root().join(page)).expect("a page");
        let text = text.replace('\n', " ");
        assert!(text.contains("logs and counts `method_denied`"), "{page}");
        assert!(!text.contains("no denial"), "{page}");
    }
}

/// The idiom's own variables have the names that come to mind first.
#[test]
fn a_configuration_keeps_its_own_variables_of_our_names() {
    let own = "
        map $http_origin $cors_origin { https://app.example.com theirs; }
        geo $cors_preflight { default geo; }";
    let server = "
        set $cors_result mine;
        location / { add_header X-Own \"$cors_origin,$cors_result,$cors_preflight\" always; }";
    let request = Request::get("/hello.txt").origin(APP);
    let with = Nginx::builder().http(own).server(server).start();
    assert_eq!(with.send(&request).only("X-Own"), "theirs,mine,geo");

    let without = Nginx::builder().without_module().http(own).server(server).start();
    assert_eq!(without.send(&request).only("X-Own"), "theirs,mine,geo");

    let check = |policy: &str| Nginx::builder().http(own).server(&format!("{server} {policy}")).check();
    let unused = check("");
    assert!(
        unused.accepted() && !unused.stderr.contains("[warn]"),
        "{}",
        unused.stderr
    );
    let used = check("location /api/ { cors on; cors_allow_origin https://app.example.com; }");
    assert!(used.accepted(), "{}", used.stderr);
    for name in ["cors_origin", "cors_result", "cors_preflight"] {
        let warning = format!("the variable \"${name}\" is one that the configuration defines itself");
        assert!(used.stderr.contains(&warning), "{}", used.stderr);
    }
    assert!(!used.stderr.contains("cors_reason"), "{}", used.stderr);
}

#[test]
fn a_variable_of_auth_request_set_keeps_its_name() {
    let guard = Upstream::with_headers(&["X-Reason: theirs"]);
    let server = "
        location / {
            auth_request /guard;
            auth_request_set $cors_reason $upstream_http_x_reason;
            add_header X-Own $cors_reason always;
        }
        location = /guard { internal; proxy_pass http://127.0.0.1:{port:guard}; }";
    let policy = "cors on; cors_allow_origin https://app.example.com;";
    for server in [server.to_owned(), format!("{policy} {server}")] {
        let nginx = Nginx::builder().port("guard", guard.port()).server(&server).start();
        let response = nginx.send(&Request::get("/hello.txt").origin(STRANGER));
        assert_eq!(response.only("X-Own"), "theirs", "{server}");
    }
}

/// Variables of modules that are not nginx's own, where they are installed.
#[test]
fn variables_of_scripts_keep_their_names() {
    const JAVASCRIPT: &str = "export default { own: request => \"theirs:\" + request.headersIn[\"Origin\"] };";
    let perl = "perl_set $cors_origin 'sub { my $r = shift; return \"theirs:\" . $r->header_in(\"Origin\"); }';";
    let javascript = "js_import own from own.js; js_set $cors_origin own.own;";
    for (module, own) in [("ngx_http_js_module", javascript), ("ngx_http_perl_module", perl)] {
        let Some(builder) = Nginx::builder().other_module(module) else {
            continue;
        };
        let nginx = builder
            .file("conf/own.js", JAVASCRIPT)
            .http(own)
            .server(
                "add_header X-Own $cors_origin always;
                location /policy/ { cors on; cors_allow_origin https://app.example.com; alias html/; }",
            )
            .start();
        for path in ["/hello.txt", "/policy/hello.txt"] {
            let response = nginx.send(&Request::get(path).origin(STRANGER));
            assert_eq!(response.only("X-Own"), format!("theirs:{STRANGER}"), "{module}");
        }
        assert_allows(&nginx.send(&Request::get("/policy/hello.txt").origin(APP)), APP);
    }
}

/// What a `map` yields is read as the directive reads its values.
#[test]
fn a_value_of_a_variable_may_be_a_pattern_or_a_star() {
    let server = |value: &str| {
        Nginx::builder()
            .http(&format!("map $host $origins {{ default \"{value}\"; }}"))
            .server("cors on; cors_allow_origin $origins;")
            .start()
    };
    let get = Request::get("/hello.txt");
    let pattern = server("https://*.example.com");
    assert_allows(&pattern.send(&get.clone().origin(APP)), APP);
    assert_silent(&pattern.send(&get.clone().origin(STRANGER)));
    let star = server("*");
    let response = star.send(&get.origin(STRANGER));
    assert!(response.get("Access-Control-Allow-Origin").is_some(), "{response}");
    assert!(!star.error_log().contains("is ignored"), "{}", star.error_log());
}
