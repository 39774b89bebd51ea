//! Signing in with an OpenID provider, as browsers see it. `openid_conformance.rs` has what a provider must not get away
//! with.

use crate::support::openid::{self, CLIENT, NOW, SECRET};
use crate::support::{Answer, Browser, House, OpenId, PASSWORD};
use axum::body::Body;
use base64::Engine;
use http::{Request, StatusCode};
use serde_json::json;
use std::time::Duration;

pub(super) async fn house(openid: &OpenId, more: &str) -> House {
    House::with(&openid.configuration(more)).await
}

/// Goes to the provider and comes back with its yes.
pub(super) async fn signs_in(browser: &mut Browser, openid: &OpenId) -> Answer {
    let left = browser.get("/login/corp").await;
    assert_eq!(left.status, StatusCode::SEE_OTHER, "{}", left.body);
    let back = openid.consents(left.location());
    browser.get(&back).await
}

pub(super) fn is_refused(answer: &Answer) {
    assert!(answer.status.is_client_error(), "{}: {}", answer.status, answer.body);
    assert!(answer.body.contains("error-id"), "there is no id to ask with: {}", answer.body);
    assert!(answer.sets("_vestibule_session").is_none());
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn somebody_signs_in_and_arrives_where_they_wanted() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = house.browser();
    let shown = browser.get("/login?return_to=%2Faccount%2Fprofile").await;
    assert!(shown.body.contains("href=\"/login/corp?return_to=%2Faccount%2Fprofile\""), "{}", shown.body);
    assert!(shown.body.contains("Continue with Corp SSO"));
    let left = browser.get("/login/corp?return_to=%2Faccount%2Fprofile").await;
    assert_eq!(left.header("cache-control"), "no-store");
    let asked = openid.reads(left.location());
    for (name, value) in [("response_type", "code"), ("client_id", CLIENT), ("code_challenge_method", "S256")] {
        assert_eq!(asked[name], value);
    }
    assert_eq!(asked["scope"], "openid profile email");
    assert_eq!(asked["redirect_uri"], "http://localhost:8080/login/corp/callback");
    assert!(asked["nonce"].len() >= 32 && asked["state"].len() >= 32 && asked["code_challenge"].len() == 43);
    assert!(!asked.contains_key("response_mode") && !asked.contains_key("max_age"));
    let back = browser.get(&openid.consents(left.location())).await;
    assert_eq!((back.status, back.location()), (StatusCode::SEE_OTHER, "/account/profile"));
    assert!(browser.is_signed_in().await);
    let sessions = browser.get("/account/sessions").await;
    assert!(sessions.body.contains("Corp SSO"), "the way is not named");
    assert_eq!(house.named("anna").await.name, "Anna Berg");
    // One question each: what came back cannot be used again.
    browser.cookies.remove("_vestibule_session");
    is_refused(&browser.get(&openid.consents(left.location())).await);
    assert_eq!(openid.count("/token"), 1);
}

#[tokio::test]
async fn the_answer_counts_only_in_the_browser_that_left() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut eve = house.browser_at("203.0.113.9:1");
    let back = openid.consents(eve.get("/login/corp").await.location());
    let mut anna = house.browser();
    is_refused(&anna.get(&back).await);
    // Also with a question of her own open.
    anna.get("/login/corp").await;
    is_refused(&anna.get(&back).await);
    assert!(!anna.is_signed_in().await);
    assert_eq!(openid.count("/token"), 0, "a code that Eve planted was redeemed");
}

#[tokio::test]
async fn two_tabs_do_not_end_each_other() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = house.browser();
    let first = browser.get("/login/corp?return_to=%2Faccount%2Fprofile").await.location().to_owned();
    let second = browser.get("/login/corp").await.location().to_owned();
    let back = openid.consents(&first);
    assert_eq!(browser.get(&back).await.location(), "/account/profile");
    // The second tab finds that they are in already.
    let back = openid.consents(&second);
    assert_eq!(browser.get(&back).await.location(), "/account");
}

#[tokio::test]
async fn an_old_question_is_no_longer_answered() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = house.browser();
    let back = openid.consents(browser.get("/login/corp").await.location());
    house.after(Duration::from_mins(16));
    is_refused(&browser.get(&back).await);
    assert_eq!(openid.count("/token"), 0);
}

#[tokio::test]
async fn an_answer_by_post_is_fetched_by_the_browser_that_left() {
    let openid = OpenId::start().await;
    let house = house(&openid, "response_mode = \"form_post\"").await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp").await;
    assert_eq!(openid.reads(left.location())["response_mode"], "form_post");
    let state = openid.reads(left.location())["state"].clone();
    // The provider's page posts: no Lax cookies, another origin.
    let mut foreign = house.browser().sending("origin", "https://idp.example").sending("sec-fetch-site", "cross-site");
    let fields = [("code", "the-code"), ("state", state.as_str())];
    let posted = foreign.post("/login/corp/callback", &fields).await;
    assert_eq!(posted.status, StatusCode::SEE_OTHER);
    assert!(posted.location().starts_with("/login/corp/callback?outcome="), "{}", posted.location());
    assert!(posted.sets("_vestibule_session").is_none() && !posted.location().contains("the-code"));
    assert_eq!(openid.count("/token"), 0, "nothing is redeemed before the cookie was seen");
    // Somebody else who learns of the address gets nothing, and spends it.
    let answered = browser.get(posted.location()).await;
    assert_eq!(answered.location(), "/account");
    assert!(browser.is_signed_in().await);
    let mut eve = house.browser();
    is_refused(&eve.get(posted.location()).await);
}

#[tokio::test]
async fn a_posted_answer_does_nothing_in_another_browser() {
    let openid = OpenId::start().await;
    let house = house(&openid, "response_mode = \"form_post\"").await;
    let state = openid.reads(house.browser().get("/login/corp").await.location())["state"].clone();
    let mut victim = house.browser_at("203.0.113.9:1");
    let posted = victim.post("/login/corp/callback", &[("code", "the-code"), ("state", &state)]).await;
    is_refused(&victim.get(posted.location()).await);
    assert_eq!(openid.count("/token"), 0);
}

#[tokio::test]
async fn posts_that_cannot_be_answers_are_refused_and_kept_nowhere() {
    let openid = OpenId::start().await;
    let house = house(&openid, "response_mode = \"form_post\"").await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp").await;
    let state = openid.reads(left.location())["state"].clone();
    let long = "x".repeat(5000);
    for fields in [
        vec![("code", "the-code")],
        vec![("code", "the-code"), ("state", "guessed")],
        vec![("state", state.as_str())],
        vec![("state", &state), ("code", "a"), ("error", "b")],
        vec![("state", &state), ("code", &long)],
    ] {
        is_refused(&browser.post("/login/corp/callback", &fields).await);
    }
    let twice = browser.post("/login/corp/callback", &[("state", &state), ("state", &state), ("code", "x")]).await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
    let plain = Request::post("/login/corp/callback").header("content-type", "text/plain").body(Body::from("x"));
    let answer = browser.send(plain.expect("a request")).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    // And a code by query, where it should have been posted, stands in logs already.
    is_refused(&browser.get(&openid.consents(left.location())).await);
    assert_eq!(openid.count("/token"), 0);
}

#[tokio::test]
async fn a_posted_answer_waits_for_minutes_only() {
    let openid = OpenId::start().await;
    let house = house(&openid, "response_mode = \"form_post\"").await;
    let mut browser = house.browser();
    let state = openid.reads(browser.get("/login/corp").await.location())["state"].clone();
    let posted = browser.post("/login/corp/callback", &[("code", "the-code"), ("state", &state)]).await;
    house.after(Duration::from_mins(3));
    is_refused(&browser.get(posted.location()).await);
}

#[tokio::test]
async fn a_provider_by_query_takes_no_posts() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = house.browser();
    let state = openid.reads(browser.get("/login/corp").await.location())["state"].clone();
    is_refused(&browser.post("/login/corp/callback", &[("code", "the-code"), ("state", &state)]).await);
}

#[tokio::test]
async fn a_refusal_of_the_provider_is_told_and_quotes_nothing() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = house.browser();
    let state = openid.reads(browser.get("/login/corp").await.location())["state"].clone();
    let hostile = format!("/login/corp/callback?error=access_denied&error_description=%3Cscript%3E&state={state}");
    let answer = browser.get(&hostile).await;
    is_refused(&answer);
    assert!(answer.body.contains("Corp SSO did not sign you in"), "{}", answer.body);
    assert!(!answer.body.contains("<script>") && !answer.body.contains("access_denied"));
    assert_eq!(house.count_acts("sign_in.failed").await, 1);
}

#[tokio::test]
async fn nonsense_at_the_callback_is_a_bad_request_at_most() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = house.browser();
    browser.get("/login/corp").await;
    for query in ["", "?", "?code=x", "?state=x", "?code=x&state=y", "?outcome=x", "?outcome=%00", "?state=%FF&code=x"]
    {
        let answer = browser.get(&format!("/login/corp/callback{query}")).await;
        assert!(answer.status.is_client_error(), "{query}: {}", answer.status);
    }
    for unknown in ["/login/nobody", "/login/nobody/callback?code=x&state=y", "/login/corp%2f", "/login/.."] {
        assert_eq!(browser.get(unknown).await.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    let foreign = browser.get("/login/corp?return_to=https%3A%2F%2Fevil.example").await;
    assert_eq!(foreign.status, StatusCode::BAD_REQUEST);
    assert_eq!(openid.count("/token"), 0);
}

#[tokio::test]
async fn what_was_configured_is_asked_for() {
    let openid = OpenId::start().await;
    let more = "scopes = [\"openid\", \"roles\"]\nacr_values = [\"a\", \"b\"]\nmax_age = 60\nprompt = \"login consent\"\n\
                claims = '{\"id_token\": {\"acr\": {\"essential\": true, \"values\": [\"a\", \"b\"]}}}'";
    let house = house(&openid, more).await;
    let mut browser = house.browser();
    let asked = openid.reads(browser.get("/login/corp").await.location());
    assert_eq!((asked["scope"].as_str(), asked["acr_values"].as_str()), ("openid roles", "a b"));
    assert_eq!((asked["max_age"].as_str(), asked["prompt"].as_str()), ("60", "login consent"));
    assert!(asked["claims"].contains("essential"));
    // The essential claim does not come, then with a value that was not asked for, then as asked.
    is_refused(&signs_in(&mut browser, &openid).await);
    openid.claim("acr", json!("c"));
    is_refused(&signs_in(&mut browser, &openid).await);
    openid.claim("acr", json!("b"));
    assert_eq!(signs_in(&mut browser, &openid).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn max_age_is_held_against_the_provider() {
    let openid = OpenId::start().await;
    let house = house(&openid, "max_age = 60").await;
    let mut browser = house.browser();
    openid.claim("auth_time", json!(null));
    is_refused(&signs_in(&mut browser, &openid).await);
    openid.claim("auth_time", json!(NOW - 121));
    is_refused(&signs_in(&mut browser, &openid).await);
    openid.claim("auth_time", json!(NOW - 119));
    assert_eq!(signs_in(&mut browser, &openid).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_issuer_in_the_answer_must_be_the_one_that_was_asked() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = house.browser();
    let with = |location: &str, iss: &str| {
        let iss = url::form_urlencoded::byte_serialize(iss.as_bytes()).collect::<String>();
        format!("{}&iss={iss}", openid.consents(location))
    };
    let left = browser.get("/login/corp").await;
    is_refused(&browser.get(&with(left.location(), "https://evil.example")).await);
    let left = browser.get("/login/corp").await;
    assert_eq!(browser.get(&with(left.location(), &openid.issuer)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(openid.count("/token"), 1, "a code of the wrong issuer was sent to this one");
}

#[tokio::test]
async fn an_issuer_that_was_promised_must_come() {
    let openid = OpenId::start().await;
    openid.script().metadata = std::sync::Arc::new(|metadata| {
        metadata.insert("authorization_response_iss_parameter_supported".into(), json!(true));
    });
    let house = house(&openid, "").await;
    is_refused(&signs_in(&mut house.browser(), &openid).await);
    let mut browser = house.browser();
    let state = openid.reads(browser.get("/login/corp").await.location())["state"].clone();
    is_refused(&browser.get(&format!("/login/corp/callback?error=access_denied&state={state}")).await);
    assert_eq!(openid.count("/token"), 0);
}

#[tokio::test]
async fn an_answer_for_one_provider_is_worth_nothing_to_another() {
    let (honest, evil) = (OpenId::start().await, OpenId::start().await);
    let other = evil.configuration("").replace("\"corp\"", "\"other\"");
    let house = House::with(&format!("{}{other}", honest.configuration(""))).await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp").await;
    let mixed = honest.consents(left.location()).replace("/login/corp/", "/login/other/");
    is_refused(&browser.get(&mixed).await);
    assert_eq!((honest.count("/token"), evil.count("/token")), (0, 0));
}

#[tokio::test]
async fn this_service_proves_itself_as_configured() {
    let openid = OpenId::start().await;
    let proofs = |openid: &OpenId| {
        let heard = openid.script().heard.clone();
        heard.into_iter().find(|(path, _, _)| path == "/token").map(|(_, authorization, body)| (authorization, body))
    };
    let basic = house(&openid, "").await;
    signs_in(&mut basic.browser(), &openid).await;
    let (authorization, body) = proofs(&openid).expect("heard");
    let credentials = base64::engine::general_purpose::STANDARD.decode(authorization.trim_start_matches("Basic "));
    // RFC 6749 section 2.3.1: each part is form-encoded before they are joined.
    assert_eq!(credentials.expect("base64"), b"vestibule:the%3Asecret%2Fof+us");
    assert!(!body.contains("client_secret"));
    openid.script().heard.clear();
    let post = house(&openid, "client_authentication = \"client_secret_post\"").await;
    signs_in(&mut post.browser(), &openid).await;
    let (authorization, body) = proofs(&openid).expect("heard");
    assert_eq!(authorization, "");
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert!(fields.contains(&("client_secret".into(), SECRET.into())));
    assert!(fields.contains(&("client_id".into(), CLIENT.into())));
}

#[tokio::test]
async fn this_service_proves_itself_with_a_key() {
    let openid = OpenId::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("client.pem");
    let pem = openid::ec_pem();
    std::fs::write(&file, &pem).expect("written");
    let more = format!(
        "client_authentication = \"private_key_jwt\"\nprivate_key_file = {:?}\nprivate_key_id = \"k1\"",
        file.to_str().expect("UTF-8")
    );
    let house = house(&openid, &more).await;
    assert_eq!(signs_in(&mut house.browser(), &openid).await.status, StatusCode::SEE_OTHER);
    let body = openid.script().heard.iter().find(|(path, _, _)| path == "/token").expect("heard").2.clone();
    let fields: std::collections::HashMap<String, String> =
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert_eq!(fields["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert!(!fields.contains_key("client_secret"));
    let header = jsonwebtoken::decode_header(&fields["client_assertion"]).expect("a header");
    assert_eq!((header.kid.as_deref(), header.alg), (Some("k1"), jsonwebtoken::Algorithm::ES256));
    let key = jsonwebtoken::EncodingKey::from_ec_pem(&pem).expect("a key");
    let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, jsonwebtoken::Algorithm::ES256).expect("a key");
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a key");
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    let claims = jsonwebtoken::decode::<serde_json::Value>(&fields["client_assertion"], &key, &validation);
    let claims = claims.expect("signed by us").claims;
    assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some(CLIENT), Some(CLIENT)));
    assert_eq!(claims["exp"], json!(NOW + 60));
    assert!(claims["aud"].to_string().contains(&openid.issuer) && claims["jti"].is_string());
}

#[tokio::test]
async fn endpoints_can_be_set_by_hand() {
    let openid = OpenId::start().await;
    let issuer = openid.issuer.clone();
    let more = format!(
        "discovery = false\nauthorization_endpoint = \"{issuer}/authorize\"\ntoken_endpoint = \"{issuer}/token\"\n\
         jwks_uri = \"{issuer}/jwks\"\nuserinfo_endpoint = \"{issuer}/userinfo\""
    );
    let house = house(&openid, &more).await;
    assert_eq!(signs_in(&mut house.browser(), &openid).await.status, StatusCode::SEE_OTHER);
    assert_eq!(openid.count("/.well-known/openid-configuration"), 0);
}

#[tokio::test]
async fn one_provider_can_be_the_way_in() {
    let openid = OpenId::start().await;
    let house = house(&openid, "direct = true").await;
    let mut browser = house.browser();
    let answer = browser.get("/login?return_to=%2Faccount%2Fprofile").await;
    assert_eq!(answer.location(), "/login/corp?return_to=%2Faccount%2Fprofile");
    assert!(browser.get("/login?choose=1").await.body.contains("Continue with Corp SSO"));
    assert_eq!(browser.get("/login/internal").await.status, StatusCode::OK);
    assert_eq!(browser.get("/logout/done").await.status, StatusCode::OK, "no loop back in");
}

#[tokio::test]
async fn conflicts_say_what_to_do() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    house.account("anna").await;
    let answer = signs_in(&mut house.browser(), &openid).await;
    is_refused(&answer);
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("Another account here has the username that Corp SSO gives you"), "{}", answer.body);
}

#[tokio::test]
async fn an_identity_is_added_after_a_look_and_removed_unless_it_is_the_last_way_in() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    house.account("anna").await;
    let mut browser = house.browser();
    assert_eq!(browser.get("/login/corp?add=1").await.location(), "/login?return_to=%2Flogin%2Fcorp%3Fadd%3D1");
    browser.signs_in("anna", PASSWORD).await;
    assert!(browser.get("/account/identities").await.body.contains("/login/corp?add=1"));
    let left = browser.get("/login/corp?add=1").await;
    let asked = browser.get(&openid.consents(left.location())).await;
    assert!(asked.location().starts_with("/account/identities/add?question="), "{}", asked.location());
    let page = browser.get(asked.location()).await;
    assert!(page.body.contains("Anna Berg") && page.body.contains("Corp SSO"), "{}", page.body);
    assert_eq!(house.count_acts("identity.linked").await, 0, "nothing is added by following a link");
    let question = page.hidden("question").expect("a question");
    // Somebody else cannot answer it.
    house.account("ben").await;
    let mut ben = house.browser();
    ben.signs_in("ben", PASSWORD).await;
    assert_eq!(ben.get(asked.location()).await.status, StatusCode::NOT_FOUND);
    // A while later a fresh proof is asked for.
    house.after(Duration::from_mins(9) + Duration::from_secs(59));
    assert_eq!(browser.get(asked.location()).await.status, StatusCode::OK);
    let csrf = page.hidden("csrf").expect("a form");
    let added = browser.post("/account/identities/add", &[("csrf", &csrf), ("question", &question)]).await;
    assert_eq!(added.location(), "/account/identities");
    assert_eq!(house.count_acts("identity.linked").await, 1);
    let again = browser.post("/account/identities/add", &[("csrf", &csrf), ("question", &question)]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    // She comes in with it, and to her own account.
    openid.claim("exp", json!(NOW + 3600));
    let mut other = house.browser();
    assert_eq!(signs_in(&mut other, &openid).await.status, StatusCode::SEE_OTHER);
    assert_eq!(house.named("anna").await.name, "anna Example", "an added identity leads nothing");
    house.after(Duration::from_mins(1));
    let list = browser.get("/account/identities").await;
    let id = list.hidden("identity").expect("removable");
    let fields = [("csrf", csrf.as_str()), ("identity", id.as_str())];
    let led = browser.post("/account/identities/remove", &fields).await;
    assert!(led.location().starts_with("/login/confirm?return_to=%2Faccount%2Fidentities"), "{}", led.location());
    assert_eq!(house.count_acts("identity.unlinked").await, 0);
    browser.submit(led.location(), "/login/confirm", &[("password", PASSWORD)]).await;
    let removed = browser.submit("/account/identities", "/account/identities/remove", &fields[1..]).await;
    assert_eq!(removed.location(), "/account/identities");
    assert_eq!(house.count_acts("identity.unlinked").await, 1);
    let told: Vec<_> = house.letters().await.into_iter().filter(|one| one.text.contains("Corp SSO")).collect();
    assert_eq!(told.len(), 2, "added, removed: {told:?}");
}

#[tokio::test]
async fn the_last_way_in_stays() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = house.browser();
    signs_in(&mut browser, &openid).await;
    let list = browser.get("/account/identities").await;
    assert!(list.body.contains("only way in") && list.hidden("identity").is_none(), "{}", list.body);
    let csrf = list.hidden("csrf").expect("a form");
    let mut link = house.app.core.database.read().await.expect("a database");
    let account = house.named("anna").await;
    let identities = vestibule::store::identity::of_account(&mut link, account.id).await.expect("identities");
    let id = identities[0].id.to_string();
    drop(link);
    let refused = browser.post("/account/identities/remove", &[("csrf", &csrf), ("identity", &id)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.count_acts("identity.unlinked").await, 0);
}

#[tokio::test]
async fn an_identity_of_somebody_else_cannot_be_added() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    signs_in(&mut house.browser(), &openid).await;
    house.account("ben").await;
    let mut ben = house.browser();
    ben.signs_in("ben", PASSWORD).await;
    let left = ben.get("/login/corp?add=1").await;
    let answer = ben.get(&openid.consents(left.location())).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("belongs to another account"), "{}", answer.body);
}
