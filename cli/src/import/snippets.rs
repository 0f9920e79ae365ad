//! Policies as the snippets by which a controller of nginx takes directives.

use std::io::{self, Write};

use serde::Serialize;

use super::routes::{Imported, Route};
use super::write::{comment, left};
use crate::output::Report;

/// What is converted, as YAML.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Snippets(pub Imported);

impl Report for Snippets {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        left(&self.0, out)?;
        // The directives, too: in JSON all may stand on one line.
        let mut written: Vec<(&str, usize, &str, &[String])> = Vec::new();
        for route in &self.0.converted {
            let place = (
                route.file.as_str(),
                route.line,
                route.object.as_str(),
                &route.directives[..],
            );
            // A rule with several hosts and paths has one snippet.
            if written.contains(&place) {
                continue;
            }
            let earlier = written
                .iter()
                .filter(|(_, _, object, _)| *object == route.object)
                .count();
            written.push(place);
            writeln!(out, "---")?;
            comment(out, "", &format!("{}:{}: {}", route.file, route.line, route.object))?;
            for note in &route.notes {
                comment(out, "", note)?;
            }
            snippet(route, earlier, out)?;
        }
        Ok(())
    }
}

/// `earlier` is the number of snippets that the object has already.
fn snippet(route: &Route, earlier: usize, out: &mut dyn Write) -> io::Result<()> {
    let (kind, name) = route.object.split_once(' ').unwrap_or_default();
    match kind {
        "VirtualServer" | "VirtualServerRoute" => {
            comment(out, "", &format!("For the route {}.", route.location))?;
            writeln!(out, "location-snippets: |")?;
            directives(route, "  ", out)
        }
        "Ingress" => {
            writeln!(out, "metadata:\n  annotations:\n    nginx.org/location-snippets: |")?;
            directives(route, "      ", out)
        }
        "HTTPRoute" => {
            let (namespace, name) = match name.split_once('/') {
                Some((namespace, name)) => (Some(namespace), name),
                None => (None, name),
            };
            let number = if earlier == 0 {
                String::new()
            } else {
                format!("-{}", earlier + 1)
            };
            let name = format!("{}-cors{number}", plain(name));
            comment(out, "", "For the filters of the rule, in the place of the filter CORS:")?;
            comment(out, "", "  type: ExtensionRef")?;
            let reference = format!("extensionRef: {{group: gateway.nginx.org, kind: SnippetsFilter, name: {name}}}");
            comment(out, "", &format!("  {reference}"))?;
            writeln!(
                out,
                "apiVersion: gateway.nginx.org/v1alpha1\nkind: SnippetsFilter\nmetadata:\n  name: {name}"
            )?;
            if let Some(namespace) = namespace {
                writeln!(out, "  namespace: \"{}\"", plain(namespace))?;
            }
            writeln!(
                out,
                "spec:\n  snippets:\n    - context: http.server.location\n      value: |"
            )?;
            directives(route, "        ", out)
        }
        _ => {
            comment(
                out,
                "",
                "No object of a controller of nginx: a snippet for where it is needed.",
            )?;
            writeln!(out, "location-snippets: |")?;
            directives(route, "  ", out)
        }
    }
}

fn directives(route: &Route, indentation: &str, out: &mut dyn Write) -> io::Result<()> {
    for line in route.directives.iter().flat_map(|directive| directive.lines()) {
        writeln!(out, "{indentation}{line}")?;
    }
    Ok(())
}

/// A name without the signs that objects of Kubernetes have none of, and YAML has another use for.
fn plain(name: &str) -> String {
    let is_known = |sign: &char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '.');
    name.chars().filter(is_known).collect()
}
