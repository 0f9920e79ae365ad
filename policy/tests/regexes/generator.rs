//! Regular expressions as people and attackers write them, by the number of a seed.

use std::fmt::Write;

/// Random numbers that are the same for the same seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn choose<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// An expression.
#[derive(Clone, Debug)]
pub enum Part {
    Text(String),
    /// A class: how it is written, and which characters it stands for.
    Class(&'static str, Vec<char>),
    /// So often, at most so often if there is a limit, and how that is written.
    Repeated(Box<Part>, usize, Option<usize>, &'static str),
    Optional(Box<Part>),
    Choice(Vec<Part>),
    Sequence(Vec<Part>),
    /// A look-around.
    Look(&'static str),
}

/// What may stand in an origin, and two characters that may not.
pub const CHARACTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789-._:/[]+A@";

const CLASSES: [&str; 14] = [
    ".",
    r"\w",
    r"\d",
    r"\S",
    "[a-z]",
    "[a-z0-9-]",
    "[^.]",
    "[^/]",
    "[a-z.]",
    "[12]",
    "[ab]",
    "[^a-z]",
    "[.]",
    "[a-d]",
];

const LOOKS: [&str; 8] = [r"\b", r"\b", r"\B", "^", "$", r"\A", r"\z", r"\b{start}"];

fn class(written: &'static str) -> Part {
    let holds = |c: char| match written {
        "." | r"\S" => true,
        r"\w" => c.is_ascii_alphanumeric() || c == '_',
        r"\d" => c.is_ascii_digit(),
        "[a-z]" => c.is_ascii_lowercase(),
        "[a-z0-9-]" => c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
        "[^.]" => c != '.',
        "[^/]" => c != '/',
        "[a-z.]" => c.is_ascii_lowercase() || c == '.',
        "[12]" => matches!(c, '1' | '2'),
        "[ab]" => matches!(c, 'a' | 'b'),
        "[^a-z]" => !c.is_ascii_lowercase(),
        "[.]" => c == '.',
        "[a-d]" => matches!(c, 'a'..='d'),
        _ => unreachable!("{written}"),
    };
    Part::Class(written, CHARACTERS.chars().filter(|c| holds(*c)).collect())
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn sequence<const N: usize>(parts: [Part; N]) -> Part {
    Part::Sequence(parts.into())
}

fn optional(part: Part) -> Part {
    Part::Optional(Box::new(part))
}

fn many(part: Part) -> Part {
    Part::Repeated(Box::new(part), 0, None, "*")
}

fn some(part: Part) -> Part {
    Part::Repeated(Box::new(part), 1, None, "+")
}

/// An expression for origins, with the mistakes that people make now and then.
pub fn expression(random: &mut Random) -> Part {
    let mut whole = origin(random);
    for _ in 0..random.choose(&[0, 0, 0, 1, 1, 2, 3]) {
        mutate(&mut whole, random);
    }
    match random.below(12) {
        0 => Part::Choice(vec![whole, origin(random)]),
        1 | 2 => sequence([Part::Look("^"), whole, Part::Look("$")]),
        3 => sequence([
            Part::Look("^"),
            Part::Choice(vec![whole, origin(random)]),
            Part::Look("$"),
        ]),
        _ => whole,
    }
}

fn origin(random: &mut Random) -> Part {
    let scheme = match random.below(16) {
        0 => text("http"),
        1 => Part::Choice(vec![text("https"), text("http")]),
        2 => some(class("[a-z]")),
        3 => many(class(".")),
        4 => text("capacitor"),
        5 | 6 => sequence([text("http"), optional(text("s"))]),
        _ => text("https"),
    };
    let below = match random.below(18) {
        0 => optional(sequence([some(class(".")), text(".")])),
        1 => many(class(".")),
        2 => sequence([some(class("[a-z0-9-]")), text(".")]),
        3 => optional(text("www.")),
        4 => optional(sequence([text("www"), class(".")])),
        5 => sequence([some(class(r"\w")), text(".")]),
        6 => sequence([many(class(".")), Part::Look(r"\b")]),
        7 => many(sequence([some(class("[a-z]")), text(".")])),
        8 => sequence([some(class("[^.]")), text(".")]),
        9 => sequence([some(class(r"\S")), Part::Look(r"\b")]),
        10 => sequence([text("pr-"), some(class(r"\d")), text("--")]),
        11 => many(class("[a-z.]")),
        12 => sequence([Part::Choice(vec![text("a"), text("bb")]), text(".")]),
        _ => text(""),
    };
    let label = match random.below(10) {
        0 => Part::Choice(vec![text("example"), text("ab")]),
        1 => sequence([text("example"), class(CLASSES[random.below(CLASSES.len())])]),
        2 => sequence([class(CLASSES[random.below(CLASSES.len())]), text("example")]),
        3 => some(class("[a-z]")),
        4 => Part::Choice(vec![text("aexample"), sequence([class("[a-z]"), text("example")])]),
        5 => text("x-y"),
        _ => text("example"),
    };
    let dot = if random.once_in(8) { class(".") } else { text(".") };
    let above = match random.below(16) {
        0 => Part::Choice(vec![text("com"), text("org")]),
        1 => text("co.uk"),
        2 => text("github.io"),
        3 => text("netlify.app"),
        4 => text("amazonaws.com"),
        5 => text("s3.amazonaws.com"),
        6 => text("localhost"),
        7 => text("internal"),
        8 => text("ck"),
        9 => some(class("[a-z.]")),
        _ => text("com"),
    };
    let end = match random.below(20) {
        0 => many(class(".")),
        1 => optional(sequence([text("."), many(class("."))])),
        2 | 3 => optional(sequence([text(":"), some(class(r"\d"))])),
        4 => sequence([text(":"), Part::Repeated(Box::new(class(r"\d")), 2, Some(5), "{2,5}")]),
        5 => optional(text("/")),
        6 => text("/"),
        7 => optional(text(".")),
        8 => optional(text(".au")),
        9 => sequence([text(":"), Part::Choice(vec![text("80"), text("443"), text("8443")])]),
        10 => sequence([Part::Look(r"\b"), many(class("."))]),
        11 => text(":443"),
        _ => text(""),
    };
    let host = match random.below(24) {
        0 => {
            let number = || some(class(r"\d"));
            sequence([number(), text("."), number(), text("."), number(), text("."), number()])
        }
        1 => text("127.0.0.1"),
        2 => sequence([text("10.0.0."), class(r"\d")]),
        3 => sequence([below, text("www.ck")]),
        _ => sequence([below, label, dot, above]),
    };
    sequence([scheme, text("://"), host, end])
}

/// Changes one part somewhere.
fn mutate(part: &mut Part, random: &mut Random) {
    match part {
        Part::Sequence(parts) if !parts.is_empty() && !random.once_in(6) => {
            let number = random.below(parts.len());
            mutate(&mut parts[number], random);
        }
        Part::Choice(parts) if !random.once_in(4) => {
            let number = random.below(parts.len());
            mutate(&mut parts[number], random);
        }
        Part::Text(whole) if whole.len() > 1 && !random.once_in(4) => {
            let (before, after) = whole.split_at(random.below(whole.len()));
            let (one, after) = after.split_at(1);
            let mut middle = text(one);
            mutate(&mut middle, random);
            *part = sequence([text(before), middle, text(after)]);
        }
        _ => {
            let old = part.clone();
            *part = match random.below(13) {
                0 => optional(old),
                1 => many(old),
                2 => some(old),
                3 => Part::Repeated(Box::new(old), 2, Some(2), "{2}"),
                4 => Part::Repeated(Box::new(old), 1, Some(3), "{1,3}"),
                5 => Part::Choice(vec![old, text(random.choose(&["a", "evil", "", ".com"]))]),
                6 => sequence([Part::Look(random.choose(&LOOKS)), old]),
                7 => sequence([old, Part::Look(random.choose(&LOOKS))]),
                8 => sequence([old, class(random.choose(&CLASSES))]),
                9 => sequence([many(class(random.choose(&CLASSES))), old]),
                10 => text(""),
                _ => class(random.choose(&CLASSES)),
            };
        }
    }
}

/// How flags change what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flags {
    None,
    /// `(?i)`, and some letters in upper case.
    AnyCase,
    /// `(?x)`, and spaces that mean nothing.
    Spaced,
}

impl Part {
    /// The expression as it stands in a configuration.
    pub fn written(&self, flags: Flags, random: &mut Random) -> String {
        let mut written = String::new();
        self.write(flags, random, &mut written);
        match flags {
            Flags::None => written,
            Flags::AnyCase => format!("(?i){written}"),
            Flags::Spaced => format!("(?x){written}"),
        }
    }

    fn write(&self, flags: Flags, random: &mut Random, written: &mut String) {
        if flags == Flags::Spaced && random.once_in(3) {
            written.push(' ');
        }
        let grouped = |part: &Part, random: &mut Random, written: &mut String| {
            written.push_str(if random.once_in(3) { "(?:" } else { "(" });
            part.write(flags, random, written);
            written.push(')');
        };
        match self {
            Self::Text(text) => {
                for c in text.chars() {
                    match c {
                        '.' if random.once_in(6) => written.push_str("[.]"),
                        '.' => written.push_str(r"\."),
                        '/' if random.once_in(9) => written.push_str(r"\/"),
                        'a'..='z' if flags == Flags::AnyCase && random.once_in(4) => {
                            written.push(c.to_ascii_uppercase());
                        }
                        'a'..='z' if random.once_in(60) => write!(written, r"\x{:02x}", c as u32).unwrap(),
                        _ => written.push(c),
                    }
                }
            }
            Self::Class(class, _) => written.push_str(class),
            Self::Look(look) => written.push_str(look),
            Self::Optional(part) => {
                grouped(part, random, written);
                written.push('?');
            }
            Self::Repeated(part, _, _, how) => {
                match **part {
                    Self::Class(..) => part.write(flags, random, written),
                    _ => grouped(part, random, written),
                }
                written.push_str(how);
            }
            Self::Choice(parts) => {
                written.push('(');
                for (number, part) in parts.iter().enumerate() {
                    if number > 0 {
                        written.push('|');
                    }
                    part.write(flags, random, written);
                }
                written.push(')');
            }
            Self::Sequence(parts) => parts.iter().for_each(|part| part.write(flags, random, written)),
        }
    }

    /// A text that the expression matches, but for its look-arounds.
    pub fn sample(&self, random: &mut Random, sample: &mut String) {
        match self {
            Self::Text(text) => sample.push_str(text),
            Self::Class(_, characters) if characters.is_empty() => {}
            Self::Class(_, characters) => {
                let likely: Vec<char> = characters.iter().copied().filter(|c| "ax1-.".contains(*c)).collect();
                let from = if likely.is_empty() || random.once_in(4) {
                    characters
                } else {
                    &likely
                };
                sample.push(random.choose(from));
            }
            Self::Look(_) => {}
            Self::Optional(part) => {
                if random.once_in(2) {
                    part.sample(random, sample);
                }
            }
            Self::Repeated(part, min, max, _) => {
                let more = max.map_or(3, |max| max - min);
                for _ in 0..min + random.below(more + 1) {
                    part.sample(random, sample);
                }
            }
            Self::Choice(parts) => parts[random.below(parts.len())].sample(random, sample),
            Self::Sequence(parts) => parts.iter().for_each(|part| part.sample(random, sample)),
        }
    }
}
