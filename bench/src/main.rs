//! What CORS costs a request: `make bench-instructions`, and the other targets of that kind.

mod callgrind;
mod chart;
mod cost;
mod instructions;
mod limits;
mod live_lists;
mod load;
mod machine;
mod median;
mod peer;
mod profile;
mod record;
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

use harness::Connection;

use crate::cost::Cost;
use crate::instructions::{Counter, Measured};
use crate::limits::Limits;
use crate::load::{Cores, Load};
use crate::peer::{Family, Peer, Role, Setting, PEERS};
use crate::record::{Figure, Record};
use crate::results::{Counted, Results, Served};
use crate::scenario::{Ceiling, Scenario};
use crate::server::{Build, Server};

const USAGE: &str = "usage: cors-bench <command> [options]

commands
  instructions  count the instructions that this module adds to a request
  gate          the same, and fail if one is above its limit in limits.json
  accept        record them in instructions.json
  peers         count those of this module and of its peers in the same nginx
  check         ask every server whether it gives the right answers
  load          put every server under load
  compare       put this module, another build of it and the idiom under load
  all           all of it; writes results.json, the charts and the README
  all-instructions
                the same without the load, of which the last figures stay
  report        write the charts and the README once more
  live-lists    change lists of origins while nginx runs; writes LISTS.md, and has options of its own

options
  --only <scenario>     and no other; may be repeated
  --server <name>       and no other; may be repeated
  --requests <number>   that are counted
  --keep <directory>    for callgrind's files
  --rounds <number>     under load
  --round <number>      how long each is, in milliseconds
  --other <file>        the other ngx_http_cors_module.so that compare is about";

struct Options {
    requests: usize,
    peers: Vec<&'static Peer>,
    scenarios: Vec<&'static Scenario>,
    keep: Option<PathBuf>,
    rounds: usize,
    round: Duration,
    other: Option<PathBuf>,
}

impl Options {
    fn load(&self) -> Result<Load> {
        Ok(Load {
            rounds: self.rounds,
            round: self.round,
            cores: Cores::pick()?,
        })
    }
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options {
        requests: 500,
        peers: Vec::new(),
        scenarios: Vec::new(),
        keep: None,
        rounds: 61,
        round: Duration::from_millis(200),
        other: None,
    };
    while let Some(option) = words.next() {
        let value = words.next().context(USAGE)?;
        match option.as_str() {
            "--requests" => options.requests = value.parse().context(USAGE)?,
            "--rounds" => options.rounds = value.parse().context(USAGE)?,
            "--round" => options.round = Duration::from_millis(value.parse().context(USAGE)?),
            "--other" => options.other = Some(value.into()),
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

/// Measures this module, and shows each scenario as soon as it is known, beside its limit and what is recorded.
fn measure(build: Build, options: &Options) -> Result<Vec<Measured>> {
    let limits = Limits::read()?;
    let record = Record::read()?;
    let recorded = record.nginx.get(&build.version);
    println!("instructions of a request, nginx {}", build.version);
    println!("{:<66} {:^17}  {:^35}", "", "the ceiling", "what is added");
    println!(
        "{:<66} {:>8} {:>8}  {:>8} {:>8} {:>8} {:>8}",
        "", "", "malloc", "now", "recorded", "at most", "malloc"
    );
    let version = build.version.clone();
    let (setting, application) = setting(build, Vec::new())?;
    let counter = Counter::new(&setting, options.requests, options.keep.as_deref());
    let mut all = Vec::new();
    for &scenario in &options.scenarios {
        let measured = counter.measure(scenario)?;
        let recorded = recorded.and_then(|figures| figures.get(scenario.name));
        let (verdict, verdict_counted) = limits.judge(&version, &measured)?;
        let (limit, limit_counted) = limits.of(&version, scenario.name)?;
        let signed =
            |added: Option<Cost>| added.map_or_else(|| "-".to_owned(), |cost| format!("{:+}", cost.instructions));
        println!(
            "{:<66} {:>8} {:>8}  {:>+8} {:>8} {:>+8} {:>+8}  {}",
            scenario.title,
            measured.ceiling.instructions,
            measured.ceiling.allocator,
            measured.added.instructions,
            signed(recorded.map(|figure| figure.added)),
            limit.at_most,
            measured.added.allocator,
            verdict.words()
        );
        if let (Some(counted), Some(verdict)) = (measured.counted, verdict_counted) {
            println!(
                "{:<66} {:>8} {:>8}  {:>+8} {:>8} {:>+8} {:>+8}  {}",
                "  counted in a zone",
                "",
                "",
                counted.instructions,
                signed(recorded.and_then(|figure| figure.counted)),
                limit_counted.at_most,
                counted.allocator,
                verdict.words()
            );
        }
        all.push(measured);
    }
    application.stop()?;
    Ok(all)
}

fn instructions(options: &Options) -> Result<ExitCode> {
    measure(Build::from_environment()?, options)?;
    Ok(ExitCode::SUCCESS)
}

/// Fails if a figure is above its limit.
fn gate(options: &Options) -> Result<ExitCode> {
    let build = Build::from_environment()?;
    let (limits, version) = (Limits::read()?, build.version.clone());
    let mut over = Vec::new();
    for measured in measure(build, options)? {
        over.extend(limits.faults(&version, &measured)?);
    }
    if over.is_empty() {
        println!("all within the limits of bench/limits.json");
        return Ok(ExitCode::SUCCESS);
    }
    println!("over the limits of bench/limits.json, nginx {version}:");
    for line in over {
        println!("  {line}");
    }
    println!("where they go: make bench-instructions WITH='--only <name> --keep build/callgrind', see bench/README.md");
    Ok(ExitCode::FAILURE)
}

/// Records what is measured, for this version of nginx.
fn accept(options: &Options) -> Result<ExitCode> {
    let build = Build::from_environment()?;
    let version = build.version.clone();
    let all = measure(build, options)?;
    let mut record = Record::read()?;
    let figures = record.nginx.entry(version).or_default();
    for measured in &all {
        figures.insert(measured.scenario.name.to_owned(), Figure::from(measured));
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
    let load = options.load()?;
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

/// Puts this module and another build of it under load, and the idiom beside them.
fn compare(options: &Options) -> Result<ExitCode> {
    let other = options.other.as_deref().context("--other names the other module")?;
    let load = options.load()?;
    let build = Build::from_environment()?;
    let other = build.with_module(other)?;
    let (setting, application) = setting(build, load.cores.for_load())?;
    let other = Setting {
        build: other,
        ..setting.clone()
    };
    println!(
        "{} rounds of {:?}, nginx {}: medians, and the interval that holds the true one in 95 of 100 cases",
        load.rounds, load.round, setting.build.version
    );
    println!("this module: {}", setting.build.module.display());
    println!("the other build: {}", other.build.module.display());
    for &scenario in options
        .scenarios
        .iter()
        .filter(|scenario| instructions::is_for_all(scenario))
    {
        let comparison = load.compare(&setting, &other, scenario)?;
        println!("\n{}", scenario.title);
        println!(
            "  {:<42} {:>10} {:>8}  {:<22}  {:<22}",
            "", "requests/s", "CPU us", "of the ceiling: req/s", "CPU"
        );
        for (title, outcome, ratios) in comparison.servers {
            println!(
                "  {title:<42} {:>10.0} {:>8.2}  {:<22}  {:<22}",
                outcome.per_second,
                outcome.cpu_microseconds,
                ratios.per_second.to_string(),
                ratios.cpu.to_string()
            );
        }
        println!(
            "  {:<42} {:>10} {:>8}  {:<22}  {:<22}",
            "", "", "", "of the other: req/s", "CPU"
        );
        for (title, ratios) in comparison.pairs {
            println!(
                "  {title:<42} {:>10} {:>8}  {:<22}  {:<22}",
                "",
                "",
                ratios.per_second.to_string(),
                ratios.cpu.to_string()
            );
        }
    }
    application.stop()?;
    Ok(ExitCode::SUCCESS)
}

/// Counts the instructions of this module, and of the peers that run in the same nginx.
fn peers(build: Build, options: &Options, peers: &[&'static Peer]) -> Result<Vec<results::Instructions>> {
    let others = peers.iter().copied().filter(|&peer| *peer != *peer::ours());
    let others: Vec<&'static Peer> = others.filter(|peer| peer.family == Family::Nginx).collect();
    let limits = Limits::read()?;
    let version = build.version.clone();
    let (setting, application) = setting(build, Vec::new())?;
    let counter = Counter::new(&setting, options.requests, None);
    println!("instructions added to a request, without malloc, nginx {version}");
    let titles: String = others.iter().map(|peer| format!(" {:>22}", peer.title)).collect();
    println!(
        "{:<66} {:>8} {:>8} {:>12} {:>8}{titles}",
        "", "ceiling", "at most", "this module", "counted"
    );
    let mut rows = Vec::new();
    for &scenario in &options.scenarios {
        let measured = counter.measure(scenario)?;
        let mut added = BTreeMap::from([(peer::ours().name.to_owned(), measured.added)]);
        for &peer in others.iter().filter(|_| instructions::is_for_all(scenario)) {
            // A thousand regular expressions take their time under valgrind.
            let cost = counter.count(peer, Role::Cors, scenario, options.requests.min(100))?;
            added.insert(peer.name.to_owned(), cost - measured.ceiling);
        }
        let (limit, limit_counted) = limits.of(&version, scenario.name)?;
        let row = results::Instructions {
            scenario: scenario.name.to_owned(),
            ceiling: measured.ceiling,
            at_most: limit.at_most,
            reason: limit.reason,
            added,
            counted: measured.counted.map(|added| Counted {
                at_most: limit_counted.at_most,
                reason: limit_counted.reason,
                added,
            }),
        };
        let text =
            |added: Option<Cost>| added.map_or_else(|| "-".to_owned(), |cost| format!("{:+}", cost.instructions));
        let cells = others.iter().map(|peer| text(row.added.get(peer.name).copied()));
        let cells: String = cells.map(|cell| format!(" {cell:>22}")).collect();
        println!(
            "{:<66} {:>8} {:>+8} {:>12} {:>8}{cells}",
            scenario.title,
            row.ceiling.instructions,
            row.at_most,
            text(Some(measured.added)),
            text(measured.counted)
        );
        rows.push(row);
    }
    application.stop()?;
    Ok(rows)
}

/// Everything: the servers under load first, as whoever starts this has just left the machine alone; then what is counted,
/// which nothing disturbs.
fn all(options: &Options) -> Result<ExitCode> {
    let mut results = Results::read().unwrap_or_default();
    results.machine = machine::describe();
    results.rounds = options.rounds;
    results.round_milliseconds = u64::try_from(options.round.as_millis())?;
    results.load = load(Build::of_debian()?, options)?;
    results.write()?;
    all_instructions(options)
}

/// The module in the nginx of `make`, and beside all others in Debian's. What was measured under load stays as it is.
fn all_instructions(options: &Options) -> Result<ExitCode> {
    let mut results = Results::read()?;
    results.instructions.clear();
    for (build, others) in [
        (Build::from_environment()?, &[][..]),
        (Build::of_debian()?, &options.peers[..]),
    ] {
        let version = build.version.clone();
        results.instructions.insert(version, peers(build, options, others)?);
    }
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
        Some("all-instructions") => all_instructions(&options(words)?),
        Some("compare") => compare(&options(words)?),
        Some("live-lists") => live_lists::run(words),
        Some("peers") => {
            let options = options(words)?;
            peers(Build::from_environment()?, &options, &options.peers).map(|_| ExitCode::SUCCESS)
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
