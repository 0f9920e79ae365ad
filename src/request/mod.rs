//! A request, as far as the module looks at it.

mod context;
mod headers;
mod live;
mod policy_context;
mod response;
mod simulated;

pub(crate) use context::{Action, Binding, KeptDecision, RequestContext};
pub(crate) use live::{replace_response, run_phase, with_request, Next, Request};
pub(crate) use simulated::SimulatedContext;
