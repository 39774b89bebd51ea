//! `/login/step/…`: what a sign-in owes before it becomes a session.

use crate::support::{House, OTHER_PASSWORD, PASSWORD};
use http::StatusCode;
use std::time::Duration;
use vestibule::service::caller::Operator;

const STEP: &str = "/login/step/password";

async fn owing() -> House {
    let house = House::open().await;
    let anna = house.account("anna").await;
    house.set_password(&anna, "temporary blue kettle", true).await;
    house
}

#[tokio::test]
async fn a_password_set_by_somebody_else_is_changed_before_the_session_opens() {
    let house = owing().await;
    let mut browser = house.browser();
    let answer = browser.signs_in("anna", "temporary blue kettle").await;
    assert_eq!(answer.location(), STEP);
    assert!(answer.sets("_vestibule_session").is_none(), "no session before the step is done");
    assert!(!browser.is_signed_in().await);
    let answer = browser.submit(STEP, STEP, &[("new_password", PASSWORD), ("repeat", PASSWORD)]).await;
    assert_eq!(answer.location(), "/account");
    assert!(browser.is_signed_in().await);
    assert_eq!(
        house.browser().signs_in("anna", "temporary blue kettle").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.location(), "/account");
    assert_eq!(house.count_acts("sign_in.step_owed").await, 1);
    assert_eq!(house.count_acts("password.changed").await, 1);
}

#[tokio::test]
async fn the_temporary_password_itself_is_no_new_one() {
    let house = owing().await;
    let mut browser = house.browser();
    browser.signs_in("anna", "temporary blue kettle").await;
    let same = [("new_password", "temporary blue kettle"), ("repeat", "temporary blue kettle")];
    let answer = browser.submit(STEP, STEP, &same).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!browser.is_signed_in().await);
    let answer = browser.submit(STEP, STEP, &[("new_password", PASSWORD), ("repeat", PASSWORD)]).await;
    assert_eq!(answer.location(), "/account", "the attempt goes on after a refusal");
}

#[tokio::test]
async fn a_mismatch_or_a_weak_choice_keeps_the_attempt() {
    let house = owing().await;
    let mut browser = house.browser();
    browser.signs_in("anna", "temporary blue kettle").await;
    for (new, repeat) in [(PASSWORD, OTHER_PASSWORD), ("short", "short"), ("password1234", "password1234"), ("", "")] {
        let answer = browser.submit(STEP, STEP, &[("new_password", new), ("repeat", repeat)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{new}");
        assert!(!answer.body.contains(PASSWORD), "a password is never shown again");
    }
    assert_eq!(browser.get(STEP).await.status, StatusCode::OK);
}

#[tokio::test]
async fn another_browser_cannot_finish_an_attempt() {
    let house = owing().await;
    let mut browser = house.browser();
    browser.signs_in("anna", "temporary blue kettle").await;
    let mut stranger = house.browser();
    assert_eq!(stranger.get(STEP).await.location(), "/login");
    let csrf = stranger.get("/login").await.hidden("csrf").expect("a form");
    let answer = stranger.post(STEP, &[("csrf", &csrf), ("new_password", PASSWORD), ("repeat", PASSWORD)]).await;
    assert_eq!(answer.location(), "/login");
    assert_eq!(house.count_acts("password.changed").await, 0);
}

#[tokio::test]
async fn an_attempt_ends_after_its_time() {
    let house = owing().await;
    let mut browser = house.browser();
    browser.signs_in("anna", "temporary blue kettle").await;
    let csrf = browser.get(STEP).await.hidden("csrf").expect("a form");
    // Where clocks of nodes may differ, one that began right after a password was set lives half a minute longer.
    house.after(Duration::from_secs(15 * 60 + 31));
    let answer = browser.post(STEP, &[("csrf", &csrf), ("new_password", PASSWORD), ("repeat", PASSWORD)]).await;
    assert_eq!(answer.location(), "/login");
    assert_eq!(house.count_acts("password.changed").await, 0);
}

#[tokio::test]
async fn an_attempt_is_used_once() {
    let house = owing().await;
    let mut browser = house.browser();
    browser.signs_in("anna", "temporary blue kettle").await;
    let mut twin = browser.clone();
    let csrf = browser.get(STEP).await.hidden("csrf").expect("a form");
    let fields = [("csrf", csrf.as_str()), ("new_password", PASSWORD), ("repeat", PASSWORD)];
    let (first, second) = tokio::join!(browser.post(STEP, &fields), twin.post(STEP, &fields));
    let opened = [&first, &second].iter().filter(|answer| answer.sets("_vestibule_session").is_some()).count();
    assert_eq!(opened, 1, "two submissions of one step open one session");
    assert_eq!(house.count_acts("password.changed").await, 1);
    assert_eq!(house.count_acts("sign_in.succeeded").await, 1);
}

#[tokio::test]
async fn a_lock_in_the_meantime_ends_the_attempt() {
    let house = owing().await;
    let mut browser = house.browser();
    browser.signs_in("anna", "temporary blue kettle").await;
    let csrf = browser.get(STEP).await.hidden("csrf").expect("a form");
    let anna = house.named("anna").await;
    house.accounts().lock(&house.operator(), Operator::vouched(), anna.id).await.expect("locked");
    let answer = browser.post(STEP, &[("csrf", &csrf), ("new_password", PASSWORD), ("repeat", PASSWORD)]).await;
    assert_eq!(answer.location(), "/login");
    assert_eq!(house.count_acts("password.changed").await, 0);
}

#[tokio::test]
async fn an_expired_password_is_changed_at_sign_in() {
    let house = House::with("[password]\nexpire_after_days = 90\n").await;
    house.account("anna").await;
    house.after(Duration::from_hours(2160));
    let mut browser = house.browser();
    assert_eq!(browser.signs_in("anna", PASSWORD).await.location(), STEP);
    let answer = browser.submit(STEP, STEP, &[("new_password", OTHER_PASSWORD), ("repeat", OTHER_PASSWORD)]).await;
    assert_eq!(answer.location(), "/account");
    assert_eq!(house.browser().signs_in("anna", OTHER_PASSWORD).await.location(), "/account");
}

#[tokio::test]
async fn the_way_back_survives_the_step() {
    let house = owing().await;
    let mut browser = house.browser();
    let fields = [("username", "anna"), ("password", "temporary blue kettle")];
    browser.submit("/login?return_to=/account/profile", "/login", &fields).await;
    let answer = browser.submit(STEP, STEP, &[("new_password", PASSWORD), ("repeat", PASSWORD)]).await;
    assert_eq!(answer.location(), "/account/profile");
}
