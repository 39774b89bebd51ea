//! Every page on the way to identity providers and back, looked at in every way (`axe.rs`): what is between, what is refused,
//! and how signing out ends.

use crate::axe::Critic;
use crate::nowhere::nowhere;
use crate::provider::{answers_as, beside_a_provider};
use crate::saml::{answers_as_anna, beside_simplesamlphp};
use crate::webdriver::{Browser, Habits};
use serde_json::json;

/// Has the browser send a form from where it is.
fn posts(browser: &Browser, address: &str, field: &str, value: &str) {
    browser.runs(&format!(
        "const form = Object.assign(document.createElement('form'), {{ method: 'post', action: '{address}' }});
         form.append(Object.assign(document.createElement('input'), {{ name: '{field}', value: '{value}' }}));
         document.body.append(form); form.submit();"
    ));
}

/// Comes to a page that would go on by itself, and stays on it.
fn stopped(browser: &Browser, comes: impl FnOnce()) {
    let scripts = |off: bool| browser.commands("Emulation.setScriptExecutionDisabled", &json!({ "value": off }));
    scripts(true);
    comes();
    browser.awaits_element("form[data-onward]");
    scripts(false);
}

#[test]
fn what_is_refused_at_an_openid_provider_and_how_signing_out_ends_is_for_everybody() {
    for language in ["en", "de"] {
        let end = format!("end_session_endpoint = \"http://{}/\"", nowhere());
        let (stage, peer) = beside_a_provider(&end);
        let stage = stage.unhurried();
        stage.place.makes_account("anna");
        let browser = Browser::with(&Habits { languages: language, ..Habits::default() });
        let mut critic = Critic::new(&browser);
        let mut looks_at = |path: &str, name: &str, sign: &str| {
            browser.goes(&stage.url(path));
            critic.looks_at(&format!("{name}-{language}"), sign);
        };
        looks_at("/login/corp/callback?code=x&state=none", "provider-outdated", ".error-id");
        looks_at("/login/corp/logout?state=none", "signed-out-unsure", ".lead");
        looks_at("/logout/done?at=corp", "signed-out-stays", ".lead");
        looks_at("/logout/done", "signed-out", ".lead");
        browser.goes(&stage.url("/login/corp"));
        browser.awaits_element("a[href$='/abort']");
        browser.clicks("a[href$='/abort']");
        critic.looks_at(&format!("provider-declined-{language}"), ".error-id");
        browser.goes(&stage.url("/login/corp"));
        answers_as(&browser, &peer, "anna");
        critic.looks_at(&format!("provider-username-taken-{language}"), ".error-id");
        browser.goes(&format!("{}/session/end", peer.issuer));
        browser.awaits_element("button[name=logout]");
        browser.clicks("button[name=logout]");
        browser.awaits("the end there", || browser.url().contains("/session/end/success"));
        browser.goes(&stage.url("/login/corp"));
        answers_as(&browser, &peer, "berta");
        browser.arrives(&stage.url("/account"));
        browser.goes(&stage.url("/account/identities"));
        critic.looks_at(&format!("identities-linked-{language}"), "main");
        browser.goes(&stage.url("/account"));
        browser.clicks(".bar button");
        critic.looks_at(&format!("signed-out-onward-{language}"), "a.button");
        critic.approves();
    }
}

#[test]
fn the_pages_between_here_and_a_saml_provider_are_for_everybody() {
    for language in ["en", "de"] {
        let (stage, idp) = beside_simplesamlphp(true, "");
        let stage = stage.unhurried();
        let browser = Browser::with(&Habits { languages: language, ..Habits::default() });
        let mut critic = Critic::new(&browser);
        browser.goes(&stage.url("/login"));
        critic.looks_at(&format!("login-with-saml-provider-{language}"), "a[href^='/login/corp']");
        posts(&browser, "/login/corp/acs", "SAMLResponse", "bm90aGluZw==");
        critic.looks_at(&format!("provider-not-believed-{language}"), ".error-id");
        browser.goes(&stage.url("/login/corp/slo?SAMLRequest=nothing"));
        critic.looks_at(&format!("provider-sign-out-not-believed-{language}"), ".error-id");
        stopped(&browser, || browser.goes(&stage.url("/login/corp")));
        critic.looks_at(&format!("going-in-{language}"), "form[data-onward]");
        browser.clicks("main button");
        answers_as_anna(&browser, &idp);
        browser.arrives(&stage.url("/account"));
        stopped(&browser, || browser.clicks(".bar button"));
        critic.looks_at(&format!("going-out-{language}"), "form[data-onward]");
        browser.clicks("main button");
        browser.arrives(&stage.url("/login/corp/slo"));
        critic.looks_at(&format!("signed-out-there-{language}"), ".lead");
        critic.approves();
    }
}
