//! German, for whoever's browser asks for it.

use crate::PASSWORD;
use crate::stage::Stage;
use crate::webdriver::{Browser, Habits};

#[test]
fn a_german_browser_is_spoken_to_in_german() {
    let stage = Stage::with_anna();
    let browser = Browser::with(&Habits { languages: "de-AT,de,en", ..Habits::default() });
    browser.goes(&stage.url("/login"));
    assert_eq!(browser.runs("return document.documentElement.lang"), "de");
    assert!(browser.title().starts_with("Anmelden"), "{}", browser.title());
    stage.fills_login(&browser, "anna", "wrong");
    browser.awaits_element("[role=alert]");
    assert!(browser.title().starts_with("Fehler:"), "{}", browser.title());
    stage.fills_login(&browser, "anna", PASSWORD);
    browser.arrives(&stage.url("/account"));
    assert!(browser.text().contains("Hallo, anna"), "{}", browser.text());
    // What is chosen in the profile counts more than what the browser asks for.
    browser.goes(&stage.url("/account/profile"));
    browser.clicks("#language option[value=en]");
    browser.clicks("form[action='/account/profile'] button");
    browser.awaits_element("[role=status]");
    assert_eq!(browser.runs("return document.documentElement.lang"), "en");
    let other = Browser::with(&Habits { languages: "fr", ..Habits::default() });
    other.goes(&stage.url("/login"));
    assert_eq!(other.runs("return document.documentElement.lang"), "en", "what it asks for is not there");
}
