//! Signing out at OpenID providers and by them. Tests named `oidcc_client_test_rp_…` are the relying-party modules of the
//! OpenID conformance suite (plans back-channel, front-channel and RP-initiated logout), natively.

use super::provider::{house, signs_in};
use crate::support::openid::{self, NOW};
use crate::support::{Answer, Browser, House, OpenId, PASSWORD};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::time::Duration;

const BACK_CHANNEL: &str = "/login/corp/backchannel-logout";

/// Anna, signed in through the provider.
async fn anna(house: &House, openid: &OpenId) -> Browser {
    let mut browser = house.browser();
    assert_eq!(signs_in(&mut browser, openid).await.status, StatusCode::SEE_OTHER);
    browser
}

/// The provider itself says it: no cookies, no origin.
async fn told(house: &House, token: &str) -> Answer {
    let answer = house.browser_at("203.0.113.80:443").post(BACK_CHANNEL, &[("logout_token", token)]).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.sets("_vestibule_session").is_none());
    answer
}

/// A wrong token is refused and ends nothing; the right one after it does.
async fn refused(more: &str, wrong: impl FnOnce(&OpenId) -> String) {
    let openid = OpenId::start().await;
    let house = house(&openid, more).await;
    let mut browser = anna(&house, &openid).await;
    let answer = told(&house, &wrong(&openid)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(body["error"], "invalid_request");
    assert!(browser.is_signed_in().await);
    assert_eq!(house.count_acts("session.ended_by_provider").await, 0);
    openid.signs_with(openid::rsa(0));
    assert_eq!(told(&house, &openid.logout_token(|_| {})).await.status, StatusCode::OK);
    assert!(!browser.is_signed_in().await);
}

fn set(name: &'static str, value: Value) -> impl FnOnce(&OpenId) -> String {
    move |openid| openid.logout_token(|claims| drop(claims.insert(name.to_owned(), value)))
}

fn without(name: &'static str) -> impl FnOnce(&mut Map<String, Value>) {
    move |claims| drop(claims.remove(name))
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = anna(&house, &openid).await;
    let answer = told(&house, &openid.logout_token(|_| {})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(!browser.is_signed_in().await);
    assert_eq!(house.count_acts("session.ended_by_provider").await, 1);
    assert!(house.letters().await.is_empty(), "an ordinary sign-out is no news");
    // She can come back, and nothing of the past ends the new session.
    house.after(Duration::from_secs(1));
    assert_eq!(signs_in(&mut browser, &openid).await.status, StatusCode::SEE_OTHER);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_alg_none() {
    refused("", |openid| {
        let good = openid.logout_token(|_| {});
        let claims = good.split('.').nth(1).expect("claims").to_owned();
        format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": "logout+jwt"}).to_string()))
    })
    .await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_no_event() {
    refused("", |openid| openid.logout_token(without("events"))).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_with_nonce() {
    refused("", set("nonce", json!("n"))).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_alg() {
    refused("algorithms = [\"RS256\"]", |openid| {
        openid.signs_with(openid::ec());
        openid.logout_token(|_| {})
    })
    .await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_aud() {
    refused("", set("aud", json!("somebody-else"))).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_event() {
    refused("", set("events", json!({ "http://schemas.openid.net/event/frontchannel-logout": {} }))).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_rpinitlogout_wrong_iss() {
    refused("", set("iss", json!("https://evil.example"))).await;
}

// Beyond the suite -----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn what_else_a_logout_token_must_not_be() {
    refused("", |openid| openid.logout_token(without("jti"))).await;
    refused("", |openid| openid.logout_token(without("iat"))).await;
    refused("", set("exp", json!(NOW - 60))).await;
    refused("", |openid| {
        openid.logout_token(|claims| {
            claims.remove("sid");
            claims.remove("sub");
        })
    })
    .await;
    // Signed by nobody who is known, under the name of a key that is.
    refused("", |openid| {
        openid.script().signer = openid::rsa(1);
        openid.logout_token(|_| {})
    })
    .await;
    refused("", |_| "nonsense".to_owned()).await;
    // The ID token of the sign-in itself.
    refused("", |openid| {
        let claims = json!({"iss": openid.issuer, "sub": "anna-at-corp", "aud": "vestibule", "exp": NOW + 300, "iat": NOW,
                            "nonce": "n", "sid": "sid-7"});
        let script = openid.script();
        script.signer.sign(&script.header, &claims)
    })
    .await;
}

#[tokio::test]
async fn a_logout_token_counts_once() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = anna(&house, &openid).await;
    let token = openid.logout_token(|_| {});
    assert_eq!(told(&house, &token).await.status, StatusCode::OK);
    house.after(Duration::from_secs(1));
    signs_in(&mut browser, &openid).await;
    assert_eq!(told(&house, &token).await.status, StatusCode::BAD_REQUEST);
    assert!(browser.is_signed_in().await);
    assert_eq!(house.count_acts("session.provider_logout_refused").await, 1);
}

#[tokio::test]
async fn a_session_that_is_over_already_is_no_error() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let unknown = openid.logout_token(|claims| drop(claims.insert("sid".into(), json!("another"))));
    assert_eq!(told(&house, &unknown).await.status, StatusCode::OK);
    assert_eq!(house.count_acts("session.ended_by_provider").await, 0);
}

#[tokio::test]
async fn a_session_name_ends_that_session_and_a_subject_ends_all() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut first = anna(&house, &openid).await;
    openid.claim("sid", json!("sid-8"));
    let mut second = anna(&house, &openid).await;
    house.account("ben").await;
    let mut ben = house.browser();
    ben.signs_in("ben", PASSWORD).await;
    assert_eq!(told(&house, &openid.logout_token(without("sub"))).await.status, StatusCode::OK);
    assert!(!first.is_signed_in().await && second.is_signed_in().await, "only the one that was named");
    // A name of a session with somebody else's subject means nobody.
    let strange = openid.logout_token(|claims| {
        claims.insert("sid".into(), json!("sid-8"));
        claims.insert("sub".into(), json!("ben-at-corp"));
    });
    assert_eq!(told(&house, &strange).await.status, StatusCode::OK);
    assert!(second.is_signed_in().await);
    openid.claim("sid", Value::Null);
    let mut third = anna(&house, &openid).await;
    assert_eq!(told(&house, &openid.logout_token(without("sid"))).await.status, StatusCode::OK);
    assert!(!second.is_signed_in().await && !third.is_signed_in().await);
    assert!(ben.is_signed_in().await, "somebody else, signed in in another way");
}

#[tokio::test]
async fn a_session_that_the_provider_gave_no_name_ends_with_its_subject() {
    let openid = OpenId::start().await;
    openid.claim("sid", Value::Null);
    let house = house(&openid, "").await;
    let mut browser = anna(&house, &openid).await;
    assert_eq!(told(&house, &openid.logout_token(|_| {})).await.status, StatusCode::OK);
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a_browser_that_stays_signed_in_does_not_come_back_after_it() {
    let openid = OpenId::start().await;
    let house = house(&openid, "[autologin]\ndays = 14").await;
    for renewed in [false, true] {
        house.after(Duration::from_secs(1));
        let mut browser = house.browser();
        let left = browser.get("/login/corp?stay=1").await;
        browser.get(&openid.consents(left.location())).await;
        assert!(browser.cookies.contains_key("autologin"));
        if renewed {
            // It was closed and opened in between: what it has now is another session.
            browser = browser.restarted();
            assert_eq!(browser.get("/login").await.location(), "/account");
            assert!(browser.is_signed_in().await);
        }
        assert_eq!(told(&house, &openid.logout_token(without("sub"))).await.status, StatusCode::OK);
        assert!(!browser.is_signed_in().await, "renewed: {renewed}");
        let mut browser = browser.restarted();
        assert_eq!(browser.get("/login").await.status, StatusCode::OK, "it asks");
        assert!(!browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn a_sign_in_on_its_way_does_not_arrive_after_it() {
    let openid = OpenId::start().await;
    let house = house(&openid, "[second_factor]\nrequired = \"all\"").await;
    let mut browser = house.browser();
    let owed = signs_in(&mut browser, &openid).await;
    assert_eq!(owed.location(), "/login/step/enrol");
    let page = browser.get("/login/step/enrol").await;
    assert_eq!(told(&house, &openid.logout_token(|_| {})).await.status, StatusCode::OK);
    let phone = crate::support::factors::Phone::of(&page);
    let (csrf, code) = (page.hidden("csrf").expect("a form"), phone.code(&house));
    browser.post("/login/step/enrol", &[("csrf", &csrf), ("name", "Phone"), ("code", &code)]).await;
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn an_answer_that_is_held_back_in_the_browser_does_not_arrive_after_it() {
    for without_the_other in [None, Some("sid"), Some("sub")] {
        let openid = OpenId::start().await;
        let house = house(&openid, "").await;
        let mut browser = house.browser();
        let left = browser.get("/login/corp").await;
        let back = openid.consents(left.location());
        house.after(Duration::from_secs(5));
        let token = openid.logout_token(|claims| {
            if let Some(name) = without_the_other {
                claims.remove(name);
            }
        });
        assert_eq!(told(&house, &token).await.status, StatusCode::OK);
        house.after(Duration::from_secs(5));
        let answer = browser.get(&back).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{without_the_other:?}: {}", answer.body);
        assert!(!browser.is_signed_in().await, "{without_the_other:?}");
        assert_eq!(house.count_acts("sign_in.succeeded").await, 0);
        // Whoever begins after that gets in.
        house.after(Duration::from_secs(1));
        assert_eq!(signs_in(&mut browser, &openid).await.status, StatusCode::SEE_OTHER);
        assert!(browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn a_token_for_several_audiences_counts_where_we_are_one() {
    for (audiences, party, counts) in [
        (json!(["another", "vestibule"]), None, true),
        (json!(["another", "vestibule"]), Some("vestibule"), true),
        (json!(["another", "vestibule"]), Some("another"), false),
        (json!(["another", "more"]), None, false),
    ] {
        let openid = OpenId::start().await;
        let house = house(&openid, "").await;
        let mut browser = anna(&house, &openid).await;
        let token = openid.logout_token(|claims| {
            claims.insert("aud".to_owned(), audiences.clone());
            if let Some(party) = party {
                claims.insert("azp".to_owned(), json!(party));
            }
        });
        let expected = if counts { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        assert_eq!(told(&house, &token).await.status, expected, "{audiences} {party:?}");
        assert_eq!(browser.is_signed_in().await, !counts, "{audiences} {party:?}");
    }
}

#[tokio::test]
async fn the_back_channel_answers_programs_and_reads_little() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut anybody = house.browser();
    let unknown = anybody.post("/login/nobody/backchannel-logout", &[("logout_token", "x")]).await;
    assert_eq!((unknown.status, unknown.header("content-type")), (StatusCode::NOT_FOUND, "application/json"));
    assert_eq!(anybody.get(BACK_CHANNEL).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(anybody.post(BACK_CHANNEL, &[]).await.status, StatusCode::BAD_REQUEST);
    let large = "x".repeat(200 * 1024);
    assert_eq!(told(&house, &large).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(house.count_acts("session.provider_logout_refused").await, 0, "strangers do not fill the trail");
}

#[tokio::test]
async fn an_unknown_key_of_a_logout_token_is_asked_for_once() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = anna(&house, &openid).await;
    // The provider has changed its key since.
    openid.signs_with(openid::rsa(1));
    let token = openid.logout_token(|_| {});
    assert_eq!(told(&house, &token).await.status, StatusCode::OK);
    assert!(!browser.is_signed_in().await);
    openid.script().header.kid = Some("no-such-key".to_owned());
    for _ in 0..3 {
        assert_eq!(told(&house, &openid.logout_token(|_| {})).await.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(openid.count("/jwks"), 2, "once at the beginning, once for the new key, and then it waits");
}

// Signing out here -----------------------------------------------------------------------------------------------------

/// Signs out, and where the browser is led: address and its parameters.
async fn signs_out(browser: &mut Browser) -> (Answer, Option<HashMap<String, String>>) {
    let answer = browser.submit("/logout", "/logout", &[]).await;
    let refresh = answer.header("refresh").to_owned();
    let asked = refresh
        .strip_prefix("0; url=")
        .map(|address| url::Url::parse(address).expect("an address").query_pairs().into_owned().collect());
    (answer, asked)
}

#[tokio::test]
async fn oidcc_client_test_rp_init_logout() {
    let openid = OpenId::start().await;
    let house = house(&openid, "direct = true").await;
    let mut browser = anna(&house, &openid).await;
    let session = browser.cookies["_vestibule_session"].clone();
    let (answer, asked) = signs_out(&mut browser).await;
    assert_eq!(answer.status, StatusCode::OK, "no redirect: browsers apply form-action to those");
    assert!(answer.header("refresh").starts_with(&format!("0; url={}/logout?", openid.issuer)));
    assert!(answer.body.contains("Continue to Corp SSO"), "{}", answer.body);
    let asked = asked.expect("an address");
    assert_eq!((asked["client_id"].as_str(), asked["ui_locales"].as_str()), ("vestibule", "en"));
    assert_eq!(asked["post_logout_redirect_uri"], "http://localhost:8080/login/corp/logout");
    let claims = URL_SAFE_NO_PAD.decode(asked["id_token_hint"].split('.').nth(1).expect("claims")).expect("base64");
    assert_eq!(serde_json::from_slice::<Value>(&claims).expect("JSON")["sid"], "sid-7");
    assert!(asked["state"].len() >= 32);
    // Here it is over before the provider is asked, whatever the browser does.
    let mut thief = house.browser();
    thief.cookies.insert("_vestibule_session".to_owned(), session);
    assert!(!thief.is_signed_in().await);
    // The way back leads nowhere by itself, not even to the provider that people are led to directly.
    let back = browser.get(&format!("/login/corp/logout?state={}", asked["state"])).await;
    assert_eq!(back.status, StatusCode::OK);
    assert!(back.body.contains("signed out here and at Corp SSO"), "{}", back.body);
    assert_eq!((back.header("refresh"), back.location()), ("", ""));
    assert_eq!(house.count_acts("session.signed_out").await, 1);
}

#[tokio::test]
async fn oidcc_client_test_rp_init_logout_no_state() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = anna(&house, &openid).await;
    signs_out(&mut browser).await;
    for query in ["", "?state="] {
        let back = browser.get(&format!("/login/corp/logout{query}")).await;
        assert_eq!(back.status, StatusCode::BAD_REQUEST);
        assert!(back.body.contains("we cannot say") && !back.body.contains("here and at"), "{}", back.body);
    }
}

#[tokio::test]
async fn oidcc_client_test_rp_init_logout_other_state() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = anna(&house, &openid).await;
    let (_, asked) = signs_out(&mut browser).await;
    let state = asked.expect("an address")["state"].clone();
    let back = browser.get("/login/corp/logout?state=another").await;
    assert_eq!(back.status, StatusCode::BAD_REQUEST);
    assert!(back.body.contains("we cannot say"), "{}", back.body);
    // It signs nobody out who is in again.
    signs_in(&mut browser, &openid).await;
    assert_eq!(browser.get(&format!("/login/corp/logout?state={state}")).await.location(), "/account");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_provider_that_is_not_told_is_named() {
    for (more, hides) in [("single_logout = false", false), ("", true)] {
        let openid = OpenId::start().await;
        if hides {
            openid.script().metadata = std::sync::Arc::new(|metadata| drop(metadata.remove("end_session_endpoint")));
        }
        let house = house(&openid, more).await;
        let mut browser = anna(&house, &openid).await;
        let (answer, asked) = signs_out(&mut browser).await;
        assert_eq!((answer.location(), asked), ("/logout/done?at=corp", None));
        let done = browser.get(answer.location()).await;
        assert!(done.body.contains("but not at Corp SSO"), "{}", done.body);
        assert!(!browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn whoever_signed_in_here_is_led_nowhere_and_no_other_site_signs_anybody_out() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    house.account("ben").await;
    let mut ben = house.browser();
    ben.signs_in("ben", PASSWORD).await;
    let (answer, asked) = signs_out(&mut ben).await;
    assert_eq!((answer.location(), asked), ("/logout/done", None));
    let mut browser = anna(&house, &openid).await;
    let csrf = browser.get("/logout").await.hidden("csrf").expect("a form");
    let mut foreign = browser.clone().sending("origin", "https://evil.example").sending("sec-fetch-site", "cross-site");
    assert_eq!(foreign.post("/logout", &[("csrf", &csrf)]).await.status, StatusCode::FORBIDDEN);
    assert!(browser.is_signed_in().await);
}

// Frames of the provider -----------------------------------------------------------------------------------------------

fn frame(openid: &OpenId, sid: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("iss", &openid.issuer)
        .append_pair("sid", sid)
        .finish();
    format!("/login/corp/frontchannel-logout?{query}")
}

#[tokio::test]
async fn oidcc_client_test_rp_frontchannel_opinitlogout() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = anna(&house, &openid).await;
    // Nobody else can end it, though they know its name; and no other name ends it.
    assert_eq!(house.browser().get(&frame(&openid, "sid-7")).await.status, StatusCode::OK);
    assert_eq!(browser.get(&frame(&openid, "sid-8")).await.status, StatusCode::OK);
    let evil = frame(&openid, "sid-7").replace("iss=http", "iss=https");
    assert_eq!(browser.get(&evil).await.status, StatusCode::OK);
    for missing in ["", "?sid=sid-7", "?iss=x"] {
        let answer = browser.get(&format!("/login/corp/frontchannel-logout{missing}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    assert!(browser.is_signed_in().await);
    let answer = browser.get(&frame(&openid, "sid-7")).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
    assert!(!browser.is_signed_in().await);
    assert_eq!(house.count_acts("session.ended_by_provider").await, 1);
}

#[tokio::test]
async fn oidcc_client_test_rp_frontchannel_rpinitlogout() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = anna(&house, &openid).await;
    signs_out(&mut browser).await;
    let answer = browser.get(&frame(&openid, "sid-7")).await;
    assert_eq!(answer.status, StatusCode::OK, "it is over already");
    // The provider's page may show it in a frame, and nobody else's.
    let policy = answer.header("content-security-policy");
    assert_eq!(policy, format!("default-src 'none'; frame-ancestors {}", openid.issuer));
    assert_eq!(answer.header("x-frame-options"), "");
    assert_eq!(browser.get("/login").await.header("x-frame-options"), "DENY");
}
