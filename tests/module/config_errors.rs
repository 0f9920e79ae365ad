//! What `nginx -t` says: directive, value, reason, remedy and place, for everything that is wrong.

use harness::{Check, Nginx};

fn check(location: &str) -> Check {
    Nginx::builder()
        .server(&format!("location / {{\n cors on;\n{location}\n}}"))
        .check()
}

/// Fails unless `directive value;` is refused for a reason that has `reason` in it.
#[track_caller]
fn assert_refused(directive: &str, value: &str, reason: &str) {
    let line = format!("{directive} {value};");
    let rest = if directive == "cors_allow_origin" {
        ""
    } else {
        "cors_allow_origin https://app.example.com;"
    };
    let check = check(&format!("{rest}\n{line}"));
    let message = check.error_at(&line);
    let value = value.trim_matches('"');
    assert!(
        message.contains(&format!("\"{directive}\"")) && message.contains(&format!("\"{value}\"")),
        "neither directive nor value: {message}"
    );
    assert!(message.to_lowercase().contains(reason), "no {reason:?}: {message}");
    assert!(message.contains(';'), "no remedy: {message}");
}

#[test]
fn an_origin_that_no_browser_could_send() {
    for (value, reason) in [
        ("app.example.com", "scheme"),
        ("//app.example.com", "scheme"),
        ("https://app.example.com/", "trailing \"/\""),
        ("https://app.example.com/path", "path"),
        ("https://app.example.com?query", "query"),
        ("https://user@app.example.com", "user"),
        ("https://app.example.com:99999", "port"),
        ("https://app.example.com:http", "port"),
        ("https://", "host"),
        ("https://app.*.com", "*"),
        ("https://*-*.app.example.com", "*"),
        ("https://*", "*"),
        ("https://app!.example.com", "host"),
        ("https://app.example.com:80*", "port"),
    ] {
        assert_refused("cors_allow_origin", value, reason);
    }
}

#[test]
fn a_star_beside_other_origins() {
    let check = check("cors_allow_origin * https://app.example.com;");
    let message = check.error_at("cors_allow_origin");
    assert!(message.contains("\"cors_allow_origin\""), "{message}");
}

#[test]
fn a_star_with_credentials() {
    let check = check("cors_allow_origin *;\ncors_allow_credentials on;");
    assert_eq!(check.code, Some(1));
    assert!(check.stderr.contains("[emerg]"), "{}", check.stderr);
    assert!(check.stderr.contains("cors_allow_credentials"), "{}", check.stderr);
}

#[test]
fn null_with_credentials() {
    let check = check("cors_allow_origin null;\ncors_allow_credentials on;");
    assert_eq!(check.code, Some(1));
    assert!(check.stderr.contains("\"null\""), "{}", check.stderr);
}

#[test]
fn an_origin_in_clear_text_with_credentials() {
    let check = check("cors_allow_origin http://app.example.com;\ncors_allow_credentials on;");
    assert_eq!(check.code, Some(1));
    assert!(check.stderr.contains("\"http://app.example.com\""), "{}", check.stderr);
}

#[test]
fn loopback_in_clear_text_with_credentials_is_fine() {
    let check = check(
        "cors_allow_origin http://localhost:* http://127.0.0.1:8080 http://app.localhost;
        cors_allow_credentials on;",
    );
    assert!(check.accepted(), "{}", check.stderr);
}

#[test]
fn a_method_that_is_no_token() {
    for value in ["GET/1", "\"\""] {
        assert_refused("cors_allow_methods", value, "token");
    }
    for value in ["GET,POST", "\"GET POST\""] {
        assert_refused("cors_allow_methods", value, "without quotes around them");
    }
}

#[test]
fn a_method_that_the_standard_forbids() {
    for value in ["CONNECT", "TRACE", "TRACK", "trace"] {
        assert_refused("cors_allow_methods", value, "forbidden");
    }
}

#[test]
fn a_header_that_is_no_token() {
    for directive in ["cors_allow_headers", "cors_expose_headers"] {
        for value in ["X-One:", "\"\""] {
            assert_refused(directive, value, "token");
        }
        for value in ["X-One,X-Two", "\"X-One X-Two\""] {
            assert_refused(directive, value, "without quotes around them");
        }
    }
}

#[test]
fn a_flag_that_is_neither_on_nor_off() {
    let check = Nginx::builder().server("cors maybe;").check();
    let message = check.error_at("cors maybe;");
    assert!(message.contains("\"cors\""), "{message}");
    assert!(message.contains("\"maybe\""), "{message}");
    assert_refused("cors_allow_credentials", "maybe", "\"on\" or \"off\"");
}

#[test]
fn a_word_that_a_directive_does_not_know() {
    for (directive, words) in [
        ("cors_preflight", &["answer", "early", "pass"][..]),
        ("cors_enforce", &["off", "websocket", "on"]),
        ("cors_log_level", &["info", "notice", "warn", "error"]),
        ("cors_override", &["on", "off"]),
        ("cors_dry_run", &["on", "off"]),
        ("cors_timing_allow_origin", &["on", "off"]),
        ("cors_allow_private_network", &["on", "off"]),
    ] {
        for value in ["maybe", "ON", "1", "\"\"", "\"on off\""] {
            assert_refused(directive, value, "");
            let line = format!("{directive} {value};");
            let check = check(&format!("cors_allow_origin https://app.example.com;\n{line}"));
            let message = check.error_at(&line);
            for word in words {
                assert!(message.contains(&format!("\"{word}\"")), "no {word:?}: {message}");
            }
        }
        for word in words {
            let check = check(&format!(
                "cors_allow_origin https://app.example.com;\n{directive} {word};"
            ));
            assert!(check.accepted(), "{}", check.stderr);
        }
    }
}

#[test]
fn a_directive_with_no_value_or_with_two() {
    for directive in [
        "cors_preflight",
        "cors_enforce",
        "cors_log_level",
        "cors_override",
        "cors_dry_run",
        "cors_timing_allow_origin",
        "cors_allow_private_network",
    ] {
        for line in [format!("{directive};"), format!("{directive} on off;")] {
            let check = check(&format!("cors_allow_origin https://app.example.com;\n{line}"));
            let message = check.error_at(&line);
            assert!(message.contains(&format!("\"{directive}\"")), "{message}");
        }
    }
}

#[test]
fn a_max_age_that_is_no_time() {
    for value in ["soon", "-1", "1x", "99999999999999999999"] {
        assert_refused("cors_max_age", value, "time");
    }
}

#[test]
fn a_preflight_status_outside_the_two_hundreds() {
    for value in ["199", "300", "0", "two", "-204"] {
        assert_refused("cors_preflight_status", value, "20");
    }
}

#[test]
fn a_single_value_given_twice() {
    for line in [
        "cors_allow_credentials on;",
        "cors_max_age 1h;",
        "cors_preflight_status 200;",
        "cors_preflight pass;",
        "cors_enforce on;",
        "cors_log_level warn;",
        "cors_override off;",
        "cors_dry_run on;",
        "cors_timing_allow_origin on;",
        "cors_allow_private_network on;",
    ] {
        let check = check(&format!("{line}\n{}", line.replace(';', " ;")));
        let message = check.error_at(&line.replace(';', " ;"));
        assert!(message.contains("duplicate"), "{message}");
    }
}

#[test]
fn all_errors_are_shown_in_one_run() {
    let check = Nginx::builder()
        .http("cors_max_age soon;")
        .server(
            "cors perhaps;
            location /one {
                cors_allow_origin one.example ftp.example/;
                cors_allow_methods TRACE;
            }
            location /two {
                cors_allow_headers X:Y;
                if ($arg_a) { cors_expose_headers \"a b\"; }
            }",
        )
        .http("server { {listen:other} cors_preflight_status 404; }")
        .check();
    for line in [
        "cors_max_age",
        "cors perhaps",
        "TRACE",
        "cors_allow_headers",
        "cors_expose_headers",
        "cors_preflight_status",
    ] {
        check.error_at(line);
    }
    for value in ["\"one.example\"", "\"ftp.example/\""] {
        assert!(check.stderr.contains(value), "{}", check.stderr);
    }
}

#[test]
fn a_policy_that_allows_nobody_is_warned_about() {
    let check = Nginx::builder().server("location / {\ncors on;\n}").check();
    assert!(check.accepted(), "{}", check.stderr);
    assert!(check.stderr.contains("[warn]"), "{}", check.stderr);
    assert!(check.stderr.contains("cors_allow_origin"), "{}", check.stderr);
}

#[test]
fn a_method_in_lower_case_is_warned_about() {
    let check = check("cors_allow_origin https://app.example.com;\ncors_allow_methods patch;");
    let message = check.warning_at("cors_allow_methods");
    assert!(message.contains("PATCH"), "{message}");
}

#[test]
fn a_sound_policy_passes_without_a_word() {
    let check = check(
        "cors_allow_origin https://app.example.com https://*.example.org http://localhost:*;
        cors_allow_methods GET PUT DELETE;
        cors_allow_headers Content-Type Authorization;
        cors_expose_headers X-Total-Count;
        cors_allow_credentials on;
        cors_max_age 2h;
        cors_preflight_status 200;",
    );
    assert!(check.accepted(), "{}", check.stderr);
    assert!(!check.stderr.contains("[warn]"), "{}", check.stderr);
}
