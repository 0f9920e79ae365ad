//! A text with variables.

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Literal(String),
    /// The name of a variable, in lower case as nginx compares it, or the number of a captured group.
    Variable(String),
}

/// A text with variables, as nginx reads it where a directive takes one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<Part>);

impl Text {
    pub fn parse(written: &str) -> Self {
        let mut parts = Vec::new();
        let mut pieces = written.split('$');
        push_literal(&mut parts, pieces.next().unwrap_or_default());
        for piece in pieces {
            let (name, rest) = name(piece);
            match name {
                "" => {
                    push_literal(&mut parts, "$");
                    push_literal(&mut parts, piece);
                }
                name => {
                    parts.push(Part::Variable(name.to_ascii_lowercase()));
                    push_literal(&mut parts, rest);
                }
            }
        }
        Self(parts)
    }

    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The text, if it holds no variable.
    pub fn literal(&self) -> Option<&str> {
        match &self.0[..] {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The names of its variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The name of the variable, if it is nothing else.
    pub fn variable(&self) -> Option<&str> {
        match &self.0[..] {
            [Part::Variable(name)] => Some(name),
            _ => None,
        }
    }
}

/// The name of the variable with which `piece` begins behind the `$`, and what follows.
fn name(piece: &str) -> (&str, &str) {
    if let Some((name, rest)) = piece.strip_prefix('{').and_then(|piece| piece.split_once('}')) {
        return (name, rest);
    }
    let end = match piece.starts_with(|c: char| c.is_ascii_digit()) {
        // A captured group has one digit.
        true => 1,
        false => piece
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(piece.len()),
    };
    piece.split_at(end)
}

fn push_literal(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Literal(literal)) => literal.push_str(text),
        _ => parts.push(Part::Literal(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_told_from_what_is_around_them() {
        let text = Text::parse("$scheme://${Host}:$1x");
        assert_eq!(text.variables().collect::<Vec<_>>(), ["scheme", "host", "1"]);
        assert_eq!(text.parts().last(), Some(&Part::Literal("x".to_owned())));
    }

    #[test]
    fn a_text_without_variables_is_itself() {
        assert_eq!(Text::parse("https://a.example").literal(), Some("https://a.example"));
        assert_eq!(Text::parse("").literal(), Some(""));
        assert_eq!(Text::parse("a$").literal(), Some("a$"));
        assert_eq!(Text::parse("$http_origin").variable(), Some("http_origin"));
    }
}
