//! The response that a request gets, as far as the configuration says.

use super::block::BlockId;
use super::header::AddedHeader;
use super::request::Request;
use super::rewrite::{Answer, Rewritten};
use super::variables::Value;
use super::whole::Site;

/// A header of a response.
#[derive(Clone, Debug)]
pub struct Sent<'s, 't> {
    pub header: &'s AddedHeader<'t>,
    pub value: Value,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response<'s, 't> {
    pub rewritten: Rewritten<'t>,
    /// None where another location answers.
    pub status: Option<u16>,
    /// The headers that the configuration adds.
    pub sent: Vec<Sent<'s, 't>>,
    /// Those that it would add on other statuses.
    pub left_out: Vec<Sent<'s, 't>>,
}

impl<'t> Site<'t> {
    /// The response to a request that reaches `location`.
    pub fn respond<'s>(&'s self, location: BlockId, request: &Request) -> Response<'s, 't> {
        let rewritten = self.rewrite(location, request);
        let status = match rewritten.answer {
            Answer::Status { status, .. } => Some(status),
            Answer::Content => Some(request.status),
            Answer::Moved => None,
        };
        let level = match rewritten.at_server {
            true => self.server_of(location).map_or(location, |(server, _)| server),
            false => rewritten.level,
        };
        let mut response = Response {
            rewritten,
            status,
            sent: Vec::new(),
            left_out: Vec::new(),
        };
        // 444 closes the connection.
        let Some(status) = status.filter(|status| *status != 444) else {
            return response;
        };
        for header in self.headers(level) {
            let value = self
                .variables
                .value(&header.value, request, &response.rewritten.assigned);
            // nginx sends no header without a value.
            if value.is_empty() {
                continue;
            }
            let sent = Sent { header, value };
            match header.is_sent_with(status) {
                true => response.sent.push(sent),
                false => response.left_out.push(sent),
            }
        }
        response
    }
}

pub const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";
pub const ALLOW_CREDENTIALS: &str = "Access-Control-Allow-Credentials";

impl<'s, 't> Response<'s, 't> {
    /// The lines of a header.
    pub fn lines(&self, name: &str) -> impl Iterator<Item = &Sent<'s, 't>> + use<'_, 's, 't> {
        let name = name.to_owned();
        self.sent.iter().filter(move |sent| sent.header.is(&name))
    }

    /// The first line of a header.
    pub fn line(&self, name: &str) -> Option<&Sent<'s, 't>> {
        self.lines(name).next()
    }

    /// The line of `Access-Control-Allow-Origin` by which a page of `origin` may read the response.
    pub fn allows(&self, origin: &str) -> Option<&Sent<'s, 't>> {
        self.line(ALLOW_ORIGIN)
            .filter(|line| line.value.known().is_some_and(|value| value == "*" || value == origin))
    }

    /// Whether it lets a page read what only a signed-in user gets.
    pub fn has_credentials(&self) -> bool {
        self.line(ALLOW_CREDENTIALS)
            .is_some_and(|line| line.value.known() == Some("true"))
    }

    /// Whether caches keep it apart for each origin.
    pub fn varies_by_origin(&self) -> bool {
        self.lines("Vary").any(|line| match line.value.known() {
            Some(value) => value
                .split(',')
                .any(|name| matches!(&*name.trim().to_ascii_lowercase(), "origin" | "*")),
            None => true,
        })
    }

    /// Whether no cache may keep it.
    pub fn is_never_stored(&self) -> bool {
        self.lines("Cache-Control")
            .any(|line| line.value.known().is_some_and(|value| value.contains("no-store")))
    }
}
