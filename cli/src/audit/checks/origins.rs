//! Who is let in, and who is not.

use super::check::{each, Verdict};
use crate::audit::exchange::{Request, Response, ALLOW_CREDENTIALS, ALLOW_ORIGIN};
use crate::audit::hostile::{Variant, STRANGER};
use crate::audit::purpose::Purpose;
use crate::audit::recording::{Exchange, Recording};

const EVERYONE: &str = "every origin is sent back";
const NO_ANSWER: &str = "there was no answer";

/// The origin that was asked with.
fn asked(request: &Request) -> &str {
    request.only("Origin").unwrap_or_default()
}

fn with_credentials(response: &Response) -> &'static str {
    match response.allows_credentials() {
        true => ", with credentials",
        false => "",
    }
}

pub fn allowed_origin_refused(recording: &Recording) -> Verdict<'_> {
    let answers = recording.answers(&[Purpose::Allowed]);
    // Redirects and errors of the server have checks of their own.
    let answers = answers.filter(|(_, response)| !response.is_redirect() && response.status < 500);
    each(answers, "each path is redirected, or fails", |exchange, response| {
        let origin = &exchange.origin;
        if response.allows(origin) {
            return None;
        }
        let found = match response.combined(ALLOW_ORIGIN) {
            Some(value) => format!("the answer is for \"{value}\""),
            None => "the answer has no Access-Control-Allow-Origin".to_owned(),
        };
        Some((ALLOW_ORIGIN, format!("a page of {origin} may not read it: {found}")))
    })
}

pub fn credentials_missing(recording: &Recording) -> Verdict<'_> {
    let answers = recording.answers(&[Purpose::Allowed, Purpose::Preflight]);
    let answers =
        answers.filter(|(exchange, response)| recording.subject.has_credentials && response.allows(&exchange.origin));
    each(
        answers,
        "--credentials was not given, or nothing is allowed",
        |exchange, response| {
            // Another value than `true` is a fault of its own.
            (!response.has(ALLOW_CREDENTIALS)).then(|| {
                let message = format!("a page of {} that asks with cookies may not read it", exchange.origin);
                (ALLOW_ORIGIN, message)
            })
        },
    )
}

fn reflected(recording: &Recording, is_with_credentials: bool) -> Verdict<'_> {
    let answers = recording.answers(&[Purpose::Stranger, Purpose::PreflightOfStranger]);
    each(answers, NO_ANSWER, |_, response| {
        let is_it = response.sends_back(STRANGER) && response.allows_credentials() == is_with_credentials;
        is_it.then(|| {
            let with = with_credentials(response);
            (
                ALLOW_ORIGIN,
                format!("\"{STRANGER}\" is sent back{with}, and so is any other origin"),
            )
        })
    })
}

pub fn reflected_with_credentials(recording: &Recording) -> Verdict<'_> {
    reflected(recording, true)
}

pub fn reflected_origin(recording: &Recording) -> Verdict<'_> {
    reflected(recording, false)
}

/// Origins that are not to be sent back, on the paths where not every origin is.
fn sent_back<'r>(recording: &'r Recording, purposes: &'r [Purpose], otherwise: &'static str) -> Verdict<'r> {
    let is_sent_back = |exchange: &Exchange, response: &Response| {
        let origin = asked(&exchange.request);
        response.sends_back(origin).then(|| {
            let with = with_credentials(response);
            (ALLOW_ORIGIN, format!("\"{origin}\" is sent back{with}"))
        })
    };
    let answers = || recording.answers(purposes);
    match answers().next() {
        None => Verdict::NotApplicable(otherwise),
        Some(_) => {
            let answers = answers().filter(|(exchange, _)| !recording.is_reflected(exchange.path));
            each(answers, EVERYONE, is_sent_back)
        }
    }
}

pub fn null_origin(recording: &Recording) -> Verdict<'_> {
    sent_back(recording, &[Purpose::Null, Purpose::PreflightOfNull], NO_ANSWER)
}

pub fn loopback_origin(recording: &Recording) -> Verdict<'_> {
    sent_back(recording, &[Purpose::Loopback], "it is to be allowed")
}

/// A check for each way in which an origin can resemble an allowed one.
macro_rules! hostile {
    ($($name:ident $variant:ident)+) => {
        $(pub fn $name(recording: &Recording) -> Verdict<'_> {
            const PURPOSES: &[Purpose] = &[
                Purpose::Hostile(Variant::$variant),
                Purpose::PreflightOfHostile(Variant::$variant),
            ];
            sent_back(recording, PURPOSES, "no allowed origin has such a neighbour")
        })+
    };
}

hostile! {
    origin_with_suffix Suffix
    origin_with_prefix Prefix
    other_top_level_domain OtherTopLevel
    subdomain_allowed Subdomain
    other_port_allowed Port
    insecure_origin_allowed Scheme
    user_info_allowed UserInfo
    upper_case_allowed UpperCase
    trailing_dot_allowed TrailingDot
    path_allowed Path
}

/// Where the end alone is compared, what stands in the place of a dot makes no difference.
pub fn dot_for_any_character(recording: &Recording) -> Verdict<'_> {
    const PREFIX: &[Purpose] = &[
        Purpose::Hostile(Variant::Prefix),
        Purpose::PreflightOfHostile(Variant::Prefix),
    ];
    const DOT: &[Purpose] = &[
        Purpose::Hostile(Variant::Dot),
        Purpose::PreflightOfHostile(Variant::Dot),
    ];
    let is_prefix_allowed = recording
        .answers(PREFIX)
        .any(|(exchange, response)| response.sends_back(asked(&exchange.request)));
    match is_prefix_allowed {
        true => Verdict::NotApplicable("names that end with an allowed one are allowed"),
        false => sent_back(recording, DOT, "no allowed origin has such a neighbour"),
    }
}

pub fn malformed_origin_sent_back(recording: &Recording) -> Verdict<'_> {
    sent_back(recording, &[Purpose::MalformedOrigin], NO_ANSWER)
}

pub fn second_origin_sent_back(recording: &Recording) -> Verdict<'_> {
    let answers = recording.answers(&[Purpose::TwoOrigins]);
    let answers = answers.filter(|(exchange, _)| !recording.is_reflected(exchange.path));
    each(answers, EVERYONE, |_, response| {
        let value = response.combined(ALLOW_ORIGIN)?;
        value.contains(STRANGER).then(|| {
            let message = format!("a stranger's Origin beside an allowed one is sent back: \"{value}\"");
            (ALLOW_ORIGIN, message)
        })
    })
}
