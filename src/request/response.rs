//! The writer of a response's header.

use cors_policy::{vary, Decision, HeaderName, Policy, Value, Vary};
use nginx_sys::{ngx_create_temp_buf, ngx_int_t, ngx_uint_t, NGX_HTTP_SWITCHING_PROTOCOLS};

use super::live::Request;
use crate::nginx::list::HeaderLine;
use crate::nginx::pool::OutOfMemory;
use crate::nginx::shim;
use crate::nginx::string::as_ngx_str;

fn line(name: HeaderName, value: &[u8]) -> HeaderLine<'_> {
    HeaderLine {
        name: name.as_str().as_bytes(),
        lower_name: name.as_lower_str().as_bytes(),
        value,
    }
}

impl<'r> Request<'r> {
    /// Puts the policy's headers in the place of those that the response has.
    pub(crate) fn set_cors_headers(self, policy: &'r Policy, decision: &Decision<'r>) -> Result<(), OutOfMemory> {
        // Whatever the upstream, the cache or `add_header` says of CORS: the policy is the one authority.
        let mut has_vary = false;
        self.response_list().remove(|header| {
            has_vary |= is_vary(header.name());
            policy.owns_header(header.name())
        });
        let Some(response) = policy.response_headers(decision.response_kind()) else {
            return Ok(());
        };
        for (name, value) in response.lines() {
            let value = self.value(policy, decision, value)?;
            if !value.is_empty() {
                self.response_list().push(line(name, value))?;
            }
        }
        self.add_to_vary(response.vary(), response.vary_line(), has_vary)
    }

    /// What a header says in this response.
    fn value(self, policy: &'r Policy, decision: &Decision<'r>, value: Value<'r>) -> Result<&'r [u8], OutOfMemory> {
        Ok(match value {
            Value::Bytes(bytes) => bytes,
            Value::Origin => decision.origin().value(),
            Value::Method => decision.preflight().map_or(&[][..], |preflight| preflight.method),
            Value::PrivateNetwork => match decision.preflight() {
                Some(preflight) if preflight.private_network => b"true",
                _ => b"",
            },
            Value::FromRequest => match policy.echoed_line(self.requested_headers()) {
                Some(line) => line,
                None => self.join(policy.echoed_headers(self.requested_headers()))?,
            },
            Value::FromResponse => self.join(policy.exposed_headers(self.response_header_names()))?,
        })
    }

    /// Makes `Vary` name what the response depends on, once and on one line (RFC 9110, section 12.5.5). `has_vary` tells
    /// whether the response has such a line already.
    fn add_to_vary(self, needed: Vary, needed_line: &'r str, has_vary: bool) -> Result<(), OutOfMemory> {
        if needed.is_empty() {
            return Ok(());
        }
        // nginx writes the one of gzip_vary itself, outside of the list.
        let has_gzip_vary = self.take_gzip_vary();
        if !has_vary && !has_gzip_vary {
            return self
                .response_list()
                .push(line(HeaderName::Vary, needed_line.as_bytes()));
        }
        let needed = match has_gzip_vary {
            true => Vary::ACCEPT_ENCODING.and(needed),
            false => needed,
        };
        let lines = self
            .response_list()
            .iter()
            .filter(|header| is_vary(header.name()))
            .map(|header| header.value());
        if lines.clone().any(vary::has_star) {
            return Ok(());
        }
        let missing = lines.clone().fold(needed, Vary::missing_from);
        if missing.is_empty() && lines.clone().count() == 1 {
            return Ok(());
        }
        let merged = self.join(vary::merged(lines, missing))?;
        self.response_list().remove(|header| is_vary(header.name()));
        self.response_list().push(line(HeaderName::Vary, merged))
    }

    /// Whether nginx is about to write `Vary: Accept-Encoding` outside of the list; it no longer will.
    fn take_gzip_vary(self) -> bool {
        // SAFETY: the request is alive; the function changes one bit of it.
        unsafe { shim::ngx_http_cors_take_gzip_vary(self.as_ptr()) != 0 }
    }

    /// The names of the headers that the response carries.
    fn response_header_names(self) -> impl Iterator<Item = &'r [u8]> + Clone {
        let names = self.response_list().iter().map(|header| header.name());
        names.chain(self.implied_response_headers().into_iter().flatten())
    }

    /// `Access-Control-Allow-Origin` as the response has it already.
    pub(crate) fn response_allow_origin(self) -> Option<&'r [u8]> {
        let name = HeaderName::AllowOrigin.as_str().as_bytes();
        let mut headers = self.response_list().iter();
        headers
            .find(|header| header.name().eq_ignore_ascii_case(name))
            .map(|header| header.value())
    }

    /// Whether the response hands the connection over to another protocol (101).
    pub(crate) fn switches_protocols(self) -> bool {
        u32::from(self.response_status()) == NGX_HTTP_SWITCHING_PROTOCOLS
    }

    /// Gives the response a header.
    pub(crate) fn add_header(
        self,
        name: &'static str,
        lower_name: &'static str,
        value: &'static str,
    ) -> Result<(), OutOfMemory> {
        self.response_list().push(HeaderLine {
            name: name.as_bytes(),
            lower_name: lower_name.as_bytes(),
            value: value.as_bytes(),
        })
    }

    /// Sends a response with this body. The content handler returns what this returns.
    pub(crate) fn send(self, status: u32, content_type: &'static str, body: &[u8]) -> Result<ngx_int_t, OutOfMemory> {
        let raw = self.as_ptr();
        // SAFETY: the request is alive and in its content handler. nginx allocates as many bytes as are written, and the
        // buffer lies in the request's pool.
        unsafe {
            let buffer = ngx_create_temp_buf(self.pool(), body.len().max(1));
            if buffer.is_null() {
                return Err(OutOfMemory);
            }
            (*buffer).pos.copy_from_nonoverlapping(body.as_ptr(), body.len());
            (*buffer).last = (*buffer).pos.add(body.len());
            (*raw).headers_out.status = status as ngx_uint_t;
            (*raw).headers_out.content_length_n = body.len() as _;
            (*raw).headers_out.content_type = as_ngx_str(content_type.as_bytes());
            (*raw).headers_out.content_type_len = content_type.len();
            Ok(shim::ngx_http_cors_send(raw, buffer))
        }
    }
}

fn is_vary(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"Vary")
}
