//! What is said about a request that nobody has sent.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{policy, Surroundings};
use cors_policy::{BrowserOutcome, Explanation, HeaderName, NotRun, Outcome, Reason, SimulatedRequest};

const APP: &[u8] = b"https://app.example";

const PLAIN: SimulatedRequest<'static> = SimulatedRequest {
    origin: APP,
    method: b"GET",
    headers: Vec::new(),
    credentials: false,
};

/// What becomes of the simulated under a policy; it is shown with the names and values of all headers.
fn tried<'r>(configuration: &str, simulated: &SimulatedRequest<'r>) -> Explanation<'r> {
    policy(&format!("cors on;\n{configuration}")).simulate(simulated, &Surroundings::with_variables(&[]), None)
}

fn remedy(configuration: &str, simulated: &SimulatedRequest<'_>) -> Option<String> {
    tried(configuration, simulated).remedy?.line
}

#[test]
fn the_directive_that_would_admit_the_request_is_named() {
    let allowed = "cors_allow_origin https://app.example;";
    for (configuration, simulated, remedy_is) in [
        ("", PLAIN, "cors_allow_origin https://app.example;"),
        (
            "cors_allow_origin https://other.example;",
            PLAIN,
            "cors_allow_origin https://other.example https://app.example;",
        ),
        (
            allowed,
            SimulatedRequest {
                method: b"PATCH",
                ..PLAIN
            },
            "cors_allow_methods PATCH;",
        ),
        (
            allowed,
            SimulatedRequest {
                headers: vec![b"X-One"],
                ..PLAIN
            },
            "cors_allow_headers X-One;",
        ),
        (
            allowed,
            SimulatedRequest {
                credentials: true,
                ..PLAIN
            },
            "cors_allow_credentials https://app.example;",
        ),
        (
            "cors_allow_origin *;",
            SimulatedRequest {
                credentials: true,
                ..PLAIN
            },
            "cors_allow_credentials https://app.example;",
        ),
    ] {
        assert_eq!(
            remedy(configuration, &simulated).as_deref(),
            Some(remedy_is),
            "{configuration}"
        );
        let replaced = remedy_is.split(' ').next().unwrap();
        let rest = configuration.lines().filter(|line| !line.starts_with(replaced));
        let mended = rest.chain([remedy_is]).collect::<Vec<_>>().join("\n");
        assert_eq!(
            tried(&mended, &simulated).in_browser,
            BrowserOutcome::Readable,
            "{configuration}"
        );
    }
}

#[test]
fn what_cannot_be_copied_into_a_configuration_is_no_remedy() {
    let allowed = "cors_allow_origin https://app.example;";
    for simulated in [
        SimulatedRequest {
            origin: b"https://a;b.example",
            ..PLAIN
        },
        SimulatedRequest { origin: b"", ..PLAIN },
        SimulatedRequest { method: b"", ..PLAIN },
        SimulatedRequest {
            method: b"PUT; cors off",
            ..PLAIN
        },
        SimulatedRequest {
            headers: vec![b"X-{One}"],
            ..PLAIN
        },
    ] {
        let tried = tried(allowed, &simulated);
        assert_ne!(tried.in_browser, BrowserOutcome::Readable, "{simulated:?}");
        assert_eq!(tried.remedy, None, "{simulated:?}");
    }
}

#[test]
fn a_preflight_is_asked_for_where_browsers_ask() {
    let asks = |simulated: &SimulatedRequest<'_>| tried("cors_allow_origin *;", simulated).preflight.is_some();
    for method in ["GET", "HEAD", "POST", "get"] {
        let method = method.as_bytes();
        assert!(!asks(&SimulatedRequest { method, ..PLAIN }), "{method:?}");
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let method = method.as_bytes();
        assert!(asks(&SimulatedRequest { method, ..PLAIN }), "{method:?}");
    }
    for (name, does) in [("Accept", false), ("accept-LANGUAGE", false), ("Content-Type", true)] {
        let headers = vec![name.as_bytes()];
        assert_eq!(asks(&SimulatedRequest { headers, ..PLAIN }), does, "{name}");
    }
}

#[test]
fn methods_are_written_as_browsers_write_them() {
    let configuration = "cors_allow_origin *;\ncors_allow_methods PUT PATCH;";
    let in_browser = |method| tried(configuration, &SimulatedRequest { method, ..PLAIN }).in_browser;
    assert_eq!(in_browser(b"put"), BrowserOutcome::Readable);
    assert_eq!(
        in_browser(b"patch"),
        BrowserOutcome::NotSent(Some(Reason::Method(b"patch")))
    );
}

#[test]
fn a_request_of_the_server_itself_needs_no_leave() {
    let origin = b"https://api.example";
    let tried = tried(
        "cors_allow_origin https://app.example;",
        &SimulatedRequest {
            origin,
            method: b"PUT",
            ..PLAIN
        },
    );
    assert_eq!(tried.in_browser, BrowserOutcome::SameOrigin);
    assert!(tried.preflight.is_none());
    assert_eq!(tried.actual.outcome, Outcome::SameOrigin);
}

#[test]
fn the_status_is_told_where_the_policy_chooses_it() {
    let enforced = "cors_allow_origin https://app.example;\ncors_enforce on;\ncors_preflight_status 200;";
    let put = |origin| SimulatedRequest {
        origin,
        method: b"PUT",
        ..PLAIN
    };
    let statuses = |configuration: &str, simulated: &SimulatedRequest<'_>| {
        let tried = tried(configuration, simulated);
        (tried.preflight.unwrap().status, tried.actual.status)
    };
    assert_eq!(statuses(enforced, &put(APP)), (Some(200), None));
    assert_eq!(
        statuses(enforced, &put(b"https://other.example")),
        (Some(403), Some(403))
    );
    let passed = "cors_allow_origin https://app.example;\ncors_allow_methods PUT;\ncors_preflight pass;";
    assert_eq!(statuses(passed, &put(APP)), (None, None));
    assert_eq!(tried(passed, &put(APP)).in_browser, BrowserOutcome::UpToTheApplication);
}

/// What becomes of a request of a location, in a server with a policy of its own.
fn tried_in<'r>(server: &str, location: &str, simulated: &SimulatedRequest<'r>) -> Explanation<'r> {
    let [server, location] = [server, location].map(|configuration| policy(&format!("cors on;\n{configuration}")));
    let surroundings = Surroundings::with_variables(&[]);
    location.simulate(simulated, &surroundings, Some((&server, &surroundings)))
}

const PUT: SimulatedRequest<'static> = SimulatedRequest {
    origin: APP,
    method: b"PUT",
    headers: Vec::new(),
    credentials: false,
};

#[test]
fn a_server_that_answers_early_decides_about_preflights() {
    let location = "cors_allow_origin https://app.example;\ncors_allow_methods PUT;";
    let server = "cors_allow_origin https://app.example;\ncors_preflight early;";
    let tried = tried_in(server, location, &PUT);
    assert_eq!(tried.in_browser, BrowserOutcome::NotSent(Some(Reason::Method(b"PUT"))));
    assert_eq!(tried.actual.outcome, Outcome::Allowed);
    let preflight = tried.preflight.unwrap();
    assert!(preflight.is_early && preflight.not_run.is_empty());

    let mended = format!("{server}\ncors_allow_methods PUT;");
    assert_eq!(tried_in(&mended, location, &PUT).in_browser, BrowserOutcome::Readable);
}

#[test]
fn a_server_that_does_not_answer_has_no_say() {
    let location = "cors_allow_origin https://app.example;\ncors_allow_methods PUT;";
    for server in [
        "cors_allow_origin https://other.example;",
        "cors_allow_origin https://other.example;\ncors_preflight early;\ncors_dry_run on;",
    ] {
        let tried = tried_in(server, location, &PUT);
        assert_eq!(tried.in_browser, BrowserOutcome::Readable, "{server}");
        assert!(!tried.preflight.unwrap().is_early, "{server}");
    }
}

#[test]
fn credentials_have_to_be_allowed_by_whoever_answers_the_preflight() {
    let location = "cors_allow_origin https://app.example;\ncors_allow_methods PUT;\ncors_allow_credentials on;";
    let server = "cors_allow_origin https://app.example;\ncors_allow_methods PUT;\ncors_preflight early;";
    let credentials = SimulatedRequest {
        credentials: true,
        ..PUT
    };
    let tried = tried_in(server, location, &credentials);
    assert_eq!(tried.in_browser, BrowserOutcome::NoCredentials);
    assert_eq!(
        tried.remedy.unwrap().line.as_deref(),
        Some("cors_allow_credentials https://app.example;")
    );
}

#[test]
fn it_is_told_what_may_give_another_response() {
    use NotRun::{Application, Authentication, Limits, Location, Server};
    let not_run = |more: &str| {
        let tried = tried(&format!("cors_allow_origin https://app.example;\n{more}"), &PUT);
        (tried.preflight.unwrap().not_run, tried.actual.not_run)
    };
    assert_eq!(not_run(""), (vec![Server, Location, Limits], vec![Server, Location]));
    assert_eq!(not_run("cors_preflight early;").0, [Server]);
    assert_eq!(
        not_run("cors_preflight pass;").0,
        [Server, Location, Limits, Authentication, Application]
    );
    assert_eq!(not_run("cors_enforce on;").1, [Server, Location, Limits]);
    assert_eq!(not_run("cors_override off;").1, [Server, Location, Application]);
}

#[test]
fn headers_are_echoed_as_browsers_write_them() {
    let configuration = "cors_allow_origin https://app.example;\ncors_allow_credentials on;\ncors_allow_headers *;";
    let headers = vec![&b"X-Two"[..], b"x-one", b"Accept"];
    let preflight = tried(configuration, &SimulatedRequest { headers, ..PLAIN })
        .preflight
        .unwrap();
    let echoed = preflight
        .headers
        .iter()
        .find(|(name, _)| *name == HeaderName::AllowHeaders);
    assert_eq!(echoed.unwrap().1, b"x-one,x-two");
}
