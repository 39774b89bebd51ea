//! `/health`, `/ready`, audit, and what of a person lies where.

use crate::support::{House, PASSWORD, engine};
use http::StatusCode;
use std::time::Duration;

#[tokio::test]
async fn health_and_readiness_answer() {
    let house = House::open().await;
    assert_eq!(house.browser().get("/health").await.status, StatusCode::OK);
    assert_eq!(house.browser().get("/ready").await.status, StatusCode::OK);
    house.app.core.database.close().await;
    assert_eq!(house.browser().get("/health").await.status, StatusCode::OK);
    assert_eq!(house.browser().get("/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn whoever_finds_a_weakness_reads_whom_to_tell() {
    let house = House::with("[privacy]\nsecurity_contact = \"mailto:security@example.org\"").await;
    let answer = house.browser().get("/.well-known/security.txt").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "public, max-age=3600");
    assert!(answer.body.starts_with("Contact: mailto:security@example.org\nExpires: 2027-05-20T00:00:00Z\n"));
    let nobody = House::open().await.browser().get("/.well-known/security.txt").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    assert!(!nobody.body.contains("Contact:"), "without a contact there is no such file");
}

#[tokio::test]
async fn browsers_that_guess_at_an_icon_get_one() {
    let house = House::open().await;
    let answer = house.browser().get("/favicon.ico").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "image/svg+xml"));
    assert_eq!(answer.header("cache-control"), "public, max-age=86400");
    assert!(answer.body.contains("<svg") && answer.sets("_vestibule_csrf").is_none());
}

#[tokio::test]
async fn a_store_that_is_gone_is_503_and_signs_nobody_out() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    house.app.core.database.close().await;
    let answer = browser.signs_in("anna", PASSWORD).await;
    assert!(matches!(answer.status.as_u16(), 303 | 503), "{}", answer.status);
    let mut stranger = house.browser();
    let csrf = stranger.get("/login").await.hidden("csrf").expect("the page needs no store");
    let fields = [("csrf", csrf.as_str()), ("username", "anna"), ("password", PASSWORD)];
    let answer = stranger.post("/login", &fields).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!answer.header("retry-after").is_empty());
    assert!(answer.body.contains(answer.header("x-request-id")), "the page tells the id under which the log has more");
    assert!(!answer.body.to_lowercase().contains("sql") && !answer.body.contains("pool"), "and nothing from inside");
    assert!(answer.sets("_vestibule_session").is_none());
    assert!(browser.cookies.contains_key("_vestibule_session"), "nobody is signed out by it");
}

#[tokio::test]
async fn everything_is_audited_without_secrets_or_typed_text() {
    let house = House::open().await;
    house.account("anna").await;
    let mut browser = house.browser();
    house.after(Duration::from_millis(1));
    browser.signs_in("mistyped-my-password-into-the-name-field", "wrong-secret").await;
    browser.signs_in("anna", "wrong-secret").await;
    house.after(Duration::from_millis(1));
    browser.signs_in("anna", PASSWORD).await;
    house.after(Duration::from_millis(1));
    browser.submit("/logout", "/logout", &[]).await;
    let mut acts = house.acts().await;
    // The two of one moment, in either order.
    acts[..2].sort();
    let expected = [
        "account.created",
        "password.set",
        "sign_in.failed",
        "sign_in.failed",
        "sign_in.succeeded",
        "session.signed_out",
    ];
    assert_eq!(acts, expected);
    house.app.close().await;
    for entry in std::fs::read_dir(house.folder.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("a file");
            let text = String::from_utf8_lossy(&bytes);
            for secret in
                ["wrong-secret", "mistyped-my-password", PASSWORD, browser.cookies["_vestibule_csrf"].as_str()]
            {
                assert!(!text.contains(secret), "{} holds {secret}", path.display());
            }
        }
    }
}

#[tokio::test]
async fn sessions_and_counters_survive_a_restart() {
    let house = House::with("[throttle]\naccount_failures = 2\n").await;
    house.account("anna").await;
    house.account("berta").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    for _ in 0..2 {
        house.browser().signs_in("berta", "wrong").await;
    }
    let cookies = browser.cookies.clone();
    house.app.close().await;
    let house = house.reopened("[throttle]\naccount_failures = 2\n").await;
    let mut browser = house.browser();
    browser.cookies = cookies;
    assert!(browser.is_signed_in().await);
    assert_eq!(house.browser().signs_in("berta", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    house.after(Duration::from_hours(24));
    house.housekeeping.sweep(&house.operator()).await.expect("swept");
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn the_data_folder_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::open().await;
    house.account("anna").await;
    let durable: &[_] = if engine::is_postgres() { &[] } else { &["vestibule.db", "vestibule.db-wal"] };
    for name in durable.iter().chain(&["volatile.db", "volatile.db-wal", "secret.key"]) {
        let mode = std::fs::metadata(house.folder.path().join(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

#[tokio::test]
async fn a_lost_root_key_is_not_replaced_by_another() {
    let house = House::open().await;
    house.app.close().await;
    let key = house.folder.path().join("secret.key");
    std::fs::remove_file(&key).expect("removed");
    let text = format!("data_dir = {:?}", house.folder.path().to_str().expect("UTF-8"));
    let config =
        vestibule::config::Config::parse(&text, &engine::environment(house.folder.path())).expect("a configuration");
    let surroundings = vestibule::service::context::Surroundings::machine();
    let failure = vestibule::app::App::open(&config, surroundings).await.err().expect("a refusal");
    assert!(failure.to_string().contains("is missing"), "{failure}");
    assert!(!key.exists(), "nobody takes a new key for the old one");
}

#[tokio::test]
async fn another_root_key_does_not_open_the_ring() {
    let house = House::open().await;
    house.app.close().await;
    std::fs::write(house.folder.path().join("secret.key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        .expect("another key");
    let config = format!("data_dir = {:?}", house.folder.path().to_str().expect("UTF-8"));
    let config =
        vestibule::config::Config::parse(&config, &engine::environment(house.folder.path())).expect("a configuration");
    let surroundings = vestibule::service::context::Surroundings::machine();
    let failure = vestibule::app::App::open(&config, surroundings).await.err().expect("a refusal");
    assert!(failure.to_string().contains("secret.key"), "{failure}");
}
