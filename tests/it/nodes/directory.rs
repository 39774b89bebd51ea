//! Synchronising a directory: one node at a time, whatever their clocks say, and another one when the first is killed.

use super::{APART, ROOT_KEY, Stores};
use crate::support::House;
use crate::support::cable::{Cable, Then};
use crate::support::postgres::shared;
use crate::support::redis::{RedisServer, until};
use crate::support::slapd::{Slapd, person};
use crate::support::{TestClock, told::Told};
use sqlx::Executor;
use std::sync::Arc;
use std::time::Duration;
use vestibule::service::context::Context;
use vestibule::service::directory::{Directories, Options, SyncError};

const EVERYBODY: &str = "interval = \"1h\"\ncreate_accounts = true\npage_size = 3\n";

async fn node(stores: &Stores, ahead: Duration, directory: &str) -> House {
    let tables = stores.tables(&format!("secret_key = {ROOT_KEY:?}"));
    House::node(TestClock::ahead(ahead), &format!("{tables}{directory}")).await
}

fn directories(house: &House) -> (Directories, Context) {
    (Directories::new(Arc::clone(&house.app.core)), Context::system(house.app.surroundings.clone()))
}

#[tokio::test]
async fn of_two_nodes_whose_clocks_differ_one_synchronises_and_once() {
    let slapd = Slapd::with(&["anna", "bert"].map(person).concat());
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "sync_once");
    let settings = slapd.directory(EVERYBODY);
    let (one, two) = (node(&stores, APART, &settings).await, node(&stores, Duration::ZERO, &settings).await);
    let log = Told::listens();
    let ((first, its), (second, own)) = (directories(&one), directories(&two));
    let (left, right) = tokio::join!(first.sync_due(&its), second.sync_due(&own));
    left.and(right).expect("stores");
    second.sync_due(&own).await.expect("stores");
    assert_eq!(log.text().matches("a directory was synchronised").count(), 1, "{}", log.text());
    assert_eq!(two.count_acts("account.created").await, 2);
    for house in [&one, &two] {
        house.after(Duration::from_hours(1));
    }
    let (left, right) = tokio::join!(second.sync_due(&own), first.sync_due(&its));
    left.and(right).expect("stores");
    assert_eq!(log.text().matches("a directory was synchronised").count(), 2, "{}", log.text());
}

#[tokio::test]
async fn who_is_killed_in_the_middle_is_followed_by_another_and_writes_nothing_any_more() {
    let slapd = Slapd::with(&["a", "b", "c", "d", "e", "f", "g"].map(|name| person(&format!("{name}nna"))).concat());
    let redis = RedisServer::start().await;
    let stores = Stores::of(shared(), &redis, "sync_killed");
    let wire = Cable::to(slapd.port, Then::Silence).await;
    let (one, two) = (
        node(&stores, Duration::ZERO, &slapd.directory_at(wire.port, EVERYBODY)).await,
        node(&stores, APART, &slapd.directory(EVERYBODY)).await,
    );
    let ((first, its), (second, own)) = (directories(&one), directories(&two));
    let (began, begins) = tokio::sync::oneshot::channel();
    let wire = Arc::new(wire);
    let (its_wire, mut began) = (Arc::clone(&wire), Some(began));
    let killed = tokio::spawn(async move {
        let mut reads = |_| {
            its_wire.passes_only(0);
            if let Some(began) = began.take() {
                began.send(()).expect("somebody waits");
            }
        };
        first.sync(&its, "ldap", Options::default(), &mut reads).await.map(drop)
    });
    begins.await.expect("it has begun");
    let other = second.sync(&own, "ldap", Options::default(), &mut |_| {}).await;
    assert!(matches!(other, Err(SyncError::Running(_))), "{other:?}");
    killed.abort();
    assert!(killed.await.expect_err("killed").is_cancelled());
    let other = second.sync(&own, "ldap", Options::default(), &mut |_| {}).await;
    assert!(matches!(other, Err(SyncError::Running(_))), "it may still be at it: {other:?}");
    // The time that others wait passes.
    let mut by_hand = shared().by_hand("sync_killed").await;
    by_hand.execute("UPDATE lease SET until = 1 WHERE name = 'directory:ldap'").await.expect("passed");
    until("the other goes on", async || second.sync(&own, "ldap", Options::default(), &mut |_| {}).await.is_ok()).await;
    assert_eq!(two.count_acts("account.created").await, 7);
}
