//! Requests that the browser sends without asking: a specific origin, `*`, and what scripts see of an
//! answer.

use crate::visit::{visit, Case};

#[test]
fn an_answer_that_names_the_origin_is_readable() {
    let case = Case::last("simple-get");
    assert_eq!(case.read(), (200, r#"{"greeting":"Hello from the API"}"#));
    case.assert_no_preflight();
    let request = case.request();
    assert_eq!(request.sent("Origin"), Some(&*visit().page));
    assert_eq!(request.answered("Access-Control-Allow-Origin"), Some(&*visit().page));
    assert_eq!(request.access_control(), ["Access-Control-Allow-Origin"]);
    assert_eq!(request.answered("Vary"), Some("Origin"));
}

#[test]
fn an_answer_for_every_origin_is_readable_and_varies_by_none() {
    let case = Case::last("wildcard");
    assert_eq!(case.read(), (200, r#"{"weather":"sunny","degrees":21}"#));
    case.assert_no_preflight();
    assert_eq!(case.request().answered("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(case.request().answered("Vary"), None);
}

#[test]
fn of_two_headers_the_script_reads_the_one_that_is_exposed() {
    let case = Case::last("exposed-header");
    assert_eq!(case.read().0, 200);
    assert_eq!(case.read_header("X-Total-Count"), Some("42"));
    assert_eq!(case.read_header("X-Search-Cost"), None);
    assert_eq!(case.request().answered("X-Search-Cost"), Some("7"));
    assert_eq!(
        case.request().answered("Access-Control-Expose-Headers"),
        Some("X-Total-Count")
    );
}

#[test]
fn an_error_is_readable() {
    let case = Case::last("error-status");
    assert_eq!(case.read(), (503, r#"{"error":"closed until noon"}"#));
}

#[test]
fn an_application_with_a_header_of_its_own_does_not_make_the_answer_unreadable() {
    let case = Case::last("one-authority");
    assert_eq!(case.read(), (200, r#"{"age":"ten years"}"#));
    assert_eq!(
        case.request().answered("Access-Control-Allow-Origin"),
        Some(&*visit().page)
    );
}
