//! How a stranger got in, and what to write instead.

use regex_syntax::ast::Ast;

use super::alphabet::Bytes;
use super::grammar::Grammar;
use super::graph::{Budget, Graph};
use super::names::Names;
use super::search::Strangers;
use super::spelled::{self, Reading};
use super::syntax::{graph_of, is_accepted, unanchored, Syntax};
use crate::origin::serialized::{default_port, SerializedOrigin};
use crate::problem::shown;

/// So many domains are named in a message; a remedy for more would be longer than a message shows.
const MOST_DOMAINS: usize = 3;

/// A longer remedy would be cut, and could not be pasted.
pub(super) const LONGEST_REMEDY: usize = 150;

/// An origin that an expression admits, and by which mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stranger {
    pub origin: String,
    pub mistake: String,
}

/// Says by which mistake `syntax` admits `origin`.
pub(super) fn explain(syntax: &Syntax<'_>, graph: &Graph, names: &Names, origin: String) -> Stranger {
    let mistake = dot(syntax)
        .or_else(|| optional(syntax))
        .or_else(|| scheme(syntax, &origin))
        .or_else(|| shared(names, &origin))
        .or_else(|| boundary(graph, names, &origin))
        .unwrap_or_else(|| open(graph, names));
    Stranger { origin, mistake }
}

/// A dot that was not escaped: all is well once every dot is that stands for one character.
fn dot(syntax: &Syntax<'_>) -> Option<String> {
    let mut places = Vec::new();
    single_dots(&syntax.ast, &mut places);
    if places.is_empty() {
        return None;
    }
    let mut escaped = syntax.source.to_owned();
    places.sort_unstable();
    for place in places.into_iter().rev() {
        escaped.insert(place, '\\');
    }
    is_accepted(&escaped).then(|| match escaped.len() {
        ..=LONGEST_REMEDY => format!(
            "a \".\" stands for any character; write \"~{}\"",
            shown(escaped.as_bytes())
        ),
        _ => "a \".\" stands for any character; escape it, as \"\\.\"".to_owned(),
    })
}

/// The places of the dots that are not repeated.
fn single_dots(ast: &Ast, places: &mut Vec<usize>) {
    match ast {
        Ast::Dot(span) => places.push(span.start.offset),
        Ast::Group(group) => single_dots(&group.ast, places),
        Ast::Concat(concat) => concat.asts.iter().for_each(|ast| single_dots(ast, places)),
        Ast::Alternation(alternation) => alternation.asts.iter().for_each(|ast| single_dots(ast, places)),
        // `(www.)?`, but not `.?`.
        Ast::Repetition(repetition) if !matches!(*repetition.ast, Ast::Dot(_)) => {
            single_dots(&repetition.ast, places);
        }
        _ => {}
    }
}

/// A part of a name that is optional: all is well if the names with it and without it are both meant.
fn optional(syntax: &Syntax<'_>) -> Option<String> {
    let reading = Reading {
        spells_optional: true,
        ..Reading::default()
    };
    let tree = spelled::marked(syntax.source, &syntax.ast, reading);
    let budget = &mut Budget::for_source(syntax.source);
    let graph = graph_of(&tree, Grammar::of_origins(), budget).ok()?;
    let names = Names::of(&graph, budget).ok()?;
    if graph.shortest(&Strangers::of(&names), budget).ok()?.is_some() {
        return None;
    }
    let mistake = "a \"?\" makes part of a name optional, and both names match";
    Some(match patterns(&graph, &names) {
        Some(patterns) => format!("{mistake}; if both are meant, write \"{patterns}\""),
        None => format!("{mistake}; write out each that is meant"),
    })
}

/// A scheme that is not the web's gets a stranger in by itself: hosts under it belong to apps.
fn scheme(syntax: &Syntax<'_>, origin: &str) -> Option<String> {
    let scheme = SerializedOrigin::recognize(origin.as_bytes())?.scheme;
    if default_port(scheme).is_some() {
        return None;
    }
    let behind = syntax.source.split_once("://");
    let behind = behind.map_or(unanchored(syntax.source), |(_, behind)| behind);
    let secure = format!("https://{behind}");
    Some(match secure.len() <= LONGEST_REMEDY && is_accepted(&secure) {
        true => format!("it leaves the scheme open; write \"~{}\"", shown(secure.as_bytes())),
        false => "it leaves the scheme open; begin with \"https://\"".to_owned(),
    })
}

/// The stranger has its name under one that many share.
fn shared(names: &Names, origin: &str) -> Option<String> {
    let host = host(origin)?;
    let is_above = |name: &&String| host.ends_with(&format!(".{name}"));
    let name = names.shared.iter().filter(is_above).max_by_key(|name| name.len())?;
    let is_below = |domain: &String| domain.ends_with(&format!(".{name}"));
    if names.domains.iter().any(is_below) && boundary_of(names, host).is_some() {
        return None;
    }
    Some(format!(
        "\"{}\" is shared: anyone may register a name that matches; list the hosts",
        shown(name.as_bytes())
    ))
}

/// The stranger's host begins or ends with a domain that is named.
fn boundary(graph: &Graph, names: &Names, origin: &str) -> Option<String> {
    let (domain, is_end) = boundary_of(names, host(origin)?)?;
    let domain_shown = shown(domain.as_bytes());
    let mistake = match is_end {
        true => format!("nothing ends the label before \"{domain_shown}\""),
        false => format!("it goes on behind \"{domain_shown}\""),
    };
    Some(match patterns(graph, names) {
        Some(patterns) => format!("{mistake}; write \"{patterns}\""),
        None if is_end => format!("{mistake}; put \"\\.\" there, and write out the domains that are meant"),
        None => format!("{mistake}; end it there, and write out the domains that are meant"),
    })
}

/// The domain, and whether the host ends with it.
fn boundary_of<'n>(names: &'n Names, host: &str) -> Option<(&'n str, bool)> {
    let before = names.domains.iter().find(|domain| host.ends_with(domain.as_str()));
    let behind = || {
        let begins = |domain: &&String| host.starts_with(domain.as_str()) || host.contains(&format!(".{domain}"));
        names.domains.iter().filter(begins).max_by_key(|domain| domain.len())
    };
    match before {
        Some(domain) => Some((domain, true)),
        None => behind().map(|domain| (domain.as_str(), false)),
    }
}

/// Patterns for the domains, where the expression matches the domains themselves or names under them: those are meant.
pub(super) fn patterns(graph: &Graph, names: &Names) -> Option<String> {
    if names.domains.len() > MOST_DOMAINS {
        return None;
    }
    let mut patterns = Vec::new();
    for domain in &names.domains {
        let has_ports = ["8443", "3000", "1"]
            .iter()
            .any(|port| graph.contains(&format!("https://{domain}:{port}")));
        let ports = if has_ports { ":*" } else { "" };
        let itself = graph.contains(&format!("https://{domain}"));
        let below = ["a", "app", "a.b"]
            .iter()
            .any(|label| graph.contains(&format!("https://{label}.{domain}")));
        if !itself && !below {
            return None;
        }
        patterns.extend(itself.then(|| format!("https://{domain}{ports}")));
        patterns.extend(below.then(|| format!("https://*.{domain}{ports}")));
    }
    let patterns = patterns.join(" ");
    (!patterns.is_empty() && patterns.len() <= LONGEST_REMEDY).then_some(patterns)
}

/// Nothing is spelled out that the stranger's host has to do with.
fn open(graph: &Graph, names: &Names) -> String {
    let is_spelled = |(number, node): (u32, &super::graph::Node)| {
        node.part.is_host_end() && graph.edges_to(number).iter().any(|edge| edge.spelled != Bytes::NONE)
    };
    let names_something = !names.domains.is_empty() || graph.nodes().any(is_spelled);
    match names_something {
        true => "it leaves part of the domain open; write out each domain that is meant".to_owned(),
        false => "it names no domain; name those to trust, as in \"https://*.example.com\"".to_owned(),
    }
}

fn host(origin: &str) -> Option<&str> {
    let origin = SerializedOrigin::recognize(origin.as_bytes())?;
    std::str::from_utf8(origin.host).ok()
}
