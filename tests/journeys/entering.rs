//! Coming in: the first start, a sign-in with the keyboard only, and all of it without scripts.

use crate::PASSWORD;
use crate::program::Place;
use crate::stage::Stage;
use crate::webdriver::{Browser, ENTER, Habits, SPACE, TAB};

/// From the printed link to the overview of the first administrator.
fn moves_in(browser: &Browser) {
    let mut stage = Stage::serves(Place::new());
    let link = stage.set_up_link();
    browser.goes(&link);
    for (field, value) in [("username", "root"), ("name", "Anna Example"), ("email", "anna@example.org")] {
        browser.fills(&format!("#{field}"), value);
    }
    browser.fills("#new_password", PASSWORD);
    browser.fills("#repeat", "something else");
    browser.clicks("main button");
    browser.awaits_element("#repeat-error");
    assert!(browser.title().starts_with("Error:"), "{}", browser.title());
    browser.fills("#new_password", PASSWORD);
    browser.fills("#repeat", PASSWORD);
    browser.clicks("main button");
    browser.arrives(&stage.url("/login"));
    assert!(browser.text().contains("The administrator is set up."), "{}", browser.text());
    stage.fills_login(browser, "root", PASSWORD);
    stage.greets(browser, "Anna Example");
    browser.goes(&link);
    assert!(!browser.shows("#new_password"), "the link works once");
}

#[test]
fn the_printed_link_makes_an_administrator_who_signs_in() {
    moves_in(&Browser::new());
}

#[test]
fn setting_up_and_signing_in_need_no_scripts() {
    let browser = Browser::with(&Habits { scripts: false, ..Habits::default() });
    browser.goes("data:text/html,<noscript>off</noscript><p>page</p><script>document.write('on')</script>");
    assert!(browser.text().contains("off") && !browser.text().contains("on\n"), "{}", browser.text());
    moves_in(&browser);
}

/// What has the focus: its id or its text, and whether people see that.
fn focus(browser: &Browser) -> String {
    let found = browser.runs(
        "const e = document.activeElement, s = getComputedStyle(e);
         const seen = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;
         return (e.id || e.textContent.trim()) + (seen ? '' : ' without an outline')",
    );
    found.as_str().expect("a name").to_owned()
}

#[test]
fn the_keyboard_suffices_and_shows_where_it_is() {
    let (stage, browser) = (Stage::with_anna(), Browser::new());
    browser.goes(&stage.url("/login"));
    assert_eq!(focus(&browser), "username", "the first field waits for its name");
    browser.types("anna");
    browser.types(TAB);
    assert_eq!(focus(&browser), "password");
    browser.types(PASSWORD);
    for stop in ["stay", "Sign in", "Sign in with a passkey", "Forgotten your password?"] {
        browser.types(TAB);
        assert_eq!(focus(&browser), stop);
    }
    browser.goes(&stage.url("/login"));
    browser.types("anna");
    browser.types(TAB);
    browser.types(PASSWORD);
    browser.types(TAB);
    browser.types(SPACE);
    browser.types(TAB);
    browser.types(ENTER);
    stage.greets(&browser, "anna");
    assert!(browser.cookie("autologin").is_some(), "the space bar ticked the box");
    browser.types(TAB);
    assert_eq!(focus(&browser), "Skip to content");
    browser.types(ENTER);
    browser.types(TAB);
    assert_eq!(focus(&browser), "Edit profile", "the bar and the navigation are passed over");
    browser.goes(&stage.url("/logout"));
    browser.types(TAB);
    assert_eq!(focus(&browser), "Sign out");
    browser.types(ENTER);
    browser.arrives(&stage.url("/logout/done"));
    stage.refuses(&browser);
}
