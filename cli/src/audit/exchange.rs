//! A request, and what was answered.

use std::fmt;
use std::time::Duration;

/// The versions of HTTP that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Http1,
    Http2,
}

impl Version {
    pub fn other(self) -> Self {
        match self {
            Self::Http1 => Self::Http2,
            Self::Http2 => Self::Http1,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        })
    }
}

/// A request, without what all of them have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub version: Version,
    pub method: String,
    /// The path, with the query if there is one.
    pub target: String,
    /// In the order in which they are sent; a name may come twice.
    pub headers: Vec<(&'static str, String)>,
    /// Whether the headers that the user has given are sent, too. Browsers send none of them with a preflight.
    pub has_given_headers: bool,
}

impl Request {
    pub fn new(version: Version, method: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            version,
            method: method.into(),
            target: target.into(),
            headers: Vec::new(),
            has_given_headers: true,
        }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The value of a header, if it is sent once.
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(name));
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value.as_str())
    }
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub version: Version,
    pub status: u16,
    /// Each line as it was sent, the names in lower case.
    pub headers: Vec<(String, String)>,
    /// How many bytes of content were read.
    pub body: usize,
}

pub const ALLOW_ORIGIN: &str = "access-control-allow-origin";
pub const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";
pub const ALLOW_METHODS: &str = "access-control-allow-methods";
pub const ALLOW_HEADERS: &str = "access-control-allow-headers";
pub const EXPOSE_HEADERS: &str = "access-control-expose-headers";
pub const MAX_AGE: &str = "access-control-max-age";
pub const VARY: &str = "vary";

impl Response {
    /// The values of all lines of this name.
    pub fn values<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r str> {
        let lines = self.headers.iter().filter(move |(sent, _)| sent == name);
        lines.map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// The lines of this name as one value, as browsers take them (Fetch, "get" of a header list).
    pub fn combined(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self.values(name).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The elements of the list in all lines of this name.
    pub fn list<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r str> {
        let elements = self.values(name).flat_map(|value| value.split(','));
        elements.map(str::trim).filter(|element| !element.is_empty())
    }

    /// Whether a page of this origin that asks without credentials may read it (Fetch, CORS check, steps 1 to 4).
    pub fn allows(&self, origin: &str) -> bool {
        let value = self.combined(ALLOW_ORIGIN);
        value.is_some_and(|value| value == "*" || value == origin)
    }

    /// Whether it sends this origin back.
    pub fn sends_back(&self, origin: &str) -> bool {
        self.values(ALLOW_ORIGIN).any(|value| value == origin)
    }

    /// Whether it allows credentials (Fetch, CORS check, steps 5 to 7).
    pub fn allows_credentials(&self) -> bool {
        self.combined(ALLOW_CREDENTIALS).as_deref() == Some("true")
    }

    /// Whether caches are told that it depends on this header of the request.
    pub fn varies_by(&self, name: &str) -> bool {
        self.list(VARY)
            .any(|element| element == "*" || element.eq_ignore_ascii_case(name))
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it leads elsewhere. A 304 does not.
    pub fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    /// Its first lines.
    pub fn head(&self) -> String {
        let mut text = format!("{} {}\n", self.version, self.status);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\n");
        }
        text
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no connection.
    Connect(String),
    /// Nothing came in this time.
    TimedOut(Duration),
    /// The connection was closed before there was one.
    Closed,
    /// What came is none.
    Broken(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(why) => write!(f, "cannot be reached: {why}"),
            Self::TimedOut(time) => write!(
                f,
                "no answer within {} s; --timeout sets how long to wait",
                time.as_secs()
            ),
            Self::Closed => f.write_str("no answer: the connection was closed"),
            Self::Broken(why) => write!(f, "no answer that HTTP knows: {why}"),
        }
    }
}
