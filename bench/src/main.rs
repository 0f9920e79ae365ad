//! What CORS costs a request: `make bench-instructions`, and the other targets of that kind.

mod callgrind;
mod instructions;
mod nginx;
mod scenario;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{bail, Context, Result};

use crate::nginx::Build;
use crate::scenario::Scenario;

const USAGE: &str = "usage: cors-bench instructions [--requests <number>] [--only <scenario>]... [--keep <directory>]";

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

fn run() -> Result<ExitCode> {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("instructions") => instructions(options(words)?),
        _ => bail!(USAGE),
    }
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
