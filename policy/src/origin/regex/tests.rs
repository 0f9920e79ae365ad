//! What is found out about an expression when it is read.

use super::expression::Findings;
use super::*;

fn findings(source: &str) -> Findings {
    OriginRegex::parse(source)
        .unwrap_or_else(|error| panic!("{source}: {error}"))
        .findings
}

/// The stranger whom `source` admits.
fn stranger(source: &str) -> Option<String> {
    findings(source).stranger.map(|stranger| stranger.origin)
}

/// By which mistake it does.
fn mistake(source: &str) -> String {
    findings(source).stranger.unwrap_or_else(|| panic!("{source}")).mistake
}

mod strangers {
    use super::*;

    #[test]
    fn the_shortest_that_gets_in_is_shown() {
        for (source, shortest) in [
            (r"https://app.example\.com", "https://appxexample.com"),
            (r"https://app\.example.com", "https://app.examplexcom"),
            (r"^https://example.com$", "https://examplexcom"),
            (r"https://.*example\.com", "https://xexample.com"),
            (r"https://[a-z.-]*example\.com", "https://xexample.com"),
            (r"https://(www.)?example\.com", "https://wwwxexample.com"),
            (r"https://example\.com.*", "https://example.comx"),
            (r"https://example\.com[a-z]*", "https://example.comx"),
            (r"https://example\.[a-z.]+", "https://example.x"),
            (r".*://example\.com", "x://example.com"),
            (r"https.*://example\.com", "httpsx://example.com"),
            (r"https://[a-z]+\.com", "https://x.com"),
            (r"https://.+\.github\.io", "https://x.github.io"),
        ] {
            assert_eq!(stranger(source).as_deref(), Some(shortest), "{source}");
        }
    }

    #[test]
    fn one_that_could_be_registered_is_shown_rather_than_a_shorter_one() {
        assert_eq!(
            stranger(r"https://.*\bexample\.com").as_deref(),
            Some("https://x-example.com")
        );
        assert_eq!(
            stranger(r"https://[^.a-z]*example\.com").as_deref(),
            Some("https://0example.com")
        );
        // There is no such one here.
        assert_eq!(
            stranger(r"https://[^.a-z0-9]*example\.com").as_deref(),
            Some("https://-example.com")
        );
    }

    #[test]
    fn a_word_boundary_is_no_label_boundary() {
        for source in [
            r"https://.*\bexample\.com",
            r"https://\S+\bexample\.com(\..*)?",
            r"https://(.*\b)?example\.com",
            r"https://example\.com\b.*",
            r"https://.*\b{start}example\.com",
        ] {
            assert!(stranger(source).is_some(), "{source}");
        }
    }

    #[test]
    fn a_look_around_that_closes_the_gap_is_understood() {
        for source in [
            // Between a dot and a letter there is a boundary, between two letters there is none.
            r"https://([a-z]*\b\.)?example\.com",
            r"https://[a-z.]*\.\bexample\.com",
            r"https://[a-z]*\bexample\.com",
            r"https://.*(\.|https)\bexample\.com",
            r"^https://example\.com$.*",
            r"\Ahttps://example\.com\z",
            r"(?m)^https://example\.com$",
            r"https://example\.com(\b\w)?",
        ] {
            assert_eq!(stranger(source), None, "{source}");
        }
    }

    #[test]
    fn everyone_is_found() {
        for source in [
            ".*",
            ".+",
            "https://.*",
            r"https?://[a-z0-9.-]+(:\d+)?",
            "https://[^/]+",
            r"(?s).*",
            r"[\w.:/-]+",
        ] {
            let everyone = "it names no domain; name those to trust, as in \"https://*.example.com\"";
            assert_eq!(stranger(source).as_deref(), Some("https://x"), "{source}");
            assert_eq!(mistake(source), everyone, "{source}");
        }
    }

    #[test]
    fn a_mistake_behind_many_branches_is_found() {
        let many: Vec<_> = (0..70).map(|n| format!("app{n}")).collect();
        let many = many.join("|");
        assert!(stranger(&format!(r"https://({many})\.example\.com|https://.*example\.org")).is_some());
        assert!(stranger(&format!(r"https://(www.)?({many})\.com")).is_some());
        assert_eq!(stranger(&format!(r"https://({many})\.example\.com")), None);
        assert_eq!(stranger(&format!(r"https://({many})\.com")), None);
    }

    #[test]
    fn one_spelled_name_does_not_cover_a_class_beside_it() {
        assert!(stranger(r"https://(aexample|[a-z]example)\.com").is_some());
        assert!(stranger(r"https://(example|.*)\.com").is_some());
        assert!(stranger(r"https://example\.(com|[a-z]+)").is_some());
    }
}

mod domains {
    use super::*;

    #[test]
    fn a_domain_that_is_left_open_is_not_named() {
        for source in [
            r"https://[0-9]+example\.com",
            r"https://[a-d]*example\.com",
            r"https://x[0-9]*example\.com",
            r"https://x\dexample\.com",
            r"https://[a-z]{3}example\.com",
            r"https://[abcd]{4}\.com",
            r"https://(a|b){4}\.com",
            r"https://.{3}example\.com",
            r"https://.?example\.com",
            r"https://x+ample\.com",
            r"https://exam(ple){1,2}\.com",
            r"https://example\.[a-z]{2}",
            r"https://.+\.com[.]{2}",
            r"https://.+\.\.com",
            r"https://example\.com?",
            r"https://example\wcom",
            r"https://app.?example\.com",
            r"https://app.{1,2}example\.com",
            r"https://app[^/]example\.com",
        ] {
            assert!(stranger(source).is_some(), "{source}");
        }
    }

    #[test]
    fn a_domain_that_is_spelled_out_is_named() {
        for source in [
            r"https://(a|b)\.com",
            r"https://(0|1|2|3|4|5|6|7|8|9|a|b|c|d|e|f)\.com",
            r"https://example[12]\.com",
            r"https://example[1-4]\.com",
            r"https://example[.]com",
            r"https://e{1}xample\.com",
            r"https://w{3}\.com",
            r"https://example\.com(\.au)?",
            r"https://example\.(co\.)?uk",
            r"https://(app|www)\.example\.(com|org)(:\d+)?",
            r"https://example\.com\.?",
            r"https://example\.com[^a-z0-9_:-]?",
            r"(?i)https://app\.example\.com",
            r"(?x) https:// app \. example \. com # ours",
            r"(?i:HTTPS)://(?-i)example\.com",
            r"https://\x65xample\.com",
            r"https://xn--mnchen-3ya\.de",
        ] {
            assert_eq!(stranger(source), None, "{source}");
        }
    }

    #[test]
    fn names_under_a_named_domain_are_within_it() {
        for source in [
            r"https://[a-z0-9-]+\.example\.com",
            r"https://.+\.example\.com",
            r"^https://(.+\.)?example\.com$",
            r"https://[^.]+\.example\.com",
            r"https://example\.com|https://example\.co\.uk",
            r"https://app\.example\.com:(8443|9443)",
            r"https://pr-\d+--site\.example\.app",
            r"https://[a-z-]+\.example\.net",
            r"https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*example\.com",
            r"https://.*a.{40}b\.example\.com",
            r"https://([ab]){30}\.example\.com",
        ] {
            assert_eq!(stranger(source), None, "{source}");
        }
    }

    #[test]
    fn a_shared_name_is_none_but_the_names_under_it_are() {
        for source in [
            r"https://[a-z]+\.com",
            r"https://.+\.github\.io",
            r"https://.+\.co\.uk",
            r"https://.+\.amazonaws\.com",
            r"https://.+\.s3\.amazonaws\.com",
            r"https://.+\.ck",
            r"https://deploy-preview-\d+--site\.netlify\.app",
        ] {
            assert!(stranger(source).is_some(), "{source}");
        }
        for source in [
            r"https://.+\.me\.github\.io",
            r"https://.+\.bucket\.s3\.amazonaws\.com",
            r"https://.+\.console\.amazonaws\.com",
            r"https://.+\.www\.ck",
            r"https://(.+\.)?example\.co\.uk",
            r"https://site\.netlify\.app",
        ] {
            assert_eq!(stranger(source), None, "{source}");
        }
    }

    #[test]
    fn a_host_that_is_spelled_out_whole_is_named_whatever_it_is() {
        for source in [
            r"https://github\.io",
            r"https://amazonaws\.com",
            r"http://127\.0\.0\.1:\d{4,5}",
            r"http://10\.0\.0\.[1-3]",
            r"http://\[::1\](:\d+)?",
        ] {
            assert_eq!(stranger(source), None, "{source}");
        }
    }

    #[test]
    fn an_address_has_no_names_under_it() {
        for source in [
            r"https://\d+\.\d+\.\d+\.\d+(:\d+)?",
            r"https://.*127\.0\.0\.1",
            r"http://(.+\.)?10\.0\.0\.1",
            r"http://10\.0\.0\.\d",
            r"http://\[::[0-9a-f]\]",
        ] {
            assert!(stranger(source).is_some(), "{source}");
        }
    }

    #[test]
    fn names_outside_the_list_are_the_operators_own() {
        for source in [
            r"http://localhost(:[0-9]+)?",
            r"https://[a-z]+\.localhost",
            r"https://.+\.internal",
            r"https://app.corp",
        ] {
            let expected = (source == r"https://app.corp").then(|| "https://appxcorp".to_owned());
            assert_eq!(stranger(source), expected, "{source}");
        }
    }

    #[test]
    fn more_domains_than_a_list_should_have_are_refused() {
        let named = |count: usize| {
            let all: Vec<_> = (0..count).map(|n| format!("tenant{n}")).collect();
            OriginRegex::parse(&format!(r"https://({})\.com", all.join("|"))).map(|regex| regex.findings.stranger)
        };
        assert_eq!(named(900), Ok(None));
        assert_eq!(named(1_100), Err(RegexError::TooLarge));
        let many = r"https://[ab][ab][ab][ab][ab][ab][ab][ab][ab][ab]\.com";
        assert_eq!(OriginRegex::parse(many), Err(RegexError::TooLarge));
    }
}

mod schemes {
    use super::*;

    #[test]
    fn those_of_apps_have_to_be_spelled_out() {
        for source in [r"[a-z]+://example\.com", r"\w+-extension://abc", r".+://localhost"] {
            assert!(stranger(source).is_some(), "{source}");
        }
        for source in ["capacitor://localhost", "(capacitor|ionic)://localhost", r"app://\."] {
            assert_eq!(findings(source), Findings::default(), "{source}");
        }
    }

    #[test]
    fn apps_whose_hosts_are_open_are_found() {
        let any_app = |source| findings(source).any_app;
        let extension = format!("chrome-extension://{}", "a".repeat(32));
        assert_eq!(any_app("chrome-extension://[a-p]{32}"), Some(extension));
        assert_eq!(any_app("chrome-extension://abcdefgh"), None);
        assert_eq!(any_app(r"https://.+\.example\.com"), None);
        assert_eq!(stranger("chrome-extension://[a-p]{32}"), None);
    }

    #[test]
    fn an_origin_in_the_clear_is_found() {
        let insecure = |source| findings(source).insecure;
        for (source, expected) in [
            (r"https?://a\.example\.com", Some("http://a.example.com")),
            (r"h.*://a\.example\.com", Some("http://a.example.com")),
            (r"http://(.+\.)?localhost|http://a\.example", Some("http://a.example")),
            (r"http://notlocalhost", Some("http://notlocalhost")),
            (r"http://126\.0\.0\.1", Some("http://126.0.0.1")),
            (r"http://27\.0\.0\.1", Some("http://27.0.0.1")),
            (r"http://127\.0\.0\.1\.example", Some("http://127.0.0.1.example")),
            (r"http://\[::2\]", Some("http://[::2]")),
            (r"https://a\.example\.com", None),
            (r"http://localhost:\d+", None),
            (r"http://.+\.localhost\.?", None),
            (r"http://127\.\d+\.\d+\.\d+(:\d+)?", None),
            (r"http://\[::1\]:\d+", None),
            (r"chrome-extension://a", None),
        ] {
            assert_eq!(insecure(source).as_deref(), expected, "{source}");
            assert!(
                insecure(source).is_none_or(|origin| crate::origin::is_insecure(&origin)),
                "{source}"
            );
        }
    }
}

mod mistakes {
    use super::*;

    /// What a message tells to write.
    fn remedy(source: &str) -> String {
        let mistake = mistake(source);
        let (_, remedy) = mistake.split_once("write \"").unwrap_or_else(|| panic!("{mistake}"));
        remedy
            .strip_suffix('"')
            .unwrap_or_else(|| panic!("{mistake}"))
            .to_owned()
    }

    #[test]
    fn the_remedy_is_what_was_meant() {
        for (source, expected) in [
            (r"https://app.example\.com", r"~https://app\.example\.com"),
            (r"https://(www.)?example.com", r"~https://(www\.)?example\.com"),
            (r"https://.*\.example.com", r"~https://.*\.example\.com"),
            (r"https://.*example\.com", "https://example.com https://*.example.com"),
            (r"https://.+\bexample\.com", "https://*.example.com"),
            (r"https://example\.com.*", "https://example.com:*"),
            (r"https://example\.com[a-z]*", "https://example.com"),
            (
                r"https?://.*example\.(com|org)",
                "https://example.com https://*.example.com https://example.org https://*.example.org",
            ),
            (r"https://example\.com?", "https://example.co https://example.com"),
            (r"[a-z]+://example\.com", r"~https://example\.com"),
            (r"^(.+\.)?example\.com$", r"~https://(.+\.)?example\.com"),
        ] {
            assert_eq!(remedy(source), expected, "{source}");
        }
    }

    #[test]
    fn the_remedy_is_accepted() {
        use crate::origin::{risks, AllowedOrigin};
        for source in [
            r"https://app.example\.com",
            r"^https?://.*example\.com(:\d+)?$",
            r"https://example\.com.*",
            r"https://examples?\.com",
            r"[a-z]+://example\.com",
            r"https://(a.example\.com|b\.example.com)",
        ] {
            for value in remedy(source).split(' ') {
                let origin = AllowedOrigin::parse(value).unwrap();
                assert_eq!(risks(&origin), [], "{source}: {value}");
            }
        }
    }

    #[test]
    fn a_shared_name_is_told() {
        assert_eq!(
            mistake(r"https://deploy-preview-\d+--site\.netlify\.app"),
            "\"netlify.app\" is shared: anyone may register a name that matches; list the hosts"
        );
        assert!(mistake(r"https://.+\.amazonaws\.com").starts_with("\"amazonaws.com\" is shared"));
    }

    #[test]
    fn where_it_cannot_be_known_what_was_meant_no_line_is_given() {
        for source in [
            r"https://x[0-9]*example\.com",
            r"https://[a-z]{3}example\.com",
            r"https://example\.[a-z]+",
        ] {
            assert!(
                !mistake(source).contains("write \"https"),
                "{source}: {}",
                mistake(source)
            );
        }
    }
}

mod nothing {
    use super::*;

    fn refusal(source: &str) -> String {
        OriginRegex::parse(source).expect_err(source).to_string()
    }

    #[test]
    fn the_reason_is_told_with_what_to_write() {
        for (source, expected) in [
            (
                r"\.example\.com$",
                r#"the whole origin has to match, not a part of it; write "https://*.example.com""#,
            ),
            (
                r"example\.com",
                r#"the scheme is missing, and the whole origin has to match; write "~https://example\.com""#,
            ),
            (
                r"https://b\.example/",
                r#"an origin ends after its host and port, without a slash or a path; write "~https://b\.example""#,
            ),
            (
                r"^https://b\.example\/$",
                r#"an origin ends after its host and port, without a slash or a path; write "~^https://b\.example$""#,
            ),
            (
                r"https://b\.example/.*",
                r#"an origin ends after its host and port, without a slash or a path; write "~https://b\.example""#,
            ),
            (
                r"https://b\.example/api/v1",
                r#"an origin ends after its host and port, without a slash or a path; end it there"#,
            ),
            (
                r"https://B\.Example\.com",
                r#"browsers send origins in lower case; write "~https://b\.example\.com""#,
            ),
            (
                r"https://[A-Z]+\.example\.com",
                r#"browsers send origins in lower case; write "~(?i)https://[A-Z]+\.example\.com""#,
            ),
            (
                r"https://b\.example:443",
                r#"browsers leave the default port out; write "~https://b\.example""#,
            ),
            (
                r"http://localhost(:80)",
                r#"browsers leave the default port out; write "~http://localhost""#,
            ),
            (
                "^null$",
                r#""null" is no origin with a scheme, and a value of its own; write "null""#,
            ),
        ] {
            assert_eq!(refusal(source), format!("it matches no origin: {expected}"), "{source}");
        }
    }

    #[test]
    fn what_no_reason_explains_is_refused_all_the_same() {
        for source in [
            "",
            "$^",
            r"https://me@example\.com",
            r"https://b\.example\?",
            "https://exa mple",
            "(?u)https://ü",
            r"a\bb",
        ] {
            assert!(refusal(source).starts_with("it matches no origin: "), "{source}");
        }
    }

    #[test]
    fn no_origin_is_so_long() {
        assert!(OriginRegex::parse(&format!(r"https://a{{{}}}\.example", 495)).is_ok());
        assert!(refusal(&format!(r"https://a{{{}}}\.example", 600)).starts_with("it matches no origin"));
    }

    #[test]
    fn a_dead_branch_of_an_inner_alternation_is_named() {
        let dead = |source| findings(source).dead_branches;
        assert_eq!(
            dead(r"^https://(a\.example/|b\.example)$"),
            [
                r#"its branch "a\.example/" matches no origin: an origin ends after its host and port, without a slash or a path; mend it, or remove it"#
            ]
        );
        assert_eq!(
            dead(r"https://(A\.example|(b|C)\.example)"),
            [
                r#"its branch "A\.example" matches no origin: browsers send origins in lower case; mend it, or remove it"#,
                r#"its branch "C" matches no origin: browsers send origins in lower case; mend it, or remove it"#,
            ]
        );
        assert_eq!(
            dead(r"https://a\.example(:443|:8443)"),
            [r#"its branch ":443" matches no origin: browsers leave the default port out; mend it, or remove it"#]
        );
        // Either way of going on is taken with the other one, too.
        for source in [
            r"https://(a|b)+\.example",
            r"https://(a|b)\.example(:8443|)",
            r"https://a\.example(:443|)?",
        ] {
            assert!(dead(source).is_empty(), "{source}: {:?}", dead(source));
        }
    }

    #[test]
    fn a_dead_branch_is_named() {
        let dead = |source| findings(source).dead_branches;
        let slash = "its branch \"https://a\\.com/\" matches no origin: an origin ends after its host and port, without a slash or a path; write \"https://a\\.com\"";
        assert_eq!(dead(r"https://a\.com/|https://b\.com"), [slash]);
        assert_eq!(dead(r"^(https://b\.com|https://a\.com/)$"), [slash]);
        assert_eq!(
            dead(r"null|https://b\.com"),
            ["its branch \"null\" matches no origin: \"null\" is no origin with a scheme, and a value of its own; write \"null\""]
        );
        assert_eq!(dead(r"(?i)https://b\.com|HTTPS://A\.com"), [""; 0]);
    }
}

mod limits {
    use super::*;

    #[test]
    fn what_takes_more_than_linear_time_is_a_syntax_error() {
        for source in ["(?=a)b", r"(a)\1", "(?<!a)b", "(", "*.example.com"] {
            assert!(
                matches!(OriginRegex::parse(source), Err(RegexError::Syntax(_))),
                "{source}"
            );
        }
    }

    #[test]
    fn a_long_expression_may_make_more_work() {
        for branch in [r"https://tenant#\.com", r"https?://(.+\.)?tenant#\.com(:\d+)?"] {
            let branches: Vec<_> = (0..500).map(|n| branch.replace('#', &n.to_string())).collect();
            assert_eq!(stranger(&branches.join("|")), None);
        }
    }

    #[test]
    fn what_is_too_large_is_refused() {
        for source in [
            "https://a{1000}{1000}{1000}",
            "https://(a{1000}){1000}",
            r"https://((\w{50}){50}){50}\.example\.com",
            r"https://(((a?){30}){30}){30}\.example\.com",
            r"https://((.*|a){200}){9}\.example\.com",
            r"https://(a?){100}(a?){100}\.example\.com",
        ] {
            assert_eq!(OriginRegex::parse(source), Err(RegexError::TooLarge), "{source}");
        }
    }
}
