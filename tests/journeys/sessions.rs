//! How sessions end: by signing out, and from another browser.

use crate::stage::Stage;
use crate::webdriver::Browser;

#[test]
fn after_signing_out_the_back_button_shows_nothing() {
    let (stage, browser) = (Stage::with_anna(), Browser::new());
    stage.signs_in(&browser, "anna");
    for path in ["/account/profile", "/account/sessions"] {
        browser.clicks(&format!(".nav a[href='{path}']"));
        browser.arrives(&stage.url(path));
    }
    browser.clicks(".bar button");
    browser.arrives(&stage.url("/logout/done"));
    assert!(browser.text().contains("You are signed out"), "{}", browser.text());
    assert!(browser.cookie("_vestibule_session").is_none());
    browser.goes_back();
    browser.arrives(&stage.url("/login"));
    assert!(!browser.text().contains("anna"), "{}", browser.text());
    stage.refuses(&browser);
}

#[test]
fn a_session_ended_from_another_browser_is_over_at_the_next_click() {
    let stage = Stage::with_anna();
    let (lost, kept) = (Browser::new(), Browser::new());
    stage.signs_in(&lost, "anna");
    stage.signs_in(&kept, "anna");
    kept.goes(&stage.url("/account/sessions"));
    kept.clicks("form[action='/account/sessions/end'] button");
    kept.awaits_element("[role=status]");
    assert!(kept.text().contains("The session has ended."), "{}", kept.text());
    assert!(!kept.shows("form[action='/account/sessions/end']"), "only its own is left");
    lost.clicks(".nav a[href='/account/profile']");
    lost.arrives(&stage.url("/login"));
    stage.refuses(&lost);
    kept.goes(&stage.url("/account"));
    stage.greets(&kept, "anna");
}
