//! The expression as it is written, and the origins that it matches.

use regex_syntax::ast::Ast;
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::Hir;

use super::error::RegexError;
use super::grammar::Grammar;
use super::graph::{Budget, Graph};
use super::names::Names;
use super::search::{Anything, Strangers};
use super::spelled::{self, Reading};

/// An expression that is syntactically right.
pub(super) struct Syntax<'s> {
    pub source: &'s str,
    pub ast: Ast,
    /// What is matched when requests come.
    pub tree: Hir,
}

impl<'s> Syntax<'s> {
    pub(super) fn parse(source: &'s str) -> Result<Self, RegexError> {
        let ast = regex_syntax::ast::parse::Parser::new()
            .parse(source)
            .map_err(|error| RegexError::Syntax(error.kind().to_string()))?;
        // Origins are ASCII; Unicode classes would make the automaton large for nothing.
        let tree = TranslatorBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .translate(source, &ast)
            .map_err(|error| RegexError::Syntax(error.kind().to_string()))?;
        Ok(Self { source, ast, tree })
    }

    /// The expression with its bytes marked.
    pub(super) fn marked(&self) -> Hir {
        spelled::marked(self.source, &self.ast, Reading::default())
    }

    /// The origins that it matches.
    pub(super) fn graph(&self, budget: &mut Budget) -> Result<Graph, RegexError> {
        graph_of(&self.marked(), Grammar::of_origins(), budget)
    }

    /// Whether it matches origins, and none outside the domains that it names.
    pub(super) fn is_fine(&self, budget: &mut Budget) -> Result<bool, RegexError> {
        let graph = self.graph(budget)?;
        let names = Names::of(&graph, budget)?;
        Ok(!graph.is_empty() && graph.shortest(&Strangers::of(&names), budget)?.is_none())
    }
}

/// The origins of `grammar` that `tree`, whose bytes are marked, matches. One that is longer than origins can be counts
/// for none.
pub(super) fn graph_of(tree: &Hir, grammar: &Grammar, budget: &mut Budget) -> Result<Graph, RegexError> {
    let automaton = spelled::automaton(tree, budget.largest_automaton)?;
    let graph = Graph::new(&automaton, grammar, budget)?;
    match graph.shortest(&Anything, budget)? {
        Some(_) => Ok(graph),
        None => Ok(Graph::default()),
    }
}

/// Whether an expression can be pasted: it is accepted where `source` stands.
pub(super) fn is_accepted(source: &str) -> bool {
    Syntax::parse(source).is_ok_and(|syntax| syntax.is_fine(&mut Budget::for_source(source)).unwrap_or(false))
}

/// The expression without the anchors around it, which it has by itself.
pub(super) fn unanchored(source: &str) -> &str {
    let source = source.strip_prefix('^').unwrap_or(source);
    source
        .strip_suffix('$')
        .filter(|start| !start.ends_with('\\'))
        .unwrap_or(source)
}
