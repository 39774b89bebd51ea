//! Signing in and out with an identity provider, in both directions: npm's certified `oidc-provider`, with its own pages.

use crate::provider::beside_a_provider;
use crate::stage::Stage;
use crate::webdriver::Browser;

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
    let (stage, peer) = beside_a_provider("direct = true");
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
    let (stage, peer) = beside_a_provider("direct = true");
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
