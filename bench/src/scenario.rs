//! What is asked, under which policy, and what the right answer is.

use std::sync::OnceLock;

use harness::{Request, Response};

/// Which origins a policy lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origins {
    /// `https://app.example.com` alone.
    One,
    /// So many others, spelled out.
    Exact(usize),
    /// So many patterns such as `https://*.tenant-000001.example.com`.
    Wildcards(usize),
}

pub const APP: &str = "https://app.example.com";
const STRANGER: &str = "https://app.example.net";

impl Origins {
    pub fn iter(self) -> Box<dyn Iterator<Item = String>> {
        match self {
            Self::One => Box::new(std::iter::once(APP.to_owned())),
            Self::Exact(count) => Box::new((1..=count).map(exact)),
            Self::Wildcards(count) => Box::new((1..=count).map(|number| format!("https://*.{}", tenant(number)))),
        }
    }
}

fn tenant(number: usize) -> String {
    format!("tenant-{number:06}.example.com")
}

fn exact(number: usize) -> String {
    format!("https://{}", tenant(number))
}

/// What a policy says, beside its origins. `GET POST PUT DELETE`, and two hours, are common to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Headers {
    /// `Content-Type Authorization`.
    Two,
    /// Any, with credentials: `*` would mean nothing, and the names have to be sent back.
    Echoed,
    /// There is no policy.
    NoPolicy,
}

/// What a server without CORS would do in the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    Return204,
    NoCors,
}

/// What must come back, as far as it is CORS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A preflight's: the origin, and the lists.
    Allowed,
    /// A preflight's: none of `Access-Control-*`.
    Denied,
    /// The document, readable.
    Readable,
    /// The document without `Access-Control-*`.
    Unreadable,
    /// The document of a place without CORS.
    Plain,
}

/// What a server's answers look like where it has no choice, or none that its users make. A browser comes to
/// the same conclusion.
pub struct Manners {
    /// The status of a preflight that is allowed.
    pub allowed: u16,
    /// The status of one that is not.
    pub denied: u16,
    /// Whether that one has the lists nevertheless, all but the origin.
    pub denied_lists: bool,
}

impl Manners {
    pub const RIGHT: Self = Self {
        allowed: 204,
        denied: 403,
        denied_lists: false,
    };
}

const METHODS: &str = "GET, POST, PUT, DELETE";
const HEADERS: &str = "Content-Type, Authorization";
const MAX_AGE: &str = "7200";

pub struct Scenario {
    pub name: &'static str,
    pub title: &'static str,
    pub origins: Origins,
    pub headers: Headers,
    pub ceiling: Ceiling,
    pub answer: Answer,
    method: &'static str,
    target: &'static str,
    origin: Option<String>,
    asked_headers: String,
}

/// The target of a request for a file.
const FILE: &str = "/document.json";
/// The target of a request that is passed on.
const PASSED_ON: &str = "/api/document.json";

/// What is served, as a file and by the application: 1 KB.
pub fn document() -> String {
    let mut text = String::from(r#"{"items":["#);
    while text.len() < 1024 - 40 {
        text += r#"{"id":1234,"name":"a plain item"},"#;
    }
    text += r#"""#;
    while text.len() < 1024 - 3 {
        text.push('x');
    }
    text + r#""]}"#
}

/// The names of the policy, over and over: browsers send them sorted and in lower case.
fn long_list_of_headers() -> String {
    const LENGTH: usize = 8 * 1024;
    let mut list = String::from("authorization,content-type");
    while list.len() + ",authorization,content-type".len() <= LENGTH {
        list += ",authorization,content-type";
    }
    list
}

/// Looks like a host for as long as one cares to read.
fn long_origin() -> String {
    const LENGTH: usize = 4 * 1024;
    let labels = "a.".repeat((LENGTH - STRANGER.len()) / 2);
    STRANGER.replacen("//", &format!("//{labels}"), 1)
}

pub fn all() -> &'static [Scenario] {
    static ALL: OnceLock<Vec<Scenario>> = OnceLock::new();
    ALL.get_or_init(build)
}

fn build() -> Vec<Scenario> {
    let preflight = |name, title| Scenario {
        name,
        title,
        origins: Origins::One,
        headers: Headers::Two,
        ceiling: Ceiling::Return204,
        answer: Answer::Allowed,
        method: "OPTIONS",
        target: FILE,
        origin: Some(APP.to_owned()),
        asked_headers: "authorization,content-type".to_owned(),
    };
    let actual = |name, title| Scenario {
        ceiling: Ceiling::NoCors,
        answer: Answer::Readable,
        method: "GET",
        ..preflight(name, title)
    };
    vec![
        preflight("preflight-allowed", "preflight, allowed"),
        Scenario {
            answer: Answer::Denied,
            origin: Some(STRANGER.to_owned()),
            ..preflight("preflight-denied", "preflight, denied")
        },
        actual("actual-allowed", "actual request, allowed, 1 KB file"),
        Scenario {
            answer: Answer::Unreadable,
            origin: Some(STRANGER.to_owned()),
            ..actual("actual-denied", "actual request, denied, 1 KB file")
        },
        Scenario {
            answer: Answer::Unreadable,
            origin: None,
            ..actual("no-origin", "no Origin, 1 KB file")
        },
        Scenario {
            target: PASSED_ON,
            ..actual(
                "proxied",
                "actual request through proxy_pass, upstream sends its own ACAO",
            )
        },
        Scenario {
            origins: Origins::Exact(1_000),
            origin: Some(exact(1_000)),
            ..preflight("preflight-1k-exact", "preflight, 1 000 exact origins, hit")
        },
        Scenario {
            origins: Origins::Exact(100_000),
            origin: Some(exact(100_000)),
            ..preflight("preflight-100k-exact", "preflight, 100 000 exact origins, hit")
        },
        Scenario {
            origins: Origins::Wildcards(1_000),
            origin: Some(format!("https://eu.{}", tenant(1_000))),
            ..preflight("preflight-1k-wildcards", "preflight, 1 000 wildcard patterns, hit")
        },
        Scenario {
            origins: Origins::Wildcards(100),
            answer: Answer::Denied,
            origin: Some(long_origin()),
            ..preflight("preflight-4k-origin", "preflight, Origin of 4 KB, 100 patterns")
        },
        Scenario {
            asked_headers: long_list_of_headers(),
            ..preflight(
                "preflight-8k-headers",
                "preflight, 8 KB of requested header names, all listed",
            )
        },
        Scenario {
            headers: Headers::Echoed,
            asked_headers: long_list_of_headers(),
            ..preflight(
                "preflight-8k-echoed",
                "preflight, 8 KB of requested header names, all sent back",
            )
        },
        Scenario {
            headers: Headers::NoPolicy,
            answer: Answer::Plain,
            ..actual("no-cors", "location without cors, module loaded")
        },
    ]
}

pub fn find(name: &str) -> Option<&'static Scenario> {
    all().iter().find(|scenario| scenario.name == name)
}

impl Scenario {
    /// The headers of the request, as Chromium sends them.
    pub fn headers_sent(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("Host", "api.example.com"), ("Connection", "keep-alive")];
        if self.is_preflight() {
            headers.extend([
                ("Accept", "*/*"),
                ("Access-Control-Request-Method", "PUT"),
                ("Access-Control-Request-Headers", self.asked_headers.as_str()),
            ]);
        } else {
            headers.extend([
                ("sec-ch-ua-platform", "\"Linux\""),
                ("Authorization", "Bearer 5f4dcc3b5aa765d61d8327deb882cf99"),
                ("sec-ch-ua", "\"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\""),
                ("sec-ch-ua-mobile", "?0"),
            ]);
        }
        if let Some(origin) = &self.origin {
            headers.push(("Origin", origin));
        }
        headers.push((
            "User-Agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
        ));
        if !self.is_preflight() {
            headers.push(("Accept", "application/json"));
        }
        headers.extend([
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Mode", "cors"),
            ("Sec-Fetch-Dest", "empty"),
            ("Referer", "https://app.example.com/"),
            ("Accept-Encoding", "gzip, deflate, br, zstd"),
            ("Accept-Language", "en-GB,en;q=0.9"),
        ]);
        headers
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect()
    }

    pub fn request(&self) -> Request {
        let request = Request::new(self.method, self.target);
        let add = |request: Request, (name, value): (&'static str, String)| request.header(name, value);
        self.headers_sent().into_iter().fold(request, add)
    }

    pub fn method(&self) -> &'static str {
        self.method
    }

    pub fn target(&self) -> &'static str {
        self.target
    }

    /// Whether its requests meet a policy, which is what a `cors_zone` counts.
    pub fn has_policy(&self) -> bool {
        self.headers != Headers::NoPolicy
    }

    pub fn is_preflight(&self) -> bool {
        self.method == "OPTIONS"
    }

    /// The CORS headers of a right answer, as a list of two columns.
    pub fn header_lines(&self) -> impl Iterator<Item = (&'static str, String)> {
        let allowed = self.answer == Answer::Allowed;
        let origin = self.origin.clone().unwrap_or_default();
        let lines = [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Methods", METHODS.to_owned()),
            ("Access-Control-Allow-Headers", HEADERS.to_owned()),
            ("Access-Control-Max-Age", MAX_AGE.to_owned()),
            ("Vary", "Origin".to_owned()),
        ];
        lines.into_iter().filter(move |(name, _)| allowed || *name == "Vary")
    }

    /// What is wrong with an answer, nothing if it is right as far as the server can give a right one.
    pub fn faults(&self, response: &Response, manners: &Manners) -> Vec<String> {
        let mut faults = Vec::new();
        let mut expect = |what: &str, is: String, should: String| {
            if is != should {
                faults.push(format!("{what} is {is:.200?}, not {should:.200?}"));
            }
        };
        let lines = |name: &str| response.all(name).join(" | ");
        let status = match self.answer {
            Answer::Allowed => manners.allowed,
            Answer::Denied => manners.denied,
            Answer::Readable | Answer::Unreadable | Answer::Plain => 200,
        };
        expect("the status", response.status.to_string(), status.to_string());
        if !self.is_preflight() {
            expect("the document", response.text().to_owned(), document());
        }

        let mut should: Vec<(&str, String)> = Vec::new();
        if matches!(self.answer, Answer::Allowed | Answer::Readable) {
            should.push(("Access-Control-Allow-Origin", self.origin.clone().unwrap_or_default()));
            if self.headers == Headers::Echoed {
                should.push(("Access-Control-Allow-Credentials", "true".to_owned()));
            }
        }
        if self.answer == Answer::Allowed || (self.answer == Answer::Denied && manners.denied_lists) {
            should.push(("Access-Control-Allow-Methods", set(METHODS)));
            let headers = match self.headers {
                Headers::Echoed => &self.asked_headers,
                _ => HEADERS,
            };
            should.push(("Access-Control-Allow-Headers", set(headers)));
            should.push(("Access-Control-Max-Age", MAX_AGE.to_owned()));
        }
        for (name, value) in &should {
            let is = lines(name);
            let is = if name.ends_with("Methods") || name.ends_with("Headers") {
                set(&is)
            } else {
                is
            };
            expect(name, is, value.clone());
        }
        let names = |names: Vec<&str>| set(&names.join(","));
        let is = response.access_control().into_iter().map(|(name, _)| name).collect();
        let expected = should.iter().map(|(name, _)| *name).collect();
        expect("the set of Access-Control-*", names(is), names(expected));

        // A cache must not give one origin what was meant for another.
        if self.answer != Answer::Plain {
            let vary = lines("Vary").to_ascii_lowercase();
            let names_origin = vary.split([',', '|']).any(|name| name.trim() == "origin");
            expect("Origin in Vary", names_origin.to_string(), true.to_string());
        }
        faults
    }

    /// The same for a ceiling, which says nothing about CORS.
    pub fn ceiling_faults(&self, response: &Response) -> Vec<String> {
        let status = match self.ceiling {
            Ceiling::Return204 => 204,
            Ceiling::NoCors => 200,
        };
        let right = response.status == status && (self.is_preflight() || response.text() == document());
        if right {
            Vec::new()
        } else {
            vec![format!("not the answer of a ceiling: {response}")]
        }
    }
}

/// A list whose order, case and repetitions mean nothing.
fn set(list: &str) -> String {
    let mut elements: Vec<String> = list
        .split(',')
        .map(|element| element.trim().to_ascii_lowercase())
        .filter(|element| !element.is_empty())
        .collect();
    elements.sort_unstable();
    elements.dedup();
    elements.join(", ")
}

#[cfg(test)]
mod tests {
    use harness::Response;

    use super::{document, find, Manners};

    /// A right answer to `preflight-allowed`, but for what is replaced.
    fn faults(replace: &str, by: &str) -> Vec<String> {
        let right = "Access-Control-Allow-Origin: https://app.example.com
Access-Control-Allow-Methods: DELETE,GET,POST,PUT
Access-Control-Allow-Headers: authorization, content-type
Access-Control-Max-Age: 7200
Vary: Accept, origin
";
        assert!(right.contains(replace));
        let lines = right.replace(replace, by);
        let headers = lines.lines().filter_map(|line| line.split_once(": "));
        let response = Response {
            status: 204,
            headers: headers.map(|(name, value)| (name.to_owned(), value.into())).collect(),
            body: Vec::new(),
        };
        find("preflight-allowed")
            .expect("a scenario")
            .faults(&response, &Manners::RIGHT)
    }

    #[test]
    fn order_and_case_mean_nothing() {
        assert!(faults("", "").is_empty());
    }

    #[test]
    fn a_wrong_answer_is_found() {
        for (replace, by) in [
            ("app.example.com", "app.example.net"),
            ("https://app.example.com", "*"),
            ("DELETE,", ""),
            ("authorization, ", ""),
            ("Access-Control-Allow-Headers", "Access-Control-Expose-Headers"),
            ("7200", "720"),
            ("Access-Control-Max-Age: 7200\n", ""),
            (", origin", ""),
            ("Vary", "Access-Control-Allow-Origin: *\nVary"),
            ("Vary", "Access-Control-Allow-Credentials: true\nVary"),
        ] {
            assert!(!faults(replace, by).is_empty(), "{by:?} in place of {replace:?}");
        }
    }

    #[test]
    fn a_denied_request_has_its_document_and_nothing_else() {
        let scenario = find("actual-denied").expect("a scenario");
        let answer = |name: &str, body: String| Response {
            status: 200,
            headers: vec![("Vary".to_owned(), "Origin".into()), (name.to_owned(), "*".into())],
            body: body.into_bytes(),
        };
        let faults = |response: &Response| scenario.faults(response, &Manners::RIGHT).len();
        assert_eq!(faults(&answer("Server", document())), 0);
        assert_eq!(faults(&answer("Server", "another".to_owned())), 1);
        assert_eq!(faults(&answer("Access-Control-Allow-Origin", document())), 1);
    }

    #[test]
    fn requests_are_as_long_as_they_are_said_to_be() {
        let length = |scenario, name| {
            let headers = find(scenario).expect("a scenario").headers_sent();
            headers
                .into_iter()
                .find(|(header, _)| *header == name)
                .map_or(0, |(_, value)| value.len())
        };
        assert_eq!(document().len(), 1024);
        assert!((4090..=4096).contains(&length("preflight-4k-origin", "Origin")));
        assert!((8150..=8192).contains(&length("preflight-8k-headers", "Access-Control-Request-Headers")));
    }
}
