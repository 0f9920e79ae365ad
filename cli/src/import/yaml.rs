//! YAML, and JSON, which is a part of it.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::fault::Fault;
use super::node::{Node, Value};

/// How deep lists and maps may stand in each other.
const DEPTH: usize = 100;

/// How many values the documents of a file may have, with those that aliases repeat.
const NODES: usize = 500_000;

/// The documents of a file.
pub fn documents(text: &str) -> Result<Vec<Node>, Fault> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| Fault {
            line: error.marker().line(),
            why: error.info().to_owned(),
        })?;
        builder.event(event, span)?;
    }
    Ok(builder.documents)
}

/// A list or a map that has begun.
struct Open {
    line: usize,
    anchor: usize,
    /// The name in a map whose value comes next.
    name: Option<String>,
    value: Value,
    names: HashSet<String>,
    nodes: usize,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    /// What aliases stand for, with the number of its values.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let line = span.start.line();
        match event {
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, _) => {
                let is_null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                // In the place of a name null is a text as any other.
                let value = match is_null && !self.is_at_name() {
                    true => Value::Null,
                    false => Value::Scalar(text.into_owned()),
                };
                self.add(Node { line, value }, 1, anchor)?;
            }
            Event::SequenceStart(anchor, _) => self.begin(line, anchor, Value::List(Vec::new()))?,
            Event::MappingStart(anchor, _) => self.begin(line, anchor, Value::Map(Vec::new()))?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let mut value = open.value;
                    if let Value::Map(entries) = &mut value {
                        merge(entries);
                    }
                    let node = Node { line: open.line, value };
                    self.add(node, open.nodes, open.anchor)?;
                }
            }
            Event::Alias(anchor) => {
                let Some((node, nodes)) = self.anchors.get(&anchor).cloned() else {
                    return Err(Fault::new(line, "an alias stands for what it is itself a part of"));
                };
                self.count(line, nodes)?;
                self.add(node, nodes, 0)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn is_at_name(&self) -> bool {
        let open = self.open.last();
        open.is_some_and(|open| matches!(open.value, Value::Map(_)) && open.name.is_none())
    }

    fn begin(&mut self, line: usize, anchor: usize, value: Value) -> Result<(), Fault> {
        if self.open.len() >= DEPTH {
            let why = format!("lists and maps stand in each other more than {DEPTH} deep");
            return Err(Fault::new(line, why));
        }
        self.count(line, 1)?;
        self.open.push(Open {
            line,
            anchor,
            name: None,
            value,
            names: HashSet::new(),
            nodes: 1,
        });
        Ok(())
    }

    fn count(&mut self, line: usize, nodes: usize) -> Result<(), Fault> {
        self.nodes = self.nodes.saturating_add(nodes);
        match self.nodes <= NODES {
            true => Ok(()),
            false => Err(Fault::new(
                line,
                format!("with what its aliases repeat, the file has more than {NODES} values"),
            )),
        }
    }

    fn add(&mut self, node: Node, nodes: usize, anchor: usize) -> Result<(), Fault> {
        if matches!(node.value, Value::Null | Value::Scalar(_)) {
            self.count(node.line, 1)?;
        }
        if anchor > 0 {
            // The copy counts, too.
            self.count(node.line, nodes)?;
            self.anchors.insert(anchor, (node.clone(), nodes));
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        open.nodes = open.nodes.saturating_add(nodes);
        match &mut open.value {
            Value::List(elements) => elements.push(node),
            Value::Map(entries) => match open.name.take() {
                Some(name) => entries.push((name, node)),
                None => {
                    let line = node.line;
                    let Value::Scalar(name) = node.value else {
                        return Err(Fault::new(line, "the name of an entry is no text"));
                    };
                    if name != "<<" && !open.names.insert(name.clone()) {
                        return Err(Fault::new(line, format!("\"{name}\" is given twice")));
                    }
                    open.name = Some(name);
                }
            },
            Value::Null | Value::Scalar(_) => {}
        }
        Ok(())
    }
}

/// Takes in what `<<` names: the entries of other maps that this one does not give itself.
fn merge(entries: &mut Vec<(String, Node)>) {
    let (merged, own): (Vec<_>, Vec<_>) = entries.drain(..).partition(|(name, _)| name == "<<");
    *entries = own;
    if merged.is_empty() {
        return;
    }
    let mut names: HashSet<_> = entries.iter().map(|(name, _)| name.clone()).collect();
    for (_, node) in merged {
        let maps = match node.value {
            Value::List(maps) => maps,
            _ => vec![node],
        };
        for map in maps {
            if let Value::Map(others) = map.value {
                entries.extend(others.into_iter().filter(|(name, _)| names.insert(name.clone())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Node {
        documents(text).unwrap().remove(0)
    }

    #[test]
    fn values_know_their_lines() {
        let node = only("a: 1\nb:\n  - x\n  - y\n");
        assert_eq!(node.text("a"), Some("1"));
        let lines: Vec<_> = node.list("b").iter().map(|node| node.line).collect();
        assert_eq!(lines, [3, 4]);
    }

    #[test]
    fn json_is_read_as_it_is() {
        let node = only("{\"a\": {\"b\": [true, null, \"null\"]}}");
        let list = &node.at(&["a", "b"]).unwrap().value;
        let Value::List(list) = list else { panic!() };
        let values: Vec<_> = list.iter().map(Node::scalar).collect();
        assert_eq!(values, [Some("true"), None, Some("null")]);
    }

    #[test]
    fn a_file_may_hold_several_documents() {
        assert_eq!(documents("a: 1\n---\nb: 2\n").unwrap().len(), 2);
    }

    #[test]
    fn aliases_and_merged_maps_stand_for_what_they_name() {
        let node = only("base: &base {a: 1, b: 2}\nother:\n  <<: *base\n  b: 3\n");
        let other = node.get("other").unwrap();
        assert_eq!((other.text("a"), other.text("b")), (Some("1"), Some("3")));
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
            text.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
        }
        assert!(documents(&text).unwrap_err().why.contains("more than 500000 values"));
    }

    #[test]
    fn deep_nesting_is_refused() {
        let nested = |depth| documents(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        assert!(nested(DEPTH).is_ok());
        assert!(nested(DEPTH + 1).is_err());
        assert!(nested(100_000).is_err());
    }

    #[test]
    fn a_name_that_is_given_twice_is_refused() {
        let fault = documents("a: 1\na: 2\n").unwrap_err();
        assert_eq!(fault, Fault::new(2, "\"a\" is given twice"));
    }

    #[test]
    fn a_wrong_document_is_told_with_its_line() {
        assert_eq!(documents("a: 1\nb: [\n").unwrap_err().line, 3);
    }
}
