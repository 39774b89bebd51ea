//! The letter about a sign-in from a browser or network that is new to the account.

use crate::support::{Browser, House, PASSWORD};
use std::time::Duration;

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1";

fn phone(house: &House, peer: &str) -> Browser {
    let mut browser = house.browser_at(peer);
    browser.headers.clear();
    browser.sending("user-agent", PHONE)
}

#[tokio::test]
async fn a_sign_in_from_somewhere_new_is_told_once() {
    let house = House::open().await;
    house.account("anna").await;
    house.browser().signs_in("anna", PASSWORD).await;
    house.browser().signs_in("anna", PASSWORD).await;
    assert!(house.letters().await.is_empty(), "neither the very first sign-in is news, nor the same place again");
    phone(&house, "203.0.113.5:1").signs_in("anna", PASSWORD).await;
    let letters = house.letters().await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].to.contains("anna@example.org"));
    for told in ["Safari on iPhone", "203.0.113.0/24", "21 Nov 2026, 18:05 UTC", "change your password"] {
        assert!(letters[0].text.contains(told) && letters[0].html.contains(told), "{told}: {}", letters[0].text);
    }
    assert!(!letters[0].text.contains("203.0.113.5"), "the address itself is not kept");
    phone(&house, "203.0.113.99:1").signs_in("anna", PASSWORD).await;
    assert_eq!(house.letters().await.len(), 1, "the same network again");
    phone(&house, "198.51.100.7:1").signs_in("anna", PASSWORD).await;
    assert_eq!(house.letters().await.len(), 2, "both are known, but not together");
}

#[tokio::test]
async fn a_failed_sign_in_makes_nothing_known_and_tells_nobody() {
    let house = House::open().await;
    house.account("anna").await;
    house.browser().signs_in("anna", PASSWORD).await;
    phone(&house, "203.0.113.5:1").signs_in("anna", "wrong").await;
    assert!(house.letters().await.is_empty());
    phone(&house, "203.0.113.5:1").signs_in("anna", PASSWORD).await;
    assert_eq!(house.letters().await.len(), 1);
}

#[tokio::test]
async fn one_account_knows_nothing_of_anothers_places() {
    let house = House::open().await;
    house.account("anna").await;
    house.account("berta").await;
    house.browser().signs_in("anna", PASSWORD).await;
    phone(&house, "203.0.113.5:1").signs_in("berta", PASSWORD).await;
    assert!(house.letters().await.is_empty());
    phone(&house, "203.0.113.5:1").signs_in("anna", PASSWORD).await;
    assert!(house.letters().await[0].to.contains("anna@"));
}

#[tokio::test]
async fn a_remembered_browser_is_no_news_wherever_it_goes() {
    let house = House::with("[autologin]\ndays = 30").await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in_and_stays("anna", PASSWORD).await;
    let mut moved = house.browser_at("203.0.113.5:1");
    moved.cookies.insert("autologin".into(), browser.cookies["autologin"].clone());
    moved.get("/login").await;
    assert!(moved.is_signed_in().await);
    assert!(house.letters().await.is_empty());
    house.browser_at("203.0.113.5:1").signs_in("anna", PASSWORD).await;
    assert_eq!(house.letters().await.len(), 1, "and makes nothing known: that takes the password");
}

#[tokio::test]
async fn what_was_not_used_for_half_a_year_is_forgotten() {
    let house = House::open().await;
    house.account("anna").await;
    house.browser().signs_in("anna", PASSWORD).await;
    house.after(Duration::from_hours(24 * 179));
    house.sweep().await;
    house.browser().signs_in("anna", PASSWORD).await;
    assert!(house.letters().await.is_empty());
    house.after(Duration::from_hours(24 * 181));
    house.sweep().await;
    house.browser().signs_in("anna", PASSWORD).await;
    assert_eq!(house.letters().await.len(), 1);
}

#[tokio::test]
async fn the_operator_can_turn_it_off() {
    let house = House::with("[mail]\nnew_device_notice = false").await;
    house.account("anna").await;
    house.browser().signs_in("anna", PASSWORD).await;
    phone(&house, "203.0.113.5:1").signs_in("anna", PASSWORD).await;
    assert!(house.letters().await.is_empty());
}
