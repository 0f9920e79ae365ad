//! Lists that change while the server runs, as policies use them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{told, Configuration, Surroundings};
use cors_policy::{Directive, Field, ListRisks, Policy, Request, SimulatedRequest, Verdict};

const APP: &[u8] = b"https://app.example.com";
const TENANT: &[u8] = b"https://tenant.example";

fn in_location(directives: &str) -> Configuration {
    Configuration::read(&format!(
        "server a {{\nlocation / {{\ncors on;\n{}\n}}\n}}",
        directives.trim_end().replace("; ", ";\n")
    ))
}

/// The verdict on an origin, where the lists have these entries.
fn verdict(policy: &Policy, origin: &[u8], listed: &[(usize, &[u8], ListRisks)]) -> Verdict {
    let request = Request {
        origin: Field::One(origin),
        ..Request::default()
    };
    policy.decide(&request, &Surroundings::with_listed(listed)).verdict()
}

const NOTHING: ListRisks = ListRisks::NONE;

#[test]
fn a_list_stands_beside_other_entries() {
    let read = in_location("cors_allow_origin https://app.example.com @tenants @partners;");
    assert_eq!(read.told(), [""; 0]);
    let policy = read.policy("location /");
    let listed: &[(usize, &[u8], ListRisks)] = &[(0, TENANT, NOTHING), (1, b"https://partner.example", NOTHING)];
    for origin in [APP, TENANT, b"https://partner.example"] {
        assert_eq!(verdict(policy, origin, listed), Verdict::Allowed);
    }
    assert_eq!(verdict(policy, b"https://stranger.example", listed), Verdict::Denied);
    assert_eq!(verdict(policy, TENANT, &[]), Verdict::Denied);
}

#[test]
fn the_answer_varies_by_origin_even_if_the_list_is_empty() {
    let read = in_location("cors_allow_origin @tenants;");
    let policy = read.policy("location /");
    let decision = policy.decide(&Request::default(), &Surroundings::with_listed(&[]));
    let headers = policy.response_headers(decision.response_kind()).unwrap();
    assert_eq!(headers.vary_line(), "Origin");
}

#[test]
fn credentials_are_for_those_in_the_list_that_names_them() {
    let read = in_location("cors_allow_origin @tenants; cors_allow_credentials @trusted;");
    assert_eq!(read.told(), [""; 0]);
    let policy = read.policy("location /");
    let listed: &[(usize, &[u8], ListRisks)] = &[(0, APP, NOTHING), (0, TENANT, NOTHING), (1, TENANT, NOTHING)];
    assert_eq!(verdict(policy, APP, listed), Verdict::Allowed);
    assert_eq!(verdict(policy, TENANT, listed), Verdict::AllowedWithCredentials);
    // Who gets credentials is not allowed for that.
    assert_eq!(verdict(policy, APP, &[(1, APP, NOTHING)]), Verdict::Denied);
}

#[test]
fn credentials_of_a_list_may_stand_beside_a_star() {
    let read = in_location("cors_allow_origin *; cors_allow_credentials @trusted;");
    assert_eq!(read.told(), [""; 0]);
    let policy = read.policy("location /");
    assert_eq!(
        verdict(policy, APP, &[(0, APP, NOTHING)]),
        Verdict::AllowedWithCredentials
    );
    assert_eq!(verdict(policy, APP, &[]), Verdict::Anyone);
}

#[test]
fn entries_that_need_cors_unsafe_are_ignored_without_it() {
    let all = [
        (ListRisks::INSECURE, "insecure_origins"),
        (ListRisks::SHARED_NAME, "public_suffixes"),
        (ListRisks::ANY_HOST, "any_origin_credentials"),
        (ListRisks::FILE, "null_origin"),
    ];
    for (risk, option) in all {
        assert_eq!(risk.option(), option);
        let listed: &[(usize, &[u8], ListRisks)] = &[(0, TENANT, risk), (1, TENANT, risk)];
        let of = |directives: &str| verdict(in_location(directives).policy("location /"), TENANT, listed);
        let is_shared = risk == ListRisks::SHARED_NAME;
        let without_credentials = if is_shared { Verdict::Denied } else { Verdict::Allowed };
        assert_eq!(of("cors_allow_origin @a;"), without_credentials, "{option}");
        assert_eq!(
            of("cors_allow_origin @a; cors_allow_credentials on;"),
            Verdict::Denied,
            "{option}"
        );
        let both = "cors_allow_origin @a; cors_allow_credentials @b;";
        assert_eq!(of(both), without_credentials, "{option}");
        let permitted = format!("cors_unsafe {option}; cors_allow_origin @a; cors_allow_credentials");
        assert_eq!(
            of(&format!("{permitted} on;")),
            Verdict::AllowedWithCredentials,
            "{option}"
        );
        assert_eq!(
            of(&format!("{permitted} @b;")),
            Verdict::AllowedWithCredentials,
            "{option}"
        );
    }
}

#[test]
fn what_is_ignored_is_known_for_each_directive_that_names_a_list() {
    let read = in_location("cors_allow_origin @a @b; cors_allow_credentials @a; cors_unsafe null_origin;");
    let uses = |used: &cors_policy::ListUse<'_>| (used.list.name().to_owned(), used.directive, used.at.line);
    let policy = read.policy("location /");
    let found: Vec<_> = policy.live_lists().map(|used| uses(&used)).collect();
    assert_eq!(
        found,
        [
            ("a".to_owned(), Directive::AllowOrigin, 4),
            ("b".to_owned(), Directive::AllowOrigin, 4),
            ("a".to_owned(), Directive::AllowCredentials, 5),
        ]
    );
    let ignored: Vec<_> = policy.live_lists().map(|used| used.ignored).collect();
    let with_credentials = ListRisks::SHARED_NAME | ListRisks::INSECURE | ListRisks::ANY_HOST;
    assert_eq!(
        ignored,
        [ListRisks::SHARED_NAME, ListRisks::SHARED_NAME, with_credentials]
    );
}

#[test]
fn what_is_wrong_with_the_name_of_a_list_is_told() {
    let told = |directives: &str| in_location(directives).told();
    assert_eq!(
        told("cors_allow_origin @;"),
        ["error: \"cors_allow_origin\" has the value \"@\": the name of a list consists of letters, digits and \"_\", \"-\", \".\"; write the name that its directive has in nginx.conf:4"]
    );
    assert_eq!(
        told("cors_allow_origin @a; cors_allow_credentials @a @a;"),
        ["warning: \"cors_allow_credentials\" has the value \"@a\": it is listed already; remove one in nginx.conf:5"]
    );
    let beside = told("cors_allow_origin @a *;");
    assert!(
        beside[0].contains("\"*\" admits every origin and cannot stand beside others"),
        "{beside:?}"
    );
    let beside = told("cors_allow_origin *; cors_allow_origin @a;");
    assert!(
        beside[0].contains("\"*\" admits every origin and cannot stand beside others"),
        "{beside:?}"
    );
}

#[test]
fn no_origin_is_said_to_lack_permission_while_a_list_may_give_it() {
    let text = "cors_allow_origin @a; cors_allow_credentials https://app.example.com;";
    assert_eq!(in_location(text).told(), [""; 0]);
    let text = "cors_allow_origin https://app.example.com; cors_allow_credentials @a ~https://x\\.example;";
    assert_eq!(in_location(text).told(), [""; 0]);
    assert_eq!(told("cors_allow_origin @a;").len(), 1); // without `cors on`
}

fn remedy(directives: &str) -> (Option<String>, String) {
    let read = in_location(directives);
    let request = SimulatedRequest {
        origin: APP,
        method: b"GET",
        headers: Vec::new(),
        credentials: true,
    };
    let listed: &[(usize, &[u8], ListRisks)] = &[(1, APP, NOTHING)];
    let explanation = read
        .policy("location /")
        .simulate(&request, &Surroundings::with_listed(listed), None);
    let remedy = explanation.remedy.expect("a remedy");
    (remedy.line, remedy.advice)
}

#[test]
fn where_a_list_decides_its_file_is_what_to_change() {
    assert_eq!(
        remedy("cors_allow_origin @tenants;"),
        (
            None,
            "the list \"tenants\" decides, which is in \"cors_allow_origin\" at nginx.conf:4: add \"https://app.example.com\" to its file /lists/tenants"
                .to_owned()
        )
    );
    assert_eq!(
        remedy("cors_allow_origin @keyed;").1,
        "the list \"keyed\" decides, which is in \"cors_allow_origin\" at nginx.conf:4: add \"https://app.example.com\" to its file /lists/keyed, on a line that begins with the value of \"$host\""
    );
    assert_eq!(
        remedy("cors_allow_origin @none @tenants; cors_allow_credentials @none;").1,
        "the list \"none\" decides, which is in \"cors_allow_credentials\" at nginx.conf:5: add \"https://app.example.com\" to its file /lists/none"
    );
}

#[test]
fn where_other_entries_stand_beside_a_list_the_directive_is_what_to_change() {
    assert_eq!(
        remedy("cors_allow_origin https://one.example @tenants;").0.unwrap(),
        "cors_allow_origin https://one.example @tenants https://app.example.com;"
    );
}
