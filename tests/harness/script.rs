//! What a browser makes of a script's request: which requests it sends, and what its console says if it keeps the response
//! from the script.
//!
//! The rules are those of the Fetch standard; where it leaves the order of the checks open, and in their words, each browser
//! goes its own way: Chromium's `cors_error_string.cc` and `preflight_controller.cc`, Firefox's `nsCORSListenerProxy.cpp` and
//! `security.properties`, WebKit's `CrossOriginAccessControl.cpp` and `CrossOriginPreflightResultCache.cpp`.

use crate::request::Request;
use crate::response::Response;

/// A request of a script.
#[derive(Clone, Debug)]
pub struct Script {
    /// The origin of its page.
    pub origin: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    /// The headers that it sets.
    pub headers: Vec<(&'static str, &'static str)>,
    /// Whether cookies are sent (`credentials: "include"`).
    pub credentials: bool,
    /// Whether it opens a WebSocket.
    pub websocket: bool,
}

/// Whose words are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    Chromium,
    Firefox,
    Safari,
}

use Browser::{Chromium, Firefox, Safari};

/// How often a browser follows a redirect before a test is wrong.
const REDIRECTS: usize = 3;

impl Script {
    /// `fetch(path)` on a page of `origin`.
    pub fn get(origin: &'static str, path: &'static str) -> Self {
        Self {
            origin,
            method: "GET",
            path,
            headers: Vec::new(),
            credentials: false,
            websocket: false,
        }
    }

    fn needs_preflight(&self) -> bool {
        !matches!(self.method, "GET" | "HEAD" | "POST") || !self.headers.is_empty()
    }

    fn header_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
        names.sort_unstable();
        names
    }

    fn preflight(&self, path: &str) -> Request {
        let request = Request::preflight(path, self.origin, self.method);
        match self.header_names().join(",") {
            names if names.is_empty() => request,
            names => request.header("Access-Control-Request-Headers", names),
        }
    }

    fn request(&self, path: &str) -> Request {
        let mut request = Request::new(self.method, path).origin(self.origin);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if self.websocket {
            request = request
                .header("Connection", "Upgrade")
                .header("Upgrade", "websocket")
                .header("Sec-WebSocket-Version", "13")
                .header("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==");
        }
        request
    }

    /// The response that the script may read, or what the console says, without the part that names the addresses.
    pub fn run(&self, browser: Browser, send: impl Fn(&Request) -> Response) -> Result<Response, String> {
        let mut path = self.path.to_owned();
        for _ in 0..REDIRECTS {
            if !self.websocket && self.needs_preflight() {
                browser.check_preflight(self, &send(&self.preflight(&path)))?;
            }
            let response = send(&self.request(&path));
            if self.websocket {
                return browser.check_handshake(response);
            }
            browser.check_access(self, &response)?;
            match response.get("Location") {
                Some(location) if matches!(response.status, 301 | 302 | 307 | 308) => path = path_of(location),
                _ => return Ok(response),
            }
        }
        panic!("{self:?}: too many redirects");
    }
}

fn path_of(location: &str) -> String {
    let (_, address) = location.split_once("://").unwrap_or(("", location));
    let start = address.find('/').unwrap_or(address.len());
    address[start..].to_owned()
}

impl Browser {
    fn check_preflight(self, script: &Script, response: &Response) -> Result<(), String> {
        let redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
        let successful = matches!(response.status, 200..=299);
        let status = response.status;
        match self {
            Chromium => {
                const START: &str = "Response to preflight request doesn't pass access control check: ";
                if redirect {
                    return Err(format!("{START}Redirect is not allowed for a preflight request."));
                }
                self.check_access(script, response)
                    .map_err(|words| START.to_owned() + &words)?;
                if !successful {
                    return Err(format!("{START}It does not have HTTP ok status."));
                }
            }
            Firefox if redirect => return Err("CORS request external redirect not allowed".to_owned()),
            Firefox if !successful => return Err("CORS preflight response did not succeed".to_owned()),
            Safari if !successful => {
                return Err(format!("Preflight response is not successful. Status code: {status}"));
            }
            Firefox | Safari => self.check_access(script, response)?,
        }
        self.check_method(script, response)?;
        self.check_headers(script, response)
    }

    /// The CORS check, <https://fetch.spec.whatwg.org/#concept-cors-check>.
    fn check_access(self, script: &Script, response: &Response) -> Result<(), String> {
        let lines = response.all("Access-Control-Allow-Origin");
        let value = lines.join(", ");
        let (origin, status) = (script.origin, response.status);
        if value == "*" && !script.credentials {
            return Ok(());
        }
        if value != origin {
            let is_list = value.contains(',');
            return Err(match self {
                Chromium if lines.is_empty() => {
                    "No 'Access-Control-Allow-Origin' header is present on the requested resource.".to_owned()
                }
                Chromium if value == "*" => "The value of the 'Access-Control-Allow-Origin' header in the response \
                    must not be the wildcard '*' when the request's credentials mode is 'include'."
                    .to_owned(),
                Chromium if is_list => format!(
                    "The 'Access-Control-Allow-Origin' header contains multiple values '{value}', but only one is allowed."
                ),
                Chromium => format!(
                    "The 'Access-Control-Allow-Origin' header has a value '{value}' that is not equal to the supplied \
                    origin."
                ),
                Firefox if lines.is_empty() => "CORS header ‘Access-Control-Allow-Origin’ missing".to_owned(),
                Firefox if lines.len() > 1 => {
                    "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed".to_owned()
                }
                Firefox if value == "*" => {
                    "Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’".to_owned()
                }
                Firefox => format!("CORS header ‘Access-Control-Allow-Origin’ does not match ‘{value}’"),
                Safari if value == "*" => {
                    "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true.".to_owned()
                }
                Safari if is_list => "Access-Control-Allow-Origin cannot contain more than one origin.".to_owned(),
                Safari => format!("Origin {origin} is not allowed by Access-Control-Allow-Origin. Status code: {status}"),
            });
        }
        let credentials = response.all("Access-Control-Allow-Credentials").join(", ");
        if script.credentials && credentials != "true" {
            return Err(match self {
                Chromium => format!(
                    "The value of the 'Access-Control-Allow-Credentials' header in the response is '{credentials}' \
                    which must be 'true' when the request's credentials mode is 'include'."
                ),
                Firefox => "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’".to_owned(),
                Safari => "Credentials flag is true, but Access-Control-Allow-Credentials is not \"true\".".to_owned(),
            });
        }
        Ok(())
    }

    /// CORS-preflight fetch, step 7.5, <https://fetch.spec.whatwg.org/#cors-preflight-fetch>.
    fn check_method(self, script: &Script, response: &Response) -> Result<(), String> {
        let method = script.method;
        let allowed = response.all("Access-Control-Allow-Methods").join(",");
        let mut allowed = allowed.split(',').map(str::trim);
        let covers = |listed: &str| listed == method || (listed == "*" && !script.credentials);
        if matches!(method, "GET" | "HEAD" | "POST") || allowed.any(covers) {
            return Ok(());
        }
        Err(match self {
            Chromium => {
                format!("Method {method} is not allowed by Access-Control-Allow-Methods in preflight response.")
            }
            Firefox => "Did not find method in CORS header ‘Access-Control-Allow-Methods’".to_owned(),
            Safari => format!("Method {method} is not allowed by Access-Control-Allow-Methods."),
        })
    }

    /// CORS-preflight fetch, steps 7.6 and 7.7. Of the values of `Content-Type` three are safelisted; scripts here have
    /// others.
    fn check_headers(self, script: &Script, response: &Response) -> Result<(), String> {
        let allowed = response.list("Access-Control-Allow-Headers");
        let any = allowed.iter().any(|name| name == "*") && !script.credentials;
        let names = script.header_names();
        let Some(name) = names.iter().find(|name| !any && !allowed.contains(name)) else {
            return Ok(());
        };
        Err(match self {
            Chromium => format!(
                "Request header field {name} is not allowed by Access-Control-Allow-Headers in preflight response."
            ),
            Firefox => format!(
                "header ‘{name}’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight \
                response"
            ),
            Safari => format!("Request header field {name} is not allowed by Access-Control-Allow-Headers."),
        })
    }

    fn check_handshake(self, response: Response) -> Result<Response, String> {
        if response.status == 101 {
            return Ok(response);
        }
        Err(match self {
            Chromium => format!(
                "WebSocket connection to '' failed: Error during WebSocket handshake: Unexpected response code: {}",
                response.status
            ),
            Firefox => "Firefox can’t establish a connection to the server at ".to_owned(),
            Safari => "WebSocket connection to '' failed: There was a bad response from the server.".to_owned(),
        })
    }
}
