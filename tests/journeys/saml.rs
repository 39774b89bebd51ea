//! Signing in and out with a SAML provider, in both directions, by redirects and by forms: Debian's `SimpleSAMLphp`, with its
//! own pages, on another site than ours.

use crate::program::{self, Place};
use crate::simplesamlphp::{self, Manner, Php};
use crate::stage::Stage;
use crate::webdriver::{Browser, Habits};
use std::io::Write;

/// A service beside the provider, which asks for name and password.
pub(crate) fn beside_simplesamlphp(by_form: bool, more: &str) -> (Stage, Php) {
    let (at, place) = (simplesamlphp::place(), Place::with("", ""));
    let file = place.folder().join("vestibule.toml");
    let mut file = std::fs::File::options().append(true).open(&file).expect("a configuration");
    let binding = if by_form { "request_binding = \"post\"\n" } else { "" };
    let more = format!("name = \"Corp SSO\"\n{binding}{more}");
    write!(file, "{}", simplesamlphp::configuration(at, &more)).expect("written");
    // It makes its keys as it first starts, and the provider has to know them.
    let service = place.serves();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let asked = program::asks(service.address, "GET /login/corp/metadata HTTP/1.1", "");
    let (status, _, metadata) = runtime.block_on(asked).expect("an answer");
    assert_eq!(status, 200, "{metadata}");
    let url = format!("http://localhost:{}", service.address.port());
    service.kills();
    let options = "'saml20.sign.assertion' => true";
    let php = Php::starts(at, &url, &metadata, &Manner { asks: true, by_form, options });
    (Stage::serves(place), php)
}

/// Says at the provider's form who it is.
pub(crate) fn answers_as_anna(browser: &Browser, idp: &Php) {
    browser.awaits_element("input[name=password]");
    assert!(browser.url().starts_with(&format!("http://{}/", idp.at)), "{}", browser.url());
    browser.fills("input[name=username]", "anna");
    browser.fills("input[name=password]", "anna");
    browser.clicks("button[type=submit], input[type=submit]");
}

/// Sends the form of the provider's page between, whose button its own style sheet hides.
fn passes_the_providers_page(browser: &Browser) {
    browser.awaits_element("input[name=SAMLResponse]");
    browser.runs("document.querySelector('form').submit()");
}

fn signs_in(stage: &Stage, browser: &Browser, idp: &Php) {
    browser.goes(&stage.url("/login"));
    browser.clicks("a[href^='/login/corp']");
    answers_as_anna(browser, idp);
    stage.greets(browser, "Anna of Corp");
}

#[test]
fn people_come_in_and_sign_out_by_redirects() {
    let (stage, idp) = beside_simplesamlphp(false, "");
    there_and_back(&stage, &Browser::new(), &idp);
}

#[test]
fn people_come_in_and_sign_out_by_forms_that_send_themselves() {
    let (stage, idp) = beside_simplesamlphp(true, "");
    there_and_back(&stage, &Browser::new(), &idp);
}

/// In, out from here, in again, out from there.
fn there_and_back(stage: &Stage, browser: &Browser, idp: &Php) {
    signs_in(stage, browser, idp);
    browser.clicks(".bar button");
    browser.awaits("the end of it", || browser.text().contains("You are signed out here and at Corp SSO."));
    assert!(browser.url().starts_with(&stage.url("/login/corp/slo")), "{}", browser.url());
    assert!(browser.cookie("_vestibule_session").is_none());
    stage.refuses(browser);
    // There as well: it asks who it is.
    signs_in(stage, browser, idp);
    let end = "/module.php/core/frontpage_welcome.php";
    browser.goes(&format!("http://{}/saml2/idp/initSLO.php?RelayState={end}", idp.at));
    browser.awaits("the provider's end", || browser.url().starts_with(&format!("http://{}{end}", idp.at)));
    stage.refuses(browser);
    let told = stage.place.runs(&["trace", "--last", "--provider", "corp"], "");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("provider:corp") && told.contains("signed in"), "{told}");
}

#[test]
fn without_scripts_a_button_sends_each_form() {
    let (stage, idp) = beside_simplesamlphp(true, "");
    let browser = Browser::with(&Habits { scripts: false, ..Habits::default() });
    browser.goes(&stage.url("/login"));
    browser.clicks("a[href^='/login/corp']");
    assert!(browser.text().contains("On to Corp SSO"), "{}", browser.text());
    browser.clicks("main button");
    answers_as_anna(&browser, &idp);
    passes_the_providers_page(&browser);
    stage.greets(&browser, "Anna of Corp");
    browser.clicks(".bar button");
    browser.awaits("the page between", || browser.text().contains("Now Corp SSO signs you out as well."));
    browser.clicks("main button");
    passes_the_providers_page(&browser);
    browser.awaits("the end of it", || browser.text().contains("You are signed out here and at Corp SSO."));
    stage.refuses(&browser);
}

#[test]
fn a_direct_provider_is_where_the_sign_in_page_leads_and_nobody_goes_in_circles() {
    let (stage, idp) = beside_simplesamlphp(false, "direct = true");
    let browser = Browser::new();
    browser.goes(&stage.url("/account/sessions"));
    answers_as_anna(&browser, &idp);
    browser.arrives(&stage.url("/account/sessions"));
    browser.clicks(".bar button");
    browser.awaits("the end of it", || browser.text().contains("You are signed out here and at Corp SSO."));
    // Reloading the page of the end sends the used answer again, and leads nowhere either.
    browser.goes(&browser.url());
    browser.awaits_element("main h1");
    assert!(browser.url().starts_with(&stage.url("/login/corp/slo")), "{}", browser.url());
    assert!(browser.cookie("_vestibule_session").is_none());
}
