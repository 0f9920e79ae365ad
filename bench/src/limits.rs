//! The limits in `limits.json`, and whether a figure keeps to its own. Less is never a fault.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use serde::Deserialize;

use crate::cost::Cost;
use crate::instructions::Measured;
use crate::scenario;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    pub at_most: i64,
    /// Why it is so much more than others.
    pub reason: Option<String>,
}

/// What a scenario may add to its ceiling.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfScenario {
    at_most: i64,
    reason: Option<String>,
    /// Where counting this scenario has another limit than counting others.
    counted: Option<Limit>,
}

/// What another compiler, C library or processor may add: it has another `memcpy`, and nginx itself uses it the more,
/// the longer a request is.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    instructions: i64,
    /// Of the limit, where that is more.
    percent: i64,
    /// And one instruction for each so many of the ceiling.
    one_for_each_of_the_ceiling: i64,
}

/// Limits by the name of the scenario.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    #[serde(rename = "about")]
    _about: String,
    allowance: Allowance,
    /// For a request that is counted in a zone, beyond the same one that is not.
    counted: Limit,
    beyond_the_ceiling: BTreeMap<String, OfScenario>,
    /// Those of a version of nginx that has others.
    nginx: BTreeMap<String, BTreeMap<String, OfScenario>>,
}

/// How a figure stands to its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Within,
    /// So many more than the limit, and no more than may be another processor's.
    Allowed(i64),
    /// So many more than the limit.
    Over(i64),
}

impl Verdict {
    pub fn words(self) -> String {
        match self {
            Self::Within => "ok".to_owned(),
            Self::Allowed(more) => format!("ok, {more} over its limit and within the allowance"),
            Self::Over(more) => format!("{more} OVER ITS LIMIT"),
        }
    }
}

impl Allowance {
    fn of(self, limit: i64, ceiling: i64) -> i64 {
        self.instructions.max(limit * self.percent / 100) + ceiling / self.one_for_each_of_the_ceiling
    }
}

impl Limits {
    pub fn read() -> Result<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("limits.json");
        let read = || Self::parse(&fs::read_to_string(&path)?);
        read().with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let limits: Self = serde_json::from_str(text)?;
        for scenario in scenario::all() {
            let name = scenario.name;
            ensure!(
                limits.beyond_the_ceiling.contains_key(name),
                "no limit for {name}: add \"{name}\": {{ \"at_most\": <instructions> }} to \"beyond_the_ceiling\""
            );
        }
        let of_versions = limits.nginx.values().flat_map(BTreeMap::keys);
        for name in limits.beyond_the_ceiling.keys().chain(of_versions) {
            ensure!(
                scenario::find(name).is_some(),
                "a limit for {name}, which is no scenario: remove it"
            );
        }
        Ok(limits)
    }

    /// What a scenario may add to its ceiling, and what counting it may add to that.
    pub fn of(&self, version: &str, scenario: &str) -> Result<(Limit, Limit)> {
        let own = self.nginx.get(version).and_then(|limits| limits.get(scenario));
        let limits = own.or_else(|| self.beyond_the_ceiling.get(scenario));
        let OfScenario {
            at_most,
            reason,
            counted,
        } = limits.with_context(|| format!("no limit for {scenario}"))?.clone();
        let counted = counted.unwrap_or_else(|| self.counted.clone());
        Ok((Limit { at_most, reason }, counted))
    }

    /// How what is added to a scenario stands to its limit, and what counting adds.
    pub fn judge(&self, version: &str, measured: &Measured) -> Result<(Verdict, Option<Verdict>)> {
        let (limit, limit_counted) = self.of(version, measured.scenario.name)?;
        let judge = |Limit { at_most: limit, .. }, added: Cost| {
            let allowance = self.allowance.of(limit, measured.ceiling.instructions);
            match added.instructions - limit {
                more if more > allowance => Verdict::Over(more),
                more if more > 0 => Verdict::Allowed(more),
                _ => Verdict::Within,
            }
        };
        let counted = measured.counted.map(|counted| judge(limit_counted, counted));
        Ok((judge(limit, measured.added), counted))
    }

    /// What is over its limit, and by how much.
    pub fn faults(&self, version: &str, measured: &Measured) -> Result<Vec<String>> {
        let scenario = measured.scenario;
        let (verdict, verdict_counted) = self.judge(version, measured)?;
        let (limit, limit_counted) = self.of(version, scenario.name)?;
        let rows = [
            (verdict, measured.added, limit.at_most, ""),
            (
                verdict_counted.unwrap_or(Verdict::Within),
                measured.counted.unwrap_or_default(),
                limit_counted.at_most,
                ", counted in a zone",
            ),
        ];
        let faults = rows
            .into_iter()
            .filter_map(|(verdict, added, limit, how)| match verdict {
                Verdict::Over(more) => Some(format!(
                    "{} ({}){how}: {:+}, which is {more} over its limit of {limit:+}",
                    scenario.title, scenario.name, added.instructions
                )),
                Verdict::Within | Verdict::Allowed(_) => None,
            });
        Ok(faults.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Verdict};
    use crate::cost::Cost;
    use crate::instructions::Measured;
    use crate::scenario;

    /// Limits that stay as they are when those in force change.
    fn file() -> String {
        include_str!("fixtures/limits.json").to_owned()
    }

    #[test]
    fn the_limits_in_force_are_complete() {
        Limits::read().expect("limits");
    }

    fn limits() -> Limits {
        Limits::parse(&file()).expect("limits")
    }

    /// `preflight-allowed` with an allowance of 25: 15, and 10 for the ceiling.
    fn measured(added: i64, counted: Option<i64>) -> Measured {
        let cost = |instructions| Cost {
            instructions,
            allocator: 1_000,
        };
        Measured {
            scenario: scenario::find("preflight-allowed").expect("a scenario"),
            ceiling: cost(20_000),
            added: cost(added),
            counted: counted.map(cost),
        }
    }

    fn judge(added: i64, counted: Option<i64>) -> (Verdict, Option<Verdict>) {
        limits().judge("1.22.1", &measured(added, counted)).expect("a limit")
    }

    #[test]
    fn less_is_never_a_fault() {
        for added in [550, 0, -5_000] {
            assert_eq!(
                judge(added, Some(added - 300)),
                (Verdict::Within, Some(Verdict::Within))
            );
        }
    }

    #[test]
    fn another_processor_may_need_a_little_more() {
        assert_eq!(judge(551, None).0, Verdict::Allowed(1));
        assert_eq!(judge(575, None).0, Verdict::Allowed(25));
    }

    #[test]
    fn more_than_that_is_over_the_limit() {
        assert_eq!(judge(576, None).0, Verdict::Over(26));
    }

    #[test]
    fn a_fault_names_the_scenario_and_what_is_too_much() {
        let faults = |added, counted| {
            limits()
                .faults("1.22.1", &measured(added, Some(counted)))
                .expect("limits")
        };
        assert!(faults(575, 265).is_empty());
        assert_eq!(
            faults(735, 300),
            [
                "preflight, allowed (preflight-allowed): +735, which is 185 over its limit of +550",
                "preflight, allowed (preflight-allowed), counted in a zone: +300, which is 50 over its limit of +250",
            ]
        );
    }

    #[test]
    fn counting_has_a_limit_of_its_own() {
        assert_eq!(judge(0, Some(250)).1, Some(Verdict::Within));
        assert_eq!(judge(0, Some(276)), (Verdict::Within, Some(Verdict::Over(26))));
    }

    #[test]
    fn a_version_of_nginx_may_have_limits_of_its_own() {
        let mut limits = limits();
        let own = serde_json::from_str(r#"{ "preflight-allowed": { "at_most": 7, "reason": "a test" } }"#);
        limits.nginx.insert("1.99.0".to_owned(), own.expect("limits"));
        let at_most = |version, scenario| limits.of(version, scenario).expect("a limit").0.at_most;
        assert_eq!(at_most("1.99.0", "preflight-allowed"), 7);
        assert_eq!(at_most("1.99.0", "preflight-denied"), 400);
        assert_eq!(at_most("1.22.1", "preflight-allowed"), 550);
    }

    #[test]
    fn counting_may_have_another_limit_in_a_scenario() {
        let text = file().replacen(
            "\"no-origin\": { \"at_most\": 700 }",
            "\"no-origin\": { \"at_most\": 700, \"counted\": { \"at_most\": 7, \"reason\": \"a test\" } }",
            1,
        );
        let limits = Limits::parse(&text).expect("limits");
        let counted = |scenario| limits.of("1.22.1", scenario).expect("limits").1.at_most;
        assert_eq!(counted("no-origin"), 7);
        assert_eq!(counted("proxied"), 250);
    }

    #[test]
    fn a_scenario_without_a_limit_is_an_error() {
        let text = file().replacen("\"no-cors\"", "\"no-corse\"", 1);
        let error = Limits::parse(&text).expect_err("an error").to_string();
        assert!(error.contains("no limit for no-cors"), "{error}");
    }

    #[test]
    fn a_limit_without_a_scenario_is_an_error() {
        let text = file().replacen("\"no-cors\"", "\"no-corse\": { \"at_most\": 1 },\n    \"no-cors\"", 1);
        let error = Limits::parse(&text).expect_err("an error").to_string();
        assert!(error.contains("no-corse, which is no scenario"), "{error}");
    }
}
