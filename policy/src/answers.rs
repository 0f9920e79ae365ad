//! The headers of every kind of response, worked out when the configuration is read: for a request they are only
//! copied.

use std::rc::Rc;

use crate::decision::Verdict;
use crate::expose::ExposeHeaders;
use crate::headers::AllowHeaders;
use crate::methods::AllowMethods;
use crate::policy::Policy;
use crate::response::{HeaderName, Value};
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
    /// `true`, if the preflight asks for it.
    PrivateNetwork,
    /// See [`Value::FromRequest`].
    FromRequest,
    /// See [`Value::FromResponse`].
    FromResponse,
}

impl Line {
    pub(crate) fn name(&self) -> HeaderName {
        self.name
    }

    pub(crate) fn value(&self) -> Value<'_> {
        match &self.value {
            Template::Text(text) => Value::Bytes(text.as_bytes()),
            Template::Methods(list) => Value::Bytes(list.line().as_bytes()),
            Template::Headers(list) => Value::Bytes(list.line().as_bytes()),
            Template::Expose(list) => Value::Bytes(list.line().as_bytes()),
            Template::MaxAge(line) => Value::Bytes(line.as_bytes()),
            Template::Origin => Value::Origin,
            Template::Method => Value::Method,
            Template::PrivateNetwork => Value::PrivateNetwork,
            Template::FromRequest => Value::FromRequest,
            Template::FromResponse => Value::FromResponse,
        }
    }
}

/// A kind of response, all of which get the same headers but for what they take from the request or the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(usize);

impl Kind {
    /// So many kinds there are.
    pub const COUNT: usize = 7;

    /// All of them, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// That of the response to a request with this verdict.
    #[inline]
    pub fn of(verdict: Verdict, is_preflight: bool) -> Self {
        const FIRST: usize = Verdict::Anyone.number();
        match verdict.number().checked_sub(FIRST) {
            None => Self(0),
            Some(number) => Self(number + if is_preflight { 4 } else { 1 }),
        }
    }

    /// Its number, below [`Kind::COUNT`].
    #[inline]
    pub fn number(self) -> usize {
        self.0
    }
}

/// The headers of one kind of response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub lines: Box<[Line]>,
    pub vary: Vary,
}

/// The headers of all kinds of responses.
pub(crate) type Answers = [Answer; Kind::COUNT];

/// What follows from `policy`, once its lists are complete.
pub(crate) fn answers(policy: &Policy) -> Answers {
    [
        Answer {
            lines: Box::default(),
            vary: vary(policy),
        },
        answer(policy, &Template::Text("*"), false, false),
        answer(policy, &Template::Origin, false, false),
        answer(policy, &Template::Origin, true, false),
        answer(policy, &Template::Text("*"), false, true),
        answer(policy, &Template::Origin, false, true),
        answer(policy, &Template::Origin, true, true),
    ]
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
    if preflight && policy.allow_private_network {
        add(HeaderName::AllowPrivateNetwork, Template::PrivateNetwork);
    }
    Answer {
        lines: lines.into(),
        vary,
    }
}
