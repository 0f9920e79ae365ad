//! Answers other than a whole document: errors, parts, redirects, and the same in another version of HTTP.

use super::check::{each, Seen, Verdict};
use crate::audit::exchange::{
    Response, ALLOW_CREDENTIALS, ALLOW_HEADERS, ALLOW_METHODS, ALLOW_ORIGIN, EXPOSE_HEADERS, MAX_AGE, VARY,
};
use crate::audit::purpose::Purpose;
use crate::audit::recording::{Exchange, Recording};

/// Answers to these requests of an origin that may read the whole document, if `is_meant` holds for their status.
fn of_allowed<'r>(
    recording: &'r Recording,
    purposes: &'r [Purpose],
    is_meant: fn(u16) -> bool,
) -> impl Iterator<Item = (&'r Exchange, &'r Response)> {
    recording.answers(purposes).filter(move |(exchange, response)| {
        is_meant(response.status) && recording.is_allowed(exchange.path, &exchange.origin)
    })
}

/// Whether the page that may read the document may read this, too.
fn readable<'r>(answers: impl Iterator<Item = (&'r Exchange, &'r Response)>, otherwise: &'static str) -> Verdict<'r> {
    each(answers, otherwise, |exchange, response| {
        (!response.allows(&exchange.origin)).then(|| {
            let message = format!("status {} is for no page of {}", response.status, exchange.origin);
            (ALLOW_ORIGIN, message)
        })
    })
}

pub fn not_found_without_headers(recording: &Recording) -> Verdict<'_> {
    let answers = of_allowed(recording, &[Purpose::NotFound], |status| (400..500).contains(&status));
    readable(
        answers,
        "what does not exist is not answered with an error, or nothing is allowed",
    )
}

pub fn method_refused_without_headers(recording: &Recording) -> Verdict<'_> {
    let answers = of_allowed(recording, &[Purpose::MethodNotAllowed], |status| {
        (400..500).contains(&status) || status == 501
    });
    readable(answers, "PROPFIND is not refused, or nothing is allowed")
}

pub fn server_error_without_headers(recording: &Recording) -> Verdict<'_> {
    const PURPOSES: &[Purpose] = &[
        Purpose::NotFound,
        Purpose::MethodNotAllowed,
        Purpose::Partial,
        Purpose::NotModified,
        Purpose::Head,
        Purpose::Unsafe,
    ];
    let of_other_requests = of_allowed(recording, PURPOSES, |status| status >= 500 && status != 501);
    let of_paths = recording.answers(&[Purpose::Allowed]);
    let of_paths = of_paths.filter(|(_, response)| response.status >= 500);
    readable(of_paths.chain(of_other_requests), "no request led to a status 5xx")
}

pub fn partial_without_headers(recording: &Recording) -> Verdict<'_> {
    let answers = of_allowed(recording, &[Purpose::Partial], |status| matches!(status, 206 | 416));
    readable(answers, "there are no parts of documents, or nothing is allowed")
}

pub fn not_modified_with_other_origin(recording: &Recording) -> Verdict<'_> {
    let answers = of_allowed(recording, &[Purpose::NotModified], |status| status == 304);
    each(answers, "there is no answer 304", |exchange, response| {
        let is_wrong = !response.allows(&exchange.origin);
        is_wrong.then(|| match response.combined(ALLOW_ORIGIN) {
            Some(value) => (ALLOW_ORIGIN, format!("the kept answer becomes one for \"{value}\"")),
            None => (
                "",
                "the kept answer stays as it was, perhaps for another page".to_owned(),
            ),
        })
    })
}

pub fn method_without_headers(recording: &Recording) -> Verdict<'_> {
    let answers = of_allowed(recording, &[Purpose::Unsafe], |status| status < 500);
    readable(
        answers,
        "only --unsafe-methods has other methods than GET and HEAD sent",
    )
}

pub fn redirect_without_headers(recording: &Recording) -> Verdict<'_> {
    let answers = recording.answers(&[Purpose::Allowed]);
    let redirects = answers.filter(|(_, response)| response.is_redirect());
    each(redirects, "no path is redirected", |exchange, response| {
        (!response.allows(&exchange.origin)).then(|| {
            let message = format!("a page of {} does not get beyond this redirect", exchange.origin);
            ("location", message)
        })
    })
}

pub fn redirected_elsewhere(recording: &Recording) -> Verdict<'_> {
    let answers = recording.answers(&[Purpose::Allowed]);
    let redirects = answers.filter(|(_, response)| response.is_redirect());
    each(redirects, "no path is redirected", |_, response| {
        let location = response.values("location").next()?;
        let (scheme, rest) = match location.strip_prefix("//") {
            Some(rest) => (recording.subject.own_origin.split(':').next()?, rest),
            None => location.split_once("://")?,
        };
        let authority = rest.split(['/', '?', '#']).next()?;
        let origin = format!("{scheme}://{authority}").to_ascii_lowercase();
        let default = if scheme.eq_ignore_ascii_case("https") {
            ":443"
        } else {
            ":80"
        };
        let origin = origin.strip_suffix(default).unwrap_or(&origin);
        (origin != recording.subject.own_origin).then(|| {
            let message = format!("{origin} is asked with \"Origin: null\" then; it was not asked by this audit");
            ("location", message)
        })
    })
}

/// What browsers and caches go by.
const COMPARED: [&str; 7] = [
    ALLOW_ORIGIN,
    ALLOW_CREDENTIALS,
    ALLOW_METHODS,
    ALLOW_HEADERS,
    EXPOSE_HEADERS,
    MAX_AGE,
    VARY,
];

/// The first header of those that are compared in which two answers differ.
fn difference(one: &Response, other: &Response) -> Option<&'static str> {
    let as_read = |response: &Response, name| {
        let mut elements: Vec<_> = response.list(name).map(str::to_ascii_lowercase).collect();
        elements.sort();
        elements
    };
    COMPARED
        .into_iter()
        .find(|name| as_read(one, name) != as_read(other, name))
}

fn shown(response: &Response, name: &str) -> String {
    match response.combined(name) {
        Some(value) => format!("\"{value}\""),
        None => "none".to_owned(),
    }
}

pub fn head_differs(recording: &Recording) -> Verdict<'_> {
    let get = |path| recording.answer(Purpose::Allowed, path);
    let answers = recording.answers(&[Purpose::Head]);
    let answers =
        answers.filter(|(exchange, response)| get(exchange.path).is_some_and(|get| get.status == response.status));
    each(answers, "HEAD and GET have different statuses", |exchange, response| {
        let get = get(exchange.path)?;
        let name = difference(get, response)?;
        let (of_get, of_head) = (shown(get, name), shown(response, name));
        Some((name, format!("{name} is {of_get} for GET, and {of_head} for HEAD")))
    })
}

pub fn versions_differ(recording: &Recording) -> Verdict<'_> {
    let mut has_looked = false;
    let mut seen = Vec::new();
    for repeated in recording.exchanges.iter().filter(|exchange| exchange.is_repeated) {
        let mut others = recording.exchanges.iter();
        let other = others.find(|other| {
            !other.is_repeated
                && (other.purpose, other.path) == (repeated.purpose, repeated.path)
                && other.request.headers == repeated.request.headers
        });
        let (Some(first), Some(second)) = (other.and_then(Exchange::response), repeated.response()) else {
            continue;
        };
        has_looked = true;
        let versions = (recording.subject.version, recording.subject.version.other());
        let difference = match first.status == second.status {
            true => difference(first, second).map(|name| (name, shown(first, name), shown(second, name))),
            false => Some(("status", first.status.to_string(), second.status.to_string())),
        };
        seen.extend(difference.map(|(name, one, two)| Seen {
            exchange: repeated,
            header: name,
            message: format!("{name} is {one} over {}, and {two} over {}", versions.0, versions.1),
        }));
    }
    match has_looked {
        true => Verdict::Looked(seen),
        false => Verdict::NotApplicable("it was not asked in two versions of HTTP"),
    }
}
