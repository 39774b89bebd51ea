//! "Stay logged in": remembered browsers, rotation, theft, two tabs.

use crate::support::{House, OTHER_PASSWORD, OpenId, PASSWORD};
use http::StatusCode;
use std::time::Duration;

const ON: &str = "[autologin]\ndays = 30\n";

#[tokio::test]
async fn it_is_off_by_default() {
    let house = House::open().await;
    house.account("anna").await;
    assert!(!house.browser().get("/login").await.body.contains("name=\"stay\""));
    let answer = house.browser().signs_in_and_stays("anna", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.sets("autologin").is_none());
}

#[tokio::test]
async fn a_remembered_browser_comes_back_after_it_was_closed() {
    let house = House::with(ON).await;
    house.account("anna").await;
    let mut browser = house.browser();
    let answer = browser.signs_in_and_stays("anna", PASSWORD).await;
    let cookie = answer.sets("autologin").expect("an autologin cookie");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=31536000"), "{cookie}");
    let mut restarted = browser.restarted();
    let before = restarted.cookies["autologin"].clone();
    let answer = restarted.get("/login?return_to=/account/profile").await;
    assert_eq!(answer.location(), "/account/profile");
    assert!(restarted.is_signed_in().await);
    assert_ne!(restarted.cookies["autologin"], before, "the token is rotated at each use");
    let whoami = restarted.get("/api/v1/session").await;
    assert!(whoami.body.contains("\"amr\":[\"remembered\"]"), "{}", whoami.body);
}

#[tokio::test]
async fn without_the_tick_nothing_is_remembered() {
    let house = House::with(ON).await;
    house.account("anna").await;
    let answer = house.browser().signs_in("anna", PASSWORD).await;
    assert!(answer.sets("autologin").is_none());
    assert_eq!(house.count_acts("autologin.remembered").await, 0);
}

#[tokio::test]
async fn a_replayed_token_ends_the_family_and_its_sessions() {
    let house = House::with(ON).await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in_and_stays("anna", PASSWORD).await;
    let mut elsewhere = house.browser_at("203.0.113.5:1");
    elsewhere.signs_in("anna", PASSWORD).await;
    let mut thief = house.browser_at("192.0.2.66:1");
    thief.cookies.insert("autologin".into(), browser.cookies["autologin"].clone());
    let mut restarted = browser.restarted();
    restarted.get("/login").await;
    assert!(restarted.is_signed_in().await);
    house.after(Duration::from_mins(1));
    let answer = thief.get("/login").await;
    assert_eq!(answer.status, StatusCode::OK, "the thief sees the sign-in page");
    assert!(!thief.cookies.contains_key("autologin"));
    assert!(!restarted.is_signed_in().await, "the session that the family opened has ended");
    assert!(!restarted.restarted().get("/login").await.location().starts_with("/account"), "and its token with it");
    assert!(elsewhere.is_signed_in().await, "sessions of other origin go on");
    assert_eq!(house.count_acts("autologin.replayed").await, 1);
    let letters = house.letters().await;
    let mut subjects: Vec<_> = letters.iter().map(|letter| letter.subject.as_str()).collect();
    subjects.sort_unstable();
    let told = ["Vestibule: new sign-in to your account", "Vestibule: your sessions were ended"];
    assert_eq!(subjects, told, "the person is told of the theft; the thief's try was no sign-in");
    assert!(letters.iter().all(|letter| letter.to.contains("anna@example.org")));
}

#[tokio::test]
async fn two_tabs_restored_at_once_are_no_theft() {
    let house = House::with(ON).await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in_and_stays("anna", PASSWORD).await;
    let tabs = (0..8).map(|_| {
        let mut tab = browser.restarted();
        tokio::spawn(async move { (tab.get("/login").await, tab) })
    });
    let mut rotated = 0;
    let mut newest = None;
    for tab in tabs.collect::<Vec<_>>() {
        let (answer, tab) = tab.await.expect("an answer");
        assert_eq!(answer.location(), "/account", "each tab gets in");
        if answer.sets("autologin").is_some() {
            rotated += 1;
            newest = Some(tab);
        }
    }
    assert_eq!(rotated, 1, "the token moved on once");
    assert_eq!(house.count_acts("autologin.replayed").await, 0);
    house.after(Duration::from_hours(1));
    assert_eq!(newest.expect("a tab").restarted().get("/login").await.location(), "/account");
}

#[tokio::test]
async fn the_second_tab_has_to_be_the_same_browser() {
    let house = House::with(ON).await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in_and_stays("anna", PASSWORD).await;
    let mut thief = house.browser_at("192.0.2.66:1");
    thief.cookies.insert("autologin".into(), browser.cookies["autologin"].clone());
    browser.restarted().get("/login").await;
    assert_eq!(thief.get("/login").await.status, StatusCode::OK);
    assert_eq!(house.count_acts("autologin.replayed").await, 1);
}

#[tokio::test]
async fn it_ends_after_its_days_even_when_used_every_day() {
    let house = House::with("[autologin]\ndays = 3\n").await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in_and_stays("anna", PASSWORD).await;
    for _ in 0..2 {
        house.after(Duration::from_hours(24));
        browser = browser.restarted();
        assert_eq!(browser.get("/login").await.location(), "/account");
    }
    house.after(Duration::from_hours(24));
    let mut browser = browser.restarted();
    assert_eq!(browser.get("/login").await.status, StatusCode::OK);
    assert!(!browser.cookies.contains_key("autologin"));
    assert_eq!(house.count_acts("autologin.replayed").await, 0, "old age is no theft");
}

#[tokio::test]
async fn switching_it_off_stops_old_cookies() {
    let house = House::with(ON).await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in_and_stays("anna", PASSWORD).await;
    let cookies = browser.cookies.clone();
    house.app.close().await;
    let house = house.reopened("").await;
    let mut restarted = house.browser();
    restarted.cookies = cookies;
    restarted.cookies.remove("_vestibule_session");
    assert_eq!(restarted.get("/login").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_remembered_browser_never_skips_a_step() {
    let house = House::with("[autologin]\ndays = 365\n[password]\nexpire_after_days = 90\n").await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in_and_stays("anna", PASSWORD).await;
    house.after(Duration::from_hours(2184));
    let mut restarted = browser.restarted();
    assert_eq!(restarted.get("/login").await.status, StatusCode::OK, "the password is due: sign in with it");
    assert!(!restarted.is_signed_in().await);
    let fields = [("new_password", OTHER_PASSWORD), ("repeat", OTHER_PASSWORD)];
    restarted.signs_in("anna", PASSWORD).await;
    let answer = restarted.submit("/login/step/password", "/login/step/password", &fields).await;
    assert_eq!(answer.location(), "/account");
}

#[tokio::test]
async fn signing_out_forgets_the_browser() {
    let house = House::with(ON).await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in_and_stays("anna", PASSWORD).await;
    let kept = browser.cookies["autologin"].clone();
    browser.submit("/logout", "/logout", &[]).await;
    assert!(!browser.cookies.contains_key("autologin"));
    browser.cookies.insert("autologin".into(), kept);
    assert_eq!(browser.get("/login").await.status, StatusCode::OK);
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a_browser_can_be_remembered_by_way_of_a_provider() {
    for mode in ["", "response_mode = \"form_post\""] {
        let openid = OpenId::start().await;
        let house = House::with(&format!("{ON}{}", openid.configuration(mode))).await;
        let mut browser = house.browser();
        let page = browser.get("/login?return_to=%2Faccount%2Fprofile").await;
        let there = "/login/corp?return_to=%2Faccount%2Fprofile&stay=1";
        assert!(page.body.contains(&format!("href=\"{}\"", there.replace('&', "&#38;"))), "{}", page.body);
        let left = browser.get(there).await;
        let question = openid.reads(left.location());
        let back = if mode.is_empty() {
            openid.consents(left.location())
        } else {
            let fields = [("code", "the-code"), ("state", question["state"].as_str())];
            house.browser().post("/login/corp/callback", &fields).await.location().to_owned()
        };
        let answer = browser.get(&back).await;
        assert_eq!(answer.location(), "/account/profile", "{}", answer.body);
        assert!(answer.sets("autologin").is_some(), "{mode}");
        let mut restarted = browser.restarted();
        assert_eq!(restarted.get("/login").await.location(), "/account");
        assert!(restarted.is_signed_in().await);
        assert_eq!(openid.count("/token"), 1, "the provider was not asked again");
    }
}

#[tokio::test]
async fn a_provider_remembers_nobody_who_did_not_ask_for_it_or_where_it_is_off() {
    let openid = OpenId::start().await;
    let house = House::with(&format!("{ON}{}", openid.configuration(""))).await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp").await;
    assert!(browser.get(&openid.consents(left.location())).await.sets("autologin").is_none());
    let off = House::with(&openid.configuration("")).await;
    let mut browser = off.browser();
    assert!(!browser.get("/login").await.body.contains("stay"));
    let left = browser.get("/login/corp?stay=1").await;
    assert!(browser.get(&openid.consents(left.location())).await.sets("autologin").is_none());
    assert_eq!(off.count_acts("autologin.remembered").await, 0);
}
