//! The demo's page on other screens, at another name, and without its script.

use fantoccini::Locator;
use harness::Nginx;
use serde_json::{json, Value};

use crate::axe::block_on;
use crate::chromium::{devtools, resize, Browser};

const OVER: Locator<'_> = Locator::Css("[data-state=done], [data-state=failed]");

#[test]
fn at_localhost_it_comes_out_as_well() {
    let nginx = Nginx::from_file("nginx-conf/demo.conf").start();
    block_on(async {
        let browser = Browser::start()?;
        let window = browser.open().await?;
        window
            .goto(&format!("http://localhost:{}/", nginx.port_of(8080)))
            .await?;
        window.wait().for_element(OVER).await?;
        let verdict = "return document.documentElement.dataset.verdict";
        assert_eq!(window.execute(verdict, Vec::new()).await?, "good");
        window.close().await?;
        Ok(())
    });
}

#[test]
fn on_a_phone_cases_are_folded_and_a_link_opens_one() {
    let nginx = Nginx::from_file("nginx-conf/demo.conf").start();
    block_on(async {
        let browser = Browser::start()?;
        let window = browser.open().await?;
        resize(&window, 390, 800).await?;
        window
            .goto(&format!("http://127.0.0.1:{}/", nginx.port_of(8080)))
            .await?;
        window.wait().for_element(OVER).await?;
        let seen = "return {
            height: document.documentElement.scrollHeight,
            sideways: document.documentElement.scrollWidth > innerWidth,
            open: [...document.querySelectorAll('.fold[open]')].map((fold) => fold.parentElement.id),
        }";
        let folded = window.execute(seen, Vec::new()).await?;
        assert_eq!(
            (&folded["sideways"], &folded["open"]),
            (&false.into(), &json!([])),
            "{folded}"
        );
        assert!(folded["height"].as_u64() < Some(6000), "{folded}");
        window
            .find(Locator::Css(".contents a[data-case=delete]"))
            .await?
            .click()
            .await?;
        let opened = window.execute(seen, Vec::new()).await?;
        assert_eq!(opened["open"], json!(["delete"]), "{opened}");
        window.close().await?;
        Ok(())
    });
}

#[test]
fn no_name_in_the_navigation_is_cut() {
    let nginx = Nginx::from_file("nginx-conf/demo.conf").start();
    block_on(async {
        let browser = Browser::start()?;
        let window = browser.open().await?;
        window
            .goto(&format!("http://127.0.0.1:{}/", nginx.port_of(8080)))
            .await?;
        window.wait().for_element(OVER).await?;
        for width in [1300, 1000, 700, 390] {
            resize(&window, width, 900).await?;
            let cut = "
                const { left, right } = document.querySelector('.contents').getBoundingClientRect();
                return [...document.querySelectorAll('.contents a')].filter((link) => {
                    const box = link.getBoundingClientRect();
                    return box.left < left || box.right > right || link.scrollWidth > link.clientWidth + 1 && link.clientWidth;
                }).map((link) => link.textContent)";
            assert_eq!(window.execute(cut, Vec::new()).await?, json!([]), "at {width}");
        }
        window.close().await?;
        Ok(())
    });
}

#[test]
fn without_its_script_it_has_no_button() {
    let nginx = Nginx::from_file("nginx-conf/demo.conf").start();
    block_on(async {
        let browser = Browser::start()?;
        let window = browser.open_without_scripts().await?;
        window
            .goto(&format!("http://127.0.0.1:{}/", nginx.port_of(8080)))
            .await?;
        let document = devtools(&window, "DOM.getDocument", json!({ "depth": 0 })).await?;
        let query = json!({ "nodeId": document["root"]["nodeId"], "selector": "button, progress, .notice" });
        let nodes = devtools(&window, "DOM.querySelectorAll", query).await?;
        let mut shown = Vec::new();
        for node in nodes["nodeIds"].as_array().ok_or("a list")? {
            if devtools(&window, "DOM.getBoxModel", json!({ "nodeId": node }))
                .await
                .is_ok()
            {
                let html = devtools(&window, "DOM.getOuterHTML", json!({ "nodeId": node })).await?;
                shown.push(html["outerHTML"].clone());
            }
        }
        // What is left is the sentence that says what is missing.
        assert!(
            matches!(&shown[..], [Value::String(only)] if only.contains("Switch JavaScript on")),
            "{shown:?}"
        );
        window.close().await?;
        Ok(())
    });
}
