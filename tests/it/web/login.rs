//! `/login`: signing in with a password; what a wrong one, an unknown name, a locked account and a blocked one look like.

use crate::support::{Answer, Browser, House, PASSWORD};
use http::StatusCode;
use std::time::Duration;
use vestibule::service::caller::Operator;

/// The page without what differs from request to request by design.
fn comparable(answer: &Answer) -> (StatusCode, String) {
    let csrf = answer.hidden("csrf").expect("a form");
    let mut body = answer.body.replace(&csrf, "CSRF");
    // The question for a passkey is a new one each time.
    if let (Some(ceremony), Some((_, rest))) = (answer.hidden("ceremony"), answer.body.split_once("data-options=\"")) {
        let options = rest.split('"').next().expect("an end");
        body = body.replace(&ceremony, "CEREMONY").replace(options, "OPTIONS");
    }
    (answer.status, body)
}

#[tokio::test]
async fn a_password_opens_a_session_by_username_and_by_address() {
    let house = House::open().await;
    house.account("anna").await;
    for name in ["anna", "ANNA", " anna ", "anna@example.org", "Anna@Example.org"] {
        let mut browser = house.browser();
        let answer = browser.signs_in(name, PASSWORD).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/account"), "{name}");
        assert!(browser.is_signed_in().await, "{name}");
    }
    assert_eq!(house.count_acts("sign_in.succeeded").await, 5);
}

#[tokio::test]
async fn the_session_cookie_is_what_the_contract_says() {
    let house = House::open().await;
    house.account("anna").await;
    let answer = house.browser().signs_in("anna", PASSWORD).await;
    let cookie = answer.sets("_vestibule_session").expect("a session cookie");
    let (_, attributes) = cookie.split_once("; ").expect("attributes");
    assert_eq!(attributes, "HttpOnly; SameSite=Lax; Secure; Path=/");
    assert!(answer.sets("autologin").is_none());
}

#[tokio::test]
async fn https_gives_host_cookies() {
    let house = House::with("public_url = \"https://login.example.org\"").await;
    house.account("anna").await;
    let answer = house.browser().signs_in("anna", PASSWORD).await;
    let cookie = answer.sets("__Host-_vestibule_session").expect("a session cookie");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/"));
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn every_sign_in_gets_a_new_handle() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    let first = browser.cookies["_vestibule_session"].clone();
    browser.cookies.remove("_vestibule_session");
    browser.signs_in("anna", PASSWORD).await;
    assert_ne!(first, browser.cookies["_vestibule_session"]);
}

#[tokio::test]
async fn answers_do_not_tell_whether_an_account_exists() {
    let house = House::with("[throttle]\naccount_failures = 3").await;
    house.account("anna").await;
    let berta = house.account("berta").await;
    house.accounts().lock(&house.operator(), Operator::vouched(), berta.id).await.expect("locked");
    house.account_with("clara", None, false).await;
    let mut answers = Vec::new();
    for (name, password) in
        [("nobody", PASSWORD), ("anna", "wrong"), ("berta", PASSWORD), ("berta", "wrong"), ("clara", "wrong")]
    {
        let before = house.app.core.hasher.count();
        let answer = house.browser().signs_in(name, password).await;
        assert_eq!(house.app.core.hasher.count() - before, 1, "{name}: one hash, whoever it is");
        assert!(answer.sets("_vestibule_session").is_none());
        let (status, body) = comparable(&answer);
        answers.push((status, body.replace(&format!("value=\"{name}\""), "value=\"NAME\"")));
    }
    // Two more wrong ones block anna; then even the right password gets the same answer.
    for _ in 0..2 {
        house.browser().signs_in("anna", "wrong").await;
    }
    let before = house.app.core.hasher.count();
    let blocked = house.browser().signs_in("anna", PASSWORD).await;
    assert_eq!(house.app.core.hasher.count() - before, 1);
    let (status, body) = comparable(&blocked);
    answers.push((status, body.replace("value=\"anna\"", "value=\"NAME\"")));
    assert_eq!(answers[0].0, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "all answers are alike");
    assert_eq!(house.count_acts("sign_in.succeeded").await, 0);
}

#[tokio::test]
async fn a_block_ends_with_its_window_and_a_session_forgets_the_failures() {
    let house = House::with("[throttle]\naccount_failures = 3\naccount_window = \"15m\"").await;
    house.account("anna").await;
    let mut browser = house.browser();
    for _ in 0..2 {
        browser.signs_in("anna", "wrong").await;
    }
    assert_eq!(browser.signs_in("anna", PASSWORD).await.status, StatusCode::SEE_OTHER);
    let mut other = house.browser();
    for _ in 0..3 {
        other.signs_in("anna", "wrong").await;
    }
    assert_eq!(other.signs_in("anna", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(browser.is_signed_in().await, "a block does not end sessions");
    house.after(Duration::from_mins(15));
    assert_eq!(other.signs_in("anna", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_administrator_can_unblock() {
    let house = House::with("[throttle]\naccount_failures = 1").await;
    let anna = house.account("anna").await;
    house.browser().signs_in("anna", "wrong").await;
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    house.accounts().unlock(&house.operator(), Operator::vouched(), anna.id).await.expect("unlocked");
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_address_that_guesses_has_to_wait_whatever_names_it_tries() {
    let house = House::with("[throttle]\naddress_failures = 4").await;
    house.account("anna").await;
    let mut guesser = house.browser_at("203.0.113.9:1");
    for name in ["a", "b", "c", "d"] {
        assert_eq!(guesser.signs_in(name, "wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let before = house.app.core.hasher.count();
    let answer = guesser.signs_in("anna", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(house.app.core.hasher.count(), before, "no work for whoever has to wait");
    assert_eq!(house.browser_at("203.0.113.10:1").signs_in("anna", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_network_that_guesses_has_to_wait_whatever_address_it_uses() {
    let house = House::with("[throttle]\nnetwork_failures = 3").await;
    house.account("anna").await;
    for last in 1..=3 {
        house.browser_at(&format!("203.0.113.{last}:1")).signs_in("anna", "wrong").await;
    }
    let answer = house.browser_at("203.0.113.77:1").signs_in("anna", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(house.browser_at("203.0.114.1:1").signs_in("anna", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn forged_forwarding_headers_do_not_hide_an_address() {
    let house = House::with("[throttle]\naddress_failures = 2").await;
    house.account("anna").await;
    for last in 1..=2 {
        let mut guesser = house.browser().sending("x-forwarded-for", &format!("192.0.2.{last}"));
        guesser.signs_in("anna", "wrong").await;
    }
    let mut guesser = house.browser().sending("x-forwarded-for", "192.0.2.3");
    assert_eq!(guesser.signs_in("anna", PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn parallel_guesses_are_worth_as_many_as_the_limit() {
    let house = House::with("[throttle]\naccount_failures = 5\naddress_failures = 0\nnetwork_failures = 0\n").await;
    house.account("anna").await;
    let mut browser = house.browser();
    let page = browser.get("/login").await;
    let csrf = page.hidden("csrf").expect("a form");
    let guesses = (0..48).map(|number| {
        let (mut browser, csrf) = (browser.clone(), csrf.clone());
        let password = if number == 40 { PASSWORD.to_owned() } else { format!("guess {number}") };
        tokio::spawn(async move {
            browser.post("/login", &[("csrf", &csrf), ("username", "anna"), ("password", &password)]).await.status
        })
    });
    let guesses: Vec<_> = guesses.collect();
    let mut opened = 0;
    for guess in guesses {
        opened += usize::from(guess.await.expect("an answer") == StatusCode::SEE_OTHER);
    }
    assert!(opened <= 1);
    let refused = house.browser().signs_in("anna", PASSWORD).await.status;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "the account is blocked now");
}

#[tokio::test]
async fn a_storm_is_turned_away_with_a_time_to_come_back_and_costs_nobody_a_failure() {
    let house = House::with("[password.hashing]\nqueue = 1\nmemory_kib = 7168\niterations = 5\nworkers = 1\n").await;
    house.account("anna").await;
    let mut browser = house.browser();
    let csrf = browser.get("/login").await.hidden("csrf").expect("a form");
    let visitors: Vec<_> = (0..24)
        .map(|_| {
            let (mut browser, csrf) = (browser.clone(), csrf.clone());
            tokio::spawn(async move {
                browser.post("/login", &[("csrf", &csrf), ("username", "anna"), ("password", PASSWORD)]).await
            })
        })
        .collect();
    let (mut opened, mut turned_away) = (0, 0);
    for visitor in visitors {
        let answer = visitor.await.expect("an answer");
        match answer.status {
            StatusCode::SEE_OTHER => opened += 1,
            StatusCode::SERVICE_UNAVAILABLE => {
                assert!(!answer.header("retry-after").is_empty());
                assert!(answer.body.contains("value=\"anna\""), "what was typed is not lost");
                turned_away += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(opened >= 1 && turned_away >= 1, "{opened} opened, {turned_away} turned away");
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.location(), "/account", "nobody was charged for it");
}

#[tokio::test]
async fn the_person_lands_where_they_wanted_to_go() {
    let house = House::with("[[application]]\nslug = \"tasks\"\nhosts = [\"tasks.example.org\"]").await;
    house.account("anna").await;
    for target in ["/account/sessions", "https://tasks.example.org/x?y=1"] {
        let mut browser = house.browser();
        let page =
            format!("/login?return_to={}", url::form_urlencoded::byte_serialize(target.as_bytes()).collect::<String>());
        let answer = browser.submit(&page, "/login", &[("username", "anna"), ("password", PASSWORD)]).await;
        assert_eq!(answer.location(), target);
        assert_eq!(browser.get(&page).await.location(), target, "whoever is signed in goes straight on");
    }
}

#[tokio::test]
async fn a_new_sign_in_takes_the_place_of_this_browsers_session() {
    let house = House::open().await;
    house.account("anna").await;
    house.account("berta").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    let first = browser.clone();
    let csrf = browser.get("/logout").await.hidden("csrf").expect("a form");
    let answer = browser.post("/login", &[("csrf", &csrf), ("username", "berta"), ("password", PASSWORD)]).await;
    assert_eq!(answer.location(), "/account");
    assert!(!first.clone().is_signed_in().await, "the handle before is dead");
    assert_eq!(browser.get("/verify").await.header("remote-user"), "berta");
}

#[tokio::test]
async fn a_form_may_lead_on_to_the_one_application_that_it_is_for() {
    let house = House::with(
        "[[application]]\nslug = \"tasks\"\nhosts = [\"tasks.example.org\"]\n[[application]]\nslug = \"wiki\"\nhosts = [\"wiki.example.org\"]",
    )
    .await;
    let policy = |answer: Answer| answer.header("content-security-policy").to_owned();
    let plain = policy(house.browser().get("/login").await);
    assert!(plain.ends_with("form-action 'self'"), "strangers are not told which applications there are: {plain}");
    let aimed = policy(house.browser().get("/login?return_to=https://tasks.example.org:8443/x").await);
    assert!(aimed.ends_with("form-action 'self' https://tasks.example.org:8443"), "{aimed}");
}

#[tokio::test]
async fn a_page_that_needs_a_session_asks_to_sign_in_and_comes_back() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    let answer = browser.get("/account/sessions").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/login?return_to=%2Faccount%2Fsessions");
    let page = answer.location().to_owned();
    let answer = browser.submit(&page, "/login", &[("username", "anna"), ("password", PASSWORD)]).await;
    assert_eq!(answer.location(), "/account/sessions");
}

#[tokio::test]
async fn password_login_can_be_kept_for_break_glass_accounts() {
    let house = House::with("[password]\nlogin = \"none\"\ninternal = [\"Root\"]\n").await;
    house.account("root").await;
    house.account("anna").await;
    assert!(house.browser().get("/login").await.hidden("csrf").is_none(), "no password form");
    let inside = |name: &'static str| {
        let mut browser: Browser = house.browser();
        async move {
            browser.submit("/login/internal", "/login/internal", &[("username", name), ("password", PASSWORD)]).await
        }
    };
    assert_eq!(inside("anna").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(inside("root").await.status, StatusCode::SEE_OTHER);
    let mut browser = house.browser();
    let csrf = browser.get("/login/internal").await.hidden("csrf").expect("a form");
    let front = browser.post("/login", &[("csrf", &csrf), ("username", "root"), ("password", PASSWORD)]).await;
    assert_eq!(front.status, StatusCode::UNPROCESSABLE_ENTITY, "not through the front door");
}

#[tokio::test]
async fn an_imported_bcrypt_hash_signs_in_once_and_is_argon2id_from_then_on() {
    let house = House::open().await;
    let anna = house.account("anna").await;
    let imported = bcrypt::hash(PASSWORD, 4).expect("a hash");
    let stored = || async {
        let mut link = house.app.core.database.read().await.expect("a database");
        vestibule::store::password::of(&mut link, anna.id).await.expect("a row").expect("a password").hash
    };
    let mut tx = house.app.core.database.begin().await.expect("a transaction");
    let old = vestibule::store::password::of(&mut tx, anna.id).await.expect("a row").expect("a password").hash;
    vestibule::store::password::rehash(&mut tx, anna.id, &old, &imported).await.expect("imported");
    tx.commit().await.expect("committed");
    assert_eq!(house.browser().signs_in("anna", "wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(stored().await.starts_with("$2"));
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert!(stored().await.starts_with("$argon2id$"));
    assert_eq!(house.browser().signs_in("anna", PASSWORD).await.status, StatusCode::SEE_OTHER);
}
