//! What CORS costs a request: `make bench-instructions`, and the other targets of that kind.

mod callgrind;
mod gate;
mod instructions;
mod load;
mod median;
mod peer;
mod scenario;
mod server;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{bail, Context, Result};

use crate::gate::{Figure, Record, Verdict};
use crate::instructions::Measured;
use crate::load::{Cores, Load};
use crate::peer::{Peer, Role, Setting, PEERS};
use harness::Connection;

use crate::scenario::{Ceiling, Scenario};
use crate::server::{Build, Server};

const USAGE: &str =
    "usage: cors-bench instructions|gate|accept [--requests <number>] [--only <scenario>]... [--keep <directory>]";

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
        rounds: 7,
        round: Duration::from_millis(400),
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
        let measured = instructions::measure(&setting, peer::ours(), scenario, options.requests, options.keep.clone())?;
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
        let recorded = recorded.map(|figure| figure.added);
        let verdict = gate::judge(recorded, measured.added);
        failed |= verdict != Verdict::Same;
        let text = recorded.map_or_else(|| "-".to_owned(), |recorded| format!("{recorded:+}"));
        println!(
            "{:<66} {text:>8} {:>+8}  {}",
            scenario.title,
            measured.added,
            verdict.words()
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
fn load(options: &Options) -> Result<ExitCode> {
    let load = Load {
        rounds: options.rounds,
        round: options.round,
        cores: Cores::pick()?,
    };
    let (setting, application) = setting(Build::from_environment()?, load.cores.for_load())?;
    for &scenario in options
        .scenarios
        .iter()
        .filter(|scenario| instructions::is_for_all(scenario))
    {
        println!(
            "{:<40} {:>10} {:>8} {:>9} {:>9}",
            scenario.title, "per s", "share", "CPU us", "added"
        );
        for outcome in load.measure(&setting, &options.peers, scenario)? {
            let title = outcome.peer.map_or(outcome.family.title(), |peer| peer.title);
            println!(
                "  {title:<38} {:>10.0} {:>8.3} {:>9.2} {:>+9.2}",
                outcome.per_second, outcome.share, outcome.cpu_microseconds, outcome.cpu_added
            );
        }
    }
    application.stop()?;
    Ok(ExitCode::SUCCESS)
}

fn roles(scenario: &Scenario) -> [Role; 2] {
    [
        Role::Cors,
        match scenario.ceiling {
            Ceiling::Return204 => Role::Return204WithHeaders,
            Ceiling::NoCors => Role::None,
        },
    ]
}

fn run() -> Result<ExitCode> {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("instructions") => instructions(&options(words)?),
        Some("gate") => gate(&options(words)?),
        Some("accept") => accept(&options(words)?),
        Some("load") => load(&options(words)?),
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
