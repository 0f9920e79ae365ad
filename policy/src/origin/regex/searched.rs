//! Expressions that are searched for in `Origin`, as `map` and `if` of nginx do, instead of matched as a whole.

use regex_syntax::ast::{AssertionKind, Ast};

use super::error::RegexError;
use super::explanation::{explain, patterns};
use super::grammar::{Grammar, Scheme};
use super::graph::{Budget, Graph};
use super::names::Names;
use super::nothing;
use super::search::{Anything, Insecure, Strangers};
use super::spelled;
use super::syntax::{graph_of, Syntax};

/// An expression that is searched for in `Origin`, and which origins it lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchedRegex {
    /// The shortest origin that it matches; none where no browser sends one that it matches.
    pub shortest: Option<String>,
    /// Why it matches no origin.
    pub nothing: Option<String>,
    /// An origin of the web outside the domains that it names.
    pub stranger: Option<String>,
    /// By which mistake it admits that origin.
    pub mistake: Option<String>,
    /// An origin without TLS that it matches, apart from those of the user's own machine.
    pub insecure: Option<String>,
    /// It matches as a whole what it is found in: it begins with `^` and ends with `$`.
    pub is_bound: bool,
    /// The branches of its alternation that match no origin, and why.
    pub dead_branches: Vec<String>,
    /// What `cors_allow_origin` takes instead, where the domains that are meant are few.
    pub patterns: Option<String>,
}

/// Why it cannot be found out which origins an expression matches.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct SearchedRegexError(#[from] RegexError);

impl SearchedRegex {
    /// Reads an expression without what marks it as one (`~`, `~*`).
    pub fn parse(source: &str, ignores_case: bool) -> Result<Self, SearchedRegexError> {
        Self::read(source, ignores_case).map_err(SearchedRegexError)
    }

    fn read(source: &str, ignores_case: bool) -> Result<Self, RegexError> {
        let source = match ignores_case {
            true => format!("(?i){source}"),
            false => source.to_owned(),
        };
        let syntax = Syntax::parse(&source)?;
        let is_bound = is_bound(&syntax.ast);
        let budget = &mut Budget::for_source(&source);
        let graph = graph_of(&spelled::searched_for(syntax.marked()), Grammar::of_origins(), budget)?;
        let shortest = graph.shortest(&Anything, budget)?;
        if shortest.is_none() {
            return Ok(Self {
                shortest,
                nothing: Some(nothing::why(&syntax).reason().to_owned()),
                stranger: None,
                mistake: None,
                insecure: None,
                is_bound,
                dead_branches: Vec::new(),
                patterns: None,
            });
        }
        let names = Names::of(&graph, budget)?;
        let stranger = web_stranger(&graph, &names, budget)?;
        let mistake = stranger.as_ref().map(|origin| {
            let as_a_whole = syntax.is_fine(budget).unwrap_or(false);
            match as_a_whole {
                true => unbound(&syntax.ast).to_owned(),
                false => {
                    let told = explain(&syntax, &graph, &names, origin.clone()).mistake;
                    told.split_once("; ")
                        .map_or(told.clone(), |(mistake, _)| mistake.to_owned())
                }
            }
        });
        let dead_branches = match is_bound {
            true => nothing::dead_branches(&syntax)?,
            false => Vec::new(),
        };
        Ok(Self {
            shortest,
            nothing: None,
            stranger,
            mistake,
            insecure: graph.shortest(&Insecure::new(), budget)?,
            is_bound,
            dead_branches,
            patterns: patterns(&graph, &names),
        })
    }
}

/// A stranger that a browser can visit. One that is searched for mostly leaves the scheme open; what an app can call itself
/// by that is another matter than a site that anyone can put up.
fn web_stranger(graph: &Graph, names: &Names, budget: &mut Budget) -> Result<Option<String>, RegexError> {
    for scheme in [Scheme::Https, Scheme::Http] {
        let of_scheme = Strangers {
            only: Some(scheme),
            ..Strangers::of(names)
        };
        if let Some(origin) = of_scheme.shortest(graph, budget)? {
            return Ok(Some(origin));
        }
    }
    Ok(None)
}

/// What an expression lacks that would be right if it were matched as a whole.
fn unbound(ast: &Ast) -> &'static str {
    match (starts(ast), ends(ast)) {
        (true, false) => "nothing ends it: it goes on behind what is written; a \"$\" is missing",
        (false, true) => "nothing begins it: anything may stand before what is written; a \"^\" is missing",
        _ => "it is searched for anywhere in the origin; \"^\" and \"$\" are missing",
    }
}

/// Whether an expression matches as a whole what it is found in.
fn is_bound(ast: &Ast) -> bool {
    starts(ast) && ends(ast)
}

fn starts(ast: &Ast) -> bool {
    match ast {
        Ast::Assertion(assertion) => matches!(assertion.kind, AssertionKind::StartLine | AssertionKind::StartText),
        Ast::Group(group) => starts(&group.ast),
        Ast::Concat(concat) => concat.asts.iter().find(|ast| !is_flags(ast)).is_some_and(starts),
        Ast::Alternation(alternation) => alternation.asts.iter().all(starts),
        _ => false,
    }
}

fn ends(ast: &Ast) -> bool {
    match ast {
        Ast::Assertion(assertion) => matches!(assertion.kind, AssertionKind::EndLine | AssertionKind::EndText),
        Ast::Group(group) => ends(&group.ast),
        Ast::Concat(concat) => concat.asts.last().is_some_and(ends),
        Ast::Alternation(alternation) => alternation.asts.iter().all(ends),
        _ => false,
    }
}

fn is_flags(ast: &Ast) -> bool {
    matches!(ast, Ast::Flags(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> SearchedRegex {
        SearchedRegex::parse(source, true).unwrap()
    }

    #[test]
    fn one_that_is_bound_to_both_ends_is_judged_as_cors_allow_origin_judges_it() {
        let regex = read(r"^https://([a-z0-9-]+\.)*example\.com$");
        assert_eq!(regex.stranger, None);
        assert_eq!(regex.insecure, None);
        assert_eq!(
            regex.patterns.as_deref(),
            Some("https://example.com https://*.example.com")
        );
    }

    #[test]
    fn one_without_an_end_admits_what_goes_on() {
        let regex = read(r"^https://app\.example\.com");
        let stranger = regex.stranger.unwrap();
        assert!(stranger.starts_with("https://app.example.com"), "{stranger}");
        assert!(regex.mistake.unwrap().contains('$'));
    }

    #[test]
    fn one_without_a_beginning_admits_what_ends_so() {
        let regex = read(r"example\.com$");
        let stranger = regex.stranger.unwrap();
        assert!(stranger.ends_with("example.com"), "{stranger}");
        assert!(!stranger.ends_with(".example.com"), "{stranger}");
    }

    #[test]
    fn a_dot_that_is_not_escaped_is_named() {
        let regex = read("^https://app.example.com$");
        assert_eq!(regex.mistake.unwrap(), "a \".\" stands for any character");
    }

    #[test]
    fn one_that_matches_no_origin_says_why() {
        let regex = read(r"^https://app\.example\.com/$");
        assert_eq!(regex.shortest, None);
        assert!(regex.nothing.unwrap().contains("without a slash"));
    }

    #[test]
    fn a_search_for_a_part_of_an_origin_matches_something() {
        let regex = read(r"\.example\.com$");
        assert!(regex.shortest.is_some());
        assert_eq!(regex.stranger, None);
    }

    #[test]
    fn an_origin_without_tls_is_found() {
        assert!(read(r"^https?://app\.example\.com$")
            .insecure
            .unwrap()
            .starts_with("http://"));
        assert_eq!(read(r"^http://localhost(:[0-9]+)?$").insecure, None);
    }

    #[test]
    fn branches_that_are_dead_are_told_where_the_whole_has_to_match() {
        assert_eq!(
            read(r"^(https://a\.example|https://b\.example/)$").dead_branches.len(),
            1
        );
        assert!(read(r"(https://a\.example|https://b\.example/)")
            .dead_branches
            .is_empty());
    }
}
