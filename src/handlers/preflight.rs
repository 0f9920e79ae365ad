//! Answering preflights.

use nginx_sys::ngx_int_t;

use crate::decide::Decided;
use crate::request::{Action, Request, RequestContext};

/// Answers the preflight, and ends the request. The header filter gives the answer its headers. The phase handler returns
/// what this returns.
pub(super) fn answer_preflight<'r>(
    request: Request<'r>,
    context: &RequestContext<'r>,
    decided: &Decided<'r>,
    status: u16,
) -> ngx_int_t {
    if let Err(failed) = request.discard_body() {
        return failed;
    }
    context.keep_decision(decided.location, decided.decision);
    context.note_action(Action::Answered(status));
    request.end_with_header(status)
}
