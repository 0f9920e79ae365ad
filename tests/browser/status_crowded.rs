//! The page of `cors_status` with as much on it as a large site has: 61 policies and 250 denied origins.

use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use harness::{workspace_root, Nginx, Request};
use serde_json::{json, Value};

use crate::axe::{self, block_on};
use crate::chromium::{devtools, resize, Browser, PATIENCE};

const APP: &str = "https://app.example.com";

/// 61 policies, of which one answers early, one is a dry run, one has a candidate, and one never sees its preflights.
fn serve() -> Nginx {
    let locations: String = (0..54)
        .map(|number| {
            format!("location /service-{number}/v1/customer-accounts/ {{ cors_allow_methods PUT; alias html/; }}")
        })
        .collect();
    let servers = format!(
        "server {{
            {{listen}}
            server_name customer-accounts.shop.example.com;
            cors on;
            cors_allow_origin {APP};
            cors_log_level info;
            {locations}
            location /dry/ {{ cors_dry_run on; alias html/; }}
            location /candidate/ {{ cors_candidate {{ cors_allow_origin https://new.example.com; }} alias html/; }}
            location /moved/ {{ return 301 /elsewhere/; }}
            location = /cors {{ cors off; cors_status; }}
        }}
        server {{
            {{listen}}
            server_name early.example.com;
            cors on;
            cors_allow_origin {APP};
            cors_preflight early;
            location /a/ {{ alias html/; }}
            location /b/ {{ alias html/; }}
        }}"
    );
    let nginx = Nginx::builder()
        .http(&format!(
            "cors_zone cors:512k; keepalive_requests 10000; access_log off; {servers}"
        ))
        .start();
    let mut connection = nginx.connect();
    let host = "customer-accounts.shop.example.com";
    for stranger in 0..250 {
        let long = if stranger == 7 {
            "long-".repeat(40)
        } else {
            String::new()
        };
        let path = format!("/service-{}/v1/customer-accounts/hello.txt", stranger % 54);
        // The first are denied most.
        for _ in 0..(260 - stranger) / 40 + 1 {
            let origin = format!("https://{long}{stranger}.stranger.example");
            connection.send(&Request::get(&path).header("Host", host).origin(&origin));
        }
    }
    for (path, origin, times) in [
        ("/service-3/v1/customer-accounts/hello.txt", APP, 40),
        ("/dry/hello.txt", "https://dry.example.com", 12),
        ("/candidate/hello.txt", APP, 3),
        ("/candidate/hello.txt", "https://new.example.com", 2),
    ] {
        for _ in 0..times {
            connection.send(&Request::get(path).header("Host", host).origin(origin));
        }
    }
    for _ in 0..5 {
        connection.send(&Request::preflight("/moved/", APP, "PUT").header("Host", host));
    }
    nginx
}

/// What a reader sees, by the name of what is asked.
async fn ask(window: &Client, script: &str) -> Result<Value, Box<dyn Error>> {
    Ok(window.execute(script, Vec::new()).await?)
}

/// Waits until what the script returns is true.
async fn wait_until(window: &Client, script: &str) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    while ask(window, script).await? != Value::Bool(true) {
        assert!(start.elapsed() < PATIENCE, "{script}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn visit(nginx: &Nginx, browser: &Browser) -> Result<Client, Box<dyn Error>> {
    let window = browser.open().await?;
    resize(&window, 1300, 900).await?;
    window.goto(&format!("http://127.0.0.1:{}/cors", nginx.port())).await?;
    window.wait().for_element(Locator::Css("[data-state=live]")).await?;
    Ok(window)
}

#[test]
fn who_gains_or_loses_by_a_candidate_is_named_and_found() {
    let nginx = serve();
    block_on(async {
        let browser = Browser::start()?;
        let window = visit(&nginx, &browser).await?;
        let rows = "return [...document.querySelectorAll('#changes tbody tr')].filter((row) => !row.hidden)
            .map((row) => [...row.cells].slice(0, 5).map((cell) => cell.textContent.trim()))";
        let place = "customer-accounts.shop.example.com /candidate/";
        let lost = json!([APP, "3", "loss", "would be denied: not in cors_allow_origin", place]);
        let gained = json!([
            "https://new.example.com",
            "2",
            "gain",
            "would be allowed (in force: not in cors_allow_origin)",
            place
        ]);
        assert_eq!(ask(&window, rows).await?, json!([lost, gained]));
        let filter = window.find(Locator::Css("[data-filters=changes]")).await?;
        filter.send_keys("gain").await?;
        assert_eq!(ask(&window, rows).await?, json!([gained]));
        let count = "return document.querySelector('[data-counts=changes]').textContent";
        assert_eq!(ask(&window, count).await?, "1 of 2");

        // One who comes only now has a row without a reload.
        let request = Request::get("/candidate/hello.txt")
            .header("Host", "customer-accounts.shop.example.com")
            .header("Origin", "https://new.example.com");
        nginx.send(&request);
        wait_until(
            &window,
            "return document.querySelectorAll('#changes tbody tr')[1].cells[1].textContent === '3'",
        )
        .await?;
        window.close().await?;
        Ok(())
    });
}

#[test]
fn each_card_of_the_page_has_a_heading_or_figures() {
    let nginx = serve();
    block_on(async {
        let browser = Browser::start()?;
        let window = visit(&nginx, &browser).await?;
        let empty = "return [...document.querySelectorAll('section')]
            .filter((section) => section.offsetHeight > 0 && section.textContent.trim() === '').length";
        assert_eq!(ask(&window, empty).await?, 0);
        window.close().await?;
        Ok(())
    });
}

/// Whether all fits on the page; what the rows are like; and whether there is more to scroll to.
const LAYOUT: &str = "
    const names = [...document.querySelectorAll('td.server, .place code, tbody th.origin')];
    const lines = (element) => new Set([...element.getClientRects()].map(({ top }) => Math.round(top))).size;
    const heading = document.getElementById('origins-name').getBoundingClientRect();
    return {
        sideways: document.documentElement.scrollWidth > innerWidth,
        all_columns: [...document.querySelectorAll('.scroll')].every((part) => part.scrollWidth <= part.clientWidth),
        wrapped: names.filter((name) => getComputedStyle(name).whiteSpace !== 'nowrap' || lines(name) > 1).length,
        names: names.length,
        cue: getComputedStyle(document.querySelector('.cue')).display,
        denied: heading.top + scrollY,
    }";

#[test]
fn it_fits_on_screens_and_phones() {
    let nginx = serve();
    block_on(async {
        let browser = Browser::start()?;
        let window = visit(&nginx, &browser).await?;
        let axe_source = {
            let source = axe::source(&window).await?;
            window.goto(&format!("http://127.0.0.1:{}/cors", nginx.port())).await?;
            source
        };
        let pictures = workspace_root().join("build/status-page");
        fs::create_dir_all(&pictures)?;
        for (width, cue) in [(1300, "none"), (700, "block"), (390, "block")] {
            resize(&window, width, 900).await?;
            let layout = ask(&window, LAYOUT).await?;
            assert_eq!(
                (&layout["sideways"], &layout["wrapped"], &layout["cue"]),
                (&false.into(), &0.into(), &cue.into()),
                "at {width}: {layout:#}"
            );
            // Where a column is out of sight a sentence says so.
            assert_eq!(layout["all_columns"] == true, cue == "none", "at {width}: {layout:#}");
            assert!(layout["names"].as_u64() > Some(300), "{layout:#}");
            assert!(layout["denied"].as_f64() < Some(1500.0), "at {width}: {layout:#}");
            for scheme in ["light", "dark"] {
                let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
                devtools(&window, "Emulation.setEmulatedMedia", features).await?;
                assert_eq!(
                    axe::findings(&window, &axe_source).await?,
                    [""; 0],
                    "{scheme} at {width}"
                );
                // The picture has the whole page.
                let height = ask(&window, "return document.documentElement.scrollHeight").await?;
                resize(&window, width, u32::try_from(height.as_u64().ok_or("a height")?)?).await?;
                fs::write(
                    pictures.join(format!("{width}-{scheme}.png")),
                    window.screenshot().await?,
                )?;
                resize(&window, width, 900).await?;
            }
        }
        window.close().await?;
        Ok(())
    });
}

#[test]
fn it_marks_what_is_not_as_it_should_be() {
    let nginx = serve();
    block_on(async {
        let browser = Browser::start()?;
        let window = visit(&nginx, &browser).await?;
        let row = |name: &str| {
            format!(
                "return [...document.querySelectorAll('#policies tbody tr')].map((row) => [...row.cells].map((cell) =>
                    cell.textContent.trim())).find((cells) => cells[1].startsWith('{name}')).slice(1)"
            )
        };
        // Location, requests, allowed, not cross-origin, preflights, unanswered, blocked, denied, share, dry run, candidate.
        for (name, expected) in [
            (
                "/moved/",
                json!(["/moved/", "5", "0", "0", "5", "5", "0", "0", "0 %", "0", ""]),
            ),
            (
                "/dry/",
                json!(["/dry/ dry run", "12", "0", "0", "0", "0", "0", "0", "dry run", "12", ""]),
            ),
            (
                "/candidate/",
                json!([
                    "/candidate/ candidate",
                    "5",
                    "3",
                    "0",
                    "0",
                    "0",
                    "0",
                    "2",
                    "40.0 %",
                    "0",
                    "+2 \u{2212}3"
                ]),
            ),
        ] {
            assert_eq!(ask(&window, &row(name)).await?, expected);
        }
        let tiles =
            "return ['unanswered', 'dry-run', 'candidates'].map((id) => document.getElementById(id).textContent)";
        assert_eq!(ask(&window, tiles).await?, json!(["5", "12", "+2 \u{2212}3"]));

        // Of 250 strangers ten get a remedy, and a long name stands in its row once.
        let remedies = "return [...document.querySelectorAll('.remedy')].filter((cell) => cell.textContent).length";
        assert_eq!(ask(&window, remedies).await?, 10);
        let long = "
            const row = [...document.querySelectorAll('#origins tbody tr')].find(({ textContent }) => textContent.includes('long-long'));
            return [row.textContent.split('7.stranger').length - 1, row.cells[0].title.includes('7.stranger.example'),
                row.cells[0].scrollWidth > row.cells[0].clientWidth]";
        assert_eq!(ask(&window, long).await?, json!([1, true, true]));
        window.close().await?;
        Ok(())
    });
}

#[test]
fn rows_are_found_and_sorted() {
    let nginx = serve();
    block_on(async {
        let browser = Browser::start()?;
        let window = visit(&nginx, &browser).await?;
        let filter = window.find(Locator::Css("[data-filters=policies]")).await?;
        filter.send_keys("dry run").await?;
        let shown = "return [...document.querySelectorAll('#policies tbody tr')].filter((row) => !row.hidden).length";
        assert_eq!(ask(&window, shown).await?, 1);
        let count = "return document.querySelector('[data-counts=policies]').textContent";
        assert_eq!(ask(&window, count).await?, "1 of 61");
        filter.clear().await?;
        ask(
            &window,
            "document.querySelector('[data-filters=policies]').dispatchEvent(new Event('input'))",
        )
        .await?;

        // The third column has the number of requests.
        let sort = window.find(Locator::Css("#policies th:nth-child(3) button")).await?;
        let column =
            "return [...document.querySelectorAll('#policies tbody tr')].map((row) => Number(row.cells[2].dataset.n))";
        let in_order = ask(&window, column).await?;
        sort.click().await?;
        let read = |value: &Value| -> Vec<u64> {
            let numbers = value.as_array().into_iter().flatten();
            numbers
                .filter_map(|number| number.as_f64().map(|number| number as u64))
                .collect()
        };
        let mut expected = read(&in_order);
        expected.sort_unstable_by(|one, other| other.cmp(one));
        assert_eq!((read(&ask(&window, column).await?), expected.len()), (expected, 61));
        let said = "return document.querySelector('#policies th:nth-child(3)').getAttribute('aria-sort')";
        assert_eq!(ask(&window, said).await?, "descending");
        sort.click().await?;
        assert_eq!(ask(&window, said).await?, "ascending");
        sort.click().await?;
        assert_eq!(ask(&window, column).await?, in_order);
        window.close().await?;
        Ok(())
    });
}

/// New figures come while someone has selected an origin, works in a filter, and has chosen a policy.
#[test]
fn new_figures_leave_what_a_reader_does_alone() {
    let nginx = serve();
    block_on(async {
        let browser = Browser::start()?;
        let window = visit(&nginx, &browser).await?;
        ask(
            &window,
            "document.querySelector('[name=policy]').selectedIndex = 4;
            document.querySelector('[data-filters=origins]').focus();
            getSelection().selectAllChildren(document.querySelector('#origins tbody tr:nth-child(2) th'))",
        )
        .await?;
        let left = "return [getSelection().toString(), document.querySelector('[name=policy]').selectedIndex]";
        let before = ask(&window, left).await?;
        assert_eq!(before, json!(["https://0.stranger.example", 4]));
        let total = "return Number(document.getElementById('total').textContent.replaceAll(',', ''))";
        let old = ask(&window, total).await?.as_u64().ok_or("a number")?;
        // With these its row would go up to the first place.
        let request = Request::get("/service-0/v1/customer-accounts/hello.txt")
            .header("Host", "customer-accounts.shop.example.com")
            .origin("https://0.stranger.example");
        let mut connection = nginx.connect();
        for _ in 0..20 {
            connection.send(&request);
        }
        wait_until(
            &window,
            &format!("return Number(document.getElementById('total').textContent.replaceAll(',', '')) >= {old} + 20"),
        )
        .await?;
        assert_eq!(ask(&window, left).await?, before);
        window.close().await?;
        Ok(())
    });
}

#[test]
fn the_answer_to_a_test_is_in_sight_with_a_line_to_copy() {
    let nginx = serve();
    block_on(async {
        let browser = Browser::start()?;
        let window = visit(&nginx, &browser).await?;
        // A phone whose keyboard is open.
        resize(&window, 390, 420).await?;
        let origin = window.find(Locator::Css("#try [name=origin]")).await?;
        origin.send_keys(&format!("{APP}{}", char::from(Key::Enter))).await?;
        window.wait().for_element(Locator::Css("#answer .copied pre")).await?;
        let seen = "
            const { top, bottom } = document.querySelector('#answer > p').getBoundingClientRect();
            return [top >= 0 && bottom <= innerHeight, document.querySelector('#answer .copied pre').textContent]";
        let seen = ask(&window, seen).await?;
        assert_eq!(seen[0], true, "{seen:#}");
        let curl = seen[1].as_str().ok_or("a line")?;
        assert!(
            curl.starts_with("curl -i ") && curl.contains(&format!("'Origin: {APP}'")),
            "{curl}"
        );

        // What was copied is there to be pasted.
        window
            .find(Locator::Css("#answer .copied button"))
            .await?
            .click()
            .await?;
        let filter = window.find(Locator::Css("[data-filters=origins]")).await?;
        wait_until(
            &window,
            "return document.querySelector('#answer .copied button').textContent === 'Copied'",
        )
        .await?;
        filter.send_keys(&format!("{}v", char::from(Key::Control))).await?;
        let pasted = "return document.querySelector('[data-filters=origins]').value";
        assert_eq!(ask(&window, pasted).await?, curl);
        window.close().await?;
        Ok(())
    });
}

#[test]
fn when_nginx_is_gone_it_says_since_when() {
    let nginx = serve();
    block_on(async {
        let browser = Browser::start()?;
        let window = visit(&nginx, &browser).await?;
        drop(nginx);
        // The page asks every few seconds, and gives each question as long again.
        let failed = window.wait().at_most(2 * PATIENCE);
        failed.for_element(Locator::Css("[data-state=failed]")).await?;
        let said = ask(&window, "return document.getElementById('failure').textContent").await?;
        let said = said.as_str().ok_or("text")?;
        let time = said.strip_prefix("Cannot reach nginx; last update ").ok_or(said)?;
        assert!(time.len() == 8 && time.matches(':').count() == 2, "{said}");
        window.close().await?;
        Ok(())
    });
}

/// Without JavaScript the figures are those of the moment, and nothing can be pressed.
#[test]
fn without_its_script_it_is_right() {
    let nginx = serve();
    block_on(async {
        let browser = Browser::start()?;
        let window = browser.open_without_scripts().await?;
        window.goto(&format!("http://127.0.0.1:{}/cors", nginx.port())).await?;
        let document = devtools(&window, "DOM.getDocument", json!({ "depth": 0 })).await?;
        let root = &document["root"]["nodeId"];
        let find = |selector: &'static str| {
            let query = json!({ "nodeId": root, "selector": selector });
            devtools(&window, "DOM.querySelectorAll", query)
        };
        let rows = find("#policies tbody tr").await?;
        assert_eq!(rows["nodeIds"].as_array().map(Vec::len), Some(61));
        let total = find("#unanswered").await?;
        let html = devtools(&window, "DOM.getOuterHTML", json!({ "nodeId": total["nodeIds"][0] })).await?;
        assert!(
            html["outerHTML"].as_str().is_some_and(|html| html.ends_with(">5</b>")),
            "{html}"
        );
        // What is not shown has no box.
        let buttons = find("button").await?;
        let buttons = buttons["nodeIds"].as_array().ok_or("a list")?;
        assert!(buttons.len() > 10);
        for button in buttons {
            let shown = devtools(&window, "DOM.getBoxModel", json!({ "nodeId": button })).await;
            assert!(shown.is_err(), "{shown:?}");
        }
        window.close().await?;
        Ok(())
    });
}
