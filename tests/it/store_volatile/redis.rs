//! The Redis store: how it is tested on one server and on a Cluster, and what it promises beyond the contract.

mod doors;
mod faults;
mod several;
mod together;

use super::{Bench, LIFETIMES, Outcome, START, account, family, key, name, opened, seconds, session};
use crate::support::redis::{RedisServer, cluster, until};
use std::sync::Arc;
use std::time::Duration;
use vestibule::store::volatile::redis::{Address, Redis, RedisOptions, Topology};
use vestibule::store::volatile::{Shelf, Volatile};

/// Much patience, memory that is believed for long, and no writing behind by the clock: tests say when.
fn options(addresses: Vec<Address>) -> RedisOptions {
    RedisOptions {
        timeout: Duration::from_secs(10),
        trust: Duration::from_mins(1),
        flush_every: Duration::from_hours(1),
        ..RedisOptions::new(LIFETIMES, addresses)
    }
}

/// A store on servers of its own.
pub(super) struct On<const SERVERS: usize> {
    servers: Vec<RedisServer>,
    store: Arc<Redis>,
}

/// On one server.
pub(super) type OnOne = On<1>;

/// On a Cluster.
pub(super) type OnCluster = On<3>;

impl<const SERVERS: usize> On<SERVERS> {
    async fn over(servers: Vec<RedisServer>) -> Outcome<Self> {
        let store = Arc::new(Redis::open(Self::options(&servers)).await?);
        Ok(Self { servers, store })
    }

    fn options(servers: &[RedisServer]) -> RedisOptions {
        let topology = if SERVERS > 1 { Topology::Cluster } else { Topology::Single };
        RedisOptions { topology, ..options(servers.iter().map(RedisServer::address).collect()) }
    }
}

impl<const SERVERS: usize> Bench for On<SERVERS> {
    async fn new() -> Outcome<Self> {
        let servers = if SERVERS > 1 { cluster().await.into() } else { vec![RedisServer::start().await] };
        Self::over(servers).await
    }

    fn store(&self) -> Arc<dyn Volatile> {
        Arc::clone(&self.store) as Arc<dyn Volatile>
    }

    async fn crash(self) -> Outcome<Self> {
        let Self { servers, store } = self;
        drop(store);
        Self::over(servers).await
    }

    async fn restart(self) -> Outcome<Self> {
        self.store.close().await;
        Self::over(self.servers).await
    }

    async fn beside(&self) -> Outcome<Arc<dyn Volatile>> {
        Ok(Arc::new(Redis::open(Self::options(&self.servers)).await?))
    }

    /// Killed: what was asked of a server that is only paused may yet be done.
    async fn disturb(&mut self) -> Outcome {
        self.servers.iter_mut().for_each(RedisServer::kill);
        Ok(())
    }

    async fn mend(&mut self) -> Outcome {
        for server in &mut self.servers {
            server.run().await;
        }
        until("the store works again", async || self.store.ready().await.is_ok()).await;
        Ok(())
    }
}

#[tokio::test]
async fn every_key_of_ours_has_the_prefix_and_an_end() -> Outcome {
    let bench = OnOne::new().await?;
    let mut one = session(1, account(1));
    one.remembered = Some(family(1));
    bench.store.open_session(key(1), one).await?;
    bench.store.put(Shelf::Replay, key(1), vec![1], seconds(60), START).await?;
    bench.store.admit(&[super::counters::charge(1, 10, 60)], START).await?;
    let script = "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do \
                  all[#all + 1] = string.sub(key, 1, 11) .. ' ' .. math.floor(redis.call('PTTL', key) / 60000) end \
                  table.sort(all) return all";
    let told = bench.servers[0].tells(&["EVAL", script, "0"]);
    let minutes: Vec<_> = told.lines().filter(|line| !line.is_empty()).collect();
    // Five minutes more than it lives; lists live as long as the longest session may, and the mark for ever.
    let expected =
        ["vestibule:a 1444", "vestibule:c 5", "vestibule:e 5", "vestibule:f 1444", "vestibule:m 0", "vestibule:s 64"];
    let rounded: Vec<_> = minutes.iter().map(|line| line.replace("m -1", "m 0")).collect();
    assert_eq!(rounded, expected);
    Ok(())
}

#[tokio::test]
async fn a_cold_session_costs_one_question_and_a_hot_one_none() -> Outcome {
    let bench = OnOne::new().await?.over_again(60).await?;
    opened(&*bench.store, account(1), [1]).await?;
    let bench = bench.over_again(60).await?;
    let server = &bench.servers[0];
    server.tells(&["CONFIG", "RESETSTAT"]);
    assert!(bench.store.session(&key(1)).await?.is_some());
    for _ in 0..100 {
        let live = bench.store.hot_session(&key(1)).ok_or("hot")?;
        bench.store.touch(&key(1), &live, seconds(30));
    }
    let stats = server.tells(&["INFO", "commandstats"]);
    let asked: Vec<_> = stats
        .lines()
        .filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(':'))
        .filter(|(command, _)| !matches!(*command, "ping" | "info" | "config|resetstat" | "command" | "command|docs"))
        .map(|(command, numbers)| (command, numbers.split(',').next().unwrap_or_default()))
        .collect();
    assert_eq!(asked, [("get", "calls=1")], "and nothing is written within the minute");
    Ok(())
}

#[tokio::test]
async fn last_requests_are_written_once_a_minute_all_together() -> Outcome {
    let bench = OnOne::new().await?;
    opened(&*bench.store, account(1), 1..=50).await?;
    let server = &bench.servers[0];
    server.tells(&["CONFIG", "RESETSTAT"]);
    for second in [10, 59, 60, 61, 119] {
        for number in 1..=50 {
            let live = bench.store.hot_session(&key(number)).ok_or("hot")?;
            bench.store.touch(&key(number), &live, seconds(second));
        }
        bench.store.sweep(seconds(second)).await?;
    }
    let stats = server.tells(&["INFO", "commandstats"]);
    assert!(stats.contains("cmdstat_set:calls=50,"), "{stats}");
    assert!(bench.store.hot_session(&key(1)).is_some(), "its own writing does not make a session cold");
    let beside = bench.beside().await?;
    assert_eq!(beside.session(&key(1)).await?.ok_or("there")?.last_seen_at(), seconds(60));
    Ok(())
}

#[tokio::test]
async fn names_of_sessions_that_ran_out_leave_the_list() -> Outcome {
    let bench = OnOne::new().await?;
    opened(&*bench.store, account(1), [1, 2]).await?;
    let server = &bench.servers[0];
    // As if Redis had removed them by its own clock.
    server.tells(&["EVAL", "for _, k in ipairs(redis.call('KEYS', '*:s*')) do redis.call('DEL', k) end", "0"]);
    let length = || server.tells(&["EVAL", "return redis.call('HLEN', redis.call('KEYS', '*:a*')[1] or 'none')", "0"]);
    assert!(bench.store.sessions_of(account(1), START).await?.is_empty());
    assert_eq!(length().trim(), "2", "their opening may be under way");
    assert!(bench.store.sessions_of(account(1), seconds(301)).await?.is_empty());
    assert_eq!(length().trim(), "0");
    assert!(!bench.store.end_session(account(1), name(1)).await?);
    Ok(())
}

/// Each has an account of its own, so all of them have a list too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_sessions_take_less_than_45_mib() -> Outcome {
    let bench = OnOne::new().await?;
    let server = &bench.servers[0];
    let used = || -> Outcome<u64> {
        let told = server.tells(&["INFO", "memory"]);
        Ok(told.lines().find_map(|line| line.strip_prefix("used_memory:")).ok_or("told")?.trim().parse()?)
    };
    let mut opening = tokio::task::JoinSet::new();
    for number in 0..100_000 {
        if opening.len() >= 512 {
            opening.join_next().await.ok_or("one is under way")???;
        }
        let store = bench.store();
        opening.spawn(async move {
            store
                .open_session(
                    key(number),
                    session(number, account(u128::from(key(number)[0]) << 100 | u128::from(number))),
                )
                .await
        });
    }
    while let Some(opened) = opening.join_next().await {
        opened??;
    }
    let used = used()?;
    assert!(used <= 45 * 1024 * 1024, "{used} bytes, all in");
    Ok(())
}

impl<const SERVERS: usize> On<SERVERS> {
    /// The same servers seen by a new process that believes its memory for so many seconds.
    async fn over_again(self, trust: u64) -> Outcome<Self> {
        let Self { servers, store } = self;
        drop(store);
        let options = RedisOptions { trust: Duration::from_secs(trust), ..Self::options(&servers) };
        let store = Arc::new(Redis::open(options).await?);
        Ok(Self { servers, store })
    }
}
