//! The causes in `docs/troubleshooting.md`: for each the request of a script that meets it, and the application
//! behind nginx.

use harness::{Builder, Nginx, Page, Received, Request, Script, Upstream};

const APP: &str = "https://app.example.com";
const WWW: &str = "https://www.example.com";

/// A cause of the page, and a request that meets it.
pub struct Case {
    /// As the page calls it.
    pub title: &'static str,
    pub script: Script,
    /// A request that has to have been there before.
    pub before: Option<Script>,
    /// What the application adds to its responses; `{origin}` stands for the origin of the request.
    pub application: &'static str,
}

fn case(title: &'static str, script: Script) -> Case {
    Case {
        title,
        script,
        before: None,
        application: "",
    }
}

fn get() -> Script {
    Script::get(APP, "/api/")
}

fn put() -> Script {
    Script { method: "PUT", ..get() }
}

fn with_header(name: &'static str, value: &'static str) -> Script {
    Script {
        headers: vec![(name, value)],
        ..get()
    }
}

fn with_cookies() -> Script {
    Script {
        credentials: true,
        ..get()
    }
}

/// `user` and `secret`, as `conf/htpasswd` has them.
fn with_password() -> Script {
    with_header("Authorization", "Basic dXNlcjpzZWNyZXQ=")
}

pub fn cases() -> Vec<Case> {
    vec![
        case("It works with curl, but not in the browser", get()),
        case(
            "It works on all subdomains, but not on the domain itself",
            Script::get("https://example.com", "/api/"),
        ),
        case("It works in one location, but not in another", get()),
        case("One origin more, and the others stopped working", get()),
        case("Errors such as 404 and 502 show up as CORS errors", get()),
        case("It stopped when a location got an add_header of its own", get()),
        case("The console says: from origin 'null'", Script::get("null", "/api/")),
        case("The preflight gets 403", put()),
        case("The preflight gets 403, though a variable holds the origin", put()),
        case("The preflight gets 204, but no headers", put()),
        case("The preflight gets 401", with_password()),
        case("The preflight gets 401, with cors_preflight pass", with_password()),
        case("The preflight gets 405 or 404 from the application", put()),
        case("The preflight gets 405 from an if", put()),
        Case {
            before: Some(put()),
            ..case("The preflight gets 503 or 429", put())
        },
        case(
            "The preflight gets 301 to the same path with a slash",
            Script { path: "/api", ..put() },
        ),
        case(
            "The preflight gets 301 from a rewrite or a return",
            Script {
                path: "/v1/item",
                ..put()
            },
        ),
        Case {
            application: "Access-Control-Allow-Origin: https://app.example.com",
            ..case("The header is there twice", get())
        },
        case("The header holds a list", get()),
        Case {
            application: "Access-Control-Allow-Origin: https://old.example.com",
            ..case("The application has a value of its own", get())
        },
        Case {
            application: "Access-Control-Allow-Origin: {origin}",
            before: Some(Script::get(WWW, "/api/")),
            ..case("It works for one origin only, after another has asked", get())
        },
        case("The value ends with a slash", get()),
        case(
            "The script sends cookies, and the policy is a plain star",
            with_cookies(),
        ),
        case(
            "The script sends cookies, and the policy does not allow it",
            with_cookies(),
        ),
        case("The method is not in the list", put()),
        case("The method is in the list of the location", put()),
        case(
            "The script sends JSON, or a header of its own",
            with_header("Content-Type", "application/json"),
        ),
        case(
            "cors_enforce refuses the WebSocket",
            Script {
                websocket: true,
                ..get()
            },
        ),
        Case {
            application: "X-Total-Count: 42",
            ..case("A header is there, but headers.get() returns null", get())
        },
    ]
}

pub fn page() -> Page {
    Page::read("docs/troubleshooting.md")
}

/// Whether `words` are what the console says; `...` in them stands for what differs.
pub fn is_said(words: &str, console: &str) -> bool {
    let mut rest = Some(console);
    for part in words.split("...") {
        rest = rest.and_then(|rest| Some(rest.split_once(part)?.1));
    }
    rest.is_some()
}

impl Case {
    pub fn application(&self) -> Upstream {
        let headers = self.application;
        Upstream::start(move |request: &Received| {
            if request.get("Upgrade").is_some() {
                return b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
                    .to_vec();
            }
            let headers = headers.replace("{origin}", request.get("Origin").unwrap_or_default());
            let headers = if headers.is_empty() { headers } else { headers + "\r\n" };
            format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n{headers}\r\nhello").into_bytes()
        })
    }
}

/// An nginx with a configuration of the page, which is the inside of `http` if it has a `server`, and else that of a
/// `server`.
pub fn nginx(configuration: &str, listen: &str, application: &Upstream) -> Builder {
    let whole = if configuration.contains("server {") {
        configuration.replacen("server {", &format!("server {{ {listen}"), 1)
    } else {
        format!("server {{ {listen}\n{configuration}\n}}")
    };
    // Applications of the page have ports of their own.
    let whole = whole.replace("127.0.0.1:3000", "127.0.0.1:{port:app}");
    Nginx::builder()
        .port("app", application.port())
        .file("conf/htpasswd", "user:{PLAIN}secret\n")
        .file("html/api/index.html", "hello")
        .http(&whole)
}

/// Sends what a script sends, and takes what comes.
#[track_caller]
pub fn prepare(case: &Case, send: impl Fn(&Request) -> harness::Response) {
    if let Some(before) = &case.before {
        // Whether its own response is readable does not matter.
        let _ = before.run(harness::Browser::Chromium, send);
    }
}
