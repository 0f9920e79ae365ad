//! An nginx of the user's that is started on loopback, and ended whatever happens.

use std::fs;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use tokio::signal::unix::{signal, SignalKind};

/// How often it is looked whether a process has ended, or listens.
const TICK: Duration = Duration::from_millis(5);

/// The processes that were started, and the directories that were made: both go with it, also where a signal ends this
/// process.
#[derive(Clone, Default)]
pub struct Trials(Arc<Mutex<Left>>);

#[derive(Default)]
struct Left {
    children: Vec<Child>,
    directories: Vec<PathBuf>,
}

impl Left {
    fn clear(&mut self) {
        for child in &mut self.children {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        self.children.clear();
        for directory in self.directories.drain(..) {
            let _ = fs::remove_dir_all(directory);
        }
    }
}

/// Ends the trials when it goes, also in a panic.
pub struct Guard(Trials);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.left().clear();
    }
}

impl Trials {
    /// Trials that end with what is returned, or when a signal comes.
    pub fn begin() -> Result<(Self, Guard)> {
        let trials = Self::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let of_signals = trials.clone();
        thread::spawn(move || {
            runtime.block_on(async {
                let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
                let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = signals else {
                    return;
                };
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                of_signals.left().clear();
                std::process::exit(2);
            });
        });
        let guard = Guard(trials.clone());
        Ok((trials, guard))
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A directory of a short name: the names of sockets have 107 bytes.
    pub fn directory(&self) -> Result<PathBuf> {
        const LONGEST: usize = 70;
        let mut parent = std::env::temp_dir();
        if parent.as_os_str().len() > LONGEST {
            parent = PathBuf::from("/tmp");
        }
        let made = tempfile::Builder::new()
            .prefix("nginx-cors-")
            .tempdir_in(&parent)
            .with_context(|| parent.display().to_string())?;
        let path = made.keep();
        self.left().directories.push(path.clone());
        Ok(path)
    }

    fn started(&self, child: Child) -> u32 {
        let id = child.id();
        self.left().children.push(child);
        id
    }

    /// Whether a process has ended, and how.
    fn ended(&self, id: u32) -> Result<Option<ExitStatus>> {
        let mut left = self.left();
        let child = left.children.iter_mut().find(|child| child.id() == id);
        Ok(child.context("the process is no longer known")?.try_wait()?)
    }

    fn end(&self, id: u32) {
        let mut left = self.left();
        if let Some(place) = left.children.iter().position(|child| child.id() == id) {
            let mut child = left.children.swap_remove(place);
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Runs a command to its end, and returns what it has said.
    pub fn run(&self, mut command: Command, output: &Path, patience: Duration) -> Result<(ExitStatus, String)> {
        let id = self.start(&mut command, output)?;
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.ended(id)? {
                self.end(id);
                return Ok((status, said(output)));
            }
            if Instant::now() > deadline {
                self.end(id);
                bail!("{} does not end within {} seconds", shown(&command), patience.as_secs());
            }
            thread::sleep(TICK);
        }
    }

    /// Starts an nginx, and waits until it listens on all of its sockets.
    pub fn serve(&self, mut command: Command, output: &Path, sockets: &[&Path], patience: Duration) -> Result<()> {
        let id = self.start(&mut command, output)?;
        let deadline = Instant::now() + patience;
        for socket in sockets {
            while UnixStream::connect(socket).is_err() {
                if self.ended(id)?.is_some() {
                    bail!("nginx ends as soon as it is started: {}", said(output).trim());
                }
                if Instant::now() > deadline {
                    bail!(
                        "nginx does not listen within {} seconds: {}",
                        patience.as_secs(),
                        said(output).trim()
                    );
                }
                thread::sleep(TICK);
            }
        }
        Ok(())
    }

    fn start(&self, command: &mut Command, output: &Path) -> Result<u32> {
        let file = fs::File::create(output).with_context(|| output.display().to_string())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            // nginx takes it for a list of inherited sockets.
            .env_remove("NGINX")
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => anyhow::anyhow!("{} is not there", shown(command)),
                _ => anyhow::anyhow!("{} cannot be started: {error}", shown(command)),
            })?;
        Ok(self.started(child))
    }
}

fn shown(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn said(output: &Path) -> String {
    fs::read(output)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_does_not_end_is_ended() {
        let (trials, _guard) = Trials::begin().unwrap();
        let directory = trials.directory().unwrap();
        let mut command = Command::new("sleep");
        command.arg("600");
        let start = Instant::now();
        let error = trials
            .run(command, &directory.join("output"), Duration::from_millis(50))
            .unwrap_err();
        assert!(error.to_string().contains("sleep does not end"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(60));
        assert!(trials.left().children.is_empty());
    }

    #[test]
    fn what_was_started_and_made_goes_with_the_guard() {
        let (trials, guard) = Trials::begin().unwrap();
        let directory = trials.directory().unwrap();
        let mut command = Command::new("sleep");
        command.arg("600");
        let id = trials.start(&mut command, &directory.join("output")).unwrap();
        let process = PathBuf::from(format!("/proc/{id}"));
        assert!(process.exists());
        drop(guard);
        assert!(!process.exists() && !directory.exists());
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let (trials, _guard) = Trials::begin().unwrap();
        let directory = trials.directory().unwrap();
        let run = trials.run(Command::new("/nowhere/nginx"), &directory.join("output"), TICK);
        assert_eq!(run.unwrap_err().to_string(), "/nowhere/nginx is not there");
    }
}
