//! What a browser makes of responses: whether it gives one to a page of another origin, and whether it sends the request that
//! a preflight asks for.
//!
//! Steps are those of the [Fetch standard](https://fetch.spec.whatwg.org/).

use cors_policy::is_token;

use crate::cors_headers::LONGEST_MAX_AGE;

/// A response, as far as CORS looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case, with their values.
    pub headers: Vec<(String, String)>,
}

/// The methods that need no preflight ("CORS-safelisted method").
pub const SAFE_METHODS: [&str; 3] = ["GET", "HEAD", "POST"];

impl Answer {
    /// The values of a header, whose name is in lower case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let lines = self.headers.iter().filter(move |(other, _)| other == name);
        lines.map(|(_, value)| value.as_str())
    }

    /// The value of a header whose lines are put together ("get").
    pub fn value(&self, name: &str) -> Option<String> {
        let lines: Vec<_> = self.values(name).collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }

    /// Whether a page of `origin` may read it ("CORS check").
    pub fn is_readable(&self, origin: &str, with_credentials: bool) -> bool {
        let allowed = self.value("access-control-allow-origin");
        match allowed.as_deref() {
            Some("*") => !with_credentials,
            Some(value) if value == origin => {
                !with_credentials || self.value("access-control-allow-credentials").as_deref() == Some("true")
            }
            _ => false,
        }
    }

    /// Whether it lets a page send a request with this method ("CORS-preflight fetch", steps 7.1 to 7.6).
    pub fn lets_send_method(&self, origin: &str, method: &str, with_credentials: bool) -> bool {
        let Some(listed) = self.list("access-control-allow-methods") else {
            return false;
        };
        let is_listed = listed
            .iter()
            .any(|name| name == method || name == "*" && !with_credentials);
        self.is_ok_for(origin, with_credentials) && (is_listed || SAFE_METHODS.contains(&method))
    }

    /// Whether it lets a page send a request with this header (step 7.7).
    pub fn lets_send_header(&self, origin: &str, header: &str, with_credentials: bool) -> bool {
        let Some(listed) = self.list("access-control-allow-headers") else {
            return false;
        };
        // "CORS non-wildcard request-header name"
        let needs_name = header.eq_ignore_ascii_case("authorization");
        let is_listed = listed
            .iter()
            .any(|name| name.eq_ignore_ascii_case(header) || name == "*" && !with_credentials && !needs_name);
        self.is_ok_for(origin, with_credentials) && is_listed
    }

    fn is_ok_for(&self, origin: &str, with_credentials: bool) -> bool {
        (200..300).contains(&self.status) && self.is_readable(origin, with_credentials)
    }

    /// The names of response headers that a page may read beside those that it always may, in lower case.
    pub fn exposed(&self) -> Vec<String> {
        let mut names = self.list("access-control-expose-headers").unwrap_or_default();
        names.iter_mut().for_each(|name| name.make_ascii_lowercase());
        names
    }

    /// Whether a page may read the response header of this name, in lower case ("CORS-exposed header-name list").
    pub fn lets_read(&self, name: &str, with_credentials: bool) -> bool {
        let mut exposed = self.exposed().into_iter();
        exposed.any(|other| other == name || other == "*" && !with_credentials)
    }

    /// The seconds for which the answer to a preflight is kept; five where it does not say (steps 7.8 to 7.10).
    pub fn max_age(&self) -> u64 {
        let value = self.value("access-control-max-age");
        match value.as_deref() {
            Some("-1") => 0,
            value => value
                .and_then(|value| value.parse::<u64>().ok())
                .unwrap_or(5)
                .min(LONGEST_MAX_AGE),
        }
    }

    /// The names of a list; none at all where it is malformed ("extract header list values").
    fn list(&self, name: &str) -> Option<Vec<String>> {
        let value = self.value(name).unwrap_or_default();
        let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
        names
            .map(|name| is_token(name.as_bytes()).then(|| name.to_owned()))
            .collect()
    }

    /// Whether caches keep it apart for each origin.
    pub fn varies_by_origin(&self) -> bool {
        let value = self.value("vary").unwrap_or_default().to_ascii_lowercase();
        let mut names = value.split(',').map(str::trim);
        let is_stored = !self.value("cache-control").unwrap_or_default().contains("no-store");
        !is_stored || names.any(|name| matches!(name, "origin" | "*"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://app.example.com";

    fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
        Answer {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| (format!("access-control-{name}"), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn a_star_is_for_everyone_without_credentials() {
        let open = answer(200, &[("allow-origin", "*"), ("allow-credentials", "true")]);
        assert!(open.is_readable(ORIGIN, false));
        assert!(!open.is_readable(ORIGIN, true));
    }

    #[test]
    fn credentials_need_the_word_true() {
        let with =
            |word| answer(200, &[("allow-origin", ORIGIN), ("allow-credentials", word)]).is_readable(ORIGIN, true);
        assert!(with("true"));
        assert!(!with("True"));
    }

    #[test]
    fn two_lines_allow_nobody() {
        let twice = answer(200, &[("allow-origin", ORIGIN), ("allow-origin", ORIGIN)]);
        assert!(!twice.is_readable(ORIGIN, false));
    }

    #[test]
    fn a_preflight_has_to_be_ok() {
        let told = [("allow-origin", "*"), ("allow-methods", "PUT")];
        assert!(answer(204, &told).lets_send_method(ORIGIN, "PUT", false));
        assert!(!answer(405, &told).lets_send_method(ORIGIN, "PUT", false));
    }

    #[test]
    fn a_malformed_list_lets_nothing_be_sent() {
        let told = [("allow-origin", "*"), ("allow-methods", "GET PUT")];
        assert!(!answer(204, &told).lets_send_method(ORIGIN, "GET", false));
    }

    #[test]
    fn a_star_does_not_stand_for_authorization_or_beside_credentials() {
        let told = answer(
            204,
            &[
                ("allow-origin", ORIGIN),
                ("allow-credentials", "true"),
                ("allow-headers", "*"),
            ],
        );
        assert!(told.lets_send_header(ORIGIN, "x-a", false));
        assert!(!told.lets_send_header(ORIGIN, "authorization", false));
        assert!(!told.lets_send_header(ORIGIN, "x-a", true));
    }
}
