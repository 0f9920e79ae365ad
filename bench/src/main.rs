//! What CORS costs a request: `make bench-instructions`, and the other targets of that kind.

mod callgrind;
mod chart;
mod gate;
mod instructions;
mod load;
mod machine;
mod median;
mod peer;
mod report;
mod results;
mod scenario;
mod server;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{bail, Context, Result};

use crate::gate::{Figure, Record, Verdict};
use crate::instructions::Measured;
use crate::load::{Cores, Load};
use crate::peer::{Family, Peer, Role, Setting, PEERS};
use crate::results::{Results, Served};
use harness::Connection;

use crate::scenario::{Ceiling, Scenario};
use crate::server::{Build, Server};

const USAGE: &str = "usage: cors-bench <command> [options]

commands
  instructions  count the instructions that this module adds to a request
  gate          compare them with those in instructions.json
  accept        record them there
  check         ask every server whether it gives the right answers
  load          put every server under load
  compare       count the instructions of this module and of its peers in the same nginx
  all           all of it; writes results.json, the charts and the README
  report        write the charts and the README once more

options
  --only <scenario>     and no other; may be repeated
  --server <name>       and no other; may be repeated
  --requests <number>   that are counted
  --keep <directory>    for callgrind's files
  --rounds <number>     under load
  --round <number>      how long each is, in milliseconds";

struct Options {
    requests: usize,
    peers: Vec<&'static Peer>,
    scenarios: Vec<&'static Scenario>,
    keep: Option<PathBuf>,
    rounds: usize,
    round: Duration,
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options {
        requests: 500,
        peers: Vec::new(),
        scenarios: Vec::new(),
        keep: None,
        rounds: 61,
        round: Duration::from_millis(200),
    };
    while let Some(option) = words.next() {
        let value = words.next().context(USAGE)?;
        match option.as_str() {
            "--requests" => options.requests = value.parse().context(USAGE)?,
            "--rounds" => options.rounds = value.parse().context(USAGE)?,
            "--round" => options.round = Duration::from_millis(value.parse().context(USAGE)?),
            "--keep" => options.keep = Some(value.into()),
            "--only" => {
                let scenario = scenario::find(&value);
                options.scenarios.push(scenario.with_context(|| {
                    let names: Vec<&str> = scenario::all().iter().map(|scenario| scenario.name).collect();
                    format!("no scenario {value}: there are {}", names.join(", "))
                })?);
            }
            "--server" => {
                let peer = peer::find(&value);
                options.peers.push(peer.with_context(|| {
                    let names: Vec<&str> = PEERS.iter().map(|peer| peer.name).collect();
                    format!("no server {value}: there are {}", names.join(", "))
                })?);
            }
            _ => bail!(USAGE),
        }
    }
    if options.peers.is_empty() {
        options.peers = PEERS.iter().collect();
    }
    if options.scenarios.is_empty() {
        options.scenarios = scenario::all().iter().collect();
    }
    Ok(options)
}

/// Starts the application, and tells where all else is.
fn setting(build: Build, wrapper: Vec<OsString>) -> Result<(Setting, Server)> {
    let mut application = Setting::application(&build);
    application.wrapper = wrapper;
    let application = application.start()?;
    let setting = Setting {
        build,
        tower_http: harness::workspace_root().join("target/bench/release/tower-http-peer"),
        application: application.port,
    };
    Ok((setting, application))
}

/// Measures this module, and tells about each scenario as soon as it is known.
fn measure(build: Build, options: &Options, mut tell: impl FnMut(&Measured)) -> Result<Vec<Measured>> {
    let (setting, application) = setting(build, Vec::new())?;
    let mut all = Vec::new();
    for &scenario in &options.scenarios {
        let count = |role| {
            let keep = options.keep.as_deref();
            instructions::count(&setting, peer::ours(), role, scenario, options.requests, keep)
        };
        let ceiling = count(instructions::ceiling(scenario))?;
        let measured = Measured {
            scenario,
            ceiling,
            added: count(Role::Cors)? - ceiling,
        };
        tell(&measured);
        all.push(measured);
    }
    application.stop()?;
    Ok(all)
}

fn instructions(options: &Options) -> Result<ExitCode> {
    let build = Build::from_environment()?;
    println!("instructions per request, nginx {}", build.version);
    println!("{:<66} {:>8} {:>8} {:>8}", "", "ceiling", "added", "at most");
    let measured = measure(build, options, |measured| {
        println!(
            "{:<66} {:>8} {:>+8} {:>8}  {}",
            measured.scenario.title,
            measured.ceiling,
            measured.added,
            measured.scenario.limit,
            if measured.is_over() { "OVER" } else { "ok" }
        );
    })?;
    let over = measured.iter().any(Measured::is_over);
    Ok(if over { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Compares with what is recorded.
fn gate(options: &Options) -> Result<ExitCode> {
    let build = Build::from_environment()?;
    let record = Record::read()?;
    let recorded = record.nginx.get(&build.version);
    println!("instructions added to a request, nginx {}", build.version);
    println!("{:<66} {:>8} {:>8}", "", "recorded", "now");
    let mut failed = false;
    measure(build, options, |measured| {
        let scenario = measured.scenario;
        let recorded = recorded.and_then(|figures| figures.get(scenario.name));
        let verdict = gate::judge(recorded.copied(), measured.added);
        failed |= verdict != Verdict::Same;
        let text = recorded.map_or_else(|| "-".to_owned(), |recorded| format!("{:+}", recorded.added));
        println!(
            "{:<66} {text:>8} {:>+8}  {}{}",
            scenario.title,
            measured.added,
            verdict.words(),
            if measured.is_over() { ", over its limit" } else { "" }
        );
    })?;
    if failed {
        println!(
            "bench/instructions.json is to hold today's figures: see why they changed, then run make bench-accept"
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Records what is measured, for this version of nginx.
fn accept(options: &Options) -> Result<ExitCode> {
    let build = Build::from_environment()?;
    let mut record = Record::read()?;
    let figures = record.nginx.entry(build.version.clone()).or_default();
    for measured in measure(build, options, |_| ())? {
        if measured.is_over() {
            let (scenario, added) = (measured.scenario, measured.added);
            println!(
                "{}: {added:+} is over the limit of {:+}",
                scenario.title, scenario.limit
            );
        }
        let figure = Figure {
            ceiling: measured.ceiling,
            added: measured.added,
        };
        figures.insert(measured.scenario.name.to_owned(), figure);
    }
    figures.retain(|name, _| scenario::find(name).is_some());
    record.write()?;
    Ok(ExitCode::SUCCESS)
}

/// Whether each server gives the right answers.
fn check(options: &Options) -> Result<ExitCode> {
    let (setting, application) = setting(Build::from_environment()?, Vec::new())?;
    let mut failed = false;
    for &peer in &options.peers {
        for &scenario in options
            .scenarios
            .iter()
            .filter(|scenario| instructions::is_for_all(scenario))
        {
            for role in roles(scenario) {
                let server = setting.start(peer, role, scenario).start()?;
                let response = Connection::open(server.port).send(&scenario.request());
                let faults = match role {
                    Role::Cors => scenario.faults(&response, &peer.manners),
                    _ => scenario.ceiling_faults(&response),
                };
                for fault in faults {
                    failed = true;
                    println!("{}, {role:?}, {}: {fault}\n{}", peer.name, scenario.name, server.said());
                }
                server.stop()?;
            }
        }
    }
    application.stop()?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Puts the servers under load.
fn load(build: Build, options: &Options) -> Result<Vec<results::Load>> {
    let load = Load {
        rounds: options.rounds,
        round: options.round,
        cores: Cores::pick()?,
    };
    let (setting, application) = setting(build, load.cores.for_load())?;
    println!(
        "{} rounds of {:?}, nginx {}",
        load.rounds, load.round, setting.build.version
    );
    let mut all = Vec::new();
    for &scenario in options
        .scenarios
        .iter()
        .filter(|scenario| instructions::is_for_all(scenario))
    {
        println!(
            "{:<66} {:>8} {:>6} {:>7} {:>7}",
            scenario.title, "per s", "share", "CPU us", "beyond"
        );
        let mut servers = Vec::new();
        for outcome in load.measure(&setting, &options.peers, scenario)? {
            let title = outcome.peer.map_or_else(
                || format!("{}, the ceiling", outcome.family.title()),
                |peer| peer.title.to_owned(),
            );
            println!(
                "  {title:<64} {:>8.0} {:>6.3} {:>7.1} {:>+7.1}",
                outcome.per_second, outcome.share, outcome.cpu_microseconds, outcome.cpu_added
            );
            servers.push(Served {
                peer: outcome.peer.map(|peer| peer.name.to_owned()),
                family: outcome.family.title().to_owned(),
                requests_per_second: outcome.per_second.round(),
                share_of_ceiling: rounded(outcome.share),
                cpu_microseconds: rounded(outcome.cpu_microseconds),
                cpu_microseconds_added: rounded(outcome.cpu_added),
            });
        }
        all.push(results::Load {
            scenario: scenario.name.to_owned(),
            servers,
        });
    }
    application.stop()?;
    Ok(all)
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// Counts the instructions of this module, and of the peers that run in the same nginx.
fn compare(build: Build, options: &Options, peers: &[&'static Peer]) -> Result<Vec<results::Instructions>> {
    let of_nginx = peers.iter().copied().filter(|peer| peer.family == Family::Nginx);
    let peers: Vec<&'static Peer> = of_nginx.collect();
    let (setting, application) = setting(build, Vec::new())?;
    println!("instructions added to a request, nginx {}", setting.build.version);
    let titles: String = peers.iter().map(|peer| format!(" {:>22}", peer.title)).collect();
    println!("{:<66} {:>8} {:>8}{titles}", "", "ceiling", "at most");
    let mut rows = Vec::new();
    for &scenario in &options.scenarios {
        let count = |peer: &Peer, role, requests| instructions::count(&setting, peer, role, scenario, requests, None);
        let ceiling = count(peer::ours(), instructions::ceiling(scenario), options.requests)?;
        let mut added = BTreeMap::new();
        for &peer in &peers {
            let is_ours = *peer == *peer::ours();
            if is_ours || instructions::is_for_all(scenario) {
                // A thousand regular expressions take their time under valgrind.
                let requests = if is_ours {
                    options.requests
                } else {
                    options.requests.min(100)
                };
                added.insert(peer.name.to_owned(), count(peer, Role::Cors, requests)? - ceiling);
            }
        }
        let row = results::Instructions {
            scenario: scenario.name.to_owned(),
            ceiling,
            at_most: scenario.limit,
            added,
        };
        let cells = peers.iter().map(|peer| row.added.get(peer.name));
        let cells = cells.map(|added| added.map_or_else(|| "-".to_owned(), |added| format!("{added:+}")));
        let cells: String = cells.map(|cell| format!(" {cell:>22}")).collect();
        println!("{:<66} {:>8} {:>+8}{cells}", scenario.title, row.ceiling, row.at_most);
        rows.push(row);
    }
    application.stop()?;
    Ok(rows)
}

/// Everything: the module in the nginx of `make`, and beside all others in Debian's.
fn all(options: &Options) -> Result<ExitCode> {
    let peers = |build: &Build, all: bool| -> Result<Vec<results::Instructions>> {
        let of_nginx = options
            .peers
            .iter()
            .copied()
            .filter(|peer| peer.family == Family::Nginx);
        let peers: Vec<&'static Peer> = of_nginx.filter(|peer| all || **peer == *peer::ours()).collect();
        compare(build.clone(), options, &peers)
    };
    let [plain, debian] = [Build::from_environment()?, Build::of_debian()?];
    let mut results = Results {
        machine: machine::describe(),
        rounds: options.rounds,
        round_milliseconds: u64::try_from(options.round.as_millis())?,
        ..Results::default()
    };
    results
        .instructions
        .insert(plain.version.clone(), peers(&plain, false)?);
    results
        .instructions
        .insert(debian.version.clone(), peers(&debian, true)?);
    results.load = load(debian, options)?;
    results.write()?;
    report::write(&results)?;
    println!("where this module loses:");
    for loss in report::losses(&results) {
        println!("  {loss}");
    }
    Ok(ExitCode::SUCCESS)
}

fn roles(scenario: &Scenario) -> [Role; 2] {
    [
        Role::Cors,
        match scenario.ceiling {
            Ceiling::Return204 => Role::Return204WithHeaders,
            Ceiling::NoCors => Role::None,
            Ceiling::NoZone => Role::Uncounted,
        },
    ]
}

fn run() -> Result<ExitCode> {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("instructions") => instructions(&options(words)?),
        Some("gate") => gate(&options(words)?),
        Some("accept") => accept(&options(words)?),
        Some("load") => load(Build::from_environment()?, &options(words)?).map(|_| ExitCode::SUCCESS),
        Some("all") => all(&options(words)?),
        Some("compare") => {
            let options = options(words)?;
            compare(Build::from_environment()?, &options, &options.peers).map(|_| ExitCode::SUCCESS)
        }
        Some("report") => report::write(&Results::read()?).map(|()| ExitCode::SUCCESS),
        Some("check") => check(&options(words)?),
        _ => bail!(USAGE),
    }
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
