//! CORS at a gateway: the cases of Gateway API's conformance tests, and the checks of `nginx-cors audit`, tried on this
//! module and on other ways to do the same. `make conformance` runs it; `docs/conformance.md` is its table.

mod application;
mod audited;
mod gateway_api;
mod peer;
mod table;

use std::{env, fs};

use harness::workspace_root;

use self::peer::{Peer, PEERS};
use self::table::{Outcome, Results};

/// Tries everything on a peer.
fn try_on(peer: &'static Peer) -> Results {
    let application = application::start();
    let running = peer.start(application.port());
    let mut results = Results::new(peer);
    for case in gateway_api::cases() {
        let outcome = match case.try_at(running.port) {
            Ok(()) => Outcome::Passed,
            Err(why) => Outcome::Failed(why),
        };
        results.of_gateway_api.push((case.name, outcome));
    }
    results.of_audit = audited::audit(running.port);
    for (name, why) in results.failed() {
        println!("{}: {name}: {why}", peer.title);
    }
    results
}

#[test]
fn this_module_passes_each_case_and_the_table_is_as_recorded() {
    let results: Vec<_> = PEERS.iter().map(try_on).collect();
    let page = table::page(&results);
    let file = workspace_root().join("docs/conformance.md");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &page).expect("a file of ours");
    }
    let failed = results[0].failed();
    assert!(failed.is_empty(), "{}: {failed:#?}", results[0].peer.title);
    let written = fs::read_to_string(&file).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).find(|(one, other)| one != other);
    assert!(
        written == page,
        "docs/conformance.md is out of step; UPDATE_DOCS=1 writes it anew: {differs:?}"
    );
}
