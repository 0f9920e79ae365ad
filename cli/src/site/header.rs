//! Headers that a configuration adds to responses.

use super::block::{Block, BlockId, Blocks};
use super::text::Text;
use crate::nginx::{Directive, Span, Word};

/// The directive that adds a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// `add_header`: beside what the response has already. A block that has one inherits none.
    AddHeader,
    /// `more_set_headers` of the module headers-more: in the place of what the response has. A block inherits them, too.
    MoreSetHeaders,
}

/// A header that is added to responses.
#[derive(Clone, Debug)]
pub struct AddedHeader<'t> {
    pub name: String,
    pub value: Text,
    /// On every status.
    pub always: bool,
    pub by: By,
    pub directive: &'t Directive,
    pub name_span: Span,
    pub value_span: Span,
}

/// The statuses on which `add_header` adds a header without `always`.
const STATUSES: [u16; 10] = [200, 201, 204, 206, 301, 302, 303, 304, 307, 308];

impl AddedHeader<'_> {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it is one of CORS.
    pub fn is_cors(&self) -> bool {
        let prefix = self.name.get(.."access-control-".len());
        prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case("access-control-"))
    }

    pub fn is_sent_with(&self, status: u16) -> bool {
        self.always || STATUSES.contains(&status)
    }
}

/// The headers that the own directives of a block add.
pub fn own<'t>(block: &Block<'t>) -> Vec<AddedHeader<'t>> {
    block.directives.iter().flat_map(of_directive).collect()
}

/// The headers that a block adds, with those that it inherits.
pub fn in_force<'t>(blocks: &Blocks<'t>, id: BlockId) -> Vec<AddedHeader<'t>> {
    let mut found = Vec::new();
    let around: Vec<_> = blocks.around(id).collect();
    let mut inherits = true;
    for (_, block) in &around {
        let added: Vec<_> = block.own("add_header").flat_map(of_directive).collect();
        if !inherits {
            break;
        }
        // Since nginx 1.29.3.
        let merges = block
            .own("add_header_inherit")
            .any(|directive| directive.argument(0) == Some("merge"));
        inherits = added.is_empty() || merges;
        found.splice(0..0, added);
    }
    for (_, block) in around.iter().rev() {
        for set in block.own("more_set_headers").flat_map(of_directive) {
            found.retain(|other: &AddedHeader<'_>| other.by == By::AddHeader || !other.is(&set.name));
            found.push(set);
        }
    }
    found
}

fn of_directive(directive: &Directive) -> Vec<AddedHeader<'_>> {
    match &*directive.name.value {
        "add_header" => add_header(directive).into_iter().collect(),
        "more_set_headers" => more_set_headers(directive),
        _ => Vec::new(),
    }
}

fn add_header(directive: &Directive) -> Option<AddedHeader<'_>> {
    let (name, value) = match &directive.arguments[..] {
        [name, value, ..] => (name, value),
        _ => return None,
    };
    Some(AddedHeader {
        name: name.value.to_string(),
        value: Text::parse(&value.value),
        always: directive.argument(2) == Some("always"),
        by: By::AddHeader,
        directive,
        name_span: name.span,
        value_span: value.span,
    })
}

fn more_set_headers(directive: &Directive) -> Vec<AddedHeader<'_>> {
    let mut found = Vec::new();
    let mut is_limited = false;
    let mut words = directive.arguments.iter();
    while let Some(word) = words.next() {
        if matches!(&*word.value, "-s" | "-t") {
            is_limited = true;
            words.next();
        } else if let Some(header) = header_line(directive, word) {
            found.push(header);
        }
    }
    // A list of statuses or types says on which responses they are set.
    found.retain(|_| !is_limited);
    found
}

fn header_line<'t>(directive: &'t Directive, word: &'t Word) -> Option<AddedHeader<'t>> {
    let (name, value) = word.value.split_once(':')?;
    Some(AddedHeader {
        name: name.trim().to_owned(),
        value: Text::parse(value.trim()),
        always: true,
        by: By::MoreSetHeaders,
        directive,
        name_span: word.span,
        value_span: word.span,
    })
}
