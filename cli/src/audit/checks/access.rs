//! What the server does with requests of a page of its own, with WebSockets, and with requests that no browser sends.

use super::check::{each, Seen, Verdict};
use crate::audit::purpose::Purpose;
use crate::audit::recording::Recording;

pub fn same_origin_refused(recording: &Recording) -> Verdict<'_> {
    // A POST is compared with one, as a document may be there to be read alone.
    let pairs = |purpose| match purpose {
        Purpose::SameOrigin => Purpose::NoOrigin,
        _ => Purpose::PostWithoutOrigin,
    };
    let answers = recording.answers(&[Purpose::SameOrigin, Purpose::SameOriginPost]);
    let answers = answers.filter(|(exchange, _)| {
        let without = recording.answer(pairs(exchange.purpose), exchange.path);
        without.is_some_and(|without| !matches!(without.status, 401 | 403))
    });
    each(answers, "the path is forbidden to everyone", |exchange, response| {
        matches!(response.status, 401 | 403).then(|| {
            let method = &exchange.request.method;
            let own = &recording.subject.own_origin;
            let message = format!("{method} of a page of {own} itself gets status {}", response.status);
            ("", message)
        })
    })
}

pub fn websocket_for_strangers(recording: &Recording) -> Verdict<'_> {
    let opened = |path| {
        recording
            .answer(Purpose::WebSocket, path)
            .map(|response| response.status)
    };
    let answers = recording.answers(&[Purpose::WebSocketOfStranger]);
    let answers = answers.filter(|(exchange, response)| response.status == 101 || opened(exchange.path) == Some(101));
    each(answers, "no path opens a WebSocket", |_, response| {
        (response.status == 101).then(|| {
            let message = "the page of a stranger opens a WebSocket, with the cookies of the user".to_owned();
            ("upgrade", message)
        })
    })
}

pub fn no_answer(recording: &Recording) -> Verdict<'_> {
    let version = recording.subject.version;
    let asked = recording.exchanges.iter();
    let asked = asked.filter(|exchange| !exchange.is_repeated && exchange.request.version == version);
    let seen = asked.filter_map(|exchange| {
        let failure = exchange.outcome.as_ref().err()?;
        Some(Seen {
            exchange,
            header: "",
            message: failure.to_string(),
        })
    });
    Verdict::Looked(seen.collect())
}
