//! The page with the figures, `LISTS.md`.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use super::steady::Seen;
use super::{Figures, Instructions, Options, UnderLoad, Way};
use crate::machine;
use crate::results::Results;

/// What the figures are promised to be.
mod promised {
    use std::time::Duration;

    pub const CHECK: Duration = Duration::from_secs(1);
    /// Two looks, and a second.
    pub const HOLDS: Duration = Duration::from_secs(3);
    pub const BYTES: f64 = 80.0;
    pub const INSTRUCTIONS: i64 = 150;
}

/// A part of the page that is written anew without the rest.
struct Section(&'static str, &'static str);

const INSTRUCTIONS: Section = Section("\n<!-- instructions -->\n", "<!-- end of the instructions -->\n");
const LOAD: Section = Section("\n<!-- load -->\n", "<!-- end of the load -->\n");

impl Section {
    /// The page with another text in this part.
    fn replace(&self, page: &str, text: &str) -> Result<String> {
        let Self(begin, end) = *self;
        let parts = page
            .split_once(begin)
            .and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
        let (before, after) = parts.context("no place in LISTS.md: measure all of it first")?;
        Ok([before, begin, text, end, after].concat())
    }
}

fn path() -> PathBuf {
    Results::directory().join("LISTS.md")
}

pub fn write(figures: &Figures) -> Result<()> {
    Ok(fs::write(path(), text(figures)?)?)
}

/// Writes the instructions of a request alone.
pub fn write_instructions(rows: &[Instructions]) -> Result<()> {
    let page = INSTRUCTIONS.replace(&fs::read_to_string(path())?, &instructions(rows)?)?;
    Ok(fs::write(path(), page)?)
}

/// Writes what happens under load alone.
pub fn write_load(loads: &[(Way, UnderLoad)], options: &Options) -> Result<()> {
    let page = LOAD.replace(&fs::read_to_string(path())?, &load(loads, options)?)?;
    Ok(fs::write(path(), page)?)
}

fn instructions(rows: &[Instructions]) -> Result<String> {
    let mut out = format!(
        "## Instructions of a request

The mean of 500 origins each, as a look-up passes more or fewer slots of a table by chance. Without the C library's allocator, as
in [the other figures](README.md). Promised are {} more than with directives at most.

| | list | directives | difference | |
|---|--:|--:|--:|---|
",
        promised::INSTRUCTIONS
    );
    for row in rows {
        let (list, directives) = (row.list.instructions, row.directives.instructions);
        let more = list - directives;
        let verdict = verdict(more <= promised::INSTRUCTIONS);
        writeln!(out, "| {} | {list} | {directives} | {more:+} | {verdict} |", row.title)?;
    }
    Ok(out)
}

/// A line about latencies.
pub fn latencies(seen: &Seen) -> String {
    let [p50, p99, p999] = [500, 990, 999].map(|permille| milliseconds(seen.permille(permille)));
    let (failed, cut) = (seen.failed, seen.cut);
    format!("{p50} / {p99} / {p999} ms, {failed} failed, {cut} cut")
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

/// Digits in groups of three.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

fn verdict(is_kept: bool) -> &'static str {
    if is_kept {
        "kept"
    } else {
        "**missed**"
    }
}

/// The lowest and the highest of what the spells of load have.
fn range(spells: &[Seen], permille: usize) -> String {
    let times = || spells.iter().map(|seen| seen.permille(permille));
    let [low, high] = [times().min(), times().max()].map(|time| milliseconds(time.unwrap_or_default()));
    format!("{low} – {high}")
}

fn load(loads: &[(Way, UnderLoad)], options: &Options) -> Result<String> {
    let mut out = String::new();
    writeln!(
        out,
        "## Under load

{} requests a second for an origin of the list, in 32 connections, come when they are due, whatever became of those before: what
stops a worker for a moment delays all that fall due meanwhile. The list changes once a second, or as soon as the last change
holds (`check=200ms`), and does not change in the spells between, in which a file is only written. Milliseconds, the lowest and the highest of {}
spells of {} s each. *Cut* are connections that nginx closed on a request, which was sent once more.

| | changes | p50 | p99 | p99.9 | failed | cut |
|---|--:|--:|--:|--:|--:|--:|",
        options.rate,
        super::SPELLS,
        options.spell.as_secs()
    )?;
    for (way, load) in loads {
        for (changes, spells) in [(0, &load.quiet), (load.changes, &load.changing)] {
            let sum = |figure: fn(&Seen) -> usize| spells.iter().map(figure).sum::<usize>();
            let [p50, p99, p999] = [500, 990, 999].map(|permille| range(spells, permille));
            let (failed, cut) = (sum(|seen| seen.failed), sum(|seen| seen.cut));
            let title = way.title();
            writeln!(
                out,
                "| {title} | {changes} | {p50} | {p99} | {p999} | {failed} | {cut} |"
            )?;
        }
    }
    Ok(out)
}

fn text(figures: &Figures) -> Result<String> {
    let options = &figures.options;
    let mut out = format!(
        "# What lists cost that change while nginx runs

`make bench-live-lists` measures this anew and writes this page. {} origins, {} workers, nginx {}; nginx
{} of Debian for Lua. Beside [`cors_origin_list`](../docs/directives.md#cors_origin_list) stand the same origins as directives in a file that is
included, with a reload after each change, and Lua with a dictionary in shared memory ([`peers/live-lists`](peers/live-lists)).

## What is promised

| what | promised | measured | |
|---|--:|--:|---|
",
        grouped(options.origins),
        super::site::WORKERS,
        figures.version,
        machine::package("nginx"),
    );
    let checked = figures
        .checks
        .iter()
        .find(|(way, _)| *way == Way::Live)
        .context("a check")?
        .1;
    let changes = &figures
        .changes
        .iter()
        .find(|(way, _)| *way == Way::Live)
        .context("changes")?
        .1;
    let mut row = |what: &str, promised: String, measured: String, is_kept: bool| {
        writeln!(out, "| {what} | {promised} | {measured} | {} |", verdict(is_kept))
    };
    row(
        "`nginx -t`",
        format!("< {}", seconds(promised::CHECK)),
        seconds(checked),
        checked < promised::CHECK,
    )?;
    row(
        "from renaming a file to the last worker, `check=1s`, the longest",
        format!("≤ {}", seconds(promised::HOLDS)),
        seconds(changes.longest),
        changes.longest <= promised::HOLDS,
    )?;
    let bytes = figures.size as f64 / options.origins as f64;
    row(
        "shared memory of an origin, both copies",
        format!("≤ {:.0} bytes", promised::BYTES),
        format!("{bytes:.1} bytes"),
        bytes <= promised::BYTES,
    )?;
    let minute = &figures.minute;
    row(
        "requests that fail while an origin is added each second",
        "0".to_owned(),
        format!("{} of {}", minute.seen.failed + minute.seen.cut, minute.seen.requests()),
        minute.seen.failed + minute.seen.cut == 0,
    )?;

    out += "\n## Checking the configuration\n\n| | `nginx -t` |\n|---|--:|\n";
    for (way, taken) in &figures.checks {
        writeln!(out, "| {} | {} |", way.title(), seconds(*taken))?;
    }

    out += "\n## A change

One origin is added to a file, which is renamed to the name of the one before. A change holds when a connection to each worker
finds the origin allowed, and no worker of an earlier configuration is left. Nothing else is asked meanwhile. Memory is that of
all processes together, what they share counted once.

| | holds after, median | longest | CPU | memory before | most | after |
|---|--:|--:|--:|--:|--:|--:|
";
    for (way, changes) in &figures.changes {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |",
            way.title(),
            seconds(changes.median),
            seconds(changes.longest),
            seconds(changes.cpu),
            megabytes(changes.before),
            megabytes(changes.most),
            megabytes(changes.after)
        )?;
    }

    for (Section(begin, end), text) in [
        (LOAD, load(&figures.loads, options)?),
        (INSTRUCTIONS, instructions(&figures.instructions)?),
    ] {
        out += begin;
        out += &text;
        out += end;
    }

    let memory = |index: usize| megabytes(minute.memory.get(index).copied().unwrap_or_default());
    let most = minute.memory.iter().copied().max().unwrap_or_default();
    write!(
        out,
        "\n## One origin more each second

{} changes in {} seconds, `check=200ms`, under the same load: {} requests, {} failed, {} cut; {}.
A change holds after {} (median), {} at most. Memory of all processes: {} before, {} after the second change, {} after the
last, {} at most.

## Measured with

The load average was {} at the beginning and {} at the end; the load itself, nginx and callgrind are part of the latter.

",
        minute.changes,
        super::MINUTE.as_secs(),
        minute.seen.requests(),
        minute.seen.failed,
        minute.seen.cut,
        latencies(&minute.seen).split(',').next().unwrap_or_default(),
        seconds(minute.median),
        seconds(minute.longest),
        memory(0),
        memory(2),
        memory(minute.memory.len().saturating_sub(1)),
        megabytes(most),
        figures.load_averages[0],
        figures.load_averages[1],
    )?;
    for (name, value) in machine::describe() {
        if ["processor", "Linux", "nginx", "Lua", "glibc", "valgrind", "Rust"].contains(&name.as_str()) {
            writeln!(out, "- {name}: {value}")?;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_are_in_groups_of_three() {
        assert_eq!(grouped(1_000_000), "1 000 000");
        assert_eq!(grouped(120), "120");
        assert_eq!(grouped(20_500), "20 500");
    }
}
