//! Instructions per request, of one nginx and one way to do CORS in it.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::callgrind;
use crate::peer::{Peer, Role, Setting};
use crate::scenario::{Ceiling, Headers, Scenario};

pub struct Measured {
    pub scenario: &'static Scenario,
    pub ceiling: i64,
    pub added: i64,
}

impl Measured {
    pub fn is_over(&self) -> bool {
        self.added > self.scenario.limit
    }
}

/// Measures a scenario and its ceiling. callgrind's files stay in `keep`.
pub fn measure(
    setting: &Setting,
    peer: &Peer,
    scenario: &'static Scenario,
    requests: usize,
    keep: Option<PathBuf>,
) -> Result<Measured> {
    let place = |side: &str| keep.as_ref().map(|keep| keep.join(scenario.name).join(side));
    let request = scenario.request();
    let role = match scenario.ceiling {
        Ceiling::Return204 => Role::Return204,
        Ceiling::NoCors => Role::None,
    };
    let start = setting.start(peer, role, scenario);
    let ceiling = callgrind::count(start, requests, place("ceiling"), &request, |response| {
        scenario.ceiling_faults(response)
    })
    .with_context(|| format!("the ceiling of {}", scenario.name))?;
    let start = setting.start(peer, Role::Cors, scenario);
    let subject = callgrind::count(start, requests, place(peer.name), &request, |response| {
        scenario.faults(response, &peer.manners)
    })
    .with_context(|| scenario.name)?;
    Ok(Measured {
        scenario,
        ceiling,
        added: subject - ceiling,
    })
}

/// Whether the policy is one that others than this module are given.
pub fn is_for_all(scenario: &Scenario) -> bool {
    scenario.headers == Headers::Two
}
