//! The page itself: it shows what happened, and tells when that is not what should have happened.

use serde_json::Value;

use crate::visit::{visit, REPEATED};

fn ids() -> Vec<&'static str> {
    visit().seen["results"]
        .as_object()
        .expect("results")
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn every_case_comes_out_as_expected() {
    let seen = &visit().seen;
    for id in ids() {
        assert_eq!(
            seen["results"][id]["asExpected"], true,
            "{id}: {:#}",
            seen["results"][id]
        );
        assert_eq!(seen["cards"][id]["asExpected"], "true", "{id}");
    }
    assert_eq!(seen["state"], "done");
    assert_eq!(seen["summary"], "All 15 cases came out as expected.");
    assert_eq!(seen["links"], 15);
}

#[test]
fn each_card_shows_what_the_script_saw() {
    for id in ids() {
        let (result, card) = (&visit().seen["results"][id], &visit().seen["cards"][id]);
        let outcome = &result["steps"].as_array().expect("steps").last().expect("a step")["outcome"];
        let seen = card["seen"].as_str().expect("text");
        if outcome["readable"] == true {
            assert_eq!(card["outcome"], "readable", "{id}");
            assert_eq!(card["verdict"], "The script may read it", "{id}");
            assert_eq!(card["status"], outcome["status"].to_string(), "{id}");
            assert!(seen.contains(&outcome["status"].to_string()), "{id}: {seen}");
        } else {
            assert_eq!(card["outcome"], "blocked", "{id}");
            assert_eq!(card["verdict"], "The browser blocks it", "{id}");
            assert_eq!(card["status"], "", "{id}");
            assert!(seen.contains("TypeError: Failed to fetch"), "{id}: {seen}");
        }
    }
}

#[test]
fn the_directives_are_those_of_the_running_configuration() {
    let marked = |id: &str| visit().seen["cards"][id]["marked"].clone();
    let page = &visit().page;
    assert_eq!(
        marked("simple-get"),
        Value::from(vec![format!("cors_allow_origin {page};")])
    );
    assert_eq!(marked("wildcard"), Value::from(vec!["cors_allow_origin *;"]));
    assert_eq!(
        marked("put-json"),
        Value::from(vec![
            "cors_allow_methods GET POST PUT DELETE;",
            "cors_allow_headers Content-Type;",
        ])
    );
}

#[test]
fn a_terminal_gets_the_same_requests() {
    let (page, api) = (&visit().page, &visit().api);
    assert_eq!(
        visit().seen["cards"]["delete"]["terminal"],
        format!(
            "curl -i \\
  -X OPTIONS \\
  -H 'Origin: {page}' \\
  -H 'Access-Control-Request-Method: DELETE' \\
  '{api}/notes/7'

curl -i \\
  -X DELETE \\
  -H 'Origin: {page}' \\
  '{api}/notes/7'"
        )
    );
}

#[test]
fn a_case_that_is_run_again_asks_again() {
    let run = |seen: &Value| seen["results"][REPEATED]["steps"][0]["exchanges"][0]["run"].clone();
    let again = &visit().seen_again["results"][REPEATED];
    assert_ne!(run(&visit().seen), run(&visit().seen_again));
    assert_eq!(again["preflight"], 204);
    assert_eq!(again["asExpected"], true, "{again:#}");
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let visit = visit();
    let loaded = visit.seen["loaded"].as_array().expect("addresses");
    assert!(!loaded.is_empty());
    for address in loaded {
        let address = address.as_str().expect("an address");
        let known = [&visit.page, &visit.api, &visit.stranger]
            .iter()
            .any(|origin| address.starts_with(&format!("{origin}/")));
        assert!(known, "{address}");
    }
}
