//! PostgreSQL and Redis killed, stopped, emptied, failed over, far away, while two nodes serve: what was acknowledged stays,
//! nobody is let in or turned away by mistake, and both nodes recover by themselves.

use super::{ROOT_KEY, Stores, both_look_around, on, verifies};
use crate::support::postgres::{Postgres, shared};
use crate::support::redis::{RedisServer, until};
use crate::support::wire::{Mood, Wire};
use crate::support::{Answer, Browser, House, PASSWORD, TestClock};
use http::StatusCode;
use http::header::SET_COOKIE;
use std::time::Duration;

/// How long it may take until all is well, once the engine is back.
const RECOVERY: Duration = Duration::from_secs(5);

const AWAY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

fn takes_a_session_away(answer: &Answer) -> bool {
    let gone = |line: &str| line.starts_with("_vestibule_session=") && line.contains("Max-Age=0");
    answer.headers.get_all(SET_COOKIE).iter().any(|line| line.to_str().is_ok_and(gone))
}

/// Both nodes let somebody in again, in time; every no on the way is an honest one.
async fn both_recover(nodes: [&House; 2], after: &str) {
    let back = async || {
        for house in nodes {
            let answer = house.browser().signs_in("anna", PASSWORD).await;
            if answer.status == AWAY || answer.status == StatusCode::INTERNAL_SERVER_ERROR {
                assert!(answer.headers.contains_key("retry-after"), "{after}: {}", answer.status);
                return false;
            }
            assert_eq!(answer.location(), "/account", "{after}: {}", answer.status);
        }
        true
    };
    let took = until("both nodes let her in", back).await;
    assert!(took < RECOVERY, "{after}: it took {took:?}");
}

/// A session that is alive, and the copy of one that was ended.
async fn one_alive_and_one_ended(nodes: [&House; 2]) -> (Browser, Browser) {
    let (mut alive, mut ended) = (nodes[0].browser(), nodes[1].browser());
    alive.signs_in("anna", PASSWORD).await;
    ended.signs_in("anna", PASSWORD).await;
    let copy = ended.clone();
    ended.submit("/logout", "/logout", &[]).await;
    for house in nodes {
        until("its end is known", async || verifies(house, &copy).await == StatusCode::UNAUTHORIZED).await;
        assert_eq!(verifies(house, &alive).await, StatusCode::OK);
    }
    (alive, copy)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgresql_is_killed_stopped_or_restarted_both_nodes_go_on_with_those_who_are_in() {
    let (server, redis) = (Postgres::own(), RedisServer::start().await);
    let (one, two) = Stores::of(&server, &redis, "postgres_faults").nodes(Duration::ZERO).await;
    one.account("anna").await;
    let nodes = [&one, &two];
    let (alive, ended) = one_alive_and_one_ended(nodes).await;
    for (fault, mending) in [("kill", "start"), ("pause", "go"), ("restart", "go")] {
        server.does(fault);
        if fault != "restart" {
            for house in nodes {
                assert_eq!(verifies(house, &alive).await, StatusCode::OK, "{fault}: nobody who is in is turned away");
                let answer = on(house, &ended).get("/verify").await;
                assert_ne!(answer.status, StatusCode::OK, "{fault}");
            }
            let refused = async |house: &House| {
                let answer = house.browser().signs_in("anna", PASSWORD).await;
                assert_eq!(answer.status, AWAY, "{fault}");
                assert!(answer.headers.contains_key("retry-after") && !takes_a_session_away(&answer), "{fault}");
                assert!(answer.sets("_vestibule_session").is_none(), "{fault}: nothing that is not written");
            };
            tokio::join!(refused(&one), refused(&two));
            assert_eq!(one.browser().get("/ready").await.status, AWAY);
        }
        server.does(mending);
        both_recover(nodes, fault).await;
        both_look_around(&one, &two).await;
        for house in nodes {
            assert_eq!(verifies(house, &alive).await, StatusCode::OK, "{fault}");
            assert_eq!(verifies(house, &ended).await, StatusCode::UNAUTHORIZED, "{fault}");
            assert_eq!(house.browser().get("/ready").await.status, StatusCode::OK, "{fault}");
        }
    }
    let succeeded = one.count_acts("sign_in.succeeded").await;
    assert!(succeeded >= 2 + 3 * 2, "every sign-in that was acknowledged is in the audit trail: {succeeded}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_killed_stopped_or_emptied_nobody_is_taken_for_somebody_else_or_nobody() {
    let mut redis = RedisServer::start().await;
    let (one, two) = Stores::of(shared(), &redis, "redis_faults").nodes(Duration::ZERO).await;
    one.account("anna").await;
    let nodes = [&one, &two];
    let (alive, ended) = one_alive_and_one_ended(nodes).await;
    for fault in ["killed", "stopped", "emptied"] {
        match fault {
            "killed" => redis.kill(),
            "stopped" => redis.pause(),
            _ => redis.lose_everything(),
        }
        for house in nodes {
            let unknown = async || {
                assert_ne!(verifies(house, &ended).await, StatusCode::OK, "{fault}");
                let answer = on(house, &alive).get("/verify").await;
                assert!(!takes_a_session_away(&answer), "{fault}");
                answer.status == AWAY
            };
            until("nothing is known", unknown).await;
            let answer = on(house, &alive).get("/account").await;
            assert_eq!(answer.status, AWAY, "{fault}");
            assert!(!takes_a_session_away(&answer), "{fault}");
        }
        if fault == "stopped" {
            redis.go_on();
        } else {
            redis.run().await;
        }
        both_recover(nodes, fault).await;
        let expected = if fault == "emptied" { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
        for house in nodes {
            assert_eq!(verifies(house, &alive).await, expected, "{fault}");
            assert_eq!(verifies(house, &ended).await, StatusCode::UNAUTHORIZED, "{fault}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_nodes_follow_a_fail_over_of_the_sentinels() {
    let mut master = RedisServer::start().await;
    let of = master.port().to_string();
    let replicas = [
        RedisServer::with(&["--replicaof", "127.0.0.1", &of]).await,
        RedisServer::with(&["--replicaof", "127.0.0.1", &of]).await,
    ];
    until("the replicas are there", async || {
        replicas.iter().all(|one| one.tells(&["INFO", "replication"]).contains("master_link_status:up"))
    })
    .await;
    let sentinel = RedisServer::sentinel(master.port()).await;
    until("the Sentinel knows the replicas", async || sentinel.tells(&["INFO", "sentinel"]).contains("slaves=2")).await;
    let stores = Stores {
        redis: format!(
            "redis_url = \"redis://127.0.0.1:{}\"\nredis_topology = \"sentinel\"\nredis_sentinel_master = \"hall\"\nredis_replicas = 1",
            sentinel.port()
        ),
        database: shared().url(),
        schema: "fail_over",
    };
    let (one, two) = stores.nodes(Duration::ZERO).await;
    one.account("anna").await;
    let nodes = [&one, &two];
    let (alive, ended) = one_alive_and_one_ended(nodes).await;
    master.kill();
    for house in nodes {
        until("its death is noticed", async || verifies(house, &alive).await == AWAY).await;
    }
    let moved = || !sentinel.tells(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "hall"]).contains(&of);
    until("the Sentinel names another master", async || moved()).await;
    both_recover(nodes, "fail-over").await;
    for house in nodes {
        assert_eq!(verifies(house, &alive).await, StatusCode::OK, "acknowledged by a replica as well");
        assert_eq!(verifies(house, &ended).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_far_from_its_stores_is_slow_and_not_wrong() {
    let redis = RedisServer::start().await;
    let (to_redis, to_postgres) = (Wire::to(redis.port()).await, Wire::to(shared().port).await);
    let near = Stores::of(shared(), &redis, "far_node");
    let far = Stores::at(Postgres::url_at(to_postgres.address.port()), to_redis.address.port(), "far_node");
    let (one, two) = (near.node(Duration::ZERO).await, far.node(Duration::ZERO).await);
    one.account("anna").await;
    for wire in [&to_redis, &to_postgres] {
        wire.becomes(Mood::After(Duration::from_millis(15)));
    }
    let nodes = [&one, &two];
    let (alive, _) = one_alive_and_one_ended(nodes).await;
    let mut here = two.browser();
    assert_eq!(here.signs_in("anna", PASSWORD).await.location(), "/account");
    assert_eq!(verifies(&one, &here).await, StatusCode::OK);
    // Cut off from both in silence, it stops saying yes; the other one goes on.
    for wire in [&to_redis, &to_postgres] {
        wire.becomes(Mood::Silent);
    }
    let mut leaves = on(&one, &alive);
    leaves.submit("/logout", "/logout", &[]).await;
    until("it does not know any more", async || verifies(&two, &alive).await == AWAY).await;
    assert_eq!(verifies(&one, &alive).await, StatusCode::UNAUTHORIZED);
    assert_eq!(verifies(&one, &here).await, StatusCode::OK);
    for wire in [&to_redis, &to_postgres] {
        wire.becomes(Mood::After(Duration::ZERO));
    }
    both_recover(nodes, "silence").await;
    assert_eq!(verifies(&two, &alive).await, StatusCode::UNAUTHORIZED);
    assert_eq!(verifies(&two, &here).await, StatusCode::OK);
    let started =
        House::node(TestClock::ahead(Duration::ZERO), &far.tables(&format!("secret_key = {ROOT_KEY:?}"))).await;
    assert_eq!(verifies(&started, &here).await, StatusCode::OK);
}
