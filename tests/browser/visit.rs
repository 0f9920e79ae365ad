//! One visit to the demo page, which all tests here look back on.

use std::error::Error;
use std::fmt;

use fantoccini::error::CmdError;
use fantoccini::{Client, Locator};
use harness::Nginx;
use once_cell::sync::Lazy;
use serde_json::Value;

use crate::chromium::Browser;

/// What the page had to tell when it was done, and again after one case ran once more.
pub struct Visit {
    pub page: String,
    pub api: String,
    pub stranger: String,
    pub seen: Value,
    pub seen_again: Value,
}

/// The case that is run a second time, with its own button.
pub const REPEATED: &str = "put-json";

/// Everything there is on the page: what its scripts know, and what a reader is shown.
const LOOK: &str = r#"
    const text = (element) => element.textContent.trim();
    if (document.documentElement.dataset.state === "failed") {
        throw new Error(text(document.getElementById("summary")));
    }
    const card = (article) => ({
        title: text(article.querySelector("h3")),
        outcome: article.dataset.outcome,
        status: article.dataset.status,
        asExpected: article.dataset.asExpected,
        verdict: text([...article.querySelectorAll(".verdict h4")].at(-1)),
        seen: text([...article.querySelectorAll(".verdict .seen")].at(-1)),
        marked: [...article.querySelectorAll(".sources mark")].map(text),
        terminal: text(article.querySelector(".terminal code")),
    });
    return {
        state: document.documentElement.dataset.state,
        summary: text(document.getElementById("summary")),
        results: window.demo.results,
        cards: Object.fromEntries([...document.querySelectorAll("article")].map((one) => [one.id, card(one)])),
        links: document.querySelectorAll(".contents [data-as-expected=true]").length,
        loaded: performance.getEntriesByType("resource").map((entry) => entry.name),
    };
"#;

/// The visit, which happens once. What kept it from going well fails every test that asks for it.
#[track_caller]
pub fn visit() -> &'static Visit {
    static VISIT: Lazy<Result<Visit, String>> = Lazy::new(|| go().map_err(|error| error.to_string()));
    VISIT
        .as_ref()
        .unwrap_or_else(|error| panic!("no visit to the demo page: {error}"))
}

fn go() -> Result<Visit, Box<dyn Error>> {
    let browser = Browser::start()?;
    let nginx = Nginx::from_file("nginx-conf/demo.conf").start();
    let origin = |literal| format!("http://127.0.0.1:{}", nginx.port_of(literal));
    let page = origin(8080);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (seen, seen_again) = runtime.block_on(async {
        let window = browser.open().await?;
        window.goto(&page).await?;
        let seen = look_when_done(&window).await?;
        let button = format!("#{REPEATED} button.run");
        window.find(Locator::Css(&button)).await?.click().await?;
        let seen_again = look_when_done(&window).await?;
        window.close().await?;
        Ok::<_, Box<dyn Error>>((seen, seen_again))
    })?;
    Ok(Visit {
        page,
        api: origin(8081),
        stranger: origin(8082),
        seen,
        seen_again,
    })
}

async fn look_when_done(window: &Client) -> Result<Value, CmdError> {
    let over = Locator::Css("[data-state=done], [data-state=failed]");
    window.wait().for_element(over).await?;
    window.execute(LOOK, Vec::new()).await
}

/// One case of the page.
pub struct Case {
    id: &'static str,
    step: &'static Value,
}

impl Case {
    /// The last step of a case, which is the only one of most.
    pub fn last(id: &'static str) -> Self {
        let steps = steps(id);
        Self {
            id,
            step: &steps[steps.len() - 1],
        }
    }

    pub fn first(id: &'static str) -> Self {
        Self {
            id,
            step: &steps(id)[0],
        }
    }

    /// The status and the body that the script could read.
    #[track_caller]
    pub fn read(&self) -> (u64, &str) {
        let outcome = &self.step["outcome"];
        assert_eq!(outcome["readable"], true, "{self}");
        (
            outcome["status"].as_u64().expect("a status"),
            outcome["body"].as_str().expect("a body"),
        )
    }

    /// What the script got from `headers.get(name)`.
    pub fn read_header(&self, name: &str) -> Option<&str> {
        self.step["outcome"]["headers"][name].as_str()
    }

    /// Fails unless the script got an error in place of an answer.
    #[track_caller]
    pub fn assert_blocked(&self) {
        let outcome = &self.step["outcome"];
        assert_eq!(outcome["readable"], false, "{self}");
        assert_eq!(outcome["status"], Value::Null, "{self}");
        assert_eq!(outcome["error"], "TypeError: Failed to fetch", "{self}");
    }

    /// The preflight, as nginx recorded it.
    #[track_caller]
    pub fn preflight(&self) -> Exchange {
        self.only(true).unwrap_or_else(|| panic!("no preflight: {self}"))
    }

    #[track_caller]
    pub fn assert_no_preflight(&self) {
        assert!(self.only(true).is_none(), "{self}");
    }

    /// The request itself, as nginx recorded it.
    #[track_caller]
    pub fn request(&self) -> Exchange {
        self.only(false).unwrap_or_else(|| panic!("no request: {self}"))
    }

    #[track_caller]
    pub fn assert_never_sent(&self) {
        assert!(self.only(false).is_none(), "{self}");
    }

    #[track_caller]
    fn only(&self, preflight: bool) -> Option<Exchange> {
        let exchanges = self.step["exchanges"].as_array().expect("exchanges");
        let mut of_kind = exchanges
            .iter()
            .filter(|exchange| exchange["preflight"] == preflight)
            .map(Exchange);
        let only = of_kind.next();
        assert!(of_kind.next().is_none(), "more than one: {self}");
        only
    }
}

fn steps(id: &str) -> &'static [Value] {
    visit().seen["results"][id]["steps"]
        .as_array()
        .unwrap_or_else(|| panic!("the page has no case {id}"))
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:#}", self.id, self.step)
    }
}

/// A request and its answer.
#[derive(Clone, Copy)]
pub struct Exchange(&'static Value);

impl Exchange {
    pub fn status(self) -> u64 {
        self.0["status"].as_u64().expect("a status")
    }

    pub fn method(self) -> &'static str {
        self.0["method"].as_str().expect("a method")
    }

    /// A header that the browser sent.
    pub fn sent(self, name: &str) -> Option<&'static str> {
        self.0["sent"][name].as_str()
    }

    /// A header of the answer.
    pub fn answered(self, name: &str) -> Option<&'static str> {
        self.0["answered"][name].as_str()
    }

    /// The names of the answer's `Access-Control-` headers.
    pub fn access_control(self) -> Vec<&'static str> {
        let answered = self.0["answered"].as_object().expect("headers");
        answered
            .keys()
            .map(String::as_str)
            .filter(|name| name.starts_with("Access-Control-"))
            .collect()
    }

    /// Whether nginx asked the application.
    pub fn reached_the_application(self) -> bool {
        self.0["application"] != ""
    }
}
