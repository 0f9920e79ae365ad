//! Responses, with their header lines as they came.

use std::fmt;

/// A response.
pub struct Response {
    pub status: u16,
    /// The header lines, in the order in which they came.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Response {
    /// Of a version of HTTP that has no lines.
    pub(crate) fn from_http(head: &http::Response<()>, body: Vec<u8>) -> Self {
        let headers = head.headers().iter();
        Self {
            status: head.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
                .collect(),
            body,
        }
    }

    /// The values of all lines called `name`, in any case.
    #[track_caller]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(present, _)| present.eq_ignore_ascii_case(name))
            .map(|(_, value)| std::str::from_utf8(value).expect("a header value in UTF-8"))
            .collect()
    }

    /// The value of the line called `name`, if there is one. Two of them fail the test.
    #[track_caller]
    pub fn get(&self, name: &str) -> Option<&str> {
        match self.all(name)[..] {
            [] => None,
            [value] => Some(value),
            _ => panic!("{name} is there more than once in\n{self}"),
        }
    }

    /// The value of the line called `name`. None, or two of them, fail the test.
    #[track_caller]
    pub fn only(&self, name: &str) -> &str {
        self.get(name).unwrap_or_else(|| panic!("{name} is missing in\n{self}"))
    }

    /// The elements of the one line called `name`, in lower case and sorted: order and case of a list
    /// such as `Vary` mean nothing.
    #[track_caller]
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut elements: Vec<String> = self
            .get(name)
            .unwrap_or_default()
            .split(',')
            .map(|element| element.trim().to_ascii_lowercase())
            .filter(|element| !element.is_empty())
            .collect();
        elements.sort_unstable();
        elements
    }

    /// The names of all header lines, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// The lines called `Access-Control-...`, sorted.
    pub fn access_control(&self) -> Vec<(&str, &str)> {
        let mut lines: Vec<(&str, &str)> = self
            .headers
            .iter()
            .filter(|(name, _)| name.to_ascii_lowercase().starts_with("access-control-"))
            .map(|(name, value)| {
                let value = std::str::from_utf8(value).expect("a header value in UTF-8");
                (name.as_str(), value)
            })
            .collect();
        lines.sort_unstable();
        lines
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", value.escape_ascii())?;
        }
        write!(f, "\n{}", self.body.escape_ascii())
    }
}
