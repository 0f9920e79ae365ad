//! `docs/troubleshooting.md`, in the browser: its console says the words under which a cause stands, and
//! nothing where the cause is mended.

use std::error::Error;

use fantoccini::Client;
use harness::{Nginx, Script};
use serde_json::{json, Value};

use crate::all_causes::{cases, is_said, nginx, page, prepare, Case};
use crate::chromium::{console, Browser};

/// Runs a script in the page, and tells when the browser has done with its request.
const RUN: &str = r#"
    const [address, init, websocket, done] = arguments;
    if (websocket) {
        const socket = new WebSocket(address.replace("https:", "wss:"));
        socket.onopen = () => done("readable");
        socket.onerror = () => done("blocked");
    } else {
        fetch(address, init).then(() => done("readable"), () => done("blocked"));
    }
"#;

/// The page that a script is on: any name that the certificate is not for is as good, since it is not checked.
fn address_of_page(script: &Script) -> String {
    match script.origin {
        "null" => "data:text/html,sandboxed".to_owned(),
        origin => format!("{origin}/"),
    }
}

/// Whether the script may read the response, and what the console says.
async fn run(window: &Client, case: &Case, configuration: &str) -> Result<(bool, String), Box<dyn Error>> {
    let script = &case.script;
    let application = case.application();
    let api = nginx(configuration, "{listen_tls}", &application).start();
    prepare(case, |request| api.send_tls_to("default", request));
    window.goto(&address_of_page(script)).await?;
    console(window).await?;
    let headers: serde_json::Map<String, Value> = script
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let init = json!({
        "method": script.method,
        "headers": headers,
        "credentials": if script.credentials { "include" } else { "omit" },
    });
    let address = format!("https://api.example.com:{}{}", api.port(), script.path);
    let outcome = window
        .execute_async(RUN, vec![json!(address), init, json!(script.websocket)])
        .await?;
    Ok((outcome == "readable", console(window).await?.join("\n")))
}

async fn run_all(window: &Client) -> Result<(), Box<dyn Error>> {
    let causes = page().causes();
    for case in &cases() {
        let cause = causes.iter().find(|cause| cause.title == case.title).expect("a cause");
        let title = case.title;
        // Of a header that is not exposed the console says nothing.
        let is_silent = case.application.starts_with("X-");
        let (readable, said) = run(window, case, &cause.broken).await?;
        assert_eq!(readable, is_silent, "{title}: {said}");
        assert!(
            is_silent || is_said(&cause.chromium, &said),
            "{title}: the console says {said}"
        );
        // The application here knows the handshake of a WebSocket by half.
        if !case.script.websocket {
            let (readable, said) = run(window, case, &cause.mended).await?;
            assert!(readable, "{title}: {said}");
        }
    }
    Ok(())
}

#[test]
fn the_console_says_the_words_of_each() {
    let pages = Nginx::builder()
        .http("server { {listen_tls} default_type text/html; return 200 page; }")
        .start();
    let browser = Browser::start().unwrap_or_else(|error| panic!("{error}"));
    let page = pages.port();
    let rules = format!(
        "--host-resolver-rules=MAP app.example.com:443 127.0.0.1:{page},\
        MAP example.com:443 127.0.0.1:{page},MAP api.example.com 127.0.0.1"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let outcome = runtime.block_on(async {
        let window = browser
            .open_with(&[
                &rules,
                "--ignore-certificate-errors",
                // It would ask a person whether the page may reach this machine.
                "--disable-features=LocalNetworkAccessChecks",
            ])
            .await?;
        let outcome = run_all(&window).await;
        window.close().await?;
        outcome
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
