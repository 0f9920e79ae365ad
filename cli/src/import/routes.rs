//! Which requests a policy is for, and what is left.

use std::collections::HashSet;

use serde::Serialize;

use super::fault::Fault;
use super::files::Document;
use super::node::Node;
use super::terms::Agreed;
use crate::written_policy::word;

/// A policy with the requests that it is for.
#[derive(Clone, Debug, Serialize)]
pub struct Route {
    pub file: String,
    pub line: usize,
    /// Kind and name.
    pub object: String,
    /// The name of the server, as nginx has it.
    pub server: String,
    /// What stands between `location` and its block.
    pub location: String,
    pub directives: Vec<String>,
    /// What the reader has to know of it.
    pub notes: Vec<String>,
}

/// What is not converted.
#[derive(Clone, Debug, Serialize)]
pub struct Left {
    pub file: String,
    pub line: usize,
    pub object: String,
    pub reason: String,
}

/// What became of the documents.
#[derive(Debug, Default, Serialize)]
pub struct Imported {
    pub converted: Vec<Route>,
    pub left: Vec<Left>,
    #[serde(skip)]
    places: HashSet<(String, String)>,
}

/// An object of a document, for what is told of it.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    pub document: &'a Document,
    pub name: &'a str,
    pub line: usize,
}

impl Imported {
    pub fn leave(&mut self, object: Object<'_>, fault: Fault) {
        self.left.push(Left {
            file: object.document.file.clone(),
            line: fault.line,
            object: object.name.to_owned(),
            reason: fault.why,
        });
    }

    /// Takes in a policy for one server and some locations.
    pub fn add(&mut self, object: Object<'_>, server: &str, locations: &[String], agreed: &Agreed) {
        if !is_server_name(server) {
            let why = format!("\"{server}\" is no name that a server of nginx can have");
            return self.leave(object, Fault::new(object.line, why));
        }
        for location in locations {
            if location.contains(char::is_control) {
                let why = format!("\"{}\" is no path of a location", location.escape_debug());
                self.leave(object, Fault::new(object.line, why));
                continue;
            }
            if !self.places.insert((server.to_owned(), location.clone())) {
                let why = format!("another object has said already what is right for \"{location}\" of \"{server}\"");
                self.leave(object, Fault::new(object.line, why));
                continue;
            }
            self.converted.push(Route {
                file: object.document.file.clone(),
                line: object.line,
                object: object.name.to_owned(),
                server: server.to_owned(),
                location: location.clone(),
                directives: agreed.policy.lines(),
                notes: agreed.notes.clone(),
            });
        }
    }
}

impl Imported {
    /// Takes in a policy that no route refers to. A location with a name serves no request by itself.
    pub fn add_unused(&mut self, object: Object<'_>, agreed: &Agreed) {
        let is_known = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '.' | '_');
        let name = object.name.rsplit([' ', '/']).next().unwrap_or_default();
        let name: String = name.chars().filter(|sign| is_known(*sign)).collect();
        let mut agreed = agreed.clone();
        let note = "No route here refers to it: move the directives to where they are needed.";
        agreed.notes.push(note.to_owned());
        self.add(object, "_", &[format!("@{name}")], &agreed);
    }
}

fn is_server_name(name: &str) -> bool {
    let is_known = |sign: u8| sign.is_ascii_alphanumeric() || matches!(sign, b'-' | b'.' | b'_' | b'*');
    !name.is_empty() && name.bytes().all(is_known)
}

/// The locations for all paths that are a path or lie below it, as Kubernetes counts: `/a` is for `/a` and `/a/b`, and not
/// for `/ab`.
pub fn below(path: &str) -> Vec<String> {
    match path.trim_end_matches('/') {
        "" => vec!["/".to_owned()],
        path => vec![exactly(path), word(&format!("{path}/"))],
    }
}

/// Reads each object of Kubernetes of this kind. Whether there is one is returned.
pub fn read_each(documents: &[Document], kind: &str, read: impl FnMut(&Document)) -> bool {
    let ours = documents
        .iter()
        .filter(|document| document.root.text("kind") == Some(kind));
    ours.map(read).count() > 0
}

/// How an object of Kubernetes is named in what is told of it.
pub fn object_name(root: &Node, kind: &str) -> String {
    let name = root.at(&["metadata", "name"]).and_then(Node::scalar).unwrap_or("?");
    match root.at(&["metadata", "namespace"]).and_then(Node::scalar) {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

/// The location for one path.
pub fn exactly(path: &str) -> String {
    format!("= {}", word(path))
}
