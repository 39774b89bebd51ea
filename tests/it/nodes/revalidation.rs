//! Asking providers about sessions again: one node does, whatever their clocks say; what it finds holds on both.

use super::{APART, ROOT_KEY, Stores, both_look_around, verifies};
use crate::support::openid::{Canned, NOW};
use crate::support::postgres::shared;
use crate::support::redis::RedisServer;
use crate::support::{Browser, House, OpenId, TestClock};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use vestibule::service::context::Context;
use vestibule::service::revalidation::Revalidation;

const INTERVAL: Duration = Duration::from_mins(15);

async fn node(stores: &Stores, ahead: Duration, openid: &OpenId) -> House {
    let tables = stores.tables(&format!("secret_key = {ROOT_KEY:?}"));
    House::node(TestClock::ahead(ahead), &format!("{tables}{}", openid.configuration("revalidate = \"15m\""))).await
}

/// What the clock asks of a node.
async fn round(house: &House) {
    let asking = Revalidation::new(Arc::clone(&house.app.core), house.app.providers.clone());
    asking.round(&Context::system(house.app.surroundings.clone())).await.expect("a round");
}

async fn anna(house: &House, openid: &OpenId) -> Browser {
    let mut browser = house.browser();
    let left = browser.get("/login/corp").await;
    assert_eq!(browser.get(&openid.consents(left.location())).await.status, StatusCode::SEE_OTHER);
    openid.claim("exp", json!(NOW + 86_400));
    browser
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_whose_clocks_differ_one_asks_and_once() {
    let openid = OpenId::start().await;
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "revalidate_once");
    let (one, two) = (node(&stores, APART, &openid).await, node(&stores, Duration::ZERO, &openid).await);
    openid.script().rotates = false;
    let sessions = [anna(&two, &openid).await, anna(&two, &openid).await, anna(&two, &openid).await];
    assert_eq!(openid.count("/token"), 3);
    for asked in 1..=3 {
        for house in [&one, &two] {
            house.after(INTERVAL);
        }
        tokio::join!(round(&one), round(&two));
        round(&two).await;
        round(&one).await;
        assert_eq!(openid.count("/token"), 3 + 3 * asked, "each session once");
    }
    for browser in &sessions {
        assert_eq!((verifies(&one, browser).await, verifies(&two, browser).await), (StatusCode::OK, StatusCode::OK));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_that_one_node_hears_ends_the_session_on_both() {
    let openid = OpenId::start().await;
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "revalidate_no");
    let (one, two) = (node(&stores, Duration::ZERO, &openid).await, node(&stores, Duration::ZERO, &openid).await);
    let browser = anna(&one, &openid).await;
    assert_eq!(verifies(&two, &browser).await, StatusCode::OK, "the other one knows it now");
    for house in [&one, &two] {
        house.after(INTERVAL);
    }
    let no = Canned { status: 400, ..Canned::json(&json!({ "error": "invalid_grant" })) };
    openid.script().canned.insert("/token", no);
    tokio::join!(round(&two), round(&one));
    both_look_around(&one, &two).await;
    assert_eq!(openid.count("/token"), 2);
    for house in [&one, &two] {
        assert_eq!(verifies(house, &browser).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(one.count_acts("session.revoked_by_provider").await, 1, "it is written down once");
}
