//! Arbitrary values for every directive: nothing panics, and what is told can be shown on a line of a log.
//!
//! Each line of the input is a directive: a byte that picks it, then its values with spaces between them. A line
//! `}` begins an inner level.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;

use common::{position, sent, Notation, Surroundings};
use cors_policy::{Block, Directive, Field, Level, Policy, Problem, Request, Scope, UnusedDirectives};
use libfuzzer_sys::{fuzz_target, Corpus};

/// Longer messages would be cut by the server's log, which has 2048 bytes for a line.
const LONGEST: usize = 1_900;

fn assert_can_be_logged(problems: &[Problem]) {
    for problem in problems {
        let text = problem.to_string();
        assert!(!text.is_empty());
        assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
        assert!(text.len() < LONGEST, "{} bytes: {text:?}", text.len());
    }
}

fn try_out(policy: &Policy) {
    let surroundings = Surroundings::with_variables(&[b"https://a.example, null"]);
    for origin in [
        &b"https://a.example"[..],
        b"null",
        b"http://x.y.example:8443",
        b"",
        b"\xff",
    ] {
        for is_options in [false, true] {
            let request = Request {
                is_options,
                origin: Field::One(origin),
                request_method: Field::One(b"PUT"),
                ..Request::default()
            };
            let decision = policy.decide(&request, &surroundings);
            policy.result(&decision, [&b"x-foo"[..]].into_iter());
            if policy.is_on() {
                sent(policy, &decision, &[b"x-foo"], &[b"etag"]);
            }
        }
    }
}

fuzz_target!(|input: &[u8]| -> Corpus {
    // Expressions whose automata are large are slow to build, and told of elsewhere.
    if input.contains(&b'{') || input.iter().filter(|byte| matches!(byte, b'*' | b'+' | b'\\')).count() > 20 {
        return Corpus::Reject;
    }
    let mut notation = Notation::default();
    let mut unused = UnusedDirectives::default();
    let mut outer = Scope::default();
    for block in input.split(|byte| *byte == b'}') {
        let mut level = Level::default();
        for (index, line) in block.split(|byte| *byte == b'\n').enumerate() {
            let Some((pick, values)) = line.split_first() else {
                continue;
            };
            let directive = Directive::ALL[usize::from(*pick) % Directive::ALL.len()];
            let values: Vec<_> = values.split(|byte| *byte == b' ').collect();
            assert_can_be_logged(&level.read(directive, &values, &position(index + 1), &mut notation));
        }
        let (scope, problems) = level.inherit(&outer, Block::Location("/"), &mut unused);
        assert_can_be_logged(&problems);
        try_out(scope.policy());
        outer = scope;
    }
    assert_can_be_logged(&unused.finish());
    Corpus::Keep
});
