//! Requests that the browser asks for first.

use crate::visit::{visit, Case};

#[test]
fn a_delete_is_sent_after_its_preflight() {
    let case = Case::last("delete");
    let preflight = case.preflight();
    assert_eq!(preflight.sent("Origin"), Some(&*visit().page));
    assert_eq!(preflight.sent("Access-Control-Request-Method"), Some("DELETE"));
    assert_eq!(preflight.sent("Access-Control-Request-Headers"), None);
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.answered("Access-Control-Allow-Origin"), Some(&*visit().page));
    assert!(!preflight.reached_the_application());

    assert_eq!(case.read(), (204, ""));
    assert_eq!(case.request().method(), "DELETE");
    assert!(case.request().reached_the_application());
    assert_eq!(case.request().access_control(), ["Access-Control-Allow-Origin"]);
}

#[test]
fn a_put_with_json_is_sent_after_method_and_content_type_were_allowed() {
    let case = Case::last("put-json");
    let preflight = case.preflight();
    assert_eq!(preflight.sent("Access-Control-Request-Method"), Some("PUT"));
    assert_eq!(preflight.sent("Access-Control-Request-Headers"), Some("content-type"));
    assert_eq!(
        preflight.answered("Access-Control-Allow-Methods"),
        Some("GET, POST, PUT, DELETE")
    );
    assert_eq!(preflight.answered("Access-Control-Allow-Headers"), Some("Content-Type"));
    assert_eq!(preflight.answered("Access-Control-Max-Age"), Some("600"));

    assert_eq!(case.request().sent("Content-Type"), Some("application/json"));
    assert_eq!(case.read(), (200, r#"{"saved":true,"bytes":"19"}"#));
}

#[test]
fn a_preflight_passes_where_the_request_needs_a_token() {
    let case = Case::last("authorization");
    let preflight = case.preflight();
    assert_eq!(preflight.sent("Authorization"), None);
    assert_eq!(preflight.sent("Access-Control-Request-Headers"), Some("authorization"));
    assert_eq!(preflight.status(), 204);

    assert_eq!(case.request().sent("Authorization"), Some("Bearer demo"));
    assert_eq!(case.read(), (200, r#"{"secret":"42"}"#));
}

#[test]
fn the_refusal_without_a_token_is_readable() {
    let case = Case::first("authorization");
    case.assert_no_preflight();
    assert_eq!(case.read().0, 401);
}

#[test]
fn a_method_that_is_not_listed_is_never_sent() {
    let case = Case::last("denied-method");
    case.assert_blocked();
    assert_eq!(case.preflight().sent("Access-Control-Request-Method"), Some("PATCH"));
    assert_eq!(case.preflight().status(), 204);
    case.assert_never_sent();
}

#[test]
fn a_header_that_is_not_listed_is_never_sent() {
    let case = Case::last("denied-header");
    case.assert_blocked();
    assert_eq!(case.preflight().sent("Access-Control-Request-Headers"), Some("x-debug"));
    assert_eq!(case.preflight().status(), 204);
    case.assert_never_sent();
}
