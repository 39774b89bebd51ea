//! Two nodes that share sessions in Redis, and what people see when it is killed, paused, or comes back empty: 503 while
//! nothing is known, never a yes to a session that ended, never the loss of a cookie.

use crate::support::redis::{RedisServer, until};
use crate::support::{Answer, Browser, House, PASSWORD};
use http::StatusCode;
use http::header::SET_COOKIE;
use std::time::Duration;

fn with(redis: &RedisServer) -> String {
    format!("[sessions]\nstore = \"redis\"\nredis_url = \"redis://{}\"\n[autologin]\ndays = 30\n", redis.address())
}

/// Two nodes over one Redis and one database.
async fn nodes(redis: &RedisServer) -> (House, House) {
    let one = House::with(&with(redis)).await;
    let two = one.reopened(&with(redis)).await;
    one.account("anna").await;
    (one, two)
}

/// The same browser, led to another node by the balancer.
fn on(house: &House, browser: &Browser) -> Browser {
    let mut led = house.browser();
    led.cookies.clone_from(&browser.cookies);
    led
}

fn takes_a_cookie_away(answer: &Answer) -> bool {
    answer.headers.get_all(SET_COOKIE).iter().any(|line| line.to_str().is_ok_and(|line| line.contains("Max-Age=0")))
}

async fn verifies(browser: &Browser) -> StatusCode {
    browser.clone().get("/verify").await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_on_one_node_is_good_on_the_other_and_so_is_its_end() {
    let redis = RedisServer::start().await;
    let (one, two) = nodes(&redis).await;
    let mut anna = one.browser();
    // The page comes from one node, the form goes to the other.
    let shown = anna.get("/login").await;
    let csrf = shown.hidden("csrf").expect("a form token");
    let mut led = on(&two, &anna);
    let answer = led.post("/login", &[("csrf", &csrf), ("username", "anna"), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let stolen = led.clone();
    for house in [&one, &two] {
        assert_eq!(verifies(&on(house, &led)).await, StatusCode::OK);
    }
    led.submit("/logout", "/logout", &[]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    for house in [&one, &two] {
        assert_eq!(verifies(&on(house, &stolen)).await, StatusCode::UNAUTHORIZED, "a tenth of a second later");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_befalls_redis_nobody_is_signed_out_and_nobody_who_was_comes_back() {
    let mut redis = RedisServer::start().await;
    let (one, two) = nodes(&redis).await;
    let (mut anna, mut gone) = (one.browser(), one.browser());
    anna.signs_in("anna", PASSWORD).await;
    gone.signs_in("anna", PASSWORD).await;
    let stolen = gone.clone();
    assert_eq!(verifies(&on(&two, &stolen)).await, StatusCode::OK);
    gone.submit("/logout", "/logout", &[]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    for fault in ["killed", "paused", "killed", "paused"] {
        if fault == "killed" {
            redis.kill();
        } else {
            redis.pause();
        }
        let mut unknown = [false, false];
        let both = async || {
            for (house, unknown) in [&one, &two].into_iter().zip(&mut unknown) {
                assert_ne!(verifies(&on(house, &stolen)).await, StatusCode::OK, "{fault}: a session that had ended");
                let status = verifies(&on(house, &anna)).await;
                assert!(matches!(status.as_u16(), 200 | 503), "{fault}: {status}");
                *unknown = status == StatusCode::SERVICE_UNAVAILABLE;
            }
            unknown == [true, true]
        };
        until("both nodes know nothing", both).await;
        for path in ["/verify", "/api/v1/session", "/account", "/login", "/logout"] {
            let answer = on(&two, &anna).get(path).await;
            assert!(!takes_a_cookie_away(&answer), "{fault}: {path} takes a cookie away");
            if !matches!(path, "/login") {
                assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{fault}: {path}");
                assert!(answer.headers.contains_key("retry-after"), "{fault}: {path}");
            }
        }
        if fault == "killed" {
            redis.run().await;
        } else {
            redis.go_on();
        }
        let back = async || {
            verifies(&on(&one, &anna)).await == StatusCode::OK && verifies(&on(&two, &anna)).await == StatusCode::OK
        };
        let took = until("both nodes know her again", back).await;
        assert!(took < Duration::from_secs(5), "{fault}: it took {took:?}");
        for house in [&one, &two] {
            assert_eq!(verifies(&on(house, &stolen)).await, StatusCode::UNAUTHORIZED, "{fault}");
        }
    }
}

/// Nobody gets what they had not; who ticked "stay logged in" is back without noticing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_redis_asks_people_to_sign_in_again_and_lets_remembered_browsers_in() {
    let mut redis = RedisServer::start().await;
    let (one, _two) = nodes(&redis).await;
    let (mut anna, mut remembered) = (one.browser(), one.browser());
    anna.signs_in("anna", PASSWORD).await;
    remembered.signs_in_and_stays("anna", PASSWORD).await;
    redis.lose_everything();
    until("its death is noticed", async || one.app.core.volatile.ready().await.is_err()).await;
    redis.run().await;
    until("it is back", async || one.app.core.volatile.ready().await.is_ok()).await;
    assert_eq!(verifies(&anna).await, StatusCode::UNAUTHORIZED);
    assert!(!anna.is_signed_in().await);
    let answer = remembered.get("/login").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(remembered.is_signed_in().await);
    anna.signs_in("anna", PASSWORD).await;
    assert!(anna.is_signed_in().await);
}

#[tokio::test]
async fn without_redis_the_service_does_not_start_and_says_why() {
    let place = crate::support::program::Place::with(
        "",
        "[sessions]\nstore = \"redis\"\nredis_url = \"redis://127.0.0.1:1\"\n",
    );
    let ended = place.runs(&["serve"], "");
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success());
    assert!(told.contains("cannot open the session store: Redis at 127.0.0.1:1"), "{told}");
    assert!(place.runs(&["check-config"], "").status.success(), "the configuration is right all the same");
    place.makes_account("anna");
    assert!(place.runs(&["account", "lock", "anna"], "").status.success(), "what locks an account is in the database");
}
