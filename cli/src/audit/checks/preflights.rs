//! What is asked before a request.

use super::check::{each, Verdict};
use crate::audit::exchange::{
    Request, Response, ALLOW_CREDENTIALS, ALLOW_HEADERS, ALLOW_METHODS, ALLOW_ORIGIN, MAX_AGE,
};
use crate::audit::plan::ANY_METHOD;
use crate::audit::purpose::Purpose;
use crate::audit::recording::{Exchange, Recording};

const NO_ANSWER: &str = "there was no answer";
const NONE_GRANTED: &str = "no preflight is answered with success for its origin";

fn of_allowed(recording: &Recording) -> impl Iterator<Item = (&Exchange, &Response)> {
    recording.answers(&[Purpose::Preflight])
}

fn is_behind_authentication(response: &Response) -> bool {
    matches!(response.status, 401 | 407) || response.status == 403 && response.has("www-authenticate")
}

pub fn preflight_redirected(recording: &Recording) -> Verdict<'_> {
    each(of_allowed(recording), NO_ANSWER, |_, response| {
        response.is_redirect().then(|| {
            let to = response.values("location").next().unwrap_or_default();
            ("location", format!("it leads to \"{to}\""))
        })
    })
}

pub fn preflight_behind_authentication(recording: &Recording) -> Verdict<'_> {
    each(of_allowed(recording), NO_ANSWER, |_, response| {
        is_behind_authentication(response).then(|| ("www-authenticate", format!("its status is {}", response.status)))
    })
}

pub fn preflight_not_ok(recording: &Recording) -> Verdict<'_> {
    each(of_allowed(recording), NO_ANSWER, |_, response| {
        let is_other_fault = response.is_redirect() || is_behind_authentication(response);
        (!response.is_success() && !is_other_fault).then(|| ("", format!("its status is {}", response.status)))
    })
}

pub fn preflight_without_origin(recording: &Recording) -> Verdict<'_> {
    let answers = of_allowed(recording).filter(|(_, response)| response.is_success());
    each(
        answers,
        "no preflight is answered with success",
        |exchange, response| {
            let origin = &exchange.origin;
            (!response.allows(origin)).then(|| match response.combined(ALLOW_ORIGIN) {
                Some(value) => (ALLOW_ORIGIN, format!("it is for \"{value}\", and {origin} has asked")),
                None => ("", format!("{origin} has asked, and it is for no origin")),
            })
        },
    )
}

pub fn preflight_with_body(recording: &Recording) -> Verdict<'_> {
    each(of_allowed(recording), NO_ANSWER, |_, response| {
        (response.is_success() && response.body > 0).then(|| {
            let message = format!("it has {} bytes of content or more", response.body);
            ("content-length", message)
        })
    })
}

fn granted(recording: &Recording) -> impl Iterator<Item = (&Exchange, &Response)> {
    of_allowed(recording).filter(|(exchange, response)| response.is_success() && response.allows(&exchange.origin))
}

/// Whether a list grants everything by `*`, which it does where there are no credentials.
fn is_wildcard(recording: &Recording, response: &Response, name: &str) -> bool {
    !recording.subject.has_credentials && response.list(name).any(|element| element == "*")
}

fn asked_method(request: &Request) -> &str {
    request.only("Access-Control-Request-Method").unwrap_or_default()
}

/// Fetch, CORS-preflight fetch, step 7.5.
pub fn method_not_granted(recording: &Recording) -> Verdict<'_> {
    each(granted(recording), NONE_GRANTED, |exchange, response| {
        let method = asked_method(&exchange.request);
        // Those need no grant.
        let is_granted = matches!(method, "GET" | "HEAD" | "POST")
            || is_wildcard(recording, response, ALLOW_METHODS)
            // A method in lower case is a fault of its own.
            || response.list(ALLOW_METHODS).any(|granted| granted.eq_ignore_ascii_case(method));
        (!is_granted).then(|| (ALLOW_METHODS, format!("{method} is asked for, and not granted")))
    })
}

/// Fetch, CORS-preflight fetch, steps 7.6 and 7.7.
pub fn header_not_granted(recording: &Recording) -> Verdict<'_> {
    if recording.subject.header_names.is_empty() {
        return Verdict::NotApplicable("no --header was given");
    }
    each(granted(recording), NONE_GRANTED, |_, response| {
        let is_granted = |name: &&String| {
            let is_named = response
                .list(ALLOW_HEADERS)
                .any(|granted| granted.eq_ignore_ascii_case(name));
            // "Authorization" under "*" is a check of its own.
            is_named || is_wildcard(recording, response, ALLOW_HEADERS)
        };
        let mut names = recording.subject.header_names.iter();
        let name = names.find(|name| !is_granted(name))?;
        Some((ALLOW_HEADERS, format!("\"{name}\" is asked for, and not granted")))
    })
}

/// Fetch, CORS non-wildcard request-header name.
pub fn authorization_under_wildcard(recording: &Recording) -> Verdict<'_> {
    let names = &recording.subject.header_names;
    if !names.iter().any(|name| name == "authorization") {
        return Verdict::NotApplicable("no --header Authorization was given");
    }
    each(granted(recording), NONE_GRANTED, |_, response| {
        let is_named = response
            .list(ALLOW_HEADERS)
            .any(|granted| granted.eq_ignore_ascii_case("authorization"));
        (!is_named && is_wildcard(recording, response, ALLOW_HEADERS)).then(|| {
            let message = "\"authorization\" is asked for, and \"*\" does not stand for it".to_owned();
            (ALLOW_HEADERS, message)
        })
    })
}

pub fn any_method_granted(recording: &Recording) -> Verdict<'_> {
    each(
        recording.answers(&[Purpose::PreflightForAnyMethod]),
        NO_ANSWER,
        |exchange, response| {
            let is_granted = response.is_success()
                && response.allows(&exchange.origin)
                && response.list(ALLOW_METHODS).any(|granted| granted == ANY_METHOD);
            is_granted.then(|| {
                (
                    ALLOW_METHODS,
                    format!("\"{ANY_METHOD}\" is granted, and so is any other method"),
                )
            })
        },
    )
}

pub fn two_methods_taken(recording: &Recording) -> Verdict<'_> {
    each(
        recording.answers(&[Purpose::PreflightForTwoMethods]),
        NO_ANSWER,
        |_, response| {
            (response.is_success() && response.has(ALLOW_METHODS)).then(|| {
                let message =
                    "a request with two Access-Control-Request-Method lines is taken for a preflight".to_owned();
                (ALLOW_METHODS, message)
            })
        },
    )
}

pub fn options_swallowed(recording: &Recording) -> Verdict<'_> {
    each(
        recording.answers(&[Purpose::Options, Purpose::OptionsWithOrigin]),
        NO_ANSWER,
        |exchange, response| {
            let is_answered = response.is_success() && !response.has("allow");
            let is_swallowed = is_answered && (response.status == 204 || response.has(ALLOW_METHODS));
            is_swallowed.then(|| {
                let what = match exchange.purpose {
                    Purpose::Options => "Origin or Access-Control-Request-Method",
                    _ => "Access-Control-Request-Method",
                };
                ("", format!("an OPTIONS without {what} is answered as a preflight is"))
            })
        },
    )
}

pub fn private_network(recording: &Recording) -> Verdict<'_> {
    const NAME: &str = "access-control-allow-private-network";
    each(recording.all_answers(), NO_ANSWER, |_, response| {
        response
            .has(NAME)
            .then(|| (NAME, "browsers no longer look at it".to_owned()))
    })
}

/// Headers that say nothing on the answer to an actual request.
pub fn preflight_headers_on_actual(recording: &Recording) -> Verdict<'_> {
    const ACTUAL: &[Purpose] = &[Purpose::NoOrigin, Purpose::Allowed, Purpose::Stranger];
    each(recording.answers(ACTUAL), NO_ANSWER, |exchange, response| {
        let names = [ALLOW_METHODS, ALLOW_HEADERS, MAX_AGE];
        let name = names.into_iter().find(|name| response.has(name))?;
        Some((
            name,
            format!("{name} says nothing on the answer to a {}", exchange.request.method),
        ))
    })
}

pub fn without_allow_origin(recording: &Recording) -> Verdict<'_> {
    each(recording.all_answers(), NO_ANSWER, |_, response| {
        let names = [ALLOW_CREDENTIALS, ALLOW_METHODS, ALLOW_HEADERS, MAX_AGE];
        let name = names.into_iter().find(|name| response.has(name))?;
        (!response.has(ALLOW_ORIGIN)).then(|| (name, "it counts only beside Access-Control-Allow-Origin".to_owned()))
    })
}
