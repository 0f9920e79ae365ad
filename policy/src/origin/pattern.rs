//! Patterns: `https://*.example.com`, `https://pr-*.example.com`, `http://localhost:*`, `chrome-extension://*`.

use std::fmt::{self, Display};

use super::serialized::{are_labels, SerializedOrigin};
use super::suffixes::{shared, Shared};
use crate::problem::Position;

/// Which ports a pattern covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortRule {
    /// The one that browsers leave out.
    Default,
    /// This one.
    Only(u16),
    /// Every port, the default one too.
    Any,
}

impl PortRule {
    /// The rule that covers this port and no other.
    pub(super) fn of(port: Option<u16>) -> Self {
        port.map_or(Self::Default, Self::Only)
    }
}

impl Display for PortRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => Ok(()),
            Self::Only(port) => write!(f, ":{port}"),
            Self::Any => f.write_str(":*"),
        }
    }
}

/// What a pattern has in front of the part of a host that it spells out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Front<T> {
    /// Nothing: the whole host is spelled out.
    Nothing,
    /// `*.`, which is one or more labels.
    Labels,
    /// One label with a `*` between these texts, and a dot.
    Label { before: T, after: T },
    /// `*`, which is any host. Nothing is spelled out.
    AnyHost,
}

/// Origins that differ in their host, their port, or both. The texts are `Box<str>`, or lie in the value in which the
/// pattern was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern<T = Box<str>> {
    pub scheme: T,
    pub front: Front<T>,
    /// The part of the host that is spelled out.
    pub host: T,
    pub port: PortRule,
}

/// A pattern, and where it was listed.
#[derive(Debug)]
pub(super) struct Listed {
    pub pattern: Pattern,
    pub at: Position,
}

impl<T: AsRef<str>> Pattern<T> {
    /// Whether the pattern covers an origin.
    pub(super) fn covers(&self, origin: &SerializedOrigin<'_>) -> bool {
        let host = self.host.as_ref().as_bytes();
        let covers_host = || match &self.front {
            Front::Nothing => origin.host == host,
            Front::AnyHost => true,
            Front::Labels => {
                let labels = origin
                    .host
                    .strip_suffix(host)
                    .and_then(|front| front.strip_suffix(b"."));
                labels.is_some_and(are_labels)
            }
            Front::Label { before, after } => {
                let (before, after) = (before.as_ref().as_bytes(), after.as_ref().as_bytes());
                let label = first_label(origin.host).filter(|(_, rest)| *rest == host);
                let rest = label.and_then(|(label, _)| label.strip_prefix(before)?.strip_suffix(after));
                rest.is_some_and(is_part_of_label)
            }
        };
        let covers_port = self.port == PortRule::Any || self.port == PortRule::of(origin.port);
        covers_port && self.scheme.as_ref().as_bytes() == origin.scheme && covers_host()
    }

    /// Whether the hosts are names that different people may hold, and why.
    pub(super) fn shared_name(&self) -> Option<Shared> {
        let host = self.host.as_ref();
        match self.front {
            Front::Labels | Front::Label { .. } => shared(host.strip_suffix('.').unwrap_or(host).as_bytes()),
            Front::Nothing | Front::AnyHost => None,
        }
    }

    /// The host of an origin that the pattern covers.
    pub(super) fn sample_host(&self) -> String {
        let host = self.host.as_ref();
        match &self.front {
            Front::Nothing => host.to_owned(),
            Front::Labels => format!("a.{host}"),
            Front::Label { before, after } => format!("{}a{}.{host}", before.as_ref(), after.as_ref()),
            Front::AnyHost => "a".to_owned(),
        }
    }

    /// An origin that the pattern covers.
    pub(super) fn sample(&self) -> String {
        let port = match self.port {
            PortRule::Any => PortRule::Default,
            port => port,
        };
        format!("{}://{}{port}", self.scheme.as_ref(), self.sample_host())
    }
}

impl Pattern {
    /// Whether the pattern covers the hosts of another one, if it covers the sample of that.
    pub(super) fn includes(&self, other: &Self) -> bool {
        match (&self.front, &other.front) {
            (
                Front::Label { before, after },
                Front::Label {
                    before: longer,
                    after: end,
                },
            ) => longer.starts_with(&**before) && end.ends_with(&**after),
            (Front::Nothing | Front::Label { .. }, front) => *front == Front::Nothing,
            (Front::Labels, front) => *front != Front::AnyHost,
            (Front::AnyHost, _) => true,
        }
    }
}

impl<T: AsRef<str>> Display for Pattern<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.as_ref())?;
        match &self.front {
            Front::Nothing => {}
            Front::Labels => f.write_str("*.")?,
            Front::Label { before, after } => write!(f, "{}*{}.", before.as_ref(), after.as_ref())?,
            Front::AnyHost => f.write_str("*")?,
        }
        write!(f, "{}{}", self.host.as_ref(), self.port)
    }
}

/// The first label of a host, and what follows its dot.
pub(super) fn first_label(host: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = host.iter().position(|&byte| byte == b'.')?;
    Some((host.get(..dot)?, host.get(dot + 1..)?))
}

/// Whether a `*` within a label stands for these bytes. A label may begin and end with hyphens, and be longer than names
/// that resolve are: the [URL standard](https://url.spec.whatwg.org/#concept-domain-to-ascii) checks neither.
pub(super) fn is_part_of_label(bytes: &[u8]) -> bool {
    let is_covered = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    !bytes.is_empty() && bytes.iter().all(is_covered)
}
