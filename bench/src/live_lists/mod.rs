//! Lists of a million origins that change while nginx runs, beside other ways to change them: `make bench-live-lists`.

mod client;
mod page;
mod processes;
mod site;
mod steady;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Context, Result};
use harness::{Request, Response};

use self::processes::{cpu, memory, MemoryWatch};
use self::site::{Origins, Site, Way};
use self::steady::{Seen, Steady};
use crate::callgrind::{self, WarmUp};
use crate::cost::Cost;
use crate::median::median;
use crate::scenario;
use crate::server::Build;

const USAGE: &str = "usage: cors-bench live-lists [--origins <number>] [--seconds <number>] [--rate <number>]

  --origins  in the list (1000000)
  --seconds  of each spell of load (12)
  --rate     of requests a second (1000)
  --only     instructions or load: measures these alone, and leaves the rest of LISTS.md as it is";

/// The origins that there is room for beside those of the list: each change adds one.
const ROOM: usize = 1000;

/// Changes of a list that nobody asks for meanwhile.
const CHANGES: usize = 5;

/// Spells of load without changes, and as many with them, by turns.
const SPELLS: usize = 3;

const MEGABYTE: u64 = 1 << 20;

/// So long an origin is added each second.
const MINUTE: Duration = Duration::from_secs(60);

/// How often nginx looks at a file whose changes are awaited.
const CHECK: &str = "1s";
/// The same where it changes once a second.
const SHORT_CHECK: &str = "200ms";

pub struct Options {
    origins: usize,
    spell: Duration,
    rate: usize,
    only: Option<Part>,
}

/// A part that can be measured alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Instructions,
    Load,
}

pub struct Figures {
    pub options: Options,
    pub version: String,
    /// How many processes waited for a processor when it began and when it ended, and what else `/proc/loadavg` tells.
    pub load_averages: [String; 2],
    /// What `nginx -t` takes.
    pub checks: Vec<(Way, Duration)>,
    /// The memory that the list has to have, in bytes.
    pub size: u64,
    pub changes: Vec<(Way, Changes)>,
    pub loads: Vec<(Way, UnderLoad)>,
    pub instructions: Vec<Instructions>,
    pub minute: Minute,
}

/// A list that changes while nobody asks.
pub struct Changes {
    /// From the renaming until the last worker goes by it: the median, and the longest.
    pub median: Duration,
    pub longest: Duration,
    /// The processor time of one change.
    pub cpu: Duration,
    /// The memory of all processes.
    pub before: u64,
    pub most: u64,
    pub after: u64,
}

/// A list that changes under load, and one that does not.
pub struct UnderLoad {
    pub quiet: Vec<Seen>,
    pub changing: Vec<Seen>,
    /// How often it changed.
    pub changes: usize,
}

/// What a request costs.
pub struct Instructions {
    pub title: &'static str,
    pub list: Cost,
    pub directives: Cost,
}

/// An origin that is added each second.
pub struct Minute {
    pub changes: usize,
    pub seen: Seen,
    /// From the renaming until a new connection finds the origin allowed.
    pub median: Duration,
    pub longest: Duration,
    /// The memory of all processes before the first change, and after each.
    pub memory: Vec<u64>,
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options> {
    let (mut origins, mut seconds, mut rate, mut only) = (1_000_000, 12, 1000, None);
    while let Some(option) = words.next() {
        let value = words.next().context(USAGE)?;
        match option.as_str() {
            "--origins" => origins = value.parse().context(USAGE)?,
            "--seconds" => seconds = value.parse().context(USAGE)?,
            "--rate" => rate = value.parse().context(USAGE)?,
            "--only" if value == "instructions" => only = Some(Part::Instructions),
            "--only" if value == "load" => only = Some(Part::Load),
            _ => bail!(USAGE),
        }
    }
    Ok(Options {
        origins,
        spell: Duration::from_secs(seconds.try_into()?),
        rate,
        only,
    })
}

/// Measures all of it, and writes `LISTS.md`.
pub fn run(words: impl Iterator<Item = String>) -> Result<ExitCode> {
    let options = options(words)?;
    let build = Build::from_environment()?;
    let load_before = load_average();
    let exact = Origins::new(Way::Live, options.origins);
    let size = size_for(&build, &exact)?;
    println!(
        "{} origins need {:.1} MB, {:.1} bytes each",
        options.origins,
        size as f64 / 1e6,
        size as f64 / options.origins as f64
    );
    let room = size_for(&build, &Origins::new(Way::Live, options.origins + ROOM))?;
    let room = format!("{}m", room / MEGABYTE);
    match options.only {
        Some(Part::Instructions) => {
            page::write_instructions(&count_instructions(&build, options.origins, &room)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Part::Load) => {
            let loads = load_all(&build, &room, &options)?;
            page::write_load(&loads, &options)?;
            return Ok(ExitCode::SUCCESS);
        }
        None => {}
    }

    let mut checks = Vec::new();
    for way in [Way::Live, Way::Include] {
        let taken = check(&build, &Origins::new(way, options.origins), &room)?;
        println!("{}: nginx -t takes {taken:?}", way.title());
        checks.push((way, taken));
    }

    let mut changes = Vec::new();
    for way in Way::ALL {
        let measured = change(&build, Origins::new(way, options.origins), &room)?;
        println!(
            "{}: a change holds after {:?}, {:?} at most; {:?} of CPU; memory {}, {} at most, {}",
            way.title(),
            measured.median,
            measured.longest,
            measured.cpu,
            measured.before,
            measured.most,
            measured.after
        );
        changes.push((way, measured));
    }

    let loads = load_all(&build, &room, &options)?;

    let minute = minute(&build, exact, &room, &options)?;
    println!(
        "{} changes in {} requests: {} failed, {} cut; memory {:?}",
        minute.changes,
        minute.seen.requests(),
        minute.seen.failed,
        minute.seen.cut,
        minute.memory
    );

    let instructions = count_instructions(&build, options.origins, &room)?;
    let figures = Figures {
        options,
        version: build.version,
        load_averages: [load_before, load_average()],
        checks,
        size,
        changes,
        loads,
        instructions,
        minute,
    };
    page::write(&figures)?;
    Ok(ExitCode::SUCCESS)
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// A `size=` that has room for the list, in bytes: nginx names whole megabytes where there is less.
fn size_for(build: &Build, origins: &Origins) -> Result<u64> {
    let (_, said) = site::start(build, origins, "64k", CHECK).check()?;
    let said = said.err().context("64k are enough")?;
    let named = said.rsplit_once("write \"size=").map(|(_, rest)| rest);
    let named = named.and_then(|rest| rest.split_once("m\""));
    let megabytes: u64 = named.with_context(|| format!("no size in {said}"))?.0.parse()?;
    let (_, said) = site::start(build, origins, &format!("{megabytes}m"), CHECK).check()?;
    said.map_err(|said| anyhow::anyhow!("{megabytes}m do not suffice: {said}"))?;
    Ok(megabytes * MEGABYTE)
}

/// What `nginx -t` takes: a median.
fn check(build: &Build, origins: &Origins, size: &str) -> Result<Duration> {
    let start = site::start(build, origins, size, CHECK);
    let mut taken = Vec::new();
    for _ in 0..CHANGES {
        let (seconds, said) = start.check()?;
        said.map_err(|said| anyhow::anyhow!("nginx -t: {said}"))?;
        taken.push(seconds);
    }
    Ok(middle(&taken))
}

fn middle(times: &[Duration]) -> Duration {
    if times.is_empty() {
        return Duration::ZERO;
    }
    Duration::from_secs_f64(median(times.iter().map(Duration::as_secs_f64).collect()))
}

/// Has a list change that nobody asks for but this.
fn change(build: &Build, origins: Origins, size: &str) -> Result<Changes> {
    let mut site = Site::start(build, origins, size, CHECK)?;
    let before = memory(site.master())?;
    let used = cpu(site.master())?;
    let watch = MemoryWatch::begin(site.master());
    let mut times = Vec::new();
    for _ in 0..CHANGES {
        let change = site.change()?;
        site.wait_for_all(&change.origin)?;
        times.push(change.begin.elapsed());
    }
    let most = watch.end()?;
    let cpu = (cpu(site.master())? - used) / u32::try_from(CHANGES)?;
    let after = memory(site.master())?;
    site.server.stop()?;
    Ok(Changes {
        median: middle(&times),
        longest: times.into_iter().max().unwrap_or_default(),
        cpu,
        before,
        most,
        after,
    })
}

/// Puts a site of each kind under load.
fn load_all(build: &Build, size: &str, options: &Options) -> Result<Vec<(Way, UnderLoad)>> {
    let mut loads = Vec::new();
    for way in Way::ALL {
        let measured = under_load(build, Origins::new(way, options.origins), size, options)?;
        println!("{}: {} changes", way.title(), measured.changes);
        for (what, spells) in [("quiet", &measured.quiet), ("changing", &measured.changing)] {
            for seen in spells {
                println!("  {what:<8} {}", page::latencies(seen));
            }
        }
        loads.push((way, measured));
    }
    Ok(loads)
}

/// Puts a site under load while its list changes, and while it does not.
fn under_load(build: &Build, origins: Origins, size: &str, options: &Options) -> Result<UnderLoad> {
    let mut site = Site::start(build, origins, size, SHORT_CHECK)?;
    let (mut quiet, mut changing) = (Vec::new(), Vec::new());
    for _ in 0..SPELLS {
        let load = Steady::begin(site.server.port, options.rate, &site.origin());
        each_second(options.spell, || {
            // Writing takes its time, too, and is no matter of nginx.
            site.write()?;
            Ok(())
        })?;
        quiet.push(load.end()?);
        let load = Steady::begin(site.server.port, options.rate, &site.origin());
        each_second(options.spell, || {
            let change = site.change()?;
            site.wait(&change)?;
            Ok(())
        })?;
        changing.push(load.end()?);
        // Workers of an earlier configuration would close connections of the next spell.
        site.wait_for_all(&Origins::added(site.changes))?;
    }
    let changes = site.changes;
    site.server.stop()?;
    Ok(UnderLoad {
        quiet,
        changing,
        changes,
    })
}

/// Does something once a second, or as soon as it has been done.
fn each_second(time: Duration, mut act: impl FnMut() -> Result<()>) -> Result<()> {
    let begin = Instant::now();
    let mut due = begin;
    while begin.elapsed() < time {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        act()?;
        due = (due + Duration::from_secs(1)).max(Instant::now());
    }
    Ok(())
}

/// Adds an origin to a list each second, for a minute.
fn minute(build: &Build, origins: Origins, size: &str, options: &Options) -> Result<Minute> {
    let mut site = Site::start(build, origins, size, SHORT_CHECK)?;
    let mut held = vec![memory(site.master())?];
    let mut times = Vec::new();
    let load = Steady::begin(site.server.port, options.rate, &site.origin());
    each_second(MINUTE, || {
        let change = site.change()?;
        times.push(site.wait(&change)?);
        held.push(memory(site.master())?);
        Ok(())
    })?;
    let seen = load.end()?;
    for change in 1..=site.changes {
        ensure!(site.holds(&Origins::added(change))?, "origin {change} is lost");
    }
    let changes = site.changes;
    site.server.stop()?;
    Ok(Minute {
        changes,
        seen,
        median: middle(&times),
        longest: times.into_iter().max().unwrap_or_default(),
        memory: held,
    })
}

/// Counts the instructions of preflights whose origins are in the list, and of some whose origins are not.
fn count_instructions(build: &Build, count: usize, size: &str) -> Result<Vec<Instructions>> {
    // How many slots of a table a look-up passes is a matter of luck: this is the mean of so many origins.
    const REQUESTS: usize = 500;
    let [list, directives] = [Way::Live, Way::Include].map(|way| Origins::new(way, count));
    let origins: Vec<String> = list.some(REQUESTS).collect();
    let others = origins
        .iter()
        .map(|origin| origin.replace("tenant", "nobody"))
        .collect();
    let mut rows = Vec::new();
    for (title, origins, status) in [
        ("preflight, in the list", origins, 204),
        ("preflight, not in the list", others, 403),
    ] {
        let requests = origins
            .iter()
            .map(|origin| preflight(origin))
            .collect::<Result<Vec<_>>>()?;
        let cost = |origins: &Origins| {
            let mut start = site::start(build, origins, size, "1h");
            start.directives = "master_process off;".to_owned();
            start.fill.1 = String::new();
            let faults = |response: &Response| match response.status == status {
                true => Vec::new(),
                false => vec![format!("not the right answer: {response}")],
            };
            callgrind::count(start, WarmUp::Native, REQUESTS, None, &requests, faults)
        };
        // What is counted does not depend on what else runs.
        let [cost_of_list, cost_of_directives] = thread::scope(|scope| {
            let counted = [&list, &directives].map(|origins| scope.spawn(|| cost(origins)));
            counted.map(|thread| thread.join().unwrap_or_else(|_| bail!("counting has panicked")))
        });
        let (cost_of_list, cost_of_directives) = (cost_of_list?, cost_of_directives?);
        let row = Instructions {
            title,
            list: cost_of_list,
            directives: cost_of_directives,
        };
        println!(
            "{title}: {} instructions with the list, {} with directives",
            row.list.instructions, row.directives.instructions
        );
        rows.push(row);
    }
    Ok(rows)
}

fn preflight(origin: &str) -> Result<Request> {
    let like = scenario::find("preflight-allowed").context("a scenario")?;
    let mut request = Request::new(like.method(), like.target());
    for (name, value) in like.headers_sent() {
        request = match name {
            "Origin" => request.header(name, origin),
            _ => request.header(name, value),
        };
    }
    Ok(request)
}
