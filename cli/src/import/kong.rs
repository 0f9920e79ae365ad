//! Kong: the plugin `cors`, as an object of Kubernetes or in a declarative file.
//!
//! What its fields mean is what Kong/kong makes of them in `kong/plugins/cors/handler.lua`.

use std::collections::BTreeMap;

use super::fault::Fault;
use super::files::Document;
use super::ingress_nginx;
use super::node::{Node, Value};
use super::routes::{object_name, Imported, Object};
use super::terms::{searched, Agreed, Item, Star, Terms};
use crate::written_policy::word;

const KINDS: [&str; 2] = ["KongPlugin", "KongClusterPlugin"];

/// The annotation by which an `Ingress` refers to plugins.
const ANNOTATION: &str = "konghq.com/plugins";

const KNOWN: [&str; 9] = [
    "allow_origin_absent",
    "credentials",
    "exposed_headers",
    "headers",
    "max_age",
    "methods",
    "origins",
    "preflight_continue",
    "private_network",
];

/// What is sent where a plugin does not say.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

/// An object with the plugin, and whether a route refers to it.
struct Plugin<'a> {
    document: &'a Document,
    name: String,
    agreed: Agreed,
    is_used: bool,
}

/// Reads the objects and the files.
pub fn read(documents: &[Document], imported: &mut Imported) -> bool {
    let mut is_known = false;
    // By name: an Ingress may refer to one of its namespace and to one of the cluster.
    let mut plugins: BTreeMap<&str, Option<Plugin<'_>>> = BTreeMap::new();
    for document in documents {
        let root = &document.root;
        let kind = root.text("kind").filter(|kind| KINDS.contains(kind));
        if let (Some(kind), Some("cors")) = (kind, root.text("plugin")) {
            is_known = true;
            if root.text("disabled") == Some("true") {
                continue;
            }
            let name = object_name(root, kind);
            let key = root
                .at(&["metadata", "name"])
                .and_then(Node::scalar)
                .unwrap_or_default();
            let object = Object {
                document,
                name: &name,
                line: root.line,
            };
            let agreed = taken(object, root, imported);
            let plugin = agreed.map(|agreed| Plugin {
                document,
                name: name.clone(),
                agreed,
                is_used: false,
            });
            plugins.insert(key, plugin);
        }
        if root.get("_format_version").is_some() {
            is_known = true;
            declarative(document, imported);
        }
    }
    for document in documents {
        let root = &document.root;
        let annotations = root.at(&["metadata", "annotations"]);
        let names = annotations.and_then(|node| node.text(ANNOTATION)).unwrap_or_default();
        if root.text("kind") != Some("Ingress") {
            continue;
        }
        for name in names.split(',').map(str::trim) {
            let Some(Some(plugin)) = plugins.get_mut(name) else {
                continue;
            };
            plugin.is_used = true;
            let name = object_name(root, "Ingress");
            let object = Object {
                document,
                name: &name,
                line: root.line,
            };
            for (server, locations) in ingress_nginx::servers(root, false) {
                imported.add(object, &server, &locations, &plugin.agreed);
            }
        }
    }
    for plugin in plugins.values().flatten().filter(|plugin| !plugin.is_used) {
        let object = Object {
            document: plugin.document,
            name: &plugin.name,
            line: plugin.document.root.line,
        };
        imported.add_unused(object, &plugin.agreed);
    }
    is_known
}

/// The policy of a plugin, after what is left of it has been told.
fn taken(object: Object<'_>, plugin: &Node, imported: &mut Imported) -> Option<Agreed> {
    match agree(plugin) {
        Ok(mut agreed) => {
            for fault in agreed.left.drain(..) {
                imported.leave(object, fault);
            }
            Some(agreed)
        }
        Err(fault) => {
            imported.leave(object, fault);
            None
        }
    }
}

fn agree(plugin: &Node) -> Result<Agreed, Fault> {
    if let Some(node) = ["configFrom", "configPatches"].iter().find_map(|name| plugin.get(name)) {
        return Err(node.fault("the settings are in a secret: write them into \"config\" first"));
    }
    let empty = Node {
        line: plugin.line,
        value: Value::Map(Vec::new()),
    };
    let config = plugin.get("config").unwrap_or(&empty);
    config.has_only(&KNOWN)?;
    let credentials = config.flag("credentials")?.unwrap_or(false);
    let mut left = Vec::new();
    let mut origins = Vec::new();
    let given = config.texts("origins")?;
    if given.is_empty() {
        origins.push((config.line, "*".to_owned()));
    }
    for (line, origin) in given {
        let is_plain = |sign: u8| sign.is_ascii_alphanumeric() || matches!(sign, b'.' | b':' | b'/' | b'-');
        if origin == "*" || origin.bytes().all(is_plain) {
            origins.push((line, origin));
            continue;
        }
        // Expressions are those with other signs. They are anchored, whether they say so or not.
        let inner = origin.strip_prefix('^').unwrap_or(&origin);
        let inner = inner.strip_suffix('$').unwrap_or(inner);
        if !origin.contains(':') {
            let why = format!("\"{origin}\" is matched with host names alone, of any scheme: write it with its scheme");
            left.push(Fault::new(line, why));
            continue;
        }
        match searched(&format!("^(?:{inner})$")) {
            Ok(_) => origins.push((line, format!("~{inner}"))),
            Err(why) => left.push(Fault::new(line, why)),
        }
    }
    if let (true, Some(first)) = (origins.is_empty(), left.first()) {
        return Err(first.clone());
    }
    let mut methods = config.texts("methods")?;
    if methods.is_empty() {
        methods = METHODS.iter().map(|name| (config.line, (*name).to_owned())).collect();
        // Browsers send none of these for a script (Fetch, "forbidden method").
        methods.retain(|(_, name)| !matches!(name.as_str(), "TRACE" | "CONNECT"));
    }
    let mut named = |name| -> Result<Vec<Item>, Fault> {
        let mut names = config.texts(name)?;
        names.retain(|(line, text)| {
            // It is sent as it is, while the module would send back what is asked for.
            let is_literal = text == "*" && credentials;
            if is_literal {
                let why = format!("beside credentials browsers take a \"*\" in {name} for a name");
                left.push(Fault::new(*line, why));
            }
            !is_literal
        });
        Ok(names)
    };
    let exposed = named("exposed_headers")?;
    let is_given = !config.texts("headers")?.is_empty();
    let mut headers = named("headers")?;
    if !is_given {
        // What is asked for is sent back. Without credentials the `*` does not stand for `Authorization`.
        headers.push((config.line, "*".to_owned()));
        if !credentials {
            headers.push((config.line, "Authorization".to_owned()));
        }
    }
    if config.flag("preflight_continue")? == Some(true) {
        let node = config.get("preflight_continue").unwrap_or(config);
        let why = "preflight_continue has the application answer preflights: write \"cors_preflight pass\" if it is to";
        left.push(node.fault(why));
    }
    if config.flag("private_network")? == Some(true) {
        let node = config.get("private_network").unwrap_or(config);
        let why = "private_network lets public sites into private networks: write \"cors_allow_private_network\" if it is meant";
        left.push(node.fault(why));
    }
    let terms = Terms {
        origins,
        methods,
        headers,
        exposed,
        credentials,
        max_age: config.number("max_age")?,
        star: Star::IsEchoed,
        line: config.line,
    };
    let mut agreed = terms.agree()?;
    agreed.left.extend(left);
    Ok(agreed)
}

/// A file: plugins of routes, of their services, and of everything. The nearest one is in force.
fn declarative(document: &Document, imported: &mut Imported) {
    let root = &document.root;
    let services = root.list("services").iter();
    let within = services.flat_map(|service| service.list("routes").iter().map(move |route| (Some(service), route)));
    let alone = root.list("routes").iter().map(|route| (None, route));
    let mut told = Vec::new();
    for (service, route) in within.chain(alone) {
        let plugin = plugin_of(root, route, "route")
            .or_else(|| plugin_of(root, service?, "service"))
            .or_else(|| plugin_of_all(root));
        let Some(plugin) = plugin else { continue };
        let name = format!("route {}", route.text("name").unwrap_or("?"));
        let object = Object {
            document,
            name: &name,
            line: route.line,
        };
        // What is wrong with a plugin of several routes is told once.
        let agreed = match told.contains(&plugin.line) {
            true => agree(plugin).ok(),
            false => taken(object, plugin, imported),
        };
        told.push(plugin.line);
        let Some(agreed) = agreed else { continue };
        let narrower = ["headers", "methods", "snis"].iter().find(|by| route.get(by).is_some());
        if let Some(by) = narrower {
            let why = format!("the route is for some requests to its paths, by \"{by}\", and a location is for all");
            imported.leave(object, route.fault(why));
            continue;
        }
        let texts = |by: &str, default: &str| {
            let texts = route.list(by).iter().filter_map(Node::scalar).map(str::to_owned);
            let texts: Vec<_> = texts.collect();
            if texts.is_empty() {
                vec![default.to_owned()]
            } else {
                texts
            }
        };
        let locations: Vec<_> = texts("paths", "/").iter().map(|path| location(path)).collect();
        for host in texts("hosts", "_") {
            imported.add(object, &host, &locations, &agreed);
        }
    }
}

fn is_cors(plugin: &&Node) -> bool {
    plugin.text("name") == Some("cors") && plugin.text("enabled") != Some("false")
}

/// The plugin of a route or a service, within it or beside it.
fn plugin_of<'a>(root: &'a Node, node: &'a Node, by: &str) -> Option<&'a Node> {
    let own = node.list("plugins").iter().find(is_cors);
    let name = node.text("name");
    let refers = |plugin: &&Node| {
        let reference = plugin.get(by);
        let referred = reference.and_then(|reference| reference.scalar().or_else(|| reference.text("name")));
        referred.is_some() && referred == name
    };
    own.or_else(|| root.list("plugins").iter().filter(is_cors).find(refers))
}

fn plugin_of_all(root: &Node) -> Option<&Node> {
    let refers = |plugin: &&Node| {
        ["route", "service", "consumer"]
            .iter()
            .all(|by| plugin.get(by).is_none())
    };
    root.list("plugins").iter().filter(is_cors).find(refers)
}

/// A path is a prefix of the text, or an expression for the beginning behind `~`.
fn location(path: &str) -> String {
    match path.strip_prefix('~') {
        Some(expression) => format!("~ {}", word(&format!("^{}", expression.trim_start_matches('^')))),
        None => word(path),
    }
}
