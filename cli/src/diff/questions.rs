//! What two configurations are asked: the places that they serve, and the origins that they might tell apart.

use std::collections::BTreeSet;

use cors_policy::{ListEntry, SearchedRegex};

use super::stage::addresses_of;
use crate::nginx::Directive;
use crate::site::block::condition;
use crate::site::{example_path, AddedHeader, Block, Conditions, Kind, Pattern, Site};
use crate::written_policy::is_sent_by_scripts;

/// An origin that no configuration means.
pub const STRANGER: &str = "https://stranger.example";

/// So many origins that configurations name are asked for.
const MOST_NAMED: usize = 40;
/// Of so many, origins that look like them are asked for, too.
const MOST_FEIGNED: usize = 8;
/// So many names of headers are asked for.
const MOST_HEADERS: usize = 40;

/// A place that a configuration serves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The address on which its server listens.
    pub address: String,
    pub host: String,
    pub path: String,
    /// A path of a file that is not there.
    pub missing: Option<String>,
}

/// The places that a configuration serves, each by one request.
pub fn targets(site: &Site<'_>) -> Vec<Target> {
    let mut found = BTreeSet::new();
    for (id, block) in site.blocks.iter().enumerate() {
        if !matches!(block.kind, Kind::Server | Kind::Location) {
            continue;
        }
        let Some((server, opened)) = site.server_of(id) else {
            continue;
        };
        let Some((path, missing)) = paths(block) else {
            continue;
        };
        let host = site.server_name(server).unwrap_or("localhost").trim_start_matches('.');
        for address in addresses_of(opened.directives).into_iter().take(1) {
            found.insert(Target {
                address,
                host: host.to_owned(),
                path: path.clone(),
                missing: missing.clone(),
            });
        }
    }
    found.into_iter().collect()
}

/// A path that leads to a block, and one of a file that is not there.
fn paths(block: &Block<'_>) -> Option<(String, Option<String>)> {
    let below = |path: &str| format!("{path}no-such-file");
    Some(match block.location() {
        _ if block.kind == Kind::Server => ("/".to_owned(), Some(below("/"))),
        Some(("" | "^~", path)) if path.starts_with('/') => (path.to_owned(), Some(below(path))),
        Some(("=", path)) => (path.to_owned(), None),
        Some(("~", source)) => (example_path(source, false)?, None),
        Some(("~*", source)) => (example_path(source, true)?, None),
        // Named ones are reached from others.
        _ => return None,
    })
}

/// The paths that `auth_request` asks.
pub fn authentication(directives: &[Directive]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each(directives, &mut |directive| {
        if directive.is("auth_request") {
            found.extend(directive.argument(0).map(str::to_owned));
        }
    });
    found
}

/// Calls `found` for each directive.
fn each(directives: &[Directive], found: &mut impl FnMut(&Directive)) {
    for directive in directives {
        found(directive);
        each(directive.inner(), found);
    }
}

/// The origins that configurations name, and others that look like them.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    pub named: Vec<String>,
    /// Origins of strangers.
    pub feigned: Vec<String>,
}

impl Origins {
    fn name(&mut self, origin: &str) {
        let is_new = !self.named.iter().any(|known| known == origin);
        if is_new && self.named.len() < MOST_NAMED {
            self.named.push(origin.to_owned());
        }
    }

    fn feign(&mut self, origin: String) {
        if !self.feigned.contains(&origin) && !self.named.contains(&origin) {
            self.feigned.push(origin);
        }
    }

    fn literal(&mut self, literal: &str) {
        if let Ok(entry) = ListEntry::read(literal) {
            match entry.is_pattern {
                true => self.name(&entry.text.replace(":*", ":8443").replace('*', "x")),
                false => self.name(&entry.text),
            }
        }
    }

    fn expression(&mut self, source: &str, ignores_case: bool) {
        let Ok(regex) = SearchedRegex::parse(source, ignores_case) else {
            return;
        };
        if let Some(shortest) = &regex.shortest {
            self.name(shortest);
        }
        for other in [regex.insecure, regex.stranger].into_iter().flatten() {
            self.feign(other);
        }
    }

    /// Those of a configuration.
    pub fn add(&mut self, site: &Site<'_>, directives: &[Directive]) {
        for map in site.variables.maps.iter().filter(|map| map.asks_for_origin()) {
            for entry in &map.entries {
                match &entry.pattern {
                    Pattern::Literal(literal) => self.literal(literal),
                    Pattern::Regex { source, ignores_case } => self.expression(source, *ignores_case),
                    Pattern::Default => {}
                }
                if let Some(literal) = entry.value.literal() {
                    self.literal(literal);
                }
            }
        }
        each(directives, &mut |directive| match &*directive.name.value {
            "if" => {
                if let Some((_, operator, value)) = Conditions::compared(directive) {
                    let is_of_origin = condition(directive).first() == Some(&"$http_origin");
                    match operator.contains('~') {
                        true if is_of_origin => self.expression(&value, operator.ends_with('*')),
                        false if is_of_origin => self.literal(&value),
                        _ => {}
                    }
                }
            }
            "cors_allow_origin" | "cors_allow_credentials" => {
                for word in &directive.arguments {
                    match word.value.strip_prefix('~') {
                        Some(source) => self.expression(&format!("^(?:{source})$"), false),
                        None => self.literal(&word.value),
                    }
                }
            }
            _ => {}
        });
        for id in 0..site.blocks.len() {
            let headers = site.headers(id).iter();
            for header in headers.filter(|header| header.is("Access-Control-Allow-Origin")) {
                if let Some(literal) = header.value.literal() {
                    self.literal(literal);
                }
            }
        }
    }

    /// With the strangers that look like those that are named.
    pub fn finish(mut self) -> Self {
        for origin in self.named.clone().into_iter().take(MOST_FEIGNED) {
            if let Some((scheme, host)) = origin.split_once("://") {
                let other = if scheme == "https" { "http" } else { "https" };
                self.feign(format!("{origin}.stranger.example"));
                self.feign(format!("{scheme}://x{host}"));
                self.feign(format!("{scheme}://x.{host}"));
                self.feign(format!("{other}://{host}"));
                if !host.contains(':') {
                    self.feign(format!("{origin}:8443"));
                }
            }
        }
        self.feign("null".to_owned());
        self.feign(STRANGER.to_owned());
        self
    }
}

/// The names of request headers that configurations list.
pub fn header_names(site: &Site<'_>, directives: &[Directive], names: &mut BTreeSet<String>) {
    let mut add = |name: &str| {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_plain && is_sent_by_scripts(name) && names.len() < MOST_HEADERS {
            names.insert(name.to_ascii_lowercase());
        }
    };
    for name in ["content-type", "authorization", "x-nginx-cors"] {
        add(name);
    }
    for id in 0..site.blocks.len() {
        let is_list = |header: &&AddedHeader<'_>| header.is("Access-Control-Allow-Headers");
        for header in site.headers(id).iter().filter(is_list) {
            header
                .value
                .literal()
                .unwrap_or_default()
                .split(',')
                .for_each(|name| add(name.trim()));
        }
    }
    each(directives, &mut |directive| {
        if directive.is("cors_allow_headers") {
            directive.arguments.iter().for_each(|word| add(&word.value));
        }
    });
}
