//! The origins that a browser can send, as an automaton: what [`SerializedOrigin::recognize`] says of a whole text,
//! said byte by byte. A test holds the one against the other. What it does not know is that long texts are no origins.
//!
//! [`SerializedOrigin::recognize`]: crate::origin::SerializedOrigin::recognize

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::LazyLock;

use arrayvec::ArrayVec;

use super::alphabet::Bytes;
use crate::origin::serialized::default_port;

/// What the schemes begin with that the grammar has to tell apart: those with a default port, and `file`.
const BEGINNINGS: [&str; 15] = [
    "", "f", "fi", "fil", "file", "ft", "ftp", "h", "ht", "htt", "http", "https", "w", "ws", "wss",
];

/// The largest port.
const LARGEST_PORT: &[u8; 5] = b"65535";

/// A scheme, as far as ports and the network are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scheme {
    Http,
    Https,
    Ws,
    Wss,
    Ftp,
    /// The one without a host.
    File,
    /// One of an app or an extension.
    Other,
}

impl Scheme {
    /// Whether it is one of the web's.
    pub(super) fn is_web(self) -> bool {
        !matches!(self, Self::File | Self::Other)
    }

    fn named(name: &str) -> Self {
        match name {
            "http" => Self::Http,
            "https" => Self::Https,
            "ws" => Self::Ws,
            "wss" => Self::Wss,
            "ftp" => Self::Ftp,
            "file" => Self::File,
            _ => Self::Other,
        }
    }

    fn default_port(self) -> Option<u16> {
        let name: &[u8] = match self {
            Self::Http => b"http",
            Self::Https => b"https",
            Self::Ws => b"ws",
            Self::Wss => b"wss",
            Self::Ftp => b"ftp",
            Self::File | Self::Other => b"",
        };
        default_port(name)
    }
}

/// The digits of a port so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Port {
    digits: usize,
    /// How they compare with as many digits of the largest port.
    against_largest: Ordering,
    /// So far they are those of the scheme's default port.
    is_default: bool,
}

/// What the bytes so far are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// A scheme that is one of [`BEGINNINGS`], by its number, or has gone past them.
    Scheme(usize),
    /// The scheme with its colon, and with the first slash.
    Colon(Scheme),
    Slash(Scheme),
    /// Both slashes: the host comes next.
    HostStart(Scheme),
    /// A name, or an address without brackets.
    Host(Scheme),
    /// An address in brackets that has not been closed, and whether it holds anything.
    Bracket(Scheme, bool),
    /// One that has been closed.
    Bracketed(Scheme),
    /// A colon and digits.
    Port(Scheme, Port),
    /// What only [`Leniency::Path`] lets follow.
    Path,
}

/// What no browser sends, taken for an origin all the same to see whether that is why an expression matches none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leniency {
    None,
    /// A default port that is written out.
    DefaultPort,
    /// A slash behind the origin, and whatever follows.
    Path,
}

impl Part {
    const START: Self = Self::Scheme(0);

    /// The scheme, once it is complete.
    pub(super) fn scheme(self) -> Option<Scheme> {
        match self {
            Self::Scheme(_) | Self::Path => None,
            Self::Colon(scheme)
            | Self::Slash(scheme)
            | Self::HostStart(scheme)
            | Self::Host(scheme)
            | Self::Bracket(scheme, _)
            | Self::Bracketed(scheme)
            | Self::Port(scheme, _) => Some(scheme),
        }
    }

    /// Whether the last byte belongs to the host.
    pub(super) fn is_host(self) -> bool {
        matches!(self, Self::Host(_) | Self::Bracket(..) | Self::Bracketed(_))
    }

    /// Whether a host can end here.
    pub(super) fn is_host_end(self) -> bool {
        matches!(self, Self::Host(_) | Self::Bracketed(_))
    }

    fn after(self, byte: u8, leniency: Leniency) -> Option<Self> {
        if leniency == Leniency::Path && (byte == b'/' && self.is_complete() || self == Self::Path) {
            return Some(Self::Path);
        }
        let in_name = matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        let in_bracket = matches!(byte, b'a'..=b'f' | b'0'..=b'9' | b'.' | b':');
        match (self, byte) {
            (Self::Scheme(number), b':') => {
                let name = BEGINNINGS.get(number).copied();
                (number != 0).then(|| Self::Colon(name.map_or(Scheme::Other, Scheme::named)))
            }
            (Self::Scheme(number), _) => {
                // RFC 3986, section 3.1: a letter first.
                let first = byte.is_ascii_lowercase();
                let later = first || matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.');
                let longer = BEGINNINGS.get(number).map(|name| format!("{name}{}", char::from(byte)));
                let known = BEGINNINGS.iter().position(|name| Some(*name) == longer.as_deref());
                (first || later && number != 0).then(|| Self::Scheme(known.unwrap_or(BEGINNINGS.len())))
            }
            (Self::Colon(scheme), b'/') => Some(Self::Slash(scheme)),
            (Self::Slash(scheme), b'/') => Some(Self::HostStart(scheme)),
            (Self::HostStart(Scheme::File), _) => None,
            (Self::HostStart(scheme), b'[') => Some(Self::Bracket(scheme, false)),
            (Self::HostStart(scheme) | Self::Host(scheme), _) if in_name => Some(Self::Host(scheme)),
            (Self::Bracket(scheme, true), b']') => Some(Self::Bracketed(scheme)),
            (Self::Bracket(scheme, _), _) if in_bracket => Some(Self::Bracket(scheme, true)),
            (Self::Host(scheme) | Self::Bracketed(scheme), b':') => Some(Self::Port(
                scheme,
                Port {
                    digits: 0,
                    against_largest: Ordering::Equal,
                    is_default: leniency != Leniency::DefaultPort && scheme.default_port().is_some(),
                },
            )),
            (Self::Port(scheme, port), b'0'..=b'9') => port.after(byte, scheme).map(|port| Self::Port(scheme, port)),
            _ => None,
        }
    }

    /// Whether the bytes so far are an origin.
    fn is_complete(self) -> bool {
        match self {
            Self::Host(_) | Self::Bracketed(_) | Self::HostStart(Scheme::File) => true,
            Self::Port(scheme, port) => port.digits > 0 && !port.is_all_of_default(scheme),
            _ => false,
        }
    }
}

impl Port {
    fn after(self, byte: u8, scheme: Scheme) -> Option<Self> {
        if self.digits == 0 && byte == b'0' {
            return None;
        }
        let largest = LARGEST_PORT.get(self.digits)?;
        let default = scheme.default_port().map(|port| port.to_string()).unwrap_or_default();
        let next = Self {
            digits: self.digits + 1,
            against_largest: self.against_largest.then(byte.cmp(largest)),
            is_default: self.is_default && default.as_bytes().get(self.digits) == Some(&byte),
        };
        (next.digits < LARGEST_PORT.len() || next.against_largest != Ordering::Greater).then_some(next)
    }

    fn is_all_of_default(self, scheme: Scheme) -> bool {
        let length = scheme.default_port().map_or(0, |port| port.to_string().len());
        self.is_default && self.digits == length
    }
}

/// The most states of an automaton, and the most ways on from a state.
const MOST_STATES: usize = 192;
const MOST_WAYS: usize = 8;

/// The automaton as a table: its states are numbers, the first one is 0.
///
/// It holds nothing on the heap. One is kept in a static variable, and a library that is unloaded, as nginx does with its
/// modules, leaves behind what such variables hold there.
#[derive(Debug)]
pub(super) struct Grammar {
    states: ArrayVec<State, MOST_STATES>,
}

#[derive(Debug)]
pub(super) struct State {
    pub part: Part,
    /// Whether an origin can end here.
    pub accepts: bool,
    /// By which bytes it goes on where.
    pub next: ArrayVec<(Bytes, u16), MOST_WAYS>,
}

impl Grammar {
    /// That of the origins that browsers send.
    pub(super) fn of_origins() -> &'static Self {
        static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| Grammar::new(Leniency::None));
        &GRAMMAR
    }

    pub(super) fn new(leniency: Leniency) -> Self {
        let mut numbers = HashMap::from([(Part::START, 0)]);
        let mut parts = vec![Part::START];
        let mut states = ArrayVec::new();
        while let Some(&part) = parts.get(states.len()) {
            let mut next: ArrayVec<(Bytes, u16), MOST_WAYS> = ArrayVec::new();
            for byte in Bytes::range(0, u8::MAX).iter() {
                let Some(after) = part.after(byte, leniency) else {
                    continue;
                };
                let number = *numbers.entry(after).or_insert_with(|| {
                    parts.push(after);
                    (parts.len() - 1) as u16
                });
                match next.iter_mut().find(|(_, to)| *to == number) {
                    Some((bytes, _)) => *bytes = bytes.or(Bytes::one(byte)),
                    None => next.push((Bytes::one(byte), number)), // a test counts them
                }
            }
            let accepts = match leniency {
                Leniency::Path => part == Part::Path,
                _ => part.is_complete(),
            };
            states.push(State { part, accepts, next });
        }
        Self { states }
    }

    pub(super) fn state(&self, number: u16) -> Option<&State> {
        self.states.get(usize::from(number))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::origin::SerializedOrigin;

    fn accepts(text: &[u8]) -> bool {
        let mut state = Grammar::of_origins().state(0).unwrap();
        for &byte in text {
            let one = Bytes::one(byte);
            let next = state.next.iter().find(|(bytes, _)| !bytes.and(one).is_empty());
            let Some((_, number)) = next else { return false };
            state = Grammar::of_origins().state(*number).unwrap();
        }
        state.accepts
    }

    fn agrees(text: &[u8]) {
        let recognized = SerializedOrigin::recognize(text).is_some();
        assert_eq!(accepts(text), recognized, "{}", text.escape_ascii());
    }

    #[test]
    fn there_is_room_for_every_state() {
        for leniency in [Leniency::None, Leniency::DefaultPort, Leniency::Path] {
            let grammar = Grammar::new(leniency);
            assert!(grammar.states.len() < MOST_STATES, "{}", grammar.states.len());
            assert!(grammar.states.iter().all(|state| state.next.len() < MOST_WAYS));
        }
    }

    #[test]
    fn every_port_is_read_as_the_reader_of_origins_reads_it() {
        for scheme in ["http", "https", "wss", "ftp", "file", "app", "httpx"] {
            for port in (0..12_000).chain(64_000..67_000) {
                agrees(format!("{scheme}://a:{port}").as_bytes());
            }
            for port in ["", "01", "080", "99999", "100000", "655350"] {
                agrees(format!("{scheme}://a:{port}").as_bytes());
            }
        }
    }

    #[test]
    fn every_short_text_is_read_as_the_reader_of_origins_reads_it() {
        let bytes = b"ah1.-_:/[]+A@";
        let mut ends = vec![Vec::new()];
        for _ in 0..4 {
            let longer = |end: &Vec<u8>| bytes.map(|byte| [end.as_slice(), &[byte]].concat());
            ends = ends.iter().flat_map(longer).chain([Vec::new()]).collect();
            for end in &ends {
                for start in [
                    "",
                    "http",
                    "https://",
                    "a://",
                    "https://a",
                    "https://[::1",
                    "x:/",
                    "file:/",
                    "file:",
                    "fil",
                ] {
                    agrees(&[start.as_bytes(), end].concat());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn what_resembles_an_origin_is_read_as_the_reader_of_origins_reads_it(
            text in "(https?|wss?|ftp|file|[a-z+.0-9-]{0,6})(://|:/|:)([a-z0-9._-]{0,9}|\\[[0-9a-g:.]{0,5}\\]?)(:[0-9]{0,6})?/?",
        ) {
            agrees(text.as_bytes());
        }
    }
}
