//! The rewrite module: `set`, `if`, `return`, `rewrite` and `break`, in the order in which they stand.

use std::ops::ControlFlow;

use super::block::{condition, BlockId, Kind};
use super::request::Request;
use super::text::Text;
use super::variables::{Assigned, Value};
use super::whole::Site;
use crate::nginx::Directive;

/// Who answers a request once the rewrite module is done with it.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'t> {
    /// A directive answers with this status.
    Status { status: u16, by: &'t Directive },
    /// It goes on in another location.
    Moved,
    /// The location's content.
    Content,
}

/// What the rewrite module has made of a request.
#[derive(Clone, Debug)]
pub struct Rewritten<'t> {
    /// The location, or the last `if` of it whose condition held.
    pub level: BlockId,
    pub answer: Answer<'t>,
    /// Each `if` of the location whose condition held.
    pub taken: Vec<BlockId>,
    /// It was answered before a location was looked for.
    pub at_server: bool,
    pub assigned: Assigned,
}

impl<'t> Site<'t> {
    /// What becomes of a request that reaches `location`.
    pub fn rewrite(&self, location: BlockId, request: &Request) -> Rewritten<'t> {
        let mut run = Run {
            site: self,
            request,
            location: None,
            rewritten: Rewritten {
                level: location,
                answer: Answer::Content,
                taken: Vec::new(),
                at_server: true,
                assigned: Assigned::default(),
            },
        };
        let server = self.server_of(location);
        if let Some((_, server)) = server {
            if let ControlFlow::Break(Some(answer)) = run.directives(server.directives) {
                run.rewritten.answer = answer;
                return run.rewritten;
            }
        }
        run.rewritten.at_server = false;
        if server.map(|(id, _)| id) != Some(location) {
            run.location = Some(location);
            let directives = self.block(location).map_or(&[][..], |block| block.directives);
            if let ControlFlow::Break(Some(answer)) = run.directives(directives) {
                run.rewritten.answer = answer;
            }
        }
        run.rewritten
    }
}

/// The conditions of `if`.
pub struct Conditions;

impl Conditions {
    /// The variable that a condition compares, its operator, and with what.
    pub fn compared(directive: &Directive) -> Option<(String, String, String)> {
        match &condition(directive)[..] {
            [variable, operator, value] => {
                let name = Text::parse(variable).variable()?.to_owned();
                Some((name, (*operator).to_owned(), (*value).to_owned()))
            }
            _ => None,
        }
    }
}

struct Run<'s, 't> {
    site: &'s Site<'t>,
    request: &'s Request,
    /// The location, once the request has reached it.
    location: Option<BlockId>,
    rewritten: Rewritten<'t>,
}

impl<'t> Run<'_, 't> {
    /// Ends with an answer, or without one where the rest is left out.
    fn directives(&mut self, directives: &'t [Directive]) -> ControlFlow<Option<Answer<'t>>> {
        for directive in directives {
            match &*directive.name.value {
                "set" => self.set(directive),
                "break" => return ControlFlow::Break(None),
                "return" => {
                    let status = status(directive);
                    return ControlFlow::Break(Some(Answer::Status { status, by: directive }));
                }
                "rewrite" => self.rewrite(directive)?,
                "if" if self.holds(directive) == Some(true) => {
                    if let Some(inner) = self.block_of(directive) {
                        self.rewritten.level = inner;
                        self.rewritten.taken.push(inner);
                    }
                    self.directives(directive.inner())?;
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn block_of(&self, directive: &Directive) -> Option<BlockId> {
        let mut inner = self.site.within(self.location?);
        let is_opened = |opened: &Directive| std::ptr::eq(opened, directive);
        inner
            .find(|(_, block)| block.kind == Kind::If && block.opened.is_some_and(is_opened))
            .map(|(id, _)| id)
    }

    fn value(&self, written: &str) -> Value {
        let text = Text::parse(written);
        self.site.variables.value(&text, self.request, &self.rewritten.assigned)
    }

    fn set(&mut self, directive: &Directive) {
        let (Some(name), Some(written)) = (directive.argument(0), directive.argument(1)) else {
            return;
        };
        let value = self.value(written);
        let name = name.trim_start_matches('$').to_ascii_lowercase();
        self.rewritten.assigned.set(&name, value);
    }

    /// A `rewrite`, as far as it is known to match: the path of the request is not known.
    fn rewrite(&mut self, directive: &'t Directive) -> ControlFlow<Option<Answer<'t>>> {
        let matches_all = matches!(
            directive.argument(0),
            Some(
                "^" | "^/"
                    | "^(.*)$"
                    | "^.*$"
                    | "^.*"
                    | ".*"
                    | "(.*)"
                    | "^/(.*)$"
                    | "^/(.*)"
                    | "^(.*)"
                    | "^/.*$"
                    | "^(/.*)$"
            )
        );
        if !matches_all {
            return ControlFlow::Continue(());
        }
        let replacement = directive.argument(1).unwrap_or_default();
        let leads_away = ["http://", "https://", "$scheme"]
            .iter()
            .any(|scheme| replacement.starts_with(scheme));
        let redirects = |status| ControlFlow::Break(Some(Answer::Status { status, by: directive }));
        match directive.argument(2) {
            Some("permanent") => redirects(301),
            Some("redirect") => redirects(302),
            _ if leads_away => redirects(302),
            Some("break") => ControlFlow::Break(None),
            // In a server it chooses another location, of which nothing is known.
            _ if self.location.is_none() => ControlFlow::Continue(()),
            Some("last") => ControlFlow::Break(Some(Answer::Moved)),
            _ => ControlFlow::Continue(()),
        }
    }

    /// Whether the condition of an `if` holds; nothing where only a running nginx knows.
    fn holds(&mut self, directive: &Directive) -> Option<bool> {
        match &condition(directive)[..] {
            [variable] => {
                let value = self.value(variable);
                value.known().map(|value| !value.is_empty() && value != "0")
            }
            [variable, operator, wanted] => {
                let value = self.value(variable);
                let value = value.known()?.to_owned();
                match *operator {
                    // nginx compares texts with variables, too.
                    "=" => Some(Some(&*value) == self.value(wanted).known()),
                    "!=" => Some(value != self.value(wanted).known()?),
                    "~" => self.matches(wanted, false, &value),
                    "~*" => self.matches(wanted, true, &value),
                    "!~" => self.matches(wanted, false, &value).map(|matches| !matches),
                    "!~*" => self.matches(wanted, true, &value).map(|matches| !matches),
                    _ => None,
                }
            }
            // Files, and whatever else there may be.
            _ => None,
        }
    }

    fn matches(&mut self, source: &str, ignores_case: bool, value: &str) -> Option<bool> {
        let found = self.site.variables.regexes.find(source, ignores_case, value).ok()?;
        let matches = found.is_some();
        if let Some(groups) = found {
            self.rewritten.assigned.capture(groups);
        }
        Some(matches)
    }
}

/// The status with which `return` answers.
fn status(directive: &Directive) -> u16 {
    let first = directive.argument(0).unwrap_or_default();
    // A URL alone is a temporary redirect.
    first.parse().unwrap_or(302)
}
