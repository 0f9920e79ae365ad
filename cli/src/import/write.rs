//! Policies in the blocks of nginx that they belong into.

use std::io::{self, Write};

use super::routes::{Imported, Route};
use crate::output::Report;

impl Report for Imported {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        write(self, out)
    }
}

/// Writes a `server` for each name, with its locations, and what is left as comments.
fn write(imported: &Imported, out: &mut dyn Write) -> io::Result<()> {
    left(imported, out)?;
    let mut servers: Vec<&str> = Vec::new();
    for route in &imported.converted {
        if !servers.contains(&route.server.as_str()) {
            servers.push(&route.server);
        }
    }
    for (number, server) in servers.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        writeln!(out, "server {{\n    server_name {server};")?;
        let mut told = None;
        for route in imported.converted.iter().filter(|route| route.server == *server) {
            location(route, &mut told, out)?;
        }
        writeln!(out, "}}")?;
    }
    Ok(())
}

/// Writes what is left as comments.
pub fn left(imported: &Imported, out: &mut dyn Write) -> io::Result<()> {
    for left in &imported.left {
        let told = format!("{}:{}: {}: left: {}", left.file, left.line, left.object, left.reason);
        comment(out, "", &told)?;
    }
    if !imported.left.is_empty() && !imported.converted.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

/// What stands before a location: the object, told once for all of its locations.
type Told<'a> = Option<(&'a str, usize, &'a str)>;

fn location<'a>(route: &'a Route, told: &mut Told<'a>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    let object = Some((route.file.as_str(), route.line, route.object.as_str()));
    if *told != object {
        *told = object;
        comment(out, "    ", &format!("{}:{}: {}", route.file, route.line, route.object))?;
        for note in &route.notes {
            comment(out, "    ", note)?;
        }
    }
    writeln!(out, "    location {} {{", route.location)?;
    for directive in &route.directives {
        for line in directive.lines() {
            writeln!(out, "        {line}")?;
        }
    }
    writeln!(out, "    }}")
}

/// A comment of one line: whatever a document holds, it does not go on as a directive.
pub fn comment(out: &mut dyn Write, indentation: &str, text: &str) -> io::Result<()> {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    writeln!(out, "{indentation}# {text}")
}
