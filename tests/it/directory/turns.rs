//! Whose turn a synchronisation is, by the clock of the test; on PostgreSQL the database's own clock counts (`nodes/lease.rs`).

use super::sync::{exists, three};
use super::{STAFF, runs};
use crate::support::House;
use crate::support::slapd::{BASE, Slapd};
use std::time::Duration;
use vestibule::service::context::Context;
use vestibule::service::directory::{Directories, Options, SyncError};
use vestibule::store::lease;

#[tokio::test]
async fn one_process_at_a_time_and_by_the_clock() {
    let slapd = Slapd::with(&three());
    let house = House::with(&slapd.directory(&format!("interval = \"1h\"\n{STAFF}"))).await;
    let directories = Directories::new(std::sync::Arc::clone(&house.app.core));
    let ctx = Context::system(house.app.surroundings.clone());
    directories.sync_due(&ctx).await.expect("a run");
    assert!(exists(&house, "anna").await);
    slapd.modifies(&format!(
        "dn: cn=staff,ou=groups,{BASE}\nchangetype: modify\nadd: member\nmember: uid=cara,ou=people,{BASE}\n\n"
    ));
    directories.sync_due(&ctx).await.expect("no run");
    assert!(!exists(&house, "cara").await, "its time has not come");
    house.after(Duration::from_hours(1));
    let other = lease::Claim { name: "directory:ldap", holder: uuid::Uuid::from_u128(7) };
    let mut tx = house.app.core.database.begin().await.expect("a transaction");
    let now = ctx.now();
    assert!(lease::take(&mut tx, other, now, now.after(Duration::from_secs(30))).await.expect("a lease"));
    tx.commit().await.expect("committed");
    assert!(matches!(runs(&house, Options::default()).await, Err(SyncError::Running(_))));
    directories.sync_due(&ctx).await.expect("no run");
    assert!(!exists(&house, "cara").await, "another process is at it");
    house.after(Duration::from_secs(31));
    directories.sync_due(&ctx).await.expect("a run");
    assert!(exists(&house, "cara").await, "who was killed does not hold it for ever");
}
