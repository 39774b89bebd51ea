//! The durable store's own promises, on both databases: turns, notices, migrations, instances beside each other.

use crate::support::{engine, postgres};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;
use uuid::Uuid;
use vestibule::app::mapping;
use vestibule::config::Config;
use vestibule::domain::account::{AccountStatus, DisplayName, EmailAddress, Username};
use vestibule::domain::id::{AccountId, LetterId};
use vestibule::domain::notice::Notice;
use vestibule::domain::time::Timestamp;
use vestibule::store::account::NewAccount;
use vestibule::store::letter::Queued;
use vestibule::store::token::{Purpose, Token};
use vestibule::store::{Database, OpenError, Place, StoreError, account, letter, notice, password, token};

const NOW: Timestamp = Timestamp::from_millis(1_795_284_300_000);

/// A place of its own, on the database that the test is named after.
fn place(folder: &Path) -> Place {
    place_with(folder, &engine::environment(folder))
}

fn place_with(folder: &Path, environment: &BTreeMap<String, String>) -> Place {
    let text = format!("data_dir = {:?}", folder.to_str().expect("UTF-8"));
    mapping::database(&Config::parse(&text, environment).unwrap_or_else(|error| panic!("{error}")))
}

async fn database() -> (TempDir, Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::at(&place(folder.path())).await.expect("a database");
    (folder, database)
}

fn anna() -> NewAccount {
    NewAccount {
        id: AccountId::new(Uuid::from_u128(1)),
        username: Username::parse("anna").expect("a username"),
        email: EmailAddress::parse("anna@example.org").expect("an address"),
        name: DisplayName::parse("Anna").expect("a name"),
        administrator: false,
        status: AccountStatus::Active,
        ends_at: None,
    }
}

async fn with_anna() -> (TempDir, Database, AccountId) {
    let (folder, database) = database().await;
    let mut tx = database.begin().await.expect("a turn");
    account::insert(&mut tx, &anna(), NOW).await.expect("inserted");
    tx.commit().await.expect("committed");
    (folder, database, anna().id)
}

#[tokio::test]
async fn what_is_not_committed_has_not_happened() {
    let (_folder, database) = database().await;
    for _ in 0..20 {
        let mut tx = database.begin().await.expect("a turn");
        account::insert(&mut tx, &anna(), NOW).await.expect("inserted");
        drop(tx);
    }
    let mut link = database.read().await.expect("a connection");
    assert!(account::by_id(&mut link, anna().id).await.expect("read").is_none());
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let (_folder, database, id) = with_anna().await;
    let mut link = database.read().await.expect("a connection");
    account::set_status(&mut link, id, AccountStatus::Locked).await.expect_err("refused");
    drop(link);
    let mut link = database.read().await.expect("a connection");
    let found = account::by_id(&mut link, id).await.expect("read").expect("there");
    assert_eq!(found.status, AccountStatus::Active);
}

#[tokio::test]
async fn a_name_is_given_once_and_the_second_hears_of_a_conflict() {
    let (_folder, database, id) = with_anna().await;
    let mut tx = database.begin().await.expect("a turn");
    let second = NewAccount { id: AccountId::new(Uuid::from_u128(2)), ..anna() };
    let refused = account::insert(&mut tx, &second, NOW).await.expect_err("taken");
    assert!(matches!(refused, StoreError::Conflict(_)), "{refused}");
    drop(tx);
    let mut link = database.read().await.expect("a connection");
    assert!(account::by_id(&mut link, id).await.expect("read").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_look_first_and_write_then_one_is_first() {
    let (_folder, database) = database().await;
    let mut rivals = JoinSet::new();
    for number in 0..12_u128 {
        let database = database.clone();
        rivals.spawn(async move {
            let new = NewAccount { id: AccountId::new(Uuid::from_u128(number)), ..anna() };
            let mut tx = database.begin().await.expect("a turn");
            if account::taken(&mut tx, &new.username, &new.email).await.expect("read").username {
                return false;
            }
            account::insert(&mut tx, &new, NOW).await.expect("nobody else in between");
            tx.commit().await.expect("committed");
            true
        });
    }
    let mut first = 0;
    while let Some(done) = rivals.join_next().await {
        first += usize::from(done.expect("no panic"));
    }
    assert_eq!(first, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_is_taken_once() {
    let (_folder, database, id) = with_anna().await;
    let hash = [7; 32];
    let mut tx = database.begin_beside().await.expect("a turn");
    let expires_at = NOW.after(Duration::from_mins(1));
    let one = Token { hash, purpose: Purpose::Recovery, account: Some(id), sealed: None, expires_at };
    token::insert(&mut tx, &one, NOW).await.expect("inserted");
    tx.commit().await.expect("committed");
    let mut rivals = JoinSet::new();
    for _ in 0..12 {
        let database = database.clone();
        rivals.spawn(async move {
            let mut tx = database.begin_beside().await.expect("a turn");
            let taken = token::take(&mut tx, &hash, Purpose::Recovery, NOW).await.expect("asked").is_some();
            tx.commit().await.expect("committed");
            taken
        });
    }
    let mut taken = 0;
    while let Some(done) = rivals.join_next().await {
        taken += usize::from(done.expect("no panic"));
    }
    assert_eq!(taken, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_letter_is_claimed_by_one_node_until_its_time_is_over() {
    let (_folder, database, id) = with_anna().await;
    let letter_id = LetterId::new(Uuid::from_u128(9));
    let queued = Queued { id: letter_id, account: Some(id), sealed: vec![1], attempts: 0, created_at: NOW };
    let mut tx = database.begin_beside().await.expect("a turn");
    letter::insert(&mut tx, &queued).await.expect("queued");
    tx.commit().await.expect("committed");
    let claims = async |now: Timestamp| {
        let mut rivals = JoinSet::new();
        for _ in 0..8 {
            let database = database.clone();
            rivals.spawn(async move {
                let mut tx = database.begin_beside().await.expect("a turn");
                let until = now.after(Duration::from_mins(1));
                let mine = letter::claim(&mut tx, letter_id, now, until).await.expect("asked");
                tx.commit().await.expect("committed");
                mine
            });
        }
        rivals.join_all().await.into_iter().filter(|mine| *mine).count()
    };
    assert_eq!(claims(NOW).await, 1);
    assert_eq!(claims(NOW).await, 0, "it is somebody's");
    assert_eq!(claims(NOW.after(Duration::from_mins(1))).await, 1, "who never came back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn passwords_of_one_account_are_set_one_after_the_other() {
    let (_folder, database, id) = with_anna().await;
    let mut rivals = JoinSet::new();
    for number in 0..10_i64 {
        let database = database.clone();
        rivals.spawn(async move {
            let at = Timestamp::from_millis(NOW.millis() + number);
            let new = password::StoredPassword { hash: number.to_string(), set_at: at, must_change: false };
            let mut tx = database.begin_for(id).await.expect("a turn");
            password::set(&mut tx, id, &new, 20).await.expect("set");
            tx.commit().await.expect("committed");
        });
    }
    rivals.join_all().await;
    let mut link = database.read().await.expect("a connection");
    let present = password::of(&mut link, id).await.expect("read").expect("one").hash;
    let mut all = password::former(&mut link, id).await.expect("read");
    all.push(present);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 10, "none was lost: {all:?}");
}

/// Reads as `service/housekeeping.rs` does.
struct Reader {
    settled: i64,
    seen: Vec<Notice>,
    numbers: Vec<i64>,
}

impl Reader {
    async fn looks(&mut self, database: &Database) {
        let mut link = database.read().await.expect("a connection");
        let settled = notice::settled(&mut link).await.expect("a number");
        for (number, notice) in notice::after(&mut link, self.settled).await.expect("notices").notices {
            if !self.numbers.contains(&number) {
                self.numbers.push(number);
                self.seen.extend(notice);
            }
        }
        self.settled = settled;
    }
}

#[tokio::test]
async fn notices_are_seen_once_each() {
    let (_folder, database) = database().await;
    let mut reader = Reader { settled: 0, seen: Vec::new(), numbers: Vec::new() };
    reader.looks(&database).await;
    let notices = [Notice::Keys, Notice::Accounts, Notice::Account(anna().id)];
    for notice in notices {
        let mut tx = database.begin_beside().await.expect("a turn");
        tx.announce(notice, NOW).await.expect("announced");
        tx.commit().await.expect("committed");
        reader.looks(&database).await;
        reader.looks(&database).await;
    }
    assert_eq!(reader.seen, notices);
}

#[tokio::test]
async fn an_unknown_newer_schema_is_refused_in_clear_words() {
    let (folder, database) = database().await;
    database.close().await;
    let place = place(folder.path());
    by_hand(
        &place,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
        SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
    )
    .await;
    let refused = Database::at(&place).await.expect_err("a refusal");
    assert!(matches!(refused, OpenError::Newer { version: 9999, .. }), "{refused}");
    assert!(refused.to_string().contains("newer version"), "{refused}");
}

#[tokio::test]
async fn a_migration_that_reads_differently_is_refused() {
    let (folder, database) = database().await;
    database.close().await;
    let place = place(folder.path());
    by_hand(
        &place,
        "UPDATE _sqlx_migrations SET checksum = (SELECT checksum FROM _sqlx_migrations WHERE version = 2) \
        WHERE version = 1",
    )
    .await;
    let refused = Database::at(&place).await.expect_err("a refusal");
    assert!(matches!(refused, OpenError::Changed { version: 1, .. }), "{refused}");
}

async fn by_hand(place: &Place, sql: &'static str) {
    use sqlx::{Connection, Executor};
    match place {
        Place::File(file) => {
            let mut conn =
                sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.expect("open");
            conn.execute(sql).await.expect("done");
        }
        Place::Server(server) => {
            postgres::shared().by_hand(&server.schema).await.execute(sql).await.expect("done");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_a_new_database_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = place(folder.path());
    for opened in futures_util::future::join_all((0..6).map(|_| Database::at(&place))).await {
        assert_eq!(opened.map(drop).map_err(|error| error.to_string()), Ok(()));
    }
}
