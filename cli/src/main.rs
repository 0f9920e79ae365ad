//! `nginx-cors`, the command-line tool of the module.
//!
//! Each subcommand is a file, or a folder, with its arguments and a function `run`, which returns what was found. What
//! several of them share: the form of the output (`output`), and what to exit with (`outcome`).
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod any_certificate;
mod audit;
mod audit_command;
mod browser;
mod check_list;
mod convert;
mod convert_command;
mod cors_headers;
mod diff;
mod diff_command;
mod generate;
mod import;
mod lint;
mod lint_command;
#[cfg(test)]
mod made_page;
mod nginx;
mod outcome;
mod output;
mod report;
mod site;
mod sync;
mod written_policy;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::outcome::exit_code;

/// Finds the CORS faults of nginx configurations and of running servers, and checks and feeds the lists of origins of the nginx module
/// ngx_http_cors_module.
///
/// Exit status: 0 if nothing was found, 1 if something was found, 2 if the command could not run.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Audit(audit_command::Arguments),
    CheckList(check_list::Arguments),
    Convert(convert_command::Arguments),
    Diff(diff_command::Arguments),
    Generate(generate::Arguments),
    Lint(lint_command::Arguments),
    Sync(sync::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Audit(arguments) => audit_command::run(&arguments),
        Command::CheckList(arguments) => check_list::run(&arguments),
        Command::Convert(arguments) => convert_command::run(&arguments),
        Command::Diff(arguments) => diff_command::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments, Arguments::command()),
        Command::Lint(arguments) => lint_command::run(&arguments),
        Command::Sync(arguments) => sync::run(&arguments),
    };
    exit_code(outcome)
}
