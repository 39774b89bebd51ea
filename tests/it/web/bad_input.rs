//! What a stranger can send: every bad input gets a clear 4xx, no session, nothing in the database, and never a 5xx.

use crate::support::{House, PASSWORD};
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE};
use http::{Request, StatusCode};
use vestibule::web::router::{ROUTES, Who};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn malformed_and_forged_cookies_are_nobody() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    let good = browser.cookies["_vestibule_session"].clone();
    let other_house = House::open().await;
    other_house.account("anna").await;
    let mut elsewhere = other_house.browser();
    elsewhere.signs_in("anna", PASSWORD).await;
    let foreign = elsewhere.cookies["_vestibule_session"].clone();
    let csrf = browser.cookies["_vestibule_csrf"].clone();
    let flipped = format!("{}{}", &good[..good.len() - 2], if good.ends_with("AA") { "BB" } else { "AA" });
    for value in [
        "",
        "x",
        "=",
        &"A".repeat(86),
        &"A".repeat(100_000),
        "\u{fc}",
        "%00",
        &foreign,
        &csrf,
        &flipped,
        &format!("{good}x"),
        &format!("\"{good}\""),
    ] {
        for path in ["/verify", "/api/v1/session", "/account", "/login"] {
            let request = Request::get(path).header(
                COOKIE,
                http::HeaderValue::from_bytes(format!("_vestibule_session={value}").as_bytes()).expect("bytes"),
            );
            let answer = house.browser().send(request.body(Body::empty()).expect("a request")).await;
            let expected = match path {
                "/account" => StatusCode::SEE_OTHER,
                "/login" => StatusCode::OK,
                _ => StatusCode::UNAUTHORIZED,
            };
            assert_eq!(answer.status, expected, "{path} with {value:.40}");
        }
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn forms_without_token_or_from_elsewhere_are_refused() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    let csrf = browser.get("/login").await.hidden("csrf").expect("a form");
    let fields = |token: &str| [("csrf", token.to_owned()), ("username", "anna".into()), ("password", PASSWORD.into())];
    let refs = |fields: &[(&'static str, String); 3]| {
        fields.iter().map(|(name, value)| (*name, value.clone())).collect::<Vec<_>>()
    };
    for token in ["", "x", &"A".repeat(43)] {
        let sent = refs(&fields(token));
        let sent: Vec<_> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(browser.post("/login", &sent).await.status, StatusCode::FORBIDDEN);
    }
    let sent = refs(&fields(&csrf));
    let sent: Vec<_> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let mut crossing = browser.clone().sending(name, value);
        assert_eq!(crossing.post("/login", &sent).await.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    let mut cookieless = house.browser();
    assert_eq!(cookieless.post("/login", &sent).await.status, StatusCode::FORBIDDEN, "a token without its cookie");
    assert_eq!(house.count_acts("sign_in.succeeded").await, 0);
    let mut same = browser.clone().sending("origin", "http://localhost:8080").sending("sec-fetch-site", "same-origin");
    assert_eq!(same.post("/login", &sent).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn every_form_of_the_house_wants_its_token() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    for (method, path, who) in ROUTES {
        if *method == "POST" {
            let answer = browser.post(path, &[]).await;
            if *who == Who::Provider {
                // Providers post there, from elsewhere and without a token of ours; this one is unknown.
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
                continue;
            }
            // That one takes a form with a file only; avatar.rs sends it without its token.
            let file = *path == "/account/avatar";
            let refused = if file { StatusCode::UNSUPPORTED_MEDIA_TYPE } else { StatusCode::FORBIDDEN };
            assert_eq!(answer.status, refused, "{path}");
        }
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn bodies_that_are_no_form_are_refused() {
    let house = House::open().await;
    let mut browser = house.browser();
    let csrf = browser.get("/login").await.hidden("csrf").expect("a form");
    for (media, body, status) in [
        ("application/json", "{}".to_owned(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("", "csrf=x".to_owned(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("multipart/form-data; boundary=x", "--x--".to_owned(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (FORM, format!("csrf={csrf}&username=%ff%fe&password=x"), StatusCode::BAD_REQUEST),
        (FORM, format!("csrf={csrf}&username=a&username=b&password=x"), StatusCode::BAD_REQUEST),
        (FORM, format!("csrf={csrf}&username={}", "a".repeat(70_000)), StatusCode::PAYLOAD_TOO_LARGE),
        (FORM, format!("csrf={csrf}&username=a%00b&password=%00"), StatusCode::UNPROCESSABLE_ENTITY),
        (
            FORM,
            format!("csrf={csrf}&username={}&password={}", "ü".repeat(3000), "p".repeat(3000)),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        let request =
            Request::post("/login").header(CONTENT_TYPE, media).body(Body::from(body.clone())).expect("a request");
        let answer = browser.send(request).await;
        assert_eq!(answer.status, status, "{media} {body:.60}");
        assert!(answer.body.contains("<html"), "a page explains it");
        assert!(answer.sets("_vestibule_session").is_none());
    }
}

#[tokio::test]
async fn targets_elsewhere_are_refused_before_anybody_types_a_password() {
    let house = House::open().await;
    house.account("anna").await;
    for target in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/x\r\ny",
        "\u{1}",
        "http:evil",
        "/ x",
        "https://localhost:8080@evil.example/",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
        let mut browser = house.browser();
        let answer = browser.get(&format!("/login?return_to={encoded}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{target:?}");
        let csrf = browser.get("/login").await.hidden("csrf").expect("a form");
        let fields = [("csrf", csrf.as_str()), ("username", "anna"), ("password", PASSWORD), ("return_to", target)];
        let answer = browser.post("/login", &fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{target:?}");
        assert!(answer.sets("_vestibule_session").is_none());
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_so_and_nothing_inside_shows() {
    let house = House::open().await;
    for (method, path, status) in [
        ("GET", "/wp-login.php", 404),
        ("GET", "/assets/../Cargo.toml", 404),
        ("GET", "/assets/x", 404),
        ("GET", "/%ff", 404),
        ("GET", "/metrics", 404),
        ("GET", "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200", 404),
        ("PUT", "/login", 405),
        ("DELETE", "/api/v1/session", 405),
        ("GET", "/api/v1/nothing", 404),
        ("BREW", "/", 405),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        let answer = house.browser().send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        let media = if path.starts_with("/api/") { "application/problem+json" } else { "text/html; charset=utf-8" };
        assert_eq!(answer.header("content-type"), media, "{method} {path}");
    }
}

#[tokio::test]
async fn every_page_carries_the_security_headers_and_loads_nothing_from_elsewhere() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    for (method, path, _) in ROUTES {
        if *method != "GET" || path.contains('{') || *path == "/verify" || *path == "/api/v1/session" {
            continue;
        }
        let answer = browser.get(path).await;
        assert!(answer.status.as_u16() < 500, "{path}");
        let policy = answer.header("content-security-policy").to_owned();
        assert!(
            policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        if answer.header("content-type").starts_with("text/html") {
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            for foreign in ["<script", "style=\"", "<style", "src=\"http", "href=\"http", "onclick"] {
                let body = answer.body.replace("<script src=\"/assets/webauthn-", "");
                assert!(!body.contains(foreign), "{path} has {foreign}");
                let asks_a_key = body.len() < answer.body.len();
                assert_eq!(policy.contains("script-src"), asks_a_key, "{path}: scripts where a key is asked only");
            }
        }
    }
}
