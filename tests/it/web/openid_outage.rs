//! Providers that are slow, huge, wrong, redirecting, private or dead: bounded time, a page that says so, and other ways in
//! that keep working.

use super::provider::{house, is_refused, signs_in};
use crate::support::openid::{Canned, NOW, rsa};
use crate::support::{House, OpenId, PASSWORD};
use http::StatusCode;
use jsonwebtoken::{Algorithm, Header};
use serde_json::json;
use std::time::Duration;

async fn others_still_get_in(house: &House) {
    house.account("ben").await;
    assert_eq!(house.browser().signs_in("ben", PASSWORD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn wrong_answers_of_every_endpoint_end_on_a_page() {
    let huge = Canned { status: 200, kind: "application/json", body: vec![b' '; 600 * 1024] };
    let redirect = Canned { status: 302, kind: "application/json", body: Vec::new() };
    let failing = Canned { status: 500, kind: "text/html", body: b"<h1>Oops</h1>".to_vec() };
    let nonsense = Canned { status: 200, kind: "application/json", body: b"{\"keys\": 7, \"sub\": []".to_vec() };
    let empty = Canned::json(&json!({}));
    for path in ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"] {
        for canned in [&huge, &redirect, &failing, &nonsense, &empty] {
            let openid = OpenId::start().await;
            openid.script().canned.insert(path, canned.clone());
            let house = house(&openid, "").await;
            let mut browser = house.browser();
            let left = browser.get("/login/corp").await;
            let answer = if left.status == StatusCode::SEE_OTHER {
                browser.get(&openid.consents(left.location())).await
            } else {
                left
            };
            is_refused(&answer);
            assert_eq!(openid.count("/elsewhere"), 0, "a redirect was followed");
            assert!(!answer.body.contains("Oops"), "the provider's words are shown");
        }
    }
}

#[tokio::test]
async fn a_private_address_is_not_asked_unless_allowed() {
    let openid = OpenId::start().await;
    let text = openid.configuration("").replace("allow_private_network = true", "");
    let house = House::with(&text).await;
    let answer = house.browser().get("/login/corp").await;
    is_refused(&answer);
    assert_eq!(answer.status, StatusCode::FAILED_DEPENDENCY);
    assert!(openid.script().heard.is_empty());
    others_still_get_in(&house).await;
}

#[tokio::test]
async fn metadata_leads_nowhere_that_would_not_be_asked_itself() {
    for (name, address) in [
        ("token_endpoint", "http://idp.example/token"),
        ("token_endpoint", "file:///etc/passwd"),
        ("jwks_uri", "http://169.254.169.254/latest/meta-data"),
        ("authorization_endpoint", "javascript:alert(1)"),
        ("authorization_endpoint", "http://evil.example/"),
        ("userinfo_endpoint", "gopher://x"),
    ] {
        let openid = OpenId::start().await;
        openid.script().metadata = std::sync::Arc::new(move |metadata| {
            metadata.insert(name.into(), json!(address));
        });
        let house = house(&openid, "").await;
        let mut browser = house.browser();
        let left = browser.get("/login/corp").await;
        let answer = if left.status == StatusCode::SEE_OTHER {
            browser.get(&openid.consents(left.location())).await
        } else {
            left
        };
        is_refused(&answer);
    }
}

#[tokio::test]
async fn a_dead_provider_is_told_at_once_and_does_not_take_others_along() {
    let openid = OpenId::start().await;
    let gone = "http://127.0.0.1:9";
    let house = House::with(&openid.configuration("").replace(&openid.issuer, gone)).await;
    let answer = house.browser().get("/login/corp").await;
    is_refused(&answer);
    assert_eq!(answer.status, StatusCode::FAILED_DEPENDENCY);
    assert!(answer.body.contains("does not answer"), "{}", answer.body);
    others_still_get_in(&house).await;
}

#[tokio::test]
async fn a_silent_provider_is_given_its_time_and_asked_once_for_all() {
    let openid = OpenId::start().await;
    openid.script().silent.push("/.well-known/openid-configuration");
    let house = house(&openid, "timeout = \"1s\"").await;
    let begun = tokio::time::Instant::now();
    let (mut one, mut two, mut three) = (house.browser(), house.browser(), house.browser());
    let (a, b, c) = tokio::join!(one.get("/login/corp"), two.get("/login/corp"), three.get("/login/corp"));
    for answer in [a, b, c] {
        is_refused(&answer);
    }
    assert!(begun.elapsed() <= Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(openid.count("/.well-known/openid-configuration"), 1, "of many who need the same, one asks");
    // Later it is there again.
    openid.script().silent.clear();
    house.after(Duration::from_secs(6));
    assert_eq!(house.browser().get("/login/corp").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_silent_token_endpoint_is_given_its_time() {
    for path in ["/token", "/userinfo"] {
        let openid = OpenId::start().await;
        openid.script().silent.push(path);
        let house = house(&openid, "timeout = \"1s\"").await;
        let begun = tokio::time::Instant::now();
        is_refused(&signs_in(&mut house.browser(), &openid).await);
        assert!(begun.elapsed() <= Duration::from_secs(8), "{path}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_token_endpoint_that_has_no_time_is_away_and_not_distrusted() {
    for status in [429, 408, 500, 503] {
        let openid = OpenId::start().await;
        let body = b"{\"error\": \"invalid_grant\"}".to_vec();
        openid.script().canned.insert("/token", Canned { status, kind: "application/json", body });
        let house = house(&openid, "").await;
        let answer = signs_in(&mut house.browser(), &openid).await;
        assert_eq!(answer.status, StatusCode::FAILED_DEPENDENCY, "{status}: {}", answer.body);
        assert!(answer.body.contains("does not answer"), "{status}: {}", answer.body);
        is_refused(&answer);
        others_still_get_in(&house).await;
    }
    // One that is not there is no outage: somebody wrote the wrong address.
    let openid = OpenId::start().await;
    openid.script().canned.insert("/token", Canned { status: 404, kind: "text/html", body: b"no".to_vec() });
    let house = house(&openid, "").await;
    assert_eq!(signs_in(&mut house.browser(), &openid).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_known_of_a_provider_stays_in_force_while_it_is_away() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    assert_eq!(signs_in(&mut house.browser(), &openid).await.status, StatusCode::SEE_OTHER);
    let failing = Canned { status: 503, kind: "text/plain", body: Vec::new() };
    openid.script().canned.insert("/.well-known/openid-configuration", failing.clone());
    openid.script().canned.insert("/jwks", failing);
    house.app.providers.refresh(&house.operator()).await;
    assert_eq!(openid.count("/.well-known/openid-configuration"), 2);
    assert_eq!(signs_in(&mut house.browser(), &openid).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_job_learns_of_new_metadata_and_keys() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    assert_eq!(signs_in(&mut house.browser(), &openid).await.status, StatusCode::SEE_OTHER);
    // A key that was given up is believed no longer than until the next round.
    let old = openid.script().signer.clone();
    openid.signs_with(crate::support::openid::rsa(1));
    house.app.providers.refresh(&house.operator()).await;
    openid.script().header.kid = Some(old.kid.to_owned());
    openid.script().signer = old;
    is_refused(&signs_in(&mut house.browser(), &openid).await);
}

#[tokio::test]
async fn the_operator_is_told_what_is_wrong() {
    use vestibule::service::caller::Operator;
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let check = |slug: &'static str| {
        let (providers, ctx) = (house.app.providers.clone(), house.operator());
        async move { providers.check(&ctx, Operator::vouched(), slug).await }
    };
    let report = check("corp").await.expect("a report");
    assert!(report.problems.is_empty(), "{report:?}");
    let facts = report.facts.join("\n");
    assert!(facts.contains("http://localhost:8080/login/corp/callback") && facts.contains(&openid.issuer), "{facts}");
    for fact in ["clock              as here", "certificate        none", "redirect address   known to the provider"] {
        assert!(facts.contains(fact), "{facts}");
    }
    for (clock, told) in [(NOW + 240, "4 min ahead of"), (NOW - 600, "10 min behind")] {
        openid.script().clock = clock;
        let report = check("corp").await.expect("a report");
        assert!(report.problems.len() == 1 && report.problems[0].contains(told), "{report:?}");
    }
    openid.script().clock = NOW + 30;
    let report = check("corp").await.expect("a report");
    assert!(report.problems.is_empty() && report.facts.join(" ").contains("30 s ahead of"), "{report:?}");
    openid.script().canned.insert("/authorize", Canned { status: 400, ..Canned::json(&json!("no")) });
    let report = check("corp").await.expect("a report");
    let register = "Register http://localhost:8080/login/corp/callback there";
    assert!(report.problems.len() == 1 && report.problems[0].contains(register), "{report:?}");
    openid.script().canned.insert("/authorize", Canned { status: 302, ..Canned::json(&json!("elsewhere")) });
    let report = check("corp").await.expect("a report");
    assert!(report.problems.is_empty() && report.facts.join(" ").contains("not told"), "{report:?}");
    assert!(check("nobody").await.is_none());
    openid.script().metadata = std::sync::Arc::new(|metadata| {
        metadata.insert("issuer".into(), json!("https://other.example"));
    });
    let report = check("corp").await.expect("a report");
    assert!(report.problems[0].contains("names another issuer"), "{report:?}");
    assert!(!format!("{report:?}").contains("secret/of us"));
}

#[tokio::test]
async fn the_operator_is_told_what_metadata_promises_in_vain() {
    use vestibule::service::caller::Operator;
    for (name, value, told) in [
        ("token_endpoint", json!("ftp://x/"), "the provider's token endpoint is of no use: ftp://x/"),
        ("token_endpoint", json!("http://idp.example/token"), "it must be https"),
        ("userinfo_endpoint", json!("gopher://x"), "the provider's userinfo endpoint is of no use"),
        ("response_types_supported", json!(["token", "code id_token"]), "offers no authorization code"),
    ] {
        let openid = OpenId::start().await;
        openid.script().metadata = std::sync::Arc::new(move |metadata| {
            metadata.insert(name.into(), value.clone());
        });
        let house = house(&openid, "").await;
        let report = house.app.providers.check(&house.operator(), Operator::vouched(), "corp").await.expect("one");
        assert!(report.problems.len() == 1 && report.problems[0].contains(told), "{report:?}");
        assert!(report.problems[0].contains("\n  "), "with what to do: {report:?}");
    }
}

#[tokio::test]
async fn nothing_that_a_provider_writes_reaches_a_terminal_raw() {
    use vestibule::service::caller::Operator;
    let openid = OpenId::start().await;
    openid.script().metadata = std::sync::Arc::new(move |metadata| {
        metadata.insert("end_session_endpoint".into(), json!("https://a/\u{1b}[31m\nWRONG everything"));
        metadata.insert("token_endpoint".into(), json!("ftp://a/\u{9b}2J\nok"));
    });
    let house = house(&openid, "").await;
    let report = house.app.providers.check(&house.operator(), Operator::vouched(), "corp").await.expect("one");
    assert!(report.facts.iter().all(|fact| !fact.contains(char::is_control)), "{report:?}");
    let raw = |problem: &String| problem.replace("\n  ", "").contains(char::is_control);
    assert!(!report.problems.iter().any(raw), "{report:?}");
}

#[tokio::test]
async fn many_tokens_with_a_strange_key_cause_one_question() {
    let openid = OpenId::start().await;
    let house = house(&openid, "").await;
    let (signer, mut header) = (rsa(0), Header::new(Algorithm::RS256));
    header.kid = Some("no-such-key".to_owned());
    let token = signer.sign(&header, &json!({ "iss": openid.issuer }));
    let answer = json!({ "access_token": "x", "token_type": "Bearer", "id_token": token });
    openid.script().canned.insert("/token", Canned::json(&answer));
    let mut browsers: Vec<_> = (0..6).map(|_| house.browser()).collect();
    let mut backs = Vec::new();
    for browser in &mut browsers {
        let left = browser.get("/login/corp").await;
        backs.push(openid.consents(left.location()));
    }
    let answers = browsers.iter_mut().zip(&backs).map(|(browser, back)| browser.get(back));
    for answer in futures_util::future::join_all(answers).await {
        is_refused(&answer);
    }
    assert_eq!(
        (openid.count("/token"), openid.count("/jwks")),
        (6, 2),
        "at the start, and once because of all of them"
    );
}
