//! The names that an expression spells out.
//!
//! From the end of a host, label by label, the shortest name that is not [shared](crate::origin::suffixes) is the
//! *domain* that the host belongs to: `example.co.uk`, `me.github.io`, `localhost`. An expression *names* the domains of
//! which it spells out each byte. A host that is no name under a domain (an address, a public suffix) is named where it
//! is spelled out from end to start.

use std::collections::BTreeSet;

use super::alphabet::Bytes;
use super::grammar::{Part, Scheme};
use super::graph::{Budget, Exhausted, Graph, START};
use crate::origin::serialized::LONGEST;
use crate::origin::suffixes::{is_address, shared};

/// An expression that names more domains is a list, and better written as one.
const MOST_NAMES: usize = 1_000;

/// Texts, to be read backwards.
#[derive(Debug)]
pub(super) struct BackwardTrie {
    nodes: Vec<TrieNode>,
}

#[derive(Debug, Default)]
struct TrieNode {
    before: Vec<(u8, u32)>,
    /// A text starts here.
    is_text: bool,
    /// So it does, and other labels may stand before it.
    is_domain: bool,
}

/// The end of every text.
pub(super) const END: u32 = 0;

impl Default for BackwardTrie {
    fn default() -> Self {
        Self {
            nodes: vec![TrieNode::default()],
        }
    }
}

impl BackwardTrie {
    pub(super) fn insert(&mut self, text: &[u8], is_domain: bool) {
        let mut number = END;
        for &byte in text.iter().rev() {
            let next = self.nodes.len() as u32;
            let existing = self.before(number, byte);
            let Some(node) = self.nodes.get_mut(number as usize) else {
                return;
            };
            number = existing.unwrap_or(next);
            if existing.is_none() {
                node.before.push((byte, next));
                self.nodes.push(TrieNode::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(number as usize) {
            node.is_text = true;
            node.is_domain |= is_domain;
        }
    }

    /// The place one byte further to the front.
    pub(super) fn before(&self, number: u32, byte: u8) -> Option<u32> {
        let before = &self.nodes.get(number as usize)?.before;
        before.iter().find(|(other, _)| *other == byte).map(|(_, next)| *next)
    }

    pub(super) fn is_text(&self, number: u32) -> bool {
        self.nodes.get(number as usize).is_some_and(|node| node.is_text)
    }

    pub(super) fn is_domain(&self, number: u32) -> bool {
        self.nodes.get(number as usize).is_some_and(|node| node.is_domain)
    }
}

/// What an expression spells out.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The domains of web origins, and the hosts that are named as a whole.
    pub hosts: BackwardTrie,
    /// The hosts of origins with other schemes.
    pub app_hosts: BackwardTrie,
    /// The other schemes.
    pub schemes: BackwardTrie,
    /// The domains, as texts.
    pub domains: BTreeSet<String>,
    /// The shared names before which the expression goes on.
    pub shared: BTreeSet<String>,
}

impl Names {
    pub(super) fn of(graph: &Graph, budget: &mut Budget) -> Result<Self, Exhausted> {
        let mut names = Self::default();
        names.read_hosts(graph, budget)?;
        names.read_app_hosts(graph, budget)?;
        names.read_schemes(graph, budget)?;
        Ok(names)
    }

    fn read_hosts(&mut self, graph: &Graph, budget: &mut Budget) -> Result<(), Exhausted> {
        let all = Bytes::range(0, u8::MAX);
        let dot = Bytes::one(b'.');
        let mut count = 0;
        let ends = host_ends(graph, Scheme::is_web);
        // A dot behind a host changes nothing: it need not be spelled out.
        let before_dots = ends.iter().flat_map(|number| graph.edges_to(*number));
        let before_dots = before_dots
            .filter(|edge| {
                !edge.bytes.and(dot).is_empty() && graph.node(edge.from).is_some_and(|node| node.part.is_host())
            })
            .map(|edge| edge.from)
            .collect();
        for (ends, may_end_with) in [(ends, all), (before_dots, all.without(dot))] {
            Walk::new(graph, Part::is_host).walk(ends, budget, &mut |text, nodes| {
                let name = text.strip_suffix(b".").unwrap_or(text);
                if text.is_empty() {
                    return Ok(may_end_with);
                }
                let is_whole = nodes.iter().any(|number| is_host_start(graph, *number));
                let goes_on = nodes.iter().any(|number| has_host_byte_before(graph, *number, dot));
                // With an empty label it is no name, though it may be a host.
                let has_labels = name.split(|byte| *byte == b'.').all(|label| !label.is_empty());
                let is_name = has_labels && !is_address(name);
                let is_domain = (is_whole || goes_on) && is_name && shared(name).is_none();
                if is_domain {
                    self.hosts.insert(name, true);
                    self.domains.insert(String::from_utf8_lossy(name).into_owned());
                    count += 1;
                } else if is_whole {
                    self.hosts.insert(name, false);
                    count += 1;
                } else if goes_on && is_name {
                    self.shared.insert(String::from_utf8_lossy(name).into_owned());
                }
                if count > MOST_NAMES {
                    return Err(Exhausted);
                }
                Ok(if is_domain { all.without(dot) } else { all })
            })?;
        }
        Ok(())
    }

    fn read_app_hosts(&mut self, graph: &Graph, budget: &mut Budget) -> Result<(), Exhausted> {
        let all = Bytes::range(0, u8::MAX);
        let mut count = 0;
        let ends = host_ends(graph, |scheme| scheme == Scheme::Other);
        Walk::new(graph, Part::is_host).walk(ends, budget, &mut |text, nodes| {
            if nodes.iter().any(|number| is_host_start(graph, *number)) {
                self.app_hosts.insert(text, false);
                count += 1;
            }
            if count > MOST_NAMES {
                return Err(Exhausted);
            }
            Ok(all)
        })
    }

    fn read_schemes(&mut self, graph: &Graph, budget: &mut Budget) -> Result<(), Exhausted> {
        let all = Bytes::range(0, u8::MAX);
        let colons = graph
            .nodes()
            .filter(|(_, node)| matches!(node.part, Part::Colon(scheme) if !scheme.is_web()));
        let ends = colons
            .flat_map(|(number, _)| graph.edges_to(number))
            .map(|edge| edge.from)
            .collect();
        let is_scheme = |part| matches!(part, Part::Scheme(_));
        let mut count = 0;
        Walk::new(graph, is_scheme).walk(ends, budget, &mut |text, nodes| {
            if nodes.contains(&START) {
                self.schemes.insert(text, false);
                count += 1;
            }
            if count > MOST_NAMES {
                return Err(Exhausted);
            }
            Ok(all)
        })
    }
}

/// The nodes where the host of an origin with such a scheme can end.
fn host_ends(graph: &Graph, of: impl Fn(Scheme) -> bool) -> Vec<u32> {
    let mut ends: Vec<u32> = Vec::new();
    for (number, node) in graph.nodes() {
        if !node.part.scheme().is_some_and(&of) {
            continue;
        }
        if node.part.is_host_end() && node.accepts {
            ends.push(number);
        }
        if let Part::Port(..) = node.part {
            let before = graph.edges_to(number).iter().map(|edge| edge.from);
            ends.extend(before.filter(|from| graph.node(*from).is_some_and(|node| node.part.is_host_end())));
        }
    }
    ends
}

fn is_host_start(graph: &Graph, number: u32) -> bool {
    let part = graph.node(number).map(|node| node.part);
    matches!(part, Some(Part::HostStart(_)))
}

/// Whether one of `bytes` can stand before this node, as part of the host.
fn has_host_byte_before(graph: &Graph, number: u32, bytes: Bytes) -> bool {
    let is_host = graph.node(number).is_some_and(|node| node.part.is_host());
    is_host
        && graph
            .edges_to(number)
            .iter()
            .any(|edge| !edge.bytes.and(bytes).is_empty())
}

/// A walk over the texts that are spelled out, from their end to their start.
struct Walk<'g> {
    graph: &'g Graph,
    /// Whether the walk goes over the last byte of this part.
    goes_over: fn(Part) -> bool,
    text: Vec<u8>,
}

/// Is told each text and the nodes that it can begin at, and says by which bytes the text may grow.
type Visit<'v> = &'v mut dyn FnMut(&[u8], &[u32]) -> Result<Bytes, Exhausted>;

impl<'g> Walk<'g> {
    fn new(graph: &'g Graph, goes_over: fn(Part) -> bool) -> Self {
        Self {
            graph,
            goes_over,
            text: Vec::new(),
        }
    }

    fn walk(&mut self, mut nodes: Vec<u32>, budget: &mut Budget, visit: Visit<'_>) -> Result<(), Exhausted> {
        nodes.sort_unstable();
        nodes.dedup();
        budget.spend(nodes.len())?;
        let forward: Vec<u8> = self.text.iter().rev().copied().collect();
        let bytes = visit(&forward, &nodes)?;
        if self.text.len() >= LONGEST {
            return Ok(());
        }
        let mut edges = Vec::new();
        let mut all = Bytes::NONE;
        for &number in &nodes {
            if self.graph.node(number).is_some_and(|node| (self.goes_over)(node.part)) {
                for edge in self.graph.edges_to(number) {
                    edges.push((edge.from, edge.spelled));
                    all = all.or(edge.spelled);
                }
            }
        }
        budget.spend(edges.len())?;
        for byte in all.and(bytes).iter() {
            let one = Bytes::one(byte);
            let by_this = edges.iter().filter(|(_, spelled)| !spelled.and(one).is_empty());
            let before = by_this
                .map(|(from, _)| *from)
                .filter(|from| self.graph.node(*from).is_some())
                .collect();
            self.text.push(byte);
            let outcome = self.walk(before, budget, visit);
            self.text.pop();
            outcome?;
        }
        Ok(())
    }
}
