//! Waiting for something that another process does.

use std::thread;
use std::time::{Duration, Instant};

use crate::wrapper;

/// Longer than anything here takes on a busy machine.
pub(crate) fn patience() -> Duration {
    Duration::from_secs(if wrapper::is_set() { 120 } else { 10 })
}

/// Asks `probe` again and again until it answers, or until patience runs out.
pub fn poll<T>(mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = probe() {
            return Some(answer);
        }
        if start.elapsed() > patience() {
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
}
