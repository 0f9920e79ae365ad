//! `docs/troubleshooting.md`: each configuration with the lines to remove makes the browsers say what stands
//! above it, and with the lines to write it does not.

use std::collections::BTreeSet;

use harness::{Browser, Cause, Response, Script};

use crate::all_causes::{cases, is_said, nginx, page, prepare, Case};

/// What each browser makes of the script, under a configuration that was never asked before.
fn run(case: &Case, configuration: &str, browser: Browser) -> Result<Response, String> {
    let application = case.application();
    let nginx = nginx(configuration, "{listen}", &application).start();
    // A request for an upgrade does not ask to close the connection.
    let send = |request: &harness::Request| nginx.connect().send(request);
    prepare(case, send);
    case.script.run(browser, send)
}

/// Fails unless the configuration of the page with this cause has it, and the mended one has not.
#[track_caller]
fn assert_is_mended(case: &Case, cause: &Cause) {
    for (browser, words) in [
        (Browser::Chromium, std::slice::from_ref(&cause.chromium)),
        (Browser::Firefox, &cause.firefox),
        (Browser::Safari, &cause.safari),
    ] {
        let title = case.title;
        match run(case, &cause.broken, browser) {
            Ok(response) => panic!("{title}: {browser:?} has nothing to say of {response}"),
            Err(said) => assert!(
                words.iter().any(|words| is_said(words, &said)),
                "{title}: {browser:?} says {said:?}, not {words:?}"
            ),
        }
        let mended = run(case, &cause.mended, browser);
        assert!(mended.is_ok(), "{title}: {browser:?} says {:?}", mended.err());
    }
}

/// Of these the console says nothing.
const SILENT: &str = "No error, but the script gets null";

#[test]
fn each_makes_browsers_say_so_and_can_be_mended() {
    let causes = page().causes();
    assert!(causes.len() > 20, "{}", causes.len());
    for cause in causes.iter().filter(|cause| cause.chromium != SILENT) {
        let cases = cases();
        let case = cases.iter().find(|case| case.title == cause.title);
        let case = case.unwrap_or_else(|| panic!("nothing tries {:?}", cause.title));
        assert_is_mended(case, cause);
    }
}

#[test]
fn each_that_is_tried_is_on_the_page() {
    let on_page: BTreeSet<_> = page().causes().into_iter().map(|cause| cause.title).collect();
    let tried: BTreeSet<_> = cases().iter().map(|case| case.title.to_owned()).collect();
    assert_eq!(on_page, tried);
}

#[test]
fn the_cookbook_has_an_index_of_them() {
    let cookbook = std::fs::read_to_string(harness::workspace_root().join("docs/cookbook.md")).expect("the page");
    for cause in page().causes() {
        // As GitHub names a heading.
        let sign = |sign: char| match sign {
            ' ' => Some('-'),
            _ => (sign.is_alphanumeric() || "-_".contains(sign)).then(|| sign.to_ascii_lowercase()),
        };
        let anchor: String = cause.title.chars().filter_map(sign).collect();
        let link = format!("  - [{}](troubleshooting.md#{anchor})\n", cause.title);
        assert!(cookbook.contains(&link), "no {link}");
    }
}

/// A script reads few headers without leave, <https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name>.
#[test]
fn a_header_that_is_not_exposed_is_there_but_not_for_the_script() {
    let cases = cases();
    for cause in page().causes().iter().filter(|cause| cause.chromium == SILENT) {
        let case = cases.iter().find(|case| case.title == cause.title).expect("a case");
        let exposed = |configuration: &str| {
            let response = run(case, configuration, Browser::Chromium).expect("a readable response");
            assert_eq!(response.only("X-Total-Count"), "42");
            response.list("Access-Control-Expose-Headers")
        };
        assert!(exposed(&cause.broken).is_empty());
        assert_eq!(exposed(&cause.mended), ["x-total-count"]);
    }
}

/// The model has to see what it is for: a response that no browser objects to, and what each checks first.
#[test]
fn browsers_check_in_their_own_order() {
    let script = Script {
        method: "PUT",
        ..Script::get("https://app.example.com", "/")
    };
    let nginx = harness::Nginx::server("location / { return 401; }");
    let says = |browser| script.run(browser, |request| nginx.send(request)).err().expect("words");
    assert!(says(Browser::Chromium).contains("No 'Access-Control-Allow-Origin' header"));
    assert_eq!(says(Browser::Firefox), "CORS preflight response did not succeed");
    assert_eq!(
        says(Browser::Safari),
        "Preflight response is not successful. Status code: 401"
    );
}
