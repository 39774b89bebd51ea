//! `/account/…`: profile, address, password, sessions.

use crate::support::{Browser, House, OTHER_PASSWORD, PASSWORD};
use http::StatusCode;

async fn signed_in(house: &House, name: &str) -> Browser {
    let mut browser = house.browser();
    assert_eq!(browser.signs_in(name, PASSWORD).await.location(), "/account");
    browser
}

#[tokio::test]
async fn the_profile_is_changed_and_main_apps_see_it_at_once() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = signed_in(&house, "anna").await;
    assert_eq!(browser.get("/verify").await.header("remote-name"), "anna Example");
    let fields = [("name", "Anna Bergmann"), ("language", "de"), ("time_zone", "Europe/Berlin")];
    let answer = browser.submit("/account/profile", "/account/profile", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/verify").await.header("remote-name"), "Anna Bergmann");
    let page = browser.get("/account").await;
    assert!(page.body.contains("<html lang=\"de\""), "pages speak German from now on");
    assert_eq!(house.count_acts("account.profile_changed").await, 1);
}

#[tokio::test]
async fn a_bad_profile_changes_nothing() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = signed_in(&house, "anna").await;
    for fields in [
        [("name", "<b>x</b>"), ("time_zone", "")],
        [("name", "Anna"), ("time_zone", "Mars/Olympus")],
        [("name", ""), ("time_zone", "")],
    ] {
        let answer = browser.submit("/account/profile", "/account/profile", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!answer.body.contains("<b>x"));
    }
    assert_eq!(house.named("anna").await.name, "anna Example");
    assert_eq!(house.count_acts("account.profile_changed").await, 0);
}

#[tokio::test]
async fn an_address_counts_once_it_is_confirmed() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = signed_in(&house, "anna").await;
    let mut elsewhere = signed_in(&house, "anna").await;
    let fields = [("email", "new@example.org"), ("password", PASSWORD)];
    assert_eq!(browser.submit("/account/email", "/account/email", &fields).await.status, StatusCode::OK);
    assert_eq!(house.named("anna").await.email, "anna@example.org");
    let letters = house.letters().await;
    assert!(letters[0].to.contains("new@example.org"));
    let link = letters[0].link();
    house.account("berta").await;
    let mut finder = signed_in(&house, "berta").await;
    assert_eq!(finder.get(&link).await.status, StatusCode::NOT_FOUND, "a letter gone astray confirms nothing");
    assert_eq!(
        finder
            .submit("/account", "/account/email/confirm", &[("token", link.split('=').nth(1).expect("a token"))])
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    assert!(house.browser().get(&link).await.location().starts_with("/login?return_to="));
    assert_eq!(browser.get(&link).await.status, StatusCode::OK, "following the link changes nothing yet");
    assert_eq!(house.named("anna").await.email, "anna@example.org");
    let before = browser.cookies["_vestibule_session"].clone();
    let answer = browser.submit(&link, "/account/email/confirm", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(house.named("anna").await.email, "new@example.org");
    assert_ne!(browser.cookies["_vestibule_session"], before);
    assert!(browser.is_signed_in().await);
    assert!(!elsewhere.is_signed_in().await, "other sessions end");
    let letters = house.letters().await;
    let told = letters.iter().find(|letter| letter.to.contains("anna@example.org")).expect("the old address is told");
    assert!(!told.text.contains("new@example.org"), "but not to what");
    assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_address_needs_the_password_and_does_not_tell_who_has_it() {
    let house = House::open().await;
    house.account("anna").await;
    house.account("berta").await;
    let mut browser = signed_in(&house, "anna").await;
    let ask = [("email", "x@example.org"), ("password", "wrong")];
    assert_eq!(browser.submit("/account/email", "/account/email", &ask).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let same = [("email", "ANNA@example.org"), ("password", PASSWORD)];
    assert_eq!(
        browser.submit("/account/email", "/account/email", &same).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let taken = [("email", "berta@example.org"), ("password", PASSWORD)];
    assert_eq!(browser.submit("/account/email", "/account/email", &taken).await.status, StatusCode::OK);
    assert!(house.letters().await.is_empty(), "no letter to somebody else's address");
    assert_eq!(house.named("anna").await.email, "anna@example.org");
}

#[tokio::test]
async fn the_present_password_is_asked_for_and_counted() {
    let house = House::with("[throttle]\naccount_failures = 3\n").await;
    house.account("anna").await;
    let mut browser = signed_in(&house, "anna").await;
    let change =
        |present: &'static str| [("password", present), ("new_password", OTHER_PASSWORD), ("repeat", OTHER_PASSWORD)];
    for _ in 0..3 {
        let answer = browser.submit("/account/password", "/account/password", &change("wrong")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let answer = browser.submit("/account/password", "/account/password", &change(PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(house.count_acts("password.changed").await, 0);
    assert_eq!(
        house.browser().signs_in("anna", PASSWORD).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "one limiter for all"
    );
}

#[tokio::test]
async fn former_passwords_are_refused_as_far_as_the_history_reaches() {
    let house = House::with("[password]\nhistory = 2\n").await;
    house.account("anna").await;
    let mut browser = signed_in(&house, "anna").await;
    let passwords = [PASSWORD, OTHER_PASSWORD, "nine yellow submarines", "four silent mountains"];
    let mut present = passwords[0];
    for (new, allowed) in [
        (passwords[0], false),
        (passwords[1], true),
        (passwords[0], false),
        (passwords[2], true),
        (passwords[1], false),
        (passwords[0], true),
    ] {
        house.after(std::time::Duration::from_secs(1));
        let fields = [("password", present), ("new_password", new), ("repeat", new)];
        let answer = browser.submit("/account/password", "/account/password", &fields).await;
        let expected = if allowed { StatusCode::SEE_OTHER } else { StatusCode::UNPROCESSABLE_ENTITY };
        assert_eq!(answer.status, expected, "{new}");
        if allowed {
            present = new;
        }
    }
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let house = House::open().await;
    house.account("anna").await;
    house.account("berta").await;
    let mut browser = signed_in(&house, "anna").await;
    let mut phone = house.browser_at("203.0.113.5:1");
    phone.headers[0].1 =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1".into();
    phone.signs_in("anna", PASSWORD).await;
    let mut stranger = signed_in(&house, "berta").await;
    let page = browser.get("/account/sessions").await;
    for shown in ["Firefox on Linux", "Safari on iPhone", "203.0.113.0/24", "198.51.100.0/24"] {
        assert!(page.body.contains(shown), "{shown}");
    }
    let mine: serde_json::Value = serde_json::from_str(&phone.get("/api/v1/session").await.body).expect("JSON");
    let id = mine["session"]["id"].as_str().expect("an id");
    let answer = stranger.submit("/account/sessions", "/account/sessions/end", &[("session", id)]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "nobody ends another's session");
    assert!(phone.is_signed_in().await);
    let answer = browser.submit("/account/sessions", "/account/sessions/end", &[("session", id)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(!phone.is_signed_in().await);
    assert!(browser.is_signed_in().await && stranger.is_signed_in().await);
    for nonsense in ["", "x", "00000000-0000-0000-0000-000000000000"] {
        let answer = browser.submit("/account/sessions", "/account/sessions/end", &[("session", nonsense)]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn sessions_per_account_are_limited() {
    let house = House::with("[sessions]\nmax_per_account = 2\n").await;
    house.account("anna").await;
    let mut browsers = Vec::new();
    for _ in 0..3 {
        house.after(std::time::Duration::from_secs(1));
        browsers.push(signed_in(&house, "anna").await);
    }
    assert!(!browsers[0].is_signed_in().await, "the one used longest ago ends");
    assert!(browsers[1].is_signed_in().await && browsers[2].is_signed_in().await);
}

#[tokio::test]
async fn a_sign_in_can_end_all_older_sessions() {
    let house = House::with("[sessions]\ndrop_old_on_login = true\n").await;
    house.account("anna").await;
    let mut first = signed_in(&house, "anna").await;
    let mut second = signed_in(&house, "anna").await;
    assert!(!first.is_signed_in().await);
    assert!(second.is_signed_in().await);
}

#[tokio::test]
async fn sessions_end_by_idleness_and_by_age() {
    let house = House::with("[sessions]\nidle_timeout = \"10m\"\nabsolute_timeout = \"1h\"\n").await;
    house.account("anna").await;
    let mut idle = signed_in(&house, "anna").await;
    let mut busy = signed_in(&house, "anna").await;
    for _ in 0..7 {
        house.after(std::time::Duration::from_mins(8));
        assert!(busy.is_signed_in().await);
    }
    assert!(!idle.is_signed_in().await);
    house.after(std::time::Duration::from_mins(4));
    assert!(!busy.is_signed_in().await, "an hour is an hour");
}

#[tokio::test]
async fn signing_out_ends_this_session_or_all_as_configured() {
    for (configuration, other_lives) in [("", true), ("[sessions]\ndrop_all_on_logout = true\n", false)] {
        let house = House::with(configuration).await;
        house.account("anna").await;
        let mut browser = signed_in(&house, "anna").await;
        let mut other = signed_in(&house, "anna").await;
        let handle = browser.cookies["_vestibule_session"].clone();
        let answer = browser.submit("/logout", "/logout", &[]).await;
        assert_eq!(answer.location(), "/logout/done");
        browser.cookies.insert("_vestibule_session".into(), handle);
        assert!(!browser.is_signed_in().await, "the handle itself is dead");
        assert_eq!(other.is_signed_in().await, other_lives);
        assert_eq!(browser.get("/logout/done").await.status, StatusCode::OK);
    }
}
