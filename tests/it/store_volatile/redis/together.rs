//! Many sessions that are asked for in the same moment: each gets its own answer, and nobody's leaving is another's loss.

use super::{OnCluster, OnOne, options};
use crate::store_volatile::{Bench, Outcome, account, key, name, opened};
use crate::support::redis::RedisServer;
use std::sync::Arc;
use tokio::task::JoinSet;
use vestibule::store::volatile::Volatile;
use vestibule::store::volatile::redis::Redis;

/// More than travel in one message.
const MANY: u64 = 1200;

async fn each_gets_its_own_answer<B: Bench>() -> Outcome {
    let bench = B::new().await?;
    let (one, two) = (bench.store(), bench.beside().await?);
    opened(&*one, account(1), (0..MANY).step_by(2)).await?;
    let mut asking = JoinSet::new();
    for number in 0..MANY {
        let two = Arc::clone(&two);
        asking.spawn(async move { (number, two.session(&key(number)).await) });
    }
    while let Some(answer) = asking.join_next().await {
        let (number, found) = answer?;
        let found = found?.map(|live| live.session.id);
        assert_eq!(found, (number % 2 == 0).then(|| name(number)), "{number}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_gets_its_own_answer_with_one_server() -> Outcome {
    each_gets_its_own_answer::<OnOne>().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_gets_its_own_answer_in_a_cluster() -> Outcome {
    each_gets_its_own_answer::<OnCluster>().await
}

#[tokio::test]
async fn whoever_asks_first_may_leave_and_each_session_is_asked_for_once() -> Outcome {
    let server = RedisServer::start().await;
    let near = Redis::open(options(vec![server.address()])).await?;
    let far = Arc::new(Redis::open(options(vec![server.address()])).await?);
    opened(&near, account(1), 0..40).await?;
    server.tells(&["CONFIG", "RESETSTAT"]);
    {
        let (asked, leaves) = (key(0), std::future::ready(()));
        let first = far.session(&asked);
        tokio::pin!(first);
        tokio::select! {
            biased;
            _ = &mut first => panic!("an answer before anybody was asked"),
            () = leaves => {}
        }
    }
    let mut asking = JoinSet::new();
    for number in 1..40 {
        let far = Arc::clone(&far);
        asking.spawn(async move { far.session(&key(number)).await });
    }
    while let Some(answer) = asking.join_next().await {
        assert!(answer??.is_some());
    }
    let counts = server.tells(&["INFO", "commandstats"]);
    let gets = counts.lines().find_map(|line| line.strip_prefix("cmdstat_get:calls=")).ok_or("no GET")?;
    assert_eq!(gets.split(',').next(), Some("40"), "{counts}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_server_dies_all_who_asked_hear_that_nothing_is_known() -> Outcome {
    let mut server = RedisServer::start().await;
    let store = Arc::new(Redis::open(options(vec![server.address()])).await?);
    opened(&*store, account(1), [1]).await?;
    server.pause();
    let mut asking = JoinSet::new();
    for number in 2..200 {
        let store = Arc::clone(&store);
        asking.spawn(async move { store.session(&key(number)).await });
    }
    // None of them can have an answer: the server does not read.
    server.kill();
    while let Some(answer) = asking.join_next().await {
        assert!(answer?.is_err(), "not known, which is not signed out");
    }
    Ok(())
}
