//! The lists that a response holds, as values of directives.

use super::reason::Reason;
use cors_policy::is_token;

use crate::cors_headers::UPPER_CASE_METHODS;
use crate::site::response::Sent;
use crate::site::{Response, Value};
use crate::written_policy::{is_read_by_scripts, is_sent_by_scripts};

const METHODS: &str = "Access-Control-Allow-Methods";
const HEADERS: &str = "Access-Control-Allow-Headers";
const EXPOSED: &str = "Access-Control-Expose-Headers";

/// One of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Methods,
    Headers,
    Exposed,
}

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Methods => METHODS,
            Self::Headers => HEADERS,
            Self::Exposed => EXPOSED,
        }
    }

    /// What a page asks for, which a configuration may send back.
    fn asked(self) -> Option<&'static str> {
        match self {
            Self::Methods => Some("http_access_control_request_method"),
            Self::Headers => Some("http_access_control_request_headers"),
            Self::Exposed => None,
        }
    }
}

/// The values of the directive that says what `response` says.
pub fn read(response: &Response<'_, '_>, list: List, with_credentials: bool) -> Result<Vec<String>, Reason> {
    // Where nginx answers with an error today, the module answers tomorrow, with what was meant.
    let sent = response.sent.iter().chain(&response.left_out);
    let lines: Vec<_> = sent.filter(|line| line.header.is(list.name())).collect();
    let mut values: Vec<String> = Vec::new();
    for line in lines {
        for value in values_of(line, list, with_credentials)? {
            let is_same = |known: &String| match list {
                List::Methods => *known == value,
                List::Headers | List::Exposed => known.eq_ignore_ascii_case(&value),
            };
            if !values.iter().any(is_same) && is_of_use(list, &value) {
                values.push(value);
            }
        }
    }
    Ok(values)
}

fn values_of(line: &Sent<'_, '_>, list: List, with_credentials: bool) -> Result<Vec<String>, Reason> {
    let span = line.header.value_span;
    let is_echo = list
        .asked()
        .is_some_and(|asked| line.header.value.variable() == Some(asked));
    if is_echo {
        let mut values = vec!["*".to_owned()];
        // Without credentials the `*` does not stand for it (Fetch, "CORS non-wildcard request-header name").
        if list == List::Headers && !with_credentials {
            values.push("Authorization".to_owned());
        }
        return Ok(values);
    }
    let depends = list
        .asked()
        .is_some_and(|asked| line.header.value.variables().any(|name| name == asked));
    let Value::Known(text) = &line.value else {
        return Err(Reason::new(span, "its value is known to a running nginx alone"));
    };
    if depends {
        return Err(Reason::new(
            span,
            "it sends back what the request asks for, and adds to it",
        ));
    }
    let mut values = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !is_token(name.as_bytes()) {
            let why = format!("browsers take \"{text}\" for no list: put it right first");
            return Err(Reason::new(span, why));
        }
        let upper = name.to_ascii_uppercase();
        if list == List::Methods && name != upper && UPPER_CASE_METHODS.contains(&&*upper) {
            let why = format!("browsers send \"{upper}\", which is not \"{name}\": put it right first");
            return Err(Reason::new(span, why));
        }
        values.push(name.to_owned());
    }
    Ok(values)
}

/// Whether browsers ever ask for a name, or give it to a page.
fn is_of_use(list: List, value: &str) -> bool {
    match list {
        List::Methods => true,
        List::Headers => is_sent_by_scripts(value),
        List::Exposed => is_read_by_scripts(value),
    }
}
