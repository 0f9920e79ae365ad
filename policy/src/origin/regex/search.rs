//! What is looked for in the origins that an expression matches.

use super::alphabet::Bytes;
use super::grammar::{Part, Scheme};
use super::graph::{Budget, Exhausted, Graph, Search};
use super::names::{BackwardTrie, Names, END};

/// The byte to the right of the place in a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Right {
    /// The end of a label.
    Boundary,
    Hyphen,
    Other,
}

/// What is read of an origin, from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Read {
    /// A host that is the end of a name, or nothing yet.
    Name(u32, Right),
    /// Its last dot, behind which a host means the same as without it.
    LastDot,
    /// A host under a domain that is named.
    Within(Right),
    /// A host that is not.
    Without(Right),
    /// A stranger's host and the slashes.
    Stranger,
    /// The host of a name, and the scheme from this place on.
    Scheme(u32),
}

/// Looks for an origin that is outside all that an expression names: outside its domains, or with a scheme that neither
/// is the web's nor spelled out.
#[derive(Clone, Copy)]
pub(super) struct Strangers<'n> {
    pub hosts: &'n BackwardTrie,
    pub schemes: &'n BackwardTrie,
    /// Only those with this scheme.
    pub only: Option<Scheme>,
    /// Only those whose host could be registered as it is: no empty label, no underscore, no hyphen beside a dot.
    pub registrable: bool,
    /// The hosts of schemes that are not the web's have to be named, too.
    pub of_apps: bool,
}

impl<'n> Strangers<'n> {
    pub(super) fn of(names: &'n Names) -> Self {
        Self {
            hosts: &names.hosts,
            schemes: &names.schemes,
            only: None,
            registrable: false,
            of_apps: false,
        }
    }

    /// Looks for an origin whose scheme is not the web's, and whose host is not spelled out.
    pub(super) fn of_apps(names: &'n Names) -> Self {
        Self {
            hosts: &names.app_hosts,
            only: Some(Scheme::Other),
            of_apps: true,
            ..Self::of(names)
        }
    }

    /// What stands right of the place after `byte`; nothing where that is not looked for.
    fn right_after(&self, byte: u8, right: Right) -> Option<Right> {
        if !self.registrable {
            return Some(Right::Other);
        }
        match (byte, right) {
            (b'.', Right::Other) => Some(Right::Boundary),
            (b'-', Right::Other | Right::Hyphen) => Some(Right::Hyphen),
            (b'.' | b'-' | b'_', _) => None,
            _ => Some(Right::Other),
        }
    }

    fn host_byte(&self, read: Read, scheme: Scheme, byte: u8) -> Option<Read> {
        let is_app = scheme == Scheme::Other && !self.of_apps;
        match read {
            Read::Name(END, _) | Read::LastDot if is_app => self.right_after(byte, Right::Boundary).map(Read::Within),
            Read::Name(END, _) if byte == b'.' && !self.of_apps => (!self.registrable).then_some(Read::LastDot),
            Read::LastDot => self.name_byte(END, Right::Other, byte),
            Read::Name(number, right) => self.name_byte(number, right, byte),
            Read::Within(right) => self.right_after(byte, right).map(Read::Within),
            Read::Without(right) => self.right_after(byte, right).map(Read::Without),
            Read::Stranger | Read::Scheme(_) => None,
        }
    }

    fn name_byte(&self, number: u32, right: Right, byte: u8) -> Option<Read> {
        let right = self.right_after(byte, right)?;
        Some(match self.hosts.before(number, byte) {
            _ if byte == b'.' && self.hosts.is_domain(number) => Read::Within(right),
            Some(number) => Read::Name(number, right),
            None => Read::Without(right),
        })
    }

    /// What becomes of the host once all of it is read.
    fn host_start(&self, read: Read, scheme: Scheme) -> Option<Read> {
        let is_app = scheme == Scheme::Other && !self.of_apps;
        let is_within = match read {
            Read::Name(number, _) => self.hosts.is_text(number),
            Read::LastDot => self.hosts.is_text(END),
            Read::Within(_) => true,
            _ => false,
        };
        let is_label_start = match read {
            Read::Name(_, right) | Read::Within(right) | Read::Without(right) => right == Right::Other,
            _ => false,
        };
        if self.registrable && !is_label_start {
            return None;
        }
        match (is_within, is_app) {
            (false, _) => Some(Read::Stranger),
            (true, true) => Some(Read::Scheme(END)),
            (true, false) => None,
        }
    }
}

impl Search for Strangers<'_> {
    type State = Read;

    fn at_end(&self) -> Read {
        Read::Name(END, Right::Boundary)
    }

    fn before(&self, read: Read, part: Part, bytes: Bytes, found: &mut dyn FnMut(Read, u8)) {
        let mut each = |after: &dyn Fn(u8) -> Option<Read>| {
            // Bytes that lead to the same are tried once; the most natural comes first.
            let mut last = None;
            for byte in bytes.iter() {
                let after = after(byte);
                if after != last {
                    if let Some(after) = after {
                        found(after, byte);
                    }
                    last = after;
                }
            }
        };
        match (part, read) {
            (Part::Scheme(_), Read::Scheme(number)) => each(&|byte| {
                let before = self.schemes.before(number, byte);
                Some(before.map_or(Read::Stranger, Read::Scheme))
            }),
            // An origin without a host is a stranger unless its scheme is spelled out.
            (Part::HostStart(Scheme::File), _) => each(&|_| (!self.of_apps).then_some(Read::Scheme(END))),
            (Part::HostStart(scheme), _) => each(&|_| self.host_start(read, scheme)),
            (Part::Host(scheme) | Part::Bracket(scheme, _) | Part::Bracketed(scheme), _) => {
                each(&|byte| self.host_byte(read, scheme, byte));
            }
            _ => each(&|_| Some(read)),
        }
    }

    fn wants(&self, read: Read) -> bool {
        match read {
            Read::Stranger => true,
            Read::Scheme(number) => !self.schemes.is_text(number),
            _ => false,
        }
    }

    fn goes_through(&self, part: Part) -> bool {
        self.only.is_none() || part.scheme().is_none() || part.scheme() == self.only
    }
}

/// Looks for any origin.
pub(super) struct Anything;

impl Search for Anything {
    type State = ();

    fn at_end(&self) {}

    fn before(&self, (): (), _: Part, bytes: Bytes, found: &mut dyn FnMut((), u8)) {
        if let Some(byte) = bytes.iter().next() {
            found((), byte);
        }
    }

    fn wants(&self, (): ()) -> bool {
        true
    }
}

/// Looks for an origin in the clear, as [`is_insecure`](crate::origin::is_insecure) says of a whole one.
pub(super) struct Insecure {
    loopback: BackwardTrie,
}

/// What is read of a host that may be loopback, from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Loopback {
    /// `localhost` or `[::1]`, from this place on.
    Name(u32),
    /// The dot behind it.
    LastDot,
    /// The address 127.x.y.z: how many dots, and how many digits of 127; of the other numbers, whether there are any.
    Address(usize, usize),
    /// Under `localhost`.
    Within,
    /// None of them.
    No,
    /// An origin that travels.
    Travels,
}

impl Insecure {
    pub(super) fn new() -> Self {
        let mut loopback = BackwardTrie::default();
        loopback.insert(b"localhost", true);
        loopback.insert(b"[::1]", false);
        Self { loopback }
    }

    fn host_byte(&self, read: Loopback, byte: u8) -> Loopback {
        let name = |number| match self.loopback.before(number, byte) {
            _ if byte == b'.' && self.loopback.is_domain(number) => Loopback::Within,
            Some(number) => Loopback::Name(number),
            None => Loopback::No,
        };
        match (read, byte) {
            (Loopback::Name(END), b'.') => Loopback::LastDot,
            (Loopback::Name(END), b'0'..=b'9') => Loopback::Address(0, 1),
            (Loopback::Name(number), _) => name(number),
            (Loopback::LastDot, _) => name(END),
            (Loopback::Address(dots @ 0..=2, 1..), b'.') => Loopback::Address(dots + 1, 0),
            // Browsers send no number above 255: more digits are none either.
            (Loopback::Address(dots @ 0..=2, _), b'0'..=b'9') => Loopback::Address(dots, 1),
            // The first number is 127.
            (Loopback::Address(3, digits), _) if b"721".get(digits) == Some(&byte) => Loopback::Address(3, digits + 1),
            (Loopback::Within, _) => Loopback::Within,
            _ => Loopback::No,
        }
    }
}

impl Search for Insecure {
    type State = Loopback;

    fn at_end(&self) -> Loopback {
        Loopback::Name(END)
    }

    fn before(&self, read: Loopback, part: Part, bytes: Bytes, found: &mut dyn FnMut(Loopback, u8)) {
        match part {
            Part::HostStart(_) => {
                let is_loopback = match read {
                    Loopback::Name(number) => self.loopback.is_text(number),
                    Loopback::Address(dots, digits) => dots == 3 && digits == 3,
                    Loopback::Within => true,
                    _ => false,
                };
                if !is_loopback {
                    found(Loopback::Travels, b'/');
                }
            }
            _ => {
                for byte in bytes.iter() {
                    let before = match part.is_host() {
                        true => self.host_byte(read, byte),
                        false => read,
                    };
                    found(before, byte);
                }
            }
        }
    }

    fn wants(&self, read: Loopback) -> bool {
        read == Loopback::Travels
    }

    fn goes_through(&self, part: Part) -> bool {
        part.scheme().is_none_or(|scheme| scheme == Scheme::Http)
    }
}

impl Strangers<'_> {
    /// The shortest origin that is looked for: one that could be registered, if there is one, of the web if there is one.
    pub(super) fn shortest(&self, graph: &Graph, budget: &mut Budget) -> Result<Option<String>, Exhausted> {
        let Some(shortest) = graph.shortest(self, budget)? else {
            return Ok(None);
        };
        let registrable = Self {
            registrable: true,
            ..*self
        };
        let secure = Self {
            only: self.only.or(Some(Scheme::Https)),
            ..registrable
        };
        for search in [secure, registrable] {
            if let Some(origin) = graph.shortest(&search, budget)? {
                return Ok(Some(origin));
            }
        }
        Ok(Some(shortest))
    }
}
