//! `/register`: making an account for oneself, where people may.

use crate::support::{Browser, House, PASSWORD};
use http::StatusCode;
use std::sync::Arc;
use vestibule::domain::account::AccountStatus;
use vestibule::service::caller::Operator;
use vestibule::service::outbox::EMAIL_LIFETIME;
use vestibule::service::registration::{Registration, RegistrationError};

const ASK: &str = "/register";
const CONFIRM: &str = "/register/confirm";
const BY_MAIL: &str = "[registration]\nmode = \"mail\"\n";
const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

async fn asks(browser: &mut Browser, email: &str) -> (StatusCode, String) {
    let answer = browser.submit(ASK, ASK, &[("email", email)]).await;
    (answer.status, answer.body)
}

async fn completes(browser: &mut Browser, link: &str, username: &str, password: &str) -> crate::support::Answer {
    let fields = [("username", username), ("name", "Anna Example"), ("new_password", password), ("repeat", password)];
    browser.submit(link, CONFIRM, &fields).await
}

#[tokio::test]
async fn nobody_registers_where_it_is_off() {
    let house = House::open().await;
    for path in [ASK, "/register/confirm?token=x"] {
        assert_eq!(house.browser().get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!house.browser().get("/login").await.body.contains(ASK));
}

#[tokio::test]
async fn by_mail_the_address_comes_first_and_the_account_after() {
    let house = House::with(BY_MAIL).await;
    assert!(house.browser().get("/login").await.body.contains(ASK));
    let mut browser = house.browser();
    assert_eq!(asks(&mut browser, "anna@example.org").await.0, StatusCode::OK);
    let letters = house.letters().await;
    assert_eq!(letters.len(), 1);
    assert!(house.acts().await.is_empty(), "no account yet");
    let link = letters[0].link();
    house.account("berta").await;
    for (username, password) in [("berta", PASSWORD), ("an/na", PASSWORD), ("anna", "short")] {
        assert_eq!(completes(&mut browser, &link, username, password).await.status, REFUSED, "{username}");
    }
    let answer = completes(&mut browser, &link, "anna", PASSWORD).await;
    assert_eq!(answer.location(), "/login");
    assert!(answer.sets("_vestibule_session").is_none(), "a link signs nobody in");
    let anna = house.named("anna").await;
    assert_eq!(
        (anna.status, anna.administrator, anna.email.as_str()),
        (AccountStatus::Active, false, "anna@example.org")
    );
    assert!(house.browser().signs_in("anna", PASSWORD).await.sets("_vestibule_session").is_some());
    assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND, "the link works once");
    assert_eq!(house.count_acts("account.registered").await, 1);
}

#[tokio::test]
async fn by_hand_an_administrator_lets_in() {
    let house = House::with("[registration]\nmode = \"manual\"\n").await;
    house.account_with("root", Some(PASSWORD), true).await;
    let mut browser = house.browser();
    asks(&mut browser, "anna@example.org").await;
    let link = house.letters().await[0].link();
    completes(&mut browser, &link, "anna", PASSWORD).await;
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.status, REFUSED, "not yet");
    let letters = house.letters().await;
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().any(|letter| letter.to.contains("root@example.org") && letter.text.contains("anna")));
    let anna = house.named("anna").await;
    let kept = house.accounts().unlock(&house.operator(), Operator::vouched(), anna.id).await.expect("a store");
    assert_eq!(kept, AccountStatus::Registered, "unlocking approves nobody");
    let registration = Registration::new(Arc::clone(&house.app.core));
    registration.approve(&house.operator(), Operator::vouched(), &anna).await.expect("approved");
    assert!(house.browser().signs_in("anna", PASSWORD).await.sets("_vestibule_session").is_some());
    assert_eq!(house.letters().await.len(), 3, "the person is told");
    let again = registration.approve(&house.operator(), Operator::vouched(), &anna).await;
    assert!(matches!(again, Err(RegistrationError::NotWaiting(_))));
    assert_eq!(house.count_acts("account.approved").await, 1);
}

#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let house = House::with(BY_MAIL).await;
    house.account("anna").await;
    let berta = house.account("berta").await;
    house.accounts().lock(&house.operator(), Operator::vouched(), berta.id).await.expect("locked");
    let known = asks(&mut house.browser(), "anna@example.org").await;
    let locked = asks(&mut house.browser(), "berta@example.org").await;
    let unknown = asks(&mut house.browser(), "carla@example.org").await;
    assert_eq!(known, unknown);
    assert_eq!(locked, unknown);
    let letters = house.letters().await;
    assert_eq!(letters.len(), 2, "the locked one gets none");
    let told = letters.iter().find(|letter| letter.to.contains("anna@")).expect("a letter");
    assert!(!told.text.contains("token="), "whoever has an account gets no link to another");
}

#[tokio::test]
async fn of_two_links_for_one_address_one_makes_an_account() {
    let house = House::with(BY_MAIL).await;
    let mut browser = house.browser();
    asks(&mut browser, "anna@example.org").await;
    asks(&mut browser, "anna@example.org").await;
    let links: Vec<_> = house.letters().await.iter().map(crate::support::link_of).collect();
    assert_eq!(links.len(), 2);
    let mut other = house.browser();
    let (first, second) = tokio::join!(
        completes(&mut browser, &links[0], "anna", PASSWORD),
        completes(&mut other, &links[1], "annika", PASSWORD)
    );
    let mut statuses = [first.status, second.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::NOT_FOUND]);
    assert_eq!(house.count_acts("account.registered").await, 1);
}

#[tokio::test]
async fn a_link_is_good_for_a_day() {
    let house = House::with(BY_MAIL).await;
    asks(&mut house.browser(), "anna@example.org").await;
    let link = house.letters().await[0].link();
    house.after(EMAIL_LIFETIME);
    assert_eq!(house.browser().get(&link).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_allowed_domains_register() {
    let house = House::with("[registration]\nmode = \"mail\"\ndomains = [\"Example.org\"]\n").await;
    for email in ["anna@elsewhere.example", "anna@sub.example.org", "anna@notexample.org", "nonsense", ""] {
        assert_eq!(asks(&mut house.browser(), email).await.0, REFUSED, "{email}");
    }
    assert!(house.letters().await.is_empty());
    assert_eq!(asks(&mut house.browser(), "anna@EXAMPLE.org").await.0, StatusCode::OK);
}

#[tokio::test]
async fn letters_are_limited_by_address_silently_and_by_client_openly() {
    let limits = "[throttle]\nrecovery_per_account = 2\nrecovery_per_address = 4\n";
    let house = House::with(&format!("{BY_MAIL}{limits}")).await;
    let mut browser = house.browser();
    for _ in 0..3 {
        assert_eq!(asks(&mut browser, "anna@example.org").await.0, StatusCode::OK);
    }
    assert_eq!(house.letters().await.len(), 2);
    asks(&mut browser, "b@example.org").await;
    asks(&mut browser, "c@example.org").await;
    assert_eq!(asks(&mut browser, "d@example.org").await.0, StatusCode::TOO_MANY_REQUESTS);
}
