//! Asking OpenID providers about sessions again. Tests named `oidcc_client_test_refresh_token…` are the relying-party
//! modules of the OpenID conformance suite for refresh tokens, natively.

use super::provider::{house, signs_in};
use crate::support::openid::{Canned, NOW};
use crate::support::{Browser, House, OpenId};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use vestibule::service::context::Context;
use vestibule::service::revalidation::Revalidation;
use vestibule::store::audit;

const INTERVAL: Duration = Duration::from_mins(15);
const ASKS: &str = "revalidate = \"15m\"";

async fn anna(house: &House, openid: &OpenId) -> Browser {
    let mut browser = house.browser();
    assert_eq!(signs_in(&mut browser, openid).await.status, StatusCode::SEE_OTHER);
    // Its tokens are good for as long as the test moves the clock.
    openid.claims(|claims| {
        claims.insert("exp".into(), json!(NOW + 86_400));
    });
    browser
}

/// What the clock asks for.
async fn round(house: &House) {
    let asking = Revalidation::new(Arc::clone(&house.app.core), house.app.providers.clone());
    asking.round(&Context::system(house.app.surroundings.clone())).await.expect("a round");
}

async fn a_while_later(house: &House) {
    house.after(INTERVAL);
    round(house).await;
}

/// Why the provider's no ended a session.
async fn reason(house: &House) -> String {
    let mut link = house.app.core.database.read().await.expect("a database");
    let events = audit::newest(&mut link, None, 100).await.expect("events");
    let event =
        events.into_iter().find(|event| event.act == "session.revoked_by_provider").expect("it is written down");
    event.detail
}

/// A provider that says no in this way ends the session.
async fn ends(expected: &str, no: impl FnOnce(&OpenId)) {
    let openid = OpenId::start().await;
    let house = house(&openid, ASKS).await;
    let mut browser = anna(&house, &openid).await;
    no(&openid);
    assert!(browser.is_signed_in().await, "nothing is asked in a request");
    a_while_later(&house).await;
    assert!(!browser.is_signed_in().await, "{expected}");
    let reason = reason(&house).await;
    assert!(reason.contains(expected), "{reason}");
}

/// A provider that is in this trouble ends nothing, and is asked again.
async fn goes_on(trouble: impl FnOnce(&OpenId)) {
    let openid = OpenId::start().await;
    let house = house(&openid, ASKS).await;
    let mut browser = anna(&house, &openid).await;
    trouble(&openid);
    a_while_later(&house).await;
    a_while_later(&house).await;
    assert!(browser.is_signed_in().await);
    assert_eq!(house.count_acts("session.revoked_by_provider").await, 0);
    openid.script().canned.clear();
    openid.script().userinfo["sub"] = json!("anna-at-corp");
    a_while_later(&house).await;
    assert!(browser.is_signed_in().await, "it was no reason to end it afterwards");
}

#[tokio::test]
async fn oidcc_client_test_refresh_token() {
    let openid = OpenId::start().await;
    let house = house(&openid, ASKS).await;
    let mut browser = anna(&house, &openid).await;
    house.after(INTERVAL.saturating_sub(Duration::from_secs(1)));
    round(&house).await;
    assert_eq!(openid.count("/token"), 1, "its time has not come");
    house.after(Duration::from_secs(1));
    openid.script().tokens = Arc::new(|answer| drop(answer.insert("access_token".into(), json!("the-new-one"))));
    round(&house).await;
    assert_eq!(openid.count("/token"), 2);
    let heard = openid.script().heard.clone();
    assert!(heard.iter().any(|(path, proof, _)| path == "/userinfo" && proof == "Bearer the-new-one"));
    assert!(browser.is_signed_in().await);
    // The next one goes with the token that came in exchange.
    a_while_later(&house).await;
    assert!(browser.is_signed_in().await);
    assert_eq!((openid.count("/token"), openid.script().refresh.as_str()), (3, "the-refresh-token++"));
}

#[tokio::test]
async fn oidcc_client_test_refresh_token_invalid_issuer() {
    ends("id_token_iss", |openid| {
        openid.claims(|claims| {
            claims.insert("exp".into(), json!(NOW + 86_400));
            claims.insert("iss".into(), json!("https://evil.example"));
        });
    })
    .await;
}

#[tokio::test]
async fn oidcc_client_test_refresh_token_invalid_sub() {
    ends("id_token_sub", |openid| {
        openid.claims(|claims| {
            claims.insert("exp".into(), json!(NOW + 86_400));
            claims.insert("sub".into(), json!("ben-at-corp"));
        });
    })
    .await;
}

// Beyond the suite -----------------------------------------------------------------------------------------------------

fn error(status: u16, code: &str) -> Canned {
    Canned { status, ..Canned::json(&json!({ "error": code })) }
}

#[tokio::test]
async fn a_definite_no_ends_the_session() {
    ends("invalid_grant", |openid| drop(openid.script().canned.insert("/token", error(400, "invalid_grant")))).await;
    ends("invalid_token", |openid| drop(openid.script().canned.insert("/userinfo", error(401, "invalid_token")))).await;
    ends("userinfo_sub", |openid| openid.script().userinfo["sub"] = json!("ben-at-corp")).await;
}

#[tokio::test]
async fn an_outage_ends_nothing() {
    goes_on(|openid| drop(openid.script().canned.insert("/token", error(503, "temporarily_unavailable")))).await;
    goes_on(|openid| drop(openid.script().canned.insert("/token", error(400, "temporarily_unavailable")))).await;
    goes_on(|openid| drop(openid.script().canned.insert("/token", error(401, "invalid_client")))).await;
    goes_on(|openid| drop(openid.script().canned.insert("/userinfo", error(500, "x")))).await;
    goes_on(|openid| {
        let gateway = Canned { status: 401, kind: "text/html", body: b"<h1>Sign in to the proxy</h1>".to_vec() };
        openid.script().canned.insert("/userinfo", gateway);
    })
    .await;
    goes_on(|openid| {
        let nonsense = Canned { status: 200, kind: "application/json", body: b"{".to_vec() };
        openid.script().canned.insert("/token", nonsense);
    })
    .await;
}

#[tokio::test]
async fn a_provider_that_is_silent_or_whose_name_is_gone_ends_nothing_and_its_no_does_afterwards() {
    let openid = OpenId::start().await;
    let house = house(&openid, &format!("{ASKS}\ntimeout = \"1s\"")).await;
    let mut browser = anna(&house, &openid).await;
    for path in ["/token", "/userinfo"] {
        openid.script().silent = vec![path];
        let begun = tokio::time::Instant::now();
        a_while_later(&house).await;
        assert!(begun.elapsed() <= Duration::from_secs(8), "{path}: {:?}", begun.elapsed());
        assert!(browser.is_signed_in().await, "{path}");
    }
    openid.script().silent.clear();
    // Its own metadata leads to a name that nobody knows (RFC 6761 section 6.4).
    openid.script().metadata = Arc::new(|metadata| {
        metadata.insert("token_endpoint".into(), json!("https://idp.nowhere.invalid/token"));
    });
    house.app.providers.refresh(&house.operator()).await;
    let asked = openid.count("/token");
    a_while_later(&house).await;
    assert!(browser.is_signed_in().await);
    assert_eq!(openid.count("/token"), asked, "it was sought elsewhere");
    assert_eq!(house.count_acts("session.revoked_by_provider").await, 0);
    // It is back, and says no.
    openid.script().metadata = Arc::new(|_| {});
    house.app.providers.refresh(&house.operator()).await;
    openid.script().canned.insert("/token", error(400, "invalid_grant"));
    a_while_later(&house).await;
    assert!(!browser.is_signed_in().await);
    assert!(reason(&house).await.contains("invalid_grant"));
}

#[tokio::test]
async fn with_the_session_ends_what_would_bring_it_back() {
    let openid = OpenId::start().await;
    let house = house(&openid, &format!("{ASKS}\n[autologin]\ndays = 14")).await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp?stay=1").await;
    browser.get(&openid.consents(left.location())).await;
    openid.claim("exp", json!(NOW + 9 * 86_400));
    // Closed, and opened days later: it is asked about at once.
    house.after(Duration::from_hours(24 * 3));
    round(&house).await;
    assert_eq!(openid.count("/token"), 1, "nobody was in");
    let mut browser = browser.restarted();
    assert_eq!(browser.get("/login").await.location(), "/account");
    openid.script().canned.insert("/token", error(400, "invalid_grant"));
    round(&house).await;
    assert!(!browser.is_signed_in().await);
    let mut browser = browser.restarted();
    assert_eq!(browser.get("/login").await.status, StatusCode::OK, "it asks");
}

#[tokio::test]
async fn two_who_ask_at_once_ask_once() {
    let openid = OpenId::start().await;
    let house = house(&openid, ASKS).await;
    let mut browser = anna(&house, &openid).await;
    house.after(INTERVAL);
    tokio::join!(round(&house), round(&house));
    round(&house).await;
    assert_eq!(openid.count("/token"), 2);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn what_the_provider_says_now_is_followed() {
    let openid = OpenId::start().await;
    openid.script().userinfo["groups"] = json!(["staff"]);
    let more = format!("{ASKS}\n[identity_provider.groups]\nfrom = \"groups\"\nmode = \"exclusive\"");
    let house = house(&openid, &more).await;
    let mut browser = anna(&house, &openid).await;
    openid.script().userinfo["groups"] = json!(["board"]);
    openid.script().userinfo["name"] = json!("Anna Tal");
    a_while_later(&house).await;
    assert!(browser.is_signed_in().await);
    let whoami = browser.get("/api/v1/session").await;
    assert!(whoami.body.contains("board") && !whoami.body.contains("staff"), "{}", whoami.body);
    assert_eq!(house.named("anna").await.name, "Anna Tal");
}

#[tokio::test]
async fn without_a_refresh_token_an_access_token_is_asked_with_while_it_is_good() {
    let openid = OpenId::start().await;
    openid.script().tokens = Arc::new(|answer| {
        answer.remove("refresh_token");
        answer.insert("expires_in".into(), json!(1200));
    });
    let house = house(&openid, ASKS).await;
    let mut browser = anna(&house, &openid).await;
    a_while_later(&house).await;
    assert_eq!((openid.count("/token"), openid.count("/userinfo")), (1, 2));
    // When it has run out, being refused means nothing any more.
    house.after(INTERVAL);
    openid.script().canned.insert("/userinfo", error(401, "invalid_token"));
    round(&house).await;
    assert_eq!(openid.count("/userinfo"), 2);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn who_is_not_to_be_asked_keeps_no_tokens() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = anna(&house, &openid).await;
    openid.script().canned.insert("/token", error(400, "invalid_grant"));
    house.after(INTERVAL);
    round(&house).await;
    assert_eq!(openid.count("/token"), 1);
    assert!(browser.is_signed_in().await);
}
