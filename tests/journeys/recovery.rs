//! New passwords: by the letter for those who lost theirs, and as a step for those who were given one.

use crate::stage::Stage;
use crate::webdriver::Browser;
use crate::{OTHER_PASSWORD, PASSWORD};

#[test]
fn a_lost_password_is_replaced_by_the_link_in_the_letter() {
    let stage = Stage::with_anna();
    let (browser, elsewhere) = (Browser::new(), Browser::new());
    stage.signs_in(&elsewhere, "anna");
    browser.goes(&stage.url("/login"));
    browser.clicks("a[href='/login/lost-password']");
    browser.arrives(&stage.url("/login/lost-password"));
    browser.fills("#username", "anna@example.org");
    browser.clicks("main button");
    browser.awaits("the promise of a mail", || browser.text().contains("Check your mailbox"));
    let letter = stage.letter(1);
    assert!(letter.to.contains("anna@example.org") && letter.subject.contains("choose a new password"), "{letter:?}");
    let link = stage.link(&letter);
    browser.goes(&link);
    stage.fills_new_password(&browser);
    browser.arrives(&stage.url("/login"));
    assert!(browser.text().contains("Your password is changed."), "{}", browser.text());
    stage.fills_login(&browser, "anna", PASSWORD);
    browser.awaits_element("[role=alert]");
    stage.fills_login(&browser, "anna", OTHER_PASSWORD);
    stage.greets(&browser, "anna");
    stage.refuses(&elsewhere);
    elsewhere.goes(&link);
    assert!(elsewhere.text().contains("This link no longer works"), "{}", elsewhere.text());
}

#[test]
fn a_password_set_by_somebody_else_is_changed_on_the_way_in() {
    let (stage, browser) = (Stage::with_anna(), Browser::new());
    let given = "temporary blue kettle";
    assert!(stage.place.runs(&["account", "set-password", "anna", "--password-stdin"], given).status.success());
    browser.goes(&stage.url("/account/profile"));
    browser.arrives(&stage.url("/login"));
    stage.fills_login(&browser, "anna", given);
    browser.arrives(&stage.url("/login/step/password"));
    assert!(browser.cookie("_vestibule_session").is_none(), "nobody is signed in yet");
    stage.fills_new_password(&browser);
    browser.arrives(&stage.url("/account/profile"));
    let other = Browser::new();
    stage.submits_login(&other, "anna", given);
    other.awaits_element("[role=alert]");
    stage.submits_login(&other, "anna", OTHER_PASSWORD);
    stage.greets(&other, "anna");
}
