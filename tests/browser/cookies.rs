//! Requests with `credentials: "include"`.

use crate::visit::{visit, Case};

#[test]
fn a_cookie_is_kept_and_sent_where_credentials_are_allowed() {
    let login = Case::first("cookie");
    assert_eq!(login.read(), (200, r#"{"welcome":"alice"}"#));
    assert!(login.request().answered("Set-Cookie").is_some());

    let account = Case::last("cookie");
    account.assert_no_preflight();
    assert_eq!(account.request().sent("Cookie"), Some("cors_demo=alice"));
    assert_eq!(
        account.request().answered("Access-Control-Allow-Credentials"),
        Some("true")
    );
    assert_eq!(account.read(), (200, r#"{"name":"alice"}"#));
}

#[test]
fn where_any_header_is_allowed_the_names_that_were_asked_for_are_sent_back() {
    let case = Case::last("any-header");
    let preflight = case.preflight();
    assert_eq!(
        preflight.sent("Access-Control-Request-Headers"),
        Some("x-batch,x-trace")
    );
    let allowed: Vec<&str> = preflight
        .answered("Access-Control-Allow-Headers")
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .collect();
    assert_eq!(allowed, ["x-batch", "x-trace"]);
    assert_eq!(preflight.answered("Access-Control-Allow-Methods"), Some("POST"));
    assert_eq!(preflight.answered("Access-Control-Allow-Origin"), Some(&*visit().page));
    assert_eq!(preflight.answered("Access-Control-Allow-Credentials"), Some("true"));
    assert_eq!(preflight.sent("Cookie"), None);

    assert_eq!(case.request().sent("X-Batch"), Some("12"));
    assert_eq!(case.request().sent("X-Trace"), Some("on"));
    assert_eq!(case.request().sent("Cookie"), Some("cors_demo=alice"));
    assert_eq!(case.read(), (200, r#"{"ran":true}"#));
}

#[test]
fn with_cookies_an_answer_for_every_origin_is_blocked() {
    let case = Case::last("wildcard-credentials");
    case.assert_blocked();
    assert_eq!(case.request().sent("Cookie"), Some("cors_demo=alice"));
    assert_eq!(case.request().status(), 200);
    assert_eq!(case.request().answered("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(case.request().answered("Access-Control-Allow-Credentials"), None);
}
