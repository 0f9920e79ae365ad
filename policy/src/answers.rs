//! The headers of every kind of response, worked out when the configuration is read: for a request they are only
//! pointed to.

use std::rc::Rc;

use crate::decision::Verdict;
use crate::expose::ExposeHeaders;
use crate::headers::AllowHeaders;
use crate::methods::AllowMethods;
use crate::policy::Policy;
use crate::request::{Field, Preflight};
use crate::response::{HeaderName, ResponseHeaders, Value};
use crate::vary::Vary;

/// A header, as far as it is known before the request.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    name: HeaderName,
    value: Template,
}

#[derive(Clone, Debug)]
enum Template {
    Text(&'static str),
    Methods(Rc<AllowMethods>),
    Headers(Rc<AllowHeaders>),
    Expose(Rc<ExposeHeaders>),
    MaxAge(Rc<str>),
    /// The request's origin.
    Origin,
    /// The method that the preflight asks for.
    Method,
    /// See [`Value::FromRequest`].
    FromRequest,
    /// See [`Value::FromResponse`].
    FromResponse,
}

impl Line {
    /// The header for a request with this origin that asks for this method.
    #[inline]
    pub(crate) fn fill<'a>(&'a self, origin: &'a [u8], method: &'a [u8]) -> (HeaderName, Value<'a>) {
        let value = match &self.value {
            Template::Text(text) => Value::Bytes(text.as_bytes()),
            Template::Methods(list) => Value::Bytes(list.line().as_bytes()),
            Template::Headers(list) => Value::Bytes(list.line().as_bytes()),
            Template::Expose(list) => Value::Bytes(list.line().as_bytes()),
            Template::MaxAge(line) => Value::Bytes(line.as_bytes()),
            Template::Origin => Value::Bytes(origin),
            Template::Method => Value::Bytes(method),
            Template::FromRequest => Value::FromRequest,
            Template::FromResponse => Value::FromResponse,
        };
        (self.name, value)
    }
}

/// The headers of one kind of response.
#[derive(Clone, Debug, Default)]
struct Answer {
    lines: Box<[Line]>,
    vary: Vary,
}

#[derive(Clone, Debug, Default)]
struct ByVerdict {
    anyone: Answer,
    allowed: Answer,
    trusted: Answer,
}

impl ByVerdict {
    fn of(&self, verdict: Verdict) -> Option<&Answer> {
        match verdict {
            Verdict::Anyone => Some(&self.anyone),
            Verdict::Allowed { credentials: false } => Some(&self.allowed),
            Verdict::Allowed { credentials: true } => Some(&self.trusted),
            Verdict::NoOrigin | Verdict::SameOrigin | Verdict::Denied => None,
        }
    }
}

/// The headers of all responses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    actual: ByVerdict,
    preflight: ByVerdict,
    /// What `Vary` names where the origin gets no headers.
    refusal: Vary,
}

impl Answers {
    /// What follows from `policy`, once its lists are complete.
    pub(crate) fn of(policy: &Policy) -> Self {
        let by_verdict = |preflight| ByVerdict {
            anyone: answer(policy, &Template::Text("*"), false, preflight),
            allowed: answer(policy, &Template::Origin, false, preflight),
            trusted: answer(policy, &Template::Origin, true, preflight),
        };
        Self {
            actual: by_verdict(false),
            preflight: by_verdict(true),
            refusal: vary(policy),
        }
    }

    #[inline]
    pub(crate) fn actual<'a>(&'a self, verdict: Verdict, origin: Field<'a>) -> ResponseHeaders<'a> {
        let origin = match origin {
            Field::One(origin) => origin,
            Field::Absent | Field::Several => &[],
        };
        self.headers(self.actual.of(verdict), origin, &[])
    }

    #[inline]
    pub(crate) fn preflight<'a>(&'a self, verdict: Verdict, preflight: Preflight<'a>) -> ResponseHeaders<'a> {
        let mut headers = self.headers(self.preflight.of(verdict), preflight.origin, preflight.method);
        match headers.lines {
            [before @ .., last] if !preflight.private_network && last.name == HeaderName::AllowPrivateNetwork => {
                headers.lines = before;
            }
            _ => {}
        }
        headers
    }

    fn headers<'a>(&'a self, answer: Option<&'a Answer>, origin: &'a [u8], method: &'a [u8]) -> ResponseHeaders<'a> {
        let (lines, vary) = match answer {
            Some(answer) => (&*answer.lines, answer.vary),
            None => (&[][..], self.refusal),
        };
        ResponseHeaders {
            lines,
            origin,
            method,
            vary,
        }
    }
}

fn vary(policy: &Policy) -> Vary {
    if policy.varies {
        Vary::ORIGIN
    } else {
        Vary::NOTHING
    }
}

fn answer(policy: &Policy, allow_origin: &Template, credentials: bool, preflight: bool) -> Answer {
    let mut vary = vary(policy);
    let mut lines = Vec::new();
    let mut add = |name, value| lines.push(Line { name, value });
    add(HeaderName::AllowOrigin, allow_origin.clone());
    if credentials {
        add(HeaderName::AllowCredentials, Template::Text("true"));
    }
    if preflight {
        if policy.allow_methods.echoes(credentials) {
            vary = vary.and(Vary::REQUEST_METHOD);
            add(HeaderName::AllowMethods, Template::Method);
        } else {
            add(
                HeaderName::AllowMethods,
                Template::Methods(policy.allow_methods.clone()),
            );
        }
        if policy.allow_headers.echoes(credentials) {
            vary = vary.and(Vary::REQUEST_HEADERS);
            add(HeaderName::AllowHeaders, Template::FromRequest);
        } else if !policy.allow_headers.line().is_empty() {
            add(
                HeaderName::AllowHeaders,
                Template::Headers(policy.allow_headers.clone()),
            );
        }
    }
    if policy.expose_headers.expands(credentials) {
        add(HeaderName::ExposeHeaders, Template::FromResponse);
    } else if !policy.expose_headers.line().is_empty() {
        add(
            HeaderName::ExposeHeaders,
            Template::Expose(policy.expose_headers.clone()),
        );
    }
    if let Some(age) = policy.max_age.as_ref().filter(|_| preflight) {
        add(HeaderName::MaxAge, Template::MaxAge(age.line().clone()));
    }
    if policy.timing_allow_origin {
        add(HeaderName::TimingAllowOrigin, allow_origin.clone());
    }
    // The last, so that it can be left out for the requests that do not ask for it.
    if preflight && policy.allow_private_network {
        add(HeaderName::AllowPrivateNetwork, Template::Text("true"));
    }
    Answer {
        lines: lines.into(),
        vary,
    }
}
