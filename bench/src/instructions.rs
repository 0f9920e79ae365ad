//! Instructions per request, of one nginx and one way to do CORS in it.

use std::path::Path;

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

/// What a request costs. callgrind's files stay below `keep`.
pub fn count(
    setting: &Setting,
    peer: &Peer,
    role: Role,
    scenario: &Scenario,
    requests: usize,
    keep: Option<&Path>,
) -> Result<i64> {
    let side = if role == Role::Cors { peer.name } else { "ceiling" };
    let keep = keep.map(|keep| keep.join(scenario.name).join(side));
    let start = setting.start(peer, role, scenario);
    callgrind::count(
        start,
        peer.warm_up(role),
        requests,
        keep,
        &scenario.request(),
        |response| match role {
            Role::Cors | Role::Uncounted => scenario.faults(response, &peer.manners),
            _ => scenario.ceiling_faults(response),
        },
    )
    .with_context(|| format!("{side}, {}", scenario.name))
}

/// What a request costs without CORS.
pub fn ceiling(scenario: &Scenario) -> Role {
    match scenario.ceiling {
        Ceiling::Return204 => Role::Return204,
        Ceiling::NoCors => Role::None,
        Ceiling::NoZone => Role::Uncounted,
    }
}

/// Whether the policy is one that others than this module are given.
pub fn is_for_all(scenario: &Scenario) -> bool {
    scenario.headers == Headers::Two && scenario.ceiling != Ceiling::NoZone
}
