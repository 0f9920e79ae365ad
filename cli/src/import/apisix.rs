//! APISIX: the plugin `cors`, as objects of its ingress controller or in `apisix.yaml`.
//!
//! What its fields mean is what apache/apisix makes of them in `apisix/plugins/cors.lua`.

use std::collections::BTreeMap;

use super::fault::Fault;
use super::files::Document;
use super::node::{Node, Value};
use super::routes::{exactly, object_name, Imported, Object};
use super::terms::{searched, Agreed, Item, Star, Terms};
use crate::written_policy::word;

const KNOWN: [&str; 11] = [
    "_meta",
    "allow_credential",
    "allow_headers",
    "allow_methods",
    "allow_origins",
    "allow_origins_by_metadata",
    "allow_origins_by_regex",
    "expose_headers",
    "max_age",
    "timing_allow_origins",
    "timing_allow_origins_by_regex",
];

/// Those of `**` that a browser sends for a script (Fetch, "forbidden method").
const METHODS: &str = "GET,POST,PUT,DELETE,PATCH,HEAD,OPTIONS";

/// How long an answer is kept, in seconds, where a plugin does not say.
const MAX_AGE: i64 = 5;

/// Plugins that routes share, by the name of their object.
type Shared<'a> = BTreeMap<String, &'a Node>;

/// Reads the objects and the files.
pub fn read(documents: &[Document], imported: &mut Imported) -> bool {
    let mut is_known = false;
    let kind = |document: &&Document, kind: &str| document.root.text("kind") == Some(kind);
    let shared: Shared<'_> = documents
        .iter()
        .filter(|document| kind(document, "ApisixPluginConfig"))
        .filter_map(|document| {
            let name = document.root.at(&["metadata", "name"])?.scalar()?;
            Some((name.to_owned(), document.root.get("spec")?))
        })
        .collect();
    for document in documents {
        if kind(&document, "ApisixRoute") {
            is_known = true;
            for route in document.root.get("spec").map_or(&[][..], |spec| spec.list("http")) {
                object(document, route, &shared, imported);
            }
        }
        // Files of other products have lists of this name, too, but no such entries.
        let routes = document.root.list("routes");
        if routes
            .iter()
            .any(|route| route.get("uri").is_some() || route.get("uris").is_some())
        {
            is_known = true;
            routes.iter().for_each(|route| standalone(document, route, imported));
        }
    }
    is_known
}

/// A route of an object.
fn object(document: &Document, route: &Node, shared: &Shared<'_>, imported: &mut Imported) {
    let name = object_name(&document.root, "ApisixRoute");
    let of_list = |node: &'_ Node| node.list("plugins").iter().find(|plugin| is_cors(plugin)).cloned();
    let common = route.text("plugin_config_name").and_then(|name| shared.get(name));
    let Some(plugin) = of_list(route).or_else(|| of_list(common?)) else {
        return;
    };
    let object = Object {
        document,
        name: &name,
        line: route.line,
    };
    if let Some(node) = plugin.get("secretRef") {
        return imported.leave(
            object,
            node.fault("the settings are in a secret: write them into \"config\" first"),
        );
    }
    let config = plugin.get("config").cloned().unwrap_or_else(|| empty(plugin.line));
    let matched = route.get("match").cloned().unwrap_or_else(|| empty(route.line));
    let places = Places {
        hosts: texts(&matched, "hosts", "host"),
        paths: texts(&matched, "paths", "path"),
        narrower: ["exprs", "filter_func", "methods", "remoteAddrs"]
            .into_iter()
            .find(|by| matched.get(by).is_some()),
    };
    add(object, &config, &places, imported);
}

fn is_cors(plugin: &Node) -> bool {
    plugin.text("name") == Some("cors") && plugin.text("enable") != Some("false")
}

/// A route of a file.
fn standalone(document: &Document, route: &Node, imported: &mut Imported) {
    let Some(config) = route.at(&["plugins", "cors"]) else {
        return;
    };
    let name = route.text("name").or_else(|| route.text("id")).unwrap_or("?");
    let name = format!("route {name}");
    let object = Object {
        document,
        name: &name,
        line: route.line,
    };
    let by = ["filter_func", "methods", "remote_addr", "remote_addrs", "vars"];
    let places = Places {
        hosts: texts(route, "hosts", "host"),
        paths: texts(route, "uris", "uri"),
        narrower: by.into_iter().find(|by| route.get(by).is_some()),
    };
    add(object, config, &places, imported);
}

/// Which requests a route is for.
struct Places {
    hosts: Vec<String>,
    paths: Vec<String>,
    /// What else chooses them.
    narrower: Option<&'static str>,
}

fn texts(node: &Node, several: &str, one: &str) -> Vec<String> {
    let listed = node.list(several).iter().filter_map(Node::scalar);
    listed.chain(node.text(one)).map(str::to_owned).collect()
}

fn empty(line: usize) -> Node {
    Node {
        line,
        value: Value::Map(Vec::new()),
    }
}

fn add(object: Object<'_>, config: &Node, places: &Places, imported: &mut Imported) {
    let agreed = match agree(config) {
        Ok(agreed) => agreed,
        Err(fault) => return imported.leave(object, fault),
    };
    for fault in &agreed.left {
        imported.leave(object, fault.clone());
    }
    if let Some(by) = places.narrower {
        let why = format!("the route is for some requests to its paths, by \"{by}\", and a location is for all");
        return imported.leave(object, Fault::new(object.line, why));
    }
    let mut locations: Vec<_> = places.paths.iter().map(|path| location(path)).collect();
    if locations.is_empty() {
        locations.push("/".to_owned());
    }
    let any = ["_".to_owned()];
    let hosts = if places.hosts.is_empty() {
        &any[..]
    } else {
        &places.hosts[..]
    };
    for host in hosts {
        imported.add(object, host, &locations, &agreed);
    }
}

/// A path is one path, or with `*` at its end all that begin so.
fn location(path: &str) -> String {
    match path.strip_suffix('*') {
        Some("") => "/".to_owned(),
        Some(prefix) => word(prefix),
        None => exactly(path),
    }
}

/// A list with commas.
fn list(config: &Node, name: &str, default: &str) -> Vec<Item> {
    let line = config.get(name).map_or(config.line, |node| node.line);
    let text = config.text(name).unwrap_or(default);
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| (line, name.to_owned())).collect()
}

fn agree(config: &Node) -> Result<Agreed, Fault> {
    config.has_only(&KNOWN)?;
    let credentials = config.flag("allow_credential")?.unwrap_or(false);
    for name in ["allow_origins", "allow_methods", "allow_headers", "expose_headers"] {
        let default = if name == "expose_headers" { "" } else { "*" };
        if credentials && config.text(name).unwrap_or(default) == "*" {
            let node = config.get(name).unwrap_or(config);
            let why =
                format!("the plugin refuses \"*\" for {name} beside allow_credential: name what needs credentials");
            return Err(node.fault(why));
        }
    }
    let mut left = Vec::new();
    for name in [
        "allow_origins_by_metadata",
        "timing_allow_origins",
        "timing_allow_origins_by_regex",
    ] {
        if let Some(node) = config.get(name) {
            left.push(node.fault(format!("{name} is not turned over: write it yourself")));
        }
    }
    let mut origins = Vec::new();
    let expressions = config.texts("allow_origins_by_regex")?;
    let by_expression = !expressions.is_empty();
    for (line, expression) in expressions {
        match searched(&expression) {
            Ok(value) => origins.push((line, value)),
            Err(why) => left.push(Fault::new(line, why)),
        }
    }
    let listed = list(config, "allow_origins", "*");
    // The origin is sent back, whichever it is.
    let is_everyone = listed.iter().any(|(_, origin)| matches!(origin.as_str(), "*" | "**"));
    match (is_everyone, by_expression) {
        // The documentation says that the expressions count alone then; the plugin looks at the list first.
        (true, true) => {}
        (true, false) => origins.extend(listed.first().map(|(line, _)| (*line, "*".to_owned()))),
        (false, _) => origins.extend(listed),
    }
    if let (true, Some(first)) = (origins.is_empty(), left.first()) {
        return Err(first.clone());
    }
    let mut methods = list(config, "allow_methods", "*");
    if let [(line, all)] = &methods[..] {
        if all == "**" {
            methods = METHODS.split(',').map(|name| (*line, name.to_owned())).collect();
        }
    }
    let mut headers = list(config, "allow_headers", "*");
    if let [(line, all)] = &headers[..] {
        if all == "**" {
            let line = *line;
            headers = vec![(line, "*".to_owned())];
            // Without credentials the `*` does not stand for it (Fetch, "CORS non-wildcard request-header name").
            if !credentials {
                headers.push((line, "Authorization".to_owned()));
            }
        }
    }
    let terms = Terms {
        origins,
        methods,
        headers,
        exposed: list(config, "expose_headers", ""),
        credentials,
        max_age: Some(config.number("max_age")?.unwrap_or(MAX_AGE)),
        star: Star::IsEchoed,
        line: config.line,
    };
    let mut agreed = terms.agree()?;
    agreed.left.extend(left);
    if is_everyone && by_expression {
        let note = "Some versions let in every origin here today: allow_origins is \"*\" unless it is given.";
        agreed.notes.push(note.to_owned());
    }
    Ok(agreed)
}
