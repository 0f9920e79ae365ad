//! The headers of every kind of response, worked out when the configuration is read: for a request they are only
//! copied.

use std::rc::Rc;

use crate::decision::ResponseKind;
use crate::expose::ExposeHeaders;
use crate::header_name::HeaderName;
use crate::headers::AllowHeaders;
use crate::methods::AllowMethods;
use crate::rules::Rules;
use crate::vary::Vary;

/// The value of a header. If it is empty, the header is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// These bytes, which live as long as the policy.
    Bytes(&'a [u8]),
    /// The origin of the request.
    Origin,
    /// The method that the preflight asks for.
    Method,
    /// `true` if the preflight asks for access to a private network.
    PrivateNetwork,
    /// The names that [`Policy::echoed_headers`](crate::Policy::echoed_headers) picks from the request's.
    FromRequest,
    /// The names that [`Policy::exposed_headers`](crate::Policy::exposed_headers) picks from the response's.
    FromResponse,
}

/// The headers that the policy gives a response. A CORS header that is absent here must be absent there.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHeaders<'a>(pub(crate) &'a ResponseTemplate);

impl<'a> ResponseHeaders<'a> {
    /// The headers to send, apart from `Vary`, which has to be merged with the one that the response has.
    pub fn lines(self) -> impl Iterator<Item = (HeaderName, Value<'a>)> {
        self.0.headers.iter().map(|header| (header.name, header.value()))
    }

    /// The names that `Vary` has to hold.
    pub fn vary(self) -> Vary {
        self.0.vary
    }

    /// The value of `Vary` where the response has none yet.
    pub fn vary_line(self) -> &'a str {
        &self.0.vary_line
    }
}

/// The headers of one kind of response, as far as they are known before the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResponseTemplate {
    headers: Box<[HeaderTemplate]>,
    vary: Vary,
    vary_line: Box<str>,
}

/// The headers of all kinds of responses, by the number of the kind.
pub(crate) type ResponseTemplates = [ResponseTemplate; ResponseKind::COUNT];

/// One header of a template.
#[derive(Clone, Debug)]
struct HeaderTemplate {
    name: HeaderName,
    value: ValueTemplate,
}

/// The value of a header. Lists are shared: one of a thousand names is not copied for each kind of response.
#[derive(Clone, Debug)]
enum ValueTemplate {
    Text(&'static str),
    Methods(Rc<AllowMethods>),
    Headers(Rc<AllowHeaders>),
    Expose(Rc<ExposeHeaders>),
    MaxAge(Rc<str>),
    /// See [`Value::Origin`].
    Origin,
    /// See [`Value::Method`].
    Method,
    /// See [`Value::PrivateNetwork`].
    PrivateNetwork,
    /// See [`Value::FromRequest`].
    FromRequest,
    /// See [`Value::FromResponse`].
    FromResponse,
}

impl ResponseTemplate {
    fn new(headers: Vec<HeaderTemplate>, vary: Vary) -> Self {
        Self {
            headers: headers.into(),
            vary,
            vary_line: vary.names().collect::<Vec<_>>().join(", ").into(),
        }
    }
}

impl HeaderTemplate {
    fn value(&self) -> Value<'_> {
        match &self.value {
            ValueTemplate::Text(text) => Value::Bytes(text.as_bytes()),
            ValueTemplate::Methods(list) => Value::Bytes(list.line().as_bytes()),
            ValueTemplate::Headers(list) => Value::Bytes(list.line().as_bytes()),
            ValueTemplate::Expose(list) => Value::Bytes(list.line().as_bytes()),
            ValueTemplate::MaxAge(line) => Value::Bytes(line.as_bytes()),
            ValueTemplate::Origin => Value::Origin,
            ValueTemplate::Method => Value::Method,
            ValueTemplate::PrivateNetwork => Value::PrivateNetwork,
            ValueTemplate::FromRequest => Value::FromRequest,
            ValueTemplate::FromResponse => Value::FromResponse,
        }
    }
}

/// The headers that follow from `rules`, in the order of [`ResponseKind::number`].
pub(crate) fn response_templates(rules: &Rules) -> ResponseTemplates {
    let any = ValueTemplate::Text("*");
    let origin = ValueTemplate::Origin;
    [
        ResponseTemplate::new(Vec::new(), vary_of(rules)),
        template(rules, &any, false, false),
        template(rules, &origin, false, false),
        template(rules, &origin, true, false),
        template(rules, &any, false, true),
        template(rules, &origin, false, true),
        template(rules, &origin, true, true),
    ]
}

fn vary_of(rules: &Rules) -> Vary {
    match rules.vary_by_origin() {
        true => Vary::ORIGIN,
        false => Vary::NOTHING,
    }
}

/// The headers of Fetch, "HTTP responses", in the order in which the standard lists them; those of other standards
/// come last.
fn template(rules: &Rules, allow_origin: &ValueTemplate, credentials: bool, preflight: bool) -> ResponseTemplate {
    let mut vary = vary_of(rules);
    let mut headers = Vec::new();
    let mut add = |name, value| headers.push(HeaderTemplate { name, value });
    add(HeaderName::AllowOrigin, allow_origin.clone());
    if credentials {
        add(HeaderName::AllowCredentials, ValueTemplate::Text("true"));
    }
    if preflight {
        if rules.allow_methods.echoes(credentials) {
            vary = vary.and(Vary::REQUEST_METHOD);
            add(HeaderName::AllowMethods, ValueTemplate::Method);
        } else {
            add(
                HeaderName::AllowMethods,
                ValueTemplate::Methods(rules.allow_methods.clone()),
            );
        }
        if rules.allow_headers.echoes(credentials) {
            vary = vary.and(Vary::REQUEST_HEADERS);
            add(HeaderName::AllowHeaders, ValueTemplate::FromRequest);
        } else if !rules.allow_headers.line().is_empty() {
            add(
                HeaderName::AllowHeaders,
                ValueTemplate::Headers(rules.allow_headers.clone()),
            );
        }
    }
    if rules.expose_headers.expands(credentials) {
        add(HeaderName::ExposeHeaders, ValueTemplate::FromResponse);
    } else if !rules.expose_headers.line().is_empty() {
        add(
            HeaderName::ExposeHeaders,
            ValueTemplate::Expose(rules.expose_headers.clone()),
        );
    }
    if let Some(age) = rules.max_age.as_ref().filter(|_| preflight) {
        add(HeaderName::MaxAge, ValueTemplate::MaxAge(age.line().clone()));
    }
    // Resource Timing, "TAO check"
    if rules.settings.timing_allow_origin {
        add(HeaderName::TimingAllowOrigin, allow_origin.clone());
    }
    // Private Network Access, "CORS preflight"
    if preflight && rules.settings.allow_private_network {
        add(HeaderName::AllowPrivateNetwork, ValueTemplate::PrivateNetwork);
    }
    ResponseTemplate::new(headers, vary)
}
