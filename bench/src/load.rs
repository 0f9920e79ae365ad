//! Throughput and processor time under load.
//!
//! Each server is one worker on one core; wrk, and the application, have the other. All servers of a scenario
//! are there at once and take turns, so that what disturbs the machine disturbs all of them. Now and then they
//! start anew: where a process has its memory by chance makes it faster or slower by some percent for as long as it lives.

use std::ffi::OsString;
use std::fs;
use std::ops::Range;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{ensure, Context, Result};
use harness::Connection;
use rustix::process::{kill_process, Pid, Signal};

use crate::median::{median, Estimate};
use crate::peer::{self, Family, Peer, Role, Setting};
use crate::scenario::{Ceiling, Scenario};
use crate::server::Server;

/// So many rounds a process lives.
const LIFE: usize = 10;
/// And where the rounds are to tell how certain a median is, which takes many processes.
const SHORT_LIFE: usize = 5;

/// One connection for each of Apache's processes.
const CONNECTIONS: usize = 16;

/// The two cores that are used.
pub struct Cores {
    server: usize,
    load: usize,
}

impl Cores {
    pub fn pick() -> Result<Self> {
        let allowed = rustix::thread::sched_getaffinity(None)?;
        let mut allowed = (0..rustix::thread::CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        match (allowed.next(), allowed.next()) {
            (Some(load), Some(server)) => Ok(Self { server, load }),
            _ => anyhow::bail!("two cores are needed: one for the server, one for the load"),
        }
    }

    pub fn for_server(&self) -> Vec<OsString> {
        pinned(self.server)
    }

    pub fn for_load(&self) -> Vec<OsString> {
        pinned(self.load)
    }
}

fn pinned(core: usize) -> Vec<OsString> {
    vec!["taskset".into(), "-c".into(), core.to_string().into()]
}

pub struct Load {
    pub rounds: usize,
    pub round: Duration,
    pub cores: Cores,
}

/// One server in one round.
#[derive(Clone, Copy)]
struct Sample {
    per_second: f64,
    cpu_microseconds: f64,
}

/// One server in one scenario: medians.
pub struct Outcome {
    /// Nothing for the ceiling of the family.
    pub peer: Option<&'static Peer>,
    pub family: Family,
    pub per_second: f64,
    /// Of the requests per second of its ceiling, in the same round.
    pub share: f64,
    pub cpu_microseconds: f64,
    /// Beyond the processor time of its ceiling, in the same round.
    pub cpu_added: f64,
}

/// One server beside another in the same rounds.
pub struct Ratios {
    pub per_second: Estimate,
    pub cpu: Estimate,
}

/// Two builds of this module, and the idiom, in one scenario.
pub struct Comparison {
    /// Its requests per second, processor time, and what they are of the ceiling.
    pub servers: Vec<(&'static str, Outcome, Ratios)>,
    /// This module beside the other build, each of them beside the idiom.
    pub pairs: Vec<(String, Ratios)>,
}

/// A server and what was measured of it.
struct Lane<'a> {
    setting: &'a Setting,
    peer: &'static Peer,
    role: Role,
    samples: Vec<Sample>,
}

impl<'a> Lane<'a> {
    fn new(setting: &'a Setting, peer: &'static Peer, role: Role) -> Self {
        Self {
            setting,
            peer,
            role,
            samples: Vec::new(),
        }
    }

    fn outcome(&self, ceiling: &Self) -> Outcome {
        let of = |figure: fn(&Sample, &Sample) -> f64| {
            let rounds = self.samples.iter().zip(&ceiling.samples);
            median(rounds.map(|(own, ceiling)| figure(own, ceiling)).collect())
        };
        Outcome {
            peer: (self.role == Role::Cors).then_some(self.peer),
            family: self.peer.family,
            per_second: of(|own, _| own.per_second),
            share: of(|own, ceiling| own.per_second / ceiling.per_second),
            cpu_microseconds: of(|own, _| own.cpu_microseconds),
            cpu_added: of(|own, ceiling| own.cpu_microseconds - ceiling.cpu_microseconds),
        }
    }
}

impl Load {
    pub fn measure(&self, setting: &Setting, peers: &[&'static Peer], scenario: &Scenario) -> Result<Vec<Outcome>> {
        let mut lanes: Vec<Lane> = Vec::new();
        for &peer in peers {
            if lanes.iter().all(|lane| lane.peer.family != peer.family) {
                lanes.push(Lane::new(setting, peer, ceiling(scenario)));
            }
            lanes.push(Lane::new(setting, peer, Role::Cors));
        }
        self.run(&mut lanes, &lives(self.rounds, LIFE), scenario)?;
        let outcomes = lanes.iter().map(|lane| {
            let mut of_family = lanes.iter().filter(|other| other.peer.family == lane.peer.family);
            let ceiling = of_family.next().context("a ceiling for each family")?;
            Ok(lane.outcome(ceiling))
        });
        outcomes.collect()
    }

    /// This module in `setting`, another build of it in `other`, the idiom, and their ceiling.
    pub fn compare(&self, setting: &Setting, other: &Setting, scenario: &Scenario) -> Result<Comparison> {
        let idiom = peer::find("idiom").context("a peer")?;
        let mut lanes = [
            Lane::new(setting, peer::ours(), ceiling(scenario)),
            Lane::new(setting, peer::ours(), Role::Cors),
            Lane::new(other, peer::ours(), Role::Cors),
            Lane::new(setting, idiom, Role::Cors),
        ];
        let lives = lives(self.rounds, SHORT_LIFE);
        self.run(&mut lanes, &lives, scenario)?;
        let [ceiling, this, other, idiom] = &lanes;
        let servers = [
            ("the ceiling", ceiling),
            ("this module", this),
            ("the other build", other),
            (idiom.peer.title, idiom),
        ];
        let servers = servers.map(|(title, lane)| (title, lane.outcome(ceiling), ratios(lane, ceiling, &lives)));
        let pairs = [
            ("this module / the other build".to_owned(), ratios(this, other, &lives)),
            (
                format!("this module / {}", idiom.peer.title),
                ratios(this, idiom, &lives),
            ),
            (
                format!("the other build / {}", idiom.peer.title),
                ratios(other, idiom, &lives),
            ),
        ];
        Ok(Comparison {
            servers: servers.into(),
            pairs: pairs.into(),
        })
    }

    /// Has all of the lanes take turns in each round.
    fn run(&self, lanes: &mut [Lane], lives: &[Range<usize>], scenario: &Scenario) -> Result<()> {
        for life in lives {
            let started = lanes.iter().map(|lane| self.start(lane, scenario));
            let servers = started.collect::<Result<Vec<Server>>>()?;
            for round in life.clone() {
                // There and back: whatever comes after a greedy neighbour is not always the same.
                let mut turns: Vec<_> = lanes.iter_mut().zip(&servers).collect();
                if round % 2 == 1 {
                    turns.reverse();
                }
                for (lane, server) in turns {
                    lane.samples.push(self.round(server, scenario)?);
                }
            }
            servers.into_iter().try_for_each(Server::stop)?;
        }
        Ok(())
    }

    fn start(&self, lane: &Lane, scenario: &Scenario) -> Result<Server> {
        let &Lane {
            setting, peer, role, ..
        } = lane;
        let mut start = setting.start(peer, role, scenario);
        start.wrapper = self.cores.for_server();
        let server = start.start()?;
        let response = Connection::open(server.port).send(&scenario.request());
        let faults = match role {
            Role::Cors | Role::Counted => scenario.faults(&response, &peer.manners),
            _ => scenario.ceiling_faults(&response),
        };
        ensure!(
            faults.is_empty(),
            "{}, {role:?}, {}: {}\n{}",
            peer.name,
            scenario.name,
            faults.join("; "),
            server.said()
        );
        Ok(server)
    }

    fn round(&self, server: &Server, scenario: &Scenario) -> Result<Sample> {
        fs::write(server.prefix.path("load.lua"), script(scenario))?;
        let mut words = self.cores.for_load().into_iter();
        let before = cpu_nanoseconds(server.pid())?;
        let wrk = Command::new(words.next().unwrap_or_default())
            .args(words)
            .args(["wrk", "-t1", "-d1h", &format!("-c{CONNECTIONS}"), "-s"])
            .arg(server.prefix.path("load.lua"))
            .arg(format!("http://127.0.0.1:{}{}", server.port, scenario.target()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("wrk")?;
        // A round is as long as this, whatever happens.
        thread::sleep(self.round);
        let pid = i32::try_from(wrk.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("a process id")?, Signal::INT)?;
        let output = wrk.wait_with_output()?;
        let used = cpu_nanoseconds(server.pid())? - before;
        let text = String::from_utf8_lossy(&output.stdout);
        let Report { requests, microseconds } = report(&text).with_context(|| format!("wrk says {text}"))?;
        Ok(Sample {
            per_second: requests / microseconds * 1e6,
            cpu_microseconds: used as f64 / 1e3 / requests,
        })
    }
}

/// The rounds of each process: about as many for all of them.
fn lives(rounds: usize, longest: usize) -> Vec<Range<usize>> {
    let lives = rounds.div_ceil(longest);
    (0..lives)
        .map(|life| life * rounds / lives..(life + 1) * rounds / lives)
        .collect()
}

/// One lane's figures divided by those of another in the same round. The rounds of one life are no independent
/// samples, as a process is a little faster or slower all its life: each life gives one, the median of its rounds.
fn ratios(own: &Lane, other: &Lane, lives: &[Range<usize>]) -> Ratios {
    let of = |ratio: fn(&Sample, &Sample) -> f64| {
        let rounds = own.samples.iter().zip(&other.samples);
        let ratios: Vec<f64> = rounds.map(|(own, other)| ratio(own, other)).collect();
        let medians = lives.iter().map(|life| median(ratios[life.clone()].to_vec()));
        Estimate::of(medians.collect())
    };
    Ratios {
        per_second: of(|own, other| own.per_second / other.per_second),
        cpu: of(|own, other| own.cpu_microseconds / other.cpu_microseconds),
    }
}

fn ceiling(scenario: &Scenario) -> Role {
    match scenario.ceiling {
        Ceiling::Return204 => Role::Return204WithHeaders,
        Ceiling::NoCors => Role::None,
    }
}

/// What wrk is to send, and to tell.
fn script(scenario: &Scenario) -> String {
    let mut text = format!("wrk.method = {:?}\n", scenario.method());
    for (name, value) in scenario.headers_sent() {
        text += &format!("wrk.headers[{name:?}] = {value:?}\n");
    }
    text + r#"
function done(summary)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.timeout
    print(string.format("done %d %d %d", summary.requests, summary.duration, failed))
end
"#
}

struct Report {
    requests: f64,
    microseconds: f64,
}

/// Nothing if a request failed, or if there was none.
fn report(text: &str) -> Option<Report> {
    let line = text.lines().find_map(|line| line.strip_prefix("done "))?;
    let mut numbers = line.split(' ').map(str::parse::<f64>);
    let (requests, microseconds, failed) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    (failed == 0.0 && requests > 0.0).then_some(Report { requests, microseconds })
}

/// What a process and its children have used of the processors.
fn cpu_nanoseconds(pid: u32) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // Others come and go.
        let Ok(status) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        if process != pid && parent(&status) != Some(pid) {
            continue;
        }
        for task in fs::read_dir(entry.path().join("task"))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let used = text.split(' ').next().and_then(|used| used.parse::<u64>().ok());
            sum += used.context("no time in schedstat")?;
        }
    }
    Ok(sum)
}

fn parent(status: &str) -> Option<u32> {
    // The name before it, in parentheses, may hold anything.
    status.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{lives, parent, report};

    #[test]
    fn processes_live_about_as_many_rounds() {
        assert_eq!(lives(7, 5), [0..3, 3..7]);
        assert_eq!(lives(10, 5), [0..5, 5..10]);
        let many = lives(201, 5);
        assert_eq!(many.len(), 41);
        assert_eq!(many.iter().map(ExactSizeIterator::len).sum::<usize>(), 201);
        assert!(many.iter().all(|life| (4..=5).contains(&life.len())));
    }

    #[test]
    fn a_report_of_failures_is_none() {
        let report = |line: &str| report(&format!("Running 1h test\n{line}\n  2 requests in 1s\n"));
        let good = report("done 5000 500000 0").expect("a report");
        assert_eq!((good.requests, good.microseconds), (5000.0, 500_000.0));
        assert!(report("done 5000 500000 1").is_none());
        assert!(report("done 0 500000 0").is_none());
        assert!(report("").is_none());
    }

    #[test]
    fn a_name_may_hold_anything() {
        assert_eq!(parent("12 (a) b (c)) S 34 12 12 0"), Some(34));
    }
}
