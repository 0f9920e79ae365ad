//! What would become of a request that nobody has sent: the answer to "why does it not work?".

use std::fmt;

use crate::answers::Kind;
use crate::decision::{Outcome, Reason, Verdict};
use crate::methods::normalized;
use crate::policy::Policy;
use crate::request::{Context, Field, Preflight, Request};
use crate::response::{HeaderName, Value};
use crate::settings::{Enforce, PreflightMode};

/// A request that a script of `origin` might make.
#[derive(Clone, Debug)]
pub struct Trial<'r> {
    /// `Origin`
    pub origin: &'r [u8],
    /// The method.
    pub method: &'r [u8],
    /// The names of the headers that the script sets.
    pub headers: Vec<&'r [u8]>,
    /// Whether cookies and the like go with it.
    pub credentials: bool,
}

/// What the policy says to one request.
#[derive(Clone, Debug)]
pub struct Step<'r> {
    /// How it ends.
    pub outcome: Outcome,
    /// Why.
    pub reason: Option<Reason<'r>>,
    /// The status, where it is the policy's to choose.
    pub status: Option<u16>,
    /// The headers of the response.
    pub headers: Vec<(HeaderName, Vec<u8>)>,
}

/// What would become of it.
#[derive(Clone, Debug)]
pub struct Tried<'r> {
    /// What the browser asks before, where it has to.
    pub preflight: Option<Step<'r>>,
    /// The request itself.
    pub actual: Step<'r>,
    /// What the browser makes of both.
    pub conclusion: Conclusion<'r>,
    /// The directive that would change it, if there is one that can be copied as it is.
    pub remedy: Option<String>,
}

/// What the browser makes of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion<'r> {
    /// The script may read the response.
    Readable,
    /// It needs no leave.
    SameOrigin,
    /// The preflight fails, and the request is not made.
    NotSent(Option<Reason<'r>>),
    /// The request is made, and refused.
    Refused(Option<Reason<'r>>),
    /// The response comes, but not to the script.
    NotReadable(Option<Reason<'r>>),
    /// The answer does not allow for credentials.
    NoCredentials,
    /// The application answers the preflight.
    UpToTheApplication,
}

impl fmt::Display for Conclusion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, reason) = match self {
            Self::Readable => ("the script may read the response", None),
            Self::SameOrigin => ("the request stays within its origin and needs no leave", None),
            Self::NotSent(reason) => ("the browser does not send the request", *reason),
            Self::Refused(reason) => ("the request is answered with 403", *reason),
            Self::NotReadable(reason) => ("the response is not readable for the script", *reason),
            Self::NoCredentials => {
                return f.write_str(
                    "with credentials, the browser blocks it: cors_allow_credentials is not on for this origin",
                );
            }
            Self::UpToTheApplication => (
                "the application answers the preflight; the headers of its answer are these",
                None,
            ),
        };
        f.write_str(text)?;
        match reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl Conclusion<'_> {
    fn remedy(&self, verdict: Verdict, origin: &[u8]) -> Option<String> {
        let (directive, value) = match *self {
            // Beside `*` only origins by name may have them.
            Self::NoCredentials if verdict == Verdict::Anyone => ("cors_allow_credentials", origin),
            Self::NoCredentials => ("cors_allow_credentials", &b"on"[..]),
            Self::NotSent(reason) | Self::Refused(reason) | Self::NotReadable(reason) => match reason? {
                Reason::NoOriginAllowed | Reason::Origin(_) => ("cors_allow_origin", origin),
                Reason::Method(method) => ("cors_allow_methods", method),
                Reason::Header(name) => ("cors_allow_headers", name),
                Reason::NotAHeaderName(_) | Reason::NotAnOrigin(_) | Reason::SeveralOrigins => return None,
            },
            Self::Readable | Self::SameOrigin | Self::UpToTheApplication => return None,
        };
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b":/.-_[]".contains(byte);
        let value = std::str::from_utf8(value).ok()?;
        let copies = !value.is_empty() && value.as_bytes().iter().all(is_plain);
        copies.then(|| format!("{directive} {value};"))
    }
}

/// Methods and headers for which browsers do not ask before. `Content-Type` is left out: they do, for JSON.
const SAFE_METHODS: [&[u8]; 3] = [b"GET", b"HEAD", b"POST"];
const SAFE_HEADERS: [&[u8]; 3] = [b"accept", b"accept-language", b"content-language"];

impl Policy {
    /// What would become of the request, by the same functions that real ones go through.
    pub fn attempt<'r>(&self, trial: &Trial<'r>, context: &impl Context<'r>) -> Tried<'r> {
        let method = normalized(trial.method);
        let read = Request {
            origin: Field::One(trial.origin),
            request_method: Field::One(method),
            ..Request::default()
        };
        let verdict = self.judge(&read, context);
        let unsafe_headers: Vec<&[u8]> = trial
            .headers
            .iter()
            .copied()
            .filter(|name| !SAFE_HEADERS.iter().any(|safe| name.eq_ignore_ascii_case(safe)))
            .collect();
        let asks = !SAFE_METHODS.contains(&method) || !unsafe_headers.is_empty();
        let preflight = (asks && verdict != Verdict::SameOrigin).then(|| {
            let preflight = Preflight {
                origin: trial.origin,
                method,
                private_network: false,
            };
            let (outcome, reason) = self.preflight_outcome(verdict, preflight, unsafe_headers.iter().copied());
            Step {
                outcome,
                reason,
                status: self.preflight_reply(verdict),
                headers: self.attempt_headers(Kind::of(verdict, true), trial, method, &unsafe_headers),
            }
        });
        let (outcome, reason) = self.outcome(verdict, read.origin);
        let refuses = verdict == Verdict::Denied && self.enforce() == Enforce::On;
        let actual = Step {
            outcome,
            reason,
            status: refuses.then_some(403),
            headers: self.attempt_headers(Kind::of(verdict, false), trial, method, &unsafe_headers),
        };
        let conclusion = match &preflight {
            _ if verdict == Verdict::SameOrigin => Conclusion::SameOrigin,
            Some(step) if step.outcome != Outcome::Allowed => Conclusion::NotSent(step.reason),
            _ if refuses => Conclusion::Refused(reason),
            _ if outcome != Outcome::Allowed => Conclusion::NotReadable(reason),
            _ if trial.credentials && verdict != Verdict::AllowedWithCredentials => Conclusion::NoCredentials,
            Some(_) if self.preflight_mode() == PreflightMode::Pass => Conclusion::UpToTheApplication,
            _ => Conclusion::Readable,
        };
        Tried {
            preflight,
            actual,
            remedy: conclusion.remedy(verdict, trial.origin),
            conclusion,
        }
    }

    fn attempt_headers(
        &self,
        kind: Kind,
        trial: &Trial<'_>,
        method: &[u8],
        names: &[&[u8]],
    ) -> Vec<(HeaderName, Vec<u8>)> {
        let Some(answer) = self.headers(kind) else {
            return Vec::new();
        };
        let mut headers: Vec<_> = answer
            .lines()
            .map(|(name, value)| {
                let value = match value {
                    Value::Bytes(value) => value.to_vec(),
                    Value::Origin => trial.origin.to_vec(),
                    Value::Method => method.to_vec(),
                    Value::PrivateNetwork => Vec::new(),
                    Value::FromRequest => self
                        .echoed_headers(names.iter().copied())
                        .collect::<Vec<_>>()
                        .join(&b", "[..]),
                    Value::FromResponse => b"(the names that the response carries)".to_vec(),
                };
                (name, value)
            })
            .filter(|(_, value)| !value.is_empty())
            .collect();
        if !answer.vary().is_empty() {
            let names: Vec<_> = answer.vary().names().collect();
            headers.push((HeaderName::Vary, names.join(", ").into_bytes()));
        }
        headers
    }
}
