//! What a request costs in instructions, in one nginx and with one way to do CORS in it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};

use crate::callgrind;
use crate::cost::Cost;
use crate::peer::{self, Peer, Role, Setting};
use crate::scenario::{Ceiling, Headers, Scenario};

/// What CORS adds to a request with this module.
pub struct Measured {
    pub scenario: &'static Scenario,
    pub ceiling: Cost,
    /// To the ceiling.
    pub added: Cost,
    /// To that, where the request is counted in a zone. Nothing if the scenario has no policy.
    pub counted: Option<Cost>,
}

/// Counts requests in the servers of one setting.
pub struct Counter<'a> {
    setting: &'a Setting,
    requests: usize,
    /// Where callgrind's files stay.
    keep: Option<&'a Path>,
    /// What is known, by the configuration and the request: scenarios have ceilings in common.
    known: RefCell<HashMap<String, Cost>>,
}

impl<'a> Counter<'a> {
    pub fn new(setting: &'a Setting, requests: usize, keep: Option<&'a Path>) -> Self {
        Self {
            setting,
            requests,
            keep,
            known: RefCell::default(),
        }
    }

    /// This module in a scenario.
    pub fn measure(&self, scenario: &'static Scenario) -> Result<Measured> {
        let ceiling = self.ceiling(scenario)?;
        let plain = self.count(peer::ours(), Role::Cors, scenario, self.requests)?;
        let counted = if scenario.has_policy() {
            Some(self.count(peer::ours(), Role::Counted, scenario, self.requests)? - plain)
        } else {
            None
        };
        Ok(Measured {
            scenario,
            ceiling,
            added: plain - ceiling,
            counted,
        })
    }

    /// A request without CORS.
    pub fn ceiling(&self, scenario: &Scenario) -> Result<Cost> {
        let role = match scenario.ceiling {
            Ceiling::Return204 => Role::Return204,
            Ceiling::NoCors => Role::None,
        };
        self.count(peer::ours(), role, scenario, self.requests)
    }

    /// A request to a peer.
    pub fn count(&self, peer: &Peer, role: Role, scenario: &Scenario, requests: usize) -> Result<Cost> {
        let start = self.setting.start(peer, role, scenario);
        let request = scenario.request();
        let configuration = (start.directory, start.file, &start.files, &start.directives);
        let key = format!("{configuration:?} {requests} {:?}", request.to_bytes());
        let side = match role {
            Role::Cors => peer.name,
            Role::Counted => "counted",
            _ => "ceiling",
        };
        // Who wants callgrind's files wants all of them.
        let keep = self.keep.map(|keep| keep.join(scenario.name).join(side));
        if let Some(cost) = self.known.borrow().get(&key).filter(|_| keep.is_none()) {
            return Ok(*cost);
        }
        let faults = |response: &_| match role {
            Role::Cors | Role::Counted => scenario.faults(response, &peer.manners),
            _ => scenario.ceiling_faults(response),
        };
        let cost = callgrind::count(
            start,
            peer.warm_up(role),
            requests,
            keep,
            std::slice::from_ref(&request),
            faults,
        )
        .with_context(|| format!("{side}, {}", scenario.name))?;
        self.known.borrow_mut().insert(key, cost);
        Ok(cost)
    }
}

/// Whether the policy is one that others than this module are given.
pub fn is_for_all(scenario: &Scenario) -> bool {
    scenario.headers == Headers::Two
}
