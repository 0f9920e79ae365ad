//! An expression as an automaton that remembers how each byte came about: whether the expression spells it out, or
//! leaves it open.
//!
//! A byte is *spelled out* by a literal, or by a class of at most [`FEW`] bytes. It is *open* in a larger class, and in
//! whatever is repeated: an author who writes `[a-z]+` does not know which texts that will be. Two repetitions only
//! abbreviate, and leave what they repeat spelled out: a fixed number of a literal (`w{3}`), and an optional part that
//! consists of whole labels (`(\.au)?`).
//!
//! In the automaton a byte that is spelled out is itself; one that is open has its highest bit set. Origins are ASCII.

use regex_automata::nfa::thompson::{self, WhichCaptures, NFA};
use regex_syntax::ast::{self, Ast, RepetitionKind, RepetitionRange};
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Repetition};

use super::alphabet::Bytes;

/// A class of so many bytes still spells them out: `[12]`.
const FEW: usize = 4;

/// The bit by which a byte is marked as open.
pub(super) const OPEN: u8 = 0x80;

/// How an expression is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    pub case_insensitive: bool,
    pub unicode: bool,
    /// Every optional part counts as spelled out.
    pub spells_optional: bool,
}

impl Reading {
    /// How what follows the flags `(?...)` is read.
    fn with(mut self, flags: &ast::Flags) -> Self {
        self.case_insensitive = flags
            .flag_state(ast::Flag::CaseInsensitive)
            .unwrap_or(self.case_insensitive);
        self.unicode = flags.flag_state(ast::Flag::Unicode).unwrap_or(self.unicode);
        self
    }
}

/// Why there is no automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// The automaton of `tree`, which may take `largest` bytes of memory.
pub(super) fn automaton(tree: &Hir, largest: usize) -> Result<NFA, TooLarge> {
    let config = thompson::Config::new()
        .utf8(false)
        .nfa_size_limit(Some(largest))
        .which_captures(WhichCaptures::None);
    thompson::Compiler::new()
        .configure(config)
        .build_from_hir(tree)
        .map_err(|_| TooLarge)
}

/// `ast`, which was read from `source`, with its bytes marked.
pub(super) fn marked(source: &str, ast: &Ast, reading: Reading) -> Hir {
    Marker::new(source, reading).mark(ast, true)
}

/// Marks one part of an expression after the other.
pub(super) struct Marker<'s> {
    source: &'s str,
    reading: Reading,
}

impl<'s> Marker<'s> {
    pub(super) fn new(source: &'s str, reading: Reading) -> Self {
        Self { source, reading }
    }

    pub(super) fn mark(&mut self, ast: &Ast, spelled: bool) -> Hir {
        match ast {
            Ast::Empty(_) => Hir::empty(),
            Ast::Flags(flags) => {
                self.reading = self.reading.with(&flags.flags);
                Hir::empty()
            }
            Ast::Assertion(_) => match self.leaf(ast).map(Hir::into_kind) {
                Some(HirKind::Look(look)) => Hir::look(look),
                _ => Hir::fail(),
            },
            Ast::Literal(_) | Ast::Dot(_) | Ast::ClassUnicode(_) | Ast::ClassPerl(_) | Ast::ClassBracketed(_) => {
                let bytes = self.bytes(ast);
                bytes_marked(bytes, spelled && bytes.len() <= FEW)
            }
            Ast::Repetition(repetition) => {
                let (min, max) = limits(&repetition.op.kind);
                let is_meant = |ast| self.reading.spells_optional || self.is_whole_labels(ast);
                let abbreviates = match max {
                    Some(max) if max == min => self.is_literal(&repetition.ast),
                    Some(1) => is_meant(&repetition.ast),
                    _ => false,
                };
                let sub = self.mark(&repetition.ast, spelled && abbreviates);
                Hir::repetition(Repetition {
                    min,
                    max,
                    greedy: true,
                    sub: Box::new(sub),
                })
            }
            Ast::Group(group) => {
                let outside = self.reading;
                self.reading = group.flags().map_or(outside, |flags| outside.with(flags));
                let inside = self.mark(&group.ast, spelled);
                self.reading = outside;
                inside
            }
            // Flags hold from one branch to the next, and end with the group.
            Ast::Alternation(alternation) => {
                Hir::alternation(alternation.asts.iter().map(|ast| self.mark(ast, spelled)).collect())
            }
            Ast::Concat(concat) => Hir::concat(concat.asts.iter().map(|ast| self.mark(ast, spelled)).collect()),
        }
    }

    /// The bytes of origins that a literal or a class stands for.
    fn bytes(&self, ast: &Ast) -> Bytes {
        if let Ast::Literal(literal) = ast {
            let Ok(byte) = u8::try_from(literal.c) else {
                return Bytes::NONE;
            };
            let folded = byte.to_ascii_lowercase();
            return Bytes::one(if self.reading.case_insensitive { folded } else { byte });
        }
        match self.leaf(ast).map(Hir::into_kind) {
            Some(HirKind::Literal(literal)) => match literal.0[..] {
                [byte] => Bytes::one(byte),
                _ => Bytes::NONE,
            },
            Some(HirKind::Class(Class::Bytes(class))) => class.iter().fold(Bytes::NONE, |bytes, range| {
                bytes.or(Bytes::range(range.start(), range.end()))
            }),
            Some(HirKind::Class(Class::Unicode(class))) => Bytes::matching(|byte| {
                let character = char::from(byte);
                class
                    .iter()
                    .any(|range| range.start() <= character && character <= range.end())
            }),
            _ => Bytes::NONE,
        }
    }

    /// A part of the expression that holds no other, as the library reads it.
    fn leaf(&self, ast: &Ast) -> Option<Hir> {
        TranslatorBuilder::new()
            .utf8(false)
            .case_insensitive(self.reading.case_insensitive)
            .unicode(self.reading.unicode)
            .build()
            .translate(self.source, ast)
            .ok()
    }

    /// Whether a part stands for one text.
    fn is_literal(&self, ast: &Ast) -> bool {
        match ast {
            Ast::Empty(_) => true,
            Ast::Literal(_) | Ast::ClassBracketed(_) => self.bytes(ast).len() == 1,
            Ast::Group(group) => self.is_literal(&group.ast),
            Ast::Concat(concat) => concat.asts.iter().all(|ast| self.is_literal(ast)),
            _ => false,
        }
    }

    /// Whether an optional part begins or ends with the dot that parts it from its neighbour.
    fn is_whole_labels(&self, ast: &Ast) -> bool {
        match ast {
            Ast::Group(group) => self.is_whole_labels(&group.ast),
            Ast::Alternation(alternation) => alternation.asts.iter().all(|ast| self.is_whole_labels(ast)),
            Ast::Concat(concat) => {
                let ends = [concat.asts.first(), concat.asts.last()];
                ends.into_iter().flatten().any(|ast| self.is_whole_labels(ast))
            }
            Ast::Literal(_) | Ast::ClassBracketed(_) => self.bytes(ast) == Bytes::one(b'.'),
            _ => false,
        }
    }
}

/// One of `bytes`, marked.
fn bytes_marked(bytes: Bytes, spelled: bool) -> Hir {
    let mark = if spelled { 0 } else { OPEN };
    let ranges = bytes.iter().map(|byte| ClassBytesRange::new(byte | mark, byte | mark));
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}

fn limits(kind: &RepetitionKind) -> (u32, Option<u32>) {
    match kind {
        RepetitionKind::ZeroOrOne => (0, Some(1)),
        RepetitionKind::ZeroOrMore => (0, None),
        RepetitionKind::OneOrMore => (1, None),
        RepetitionKind::Range(RepetitionRange::Exactly(times)) => (*times, Some(*times)),
        RepetitionKind::Range(RepetitionRange::AtLeast(min)) => (*min, None),
        RepetitionKind::Range(RepetitionRange::Bounded(min, max)) => (*min, Some(*max)),
    }
}

/// `tree` as it would be if it were searched for instead of bound to both ends.
pub(super) fn searched_for(tree: Hir) -> Hir {
    let anything = || {
        Hir::repetition(Repetition {
            min: 0,
            max: None,
            greedy: true,
            sub: Box::new(bytes_marked(Bytes::range(0, u8::MAX), false)),
        })
    };
    Hir::concat(vec![anything(), tree, anything()])
}

/// `tree` behind a literal `text`.
pub(super) fn behind(text: &str, tree: Hir) -> Hir {
    Hir::concat(vec![Hir::literal(text.as_bytes()), tree])
}
