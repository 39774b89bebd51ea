//! What a provider's word about a second factor is worth here, devices that are spared it, and proving anew through a
//! provider.

use super::provider::{house, is_refused, signs_in};
use crate::support::factors::binds;
use crate::support::openid::NOW;
use crate::support::{Browser, House, OpenId};
use http::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

const REQUIRED: &str = "[second_factor]\nrequired = \"all\"";

fn says(openid: &OpenId, acr: &'static str, amr: &'static [&'static str]) {
    openid.claims(move |claims| {
        claims.insert("acr".into(), json!(acr));
        claims.insert("amr".into(), json!(amr));
    });
}

/// How the session says that its owner proved who they are.
async fn proved(browser: &mut Browser) -> String {
    let whoami: Value = serde_json::from_str(&browser.get("/api/v1/session").await.body).expect("JSON");
    whoami["session"]["amr"].to_string()
}

#[tokio::test]
async fn the_providers_factor_counts_only_where_the_operator_believes_it() {
    for (more, acr, amr, counts) in [
        ("", "gold", &["pwd", "mfa"][..], false),
        ("second_factor_amr = [\"mfa\"]", "gold", &["pwd", "mfa"], true),
        ("second_factor_amr = [\"mfa\"]", "mfa", &["pwd"], false),
        ("second_factor_acr = [\"gold\"]", "gold", &["pwd"], true),
        ("second_factor_acr = [\"gold\"]", "silver", &["gold"], false),
    ] {
        let openid = OpenId::start().await;
        says(&openid, acr, amr);
        let house = house(&openid, &format!("{more}\n{REQUIRED}")).await;
        let mut browser = house.browser();
        let answer = signs_in(&mut browser, &openid).await;
        let wanted = if counts { "/account" } else { "/login/step/enrol" };
        assert_eq!(answer.location(), wanted, "{more} {acr} {amr:?}");
        assert_eq!(browser.is_signed_in().await, counts);
        if counts {
            assert_eq!(proved(&mut browser).await, r#"["mfa","federated"]"#);
        }
    }
}

#[tokio::test]
async fn whoever_has_a_factor_here_shows_it_unless_the_providers_counts() {
    for (more, owed) in [("", true), ("second_factor_amr = [\"mfa\"]", false)] {
        let openid = OpenId::start().await;
        let house = house(&openid, more).await;
        let mut browser = house.browser();
        signs_in(&mut browser, &openid).await;
        assert!(!proved(&mut browser).await.contains("mfa"));
        binds(&house, &mut browser).await;
        says(&openid, "x", &["mfa"]);
        let answer = signs_in(&mut house.browser(), &openid).await;
        let wanted = if owed { "/login/step/factor" } else { "/account" };
        assert_eq!(answer.location(), wanted, "{more}");
    }
}

#[tokio::test]
async fn a_device_is_spared_the_factor_also_through_a_provider() {
    let openid = OpenId::start().await;
    let house = house(&openid, "[second_factor]\nremember_days = 30").await;
    let mut browser = house.browser();
    signs_in(&mut browser, &openid).await;
    let (phone, _) = binds(&house, &mut browser).await;
    let mut browser = house.browser();
    assert_eq!(signs_in(&mut browser, &openid).await.location(), "/login/step/factor");
    let code = phone.code(&house);
    let fields = [("way", "totp"), ("code", code.as_str()), ("keep", "1")];
    let kept = browser.submit("/login/step/factor", "/login/step/factor", &fields).await;
    assert_eq!(kept.location(), "/account", "{}", kept.body);
    assert!(kept.sets("remember_2fa").is_some());
    let mut browser = browser.restarted();
    let spared = signs_in(&mut browser, &openid).await;
    assert_eq!(spared.location(), "/account");
    assert!(spared.sets("remember_2fa").is_some(), "its token is used up each time");
    assert!(proved(&mut browser).await.contains("remembered_device"));
    // Another browser is not, and neither is this one after the provider has signed it out.
    assert_eq!(signs_in(&mut house.browser(), &openid).await.location(), "/login/step/factor");
    let token = openid.logout_token(|_| {});
    house.browser().post("/login/corp/backchannel-logout", &[("logout_token", &token)]).await;
    let mut browser = browser.restarted();
    assert_eq!(signs_in(&mut browser, &openid).await.location(), "/login/step/factor");
}

/// Anna has no password; her proof is old.
async fn anna_a_while_ago(house: &House, openid: &OpenId) -> Browser {
    let mut browser = house.browser();
    signs_in(&mut browser, openid).await;
    house.after(Duration::from_mins(30));
    browser
}

#[tokio::test]
async fn somebody_without_a_password_proves_anew_at_the_provider() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = anna_a_while_ago(&house, &openid).await;
    let led = browser.get("/account/security/totp").await;
    assert!(led.location().starts_with("/login/confirm?return_to="), "{}", led.location());
    let page = browser.get(led.location()).await;
    assert!(page.body.contains("once more") && page.body.contains("Continue with Corp SSO"), "{}", page.body);
    let href = page.body.split("href=\"").find(|part| part.starts_with("/login/corp?")).expect("a way");
    let href = href.split('"').next().expect("an end").replace("&amp;", "&").replace("&#38;", "&");
    let left = browser.get(&href).await;
    let asked = openid.reads(left.location());
    assert_eq!((asked["prompt"].as_str(), asked["max_age"].as_str()), ("login", "0"));
    // A sign-in from before is none.
    openid.claims(|claims| {
        claims.insert("exp".into(), json!(NOW + 3600));
        claims.insert("auth_time".into(), json!(NOW + 1800 - 61));
    });
    is_refused(&browser.get(&openid.consents(left.location())).await);
    let again = browser.get("/account/security/totp").await;
    assert!(again.location().starts_with("/login/confirm"), "{}", again.location());
    let left = browser.get(&href).await;
    openid.claims(|claims| {
        claims.insert("exp".into(), json!(NOW + 3600));
        claims.insert("auth_time".into(), json!(NOW + 1800));
    });
    let back = browser.get(&openid.consents(left.location())).await;
    assert_eq!(back.location(), "/account/security/totp");
    assert_eq!(browser.get("/account/security/totp").await.status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_else_proves_it_for_them() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = anna_a_while_ago(&house, &openid).await;
    let left = browser.get("/login/corp?confirm=1&return_to=%2Faccount%2Fsecurity%2Ftotp").await;
    openid.claims(|claims| {
        claims.insert("exp".into(), json!(NOW + 3600));
        claims.insert("auth_time".into(), json!(NOW + 1800));
        claims.insert("sub".into(), json!("ben-at-corp"));
    });
    openid.script().userinfo["sub"] = json!("ben-at-corp");
    is_refused(&browser.get(&openid.consents(left.location())).await);
    let led = browser.get("/account/security/totp").await;
    assert!(led.location().starts_with("/login/confirm"), "{}", led.location());
    assert_eq!(house.count_acts("account.created").await, 1, "Ben came to confirm, not to get an account");
    // Without a session there is nothing to confirm.
    let left = house.browser().get("/login/corp?confirm=1").await;
    assert!(left.location().starts_with("/login?return_to="), "{}", left.location());
}

#[tokio::test]
async fn identities_change_only_after_a_fresh_proof() {
    let (corp, club) = (OpenId::start().await, OpenId::start().await);
    let other = club.configuration("").replace("\"corp\"", "\"club\"").replace("Corp SSO", "Club");
    let fresh = "[second_factor]\nfresh_for = \"1m\"\n";
    let house = House::with(&format!("{fresh}{}{other}", corp.configuration(""))).await;
    let mut browser = house.browser();
    signs_in(&mut browser, &corp).await;
    let left = browser.get("/login/club?add=1").await;
    let asked = browser.get(&club.consents(left.location())).await;
    let form = browser.get(asked.location()).await;
    let (csrf, question) = (form.hidden("csrf").expect("a form"), form.hidden("question").expect("a question"));
    // A minute is the least that an operator can set, and what everything else asks for.
    house.after(Duration::from_secs(61));
    let led = browser.get("/login/club?add=1").await;
    assert!(led.location().starts_with("/login/confirm?return_to=%2Flogin%2Fclub"), "{}", led.location());
    let led = browser.get(asked.location()).await;
    assert!(led.location().starts_with("/login/confirm?return_to=%2Faccount%2Fidentities%2Fadd"), "{}", led.location());
    let led = browser.post("/account/identities/add", &[("csrf", &csrf), ("question", &question)]).await;
    assert!(led.location().starts_with("/login/confirm"), "{}", led.location());
    let list = browser.get("/account/identities").await;
    let csrf = list.hidden("csrf").expect("a form");
    let fields = [("csrf", csrf.as_str()), ("identity", "00000000-0000-0000-0000-000000000000")];
    let refused = browser.post("/account/identities/remove", &fields).await;
    assert!(
        refused.location().starts_with("/login/confirm?return_to=%2Faccount%2Fidentities"),
        "{}",
        refused.location()
    );
    assert_eq!(house.count_acts("identity.linked").await, 1, "the one that she came with");
}
