//! What travels beside messages (bindings §3.4.3): ours is short or not there, a foreign one comes back as it came where it has to,
//! and is never an address that anybody is sent to.

use super::logout::{anna_is_in, request};
use super::provider::{self, Said};
use super::{across_sites, brings};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

const EVIL: &str = "https://evil.example/?<script>\"";

fn relay_state(location: &str) -> Option<String> {
    let url = url::Url::parse(location).expect("an address");
    url.query_pairs().find(|(name, _)| name == "RelayState").map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn ours_is_short_whatever_somebody_wants() {
    let far = format!("/login/corp?return_to=/account/{}", "a".repeat(1000));
    let (house, _idp) = provider::house("").await;
    let left = house.browser().get(&far).await;
    assert_eq!(left.status, StatusCode::SEE_OTHER, "{}", left.body);
    assert!(relay_state(left.location()).is_none_or(|state| state.len() <= 80), "{}", left.location());
    let (house, _idp) = provider::house("request_binding = \"post\"").await;
    let page = house.browser().get(&far).await;
    assert!(page.hidden("RelayState").is_none_or(|state| state.len() <= 80), "{}", page.body);
}

#[tokio::test]
async fn a_foreign_one_beside_an_answer_leads_nobody_anywhere() {
    let (house, idp) = provider::house("danger_allow_unsolicited = true").await;
    let long = format!("{EVIL}{}", "x".repeat(5000));
    for (assertion, state, asks) in [("_1", EVIL, true), ("_2", long.as_str(), true), ("_3", long.as_str(), false)] {
        let mut browser = house.browser();
        let left = browser.get("/login/corp?return_to=/account/sessions").await;
        let question = asks.then(|| provider::id_in(left.location()));
        let message = idp.response(&house, question.as_deref(), &Said { assertion, ..Said::of("anna") });
        let fields = [("SAMLResponse", message.as_str()), ("RelayState", state)];
        let came = across_sites(&house).post("/login/corp/acs", &fields).await;
        assert_eq!(came.status, StatusCode::SEE_OTHER, "{}", came.body);
        assert!(came.location().starts_with("/login/corp/acs?outcome=") && came.location().len() < 100);
        let done = browser.get(came.location()).await;
        let wanted = if asks { "/account/sessions" } else { "/account" };
        assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, wanted));
    }
    // Beside a message that is refused it does not show either.
    let refused = brings(&house, "AAAA").await;
    assert!(!refused.body.contains("evil.example"), "{}", refused.body);
}

#[tokio::test]
async fn a_foreign_one_beside_a_logout_comes_back_if_it_is_no_longer_than_allowed() {
    let (house, idp) = provider::house("").await;
    let (most, more) = ("s".repeat(80), "s".repeat(81));
    for (number, (state, back)) in
        [("short & <b>", Some("short & <b>")), (&most, Some(most.as_str())), (&more, None), (EVIL, Some(EVIL))]
            .into_iter()
            .enumerate()
    {
        let session = format!("_s{number}");
        let mut browser = anna_is_in(&house, &idp, &format!("_a{number}"), &session).await;
        let query =
            idp.query_with(&request(&house, &format!("_r{number}"), "anna", Some(&session)), false, Some(state));
        let done = house.browser().get(&format!("/login/corp/slo?{query}")).await;
        assert!(!browser.is_signed_in().await, "whatever stands beside the request");
        assert!(done.location().starts_with("https://idp.example.org/slo?SAMLResponse="), "{}", done.location());
        assert_eq!(relay_state(done.location()).as_deref(), back);
        let sent = STANDARD.encode(idp.signed(&request(&house, &format!("_p{number}"), "anna", Some(&session))));
        let fields = [("SAMLRequest", sent.as_str()), ("RelayState", state)];
        let done = across_sites(&house).post("/login/corp/slo", &fields).await;
        assert_eq!(relay_state(done.location()).as_deref(), back, "by form as well");
    }
    let metadata = idp.metadata("https://idp.example.org/sso");
    idp.writes(&metadata.replacen(
        "HTTP-Redirect\" Location=\"https://idp.example.org/slo\"",
        "HTTP-POST\" Location=\"https://idp.example.org/slo\"",
        1,
    ));
    let forms = house.reopened(&idp.configuration("")).await;
    let sent = STANDARD.encode(idp.signed(&request(&forms, "_last", "anna", None)));
    let page = across_sites(&forms).post("/login/corp/slo", &[("SAMLRequest", &sent), ("RelayState", EVIL)]).await;
    assert!(page.hidden("RelayState").is_some() && !page.body.contains("<script>\""), "{}", page.body);
}
