//! What CORS costs a request: `make bench-instructions`, and the other targets of that kind.

mod callgrind;
mod gate;
mod instructions;
mod nginx;
mod scenario;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{bail, Context, Result};

use crate::gate::{Figure, Record, Verdict};
use crate::nginx::Build;
use crate::scenario::Scenario;

const USAGE: &str =
    "usage: cors-bench instructions|gate|accept [--requests <number>] [--only <scenario>]... [--keep <directory>]";

struct Options {
    requests: usize,
    scenarios: Vec<&'static Scenario>,
    keep: Option<PathBuf>,
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options {
        requests: 500,
        scenarios: Vec::new(),
        keep: None,
    };
    while let Some(option) = words.next() {
        let value = words.next().context(USAGE)?;
        match option.as_str() {
            "--requests" => options.requests = value.parse().context(USAGE)?,
            "--keep" => options.keep = Some(value.into()),
            "--only" => {
                let scenario = scenario::find(&value);
                options.scenarios.push(scenario.with_context(|| {
                    let names: Vec<&str> = scenario::all().iter().map(|scenario| scenario.name).collect();
                    format!("no scenario {value}: there are {}", names.join(", "))
                })?);
            }
            _ => bail!(USAGE),
        }
    }
    if options.scenarios.is_empty() {
        options.scenarios = scenario::all().iter().collect();
    }
    Ok(options)
}

fn instructions(options: Options) -> Result<ExitCode> {
    let build = Build::from_environment()?;
    println!("instructions per request, nginx {}", build.version);
    println!("{:<66} {:>8} {:>8} {:>8}", "", "ceiling", "added", "at most");
    let measured = instructions::measure(&build, &options.scenarios, options.requests, options.keep, |measured| {
        println!(
            "{:<66} {:>8} {:>+8} {:>8}  {}",
            measured.scenario.title,
            measured.ceiling,
            measured.added,
            measured.scenario.limit,
            if measured.is_over() { "OVER" } else { "ok" }
        );
    })?;
    let over = measured.iter().any(instructions::Measured::is_over);
    Ok(if over { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Compares with what is recorded.
fn gate(options: Options) -> Result<ExitCode> {
    let build = Build::from_environment()?;
    let record = Record::read()?;
    let recorded = record.nginx.get(&build.version);
    println!("instructions added to a request, nginx {}", build.version);
    println!("{:<66} {:>8} {:>8}", "", "recorded", "now");
    let mut failed = false;
    instructions::measure(&build, &options.scenarios, options.requests, options.keep, |measured| {
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
        println!("bench/instructions.json is to hold the figures of the present: see why they changed, then make bench-accept");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Records what is measured, for this version of nginx.
fn accept(options: Options) -> Result<ExitCode> {
    let build = Build::from_environment()?;
    let mut record = Record::read()?;
    let measured = instructions::measure(&build, &options.scenarios, options.requests, options.keep, |_| ())?;
    let figures = record.nginx.entry(build.version).or_default();
    for measured in measured {
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

fn run() -> Result<ExitCode> {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("instructions") => instructions(options(words)?),
        Some("gate") => gate(options(words)?),
        Some("accept") => accept(options(words)?),
        _ => bail!(USAGE),
    }
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
