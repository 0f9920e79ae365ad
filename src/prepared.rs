//! The headers of responses as nginx keeps them, made when the configuration is read: a request gets copies.

use core::num::NonZeroU16;
use std::rc::Rc;

use cors_policy::{HeaderName, LogLevel, Policy, ResponseHeaders, ResponseKind, Value, Vary, Verdict};

use nginx_sys::{ngx_uint_t, NGX_LOG_ERR, NGX_LOG_INFO, NGX_LOG_NOTICE, NGX_LOG_WARN};

use crate::list::Entry;

/// A policy with the headers of every kind of response under it.
pub(crate) struct Prepared {
    policy: Rc<Policy>,
    /// Their values lie in the policy.
    answers: [Rc<Answer>; ResponseKind::COUNT],
    /// What preflights are answered, by the numbers of verdicts.
    replies: [Reply; Verdict::ALL.len()],
    log_level: ngx_uint_t,
}

/// The headers of one kind of response.
#[derive(Default)]
pub(crate) struct Answer {
    /// `Vary` is the last, if there is one.
    headers: Box<[Entry]>,
    /// The bits of the headers whose value is the request's origin.
    origins: u64,
    /// Other headers whose values are not known before the request, by their numbers.
    open: Box<[(usize, Open)]>,
    vary: Vary,
    /// The value of the last header.
    _vary_line: Rc<str>,
}

/// What a preflight is answered.
pub(crate) struct Reply {
    /// `None` if it goes on to its handler.
    pub(crate) status: Option<NonZeroU16>,
    /// Whether the headers are all that the response needs but the origin, and whatever else it has can be left alone.
    pub(crate) is_complete: bool,
    pub(crate) answer: Rc<Answer>,
    /// Those of the answer, and `Content-Length` after them where there is one.
    pub(crate) headers: Box<[Entry]>,
    pub(crate) has_length: bool,
}

/// A value that is not known before the request.
#[derive(Clone, Copy)]
pub(crate) enum Open {
    Method,
    PrivateNetwork,
    FromRequest,
    FromResponse,
}

impl Prepared {
    pub(crate) fn new(policy: Rc<Policy>) -> Self {
        let mut kinds = ResponseKind::all();
        let answers: [Rc<Answer>; ResponseKind::COUNT] = core::array::from_fn(|_| {
            let headers = kinds.next().and_then(|kind| policy.response_headers(kind));
            Rc::new(headers.map(Answer::new).unwrap_or_default())
        });
        let replies = Verdict::ALL.map(|verdict| {
            let answer = answers.get(ResponseKind::of(verdict, true).number());
            Reply::new(&policy, verdict, answer.cloned().unwrap_or_default())
        });
        let log_level = match policy.log_level() {
            LogLevel::Info => NGX_LOG_INFO,
            LogLevel::Notice => NGX_LOG_NOTICE,
            LogLevel::Warn => NGX_LOG_WARN,
            LogLevel::Error => NGX_LOG_ERR,
        };
        Self {
            policy,
            answers,
            replies,
            log_level: log_level as ngx_uint_t,
        }
    }

    /// How loudly denials are logged.
    #[inline]
    pub(crate) fn log_level(&self) -> ngx_uint_t {
        self.log_level
    }

    #[inline]
    pub(crate) fn policy(&self) -> &Rc<Policy> {
        &self.policy
    }

    #[inline]
    pub(crate) fn answer(&self, kind: ResponseKind) -> Option<&Answer> {
        self.answers.get(kind.number()).map(|answer| &**answer)
    }

    /// What a preflight with this verdict is answered.
    #[inline]
    pub(crate) fn reply(&self, verdict: Verdict) -> Option<&Reply> {
        self.replies.get(verdict.number())
    }
}

impl Reply {
    /// Whether a response of this status can be the answer.
    #[inline]
    pub(crate) fn is_of(&self, status: ngx_uint_t) -> bool {
        self.status.map_or(0, NonZeroU16::get) as ngx_uint_t == status
    }

    fn new(policy: &Policy, verdict: Verdict, answer: Rc<Answer>) -> Self {
        let status = policy.preflight_answer(verdict).and_then(NonZeroU16::new);
        // nginx would print the number anew for each request, which costs more than all the rest.
        let has_length = status.is_some_and(|status| status.get() != 204);
        let length = has_length.then(|| Entry::from_parts("Content-Length", "content-length", b"0"));
        Self {
            status,
            is_complete: answer.is_complete() && !policy.may_leave_responses(),
            headers: answer.headers().iter().map(Entry::copy).chain(length).collect(),
            answer,
            has_length,
        }
    }
}

impl Answer {
    fn new(lines: ResponseHeaders<'_>) -> Self {
        let mut headers = Vec::new();
        let mut origins = 0;
        let mut open = Vec::new();
        for (name, value) in lines.lines() {
            let number = headers.len();
            let kind = match value {
                Value::Bytes([]) => continue,
                Value::Bytes(value) => {
                    headers.push(Entry::new(name, value));
                    continue;
                }
                Value::Origin => None,
                Value::Method => Some(Open::Method),
                Value::PrivateNetwork => Some(Open::PrivateNetwork),
                Value::FromRequest => Some(Open::FromRequest),
                Value::FromResponse => Some(Open::FromResponse),
            };
            headers.push(Entry::new(name, &[]));
            match kind {
                Some(kind) => open.push((number, kind)),
                None => origins |= 1 << number,
            }
        }
        let vary = lines.vary();
        let vary_line: Rc<str> = vary.names().collect::<Vec<_>>().join(", ").into();
        if !vary.is_empty() {
            headers.push(Entry::new(HeaderName::Vary, vary_line.as_bytes()));
        }
        Self {
            headers: headers.into(),
            origins,
            open: open.into(),
            vary,
            _vary_line: vary_line,
        }
    }

    /// What `Vary` has to name.
    #[inline]
    pub(crate) fn vary(&self) -> Vary {
        self.vary
    }

    /// The headers; `Vary` is the last.
    #[inline]
    pub(crate) fn headers(&self) -> &[Entry] {
        &self.headers
    }

    /// Whether the request's origin is all that is missing.
    #[inline]
    pub(crate) fn is_complete(&self) -> bool {
        self.open.is_empty()
    }

    /// The bits of those whose value is the request's origin.
    #[inline]
    pub(crate) fn origins(&self) -> u64 {
        self.origins
    }

    /// Others whose values the request or the response has, in their order.
    #[inline]
    pub(crate) fn open(&self) -> &[(usize, Open)] {
        &self.open
    }
}
