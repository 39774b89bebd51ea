//! A provider that people are led to without a choice: what happens when it is away, switched off or says no, and that
//! nobody is led in circles. And what may be kept of the answers on the way.

use super::provider::{is_refused, signs_in};
use crate::support::{Answer, Browser, House, OpenId, PASSWORD};
use http::StatusCode;
use serde_json::json;

async fn house(openid: &OpenId, more: &str) -> House {
    House::with(&openid.configuration(more)).await
}

/// Follows what a browser follows by itself on our site; stops after a few steps.
async fn follows(browser: &mut Browser, path: &str) -> (Answer, Vec<String>) {
    let (mut path, mut way) = (path.to_owned(), Vec::new());
    loop {
        let answer = browser.get(&path).await;
        assert!(answer.status.as_u16() < 500, "{path}: {}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        way.push(path.clone());
        assert!(way.len() < 6, "in circles: {way:?}");
        let onward = answer.location().to_owned();
        if !onward.starts_with('/') {
            return (answer, way);
        }
        path = onward;
    }
}

#[tokio::test]
async fn a_direct_provider_that_is_away_is_told_and_the_other_ways_are_open() {
    let openid = OpenId::start().await;
    let text = openid.configuration("direct = true").replace(&openid.issuer, "http://127.0.0.1:9");
    let house = House::with(&text).await;
    house.account("ben").await;
    let (page, way) = follows(&mut house.browser(), "/account/profile").await;
    assert_eq!(
        way,
        ["/account/profile", "/login?return_to=%2Faccount%2Fprofile", "/login/corp?return_to=%2Faccount%2Fprofile"]
    );
    is_refused(&page);
    assert_eq!((page.status, page.header("refresh")), (StatusCode::FAILED_DEPENDENCY, ""));
    assert!(page.body.contains("href=\"/login?choose=1\""), "{}", page.body);
    let mut browser = house.browser();
    let fields = [("username", "ben"), ("password", PASSWORD)];
    let inside = browser.submit("/login?choose=1", "/login", &fields).await;
    assert_eq!(inside.location(), "/account", "{}", inside.body);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_direct_provider_that_is_switched_off_leads_nowhere() {
    let openid = OpenId::start().await;
    let house = house(&openid, "direct = true\nenabled = false").await;
    let (page, way) = follows(&mut house.browser(), "/login").await;
    assert_eq!((page.status, way.len()), (StatusCode::OK, 1));
    assert!(page.hidden("csrf").is_some() && !page.body.contains("/login/corp"), "{}", page.body);
    assert_eq!(house.browser().get("/login/corp").await.status, StatusCode::NOT_FOUND);
    assert!(openid.script().heard.is_empty());
}

#[tokio::test]
async fn whoever_the_provider_or_this_service_refuses_stays_on_a_page() {
    let openid = OpenId::start().await;
    let house = house(&openid, "direct = true\non_first_sign_in = \"deny\"").await;
    let mut browser = house.browser();
    let (left, _) = follows(&mut browser, "/login").await;
    let back = openid.consents(left.location());
    let (refused, way) = follows(&mut browser, &back).await;
    is_refused(&refused);
    assert_eq!((way.len(), refused.header("refresh")), (1, ""));
    // The provider knows her and says yes each time: the page must not offer to try that again.
    assert!(!refused.body.contains("href=\"/login/corp\"") && !refused.body.contains("href=\"/login\""));
    assert_eq!(house.count_acts("account.created").await, 0);
    openid.claim("iss", json!("https://evil.example"));
    let (left, _) = follows(&mut browser, "/login").await;
    let (refused, way) = follows(&mut browser, &openid.consents(left.location())).await;
    is_refused(&refused);
    assert_eq!(way.len(), 1);
}

#[tokio::test]
async fn after_signing_out_nothing_leads_in_again_by_itself() {
    let openid = OpenId::start().await;
    let house = house(&openid, "direct = true\nsingle_logout = false\n[autologin]\ndays = 14").await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp?stay=1").await;
    assert_eq!(browser.get(&openid.consents(left.location())).await.location(), "/account");
    assert!(browser.cookies.contains_key("autologin"));
    let out = browser.submit("/logout", "/logout", &[]).await;
    let (done, way) = follows(&mut browser, out.location()).await;
    assert_eq!((done.status, way.len(), done.header("refresh")), (StatusCode::OK, 1, ""));
    assert!(done.body.contains("but not at Corp SSO"), "{}", done.body);
    assert!(!browser.is_signed_in().await && !browser.cookies.contains_key("autologin"));
    // Who wants in again is led there only by asking for it.
    let (led, way) = follows(&mut browser, "/login").await;
    assert_eq!(way, ["/login", "/login/corp"]);
    assert!(led.location().starts_with(&openid.issuer));
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn whoever_is_in_already_is_not_sent_away() {
    let openid = OpenId::start().await;
    let house = house(&openid, "direct = true").await;
    let mut browser = house.browser();
    signs_in(&mut browser, &openid).await;
    for path in ["/login?return_to=%2Faccount%2Fprofile", "/login/corp?return_to=%2Faccount%2Fprofile"] {
        let (page, way) = follows(&mut browser, path).await;
        assert_eq!((page.status, way.last().map(String::as_str)), (StatusCode::OK, Some("/account/profile")));
    }
    for foreign in ["/login?return_to=https%3A%2F%2Fevil.example", "/login/corp?return_to=%2F%2Fevil.example"] {
        let answer = house.browser().get(foreign).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::BAD_REQUEST, ""), "{foreign}");
    }
}

#[tokio::test]
async fn nothing_on_the_way_to_providers_and_back_may_be_kept() {
    let openid = OpenId::start().await;
    let saml = "[[identity_provider]]\nslug = \"adfs\"\nkind = \"saml\"\nmetadata_file = \"/nowhere/idp.xml\"\n";
    let house = House::with(&format!("{}{saml}", openid.configuration("response_mode = \"form_post\""))).await;
    for path in [
        "/login/corp",
        "/login/corp/callback",
        "/login/corp/callback?code=x&state=y",
        "/login/corp/callback?outcome=none",
        "/login/corp/logout?state=x",
        "/login/corp/frontchannel-logout?iss=x&sid=y",
        "/login/corp/acs",
        "/login/adfs",
        "/login/adfs/acs?outcome=none",
        "/login/adfs/slo?SAMLRequest=x",
        "/login/adfs/callback",
    ] {
        let answer = house.browser().get(path).await;
        assert!(answer.status.as_u16() < 500, "{path}: {}", answer.status);
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
    let long = "A".repeat(700_000);
    for (path, fields) in [
        ("/login/corp/callback", vec![("code", "x"), ("state", "y")]),
        ("/login/corp/callback", vec![]),
        ("/login/corp/backchannel-logout", vec![("logout_token", "x")]),
        ("/login/adfs/acs", vec![("SAMLResponse", "AAAA")]),
        ("/login/adfs/acs", vec![("SAMLResponse", long.as_str())]),
        ("/login/adfs/acs", vec![]),
        ("/login/adfs/slo", vec![("SAMLRequest", "AAAA")]),
        ("/login/nobody/acs", vec![("SAMLResponse", "AAAA")]),
    ] {
        let mut foreign = house.browser().sending("sec-fetch-site", "cross-site");
        let answer = foreign.post(path, &fields).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert!(answer.sets("_vestibule_session").is_none());
    }
}
