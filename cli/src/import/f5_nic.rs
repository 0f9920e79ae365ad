//! F5 NGINX Ingress Controller: a `Policy` with `cors`, and the `VirtualServer` and `VirtualServerRoute` that refer to it.
//!
//! The fields are those of `CORS` in nginx/kubernetes-ingress, `pkg/apis/configuration/v1/types.go`; what they mean is what
//! `generateCORSOriginMap` and `generateCORSHeaders` of `internal/configs/policy.go` write.

use std::collections::HashMap;

use super::fault::Fault;
use super::files::Document;
use super::node::Node;
use super::routes::{exactly, object_name, Imported, Object};
use super::terms::{one_label, Agreed, Star, Terms};
use crate::written_policy::word;

const KIND: &str = "Policy";

const ROUTES: [(&str, &str); 2] = [("VirtualServer", "routes"), ("VirtualServerRoute", "subroutes")];

const KNOWN: [&str; 6] = [
    "allowCredentials",
    "allowHeaders",
    "allowMethods",
    "allowOrigin",
    "exposeHeaders",
    "maxAge",
];

/// How long an answer is kept, in seconds, where a policy does not say.
const MAX_AGE: i64 = 86_400;

/// A policy, and whether a route refers to it.
struct Policy<'a> {
    document: &'a Document,
    name: String,
    agreed: Agreed,
    is_used: bool,
}

/// By namespace and name. One that is left has none.
type Policies<'a> = HashMap<(String, String), Option<Policy<'a>>>;

/// Reads the policies, and then the routes that refer to them.
pub fn read(documents: &[Document], imported: &mut Imported) -> bool {
    let mut policies: Policies<'_> = HashMap::new();
    let mut order = Vec::new();
    for document in documents {
        let root = &document.root;
        let cors = root.at(&["spec", "cors"]).filter(|_| root.text("kind") == Some(KIND));
        let Some(cors) = cors else { continue };
        let name = object_name(root, KIND);
        let object = Object {
            document,
            name: &name,
            line: root.line,
        };
        let policy = match agree(cors) {
            Ok(mut agreed) => {
                for fault in agreed.left.drain(..) {
                    imported.leave(object, fault);
                }
                Some(Policy {
                    document,
                    name: name.clone(),
                    agreed,
                    is_used: false,
                })
            }
            Err(fault) => {
                imported.leave(object, fault);
                None
            }
        };
        let key = (namespace(root).to_owned(), metadata(root, "name").to_owned());
        order.push(key.clone());
        policies.insert(key, policy);
    }
    for document in documents {
        for (kind, routes) in ROUTES {
            if document.root.text("kind") == Some(kind) {
                virtual_server(document, kind, routes, &mut policies, imported);
            }
        }
    }
    let unused = order.iter().filter_map(|key| policies.get(key)?.as_ref());
    for policy in unused.filter(|policy| !policy.is_used) {
        let object = Object {
            document: policy.document,
            name: &policy.name,
            line: policy.document.root.line,
        };
        imported.add_unused(object, &policy.agreed);
    }
    !order.is_empty()
}

fn metadata<'a>(root: &'a Node, name: &str) -> &'a str {
    root.at(&["metadata", name]).and_then(Node::scalar).unwrap_or_default()
}

fn namespace(root: &Node) -> &str {
    match metadata(root, "namespace") {
        "" => "default",
        namespace => namespace,
    }
}

fn agree(cors: &Node) -> Result<Agreed, Fault> {
    cors.has_only(&KNOWN)?;
    let credentials = cors.flag("allowCredentials")?.unwrap_or(false);
    let mut origins = cors.texts("allowOrigin")?;
    let everyone = origins.iter().find(|(_, origin)| origin == "*");
    if let (Some((line, _)), true) = (everyone, credentials) {
        let why = "the controller refuses \"*\" beside allowCredentials: name the origins that need credentials";
        return Err(Fault::new(*line, why));
    }
    if let (Some((line, _)), true) = (everyone, origins.len() > 1) {
        // It becomes an entry of a map, which no origin is equal to.
        let why = "a \"*\" beside other origins lets in nobody: take it away, or the others";
        return Err(Fault::new(*line, why));
    }
    for (_, origin) in &mut origins {
        *origin = one_label(origin);
    }
    Terms {
        origins,
        methods: cors.texts("allowMethods")?,
        headers: cors.texts("allowHeaders")?,
        exposed: cors.texts("exposeHeaders")?,
        credentials,
        max_age: Some(cors.number("maxAge")?.unwrap_or(MAX_AGE)),
        star: Star::IsSent,
        line: cors.line,
    }
    .agree()
}

fn virtual_server(document: &Document, kind: &str, routes: &str, policies: &mut Policies<'_>, imported: &mut Imported) {
    let root = &document.root;
    let name = object_name(root, kind);
    let Some(spec) = root.get("spec") else { return };
    let host = spec.text("host").unwrap_or("_");
    for route in spec.list(routes) {
        // A policy of the route takes the place of that of the whole.
        let referred = [route, spec].into_iter().find_map(|of| {
            let keys = of.list("policies").iter().map(|reference| {
                let own = namespace(root);
                let namespace = reference.text("namespace").unwrap_or(own).to_owned();
                (namespace, reference.text("name").unwrap_or_default().to_owned())
            });
            keys.into_iter().find(|key| policies.contains_key(key))
        });
        let policy = referred.and_then(|key| policies.get_mut(&key));
        let Some(Some(policy)) = policy else { continue };
        policy.is_used = true;
        let object = Object {
            document,
            name: &name,
            line: route.line,
        };
        let path = route.text("path").unwrap_or("/");
        match location(path) {
            Some(location) => imported.add(object, host, &[location], &policy.agreed),
            None => imported.leave(object, route.fault(format!("\"{path}\" is no path of a location"))),
        }
    }
}

/// Paths are written as nginx has them.
fn location(path: &str) -> Option<String> {
    if let Some(exact) = path.strip_prefix('=') {
        return Some(exactly(exact.trim()));
    }
    if let Some(expression) = path.strip_prefix('~') {
        let (sign, expression) = match expression.strip_prefix('*') {
            Some(expression) => ("~*", expression),
            None => ("~", expression),
        };
        return Some(format!("{sign} {}", word(expression.trim())));
    }
    path.starts_with('/').then(|| word(path))
}
