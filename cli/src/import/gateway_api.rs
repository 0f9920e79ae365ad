//! Gateway API: the filter `CORS` of an `HTTPRoute`. A `GRPCRoute` has none.
//!
//! What it means is said at `HTTPCORSFilter` in kubernetes-sigs/gateway-api, `apis/v1/httproute_types.go`.

use super::fault::Fault;
use super::files::Document;
use super::node::{unknown, Node};
use super::routes::{below, exactly, object_name, read_each, Imported, Object};
use super::terms::{Agreed, Star, Terms};

const KIND: &str = "HTTPRoute";

const KNOWN: [&str; 6] = [
    "allowCredentials",
    "allowHeaders",
    "allowMethods",
    "allowOrigins",
    "exposeHeaders",
    "maxAge",
];

/// Reads each route.
pub fn read(documents: &[Document], imported: &mut Imported) -> bool {
    read_each(documents, KIND, |document| object(document, imported))
}

fn object(document: &Document, imported: &mut Imported) {
    let root = &document.root;
    let name = object_name(root, KIND);
    let Some(spec) = root.get("spec") else { return };
    let hosts: Vec<_> = spec.list("hostnames").iter().filter_map(Node::scalar).collect();
    let hosts = if hosts.is_empty() { vec!["_"] } else { hosts };
    for rule in spec.list("rules") {
        let object = Object {
            document,
            name: &name,
            line: rule.line,
        };
        for backend in rule.list("backendRefs") {
            if let Some(filter) = filters(backend).next() {
                let why = "the filter is one of a backend: which one answers a request is not known by its path";
                imported.leave(object, filter.fault(why));
            }
        }
        let mut filters = filters(rule);
        let Some(filter) = filters.next() else { continue };
        if let Some(second) = filters.next() {
            imported.leave(object, second.fault("a rule can have one filter CORS"));
            continue;
        }
        let agreed = agree(filter).and_then(|agreed| Ok((agreed, locations(rule)?)));
        match agreed {
            Ok((agreed, locations)) => {
                for fault in &agreed.left {
                    imported.leave(object, fault.clone());
                }
                for host in &hosts {
                    imported.add(object, host, &locations, &agreed);
                }
            }
            Err(fault) => imported.leave(object, fault),
        }
    }
}

/// The filters CORS of a rule or a backend.
fn filters(of: &Node) -> impl Iterator<Item = &Node> {
    let is_cors = |filter: &&Node| filter.text("type") == Some("CORS") || filter.get("cors").is_some();
    of.list("filters").iter().filter(is_cors)
}

fn agree(filter: &Node) -> Result<Agreed, Fault> {
    filter.has_only(&["type", "cors"])?;
    let Some(cors) = filter.get("cors") else {
        return Err(filter.fault("the filter has no \"cors\""));
    };
    cors.has_only(&KNOWN)?;
    let origins = cors.texts("allowOrigins")?;
    let is_of_scheme = |(_, origin): &&(usize, String)| matches!(origin.as_str(), "http://*" | "https://*");
    if let Some((line, origin)) = origins.iter().find(is_of_scheme) {
        let why = format!("\"{origin}\" lets in every origin of its scheme; write \"*\" if everyone may read this");
        return Err(Fault::new(*line, why));
    }
    Terms {
        origins,
        methods: cors.texts("allowMethods")?,
        headers: cors.texts("allowHeaders")?,
        exposed: cors.texts("exposeHeaders")?,
        credentials: cors.flag("allowCredentials")?.unwrap_or(false),
        // The default is as long as browsers keep an answer that does not say.
        max_age: cors.number("maxAge")?,
        star: Star::IsEchoed,
        line: cors.line,
    }
    .agree()
}

/// The locations of a rule.
fn locations(rule: &Node) -> Result<Vec<String>, Fault> {
    let mut locations = Vec::new();
    for matched in rule.list("matches") {
        if let Some((name, other)) = matched.entries().iter().find(|(name, _)| name != "path") {
            let why = match ["headers", "method", "path", "queryParams"].contains(&name.as_str()) {
                true => format!("the rule is for some requests to its paths, by \"{name}\", and a location is for all"),
                false => unknown(name, &["headers", "method", "path", "queryParams"]),
            };
            return Err(other.fault(why));
        }
        locations.extend(of_path(matched)?);
    }
    if locations.is_empty() {
        locations.push("/".to_owned());
    }
    Ok(locations)
}

fn of_path(matched: &Node) -> Result<Vec<String>, Fault> {
    let Some(path) = matched.get("path") else {
        return Ok(vec!["/".to_owned()]);
    };
    let value = path.text("value").unwrap_or("/");
    match path.text("type") {
        None | Some("PathPrefix") => Ok(below(value)),
        Some("Exact") => Ok(vec![exactly(value)]),
        Some(other) => Err(path.fault(format!(
            "a path of the type \"{other}\" means something else in each gateway: write the location yourself"
        ))),
    }
}
