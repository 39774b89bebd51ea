//! Security keys and passkeys that do what they should not: answer twice, for another site, without asking their user, or
//! as if there were two of them.

use crate::support::factors::backup_codes;
use crate::support::security_key::SecurityKey;
use crate::support::{Answer, Browser, House, PASSWORD};
use http::StatusCode;
use vestibule::service::caller::Operator;

const STEP: &str = "/login/step/factor";
const ROOM: &str = "/account/security/passkey";

async fn anna() -> (House, SecurityKey) {
    let house = Box::pin(House::open()).await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    let mut key = SecurityKey::new();
    let page = browser.get(ROOM).await;
    let credential = key.creates(&page);
    assert_eq!(backup_codes(&sends(&mut browser, &page, ROOM, &credential).await).len(), 10);
    (house, key)
}

/// Sends a key's answer with the form of the page that asked.
async fn sends(browser: &mut Browser, page: &Answer, action: &str, credential: &str) -> Answer {
    let (csrf, ceremony) = (page.hidden("csrf").expect("a form"), page.hidden("ceremony").expect("a question"));
    let fields = [
        ("csrf", csrf.as_str()),
        ("ceremony", &ceremony),
        ("credential", credential),
        ("way", "passkey"),
        ("name", "Key"),
    ];
    browser.post(action, &fields).await
}

/// Anna's password was right; the page asks for the key.
async fn at_the_step(house: &House) -> (Browser, Answer) {
    let mut browser = house.browser();
    assert_eq!(browser.signs_in("anna", PASSWORD).await.location(), STEP);
    let page = browser.get(STEP).await;
    (browser, page)
}

#[tokio::test]
async fn a_key_is_the_second_factor() {
    let (house, mut key) = anna().await;
    let (mut browser, page) = at_the_step(&house).await;
    let answer = key.answers(&page);
    assert_eq!(sends(&mut browser, &page, STEP, &answer).await.location(), "/account");
    let session = browser.get("/api/v1/session").await.body;
    assert!(session.contains("\"pop\"") && session.contains("\"phr\""), "{session}");
}

#[tokio::test]
async fn a_counter_that_goes_back_is_refused_and_its_owner_is_told() {
    let (house, mut key) = anna().await;
    key.counter = 50;
    let (mut browser, page) = at_the_step(&house).await;
    let answer = key.answers(&page);
    assert_eq!(sends(&mut browser, &page, STEP, &answer).await.location(), "/account");
    // The copy was made when the key had counted less.
    key.counter = 7;
    for (action, page_of) in [(STEP, STEP), ("/login/passkey", "/login")] {
        let mut thief = house.browser_at("203.0.113.9:1");
        thief.signs_in("anna", PASSWORD).await;
        let page = thief.get(page_of).await;
        let answer = key.answers(&page);
        let refused = sends(&mut thief, &page, action, &answer).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{action}");
        assert!(!thief.is_signed_in().await, "{action}");
    }
    assert_eq!(house.count_acts("factor.clone_suspected").await, 2);
    assert_eq!(house.count_acts("sign_in.failed").await, 2);
    let letters = house.letters().await;
    assert!(letters.iter().any(|letter| letter.subject.contains("may have been copied")), "{letters:?}");
    // The key itself, which counted on, is still good.
    key.counter = 60;
    let (mut browser, page) = at_the_step(&house).await;
    let answer = key.answers(&page);
    assert_eq!(sends(&mut browser, &page, STEP, &answer).await.location(), "/account");
}

#[tokio::test]
async fn an_answer_is_taken_once_and_to_its_own_question_only() {
    let (house, mut key) = anna().await;
    let (mut browser, page) = at_the_step(&house).await;
    let answer = key.answers(&page);
    let mut again = browser.clone();
    assert_eq!(sends(&mut browser, &page, STEP, &answer).await.location(), "/account");
    assert!(sends(&mut again, &page, STEP, &answer).await.location() != "/account", "the same attempt");
    let (mut other, new) = at_the_step(&house).await;
    assert_eq!(
        sends(&mut other, &new, STEP, &answer).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "another question"
    );
    assert_eq!(sends(&mut other, &page, STEP, &answer).await.status, StatusCode::FORBIDDEN, "another browser's form");
    // A question that was answered wrongly is used up as well.
    let (mut third, page) = at_the_step(&house).await;
    let right = key.answers(&page);
    assert_eq!(sends(&mut third, &page, STEP, &answer).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(sends(&mut third, &page, STEP, &right).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!third.is_signed_in().await && !other.is_signed_in().await);
}

#[tokio::test]
async fn two_submissions_of_one_answer_open_one_session() {
    let (house, mut key) = anna().await;
    let (mut first, page) = at_the_step(&house).await;
    let (mut second, answer) = (first.clone(), key.answers(&page));
    let (one, two) = tokio::join!(sends(&mut first, &page, STEP, &answer), sends(&mut second, &page, STEP, &answer));
    let opened = [&one, &two].iter().filter(|answer| answer.sets("_vestibule_session").is_some()).count();
    assert_eq!(opened, 1);
}

#[tokio::test]
async fn an_answer_for_another_site_is_refused() {
    let (house, mut key) = anna().await;
    for (action, page_of) in [(STEP, STEP), ("/login/passkey", "/login")] {
        for wrong in ["origin", "port", "relying party"] {
            match wrong {
                "origin" => "https://localhost.example.org".clone_into(&mut key.origin),
                "port" => "http://localhost:8081".clone_into(&mut key.origin),
                _ => "example.org".clone_into(&mut key.relying_party),
            }
            let mut browser = house.browser();
            browser.signs_in("anna", PASSWORD).await;
            let page = browser.get(page_of).await;
            let answer = key.answers(&page);
            let refused = sends(&mut browser, &page, action, &answer).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{action}, {wrong}");
            assert!(!browser.is_signed_in().await);
            "http://localhost:8080".clone_into(&mut key.origin);
            "localhost".clone_into(&mut key.relying_party);
        }
    }
    assert_eq!(house.count_acts("factor.proved").await, 0);
}

#[tokio::test]
async fn a_key_that_did_not_check_its_user_is_refused() {
    let (house, mut key) = anna().await;
    key.verifies = false;
    for (action, page_of) in [(STEP, STEP), ("/login/passkey", "/login")] {
        let mut browser = house.browser();
        browser.signs_in("anna", PASSWORD).await;
        let page = browser.get(page_of).await;
        let answer = key.answers(&page);
        let refused = sends(&mut browser, &page, action, &answer).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{action}");
        assert!(!browser.is_signed_in().await);
    }
    let mut browser = house.browser();
    house.account("berta").await;
    browser.signs_in("berta", PASSWORD).await;
    let page = browser.get(ROOM).await;
    let mut careless = SecurityKey::new();
    careless.verifies = false;
    let credential = careless.creates(&page);
    assert_eq!(sends(&mut browser, &page, ROOM, &credential).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.count_acts("factor.added").await, 1, "anna's");
}

#[tokio::test]
async fn a_passkey_signs_nobody_into_a_locked_account_and_tells_nothing_before_the_proof() {
    let (house, mut key) = anna().await;
    let mut browser = house.browser();
    let page = browser.get("/login").await;
    let answer = key.answers(&page);
    assert_eq!(sends(&mut browser, &page, "/login/passkey", &answer).await.location(), "/account");
    let anna = house.named("anna").await;
    house.accounts().lock(&house.operator(), Operator::vouched(), anna.id).await.expect("locked");
    let mut bodies = Vec::new();
    for proves in [false, true] {
        let mut browser = house.browser();
        let page = browser.get("/login").await;
        key.verifies = proves;
        let answer = key.answers(&page);
        let refused = sends(&mut browser, &page, "/login/passkey", &answer).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.sets("_vestibule_session").is_none() && refused.sets("_vestibule_attempt").is_none());
        bodies.push(refused.comparable());
    }
    assert_eq!(bodies[0], bodies[1], "the page tells nobody that the account is locked");
    // The clock stands still, so the two are in no order.
    let mut reasons = reasons(&house).await;
    reasons.sort();
    assert_eq!(reasons, ["locked", "passkey"], "the trail tells the operator");
}

/// Why sign-ins failed.
async fn reasons(house: &House) -> Vec<String> {
    let mut link = house.app.core.database.read().await.expect("a database");
    let events = vestibule::store::audit::newest(&mut link, None, 1000).await.expect("events");
    let failed = events.into_iter().filter(|event| event.act == "sign_in.failed");
    let detail = failed.map(|event| serde_json::from_str::<serde_json::Value>(&event.detail).expect("JSON"));
    detail.map(|detail| detail["reason"].as_str().expect("a reason").to_owned()).collect()
}
