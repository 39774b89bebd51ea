//! Traces of sign-ins with providers: what administrators can find out afterwards, and what nobody can.

use super::provider::{house, is_refused, signs_in};
use crate::support::openid::{NOW, SECRET};
use crate::support::program::{Place, asks};
use crate::support::{House, OpenId};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use vestibule::domain::trace::Trace;
use vestibule::service::caller::Operator;
use vestibule::service::trace::Traces;
use vestibule::service::trace_words;

/// The reference on a page.
fn reference(page: &str) -> String {
    let code = page.split("<code>").nth(1).expect("a reference").split("</code>").next().expect("its end");
    code.to_owned()
}

/// All traces, the newest first, once they are written.
async fn traces(house: &House) -> Vec<Trace> {
    house.app.core.traces.settled().await;
    let traces = Traces::new(Arc::clone(&house.app.core));
    traces.newest(Operator::vouched(), None, 1000).await.expect("traces")
}

/// The one with this outcome: the clock stands still, so there is no newest.
async fn ended(house: &House, outcome: &str) -> Trace {
    let all = traces(house).await;
    all.iter().find(|one| one.outcome == outcome).unwrap_or_else(|| panic!("no {outcome} in {all:?}")).clone()
}

#[tokio::test]
async fn a_failure_is_explained_under_the_reference_on_the_page() {
    let openid = OpenId::start().await;
    openid.claim("iat", json!(NOW + 240));
    let house = house(&openid, "").await;
    let answer = signs_in(&mut house.browser(), &openid).await;
    is_refused(&answer);
    let shown = reference(&answer.body);
    assert!(answer.body.contains("give your administrators this reference"), "{}", answer.body);
    assert_eq!(shown, answer.header("x-request-id"));
    let trace = ended(&house, "id_token_iat").await;
    assert_eq!((trace.id.to_string(), trace.outcome.as_str()), (shown.clone(), "id_token_iat"));
    assert!(!trace.believed && trace.account.is_none());
    let told = trace_words::told(&trace).join("\n");
    assert!(told.contains("the provider's clock is 4 min ahead of this one"), "{told}");
    assert!(told.contains("Set both by NTP."), "{told}");
    let found = Traces::new(Arc::clone(&house.app.core)).find(Operator::vouched(), shown.parse().expect("an id")).await;
    assert_eq!(found.expect("an answer"), Some(trace));
    // The page says nothing of it, and the reference opens nothing for whoever has it.
    assert!(!answer.body.contains("id_token") && !answer.body.contains("clock"));
    for path in [format!("/login/corp/callback?outcome={shown}"), format!("/login/corp/trace/{shown}")] {
        let other = house.browser().get(&path).await;
        assert!(other.status.is_client_error() && !other.body.contains("iat"), "{}", other.body);
    }
}

#[tokio::test]
async fn a_success_says_which_groups_came_and_which_were_not_mapped() {
    let openid = OpenId::start().await;
    openid.claim("groups", json!(["app-staff", "app-unknown", "vpn"]));
    let more = "[identity_provider.groups]\nfrom = [\"groups\"]\npatterns = [\"app-(*)\"]\ncreate = false";
    let house = house(&openid, more).await;
    house.groups().create(&house.operator(), Operator::vouched(), "staff").await.expect("a group");
    assert_eq!(signs_in(&mut house.browser(), &openid).await.status, StatusCode::SEE_OTHER);
    let trace = ended(&house, "signed_in").await;
    assert_eq!((trace.outcome.as_str(), trace.believed), ("signed_in", true));
    assert_eq!(trace.account, Some(house.named("anna").await.id));
    let told = trace_words::told(&trace).join("\n");
    for part in [
        "groups: app-staff, app-unknown, vpn",
        "groups: staff, unknown",
        "not_there: unknown",
        "decided: an account is made",
        "email: a…@corp.example",
        "email_verified: yes",
    ] {
        assert!(told.contains(part), "{part} is not in:\n{told}");
    }
    assert!(!told.contains("what to do"), "{told}");
}

#[tokio::test]
async fn no_secret_and_little_of_the_person_is_kept() {
    let openid = OpenId::start().await;
    openid.claims(|claims| {
        claims.insert("custom".into(), json!("something private about anna"));
        claims.insert("my_password".into(), json!("hunter2"));
    });
    let house = house(&openid, "").await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp?invitation=the-invitation-secret").await;
    let asked = openid.reads(left.location());
    browser.get(&openid.consents(left.location())).await;
    browser.get(&openid.consents(left.location())).await;
    assert_eq!(signs_in(&mut house.browser(), &openid).await.status, StatusCode::SEE_OTHER);
    openid.script().canned.insert("/token", crate::support::openid::Canned::json(&json!({ "access_token": "odd" })));
    is_refused(&signs_in(&mut house.browser(), &openid).await);
    let all = traces(&house).await;
    assert_eq!(all.len(), 4, "{all:?}");
    let kept = serde_json::to_string(&all).expect("JSON");
    let words: String = all.iter().flat_map(trace_words::told).collect();
    for text in [kept, words] {
        for secret in [
            &asked["nonce"],
            &asked["state"],
            "the-code",
            "the-access-token",
            "the-refresh-token",
            "eyJ",
            SECRET,
            "sid-7",
            "the-invitation-secret",
            "hunter2",
            "private",
            "anna-at-corp",
            "anna@",
            "Anna",
            "Berg",
        ] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
        assert!(text.contains("custom") && text.contains("my_password"), "names of claims are there: {text}");
    }
}

#[tokio::test]
async fn strangers_leave_few_traces_and_get_the_same_page() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    for _ in 0..30 {
        is_refused(&house.browser().get("/login/corp/callback?state=made-up&code=made-up").await);
    }
    let (kept, says) = (traces(&house).await, |one: &Trace| trace_words::line(one).contains("too many in this minute"));
    assert_eq!(kept.len(), 11, "ten a minute from one network, and one that says that there were more");
    assert_eq!(kept.iter().filter(|one| says(one)).count(), 1, "{kept:?}");
    assert_eq!(signs_in(&mut house.browser(), &openid).await.status, StatusCode::SEE_OTHER);
    assert!(ended(&house, "signed_in").await.believed, "who is believed is traced all the same");
    house.after(Duration::from_mins(1));
    is_refused(&house.browser().get("/login/corp/callback?state=made-up&code=made-up").await);
    assert_eq!(traces(&house).await.len(), 13);
    let largest = traces(&house).await.iter().filter(|one| !one.believed).map(|one| json!(one).to_string().len()).max();
    assert!(largest < Some(400), "what a stranger leaves is small: {largest:?}");
}

#[tokio::test]
async fn traces_are_kept_for_days_only_and_not_at_all_where_that_is_off() {
    let openid = OpenId::start().await;
    let house = House::with(&openid.configuration("")).await;
    signs_in(&mut house.browser(), &openid).await;
    house.sweep().await;
    assert_eq!(traces(&house).await.len(), 1);
    house.after(Duration::from_hours(7 * 24) + Duration::from_secs(1));
    house.sweep().await;
    assert_eq!(traces(&house).await.len(), 0);
    let off = House::with(&format!("[log]\ntrace_days = 0\n{}", openid.configuration(""))).await;
    let answer = signs_in(&mut off.browser(), &openid).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(traces(&off).await.len(), 0);
}

#[tokio::test]
async fn a_provider_that_is_away_or_refuses_is_told_with_what_to_do() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let mut browser = house.browser();
    let left = browser.get("/login/corp").await;
    let state = openid.reads(left.location())["state"].clone();
    is_refused(&browser.get(&format!("/login/corp/callback?state={state}&error=access_denied")).await);
    let told = trace_words::told(&ended(&house, "declined").await).join("\n");
    assert!(told.contains("with the error access_denied") && told.contains("by the provider's own rules"), "{told}");
    openid.script().canned.insert(
        "/token",
        crate::support::openid::Canned {
            status: 401,
            ..crate::support::openid::Canned::json(&json!({ "error": "invalid_client" }))
        },
    );
    is_refused(&signs_in(&mut house.browser(), &openid).await);
    let told = trace_words::told(&ended(&house, "code_refused").await).join("\n");
    assert!(told.contains("look at client_id, client_secret"), "{told}");
}

#[tokio::test]
async fn the_command_line_tells_a_trace_and_says_when_there_is_none() {
    let provider = "[[identity_provider]]\nslug = \"corp\"\nkind = \"oidc\"\nissuer = \"http://127.0.0.1:1\"\n\
                    client_id = \"vestibule\"\nclient_secret = \"a secret of some length\"\nallow_private_network = true\n";
    let place = Place::with("", provider);
    let service = place.serves();
    let (status, _, page) = asks(service.address, "GET /login/corp HTTP/1.1", "").await.expect("an answer");
    assert_eq!(status, 424);
    let shown = reference(&page);
    assert!(service.stops_in_order().success(), "what was handed over is written before the end");
    let says = |arguments: &[&str]| {
        let done = place.runs(arguments, "");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.success(), text(&done.stdout), text(&done.stderr))
    };
    let (fine, told, _) = says(&["trace", &shown]);
    assert!(
        fine && told.contains("the provider could not be asked") && told.contains("`vestibule idp check corp`"),
        "{told}"
    );
    let (_, json, _) = says(&["trace", &shown, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((json["id"].as_str(), json["outcome"].as_str()), (Some(shown.as_str()), Some("away")), "{json}");
    assert_eq!(json["notes"][0]["facts"]["reason"], "fetch_unreachable");
    let (_, list, _) = says(&["trace", "--last"]);
    assert!(list.lines().count() == 1 && list.contains(&shown), "{list}");
    assert!(says(&["trace", "--last", "5", "--provider", "other"]).1.contains("There is no trace"));
    let (fine, _, why) = says(&["trace", "01890000-0000-7000-8000-000000000000"]);
    assert!(!fine && why.contains("there is no trace with the reference") && why.contains("7 days"), "{why}");
    let (fine, _, why) = says(&["trace", "nonsense"]);
    assert!(!fine && why.contains("is no reference"), "{why}");
    assert!(!says(&["trace"]).0);
}
