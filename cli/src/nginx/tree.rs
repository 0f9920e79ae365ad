//! Directives and blocks.

use std::rc::Rc;

use super::source::Span;

/// A word as nginx takes it: without quotes, and with what stands behind a backslash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub value: Rc<str>,
    pub span: Span,
}

/// A directive, or an entry of a block such as `map`, whose name is then what it is about.
#[derive(Clone, Debug)]
pub struct Directive {
    pub name: Word,
    pub arguments: Vec<Word>,
    /// The directives in its braces, with those of included files; none where it ends with a semicolon, or holds code of
    /// another language.
    pub block: Option<Vec<Directive>>,
    /// From the name to the semicolon or the closing brace.
    pub span: Span,
}

impl Directive {
    pub fn is(&self, name: &str) -> bool {
        &*self.name.value == name
    }

    /// The value of this number.
    pub fn argument(&self, number: usize) -> Option<&str> {
        self.arguments.get(number).map(|word| &*word.value)
    }

    /// The directives in its braces.
    pub fn inner(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }

    /// The name and the values, without the block.
    pub fn head(&self) -> Span {
        let last = self.arguments.last().unwrap_or(&self.name);
        self.name.span.to(last.span)
    }
}

/// A comment.
#[derive(Clone, Debug)]
pub struct Comment {
    pub span: Span,
    /// Nothing else stands on its line.
    pub is_alone: bool,
}
