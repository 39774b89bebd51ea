//! A phone number as second factor, as people meet it: set up, asked for, and what they read when nothing can be sent. The
//! codes are read from the gateway.

use crate::PASSWORD;
use crate::axe::Critic;
use crate::gateway::{Gateway, Mood};
use crate::program::Place;
use crate::stage::Stage;
use crate::webdriver::{Browser, ENTER, Habits};

fn stage(factor: &str) -> (Stage, Gateway) {
    let gateway = Gateway::start();
    let place = Place::with("", &gateway.configuration(factor, ""));
    place.makes_account("anna");
    (Stage::serves(place), gateway)
}

/// From the password to the page of the account.
fn in_words_of(language: &'static str, name: impl Fn(&str) -> String) {
    let (stage, gateway) = stage("");
    let habits = Habits { languages: language, ..Habits::default() };
    let browser = Browser::with(&habits);
    let mut critic = Critic::new(&browser);
    stage.submits_login(&browser, "anna", PASSWORD);
    browser.arrives(&stage.url("/account"));
    browser.goes(&stage.url("/account/security"));
    browser.clicks("a[href='/account/security/phone']");
    critic.looks_at(&name("phone"), "#number");
    browser.fills("#number", "0170 1234567");
    browser.clicks("main form button");
    critic.looks_at(&name("phone-error"), "#number-error");
    browser.fills("#number", "+49 170 12345642");
    browser.clicks("main form button");
    critic.looks_at(&name("phone-sent"), "#code");
    assert!(browser.text().contains("+49 ••• 42"), "{}", browser.text());
    browser.types(&gateway.code());
    browser.types(ENTER);
    browser.awaits_element(".codes");
    browser.clicks("main .button:not(.quiet)");
    critic.looks_at(&name("security-phone"), ".more");

    let other = Browser::with(&habits);
    let mut other_critic = Critic::new(&other);
    stage.submits_login(&other, "anna", PASSWORD);
    other.arrives(&stage.url("/login/step/factor"));
    other_critic.looks_at(&name("factor-phone"), "button[value='voice']");
    gateway.becomes(Mood::Status(500));
    other.clicks("button[value='sms']");
    other_critic.looks_at(&name("factor-phone-failed"), "[role=alert]");
    gateway.becomes(Mood::Takes);
    other.clicks("button[value='sms']");
    other_critic.looks_at(&name("factor-phone-sent"), "#code");
    // The field has the focus: the code and the enter key are enough.
    other.types(&gateway.code());
    other.types(ENTER);
    other.arrives(&stage.url("/account"));
    critic.approves();
    other_critic.approves();
}

#[test]
fn a_number_is_set_up_and_asked_for() {
    in_words_of("en", str::to_owned);
}

#[test]
fn a_number_is_set_up_and_asked_for_in_german() {
    in_words_of("de", |page| format!("{page}-german"));
}

#[test]
fn a_required_number_needs_no_script() {
    let (stage, gateway) = stage("required = \"all\"");
    let browser = Browser::with(&Habits { scripts: false, ..Habits::default() });
    stage.submits_login(&browser, "anna", PASSWORD);
    browser.arrives(&stage.url("/login/step/enrol"));
    browser.clicks("a[href='/login/step/enrol/phone']");
    browser.arrives(&stage.url("/login/step/enrol/phone"));
    browser.fills("#number", "+49 170 12345642");
    browser.clicks("button[value='voice']");
    browser.awaits_element("#code");
    browser.fills("#code", &gateway.code());
    browser.clicks("main form button");
    browser.awaits_element(".codes");
    browser.clicks("main .button:not(.quiet)");
    stage.greets(&browser, "anna");
}
