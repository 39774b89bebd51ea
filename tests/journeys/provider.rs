//! Signing in at a real provider of another make: there by a button, back and in; refused with a reference that the command
//! line explains; adding the provider to an account.

use crate::PASSWORD;
use crate::openid_peer::Peer;
use crate::program::Place;
use crate::stage::Stage;
use crate::webdriver::Browser;
use std::io::Write;

/// A service beside npm's `oidc-provider`, which asks "who are you" and "may they know".
pub(crate) fn beside_a_provider(more: &str) -> (Stage, Peer) {
    let place = Place::with("", "[autologin]\ndays = 14\n");
    let file = place.folder().join("vestibule.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    let url = text.split('"').nth(1).expect("public_url stands first");
    let peer = Peer::certified(&format!("{url}/login/corp/callback"));
    let mut file = std::fs::File::options().append(true).open(&file).expect("a configuration");
    write!(file, "{}", peer.configuration(&format!("name = \"Corp SSO\"\n{more}"))).expect("written");
    (Stage::serves(place), peer)
}

/// Answers at the provider as somebody.
pub(crate) fn answers_as(browser: &Browser, peer: &Peer, who: &str) {
    browser.awaits("the provider's page", || browser.url().starts_with(&peer.issuer));
    browser.awaits_element("input[name=login]");
    browser.fills("input[name=login]", who);
    browser.fills("input[name=password]", "anything");
    browser.clicks("button[type=submit]");
    browser.awaits("the question for consent", || {
        browser.url().starts_with(&peer.issuer) && browser.shows("input[name=prompt][value=consent]")
    });
    browser.clicks("button[type=submit]");
}

#[test]
fn a_button_leads_to_the_provider_and_back_in_and_the_tick_is_taken_along() {
    let (stage, peer) = beside_a_provider("");
    let browser = Browser::new();
    browser.goes(&stage.url("/login"));
    let lists = "return [...document.querySelectorAll('.providers')].map(e => getComputedStyle(e).display != 'none')";
    assert_eq!(browser.runs(lists), serde_json::json!([true, false]));
    browser.clicks("#stay-provider");
    assert_eq!(browser.runs(lists), serde_json::json!([false, true]), "without a script");
    browser.clicks(".staying a[href^='/login/corp']");
    answers_as(&browser, &peer, "anna");
    stage.greets(&browser, "Anna Berg");
    assert!(browser.cookie("autologin").is_some(), "the tick went there and back");
    let told = stage.place.runs(&["trace", "--last", "--provider", "corp"], "");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("provider:corp") && told.contains("signed in"), "{told}");
    browser.goes(&stage.url("/account/identities"));
    assert!(browser.text().contains("Corp SSO") && browser.text().contains("anna"), "{}", browser.text());
}

#[test]
fn a_refusal_has_a_reference_that_the_command_line_explains() {
    let (stage, peer) = beside_a_provider("");
    stage.place.makes_account("anna");
    let browser = Browser::new();
    browser.goes(&stage.url("/login"));
    browser.clicks(".providers:not(.staying) a[href^='/login/corp']");
    answers_as(&browser, &peer, "anna");
    browser.awaits_element(".error-id code");
    assert!(browser.text().contains("Another account here has the username"), "{}", browser.text());
    let reference = browser.runs("return document.querySelector('.error-id code').textContent");
    let reference = reference.as_str().expect("a reference");
    let told = stage.place.runs(&["trace", reference], "");
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert!(text.contains("refused: username_taken") && text.contains("username_taken: yes"), "{text}");
    assert!(text.contains("what to do An account has this username."), "{text}");
    stage.refuses(&browser);
}

#[test]
fn a_provider_is_added_to_an_account_and_is_a_way_in_from_then_on() {
    let (stage, peer) = beside_a_provider("");
    stage.place.makes_account("ben");
    let browser = Browser::new();
    stage.submits_login(&browser, "ben", PASSWORD);
    stage.greets(&browser, "ben");
    browser.goes(&stage.url("/account/identities"));
    browser.clicks("a[href='/login/corp?add=1']");
    answers_as(&browser, &peer, "somebody");
    browser.awaits_element("form[action='/account/identities/add'] button");
    browser.clicks("form[action='/account/identities/add'] button[type=submit]");
    browser.arrives(&stage.url("/account/identities"));
    assert!(browser.text().contains("somebody"), "{}", browser.text());
    browser.goes(&stage.url("/logout"));
    browser.clicks("main button");
    browser.arrives(&stage.url("/logout/done"));
    // The provider still knows who it is, and asks nothing.
    browser.goes(&stage.url("/login"));
    browser.clicks(".providers:not(.staying) a[href^='/login/corp']");
    stage.greets(&browser, "ben");
}
