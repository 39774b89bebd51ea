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

const AT_ONCE: &str = "[registration]\nmode = \"automatic\"\n";

async fn registers(browser: &mut Browser, username: &str, email: &str) -> crate::support::Answer {
    let fields = [
        ("username", username),
        ("name", "Anna Example"),
        ("email", email),
        ("new_password", PASSWORD),
        ("repeat", PASSWORD),
    ];
    browser.submit(ASK, ASK, &fields).await
}

#[tokio::test]
async fn at_once_the_account_comes_first_and_its_address_after() {
    let house = House::with(AT_ONCE).await;
    assert!(house.browser().get("/login").await.body.contains(ASK));
    assert_eq!(house.browser().get("/register/confirm?token=x").await.status, StatusCode::NOT_FOUND);
    let mut browser = house.browser();
    let answer = registers(&mut browser, "anna", "anna@example.org").await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/login"), "{}", answer.body);
    assert!(answer.sets("_vestibule_session").is_none(), "signing in is a page of its own");
    let anna = house.named("anna").await;
    assert_eq!((anna.status, anna.administrator, anna.address()), (AccountStatus::Active, false, None));
    assert_eq!(house.count_acts("account.registered").await, 1);
    // The address claims nothing yet: it neither signs in, nor recovers, nor reaches an application.
    assert!(house.browser().signs_in("anna@example.org", PASSWORD).await.sets("_vestibule_session").is_none());
    let mut stranger = house.browser();
    for login in ["anna@example.org", "anna"] {
        stranger.submit("/login/lost-password", "/login/lost-password", &[("username", login)]).await;
    }
    let letters = house.letters().await;
    assert_eq!(letters.len(), 1, "only the one that confirms: {letters:?}");
    assert!(letters[0].to.contains("anna@example.org"));
    assert!(browser.signs_in("anna", PASSWORD).await.sets("_vestibule_session").is_some());
    let said: serde_json::Value = serde_json::from_str(&browser.get("/api/v1/session").await.body).expect("JSON");
    assert!(said["account"]["email"].is_null(), "{said}");
    assert!(browser.get("/account").await.body.contains("None yet"));
    // Nobody else can use the link, and it does nothing by being opened.
    house.account("berta").await;
    let mut other = house.browser();
    other.signs_in("berta", PASSWORD).await;
    assert_eq!(other.get(&letters[0].link()).await.status, StatusCode::NOT_FOUND);
    assert!(browser.get(&letters[0].link()).await.body.contains("anna@example.org"));
    assert_eq!(house.named("anna").await.address(), None);
    browser.submit(&letters[0].link(), "/account/email/confirm", &[]).await;
    assert_eq!(house.named("anna").await.address(), Some("anna@example.org"));
    assert_eq!(house.letters().await.len(), 1, "no letter about a change to an address that there was not");
    assert!(house.browser().signs_in("anna@example.org", PASSWORD).await.sets("_vestibule_session").is_some());
}

/// How many passwords were hashed.
fn hashes(house: &House) -> u32 {
    let text = house.app.core.metrics.render().expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix("vestibule_password_hash_duration_seconds_count "));
    line.expect("a counter").parse().expect("a number")
}

#[tokio::test]
async fn at_once_nobody_learns_who_has_an_account() {
    let house = House::with(AT_ONCE).await;
    house.account("berta").await;
    let locked = house.account("carla").await;
    house.accounts().lock(&house.operator(), Operator::vouched(), locked.id).await.expect("locked");
    let seen = |answer: crate::support::Answer| {
        let names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        (answer.status, answer.location().to_owned(), names, answer.body)
    };
    let free = seen(registers(&mut house.browser(), "one", "free@example.org").await);
    assert_eq!(free.0, StatusCode::SEE_OTHER);
    let hashed = hashes(&house);
    for (username, email) in
        [("two", "berta@example.org"), ("three", "carla@example.org"), ("four", "BERTA@example.org")]
    {
        assert_eq!(seen(registers(&mut house.browser(), username, email).await), free, "{email}");
    }
    assert_eq!(hashes(&house) - hashed, 3, "one for each, whoever has the address");
    // A username that is an address would tell, free or not.
    let (taken, open) = ("berta@example.org", "nobody@example.org");
    let answers = [
        registers(&mut house.browser(), taken, "x@example.org").await,
        registers(&mut house.browser(), open, "x@example.org").await,
    ];
    assert!(answers.iter().all(|answer| answer.status == REFUSED && answer.body.contains("without an @ sign")));
    let letters = house.letters().await;
    let to = |address: &str| letters.iter().filter(|letter| letter.to.contains(address)).collect::<Vec<_>>();
    assert_eq!((letters.len(), to("free@").len(), to("carla@").len(), to("x@").len()), (3, 1, 0, 0), "{letters:?}");
    assert!(to("berta@").iter().all(|letter| !letter.text.contains("token=")), "the owner is told, and gets no link");
    let berta = house.named("berta").await;
    assert_eq!(berta.address(), Some("berta@example.org"), "hers as before");
    assert_eq!(house.named("two").await.address(), None);
}

#[tokio::test]
async fn of_two_accounts_that_want_an_address_the_first_that_confirms_has_it() {
    let house = House::with(AT_ONCE).await;
    let (mut anna, mut squatter) = (house.browser(), house.browser());
    registers(&mut squatter, "squatter", "anna@example.org").await;
    registers(&mut anna, "anna", "anna@example.org").await;
    let letters = house.letters().await;
    assert_eq!(letters.len(), 2);
    anna.signs_in("anna", PASSWORD).await;
    squatter.signs_in("squatter", PASSWORD).await;
    for letter in &letters {
        if anna.get(&letter.link()).await.status == StatusCode::OK {
            anna.submit(&letter.link(), "/account/email/confirm", &[]).await;
        }
    }
    for letter in &letters {
        let page = squatter.get(&letter.link()).await;
        if page.status == StatusCode::OK {
            let answer = squatter.submit(&letter.link(), "/account/email/confirm", &[]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
        }
    }
    assert_eq!(house.named("anna").await.address(), Some("anna@example.org"));
    assert_eq!(house.named("squatter").await.address(), None);
}

#[tokio::test]
async fn at_once_fields_are_checked_and_tries_are_counted() {
    let limits = "[throttle]\nrecovery_per_account = 2\nrecovery_per_address = 4\n";
    let house = House::with(&format!("{AT_ONCE}{limits}")).await;
    house.account("berta").await;
    let mut browser = house.browser();
    for (username, email) in [("berta", "a@example.org"), ("", "a@example.org"), ("anna", "nonsense"), ("anna", "")] {
        assert_eq!(registers(&mut browser, username, email).await.status, REFUSED, "{username} {email}");
    }
    let weak =
        [("username", "anna"), ("name", "A"), ("email", "a@example.org"), ("new_password", "x"), ("repeat", "x")];
    assert_eq!(browser.submit(ASK, ASK, &weak).await.status, REFUSED);
    assert_eq!(browser.post(ASK, &weak).await.status, StatusCode::FORBIDDEN, "without the form's token");
    assert!(house.acts().await.iter().all(|act| act != "account.registered"));
    for username in ["one", "two", "three", "four"] {
        assert_eq!(registers(&mut browser, username, "a@example.org").await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(house.letters().await.len(), 2, "no mailbox is flooded");
    assert_eq!(registers(&mut browser, "five", "a@example.org").await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(house.count_acts("account.registered").await, 4);
}
