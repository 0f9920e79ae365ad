//! `nginx-cors sync`: keeps the file of a list equal to what a database holds.
//!
//! `follow` is the loop: it connects to the source (`source`, and a file for each engine), makes the content of the file
//! from its elements (`candidate`) and replaces the file (`list_file`).

mod address;
mod candidate;
mod credentials;
mod elements;
mod etcd_prefix;
mod follow;
mod list_file;
mod log;
mod postgres_query;
mod redis_set;
mod source;
mod status;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{anyhow, bail, Context, Result};
use cors_lists::Format;
use indicatif::{ProgressBar, ProgressStyle};
use rustls::crypto::ring;
use tokio::runtime::Builder;
use tokio::signal::unix::{signal, SignalKind};

use self::address::Address;
use self::credentials::CredentialArguments;
use self::follow::{Applied, Follower};
use self::list_file::ListFile;
use self::log::Log;
use self::source::explained;
use self::status::Status;
use crate::outcome::Outcome;

/// Keep the file of a list equal to a prefix in etcd, a set in Redis or Valkey, or a query in PostgreSQL.
///
/// Each element of the source is a line of the file: origins and patterns, separated by spaces, after a key where the list
/// has keys. At each change the file is written anew beside the old one, and renamed; nginx takes the new list without a
/// reload. What nginx would refuse is not written, and while the source is away the file stays as it is.
#[derive(clap::Args)]
#[command(after_help = "Sources:
  etcd://[USER@]HOST[:PORT][,HOST...]/PREFIX    the values of all keys that begin with /PREFIX;
                                                \"etcd://HOST//PREFIX\" for keys without the slash
  redis://[USER@]HOST[:PORT]/DATABASE/SET       the members of a set, in Redis 6 or later or in Valkey
  postgres://[USER@]HOST[:PORT]/DATABASE?query=SELECT...[&channel=NAME]
                                                the rows of a query: one column, or with --key two, keys and
                                                origins; read anew at each NOTIFY to the channel
  etcds:// and rediss:// speak TLS. PostgreSQL has sslmode=require. Certificates and names are always checked.

Examples:
  nginx-cors sync etcd://127.0.0.1/cors/previews/ /var/lib/nginx-cors/previews.txt
  nginx-cors sync rediss://cache.example.com/0/tenants /var/lib/nginx-cors/tenants.txt --key
  nginx-cors sync 'postgres://cors@db.example.com/shop?query=SELECT+origin+FROM+customers&channel=customers' \\
      /var/lib/nginx-cors/customers.txt --password-file /etc/nginx-cors/password --status 127.0.0.1:9180

With --once the exit status is 0 if the file is equal to the source, 1 if what the source holds was refused, and 2 if the
source could not be read or the file not be written.")]
pub struct Arguments {
    /// What is read; see below.
    #[arg(value_name = "SOURCE")]
    source: String,
    /// The file of cors_origin_list. This user has to be able to write to its directory.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The first word of a line is a key: the list is used with key=.
    #[arg(long)]
    key: bool,
    /// Write an empty file, which allows nobody, if the source is empty. Else the file stays as it is then.
    #[arg(long)]
    allow_empty: bool,
    /// Make the file equal to the source, and end.
    #[arg(long)]
    once: bool,
    /// Serve /health and /metrics here, for example 127.0.0.1:9180.
    #[arg(long, value_name = "ADDRESS")]
    status: Option<SocketAddr>,
    /// Read Redis or PostgreSQL at least this often: by default each 10 s, and each 600 s where they tell of changes.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
    #[command(flatten)]
    credentials: CredentialArguments,
}

/// Follows a source.
pub fn run(arguments: &Arguments) -> Result<Outcome> {
    let address: Address = arguments.source.parse()?;
    // A file that is missing is told now; it may be replaced later.
    arguments.credentials.read()?;
    let progress = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {msg}")?);
    let mut follower = Follower {
        credentials: arguments.credentials.clone(),
        file: ListFile::new(&arguments.file)?,
        format: match arguments.key {
            true => Format::KeyAndOrigins,
            false => Format::Origins,
        },
        may_be_empty: arguments.allow_empty,
        every: arguments.every.map(Duration::from_secs),
        status: Status::new(arguments.file.display().to_string(), address.to_string()),
        log: Log::new(&progress),
        progress,
        address,
    };
    follower.look();
    // The client of Redis takes the one that is installed. Another could only be there if this ran twice.
    let _ = ring::default_provider().install_default();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(follow_until_stopped(&mut follower, arguments));
    // Nothing is left to be waited for: files are replaced by the loop that has ended.
    runtime.shutdown_background();
    outcome
}

async fn follow_until_stopped(follower: &mut Follower, arguments: &Arguments) -> Result<Outcome> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    if let Some(address) = arguments.status {
        let address = follower.status.serve(address).await?;
        follower
            .log
            .notice(&format!("the status is served at http://{address}"));
    }
    let following = async {
        if !arguments.once {
            match follower.follow().await {}
        }
        match follower.once().await {
            Ok(Applied::Equal) => Ok(Outcome::NothingFound),
            Ok(Applied::Refused) => Ok(Outcome::Found),
            Ok(Applied::NotWritten) => bail!("the file is not equal to the source"),
            Err(error) => Err(anyhow!(explained(&error))).with_context(|| arguments.source.clone()),
        }
    };
    let stopped = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    tokio::select! {
        outcome = following => outcome,
        () = stopped => match arguments.once {
            true => bail!("stopped before the file was equal to the source"),
            // It is how it ends.
            false => Ok(Outcome::NothingFound),
        },
    }
}
