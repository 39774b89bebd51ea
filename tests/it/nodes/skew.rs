//! Nodes whose clocks are half a minute apart: nothing ends too late, nobody is turned away or taken for a thief.

use super::{APART, Stores, both_look_around, on, verifies};
use crate::support::postgres::shared;
use crate::support::redis::{RedisServer, until};
use crate::support::{House, OTHER_PASSWORD, PASSWORD};
use http::StatusCode;
use std::time::Duration;

const STEP: &str = "/login/step/password";

async fn nodes(schema: &'static str, more: &str) -> (RedisServer, House, House) {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, schema);
    let configuration = stores.tables(&format!("secret_key = {:?}\n{more}", super::ROOT_KEY));
    let node = async |ahead| House::node(crate::support::TestClock::ahead(ahead), &configuration).await;
    let (ahead, behind) = (node(APART).await, node(Duration::ZERO).await);
    ahead.account("anna").await;
    (redis, ahead, behind)
}

/// The volatile store is away when the sessions are ended, so that only the durable mark ends them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_the_node_ahead_does_not_outlive_a_new_password_set_on_the_node_behind() {
    let (redis, ahead, behind) = nodes("skew_mark", "").await;
    for (opens, ends, new) in [(&ahead, &behind, OTHER_PASSWORD), (&behind, &ahead, PASSWORD)] {
        let old = if new == PASSWORD { OTHER_PASSWORD } else { PASSWORD };
        let mut browser = opens.browser();
        assert_eq!(browser.signs_in("anna", old).await.location(), "/account");
        for house in [opens, ends] {
            assert_eq!(verifies(house, &browser).await, StatusCode::OK);
        }
        redis.pause();
        until("its silence is noticed", async || ends.app.core.volatile.ready().await.is_err()).await;
        let anna = ends.named("anna").await;
        ends.set_password(&anna, new, false).await;
        redis.go_on();
        for house in [opens, ends] {
            until("it is back", async || house.app.core.volatile.ready().await.is_ok()).await;
        }
        both_look_around(&ahead, &behind).await;
        for house in [opens, ends] {
            assert_eq!(verifies(house, &browser).await, StatusCode::UNAUTHORIZED, "the mark lies after it");
        }
        // Whoever signs in now is in, on either node, and stays so.
        for house in [&ahead, &behind] {
            let mut browser = house.browser();
            assert_eq!(browser.signs_in("anna", new).await.location(), "/account");
            for house in [&ahead, &behind] {
                assert_eq!(verifies(house, &browser).await, StatusCode::OK);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_ends_in_one_moment_are_two_whatever_the_clocks_say() {
    let (redis, ahead, behind) = nodes("skew_twice", "").await;
    let anna = ahead.named("anna").await;
    ahead.set_password(&anna, OTHER_PASSWORD, false).await;
    let mut between = behind.browser();
    assert_eq!(between.signs_in("anna", OTHER_PASSWORD).await.location(), "/account");
    redis.pause();
    until("its silence is noticed", async || behind.app.core.volatile.ready().await.is_err()).await;
    // Its clock says that this was before the first.
    behind.set_password(&anna, PASSWORD, false).await;
    redis.go_on();
    for house in [&ahead, &behind] {
        until("it is back", async || house.app.core.volatile.ready().await.is_ok()).await;
    }
    both_look_around(&ahead, &behind).await;
    for house in [&ahead, &behind] {
        assert_eq!(verifies(house, &between).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_goes_on_across_clocks_and_ends_with_what_ended_it() {
    let (_redis, ahead, behind) = nodes("skew_attempt", "").await;
    let anna = ahead.named("anna").await;
    for (first, second) in [(&ahead, &behind), (&behind, &ahead)] {
        second.set_password(&anna, "temporary blue kettle", true).await;
        let mut browser = first.browser();
        assert_eq!(browser.signs_in("anna", "temporary blue kettle").await.location(), STEP);
        let mut goes_on = on(second, &browser);
        // Another password is set while the attempt waits.
        second.set_password(&anna, "temporary red kettle!", true).await;
        let chosen = [("new_password", PASSWORD), ("repeat", PASSWORD)];
        goes_on.submit(STEP, STEP, &chosen).await;
        assert!(!goes_on.is_signed_in().await, "the attempt began with a password that is none any more");
        let mut browser = first.browser();
        browser.signs_in("anna", "temporary red kettle!").await;
        let mut goes_on = on(second, &browser);
        assert_eq!(goes_on.submit(STEP, STEP, &chosen).await.location(), "/account");
        for house in [first, second] {
            assert_eq!(verifies(house, &goes_on).await, StatusCode::OK);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_count_together_and_a_block_is_one_on_both() {
    let (_redis, ahead, behind) =
        nodes("skew_counters", "[throttle]\naccount_failures = 4\naddress_failures = 0").await;
    for house in [&ahead, &behind, &ahead, &behind] {
        let answer = house.browser().signs_in("anna", "not the password").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    for house in [&ahead, &behind] {
        let answer = house.browser().signs_in("anna", PASSWORD).await;
        assert!(answer.sets("_vestibule_session").is_none(), "blocked on both");
    }
    for house in [&ahead, &behind] {
        house.after(Duration::from_hours(2));
    }
    for house in [&ahead, &behind] {
        assert_eq!(house.browser().signs_in("anna", PASSWORD).await.location(), "/account");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_in_letters_are_good_on_both_and_no_longer_than_they_should() {
    let (_redis, ahead, behind) = nodes("skew_links", "").await;
    for (writes, reads) in [(&ahead, &behind), (&behind, &ahead)] {
        writes.browser().submit("/login/lost-password", "/login/lost-password", &[("username", "anna")]).await;
        let link = writes.letters().await.iter().map(crate::support::link_of).next_back().expect("a letter");
        assert_eq!(reads.browser().get(&link).await.status, StatusCode::OK);
        for house in [&ahead, &behind] {
            house.after(Duration::from_hours(1) + APART);
        }
        assert_eq!(reads.browser().get(&link).await.status, StatusCode::NOT_FOUND);
        for letter in std::fs::read_dir(writes.folder.path().join("outbox")).expect("an outbox").flatten() {
            std::fs::remove_file(letter.path()).expect("read");
        }
    }
    assert_eq!(behind.browser().signs_in("anna", PASSWORD).await.location(), "/account");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_remembered_browser_is_no_thief_to_a_node_with_another_clock_and_a_thief_is_one_to_both() {
    let (_redis, ahead, behind) = nodes("skew_autologin", "").await;
    for (first, second) in [(&ahead, &behind), (&behind, &ahead)] {
        let mut browser = first.browser();
        browser.signs_in_and_stays("anna", PASSWORD).await;
        let before = browser.restarted();
        let mut tab = on(first, &before);
        assert_eq!(tab.get("/login").await.location(), "/account");
        // A second tab of the same moment comes to the other node.
        let mut other = on(second, &before);
        assert_eq!(other.get("/login").await.location(), "/account");
        assert_eq!(first.count_acts("autologin.replayed").await, 0);
        // And the token that is good now is good there.
        let mut again = on(second, &tab.restarted());
        assert_eq!(again.get("/login").await.location(), "/account");
    }
    let mut browser = behind.browser();
    browser.signs_in_and_stays("anna", PASSWORD).await;
    let stolen = browser.restarted();
    let mut restored = on(&behind, &stolen);
    restored.get("/login").await;
    for house in [&ahead, &behind] {
        house.after(Duration::from_mins(2));
    }
    let mut thief = on(&ahead, &stolen);
    assert_eq!(thief.get("/login").await.status, StatusCode::OK, "the sign-in page");
    assert_eq!(ahead.count_acts("autologin.replayed").await, 1);
    for house in [&ahead, &behind] {
        assert_eq!(verifies(house, &restored).await, StatusCode::UNAUTHORIZED, "the family has ended");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_when_it_was_idle_give_or_take_the_difference() {
    let (_redis, ahead, behind) = nodes("skew_idle", "").await;
    let mut browser = ahead.browser();
    browser.signs_in("anna", PASSWORD).await;
    let idle = ahead.app.core.policy.lifetimes.idle;
    for house in [&ahead, &behind] {
        house.after(idle.saturating_sub(APART * 4));
        assert_eq!(verifies(house, &browser).await, StatusCode::OK);
    }
    for house in [&ahead, &behind] {
        house.after(idle + APART * 4);
        assert_eq!(verifies(house, &browser).await, StatusCode::UNAUTHORIZED);
    }
}
