//! Lines for whoever runs the command: on a terminal, in a file, in the journal of systemd.

use std::env;

use indicatif::ProgressBar;

/// How much a line matters.
#[derive(Clone, Copy)]
enum Level {
    Error,
    Notice,
}

/// Writes lines to the standard error.
#[derive(Clone)]
pub struct Log {
    /// systemd reads the level from the front of a line.
    is_journal: bool,
    /// Lines are written above it.
    progress: ProgressBar,
}

impl Log {
    /// A log that goes well with what is shown of progress.
    pub fn new(progress: &ProgressBar) -> Self {
        Self {
            is_journal: env::var_os("JOURNAL_STREAM").is_some(),
            progress: progress.clone(),
        }
    }

    /// Says that something is wrong.
    pub fn error(&self, text: &str) {
        self.line(Level::Error, text);
    }

    /// Says that something has happened.
    pub fn notice(&self, text: &str) {
        self.line(Level::Notice, text);
    }

    fn line(&self, level: Level, text: &str) {
        // What a source holds or answers must not look like another line.
        let text: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        let front = match (self.is_journal, level) {
            (true, Level::Error) => "<3>",
            (true, Level::Notice) => "<5>",
            (false, Level::Error) => "error: ",
            (false, Level::Notice) => "",
        };
        self.progress.suspend(|| eprintln!("{front}{text}"));
    }
}
