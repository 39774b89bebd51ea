//! Several nodes on one Redis: what one ends is over on all of them.

use super::{OnCluster, OnOne, options};
use crate::store_volatile::{Bench, Outcome, START, account, key, name, opened, seconds, session};
use crate::support::redis::until;
use std::sync::Arc;
use std::time::Duration;
use vestibule::store::volatile::redis::{Redis, RedisOptions};
use vestibule::store::volatile::{Shelf, Volatile};

async fn what_one_node_ends_is_over_on_the_other<B: Bench>() -> Outcome {
    let bench = B::new().await?;
    let (one, two) = (bench.store(), bench.beside().await?);
    opened(&*one, account(1), 1..=40).await?;
    for number in 1..=40 {
        assert!(two.session(&key(number)).await?.is_some());
        assert!(two.hot_session(&key(number)).is_some());
    }
    assert!(one.end_handle(&key(1)).await?);
    assert!(one.end_session(account(1), name(2)).await?);
    until("two have ended", async || two.hot_session(&key(1)).is_none() && two.hot_session(&key(2)).is_none()).await;
    assert!(two.hot_session(&key(3)).is_some(), "and no other");
    assert_eq!(one.end_sessions(account(1), Some(name(40))).await?, 37);
    until("all but one have ended", async || (3..40).all(|number| two.hot_session(&key(number)).is_none())).await;
    assert!(two.hot_session(&key(40)).is_some());
    for number in 1..40 {
        assert!(two.session(&key(number)).await?.is_none());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_ends_is_over_on_the_other_with_one_server() -> Outcome {
    what_one_node_ends_is_over_on_the_other::<OnOne>().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_ends_is_over_on_the_other_in_a_cluster() -> Outcome {
    what_one_node_ends_is_over_on_the_other::<OnCluster>().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_on_one_node_never_keep_what_the_other_ended() -> Outcome {
    const SESSIONS: u64 = 300;
    let bench = OnOne::new().await?;
    let (one, two) = (bench.store(), bench.beside().await?);
    opened(&*one, account(1), 0..SESSIONS).await?;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..SESSIONS {
        let (one, two) = (Arc::clone(&one), Arc::clone(&two));
        tasks.spawn(async move { one.end_handle(&key(number)).await.map(drop) });
        for _ in 0..3 {
            let two = Arc::clone(&two);
            tasks.spawn(async move { two.session(&key(number)).await.map(drop) });
        }
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    // An answer comes after everything that happened before it.
    two.ready().await?;
    for number in 0..SESSIONS {
        assert!(two.hot_session(&key(number)).is_none(), "session {number} stayed");
    }
    Ok(())
}

#[tokio::test]
async fn a_flushed_database_empties_every_memory() -> Outcome {
    let bench = OnOne::new().await?;
    opened(&*bench.store, account(1), [1]).await?;
    bench.servers[0].tells(&["FLUSHALL"]);
    until("it is forgotten", async || bench.store.hot_session(&key(1)).is_none()).await;
    assert!(bench.store.session(&key(1)).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn nodes_whose_clocks_differ_agree_on_what_matters() -> Outcome {
    let bench = OnOne::new().await?;
    let (ahead, behind) = (bench.store(), bench.beside().await?);
    let (early, late) = (START, seconds(30));
    assert!(ahead.put(Shelf::Replay, key(1), vec![1], late.after(Duration::from_mins(1)), late).await?);
    assert!(!behind.put(Shelf::Replay, key(1), vec![2], seconds(600), early).await?, "seen is seen");
    assert!(
        !behind.put(Shelf::Replay, key(1), vec![2], seconds(600), seconds(89)).await?,
        "as long as it is valid there"
    );
    ahead.open_session(key(1), session(1, account(1))).await?;
    assert!(behind.end_handle(&key(1)).await?);
    assert_eq!(ahead.take(Shelf::Attempt, &key(9), late).await?, None);
    let one = [crate::store_volatile::counters::charge(1, 2, 60)];
    ahead.admit(&one, late).await?;
    behind.admit(&one, early).await?;
    assert_ne!(
        ahead.admit(&one, late).await?,
        vestibule::domain::throttle::Admission::Granted,
        "both nodes count together"
    );
    assert_ne!(behind.admit(&one, early).await?, vestibule::domain::throttle::Admission::Granted);
    Ok(())
}

#[tokio::test]
async fn memory_that_was_not_confirmed_lately_is_not_believed_but_asked_about() -> Outcome {
    let bench = OnOne::new().await?;
    let brief = RedisOptions { trust: Duration::from_millis(1), ..options(vec![bench.servers[0].address()]) };
    let store = Redis::open(brief).await?;
    opened(&store, account(1), [1]).await?;
    until("nothing was heard for a millisecond", async || store.hot_session(&key(1)).is_none()).await;
    assert!(store.session(&key(1)).await?.is_some(), "Redis is there and says so");
    Ok(())
}
