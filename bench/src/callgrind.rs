//! What a request costs, counted by valgrind.
//!
//! One run serves a few requests to warm up, then N, then 2N. In between, while it has nothing to do, nginx
//! is told to reopen its logs. On the way into the signal's handler callgrind writes down what it has
//! counted, and on the way into the reopening once more; each time it starts from zero. The difference of what
//! was counted for 2N and for N requests holds no start of nginx, no signal and no reopening.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use harness::{Connection, Request, Response};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::cost::Cost;
use crate::profile;
use crate::server::{poll, Start};

/// What happens until a server does the same for each request.
#[derive(Clone, Copy)]
pub enum WarmUp {
    /// Pools, buffers and the allocator settle.
    Native,
    /// A compiler watches what is run often, and translates it.
    Compiled,
}

impl WarmUp {
    /// How many requests it takes, and how long it may take them.
    fn bounds(self) -> (usize, Duration) {
        match self {
            Self::Native => (50, Duration::MAX),
            Self::Compiled => (3000, Duration::from_secs(10)),
        }
    }
}

/// What every signal's handler calls first. Whether it then formats the time depends on the clock.
const SIGNALLED: &str = "ngx_time_sigsafe_update";
/// What comes of the signal.
const REOPENING: &str = "ngx_reopen_files";

const PATIENCE: Duration = Duration::from_secs(60);

/// The mean cost of these requests, which take turns, to an nginx that `start` describes. callgrind's files stay in `keep`.
pub fn count(
    mut start: Start,
    warm_up: WarmUp,
    count: usize,
    keep: Option<PathBuf>,
    requests: &[Request],
    faults: impl Fn(&Response) -> Vec<String>,
) -> Result<Cost> {
    let out = Out::new(keep.as_deref())?;
    // Counts that start within a signal's handler are of no use to callgrind_annotate.
    let marks = if keep.is_some() {
        vec![REOPENING]
    } else {
        vec![SIGNALLED, REOPENING]
    };
    // Without it nginx asks for the time, formats it each second, and moves its timers now and then.
    start.directives.insert_str(0, "timer_resolution 1h; ");
    start.wrapper = wrapper(&out.path("callgrind.out"), &marks);
    let nginx = start.start()?;
    let mut connection = Connection::open(nginx.port);
    let mut exchange = |count: usize| -> Result<()> {
        for request in requests.iter().cycle().take(count) {
            connection.write(request.to_bytes());
            let response = connection.read_response_to(request);
            let faults = faults(&response);
            ensure!(faults.is_empty(), "{}", faults.join("; "));
        }
        Ok(())
    };
    let mut dumps = 0;
    let mut dump = || -> Result<Cost> {
        let file = |number| out.path(&format!("callgrind.out.{number}"));
        let (requests, last) = (file(dumps + 1), file(dumps + marks.len()));
        dumps += marks.len();
        let idle = poll(PATIENCE, || Ok(is_asleep(nginx.pid())?.then_some(())))?;
        idle.context("nginx does not come to rest")?;
        nginx.signal(Signal::USR1)?;
        // A file that is not there yet is as good as one that is not complete.
        let cost = |file: &Path| profile::cost(&fs::read_to_string(file).unwrap_or_default());
        poll(PATIENCE, || cost(&last))?.with_context(|| format!("callgrind has not seen {REOPENING}"))?;
        cost(&requests)?.with_context(|| format!("callgrind has not seen {SIGNALLED}"))
    };

    let (most, time) = warm_up.bounds();
    let begin = Instant::now();
    for _ in 0..most {
        exchange(1)?;
        if begin.elapsed() > time {
            break;
        }
    }
    dump()?;
    exchange(count)?;
    let once = dump()?;
    exchange(2 * count)?;
    let twice = dump()?;
    drop(connection);
    nginx.stop()?;
    // Each request has a pool of its own.
    ensure!(
        once.allocator > 0,
        "callgrind has seen no call of malloc in the C library: is another allocator preloaded?"
    );
    Ok((twice - once).divided_by(i64::try_from(count)?))
}

/// The directory that callgrind writes to.
enum Out {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Out {
    fn new(keep: Option<&Path>) -> Result<Self> {
        let Some(directory) = keep else {
            return Ok(Self::Temporary(
                tempfile::Builder::new().prefix("cors-bench-").tempdir()?,
            ));
        };
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        fs::create_dir_all(directory)?;
        Ok(Self::Kept(directory.canonicalize()?))
    }

    fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Kept(directory) => directory.join(name),
            Self::Temporary(directory) => directory.path().join(name),
        }
    }
}

fn wrapper(out: &Path, marks: &[&str]) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    // Addresses that differ from run to run hash differently. Some containers forbid to settle them.
    let settle = ["setarch", "-R"];
    if Command::new(settle[0])
        .args([settle[1], "true"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        words.extend(settle.map(Into::into));
    }
    words.extend(["valgrind", "--tool=callgrind", "-q", "--dump-instr=no", "--vgdb=no"].map(Into::into));
    words.extend(marks.iter().map(|mark| format!("--dump-before={mark}").into()));
    let mut file = OsString::from("--callgrind-out-file=");
    file.push(out);
    words.push(file);
    words
}

/// Whether it waits for something, which nginx does for events alone.
fn is_asleep(pid: u32) -> Result<bool> {
    let status = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name before it, in parentheses, may hold anything.
    let state = status.rsplit_once(") ").map(|(_, rest)| rest);
    Ok(state.is_some_and(|rest| rest.starts_with('S')))
}
