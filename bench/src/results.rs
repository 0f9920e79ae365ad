//! What was measured, as `results.json` holds it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::cost::Cost;

#[derive(Default, Deserialize, Serialize)]
pub struct Results {
    /// What it was measured on, and with.
    pub machine: Vec<(String, String)>,
    pub rounds: usize,
    pub round_milliseconds: u64,
    /// By the version of nginx, in the order of the scenarios.
    pub instructions: BTreeMap<String, Vec<Instructions>>,
    /// In the order of the scenarios.
    pub load: Vec<Load>,
}

#[derive(Deserialize, Serialize)]
pub struct Instructions {
    pub scenario: String,
    pub ceiling: Cost,
    pub at_most: i64,
    /// Why that is so much more than elsewhere.
    pub reason: Option<String>,
    /// By peer.
    pub added: BTreeMap<String, Cost>,
    /// This module, where requests are counted in a zone. Nothing if the scenario has no policy.
    pub counted: Option<Counted>,
}

#[derive(Deserialize, Serialize)]
pub struct Counted {
    pub at_most: i64,
    pub reason: Option<String>,
    /// To what this module adds anyway.
    pub added: Cost,
}

#[derive(Deserialize, Serialize)]
pub struct Load {
    pub scenario: String,
    pub servers: Vec<Served>,
}

/// Medians.
#[derive(Clone, Deserialize, Serialize)]
pub struct Served {
    /// Nothing for a ceiling.
    pub peer: Option<String>,
    pub family: String,
    pub requests_per_second: f64,
    pub share_of_ceiling: f64,
    pub cpu_microseconds: f64,
    pub cpu_microseconds_added: f64,
}

impl Results {
    pub fn directory() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn path() -> PathBuf {
        Self::directory().join("results.json")
    }

    pub fn read() -> Result<Self> {
        Ok(serde_json::from_str(&fs::read_to_string(Self::path())?)?)
    }

    pub fn write(&self) -> Result<()> {
        Ok(fs::write(Self::path(), serde_json::to_string_pretty(self)? + "\n")?)
    }

    pub fn served(&self, scenario: &str, peer: &str) -> Option<&Served> {
        let load = self.load.iter().find(|load| load.scenario == scenario)?;
        load.servers.iter().find(|served| served.peer.as_deref() == Some(peer))
    }
}
