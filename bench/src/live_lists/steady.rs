//! A steady load: requests come when they are due, whether or not those before them have been answered, and how long one
//! takes is counted from then. What stops nginx for a moment so delays all that fell due meanwhile, as it would clients.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::client::{request, Client};

/// In connections of their own; nginx has them spread over its workers.
const CLIENTS: usize = 32;

pub struct Steady {
    is_to_end: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Seen>>,
}

/// What became of the requests.
#[derive(Default)]
pub struct Seen {
    /// In microseconds, sorted.
    latencies: Vec<u64>,
    /// Requests that were not answered as they should have been.
    pub failed: usize,
    /// Connections that nginx closed when a request was on its way; it was sent once more.
    pub cut: usize,
}

impl Steady {
    /// So many requests a second, for an origin that is allowed.
    pub fn begin(port: u16, rate: usize, origin: &str) -> Self {
        let is_to_end = Arc::new(AtomicBool::new(false));
        let interval = Duration::from_secs(1) * u32::try_from(CLIENTS).unwrap_or(u32::MAX)
            / u32::try_from(rate.max(1)).unwrap_or(u32::MAX);
        let begin = Instant::now();
        let threads = (0..CLIENTS).map(|number| {
            let (is_to_end, request) = (is_to_end.clone(), request(origin));
            // They take turns.
            let first = begin + interval * u32::try_from(number).unwrap_or(0) / u32::try_from(CLIENTS).unwrap_or(1);
            thread::spawn(move || ask(port, &request, first, interval, &is_to_end))
        });
        Self {
            threads: threads.collect(),
            is_to_end,
        }
    }

    pub fn end(self) -> Result<Seen> {
        self.is_to_end.store(true, Ordering::Relaxed);
        let mut all = Seen::default();
        for thread in self.threads {
            all.add(thread.join().ok().context("a client has panicked")?);
        }
        Ok(all)
    }
}

fn ask(port: u16, request: &[u8], first: Instant, interval: Duration, is_to_end: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let mut client = Client::open(port).ok();
    let mut due = first;
    while !is_to_end.load(Ordering::Relaxed) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let mut answer = client.as_mut().map_or(Ok(None), |client| client.ask(request));
        if matches!(answer, Ok(None)) {
            seen.cut += usize::from(client.is_some());
            client = Client::open(port).ok();
            answer = client.as_mut().map_or(Ok(None), |client| client.ask(request));
        }
        match answer {
            Ok(Some(answer)) => {
                seen.failed += usize::from(answer.status != 200 || !answer.is_allowed);
                if answer.closes {
                    client = None;
                }
            }
            _ => {
                seen.failed += 1;
                client = None;
            }
        }
        let taken = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
        seen.latencies.push(taken);
        due += interval;
    }
    seen
}

impl Seen {
    pub fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
        self.failed += other.failed;
        self.cut += other.cut;
    }

    pub fn requests(&self) -> usize {
        self.latencies.len()
    }

    /// The latency that so many of a thousand requests did not exceed.
    pub fn permille(&self, permille: usize) -> Duration {
        let index = (self.latencies.len() * permille).div_ceil(1000).saturating_sub(1);
        Duration::from_micros(self.latencies.get(index).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Seen;

    #[test]
    fn a_permille_is_of_the_sorted_latencies() {
        let mut seen = Seen::default();
        seen.add(Seen {
            latencies: (1..=1000).rev().collect(),
            ..Seen::default()
        });
        let of = |permille| seen.permille(permille);
        assert_eq!(of(500), Duration::from_micros(500));
        assert_eq!(of(999), Duration::from_micros(999));
        assert_eq!(of(1000), Duration::from_micros(1000));
    }
}
