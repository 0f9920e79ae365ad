//! The reader of a request's header.

use cors_policy::{is_named, Request as CorsRequestHeaders};

use super::live::Request;

/// A bit for each length that a name has that `cors_headers` looks for.
const LENGTHS: u64 = 1 << 6 | 1 << 14 | 1 << 29 | 1 << 30 | 1 << 38;

impl<'r> Request<'r> {
    /// The header lines that decide. `is_options` tells whether the client's method was `OPTIONS`.
    pub(crate) fn cors_headers(self, is_options: bool) -> CorsRequestHeaders<'r> {
        let mut read = CorsRequestHeaders {
            is_options,
            ..CorsRequestHeaders::default()
        };
        for header in self.header_list().iter() {
            // Most headers are passed over with one look at how long their names are.
            let length = header.name().len();
            if LENGTHS >> (length % 64) & 1 == 0 {
                continue;
            }
            let field = match length {
                6 if is_named(header.name(), b"origin") => &mut read.origin,
                14 if is_named(header.name(), b"sec-fetch-site") => &mut read.fetch_site,
                29 if is_named(header.name(), b"access-control-request-method") => &mut read.request_method,
                30 if is_named(header.name(), b"access-control-request-headers") => &mut read.requested_headers,
                38 if is_named(header.name(), b"access-control-request-private-network") => &mut read.private_network,
                _ => continue,
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
