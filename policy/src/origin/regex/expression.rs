//! An expression, and what is found out about it when it is read.

use regex_syntax::hir::Hir;

use super::error::RegexError;
use super::explanation::{self, Stranger};
use super::graph::Budget;
use super::names::Names;
use super::nothing;
use super::search::{Insecure, Strangers};
use super::syntax::Syntax;
use crate::origin::serialized::LOCAL_FILES;

/// One expression, and what was found out about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OriginRegex {
    pub(super) source: Box<str>,
    pub(super) tree: Hir,
    pub(super) findings: Findings,
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
    /// The origin of files.
    pub has_local_files: bool,
    /// The branches of its alternation that match no origin, and why.
    pub dead_branches: Vec<String>,
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
            has_local_files: graph.contains(LOCAL_FILES),
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
