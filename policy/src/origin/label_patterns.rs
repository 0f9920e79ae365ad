//! Patterns with a `*` within the first label: `https://pr-*-web.example.com`.
//!
//! A thousand of them may lie under one domain, so they are found from what is there: what follows the first label of the
//! request's host, then each of its beginnings that is as long as one that is listed, then each of its ends that is as
//! long as one that is listed beside that beginning. More patterns make the tables larger. The number of look-ups is that
//! of different lengths, whatever is asked for.

use hashbrown::HashTable;

use super::exact::hash;
use super::pattern::{first_label, is_part_of_label, Front, Listed, Pattern, PortRule};

/// Many such patterns.
#[derive(Default, Debug)]
pub(super) struct LabelPatterns {
    domains: HashTable<Domain>,
    /// Some have `:*`.
    has_any_port: bool,
}

/// The patterns under one domain.
#[derive(Debug)]
struct Domain {
    scheme: Box<str>,
    host: Box<str>,
    port: PortRule,
    /// By what stands before the `*`, and by what stands behind it.
    patterns: ByText<ByText<Option<Listed>>>,
}

impl LabelPatterns {
    pub(super) fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// Adds a pattern with a `*` within its first label; false where it was there already.
    pub(super) fn insert(&mut self, listed: Listed) -> bool {
        let Pattern {
            scheme,
            front,
            host,
            port,
        } = &listed.pattern;
        let Front::Label { before, after } = front else {
            return false;
        };
        self.has_any_port |= *port == PortRule::Any;
        let is_same = |domain: &Domain| domain.is(scheme.as_bytes(), host.as_bytes(), *port);
        let domain = self
            .domains
            .entry(hash(host.as_bytes()), is_same, |domain| hash(domain.host.as_bytes()));
        let domain = domain.or_insert_with(|| Domain {
            scheme: scheme.clone(),
            host: host.clone(),
            port: *port,
            patterns: ByText::default(),
        });
        let place = domain.into_mut().patterns.get_or_insert(before).get_or_insert(after);
        let is_new = place.is_none();
        place.get_or_insert(listed);
        is_new
    }

    /// A pattern that covers an origin of these parts, of those that `counts` picks.
    pub(super) fn covering(
        &self,
        scheme: &[u8],
        host: &[u8],
        port: PortRule,
        counts: impl Fn(&Pattern) -> bool,
    ) -> Option<&Pattern> {
        let (label, rest) = first_label(host)?;
        let hash = hash(rest);
        let find = |port| {
            let domain = self.domains.find(hash, |domain| domain.is(scheme, rest, port))?;
            domain.covering(label, &counts)
        };
        find(port).or_else(|| self.has_any_port.then(|| find(PortRule::Any))?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Listed> {
        let beginnings = self.domains.iter().flat_map(|domain| domain.patterns.values());
        beginnings.flat_map(ByText::values).flatten()
    }
}

impl Domain {
    fn is(&self, scheme: &[u8], host: &[u8], port: PortRule) -> bool {
        self.host.as_bytes() == host && self.scheme.as_bytes() == scheme && self.port == port
    }

    fn covering(&self, label: &[u8], counts: impl Fn(&Pattern) -> bool) -> Option<&Pattern> {
        for &length in &self.patterns.lengths {
            let (before, rest) = label.split_at_checked(length)?;
            let Some(patterns) = self.patterns.get(before) else {
                continue;
            };
            for &length in &patterns.lengths {
                let Some((part, after)) = rest.split_at_checked(rest.len().wrapping_sub(length)) else {
                    break;
                };
                let listed = patterns.get(after).and_then(Option::as_ref);
                let pattern = listed.map(|listed| &listed.pattern).filter(|pattern| counts(pattern));
                if pattern.is_some() && is_part_of_label(part) {
                    return pattern;
                }
            }
        }
        None
    }
}

/// Values that are found by a text.
#[derive(Debug)]
struct ByText<V> {
    /// How long the texts are: each length once, the shortest first.
    lengths: Vec<usize>,
    table: HashTable<(Box<str>, V)>,
}

impl<V> Default for ByText<V> {
    fn default() -> Self {
        Self {
            lengths: Vec::new(),
            table: HashTable::new(),
        }
    }
}

impl<V: Default> ByText<V> {
    fn get_or_insert(&mut self, text: &str) -> &mut V {
        if let Err(place) = self.lengths.binary_search(&text.len()) {
            self.lengths.insert(place, text.len());
        }
        let hash_of = |text: &str| hash(text.as_bytes());
        let is_same = |(other, _): &(Box<str>, V)| **other == *text;
        let entry = self.table.entry(hash_of(text), is_same, |(text, _)| hash_of(text));
        &mut entry.or_insert_with(|| (text.into(), V::default())).into_mut().1
    }
}

impl<V> ByText<V> {
    fn get(&self, text: &[u8]) -> Option<&V> {
        let found = self.table.find(hash(text), |(other, _)| other.as_bytes() == text);
        found.map(|(_, value)| value)
    }

    fn values(&self) -> impl Iterator<Item = &V> {
        self.table.iter().map(|(_, value)| value)
    }
}
