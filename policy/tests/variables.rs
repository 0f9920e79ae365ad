//! What a text with variables holds for a request: the syntax of `cors_allow_origin`, and what of it is ignored.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{policy, sent, Configuration, Surroundings};
use cors_policy::{Field, Request, Severity, Verdict};

/// The policy with these directives beside `cors_allow_origin $origins`, where the variable holds `value`: its verdict on
/// `origin`, and what it says of what it has ignored.
fn judged(directives: &str, value: &str, origin: &str) -> (Verdict, Vec<String>) {
    let read = Configuration::read(&format!("cors on;\ncors_allow_origin $origins;\n{directives}"));
    let is_refused = read.problems.iter().any(|problem| problem.severity == Severity::Error);
    assert!(!is_refused, "{:?}", read.told());
    let variables = [value.as_bytes()];
    let surroundings = Surroundings::with_variables(&variables);
    let request = Request {
        origin: Field::One(origin.as_bytes()),
        ..Request::default()
    };
    let verdict = read.policy("http").decide(&request, &surroundings).verdict();
    let ignored = surroundings.ignored.into_inner();
    (verdict, ignored.into_iter().map(|(_, text)| text).collect())
}

/// Whether `origin` is admitted, and nothing ignored.
fn admits(value: &str, origin: &str) -> bool {
    let (verdict, ignored) = judged("", value, origin);
    assert!(ignored.is_empty(), "{ignored:?}");
    verdict == Verdict::Allowed
}

const CREDENTIALS: &str = "cors_allow_credentials on;";

#[test]
fn a_list_is_separated_by_commas_or_spaces() {
    for list in [
        "https://a.example https://b.example",
        "https://a.example,https://b.example",
        " ,, https://a.example ,  https://b.example,",
    ] {
        assert!(
            admits(list, "https://a.example") && admits(list, "https://b.example"),
            "{list}"
        );
        assert!(!admits(list, "https://c.example") && !admits(list, list), "{list}");
    }
    assert!(!admits("", "https://a.example") && !admits(" ", ""));
}

#[test]
fn patterns_cover_what_they_cover_in_the_directive() {
    let list = "https://*.example.com, https://pr-*-web.example.org:* chrome-extension://*";
    for origin in [
        "https://a.b.example.com",
        "https://pr-1-web.example.org",
        "https://pr-1-web.example.org:8443",
        "chrome-extension://abcdef",
    ] {
        assert!(admits(list, origin), "{origin}");
    }
    for origin in [
        "https://example.com",
        "https://a.example.com:8443",
        "https://pr-1.example.org",
        "moz-extension://abcdef",
        "https://*.example.com",
    ] {
        assert!(!admits(list, origin), "{origin}");
    }
}

#[test]
fn values_are_normalised_to_what_browsers_send() {
    let list = "HTTPS://A.Example:443 https://bücher.example https://*.BÜCHER.example https://PR-*.Example.com";
    for origin in [
        "https://a.example",
        "https://xn--bcher-kva.example",
        "https://a.xn--bcher-kva.example",
        "https://pr-1.example.com",
    ] {
        assert!(admits(list, origin), "{origin}");
    }
}

#[test]
fn null_and_files_are_values_of_their_own() {
    assert!(admits("https://a.example null", "null"));
    assert!(admits("file://", "file://"));
    assert!(!admits("https://a.example", "null") && !admits("null", "file://"));
}

#[test]
fn a_star_is_everyone_without_credentials() {
    let is_anyone = |directives, value, origin| judged(directives, value, origin) == (Verdict::Anyone, Vec::new());
    assert!(is_anyone("", "*", "https://a.example"));
    assert!(is_anyone("", "https://b.example, *", "no origin at all"));
    let trusted = "cors_allow_credentials https://a.example;";
    assert!(is_anyone(trusted, "*", "https://b.example"));
    assert_eq!(
        judged(trusted, "*", "https://a.example").0,
        Verdict::AllowedWithCredentials
    );
}

#[test]
fn a_star_with_credentials_needs_leave() {
    assert_eq!(
        judged(CREDENTIALS, "*", "https://a.example"),
        (
            Verdict::Denied,
            vec!["\"*\": with credentials it needs \"cors_unsafe any_origin_credentials\"".to_owned()]
        )
    );
    let permitted = "cors_allow_credentials on;\ncors_unsafe any_origin_credentials;";
    let verdict = |origin| judged(permitted, "*", origin);
    assert_eq!(
        verdict("https://a.example"),
        (Verdict::AllowedWithCredentials, Vec::new())
    );
    assert_eq!(verdict("null"), (Verdict::Allowed, Vec::new()));
    assert_eq!(verdict("no origin at all"), (Verdict::Denied, Vec::new()));
}

#[test]
fn the_answer_under_a_star_says_that_it_may_differ() {
    let policy = policy("cors on;\ncors_allow_origin $origins;");
    let surroundings = Surroundings::with_variables(&[b"*"]);
    let answer = |origin| {
        let request = Request {
            origin,
            ..Request::default()
        };
        sent(&policy, &policy.decide(&request, &surroundings), &[], &[])
    };
    let vary = ("Vary", "Origin".to_owned());
    let star = ("Access-Control-Allow-Origin", "*".to_owned());
    assert_eq!(answer(Field::One(b"https://a.example")), [star.clone(), vary.clone()]);
    assert_eq!(answer(Field::Several), [star, vary.clone()]);
    assert_eq!(answer(Field::Absent), [vary]);
}

/// Of what `nginx -t` would have refused, each kind is named with the part of the value that is ignored.
#[test]
fn what_cors_unsafe_does_not_permit_is_ignored() {
    for (value, origin, option) in [
        ("http://a.example", "http://a.example", "insecure_origins"),
        ("http://*.a.example", "http://b.a.example", "insecure_origins"),
        ("null", "null", "null_origin"),
        ("file://", "file://", "null_origin"),
        ("app://*", "app://a", "any_origin_credentials"),
    ] {
        let told = format!("\"{value}\": with credentials it needs \"cors_unsafe {option}\"");
        assert_eq!(judged(CREDENTIALS, value, origin), (Verdict::Denied, vec![told]));
        let permitted = format!("{CREDENTIALS}\ncors_unsafe {option};");
        let verdict = Verdict::AllowedWithCredentials;
        assert_eq!(judged(&permitted, value, origin), (verdict, Vec::new()), "{value}");
        assert!(admits(value, origin), "{value}");
    }
    for (value, origin) in [
        ("https://*.github.io", "https://a.github.io"),
        ("https://*--shop.netlify.app", "https://a--shop.netlify.app"),
        ("https://*.amazonaws.com", "https://a.amazonaws.com"),
    ] {
        let told = format!("\"{value}\": it needs \"cors_unsafe public_suffixes\"");
        assert_eq!(judged("", value, origin), (Verdict::Denied, vec![told]));
        let permitted = "cors_unsafe public_suffixes;";
        assert_eq!(judged(permitted, value, origin), (Verdict::Allowed, Vec::new()));
    }
}

#[test]
fn what_is_ignored_does_not_hide_what_follows() {
    let list = "https://*.com nonsense ~https://.* https://a.example.com";
    let (verdict, ignored) = judged("", list, "https://b.example.com");
    assert_eq!(verdict, Verdict::Denied);
    assert_eq!(
        ignored,
        [
            "\"https://*.com\": it needs \"cors_unsafe public_suffixes\"",
            "\"nonsense\": it is no origin",
            "\"~https://.*\": a variable holds no regular expressions; use one in a \"map\"",
        ]
    );
    assert_eq!(judged("", list, "https://a.example.com").0, Verdict::Allowed);
}

#[test]
fn what_names_no_origin_is_ignored() {
    for value in [
        "a.example",
        "https://a.example/",
        "https://a!b.example",
        "https://*",
        "https://a.*.example",
        "on",
    ] {
        let told = vec![format!("\"{value}\": it is no origin")];
        for origin in ["https://a.example", value] {
            assert_eq!(judged("", value, origin), (Verdict::Denied, told.clone()));
        }
    }
}

#[test]
fn a_value_with_a_control_character_is_ignored_as_a_whole() {
    let (verdict, ignored) = judged("", "https://a.example\n https://b.example", "https://b.example");
    assert_eq!(verdict, Verdict::Denied);
    assert_eq!(
        ignored,
        ["\"https://a.example\\n https://b.example\": it holds a control character"]
    );
}

#[test]
fn a_long_part_is_cut_where_it_is_told() {
    let (_, ignored) = judged("", &"a".repeat(5_000), "https://a.example");
    assert!(ignored[0].len() < 300 && ignored[0].contains("aaa...\""), "{ignored:?}");
}
