//! The figures in `instructions.json`: what was measured when somebody last recorded it. They are there to be compared
//! with, and no figure fails for being another one; the limits are in `limits.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::cost::Cost;
use crate::instructions::Measured;

/// The figures of each scenario.
pub type Figures = BTreeMap<String, Figure>;

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Figure {
    pub ceiling: Cost,
    pub added: Cost,
    pub counted: Option<Cost>,
}

impl From<&Measured> for Figure {
    fn from(measured: &Measured) -> Self {
        Self {
            ceiling: measured.ceiling,
            added: measured.added,
            counted: measured.counted,
        }
    }
}

/// Figures by the version of nginx.
#[derive(Default, Deserialize, Serialize)]
pub struct Record {
    pub nginx: BTreeMap<String, Figures>,
}

impl Record {
    pub fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.json")
    }

    pub fn read() -> Result<Self> {
        let path = Self::path();
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path)?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    pub fn write(&self) -> Result<()> {
        Ok(fs::write(Self::path(), serde_json::to_string_pretty(self)? + "\n")?)
    }
}
