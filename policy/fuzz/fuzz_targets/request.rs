//! Arbitrary request headers against rich policies: nothing panics, and no answer breaks the protocol's rules.
//!
//! The lines of the input are: the policy's number and the variable's value, `Origin`, `Sec-Fetch-Site`,
//! `Access-Control-Request-Method`, and any number of `Access-Control-Request-Headers`.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;

use std::iter;
use std::rc::Rc;

use common::{policy, sent, Surroundings};
use cors_policy::{Field, Outcome, Policy, Request, Verdict};
use libfuzzer_sys::fuzz_target;

const LISTS: &str = r"
    cors on;
    cors_allow_methods GET PUT *;
    cors_allow_headers Content-Type Authorization *;
    cors_expose_headers *;
    cors_max_age 2h;
    cors_unsafe any_origin_credentials insecure_origins null_origin;
";

const ORIGINS: [&str; 4] = [
    r"
    cors_allow_origin https://a.example http://localhost:3000 https://*.example.com https://*.b.example:* null;
    cors_allow_origin https://pr-*-web.example.org:* https://*--b.example.org app://* file://;
    cors_allow_origin ~https://[a-z]+\.c\.example ~https://d\.example|https://e\.example $origins;
    cors_allow_credentials on;
    ",
    r"
    cors_allow_origin https://a.example https://*.example.com:* $origins ~https://[a-z]+\.c\.example;
    cors_allow_credentials https://a.example https://*.b.example.com;
    ",
    "
    cors_allow_origin *;
    cors_allow_credentials https://*.example.com null;
    ",
    "
    cors_allow_origin *;
    cors_allow_credentials on;
    ",
];

fn is_token(bytes: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_tchar)
}

fn check(policy: &Policy, origin: Field<'_>, verdict: Verdict, lines: &[(&'static str, String)]) {
    let value = |wanted| {
        lines
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.as_str())
    };
    for (index, (name, value)) in lines.iter().enumerate() {
        assert!(!lines[..index].iter().any(|(other, _)| other == name), "{lines:?}");
        assert!(!value.bytes().any(|byte| byte.is_ascii_control()), "{lines:?}");
    }
    let credentials = value("Access-Control-Allow-Credentials");
    match (value("Access-Control-Allow-Origin"), origin) {
        (Some("*"), _) => assert_eq!((credentials, verdict), (None, Verdict::Anyone)),
        (Some(allowed), Field::One(origin)) => {
            assert_eq!(allowed.as_bytes(), origin);
            assert!(matches!(verdict, Verdict::Allowed | Verdict::AllowedWithCredentials));
            assert!(matches!(credentials, None | Some("true")));
        }
        (Some(_), _) => panic!("an origin that the request does not have: {lines:?}"),
        (None, _) => assert!(lines.iter().all(|(name, _)| *name == "Vary"), "{lines:?}"),
    }
    // All of these policies tell origins apart.
    assert!(value("Vary").is_some_and(|vary| vary.split(", ").any(|name| name == "Origin")));
}

thread_local! {
    static POLICIES: Vec<Rc<Policy>> = ORIGINS.iter().map(|origins| policy(&format!("{LISTS}{origins}"))).collect();
}

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|byte| *byte == b'\n');
    let (number, variable) = lines.next().and_then(<[u8]>::split_first).unwrap_or((&0, &[]));
    let mut request = Request::default();
    for field in [
        &mut request.origin,
        &mut request.fetch_site,
        &mut request.request_method,
    ] {
        // A line that ends with a carriage return is sent twice.
        match lines.next().map(|line| (line, line.strip_suffix(b"\r"))) {
            Some((_, Some(line))) => [line, line].into_iter().for_each(|line| field.add(line)),
            Some((line, None)) => field.add(line),
            None => {}
        }
    }
    let requested: Vec<_> = lines.collect();
    POLICIES.with(|policies| {
        let policy = &policies[usize::from(*number) % policies.len()];
        let variables = [variable];
        let surroundings = Surroundings::with_variables(&variables);
        let decision = policy.decide(&request, &surroundings);

        let carried: [&[u8]; 3] = [b"ETag", b"Set-Cookie", variable];
        let carried: Vec<_> = carried
            .into_iter()
            .filter(|name| std::str::from_utf8(name).is_ok())
            .collect();
        let response = sent(policy, &decision, &[], &carried);
        check(policy, request.origin, decision.verdict(), &response);
        let (outcome, reason) = policy.result(&decision, iter::empty());
        let has_headers = response.iter().any(|(name, _)| *name == "Access-Control-Allow-Origin");
        assert_eq!(outcome == Outcome::Allowed, has_headers);
        let reason = reason.map(|reason| reason.to_string()).unwrap_or_default();
        assert!(reason.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{reason:?}");

        request.is_options = true;
        let decision = policy.decide(&request, &surroundings);
        if !decision.is_preflight() {
            return;
        }
        let answer = sent(policy, &decision, &requested, &[]);
        check(policy, request.origin, decision.verdict(), &answer);
        let (outcome, reason) = policy.result(&decision, requested.iter().copied());
        assert_eq!(
            reason.is_none(),
            outcome == Outcome::Allowed || outcome == Outcome::SameOrigin
        );
        let reason = reason.map(|reason| reason.to_string()).unwrap_or_default();
        assert!(reason.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{reason:?}");
        assert!(policy.echoed_headers(requested.iter().copied()).all(is_token));
    });
});
