//! `/verify` and `/api/v1/session`: what main apps get, in each proxy's style.

use crate::support::{Browser, House, PASSWORD};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use vestibule::service::caller::Operator;

const BEHIND: &str = r#"
[server]
trusted_proxies = ["10.0.0.0/8"]
[[application]]
slug = "tasks"
hosts = ["tasks.example.org"]
groups = ["staff"]
anonymous_paths = ["/public"]
secret = "a-secret-of-the-application-0123456789"
jwt = true
[[application.rule]]
paths = ["/admin"]
groups = ["admins"]
[[application.rule]]
paths = ["/vault"]
second_factor = true
[[application.rule]]
paths = ["/office"]
networks = ["192.0.2.0/24"]
[[application]]
slug = "wiki"
hosts = ["wiki.example.org"]
secret = "another-secret-of-another-app-0123456789"
"#;

async fn house() -> House {
    let house = House::with(BEHIND).await;
    let (ctx, by) = (house.operator(), Operator::vouched());
    let anna = house.account("anna").await;
    house.account("berta").await;
    house.groups().create(&ctx, by, "staff").await.expect("a group");
    house.groups().create(&ctx, by, "all hands").await.expect("a group");
    house.groups().add(&ctx, by, "staff", &anna).await.expect("a member");
    house.groups().add(&ctx, by, "all hands", &anna).await.expect("a member");
    house
}

async fn behind_proxy(house: &House, name: &str) -> Browser {
    let mut browser = house.browser_at("10.0.0.1:5000");
    if !name.is_empty() {
        browser.signs_in(name, PASSWORD).await;
    }
    browser
}

/// Asks as Traefik and Caddy do.
async fn asks(browser: &Browser, method: &str, host: &str, uri: &str, from: &str) -> crate::support::Answer {
    let mut asking = browser.clone();
    for (name, value) in [
        ("x-forwarded-method", method),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", host),
        ("x-forwarded-uri", uri),
        ("x-forwarded-for", from),
    ] {
        asking = asking.sending(name, value);
    }
    asking.get("/verify").await
}

#[tokio::test]
async fn identity_headers_tell_who_it_is() {
    let house = house().await;
    let browser = behind_proxy(&house, "anna").await;
    let answer = asks(&browser, "GET", "tasks.example.org", "/board?x=1", "192.0.2.9").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("remote-user"), "anna");
    assert_eq!(answer.header("remote-name"), "anna Example");
    assert_eq!(answer.header("remote-email"), "anna@example.org");
    assert_eq!(answer.header("remote-groups"), "all hands,staff");
    assert_eq!(answer.header("remote-account-id"), house.named("anna").await.id.to_string());
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn rules_decide_by_path_group_factor_and_network() {
    let house = house().await;
    let anna = behind_proxy(&house, "anna").await;
    let berta = behind_proxy(&house, "berta").await;
    let nobody = behind_proxy(&house, "").await;
    let host = "tasks.example.org";
    for (who, method, uri, from, status, reason) in [
        (&anna, "POST", "/", "192.0.2.9", 200, ""),
        (&berta, "GET", "/", "192.0.2.9", 403, "group_required"),
        (&nobody, "GET", "/", "192.0.2.9", 401, ""),
        (&nobody, "GET", "/public/page", "192.0.2.9", 200, ""),
        (&berta, "GET", "/public/page", "192.0.2.9", 200, ""),
        (&berta, "POST", "/public/page", "192.0.2.9", 403, "group_required"),
        (&nobody, "POST", "/public/page", "192.0.2.9", 401, ""),
        (&nobody, "GET", "/publicity", "192.0.2.9", 401, ""),
        (&anna, "GET", "/admin", "192.0.2.9", 403, "group_required"),
        (&anna, "GET", "/vault/x", "192.0.2.9", 401, "second_factor_required"),
        (&anna, "GET", "/office", "203.0.113.1", 403, "network_not_allowed"),
        (&anna, "GET", "/office", "192.0.2.9", 200, ""),
        // Another spelling of a path is no way around its rule.
        (&anna, "GET", "/%61dmin", "192.0.2.9", 403, "group_required"),
        (&anna, "GET", "//admin", "192.0.2.9", 403, "group_required"),
        (&anna, "GET", "/x%2F..%2Fadmin", "192.0.2.9", 403, "malformed_request"),
        (&nobody, "GET", "/public/../admin", "192.0.2.9", 403, "malformed_request"),
    ] {
        let answer = asks(who, method, host, uri, from).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("x-vestibule-reason")),
            (status, reason),
            "{method} {uri} from {from}"
        );
        if status != 200 || reason == "anonymous" {
            assert!(answer.header("remote-user").is_empty());
        }
    }
    let answer = asks(&nobody, "GET", host, "/public/page", "192.0.2.9").await;
    assert!(answer.header("remote-user").is_empty(), "strangers have no identity");
    let answer = asks(&anna, "GET", "elsewhere.example.org", "/", "192.0.2.9").await;
    assert_eq!((answer.status, answer.header("x-vestibule-reason")), (StatusCode::FORBIDDEN, "unknown_application"));
}

#[tokio::test]
async fn a_stranger_is_told_where_to_sign_in_and_comes_back() {
    let house = house().await;
    let nobody = behind_proxy(&house, "").await;
    let answer = asks(&nobody, "GET", "tasks.example.org", "/board?x=1&y=2", "192.0.2.9").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let expected = "http://localhost:8080/login?return_to=https%3A%2F%2Ftasks.example.org%2Fboard%3Fx%3D1%26y%3D2";
    assert_eq!(answer.location(), expected);
    let page = answer.location().trim_start_matches("http://localhost:8080").to_owned();
    let mut browser = house.browser();
    let answer = browser.submit(&page, "/login", &[("username", "anna"), ("password", PASSWORD)]).await;
    assert_eq!(answer.location(), "https://tasks.example.org/board?x=1&y=2");
}

#[tokio::test]
async fn nginx_and_envoy_ask_in_their_own_ways() {
    let house = house().await;
    let browser = behind_proxy(&house, "anna").await;
    let mut nginx = browser.clone();
    nginx = nginx.sending("x-original-url", "https://tasks.example.org/admin/x").sending("x-original-method", "GET");
    assert_eq!(nginx.get("/verify").await.header("x-vestibule-reason"), "group_required");
    let envoy = browser.clone().sending("host", "tasks.example.org").sending("x-forwarded-proto", "https");
    assert_eq!(envoy.clone().get("/verify/admin/x").await.header("x-vestibule-reason"), "group_required");
    assert_eq!(envoy.clone().get("/verify/board").await.status, StatusCode::OK);
}

#[tokio::test]
async fn contradicting_or_missing_headers_are_refused() {
    let house = house().await;
    let browser = behind_proxy(&house, "anna").await;
    let mut nothing = browser.clone();
    assert_eq!(nothing.get("/verify").await.status, StatusCode::BAD_REQUEST);
    let mut torn =
        browser.clone().sending("x-original-url", "https://tasks.example.org/").sending("x-original-method", "GET");
    torn = torn.sending("x-forwarded-uri", "/admin");
    assert_eq!(torn.get("/verify").await.header("x-vestibule-reason"), "malformed_request");
}

#[tokio::test]
async fn a_peer_that_is_no_proxy_cannot_choose_the_application() {
    let house = house().await;
    let mut browser = house.browser_at("203.0.113.4:1");
    browser.signs_in("anna", PASSWORD).await;
    let answer = asks(&browser, "GET", "tasks.example.org", "/", "192.0.2.9").await;
    assert_eq!((answer.status, answer.header("x-vestibule-reason")), (StatusCode::FORBIDDEN, "untrusted_proxy"));
    assert!(answer.header("remote-user").is_empty());
}

#[tokio::test]
async fn without_applications_every_signed_in_person_passes() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    let refused = browser.get("/verify").await;
    assert_eq!((refused.status, refused.location()), (StatusCode::UNAUTHORIZED, "http://localhost:8080/login"));
    browser.signs_in("anna", PASSWORD).await;
    assert_eq!(browser.get("/verify").await.header("remote-user"), "anna");
    assert_eq!(browser.get("/verify?redirect").await.status, StatusCode::OK);
    let mut nobody = house.browser();
    assert_eq!(nobody.get("/verify?redirect").await.status, StatusCode::SEE_OTHER);
    assert_eq!(nobody.get("/verifying").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_way_back_is_offered_only_where_the_sign_in_page_would_take_it() {
    let house = House::with("[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n").await;
    let nobody = behind_proxy(&house, "").await;
    let answer = asks(&nobody, "GET", "tasks.example.org", "/board", "192.0.2.9").await;
    assert_eq!((answer.status, answer.location()), (StatusCode::UNAUTHORIZED, "http://localhost:8080/login"));
}

#[tokio::test]
async fn the_signed_identity_verifies_against_the_published_keys() {
    let house = house().await;
    let browser = behind_proxy(&house, "anna").await;
    let answer = asks(&browser, "GET", "tasks.example.org", "/", "192.0.2.9").await;
    let token = answer.header("x-vestibule-jwt").to_owned();
    let keys: serde_json::Value =
        serde_json::from_str(&house.browser().get("/.well-known/jwks.json").await.body).expect("JSON");
    let key = &keys["keys"][0];
    assert!(key.get("d").is_none(), "only the public half is published");
    let head: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a head")).expect("base64"))
            .expect("JSON");
    assert_eq!((head["alg"].as_str(), head["kid"].as_str()), (Some("EdDSA"), key["kid"].as_str()));
    let decoding = jsonwebtoken::DecodingKey::from_ed_components(key["x"].as_str().expect("x")).expect("a key");
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    validation.set_audience(&["tasks"]);
    validation.set_issuer(&["http://localhost:8080"]);
    validation.validate_exp = false;
    let claims =
        jsonwebtoken::decode::<serde_json::Value>(&token, &decoding, &validation).expect("a token of ours").claims;
    assert_eq!(claims["preferred_username"], "anna");
    assert_eq!(claims["groups"], serde_json::json!(["all hands", "staff"]));
    assert_eq!(claims["amr"], serde_json::json!(["pwd"]));
    assert_eq!(claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat"), 120);
    let again = asks(&browser, "GET", "tasks.example.org", "/x", "192.0.2.9").await;
    assert_eq!(again.header("x-vestibule-jwt"), token, "signed once a minute");
    house.after(std::time::Duration::from_mins(1));
    let later = asks(&browser, "GET", "tasks.example.org", "/", "192.0.2.9").await;
    assert_ne!(later.header("x-vestibule-jwt"), token);
    let wiki = asks(&browser, "GET", "wiki.example.org", "/", "192.0.2.9").await;
    assert!(wiki.header("x-vestibule-jwt").is_empty(), "only where it was asked for");
}

#[tokio::test]
async fn whoami_answers_the_browser_and_the_application() {
    let house = house().await;
    let mut browser = house.browser();
    assert_eq!(browser.get("/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    browser.signs_in("anna", PASSWORD).await;
    let answer = browser.get("/api/v1/session").await;
    let told: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(told["account"]["username"], "anna");
    assert_eq!(told["account"]["groups"], serde_json::json!(["all hands", "staff"]));
    assert_eq!(told["session"]["amr"], serde_json::json!(["pwd"]));
    assert_eq!(told["session"]["created_at"], "2026-11-21T18:05:00Z");
    assert!(!answer.body.contains(&browser.cookies["_vestibule_session"]));
    let session = browser.cookies["_vestibule_session"].clone();
    let app = |secret: &str| house.browser_at("203.0.113.4:1").sending("authorization", &format!("Bearer {secret}"));
    let mut server = app("a-secret-of-the-application-0123456789").sending("x-vestibule-session", &session);
    assert_eq!(server.get("/api/v1/session").await.status, StatusCode::OK);
    let mut forger = app("a-secret-of-the-application-012345678X").sending("x-vestibule-session", &session);
    let refused = forger.get("/api/v1/session").await;
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (StatusCode::UNAUTHORIZED, "application/problem+json")
    );
    let mut unsigned = house.browser_at("203.0.113.4:1").sending("x-vestibule-session", &session);
    assert_eq!(
        unsigned.get("/api/v1/session").await.status,
        StatusCode::UNAUTHORIZED,
        "the bare value needs a secret beside it"
    );
}

#[tokio::test]
async fn an_application_is_not_told_about_people_that_it_may_not_serve() {
    let house = house().await;
    let mut berta = house.browser();
    berta.signs_in("berta", PASSWORD).await;
    let session = berta.cookies["_vestibule_session"].clone();
    let mut tasks = house.browser().sending("authorization", "Bearer a-secret-of-the-application-0123456789");
    tasks = tasks.sending("x-vestibule-session", &session);
    assert_eq!(tasks.get("/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    let mut wiki = house.browser().sending("authorization", "Bearer another-secret-of-another-app-0123456789");
    wiki = wiki.sending("x-vestibule-session", &session);
    assert_eq!(wiki.get("/api/v1/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn guessing_application_secrets_is_limited() {
    let house = House::with(&format!("{BEHIND}\n[throttle]\naddress_failures = 2\n")).await;
    let mut forger = house.browser().sending("authorization", "Bearer guess");
    for _ in 0..2 {
        assert_eq!(forger.get("/api/v1/session").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(forger.get("/api/v1/session").await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn rotated_keys_keep_sessions_and_revoked_ones_do_not() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    let keys = &house.app.keys;
    let (ctx, by) = (house.operator(), Operator::vouched());
    let states = keys.rotate(&ctx, by, std::time::Duration::from_hours(1)).await.expect("rotated");
    // By then every node knows the new key, and it is used.
    house.after(std::time::Duration::from_mins(1));
    house.housekeeping.reload_keys(&ctx).await;
    assert_eq!(browser.get("/verify").await.status, StatusCode::OK, "an old cookie goes on");
    let old: Vec<_> = states.iter().filter(|key| key.retires_at.is_some()).collect();
    assert_eq!(old.len(), 3);
    let in_use = states.iter().find(|key| key.retires_at.is_none()).expect("a new key").id;
    keys.revoke(&ctx, by, in_use).await.expect_err("the one in use stays");
    let cookies = old.iter().find(|key| key.purpose == "cookies").expect("a cookie key").id;
    let mut newcomer = house.browser();
    newcomer.signs_in("anna", PASSWORD).await;
    keys.revoke(&ctx, by, cookies).await.expect("revoked");
    assert_eq!(browser.get("/verify").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(newcomer.get("/verify").await.status, StatusCode::OK);
    house.app.keys.rotate(&ctx, by, std::time::Duration::from_mins(1)).await.expect("rotated");
    house.after(std::time::Duration::from_mins(1));
    house.housekeeping.reload_keys(&ctx).await;
    assert_eq!(newcomer.get("/verify").await.status, StatusCode::UNAUTHORIZED, "retired keys open nothing");
    assert_eq!((house.count_acts("key.rotated").await, house.count_acts("key.revoked").await), (6, 1));
}

#[tokio::test]
async fn a_group_is_the_same_in_whatever_case_it_is_written() {
    let house = House::with(&BEHIND.replace("groups = [\"staff\"]", "groups = [\"STAFF\"]")).await;
    let (ctx, by) = (house.operator(), Operator::vouched());
    let anna = house.account("anna").await;
    house.account("berta").await;
    house.groups().create(&ctx, by, "Staff").await.expect("a group");
    house.groups().add(&ctx, by, "stAFF", &anna).await.expect("a member");
    let passed = asks(&behind_proxy(&house, "anna").await, "GET", "tasks.example.org", "/x", "192.0.2.1").await;
    assert_eq!(passed.status, StatusCode::OK, "{}", passed.body);
    assert_eq!(passed.header("remote-groups"), "Staff", "as it was made");
    let other = asks(&behind_proxy(&house, "berta").await, "GET", "tasks.example.org", "/x", "192.0.2.1").await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
}
