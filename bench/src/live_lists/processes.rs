//! What nginx's processes take of the machine.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

/// What `stat` in `/proc` says of a process.
struct Stat {
    parent: u32,
    /// Of itself and of the children that have ended, in hundredths of a second.
    ticks: u64,
}

fn stat(process: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before it, in parentheses, may hold anything.
    let rest = text.rsplit_once(") ")?.1;
    let field = |number: usize| rest.split(' ').nth(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        parent: u32::try_from(field(4)?).ok()?,
        ticks: [14, 15, 16, 17].into_iter().filter_map(field).sum(),
    })
}

/// The children of a process.
pub fn workers(master: u32) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if stat(process).is_some_and(|stat| stat.parent == master) {
            found.push(process);
        }
    }
    Ok(found)
}

/// The processor time of a master and of all workers that it has had.
pub fn cpu(master: u32) -> Result<Duration> {
    let workers = workers(master)?;
    let ticks = |process| stat(process).map_or(0, |stat| stat.ticks);
    let sum = ticks(master) + workers.into_iter().map(ticks).sum::<u64>();
    Ok(Duration::from_millis(10 * sum))
}

/// The memory of a master and its workers in bytes. What several of them share is counted once.
pub fn memory(master: u32) -> Result<u64> {
    let mut sum = 0;
    for process in workers(master)?.into_iter().chain([master]) {
        // Workers come and go.
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        sum += kilobytes.map_or(Ok(0), str::parse::<u64>)? * 1024;
    }
    Ok(sum)
}

/// Watches the memory of an nginx.
pub struct MemoryWatch {
    is_to_end: Arc<AtomicBool>,
    thread: JoinHandle<Result<u64>>,
}

impl MemoryWatch {
    pub fn begin(master: u32) -> Self {
        let is_to_end = Arc::new(AtomicBool::new(false));
        let told_to_end = is_to_end.clone();
        let thread = thread::spawn(move || {
            let mut most = 0;
            while !told_to_end.load(Ordering::Relaxed) {
                most = memory(master)?.max(most);
                // It is a sample: what comes and goes in between is not seen.
                thread::sleep(Duration::from_millis(50));
            }
            Ok(most)
        });
        Self { is_to_end, thread }
    }

    /// The most that was seen.
    pub fn end(self) -> Result<u64> {
        self.is_to_end.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("the watch has panicked")?
    }
}
