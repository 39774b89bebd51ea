//! The program, running for one journey, and what people do on its pages again and again.

use crate::letters::{Received, in_folder};
use crate::program::Place;
use crate::webdriver::Browser;
use crate::{OTHER_PASSWORD, PASSWORD};
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

/// How long a journey may take, on a machine that does other things beside it.
const JOURNEY: Duration = Duration::from_secs(30);

/// A running service; killed when dropped, and then the journey must have been short.
pub(crate) struct Stage {
    pub(crate) place: Place,
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    url: String,
    began: Instant,
    unhurried: bool,
}

impl Stage {
    /// With Anna and with people who want to stay signed in.
    pub(crate) fn with_anna() -> Self {
        let place = Place::with("", "[autologin]\ndays = 14\n");
        place.makes_account("anna");
        Self::serves(place)
    }

    pub(crate) fn serves(place: Place) -> Self {
        let began = Instant::now();
        let mut command = place.command(&["serve"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("started");
        let mut said = BufReader::new(child.stdout.take().expect("an output")).lines();
        let first = said.next().expect("a line").expect("text");
        let url = first.strip_prefix("Vestibule is running on ").expect("an address").to_owned();
        Self { place, child, said, url, began, unhurried: false }
    }

    /// Not a journey: somebody looks at every page in every way.
    pub(crate) fn unhurried(mut self) -> Self {
        self.unhurried = true;
        self
    }

    /// The link that a first start prints.
    pub(crate) fn set_up_link(&mut self) -> String {
        let link = self
            .said
            .find_map(|line| line.expect("text").trim().strip_prefix("http").map(|rest| format!("http{rest}")));
        link.expect("a link")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Opens the sign-in page and submits it.
    pub(crate) fn submits_login(&self, browser: &Browser, username: &str, password: &str) {
        browser.goes(&self.url("/login"));
        self.fills_login(browser, username, password);
    }

    pub(crate) fn fills_login(&self, browser: &Browser, username: &str, password: &str) {
        assert!(browser.url().starts_with(&self.url("/login")), "{}", browser.url());
        browser.fills("#username", username);
        browser.fills("#password", password);
        browser.clicks("main button");
    }

    pub(crate) fn signs_in(&self, browser: &Browser, username: &str) {
        self.submits_login(browser, username, PASSWORD);
        self.greets(browser, username);
    }

    /// The overview, reached by itself or by the browser just now.
    pub(crate) fn greets(&self, browser: &Browser, name: &str) {
        browser.arrives(&self.url("/account"));
        browser.awaits("the greeting", || browser.text().contains(&format!("Hello, {name}")));
    }

    /// Whoever asks for the account is led to the sign-in page, and reads nothing of it.
    pub(crate) fn refuses(&self, browser: &Browser) {
        browser.goes(&self.url("/account"));
        browser.arrives(&self.url("/login"));
        assert!(browser.shows("#password") && !browser.text().contains("Hello"), "{}", browser.text());
    }

    pub(crate) fn fills_new_password(&self, browser: &Browser) {
        assert!(browser.url().starts_with(&self.url("/")), "{}", browser.url());
        browser.fills("#new_password", OTHER_PASSWORD);
        browser.fills("#repeat", OTHER_PASSWORD);
        browser.clicks("main button");
    }

    /// The letter that the program writes now; letters are numbered from 1.
    pub(crate) fn letter(&self, number: usize) -> Received {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let letters = in_folder(&self.place.data().join("outbox"));
            if let Some(letter) = letters.get(number - 1) {
                return letter.clone();
            }
            assert!(Instant::now() < end, "letter {number} did not come");
            std::thread::yield_now();
        }
    }

    /// The link in a letter.
    pub(crate) fn link(&self, letter: &Received) -> String {
        let start = letter.text.find(&self.url).expect("a link");
        letter.text[start..].split_whitespace().next().expect("a link").to_owned()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if !self.unhurried && !std::thread::panicking() {
            let took = self.began.elapsed();
            assert!(took < JOURNEY, "the journey took {took:?}");
        }
    }
}
