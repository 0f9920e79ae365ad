//! A document of any of the formats as a tree, in which everything knows its line.

use super::fault::Fault;

/// A value with the line on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub line: usize,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    /// Text, numbers and booleans as they are written.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// What a map has under a name; nothing where that is null.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let found = self.entries().iter().find(|(known, _)| known == name);
        found.map(|(_, node)| node).filter(|node| node.value != Value::Null)
    }

    /// What is found by one name after the other.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// The entries of a map, and of anything else none.
    pub fn entries(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements of the list that a map has under a name.
    pub fn list(&self, name: &str) -> &[Self] {
        match self.get(name).map(|node| &node.value) {
            Some(Value::List(elements)) => elements,
            _ => &[],
        }
    }

    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The text that a map has under a name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.scalar()
    }

    pub fn fault(&self, why: impl Into<String>) -> Fault {
        Fault {
            line: self.line,
            why: why.into(),
        }
    }

    /// The texts of a list, each with its line.
    pub fn texts(&self, name: &str) -> Result<Vec<(usize, String)>, Fault> {
        let Some(node) = self.get(name) else {
            return Ok(Vec::new());
        };
        let Value::List(elements) = &node.value else {
            return Err(node.fault(format!("\"{name}\" is no list")));
        };
        let texts = elements.iter().map(|element| match element.scalar() {
            Some(text) => Ok((element.line, text.to_owned())),
            None => Err(element.fault(format!("\"{name}\" holds something that is no text"))),
        });
        texts.collect()
    }

    /// A boolean.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        let Some(node) = self.get(name) else { return Ok(None) };
        match node.scalar() {
            Some("true" | "True" | "TRUE") => Ok(Some(true)),
            Some("false" | "False" | "FALSE") => Ok(Some(false)),
            _ => Err(node.fault(format!("\"{name}\" is neither true nor false"))),
        }
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(node) = self.get(name) else { return Ok(None) };
        let number = node.scalar().and_then(|text| text.parse().ok());
        let wrong = || node.fault(format!("\"{name}\" is no whole number"));
        number.map(Some).ok_or_else(wrong)
    }

    /// Refuses names that are not known: a misspelt one does not say what its author meant.
    pub fn has_only(&self, known: &[&str]) -> Result<(), Fault> {
        match self.entries().iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, node)) => Err(node.fault(unknown(name, known))),
        }
    }
}

/// What is said of a name that is not known.
pub fn unknown(name: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .min();
    match near {
        Some((distance, near)) if distance <= 3 => format!("there is no \"{name}\"; did you mean \"{near}\"?"),
        _ => format!("there is no \"{name}\""),
    }
}
