//! Traces of sign-ins with SAML: what came, what was proved, who refused it, and what to do; and what is never kept.

use super::provider::{self, Said};
use super::{brings, signs_in};
use crate::support::{Answer, House};
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use vestibule::domain::trace::Trace;
use vestibule::service::caller::Operator;
use vestibule::service::trace::Traces;
use vestibule::service::trace_words;

/// The trace under the reference that a page, or the answer that led on, goes by.
async fn told(house: &House, answer: &Answer) -> (Trace, String) {
    house.app.core.traces.settled().await;
    let traces = Traces::new(Arc::clone(&house.app.core));
    let reference = answer.header("x-request-id").parse().expect("a reference");
    let found = traces.find(Operator::vouched(), reference).await.expect("traces").expect("a trace");
    let words = trace_words::told(&found).join("\n");
    (found, words)
}

fn has(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "{part} is not in:\n{told}");
    }
}

#[tokio::test]
async fn a_success_says_what_came_and_what_was_proved() {
    let more = "[identity_provider.groups]\nfrom = \"groups\"\npatterns = \"app-(*)\"\n";
    let (house, idp) = provider::house(more).await;
    let said = Said { groups: &["app-staff", "vpn"], ends: Some(3600), ..Said::of("anna") };
    let done = signs_in(&house, &idp, &mut house.browser(), &said).await;
    let (trace, told) = told(&house, &done).await;
    assert!(trace.believed && trace.account == Some(house.named("anna").await.id));
    has(
        &told,
        &[
            "an answer came, to be proved yet",
            "issuer: https://idp.example.org/saml",
            "answers: a_question_of_ours",
            "signed: response",
            "issued: 0 s ago",
            "audience: http://localhost:8080/login/corp/metadata",
            "name_format: urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            "authn_context: urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
            "session_ends: in 60 min",
            "both verifiers confirm",
            "certificate: number 1 of 1 in the metadata",
            "name: id… (10 characters)",
            "signed_in_there: 5 s ago",
            "groups: app-staff, vpn",
            "mail: a…@example.org",
            "the browser came back from the provider",
            "decided: an account is made",
            "outcome    signed in",
        ],
    );
    assert!(!told.contains("what to do"), "{told}");
    let kept = serde_json::to_string(&trace).expect("JSON");
    for text in [&told, &kept] {
        for secret in ["id-of-anna", "anna@", "Anna of Corp", "_session-1", "_assertion-1"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[tokio::test]
async fn a_refusal_names_the_judge_and_the_remedy_and_no_value_of_an_attribute() {
    let (house, idp) = provider::house("authn_contexts = [\"urn:x:mfa\"]").await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp").await;
    let question = provider::id_in(left.location());
    let good = Said { context: "urn:x:mfa", ..Said::of("anna") };
    let stranger = provider::Idp { key: "other", ..idp.clone() };
    let cases = [
        (idp.response(&house, Some(&question), &Said::of("anna")), "authn_statement (rules)", "authn_contexts"),
        (stranger.response(&house, Some(&question), &good), "signature (first verifier)", "vestibule idp check"),
        (idp.response(&house, None, &good), "in_response_to (memory)", "danger_allow_unsolicited"),
    ];
    for (message, refused, remedy) in cases {
        let answer = brings(&house, &message).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let (trace, told) = told(&house, &answer).await;
        has(&told, &[refused, remedy, "attributes: urn:oid:0.9.2342.19200300.100.1.1", "what to do"]);
        assert!(!trace.believed && trace.account.is_none());
        for secret in ["id-of-anna", "example.org)", "Anna of Corp", "an…", "_session-1"] {
            assert!(!told.contains(secret), "{secret} is in {told}");
        }
        assert!(!answer.body.contains("verifier") && !answer.body.contains("rules"), "the page says nothing of it");
        assert!(serde_json::to_string(&trace).expect("JSON").len() < 2500, "what a stranger leaves is bounded");
    }
    let message = idp.response(&house, Some(&question), &good);
    house.after(Duration::from_mins(7));
    let answer = brings(&house, &message).await;
    let (_, told) = told(&house, &answer).await;
    has(&told, &["expired (rules)", "issued: 7 min ago", "Set both by NTP."]);
    // What does not even pass the gate has nothing to show but that.
    let answer = brings(&house, "AAAA").await;
    let (_, told) = self::told(&house, &answer).await;
    has(&told, &["(gate)", "what to do"]);
    assert!(!told.contains("an answer came"), "{told}");
}

#[tokio::test]
async fn a_provider_that_says_no_or_is_away_is_told_with_what_to_do() {
    let (house, idp) = provider::house("").await;
    let left = house.browser().get("/login/corp").await;
    let refusal = idp.declines(&house, &provider::id_in(left.location()), "AuthnFailed");
    let answer = brings(&house, &refusal).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    let (trace, words) = told(&house, &answer).await;
    assert_eq!(trace.outcome, "declined");
    has(&words, &["with the error AuthnFailed", "by the provider's own rules"]);
    idp.writes("<broken");
    let again = House::with(&idp.configuration("")).await;
    let answer = again.browser().get("/login/corp").await;
    let (trace, words) = told(&again, &answer).await;
    assert_eq!(trace.outcome, "away");
    has(
        &words,
        &["the provider could not be asked", "its metadata cannot be read: malformed", "`vestibule idp check corp`"],
    );
}
