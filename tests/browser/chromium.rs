//! Debian's Chromium, driven through its WebDriver.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fantoccini::error::{CmdError, NewSessionError};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{json, Value};
use tempfile::TempDir;
use url::{ParseError, Url};

/// Takes what the console has said since it was last taken.
#[derive(Debug)]
struct TakeLog;

impl WebDriverCompatibleCommand for TakeLog {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/se/log", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

/// A command of the DevTools protocol, for what WebDriver cannot do.
#[derive(Debug)]
struct DevTools {
    name: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/goog/cdp/execute", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({ "cmd": self.name, "params": self.parameters });
        (Method::POST, Some(body.to_string()))
    }
}

/// Gives a command of the DevTools protocol, and returns what it answers.
pub async fn devtools(window: &Client, name: &'static str, parameters: Value) -> Result<Value, CmdError> {
    window.issue_cmd(DevTools { name, parameters }).await
}

/// Makes the page as large as it is on a screen of this width. A window cannot be as narrow as a phone.
pub async fn resize(window: &Client, width: u32, height: u32) -> Result<(), CmdError> {
    let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
    devtools(window, "Emulation.setDeviceMetricsOverride", size).await?;
    Ok(())
}

/// What the console of a window has said since it was last asked.
pub async fn console(window: &Client) -> Result<Vec<String>, CmdError> {
    let lines = window.issue_cmd(TakeLog).await?;
    let lines = lines.as_array().into_iter().flatten();
    Ok(lines
        .filter_map(|line| line["message"].as_str().map(str::to_owned))
        .collect())
}

/// Much longer than it takes the browser to start, or to stop.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// ChromeDriver, the browser that it starts, and the directory where the browser keeps its things. All
/// of them go when it is dropped.
pub struct Browser {
    driver: Child,
    /// Left open, so that the driver can go on writing to it.
    _output: BufReader<ChildStdout>,
    port: u16,
    profile: TempDir,
}

impl Browser {
    pub fn start() -> Result<Self, Box<dyn Error>> {
        require("chromium")?;
        require("chromedriver")?;
        let profile = tempfile::tempdir()?;
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = BufReader::new(driver.stdout.take().ok_or("chromedriver has no output")?);
        let Some(port) = port_of(&mut output) else {
            driver.kill()?;
            driver.wait()?;
            return Err("chromedriver does not tell its port".into());
        };
        Ok(Self {
            driver,
            _output: output,
            port,
            profile,
        })
    }

    /// Opens a window, which closes with the browser.
    pub async fn open(&self) -> Result<Client, NewSessionError> {
        self.open_with(&[]).await
    }

    /// Does the same with more arguments for the browser.
    pub async fn open_with(&self, more: &[&str]) -> Result<Client, NewSessionError> {
        let mut arguments = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // A click does not wait for smooth scrolling.
            "--force-prefers-reduced-motion",
        ];
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        arguments.push(&profile);
        arguments.extend(more);
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().expect("an object").clone())
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
    }

    /// A window whose pages run no scripts.
    pub async fn open_without_scripts(&self) -> Result<Client, Box<dyn Error>> {
        let window = self.open().await?;
        let parameters = serde_json::json!({ "value": true });
        devtools(&window, "Emulation.setScriptExecutionDisabled", parameters).await?;
        Ok(window)
    }

    /// ChromeDriver's own way to go: it ends the browser first.
    fn shut_down(&mut self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        )?;
        // It may be gone before it has closed the connection in due form.
        let _ = stream.read_to_end(&mut Vec::new());
        let start = Instant::now();
        while self.driver.try_wait()?.is_none() && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.shut_down();
        // Nothing, unless that went wrong.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn require(program: &str) -> Result<(), String> {
    match Command::new(program).arg("--version").output() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "{program}: {error}. Install Debian's packages chromium and chromium-driver."
        )),
    }
}

/// ChromeDriver tells its port in a line of its output.
fn port_of(output: &mut impl BufRead) -> Option<u16> {
    output.lines().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    })
}
