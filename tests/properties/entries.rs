//! Every entry can match, or the operator is told.
//!
//! Configurations are written here as people write them, and each entry knows what its author meant: origins that browsers
//! send, a method, the name of a header, an age. `nginx -t` refuses the configuration, or warns of it, or a real request
//! gets what was meant. Nothing passes and then does nothing.
//!
//! Values that only a request shows, those of variables, may be told of in the log instead, when the first request comes.

mod kinds;
mod written;

use std::collections::BTreeMap;

use fastrand::Rng;
use harness::{Request, Response};

use self::kinds::KINDS;
use self::written::{Meant, Written, KNOWN};
use crate::batch::{self, Client, Configuration, Surroundings};
use crate::table::Table;

const SEED: u64 = 20_260_102;

/// What became of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Refused,
    Warned,
    /// A line in the log says that the value of a variable is ignored.
    Logged,
    /// Each entry does what it was meant to do.
    Served,
    /// An entry does nothing, and nobody says so.
    Silent,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Warned => "warned of",
            Self::Logged => "logged",
            Self::Served => "served",
            Self::Silent => "silent",
        }
    }
}

/// Whether a request gets what the author of an entry meant.
fn is_served(client: &mut Client<'_>, host: &str, meant: &Meant) -> bool {
    let mut send = |request: Request| client.send(&request.header("Host", host));
    let preflight = |origin: &str, method: &str| {
        Request::preflight("/", origin, method).header("Access-Control-Request-Headers", "x-nobody")
    };
    let allows = |response: &Response, origin: &str| {
        let value = response.get("Access-Control-Allow-Origin");
        value.is_some_and(|value| value == origin || value == "*")
    };
    let lists = |response: &Response, header: &str, name: &str| {
        let list = response.list(header);
        list.iter()
            .any(|listed| listed == "*" || *listed == name.to_ascii_lowercase())
    };
    match meant {
        Meant::Origin(origins) => origins.iter().any(|origin| {
            allows(&send(Request::get("/").origin(origin)), origin) && allows(&send(preflight(origin, "GET")), origin)
        }),
        Meant::Credentials(origins) => origins.iter().any(|origin| {
            let response = send(Request::get("/").origin(origin));
            response.get("Access-Control-Allow-Origin") == Some(origin)
                && response.get("Access-Control-Allow-Credentials") == Some("true")
        }),
        // Methods are compared in their case, unlike the names of headers.
        Meant::Method(method) => {
            let response = send(preflight(KNOWN, method));
            let listed = response.get("Access-Control-Allow-Methods").unwrap_or_default();
            let is_listed = listed.split(", ").any(|name| name == method || name == "*");
            is_listed || matches!(&**method, "GET" | "HEAD" | "POST")
        }
        Meant::Header(name) => {
            let request = Request::preflight("/", KNOWN, "GET").header("Access-Control-Request-Headers", name);
            lists(&send(request), "Access-Control-Allow-Headers", name)
        }
        Meant::Exposed(name) => lists(
            &send(Request::get("/").origin(KNOWN)),
            "Access-Control-Expose-Headers",
            name,
        ),
        Meant::Age(seconds) => {
            let response = send(preflight(KNOWN, "GET"));
            let sent = response.get("Access-Control-Max-Age").map(str::to_owned);
            sent == seconds.map(|seconds| seconds.to_string())
        }
    }
}

struct Findings {
    table: Table,
    /// The shortest configuration of each kind that is silent.
    silent: BTreeMap<&'static str, String>,
    /// Those that are right, and yet were not served.
    sound: BTreeMap<&'static str, String>,
}

fn shortest(examples: &mut BTreeMap<&'static str, String>, kind: &'static str, example: String) {
    let known = examples.entry(kind).or_insert_with(|| example.clone());
    if example.len() < known.len() {
        *known = example;
    }
}

fn try_configurations(count: usize) -> Findings {
    let mut random = Rng::with_seed(SEED);
    let written: Vec<_> = (0..count)
        .map(|number| Written::random(&KINDS[number % KINDS.len()], number, &mut random))
        .collect();
    let mut findings = Findings {
        table: Table::default(),
        silent: BTreeMap::new(),
        sound: BTreeMap::new(),
    };
    let surroundings = Surroundings::default();
    for (start, written) in (0..).step_by(batch::SIZE).zip(written.chunks(batch::SIZE)) {
        let configurations: Vec<_> = (start..)
            .zip(written)
            .map(|(number, written)| Configuration {
                number,
                text: written.text(),
            })
            .collect();
        let refused = surroundings.refused(&configurations);
        let accepted = configurations.iter().filter(|one| !refused.contains_key(&one.number));
        let nginx = surroundings.serve(accepted);
        let mut client = Client::new(&nginx);
        for (configuration, written) in configurations.iter().zip(written) {
            let host = configuration.host();
            let unserved = |client: &mut Client<'_>| {
                let entries = written.entries.iter();
                entries.filter(|meant| !is_served(client, &host, meant)).count()
            };
            let outcome = if refused.contains_key(&configuration.number) {
                Outcome::Refused
            } else if unserved(&mut client) == 0 {
                Outcome::Served
            } else if surroundings.check(configuration).stderr.contains("[warn]") {
                Outcome::Warned
            } else if written.texts().any(|text| nginx.error_log().contains(&ignored(text))) {
                Outcome::Logged
            } else {
                Outcome::Silent
            };
            findings.table.count(written.kind.name, outcome.name());
            if outcome == Outcome::Silent {
                shortest(&mut findings.silent, written.kind.name, configuration.text.clone());
            }
            if written.is_sound() && outcome != Outcome::Served {
                let said = refused.get(&configuration.number).map_or("", String::as_str);
                let told = format!("{outcome:?} {said}\n{}", configuration.text);
                shortest(&mut findings.sound, written.kind.name, told);
            }
        }
    }
    findings
}

/// What the log says where the value of a text with variables was of no use.
fn ignored(text: &str) -> String {
    format!("in the value of \"{text}\" is ignored: ")
}

#[track_caller]
fn assert_no_silence(count: usize) {
    let Findings { table, silent, sound } = try_configurations(count);
    println!("What became of {count} configurations:\n{table}");
    let told = |examples: &BTreeMap<&str, String>| {
        let examples = examples.iter().map(|(kind, example)| format!("{kind}:\n{example}"));
        examples.collect::<Vec<_>>().join("\n")
    };
    assert!(
        silent.is_empty(),
        "{} kinds pass and do nothing:\n{}",
        silent.len(),
        told(&silent)
    );
    assert!(
        sound.is_empty(),
        "{} kinds are right and are not served:\n{}",
        sound.len(),
        told(&sound)
    );
}

#[test]
fn every_entry_is_served_or_told_of() {
    assert_no_silence(crate::few());
}

#[test]
#[ignore = "takes minutes"]
fn every_entry_of_ten_thousand_is_served_or_told_of() {
    assert_no_silence(crate::MANY);
}
