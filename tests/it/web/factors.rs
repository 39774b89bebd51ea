//! The second factor in a sign-in, and in the account.

use crate::support::dump::Dump;
use crate::support::factors::{Phone, backup_codes, binds, binds_an_app};
use crate::support::{Answer, Browser, House, OTHER_PASSWORD, PASSWORD};
use futures_util::future::join_all;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use vestibule::domain::account::LoginName;
use vestibule::domain::password::PlainPassword;
use vestibule::domain::sign_in::Step;
use vestibule::service::caller::Operator;
use vestibule::service::context::Context;
use vestibule::service::factor::check::Given;
use vestibule::service::sign_in::password::Claim;
use vestibule::service::sign_in::{Outcome, SignIn, SignInError, Wishes};

const STEP: &str = "/login/step/factor";
const ENROL: &str = "/login/step/enrol";
const NEXT_CODE: Duration = Duration::from_secs(30);

async fn anna() -> (House, Browser) {
    let house = Box::pin(House::open()).await;
    house.account("anna").await;
    let browser = house.browser();
    (house, browser)
}

async fn shows(browser: &mut Browser, way: &str, code: &str) -> Answer {
    browser.submit(STEP, STEP, &[("way", way), ("code", code)]).await
}

/// What the main app reads about the session.
async fn session(browser: &mut Browser) -> serde_json::Value {
    let answer = browser.get("/api/v1/session").await;
    serde_json::from_str::<serde_json::Value>(&answer.body).expect("JSON")["session"].clone()
}

#[tokio::test]
async fn a_bound_app_is_asked_for_at_the_next_sign_in() {
    let (house, mut browser) = anna().await;
    let (phone, codes) = binds_an_app(&house, &mut browser).await;
    assert_eq!(codes.len(), 10);
    assert!(browser.is_signed_in().await, "the browser that binds stays signed in");
    let mut other = house.browser();
    let answer = other.signs_in("anna", PASSWORD).await;
    assert_eq!(answer.location(), STEP);
    assert!(answer.sets("_vestibule_session").is_none(), "no session before the second factor");
    let page = other.get(STEP).await;
    assert!(page.body.contains("autocomplete=\"one-time-code\"") && page.body.contains("inputmode=\"numeric\""));
    let answer = shows(&mut other, "totp", &phone.code(&house)).await;
    assert_eq!(answer.location(), "/account");
    assert_eq!(session(&mut other).await["amr"], serde_json::json!(["pwd", "mfa", "otp"]));
    assert_eq!(session(&mut other).await["acr"], "2");
    assert_eq!(house.count_acts("factor.added").await, 1);
    let letters = house.letters().await;
    assert!(letters.iter().any(|letter| letter.text.contains("My phone")), "{letters:?}");
}

#[tokio::test]
async fn a_code_is_taken_once() {
    let (house, mut browser) = anna().await;
    let (phone, _) = binds_an_app(&house, &mut browser).await;
    let code = phone.code(&house);
    let (mut first, mut second) = (house.browser(), house.browser());
    first.signs_in("anna", PASSWORD).await;
    second.signs_in("anna", PASSWORD).await;
    assert_eq!(shows(&mut first, "totp", &code).await.location(), "/account");
    let answer = shows(&mut second, "totp", &code).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "not in another attempt either");
    assert!(!second.is_signed_in().await);
    house.after(NEXT_CODE);
    assert_eq!(shows(&mut second, "totp", &phone.code(&house)).await.location(), "/account");
}

#[tokio::test]
async fn the_code_that_bound_the_app_signs_nobody_in() {
    let (house, mut browser) = anna().await;
    browser.signs_in("anna", PASSWORD).await;
    let page = browser.get("/account/security/totp").await;
    let (phone, csrf) = (Phone::of(&page), page.hidden("csrf").expect("a form"));
    let code = phone.code(&house);
    browser.post("/account/security/totp", &[("csrf", &csrf), ("name", "App"), ("code", &code)]).await;
    let mut other = house.browser();
    other.signs_in("anna", PASSWORD).await;
    for _ in 0..2 {
        assert_eq!(shows(&mut other, "totp", &code).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

#[tokio::test]
async fn two_submissions_of_one_code_open_one_session() {
    let (house, mut browser) = anna().await;
    let (phone, _) = binds_an_app(&house, &mut browser).await;
    let mut first = house.browser();
    first.signs_in("anna", PASSWORD).await;
    let csrf = first.get(STEP).await.hidden("csrf").expect("a form");
    let code = phone.code(&house);
    let fields = [("csrf", csrf.as_str()), ("way", "totp"), ("code", code.as_str())];
    let mut twins: Vec<_> = std::iter::repeat_n(first, 10).collect();
    let answers = join_all(twins.iter_mut().map(|browser| browser.post(STEP, &fields))).await;
    let opened = answers.iter().filter(|answer| answer.sets("_vestibule_session").is_some()).count();
    assert_eq!(opened, 1);
    // The others are sent on; none is told that the code is wrong, and none is counted.
    assert!(answers.iter().all(|answer| answer.status == StatusCode::SEE_OTHER), "{answers:?}");
    assert_eq!(house.count_acts("sign_in.failed").await, 0);
    assert_eq!(house.count_acts("sign_in.succeeded").await, 2, "the first of all, and this one");
}

#[tokio::test]
async fn another_browser_cannot_finish_and_steps_cannot_be_skipped() {
    let (house, mut browser) = anna().await;
    let (phone, _) = binds_an_app(&house, &mut browser).await;
    let mut own = house.browser();
    own.signs_in("anna", PASSWORD).await;
    let mut stranger = house.browser();
    assert_eq!(stranger.get(STEP).await.location(), "/login");
    let csrf = stranger.get("/login").await.hidden("csrf").expect("a form");
    let code = phone.code(&house);
    let answer = stranger.post(STEP, &[("csrf", &csrf), ("way", "totp"), ("code", &code)]).await;
    assert_eq!(answer.location(), "/login");
    for other in ["/login/step/password", ENROL] {
        assert_eq!(own.get(other).await.location(), STEP, "{other}");
    }
    let csrf = own.get(STEP).await.hidden("csrf").expect("a form");
    let new = [("csrf", csrf.as_str()), ("new_password", OTHER_PASSWORD), ("repeat", OTHER_PASSWORD)];
    assert_eq!(own.post("/login/step/password", &new).await.location(), "/login");
    let enrol = [("csrf", csrf.as_str()), ("name", "Mine"), ("code", "123456")];
    assert_eq!(own.post(ENROL, &enrol).await.location(), "/login");
    assert!(!own.is_signed_in().await);
    assert_eq!(house.count_acts("password.changed").await, 0);
    assert_eq!(shows(&mut own, "totp", &code).await.location(), "/account", "the attempt itself goes on");
}

#[tokio::test]
async fn the_factor_is_asked_for_before_the_password_may_be_changed() {
    let (house, mut browser) = anna().await;
    let (phone, _) = binds_an_app(&house, &mut browser).await;
    let anna = house.named("anna").await;
    house.set_password(&anna, "temporary blue kettle", true).await;
    let mut other = house.browser();
    assert_eq!(other.signs_in("anna", "temporary blue kettle").await.location(), STEP);
    assert_eq!(shows(&mut other, "totp", &phone.code(&house)).await.location(), "/login/step/password");
    let new = [("new_password", OTHER_PASSWORD), ("repeat", OTHER_PASSWORD)];
    let answer = other.submit("/login/step/password", "/login/step/password", &new).await;
    assert_eq!(answer.location(), "/account");
    assert_eq!(session(&mut other).await["amr"], serde_json::json!(["pwd", "mfa", "otp"]));
}

#[tokio::test]
async fn wrong_codes_count_with_wrong_passwords_and_block() {
    let house = House::with("[throttle]\naccount_failures = 4\n").await;
    house.account("anna").await;
    let mut browser = house.browser();
    let (phone, codes) = binds_an_app(&house, &mut browser).await;
    let mut thief = house.browser_at("203.0.113.9:1");
    thief.signs_in("anna", "wrong").await;
    thief.signs_in("anna", PASSWORD).await;
    assert_eq!(shows(&mut thief, "totp", "000000").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(shows(&mut thief, "backup", "0000-0000-0000-0000").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    // A right password in between forgives nothing.
    thief.signs_in("anna", PASSWORD).await;
    assert_eq!(shows(&mut thief, "totp", "000001").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    for right in [("totp", phone.code(&house)), ("backup", codes[0].clone())] {
        let answer = shows(&mut thief, right.0, &right.1).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{}", right.0);
    }
    house.after(Duration::from_secs(15 * 60 + 1));
    let mut own = house.browser();
    own.signs_in("anna", PASSWORD).await;
    assert_eq!(shows(&mut own, "totp", &phone.code(&house)).await.location(), "/account");
}

/// Asked of the use case, which is all that stands behind the form: ten thousand pages would be drawn for nothing.
#[tokio::test]
async fn ten_thousand_guesses_at_once_never_get_in() {
    let (house, mut browser) = anna().await;
    let (phone, _) = binds_an_app(&house, &mut browser).await;
    let sign_in = SignIn::new(Arc::clone(&house.app.core));
    let ctx = Context::system(house.app.surroundings.clone());
    let password = PlainPassword::typed(PASSWORD).expect("a password");
    let claim = Claim { login: LoginName::of("anna"), password, internal: false, wishes: Wishes::default() };
    let attempt = match sign_in.with_password(&ctx, claim).await {
        Ok(Outcome::Owes(Step::SecondFactor, attempt)) => attempt,
        other => panic!("{other:?}"),
    };
    let right = phone.code(&house);
    let guesses: Vec<_> = (0..10_000).map(|guess| format!("{guess:06}")).filter(|guess| *guess != right).collect();
    let mut thieves = tokio::task::JoinSet::new();
    for share in guesses.chunks(100) {
        let (sign_in, ctx, attempt, share) = (sign_in.clone(), ctx.clone(), attempt.clone(), share.to_vec());
        thieves.spawn(async move {
            let mut tried = 0;
            for guess in share {
                match sign_in.show_factor(&ctx, &attempt, Given::Totp(&guess), false).await {
                    Err(SignInError::WrongCode) => tried += 1,
                    Err(SignInError::TooManyFailures { .. }) => {}
                    other => panic!("{other:?}"),
                }
            }
            tried
        });
    }
    assert_eq!(thieves.join_all().await.into_iter().sum::<u32>(), 10, "as many as one account bears");
    let late = sign_in.show_factor(&ctx, &attempt, Given::Totp(&right), false).await;
    assert!(matches!(late, Err(SignInError::TooManyFailures { .. })), "the right one comes too late: {late:?}");
    assert_eq!(house.count_acts("factor.proved").await, 0);
}

#[tokio::test]
async fn a_backup_code_works_once_and_its_owner_is_told() {
    let (house, mut browser) = anna().await;
    let (_, codes) = binds_an_app(&house, &mut browser).await;
    let mut other = house.browser();
    other.signs_in("anna", PASSWORD).await;
    assert!(other.get(STEP).await.body.contains("?way=backup"), "another way is offered");
    assert!(other.get("/login/step/factor?way=backup").await.body.contains("value=\"backup\""));
    let sloppy = codes[3].to_lowercase().replace('-', " ");
    assert_eq!(shows(&mut other, "backup", &sloppy).await.location(), "/account");
    assert_eq!(session(&mut other).await["amr"], serde_json::json!(["pwd", "mfa", "backup"]));
    let letters = house.letters().await;
    assert!(letters.iter().any(|letter| letter.text.contains("9 are left")), "{letters:?}");
    assert!(other.get("/account/security").await.body.contains("9 backup codes"));
    let mut third = house.browser();
    third.signs_in("anna", PASSWORD).await;
    assert_eq!(shows(&mut third, "backup", &codes[3]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(shows(&mut third, "backup", &codes[4]).await.location(), "/account");
}

#[tokio::test]
async fn one_backup_code_used_twice_at_once_opens_one_session() {
    let (house, mut browser) = anna().await;
    let (_, codes) = binds_an_app(&house, &mut browser).await;
    let (mut first, mut second) = (house.browser(), house.browser());
    first.signs_in("anna", PASSWORD).await;
    second.signs_in("anna", PASSWORD).await;
    let (one, two) = tokio::join!(shows(&mut first, "backup", &codes[0]), shows(&mut second, "backup", &codes[0]));
    assert_eq!([one, two].iter().filter(|answer| answer.location() == "/account").count(), 1);
    assert_eq!(house.count_acts("backup_codes.used").await, 1);
}

#[tokio::test]
async fn new_backup_codes_void_the_old_ones() {
    let (house, mut browser) = anna().await;
    let (_, old) = binds_an_app(&house, &mut browser).await;
    let answer = browser.submit("/account/security", "/account/security/backup-codes", &[]).await;
    let new = backup_codes(&answer);
    assert_eq!(new.len(), 10);
    assert!(new.iter().all(|code| !old.contains(code)));
    assert!(!browser.get("/account/security").await.body.contains(&new[0]), "shown once");
    let mut other = house.browser();
    other.signs_in("anna", PASSWORD).await;
    assert_eq!(shows(&mut other, "backup", &old[0]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(shows(&mut other, "backup", &new[0]).await.location(), "/account");
}

#[tokio::test]
async fn a_required_factor_is_set_up_in_the_middle_of_the_sign_in() {
    let house = House::with("[second_factor]\nrequired = \"all\"\n").await;
    house.account("anna").await;
    let mut browser = house.browser();
    let answer =
        browser.submit("/login?return_to=/account/profile", "/login", &[("username", "anna"), ("password", PASSWORD)]);
    let answer = answer.await;
    assert_eq!(answer.location(), ENROL);
    assert!(!browser.is_signed_in().await, "nothing else can be reached");
    let page = browser.get(ENROL).await;
    let (phone, csrf) = (Phone::of(&page), page.hidden("csrf").expect("a form"));
    let again = browser.get(ENROL).await;
    assert_eq!(Phone::of(&again).code(&house), phone.code(&house), "the picture stays the same while the page is open");
    let wrong = browser.post(ENROL, &[("csrf", &csrf), ("name", "Phone"), ("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("UTC"), "our time is shown when a code does not fit");
    let code = phone.code(&house);
    let done = browser.post(ENROL, &[("csrf", &csrf), ("name", "Phone"), ("code", &code)]).await;
    assert_eq!(backup_codes(&done).len(), 10);
    assert!(done.body.contains("href=\"/account/profile\""), "and on to where they wanted to go");
    assert!(browser.is_signed_in().await);
    assert_eq!(session(&mut browser).await["amr"], serde_json::json!(["pwd", "mfa", "otp"]));
    let mut other = house.browser();
    assert_eq!(other.signs_in("anna", PASSWORD).await.location(), STEP);
}

#[tokio::test]
async fn an_attempt_binds_once() {
    let house = House::with("[second_factor]\nrequired = \"all\"\n").await;
    house.account("anna").await;
    let mut first = house.browser();
    first.signs_in("anna", PASSWORD).await;
    let page = first.get(ENROL).await;
    let (code, csrf) = (Phone::of(&page).code(&house), page.hidden("csrf").expect("a form"));
    let mut second = first.clone();
    let fields = [("csrf", csrf.as_str()), ("name", "Phone"), ("code", code.as_str())];
    let (one, two) = tokio::join!(first.post(ENROL, &fields), second.post(ENROL, &fields));
    let opened = [&one, &two].iter().filter(|answer| answer.sets("_vestibule_session").is_some()).count();
    assert_eq!(opened, 1);
    assert_eq!(house.count_acts("factor.added").await, 1);
}

#[tokio::test]
async fn it_is_required_of_those_whom_the_policy_names() {
    let house = House::with("[second_factor]\nrequired = \"admins\"\nrequired_groups = [\"finance\"]\n").await;
    house.account_with("root", Some(PASSWORD), true).await;
    let berta = house.account("berta").await;
    house.account("anna").await;
    let ctx = house.operator();
    house.groups().create(&ctx, Operator::vouched(), "finance").await.expect("a group");
    house.groups().add(&ctx, Operator::vouched(), "finance", &berta).await.expect("a member");
    assert_eq!(house.browser().signs_in("root", PASSWORD).await.location(), ENROL);
    assert_eq!(house.browser().signs_in("berta", PASSWORD).await.location(), ENROL);
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.location(), "/account");
}

#[tokio::test]
async fn the_last_one_stays_while_one_is_required() {
    let house = House::with("[second_factor]\nrequired = \"all\"\n").await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    let page = browser.get(ENROL).await;
    let (phone, csrf) = (Phone::of(&page), page.hidden("csrf").expect("a form"));
    let code = phone.code(&house);
    browser.post(ENROL, &[("csrf", &csrf), ("name", "First"), ("code", &code)]).await;
    let room = browser.get("/account/security").await;
    let id = room.hidden("factor").expect("a row");
    assert!(!room.body.contains("action=\"/account/security/remove\""), "the page does not offer what cannot be");
    let answer = browser.submit("/account/security", "/account/security/remove", &[("factor", &id)]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    house.after(NEXT_CODE);
    binds(&house, &mut browser).await;
    let answer = browser.submit("/account/security", "/account/security/remove", &[("factor", &id)]).await;
    assert_eq!(answer.location(), "/account/security");
    assert_eq!(house.count_acts("factor.removed").await, 1);
}

#[tokio::test]
async fn factors_are_renamed_preferred_and_removed_by_their_owner_only() {
    let (house, mut browser) = anna().await;
    binds_an_app(&house, &mut browser).await;
    let id = browser.get("/account/security").await.hidden("factor").expect("a row");
    browser.submit("/account/security", "/account/security/rename", &[("factor", &id), ("name", "Work <phone>")]).await;
    assert!(browser.get("/account/security").await.body.contains("Work &#60;phone&#62;"));
    house.account("berta").await;
    let mut berta = house.browser();
    berta.signs_in("berta", PASSWORD).await;
    for (path, name) in [("rename", "Mine"), ("prefer", ""), ("remove", "")] {
        let path = format!("/account/security/{path}");
        let answer = berta.submit("/account/security/totp", &path, &[("factor", &id), ("name", name)]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let answer = browser.submit("/account/security", "/account/security/remove", &[("factor", &id)]).await;
    assert_eq!(answer.location(), "/account/security");
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.location(), "/account", "nothing is asked any more");
    assert!(house.letters().await.iter().any(|letter| letter.subject.contains("removed")));
}

#[tokio::test]
async fn no_secret_and_no_code_stands_in_the_stores() {
    let (house, mut browser) = anna().await;
    browser.signs_in("anna", PASSWORD).await;
    let page = browser.get("/account/security/totp").await;
    let key = crate::support::factors::between(&page.body, "<p class=\"key\"><code>", "</code>").replace(' ', "");
    let raw = totp_rs::Secret::try_from_base32(&key).expect("base 32").as_bytes().to_vec();
    let (phone, csrf) = (Phone::of(&page), page.hidden("csrf").expect("a form"));
    let code = phone.code(&house);
    let done = browser.post("/account/security/totp", &[("csrf", &csrf), ("name", "App"), ("code", &code)]).await;
    let codes = backup_codes(&done);
    let dump = Dump::of(&house).await;
    assert!(!dump.places_of(b"anna@example.org").is_empty(), "it is the whole of it");
    assert_eq!((dump.places_of(&raw), dump.places_of(key.as_bytes())), (vec![], vec![]), "the key of the app");
    for code in &codes {
        let plain = code.replace('-', "");
        assert_eq!((dump.places_of(code.as_bytes()), dump.places_of(plain.as_bytes())), (vec![], vec![]));
    }
}

#[tokio::test]
async fn rotated_keys_retire_without_losing_a_factor() {
    let (house, mut browser) = anna().await;
    let (phone, _) = binds_an_app(&house, &mut browser).await;
    let day = Duration::from_hours(24);
    house.app.keys.rotate(&house.operator(), Operator::vouched(), day).await.expect("rotated");
    // By then every node knows the new key, and it is used.
    house.after(Duration::from_mins(1));
    house.housekeeping.reload_keys(&house.operator()).await;
    house.sweep().await;
    house.after(day + day);
    house.housekeeping.reload_keys(&house.operator()).await;
    let mut other = house.browser();
    other.signs_in("anna", PASSWORD).await;
    assert_eq!(shows(&mut other, "totp", &phone.code(&house)).await.location(), "/account");
}

#[tokio::test]
async fn a_reset_takes_everything_away_and_tells_the_person() {
    let (house, mut browser) = anna().await;
    binds_an_app(&house, &mut browser).await;
    let factors = vestibule::service::factor::Factors::new(std::sync::Arc::clone(&house.app.core));
    let anna = house.named("anna").await;
    let count = factors.reset(&house.operator(), Operator::vouched(), &anna).await.expect("reset");
    assert_eq!(count, 1);
    assert!(!browser.is_signed_in().await);
    assert_eq!(house.count_acts("factor.reset").await, 1);
    assert!(house.letters().await.iter().any(|letter| letter.text.contains("administrator removed all")));
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.location(), "/account");
}

#[tokio::test]
async fn an_answer_that_no_key_gave_signs_nobody_in() {
    let house = House::with("[throttle]\naddress_failures = 3\n").await;
    house.account("anna").await;
    let mut browser = house.browser();
    for credential in ["", "{}", "{\"id\":\"AA\",\"rawId\":\"AA\",\"type\":\"public-key\",\"response\":{}}"] {
        let ceremony = browser.get("/login").await.hidden("ceremony").expect("a question");
        let fields = [("ceremony", ceremony.as_str()), ("credential", credential)];
        let answer = browser.submit("/login", "/login/passkey", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{credential}");
    }
    let answer = browser.submit("/login", "/login/passkey", &[("ceremony", "x"), ("credential", "{}")]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "each counts against the address");
    assert!(!browser.is_signed_in().await);
    let endpoints = browser.get("/.well-known/passkey-endpoints").await.body;
    assert!(endpoints.contains("http://localhost:8080/account/security/passkey"), "{endpoints}");
}
