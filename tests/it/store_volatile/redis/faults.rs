//! Redis killed, paused, restarted with and without its data, failed over, behind a slow or silent wire: never a false yes,
//! never "signed out" for "not known", and an answer again soon.

use super::options;
use crate::store_volatile::{LIFETIMES, Outcome, START, account, key, opened, seconds};
use crate::support::redis::{RedisServer, cluster, until};
use crate::support::wire::{Mood, Wire};
use std::time::Duration;
use tokio::time::Instant;
use vestibule::store::volatile::redis::{Address, Redis, RedisOptions, Topology};
use vestibule::store::volatile::{Shelf, Volatile};

/// How long it may take until all is well, once the engine is back.
const RECOVERY: Duration = Duration::from_secs(5);

/// As in production: a second of patience, and memory that is believed for a tenth.
fn strict(addresses: Vec<Address>) -> RedisOptions {
    RedisOptions::new(LIFETIMES, addresses)
}

async fn knows(store: &Redis, number: u64) -> Option<bool> {
    store.session(&key(number)).await.ok().map(|found| found.is_some())
}

async fn recovers(store: &Redis) {
    let took = until("the store works again", async || store.ready().await.is_ok()).await;
    assert!(took < RECOVERY, "it took {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_dead_nothing_is_known_and_afterwards_everything() -> Outcome {
    let mut server = RedisServer::start().await;
    let store = Redis::open(strict(vec![server.address()])).await?;
    opened(&store, account(1), [1, 2]).await?;
    store.put(Shelf::Attempt, key(1), vec![7], seconds(600), START).await?;
    assert!(store.end_handle(&key(2)).await?);
    for _ in 0..3 {
        server.kill();
        until("its death is noticed", async || store.ready().await.is_err()).await;
        assert!(store.hot_session(&key(1)).is_none());
        assert_eq!((knows(&store, 1).await, knows(&store, 2).await, knows(&store, 3).await), (None, None, None));
        assert!(store.end_handle(&key(1)).await.is_err());
        assert!(store.take(Shelf::Attempt, &key(1), START).await.is_err());
        server.run().await;
        recovers(&store).await;
        assert_eq!((knows(&store, 1).await, knows(&store, 2).await), (Some(true), Some(false)));
        assert_eq!(store.peek(Shelf::Attempt, &key(1), START).await?, Some(vec![7]));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_redis_is_not_believed_for_longer_than_the_bound() -> Outcome {
    let server = RedisServer::start().await;
    let store = Redis::open(strict(vec![server.address()])).await?;
    opened(&store, account(1), [1]).await?;
    server.pause();
    let bound = Instant::now() + Duration::from_millis(100);
    tokio::time::sleep_until(bound).await;
    assert!(store.hot_session(&key(1)).is_none(), "nothing was heard for a tenth of a second");
    assert_eq!(knows(&store, 1).await, None, "not known, which is not signed out");
    let asked = Instant::now();
    assert_eq!(knows(&store, 1).await, None);
    assert!(asked.elapsed() < Duration::from_millis(500), "once it is known to be away, nobody waits for it");
    server.go_on();
    recovers(&store).await;
    assert_eq!(knows(&store, 1).await, Some(true));
    Ok(())
}

/// One node ends a session while the other's wire is silent: that one must not go on saying yes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_cut_off_in_silence_stops_saying_yes_a_tenth_of_a_second_after_the_end() -> Outcome {
    let server = RedisServer::start().await;
    let wire = Wire::to(server.port()).await;
    let near = Redis::open(strict(vec![server.address()])).await?;
    let far = Redis::open(strict(vec![address_of(&wire)])).await?;
    opened(&near, account(1), [1, 2]).await?;
    assert_eq!((knows(&far, 1).await, knows(&far, 2).await), (Some(true), Some(true)));
    wire.becomes(Mood::Silent);
    assert!(near.end_handle(&key(1)).await?);
    tokio::time::sleep_until(Instant::now() + Duration::from_millis(100)).await;
    assert!(far.hot_session(&key(1)).is_none() && far.hot_session(&key(2)).is_none());
    assert_eq!(knows(&far, 1).await, None);
    wire.becomes(Mood::After(Duration::ZERO));
    recovers(&far).await;
    assert_eq!((knows(&far, 1).await, knows(&far, 2).await), (Some(false), Some(true)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_wire_makes_answers_slow_and_not_wrong() -> Outcome {
    let server = RedisServer::start().await;
    let wire = Wire::to(server.port()).await;
    let (near, far) = (
        Redis::open(strict(vec![server.address()])).await?,
        Redis::open(RedisOptions { timeout: Duration::from_secs(5), ..strict(vec![address_of(&wire)]) }).await?,
    );
    wire.becomes(Mood::After(Duration::from_millis(80)));
    opened(&far, account(1), [1]).await?;
    assert!(far.hot_session(&key(1)).is_none(), "an answer is older than it may be when it comes");
    assert_eq!(knows(&far, 1).await, Some(true));
    assert!(near.end_handle(&key(1)).await?);
    assert_eq!(knows(&far, 1).await, Some(false));
    Ok(())
}

/// Its sessions are lost, as the operator is told; what was one-time cannot be done twice, and nobody gets what they had not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_back_empty_has_no_sessions_and_says_so_once_it_is_sure() -> Outcome {
    let mut server = RedisServer::start().await;
    let store = Redis::open(strict(vec![server.address()])).await?;
    opened(&store, account(1), [1, 2]).await?;
    store.put(Shelf::Attempt, key(1), vec![7], seconds(600), START).await?;
    assert!(store.end_handle(&key(2)).await?);
    let live = store.session(&key(1)).await?.ok_or("there")?;
    store.touch(&key(1), &live, seconds(61));
    server.lose_everything();
    until("its death is noticed", async || store.ready().await.is_err()).await;
    assert_eq!(knows(&store, 1).await, None);
    server.run().await;
    recovers(&store).await;
    assert_eq!((knows(&store, 1).await, knows(&store, 2).await), (Some(false), Some(false)));
    assert_eq!(store.take(Shelf::Attempt, &key(1), START).await?, None, "an attempt does not come back");
    store.sweep(seconds(62)).await?;
    assert_eq!(knows(&store, 1).await, Some(false), "a last request that was to be written makes no session");
    opened(&store, account(1), [3]).await?;
    assert_eq!(knows(&store, 3).await, Some(true));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_fail_over_what_was_ended_stays_ended() -> Outcome {
    let mut master = RedisServer::start().await;
    let of = master.port().to_string();
    let replica = RedisServer::with(&["--replicaof", "127.0.0.1", &of]).await;
    let second = RedisServer::with(&["--replicaof", "127.0.0.1", &of]).await;
    until("the replicas are there", async || {
        [&replica, &second].iter().all(|one| one.tells(&["INFO", "replication"]).contains("master_link_status:up"))
    })
    .await;
    let sentinel = RedisServer::sentinel(master.port()).await;
    until("the Sentinel knows the replicas", async || sentinel.tells(&["INFO", "sentinel"]).contains("slaves=2")).await;
    let topology = Topology::Sentinel { master: "hall".to_owned() };
    let store = Redis::open(RedisOptions { topology, replicas: 1, ..strict(vec![sentinel.address()]) }).await?;
    opened(&store, account(1), 1..=20).await?;
    for number in 1..=10 {
        assert!(store.end_handle(&key(number)).await?);
    }
    master.kill();
    until("its death is noticed", async || store.ready().await.is_err()).await;
    assert_eq!((knows(&store, 1).await, knows(&store, 20).await), (None, None));
    let moved = || !sentinel.tells(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "hall"]).contains(&of);
    until("the Sentinel names another master", async || moved()).await;
    recovers(&store).await;
    for number in 1..=20 {
        assert_eq!(knows(&store, number).await, Some(number > 10), "session {number}");
    }
    opened(&store, account(1), [21]).await?;
    assert_eq!(knows(&store, 21).await, Some(true));
    Ok(())
}

/// A part of a Cluster that is away takes its own sessions along and no others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_without_one_of_its_masters_answers_for_the_others() -> Outcome {
    let mut servers = cluster().await;
    let addresses = servers.iter().map(RedisServer::address).collect();
    let store = Redis::open(RedisOptions { topology: Topology::Cluster, ..strict(addresses) }).await?;
    opened(&store, account(1), 1..=60).await?;
    servers[1].kill();
    until("its death is noticed", async || store.ready().await.is_err()).await;
    let (mut known, mut unknown) = (0, 0);
    for number in 1..=60 {
        match knows(&store, number).await {
            Some(there) => {
                assert!(there, "session {number} was not ended");
                known += 1;
            }
            None => unknown += 1,
        }
    }
    assert!(known > 20 && unknown > 5, "{known} known, {unknown} not");
    servers[1].run().await;
    let whole = async || {
        for number in 1..=60 {
            if knows(&store, number).await != Some(true) {
                return false;
            }
        }
        true
    };
    let took = until("all are known again", whole).await;
    assert!(took < RECOVERY, "it took {took:?}");
    Ok(())
}

/// A slot moves to another master while its sessions are in memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_a_slot_that_moves_are_found_where_it_went() -> Outcome {
    let servers = cluster().await;
    let addresses: Vec<_> = servers.iter().map(RedisServer::address).collect();
    let with = || RedisOptions { topology: Topology::Cluster, ..options(addresses.clone()) };
    let (one, two) = (Redis::open(with()).await?, Redis::open(with()).await?);
    opened(&one, account(1), 1..=30).await?;
    for number in 1..=30 {
        assert_eq!(knows(&two, number).await, Some(true));
    }
    let done = std::process::Command::new("redis-cli")
        .args(["--cluster", "reshard", &servers[0].address().to_string(), "--cluster-yes", "--cluster-slots", "3000"])
        .args(["--cluster-from", servers[0].tells(&["CLUSTER", "MYID"]).trim()])
        .args(["--cluster-to", servers[2].tells(&["CLUSTER", "MYID"]).trim()])
        .output()?;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    for number in 1..=30 {
        assert_eq!(knows(&one, number).await, Some(true), "session {number}");
    }
    assert_eq!(one.end_sessions(account(1), None).await?, 30);
    two.ready().await?;
    for number in 1..=30 {
        assert!(two.hot_session(&key(number)).is_none(), "session {number}");
        assert_eq!(knows(&two, number).await, Some(false), "session {number}");
    }
    Ok(())
}

fn address_of(wire: &Wire) -> Address {
    Address { host: wire.address.ip().to_string(), port: wire.address.port() }
}
