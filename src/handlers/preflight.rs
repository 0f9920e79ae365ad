//! Answering preflights.

use crate::decide::Decided;
use crate::request::{Action, Next, Request, RequestContext};

/// Has the preflight answered, which ends the request. The header filter gives the answer its headers.
pub(super) fn answer_preflight<'r>(
    request: Request<'r>,
    context: &RequestContext<'r>,
    decided: &Decided<'r>,
    status: u16,
) -> Next {
    if let Err(failed) = request.discard_body() {
        return Next::Fail(failed);
    }
    context.keep_decision(decided.location, decided.decision);
    context.note_action(Action::Answered(status));
    Next::AnswerWithHeader(status)
}
