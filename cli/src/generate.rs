//! `nginx-cors generate`: the manual pages and the completions of shells, made of the definitions that also read the
//! command line.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Command;
use clap_complete::Shell;

use crate::outcome::Outcome;

/// Write the manual pages, and the completions for shells, into a directory.
///
/// Packages call it when they are built. The files are nginx-cors.1 and one page for each command, nginx-cors.bash, _nginx-cors
/// for zsh, and nginx-cors.fish.
#[derive(clap::Args)]
#[command(after_help = "Example:
  nginx-cors generate ~/.local/share/nginx-cors")]
pub struct Arguments {
    /// The directory, which is made if it is not there.
    #[arg(value_name = "DIRECTORY")]
    directory: PathBuf,
}

/// Writes what there is to say of `command`, the whole command line.
pub fn run(arguments: &Arguments, mut command: Command) -> Result<Outcome> {
    let directory = &arguments.directory;
    let written = || format!("cannot write to {}", directory.display());
    fs::create_dir_all(directory).with_context(written)?;
    // The pages of its help would be those of the commands once more.
    let pages = command.clone().disable_help_subcommand(true);
    clap_mangen::generate_to(pages, directory).with_context(written)?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut command, "nginx-cors", directory).with_context(written)?;
    }
    Ok(Outcome::NothingFound)
}
