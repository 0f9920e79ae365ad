//! What is audited, and for whom.

use super::exchange::{Request, Version};

/// A server, the paths in it that are asked for, and the pages that it is meant for.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Scheme, host and port, as a browser writes the origin.
    pub own_origin: String,
    /// Each path, with its query.
    pub targets: Vec<String>,
    /// The origins that are to be allowed; at least one.
    pub origins: Vec<String>,
    /// The methods that their pages use; at least one.
    pub methods: Vec<String>,
    /// The headers that their pages set and browsers ask for, in lower case and in order.
    pub header_names: Vec<String>,
    /// The headers that are sent with each request but preflights.
    pub given_headers: Vec<(String, String)>,
    /// Whether their pages ask with cookies or the like.
    pub has_credentials: bool,
    /// Whether requests that may change something are sent.
    pub asks_unsafe_methods: bool,
    /// The version of HTTP that everything is asked in.
    pub version: Version,
    /// What curl needs to reach the server, such as `--insecure`; begins with a space unless it is empty.
    pub curl_options: String,
}

impl Subject {
    /// Whether the server speaks TLS.
    pub fn is_secure(&self) -> bool {
        self.own_origin.starts_with("https://")
    }

    pub fn url(&self, target: &str) -> String {
        format!("{}{target}", self.own_origin)
    }

    /// The request as a line for a terminal. What the user has given is a secret, perhaps: it is taken from variables.
    pub fn curl(&self, request: &Request) -> String {
        let mut line = String::from("curl -si");
        match (request.version, self.is_secure()) {
            (Version::Http1, true) => line += " --http1.1",
            (Version::Http1, false) => {}
            (Version::Http2, true) => line += " --http2",
            (Version::Http2, false) => line += " --http2-prior-knowledge",
        }
        line += &self.curl_options;
        match request.method.as_str() {
            "GET" => {}
            "HEAD" => line += " --head",
            method => line += &format!(" -X {}", quoted(method)),
        }
        for (name, value) in &request.headers {
            line += &format!(" -H {}", quoted(&format!("{name}: {value}")));
        }
        if request.has_given_headers {
            for (name, _) in &self.given_headers {
                let variable = name.to_ascii_uppercase().replace('-', "_");
                line += &format!(" -H \"{name}: ${variable}\"");
            }
        }
        line += &format!(" {}", quoted(&self.url(&request.target)));
        line
    }
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::right::subject;

    #[test]
    fn a_request_is_shown_as_curl_sends_it() {
        let mut subject = subject();
        let request = Request::new(Version::Http1, "OPTIONS", "/a?b=c&d").header("Origin", "https://it's.example");
        assert_eq!(
            subject.curl(&request),
            r"curl -si --http1.1 -X OPTIONS -H 'Origin: https://it'\''s.example' 'https://api.example.com/a?b=c&d'"
        );
        subject.own_origin = "http://127.0.0.1:8080".to_owned();
        assert_eq!(
            subject.curl(&Request::new(Version::Http2, "HEAD", "/")),
            "curl -si --http2-prior-knowledge --head http://127.0.0.1:8080/"
        );
    }

    #[test]
    fn what_the_user_has_given_is_not_shown() {
        let mut subject = subject();
        subject.given_headers = vec![("Authorization".to_owned(), "Bearer secret".to_owned())];
        let shown = subject.curl(&Request::new(Version::Http1, "GET", "/"));
        assert!(shown.contains(r#" -H "Authorization: $AUTHORIZATION" "#), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
