//! The query of a request for the figures.

use std::borrow::Cow;

use crate::accept::Format;

/// The query of a request for the figures.
#[derive(Debug, Default)]
pub struct Query {
    /// `format=`
    pub format: Option<Format>,
    /// `try=1`
    pub try_request: Option<TryRequest>,
}

/// The request that `try=1` asks about.
#[derive(Debug, Default)]
pub struct TryRequest {
    /// The server; without one, the first that has the location.
    pub server: Option<String>,
    /// The location; without one, the first.
    pub location: Option<String>,
    /// `Origin`
    pub origin: String,
    /// The method.
    pub method: String,
    /// The headers that the script sets, separated by commas or spaces.
    pub headers: String,
    /// Whether cookies and other credentials are sent.
    pub credentials: bool,
}

impl TryRequest {
    /// The names of the headers that the script sets.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.split([',', ' ']).filter(|name| !name.is_empty())
    }
}

impl Query {
    /// Reads a query. Unknown names are ignored; of several values of a name the last counts.
    pub fn parse(query: &[u8]) -> Self {
        let mut read = Self::default();
        let mut try_request = TryRequest {
            method: "GET".to_owned(),
            ..TryRequest::default()
        };
        let mut tries = false;
        for (name, value) in form_urlencoded::parse(query) {
            let says_yes = |value: &Cow<'_, str>| !matches!(&**value, "" | "0" | "off" | "false");
            match &*name {
                "format" => read.format = Format::from_name(value.as_bytes()),
                "try" => tries = says_yes(&value),
                "server" => try_request.server = Some(value.into()),
                "location" => try_request.location = Some(value.into()),
                "origin" => try_request.origin = value.into(),
                "method" => try_request.method = value.into(),
                "headers" => try_request.headers = value.into(),
                "credentials" => try_request.credentials = says_yes(&value),
                _ => {}
            }
        }
        read.try_request = tries.then_some(try_request);
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read() {
        let query = Query::parse(
            b"try=1&location=%2Fapi%2F&origin=https%3A%2F%2Fa.example&headers=X-One,+X-Two&credentials=on&x=y",
        );
        let try_request = query.try_request.unwrap();
        assert_eq!(try_request.location.as_deref(), Some("/api/"));
        assert_eq!(
            (&*try_request.origin, &*try_request.method, &*try_request.headers),
            ("https://a.example", "GET", "X-One, X-Two")
        );
        assert!(try_request.credentials && try_request.server.is_none() && query.format.is_none());
        assert!(Query::parse(b"try=0&format=html").try_request.is_none());
        assert_eq!(Query::parse(b"format=html").format, Some(Format::Html));
    }
}
