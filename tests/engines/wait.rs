//! Waiting for what other processes do.

use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine: an election, a start of PostgreSQL, the longest wait between two
/// attempts to connect.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks `probe` again and again until it is true, and returns how long that took.
pub fn until(what: &str, mut probe: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !probe() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        thread::sleep(Duration::from_millis(1));
    }
    start.elapsed()
}
