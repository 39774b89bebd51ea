//! Proving anew who one is, remembered devices, and what applications may ask for.

use crate::support::factors::{Phone, binds, binds_an_app};
use crate::support::{Browser, House, OTHER_PASSWORD, PASSWORD};
use http::StatusCode;
use std::time::Duration;

const STEP: &str = "/login/step/factor";
const CONFIRM: &str = "/login/confirm";
const TOTP: &str = "/account/security/totp";
const REMEMBERS: &str = "[second_factor]\nremember_days = 30\n";
const APPLICATIONS: &str = "\n[server]\ntrusted_proxies = [\"198.51.100.0/24\"]\n[[application]]\nslug = \"vault\"\n\
     hosts = [\"vault.example.org\"]\nsecond_factor = true\n[[application.rule]]\npaths = [\"/fresh\"]\nmax_age = \"5m\"\n\
     [[application]]\nslug = \"tasks\"\nhosts = [\"tasks.example.org\"]\nmax_age = \"30m\"\n";

async fn shows(browser: &mut Browser, house: &House, phone: &Phone, keep: &str) -> crate::support::Answer {
    let code = phone.code(house);
    let answer = browser.submit(STEP, STEP, &[("way", "totp"), ("code", &code), ("keep", keep)]).await;
    house.after(Duration::from_secs(30));
    answer
}

async fn amr(browser: &mut Browser) -> serde_json::Value {
    let answer = browser.get("/api/v1/session").await;
    serde_json::from_str::<serde_json::Value>(&answer.body).expect("JSON")["session"]["amr"].clone()
}

/// What a proxy is told about a request to an application.
async fn asks(browser: &Browser, host: &str, path: &str) -> crate::support::Answer {
    let mut proxy = browser.clone().sending("x-forwarded-proto", "https").sending("x-forwarded-host", host);
    proxy = proxy.sending("x-forwarded-uri", path).sending("x-forwarded-method", "GET");
    proxy.sending("x-forwarded-for", "192.0.2.9").get("/verify").await
}

#[tokio::test]
async fn an_old_sign_in_is_proved_anew_before_anything_is_bound() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    assert_eq!(browser.get(TOTP).await.status, StatusCode::OK);
    house.after(Duration::from_mins(11));
    let answer = browser.get(TOTP).await;
    assert_eq!(answer.location(), "/login/confirm?return_to=%2Faccount%2Fsecurity%2Ftotp");
    let csrf = browser.get("/account/security").await.hidden("csrf").expect("a form");
    let answer = browser.post(TOTP, &[("csrf", &csrf), ("name", "x"), ("code", "123456")]).await;
    assert_eq!(answer.location(), "/login/confirm?return_to=%2Faccount%2Fsecurity");
    let page = "/login/confirm?return_to=%2Faccount%2Fsecurity%2Ftotp";
    let wrong = browser.submit(page, CONFIRM, &[("password", "wrong")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let before = browser.cookies["_vestibule_session"].clone();
    let mut old = browser.clone();
    let answer = browser.submit(page, CONFIRM, &[("password", PASSWORD)]).await;
    assert_eq!(answer.location(), TOTP);
    assert_ne!(browser.cookies["_vestibule_session"], before, "a new session");
    assert!(!old.is_signed_in().await, "in the place of the old one");
    assert_eq!(browser.get(TOTP).await.status, StatusCode::OK);
}

#[tokio::test]
async fn whoever_has_a_second_factor_proves_that_one() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    let (phone, _) = binds_an_app(&house, &mut browser).await;
    house.after(Duration::from_mins(11));
    for path in [TOTP, "/account/password", "/account/email"] {
        assert!(browser.get(path).await.location().starts_with("/login/confirm?"), "{path}");
    }
    let mut thief = browser.clone();
    let csrf = thief.get("/account/security").await.hidden("csrf").expect("a form");
    let new =
        [("csrf", csrf.as_str()), ("password", PASSWORD), ("new_password", OTHER_PASSWORD), ("repeat", OTHER_PASSWORD)];
    thief.post("/account/password", &new).await;
    assert_eq!(house.count_acts("password.changed").await, 0, "session and password are not enough");
    assert_eq!(browser.get("/login/confirm?return_to=/account/password").await.location(), STEP);
    assert_eq!(shows(&mut browser, &house, &phone, "").await.location(), "/account/password");
    assert_eq!(browser.get("/account/password").await.status, StatusCode::OK);
    assert_eq!(house.count_acts("session.stepped_up").await, 1);
    assert!(!thief.is_signed_in().await, "the old session is gone");
}

#[tokio::test]
async fn wrong_passwords_at_the_page_count() {
    let house = House::with("[throttle]\naccount_failures = 2\n").await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    for _ in 0..2 {
        let wrong = browser.submit(CONFIRM, CONFIRM, &[("password", "wrong")]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let blocked = browser.submit(CONFIRM, CONFIRM, &[("password", PASSWORD)]).await;
    assert_eq!(blocked.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_device_is_spared_the_factor_when_its_user_wants_that() {
    let house = House::with(REMEMBERS).await;
    house.account("anna").await;
    let (phone, _) = binds_an_app(&house, &mut house.browser()).await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    assert!(browser.get(STEP).await.body.contains("name=\"keep\""));
    let answer = shows(&mut browser, &house, &phone, "1").await;
    assert!(answer.sets("remember_2fa").expect("a cookie").contains("HttpOnly; SameSite=Lax; Secure"));
    let mut again = browser.restarted();
    let token = again.cookies["remember_2fa"].clone();
    assert_eq!(again.signs_in("anna", PASSWORD).await.location(), "/account");
    assert_eq!(amr(&mut again).await, serde_json::json!(["pwd", "remembered_device"]), "it says so and claims no more");
    assert_ne!(again.cookies["remember_2fa"], token, "rotated at each use");
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.location(), STEP, "another device is asked");
    house.account("berta").await;
    let mut berta = house.browser();
    binds_for(&house, &mut berta, "berta").await;
    let mut shared = again.restarted();
    assert_eq!(
        shared.signs_in("berta", PASSWORD).await.location(),
        STEP,
        "another account is asked on this device too"
    );
    assert!(again.get("/account/password").await.location().starts_with(CONFIRM), "and it is no fresh proof");
    let id = device(&mut again).await;
    again.submit("/account/security", "/account/security/devices/forget", &[("device", &id)]).await;
    assert_eq!(again.restarted().signs_in("anna", PASSWORD).await.location(), STEP, "forgotten");
}

async fn binds_for(house: &House, browser: &mut Browser, name: &str) -> Phone {
    browser.signs_in(name, PASSWORD).await;
    binds(house, browser).await.0
}

async fn device(browser: &mut Browser) -> String {
    browser.get("/account/security").await.hidden("device").expect("a device")
}

#[tokio::test]
async fn a_copied_device_token_spares_nobody_for_long() {
    let house = House::with(REMEMBERS).await;
    house.account("anna").await;
    let (phone, _) = binds_an_app(&house, &mut house.browser()).await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    shows(&mut browser, &house, &phone, "1").await;
    let mut thief = browser.restarted();
    assert_eq!(browser.restarted().signs_in("anna", PASSWORD).await.location(), "/account");
    house.after(Duration::from_secs(41));
    assert_eq!(thief.signs_in("anna", PASSWORD).await.location(), STEP, "the token was used");
    assert_eq!(house.count_acts("device.replayed").await, 1);
    assert_eq!(browser.restarted().signs_in("anna", PASSWORD).await.location(), STEP, "and nobody is spared any more");
}

#[tokio::test]
async fn without_the_setting_no_device_is_spared() {
    let house = House::open().await;
    house.account("anna").await;
    let (phone, _) = binds_an_app(&house, &mut house.browser()).await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    assert!(!browser.get(STEP).await.body.contains("name=\"keep\""));
    let answer = shows(&mut browser, &house, &phone, "1").await;
    assert!(answer.sets("remember_2fa").is_none());
    assert_eq!(browser.restarted().signs_in("anna", PASSWORD).await.location(), STEP);
}

#[tokio::test]
async fn a_remembered_browser_is_asked_for_the_factor_only() {
    let house = House::with("[autologin]\ndays = 30\n").await;
    house.account("anna").await;
    let (phone, _) = binds_an_app(&house, &mut house.browser()).await;
    let mut browser = house.browser();
    browser.signs_in_and_stays("anna", PASSWORD).await;
    shows(&mut browser, &house, &phone, "").await;
    let mut again = browser.restarted();
    assert_eq!(again.get("/login").await.location(), STEP);
    assert!(!again.is_signed_in().await);
    assert_eq!(shows(&mut again, &house, &phone, "").await.location(), "/account");
    assert_eq!(amr(&mut again).await, serde_json::json!(["remembered", "mfa", "otp"]));
    assert!(again.get(TOTP).await.location().starts_with(CONFIRM), "it has not proved enough to bind another one");
    assert!(again.get(CONFIRM).await.body.contains("type=\"password\""), "the password is asked for first");
}

#[tokio::test]
async fn an_application_asks_for_a_second_factor_and_leads_back() {
    let house = House::with(APPLICATIONS).await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    let answer = asks(&browser, "vault.example.org", "/x").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("x-vestibule-reason"), "second_factor_required");
    let page = "/login/confirm?return_to=https%3A%2F%2Fvault.example.org%2Fx&factor=1";
    assert_eq!(answer.location(), format!("http://localhost:8080{page}"));
    assert!(answer.header("remote-user").is_empty());
    // The sign-in is young, so the factor can be set up at once.
    assert_eq!(browser.get(page).await.location(), "/login/step/enrol");
    let shown = browser.get("/login/step/enrol").await;
    let (phone, csrf) = (Phone::of(&shown), shown.hidden("csrf").expect("a form"));
    let code = phone.code(&house);
    let done = browser.post("/login/step/enrol", &[("csrf", &csrf), ("name", "App"), ("code", &code)]).await;
    assert!(done.body.contains("href=\"https://vault.example.org/x\""));
    assert_eq!(asks(&browser, "vault.example.org", "/x").await.status, StatusCode::OK);
    house.after(Duration::from_mins(6));
    let answer = asks(&browser, "vault.example.org", "/fresh").await;
    assert_eq!(answer.header("x-vestibule-reason"), "fresh_proof_required");
    let page = answer.location().trim_start_matches("http://localhost:8080").to_owned();
    assert_eq!(browser.get(&page).await.location(), STEP);
    assert_eq!(shows(&mut browser, &house, &phone, "").await.location(), "https://vault.example.org/fresh");
    assert_eq!(asks(&browser, "vault.example.org", "/fresh").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_application_asks_for_a_fresh_password() {
    let house = House::with(APPLICATIONS).await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    assert_eq!(asks(&browser, "tasks.example.org", "/").await.status, StatusCode::OK);
    house.after(Duration::from_mins(31));
    let answer = asks(&browser, "tasks.example.org", "/").await;
    assert_eq!(answer.header("x-vestibule-reason"), "fresh_proof_required");
    let page = answer.location().trim_start_matches("http://localhost:8080").to_owned();
    let answer = browser.submit(&page, CONFIRM, &[("password", PASSWORD)]).await;
    assert_eq!(answer.location(), "https://tasks.example.org/");
    assert_eq!(asks(&browser, "tasks.example.org", "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_spared_device_is_no_fresh_factor_for_an_application() {
    let house = House::with(&format!("{REMEMBERS}{APPLICATIONS}")).await;
    house.account("anna").await;
    let (phone, _) = binds_an_app(&house, &mut house.browser()).await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    shows(&mut browser, &house, &phone, "1").await;
    let mut again = browser.restarted();
    again.signs_in("anna", PASSWORD).await;
    assert_eq!(asks(&again, "vault.example.org", "/x").await.status, StatusCode::OK);
    let answer = asks(&again, "vault.example.org", "/fresh").await;
    assert_eq!(answer.header("x-vestibule-reason"), "second_factor_required");
}
