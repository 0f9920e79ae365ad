//! Simulates what a browser and the policy make of a request that nobody has sent: the answer to "why does it not
//! work?".

use std::{fmt, iter};

use crate::decision::{Decision, Outcome, Reason, Verdict};
use crate::header_name::HeaderName;
use crate::methods::normalized;
use crate::policy::Policy;
use crate::remedy::{Remedy, Wanted};
use crate::request::{Context, Field, Preflight, Request};
use crate::response::Value;
use crate::settings::{Enforce, PreflightMode};

/// A request that a script of `origin` might make.
#[derive(Clone, Debug)]
pub struct SimulatedRequest<'r> {
    /// `Origin`
    pub origin: &'r [u8],
    /// The method, as the script writes it.
    pub method: &'r [u8],
    /// The names of the headers that the script sets.
    pub headers: Vec<&'r [u8]>,
    /// Whether cookies and other credentials are sent.
    pub credentials: bool,
}

/// The response to one request, as far as the policy decides it.
#[derive(Clone, Debug)]
pub struct SimulatedResponse<'r> {
    /// The policy is that of the server, which says `cors_preflight early`.
    pub is_early: bool,
    /// What is not simulated, and may give another response.
    pub not_run: Vec<NotRun>,
    /// How the request ends.
    pub outcome: Outcome,
    /// Why.
    pub reason: Option<Reason<'r>>,
    /// The status, where it is the policy's to choose.
    pub status: Option<u16>,
    /// The headers of the response.
    pub headers: Vec<(HeaderName, Vec<u8>)>,
}

/// What nginx runs for a request, and a simulation does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRun {
    /// What comes before a location's own rewrite phase.
    Server,
    /// The rewrite phase of the location.
    Location,
    /// The phase before the access phase.
    Limits,
    /// The rest of the access phase.
    Authentication,
    /// What gives the content.
    Application,
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "return, rewrite and if of the server, and redirects to a path with a slash",
            Self::Location => "return, rewrite, if and set of the location",
            Self::Limits => "limit_req and limit_conn",
            Self::Authentication => "authentication",
            Self::Application => "the application",
        })
    }
}

/// What would become of a simulated request.
#[derive(Clone, Debug)]
pub struct Explanation<'r> {
    /// The method, as the browser sends it.
    pub method: &'r [u8],
    /// The response to the preflight, where the browser sends one first.
    pub preflight: Option<SimulatedResponse<'r>>,
    /// The response to the request itself.
    pub actual: SimulatedResponse<'r>,
    /// What the browser does with the responses.
    pub in_browser: BrowserOutcome<'r>,
    /// What to write so that the request would be allowed.
    pub remedy: Option<Remedy>,
}

/// What the browser does with the responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrowserOutcome<'r> {
    /// The script may read the response.
    Readable,
    /// The request stays within its origin, and CORS has no part in it.
    SameOrigin,
    /// The preflight fails, and the request is not made.
    NotSent(Option<Reason<'r>>),
    /// The request is made, and blocked (`cors_enforce`).
    Blocked(Option<Reason<'r>>),
    /// The response comes, but not to the script.
    NotReadable(Option<Reason<'r>>),
    /// The response does not allow credentials.
    NoCredentials,
    /// The application answers the preflight.
    UpToTheApplication,
}

impl fmt::Display for BrowserOutcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, reason) = match self {
            Self::Readable => ("the script may read the response", None),
            Self::SameOrigin => ("the request stays within its origin, so CORS does not apply", None),
            Self::NotSent(reason) => ("the browser does not send the request", *reason),
            Self::Blocked(reason) => ("the request is answered with 403", *reason),
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

impl<'r> BrowserOutcome<'r> {
    /// What would have to be allowed.
    fn wanted(&self, origin: &'r [u8]) -> Option<Wanted<'r>> {
        match self {
            Self::NoCredentials => Some(Wanted::Credentials(origin)),
            Self::NotSent(reason) | Self::Blocked(reason) | Self::NotReadable(reason) => {
                Wanted::of(reason.as_ref()?, origin)
            }
            Self::Readable | Self::SameOrigin | Self::UpToTheApplication => None,
        }
    }
}

/// Methods and headers that need no preflight (Fetch, "CORS-safelisted method" and "CORS-safelisted request-header").
/// `Content-Type` is left out: only three of its values need none, and JSON is not among them.
const SAFE_METHODS: [&[u8]; 3] = [b"GET", b"HEAD", b"POST"];
const SAFE_HEADERS: [&[u8]; 3] = [b"accept", b"accept-language", b"content-language"];

/// `Access-Control-Request-Headers` as browsers write it (CORS-preflight fetch, step 5).
fn request_headers_line(names: &[&[u8]]) -> Vec<u8> {
    let mut names: Vec<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.join(&b',')
}

impl Policy {
    /// Simulates a request. It is decided about by the function that decides about real ones. `server` is the policy of
    /// the server, with what that may want to know: where it answers preflights early, this policy has no say in them.
    pub fn simulate<'r, 'c, C: Context<'c>>(
        &self,
        simulated: &SimulatedRequest<'r>,
        context: &C,
        server: Option<(&Self, &C)>,
    ) -> Explanation<'r> {
        let method = normalized(simulated.method);
        let unsafe_headers: Vec<&[u8]> = simulated
            .headers
            .iter()
            .copied()
            .filter(|name| !SAFE_HEADERS.iter().any(|safe| name.eq_ignore_ascii_case(safe)))
            .collect();
        let request = Request {
            origin: Field::One(simulated.origin),
            ..Request::default()
        };
        let decision = self.decide(&request, context);
        let verdict = decision.verdict();
        let (outcome, reason) = self.result(&decision, iter::empty());
        let blocks = decision.is_denied() && self.settings().enforce == Enforce::On;
        let actual = SimulatedResponse {
            is_early: false,
            not_run: self.not_run_before_request(),
            outcome,
            reason,
            status: blocks.then_some(403),
            headers: self.simulated_headers(&decision, &[]),
        };
        let needs_preflight = !SAFE_METHODS.contains(&method) || !unsafe_headers.is_empty();
        let asked = (needs_preflight && verdict != Verdict::SameOrigin).then(|| {
            let early = server.and_then(|(policy, context)| policy.decide_early(&request, context));
            match early {
                Some((policy, decision)) => (policy, decision, true),
                None => (self, decision, false),
            }
        });
        let preflight = asked.map(|(policy, decision, is_early)| {
            let verdict = decision.verdict();
            let decision = Decision {
                preflight: Some(Preflight {
                    method,
                    requested_headers: Field::Absent,
                    private_network: false,
                }),
                ..decision
            };
            let (outcome, reason) = policy.result(&decision, unsafe_headers.iter().copied());
            SimulatedResponse {
                is_early,
                not_run: if is_early {
                    Vec::new()
                } else {
                    self.not_run_before_preflight()
                },
                outcome,
                reason,
                status: policy.preflight_answer_if_applied(verdict),
                headers: policy.simulated_headers(&decision, &request_headers_line(&unsafe_headers)),
            }
        });
        // CORS check, steps 4 to 7: with credentials, both responses have to allow them.
        let without_credentials = [
            Some((self, verdict)),
            asked.map(|(policy, decision, _)| (policy, decision.verdict())),
        ]
        .into_iter()
        .flatten()
        .find(|(_, verdict)| *verdict != Verdict::AllowedWithCredentials);
        let in_browser = match &preflight {
            _ if verdict == Verdict::SameOrigin => BrowserOutcome::SameOrigin,
            Some(preflight) if preflight.outcome != Outcome::Allowed => BrowserOutcome::NotSent(preflight.reason),
            _ if blocks => BrowserOutcome::Blocked(reason),
            _ if outcome != Outcome::Allowed => BrowserOutcome::NotReadable(reason),
            _ if simulated.credentials && without_credentials.is_some() => BrowserOutcome::NoCredentials,
            Some(_) if self.settings().preflight == PreflightMode::Pass => BrowserOutcome::UpToTheApplication,
            _ => BrowserOutcome::Readable,
        };
        // The policy that would have to allow more.
        let refusing = match (&in_browser, asked, without_credentials) {
            (BrowserOutcome::NotSent(_), Some((policy, ..)), _) => policy,
            (BrowserOutcome::NoCredentials, _, Some((policy, _))) => policy,
            _ => self,
        };
        Explanation {
            method,
            preflight,
            actual,
            remedy: in_browser
                .wanted(simulated.origin)
                .and_then(|wanted| refusing.remedy(wanted)),
            in_browser,
        }
    }

    /// What this policy of a server decides about a preflight, if it answers it before nginx looks for a location.
    fn decide_early<'r, 'c>(&self, request: &Request<'r>, context: &impl Context<'c>) -> Option<(&Self, Decision<'r>)> {
        if self.settings().preflight != PreflightMode::Early {
            return None;
        }
        let decision = self.decide(request, context);
        self.preflight_answer(decision.verdict())?;
        Some((self, decision))
    }

    fn not_run_before_preflight(&self) -> Vec<NotRun> {
        let mut not_run = vec![NotRun::Server];
        if self.settings().preflight != PreflightMode::Early {
            not_run.extend([NotRun::Location, NotRun::Limits]);
        }
        if self.settings().preflight == PreflightMode::Pass {
            not_run.extend([NotRun::Authentication, NotRun::Application]);
        }
        not_run
    }

    /// The response to a request has the headers of the policy, whoever gives it, unless the request gets elsewhere before.
    fn not_run_before_request(&self) -> Vec<NotRun> {
        let mut not_run = vec![NotRun::Server, NotRun::Location];
        if self.settings().enforce != Enforce::Off {
            not_run.push(NotRun::Limits);
        }
        if !self.settings().overrides {
            not_run.push(NotRun::Application);
        }
        not_run
    }

    /// `requested` is `Access-Control-Request-Headers`.
    fn simulated_headers(&self, decision: &Decision<'_>, requested: &[u8]) -> Vec<(HeaderName, Vec<u8>)> {
        let Some(response) = self.response_headers(decision.response_kind()) else {
            return Vec::new();
        };
        let method = decision.preflight().map_or(&[][..], |preflight| preflight.method);
        let mut headers: Vec<_> = response
            .lines()
            .map(|(name, value)| {
                let value = match value {
                    Value::Bytes(value) => value.to_vec(),
                    Value::Origin => decision.allowed_origin().unwrap_or_default().to_vec(),
                    Value::Method => method.to_vec(),
                    Value::PrivateNetwork => Vec::new(),
                    Value::FromRequest => match self.echoed_line(iter::once(requested)) {
                        Some(line) => line.to_vec(),
                        None => {
                            let names: Vec<_> = self.echoed_headers(iter::once(requested)).collect();
                            names.join(&b", "[..])
                        }
                    },
                    Value::FromResponse => b"(the names that the response carries)".to_vec(),
                };
                (name, value)
            })
            .filter(|(_, value)| !value.is_empty())
            .collect();
        if !response.vary().is_empty() {
            let names: Vec<_> = response.vary().names().collect();
            headers.push((HeaderName::Vary, names.join(", ").into_bytes()));
        }
        headers
    }
}
