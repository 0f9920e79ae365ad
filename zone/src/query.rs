//! What the query of a request for the figures asks.

use std::borrow::Cow;

use crate::Format;

/// A query.
#[derive(Debug, Default)]
pub struct Query {
    /// `format=`
    pub format: Option<Format>,
    /// `try=1`
    pub attempt: Option<Try>,
}

/// A request that somebody wonders about.
#[derive(Debug, Default)]
pub struct Try {
    /// The server; the first that has such a location if nothing is said.
    pub server: Option<String>,
    /// The location; the first if nothing is said.
    pub location: Option<String>,
    /// `Origin`
    pub origin: String,
    /// The method.
    pub method: String,
    /// The headers that the script sets, separated by commas or spaces.
    pub headers: String,
    /// Whether cookies and the like go with it.
    pub credentials: bool,
}

impl Query {
    /// Reads a query. What it does not know it ignores; of several it takes the last.
    pub fn parse(query: &[u8]) -> Self {
        let mut read = Self::default();
        let mut attempt = Try {
            method: "GET".to_owned(),
            ..Try::default()
        };
        let mut tries = false;
        for (name, value) in form_urlencoded::parse(query) {
            let says_yes = |value: &Cow<'_, str>| !matches!(&**value, "" | "0" | "off" | "false");
            match &*name {
                "format" => read.format = Format::from_name(value.as_bytes()),
                "try" => tries = says_yes(&value),
                "server" => attempt.server = Some(value.into()),
                "location" => attempt.location = Some(value.into()),
                "origin" => attempt.origin = value.into(),
                "method" => attempt.method = value.into(),
                "headers" => attempt.headers = value.into(),
                "credentials" => attempt.credentials = says_yes(&value),
                _ => {}
            }
        }
        read.attempt = tries.then_some(attempt);
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
        let attempt = query.attempt.unwrap();
        assert_eq!(attempt.location.as_deref(), Some("/api/"));
        assert_eq!(
            (&*attempt.origin, &*attempt.method, &*attempt.headers),
            ("https://a.example", "GET", "X-One, X-Two")
        );
        assert!(attempt.credentials && attempt.server.is_none() && query.format.is_none());
        assert!(Query::parse(b"try=0&format=html").attempt.is_none());
        assert_eq!(Query::parse(b"format=html").format, Some(Format::Html));
    }
}
