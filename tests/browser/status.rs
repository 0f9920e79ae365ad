//! The page of `cors_status`, after a mixed load.

use std::error::Error;
use std::time::{Duration, Instant};

use fantoccini::{Client, Locator};
use harness::{Connection, Nginx, Request, Upstream};
use serde_json::Value;

use crate::chromium::{Browser, PATIENCE};

const APP: &str = "https://app.example.com";
const STRANGER: &str = "https://stranger.example";
const HOSTILE: &str = "https://<img src=x onerror=alert(1)>.example";

const LOOK: &str = r#"
    const rows = (id) => [...document.querySelectorAll(`#${id} tbody tr`)].filter((row) => !row.hidden)
        .map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
    const number = (id) => document.getElementById(id).textContent;
    return {
        state: document.documentElement.dataset.state,
        total: number("total"), denied: number("denied"), preflights: number("preflights"), share: number("share"),
        policies: rows("policies"),
        origins: rows("origins"),
        bars: document.querySelectorAll("svg rect").length,
        images: document.querySelectorAll("img").length,
        color: getComputedStyle(document.body).backgroundColor,
        loaded: performance.getEntriesByType("resource").map((entry) => entry.name),
    };
"#;

/// What was sent, each so many times.
fn load(port: u16) {
    let mut connection = Connection::open(port);
    for (count, request) in [
        (30, Request::get("/api/").origin(APP)),
        (7, Request::get("/api/")),
        (12, Request::get("/api/").origin(STRANGER)),
        (5, Request::preflight("/api/", APP, "PUT")),
        (4, Request::preflight("/api/", APP, "PATCH")),
        (3, Request::get("/admin/").origin(STRANGER)),
        (1, Request::get("/api/").origin(HOSTILE)),
    ] {
        for _ in 0..count {
            connection.send(&request);
        }
    }
}

/// The figures of one [`load`], with what the policies in force deny and what the dry run would deny apart.
#[track_caller]
fn assert_right(seen: &Value) {
    assert_eq!(
        [&seen["total"], &seen["denied"], &seen["preflights"], &seen["share"]],
        ["62", "17", "9", "28.8 %"],
        "{seen:#}"
    );
    let api = [
        "shop.example.com",
        "/api/",
        "59",
        "30",
        "7",
        "9",
        "0",
        "0",
        "17",
        "28.8 %",
        "0",
        "",
    ];
    let admin = [
        "shop.example.com",
        "/admin/ dry run",
        "3",
        "0",
        "0",
        "0",
        "0",
        "0",
        "0",
        "dry run",
        "3",
        "",
    ];
    assert_eq!(seen["policies"], serde_json::json!([api, admin]));
    let origins = seen["origins"].as_array().expect("rows");
    let column = |number: usize| -> Vec<&str> { origins.iter().filter_map(|row| row[number].as_str()).collect() };
    assert_eq!(column(0), [STRANGER, APP, STRANGER, HOSTILE]);
    assert_eq!(column(1), ["12", "4", "3", "1"]);
    assert_eq!(
        column(2),
        [
            "not in cors_allow_origin",
            "method \"PATCH\" is not in cors_allow_methods",
            "not in cors_allow_origin",
            "not an origin",
        ]
    );
    assert_eq!(
        column(3),
        [
            "shop.example.com /api/",
            "shop.example.com /api/",
            "shop.example.com /admin/ dry run",
            "shop.example.com /api/",
        ]
    );
    let remedies = column(4);
    assert!(
        remedies[0].starts_with("cors_allow_origin ") && remedies[1].starts_with("cors_allow_methods "),
        "{remedies:?}"
    );
    assert_eq!(remedies[3], "no browser sends this");
}

async fn look(window: &Client) -> Result<Value, Box<dyn Error>> {
    Ok(window.execute(LOOK, Vec::new()).await?)
}

#[test]
fn the_page_shows_what_was_sent() {
    if let Err(error) = visit() {
        panic!("{error}");
    }
}

fn visit() -> Result<(), Box<dyn Error>> {
    let application = Upstream::with_headers(&[]);
    let nginx = Nginx::from_file("nginx-conf/status.conf")
        .port("8081", application.port())
        .start();
    load(nginx.port_of(8080));
    // nginx counts when the client has its response already.
    nginx.log_lines("logs/cors-denied.jsonl", 20);
    let browser = Browser::start()?;
    let page = format!("http://127.0.0.1:{}/cors", nginx.port_of(9113));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let window = browser.open().await?;
        window.goto(&page).await?;
        window.wait().for_element(Locator::Css("[data-state=live]")).await?;
        let seen = look(&window).await?;
        assert_right(&seen);
        assert_eq!(seen["images"], 0);
        assert!(seen["bars"].as_u64() >= Some(2), "{seen:#}");
        for address in seen["loaded"].as_array().expect("addresses") {
            assert!(
                address
                    .as_str()
                    .is_some_and(|address| address.starts_with(&page) || address.starts_with("data:")),
                "{address}"
            );
        }
        // The style is let in, or nothing would have a colour.
        assert_ne!(seen["color"], "rgba(0, 0, 0, 0)");

        // More requests show without a reload.
        load(nginx.port_of(8080));
        let grown = "return document.getElementById('total').textContent === '124'";
        let start = Instant::now();
        while window.execute(grown, Vec::new()).await? != Value::Bool(true) {
            assert!(start.elapsed() < PATIENCE, "{:#}", look(&window).await?);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }

        let field = |name: &str| format!("#try [name={name}]");
        window
            .find(Locator::Css(&field("origin")))
            .await?
            .send_keys(APP)
            .await?;
        window
            .find(Locator::Css(&field("headers")))
            .await?
            .send_keys("X-Unknown")
            .await?;
        window.find(Locator::Css("#try button")).await?.click().await?;
        let verdict = window
            .wait()
            .for_element(Locator::Css("#answer > p"))
            .await?
            .text()
            .await?;
        assert_eq!(
            verdict,
            "No: the browser does not send the request: header \"X-Unknown\" is not in cors_allow_headers"
        );
        // A stranger's origin stays text there as well.
        let origin = window.find(Locator::Css(&field("origin"))).await?;
        origin.clear().await?;
        origin.send_keys(HOSTILE).await?;
        window.find(Locator::Css("#try button")).await?.click().await?;
        let refusal = "return document.querySelector('#answer > p').textContent.includes('<img src=x')";
        let start = Instant::now();
        while window.execute(refusal, Vec::new()).await? != Value::Bool(true) {
            assert!(start.elapsed() < PATIENCE, "{:#}", look(&window).await?);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(look(&window).await?["images"], 0);
        window.close().await?;
        Ok(())
    })
}
