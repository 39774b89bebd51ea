//! What is particular to the SQLite file: what older versions wrote survives the migrations, and a full disk passes.

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::path::Path;
use uuid::Uuid;
use vestibule::domain::account::DisplayName;
use vestibule::domain::id::{AccountId, GroupId};
use vestibule::domain::time::Timestamp;
use vestibule::store::{Database, audit, group};

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");

const ANNA: Uuid = Uuid::from_u128(1);

/// A database as it was after the migration of this number.
async fn as_of(version: i64, path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).foreign_keys(true);
    let mut link = options.connect().await.expect("a database");
    let earlier = MIGRATIONS.iter().filter(|one| one.version <= version).cloned().collect::<Vec<_>>();
    Migrator { migrations: earlier.into(), ..Migrator::DEFAULT }.run(&mut link).await.expect("migrated");
    link
}

#[tokio::test]
async fn memberships_and_their_order_of_events_outlive_the_indexes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vestibule.db");
    let mut old = as_of(15, &path).await;
    for statement in [
        "INSERT INTO account (id, username, username_key, username_skeleton, email, email_key, name, status, administrator, \
         sessions_valid_from, created_at, email_verified) \
         VALUES ($1, 'anna', 'anna', 'anna', 'anna@example.org', 'anna@example.org', 'Anna', 'active', 0, 0, 0, 1)",
        "INSERT INTO user_group (id, name, name_key, created_at) VALUES ($1, 'staff', 'staff', 0)",
        "INSERT INTO membership (group_id, account_id, source, created_at) VALUES ($1, $1, 'directory:ldap', 7)",
        "INSERT INTO membership (group_id, account_id, source, created_at) VALUES ($1, $1, 'manual', 8)",
    ] {
        sqlx::query(statement).bind(ANNA).execute(&mut old).await.expect(statement);
    }
    for (id, at) in [(1_u128 << 80, 1_i64), (2 << 80, 2)] {
        let statement = "INSERT INTO audit_event (id, at, act, actor_kind, detail) VALUES ($1, $2, 'account.created', 'system', '{}')";
        sqlx::query(statement).bind(Uuid::from_u128(id)).bind(at).execute(&mut old).await.expect("an event");
    }
    old.close().await.expect("closed");

    let database = Database::open(&path).await.expect("up to date");
    let mut link = database.read().await.expect("a connection");
    let account = AccountId::new(ANNA);
    assert_eq!(group::names_of(&mut link, account).await.expect("names"), ["staff"]);
    let events = audit::newest(&mut link, None, 10).await.expect("events");
    assert_eq!(events.iter().map(|one| one.at.millis()).collect::<Vec<_>>(), [2, 1], "the newest first");
    drop(link);
    let mut tx = database.begin().await.expect("a turn");
    group::remove_from(&mut tx, "directory:ldap", GroupId::new(ANNA), account).await.expect("removed");
    tx.commit().await.expect("committed");
    let mut link = database.read().await.expect("a connection");
    assert_eq!(group::names_of(&mut link, account).await.expect("names"), ["staff"], "the one given by hand stays");
}

#[tokio::test]
async fn a_transaction_that_sqlite_ended_by_itself_stops_nobody_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vestibule.db");
    let database = Database::open(&path).await.expect("a database");
    let options = SqliteConnectOptions::new().filename(&path);
    let mut by_hand = options.connect().await.expect("a connection");
    // As it does when the disk is full.
    let trigger = "CREATE TRIGGER trouble BEFORE INSERT ON user_group BEGIN SELECT RAISE(ROLLBACK, 'no room'); END";
    sqlx::query(trigger).execute(&mut by_hand).await.expect("a trigger");
    let name = DisplayName::parse("staff").expect("a name");
    for _ in 0..3 {
        let mut tx = database.begin().await.expect("a turn");
        group::insert(&mut tx, GroupId::new(ANNA), &name, Timestamp::from_millis(1)).await.expect_err("no room");
    }
    sqlx::query("DROP TRIGGER trouble").execute(&mut by_hand).await.expect("room again");
    let mut tx = database.begin().await.expect("a turn");
    group::insert(&mut tx, GroupId::new(ANNA), &name, Timestamp::from_millis(1)).await.expect("written");
    tx.commit().await.expect("committed");
}
