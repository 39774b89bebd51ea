//! Signing out: from here to the provider, and from the provider to here, with no cookie needed.

pub(super) use super::provider::logout_request as request;
use super::provider::{self, Idp, SLO, Said, attribute, logout_message, xml_in};
use super::{across_sites, signs_in};
use crate::support::{Browser, House};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

pub(super) fn answer(house: &House, asked: &str, status: &str) -> String {
    let inside = format!(
        "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:{status}\"/></samlp:Status>"
    );
    logout_message(house, "LogoutResponse", "_answer", &format!(" InResponseTo=\"{asked}\""), &inside)
}

/// Where the page that says "signed out here" has the browser go on to.
pub(super) fn onward(left: &crate::support::Answer) -> String {
    assert_eq!(left.status, StatusCode::OK, "{}", left.body);
    left.header("refresh").strip_prefix("0; url=").expect("an address").to_owned()
}

pub(super) async fn posts(house: &House, field: &str, xml: &str) -> crate::support::Answer {
    across_sites(house).post("/login/corp/slo", &[(field, &STANDARD.encode(xml))]).await
}

pub(super) async fn anna_is_in(house: &House, idp: &Idp, assertion: &str, session: &str) -> Browser {
    let mut browser = house.browser();
    signs_in(house, idp, &mut browser, &Said { assertion, session, ..Said::of("anna") }).await;
    assert!(browser.is_signed_in().await);
    browser
}

#[tokio::test]
async fn a_providers_request_ends_the_session_it_means_and_no_other() {
    let (house, idp) = provider::house("").await;
    let mut one = anna_is_in(&house, &idp, "_1", "_session-1").await;
    let mut two = anna_is_in(&house, &idp, "_2", "_session-2").await;
    let done = posts(&house, "SAMLRequest", &idp.signed(&request(&house, "_l1", "anna", Some("_session-1")))).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert!(done.location().starts_with("https://idp.example.org/slo?SAMLResponse="), "{}", done.location());
    assert!(done.location().contains("&Signature="), "the answer is signed");
    let said = xml_in(done.location());
    assert_eq!(attribute(&said, "InResponseTo"), "_l1");
    assert!(said.contains("status:Success"), "{said}");
    assert!(!one.is_signed_in().await, "without any cookie");
    assert!(two.is_signed_in().await);
    let all = posts(&house, "SAMLRequest", &idp.signed(&request(&house, "_l2", "anna", None))).await;
    assert_eq!(all.status, StatusCode::SEE_OTHER);
    assert!(!two.is_signed_in().await, "no name of a session means all of the person");
}

#[tokio::test]
async fn a_providers_request_reaches_the_answer_that_waits_for_its_browser() {
    for (session, held) in [(Some("_session-1"), false), (None, false), (Some("_session-1"), true), (None, true)] {
        let (house, idp) = provider::house("").await;
        let mut browser = house.browser();
        let left = browser.get("/login/corp").await;
        let said = Said { session: "_session-1", ..Said::of("anna") };
        let message = idp.response(&house, Some(&provider::id_in(left.location())), &said);
        house.after(std::time::Duration::from_secs(1));
        if held {
            // Before the answer is brought to us at all.
            posts(&house, "SAMLRequest", &idp.signed(&request(&house, "_l1", "anna", session))).await;
        }
        let came = across_sites(&house).post("/login/corp/acs", &[("SAMLResponse", &message)]).await;
        house.after(std::time::Duration::from_secs(1));
        if !held {
            posts(&house, "SAMLRequest", &idp.signed(&request(&house, "_l1", "anna", session))).await;
        }
        house.after(std::time::Duration::from_secs(1));
        browser.get(came.location()).await;
        assert!(!browser.is_signed_in().await, "{session:?} {held}");
        // What the provider says after that counts.
        anna_is_in(&house, &idp, "_2", "_session-2").await;
    }
}

#[tokio::test]
async fn it_works_by_redirect_as_well() {
    let (house, idp) = provider::house("").await;
    let mut browser = anna_is_in(&house, &idp, "_1", "_session-1").await;
    let query = idp.query(&request(&house, "_l1", "anna", Some("_session-1")), false);
    let done = house.browser().get(&format!("/login/corp/slo?{query}")).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn nobody_else_signs_people_out() {
    let (house, idp) = provider::house("").await;
    let mut browser = anna_is_in(&house, &idp, "_1", "_session-1").await;
    let good = request(&house, "_l1", "anna", Some("_session-1"));
    let stranger = Idp { key: "other", ..idp.clone() };
    let mut tampered = idp.query(&good, false);
    tampered = tampered.replace("Signature=", "Signature=AA");
    let unsigned = idp.query(&good, false).split("&SigAlg").next().expect("a part").to_owned();
    for query in [&tampered, &unsigned, &stranger.query(&good, false)] {
        assert_eq!(house.browser().get(&format!("/login/corp/slo?{query}")).await.status, StatusCode::FORBIDDEN);
    }
    let elsewhere = good.replace(SLO, "https://evil.example/slo");
    for xml in
        [&good, &stranger.signed(&good), &idp.signed(&elsewhere), &idp.signed(&good).replace("id-of-anna", "id-of-eve")]
    {
        assert_eq!(posts(&house, "SAMLRequest", xml).await.status, StatusCode::FORBIDDEN, "{xml}");
    }
    // The name of her session with somebody else's name ends nothing, and neither does a made-up one.
    for xml in [request(&house, "_l2", "eve", Some("_session-1")), request(&house, "_l3", "anna", Some("_made-up"))] {
        assert_eq!(posts(&house, "SAMLRequest", &idp.signed(&xml)).await.status, StatusCode::SEE_OTHER);
    }
    assert!(browser.is_signed_in().await);
    for path in ["/login/corp/slo", "/login/corp/slo?SAMLRequest=x", "/login/corp/slo?SAMLRequest=x&SAMLResponse=y"] {
        assert_eq!(house.browser().get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn a_logout_request_counts_once() {
    let (house, idp) = provider::house("").await;
    let mut browser = anna_is_in(&house, &idp, "_1", "_session-1").await;
    let sent = idp.signed(&request(&house, "_l1", "anna", Some("_session-1")));
    assert_eq!(posts(&house, "SAMLRequest", &sent).await.status, StatusCode::SEE_OTHER);
    assert!(!browser.is_signed_in().await);
    house.after(std::time::Duration::from_secs(1));
    let mut again = anna_is_in(&house, &idp, "_2", "_session-1").await;
    assert_eq!(posts(&house, "SAMLRequest", &sent).await.status, StatusCode::FORBIDDEN);
    assert!(again.is_signed_in().await);
}

#[tokio::test]
async fn signing_out_here_goes_on_to_the_provider_and_its_answer_is_told_honestly() {
    let (house, idp) = provider::house("").await;
    for (assertion, status, told) in
        [("_1", "Success", "You are signed out here and at Corp."), ("_2", "Responder", "still signed in elsewhere")]
    {
        let mut browser = anna_is_in(&house, &idp, assertion, "_session-1").await;
        let left = browser.submit("/logout", "/logout", &[]).await;
        let there = onward(&left);
        assert!(there.starts_with("https://idp.example.org/slo?SAMLRequest="), "{there}");
        assert!(there.contains("&Signature="));
        let xml = xml_in(&there);
        assert!(xml.contains(">id-of-anna<") && xml.contains("<samlp:SessionIndex>_session-1<"), "{xml}");
        assert!(!browser.is_signed_in().await, "the session here ends in any case");
        let asked = attribute(&xml, "ID");
        let back = idp.query(&answer(&house, &asked, status), true);
        let done = browser.get(&format!("/login/corp/slo?{back}")).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.body);
        assert!(done.body.contains(told), "{}", done.body);
        assert!(!done.body.contains("/login/corp"), "no way back in by itself");
        assert_eq!(browser.get(&format!("/login/corp/slo?{back}")).await.status, StatusCode::OK, "reloaded");
        let stranger = idp.query(&answer(&house, "_made-up", status), true);
        assert_eq!(browser.get(&format!("/login/corp/slo?{stranger}")).await.status, StatusCode::FORBIDDEN);
    }
    let forged = idp.signed(&answer(&house, "_made-up", "Success"));
    assert_eq!(posts(&house, "SAMLResponse", &forged).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn where_single_logout_is_off_signing_out_ends_here() {
    let (house, idp) = provider::house("single_logout = false").await;
    let mut browser = anna_is_in(&house, &idp, "_1", "_session-1").await;
    let left = browser.submit("/logout", "/logout", &[]).await;
    assert_eq!((left.status, left.location()), (StatusCode::SEE_OTHER, "/logout/done?at=corp"));
    assert!(!browser.is_signed_in().await);
}
