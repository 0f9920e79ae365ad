//! The reader of a request's header.

use cors_policy::{is_named, Request as CorsRequestHeaders};

use super::live::Request;

impl<'r> Request<'r> {
    /// The header lines that decide. `is_options` tells whether the client's method was `OPTIONS`.
    pub(crate) fn cors_headers(self, is_options: bool) -> CorsRequestHeaders<'r> {
        let mut read = CorsRequestHeaders {
            is_options,
            ..CorsRequestHeaders::default()
        };
        for header in self.header_list().iter() {
            // Most headers are passed over with one look at how long their names are.
            if !matches!(header.name().len(), 6 | 14 | 29 | 30 | 38) {
                continue;
            }
            let name = header.name();
            let field = if is_named(name, b"origin") {
                &mut read.origin
            } else if is_named(name, b"sec-fetch-site") {
                &mut read.fetch_site
            } else if is_named(name, b"access-control-request-method") {
                &mut read.request_method
            } else if is_named(name, b"access-control-request-headers") {
                &mut read.requested_headers
            } else if is_named(name, b"access-control-request-private-network") {
                &mut read.private_network
            } else {
                continue;
            };
            field.add(header.value());
        }
        read
    }

    /// The lines of `Access-Control-Request-Headers`.
    pub(crate) fn requested_headers(self) -> impl Iterator<Item = &'r [u8]> + Clone {
        self.lines_of("access-control-request-headers")
    }

    /// Whether a line of `Upgrade` asks for a WebSocket (RFC 6455, section 4.1: any case, perhaps beside others).
    pub(crate) fn asks_for_websocket(self) -> bool {
        const WEBSOCKET: &[u8] = b"websocket";
        self.lines_of("upgrade").any(|line| {
            line.windows(WEBSOCKET.len())
                .any(|bytes| bytes.eq_ignore_ascii_case(WEBSOCKET))
        })
    }

    /// The lines of `Accept`.
    pub(crate) fn accepts(self) -> impl Iterator<Item = &'r [u8]> + Clone {
        self.lines_of("accept")
    }

    fn lines_of(self, name: &'static str) -> impl Iterator<Item = &'r [u8]> + Clone {
        self.header_list()
            .iter()
            .filter(move |header| header.name().eq_ignore_ascii_case(name.as_bytes()))
            .map(|header| header.value())
    }
}
