//! The relying-party modules of the OpenID conformance suite (plans basic, config and form post), natively: each test is
//! named after its module (`oidcc-client-test-…`), and each runs with both response modes; `openid_plans.rs` has the list of them.
//! Then the check list for relying parties that goes beyond them.

use super::provider::{house, is_refused};
use crate::support::openid::{self, CLIENT, Canned, NOW, Signer};
use crate::support::{Answer, House, OpenId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::time::Duration;

const MODES: [&str; 2] = ["", "response_mode = \"form_post\""];

/// One sign-in in a new browser, there and back.
async fn round(house: &House, openid: &OpenId) -> Answer {
    let mut browser = house.browser();
    let left = browser.get("/login/corp").await;
    if left.status != StatusCode::SEE_OTHER {
        return left;
    }
    let question = openid.reads(left.location());
    if question.get("response_mode").map(String::as_str) != Some("form_post") {
        return browser.get(&openid.consents(left.location())).await;
    }
    let mut foreign = house.browser().sending("origin", "https://idp.example").sending("sec-fetch-site", "cross-site");
    let fields = [("code", "the-code"), ("state", question["state"].as_str())];
    let posted = foreign.post("/login/corp/callback", &fields).await;
    browser.get(posted.location()).await
}

fn is_in(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(answer.sets("_vestibule_session").is_some());
}

/// A provider that does something wrong gets nobody in, in either mode; the same provider behaving well does.
async fn refused(wrong: impl Fn(&OpenId)) {
    for mode in MODES {
        let openid = OpenId::start().await;
        wrong(&openid);
        let house = house(&openid, mode).await;
        is_refused(&round(&house, &openid).await);
        assert_eq!(house.count_acts("sign_in.succeeded").await, 0);
        assert_eq!(house.count_acts("account.created").await, 0);
        assert_eq!(house.count_acts("sign_in.failed").await, 1, "it is written down once");
    }
}

async fn accepted(right: impl Fn(&OpenId)) -> (House, OpenId) {
    let mut last = None;
    for mode in MODES {
        let openid = OpenId::start().await;
        right(&openid);
        let house = house(&openid, mode).await;
        is_in(&round(&house, &openid).await);
        last = Some((house, openid));
    }
    last.expect("two modes")
}

fn unsigned(claims: &Value, header: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(header), part(claims))
}

#[tokio::test]
async fn oidcc_client_test() {
    accepted(|_| {}).await;
}

#[tokio::test]
async fn oidcc_client_test_client_secret_basic() {
    let (_, openid) = accepted(|_| {}).await;
    assert!(openid.script().heard.iter().any(|(path, proof, _)| path == "/token" && proof.starts_with("Basic ")));
}

#[tokio::test]
async fn oidcc_client_test_idtoken_sig_rs256() {
    accepted(|openid| openid.signs_with(openid::rsa(1))).await;
}

#[tokio::test]
async fn oidcc_client_test_idtoken_sig_none() {
    refused(|openid| {
        openid.script().forge = Some(std::sync::Arc::new(|claims| unsigned(claims, &json!({"alg": "none"}))));
    })
    .await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_aud() {
    refused(|openid| openid.claim("aud", json!("somebody-else"))).await;
}

#[tokio::test]
async fn oidcc_client_test_missing_aud() {
    refused(|openid| openid.claim("aud", Value::Null)).await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_iss() {
    refused(|openid| openid.claim("iss", json!("https://evil.example"))).await;
}

#[tokio::test]
async fn oidcc_client_test_missing_iat() {
    refused(|openid| openid.claim("iat", Value::Null)).await;
}

#[tokio::test]
async fn oidcc_client_test_missing_sub() {
    refused(|openid| openid.claim("sub", Value::Null)).await;
}

#[tokio::test]
async fn oidcc_client_test_nonce_invalid() {
    refused(|openid| openid.claim("nonce", json!("another"))).await;
    refused(|openid| openid.claim("nonce", Value::Null)).await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_athash() {
    refused(|openid| openid.claim("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"))).await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_sig_rs256() {
    // Signed with a key that is not published, under the name of one that is.
    refused(|openid| openid.script().signer = openid::rsa(1)).await;
    refused(|openid| {
        let signer = openid::rsa(0);
        openid.script().forge = Some(std::sync::Arc::new(move |claims| {
            let mut header = Header::new(Algorithm::RS256);
            header.kid = Some(signer.kid.to_owned());
            let token = signer.sign(&header, claims);
            let cut = token.rfind('.').expect("a signature") + 1;
            let flipped = if token[cut..].starts_with('A') { "B" } else { "A" };
            format!("{}{flipped}{}", &token[..cut], &token[cut + 1..])
        }));
    })
    .await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_sig_es256() {
    refused(|openid| {
        openid.signs_with(openid::ec());
        openid.script().signer = openid::ec();
    })
    .await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_sig_hs256() {
    // The client secret, and the public key taken for a secret.
    for secret in [openid::SECRET.as_bytes().to_vec(), openid::rsa(0).public().to_string().into_bytes()] {
        refused(move |openid| {
            let secret = secret.clone();
            openid.script().forge = Some(std::sync::Arc::new(move |claims| {
                let mut header = Header::new(Algorithm::HS256);
                header.kid = Some("rsa-0".to_owned());
                jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&secret)).expect("signed")
            }));
        })
        .await;
    }
    // And a secret that the provider publishes as a key.
    refused(|openid| {
        let mut script = openid.script();
        let public = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode("public-secret"), "kid": "oct", "alg": "HS256"});
        script.keys.push(public);
        script.forge = Some(std::sync::Arc::new(|claims| {
            let mut header = Header::new(Algorithm::HS256);
            header.kid = Some("oct".to_owned());
            jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(b"public-secret")).expect("signed")
        }));
    })
    .await;
}

#[tokio::test]
async fn oidcc_client_test_kid_absent_single_jwks() {
    accepted(|openid| openid.script().header.kid = None).await;
}

#[tokio::test]
async fn oidcc_client_test_kid_absent_multiple_jwks() {
    accepted(|openid| {
        let mut script = openid.script();
        script.header.kid = None;
        script.keys = vec![openid::rsa(1).public(), openid::ec().public(), openid::rsa(0).public()];
    })
    .await;
}

#[tokio::test]
async fn oidcc_client_test_scope_userinfo_claims() {
    let (house, _) = accepted(|openid| openid.script().userinfo["name"] = json!("Anna of Userinfo")).await;
    assert_eq!(house.named("anna").await.name, "Anna of Userinfo");
}

#[tokio::test]
async fn oidcc_client_test_userinfo_bearer_header() {
    let (_, openid) = accepted(|_| {}).await;
    let heard = openid.script().heard.clone();
    let (_, bearer, body) = heard.iter().find(|(path, _, _)| path == "/userinfo").expect("asked");
    assert_eq!((bearer.as_str(), body.as_str()), ("Bearer the-access-token", ""));
}

#[tokio::test]
async fn oidcc_client_test_userinfo_invalid_sub() {
    refused(|openid| openid.script().userinfo["sub"] = json!("somebody-else")).await;
    refused(|openid| openid.script().userinfo["sub"] = Value::Null).await;
}

#[tokio::test]
async fn oidcc_client_test_userinfo_signed() {
    let says = |openid: &OpenId, signer: &Signer, audience: &str| {
        let mut claims = openid.script().userinfo.clone();
        claims["iss"] = json!(openid.issuer);
        claims["aud"] = json!(audience);
        let mut header = Header::new(signer.algorithm);
        header.kid = Some("rsa-0".to_owned());
        let body = signer.sign(&header, &claims).into_bytes();
        openid.script().canned.insert("/userinfo", Canned { status: 200, kind: "application/jwt", body });
    };
    let (house, _) = accepted(|openid| says(openid, &openid::rsa(0), CLIENT)).await;
    assert_eq!(house.named("anna").await.name, "Anna Berg");
    refused(|openid| says(openid, &openid::rsa(1), CLIENT)).await;
    refused(|openid| says(openid, &openid::rsa(0), "somebody-else")).await;
    refused(|openid| {
        let body = unsigned(&openid.script().userinfo.clone(), &json!({"alg": "none"})).into_bytes();
        openid.script().canned.insert("/userinfo", Canned { status: 200, kind: "application/jwt", body });
    })
    .await;
}

#[tokio::test]
async fn oidcc_client_test_discovery_openid_config() {
    let (_, openid) = accepted(|_| {}).await;
    assert_eq!(openid.count("/.well-known/openid-configuration"), 1);
}

#[tokio::test]
async fn oidcc_client_test_discovery_jwks_uri_keys() {
    let (_, openid) = accepted(|openid| {
        let (issuer, keys) = (openid.issuer.clone(), json!({ "keys": openid.script().keys }));
        openid.script().canned.insert("/keys-of-today", Canned::json(&keys));
        openid.script().metadata = std::sync::Arc::new(move |metadata| {
            metadata.insert("jwks_uri".into(), json!(format!("{issuer}/keys-of-today")));
        });
    })
    .await;
    assert_eq!((openid.count("/keys-of-today"), openid.count("/jwks")), (1, 0));
}

#[tokio::test]
async fn oidcc_client_test_discovery_issuer_mismatch() {
    refused(|openid| {
        openid.script().metadata = std::sync::Arc::new(|metadata| {
            metadata.insert("issuer".into(), json!("https://evil.example"));
        });
    })
    .await;
    refused(|openid| {
        let issuer = openid.issuer.clone();
        openid.script().metadata = std::sync::Arc::new(move |metadata| {
            metadata.insert("issuer".into(), json!(format!("{issuer}/")));
        });
    })
    .await;
}

#[tokio::test]
async fn oidcc_client_test_signing_key_rotation() {
    let (house, openid) = accepted(|_| {}).await;
    openid.signs_with(openid::rsa(1));
    is_in(&round(&house, &openid).await);
    assert_eq!(openid.count("/jwks"), 2);
}

#[tokio::test]
async fn oidcc_client_test_signing_key_rotation_just_before_signing() {
    for mode in MODES {
        let openid = OpenId::start().await;
        let house = house(&openid, mode).await;
        let mut browser = house.browser();
        let left = browser.get("/login/corp").await;
        let question = openid.reads(left.location());
        openid.signs_with(openid::ec());
        let answer = if mode.is_empty() {
            browser.get(&openid.consents(left.location())).await
        } else {
            let fields = [("code", "the-code"), ("state", question["state"].as_str())];
            let posted = house.browser().post("/login/corp/callback", &fields).await;
            browser.get(posted.location()).await
        };
        is_in(&answer);
    }
}

#[tokio::test]
async fn oidcc_client_test_form_post_error() {
    let openid = OpenId::start().await;
    let house = house(&openid, MODES[1]).await;
    let mut browser = house.browser();
    let state = openid.reads(browser.get("/login/corp").await.location())["state"].clone();
    let fields = [("error", "login_required"), ("state", state.as_str())];
    let posted = house.browser().post("/login/corp/callback", &fields).await;
    is_refused(&browser.get(posted.location()).await);
}

// Beyond the suite -----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn every_asymmetric_signature_is_believed_and_only_those_that_the_operator_allows() {
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512] {
        accepted(|openid| openid.signs_with(Signer { algorithm, ..openid::rsa(0) })).await;
    }
    accepted(|openid| openid.signs_with(openid::ec())).await;
    accepted(|openid| openid.signs_with(openid::ed())).await;
    let openid = OpenId::start().await;
    let strict = house(&openid, "algorithms = [\"ES256\"]").await;
    is_refused(&round(&strict, &openid).await);
    openid.signs_with(openid::ec());
    strict.after(Duration::from_secs(31));
    openid.claims(|claims| {
        claims.insert("iat".into(), json!(NOW + 31));
    });
    is_in(&round(&strict, &openid).await);
}

#[tokio::test]
async fn a_key_for_something_else_signs_nothing() {
    refused(|openid| openid.script().keys[0]["use"] = json!("enc")).await;
    refused(|openid| openid.script().keys[0]["alg"] = json!("PS256")).await;
    refused(|openid| openid.script().header.kid = Some("no-such-key".to_owned())).await;
    refused(|openid| openid.script().header.crit = Some(vec!["exp".to_owned()])).await;
    // A key in the header of the token itself is nobody's key.
    refused(|openid| {
        let signer = openid::rsa(1);
        let mut script = openid.script();
        script.header.jwk = Some(serde_json::from_value(signer.public()).expect("a key"));
        script.header.kid = None;
        script.signer = signer;
    })
    .await;
}

#[tokio::test]
async fn times_are_checked_with_a_minute_of_skew() {
    refused(|openid| openid.claim("exp", json!(NOW - 60))).await;
    refused(|openid| openid.claim("exp", Value::Null)).await;
    refused(|openid| openid.claim("iat", json!(NOW + 61))).await;
    refused(|openid| openid.claim("nbf", json!(NOW + 61))).await;
    refused(|openid| openid.claim("auth_time", json!(NOW + 61))).await;
    accepted(|openid| openid.claim("exp", json!(NOW - 59))).await;
    accepted(|openid| openid.claim("iat", json!(NOW + 60))).await;
}

#[tokio::test]
async fn several_audiences_need_an_authorized_party() {
    refused(|openid| openid.claim("aud", json!([CLIENT, "other"]))).await;
    refused(|openid| openid.claim("azp", json!("other"))).await;
    accepted(|openid| openid.claim("azp", json!(CLIENT))).await;
}

#[tokio::test]
async fn tokens_of_other_kinds_are_no_id_tokens() {
    refused(|openid| openid.claim("events", json!({"http://schemas.openid.net/event/backchannel-logout": {}}))).await;
    refused(|openid| openid.script().header.typ = Some("logout+jwt".to_owned())).await;
    refused(|openid| openid.script().header.typ = Some("at+JWT".to_owned())).await;
    for nonsense in ["", "x", "x.y", "x.y.z", "....", "e30.e30.e30", "e30.e30.e30.e30.e30"] {
        refused(move |openid| openid.script().forge = Some(std::sync::Arc::new(|_| nonsense.to_owned()))).await;
    }
}

#[tokio::test]
async fn subjects_are_bounded() {
    refused(|openid| openid.claim("sub", json!(""))).await;
    refused(|openid| openid.claim("sub", json!("x".repeat(256)))).await;
    refused(|openid| openid.claim("sub", json!("ä"))).await;
    refused(|openid| openid.claim("sub", json!(7))).await;
}

#[tokio::test]
async fn a_token_answer_must_be_one() {
    for change in [
        json!({"id_token": null}),
        json!({"id_token": 7}),
        json!({"access_token": null}),
        json!({"token_type": "mac"}),
        json!({"token_type": null}),
    ] {
        refused(move |openid| {
            let change = change.clone();
            openid.script().tokens = std::sync::Arc::new(move |answer| {
                for (name, value) in change.as_object().expect("an object") {
                    answer.insert(name.clone(), value.clone());
                }
            });
        })
        .await;
    }
    for body in [&b""[..], b"null", b"[]", b"{", b"\xff", b"<html>"] {
        refused(move |openid| {
            let canned = Canned { status: 200, kind: "application/json", body: body.to_vec() };
            openid.script().canned.insert("/token", canned);
        })
        .await;
    }
}

#[tokio::test]
async fn providers_that_write_booleans_as_text_are_understood() {
    let (house, _) = accepted(|openid| {
        openid.script().userinfo["email_verified"] = json!("true");
        openid.claim("email_verified", json!("true"));
    })
    .await;
    let mut link = house.app.core.database.read().await.expect("a database");
    let anna = house.named("anna").await.id;
    assert!(vestibule::store::account::email_is_verified(&mut link, anna).await.expect("an answer"));
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_once_in_a_while() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    openid.script().header.kid = Some("no-such-key".to_owned());
    for _ in 0..3 {
        is_refused(&round(&house, &openid).await);
    }
    assert_eq!(openid.count("/jwks"), 2, "once at the beginning, once because of the strange key");
    house.after(Duration::from_secs(31));
    is_refused(&round(&house, &openid).await);
    assert_eq!(openid.count("/jwks"), 3);
}
