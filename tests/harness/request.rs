//! Requests, written as bytes that nothing corrects.

/// A request. What it holds is sent as it is, in the order in which it was added.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    version: &'static str,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            version: "HTTP/1.1",
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub fn head(target: &str) -> Self {
        Self::new("HEAD", target)
    }

    pub fn post(target: &str) -> Self {
        Self::new("POST", target)
    }

    /// A browser's question whether a page of `origin` may use `method`.
    pub fn preflight(target: &str, origin: &str, method: &str) -> Self {
        Self::new("OPTIONS", target)
            .origin(origin)
            .header("Access-Control-Request-Method", method)
    }

    pub fn origin(self, origin: impl AsRef<[u8]>) -> Self {
        self.header("Origin", origin)
    }

    /// Adds a header line, beside others of that name.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().into()));
        self
    }

    /// Adds the body. Its length is sent unless a header tells how it ends.
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().into();
        self
    }

    pub fn http10(mut self) -> Self {
        self.version = "HTTP/1.0";
        self
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(present, _)| present.eq_ignore_ascii_case(name))
    }

    /// The same for the versions of HTTP that have no lines.
    pub(crate) fn to_http(&self, scheme: &str) -> http::Request<()> {
        let is_host = |name: &str| name.eq_ignore_ascii_case("Host");
        let host = self.headers.iter().find(|(name, _)| is_host(name));
        let authority = host.map_or("localhost".into(), |(_, host)| String::from_utf8_lossy(host));
        let mut builder = http::Request::builder()
            .method(self.method.as_str())
            .uri(format!("{scheme}://{authority}{}", self.target));
        for (name, value) in self.headers.iter().filter(|(name, _)| !is_host(name)) {
            builder = builder.header(name, value.as_slice());
        }
        builder.body(()).expect("a request for any version of HTTP")
    }

    /// The bytes on the wire, completed by the `Host` and the length that the request lacks.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} {}\r\n", self.method, self.target, self.version).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                bytes.extend_from_slice(part);
            }
        };
        if !self.has("Host") {
            line("Host", b"localhost");
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        let told = self.has("Content-Length") || self.has("Transfer-Encoding");
        if !self.body.is_empty() && !told {
            line("Content-Length", self.body.len().to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}
