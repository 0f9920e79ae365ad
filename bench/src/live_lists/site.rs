//! An nginx with a million origins, and how they are changed in it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use rustix::process::Signal;

use super::client::{request, Client};
use super::processes::workers;
use crate::server::{poll, Build, Program, Server, Start};

pub const WORKERS: usize = 4;

/// A change that does not hold after this time never will.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a list of origins is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `cors_origin_list`: the file is replaced.
    Live,
    /// `cors_allow_origin` in a file that is included: the file is replaced, and nginx reloads.
    Include,
    /// Lua with a dictionary in shared memory: the file is replaced, and a worker is asked to read it.
    Lua,
}

impl Way {
    pub const ALL: [Self; 3] = [Self::Live, Self::Include, Self::Lua];

    pub fn title(self) -> &'static str {
        match self {
            Self::Live => "`cors_origin_list`",
            Self::Include => "`include` and reload",
            Self::Lua => "Lua, shared dictionary",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Live | Self::Lua => "tenants.txt",
            Self::Include => "origins.conf",
        }
    }
}

/// The origins: so many that stay, and those that were added.
#[derive(Clone)]
pub struct Origins {
    pub count: usize,
    base: String,
    way: Way,
}

impl Origins {
    pub fn new(way: Way, count: usize) -> Self {
        let mut base = String::new();
        for number in 1..=count {
            base += &line(way, &Self::at(number));
        }
        Self { count, base, way }
    }

    fn at(number: usize) -> String {
        format!("https://tenant-{number:07}.example.com")
    }

    /// One of those that stay.
    pub fn one(&self) -> String {
        Self::at(self.count / 2 + 1)
    }

    /// So many of them, from all over the list.
    pub fn some(&self, number: usize) -> impl Iterator<Item = String> + '_ {
        (0..number).map(move |index| Self::at(1 + index * self.count / number))
    }

    /// One that is added by a change.
    pub fn added(change: usize) -> String {
        format!("https://added-{change:08}.example.com")
    }

    /// The end of the file after so many changes, each of which has added one.
    fn end(&self, changes: usize) -> String {
        (1..=changes)
            .map(|change| line(self.way, &Self::added(change)))
            .collect()
    }

    fn text(&self) -> String {
        self.base.clone()
    }
}

fn line(way: Way, origin: &str) -> String {
    match way {
        Way::Live | Way::Lua => format!("{origin}\n"),
        Way::Include => format!("cors_allow_origin {origin};\n"),
    }
}

/// How a site is to be started.
pub fn start(build: &Build, origins: &Origins, size: &str, check: &str) -> Start {
    let mut build = build.clone();
    let mut files = Vec::new();
    match origins.way {
        Way::Live => files.extend([
            (
                "list.conf",
                format!("cors_origin_list tenants tenants.txt size={size} check={check};\n"),
            ),
            ("origins.conf", "cors_allow_origin @tenants;\n".to_owned()),
        ]),
        Way::Include => files.push(("list.conf", String::new())),
        // Debian has Lua for its own nginx.
        Way::Lua => build.nginx = PathBuf::from("/usr/sbin/nginx"),
    }
    files.push((origins.way.file(), origins.text()));
    Start {
        program: Program::Nginx(build),
        directory: "live-lists",
        file: if origins.way == Way::Lua {
            "lua.conf"
        } else {
            "nginx.conf"
        },
        files,
        fill: ("{listen}", "reuseport".to_owned()),
        application: 0,
        directives: format!("worker_processes {WORKERS};"),
        wrapper: Vec::new(),
    }
}

/// A running nginx whose list is changed.
pub struct Site {
    pub server: Server,
    origins: Origins,
    /// So many changes have been made.
    pub changes: usize,
    /// A connection to each worker.
    clients: BTreeMap<u32, Client>,
}

impl Site {
    pub fn start(build: &Build, origins: Origins, size: &str, check: &str) -> Result<Self> {
        let server = start(build, &origins, size, check).start()?;
        let mut site = Self {
            server,
            origins,
            changes: 0,
            clients: BTreeMap::new(),
        };
        let first = site.origins.one();
        site.wait_for_all(&first)?;
        ensure!(
            !site.holds_in_all(&Origins::added(1))?,
            "an origin is allowed before it is added"
        );
        Ok(site)
    }

    pub fn master(&self) -> u32 {
        self.server.pid()
    }

    pub fn origin(&self) -> String {
        self.origins.one()
    }

    /// Writes the next version of the file beside the one that is there.
    pub fn write(&self) -> Result<PathBuf> {
        let path = self.server.prefix.path("new.txt");
        let mut file = File::create(&path)?;
        file.write_all(self.origins.base.as_bytes())?;
        file.write_all(self.origins.end(self.changes + 1).as_bytes())?;
        Ok(path)
    }

    /// Adds one origin, and tells nginx of it where it does not see by itself.
    pub fn change(&mut self) -> Result<Change> {
        let new = self.write()?;
        let begin = Instant::now();
        fs::rename(new, self.server.prefix.path(self.origins.way.file()))?;
        self.changes += 1;
        match self.origins.way {
            Way::Live => {}
            Way::Include => self.server.signal(Signal::HUP)?,
            Way::Lua => {
                let load = harness::Request::get("/load").to_bytes();
                Client::open(self.server.port)?.ask(&load)?.context("no answer")?;
            }
        }
        let origin = Origins::added(self.changes);
        Ok(Change { begin, origin })
    }

    /// Whether a new connection finds the origin allowed.
    pub fn holds(&self, origin: &str) -> Result<bool> {
        let mut client = Client::open(self.server.port)?;
        let answer = client.ask(&request(origin))?;
        Ok(answer.is_some_and(|answer| answer.is_allowed))
    }

    pub fn wait(&self, change: &Change) -> Result<Duration> {
        poll(PATIENCE, || Ok(self.holds(&change.origin)?.then_some(())))?
            .with_context(|| format!("the change does not hold: {}", self.server.said()))?;
        Ok(change.begin.elapsed())
    }

    /// Waits until there are as many workers as there should be, none of them of an earlier configuration, and all of them
    /// allow the origin.
    pub fn wait_for_all(&mut self, origin: &str) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while !self.holds_in_all(origin)? {
            ensure!(Instant::now() < end, "{origin} is not allowed: {}", self.server.said());
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn holds_in_all(&mut self, origin: &str) -> Result<bool> {
        let workers = workers(self.server.pid())?;
        self.clients.retain(|worker, _| workers.contains(worker));
        let request = request(origin);
        let mut is_allowed = workers.len() == WORKERS;
        let mut closed = Vec::new();
        for (&worker, client) in &mut self.clients {
            match client.ask(&request)? {
                Some(answer) => is_allowed &= answer.is_allowed && !answer.closes,
                None => closed.push(worker),
            }
        }
        for worker in closed {
            self.clients.remove(&worker);
        }
        // The kernel deals connections out to all workers.
        for _ in 0..64 {
            if workers.iter().all(|worker| self.clients.contains_key(worker)) {
                return Ok(is_allowed);
            }
            let mut client = Client::open(self.server.port)?;
            let Some(answer) = client.ask(&request)? else {
                return Ok(false);
            };
            is_allowed &= answer.is_allowed;
            self.clients.insert(answer.worker, client);
        }
        Ok(false)
    }
}

/// A change that was made.
pub struct Change {
    pub begin: Instant,
    pub origin: String,
}
