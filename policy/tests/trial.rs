//! What is said about a request that nobody has sent.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{policy, Surroundings};
use cors_policy::{Conclusion, Outcome, Reason, Trial, Tried};

const APP: &[u8] = b"https://app.example";

const PLAIN: Trial<'static> = Trial {
    origin: APP,
    method: b"GET",
    headers: Vec::new(),
    credentials: false,
};

/// What becomes of the trial under a policy; it is shown with the names and values of all headers.
fn tried<'r>(configuration: &str, trial: &Trial<'r>) -> Tried<'r> {
    policy(&format!("cors on;\n{configuration}")).attempt(trial, &Surroundings::with_variables(&[]))
}

fn remedy(configuration: &str, trial: &Trial<'_>) -> Option<String> {
    tried(configuration, trial).remedy
}

#[test]
fn the_directive_that_would_admit_the_request_is_named() {
    let allowed = "cors_allow_origin https://app.example;";
    for (configuration, trial, remedy_is) in [
        ("", PLAIN, "cors_allow_origin https://app.example;"),
        (
            "cors_allow_origin https://other.example;",
            PLAIN,
            "cors_allow_origin https://app.example;",
        ),
        (
            allowed,
            Trial {
                method: b"PATCH",
                ..PLAIN
            },
            "cors_allow_methods PATCH;",
        ),
        (
            allowed,
            Trial {
                headers: vec![b"X-One"],
                ..PLAIN
            },
            "cors_allow_headers X-One;",
        ),
        (
            allowed,
            Trial {
                credentials: true,
                ..PLAIN
            },
            "cors_allow_credentials on;",
        ),
        (
            "cors_allow_origin *;",
            Trial {
                credentials: true,
                ..PLAIN
            },
            "cors_allow_credentials https://app.example;",
        ),
    ] {
        assert_eq!(
            remedy(configuration, &trial).as_deref(),
            Some(remedy_is),
            "{configuration}"
        );
        let mended = format!("{configuration}\n{remedy_is}");
        assert_eq!(
            tried(&mended, &trial).conclusion,
            Conclusion::Readable,
            "{configuration}"
        );
    }
}

#[test]
fn what_cannot_be_copied_into_a_configuration_is_no_remedy() {
    let allowed = "cors_allow_origin https://app.example;";
    for trial in [
        Trial {
            origin: b"https://a;b.example",
            ..PLAIN
        },
        Trial { origin: b"", ..PLAIN },
        Trial { method: b"", ..PLAIN },
        Trial {
            method: b"PUT; cors off",
            ..PLAIN
        },
        Trial {
            headers: vec![b"X-{One}"],
            ..PLAIN
        },
    ] {
        let tried = tried(allowed, &trial);
        assert_ne!(tried.conclusion, Conclusion::Readable, "{trial:?}");
        assert_eq!(tried.remedy, None, "{trial:?}");
    }
}

#[test]
fn a_preflight_is_asked_for_where_browsers_ask() {
    let asks = |trial: &Trial<'_>| tried("cors_allow_origin *;", trial).preflight.is_some();
    for method in ["GET", "HEAD", "POST", "get"] {
        let method = method.as_bytes();
        assert!(!asks(&Trial { method, ..PLAIN }), "{method:?}");
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let method = method.as_bytes();
        assert!(asks(&Trial { method, ..PLAIN }), "{method:?}");
    }
    for (name, does) in [("Accept", false), ("accept-LANGUAGE", false), ("Content-Type", true)] {
        let headers = vec![name.as_bytes()];
        assert_eq!(asks(&Trial { headers, ..PLAIN }), does, "{name}");
    }
}

#[test]
fn methods_are_written_as_browsers_write_them() {
    let configuration = "cors_allow_origin *;\ncors_allow_methods PUT PATCH;";
    let conclusion = |method| tried(configuration, &Trial { method, ..PLAIN }).conclusion;
    assert_eq!(conclusion(b"put"), Conclusion::Readable);
    assert_eq!(
        conclusion(b"patch"),
        Conclusion::NotSent(Some(Reason::Method(b"patch")))
    );
}

#[test]
fn a_request_of_the_server_itself_needs_no_leave() {
    let origin = b"https://api.example";
    let tried = tried(
        "cors_allow_origin https://app.example;",
        &Trial {
            origin,
            method: b"PUT",
            ..PLAIN
        },
    );
    assert_eq!(tried.conclusion, Conclusion::SameOrigin);
    assert!(tried.preflight.is_none());
    assert_eq!(tried.actual.outcome, Outcome::SameOrigin);
}

#[test]
fn the_status_is_told_where_the_policy_chooses_it() {
    let enforced = "cors_allow_origin https://app.example;\ncors_enforce on;\ncors_preflight_status 200;";
    let put = |origin| Trial {
        origin,
        method: b"PUT",
        ..PLAIN
    };
    let statuses = |configuration: &str, trial: &Trial<'_>| {
        let tried = tried(configuration, trial);
        (tried.preflight.unwrap().status, tried.actual.status)
    };
    assert_eq!(statuses(enforced, &put(APP)), (Some(200), None));
    assert_eq!(
        statuses(enforced, &put(b"https://other.example")),
        (Some(403), Some(403))
    );
    let passed = "cors_allow_origin https://app.example;\ncors_allow_methods PUT;\ncors_preflight pass;";
    assert_eq!(statuses(passed, &put(APP)), (None, None));
    assert_eq!(tried(passed, &put(APP)).conclusion, Conclusion::UpToTheApplication);
}
