//! A browser, steered as `WebDriver` says (<https://www.w3.org/TR/webdriver2/>): what these journeys need of it, and
//! nothing about Vestibule. Each browser has a chromedriver of its own, and both end with it.

use base64::Engine;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// The name under which `WebDriver` hands out elements (section 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
];

/// The keys that are typed here (section 17.4.2).
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const SPACE: &str = "\u{e00d}";

/// What differs from browser to browser.
#[derive(Clone)]
pub(crate) struct Habits {
    /// What it asks for in `Accept-Language`.
    pub(crate) languages: &'static str,
    pub(crate) scripts: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self { languages: "en", scripts: true }
    }
}

/// A running browser; ended when dropped.
pub(crate) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    profile: Arc<TempDir>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self::with(&Habits::default())
    }

    pub(crate) fn with(habits: &Habits) -> Self {
        Self::starts(habits, Arc::new(tempfile::tempdir().expect("a folder")))
    }

    fn starts(habits: &Habits, profile: Arc<TempDir>) -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().unwrap_or_else(|error| panic!("chromedriver is missing: {error}"));
        let mut lines = BufReader::new(driver.stdout.take().expect("an output")).lines();
        let port = lines.find_map(|line| {
            let line = line.expect("text");
            line.split_once("successfully on port ").and_then(|(_, port)| port.trim_end_matches('.').parse().ok())
        });
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.expect("chromedriver says its port")));
        // Nobody reads on, and it must not stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let mut flags: Vec<_> = FLAGS.iter().map(ToString::to_string).collect();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let mut preferences = json!({ "intl.accept_languages": habits.languages });
        if !habits.scripts {
            preferences["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        let options = json!({ "args": flags, "prefs": preferences });
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": options } } });
        let mut browser = Self { driver, address, session: String::new(), profile };
        let opened = browser.asks("POST", "/session", &wanted).unwrap_or_else(|error| panic!("no browser: {error}"));
        opened["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        browser
    }

    /// Closes the browser and opens it again, with what it has kept on its disk.
    pub(crate) fn starts_again(self, habits: &Habits) -> Self {
        let profile = Arc::clone(&self.profile);
        drop(self);
        Self::starts(habits, profile)
    }

    fn asks(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let mut stream = TcpStream::connect(self.address).expect("chromedriver listens");
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("sent");
        let mut stream = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        while stream.read_line(&mut head).expect("a head") > 2 {
            let line = head.lines().last().unwrap_or_default().to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).expect("a body");
        let mut answer: Value = serde_json::from_slice(&answer).expect("JSON");
        let value = answer["value"].take();
        if head.starts_with("HTTP/1.1 200") { Ok(value) } else { Err(value) }
    }

    fn tries(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        self.asks(method, &format!("/session/{}{path}", self.session), body)
    }

    fn does(&self, path: &str, body: &Value) -> Value {
        self.tries("POST", path, body).unwrap_or_else(|error| panic!("{path} {body}: {error}"))
    }

    fn reads(&self, path: &str) -> Value {
        self.tries("GET", path, &Value::Null).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn goes(&self, url: &str) {
        self.does("/url", &json!({ "url": url }));
    }

    pub(crate) fn goes_back(&self) {
        self.does("/back", &json!({}));
    }

    pub(crate) fn url(&self) -> String {
        self.reads("/url").as_str().expect("an address").to_owned()
    }

    pub(crate) fn title(&self) -> String {
        self.reads("/title").as_str().expect("a title").to_owned()
    }

    /// Waits until the browser is at this address, whatever its query.
    pub(crate) fn arrives(&self, url: &str) {
        self.awaits(url, || self.url().split('?').next() == Some(url));
    }

    /// Waits until the page shows something that the selector finds.
    pub(crate) fn awaits_element(&self, css: &str) {
        self.awaits(css, || self.shows(css));
    }

    /// Waits until something happens, and looks again and again.
    pub(crate) fn awaits(&self, what: &str, happens: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !happens() {
            assert!(Instant::now() < end, "{what} did not come; the browser is at {}:\n{}", self.url(), self.text());
        }
    }

    fn finds(&self, css: &str) -> Result<String, Value> {
        let found = self.tries("POST", "/element", &json!({ "using": "css selector", "value": css }))?;
        Ok(found[ELEMENT].as_str().expect("an element").to_owned())
    }

    fn element(&self, css: &str) -> String {
        self.finds(css).unwrap_or_else(|_| panic!("{css} is not at {}:\n{}", self.url(), self.text()))
    }

    pub(crate) fn shows(&self, css: &str) -> bool {
        self.finds(css).is_ok()
    }

    /// What people read on the page.
    pub(crate) fn text(&self) -> String {
        let found =
            self.finds("body").and_then(|body| self.tries("GET", &format!("/element/{body}/text"), &Value::Null));
        // While one page takes the place of another there is no text.
        found.ok().and_then(|text| text.as_str().map(ToOwned::to_owned)).unwrap_or_default()
    }

    pub(crate) fn clicks(&self, css: &str) {
        self.does(&format!("/element/{}/click", self.element(css)), &json!({}));
    }

    /// Replaces what stands in a field.
    pub(crate) fn fills(&self, css: &str, text: &str) {
        let field = self.element(css);
        self.does(&format!("/element/{field}/clear"), &json!({}));
        self.does(&format!("/element/{field}/value"), &json!({ "text": text }));
    }

    /// Types on the keyboard, wherever the focus is.
    pub(crate) fn types(&self, text: &str) {
        let keys: Vec<_> = text
            .chars()
            .flat_map(|key| [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })])
            .collect();
        self.does("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": keys }] }));
    }

    /// What a script returns; a promise is waited for.
    pub(crate) fn runs(&self, script: &str) -> Value {
        self.does("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    pub(crate) fn cookies(&self) -> Vec<Value> {
        self.reads("/cookie").as_array().expect("cookies").clone()
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<Value> {
        self.cookies().into_iter().find(|cookie| cookie["name"] == name)
    }

    /// A command of the `DevTools` protocol, for what `WebDriver` has no word for.
    pub(crate) fn commands(&self, command: &str, parameters: &Value) -> Value {
        self.does("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Plugs in a security key that says yes by itself; it remembers people if it is a passkey.
    pub(crate) fn has_a_key(&self, passkey: bool) {
        let key = json!({
            "protocol": "ctap2", "transport": if passkey { "internal" } else { "usb" }, "hasResidentKey": passkey,
            "hasUserVerification": true, "isUserVerified": true, "isUserConsenting": true,
        });
        self.does("/webauthn/authenticator", &key);
    }

    /// A picture of the whole page.
    pub(crate) fn paints(&self, file: &Path) {
        let size =
            self.runs("const e = document.documentElement; return [innerWidth, Math.max(innerHeight, e.scrollHeight)]");
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        let wanted = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.commands("Page.captureScreenshot", &wanted);
        let bytes = base64::engine::general_purpose::STANDARD.decode(picture["data"].as_str().expect("a picture"));
        std::fs::write(file, bytes.expect("base64")).expect("written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            drop(self.tries("DELETE", "", &Value::Null));
        }
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}
