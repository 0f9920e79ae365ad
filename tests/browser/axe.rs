//! axe, which finds what keeps people from using a page. Chromium has it already: its DevTools hold Lighthouse, which
//! holds axe. So the tests need no other package, and no network.

use std::error::Error;
use std::future::Future;

use fantoccini::Client;
use harness::Nginx;
use serde_json::Value;

use crate::chromium::{resize, Browser};

/// The file of the DevTools in which Lighthouse lies, and axe in it as a template literal.
const LIGHTHOUSE: &str = "devtools://devtools/bundled/third_party/lighthouse/lighthouse-dt-bundle.js";
const START: &str = "`/*! axe v";

/// The source of axe.
pub async fn source(window: &Client) -> Result<String, Box<dyn Error>> {
    window.goto(LIGHTHOUSE).await?;
    let bundle = window.execute("return document.body.textContent", Vec::new()).await?;
    let bundle = bundle.as_str().ok_or("the DevTools have no text")?;
    let start = bundle.find(START).ok_or("the DevTools of this Chromium have no axe")?;
    let literal = &bundle[start + 1..];
    let mut is_escaped = false;
    let end = literal.find(|character| {
        let ends = character == '`' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        ends
    });
    let literal = &literal[..end.ok_or("the source of axe has no end")?];
    window.goto("about:blank").await?;
    let axe = window.execute(&format!("return `{literal}`;"), Vec::new()).await?;
    Ok(axe.as_str().ok_or("the source of axe is no text")?.to_owned())
}

/// What axe finds on the page that is open, apart from what is minor.
pub async fn findings(window: &Client, axe: &str) -> Result<Vec<String>, Box<dyn Error>> {
    window.execute(axe, Vec::new()).await?;
    let run = "
        const done = arguments[0];
        axe.run({ resultTypes: ['violations'] }).then(({ violations, passes }) => done({
            passes: passes.length,
            found: violations.filter(({ impact }) => impact !== 'minor').map(({ id, impact, nodes }) =>
                `${impact} ${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 200)).join(' | ')}`),
        }), (error) => done(String(error)))";
    let result = window.execute_async(run, Vec::new()).await?;
    assert!(
        result["passes"].as_u64() > Some(3),
        "axe has looked at nothing: {result:#}"
    );
    let found = result["found"].as_array().ok_or("axe has no findings")?;
    Ok(found.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

#[test]
fn axe_finds_what_is_wrong() {
    let run = async {
        let browser = Browser::start()?;
        let window = browser.open().await?;
        let axe = source(&window).await?;
        window
            .goto("data:text/html,<html><body><p>text<img src='data:,'><button></button>")
            .await?;
        let found = findings(&window, &axe).await?.join("\n");
        for id in ["image-alt", "button-name", "html-has-lang", "landmark-one-main"] {
            assert!(found.contains(id), "{id}: {found}");
        }
        window.close().await?;
        Ok::<_, Box<dyn Error>>(())
    };
    block_on(run);
}

#[test]
fn the_demo_is_open_to_everyone() {
    let nginx = Nginx::from_file("nginx-conf/demo.conf").start();
    let run = async {
        let browser = Browser::start()?;
        let window = browser.open().await?;
        let axe = source(&window).await?;
        for width in [1300, 390] {
            resize(&window, width, 900).await?;
            window
                .goto(&format!("http://127.0.0.1:{}/", nginx.port_of(8080)))
                .await?;
            let over = fantoccini::Locator::Css("[data-state=done], [data-state=failed]");
            window.wait().for_element(over).await?;
            assert_eq!(findings(&window, &axe).await?, [""; 0], "at {width}");
        }
        window
            .goto(&format!("http://127.0.0.1:{}/", nginx.port_of(8082)))
            .await?;
        assert_eq!(findings(&window, &axe).await?, [""; 0], "the stranger's page");
        window.close().await?;
        Ok::<_, Box<dyn Error>>(())
    };
    block_on(run);
}

/// Waits for what a test does in a browser.
#[track_caller]
pub fn block_on(run: impl Future<Output = Result<(), Box<dyn Error>>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    if let Err(error) = runtime.expect("a runtime").block_on(run) {
        panic!("{error}");
    }
}
