//! What ends with a session when its provider says so, whatever the provider calls the person and however the message comes; and
//! going on to a provider that takes forms only.

use super::logout::{anna_is_in, answer, posts, request};
use super::provider::{self, Idp, Said, attribute};
use super::{brings, signs_in};
use crate::support::factors::binds;
use crate::support::{Answer, Browser, House};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use std::time::Duration;

const KEEPS: &str = "[autologin]\ndays = 30\n[second_factor]\nremember_days = 30";

/// Anna comes in through the provider and ticks the box.
async fn stays(house: &House, idp: &Idp, assertion: &str) -> (Browser, Answer) {
    let mut browser = house.browser();
    let left = browser.get("/login/corp?stay=1").await;
    let said = Said { assertion, ..Said::of("anna") };
    let came = brings(house, &idp.response(house, Some(&provider::id_in(left.location())), &said)).await;
    let done = browser.get(came.location()).await;
    (browser, done)
}

async fn ends(house: &House, idp: &Idp, id: &str, session: Option<&str>) {
    let done = posts(house, "SAMLRequest", &idp.signed(&request(house, id, "anna", session))).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert!(provider::xml_in(done.location()).contains("status:Success"));
}

async fn comes_back_by_itself(browser: &mut Browser) -> bool {
    *browser = browser.restarted();
    browser.get("/login").await.status == StatusCode::SEE_OTHER && browser.is_signed_in().await
}

#[tokio::test]
async fn sessions_and_all_that_browsers_keep_of_them_end() {
    let (house, idp) = provider::house(KEEPS).await;
    let (mut browser, done) = stays(&house, &idp, "_1").await;
    assert!(done.sets("autologin").is_some() && comes_back_by_itself(&mut browser).await);
    ends(&house, &idp, "_l1", Some("_session-1")).await;
    assert!(!browser.is_signed_in().await && !comes_back_by_itself(&mut browser).await);

    house.after(Duration::from_secs(1));
    let mut first = anna_is_in(&house, &idp, "_2", "_session-2").await;
    let (phone, _) = binds(&house, &mut first).await;
    let (mut browser, owed) = stays(&house, &idp, "_3").await;
    assert_eq!(owed.location(), "/login/step/factor");
    let code = phone.code(&house);
    let fields = [("way", "totp"), ("code", code.as_str()), ("keep", "1")];
    let kept = browser.submit("/login/step/factor", "/login/step/factor", &fields).await;
    assert!(kept.sets("remember_2fa").is_some() && kept.sets("autologin").is_some(), "{}", kept.body);
    // The session itself is long over; what the browser keeps is not.
    house.after(Duration::from_hours(24 * 3));
    assert!(!browser.is_signed_in().await);
    ends(&house, &idp, "_l2", Some("_session-1")).await;
    assert!(!comes_back_by_itself(&mut browser).await, "not even of a session that is over");
    let owed = signs_in(&house, &idp, &mut browser, &Said { assertion: "_4", ..Said::of("anna") }).await;
    assert_eq!(owed.location(), "/login/step/factor", "the device is spared the factor no more");
    assert_eq!(house.count_acts("session.ended_by_provider").await, 2);
    assert!(house.letters().await.is_empty(), "an ordinary sign-out is no news");
}

#[tokio::test]
async fn people_are_found_by_the_name_they_came_with_where_an_attribute_is_their_subject() {
    let (house, idp) = provider::house("subject_attribute = \"uid\"\n[second_factor]\nremember_days = 30").await;
    let mut one = anna_is_in(&house, &idp, "_1", "_session-1").await;
    let mut two = anna_is_in(&house, &idp, "_2", "_session-2").await;
    let mut ben = house.browser();
    signs_in(&house, &idp, &mut ben, &Said { assertion: "_3", session: "_session-3", ..Said::of("ben") }).await;
    ends(&house, &idp, "_l1", Some("_session-1")).await;
    assert!(!one.is_signed_in().await && two.is_signed_in().await);
    // The name of her session with his name ends neither.
    let wrong = posts(&house, "SAMLRequest", &idp.signed(&request(&house, "_l2", "ben", Some("_session-2")))).await;
    assert_eq!(wrong.status, StatusCode::SEE_OTHER);
    assert!(two.is_signed_in().await && ben.is_signed_in().await);
    // Without the name of a session, all of hers; also one that is still on its way.
    let (phone, _) = binds(&house, &mut two).await;
    let mut owing = house.browser();
    let owed = signs_in(&house, &idp, &mut owing, &Said { assertion: "_4", session: "_4", ..Said::of("anna") }).await;
    assert_eq!(owed.location(), "/login/step/factor");
    ends(&house, &idp, "_l3", None).await;
    assert!(!two.is_signed_in().await && ben.is_signed_in().await);
    let code = phone.code(&house);
    owing.submit("/login/step/factor", "/login/step/factor", &[("way", "totp"), ("code", code.as_str())]).await;
    assert!(!owing.is_signed_in().await, "what was on its way ends too");
    house.after(Duration::from_secs(31));
    let owed = signs_in(&house, &idp, &mut owing, &Said { assertion: "_5", session: "_5", ..Said::of("anna") }).await;
    assert_eq!(owed.location(), "/login/step/factor", "she can come again");
}

#[tokio::test]
async fn a_provider_that_takes_forms_only_gets_one_and_its_answer_is_told_honestly() {
    let (house, idp) = provider::house("direct = true").await;
    let metadata = idp.metadata("https://idp.example.org/sso");
    let forms_only = metadata.replacen(
        "HTTP-Redirect\" Location=\"https://idp.example.org/slo\"",
        "HTTP-POST\" Location=\"https://idp.example.org/slo?a=1&amp;b=2\"",
        1,
    );
    assert_ne!(metadata, forms_only);
    idp.writes(&forms_only);
    for (assertion, status, told) in [
        ("_1", "Success", "You are signed out here and at Corp."),
        ("_2", "PartialLogout", "still signed in elsewhere"),
    ] {
        let mut browser = anna_is_in(&house, &idp, assertion, "_session-1").await;
        let page = browser.submit("/logout", "/logout", &[]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert!(!browser.is_signed_in().await, "the session here ends in any case");
        assert!(page.body.contains("You are signed out here. Now Corp signs you out as well."), "{}", page.body);
        assert!(page.body.contains("action=\"https://idp.example.org/slo?a=1&#38;b=2\""), "{}", page.body);
        assert!(page.body.contains("type=\"submit\""), "a button, for browsers without scripts");
        assert!(page.body.contains("<script src=\"/assets/onward-") && !page.body.contains("onload"), "{}", page.body);
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("form-action 'self' https://idp.example.org"), "{policy}");
        assert_eq!(page.header("cache-control"), "no-store");
        let sent = page.hidden("SAMLRequest").expect("a message").replace("&#43;", "+").replace("&#x2b;", "+");
        let xml = String::from_utf8(STANDARD.decode(sent).expect("base64")).expect("text");
        assert!(xml.contains("<ds:Signature") && xml.contains(">id-of-anna<") && xml.contains("_session-1"), "{xml}");
        let back = posts(&house, "SAMLResponse", &idp.signed(&answer(&house, &attribute(&xml, "ID"), status))).await;
        assert_eq!(back.status, StatusCode::OK, "{}", back.body);
        assert!(back.body.contains(told), "{}", back.body);
        for header in ["refresh", "location"] {
            assert!(!back.headers.contains_key(header), "nobody is led back in, though the provider is the direct one");
        }
        assert!(!back.body.contains("<script"));
    }
    // A request of such a provider is answered by form too.
    let mut browser = anna_is_in(&house, &idp, "_3", "_session-1").await;
    let page = posts(&house, "SAMLRequest", &idp.signed(&request(&house, "_l1", "anna", None))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.hidden("SAMLResponse").is_some() && !browser.is_signed_in().await);
}
