//! Why an expression, or a branch of it, matches no origin.

use regex_syntax::ast::Ast;
use regex_syntax::hir::Hir;

use super::error::RegexError;
use super::explanation::{patterns, LONGEST_REMEDY};
use super::grammar::{Grammar, Leniency};
use super::graph::{Budget, Graph};
use super::names::Names;
use super::search::Strangers;
use super::spelled::{self, Reading};
use super::syntax::{graph_of, is_accepted, unanchored, Syntax};
use crate::problem::shown;

/// A reason, and what to write instead where that is known.
pub(super) struct Nothing {
    reason: &'static str,
    instead: Instead,
}

enum Instead {
    /// An expression.
    Expression(String),
    /// Other values.
    Values(String),
    /// What to decide.
    Advice(&'static str),
}

impl Nothing {
    pub(super) fn reason(&self) -> &'static str {
        self.reason
    }

    /// The reason and the remedy. What stands before an expression there is told, too.
    pub(super) fn told(&self, before: &str) -> String {
        let reason = self.reason;
        match &self.instead {
            Instead::Expression(source) => format!("{reason}; write \"{before}{}\"", shown(source.as_bytes())),
            Instead::Values(values) => format!("{reason}; write \"{values}\""),
            Instead::Advice(advice) => format!("{reason}; {advice}"),
        }
    }
}

/// Why `syntax` matches no origin.
pub(super) fn why(syntax: &Syntax<'_>) -> Nothing {
    let reasons = [null, letter_case, default_port, path, scheme, search];
    reasons.iter().find_map(|reason| reason(syntax)).unwrap_or(Nothing {
        reason: "no browser sends what it matches",
        instead: Instead::Advice("write what browsers send: the scheme, \"://\", the host, and a port that is not the default one, in lower case"),
    })
}

/// So many bytes of expressions are tried for branches of inner alternations, beyond so many for each byte of the source.
/// What is left then is not told: it is a hint, and must not take the time that a long expression would need.
const FEWEST_TRIED: usize = 16 << 10;
const TRIED_FOR_EACH_BYTE: usize = 16;

/// The branches of alternations of `syntax` that match no origin, where others do.
pub(super) fn dead_branches(syntax: &Syntax<'_>) -> Result<Vec<String>, RegexError> {
    let mut dead = dead_outermost_branches(syntax)?;
    dead.extend(dead_inner_branches(syntax));
    Ok(dead)
}

fn dead_inner_branches(syntax: &Syntax<'_>) -> Vec<String> {
    let outermost = outermost_branches(&syntax.ast).map(<[Ast]>::as_ptr);
    let mut alternations = Vec::new();
    alternations_in(&syntax.ast, &mut alternations);
    let inner = alternations.into_iter().filter(|asts| Some(asts.as_ptr()) != outermost);
    let mut tried = 0;
    let mut dead = Vec::new();
    for asts in inner {
        let (Some(first), Some(last)) = (asts.first(), asts.last()) else {
            continue;
        };
        let before = syntax.source.get(..first.span().start.offset).unwrap_or_default();
        let after = syntax.source.get(last.span().end.offset..).unwrap_or_default();
        for ast in asts {
            let branch = syntax.source.get(ast.span().start.offset..ast.span().end.offset);
            let branch = branch.unwrap_or_default();
            // The others are taken away: what is left matches nothing if this one never does.
            let alone = format!("{before}{branch}{after}");
            tried += alone.len();
            if tried > FEWEST_TRIED + TRIED_FOR_EACH_BYTE * syntax.source.len() {
                return dead;
            }
            let budget = &mut Budget::for_source(&alone);
            let Ok(alone) = Syntax::parse(&alone) else { continue };
            if alone.graph(budget).is_ok_and(|graph| graph.is_empty()) {
                let reason = self::why(&alone).reason;
                dead.push(format!(
                    "its branch \"{}\" matches no origin: {reason}; mend it, or remove it",
                    shown(branch.as_bytes())
                ));
            }
        }
    }
    dead
}

/// The alternations of `ast` of which an origin takes one branch at most: not those that are repeated.
fn alternations_in<'a>(ast: &'a Ast, found: &mut Vec<&'a [Ast]>) {
    match ast {
        Ast::Alternation(alternation) => {
            found.push(&alternation.asts);
            alternation.asts.iter().for_each(|ast| alternations_in(ast, found));
        }
        Ast::Group(group) => alternations_in(&group.ast, found),
        Ast::Concat(concat) => concat.asts.iter().for_each(|ast| alternations_in(ast, found)),
        _ => {}
    }
}

fn dead_outermost_branches(syntax: &Syntax<'_>) -> Result<Vec<String>, RegexError> {
    let budget = &mut Budget::for_source(syntax.source);
    let Some(branches) = outermost_branches(&syntax.ast) else {
        return Ok(Vec::new());
    };
    let mut dead = Vec::new();
    // Flags that one branch sets hold in the next ones, too.
    let mut marker = spelled::Marker::new(syntax.source, Reading::default());
    for ast in branches {
        let tree = marker.mark(ast, true);
        if !graph_of(&tree, Grammar::of_origins(), budget)?.is_empty() {
            continue;
        }
        let span = ast.span();
        let source = syntax
            .source
            .get(span.start.offset..span.end.offset)
            .unwrap_or_default();
        let why = Syntax::parse(source)
            .ok()
            .filter(|alone| !matches!(alone.graph(budget), Ok(graph) if !graph.is_empty()));
        let reason = why.map_or_else(String::new, |alone| format!(": {}", self::why(&alone).told("")));
        dead.push(format!(
            "its branch \"{}\" matches no origin{reason}",
            shown(source.as_bytes())
        ));
    }
    Ok(dead)
}

/// The branches of an expression that is an alternation, in a group and between anchors at most.
fn outermost_branches(ast: &Ast) -> Option<&[Ast]> {
    match ast {
        Ast::Alternation(alternation) => Some(&alternation.asts),
        Ast::Group(group) if group.flags().is_none_or(|flags| flags.items.is_empty()) => outermost_branches(&group.ast),
        Ast::Concat(concat) => {
            let mut parts = concat.asts.iter().filter(|ast| !matches!(ast, Ast::Assertion(_)));
            match (parts.next(), parts.next()) {
                (Some(part), None) => outermost_branches(part),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The origins that `tree` matches; none where that cannot be found out.
fn graph(syntax: &Syntax<'_>, tree: &Hir, leniency: Leniency) -> Graph {
    let budget = &mut Budget::for_source(syntax.source);
    let origins = match leniency {
        Leniency::None => graph_of(tree, Grammar::of_origins(), budget),
        other => graph_of(tree, &Grammar::new(other), budget),
    };
    origins.unwrap_or_default()
}

/// The first of these expressions that is accepted, and short enough for a message.
fn accepted(candidates: impl IntoIterator<Item = String>) -> Option<Instead> {
    let mut candidates = candidates.into_iter().filter(|source| source.len() <= LONGEST_REMEDY);
    candidates.find(|source| is_accepted(source)).map(Instead::Expression)
}

fn null(syntax: &Syntax<'_>) -> Option<Nothing> {
    let source = unanchored(syntax.source);
    (source == "null").then(|| Nothing {
        reason: "\"null\" is no origin with a scheme, and a value of its own",
        instead: Instead::Values("null".to_owned()),
    })
}

fn letter_case(syntax: &Syntax<'_>) -> Option<Nothing> {
    let reading = Reading {
        case_insensitive: true,
        ..Reading::default()
    };
    let tree = spelled::marked(syntax.source, &syntax.ast, reading);
    if graph(syntax, &tree, Leniency::None).is_empty() {
        return None;
    }
    let mut lower = syntax.source.to_owned();
    lower_literals(&syntax.ast, &mut lower);
    Some(Nothing {
        reason: "browsers send origins in lower case",
        instead: accepted([lower, format!("(?i){}", syntax.source)]).unwrap_or(Instead::Advice("write it so")),
    })
}

/// Writes the literals of `ast` in lower case.
fn lower_literals(ast: &Ast, source: &mut String) {
    match ast {
        Ast::Literal(literal) if literal.c.is_ascii_uppercase() => {
            let span = literal.span.start.offset..literal.span.end.offset;
            if let Some(text) = source.get(span.clone()).filter(|text| text.len() == 1) {
                let lower = text.to_ascii_lowercase();
                source.replace_range(span, &lower);
            }
        }
        Ast::Group(group) => lower_literals(&group.ast, source),
        Ast::Repetition(repetition) => lower_literals(&repetition.ast, source),
        Ast::Concat(concat) => concat.asts.iter().for_each(|ast| lower_literals(ast, source)),
        Ast::Alternation(alternation) => alternation.asts.iter().for_each(|ast| lower_literals(ast, source)),
        _ => {}
    }
}

fn default_port(syntax: &Syntax<'_>) -> Option<Nothing> {
    if graph(syntax, &syntax.marked(), Leniency::DefaultPort).is_empty() {
        return None;
    }
    let without = ["(:443)", "(:80)", ":443", ":80"].map(|port| syntax.source.replacen(port, "", 1));
    Some(Nothing {
        reason: "browsers leave the default port out",
        instead: accepted(without).unwrap_or(Instead::Advice("leave it out")),
    })
}

fn path(syntax: &Syntax<'_>) -> Option<Nothing> {
    if graph(syntax, &syntax.marked(), Leniency::Path).is_empty() {
        return None;
    }
    let (source, anchor) = match syntax.source.strip_suffix('$') {
        Some(source) => (source, "$"),
        None => (syntax.source, ""),
    };
    let ends = ["\\/", "/", "/.*", "\\/.*", "/.+", "(/.*)", "[/]"];
    let without = ends
        .iter()
        .filter_map(|end| source.strip_suffix(end))
        .map(|start| format!("{start}{anchor}"));
    Some(Nothing {
        reason: "an origin ends after its host and port, without a slash or a path",
        instead: accepted(without).unwrap_or(Instead::Advice("end it there")),
    })
}

fn scheme(syntax: &Syntax<'_>) -> Option<Nothing> {
    let source = unanchored(syntax.source);
    let alone = Syntax::parse(source).ok()?;
    let budget = &mut Budget::for_source(syntax.source);
    let origins = graph(syntax, &spelled::behind("https://", alone.marked()), Leniency::None);
    // Names under nothing are none: that expression was meant to be searched for.
    let nobody = Names::default();
    let registrable = Strangers {
        registrable: true,
        ..Strangers::of(&nobody)
    };
    origins.shortest(&registrable, budget).ok()??;
    let with_scheme = [format!("https://{source}"), format!("https://({source})")];
    let advice = "begin with \"https://\", and name the domains that are meant";
    Some(Nothing {
        reason: "the scheme is missing, and the whole origin has to match",
        instead: accepted(with_scheme).unwrap_or(Instead::Advice(advice)),
    })
}

fn search(syntax: &Syntax<'_>) -> Option<Nothing> {
    let origins = graph(syntax, &spelled::searched_for(syntax.marked()), Leniency::None);
    if origins.is_empty() {
        return None;
    }
    let names = Names::of(&origins, &mut Budget::for_source(syntax.source)).unwrap_or_default();
    let advice = "begin with \"https://\" and end with the domain, or list patterns such as \"https://*.example.com\"";
    Some(Nothing {
        reason: "the whole origin has to match, not a part of it",
        instead: patterns_at_end(&origins, &names).map_or(Instead::Advice(advice), Instead::Values),
    })
}

/// Patterns for the domains that an expression ends with; without ports, as nothing is said of them.
fn patterns_at_end(origins: &Graph, names: &Names) -> Option<String> {
    let with_ports = patterns(origins, names)?;
    Some(with_ports.replace(":*", ""))
}
