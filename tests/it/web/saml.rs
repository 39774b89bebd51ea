//! Signing in and out through a SAML provider, as browsers do it: there and back, across sites, with and without cookies.

mod check;
mod ending;
mod logout;
mod metadata;
mod pysaml2;
mod relay_state;
mod simplesamlphp;
mod trace;

use crate::support::saml::{self as provider, Idp, Said};
use crate::support::{Browser, House};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use std::time::Duration;

/// A browser that a provider's page makes post to us: another site, so none of our cookies.
fn across_sites(house: &House) -> Browser {
    house.browser().sending("sec-fetch-site", "cross-site").sending("origin", "https://idp.example.org")
}

/// Where the answer waits for its browser.
async fn brings(house: &House, message: &str) -> crate::support::Answer {
    across_sites(house)
        .post("/login/corp/acs", &[("SAMLResponse", message), ("RelayState", "https://evil.example/")])
        .await
}

async fn signs_in(house: &House, idp: &Idp, browser: &mut Browser, said: &Said<'_>) -> crate::support::Answer {
    let left = browser.get("/login/corp?return_to=/account/sessions").await;
    assert_eq!(left.status, StatusCode::SEE_OTHER, "{}", left.body);
    let request = provider::id_in(left.location());
    let came = brings(house, &idp.response(house, Some(&request), said)).await;
    assert_eq!(came.status, StatusCode::SEE_OTHER, "{}", came.body);
    assert!(came.location().starts_with("/login/corp/acs?outcome="), "{}", came.location());
    assert_eq!(came.sets("_vestibule_session"), None, "nobody is signed in across sites");
    browser.get(came.location()).await
}

#[tokio::test]
async fn somebody_new_comes_in_and_comes_again() {
    let (house, idp) = provider::house("").await;
    let mut browser = house.browser();
    let done = signs_in(&house, &idp, &mut browser, &Said::of("anna")).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/account/sessions"));
    assert_eq!(done.header("cache-control"), "no-store");
    assert!(browser.is_signed_in().await);
    let account = house.named("anna").await;
    assert_eq!((account.email.as_str(), account.name.as_str()), ("anna@example.org", "Anna of Corp"));
    let mut again = house.browser();
    signs_in(&house, &idp, &mut again, &Said { assertion: "_second", ..Said::of("anna") }).await;
    assert!(again.is_signed_in().await);
    assert_eq!(house.named("anna").await.id, account.id, "the same account");
}

#[tokio::test]
async fn the_request_says_what_is_wanted_and_is_signed() {
    let (house, idp) =
        provider::house("force_authn = true\nname_id_format = \"persistent\"\nauthn_contexts = [\"urn:x:mfa\"]").await;
    let left = house.browser().get("/login/corp").await;
    assert_eq!(left.header("cache-control"), "no-store");
    assert!(left.location().starts_with("https://idp.example.org/sso?SAMLRequest="), "{}", left.location());
    assert!(left.location().contains("&SigAlg=") && left.location().contains("&Signature="));
    let xml = provider::xml_in(left.location());
    for wanted in [
        "ForceAuthn=\"true\"",
        "nameid-format:persistent",
        "urn:x:mfa",
        "/login/corp/acs\"",
        "Destination=\"https://idp.example.org/sso\"",
    ] {
        assert!(xml.contains(wanted), "{wanted} in {xml}");
    }
    // Who demands a fresh sign-in is not content with an old one, nor with another way.
    let request = provider::id_in(left.location());
    let old = idp.response(&house, Some(&request), &Said { context: "urn:x:mfa", authn: -600, ..Said::of("anna") });
    assert_eq!(brings(&house, &old).await.status, StatusCode::FORBIDDEN);
    let weak = idp.response(&house, Some(&request), &Said { assertion: "_2", ..Said::of("anna") });
    assert_eq!(brings(&house, &weak).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_request_goes_by_form_where_that_is_wished() {
    let (house, _idp) = provider::house("request_binding = \"post\"").await;
    let page = house.browser().get("/login/corp").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("action=\"https://idp.example.org/sso-post\""), "{}", page.body);
    let policy = page.header("content-security-policy");
    assert!(policy.ends_with("form-action 'self' https://idp.example.org https:"), "it may redirect: {policy}");
    assert!(policy.contains("; script-src 'self';") && page.body.contains("<script src=\"/assets/onward-"), "{policy}");
    let sent = page.hidden("SAMLRequest").expect("a message");
    let xml = String::from_utf8(STANDARD.decode(sent.replace("&#x2b;", "+").replace("&#43;", "+")).expect("base64"))
        .expect("text");
    assert!(xml.contains("<ds:Signature"), "{xml}");
}

#[tokio::test]
async fn only_the_browser_that_left_comes_in_and_only_once() {
    let (house, idp) = provider::house("").await;
    let mut anna = house.browser();
    let left = anna.get("/login/corp").await;
    let message = idp.response(&house, Some(&provider::id_in(left.location())), &Said::of("anna"));
    let came = brings(&house, &message).await;
    let mut eve = house.browser();
    let refused = eve.get(came.location()).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
    assert!(refused.body.contains("error-id"), "the page names an id");
    assert!(!eve.is_signed_in().await);
    // What somebody else has touched is gone, so that nobody can try again and again.
    assert_eq!(anna.get(came.location()).await.status, StatusCode::BAD_REQUEST);
    assert!(!anna.is_signed_in().await);
    assert_eq!(brings(&house, &message).await.status, StatusCode::FORBIDDEN, "the assertion was used");
}

#[tokio::test]
async fn an_answer_counts_once_and_not_for_long() {
    let (house, idp) = provider::house("").await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp").await;
    let message = idp.response(&house, Some(&provider::id_in(left.location())), &Said::of("anna"));
    let first = brings(&house, &message).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER);
    assert_eq!(brings(&house, &message).await.status, StatusCode::FORBIDDEN, "a replay");
    house.after(Duration::from_secs(121));
    assert_eq!(browser.get(first.location()).await.status, StatusCode::BAD_REQUEST, "too late");
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn nobody_is_let_in_whom_nobody_asked_about() {
    let (house, idp) = provider::house("").await;
    for request in [None, Some("_made-up")] {
        let refused = brings(&house, &idp.response(&house, request, &Said::of("anna"))).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{request:?}");
    }
    let (open, idp) = provider::house("danger_allow_unsolicited = true").await;
    let came = brings(&open, &idp.response(&open, None, &Said::of("anna"))).await;
    assert_eq!(came.status, StatusCode::SEE_OTHER, "{}", came.body);
    let mut browser = open.browser();
    browser.get(came.location()).await;
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn every_attack_of_the_corpus_gets_the_same_page_and_the_service_goes_on() {
    let (house, _idp) = provider::house("").await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/saml/attacks");
    let (mut bodies, mut refusals) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let answer = brings(&house, &STANDARD.encode(std::fs::read(&path).expect("a message"))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", path.display());
        let (before, id) = answer.body.split_once("<code>").expect("an id");
        let page = format!("{before}{}", id.split_once("</code>").expect("an id").1);
        // That the provider says no is told, and says nothing about keys or what was read.
        let says_no = path.file_name().is_some_and(|name| name == "provider-says-no.xml");
        if says_no {
            refusals.insert(page)
        } else {
            bodies.insert(page)
        };
    }
    assert_eq!((bodies.len(), refusals.len()), (1, 1), "no page says more than another");
    for field in ["", "%", "AAAA", &"A".repeat(500_000)] {
        assert_eq!(brings(&house, field).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(brings(&house, &"A".repeat(700_000)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(across_sites(&house).post("/login/corp/acs", &[]).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        across_sites(&house).post("/login/nobody/acs", &[("SAMLResponse", "x")]).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(house.browser().get("/login").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_a_provider_says_is_mapped() {
    let more = "[identity_provider.groups]\nfrom = \"groups\"\npatterns = \"app-(*)\"\n";
    let (house, idp) = provider::house(&format!("second_factor_contexts = [\"urn:x:mfa\"]\n{more}")).await;
    let mut browser = house.browser();
    let said = Said { context: "urn:x:mfa", groups: &["app-staff", "other"], ..Said::of("anna") };
    signs_in(&house, &idp, &mut browser, &said).await;
    let session = browser.get("/api/v1/session").await;
    assert!(session.body.contains("\"mfa\"") && session.body.contains("\"federated\""), "{}", session.body);
    assert!(session.body.contains("staff") && !session.body.contains("other"), "{}", session.body);
}

#[tokio::test]
async fn a_session_ends_when_the_provider_says_and_no_browser_stays_beyond_that() {
    let (house, idp) = provider::house("[autologin]\ndays = 30").await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp?stay=1").await;
    let request = provider::id_in(left.location());
    let message = idp.response(&house, Some(&request), &Said { ends: Some(900), ..Said::of("anna") });
    let came = brings(&house, &message).await;
    let done = browser.get(came.location()).await;
    assert_eq!(done.sets("autologin"), None);
    house.after(Duration::from_secs(890));
    assert!(browser.is_signed_in().await);
    house.after(Duration::from_secs(11));
    assert!(!browser.is_signed_in().await);
    assert_eq!(browser.get("/account").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn who_proves_anew_at_the_provider_is_asked_there_and_gets_no_further_with_an_old_proof() {
    let (house, idp) = provider::house("").await;
    let mut browser = house.browser();
    signs_in(&house, &idp, &mut browser, &Said::of("anna")).await;
    house.after(Duration::from_mins(30));
    let left = browser.get("/login/corp?confirm=1&return_to=/account/identities").await;
    assert!(provider::xml_in(left.location()).contains("ForceAuthn=\"true\""));
    let request = provider::id_in(left.location());
    let old = idp.response(&house, Some(&request), &Said { assertion: "_old", authn: -300, ..Said::of("anna") });
    assert_eq!(brings(&house, &old).await.status, StatusCode::FORBIDDEN);
    let new = idp.response(&house, Some(&request), &Said { assertion: "_new", authn: 0, ..Said::of("anna") });
    let came = brings(&house, &new).await;
    let done = browser.get(came.location()).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/account/identities"), "{}", done.body);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn an_identity_is_added_to_an_account_only_by_whoever_is_signed_in_to_it() {
    let (house, idp) = provider::house("").await;
    house.account("berta").await;
    let mut browser = house.browser();
    browser.signs_in("berta", crate::support::PASSWORD).await;
    let left = browser.get("/login/corp?add=1").await;
    let message = idp.response(&house, Some(&provider::id_in(left.location())), &Said::of("anna"));
    let came = brings(&house, &message).await;
    let asked = browser.get(came.location()).await;
    assert!(asked.location().starts_with("/account/identities/add?question="), "{} {}", asked.status, asked.location());
    let left = browser.get("/login/corp?add=1").await;
    let said = Said { assertion: "_2", ..Said::of("anna") };
    let came = brings(&house, &idp.response(&house, Some(&provider::id_in(left.location())), &said)).await;
    let mut eve = house.browser();
    assert_eq!(eve.get(came.location()).await.status, StatusCode::BAD_REQUEST);
    assert!(!eve.is_signed_in().await);
}

#[tokio::test]
async fn our_metadata_is_there_for_the_provider() {
    let (house, _idp) = provider::house("").await;
    let answer = house.browser().get("/login/corp/metadata").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/samlmetadata+xml"));
    assert!(answer.body.contains("entityID=\"http://localhost:8080/login/corp/metadata\""), "{}", answer.body);
    assert_eq!(answer.body.matches("<md:KeyDescriptor").count(), 2);
    assert_eq!(house.browser().get("/login/corp/metadata").await.body, answer.body, "the key is kept");
    house
        .app
        .keys
        .rotate(&house.operator(), vestibule::service::caller::Operator::vouched(), Duration::from_hours(24))
        .await
        .expect("rotated");
    let rotated = house.browser().get("/login/corp/metadata").await.body;
    assert_eq!(rotated.matches("<md:KeyDescriptor").count(), 4, "two keys during a rollover");
    house.after(Duration::from_hours(25));
    assert_eq!(house.browser().get("/login/corp/metadata").await.body.matches("<md:KeyDescriptor").count(), 2);
    assert_eq!(house.browser().get("/login/nobody/metadata").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_provider_without_metadata_is_away_and_nothing_else_is() {
    let house =
        House::with("[[identity_provider]]\nslug = \"corp\"\nkind = \"saml\"\nmetadata_file = \"/nowhere/idp.xml\"")
            .await;
    let answer = house.browser().get("/login/corp").await;
    assert_eq!(answer.status, StatusCode::FAILED_DEPENDENCY);
    assert!(!answer.body.contains("/nowhere"), "not what it is about");
    assert_eq!(house.browser().get("/login").await.status, StatusCode::OK);
    assert_eq!(house.browser().get("/login/corp/metadata").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_last_good_copy_stays_when_metadata_breaks() {
    let (house, idp) = provider::house("").await;
    assert_eq!(house.browser().get("/login/corp").await.status, StatusCode::SEE_OTHER);
    idp.writes("<broken");
    house.after(Duration::from_hours(2));
    assert_eq!(house.browser().get("/login/corp").await.status, StatusCode::SEE_OTHER, "in memory");
    let again = house.reopened(&idp.configuration("")).await;
    assert_eq!(again.browser().get("/login/corp").await.status, StatusCode::SEE_OTHER, "after a restart");
    idp.writes(&idp.metadata("https://idp.example.org/new-sso"));
    again.after(Duration::from_hours(2));
    let answer = again.browser().get("/login/corp").await;
    assert!(answer.location().starts_with("https://idp.example.org/new-sso"), "read anew: {}", answer.location());
}

#[tokio::test]
async fn a_key_that_the_provider_rolls_over_to_is_known_after_the_next_reading() {
    let (house, idp) = provider::house("").await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp").await;
    let other = Idp { key: "idp-rsa2", ..idp.clone() };
    let message = other.response(&house, Some(&provider::id_in(left.location())), &Said::of("anna"));
    assert_eq!(brings(&house, &message).await.status, StatusCode::FORBIDDEN, "not known yet");
    other.writes(&other.metadata("https://idp.example.org/sso"));
    house.after(Duration::from_hours(2));
    let done = signs_in(&house, &other, &mut browser, &Said { assertion: "_3", ..Said::of("anna") }).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert!(browser.is_signed_in().await);
}
