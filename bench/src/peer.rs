//! The ways to do CORS that are measured, and what each is measured against.

use std::path::PathBuf;

use crate::callgrind::WarmUp;
use crate::scenario::{Headers, Manners, Origins, Scenario};
use crate::server::{Build, Program, Start};

/// What a server is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// With the policy of the scenario.
    Cors,
    /// The same, counted in a `cors_zone`.
    Counted,
    /// Without any CORS.
    None,
    /// With the shortest answer that it can give, and nothing else.
    Return204,
    /// The same, with the headers of a right answer.
    Return204WithHeaders,
}

/// Servers that share a ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    Nginx,
    Apache,
    Haproxy,
    TowerHttp,
}

impl Family {
    pub fn title(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "Apache",
            Self::Haproxy => "HAProxy",
            Self::TowerHttp => "axum",
        }
    }
}

/// How the files of a peer spell origins.
#[derive(Clone, Copy)]
enum Spelling {
    Cors,
    Map,
    Lua,
    Perl,
    Haproxy,
    Lines,
}

pub struct Peer {
    /// Its directory below `peers/`.
    pub name: &'static str,
    pub title: &'static str,
    pub family: Family,
    pub manners: Manners,
    spelling: Spelling,
}

impl PartialEq for Peer {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

const fn peer(name: &'static str, title: &'static str, family: Family, spelling: Spelling) -> Peer {
    Peer {
        name,
        title,
        family,
        manners: Manners::RIGHT,
        spelling,
    }
}

impl Peer {
    pub fn warm_up(&self, role: Role) -> WarmUp {
        match self.spelling {
            Spelling::Lua if role == Role::Cors => WarmUp::Compiled,
            _ => WarmUp::Native,
        }
    }
}

/// What `if` and `return` make of a preflight that is not allowed: another status, or other lists, would take a
/// second `map` and a second `if`.
const IN_AN_IF: Manners = Manners {
    allowed: 204,
    denied: 204,
    denied_lists: true,
};

/// This module first.
pub static PEERS: [Peer; 8] = [
    peer("cors", "this module", Family::Nginx, Spelling::Cors),
    Peer {
        manners: IN_AN_IF,
        ..peer("idiom", "map + if + add_header", Family::Nginx, Spelling::Map)
    },
    Peer {
        manners: IN_AN_IF,
        ..peer("headers-more", "headers-more", Family::Nginx, Spelling::Map)
    },
    peer("lua", "Lua", Family::Nginx, Spelling::Lua),
    peer("njs", "njs", Family::Nginx, Spelling::Map),
    peer("mod_perl", "Apache, mod_perl", Family::Apache, Spelling::Perl),
    peer("haproxy", "HAProxy", Family::Haproxy, Spelling::Haproxy),
    Peer {
        manners: Manners {
            allowed: 200,
            denied: 200,
            denied_lists: true,
        },
        ..peer("tower-http", "axum, tower-http", Family::TowerHttp, Spelling::Lines)
    },
];

pub fn find(name: &str) -> Option<&'static Peer> {
    PEERS.iter().find(|peer| peer.name == name)
}

/// This module.
pub fn ours() -> &'static Peer {
    &PEERS[0]
}

/// HAProxy has no way to include a file of directives.
const NOTHING: (&str, String) = ("{headers}", String::new());

/// What the servers need to run.
#[derive(Clone)]
pub struct Setting {
    pub build: Build,
    /// The server with tower-http.
    pub tower_http: PathBuf,
    /// The port of the application.
    pub application: u16,
}

impl Setting {
    /// The application behind `proxy_pass`.
    pub fn application(build: &Build) -> Start {
        Start {
            program: Program::Nginx(build.clone()),
            directory: "application",
            file: "nginx.conf",
            files: Vec::new(),
            fill: NOTHING,
            application: 0,
            directives: String::new(),
            wrapper: Vec::new(),
        }
    }

    /// What `peer` answers with, or what the servers of its family would without it.
    pub fn start(&self, peer: &Peer, role: Role, scenario: &Scenario) -> Start {
        let mut start = Start {
            program: Program::Nginx(self.build.clone()),
            directory: peer.name,
            file: "nginx.conf",
            files: match role {
                Role::Cors | Role::Counted => peer.spelling.files(scenario.origins),
                _ => Vec::new(),
            },
            fill: NOTHING,
            application: self.application,
            directives: String::new(),
            wrapper: Vec::new(),
        };
        let lines = scenario.header_lines();
        match peer.family {
            Family::Nginx => match (role, scenario.headers) {
                (Role::Cors | Role::Counted, Headers::Two | Headers::Echoed) => {
                    if scenario.headers == Headers::Echoed {
                        start.file = "echo.conf";
                    }
                    let zone = if role == Role::Counted {
                        "cors_zone cors:256k;\n"
                    } else {
                        ""
                    };
                    start.files.push(("zone.conf", zone.to_owned()));
                }
                (Role::Cors | Role::Counted, Headers::NoPolicy) => {
                    start.directory = "none";
                    start.directives = "load_module modules/ngx_http_cors_module.so;".to_owned();
                }
                (Role::None, _) => start.directory = "none",
                (Role::Return204, _) => start.directory = "return-204",
                (Role::Return204WithHeaders, _) => {
                    start.directory = "return-204-headers";
                    let text = lines.map(|(name, value)| format!("add_header {name} \"{value}\" always;\n"));
                    start.files.push(("headers.conf", text.collect()));
                }
            },
            Family::Apache => {
                start.program = Program::Apache;
                start.file = match role {
                    Role::Cors => "apache.conf",
                    Role::None => "none.conf",
                    _ => "return-204.conf",
                };
                let text = lines.map(|(name, value)| format!("Header always set {name} \"{value}\"\n"));
                start.files.push(("headers.conf", text.collect()));
            }
            Family::Haproxy => {
                start.program = Program::Haproxy;
                start.file = match role {
                    Role::Cors => "haproxy.cfg",
                    Role::None => "none.cfg",
                    _ => "return-204.cfg",
                };
                let text = lines.map(|(name, value)| format!("hdr {name} \"{value}\" "));
                start.fill.1 = text.collect();
            }
            Family::TowerHttp => {
                let words: &[&str] = match role {
                    Role::Cors => &["cors", "origins.txt"],
                    Role::None => &["none"],
                    _ => &["return-204", "headers.txt"],
                };
                start.program = Program::Own(self.tower_http.clone(), words);
                let text = lines.map(|(name, value)| format!("{name}: {value}\n"));
                start.files.push(("headers.txt", text.collect()));
            }
        }
        start
    }
}

impl Spelling {
    fn files(self, origins: Origins) -> Vec<(&'static str, String)> {
        let is_pattern = |origin: &String| origin.contains("*.");
        let exact = || origins.iter().filter(|origin| !is_pattern(origin));
        let patterns = || origins.iter().filter(is_pattern);
        // One or more labels.
        let regex = |pattern: String| {
            let pattern = pattern.replace('.', r"\.").replacen(r"*\.", r"(?:[a-z0-9_-]+\.)+", 1);
            format!("^{pattern}$")
        };
        let table = |entry: fn(String) -> String| exact().map(entry).collect::<String>();
        let list = |entry: fn(String) -> String| patterns().map(|pattern| entry(regex(pattern))).collect::<String>();
        match self {
            Self::Cors => {
                let lines = origins.iter().map(|origin| format!("cors_allow_origin {origin};\n"));
                vec![("origins.conf", lines.collect())]
            }
            Self::Map => {
                let lines = table(|origin| format!("{origin} $http_origin;\n"));
                let more = list(|regex| format!("\"~{regex}\" $http_origin;\n"));
                vec![("origins.conf", lines + &more)]
            }
            Self::Lua => {
                let exact = table(|origin| format!("[\"{origin}\"] = true,\n"));
                let patterns = list(|regex| format!("[[{regex}]],\n"));
                let text = format!("return {{ exact = {{\n{exact}}}, patterns = {{\n{patterns}}} }}\n");
                vec![("origins.lua", text)]
            }
            Self::Perl => {
                let exact = table(|origin| format!("'{origin}' => 1,\n"));
                let patterns = list(|regex| format!("qr{{{regex}}},\n"));
                let text = format!("{{ exact => {{\n{exact}}}, patterns => [\n{patterns}] }};\n");
                vec![("origins.pl", text)]
            }
            Self::Haproxy => {
                let lines = table(|origin| origin + "\n");
                let suffixes = patterns().map(|pattern| pattern.replacen("https://*", "", 1) + "\n");
                vec![("exact.lst", lines), ("suffixes.lst", suffixes.collect())]
            }
            Self::Lines => vec![("origins.txt", origins.iter().map(|origin| origin + "\n").collect())],
        }
    }
}
