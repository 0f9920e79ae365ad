//! A random server: locations that lead to each other in every way that nginx has, with and without policies.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use fastrand::Rng;

pub const ONE: &str = "https://one.example";
pub const OTHER: &str = "https://other.example";

/// What `X-Location` says of responses that come from outside of the locations.
pub const OUTSIDE: &str = "outside";

/// Where requests go.
pub const PATHS: [&str; 14] = [
    "/a/",
    "/a/hello.txt",
    "/a/missing",
    "/a/hello.txt?x=1",
    "/a/deep/x.txt",
    "/b/",
    "/b/hello.txt",
    "/exact",
    "/files/hello.txt",
    "/application/x",
    "/closed/hello.txt",
    "/errors/404.html",
    "/dir",
    "/missing?x=1",
];

/// Where locations lead.
const TARGETS: [&str; 8] = [
    "/a/hello.txt",
    "/a/deep/x.txt",
    "/b/hello.txt",
    "/exact",
    "/application/y",
    "/errors/404.html",
    "/files/hello.txt",
    "/closed/hello.txt",
];

const NAMED: [&str; 2] = ["@named", "@other"];

/// A location: its name in headers, what says how it matches, its name in messages, and how many servers have it, in percent.
const LOCATIONS: [(&str, &str, &str, u8); 9] = [
    ("a", "", "/a/", 90),
    ("b", "", "/b/", 80),
    ("exact", "= ", "/exact", 60),
    ("txt", "~ ", "\\.txt$", 25),
    ("files", "^~ ", "/files/", 40),
    ("application", "", "/application/", 50),
    ("closed", "", "/closed/", 50),
    ("errors", "", "/errors/", 50),
    ("deep", "", "/a/deep/", 0),
];

/// A server, as its configuration has it.
#[derive(Default)]
pub struct Server {
    body: String,
    /// What it is made of, by the names that the table shows.
    pub features: BTreeSet<&'static str>,
    /// Locations that say `cors off`.
    off: BTreeSet<&'static str>,
    /// Locations with a policy in force, and the server itself.
    on: BTreeSet<&'static str>,
    /// Locations that do something else with some methods.
    by_method: BTreeSet<&'static str>,
    /// The server answers preflights before it chooses a location.
    pub answers_early: bool,
}

/// The directives of one block, while it is being written.
struct Block<'b> {
    server: &'b mut Server,
    random: &'b mut Rng,
    name: &'static str,
    has_try_files: bool,
    has_break: bool,
}

impl Server {
    pub fn random(random: &mut Rng) -> Self {
        let mut server = Self::default();
        server.write_outside(random);
        for (name, modifier, path, share) in LOCATIONS {
            if chance(random, share) {
                server.write_location(name, &format!("{modifier}{path}"), OUTSIDE, random);
            }
        }
        for name in NAMED {
            server.write_location(name, name, OUTSIDE, random);
        }
        server
    }

    /// What stands inside `http`.
    pub fn text(&self) -> String {
        format!("server {{ {{server}}\nroot html;\n{}}}\n", self.body)
    }

    /// Whether this location says `cors off`.
    pub fn is_off(&self, location: &str) -> bool {
        self.off.contains(location)
    }

    /// Whether what this location does depends on the method, apart from policies.
    pub fn looks_at_method(&self, location: &str) -> bool {
        self.by_method.contains(location)
    }

    /// Whether a policy is in force in this location.
    pub fn is_on(&self, location: &str) -> bool {
        self.on.contains(location)
    }

    fn write_outside(&mut self, random: &mut Rng) {
        let mut block = Block::new(self, random, OUTSIDE);
        block.line("uninitialized_variable_warn off");
        block.line(&format!(
            "add_header X-Location {OUTSIDE} always; add_header X-Way $way always"
        ));
        if block.chance(50) {
            block.policy();
        }
        if block.chance(10) {
            let target = block.target();
            block.feature("rewrite of the server", &format!("rewrite ^/b/hello {target} last"));
        }
        if block.chance(10) {
            let target = block.target();
            block.feature("rewrite of the server", &format!("rewrite ^/dir$ {target} last"));
        }
        if block.chance(8) {
            block.by_method(
                "if of the server by method",
                "if ($request_method = OPTIONS) { return 204; }",
            );
        }
        if block.chance(8) {
            block.feature("return of the server", "if ($arg_x) { return 301 /a/; }");
        }
        if block.chance(15) {
            block.error_page();
        }
        if block.chance(10) {
            block.feature(
                "satisfy any",
                "satisfy any; deny all; auth_basic closed; auth_basic_user_file htpasswd",
            );
        }
    }

    fn write_location(&mut self, name: &'static str, written: &str, outer: &str, random: &mut Rng) {
        writeln!(self.body, "location {written} {{").expect("a string");
        if self.on.contains(outer) {
            self.on.insert(name);
        }
        let mut block = Block::new(self, random, name);
        block.line(&format!(
            "add_header X-Location {name} always; add_header X-Way $way always; set $way \"$way {name}\""
        ));
        if block.chance(60) {
            block.policy();
        }
        for _ in 0..block.random.usize(0..3) {
            block.content();
        }
        match name {
            "application" => block.feature("proxy_pass", "proxy_pass http://127.0.0.1:{port:application}"),
            "closed" if block.chance(50) => block.closed(),
            "@named" | "@other" => match block.random.u8(0..3) {
                0 => block.feature("proxy_pass", "proxy_pass http://127.0.0.1:{port:application}"),
                1 => block.feature("return", "return 200 named"),
                _ => (),
            },
            // nginx takes no `alias` beside a `rewrite` that stays in the location.
            "files" if !block.has_try_files && !block.has_break => block.feature("alias", "alias html/files/"),
            _ => (),
        }
        if name == "a" && random.bool() {
            self.features.insert("nested location");
            self.write_location("deep", "/a/deep/", name, random);
        }
        self.body.push_str("}\n");
    }
}

/// The location in which this one is nested.
pub fn around(location: &str) -> Option<&'static str> {
    (location == "deep").then_some("a")
}

/// How messages name this location.
pub fn shown(location: &str) -> &str {
    let known = LOCATIONS.iter().find(|(name, ..)| *name == location);
    known.map_or(location, |(_, _, path, _)| path)
}

impl<'b> Block<'b> {
    fn new(server: &'b mut Server, random: &'b mut Rng, name: &'static str) -> Self {
        Self {
            server,
            random,
            name,
            has_try_files: false,
            has_break: false,
        }
    }

    fn chance(&mut self, percent: u8) -> bool {
        chance(self.random, percent)
    }

    fn line(&mut self, line: &str) {
        let end = if line.ends_with("; }") { "" } else { ";" };
        writeln!(self.server.body, "    {line}{end}").expect("a string");
    }

    fn feature(&mut self, feature: &'static str, line: &str) {
        self.server.features.insert(feature);
        self.line(line);
    }

    /// Adds what depends on the method.
    fn by_method(&mut self, feature: &'static str, line: &str) {
        self.server.by_method.insert(self.name);
        self.feature(feature, line);
    }

    fn target(&mut self) -> &'static str {
        self.random.choice(&TARGETS).expect("a target")
    }

    fn named(&mut self) -> &'static str {
        self.random.choice(&NAMED).expect("a name")
    }

    fn policy(&mut self) {
        if self.chance(15) {
            if self.name != OUTSIDE {
                self.server.off.insert(self.name);
            }
            self.server.on.remove(self.name);
            return self.feature("off", "cors off");
        }
        // An inner block may say only how its policy differs from that of the outer one.
        if self.chance(85) {
            self.server.on.insert(self.name);
            self.line("cors on");
        }
        if self.chance(90) {
            let origins = [
                ONE,
                OTHER,
                "https://one.example https://other.example",
                "*",
                "~https://one\\.example",
            ];
            let origins = *self.random.choice(&origins).expect("a list");
            self.line(&format!("cors_allow_origin {origins}"));
        }
        self.line("cors_allow_methods GET POST PUT DELETE");
        self.line("cors_allow_headers X-Asked");
        match self.random.u8(0..10) {
            0..=5 => (),
            6 => self.feature("answer", "cors_preflight answer"),
            7 if self.name == OUTSIDE => {
                self.server.answers_early = self.server.is_on(OUTSIDE);
                self.feature("early in the server", "cors_preflight early");
            }
            7 => self.feature("early in a location", "cors_preflight early"),
            _ => self.feature("pass", "cors_preflight pass"),
        }
        if self.chance(15) {
            self.feature("enforce", "cors_enforce on");
        }
        if self.chance(5) {
            self.feature("dry run", "cors_dry_run on");
        }
        if self.chance(10) {
            self.feature("override off", "cors_override off");
        }
    }

    fn error_page(&mut self) {
        let (target, name) = (self.target(), self.named());
        match self.random.u8(0..6) {
            0 => self.feature("error_page with a URI", &format!("error_page 404 {target}")),
            1 => self.feature("error_page with a URI", &format!("error_page 405 =200 {target}")),
            2 => self.feature("error_page with a name", &format!("error_page 403 404 = {name}")),
            3 => self.feature("error_page with a name", &format!("error_page 401 405 = {name}")),
            4 => self.feature("error_page with a code", &format!("error_page 404 =410 {name}")),
            _ => self.feature(
                "error_page with a redirect",
                "error_page 404 https://www.example.com/sorry",
            ),
        }
    }

    fn closed(&mut self) {
        const PASSWORD: &str = "auth_basic closed; auth_basic_user_file htpasswd";
        match self.random.u8(0..5) {
            0 => self.feature("satisfy any", &format!("satisfy any; deny all; {PASSWORD}")),
            1 => self.feature("auth_basic", PASSWORD),
            2 => self.feature("internal", "internal"),
            3 => self.by_method("limit_except", "limit_except GET { deny all; }"),
            _ => self.feature("deny", "deny all"),
        }
    }

    fn content(&mut self) {
        let (target, name) = (self.target(), self.named());
        match self.random.u8(0..22) {
            0 | 1 => self.feature("rewrite last", &format!("rewrite ^ {target} last")),
            2 => self.feature(
                "rewrite last",
                &format!("rewrite ^(.*)/missing$ $1/hello.txt last; rewrite x$ {target} last"),
            ),
            3 => {
                self.has_break = true;
                self.feature("rewrite break", &format!("rewrite ^ {target} break"));
            }
            4 | 5 => self.try_files(&format!("try_files $uri {name}")),
            6 => self.try_files(&format!("try_files $uri {target}")),
            7 => self.try_files("try_files $uri $uri/ =404"),
            8..=11 => self.error_page(),
            12 => self.feature(
                "if with rewrite",
                &format!("if (!-e $request_filename) {{ rewrite ^ {target} last; }}"),
            ),
            13 => self.feature("if with return", "if ($arg_x) { return 418; }"),
            14 => self.by_method(
                "if by method with return",
                "if ($request_method = OPTIONS) { return 204; }",
            ),
            15 => self.by_method(
                "if by method with return",
                "if ($request_method = POST) { return 418; }",
            ),
            16 => self.feature(
                "if with a policy",
                "if ($arg_x) { cors_allow_origin https://other.example; }",
            ),
            17 => self.feature("return", "return 200 text"),
            18 => self.feature("return", "return 404"),
            19 => self.feature("return with a redirect", &format!("return 301 {target}")),
            20 => self.feature("index", "index index.html"),
            _ => self.closed(),
        }
    }

    fn try_files(&mut self, line: &str) {
        if !std::mem::replace(&mut self.has_try_files, true) {
            self.feature("try_files", line);
        }
    }
}

fn chance(random: &mut Rng, percent: u8) -> bool {
    random.u8(0..100) < percent
}
