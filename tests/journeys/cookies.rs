//! The cookies as the browser keeps them, against the table of the documentation, and what survives its end.

use crate::stage::Stage;
use crate::webdriver::{Browser, Habits};
use crate::{OTHER_PASSWORD, PASSWORD};
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

const SESSION: &str = "_vestibule_session";
const AUTOLOGIN: &str = "autologin";
const DAY: u64 = 86_400;

/// Every attribute; `age` is None for what ends with the browser.
fn has_exactly(cookie: &Value, age: Option<u64>) {
    let text = cookie.to_string();
    assert_eq!(cookie["secure"], true, "{text}");
    assert_eq!(cookie["httpOnly"], true, "{text}");
    assert_eq!(cookie["sameSite"], "Lax", "{text}");
    assert_eq!(cookie["path"], "/", "{text}");
    assert_eq!(cookie["domain"], "localhost", "no domain, so that no other host gets it: {text}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    match (cookie["expiry"].as_u64(), age) {
        (None, None) => (),
        (Some(end), Some(age)) => assert!(end.abs_diff(now + age) < 120, "{age} s: {text}"),
        _ => panic!("wanted {age:?}: {text}"),
    }
}

fn ticks_stay_and_signs_in(stage: &Stage, browser: &Browser) {
    browser.goes(&stage.url("/login"));
    browser.clicks("#stay");
    stage.fills_login(browser, "anna", PASSWORD);
    stage.greets(browser, "anna");
}

#[test]
fn cookies_have_the_attributes_of_the_table_and_no_others() {
    let (stage, browser) = (Stage::with_anna(), Browser::new());
    ticks_stay_and_signs_in(&stage, &browser);
    assert!(
        stage
            .place
            .runs(
                &["account", "create", "--username", "berta", "--email", "b@example.org", "--password-stdin"],
                PASSWORD
            )
            .status
            .success()
    );
    let cookies = browser.cookies();
    for cookie in &cookies {
        let age = match cookie["name"].as_str().expect("a name") {
            SESSION => None,
            AUTOLOGIN => Some(365 * DAY),
            "_vestibule_csrf" => Some(2 * 60 * 60),
            other => panic!("{other} is in no table"),
        };
        has_exactly(cookie, age);
        let value = cookie["value"].as_str().expect("a value");
        assert!(!value.contains("anna") && value.len() > 60, "sealed: {value}");
    }
    assert!(browser.cookie(SESSION).is_some() && browser.cookie(AUTOLOGIN).is_some(), "{cookies:?}");
    assert_eq!(browser.runs("return document.cookie"), "", "scripts see none of them");
    // An attempt that owes a step.
    assert!(
        stage.place.runs(&["account", "set-password", "berta", "--password-stdin"], OTHER_PASSWORD).status.success()
    );
    let other = Browser::new();
    stage.submits_login(&other, "berta", OTHER_PASSWORD);
    other.arrives(&stage.url("/login/step/password"));
    has_exactly(&other.cookie("_vestibule_attempt").expect("an attempt"), Some(15 * 60));
    assert!(other.cookie(SESSION).is_none(), "no session before the step is done");
}

#[test]
fn staying_signed_in_survives_the_end_of_the_browser() {
    let (stage, browser) = (Stage::with_anna(), Browser::new());
    ticks_stay_and_signs_in(&stage, &browser);
    let (session, token) = (browser.cookie(SESSION), browser.cookie(AUTOLOGIN));
    let browser = browser.starts_again(&Habits::default());
    browser.goes(&stage.url("/assets/none"));
    assert_eq!(browser.cookie(SESSION), None, "that one ended with the browser");
    assert_eq!(
        browser.cookie(AUTOLOGIN).map(|cookie| cookie["value"].clone()),
        token.map(|cookie| cookie["value"].clone())
    );
    browser.goes(&stage.url("/account"));
    stage.greets(&browser, "anna");
    assert_ne!(
        browser.cookie(SESSION).map(|cookie| cookie["value"].clone()),
        session.map(|cookie| cookie["value"].clone())
    );
    // After signing out it remembers nobody.
    browser.clicks(".bar button");
    browser.arrives(&stage.url("/logout/done"));
    let browser = browser.starts_again(&Habits::default());
    stage.refuses(&browser);
}

#[test]
fn without_the_tick_the_end_of_the_browser_is_the_end_of_the_session() {
    let (stage, browser) = (Stage::with_anna(), Browser::new());
    stage.signs_in(&browser, "anna");
    assert_eq!(browser.cookie(AUTOLOGIN), None);
    let browser = browser.starts_again(&Habits::default());
    stage.refuses(&browser);
}
