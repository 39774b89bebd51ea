//! `/login/lost-password`, `/login/reset-password`: a new password by mail.

use crate::support::{Browser, House, OTHER_PASSWORD, PASSWORD};
use http::StatusCode;
use std::time::Duration;

const ASK: &str = "/login/lost-password";
const RESET: &str = "/login/reset-password";

async fn asks(browser: &mut Browser, name: &str) -> (StatusCode, String) {
    let answer = browser.submit(ASK, ASK, &[("username", name)]).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_lost_password_is_replaced_by_mail() {
    let house = House::open().await;
    house.account("anna").await;
    let mut elsewhere = house.browser();
    elsewhere.signs_in("anna", PASSWORD).await;
    let mut browser = house.browser();
    assert_eq!(asks(&mut browser, "Anna@example.org").await.0, StatusCode::OK);
    let letters = house.letters().await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].to.contains("anna@example.org"));
    assert!(!letters[0].subject.is_empty());
    let link = letters[0].link();
    assert!(letters[0].html.contains(&format!("href=\"http://localhost:8080{link}\"")), "{}", letters[0].html);
    let answer = browser.submit(&link, RESET, &[("new_password", OTHER_PASSWORD), ("repeat", OTHER_PASSWORD)]).await;
    assert_eq!(answer.location(), "/login");
    assert!(answer.sets("_vestibule_session").is_none(), "a link signs nobody in");
    assert!(!elsewhere.is_signed_in().await, "every session has ended");
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.browser().signs_in("anna", OTHER_PASSWORD).await.location(), "/account");
    let letters = house.letters().await;
    assert_eq!(letters.len(), 2, "the person is told that the password was changed");
    assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND, "the link works once");
}

#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let house = House::open().await;
    house.account("anna").await;
    let known = asks(&mut house.browser(), "anna").await;
    let unknown = asks(&mut house.browser(), "nobody@example.org").await;
    assert_eq!(known, unknown);
    assert_eq!(house.letters().await.len(), 1, "and only the one who has one gets a letter");
}

#[tokio::test]
async fn a_link_is_good_for_an_hour_and_the_newest_only() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    asks(&mut browser, "anna").await;
    let first = house.letters().await[0].link();
    asks(&mut browser, "anna").await;
    let both = house.letters().await;
    let second = both.iter().map(crate::support::link_of).find(|link| *link != first).expect("another link");
    assert_eq!(browser.get(&first).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get(&second).await.status, StatusCode::OK);
    house.after(Duration::from_hours(1));
    assert_eq!(browser.get(&second).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_refused_password_keeps_the_link() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    asks(&mut browser, "anna").await;
    let link = house.letters().await[0].link();
    for (new, repeat) in [("short", "short"), (PASSWORD, OTHER_PASSWORD), ("anna example", "anna example")] {
        let answer = browser.submit(&link, RESET, &[("new_password", new), ("repeat", repeat)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{new}");
    }
    let answer = browser.submit(&link, RESET, &[("new_password", OTHER_PASSWORD), ("repeat", OTHER_PASSWORD)]).await;
    assert_eq!(answer.location(), "/login");
}

#[tokio::test]
async fn a_sign_in_voids_the_link() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    asks(&mut browser, "anna").await;
    let link = house.letters().await[0].link();
    house.browser().signs_in("anna", PASSWORD).await;
    assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn letters_are_limited_by_account_silently_and_by_address_openly() {
    let house = House::with("[throttle]\nrecovery_per_account = 2\nrecovery_per_address = 4\n").await;
    house.account("anna").await;
    let mut browser = house.browser();
    let mut bodies = Vec::new();
    for _ in 0..3 {
        bodies.push(asks(&mut browser, "anna").await);
        house.letters().await;
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "whoever asks is not told");
    assert_eq!(house.count_acts("password.recovery_requested").await, 2);
    asks(&mut browser, "a").await;
    asks(&mut browser, "b").await;
    assert_eq!(asks(&mut browser, "c").await.0, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let house = House::with("[password]\nrecovery = false\n").await;
    house.account("anna").await;
    assert_eq!(house.browser().get(ASK).await.status, StatusCode::NOT_FOUND);
    assert!(!house.browser().get("/login").await.body.contains(ASK));
}

#[tokio::test]
async fn no_token_lies_in_the_database() {
    let house = House::open().await;
    house.account("anna").await;
    asks(&mut house.browser(), "anna").await;
    let link = house.letters().await[0].link();
    let token = link.split("token=").nth(1).expect("a token").to_owned();
    house.app.close().await;
    for entry in std::fs::read_dir(house.folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("a file");
            let found = bytes.windows(token.len()).any(|window| window == token.as_bytes());
            assert!(!found, "{} holds a usable token", path.display());
        }
    }
}
