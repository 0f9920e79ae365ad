//! One configuration, as somebody has written it.

use fastrand::Rng;

use super::kinds::{Form, Kind, Subject};

/// The origin that is allowed where a configuration is about something else.
pub const KNOWN: &str = "https://known.example";

/// What the author of an entry meant.
pub enum Meant {
    /// One of these origins may read responses.
    Origin(Vec<String>),
    /// One of these origins may do so with credentials.
    Credentials(Vec<String>),
    /// Scripts may use this method, which is written as browsers send it.
    Method(String),
    /// Scripts may set this header.
    Header(String),
    /// Scripts may read this header.
    Exposed(String),
    /// Browsers keep the answer to a preflight for so many seconds; nothing is said of it where there are none.
    Age(Option<u64>),
}

/// A configuration, and what each of its entries was meant to do.
pub struct Written {
    pub kind: &'static Kind,
    pub entries: Vec<Meant>,
    http: String,
    server: String,
    location: String,
    has_credentials: bool,
}

/// Hosts that people might have, each with a number that no other configuration has.
const HOSTS: [&str; 6] = [
    "app{n}.example.com",
    "shop{n}.example",
    "my-site{n}.co.uk",
    "www.team{n}.example.org",
    "x{n}.internal",
    "a{n}.b.c.example.net",
];

impl Written {
    /// One of this kind.
    pub fn random(kind: &'static Kind, number: usize, random: &mut Rng) -> Self {
        let form = random.choice(kind.forms).expect("a form");
        let host = random
            .choice(&HOSTS)
            .expect("a host")
            .replace("{n}", &number.to_string());
        let names = Names { host, number };
        let mut written = Self {
            kind,
            entries: form
                .meant
                .iter()
                .map(|meant| kind.subject.meant(&names.fill(meant)))
                .collect(),
            http: names.fill(form.http),
            server: String::new(),
            location: String::new(),
            has_credentials: false,
        };
        let lines = names.fill(&lines(kind, form, random));
        let is_in_server = random.u8(0..100) < 30;
        let policy = written.policy(kind, &lines, random);
        if is_in_server {
            written.server = policy;
        } else {
            written.location = policy;
        }
        written
    }

    fn policy(&mut self, kind: &Kind, lines: &str, random: &mut Rng) -> String {
        let mut policy = vec!["cors on;".to_owned()];
        if kind.subject.needs_known_origin() {
            policy.push(format!("cors_allow_origin {KNOWN};"));
        } else if kind.subject == Subject::Origin && random.u8(0..100) < 20 {
            self.has_credentials = true;
            policy.push("cors_allow_credentials on;".to_owned());
        }
        policy.push(lines.to_owned());
        if random.u8(0..100) < 10 {
            policy.push("cors_preflight early;".to_owned());
        }
        // People write the directives in any order.
        random.shuffle(&mut policy);
        policy.join("\n    ")
    }

    /// What stands inside `http`.
    pub fn text(&self) -> String {
        format!(
            "{}\nserver {{ {{server}}\n    {}\n    location / {{\n    {}\n    }}\n}}\n",
            self.http, self.server, self.location
        )
    }

    /// Nothing is wrong with it: it is to be served, without a word.
    pub fn is_sound(&self) -> bool {
        self.kind.is_sound && !self.has_credentials
    }

    /// Its entries with variables.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let words = [&self.server, &self.location]
            .into_iter()
            .flat_map(|text| text.split(|c: char| c.is_whitespace() || c == ';'));
        words
            .map(|word| word.trim_matches(['"', '\'']))
            .filter(|word| word.contains('$') && !word.starts_with('~'))
    }
}

/// The line of the directive, maybe beside an entry that is as it should be.
fn lines(kind: &Kind, form: &Form, random: &mut Rng) -> String {
    let directive = kind.subject.directive();
    let mut values = form.values.to_owned();
    let is_word = !values.contains([' ', '"', '\'', ';', '\\']);
    match random.u8(0..10) {
        0 | 1 if is_word => values = format!("\"{values}\""),
        2 if is_word => values = format!("'{values}'"),
        _ => (),
    }
    let Some(beside) = kind.subject.sound_entry() else {
        return format!("{directive} {values};");
    };
    match random.u8(0..10) {
        0 => format!("{directive} {beside} {values};"),
        1 => format!("{directive} {values} {beside};"),
        2 => format!("{directive} {beside};\n    {directive} {values};"),
        _ => format!("{directive} {values};"),
    }
}

/// The names that take the places in a form.
struct Names {
    host: String,
    number: usize,
}

impl Names {
    fn fill(&self, text: &str) -> String {
        let Self { host, number } = self;
        let other = format!("other{number}.example");
        let escaped = |host: &str| host.replace('.', "\\.");
        text.replace("{h}", host)
            .replace("{H}", &host.to_ascii_uppercase())
            .replace("{g}", &other)
            .replace("{r}", &escaped(host))
            .replace("{R}", &escaped(&host.to_ascii_uppercase()))
            .replace("{q}", &escaped(&other))
            .replace("{v}", &format!("$o{number}"))
            .replace("{n}", &number.to_string())
    }
}
