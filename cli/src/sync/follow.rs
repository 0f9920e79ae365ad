//! Keeps the file equal to the source.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Result;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use cors_lists::Format;
use indicatif::ProgressBar;
use tokio::task::block_in_place;
use tokio::time::{sleep, sleep_until, timeout_at, Instant};

use super::address::Address;
use super::candidate::{self, Refusal};
use super::credentials::CredentialArguments;
use super::elements::Element;
use super::list_file::ListFile;
use super::log::Log;
use super::source::{explained, Source};
use super::status::{Obstacle, Status};
use crate::output::counted;

/// Changes within this time are taken together.
const TOGETHER: Duration = Duration::from_millis(200);
/// So often it is looked whether the file is still what was written.
const LOOK: Duration = Duration::from_secs(1);

/// What is to be kept equal, and how.
pub struct Follower {
    /// What is read.
    pub address: Address,
    /// How it is asked.
    pub credentials: CredentialArguments,
    /// What is written.
    pub file: ListFile,
    /// Whether lines begin with a key.
    pub format: Format,
    /// Whether the file may become a list of nobody.
    pub may_be_empty: bool,
    /// How often the source is read even if it tells of no change.
    pub every: Option<Duration>,
    /// Who is told.
    pub status: Status,
    /// Who is told in words.
    pub log: Log,
    /// What is shown while a source is read.
    pub progress: ProgressBar,
}

/// What became of what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The file is equal to the source.
    Equal,
    /// The file stays as it was.
    Refused,
    /// The file could not be written.
    NotWritten,
}

/// The times to wait after attempts that fail.
fn delays() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(100))
        .with_factor(2.0)
        // Up to as much again is added at random, so that a fleet does not come all at once.
        .with_max_delay(Duration::from_millis(2500))
        .with_jitter()
        .without_max_times()
        .build()
}

impl Follower {
    /// Takes note of the list that is there before the source is asked.
    pub fn look(&mut self) {
        let found = self.file.look(self.format);
        if let Some(found) = found {
            self.status.has_list(found.entries, found.digest.to_string());
        }
    }

    /// Reads the source once, and makes the file equal to it.
    pub async fn once(&mut self) -> Result<Applied> {
        let mut source = self.connect().await?;
        let elements = source.elements(&mut told_by(&self.progress)).await?;
        self.progress.finish_and_clear();
        self.status.is_connected();
        Ok(self.apply(elements))
    }

    /// Follows the source for as long as the process lives.
    pub async fn follow(&mut self) -> Infallible {
        let mut waiting = delays();
        loop {
            match self.follow_one_connection(&mut waiting).await {
                Ok(never) => match never {},
                Err(error) => {
                    self.progress.finish_and_clear();
                    let reason = explained(&error);
                    if self.status.is_behind(Obstacle::Source, &reason) {
                        self.log.error(&format!(
                            "{}: {reason}; the file stays as it is, and the source is tried again",
                            self.address
                        ));
                    }
                }
            }
            sleep(waiting.next().unwrap_or(LOOK)).await;
        }
    }

    async fn connect(&self) -> Result<Source> {
        let has_keys = self.format == Format::KeyAndOrigins;
        Source::connect(&self.address, &self.credentials, has_keys, self.every).await
    }

    async fn follow_one_connection(&mut self, waiting: &mut ExponentialBackoff) -> Result<Infallible> {
        let mut source = self.connect().await?;
        if let Some(remark) = source.remark() {
            self.log.notice(&format!("{}: {remark}", self.address));
        }
        let mut writing = delays();
        loop {
            let elements = source.elements(&mut told_by(&self.progress)).await?;
            self.progress.finish_and_clear();
            if self.status.is_connected() {
                self.log.notice(&format!("{}: the source answers again", self.address));
            }
            *waiting = delays();
            let look = match self.apply(elements) {
                Applied::NotWritten => writing.next().unwrap_or(LOOK),
                Applied::Equal | Applied::Refused => {
                    writing = delays();
                    LOOK
                }
            };
            self.wait(&mut source, look).await?;
        }
    }

    /// Waits until there is a reason to make the file anew.
    async fn wait(&self, source: &mut Source, mut look: Duration) -> Result<()> {
        let mut next_look = Instant::now() + look;
        loop {
            tokio::select! {
                changed = source.changed() => {
                    changed?;
                    break;
                }
                () = sleep_until(next_look) => {
                    if !self.is_settled() {
                        return Ok(());
                    }
                    look = LOOK;
                    next_look = Instant::now() + look;
                }
            }
        }
        let end = Instant::now() + TOGETHER;
        while let Ok(changed) = timeout_at(end, source.changed()).await {
            changed?;
        }
        Ok(())
    }

    /// Whether there is nothing to do before the source changes.
    fn is_settled(&self) -> bool {
        match self.status.obstacle() {
            Some(Obstacle::Content | Obstacle::Empty) => true,
            Some(Obstacle::File | Obstacle::Source) => false,
            None => self.file.is_untouched(),
        }
    }

    /// Makes the file equal to what was read, unless that is refused.
    fn apply(&mut self, elements: Vec<Element<'_>>) -> Applied {
        block_in_place(|| {
            let made = match candidate::make(elements, self.format) {
                Err(Refusal::Empty) if self.may_be_empty => candidate::empty(self.format).ok_or(Refusal::Empty),
                made => made,
            };
            let candidate = match made {
                Ok(candidate) => candidate,
                Err(refusal) => {
                    self.refuse(&refusal);
                    return Applied::Refused;
                }
            };
            let digest = candidate.digest;
            if !self.file.holds(digest) {
                if let Err(error) = self.file.replace(&candidate.content, digest) {
                    let reason = format!("{error:#}");
                    if self.status.is_behind(Obstacle::File, &reason) {
                        self.log
                            .error(&format!("{reason}; the file stays as it is, and this is tried again"));
                    }
                    return Applied::NotWritten;
                }
                self.status.was_replaced();
                let entries = counted(candidate.entries, "entry", "entries");
                self.log
                    .notice(&format!("the file is replaced: {entries}, digest {digest}"));
            }
            self.status.has_list(candidate.entries, digest.to_string());
            self.status.is_equal();
            Applied::Equal
        })
    }

    fn refuse(&self, refusal: &Refusal) {
        let (obstacle, reason) = match refusal {
            Refusal::Empty => (
                Obstacle::Empty,
                "the source is empty, which may be an accident; if nobody is to be allowed, say --allow-empty",
            ),
            Refusal::Wrong(text) => (Obstacle::Content, &**text),
        };
        if self.status.is_behind(obstacle, reason) {
            self.log
                .error(&format!("{}: {reason}; the file stays as it is", self.address));
        }
    }
}

/// Shows how many elements have been read.
fn told_by(progress: &ProgressBar) -> impl FnMut(u64) + Send {
    let progress = progress.clone();
    move |count| {
        progress.set_message(format!("{count} elements read"));
        progress.tick();
    }
}
