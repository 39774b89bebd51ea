//! `/setup`: the first administrator.

use crate::support::{House, PASSWORD};
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use vestibule::service::context::Context;
use vestibule::service::setup::SetUp;

async fn link(house: &House) -> Option<String> {
    let ctx = Context::system(house.app.surroundings.clone());
    let link = SetUp::new(Arc::clone(&house.app.core)).link(&ctx).await.expect("stores");
    link.map(|link| link.trim_start_matches("http://localhost:8080").to_owned())
}

const FIELDS: [(&str, &str); 5] = [
    ("username", "root"),
    ("name", "Anna Example"),
    ("email", "root@example.org"),
    ("new_password", PASSWORD),
    ("repeat", PASSWORD),
];

#[tokio::test]
async fn the_link_makes_one_administrator() {
    let house = House::open().await;
    let link = link(&house).await.expect("a link");
    let mut browser = house.browser();
    let answer = browser.submit(&link, "/setup", &FIELDS).await;
    assert_eq!(answer.location(), "/login", "{}", answer.body);
    assert!(house.named("root").await.administrator);
    assert_eq!(house.browser().signs_in("root", PASSWORD).await.location(), "/account");
    assert_eq!(browser.get(&link).await.status, StatusCode::NOT_FOUND, "it works once");
    assert_eq!(self::link(&house).await, None, "no further link while there is an administrator");
}

#[tokio::test]
async fn two_at_once_make_one() {
    let house = House::open().await;
    let link = link(&house).await.expect("a link");
    let (mut one, mut other) = (house.browser(), house.browser());
    let mut second = FIELDS;
    second[0].1 = "other";
    second[2].1 = "other@example.org";
    let (first, second) = tokio::join!(one.submit(&link, "/setup", &FIELDS), other.submit(&link, "/setup", &second));
    let made = [first, second].iter().filter(|answer| answer.status == StatusCode::SEE_OTHER).count();
    assert_eq!(made, 1);
    assert_eq!(house.count_acts("account.created").await, 1);
}

#[tokio::test]
async fn a_refused_form_keeps_the_link_and_what_was_typed() {
    let house = House::open().await;
    let link = link(&house).await.expect("a link");
    let mut browser = house.browser();
    for (field, bad) in
        [("username", "a\u{202e}b"), ("email", "nowhere"), ("name", ""), ("repeat", "different"), ("username", "аnna")]
    {
        let fields: Vec<_> =
            FIELDS.iter().map(|(name, value)| (*name, if *name == field { bad } else { value })).collect();
        let answer = browser.submit(&link, "/setup", &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {bad:?}");
        assert!(!answer.body.contains(PASSWORD));
        if field != "email" {
            assert!(answer.body.contains("root@example.org"));
        }
    }
    assert_eq!(house.count_acts("account.created").await, 0);
    assert_eq!(browser.submit(&link, "/setup", &FIELDS).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn it_expires_and_an_older_one_stops() {
    let house = House::open().await;
    let old = link(&house).await.expect("a link");
    house.after(Duration::from_mins(2));
    let new = link(&house).await.expect("a link");
    let mut browser = house.browser();
    assert_eq!(browser.get(&old).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get(&new).await.status, StatusCode::OK);
    house.after(Duration::from_hours(1));
    assert_eq!(browser.get(&new).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/setup").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/setup?token=guess").await.status, StatusCode::NOT_FOUND);
}
