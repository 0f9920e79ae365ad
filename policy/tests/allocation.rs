//! What a decision and a list cost in memory.
#![allow(clippy::unwrap_used)]
// Memory can only be counted by an allocator, and `GlobalAlloc` is an unsafe trait.
#![allow(unsafe_code)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::iter;

use common::{policy, position, Notation, Surroundings};
use cors_policy::{Block, Directive, Field, Level, Outcome, Policy, Request, Scope, UnusedDirectives, Value, Verdict};

thread_local! {
    /// How often this thread has allocated, and how many bytes it holds.
    static COUNTS: Cell<(u64, usize)> = const { Cell::new((0, 0)) };
}

fn count(allocations: u64, taken: usize, given_back: usize) {
    // Where the thread is ending there is nobody left to tell.
    let _ = COUNTS.try_with(|counts| {
        let (so_far, held) = counts.get();
        // What another thread took may be given back here.
        counts.set((so_far + allocations, held.wrapping_add(taken).wrapping_sub(given_back)));
    });
}

/// The system's allocator, counted.
struct Counting;

// SAFETY: every call is handed on to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, 0, layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size, layout.size());
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `run` allocates.
fn allocations(run: impl FnOnce()) -> u64 {
    let (before, _) = COUNTS.get();
    run();
    COUNTS.get().0 - before
}

const REQUESTED: [&[u8]; 2] = [b"content-type, x-foo,authorization", b"x-bar, not a name"];
const CARRIED: [&[u8]; 3] = [b"Content-Type", b"ETag", b"Set-Cookie"];

/// All that is asked of a policy for a preflight and for an actual request.
fn decide(policy: &Policy, surroundings: &Surroundings<'_>, origin: Field<'_>) -> (Verdict, Outcome, usize) {
    let actual = Request {
        origin,
        request_method: Field::One(b"PUT"),
        fetch_site: Field::One(b"cross-site"),
        ..Request::default()
    };
    let decision = policy.decide(&actual, surroundings);
    let mut bytes = 0;
    let mut take = |value: Value<'_>| match value {
        Value::Bytes(value) => bytes += value.len(),
        Value::Origin | Value::Method | Value::PrivateNetwork => {}
        Value::FromRequest => {
            bytes += policy
                .echoed_headers(REQUESTED.into_iter())
                .map(<[u8]>::len)
                .sum::<usize>()
        }
        Value::FromResponse => {
            bytes += policy
                .exposed_headers(CARRIED.into_iter())
                .map(<[u8]>::len)
                .sum::<usize>()
        }
    };
    let response = policy.response_headers(decision.response_kind()).unwrap();
    response.lines().for_each(|(_, value)| take(value));
    let (mut outcome, reason) = policy.result(&decision, iter::empty());
    black_box(reason);
    let preflight = Request {
        is_options: true,
        ..actual
    };
    let asked = policy.decide(&preflight, surroundings);
    if asked.is_preflight() {
        let response = policy.response_headers(asked.response_kind()).unwrap();
        response.lines().for_each(|(_, value)| take(value));
        bytes += response.vary().names().map(str::len).sum::<usize>();
        let (of_preflight, reason) = policy.result(&asked, REQUESTED.into_iter());
        black_box(reason);
        outcome = of_preflight;
    }
    (decision.verdict(), outcome, bytes)
}

/// Asserts that no request makes a policy with these directives allocate, and that `member` is allowed.
fn assert_decides_in_place(directives: &str, member: &str) {
    assert_decides_in_place_where_variables_hold(b"https://v.example, https://w.example", directives, member);
}

/// The same where every variable has this value.
fn assert_decides_in_place_where_variables_hold(value: &[u8], directives: &str, member: &str) {
    let policy = policy(&format!(
        "cors on;
        cors_allow_methods *;
        cors_allow_headers * Authorization;
        cors_expose_headers *;
        {directives}"
    ));
    let variables = [value];
    let surroundings = Surroundings::with_variables(&variables);
    let mut verdict = None;
    for (origin, is_member) in [
        (Field::One(member.as_bytes()), true),
        (Field::One(b"https://stranger.example.net:8443"), false),
        (Field::One(b"https://api.example"), false),
        (Field::One(b"null"), false),
        (Field::One(b"Not An Origin"), false),
        (Field::Several, false),
        (Field::Absent, false),
    ] {
        let count = allocations(|| verdict = Some(black_box(decide(&policy, &surroundings, origin))));
        assert_eq!(count, 0, "{directives} {origin:?}");
        if is_member {
            let (verdict, _, bytes) = verdict.unwrap();
            assert!(
                matches!(
                    verdict,
                    Verdict::Allowed | Verdict::AllowedWithCredentials | Verdict::Anyone
                ),
                "{directives}"
            );
            assert!(bytes > 0);
        }
    }
}

#[test]
fn exact_origins_are_decided_in_place() {
    for credentials in ["off", "on", "https://a.example"] {
        assert_decides_in_place(
            &format!("cors_allow_origin https://a.example https://b.example;\ncors_allow_credentials {credentials};"),
            "https://a.example",
        );
    }
}

#[test]
fn patterns_are_decided_in_place() {
    assert_decides_in_place(
        "cors_allow_origin https://*.a.example:* https://*.b.example;\ncors_allow_credentials on;",
        "https://x.y.a.example:8443",
    );
}

#[test]
fn regular_expressions_are_decided_in_place() {
    assert_decides_in_place(
        r"cors_allow_origin ~https://[a-z]+\.a\.example ~https://[a-z]+\.b\.example;",
        "https://x.b.example",
    );
}

#[test]
fn everyone_is_decided_in_place() {
    assert_decides_in_place("cors_allow_origin *;", "https://a.example");
    assert_decides_in_place(
        "cors_allow_origin *;\ncors_allow_credentials https://a.example;",
        "https://a.example",
    );
    assert_decides_in_place(
        "cors_allow_origin *;\ncors_allow_credentials on;\ncors_unsafe any_origin_credentials;",
        "https://a.example",
    );
}

#[test]
fn variables_are_decided_in_place() {
    assert_decides_in_place(
        "cors_allow_origin $origins;\ncors_allow_credentials on;",
        "https://w.example",
    );
    let list =
        b"null https://a.example:8443, capacitor://localhost https://*.example.com https://pr-*-web.example.org:*";
    for member in ["https://a.b.example.com", "https://pr-1-web.example.org:8443"] {
        assert_decides_in_place_where_variables_hold(list, "cors_allow_origin $origins;", member);
    }
}

/// What is wrong in a value is found out when a request comes, but not what was meant by it.
#[test]
fn wrong_parts_of_variables_cost_little() {
    let policy = policy("cors on;\ncors_allow_origin $origins;");
    for part in [
        "https://a.*.b.example",
        "https://a.example/path",
        "nonsense",
        "https://É!.example",
    ] {
        let parts = 8_192 / part.len();
        let value = [part].repeat(parts).join(",");
        let variables = [value.as_bytes()];
        let surroundings = Surroundings::with_variables(&variables);
        let request = Request {
            origin: Field::One(b"https://a.example"),
            ..Request::default()
        };
        let count = allocations(|| assert_eq!(policy.decide(&request, &surroundings).verdict(), Verdict::Denied));
        assert!(count < 25 * parts as u64, "{part}: {count} for {parts}");
    }
}

/// An automaton too large for a table is simulated. The simulation takes its stack with the first request, and keeps it.
#[test]
fn a_regular_expression_without_a_table_allocates_no_more_than_once() {
    let member = format!("https://a{}b.example", "x".repeat(40));
    let policy = policy(
        "cors on;
        cors_allow_origin ~https://.*a.{40}b\\.example;
        cors_unsafe broad_regex;",
    );
    let surroundings = Surroundings::with_variables(&[]);
    let (verdict, ..) = decide(&policy, &surroundings, Field::One(member.as_bytes()));
    assert!(matches!(verdict, Verdict::Allowed | Verdict::AllowedWithCredentials));
    let aaa = format!("https://{}.example", "a".repeat(400));
    for origin in [
        &member,
        &aaa,
        "https://stranger.example.net:8443",
        "null",
        "Not An Origin",
    ] {
        let count = allocations(|| {
            black_box(decide(&policy, &surroundings, Field::One(origin.as_bytes())));
        });
        assert_eq!(count, 0, "{origin}");
    }
}

/// Reading a million takes long where nothing is optimised; a fourth of them fills the table exactly as densely.
#[test]
fn a_million_origins_take_less_than_150_bytes_each() {
    const ORIGINS: usize = if cfg!(debug_assertions) { 250_000 } else { 1_000_000 };
    let at = position(1);
    let mut notation = Notation::default();
    let (_, before) = COUNTS.get();
    let mut level = Level::default();
    assert!(level.read(Directive::Cors, &[b"on"], &at, &mut notation).is_empty());
    for n in 0..ORIGINS {
        let origin = format!("https://tenant-{n}.customers.example.com");
        let problems = level.read(Directive::AllowOrigin, &[origin.as_bytes()], &at, &mut notation);
        assert!(problems.is_empty());
    }
    let (scope, problems) = level.inherit(&Scope::default(), Block::Http, &mut UnusedDirectives::default());
    assert!(problems.is_empty());
    let (_, after) = COUNTS.get();
    let each = after.wrapping_sub(before) / ORIGINS;
    assert!(each < 150, "{each} bytes each");

    let surroundings = Surroundings::with_variables(&[]);
    for (origin, allowed) in [
        (&b"https://tenant-0.customers.example.com"[..], true),
        (b"https://tenant-249999.customers.example.com", true),
        (b"https://tenant-1000000.customers.example.com", false),
    ] {
        let (verdict, ..) = decide(scope.policy(), &surroundings, Field::One(origin));
        assert_eq!(
            matches!(verdict, Verdict::Allowed | Verdict::AllowedWithCredentials),
            allowed
        );
    }
}
