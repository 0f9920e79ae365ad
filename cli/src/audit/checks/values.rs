//! What the headers say, wherever they are sent.

use super::check::{each, Fault, Verdict};
use crate::audit::exchange::{
    Response, ALLOW_CREDENTIALS, ALLOW_HEADERS, ALLOW_METHODS, ALLOW_ORIGIN, EXPOSE_HEADERS, MAX_AGE,
};
use crate::audit::purpose::Purpose;
use crate::audit::recording::{Exchange, Recording};
use crate::cors_headers::{
    nearest_response_header, origin_error, LONGEST_MAX_AGE, RESPONSE_HEADERS, UPPER_CASE_METHODS,
};
use cors_policy::is_token;

/// Looks at all answers that have this header.
fn having<'r>(
    recording: &'r Recording,
    name: &'static str,
    mut look: impl FnMut(&'r Exchange, &'r Response) -> Option<String>,
) -> Verdict<'r> {
    let answers = recording.all_answers().filter(|(_, response)| response.has(name));
    each(answers, "no answer has the header", |exchange, response| {
        Some((name, look(exchange, response)?))
    })
}

/// The value of `Access-Control-Allow-Origin`, where it is sent once, and is not what was asked with.
fn own_origin_value<'r>(exchange: &Exchange, response: &'r Response) -> Option<&'r str> {
    // To send back what no page asks with is a fault of its own.
    if matches!(exchange.purpose, Purpose::TwoOrigins | Purpose::MalformedOrigin) {
        return None;
    }
    let mut values = response.values(ALLOW_ORIGIN);
    let value = values.next().filter(|value| !matches!(*value, "*" | "null"))?;
    let is_alone = values.next().is_none();
    (is_alone && exchange.request.only("Origin") != Some(value)).then_some(value)
}

pub fn several_origins_in_a_value(recording: &Recording) -> Verdict<'_> {
    having(recording, ALLOW_ORIGIN, |exchange, response| {
        let value = own_origin_value(exchange, response)?;
        let is_list = value.contains([',', ' ']);
        is_list.then(|| format!("no page has the list \"{value}\" for its origin"))
    })
}

pub fn several_origin_lines(recording: &Recording) -> Verdict<'_> {
    having(recording, ALLOW_ORIGIN, |_, response| {
        let count = response.values(ALLOW_ORIGIN).count();
        (count > 1).then(|| format!("it is sent {count} times"))
    })
}

pub fn slash_after_origin(recording: &Recording) -> Verdict<'_> {
    having(recording, ALLOW_ORIGIN, |exchange, response| {
        let value = own_origin_value(exchange, response)?;
        let origin = value.strip_suffix('/')?;
        origin_error(origin)
            .is_none()
            .then(|| format!("pages have the origin \"{origin}\""))
    })
}

pub fn malformed_origin(recording: &Recording) -> Verdict<'_> {
    having(recording, ALLOW_ORIGIN, |exchange, response| {
        let value = own_origin_value(exchange, response)?;
        if value.contains([',', ' ']) || value.ends_with('/') {
            return None;
        }
        let (why, _) = origin_error(value)?;
        Some(match value.contains('*') {
            true => format!("browsers know no patterns, and no page has the origin \"{value}\""),
            false => format!("no page has the origin \"{value}\": {why}"),
        })
    })
}

pub fn wildcard_with_credentials(recording: &Recording) -> Verdict<'_> {
    having(recording, ALLOW_ORIGIN, |_, response| {
        let is_both = response.combined(ALLOW_ORIGIN).as_deref() == Some("*") && response.allows_credentials();
        is_both.then(|| "browsers refuse \"*\" beside \"Access-Control-Allow-Credentials: true\"".to_owned())
    })
}

/// `*` in a list, where a request with credentials is answered.
fn wildcard_in<'r>(recording: &'r Recording, name: &'static str) -> Verdict<'r> {
    having(recording, name, |_, response| {
        let has_credentials = response.allows_credentials();
        (has_credentials && response.list(name).any(|element| element == "*"))
            .then(|| "a request with credentials finds here a name \"*\"".to_owned())
    })
}

pub fn wildcard_methods_with_credentials(recording: &Recording) -> Verdict<'_> {
    wildcard_in(recording, ALLOW_METHODS)
}

pub fn wildcard_headers_with_credentials(recording: &Recording) -> Verdict<'_> {
    wildcard_in(recording, ALLOW_HEADERS)
}

pub fn wildcard_exposed_with_credentials(recording: &Recording) -> Verdict<'_> {
    wildcard_in(recording, EXPOSE_HEADERS)
}

pub fn credentials_not_true(recording: &Recording) -> Verdict<'_> {
    having(recording, ALLOW_CREDENTIALS, |_, response| {
        let value = response.combined(ALLOW_CREDENTIALS)?;
        (value != "true").then(|| format!("\"{value}\" means the same as no header"))
    })
}

pub fn malformed_max_age(recording: &Recording) -> Verdict<'_> {
    having(recording, MAX_AGE, |_, response| {
        let value = response.combined(MAX_AGE)?;
        let digits = value.strip_prefix('-').unwrap_or(&value);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        (!is_number).then(|| format!("\"{value}\" is no number of seconds"))
    })
}

pub fn negative_max_age(recording: &Recording) -> Verdict<'_> {
    having(recording, MAX_AGE, |_, response| {
        let value = response.combined(MAX_AGE)?;
        let seconds: i64 = value.parse().ok()?;
        (seconds < 0).then(|| format!("{seconds} seconds are none: each request is preceded by a preflight"))
    })
}

pub fn max_age_too_long(recording: &Recording) -> Verdict<'_> {
    having(recording, MAX_AGE, |_, response| {
        let value = response.combined(MAX_AGE)?;
        let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
        // What is too long for a number is too long for browsers.
        let is_longer = is_digits && value.parse::<u64>().map_or(true, |seconds| seconds > LONGEST_MAX_AGE);
        is_longer.then(|| format!("{value} seconds are more than any browser keeps"))
    })
}

pub fn method_in_lower_case(recording: &Recording) -> Verdict<'_> {
    having(recording, ALLOW_METHODS, |_, response| {
        let mut methods = response.list(ALLOW_METHODS);
        let lower = methods.find(|method| {
            let upper = method.to_ascii_uppercase();
            *method != upper && UPPER_CASE_METHODS.contains(&&*upper)
        })?;
        let upper = lower.to_ascii_uppercase();
        Some(format!("browsers send \"{upper}\", which is not \"{lower}\""))
    })
}

pub fn malformed_list(recording: &Recording) -> Verdict<'_> {
    let find = |response: &Response| -> Option<Fault> {
        for name in [ALLOW_METHODS, ALLOW_HEADERS, EXPOSE_HEADERS] {
            if let Some(element) = response.list(name).find(|element| !is_token(element.as_bytes())) {
                return Some((name, format!("\"{element}\" is no name, and so the whole list is none")));
            }
        }
        None
    };
    let answers = recording.all_answers().filter(|(_, response)| {
        [ALLOW_METHODS, ALLOW_HEADERS, EXPOSE_HEADERS]
            .iter()
            .any(|name| response.has(name))
    });
    each(answers, "no answer has a list", |_, response| find(response))
}

/// The headers of CORS that browsers do not know, with what they are like.
fn unknown(response: &Response) -> Option<&str> {
    let names = response.headers.iter().map(|(name, _)| name.as_str());
    // Three letters may be wrong, as in `Acess-Control-Alow-Origins`.
    let resembles = |name: &str| {
        let nearest = nearest_response_header(name).to_ascii_lowercase();
        name.starts_with("access-control-") || strsim::osa_distance(name, &nearest) <= 3
    };
    names
        .filter(|name| !RESPONSE_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name)))
        .filter(|name| !name.starts_with("access-control-request-"))
        .find(|name| resembles(name))
}

const NO_ANSWER: &str = "there was no answer";

pub fn misspelt_header(recording: &Recording) -> Verdict<'_> {
    each(recording.all_answers(), NO_ANSWER, |_, response| {
        let name = unknown(response)?;
        let nearest = nearest_response_header(name);
        Some((
            "",
            format!("browsers know no header \"{name}\"; is \"{nearest}\" meant?"),
        ))
    })
}

pub fn request_header_in_response(recording: &Recording) -> Verdict<'_> {
    each(recording.all_answers(), NO_ANSWER, |_, response| {
        let names = ["access-control-request-method", "access-control-request-headers"];
        let name = names.into_iter().find(|name| response.has(name))?;
        Some((name, format!("\"{name}\" is what browsers ask with")))
    })
}
