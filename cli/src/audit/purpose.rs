//! What the requests are for.

use super::hostile::Variant;

/// What a request is to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    // A page, or nobody's page, reads.
    NoOrigin,
    Allowed,
    Stranger,
    Null,
    Loopback,
    Hostile(Variant),
    /// Two `Origin` lines.
    TwoOrigins,
    MalformedOrigin,
    // An allowed page gets another answer than a whole document.
    Head,
    NotFound,
    Partial,
    NotModified,
    MethodNotAllowed,
    /// A method that may change something.
    Unsafe,
    // A page of the server itself.
    SameOrigin,
    SameOriginPost,
    PostWithoutOrigin,
    // A page opens a WebSocket.
    WebSocket,
    WebSocketOfStranger,
    // What a browser asks before.
    Preflight,
    PreflightOfStranger,
    PreflightOfNull,
    PreflightOfHostile(Variant),
    PreflightForAnyMethod,
    PreflightForPrivateNetwork,
    /// Two `Access-Control-Request-Method` lines: no browser sends it.
    PreflightForTwoMethods,
    // `OPTIONS` that is no preflight.
    Options,
    OptionsWithOrigin,
}
