//! Requests from a page whose origin the API does not list.

use crate::visit::{visit, Case};

#[test]
fn a_strangers_get_is_answered_but_not_readable() {
    let case = Case::last("stranger-get");
    case.assert_blocked();
    case.assert_no_preflight();
    let request = case.request();
    assert_eq!(request.sent("Origin"), Some(&*visit().stranger));
    assert!(request.reached_the_application());
    assert_eq!(request.status(), 200);
    assert!(request.access_control().is_empty());
    assert_eq!(request.answered("Vary"), Some("Origin"));
}

#[test]
fn a_strangers_delete_is_refused_at_its_preflight() {
    let case = Case::last("stranger-delete");
    case.assert_blocked();
    let preflight = case.preflight();
    assert_eq!(preflight.sent("Origin"), Some(&*visit().stranger));
    assert_eq!(preflight.status(), 403);
    assert!(preflight.access_control().is_empty());
    assert!(!preflight.reached_the_application());
    case.assert_never_sent();
}
