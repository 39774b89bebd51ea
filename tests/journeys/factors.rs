//! The second factor, as people meet it: an app, codes on paper, keys. Pages are looked at on the way.

use crate::PASSWORD;
use crate::axe::Critic;
use crate::program::Place;
use crate::stage::Stage;
use crate::webdriver::{Browser, ENTER};
use totp_rs::{Builder, Secret, Totp};

fn stage(configuration: &str) -> Stage {
    let place = Place::with("", configuration);
    place.makes_account("anna");
    Stage::serves(place)
}

/// The app, told the key that the page shows.
fn app(browser: &Browser) -> Totp {
    let key = browser.runs("return document.querySelector('.key code').textContent");
    let secret = Secret::try_from_base32(key.as_str().expect("a key").replace(' ', "")).expect("base 32");
    Builder::new().with_secret(secret).build().expect("an app")
}

/// The code after the present one: our clock is theirs, and each code is taken once.
fn next_code(app: &Totp) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    app.generate(now + 30).to_string()
}

#[test]
fn an_app_is_set_up_and_asked_for() {
    let stage = stage("[second_factor]\nremember_days = 30\n");
    let browser = Browser::new();
    let mut critic = Critic::new(&browser);
    stage.signs_in(&browser, "anna");
    browser.goes(&stage.url("/account/security"));
    critic.looks_at("security-empty", ".tiles");
    browser.goes(&stage.url("/account/security/totp"));
    critic.looks_at("totp", ".qr");
    let app = app(&browser);
    browser.fills("#code", "000000");
    browser.clicks("main form button");
    critic.looks_at("totp-error", "[aria-invalid]");
    let code = app.generate_current().to_string();
    browser.fills("#code", &format!("{} {}", &code[..3], &code[3..]));
    browser.clicks("main form button");
    browser.awaits_element(".codes");
    critic.looks_at("backup-codes", ".codes");
    let paper = browser.runs("return document.querySelector('.codes code').textContent");
    browser.clicks("main .button:not(.quiet)");
    browser.arrives(&stage.url("/account/security"));
    critic.looks_at("security", ".more");
    browser.clicks(".more summary");
    critic.looks_at("security-open", ".more[open]");

    let other = Browser::new();
    let mut critic = Critic::new(&other);
    stage.submits_login(&other, "anna", PASSWORD);
    other.arrives(&stage.url("/login/step/factor"));
    critic.looks_at("factor", "#code");
    // The field has the focus: a code and the enter key are enough.
    other.types("000000");
    other.types(ENTER);
    other.awaits_element("[aria-invalid]");
    critic.looks_at("factor-error", "[aria-invalid]");
    other.clicks("#keep");
    other.fills("#code", &next_code(&app));
    other.types(ENTER);
    stage.greets(&other, "anna");

    let third = Browser::new();
    let mut critic = Critic::new(&third);
    stage.submits_login(&third, "anna", PASSWORD);
    third.arrives(&stage.url("/login/step/factor"));
    third.clicks("a[href$='way=backup']");
    critic.looks_at("factor-backup", "#code");
    third.fills("#code", paper.as_str().expect("a code"));
    third.types(ENTER);
    stage.greets(&third, "anna");
    critic.approves();
}

#[test]
fn a_required_factor_stands_between_people_and_their_account() {
    let stage = stage("[second_factor]\nrequired = \"all\"\n");
    let browser = Browser::new();
    let mut critic = Critic::new(&browser);
    stage.submits_login(&browser, "anna", PASSWORD);
    browser.arrives(&stage.url("/login/step/enrol"));
    critic.looks_at("enrol", ".qr");
    browser.goes(&stage.url("/account"));
    browser.arrives(&stage.url("/login"));
    browser.goes(&stage.url("/login/step/enrol"));
    let app = app(&browser);
    browser.fills("#code", &app.generate_current().to_string());
    browser.clicks("form[action='/login/step/enrol'] button");
    browser.awaits_element(".codes");
    browser.clicks("main .button:not(.quiet)");
    stage.greets(&browser, "anna");
    critic.approves();
}

#[test]
fn a_security_key_is_the_second_factor() {
    let stage = stage("");
    let browser = Browser::new();
    browser.has_a_key(false);
    let mut critic = Critic::new(&browser);
    stage.signs_in(&browser, "anna");
    browser.goes(&stage.url("/account/security/passkey"));
    critic.looks_at("passkey", "form[data-passkey]");
    browser.clicks("form[data-passkey] button");
    browser.awaits_element(".codes");
    browser.goes(&stage.url("/logout"));
    browser.clicks("main button");
    browser.arrives(&stage.url("/logout/done"));
    stage.submits_login(&browser, "anna", PASSWORD);
    browser.arrives(&stage.url("/login/step/factor"));
    critic.looks_at("factor-passkey", "form[data-passkey]");
    browser.clicks("form[data-passkey] button");
    stage.greets(&browser, "anna");
    critic.approves();
}

#[test]
fn a_passkey_signs_in_alone() {
    let stage = stage("");
    let browser = Browser::new();
    browser.has_a_key(true);
    stage.signs_in(&browser, "anna");
    browser.goes(&stage.url("/account/security/passkey"));
    browser.clicks("form[data-passkey] button");
    browser.awaits_element(".codes");
    browser.goes(&stage.url("/logout"));
    browser.clicks("main button");
    browser.arrives(&stage.url("/logout/done"));
    browser.goes(&stage.url("/login"));
    // The browser may offer the passkey by itself, beside the field for the name.
    browser.runs("document.querySelector('form[data-passkey] button')?.click()");
    stage.greets(&browser, "anna");
    browser.goes(&stage.url("/api/v1/session"));
    assert!(browser.text().contains("\"acr\":\"phr\""), "{}", browser.text());
}
