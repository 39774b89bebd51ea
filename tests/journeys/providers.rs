//! Signing in and out with an identity provider, in both directions: npm's certified `oidc-provider`, with its own pages.

use crate::program::Place;
use crate::stage::Stage;
use crate::webdriver::Browser;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The provider's process; it ends with its standard input.
struct Peer {
    issuer: String,
    process: Child,
    /// Kept open: it goes on speaking.
    _words: BufReader<ChildStdout>,
}

impl Peer {
    fn starts(back: &str) -> Self {
        let folder = std::env::var_os("VESTIBULE_OIDC_PROVIDER");
        let folder = PathBuf::from(folder.expect("tests/run installs oidc-provider and names its folder"));
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/openid_provider.mjs");
        let mut process = Command::new("node")
            .args([script, back, "vestibule", "a secret of the test"])
            .env("VESTIBULE_OIDC_PROVIDER", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node");
        let mut issuer = String::new();
        let mut words = BufReader::new(process.stdout.take().expect("its words"));
        words.read_line(&mut issuer).expect("an issuer");
        Self { issuer: issuer.trim().to_owned(), process, _words: words }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

/// The service with this provider, to which the sign-in page leads by itself.
fn stage() -> (Stage, Peer) {
    let place = Place::new();
    let file = place.folder().join("vestibule.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    let url = text.split('"').nth(1).expect("an address");
    let peer = Peer::starts(&format!("{url}/login/corp/callback"));
    let provider = format!(
        "[[identity_provider]]\nslug = \"corp\"\nname = \"Corp SSO\"\nkind = \"oidc\"\nissuer = {:?}\n\
         client_id = \"vestibule\"\nclient_secret = \"a secret of the test\"\nallow_private_network = true\n\
         direct = true\n",
        peer.issuer
    );
    std::fs::write(&file, format!("{text}\n{provider}")).expect("written");
    (Stage::serves(place), peer)
}

/// From the account to the provider's form, and back.
fn signs_in(stage: &Stage, browser: &Browser) {
    browser.goes(&stage.url("/account"));
    browser.awaits_element("input[name=login]");
    browser.fills("input[name=login]", "anna");
    browser.fills("input[name=password]", "anything");
    browser.clicks("button[type=submit]");
    browser.awaits("the consent", || browser.text().contains("Authorize") || browser.url().contains("/account"));
    if !browser.url().starts_with(&stage.url("/account")) {
        browser.clicks("button[type=submit]");
    }
    stage.greets(browser, "Anna Berg");
}

#[test]
fn signing_out_goes_on_to_the_provider_and_comes_back_to_a_page_that_leads_nowhere() {
    let (stage, peer) = stage();
    let browser = Browser::new();
    signs_in(&stage, &browser);
    browser.clicks(".bar button");
    // The provider's own question: the form of this service has led there, though to another site.
    browser.awaits_element("button[name=logout]");
    assert!(browser.url().starts_with(&peer.issuer), "{}", browser.url());
    assert!(browser.cookie("_vestibule_session").is_none());
    browser.clicks("button[name=logout]");
    browser.arrives(&stage.url("/login/corp/logout"));
    assert!(browser.text().contains("You are signed out here and at Corp SSO."), "{}", browser.text());
    // There as well: it asks who it is.
    browser.goes(&stage.url("/account"));
    browser.awaits_element("input[name=login]");
    assert!(browser.url().starts_with(&peer.issuer), "{}", browser.url());
}

#[test]
fn signing_out_at_the_provider_ends_the_session_here() {
    let (stage, peer) = stage();
    let browser = Browser::new();
    signs_in(&stage, &browser);
    browser.goes(&format!("{}/session/end", peer.issuer));
    browser.awaits_element("button[name=logout]");
    browser.clicks("button[name=logout]");
    browser.awaits("the end there", || browser.url().contains("/session/end/success"));
    browser.goes(&stage.url("/account"));
    browser.awaits_element("input[name=login]");
    assert!(!browser.text().contains("Anna Berg"), "{}", browser.text());
}
