//! `deploy/kubernetes/` and the YAML of `docs/gateways.md`: what they say fits the definitions of their kinds, which
//! `tests/schemas/` knows, and the snippets in them are accepted where they go.

use std::collections::BTreeSet;
use std::fs;

use harness::{workspace_root, Nginx};
use serde::Deserialize;
use serde_json::Value;

/// The objects of a file in YAML.
fn objects(text: &str) -> Vec<Value> {
    serde_yaml_ng::Deserializer::from_str(text)
        .map(|object| Value::deserialize(object).expect("YAML"))
        .collect()
}

/// The texts of all manifests.
fn files() -> Vec<String> {
    let directory = fs::read_dir(workspace_root().join("deploy/kubernetes")).expect("the manifests");
    directory
        .map(|entry| fs::read_to_string(entry.expect("a manifest").path()).expect("a manifest"))
        .collect()
}

/// The objects of all manifests.
fn manifests() -> Vec<Value> {
    files().iter().flat_map(|text| objects(text)).collect()
}

fn schema(kind: &str) -> Value {
    let file = workspace_root().join(format!("tests/schemas/{kind}.yaml"));
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    objects(&text).remove(0)
}

/// All that is wrong with an object.
fn faults(kind: &str, object: &Value) -> Vec<String> {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource(kind, schema(kind)).expect("a resource");
    let compiled = compiler.compile(kind, &mut schemas).expect("a schema");
    let mut faults = Vec::new();
    if let Err(error) = schemas.validate(object, compiled) {
        gather(&error, &mut faults);
    }
    faults
}

/// An error stands for those that caused it, and the last of these say what is wrong.
fn gather(error: &boon::ValidationError, faults: &mut Vec<String>) {
    if error.causes.is_empty() {
        faults.push(format!("{}: {}", error.instance_location, error.kind));
    }
    for cause in &error.causes {
        gather(cause, faults);
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The elements of a list, none where there is none.
fn list<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// The examples under `## {part}` of the page, each with the `### section` that it stands in.
fn examples(part: &str) -> Vec<(String, Value)> {
    let page = fs::read_to_string(workspace_root().join("docs/gateways.md")).expect("the page");
    let (_, rest) = page.split_once(&format!("\n## {part}\n")).expect("the part");
    let part = rest.split("\n## ").next().unwrap_or_default();
    let mut found = Vec::new();
    for section in part.split("\n### ").skip(1) {
        let name = section.lines().next().unwrap_or_default();
        for example in section.split("```yaml\n").skip(1) {
            let example = example.split("```").next().unwrap_or_default();
            found.push((name.to_owned(), objects(example).remove(0)));
        }
    }
    found
}

#[test]
fn every_manifest_fits_the_definition_of_its_kind() {
    let mut kinds = BTreeSet::new();
    for object in manifests() {
        let kind = text(&object, "/kind");
        assert_eq!(faults(kind, &object), [""; 0]);
        kinds.insert(kind.to_owned());
    }
    let expected = [
        "ConfigMap",
        "Deployment",
        "HTTPRoute",
        "Ingress",
        "NginxProxy",
        "SnippetsFilter",
        "VirtualServer",
    ];
    assert_eq!(kinds, expected.map(str::to_owned).into());
}

#[test]
fn a_manifest_that_does_not_fit_is_found_out() {
    // An unknown name, a wrong type, a value that is not one of those listed, a name that is missing.
    for (what, instead) in [
        ("  server-snippets: |", "  server-snippet: |"),
        ("      port: 80\n  routes:", "      port: '80'\n  routes:"),
        ("context: main", "context: server"),
        ("            group: gateway.nginx.org\n", ""),
        ("restartPolicy: Always", "restartPolicy: always"),
        (
            "          volumeMounts:\n            - name: configuration",
            "          volumes:\n            - name: configuration",
        ),
    ] {
        let files = files();
        let file = files.iter().find(|file| file.contains(what)).expect("a place to break");
        let broken = objects(&file.replace(what, instead));
        let found: Vec<_> = broken
            .iter()
            .flat_map(|object| faults(text(object, "/kind"), object))
            .collect();
        assert_eq!(found.len(), 1, "{what}: {found:?}");
    }
}

#[test]
fn what_a_manifest_refers_to_is_in_it() {
    let manifests = manifests();
    let filters: Vec<_> = manifests
        .iter()
        .filter(|object| text(object, "/kind") == "SnippetsFilter")
        .map(|filter| text(filter, "/metadata/name"))
        .collect();
    let mut count = 0;
    for object in &manifests {
        for rule in list(object, "/spec/rules") {
            for filter in list(rule, "/filters") {
                assert!(filters.contains(&text(filter, "/extensionRef/name")), "{filter}");
                count += 1;
            }
        }
        let pod = &object["spec"]["template"]["spec"];
        let volumes: Vec<_> = list(pod, "/volumes").map(|volume| text(volume, "/name")).collect();
        for container in list(pod, "/initContainers").chain(list(pod, "/containers")) {
            for mount in list(container, "/volumeMounts") {
                assert!(volumes.contains(&text(mount, "/name")), "{mount}");
                count += 1;
            }
        }
        let upstreams: Vec<_> = list(object, "/spec/upstreams")
            .map(|upstream| text(upstream, "/name"))
            .collect();
        for route in list(object, "/spec/routes") {
            assert!(upstreams.contains(&text(route, "/action/pass")), "{route}");
            count += 1;
        }
    }
    assert_eq!(count, 9);
}

/// The texts in nginx's language of an object, each with the context that it goes into.
fn snippets(object: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut add = |context: &str, snippet: &Value| {
        let snippet = snippet.as_str().expect("a text").to_owned();
        found.push((context.to_owned(), snippet));
    };
    let routes: Vec<_> = list(object, "/spec/routes").collect();
    for place in ["/data", "/metadata/annotations", "/spec"]
        .iter()
        .filter_map(|place| object.pointer(place))
        .chain(routes)
    {
        for (key, value) in place.as_object().into_iter().flatten() {
            if let Some(context) = key.strip_suffix("-snippets") {
                add(context.rsplit('/').next().unwrap_or_default(), value);
            }
        }
    }
    for snippet in list(object, "/spec/snippets") {
        let context = text(snippet, "/context").rsplit('.').next().unwrap_or_default();
        add(context, &snippet["value"]);
    }
    found
}

#[test]
fn every_snippet_is_accepted_where_it_goes() {
    let snippets: Vec<_> = manifests().iter().flat_map(snippets).collect();
    for (context, snippet) in &snippets {
        let builder = match &**context {
            // The tests load the module themselves.
            "main" => {
                assert_eq!(snippet, "load_module modules/ngx_http_cors_module.so;\n");
                continue;
            }
            "http" => Nginx::builder().http(snippet).server(""),
            "server" => Nginx::builder().server(snippet),
            "location" => Nginx::builder().server(&format!("location / {{ {snippet} }}")),
            _ => panic!("{context}: {snippet}"),
        };
        let check = builder.check();
        assert!(check.accepted(), "{snippet}{}", check.stderr);
    }
    assert_eq!(snippets.len(), 7);
}

#[test]
fn the_page_has_every_field_and_every_annotation() {
    for kind in ["HTTPCORSFilter", "ingress-nginx"] {
        let known = schema(kind);
        let known: BTreeSet<_> = known["properties"]
            .as_object()
            .expect("names")
            .keys()
            .cloned()
            .collect();
        let mapped: BTreeSet<_> = examples(kind).into_iter().map(|(section, _)| section).collect();
        assert_eq!(mapped, known);
    }
}

#[test]
fn every_example_of_the_page_is_of_its_kind_and_about_its_section() {
    for kind in ["HTTPCORSFilter", "ingress-nginx"] {
        for (section, example) in examples(kind) {
            assert_eq!(faults(kind, &example), [""; 0]);
            assert!(example.get(&section).is_some(), "{section}: {example}");
        }
    }
}

/// An nginx whose configuration is a file of its own, with the paths of its lists where the test has them.
#[track_caller]
fn assert_loads(configuration: &str) {
    let (_, http) = configuration.split_once("\nhttp {\n").expect("an http block");
    let (http, _) = http.rsplit_once('}').expect("its end");
    let http = http
        .replace("listen 8080;", "listen 127.0.0.1:{port};")
        .replace("/etc/nginx/previews/", "")
        .replace("/lists/", "");
    let check = Nginx::builder()
        .http(&http)
        .file("conf/previews.txt", "https://pr-7.preview.example.com\n")
        .file("conf/tenants.txt", "api.acme.example https://www.acme.example\n")
        .check();
    assert!(check.accepted(), "{}", check.stderr);
}

#[test]
fn the_configurations_with_lists_are_accepted() {
    let mut count = 0;
    for object in manifests() {
        if let Some(configuration) = object.pointer("/data/nginx.conf") {
            assert_loads(configuration.as_str().expect("a text"));
            count += 1;
        }
    }
    assert_eq!(count, 1);
    let file = workspace_root().join("deploy/docker/nginx.conf");
    assert_loads(&fs::read_to_string(file).expect("the configuration"));
}
