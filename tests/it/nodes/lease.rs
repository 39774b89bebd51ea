//! Leases: one node at a time does a job, whatever the clocks of nodes say.

use super::{APART, Stores};
use crate::support::House;
use crate::support::postgres::shared;
use crate::support::redis::{RedisServer, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use vestibule::domain::time::Timestamp;
use vestibule::service::context::Context;
use vestibule::service::lease::Leases;
use vestibule::store::lease;

const JOB: &str = "sync";
const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(600);
/// Short, and long enough for a busy machine to renew it.
const LASTS: Duration = Duration::from_secs(2);

fn leases(house: &House) -> (Leases, Context) {
    (Leases::new(Arc::clone(&house.app.core)), house.operator())
}

/// The database's time.
async fn now(house: &House) -> Timestamp {
    let mut link = house.app.core.database.read().await.expect("a database");
    lease::time(&mut link, house.operator().now()).await.expect("a time")
}

/// When the job's lease runs out.
async fn ends(house: &House) -> Timestamp {
    let mut link = house.app.core.database.read().await.expect("a database");
    lease::holder(&mut link, JOB).await.expect("a database").expect("somebody has it").1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_apart_do_not_let_two_nodes_do_one_job() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "lease_skew");
    // Far more than is borne elsewhere: the clocks of nodes do not count at all.
    let (one, two) = stores.nodes(APART * 100).await;
    let ((ahead, its_time), (behind, own_time)) = (leases(&one), leases(&two));
    for (first, second, ctx, other) in
        [(&ahead, &behind, &its_time, &own_time), (&behind, &ahead, &own_time, &its_time)]
    {
        let lease = first.take(ctx, JOB, LONG).await.expect("a store").expect("free");
        assert!(lease.is_held());
        assert!(second.take(other, JOB, LONG).await.expect("a store").is_none(), "one of them");
        assert!(second.take(other, "another job", LONG).await.expect("a store").is_some());
        assert!(first.take(ctx, JOB, LONG).await.expect("a store").is_some(), "whoever has it may take it again");
        lease.give_back().await;
        assert!(second.take(other, JOB, SHORT).await.expect("a store").is_some(), "given back is free");
        second.give_all_back().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_its_holder_leaves_behind_runs_out_and_the_holder_knows_before_the_others() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "lease_end");
    let (one, two) = stores.nodes(Duration::ZERO).await;
    let ((gone, its), (heir, own)) = (leases(&one), leases(&two));
    let mut lease = gone.take(&its, JOB, SHORT).await.expect("a store").expect("free");
    let taken = async || {
        let taken = heir.take(&own, JOB, LONG).await.expect("a store").is_some();
        assert!(!(taken && lease.is_held()), "two at once");
        taken
    };
    until("it runs out", taken).await;
    assert!(!lease.renew(&its).await.expect("a store"), "it is another's now");
    let mut tx = one.app.core.database.begin_beside().await.expect("a turn");
    assert!(!gone.confirm(&its, &mut tx, JOB).await.expect("a store"), "what it wanted to write is not written");
    drop(tx);
    let mut tx = two.app.core.database.begin_beside().await.expect("a turn");
    assert!(heir.confirm(&own, &mut tx, JOB).await.expect("a store"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmed_lease_cannot_be_taken_before_what_it_protects_is_written() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "lease_fence");
    let (one, two) = stores.nodes(Duration::ZERO).await;
    let ((first, its), (second, own)) = (leases(&one), leases(&two));
    first.take(&its, JOB, LASTS).await.expect("a store").expect("free");
    let mut tx = one.app.core.database.begin_beside().await.expect("a turn");
    assert!(first.confirm(&its, &mut tx, JOB).await.expect("a store"));
    // It has run out when the other asks, and is still not given away.
    let written = AtomicBool::new(false);
    let asks = async {
        until("it is the other's", async || matches!(second.take(&own, JOB, LONG).await, Ok(Some(_)))).await;
        written.load(Ordering::SeqCst)
    };
    let writes = async {
        until("it has run out", async || ends(&one).await <= now(&one).await).await;
        written.store(true, Ordering::SeqCst);
        tx.commit().await.expect("committed");
    };
    let (after, ()) = tokio::join!(asks, writes);
    assert!(after, "not before the commit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_is_done_by_one_node_for_as_long_as_it_takes() {
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "lease_work");
    let (one, two) = stores.nodes(Duration::ZERO).await;
    let ((first, its), (second, own)) = (leases(&one), leases(&two));
    let (enough, told) = tokio::sync::oneshot::channel::<()>();
    let (begun, works) = tokio::sync::oneshot::channel::<()>();
    let long = tokio::spawn(async move {
        let work = async {
            begun.send(()).expect("somebody waits");
            told.await.is_ok()
        };
        first.alone(&its, JOB, LASTS, work).await.expect("stores")
    });
    works.await.expect("it works");
    // Longer than the lease lasts: it is renewed.
    let first_end = ends(&two).await;
    let lasts = async || {
        assert!(second.alone(&own, JOB, LASTS, async {}).await.expect("stores").is_none(), "not both");
        now(&two).await > first_end
    };
    until("the first lease would have run out", lasts).await;
    enough.send(()).expect("it waits");
    assert_eq!(long.await.expect("no panic"), Some(true));
    assert_eq!(second.alone(&own, JOB, LASTS, async { 7 }).await.expect("stores"), Some(7), "given back at once");
}
