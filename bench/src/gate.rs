//! The figures in `instructions.json`, and whether those of today are the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The figures of each scenario.
pub type Figures = BTreeMap<String, Figure>;

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Figure {
    pub ceiling: i64,
    pub added: i64,
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

/// What has become of a figure.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Same,
    Worse,
    /// Must be recorded as well: else the next change may lose it again, and nobody would see.
    Better,
    New,
}

/// What two runs, two compilers or two processors may differ by. The more a request takes of nginx itself, of the C
/// library and of the kernel's way to cut what it sends, the less the difference of two such numbers says.
fn tolerance(recorded: Figure) -> i64 {
    const INSTRUCTIONS: i64 = 15;
    const PERCENT: i64 = 2;
    const OF_CEILING: i64 = 2_000;
    INSTRUCTIONS.max(recorded.added.abs() * PERCENT / 100) + recorded.ceiling / OF_CEILING
}

pub fn judge(recorded: Option<Figure>, added: i64) -> Verdict {
    match recorded {
        None => Verdict::New,
        Some(recorded) if added > recorded.added + tolerance(recorded) => Verdict::Worse,
        Some(recorded) if added < recorded.added - tolerance(recorded) => Verdict::Better,
        Some(_) => Verdict::Same,
    }
}

impl Verdict {
    pub fn words(&self) -> &'static str {
        match self {
            Self::Same => "ok",
            Self::Worse => "WORSE",
            Self::Better => "BETTER, not recorded",
            Self::New => "NEW, not recorded",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{judge, Figure, Verdict};

    fn recorded(added: i64, ceiling: i64) -> Option<Figure> {
        Some(Figure { ceiling, added })
    }

    #[test]
    fn a_figure_may_move_a_little() {
        for added in [375, 400, 425] {
            assert_eq!(judge(recorded(400, 20_000), added), Verdict::Same);
        }
        for added in [9_790, 10_210] {
            assert_eq!(judge(recorded(10_000, 20_000), added), Verdict::Same);
        }
        assert_eq!(judge(recorded(-200, 20_000), -190), Verdict::Same);
    }

    #[test]
    fn a_figure_of_a_long_request_may_move_more() {
        assert_eq!(judge(recorded(400, 80_000), 455), Verdict::Same);
        assert_eq!(judge(recorded(400, 80_000), 456), Verdict::Worse);
    }

    #[test]
    fn more_is_a_failure_and_less_has_to_be_recorded() {
        assert_eq!(judge(recorded(400, 20_000), 426), Verdict::Worse);
        assert_eq!(judge(recorded(400, 20_000), 374), Verdict::Better);
        assert_eq!(judge(recorded(10_000, 20_000), 10_211), Verdict::Worse);
        assert_eq!(judge(recorded(-200, 20_000), -174), Verdict::Worse);
        assert_eq!(judge(None, 0), Verdict::New);
    }
}
