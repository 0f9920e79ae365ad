//! A request, as far as the module looks at it.

mod context;
mod headers;
mod live;
mod response;
mod simulated;
mod values;

pub(crate) use context::{Action, Binding, KeptDecision, RequestContext};
pub(crate) use live::{handle, Request};
pub(crate) use simulated::SimulatedContext;
