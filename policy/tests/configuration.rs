//! What the operator is told about a configuration, and what its levels inherit.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::fmt::Write as _;

use common::{policy, position, read_line, rendered, sent, told, Configuration, Notation, Surroundings};
use cors_policy::{Directive, Field, Level, Policy, Request};

/// What is told of one directive by itself, on line 7.
fn of(line: &str) -> Vec<String> {
    let mut level = Level::default();
    let problems = read_line(&mut level, line, &position(7), &mut Notation::default());
    problems.iter().map(rendered).collect()
}

/// What is told of one value by itself: the rest of a message that names the directive, the value and the line.
fn told_of(severity: &str, line: &str, value: &str) -> String {
    let directive = line.split(' ').next().unwrap();
    let told = of(line);
    let [message] = &told[..] else { panic!("{told:#?}") };
    let head = format!("{severity}: \"{directive}\" has the value \"{value}\": ");
    let rest = message.strip_prefix(&head).unwrap_or_else(|| panic!("{message}"));
    rest.strip_suffix(" in nginx.conf:7").unwrap().to_owned()
}

fn refusal(directive: &str, value: &str) -> String {
    told_of("error", &format!("{directive} {value}"), value)
}

/// The warning about the last value of a line.
fn warning(line: &str) -> String {
    told_of("warning", line, line.split(' ').next_back().unwrap())
}

/// The header lines that answer a preflight.
fn preflight(policy: &Policy, origin: &str, method: &str) -> Vec<(&'static str, String)> {
    let request = Request {
        is_options: true,
        origin: Field::One(origin.as_bytes()),
        request_method: Field::One(method.as_bytes()),
        ..Request::default()
    };
    let decision = policy.decide(&request, &Surroundings::with_variables(&[]));
    sent(policy, &decision, &[], &[])
}

/// The value of one header of the answer to a preflight from `https://a.example`.
fn header(policy: &Policy, name: &str) -> Option<String> {
    let lines = preflight(policy, "https://a.example", "GET");
    lines
        .into_iter()
        .find_map(|(other, value)| (other == name).then_some(value))
}

mod origins {
    use super::*;

    fn why(value: &str) -> String {
        refusal("cors_allow_origin", value)
    }

    fn refusal_of_quoted(value: &str) -> String {
        told_of("error", &format!("cors_allow_origin \"{value}\""), value)
    }

    #[test]
    fn a_message_names_directive_value_reason_remedy_and_line() {
        assert_eq!(
            of("cors_allow_origin app.example.com"),
            ["error: \"cors_allow_origin\" has the value \"app.example.com\": the scheme is missing; write \"https://app.example.com\" in nginx.conf:7"]
        );
    }

    #[test]
    fn a_missing_scheme() {
        assert_eq!(
            why("app.example.com"),
            "the scheme is missing; write \"https://app.example.com\""
        );
        assert_eq!(
            why("localhost:3000"),
            "the scheme is missing; write \"https://localhost:3000\""
        );
        assert_eq!(why("//a.example"), "the scheme is missing; write \"https://a.example\"");
        assert_eq!(
            why("*.example.com"),
            "the scheme is missing; write \"https://*.example.com\""
        );
    }

    #[test]
    fn a_scheme_that_is_none() {
        assert_eq!(
            why("ht_tps://a.example"),
            "\"ht_tps\" is no scheme: letters, digits, \"+\", \"-\" and \".\" only, a letter first; begin with \"https://\""
        );
        assert_eq!(
            why("*://a.example"),
            "\"*\" is no scheme: letters, digits, \"+\", \"-\" and \".\" only, a letter first; begin with \"https://\""
        );
    }

    #[test]
    fn a_path() {
        assert_eq!(
            why("https://a.example:8443/app"),
            "an origin has no path; write \"https://a.example:8443\""
        );
        assert_eq!(
            why("https://a.example\\"),
            "an origin has no path; write \"https://a.example\""
        );
    }

    #[test]
    fn a_trailing_slash() {
        assert_eq!(
            why("https://a.example/"),
            "an origin ends after its host and port, without a trailing \"/\"; write \"https://a.example\""
        );
    }

    #[test]
    fn a_query_or_a_fragment() {
        for value in ["https://a.example?b=c", "https://a.example#b"] {
            assert_eq!(
                why(value),
                "an origin has no query and no fragment; write \"https://a.example\""
            );
        }
    }

    #[test]
    fn a_user_name() {
        for value in [
            "https://me@a.example",
            "https://me:secret@a.example",
            "https://a.example@a.example",
        ] {
            assert_eq!(
                why(value),
                "an origin has no user name or password; write \"https://a.example\""
            );
        }
    }

    #[test]
    fn a_bad_port() {
        for (value, port) in [
            ("https://a.example:", ""),
            ("https://a.example:0", "0"),
            ("https://a.example:65536", "65536"),
            ("https://a.example:80a", "80a"),
            ("https://[::1]:x", "x"),
        ] {
            assert_eq!(
                why(value),
                format!("\"{port}\" is no port; write a number from 1 to 65535, or \"*\" for any port")
            );
        }
    }

    #[test]
    fn a_missing_host() {
        for value in ["https://", "https://:8443", "https://*."] {
            assert_eq!(
                why(value),
                "the host is missing; write one, as in \"https://app.example.com\""
            );
        }
    }

    #[test]
    fn a_file() {
        for value in ["file:///", "file:///index.html", "file://server"] {
            assert_eq!(
                why(value),
                "pages from files have the origin \"file://\" in some apps, and \"null\" in browsers; write \"file://\", \"null\", or both"
            );
        }
    }

    #[test]
    fn a_host_that_is_none() {
        assert_eq!(
            why("https://a<b.example"),
            "\"a<b.example\" is no host: invalid international domain name; write it as browsers show it in their address bar"
        );
        assert_eq!(
            why("https://[::g]"),
            "\"[::g]\" is no host: invalid IPv6 address; write it as browsers show it in their address bar"
        );
        assert_eq!(
            why("http://1.2.3.256"),
            "\"1.2.3.256\" is no host: invalid IPv4 address; write it as browsers show it in their address bar"
        );
        assert_eq!(
            why("https://.a.example"),
            "\".a.example\" is no host: it starts with a dot; write \"https://a.example\", \"https://*.a.example\", or both"
        );
    }

    #[test]
    fn characters_that_browsers_send_in_no_origin() {
        for (value, host, c) in [
            ("app://a%b", "a%b", "%"),
            ("https://a!b.example", "a!b.example", "!"),
            ("https://*.(b).example", "(b).example", "("),
            ("https://a;b.example:*", "a;b.example", ";"),
            ("https://it's.example", "it's.example", "'"),
        ] {
            assert_eq!(
                refusal_of_quoted(value),
                format!("\"{host}\" is no host: \"{c}\" cannot stand in it; a host has letters, digits, \"-\", \"_\" and \".\" alone")
            );
        }
        assert_eq!(
            why("https://pr+*.a.example"),
            "\"pr+*\" is no host: \"+\" cannot stand beside a \"*\"; a host has letters, digits, \"-\", \"_\" and \".\" alone"
        );
    }

    #[test]
    fn a_star_in_the_middle_of_a_host() {
        let why_not = "\"*\" stands for labels at the front of a host, or once for a part of its first label";
        for (value, remedy) in [
            (
                "https://b.*.a.example.com",
                r#"write "~https://b\.[a-z0-9_-]+\.a\.example\.com""#,
            ),
            ("https://*.*.a.example.com", r#"write "https://*.a.example.com""#),
            (
                "https://*-*.a.example.com:*",
                r#"write "~https://[a-z0-9-]+-[a-z0-9-]+\.a\.example\.com(:[0-9]+)?""#,
            ),
            ("https://a.*", "write out the hosts that are meant"),
            ("https://a*", "write out the hosts that are meant"),
        ] {
            assert_eq!(why(value), format!("{why_not}; {remedy}"));
        }
        assert_eq!(
            why("https://*"),
            "it would admit every site; write \"*\" to allow every origin, or name the domains that are meant"
        );
    }

    #[test]
    fn a_star_before_an_address() {
        for (value, address) in [
            ("https://*.127.0.0.1", "https://127.0.0.1"),
            ("https://a*.127.0.0.1:8443", "https://127.0.0.1:8443"),
            ("https://*.[::1]", "https://[::1]"),
        ] {
            assert_eq!(
                why(value),
                format!("an address has no names under it; write \"{address}\"")
            );
        }
    }

    #[test]
    fn a_space_or_a_control_character_which_the_message_escapes() {
        assert_eq!(
            of("cors_allow_origin \"https://a.example\u{1} https://b.example\""),
            ["error: \"cors_allow_origin\" has the value \"https://a.example\\u{1} https://b.example\": it holds a space or a control character; write each origin as a value of its own in nginx.conf:7"]
        );
    }

    #[test]
    fn a_list_in_quotes_with_the_list_to_write() {
        assert_eq!(
            refusal_of_quoted("https://a.example  https://b.example"),
            "it holds a space or a control character; write \"https://a.example https://b.example\" without quotes around them"
        );
    }

    #[test]
    fn an_empty_value() {
        assert!(refusal_of_quoted("").starts_with("it is empty; write an origin"));
    }

    #[test]
    fn a_star_beside_others_wherever_it_stands() {
        let why = "\"*\" admits every origin and cannot stand beside others; remove the others, or the \"*\"";
        for (line, value) in [
            ("cors_allow_origin https://a.example *", "*"),
            ("cors_allow_origin * https://a.example", "https://a.example"),
            ("cors_allow_origin * null", "null"),
            ("cors_allow_origin $origins *", "*"),
            ("cors_allow_origin * $origins", "$origins"),
        ] {
            assert_eq!(told_of("error", line, value), why, "{line}");
        }
    }

    #[test]
    fn a_star_beside_others_on_another_line() {
        assert_eq!(
            told("
                cors on;
                cors_allow_origin https://a.example;
                cors_allow_origin *;
            "),
            ["error: \"cors_allow_origin\" has the value \"*\": \"*\" admits every origin and cannot stand beside others; remove the others, or the \"*\" in nginx.conf:4"]
        );
    }

    #[test]
    fn a_text_that_the_server_cannot_read_as_one_with_variables() {
        assert_eq!(
            refusal("cors_allow_origin", "https://$"),
            "it is no text with variables; write \"$name\""
        );
    }

    #[test]
    fn bytes_that_are_no_utf_8() {
        let mut level = Level::default();
        for directive in [
            Directive::AllowOrigin,
            Directive::AllowMethods,
            Directive::AllowHeaders,
            Directive::ExposeHeaders,
            Directive::AllowCredentials,
            Directive::Unsafe,
        ] {
            let found = level.read(directive, &[b"https://\xff"], &position(7), &mut Notation::default());
            let told: Vec<_> = found.iter().map(rendered).collect();
            let name = directive.name();
            assert_eq!(
                told,
                [format!("error: \"{name}\" has the value \"https://\u{fffd}\": it is no UTF-8; save the configuration as UTF-8 in nginx.conf:7")]
            );
        }
    }

    #[test]
    fn a_long_value_is_cut() {
        let [message] = &of(&format!("cors_allow_origin https://{}/", "a".repeat(150)))[..] else {
            panic!()
        };
        assert!(message.len() < 500, "{message}");
        let [message] = &of(&format!("cors_allow_origin https://a.example/{}", "a".repeat(5_000)))[..] else {
            panic!()
        };
        assert!(message.contains("aaa...\": it is longer than any origin"), "{message}");
        assert!(message.len() < 500, "{message}");
    }

    #[test]
    fn what_is_listed_already_in_whatever_way_it_is_written() {
        for line in [
            "cors_allow_origin https://a.example https://a.example",
            "cors_allow_origin https://a.example HTTPS://A.Example:443",
            "cors_allow_origin https://xn--mnchen-3ya.example https://MÜNCHEN.example",
            "cors_allow_origin https://*.example.com https://*.Example.com:443",
            r"cors_allow_origin ~https://a\.example ~https://a\.example",
            "cors_allow_origin null null",
            "cors_allow_origin * *",
        ] {
            assert_eq!(warning(line), "it is listed already; remove one", "{line}");
        }
    }

    #[test]
    fn a_covered_origin_is_named_with_its_own_line() {
        assert_eq!(
            told("
                cors on;
                cors_allow_origin https://*.example.com;
                cors_allow_origin https://other.example https://b.example.com:8443;
                cors_allow_origin https://*.b.example.com;
                cors_allow_origin https://a.example.com;
            "),
            [
                "warning: \"cors_allow_origin\" has the value \"https://*.b.example.com\": \"https://*.example.com\" covers it; remove one in nginx.conf:5",
                "warning: \"cors_allow_origin\" has the value \"https://a.example.com\": \"https://*.example.com\" covers it; remove one in nginx.conf:6",
            ]
        );
    }

    #[test]
    fn warnings_of_one_kind_are_counted_after_the_first_ten() {
        let mut text = "cors on;\ncors_allow_origin https://*.example.com;\n".to_owned();
        for n in 0..103 {
            writeln!(text, "cors_allow_origin https://a{n}.example.com;").unwrap();
        }
        let told = told(&text);
        assert_eq!(told.len(), 11);
        assert!(told[0].contains("https://a0.example.com"), "{}", told[0]);
        assert!(
            told[9].ends_with("covers it; remove one in nginx.conf:12"),
            "{}",
            told[9]
        );
        let last = "covers it; remove one (and 92 more of this kind) in nginx.conf:13";
        assert!(told[10].ends_with(last), "{}", told[10]);
    }

    #[test]
    fn what_a_pattern_covers() {
        assert_eq!(
            told("
                cors on;
                cors_allow_origin https://a.example.com;
                cors_allow_origin https://*.example.com;
            "),
            ["warning: \"cors_allow_origin\" has the value \"https://a.example.com\": \"https://*.example.com\" covers it; remove one in nginx.conf:3"]
        );
        assert_eq!(
            told("
                cors on;
                cors_allow_origin https://*.b.example.com:8443 https://*.example.com:*;
            "),
            ["warning: \"cors_allow_origin\" has the value \"https://*.b.example.com:8443\": \"https://*.example.com:*\" covers it; remove one in nginx.conf:3"]
        );
        assert_eq!(
            told("
                cors on;
                cors_allow_origin http://localhost:*;
                cors_allow_credentials http://localhost:3000 http://localhost:*;
            "),
            ["warning: \"cors_allow_credentials\" has the value \"http://localhost:3000\": \"http://localhost:*\" covers it; remove one in nginx.conf:4"]
        );
    }

    #[test]
    fn neighbours_that_no_pattern_covers_pass() {
        let nothing: [&str; 0] = [];
        assert_eq!(
            told("
                cors on;
                cors_allow_origin https://*.example.com https://example.com http://a.example.com https://a.example.com:8443;
            "),
            nothing
        );
    }
}

mod regexes {
    use super::*;

    /// What is told of an expression where nothing else is wrong.
    fn refusal_of(regex: &str) -> String {
        let told = told(&format!("cors on;\ncors_allow_origin {regex};"));
        let [message] = &told[..] else { panic!("{told:#?}") };
        let head = format!("error: \"cors_allow_origin\" has the value \"{regex}\": ");
        let rest = message.strip_prefix(&head).unwrap_or_else(|| panic!("{message}"));
        rest.strip_suffix(" (in server) in nginx.conf:2").unwrap().to_owned()
    }

    #[test]
    fn a_syntax_error() {
        assert_eq!(
            refusal("cors_allow_origin", r"~https://(a\.example"),
            "it is no regular expression of linear time: unclosed group; see https://docs.rs/regex for the syntax"
        );
    }

    #[test]
    fn what_takes_more_than_linear_time() {
        for (regex, why) in [
            (
                r"~https://(?=a)a\.example",
                "look-around, including look-ahead and look-behind, is not supported",
            ),
            (r"~https://(a)\1\.example", "backreferences are not supported"),
        ] {
            assert_eq!(
                refusal("cors_allow_origin", regex),
                format!("it is no regular expression of linear time: {why}; see https://docs.rs/regex for the syntax")
            );
        }
    }

    #[test]
    fn what_is_too_large_to_be_checked() {
        for regex in [
            "~https://(a{1000}){1000}",
            r"~https://((\w{50}){50}){50}\.example\.com",
            r"~https://([ab][ab][ab][ab][ab]|x)[ab][ab][ab][ab][ab]\.com",
        ] {
            assert_eq!(
                refusal("cors_allow_origin", regex),
                "it is too large to find out which origins it matches; repeat less, or list patterns such as \"https://*.example.com\""
            );
        }
    }

    #[test]
    fn what_would_take_too_much_of_each_request() {
        let large = r"~https://.*a.{40}b.{40}a.*\.example\.com";
        let told = told(&format!("cors on;\ncors_allow_origin {large};"));
        assert_eq!(
            told,
            [format!("error: \"cors_allow_origin\" takes too much of each request: the regular expression \"{large}\" would need too large a table to be matched quickly; repeat less, as in \"[a-z0-9-]+\" for \"[a-z0-9-]{{1,40}}\", or list patterns such as \"https://*.example.com\" in nginx.conf:2")]
        );
    }

    #[test]
    fn many_that_would_together_take_too_much_of_each_request() {
        let mut text = "cors on;\n".to_owned();
        for n in 0..200 {
            writeln!(text, r"cors_allow_origin ~https://.*w{n}x.*\.example\.com;").unwrap();
        }
        assert_eq!(
            told(&text),
            ["error: \"cors_allow_origin\" takes too much of each request: its regular expressions together would need too large tables to be matched quickly; list patterns such as \"https://*.example.com\" instead in nginx.conf:2"]
        );
    }

    #[test]
    fn what_matches_no_origin() {
        for (regex, why) in [
            (
                r"~\.example\.com$",
                r#"the whole origin has to match, not a part of it; write "https://*.example.com""#,
            ),
            (
                r"~https://b\.example/",
                r#"an origin ends after its host and port, without a slash or a path; write "~https://b\.example""#,
            ),
            (
                r"~https://B\.example",
                r#"browsers send origins in lower case; write "~https://b\.example""#,
            ),
        ] {
            assert_eq!(
                refusal("cors_allow_origin", regex),
                format!("it matches no origin: {why}")
            );
        }
    }

    #[test]
    fn a_branch_that_matches_no_origin_is_a_warning() {
        assert_eq!(
            warning(r"cors_allow_origin ~https://a\.example/|https://b\.example"),
            r#"its branch "https://a\.example/" matches no origin: an origin ends after its host and port, without a slash or a path; write "https://a\.example""#
        );
    }

    #[test]
    fn the_other_notation_of_nginx() {
        assert_eq!(
            refusal("cors_allow_origin", r"~*https://a\.example"),
            r#"browsers send origins in lower case; write "~https://a\.example""#
        );
    }

    #[test]
    fn a_dot_that_is_not_escaped() {
        assert_eq!(
            refusal_of(r"~https://app.example\.com"),
            "it also admits \"https://appxexample.com\": a \".\" stands for any character; write \"~https://app\\.example\\.com\", or write \"cors_unsafe broad_regex\""
        );
        assert_eq!(
            refusal_of("~^https://example.com$"),
            "it also admits \"https://examplexcom\": a \".\" stands for any character; write \"~^https://example\\.com$\", or write \"cors_unsafe broad_regex\""
        );
    }

    #[test]
    fn a_label_that_nothing_ends_before_the_domain() {
        assert_eq!(
            refusal_of(r"~https://.*example\.com"),
            "it also admits \"https://xexample.com\": nothing ends the label before \"example.com\"; write \"https://example.com https://*.example.com\", or write \"cors_unsafe broad_regex\""
        );
    }

    #[test]
    fn something_behind_the_domain() {
        for (regex, stranger, remedy) in [
            (
                r"~https://example\.com.*",
                "https://example.comx",
                "https://example.com:*",
            ),
            (
                r"~https://example\.com[a-z]*",
                "https://example.comx",
                "https://example.com",
            ),
            (
                r"~https://a\.example\.com(-[a-z.]+)?",
                "https://a.example.com-x",
                "https://*.example.com",
            ),
        ] {
            assert_eq!(
                refusal_of(regex),
                format!("it also admits \"{stranger}\": it goes on behind \"example.com\"; write \"{remedy}\", or write \"cors_unsafe broad_regex\"")
            );
        }
    }

    /// Each passed while it was only tried on samples of what it matches.
    #[test]
    fn strangers_that_no_sample_shows() {
        for (regex, stranger) in [
            (r"~https://.*\bexample\.com", "https://x-example.com"),
            (r"~https://\S+\bexample\.com(\..*)?", "https://x-example.com"),
            (r"~https://(aexample|[a-z]example)\.com", "https://xexample.com"),
            (r"~https://\d+\.\d+\.\d+\.\d+(:\d+)?", "https://0.0.0.0"),
            (r"~https://.+\.amazonaws\.com", "https://x.amazonaws.com"),
        ] {
            let told = told(&format!(
                "cors on;\ncors_allow_origin {regex};\ncors_allow_credentials on;"
            ));
            assert_eq!(told.len(), 1, "{told:#?}");
            assert!(
                told[0].contains(&format!("it also admits \"{stranger}\"")),
                "{}",
                told[0]
            );
        }
    }

    #[test]
    fn an_open_top_level_domain() {
        assert_eq!(
            refusal_of(r"~https://example\.[a-z.]+"),
            "it also admits \"https://example.x\": it leaves part of the domain open; write out each domain that is meant, or write \"cors_unsafe broad_regex\""
        );
    }

    #[test]
    fn a_name_that_many_share() {
        for (regex, stranger, shared) in [
            (r"~https://[a-z]+\.netlify\.app", "https://x.netlify.app", "netlify.app"),
            (
                r"~https://.+\.amazonaws\.com",
                "https://x.amazonaws.com",
                "amazonaws.com",
            ),
            (r"~https://[a-z]+\.com", "https://x.com", "com"),
        ] {
            assert_eq!(
                refusal_of(regex),
                format!("it also admits \"{stranger}\": \"{shared}\" is shared: anyone may register a name that matches; list the hosts, or write \"cors_unsafe broad_regex\"")
            );
        }
    }

    #[test]
    fn an_optional_letter() {
        assert_eq!(
            refusal_of(r"~https://examples?\.com"),
            "it also admits \"https://examples.com\": a \"?\" makes part of a name optional, and both names match; if both are meant, write \"https://example.com https://examples.com\", or write \"cors_unsafe broad_regex\""
        );
    }

    #[test]
    fn an_open_scheme() {
        for (regex, stranger) in [
            (r"~[a-z]+://example\.com", "x://example.com"),
            (r"~https.*://example\.com", "httpsx://example.com"),
        ] {
            assert_eq!(
                refusal_of(regex),
                format!("it also admits \"{stranger}\": it leaves the scheme open; write \"~https://example\\.com\", or write \"cors_unsafe broad_regex\"")
            );
        }
    }

    #[test]
    fn no_domain_at_all() {
        for regex in ["~.*", "~https://.+", r"~https://[a-z0-9.-]+(:\d+)?"] {
            assert_eq!(
                refusal_of(regex),
                "it also admits \"https://x\": it names no domain; name those to trust, as in \"https://*.example.com\", or write \"cors_unsafe broad_regex\""
            );
        }
    }

    #[test]
    fn a_host_of_apps_that_is_not_spelled_out_where_credentials_apply() {
        let nothing: [&str; 0] = [];
        let regex = "cors on;\ncors_allow_origin ~chrome-extension://[a-p]{4};";
        assert_eq!(told(regex), nothing);
        assert_eq!(
            told(&format!("{regex}\ncors_allow_credentials on;")),
            ["error: \"cors_allow_origin\" has the value \"~chrome-extension://[a-p]{4}\" beside \"cors_allow_credentials\" at nginx.conf:3: it admits \"chrome-extension://aaaa\", and those of other authors' apps and extensions; write out the hosts to trust, or write \"cors_unsafe any_origin_credentials\" (in server) in nginx.conf:2"]
        );
    }

    #[test]
    fn an_alternation_is_anchored_as_a_whole() {
        let policy = policy(
            r"
            cors on;
            cors_allow_origin ~https://a\.example|https://b\.example;
        ",
        );
        let admitted = |origin| {
            !preflight(&policy, origin, "GET")
                .iter()
                .all(|(name, _)| *name == "Vary")
        };
        assert!(admitted("https://a.example"));
        assert!(admitted("https://b.example"));
        assert!(!admitted("https://a.example.evil.net"));
        assert!(!admitted("x-https://b.example"));
    }

    #[test]
    fn what_keeps_to_its_domains_passes() {
        let nothing: [&str; 0] = [];
        for regex in [
            r"~https://[a-z0-9-]+\.example\.com",
            r"~^https://(.+\.)?example\.com$",
            r"~https://(app|www)\.example\.(com|org)(:\d+)?",
            r"~http://localhost(:\d+)?",
            r"~https://pr-\d+--site\.example\.app",
            r"~capacitor://localhost",
            r"~(?i)https://app\.example\.com",
            r"~https://(a|b)\.com",
            r"~https://example[12]\.com",
            r"~https://example\.com(\.au)?",
        ] {
            let configuration = format!("cors on;\ncors_allow_origin {regex};\ncors_allow_credentials on;");
            assert_eq!(told(&configuration), nothing, "{regex}");
        }
    }
}

mod methods {
    use super::*;

    #[test]
    fn what_is_no_token() {
        for value in ["PUT;DELETE", "PÜT", "GET,PÜT"] {
            assert_eq!(
                refusal("cors_allow_methods", value),
                "a method is a token (RFC 9110, section 9.1): letters, digits and a few signs, no comma; separate methods by spaces"
            );
        }
    }

    #[test]
    fn a_list_in_one_value() {
        let lists = [
            (
                "cors_allow_methods",
                "GET,PUT",
                "\"GET PUT\" without quotes around them",
            ),
            (
                "cors_allow_methods",
                "GET, PUT",
                "\"GET PUT\" without quotes around them",
            ),
            ("cors_allow_methods", "GET,", "\"GET\""),
            (
                "cors_allow_headers",
                "X-A X-B",
                "\"X-A X-B\" without quotes around them",
            ),
            (
                "cors_expose_headers",
                "X-A,X-B",
                "\"X-A X-B\" without quotes around them",
            ),
        ];
        for (directive, value, remedy) in lists {
            assert_eq!(
                told_of("error", &format!("{directive} \"{value}\""), value),
                format!("a list is separated by spaces, each name a value of its own; write {remedy}")
            );
        }
    }

    #[test]
    fn what_browsers_let_no_script_send() {
        for value in ["CONNECT", "TRACE", "TRACK", "trace"] {
            assert_eq!(
                refusal("cors_allow_methods", value),
                "browsers let no script send it (Fetch, \"forbidden method\"); remove it"
            );
        }
    }

    #[test]
    fn lower_case_where_browsers_send_upper_case() {
        assert_eq!(
            warning("cors_allow_methods delete"),
            "methods are case-sensitive and browsers send \"DELETE\"; write \"DELETE\""
        );
    }

    #[test]
    fn lower_case_where_browsers_send_what_the_script_wrote() {
        assert_eq!(
            warning("cors_allow_methods patch"),
            "browsers send a method in the case that the script wrote, mostly \"PATCH\"; list \"PATCH\", or both"
        );
    }

    #[test]
    fn what_is_listed_already() {
        assert_eq!(
            warning("cors_allow_methods PUT GET PUT"),
            "it is listed already; remove one"
        );
    }

    #[test]
    fn what_a_star_covers() {
        for line in ["cors_allow_methods * PUT", "cors_allow_methods PUT *"] {
            assert_eq!(
                warning(line),
                "\"*\" covers every method; remove the others, or the \"*\""
            );
        }
    }
}

mod header_names {
    use super::*;

    #[test]
    fn what_is_no_token() {
        for directive in ["cors_allow_headers", "cors_expose_headers"] {
            for value in ["X-A:", "X-Ä", "X-A,X-B:"] {
                assert_eq!(
                    refusal(directive, value),
                    "a header name is a token (RFC 9110, section 5.1): letters, digits and a few signs, no colon, no comma; separate names by spaces"
                );
            }
        }
    }

    #[test]
    fn what_browsers_let_no_script_set() {
        for name in ["Cookie", "host", "Sec-Fetch-Mode", "Proxy-Authorization", "Origin"] {
            assert_eq!(
                warning(&format!("cors_allow_headers {name}")),
                "browsers let no script set it (Fetch, \"forbidden request-header\"); remove it"
            );
        }
    }

    #[test]
    fn what_browsers_let_no_script_read() {
        for name in ["Set-Cookie", "set-cookie2"] {
            assert_eq!(
                warning(&format!("cors_expose_headers {name}")),
                "browsers let no script read it (Fetch, \"forbidden response-header name\"); remove it"
            );
        }
    }

    #[test]
    fn what_is_listed_already_in_another_case() {
        for line in [
            "cors_allow_headers X-Foo x-foo",
            "cors_allow_headers * *",
            "cors_expose_headers ETag etag",
            "cors_expose_headers * *",
        ] {
            assert_eq!(warning(line), "it is listed already; remove one");
        }
    }

    #[test]
    fn what_a_star_covers() {
        for line in ["cors_allow_headers * X-Foo", "cors_allow_headers X-Foo *"] {
            assert_eq!(
                warning(line),
                "\"*\" covers every header (but \"Authorization\", by the standard; browsers let that pass, too); remove it, or the \"*\""
            );
        }
        for line in ["cors_expose_headers * ETag", "cors_expose_headers ETag *"] {
            assert_eq!(
                warning(line),
                "\"*\" covers every header; remove the others, or the \"*\""
            );
        }
    }

    #[test]
    fn authorization_stands_beside_a_star_as_it_should() {
        let nothing: [&str; 0] = [];
        assert_eq!(of("cors_allow_headers * Authorization"), nothing);
        assert_eq!(of("cors_allow_headers Authorization *"), nothing);
    }
}

mod single_values {
    use super::*;

    #[test]
    fn a_flag_that_is_none() {
        assert_eq!(
            refusal("cors", "yes"),
            "there is no such value; write \"on\" or \"off\""
        );
    }

    #[test]
    fn a_time_that_is_none() {
        for value in ["soon", "1h2", "ON"] {
            assert_eq!(
                refusal("cors_max_age", value),
                "it is no time; write a number with a unit, such as \"2h\", or \"off\""
            );
        }
    }

    #[test]
    fn a_time_longer_than_browsers_keep() {
        assert_eq!(
            warning("cors_max_age 25h"),
            "Firefox keeps an answer for 86400 seconds at most, Chromium for 7200 and Safari for 600; write \"1d\""
        );
        let nothing: [&str; 0] = [];
        assert_eq!(of("cors_max_age 1d"), nothing);
    }

    #[test]
    fn a_status_that_browsers_take_for_a_failure() {
        for value in ["199", "300", "404", "+204", "ok", "99999"] {
            assert_eq!(
                refusal("cors_preflight_status", value),
                "browsers accept the answer to a preflight only with a status from 200 to 299; write \"204\" or \"200\""
            );
        }
    }

    #[test]
    fn a_keyword_that_does_not_exist() {
        assert_eq!(
            refusal("cors_unsafe", "everything"),
            "there is no such option; write \"any_origin_credentials\", \"insecure_origins\", \"null_origin\", \"public_suffixes\" or \"broad_regex\""
        );
    }

    #[test]
    fn more_values_than_one() {
        for (line, values, takes) in [
            ("cors on off", "on off", "\"on\" or \"off\""),
            ("cors_max_age 2 h", "2 h", "a time such as \"2h\", or \"off\""),
            ("cors_preflight_status 200 204", "200 204", "a status from 200 to 299"),
        ] {
            assert_eq!(
                told_of("error", line, values),
                format!("it takes one value; write {takes}")
            );
        }
    }

    #[test]
    fn no_value() {
        for (directive, takes) in [
            ("cors", "\"on\" or \"off\""),
            ("cors_allow_origin", "\"*\", or origins such as \"https://app.example.com\""),
            ("cors_allow_methods", "\"*\", or methods such as \"GET PUT\""),
            ("cors_allow_headers", "\"*\", or header names such as \"Content-Type\""),
            ("cors_expose_headers", "\"*\", or header names such as \"Content-Type\""),
            (
                "cors_allow_credentials",
                "\"on\", \"off\", or origins such as \"https://app.example.com\"",
            ),
            ("cors_max_age", "a time such as \"2h\", or \"off\""),
            ("cors_preflight_status", "a status from 200 to 299"),
            (
                "cors_unsafe",
                "\"any_origin_credentials\", \"insecure_origins\", \"null_origin\", \"public_suffixes\" or \"broad_regex\"",
            ),
        ] {
            assert_eq!(
                of(directive),
                [format!("error: \"{directive}\" has no value; write {takes} in nginx.conf:7")]
            );
        }
    }

    #[test]
    fn a_directive_twice_at_one_level() {
        for line in [
            "cors on",
            "cors_allow_credentials on",
            "cors_max_age off",
            "cors_preflight_status 204",
        ] {
            let name = line.split(' ').next().unwrap();
            let told = told(&format!(
                "cors_allow_origin https://a.example;\n{line};\n{line};\nserver a {{\ncors on;\n}}"
            ));
            assert_eq!(
                told,
                [format!("error: \"{name}\" directive is duplicate: it stands at nginx.conf:2 already; remove one in nginx.conf:3")]
            );
        }
    }

    #[test]
    fn the_same_directive_at_an_inner_level() {
        let nothing: [&str; 0] = [];
        assert_eq!(
            told(
                "
                cors on;
                cors_allow_origin https://a.example;
                cors_max_age 1h;
                server a {
                    cors on;
                    cors_max_age 2h;
                }
            "
            ),
            nothing
        );
    }
}

mod credentials {
    use super::*;

    #[test]
    fn a_flag_beside_origins() {
        for (line, value) in [
            ("cors_allow_credentials https://a.example on", "on"),
            ("cors_allow_credentials off https://a.example", "off"),
        ] {
            assert_eq!(
                told_of("error", line, value),
                "it cannot stand beside origins; remove it, or the origins"
            );
        }
    }

    #[test]
    fn a_star() {
        assert_eq!(
            refusal("cors_allow_credentials", "*"),
            "\"*\" would hand every site the user's credentials; write \"on\" for the origins of cors_allow_origin, or list origins"
        );
    }

    #[test]
    fn a_variable() {
        for value in ["$origins", "https://$host"] {
            assert_eq!(
                refusal("cors_allow_credentials", value),
                "variables are evaluated in \"cors_allow_origin\" alone; write \"on\", or list origins"
            );
        }
    }

    #[test]
    fn what_is_no_origin() {
        assert_eq!(
            refusal("cors_allow_credentials", "a.example"),
            "the scheme is missing; write \"https://a.example\""
        );
        assert_eq!(
            refusal("cors_allow_credentials", "maybe"),
            "it is no origin; write \"on\" or \"off\", or list origins"
        );
        assert_eq!(
            refusal("cors_allow_credentials", "https://a.example/"),
            "an origin ends after its host and port, without a trailing \"/\"; write \"https://a.example\""
        );
    }

    #[test]
    fn what_is_listed_already() {
        assert_eq!(
            warning("cors_allow_credentials https://a.example https://A.example:443"),
            "it is listed already; remove one"
        );
    }

    #[test]
    fn everyone_with_credentials() {
        assert_eq!(
            told("
                cors on;
                cors_allow_origin *;
                cors_allow_credentials on;
            "),
            ["error: \"cors_allow_origin\" has the value \"*\" beside \"cors_allow_credentials\" at nginx.conf:4: every site could read what the user may read; list the origins to trust, or write \"cors_unsafe any_origin_credentials\" (in server) in nginx.conf:3"]
        );
    }

    #[test]
    fn origins_in_the_clear_with_credentials_in_every_form() {
        for (value, admitted, secure) in [
            ("http://a.example", "http://a.example", "https://a.example"),
            ("http://*.a.example", "http://*.a.example", "https://*.a.example"),
            ("http://a.example:*", "http://a.example:*", "https://a.example:*"),
            (
                r"~https?://a\.example\.com",
                "http://a.example.com",
                r"~https://a\.example\.com",
            ),
            ("http://192.168.1.7", "http://192.168.1.7", "https://192.168.1.7"),
        ] {
            assert_eq!(
                told(&format!("cors on;\ncors_allow_origin {value};\ncors_allow_credentials on;")),
                [format!("error: \"cors_allow_origin\" has the value \"{value}\" beside \"cors_allow_credentials\" at nginx.conf:3: it admits \"{admitted}\", and whoever is on the network can speak for an origin without TLS; write \"{secure}\", or write \"cors_unsafe insecure_origins\" (in server) in nginx.conf:2")]
            );
            assert_eq!(
                told(&format!("cors on;\ncors_allow_origin *;\ncors_allow_credentials {value};")),
                [format!("error: \"cors_allow_credentials\" has the value \"{value}\": it admits \"{admitted}\", and whoever is on the network can speak for an origin without TLS; write \"{secure}\", or write \"cors_unsafe insecure_origins\" (in server) in nginx.conf:3")]
            );
        }
    }

    #[test]
    fn null_with_credentials() {
        let why = "every site can make itself the origin \"null\" with a sandboxed frame; remove it, or write \"cors_unsafe null_origin\" (in server)";
        assert_eq!(
            told("cors on;\ncors_allow_origin null;\ncors_allow_credentials on;"),
            [format!("error: \"cors_allow_origin\" has the value \"null\" beside \"cors_allow_credentials\" at nginx.conf:3: {why} in nginx.conf:2")]
        );
        assert_eq!(
            told("cors on;\ncors_allow_origin https://a.example;\ncors_allow_credentials null;"),
            [format!(
                "error: \"cors_allow_credentials\" has the value \"null\": {why} in nginx.conf:3"
            )]
        );
    }

    #[test]
    fn what_is_dangerous_with_credentials_alone_passes_without_and_for_others() {
        let nothing: [&str; 0] = [];
        for origins in ["*", "null http://a.example http://*.b.example https://a.example"] {
            for credentials in ["off", "https://a.example https://*.b.example"] {
                let configuration =
                    format!("cors on;\ncors_allow_origin {origins};\ncors_allow_credentials {credentials};");
                assert_eq!(told(&configuration), nothing, "{configuration}");
            }
        }
    }

    #[test]
    fn what_stands_for_no_site_and_every_app_need_leave() {
        for (value, why) in [
            (
                "file://",
                "every file on a device, also one that was downloaded, has the origin \"file://\"; remove it, or write \"cors_unsafe null_origin\"",
            ),
            (
                "app://*",
                "it admits \"app://a\", and those of other authors' apps and extensions; write out the hosts to trust, or write \"cors_unsafe any_origin_credentials\"",
            ),
        ] {
            let without = format!("cors on;\ncors_allow_origin {value};");
            let nothing: [&str; 0] = [];
            assert_eq!(told(&without), nothing);
            assert_eq!(
                told(&format!("{without}\ncors_allow_credentials on;")),
                [format!("error: \"cors_allow_origin\" has the value \"{value}\" beside \"cors_allow_credentials\" at nginx.conf:3: {why} (in server) in nginx.conf:2")]
            );
        }
    }

    #[test]
    fn loopback_passes_with_credentials() {
        let nothing: [&str; 0] = [];
        assert_eq!(
            told(
                r"
                cors on;
                cors_allow_origin http://localhost:3000 http://app.localhost http://127.0.0.1:* http://[::1];
                cors_allow_origin ~http://localhost:4\d\d\d;
                cors_allow_credentials on;
            "
            ),
            nothing
        );
    }

    #[test]
    fn a_list_gives_credentials_to_its_members_alone() {
        let policy = policy(
            "
            cors on;
            cors_allow_origin https://a.example https://b.example;
            cors_allow_credentials https://b.example https://*.c.example;
        ",
        );
        let lines = preflight(&policy, "https://a.example", "GET");
        assert_eq!(lines[0], ("Access-Control-Allow-Origin", "https://a.example".into()));
        assert!(!lines
            .iter()
            .any(|(name, _)| *name == "Access-Control-Allow-Credentials"));
        let lines = preflight(&policy, "https://b.example", "GET");
        assert_eq!(lines[0], ("Access-Control-Allow-Origin", "https://b.example".into()));
        assert_eq!(lines[1], ("Access-Control-Allow-Credentials", "true".into()));
        // Credentials admit nobody.
        assert_eq!(
            preflight(&policy, "https://x.c.example", "GET"),
            [("Vary", "Origin".into())]
        );
    }

    #[test]
    fn a_list_beside_everyone_is_echoed_and_all_others_get_a_star() {
        let policy = policy(
            "
            cors on;
            cors_allow_origin *;
            cors_allow_credentials https://*.example.com;
        ",
        );
        assert_eq!(
            preflight(&policy, "https://a.example.com", "PUT"),
            [
                ("Access-Control-Allow-Origin", "https://a.example.com".into()),
                ("Access-Control-Allow-Credentials", "true".into()),
                ("Access-Control-Allow-Methods", "GET, HEAD, POST".into()),
                ("Vary", "Origin".to_owned()),
            ]
        );
        assert_eq!(
            preflight(&policy, "https://evil.net", "PUT"),
            [
                ("Access-Control-Allow-Origin", "*".into()),
                ("Access-Control-Allow-Methods", "GET, HEAD, POST".into()),
                ("Vary", "Origin".to_owned()),
            ]
        );
    }
}

mod variables_beside_credentials {
    use super::*;

    const CREDENTIALS: &str = "cors on;\ncors_allow_credentials on;\n";

    #[test]
    fn a_value_that_repeats_the_request_is_refused_as_a_star_is() {
        for value in [
            "$http_origin",
            "$HTTP_ORIGIN",
            "${http_origin}",
            "$http_origin,",
            "https://a.example,$http_origin",
            "$arg_o",
            "$cookie_x",
            "$http_x_origin",
            "$args",
            "$request_uri",
        ] {
            let refused = told(&format!("{CREDENTIALS}cors_allow_origin {value};"));
            let why = "every site could read what the user may read";
            assert_eq!(refused.len(), 1, "{refused:?}");
            let start = format!(
                "error: \"cors_allow_origin\" has the value \"{value}\" beside \"cors_allow_credentials\" at nginx.conf:2: {why}"
            );
            assert!(refused[0].starts_with(&start), "{refused:?}");
        }
    }

    #[test]
    fn it_is_permitted_by_the_keyword_that_permits_a_star_and_without_credentials() {
        let permitted = "cors_allow_origin $HTTP_ORIGIN;\ncors_unsafe any_origin_credentials;";
        assert_eq!(told(&format!("{CREDENTIALS}{permitted}")), [""; 0]);
        assert_eq!(told("cors on;\ncors_allow_origin $HTTP_ORIGIN;"), [""; 0]);
    }

    #[test]
    fn a_value_that_cannot_be_known_is_warned_about_with_what_to_check_and_to_write() {
        let told = told(&format!("{CREDENTIALS}cors_allow_origin $origins;"));
        assert_eq!(
            told,
            ["warning: \"cors_allow_origin\" has the value \"$origins\" beside \"cors_allow_credentials\" at nginx.conf:2: what it holds is known only for a request; check that no \"map\" or \"set\" gives it \"$http_origin\", which would let every site read what the user may read, or name the origins that get credentials: write \"cors_allow_credentials https://app.example.com\" (in server) in nginx.conf:3"]
        );
    }

    #[test]
    fn no_warning_where_the_value_gives_no_credentials_to_others() {
        for directives in [
            "cors_allow_origin $origins;",
            "cors_allow_origin $origins;\ncors_allow_credentials https://a.example;",
            "cors_allow_origin $origins;\ncors_allow_credentials on;\ncors_unsafe any_origin_credentials;",
            "cors_allow_origin https://$host;\ncors_allow_credentials on;",
        ] {
            assert_eq!(told(&format!("cors on;\n{directives}")), [""; 0], "{directives}");
        }
    }
}

mod long_configurations {
    use std::time::{Duration, Instant};

    use super::*;

    /// Names, all different, of which none is odd.
    fn names(count: usize) -> String {
        (0..count).fold(String::new(), |mut names, number| {
            write!(names, " N{number}").unwrap();
            names
        })
    }

    /// Each of these took seconds when every name was compared with all before it.
    #[test]
    fn forty_thousand_names_are_read_in_a_moment() {
        let names = names(40_000);
        for directive in ["cors_allow_methods", "cors_allow_headers", "cors_expose_headers"] {
            let began = Instant::now();
            let told = told(&format!("cors on;\ncors_allow_origin *;\n{directive}{names};"));
            let took = began.elapsed();
            assert_eq!(told, [""; 0]);
            // It takes some hundredths of a second, and a debug build on a busy machine has time enough.
            assert!(took < Duration::from_secs(5), "{directive}: {took:?}");
        }
    }

    #[test]
    fn thousands_of_duplicates_are_told_on_a_page() {
        for directive in [
            "cors_allow_origin https://a.example;",
            "cors_allow_methods PUT;",
            "cors_allow_headers X-One;",
            "cors_expose_headers X-One;",
        ] {
            let text = format!("{directive}\n").repeat(10_000);
            let told = told(&format!("cors on;\ncors_allow_origin https://b.example;\n{text}"));
            assert_eq!(told.len(), 11, "{directive}");
            assert!(
                told[10].contains("it is listed already; remove one (and 9988 more of this kind)"),
                "{}",
                told[10]
            );
            assert!(told.iter().map(String::len).sum::<usize>() < 2000);
        }
    }

    #[test]
    fn thousands_of_errors_are_told_on_a_few_pages() {
        let text = "cors_allow_methods GET,PUT;\n".repeat(10_000);
        let told = told(&format!("cors on;\ncors_allow_origin *;\n{text}"));
        assert_eq!(told.len(), 101);
        assert!(told[100].contains("(and 9899 more of this kind)"), "{}", told[100]);
    }
}

mod public_suffixes {
    use super::*;

    #[test]
    fn a_wildcard_for_everyone_who_registers_a_name() {
        for suffix in ["com", "co.uk", "github.io"] {
            assert_eq!(
                told(&format!("cors on;\ncors_allow_origin https://*.{suffix};")),
                [format!("error: \"cors_allow_origin\" has the value \"https://*.{suffix}\": everyone can register a name under \"{suffix}\"; name the domain to trust, or write \"cors_unsafe public_suffixes\" (in server) in nginx.conf:2")]
            );
        }
    }

    #[test]
    fn a_part_of_a_label_for_everyone_who_registers_a_name() {
        for (value, name, remedy) in [
            ("https://*-team.netlify.app", "netlify.app", "name the domain to trust"),
            ("https://pr-*.github.io", "github.io", "name the domain to trust"),
            ("https://*example.com", "com", "write \"https://*.example.com\""),
            ("https://*-example.com", "com", "name the domain to trust"),
        ] {
            assert_eq!(
                told(&format!("cors on;\ncors_allow_origin {value};")),
                [format!("error: \"cors_allow_origin\" has the value \"{value}\": everyone can register a name under \"{name}\"; {remedy}, or write \"cors_unsafe public_suffixes\" (in server) in nginx.conf:2")]
            );
        }
    }

    #[test]
    fn a_wildcard_above_public_suffixes() {
        for (host, name) in [
            ("amazonaws.com", "s3.amazonaws.com"),
            ("core.windows.net", "blob.core.windows.net"),
        ] {
            assert_eq!(
                told(&format!("cors on;\ncors_allow_origin https://*.{host};")),
                [format!("error: \"cors_allow_origin\" has the value \"https://*.{host}\": it covers public suffixes under \"{host}\", where everyone can register a name; name the domain to trust, or write \"cors_unsafe public_suffixes\" (in server) in nginx.conf:2")]
            );
            let nothing: [&str; 0] = [];
            assert_eq!(
                told(&format!(
                    "cors on;\ncors_allow_origin https://*.mine.{name} https://{host};"
                )),
                nothing
            );
        }
    }

    #[test]
    fn ones_own_names_pass() {
        let nothing: [&str; 0] = [];
        assert_eq!(
            told(
                "
                cors on;
                cors_allow_origin https://*.example.co.uk https://*.me.github.io http://*.localhost https://*.internal;
            "
            ),
            nothing
        );
    }

    #[test]
    fn one_behind_many_harmless_risks_is_refused_all_the_same() {
        let mut text = "cors on;\n".to_owned();
        for n in 0..200 {
            writeln!(text, "cors_allow_origin http://a{n}.example;").unwrap();
        }
        text.push_str("cors_allow_origin https://*.com;\n");
        let told = told(&text);
        assert_eq!(told.len(), 1);
        assert!(
            told[0].contains("everyone can register a name under \"com\""),
            "{}",
            told[0]
        );
    }

    #[test]
    fn one_danger_is_told_among_a_thousand_of_another_kind() {
        let mut text = "cors on;\ncors_allow_credentials on;\n".to_owned();
        for n in 0..1000 {
            writeln!(text, "cors_allow_origin http://a{n}.example;").unwrap();
        }
        text.push_str("cors_allow_origin https://*.com;\n");
        let told = told(&text);
        let of_suffix = told.iter().filter(|told| told.contains("under \"com\""));
        assert_eq!((told.len(), of_suffix.count()), (101, 1));
    }

    #[test]
    fn many_are_counted_after_the_first_hundred() {
        let mut text = "cors on;\ncors_allow_credentials on;\n".to_owned();
        for n in 0..150 {
            writeln!(text, "cors_allow_origin http://a{n}.example;").unwrap();
        }
        let told = told(&text);
        assert_eq!(told.len(), 100);
        assert!(told[99].contains("http://a99.example"), "{}", told[99]);
        assert!(told[99].contains("(and 50 more of this kind)"), "{}", told[99]);
    }
}

mod unsafe_keywords {
    use super::*;

    /// Values that need one keyword each.
    const DANGERS: [(&str, &str); 11] = [
        (
            "any_origin_credentials",
            "cors_allow_origin *;\ncors_allow_credentials on;",
        ),
        (
            "insecure_origins",
            "cors_allow_origin http://a.example;\ncors_allow_credentials on;",
        ),
        ("null_origin", "cors_allow_origin null;\ncors_allow_credentials on;"),
        (
            "any_origin_credentials",
            "cors_allow_origin chrome-extension://*;\ncors_allow_credentials on;",
        ),
        (
            "any_origin_credentials",
            "cors_allow_origin *;\ncors_allow_credentials app://*:*;",
        ),
        (
            "insecure_origins",
            "cors_allow_origin http://pr-*.a.example;\ncors_allow_credentials on;",
        ),
        ("null_origin", "cors_allow_origin file://;\ncors_allow_credentials on;"),
        (
            "null_origin",
            "cors_allow_origin ~(https://a\\.example|file://);\ncors_allow_credentials on;",
        ),
        ("public_suffixes", "cors_allow_origin https://*.com;"),
        ("public_suffixes", "cors_allow_origin https://*--shop.netlify.app;"),
        ("broad_regex", r"cors_allow_origin ~https://.*example\.com;"),
    ];

    #[test]
    fn each_lifts_its_own_refusal_and_no_other() {
        for (needed, directives) in DANGERS {
            for (keyword, _) in DANGERS {
                let told = told(&format!("cors on;\n{directives}\ncors_unsafe {keyword};"));
                if keyword == needed {
                    assert!(told.is_empty(), "{keyword}: {told:#?}");
                } else {
                    assert_eq!(told.len(), 1, "{keyword}: {told:#?}");
                    assert!(told[0].contains(&format!("\"cors_unsafe {needed}\"")), "{told:#?}");
                }
            }
        }
    }

    #[test]
    fn several_stand_on_one_line_or_on_several() {
        let nothing: [&str; 0] = [];
        let dangerous = "cors on;\ncors_allow_origin null https://*.com;\ncors_allow_credentials on;";
        assert_eq!(
            told(&format!("{dangerous}\ncors_unsafe null_origin public_suffixes;")),
            nothing
        );
        assert_eq!(
            told(&format!(
                "{dangerous}\ncors_unsafe null_origin;\ncors_unsafe public_suffixes;"
            )),
            nothing
        );
        assert_eq!(told(dangerous).len(), 2);
    }

    #[test]
    fn they_are_a_list_that_an_inner_one_replaces() {
        assert_eq!(
            told("
                cors on;
                cors_unsafe null_origin;
                cors_allow_origin null;
                cors_allow_credentials on;
                server a {
                    cors_unsafe public_suffixes;
                }
            "),
            ["error: \"cors_allow_origin\" has the value \"null\" beside \"cors_allow_credentials\" at nginx.conf:5: every site can make itself the origin \"null\" with a sandboxed frame; remove it, or write \"cors_unsafe null_origin\" (in server \"a\") in nginx.conf:4"]
        );
    }
}

mod levels {
    use super::*;

    #[test]
    fn a_list_is_inherited_where_there_is_none() {
        let configuration = Configuration::read(
            "
            cors on;
            cors_allow_origin https://a.example;
            cors_allow_methods PUT;
            cors_allow_headers X-Outer;
            cors_expose_headers X-Outer;
            server a {
                cors_allow_headers X-Inner;
                location /b {
                    cors_allow_methods DELETE;
                    cors_allow_methods PATCH;
                }
            }
        ",
        );
        let http = configuration.policy("http");
        assert_eq!(header(http, "Access-Control-Allow-Methods").unwrap(), "PUT");
        assert_eq!(header(http, "Access-Control-Allow-Headers").unwrap(), "X-Outer");
        let server = configuration.policy("server a");
        assert_eq!(header(server, "Access-Control-Allow-Methods").unwrap(), "PUT");
        assert_eq!(header(server, "Access-Control-Allow-Headers").unwrap(), "X-Inner");
        let location = configuration.policy("location /b");
        assert_eq!(
            header(location, "Access-Control-Allow-Methods").unwrap(),
            "DELETE, PATCH"
        );
        assert_eq!(header(location, "Access-Control-Allow-Headers").unwrap(), "X-Inner");
        assert_eq!(header(location, "Access-Control-Expose-Headers").unwrap(), "X-Outer");
    }

    #[test]
    fn an_inner_list_of_origins_replaces_the_outer_one() {
        let configuration = Configuration::read(
            "
            cors on;
            cors_allow_origin https://a.example;
            server b {
                cors_allow_origin https://b.example;
            }
            server c {
                cors_max_age 1h;
            }
        ",
        );
        let admitted = |block, origin| {
            let lines = preflight(configuration.policy(block), origin, "GET");
            lines.iter().any(|(name, _)| *name == "Access-Control-Allow-Origin")
        };
        assert!(admitted("http", "https://a.example"));
        assert!(!admitted("server b", "https://a.example"));
        assert!(admitted("server b", "https://b.example"));
        assert!(admitted("server c", "https://a.example"));
    }

    #[test]
    fn single_values_are_inherited_each_on_its_own() {
        let configuration = Configuration::read(
            "
            cors on;
            cors_allow_origin https://a.example;
            cors_allow_credentials on;
            cors_max_age 1h;
            cors_preflight_status 200;
            server a {
                cors_max_age 2h;
                location /b {
                    cors_allow_credentials off;
                    cors_max_age off;
                }
                location /c {
                    cors_max_age 0;
                }
                location /d {
                    cors off;
                }
            }
        ",
        );
        let server = configuration.policy("server a");
        assert_eq!(header(server, "Access-Control-Max-Age").unwrap(), "7200");
        assert_eq!(header(server, "Access-Control-Allow-Credentials").unwrap(), "true");
        assert_eq!(server.preflight_status(), 200);
        assert!(server.is_on());
        let b = configuration.policy("location /b");
        assert_eq!(header(b, "Access-Control-Max-Age"), None);
        assert_eq!(header(b, "Access-Control-Allow-Credentials"), None);
        assert_eq!(b.preflight_status(), 200);
        let c = configuration.policy("location /c");
        assert_eq!(header(c, "Access-Control-Max-Age").unwrap(), "0");
        assert!(!configuration.policy("location /d").is_on());
        assert_eq!(
            header(configuration.policy("http"), "Access-Control-Max-Age").unwrap(),
            "3600"
        );
    }

    #[test]
    fn what_is_wrong_only_together_names_the_place() {
        assert_eq!(
            told("
                cors on;
                cors_allow_origin *;
                server www.example.com {
                    location /private {
                        cors_allow_credentials on;
                    }
                }
            "),
            ["error: \"cors_allow_origin\" has the value \"*\" beside \"cors_allow_credentials\" at nginx.conf:6: every site could read what the user may read; list the origins to trust, or write \"cors_unsafe any_origin_credentials\" (in location \"/private\") in nginx.conf:3"]
        );
    }

    #[test]
    fn what_is_inherited_is_told_once() {
        let told = told(
            "
            cors on;
            cors_allow_origin null;
            cors_allow_credentials on;
            server a {
                cors_max_age 1h;
                location /b {
                    cors_max_age 2h;
                }
            }
            server c {
                cors_max_age 3h;
            }
        ",
        );
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].contains("(in server \"a\") in nginx.conf:3"), "{told:#?}");
    }

    #[test]
    fn what_is_dangerous_where_cors_is_off_is_not_told() {
        let told = told(
            "
            cors_allow_origin null;
            cors_allow_credentials on;
            server a {
                cors on;
                cors_allow_origin https://a.example;
            }
        ",
        );
        assert_eq!(
            told,
            ["warning: \"cors_allow_origin\" has no effect: \"cors\" is \"off\" everywhere below; write \"cors on\" in nginx.conf:2"]
        );
    }

    #[test]
    fn all_errors_are_told_at_once() {
        let told = told(
            "
            cors maybe;
            cors_allow_origin a.example https://b.example/ https://c.example;
            cors_allow_methods TRACE PUT,GET;
            cors_allow_headers X-A:;
            cors_max_age soon;
            server a {
                cors_preflight_status 404;
                cors_allow_credentials *;
                location /b {
                    cors_allow_origin https://*.com null;
                    cors_allow_credentials on;
                }
            }
        ",
        );
        let lines: Vec<_> = told.iter().map(|message| message.rsplit(':').next().unwrap()).collect();
        assert_eq!(
            lines,
            ["2", "3", "3", "4", "4", "5", "6", "8", "9", "11", "11"],
            "{told:#?}"
        );
        assert!(told.iter().all(|message| message.starts_with("error: ")), "{told:#?}");
    }
}

mod early_preflights {
    use super::*;

    const ORIGIN: &str = "cors on;\ncors_allow_origin https://a.example;\n";

    #[test]
    fn a_location_of_its_own_mind_is_not_asked_where_the_server_answers_early() {
        let problems = told(&format!(
            "server a {{\n{ORIGIN}cors_preflight early;\nlocation /x {{\ncors_allow_methods PUT;\n}}\n}}"
        ));
        assert_eq!(
            problems,
            ["warning: \"cors_preflight early\" of the server answers the preflights of location \"/x\" under the policy of the server, whatever the location says; write \"cors_preflight early;\" in the locations instead, or give this one the policy of the server in nginx.conf:6"]
        );
    }

    #[test]
    fn nor_is_one_that_says_early_itself() {
        let location = "location /x {\ncors_allow_origin https://b.example;\ncors_preflight early;\n}";
        let problems = told(&format!("server a {{\n{ORIGIN}cors_preflight early;\n{location}\n}}"));
        assert!(
            problems[0].contains("answers the preflights of location \"/x\""),
            "{problems:?}"
        );
    }

    #[test]
    fn a_location_that_says_nothing_or_early_itself_is_fine() {
        for configuration in [
            format!("{ORIGIN}cors_preflight early;\nserver a {{\nlocation /x {{\n}}\n}}"),
            format!("server a {{\n{ORIGIN}cors_preflight early;\nlocation /x {{\ncors_max_age 1h;\ncors_preflight early;\n}}\n}}"),
            format!("server a {{\nlocation /x {{\n{ORIGIN}cors_preflight early;\nlocation /x/y {{\ncors_max_age 1h;\n}}\n}}\n}}"),
        ] {
            let nothing: [&str; 0] = [];
            assert_eq!(told(&configuration), nothing, "{configuration}");
        }
    }
}

mod without_effect {
    use super::*;

    #[test]
    fn cors_without_origins() {
        assert_eq!(
            told("cors on;"),
            ["warning: \"cors on\" allows no origin: \"cors_allow_origin\" is missing; add it, or write \"cors off\" in nginx.conf:1"]
        );
    }

    #[test]
    fn cors_without_origins_here_but_further_in() {
        let nothing: [&str; 0] = [];
        assert_eq!(
            told(
                "
                cors on;
                server a {
                    cors_allow_origin https://a.example;
                }
            "
            ),
            nothing
        );
    }

    #[test]
    fn lists_where_cors_is_off_everywhere_below() {
        for line in [
            "cors_allow_origin https://a.example",
            "cors_allow_methods PUT",
            "cors_allow_headers X-A",
            "cors_expose_headers X-A",
        ] {
            let name = line.split(' ').next().unwrap();
            let warned = [format!(
                "warning: \"{name}\" has no effect: \"cors\" is \"off\" everywhere below; write \"cors on\" in nginx.conf:1"
            )];
            assert_eq!(told(&format!("{line};")), warned);
            assert_eq!(told(&format!("{line};\nserver a {{\ncors off;\n}}")), warned);
        }
    }

    #[test]
    fn lists_where_cors_is_on_further_in() {
        let nothing: [&str; 0] = [];
        assert_eq!(
            told(
                "
                cors_allow_origin https://a.example;
                cors_allow_methods PUT;
                server a {
                    location /b {
                        cors on;
                    }
                }
            "
            ),
            nothing
        );
    }
}

mod what_people_mean {
    use super::*;

    #[track_caller]
    fn refused(line: &str) -> String {
        let told = of(line);
        let [error] = &told[..] else { panic!("{line}: {told:?}") };
        assert!(error.starts_with("error: "), "{error}");
        error.clone()
    }

    #[test]
    fn a_variable_where_names_are_written_out() {
        for line in [
            "cors_allow_headers $http_access_control_request_headers",
            "cors_allow_methods $m",
            "cors_expose_headers $exposed",
        ] {
            let error = refused(line);
            assert!(error.contains("variables are not taken here; write \"*\""), "{error}");
            let (directive, _) = line.split_once(' ').unwrap();
            assert_eq!(of(&format!("{directive} *")), [""; 0]);
        }
    }

    #[test]
    fn a_prefix_of_names() {
        for line in [
            "cors_allow_headers x-amz-*",
            "cors_expose_headers X-*",
            "cors_allow_methods P*",
        ] {
            let error = refused(line);
            assert!(error.contains("write the names one by one, or \"*\""), "{error}");
        }
    }

    #[test]
    fn an_age_that_is_not_to_be_kept() {
        let error = refused("cors_max_age -1");
        assert!(
            error.contains("write \"0\", by which browsers keep no answer"),
            "{error}"
        );
        assert_eq!(of("cors_max_age 0"), [""; 0]);
    }

    #[test]
    fn a_word_for_every_name() {
        for line in [
            "cors_allow_methods ALL",
            "cors_allow_methods any",
            "cors_allow_headers all",
            "cors_expose_headers Any",
        ] {
            assert_eq!(
                warning(line),
                "it is taken for a name, and allows no other; write \"*\" to allow every name"
            );
        }
    }

    #[test]
    fn a_sign_that_no_name_has() {
        for (line, sign) in [
            ("cors_allow_methods GET|PUT", '|'),
            ("cors_allow_headers ~^x-", '~'),
            ("cors_expose_headers 'X-Total'", '\''),
        ] {
            assert_eq!(
                warning(line),
                format!("\"{sign}\" is taken for a part of the name; separate names by spaces, without other signs")
            );
        }
        for line in ["cors_allow_headers X_Api.Key+1", "cors_allow_methods M-SEARCH"] {
            assert_eq!(of(line), [""; 0]);
        }
        // What is refused has its own remedy.
        assert!(refused("cors_allow_headers ~x:y").contains("no colon"));
    }

    #[test]
    fn credentials_for_an_origin_that_is_not_allowed() {
        let told = |lines: &str| told(&format!("server a {{\ncors on;\n{lines}\n}}"));
        let warning = |value: &str| {
            format!(
                "warning: \"cors_allow_credentials\" has the value \"{value}\": \"cors_allow_origin\" does not allow it, and without that it gets no credentials; add it there, or remove it here in nginx.conf:4"
            )
        };
        for (allowed, credentials, outside) in [
            ("https://b.example", "https://a.example", "https://a.example"),
            (
                "https://*.a.example https://b.example",
                "https://a.example https://b.example",
                "https://a.example",
            ),
            ("~https://b\\.example", "https://a.example", "https://a.example"),
        ] {
            let lines = format!("cors_allow_origin {allowed};\ncors_allow_credentials {credentials};");
            assert_eq!(told(&lines), [warning(outside)], "{lines}");
        }
        assert_eq!(
            told("cors_allow_origin https://a.example;\ncors_allow_credentials https://*.a.example;"),
            ["warning: \"cors_allow_credentials\" lists none of the origins that \"cors_allow_origin\" allows, and others get no credentials; list one of those, or add the others there in nginx.conf:4"]
        );
        for lines in [
            "cors_allow_origin https://a.example;\ncors_allow_credentials https://*.a.example https://a.example;",
            "cors_allow_origin https://a.example;\ncors_allow_credentials https://a.example;",
            "cors_allow_origin *;\ncors_allow_credentials https://a.example;",
            "cors_allow_origin https://*.example.com;\ncors_allow_credentials https://a.example.com;",
            "cors_allow_origin https://b.example $more;\ncors_allow_credentials https://a.example;",
            // Inner levels may allow what an outer level gives credentials.
            "cors_allow_credentials https://a.example https://b.example;\nlocation /x {\ncors_allow_origin https://a.example;\n}",
        ] {
            let told = told(lines);
            assert!(!told.iter().any(|told| told.contains("cors_allow_credentials")), "{lines}: {told:?}");
        }
    }

    #[test]
    fn a_flag_in_other_words() {
        for (value, remedy) in [("true", "on"), ("yes", "on"), ("false", "off"), ("0", "off")] {
            let error = refused(&format!("cors_allow_credentials {value}"));
            assert!(error.contains(&format!("write \"{remedy}\"")), "{error}");
        }
    }

    #[test]
    fn a_header_that_browsers_have_given_up() {
        let told = of("cors_allow_private_network on");
        assert!(
            told[0].starts_with("warning: ") && told[0].contains("Chrome 142"),
            "{told:?}"
        );
        assert_eq!(of("cors_allow_private_network off"), [""; 0]);
    }
}
