//! A preflight and its actual request agree on the origin.
//!
//! A browser asks by a preflight, and sends the actual request to the same URL. Here both are sent, and what they get is
//! compared: either both responses let the origin read them, by `Access-Control-Allow-Origin`, or neither does. That holds
//! whatever their status is, and whoever answers: the module, an `error_page`, a `return`, the application.
//!
//! The contract has these exceptions, and only these are let pass:
//!
//! - One of them is served by a location that says `cors off`. Such a response has no `Access-Control-*` at all.
//! - nginx leads them to different locations because of their methods, before a policy governs: by an `if` or a
//!   `limit_except`, or since it serves no file to `OPTIONS`. The locations write down their way.
//! - `nginx -t` has warned that the preflights of this location are answered under the policy of the server.

mod server;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use harness::{Check, Request, Response};

use self::server::Server;
use crate::batch::{self, Client, Configuration, Surroundings};
use crate::table::Table;

const SEED: u64 = 20_260_101;

const STRANGER: &str = "https://stranger.example";

const SURROUNDINGS: Surroundings<'static> = Surroundings {
    http: "server { {listen:application} location / { return 200 application; } }",
    files: &[
        ("html/a/hello.txt", "hello"),
        ("html/a/deep/x.txt", "x"),
        ("html/a/index.html", "index"),
        ("html/b/index.html", "index"),
        ("html/b/hello.txt", "hello"),
        ("html/files/hello.txt", "hello"),
        ("html/errors/404.html", "sorry"),
        ("html/dir/index.html", "index"),
        ("conf/htpasswd", "user:{PLAIN}password\n"),
    ],
};

/// A preflight and its actual request, and what they got.
struct Pair<'p> {
    path: &'p str,
    origin: &'p str,
    method: &'p str,
    preflight: Response,
    actual: Response,
}

/// Whether they agree, or which exception they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agreement {
    Allowed,
    Denied,
    Off,
    /// nginx led them to different locations because of their methods.
    LedApart,
    /// The server has answered the preflight, and a location the actual request.
    AnsweredEarly,
    None,
}

impl Agreement {
    fn column(self) -> &'static str {
        match self {
            Self::Allowed => "both allowed",
            Self::Denied => "both denied",
            Self::Off => "cors off",
            Self::LedApart => "led apart by method",
            Self::AnsweredEarly => "warned of",
            Self::None => "disagree",
        }
    }
}

impl Pair<'_> {
    fn allows(&self, response: &Response) -> bool {
        match response.get("Access-Control-Allow-Origin") {
            None => false,
            Some(value) => {
                assert!(value == "*" || value == self.origin, "{response}");
                true
            }
        }
    }

    fn agreement(&self, server: &Server) -> Agreement {
        let both = [&self.preflight, &self.actual];
        match both.map(|response| self.allows(response)) {
            [true, true] => Agreement::Allowed,
            [false, false] => Agreement::Denied,
            _ if both.iter().any(|response| server.is_off(serving(response))) => Agreement::Off,
            _ if server.answers_early && serving(&self.preflight) == server::OUTSIDE => Agreement::AnsweredEarly,
            _ if self.is_led_apart(server) => Agreement::LedApart,
            _ => Agreement::None,
        }
    }

    /// Whether nginx led them to different places because of their methods. The module answers a preflight on the way of
    /// its actual request, which may go on from there.
    fn is_led_apart(&self, server: &Server) -> bool {
        let (asked, sent) = (way(&self.preflight), way(&self.actual));
        let has_met_policy = asked.iter().any(|location| server.is_on(location));
        !sent.starts_with(&asked) || !has_met_policy || server.looks_at_method(serving(&self.preflight))
    }

    fn told(&self) -> String {
        let shown = |response: &Response| {
            let headers = response.headers.iter().filter(|(name, _)| {
                name.starts_with("Access-Control-Allow-Origin") || name.starts_with("X-") || name == "Location"
            });
            let headers: Vec<_> = headers
                .map(|(name, value)| format!("{name}: {}", value.escape_ascii()))
                .collect();
            format!("{} {}", response.status, headers.join(", "))
        };
        format!(
            "{} {} from {}\n  preflight: {}\n  actual:    {}",
            self.method,
            self.path,
            self.origin,
            shown(&self.preflight),
            shown(&self.actual)
        )
    }
}

/// The location that has sent the response, as its `add_header` says.
fn serving(response: &Response) -> &str {
    response.get("X-Location").unwrap_or_default()
}

/// The locations that a request has come through, up to the one that has sent the response.
fn way(response: &Response) -> Vec<&str> {
    let way = response.get("X-Way").unwrap_or_default().split_whitespace();
    let mut way: Vec<_> = way.collect();
    // A preflight that is answered early has not come as far as the directive that writes down the way.
    if way.last() != Some(&serving(response)) {
        way.push(serving(response));
    }
    way
}

/// Sends the pairs of one server.
fn pairs<'p>(client: &mut Client<'_>, host: &str, random: &mut Rng) -> Vec<Pair<'p>> {
    let mut pairs = Vec::new();
    for path in server::PATHS {
        for origin in [server::ONE, server::OTHER, STRANGER] {
            let method = *random.choice(&["GET", "POST", "PUT", "DELETE"]).expect("a method");
            let preflight = Request::preflight(path, origin, method)
                .header("Access-Control-Request-Headers", "x-asked")
                .header("Host", host);
            let actual = Request::new(method, path)
                .origin(origin)
                .header("X-Asked", "1")
                .header("Host", host);
            pairs.push(Pair {
                path,
                origin,
                method,
                preflight: client.send(&preflight),
                actual: client.send(&actual),
            });
        }
    }
    pairs
}

/// Whether `nginx -t` says that the server answers the preflights of a location to which this request came.
fn is_warned_about(check: &Check, pair: &Pair<'_>) -> bool {
    // What an inner location inherits differs from the policy of the server where that of the outer location does.
    let locations = way(&pair.actual)
        .into_iter()
        .flat_map(|location| [Some(location), server::around(location)]);
    locations.flatten().any(|location| {
        let name = server::shown(location);
        check.stderr.contains(&format!(
            "answers the preflights of location \"{name}\" under the policy of the server"
        ))
    })
}

#[derive(Default)]
struct Findings {
    table: Table,
    /// Configurations with a pair that disagrees: how many have the same features, and the shortest of them.
    disagreements: BTreeMap<BTreeSet<&'static str>, (usize, String)>,
}

impl Findings {
    fn add(&mut self, configuration: &Configuration, server: &Server, pairs: &[Pair<'_>]) {
        let check = OnceCell::new();
        for pair in pairs {
            let is_warned = || is_warned_about(check.get_or_init(|| SURROUNDINGS.check(configuration)), pair);
            let agreement = match pair.agreement(server) {
                Agreement::AnsweredEarly if !is_warned() => Agreement::None,
                other => other,
            };
            for feature in &server.features {
                self.table.count(feature, agreement.column());
            }
            if agreement == Agreement::None {
                let example = format!("{}\n{}", pair.told(), configuration.text);
                let known = self.disagreements.entry(server.features.clone());
                let (count, shortest) = known.or_insert_with(|| (0, example.clone()));
                *count += 1;
                if example.len() < shortest.len() {
                    *shortest = example;
                }
            }
        }
    }
}

fn try_configurations(count: usize) -> Findings {
    let mut random = Rng::with_seed(SEED);
    let servers: Vec<_> = (0..count).map(|_| Server::random(&mut random)).collect();
    let mut findings = Findings::default();
    for (start, servers) in (0..).step_by(batch::SIZE).zip(servers.chunks(batch::SIZE)) {
        let configurations: Vec<_> = (start..)
            .zip(servers)
            .map(|(number, server)| Configuration {
                number,
                text: server.text(),
            })
            .collect();
        let refused = SURROUNDINGS.refused(&configurations);
        let accepted: Vec<_> = configurations
            .iter()
            .zip(servers)
            .filter(|(configuration, _)| !refused.contains_key(&configuration.number))
            .collect();
        let nginx = SURROUNDINGS.serve(accepted.iter().map(|(configuration, _)| *configuration));
        let mut client = Client::new(&nginx);
        for (configuration, server) in accepted {
            let pairs = pairs(&mut client, &configuration.host(), &mut random);
            findings.add(configuration, server, &pairs);
        }
        for feature in refused.keys().flat_map(|number| &servers[number - start].features) {
            findings.table.count(feature, "refused");
        }
    }
    findings
}

#[track_caller]
fn assert_agreement(count: usize) {
    let Findings { table, disagreements } = try_configurations(count);
    let mut disagreements: Vec<_> = disagreements.into_values().collect();
    disagreements.sort_by_key(|(_, example)| example.len());
    println!("Pairs of a preflight and its actual request in {count} configurations:\n{table}");
    let shown = disagreements
        .iter()
        .take(5)
        .map(|(pairs, example)| format!("{pairs} pairs like {example}"));
    let shown: Vec<_> = shown.collect();
    assert!(
        disagreements.is_empty(),
        "{} kinds of configurations in which a preflight and its actual request disagree, the shortest first:\n{}",
        disagreements.len(),
        shown.join("\n\n")
    );
    // They agree on something.
    for column in ["both allowed", "both denied", "cors off"] {
        assert!(table.total(column) > count, "{column}: {}", table.total(column));
    }
}

#[test]
fn a_preflight_and_its_actual_request_agree_on_the_origin() {
    assert_agreement(crate::few());
}

#[test]
#[ignore = "takes minutes"]
fn a_preflight_and_its_actual_request_agree_on_the_origin_in_ten_thousand() {
    assert_agreement(crate::MANY);
}
