//! Tells by other means than the checker whether what it says of an expression is true: by listing what the expression
//! spells out, and by trying texts.

use std::collections::BTreeSet;

use regex::bytes::Regex;

use super::generator::{Part, Random};

/// More ways to derive a text are not looked at.
const MOST_DERIVATIONS: usize = 3_000;

/// A piece of a text that an expression matches.
#[derive(Clone, Debug)]
enum Piece {
    /// This character, which is spelled out.
    Spelled(char),
    /// One of these, which is not.
    Open(Vec<char>),
    /// Some of these, in any order and number.
    Many(Vec<char>),
}

/// The schemes of the web.
const WEB: [&str; 5] = ["http", "https", "ws", "wss", "ftp"];

impl Piece {
    fn sample(&self, random: &mut Random) -> Vec<char> {
        match self {
            Self::Spelled(c) => vec![*c],
            Self::Open(characters) | Self::Many(characters) if characters.is_empty() => Vec::new(),
            Self::Open(characters) => vec![random.choose(characters)],
            Self::Many(characters) => (0..=random.below(3)).map(|_| random.choose(characters)).collect(),
        }
    }
}

/// What an expression names.
#[derive(Debug, Default)]
pub struct Named {
    domains: BTreeSet<String>,
    hosts: BTreeSet<String>,
    schemes: BTreeSet<String>,
}

/// An origin's scheme and host, if a browser could send it.
pub fn read(origin: &str) -> Option<(&str, &str)> {
    let (scheme, authority) = origin.split_once("://")?;
    let is_scheme_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    let starts_well = scheme.starts_with(|c: char| c.is_ascii_lowercase());
    if origin.len() > 512 || !starts_well || !scheme.bytes().all(is_scheme_byte) {
        return None;
    }
    if scheme == "file" {
        return authority.is_empty().then_some((scheme, authority));
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')? + 2;
            let inside = &authority[1..end - 1];
            let is_address_byte = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b':' | b'.');
            if inside.is_empty() || !inside.bytes().all(is_address_byte) {
                return None;
            }
            authority.split_at(end)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_host_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    if host.is_empty() || !(host.starts_with('[') || host.bytes().all(is_host_byte)) {
        return None;
    }
    if let Some(digits) = port.strip_prefix(':') {
        let number: u16 = digits.parse().ok()?;
        let default = match scheme {
            "http" | "ws" => 80,
            "https" | "wss" => 443,
            "ftp" => 21,
            _ => 0,
        };
        if number.to_string() != digits || number == default || number == 0 && default != 0 {
            return None;
        }
        if digits.starts_with('0') {
            return None;
        }
    } else if !port.is_empty() {
        return None;
    }
    Some((scheme, host))
}

/// Whether many people have names under `name`.
fn is_shared(name: &str) -> bool {
    let is_suffix = |name: &str| {
        let suffix = psl::suffix(name.as_bytes());
        suffix.is_some_and(|suffix| suffix.is_known() && suffix == name)
    };
    // `*.mm` is a rule, `mm` is none.
    is_suffix(name) || is_suffix(&format!("a.{name}")) || name == "amazonaws.com"
}

fn is_address(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    host.ends_with(']') || !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
}

/// The shortest end of `host` that is not shared, if it is a name.
fn domain(host: &str) -> Option<&str> {
    if is_address(host) {
        return None;
    }
    let starts = host.rmatch_indices('.').map(|(dot, _)| dot + 1).chain([0]);
    let has_labels = |name: &str| name.split('.').all(|label| !label.is_empty());
    starts
        .map(|start| &host[start..])
        .find(|name| has_labels(name) && !is_shared(name))
}

impl Named {
    /// What `part` names; nothing where there are too many ways to derive a text.
    pub fn by(part: &Part) -> Option<Self> {
        let mut named = Self::default();
        for pieces in derivations(part, true)? {
            named.extend(Self::in_derivation(&pieces));
        }
        Some(named)
    }

    /// What `part` names in origins that it really matches: not in a branch that ends with a slash, or that a
    /// look-around forbids.
    pub fn really(part: &Part, matches: impl Fn(&str) -> bool, random: &mut Random) -> Self {
        let mut named = Self::default();
        for pieces in derivations(part, true).unwrap_or_default() {
            let mut all = Self::in_derivation(&pieces);
            let mut real = Self::default();
            for _ in 0..60 {
                let text: String = pieces.iter().flat_map(|piece| piece.sample(random)).collect();
                let Some((scheme, host)) = read(&text).filter(|_| matches(&text)) else {
                    continue;
                };
                let host = host.strip_suffix('.').unwrap_or(host);
                let is_within = |name: &String| host == name || host.ends_with(&format!(".{name}"));
                let domains = std::mem::take(&mut all.domains).into_iter();
                let (found, rest): (BTreeSet<_>, BTreeSet<_>) = domains.partition(is_within);
                real.domains.extend(found);
                all.domains = rest;
                real.hosts.extend(all.hosts.take(host));
                real.schemes.extend(all.schemes.take(scheme));
            }
            named.extend(real);
        }
        named
    }

    fn extend(&mut self, other: Self) {
        self.domains.extend(other.domains);
        self.hosts.extend(other.hosts);
        self.schemes.extend(other.schemes);
    }

    /// What one way to derive a text spells out. Hosts of apps are no names.
    fn in_derivation(pieces: &[Piece]) -> Self {
        let mut named = Self::default();
        named.read_scheme(pieces);
        if named.schemes.iter().all(|scheme| WEB.contains(&scheme.as_str())) {
            for end in 0..=pieces.len() {
                if is_port(&pieces[end..]) {
                    named.read_host(&pieces[..end]);
                    // A dot behind a host changes nothing, spelled out or not.
                    if let [host @ .., Piece::Open(last) | Piece::Many(last)] = &pieces[..end] {
                        if last.contains(&'.') {
                            named.read_host(host);
                        }
                    }
                }
            }
        }
        named
    }

    fn read_scheme(&mut self, pieces: &[Piece]) {
        let mut scheme = String::new();
        for piece in pieces {
            match piece {
                Piece::Spelled(':') => {
                    self.schemes.insert(scheme);
                    return;
                }
                Piece::Spelled(c) => scheme.push(*c),
                Piece::Open(characters) | Piece::Many(characters) => {
                    if characters.contains(&':') {
                        self.schemes.insert(scheme);
                    }
                    return;
                }
            }
        }
    }

    /// Takes in the names that are spelled out at the end of a host.
    fn read_host(&mut self, pieces: &[Piece]) {
        let mut name = String::new();
        for (number, piece) in pieces.iter().enumerate().rev() {
            let Piece::Spelled(c) = piece else { return };
            let is_bracketed = name.ends_with(']') || *c == ']';
            let is_host = c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(*c);
            if !(is_host || is_bracketed && "[]:".contains(*c)) {
                return;
            }
            name.insert(0, *c);
            let host = name.strip_suffix('.').unwrap_or(&name);
            let before = &pieces[..number];
            if stands_before(before, '/') {
                self.hosts.insert(host.to_owned());
            }
            let is_whole = stands_before(before, '/') || stands_before(before, '.');
            if is_whole && domain(host) == Some(host) {
                self.domains.insert(host.to_owned());
            }
        }
    }

    /// Whether an origin is outside.
    pub fn is_stranger(&self, origin: &str) -> bool {
        let Some((scheme, host)) = read(origin) else {
            return false;
        };
        if !WEB.contains(&scheme) {
            return !self.schemes.contains(scheme);
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        let is_within = |domain: &String| host == domain || host.ends_with(&format!(".{domain}"));
        !self.hosts.contains(host) && !self.domains.iter().any(is_within)
    }

    /// The names, to make strangers of.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.domains.iter().chain(&self.hosts).map(String::as_str)
    }
}

/// Whether these can be a port with its colon, or nothing.
fn is_port(pieces: &[Piece]) -> bool {
    let can_be_digit = |piece: &Piece| match piece {
        Piece::Spelled(c) => c.is_ascii_digit(),
        Piece::Open(characters) | Piece::Many(characters) => characters.iter().any(char::is_ascii_digit),
    };
    match pieces {
        [Piece::Spelled(':'), digits @ ..] => digits.iter().all(can_be_digit),
        [Piece::Open(characters) | Piece::Many(characters), digits @ ..] => {
            characters.contains(&':') && digits.iter().all(can_be_digit)
        }
        [] => true,
        _ => false,
    }
}

/// Whether this character can be the last one of `pieces`.
fn stands_before(pieces: &[Piece], character: char) -> bool {
    match pieces {
        [.., Piece::Spelled(c)] => *c == character,
        [.., Piece::Open(characters) | Piece::Many(characters)] => characters.contains(&character),
        [] => false,
    }
}

/// The ways to derive a text.
fn derivations(part: &Part, spelled: bool) -> Option<Vec<Vec<Piece>>> {
    let all = match part {
        Part::Text(text) => {
            let piece = |c| {
                if spelled {
                    Piece::Spelled(c)
                } else {
                    Piece::Open(vec![c])
                }
            };
            vec![text.chars().map(piece).collect()]
        }
        Part::Class(_, characters) => {
            let origins: Vec<char> = characters.iter().copied().filter(|c| !"A@".contains(*c)).collect();
            if spelled && origins.len() <= 4 {
                origins.into_iter().map(|c| vec![Piece::Spelled(c)]).collect()
            } else {
                vec![vec![Piece::Open(origins)]]
            }
        }
        Part::Look(_) => vec![Vec::new()],
        Part::Optional(part) => {
            let mut all = derivations(part, spelled && is_whole_labels(part))?;
            all.push(Vec::new());
            all
        }
        Part::Repeated(part, min, max, _) if Some(*min) == *max => {
            let once = derivations(part, spelled && is_text(part))?;
            let mut all = vec![Vec::new()];
            for _ in 0..*min {
                all = joined(&all, &once)?;
            }
            all
        }
        Part::Repeated(part, min, ..) => {
            let mut characters = Vec::new();
            let mut can_be_empty = *min == 0;
            for pieces in derivations(part, false)? {
                can_be_empty |= pieces.is_empty();
                for piece in pieces {
                    match piece {
                        Piece::Spelled(c) => characters.push(c),
                        Piece::Open(more) | Piece::Many(more) => characters.extend(more),
                    }
                }
            }
            let mut all = vec![vec![Piece::Many(characters)]];
            all.extend(can_be_empty.then(Vec::new));
            all
        }
        Part::Choice(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(derivations(part, spelled)?);
            }
            all
        }
        Part::Sequence(parts) => {
            let mut all = vec![Vec::new()];
            for part in parts {
                all = joined(&all, &derivations(part, spelled)?)?;
            }
            all
        }
    };
    (all.len() <= MOST_DERIVATIONS).then_some(all)
}

fn joined(first: &[Vec<Piece>], second: &[Vec<Piece>]) -> Option<Vec<Vec<Piece>>> {
    if first.len() * second.len() > MOST_DERIVATIONS {
        return None;
    }
    let join = |start: &Vec<Piece>| {
        let start = start.clone();
        second.iter().map(move |end| [start.as_slice(), end].concat())
    };
    Some(first.iter().flat_map(join).collect())
}

/// Whether a part stands for one text.
fn is_text(part: &Part) -> bool {
    match part {
        Part::Text(_) => true,
        Part::Class(written, characters) => written.starts_with('[') && characters.len() == 1,
        Part::Sequence(parts) => parts.iter().all(is_text),
        _ => false,
    }
}

/// Whether an optional part begins or ends with a dot.
fn is_whole_labels(part: &Part) -> bool {
    match part {
        Part::Text(text) => text.starts_with('.') || text.ends_with('.'),
        Part::Class(_, characters) => characters[..] == ['.'],
        Part::Choice(parts) => parts.iter().all(is_whole_labels),
        Part::Sequence(parts) => {
            // What is written is what counts: an empty text is not.
            let is_written = |part: &&Part| !matches!(part, Part::Text(text) if text.is_empty());
            let mut written = parts.iter().filter(is_written);
            let first = written.clone().next().is_some_and(starts_with_dot);
            first || written.next_back().is_some_and(ends_with_dot)
        }
        _ => false,
    }
}

fn starts_with_dot(part: &Part) -> bool {
    match part {
        Part::Text(text) => text.starts_with('.'),
        Part::Sequence(parts) => parts
            .iter()
            .find(|part| is_something(part))
            .is_some_and(starts_with_dot),
        other => is_whole_labels(other),
    }
}

fn ends_with_dot(part: &Part) -> bool {
    match part {
        Part::Text(text) => text.ends_with('.'),
        Part::Sequence(parts) => parts.iter().rfind(|part| is_something(part)).is_some_and(ends_with_dot),
        other => is_whole_labels(other),
    }
}

fn is_something(part: &Part) -> bool {
    !matches!(part, Part::Text(text) if text.is_empty())
}

/// Origins that the expression may match: its samples, each with a few changes, and short ones made of names.
pub fn candidates(part: &Part, named: &Named, random: &mut Random) -> Vec<String> {
    const SIGNS: [&str; 12] = ["", "a", "x", "1", "-", ".", "_", "evil", "x.", ".x", "-x", "a.b."];
    let mut all = Vec::new();
    for _ in 0..40 {
        let mut sample = String::new();
        part.sample(random, &mut sample);
        if !sample.is_ascii() {
            continue;
        }
        for _ in 0..6 {
            let mut changed = sample.clone();
            for _ in 0..1 + random.below(2) {
                let place = random.below(changed.len() + 1);
                let end = (place + random.below(3)).min(changed.len());
                changed.replace_range(place..end, random.choose(&SIGNS));
            }
            all.push(changed);
        }
        all.push(sample);
    }
    let mut names: Vec<&str> = named.names().take(6).collect();
    names.extend(["example.com", "com", "x.github.io", "x"]);
    for name in names {
        for before in SIGNS {
            for after in ["", ".", "x", ".x", ".com", "-x"] {
                let scheme = random.choose(&["https", "https", "http", "x"]);
                let port = random.choose(&["", "", ":1", ":8443"]);
                all.push(format!("{scheme}://{before}{name}{after}{port}"));
            }
        }
    }
    all
}

/// The expression as the library reads it that people know.
pub fn compiled(written: &str) -> Regex {
    regex::bytes::RegexBuilder::new(&format!(r"\A(?:{written})\z"))
        .unicode(false)
        .build()
        .unwrap_or_else(|error| panic!("{written}: {error}"))
}
