//! `nginx-cors diff`: what two configurations answer differently.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::diff::{self, Binary, Change, Compared, Difference, Patience, Side};
use crate::nginx::Limits;
use crate::outcome::Outcome;
use crate::output::{self, counted, Format, Report};

/// Start two configurations on loopback, ask both the same, and say what is different for whom.
///
/// Both are copied into a directory of their own, where all that is real is replaced: they listen on sockets there, a stand-in
/// answers for applications, files and certificates are made for the trial, and limits and logs are left out. Nobody outside
/// is asked. Both get the requests of allowed origins, of strangers and of hostile look-alikes, preflights, errors, and
/// requests without an origin; compared is what browsers and caches make of the answers.
#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 0 if nothing differs, 1 if something does, 2 if it could not be tried.

Examples:
  nginx-cors diff old/nginx.conf new/nginx.conf --nginx /usr/sbin/nginx
  nginx-cors diff old/nginx.conf new/nginx.conf --nginx objs/nginx --module ngx_http_cors_module.so"
)]
pub struct Arguments {
    /// The configuration that is in force.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The one that is to take its place.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    #[command(flatten)]
    trial: Trial,
    /// Text for people, or JSON.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
}

/// With which nginx configurations are tried, and for how long.
#[derive(clap::Args)]
pub struct Trial {
    /// The nginx that they are started with.
    #[arg(long, value_name = "PATH", default_value = "nginx")]
    pub nginx: PathBuf,
    /// The file of the module, instead of the one that they load.
    #[arg(long, value_name = "PATH")]
    pub module: Option<PathBuf>,
    /// How many seconds all of it may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub timeout: u64,
}

impl Trial {
    /// Tries both.
    pub fn run(&self, old: &Side, new: &Side) -> Result<Compared> {
        let binary = Binary {
            nginx: &self.nginx,
            module: self.module.as_deref(),
        };
        let patience = Patience {
            request: Duration::from_secs(10),
            total: Duration::from_secs(self.timeout),
        };
        diff::diff(old, new, &binary, patience)
    }
}

/// Compares, and says what is different.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let [old, new] = [&arguments.old, &arguments.new].map(|file| Side::read(file, None, Limits::default()));
    let told = Told::new(arguments.trial.run(&old?, &new?)?);
    output::print(&told, arguments.format)?;
    Ok(told.outcome())
}

/// What is different.
#[derive(Serialize)]
pub struct Told {
    requests: usize,
    differences: Vec<Difference>,
}

impl Told {
    pub fn new(compared: Compared) -> Self {
        Self {
            requests: compared.requests,
            differences: compared.differences,
        }
    }

    pub fn outcome(&self) -> Outcome {
        match self.differences.is_empty() {
            true => Outcome::NothingFound,
            false => Outcome::Found,
        }
    }
}

impl Report for Told {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        write_differences(&self.differences, out)?;
        writeln!(
            out,
            "{} in {}",
            counted(self.differences.len(), "difference", "differences"),
            counted(self.requests, "request", "requests")
        )
    }
}

/// Writes differences for people, by places.
pub fn write_differences(differences: &[Difference], out: &mut dyn Write) -> io::Result<()> {
    let mut place = "";
    for difference in differences {
        if difference.place != place {
            place = &difference.place;
            writeln!(out, "{place}")?;
        }
        let change = match difference.change {
            Change::Gains => "gains:  ",
            Change::Loses => "loses:  ",
            Change::Changes => "changes:",
        };
        writeln!(out, "  {change} {}: {}", difference.who, difference.text)?;
    }
    Ok(())
}
