//! Traefik: the middleware `headers`, as an object of Kubernetes or in a file, and the routers that refer to it.
//!
//! What its fields mean is what traefik/traefik makes of them in `pkg/middlewares/headers/header.go`.

use std::collections::BTreeMap;

use super::fault::Fault;
use super::files::Document;
use super::node::{unknown, Node};
use super::routes::{exactly, object_name, Imported, Object};
use super::terms::{searched, Agreed, Star, Terms};
use crate::written_policy::word;

const KIND: &str = "Middleware";

const KNOWN: [&str; 7] = [
    "accessControlAllowCredentials",
    "accessControlAllowHeaders",
    "accessControlAllowMethods",
    "accessControlAllowOriginList",
    "accessControlAllowOriginListRegex",
    "accessControlExposeHeaders",
    "accessControlMaxAge",
];

/// A middleware with CORS, and whether a router refers to it.
struct Middleware<'a> {
    document: &'a Document,
    name: String,
    line: usize,
    agreed: Agreed,
    is_used: bool,
}

/// By namespace and name; those of files have no namespace. One that is left has no policy.
type Middlewares<'a> = BTreeMap<(String, String), Option<Middleware<'a>>>;

/// Reads the middlewares, and then the routers that refer to them.
pub fn read(documents: &[Document], imported: &mut Imported) -> bool {
    let mut middlewares: Middlewares<'_> = BTreeMap::new();
    let mut is_known = false;
    for document in documents {
        let root = &document.root;
        if is_ours(root, KIND) {
            is_known = true;
            let key = (namespace(root), metadata(root, "name").to_owned());
            if let Some(headers) = root.at(&["spec", "headers"]) {
                let name = object_name(root, KIND);
                middleware(document, key, name, headers, &mut middlewares, imported);
            }
        }
        for (name, found) in in_file(root, "middlewares") {
            is_known = true;
            if let Some(headers) = found.get("headers") {
                let key = (String::new(), name.clone());
                middleware(
                    document,
                    key,
                    format!("middleware {name}"),
                    headers,
                    &mut middlewares,
                    imported,
                );
            }
        }
    }
    for document in documents {
        let root = &document.root;
        if is_ours(root, "IngressRoute") {
            let name = object_name(root, "IngressRoute");
            for route in root.get("spec").map_or(&[][..], |spec| spec.list("routes")) {
                let keys = route.list("middlewares").iter().map(|reference| {
                    let other = reference.text("namespace").map(str::to_owned);
                    let name = reference.text("name").unwrap_or_default().to_owned();
                    (other.unwrap_or_else(|| namespace(root)), name)
                });
                let keys: Vec<_> = keys.collect();
                router(document, &name, route, "match", &keys, &mut middlewares, imported);
            }
        }
        for (name, found) in in_file(root, "routers") {
            let names = found.list("middlewares").iter().filter_map(Node::scalar);
            let name_in_file = |name: &str| name.strip_suffix("@file").unwrap_or(name).to_owned();
            let keys: Vec<_> = names.map(|name| (String::new(), name_in_file(name))).collect();
            let name = format!("router {name}");
            router(document, &name, found, "rule", &keys, &mut middlewares, imported);
        }
    }
    for middleware in middlewares.values().flatten().filter(|middleware| !middleware.is_used) {
        let object = Object {
            document: middleware.document,
            name: &middleware.name,
            line: middleware.line,
        };
        imported.add_unused(object, &middleware.agreed);
    }
    is_known
}

/// Whether it is an object of Traefik; other products have middlewares, too.
fn is_ours(root: &Node, kind: &str) -> bool {
    let version = root.text("apiVersion").unwrap_or_default();
    root.text("kind") == Some(kind) && version.starts_with("traefik.")
}

/// The entries of a part of a file of its own.
fn in_file<'a>(root: &'a Node, part: &str) -> &'a [(String, Node)] {
    root.at(&["http", part]).map_or(&[], Node::entries)
}

fn metadata<'a>(root: &'a Node, name: &str) -> &'a str {
    root.at(&["metadata", name]).and_then(Node::scalar).unwrap_or_default()
}

fn namespace(root: &Node) -> String {
    let namespace = metadata(root, "namespace");
    if namespace.is_empty() { "default" } else { namespace }.to_owned()
}

fn middleware<'a>(
    document: &'a Document,
    key: (String, String),
    name: String,
    headers: &Node,
    middlewares: &mut Middlewares<'a>,
    imported: &mut Imported,
) {
    let object = Object {
        document,
        name: &name,
        line: headers.line,
    };
    if let Some(custom) = headers.get("customResponseHeaders") {
        let is_cors = |name: &str| name.to_ascii_lowercase().starts_with("access-control-");
        if let Some((header, node)) = custom.entries().iter().find(|(header, _)| is_cors(header)) {
            let why = format!("customResponseHeaders sends \"{header}\" to every origin, and answers no preflight");
            imported.leave(object, node.fault(why));
        }
    }
    let agreed = match agree(headers) {
        Ok(Some(agreed)) => agreed,
        Ok(None) => return,
        Err(fault) => {
            imported.leave(object, fault);
            middlewares.insert(key, None);
            return;
        }
    };
    for fault in &agreed.left {
        imported.leave(object, fault.clone());
    }
    let middleware = Middleware {
        document,
        line: headers.line,
        agreed,
        is_used: false,
        name,
    };
    middlewares.insert(key, Some(middleware));
}

fn agree(headers: &Node) -> Result<Option<Agreed>, Fault> {
    let is_cors = |name: &str| name.to_ascii_lowercase().starts_with("accesscontrol");
    let mut ours = headers.entries().iter().filter(|(name, _)| is_cors(name)).peekable();
    if ours.peek().is_none() {
        return Ok(None);
    }
    if let Some((name, node)) = ours.find(|(name, _)| !KNOWN.contains(&name.as_str())) {
        return Err(node.fault(unknown(name, &KNOWN)));
    }
    let credentials = headers.flag("accessControlAllowCredentials")?.unwrap_or(false);
    let mut origins = Vec::new();
    let mut left = Vec::new();
    for (line, origin) in headers.texts("accessControlAllowOriginList")? {
        match origin.contains('*') && origin != "*" {
            true => left.push(Fault::new(
                line,
                format!("\"{origin}\" lets in nobody today: in this list a \"*\" stands for itself"),
            )),
            false => origins.push((line, origin)),
        }
    }
    for (line, expression) in headers.texts("accessControlAllowOriginListRegex")? {
        match searched(&expression) {
            Ok(value) => origins.push((line, value)),
            Err(why) => left.push(Fault::new(line, why)),
        }
    }
    if let (true, Some(first)) = (origins.is_empty(), left.first()) {
        return Err(first.clone());
    }
    let is_everyone = origins.iter().any(|(_, origin)| origin == "*");
    let terms = Terms {
        origins,
        methods: headers.texts("accessControlAllowMethods")?,
        headers: headers.texts("accessControlAllowHeaders")?,
        exposed: headers.texts("accessControlExposeHeaders")?,
        credentials,
        // Without it, 0 is sent.
        max_age: Some(headers.number("accessControlMaxAge")?.unwrap_or(0)),
        star: Star::IsSent,
        line: headers.line,
    };
    let mut agreed = terms.agree()?;
    agreed.left.extend(left);
    if let (true, true, Some(node)) = (credentials, is_everyone, headers.get("accessControlAllowCredentials")) {
        let why =
            "accessControlAllowCredentials beside every origin: browsers refuse the two together; name the origins \
                   that need credentials";
        agreed.left.push(node.fault(why));
    }
    Ok(Some(agreed))
}

/// A router, or a route of an `IngressRoute`, with the middlewares that it names.
fn router(
    document: &Document,
    name: &str,
    node: &Node,
    rule: &str,
    keys: &[(String, String)],
    middlewares: &mut Middlewares<'_>,
    imported: &mut Imported,
) {
    // Of several the first answers preflights, and the last to see a response, which is the first as well, has its way.
    let Some(key) = keys.iter().find(|key| middlewares.contains_key(key)) else {
        return;
    };
    let Some(Some(middleware)) = middlewares.get_mut(key) else {
        return;
    };
    middleware.is_used = true;
    let object = Object {
        document,
        name,
        line: node.line,
    };
    let text = node.text(rule).unwrap_or_default();
    match places(text) {
        Some(places) => {
            for (server, location) in places {
                imported.add(object, &server, &[location], &middleware.agreed);
            }
        }
        None => {
            let why = format!("\"{text}\" is no choice by hosts and paths alone, as that of a location is");
            imported.leave(object, node.fault(why));
        }
    }
}

/// The servers and locations of a rule, if it has hosts and paths alone, without parentheses around them.
fn places(rule: &str) -> Option<Vec<(String, String)>> {
    let mut places = Vec::new();
    for alternative in rule.split("||") {
        let (mut hosts, mut paths) = (Vec::new(), Vec::new());
        for matcher in alternative.split("&&") {
            let (name, rest) = matcher.trim().split_once('(')?;
            let values = rest.strip_suffix(')')?.split(',').map(|value| {
                let value = value.trim();
                let quoted = |sign: char| value.strip_prefix(sign)?.strip_suffix(sign);
                quoted('`').or_else(|| quoted('"'))
            });
            let values = values.collect::<Option<Vec<_>>>()?;
            match name {
                "Host" if hosts.is_empty() => hosts = values.into_iter().map(str::to_owned).collect(),
                "Path" if paths.is_empty() => paths = values.into_iter().map(exactly).collect(),
                // A prefix of the text, not of its segments, as that of a location is.
                "PathPrefix" if paths.is_empty() => paths = values.into_iter().map(word).collect(),
                _ => return None,
            }
        }
        if hosts.is_empty() {
            hosts.push("_".to_owned());
        }
        if paths.is_empty() {
            paths.push("/".to_owned());
        }
        for host in &hosts {
            places.extend(paths.iter().map(|path| (host.clone(), path.clone())));
        }
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_hosts_and_paths_has_its_places() {
        let found = places("Host(`a.example`, `b.example`) && PathPrefix(`/v1`) || Path(`/x`)").unwrap();
        let found: Vec<_> = found.iter().map(|(host, path)| format!("{host} {path}")).collect();
        assert_eq!(found, ["a.example /v1", "b.example /v1", "_ = /x"]);
    }

    #[test]
    fn any_other_rule_has_none() {
        for rule in [
            "",
            "!Host(`a.example`)",
            "Host(`a.example`) && (Path(`/x`) || Path(`/y`))",
            "Host(`a.example`) && Headers(`X`, `y`)",
            "HostRegexp(`.+`)",
            "Path(`/x`) && Path(`/y`)",
        ] {
            assert_eq!(places(rule), None, "{rule}");
        }
    }
}
