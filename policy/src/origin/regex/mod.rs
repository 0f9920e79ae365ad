//! Regular expressions: `~https://[a-z]+\.example\.com`.
//!
//! An expression matches an origin as a whole. When it is read, it is decided which origins those are: [`graph`] holds
//! them all, [`names`] finds the domains that the expression spells out, [`search`] looks for an origin outside them,
//! and [`explanation`] says how it got in. [`nothing`] says why an expression matches no origin. When requests come,
//! [`set`] matches all expressions of a list at once.

mod alphabet;
mod explanation;
mod grammar;
mod graph;
mod names;
mod nothing;
mod search;
mod set;
mod spelled;

use regex_syntax::ast::Ast;
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::Hir;

use grammar::{Grammar, Scheme};
use graph::{Budget, Exhausted, Graph};
use names::Names;
use search::{Anything, Insecure, Strangers};
use spelled::{Reading, TooLarge};

pub(crate) use explanation::Stranger;
pub(super) use set::{RegexSet, SetError};

/// One expression, and what was found out about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OriginRegex {
    source: Box<str>,
    tree: Hir,
    findings: Findings,
}

/// Which origins an expression matches that it perhaps should not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// One outside the domains that it names.
    pub stranger: Option<Stranger>,
    /// One in the clear.
    pub insecure: Option<String>,
    /// One of an app or an extension whose host is not spelled out, where there is no stranger.
    pub any_app: Option<String>,
    /// The branches of its alternation that match no origin, and why.
    pub dead_branches: Vec<String>,
}

/// Why an expression is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RegexError {
    #[error("it is no regular expression of linear time: {0}; see https://docs.rs/regex for the syntax")]
    Syntax(String),
    #[error("it is too large to find out which origins it matches; repeat less, or list patterns such as \"https://*.example.com\"")]
    TooLarge,
    #[error("it matches no origin: {0}")]
    Nothing(String),
}

impl From<TooLarge> for RegexError {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

impl From<Exhausted> for RegexError {
    fn from(_: Exhausted) -> Self {
        Self::TooLarge
    }
}

impl OriginRegex {
    /// Reads an expression as it stands behind the `~`.
    pub(crate) fn parse(source: &str) -> Result<Self, RegexError> {
        let syntax = Syntax::parse(source)?;
        let mut budget = Budget::for_source(source);
        let graph = syntax.graph(&mut budget)?;
        if graph.is_empty() {
            return Err(RegexError::Nothing(nothing::why(&syntax).told("~")));
        }
        let names = Names::of(&graph, &mut budget)?;
        let stranger = Strangers::of(&names).shortest(&graph, &mut budget)?;
        let any_app = match stranger {
            None => Strangers::of_apps(&names).shortest(&graph, &mut budget)?,
            Some(_) => None,
        };
        let findings = Findings {
            stranger: stranger.map(|origin| explanation::explain(&syntax, &graph, &names, origin)),
            insecure: graph.shortest(&Insecure::new(), &mut budget)?,
            any_app,
            dead_branches: nothing::dead_branches(&syntax)?,
        };
        Ok(Self {
            source: source.into(),
            tree: syntax.tree,
            findings,
        })
    }

    pub(crate) fn findings(&self) -> &Findings {
        &self.findings
    }
}

/// An expression that is syntactically right.
struct Syntax<'s> {
    source: &'s str,
    ast: Ast,
    /// What is matched when requests come.
    tree: Hir,
}

impl<'s> Syntax<'s> {
    fn parse(source: &'s str) -> Result<Self, RegexError> {
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
    fn marked(&self) -> Hir {
        spelled::marked(self.source, &self.ast, Reading::default())
    }

    /// The origins that it matches.
    fn graph(&self, budget: &mut Budget) -> Result<Graph, RegexError> {
        graph_of(&self.marked(), Grammar::of_origins(), budget)
    }

    /// Whether it matches origins, and none outside the domains that it names.
    fn is_fine(&self, budget: &mut Budget) -> Result<bool, RegexError> {
        let graph = self.graph(budget)?;
        let names = Names::of(&graph, budget)?;
        Ok(!graph.is_empty() && graph.shortest(&Strangers::of(&names), budget)?.is_none())
    }
}

/// The origins of `grammar` that `tree`, whose bytes are marked, matches. One that is longer than origins can be counts
/// for none.
fn graph_of(tree: &Hir, grammar: &Grammar, budget: &mut Budget) -> Result<Graph, RegexError> {
    let automaton = spelled::automaton(tree, budget.largest_automaton)?;
    let graph = Graph::new(&automaton, grammar, budget)?;
    match graph.shortest(&Anything, budget)? {
        Some(_) => Ok(graph),
        None => Ok(Graph::default()),
    }
}

/// Whether an expression can be pasted: it is accepted where `source` stands.
fn is_accepted(source: &str) -> bool {
    Syntax::parse(source).is_ok_and(|syntax| syntax.is_fine(&mut Budget::for_source(source)).unwrap_or(false))
}

/// The expression without the anchors around it, which it has by itself.
fn unanchored(source: &str) -> &str {
    let source = source.strip_prefix('^').unwrap_or(source);
    source
        .strip_suffix('$')
        .filter(|start| !start.ends_with('\\'))
        .unwrap_or(source)
}

impl Strangers<'_> {
    /// The shortest origin that is looked for: one that could be registered, if there is one, of the web if there is one.
    fn shortest(&self, graph: &Graph, budget: &mut Budget) -> Result<Option<String>, Exhausted> {
        let Some(shortest) = graph.shortest(self, budget)? else {
            return Ok(None);
        };
        let registrable = Self {
            registrable: true,
            ..*self
        };
        let secure = Self {
            only: self.only.or(Some(Scheme::Https)),
            ..registrable
        };
        for search in [secure, registrable] {
            if let Some(origin) = graph.shortest(&search, budget)? {
                return Ok(Some(origin));
            }
        }
        Ok(Some(shortest))
    }
}

#[cfg(test)]
mod tests;
