//! TOML, in which Traefik's files may be written.

use toml::de::{DeTable, DeValue};
use toml::Spanned;

use super::fault::Fault;
use super::node::{Node, Value};

/// The document of a file. The parser itself refuses values that stand in each other too deep.
pub fn document(text: &str) -> Result<Node, Fault> {
    let lines = Lines::of(text);
    let table = DeTable::parse(text).map_err(|error| Fault {
        line: lines.line(error.span().map_or(0, |span| span.start)),
        why: error.message().to_owned(),
    })?;
    Ok(Node {
        line: 1,
        value: map(table.get_ref(), &lines),
    })
}

fn map(table: &DeTable<'_>, lines: &Lines) -> Value {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(name, value)| {
            let mut node = node(value, lines);
            // A table knows its header, and an entry its name.
            node.line = lines.line(name.span().start).max(node.line);
            (name.get_ref().clone().into_owned(), node)
        })
        .collect();
    // The parser sorts by name.
    entries.sort_by_key(|(_, node)| node.line);
    Value::Map(entries)
}

fn node(value: &Spanned<DeValue<'_>>, lines: &Lines) -> Node {
    let line = lines.line(value.span().start);
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Scalar(text.clone().into_owned()),
        DeValue::Integer(number) => Value::Scalar(number.to_string()),
        DeValue::Float(number) => Value::Scalar(number.to_string()),
        DeValue::Boolean(is) => Value::Scalar(is.to_string()),
        DeValue::Datetime(time) => Value::Scalar(time.to_string()),
        DeValue::Array(elements) => Value::List(elements.iter().map(|element| node(element, lines)).collect()),
        DeValue::Table(table) => map(table, lines),
    };
    Node { line, value }
}

/// Where the lines of a text end.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    fn line(&self, at: usize) -> usize {
        self.0.partition_point(|end| *end < at) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_lines() {
        let node = document("[a.b]\nc = [\"x\",\n  \"y\"]\nd = 5\n").unwrap();
        let inner = node.at(&["a", "b"]).unwrap();
        let lines: Vec<_> = inner.list("c").iter().map(|node| node.line).collect();
        assert_eq!(lines, [2, 3]);
        assert_eq!(inner.number("d"), Ok(Some(5)));
    }

    #[test]
    fn a_wrong_document_is_told_with_its_line() {
        assert_eq!(document("a = 1\nb = =\n").unwrap_err().line, 2);
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(document(&format!("a = {}", "[".repeat(10_000))).is_err());
    }
}
