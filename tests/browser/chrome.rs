//! One Chromium with its chromedriver, on a profile of its own, gone with the value.

use std::cell::RefCell;
use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::house::PASSWORD;
use crate::postgres::skipped;
use crate::wait::{PATIENCE, until};

/// Whether pages may run scripts. The driver's own always run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    /// As usual.
    On,
    /// Switched off in the browser.
    Off,
}

/// A browser with one window.
pub struct Chrome {
    runtime: tokio::runtime::Runtime,
    client: RefCell<Option<Client>>,
    driver: Child,
    /// Held, so that the driver may go on writing.
    _said: BufReader<ChildStdout>,
    /// Where the driver listens.
    address: String,
    /// The site's address, before every path.
    site: String,
    _profile: tempfile::TempDir,
}

impl Chrome {
    /// A fresh browser for a site; none, loudly, where the machine has no Chromium.
    pub fn start(site: &str, scripts: Scripts) -> Option<Self> {
        for program in ["chromium", "chromedriver"] {
            if Command::new(program).arg("--version").output().is_err() {
                skipped(&format!("{program} is not installed: no page was opened in a browser"));
                return None;
            }
        }
        let profile = tempfile::Builder::new().prefix("sopledger-chrome-").tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .args(["--port=0", "--log-level=SEVERE"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(driver.stdout.take().unwrap());
        let address = format!("http://127.0.0.1:{}", port(&mut said));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let wanted = capabilities(profile.path(), scripts);
        let client = runtime.block_on(async {
            ClientBuilder::new(HttpConnector::new()).capabilities(wanted).connect(&address).await.unwrap()
        });
        let chrome = Self {
            runtime,
            client: RefCell::new(Some(client)),
            driver,
            _said: said,
            address,
            site: site.to_owned(),
            _profile: profile,
        };
        Some(chrome)
    }

    fn run<T>(&self, work: impl AsyncFnOnce(&Client) -> Result<T, CmdError>) -> T {
        let client = self.client.borrow();
        let done: Result<T, CmdError> = self.runtime.block_on(work(client.as_ref().unwrap()));
        done.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Opens a path of the site.
    pub fn open(&self, path: &str) {
        let address = format!("{}{path}", self.site);
        self.run(async |client| client.goto(&address).await);
    }

    /// The path and query of the open page.
    pub fn at(&self) -> String {
        let url = self.run(async |client| client.current_url().await);
        url.as_str().trim_start_matches(&self.site).to_owned()
    }

    fn find(&self, css: &str) -> Element {
        let found = self.client.borrow().clone().unwrap();
        let waited = self
            .runtime
            .block_on(async { found.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await });
        waited.unwrap_or_else(|error| panic!("{css} on {}: {error}\n{}", self.at(), self.shown()))
    }

    /// What a person sees of the page.
    pub fn shown(&self) -> String {
        self.run(async |client| client.find(Locator::Css("body")).await?.text().await)
    }

    /// The text of an element.
    pub fn text(&self, css: &str) -> String {
        let found = self.find(css);
        self.run(async |_| found.text().await)
    }

    /// Types into a field after emptying it.
    pub fn fill(&self, css: &str, text: &str) {
        let field = self.find(css);
        self.run(async |_| {
            field.clear().await?;
            field.send_keys(text).await
        });
    }

    /// Clicks on what stays on the page: a tick, a radio button.
    pub fn tick(&self, css: &str) {
        self.click(self.find(css));
    }

    fn click(&self, found: Element) {
        // The driver leaves what it scrolls to at the edge of the window, where a click may miss it.
        let script = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
        let what = serde_json::to_value(&found).unwrap();
        self.run(async |client| {
            client.execute(script, vec![what]).await?;
            found.click().await
        });
    }

    /// Picks an option by its value.
    pub fn pick(&self, css: &str, value: &str) {
        self.tick(&format!("{css} option[value='{value}']"));
    }

    /// Clicks on what leads away, and waits for the next page.
    pub fn press(&self, css: &str) {
        let (before, found) = (self.find("html"), self.find(css));
        self.click(found);
        // Put into words only at the end: between two pages there is nothing to read.
        let nowhere =
            || fmt::from_fn(|f| write!(f, "{css} on {} leads nowhere\n{}", self.at(), self.shown()));
        until(|| match self.runtime.block_on(before.tag_name()) {
            Ok(_) => Err(nowhere()),
            Err(_) => Ok(()),
        });
    }

    /// Presses a key in whatever has the focus.
    pub fn key(&self, key: fantoccini::key::Key) {
        let text = char::from(key).to_string();
        self.run(async |client| client.active_element().await?.send_keys(&text).await);
    }

    /// Signs a person in at the door, whoever was signed in before.
    pub fn sign_in(&self, login: &str) {
        self.leave();
        self.open("/login");
        self.fill("#f-login", login);
        self.fill("#f-password", PASSWORD);
        self.press("main form button.main");
        assert_ne!(self.at(), "/login", "{login}: {}", self.shown());
    }

    /// Forgets who is signed in.
    pub fn leave(&self) {
        self.run(async |client| client.delete_cookie("session").await);
    }

    /// Runs the body of a function in the page.
    pub fn script(&self, body: &str) -> Value {
        self.run(async |client| client.execute(body, vec![]).await)
    }

    /// The same for one that calls its first argument when it is done.
    pub fn script_async(&self, body: &str) -> Value {
        self.run(async |client| client.execute_async(body, vec![]).await)
    }

    /// Runs a script in every page from now on, before the page's own.
    pub fn before_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
    }

    /// Makes the window so wide, in CSS pixels; narrower than any real window can be.
    pub fn width(&self, width: u32) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size);
    }

    /// What the driver offers beyond the standard.
    fn devtools(&self, command: &str, params: Value) {
        let id = self.run(async |client| client.session_id().await).unwrap();
        let address = format!("{}/session/{id}/goog/cdp/execute", self.address);
        let body = json!({ "cmd": command, "params": params });
        ureq::post(&address).send_json(body).unwrap_or_else(|error| panic!("{command}: {error}"));
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = self.runtime.block_on(client.close());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The port that the driver says it took.
fn port(said: &mut BufReader<ChildStdout>) -> u16 {
    let mut line = String::new();
    while said.read_line(&mut line).unwrap() > 0 {
        if let Some((_, port)) = line.rsplit_once("successfully on port ") {
            return port.trim().trim_end_matches('.').parse().unwrap();
        }
        line.clear();
    }
    panic!("chromedriver did not start");
}

fn capabilities(profile: &std::path::Path, scripts: Scripts) -> Capabilities {
    let mut options = json!({
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--window-size=1280,900", format!("--user-data-dir={}", profile.display()),
        ],
    });
    if scripts == Scripts::Off {
        options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
    }
    // The driver gives a script half a minute unless it is told otherwise; axe needs it on a machine with much else to do.
    let patience = PATIENCE.as_millis();
    let timeouts = json!({ "script": patience, "pageLoad": patience });
    let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options, "timeouts": timeouts });
    wanted.as_object().unwrap().clone()
}
