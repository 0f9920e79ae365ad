//! The reader of a request's header.

use cors_policy::Request as CorsRequestHeaders;

use super::live::Request;

impl<'r> Request<'r> {
    /// The header lines that decide. `is_options` tells whether the client's method was `OPTIONS`.
    pub(crate) fn cors_headers(self, is_options: bool) -> CorsRequestHeaders<'r> {
        let mut read = CorsRequestHeaders {
            is_options,
            ..CorsRequestHeaders::default()
        };
        for header in self.header_list().iter() {
            // Their lengths differ, so that most others are passed over with one look.
            let (field, name) = match header.name.len() {
                6 => (&mut read.origin, "origin"),
                14 => (&mut read.fetch_site, "sec-fetch-site"),
                29 => (&mut read.request_method, "access-control-request-method"),
                38 => (&mut read.private_network, "access-control-request-private-network"),
                _ => continue,
            };
            if header.name.eq_ignore_ascii_case(name.as_bytes()) {
                field.add(header.value);
            }
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
            .filter(move |header| header.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|header| header.value)
    }
}
