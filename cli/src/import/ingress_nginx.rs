//! ingress-nginx: annotations of an `Ingress`.
//!
//! What they mean is what kubernetes/ingress-nginx makes of them: `internal/ingress/annotations/cors/main.go` reads them, and
//! `buildCorsOriginRegex` of `internal/ingress/controller/template/template.go` writes the condition.

use super::fault::Fault;
use super::files::Document;
use super::node::{unknown, Node};
use super::routes::{below, exactly, object_name, read_each, Imported, Object};
use super::terms::{one_label, Agreed, Item, Star, Terms};
use crate::written_policy::word;

const KIND: &str = "Ingress";

const PREFIX: &str = "nginx.ingress.kubernetes.io/";

const KNOWN: [&str; 7] = [
    "cors-allow-credentials",
    "cors-allow-headers",
    "cors-allow-methods",
    "cors-allow-origin",
    "cors-expose-headers",
    "cors-max-age",
    "enable-cors",
];

const SNIPPETS: [&str; 3] = ["auth-snippet", "configuration-snippet", "server-snippet"];

/// What is allowed where an annotation is missing, or is not taken.
const METHODS: &str = "GET, PUT, POST, DELETE, PATCH, OPTIONS";
const HEADERS: &str =
    "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization";
const MAX_AGE: i64 = 1_728_000;

/// Reads each `Ingress`.
pub fn read(documents: &[Document], imported: &mut Imported) -> bool {
    read_each(documents, KIND, |document| object(document, imported))
}

fn object(document: &Document, imported: &mut Imported) {
    let root = &document.root;
    let name = object_name(root, KIND);
    let annotations = root.at(&["metadata", "annotations"]);
    let object = Object {
        document,
        name: &name,
        line: root.line,
    };
    let Some(annotations) = annotations.map(|node| Annotations { node }) else {
        return;
    };
    for name in SNIPPETS {
        let Some(snippet) = annotations.get(name) else { continue };
        let is_cors = |text: &str| text.to_ascii_lowercase().contains("access-control-");
        if snippet.scalar().is_some_and(is_cors) {
            let why = format!("the {name} sends CORS headers: put it into a file, and `nginx-cors convert` that");
            imported.leave(object, snippet.fault(why));
        }
    }
    match annotations.agree() {
        Ok(Some(agreed)) => {
            for fault in &agreed.left {
                imported.leave(object, fault.clone());
            }
            for (server, locations) in servers(root, annotations.has_expressions()) {
                imported.add(object, &server, &locations, &agreed);
            }
        }
        Ok(None) => {}
        Err(fault) => imported.leave(object, fault),
    }
}

struct Annotations<'a> {
    node: &'a Node,
}

impl<'a> Annotations<'a> {
    fn get(&self, name: &str) -> Option<&'a Node> {
        let found = |(known, _): &&(String, Node)| known.strip_prefix(PREFIX) == Some(name);
        self.node.entries().iter().find(found).map(|(_, node)| node)
    }

    /// A boolean, as Go reads it. An empty annotation is none.
    fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        let Some(node) = self.get(name) else { return Ok(None) };
        match node.scalar() {
            Some("1" | "t" | "T" | "TRUE" | "true" | "True") => Ok(Some(true)),
            Some("0" | "f" | "F" | "FALSE" | "false" | "False") => Ok(Some(false)),
            None | Some("") => Ok(None),
            Some(text) => Err(node.fault(format!("{name} is \"{text}\", which is neither true nor false"))),
        }
    }

    /// Whether paths are expressions.
    fn has_expressions(&self) -> bool {
        let rewrites = self.get("rewrite-target").and_then(Node::scalar);
        self.flag("use-regex") == Ok(Some(true)) || rewrites.is_some_and(|target| target.contains('$'))
    }

    /// A list with commas, or the default.
    fn list(&self, name: &str, default: &str) -> Result<Vec<Item>, Fault> {
        let node = self
            .get(name)
            .filter(|node| node.scalar().is_some_and(|text| !text.is_empty()));
        let line = node.map_or(self.node.line, |node| node.line);
        let text = node.and_then(Node::scalar).unwrap_or(default);
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(names.map(|name| (line, name.to_owned())).collect())
    }

    fn agree(&self) -> Result<Option<Agreed>, Fault> {
        let entries = self.node.entries().iter();
        let mut ours = entries.filter_map(|(name, node)| Some((name.strip_prefix(PREFIX)?, node)));
        let is_cors = |name: &str| name.starts_with("cors-") || name.contains("enable-cors");
        let wrong = ours.find(|(name, _)| is_cors(name) && !KNOWN.contains(name));
        if let Some((name, node)) = wrong {
            return Err(node.fault(unknown(name, &KNOWN)));
        }
        if self.flag("enable-cors")? != Some(true) {
            let idle = KNOWN.iter().find_map(|name| Some((name, self.get(name)?)));
            return match idle {
                Some((name, node)) if *name != "enable-cors" => {
                    Err(node.fault(format!("{name} has no effect today: enable-cors is not \"true\"")))
                }
                _ => Ok(None),
            };
        }
        let given = self.flag("cors-allow-credentials")?;
        let origins = self.origins()?;
        let is_everyone = origins.iter().any(|(_, origin)| origin == "*");
        let age = self
            .get("cors-max-age")
            .and_then(Node::scalar)
            .filter(|text| !text.is_empty());
        let age = age.map(|text| {
            text.parse()
                .map_err(|_| format!("cors-max-age is \"{text}\", which is no whole number"))
        });
        let line = self.node.line;
        let terms = Terms {
            methods: self.list("cors-allow-methods", METHODS)?,
            headers: self.list("cors-allow-headers", HEADERS)?,
            exposed: self.list("cors-expose-headers", "")?,
            credentials: given.unwrap_or(true),
            max_age: Some(age.transpose().map_err(|why| Fault::new(line, why))?.unwrap_or(MAX_AGE)),
            star: Star::IsSent,
            line,
            origins,
        };
        let mut agreed = terms.agree()?;
        match (given, is_everyone) {
            (Some(true), true) => {
                let node = self.get("cors-allow-credentials").unwrap_or(self.node);
                let why = "cors-allow-credentials beside every origin: browsers refuse the two together; name the \
                           origins that need credentials";
                agreed.left.push(node.fault(why));
            }
            (None, true) => agreed.notes.push(
                "ingress-nginx sends credentials by default, which browsers refuse beside \"*\": not turned over."
                    .into(),
            ),
            (None, false) => {
                agreed
                    .notes
                    .push("Credentials are a default of ingress-nginx: take them away if none are needed.".into());
            }
            (Some(_), _) => {}
        }
        if self.get("cors-allow-origin").is_none() {
            agreed
                .notes
                .push("Every origin is a default of ingress-nginx: name those that need it.".into());
        }
        Ok(Some(agreed))
    }

    fn origins(&self) -> Result<Vec<Item>, Fault> {
        let node = self.get("cors-allow-origin").filter(|node| node.scalar() != Some(""));
        let Some((node, text)) = node.and_then(|node| Some((node, node.scalar()?))) else {
            return Ok(vec![(self.node.line, "*".to_owned())]);
        };
        let entries: Vec<_> = text.split(',').map(str::trim).collect();
        if entries.contains(&"*") {
            return Ok(vec![(node.line, "*".to_owned())]);
        }
        // The condition becomes `(...|)$` then.
        if entries.contains(&"") {
            let why = "cors-allow-origin has an empty entry, which lets in every origin today: take the comma away";
            return Err(node.fault(why));
        }
        let is_taken = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '.' | ':' | '*');
        let (mut origins, mut has_scheme) = (Vec::new(), false);
        for entry in &entries {
            let (scheme, host) = match entry.split_once("://") {
                Some((scheme, host)) => (Some(scheme), host),
                None => (None, *entry),
            };
            // With one of these the annotation is no list for it, and its default is in force.
            let host = host.strip_prefix("*.").unwrap_or(host);
            if *entry != "null" && (!host.chars().all(is_taken) || host.contains('*')) {
                let why = format!(
                    "\"{entry}\" is no origin for ingress-nginx, which refuses the list and lets in every origin today"
                );
                return Err(node.fault(why));
            }
            has_scheme |= scheme.is_some() || *entry == "null";
            origins.push((node.line, one_label(&entry.to_ascii_lowercase())));
        }
        // Those without a scheme are skipped; if nothing is left the condition is `()$`.
        if !has_scheme {
            let why = format!("\"{text}\" has no scheme, which lets in every origin today: write \"https://{text}\"");
            return Err(node.fault(why));
        }
        Ok(origins)
    }
}

/// The servers of an Ingress, each with its locations.
pub fn servers(root: &Node, is_regex: bool) -> Vec<(String, Vec<String>)> {
    let mut servers = Vec::new();
    for rule in root.get("spec").map_or(&[][..], |spec| spec.list("rules")) {
        let server = rule.text("host").filter(|host| !host.is_empty()).unwrap_or("_");
        let mut locations = Vec::new();
        for path in rule.get("http").map_or(&[][..], |http| http.list("paths")) {
            let text = path.text("path").unwrap_or("/");
            let found = match path.text("pathType") {
                _ if is_regex => vec![format!("~* {}", word(&format!("^{text}")))],
                Some("Exact") => vec![exactly(text)],
                Some("Prefix") => below(text),
                _ => vec![word(text)],
            };
            locations.extend(found);
        }
        if locations.is_empty() {
            locations.push("/".to_owned());
        }
        servers.push((server.to_owned(), locations));
    }
    if servers.is_empty() {
        servers.push(("_".to_owned(), vec!["/".to_owned()]));
    }
    servers
}
