//! The embedded store: how it is tested, and what it promises beyond the contract.

use super::{Bench, LIFETIMES, Outcome, START, account, is_there, key, opened, seconds, session};
use futures_util::future::join_all;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use vestibule::store::OpenError;
use vestibule::store::volatile::embedded::{Embedded, EmbeddedOptions};
use vestibule::store::volatile::{Shelf, Volatile};

/// An embedded store in a folder of its own.
pub(super) struct OnDisk {
    folder: TempDir,
    store: Arc<Embedded>,
    lock: Option<SqliteConnection>,
}

/// Hardly any patience, and no writing behind by the clock: tests say when.
fn options() -> EmbeddedOptions {
    let hour = Duration::from_hours(1);
    EmbeddedOptions { busy_timeout: Duration::from_millis(20), flush_every: hour, ..EmbeddedOptions::new(LIFETIMES) }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("volatile.db")
}

async fn by_hand(path: &Path) -> Outcome<SqliteConnection> {
    Ok(SqliteConnectOptions::new().filename(path).connect().await?)
}

impl OnDisk {
    async fn over(folder: TempDir) -> Outcome<Self> {
        let store = Arc::new(Embedded::open(&file(&folder), options()).await?);
        Ok(Self { folder, store, lock: None })
    }
}

impl Bench for OnDisk {
    async fn new() -> Outcome<Self> {
        Self::over(tempfile::tempdir()?).await
    }

    fn store(&self) -> Arc<dyn Volatile> {
        Arc::clone(&self.store) as Arc<dyn Volatile>
    }

    /// What a killed process leaves is what its files hold at that moment, without anything being closed.
    async fn crash(self) -> Outcome<Self> {
        let left = tempfile::tempdir()?;
        for name in ["volatile.db", "volatile.db-wal"] {
            std::fs::copy(self.folder.path().join(name), left.path().join(name))?;
        }
        Self::over(left).await
    }

    async fn restart(self) -> Outcome<Self> {
        self.store.close().await;
        Self::over(self.folder).await
    }

    async fn beside(&self) -> Outcome<Arc<dyn Volatile>> {
        Ok(Arc::new(Embedded::open(&file(&self.folder), options()).await?))
    }

    async fn disturb(&mut self) -> Outcome {
        let mut lock = by_hand(&file(&self.folder)).await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut lock).await?;
        self.lock = Some(lock);
        Ok(())
    }

    async fn mend(&mut self) -> Outcome {
        if let Some(mut lock) = self.lock.take() {
            sqlx::query("ROLLBACK").execute(&mut lock).await?;
            lock.close().await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn stores_opened_at_once_on_a_new_file_all_open_and_the_file_is_private() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = file(&folder);
    let stores = join_all((0..8).map(|_| Embedded::open(&path, options()))).await;
    let stores = stores.into_iter().collect::<Result<Vec<_>, _>>()?;
    for (number, store) in (0..).zip(&stores) {
        opened(store, account(1), [number]).await?;
    }
    for name in ["volatile.db", "volatile.db-wal", "volatile.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(name))?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    for number in 0..8 {
        for store in &stores {
            assert!(is_there(store, &key(number)).await?, "each sees what all wrote");
        }
    }
    Ok(())
}

#[tokio::test]
async fn sessions_are_loaded_when_asked_for_even_after_the_store_was_only_dropped() -> Outcome {
    let folder = tempfile::tempdir()?;
    let store = Embedded::open(&file(&folder), options()).await?;
    opened(&store, account(1), [1]).await?;
    drop(store);
    let store = Embedded::open(&file(&folder), options()).await?;
    assert!(store.hot_session(&key(1)).is_none(), "nothing is loaded ahead");
    assert!(store.session(&key(1)).await?.is_some());
    assert!(store.hot_session(&key(1)).is_some());
    Ok(())
}

#[tokio::test]
async fn a_name_that_somebody_elses_session_has_is_taken() -> Outcome {
    let bench = OnDisk::new().await?;
    opened(&*bench.store, account(1), [1]).await?;
    assert!(bench.store.open_session(key(2), session(1, account(2))).await.is_err());
    assert!(!is_there(&*bench.store, &key(2)).await?);
    Ok(())
}

#[tokio::test]
async fn a_session_without_requests_leaves_the_memory_and_not_the_store() -> Outcome {
    let bench = OnDisk::new().await?;
    opened(&*bench.store, account(1), [1, 2]).await?;
    for number in [1, 2] {
        let live = bench.store.hot_session(&key(number)).ok_or("just opened")?;
        bench.store.touch(&key(number), &live, seconds(number * 20));
    }
    let idle_for_half_an_hour = seconds(30 * 60 + 20);
    assert_eq!(bench.store.sweep(idle_for_half_an_hour).await?, 0);
    assert!(bench.store.hot_session(&key(1)).is_none());
    assert!(bench.store.hot_session(&key(2)).is_some(), "it had a request twenty seconds later");
    let loaded = bench.store.session(&key(1)).await?.ok_or("it is on disk")?;
    assert_eq!(loaded.last_seen_at(), seconds(20), "the last request went to disk with it");
    Ok(())
}

#[tokio::test]
async fn a_batch_that_fails_leaves_nothing_of_what_was_refused() -> Outcome {
    let bench = OnDisk::new().await?;
    let mut db = by_hand(&file(&bench.folder)).await?;
    // SQLite ends the transaction by itself, as it does when the disk is full.
    let trigger = "CREATE TRIGGER trouble BEFORE INSERT ON entry WHEN NEW.value = x'FF' \
                   BEGIN SELECT RAISE(ROLLBACK, 'no room'); END";
    sqlx::query(trigger).execute(&mut db).await?;
    let value = |number: u64| if number == 20 { vec![0xFF] } else { vec![1] };
    let put = |number: u64| bench.store.put(Shelf::Attempt, key(number), value(number), seconds(60), START);
    let answers = join_all((0..40).map(put)).await;
    assert!(answers.get(20).is_some_and(Result::is_err));
    for (number, answer) in (0..).zip(answers) {
        let there = bench.store.peek(Shelf::Attempt, &key(number), START).await?.is_some();
        assert_eq!(answer.is_ok_and(|put| put), there, "entry {number}");
    }
    sqlx::query("DROP TRIGGER trouble").execute(&mut db).await?;
    assert!(put(20).await?);
    Ok(())
}

#[tokio::test]
async fn sweeping_leaves_no_row_that_has_expired() -> Outcome {
    let bench = OnDisk::new().await?;
    opened(&*bench.store, account(1), [1]).await?;
    bench.store.put(Shelf::Replay, key(1), vec![1], seconds(60), START).await?;
    bench.store.put(Shelf::Replay, key(2), vec![1], seconds(90_000), START).await?;
    bench.store.admit(&[super::counters::charge(1, 10, 60)], START).await?;
    bench.store.sweep(seconds(86_400)).await?;
    let mut db = by_hand(&file(&bench.folder)).await?;
    let count =
        "SELECT (SELECT count(*) FROM session), (SELECT count(*) FROM entry), (SELECT count(*) FROM failure_counter)";
    let left: (i64, i64, i64) = sqlx::query_as(count).fetch_one(&mut db).await?;
    assert_eq!(left, (0, 1, 0));
    Ok(())
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_not_opened() -> Outcome {
    let bench = OnDisk::new().await?;
    let mut db = by_hand(&file(&bench.folder)).await?;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'from the future', 1, x'00', 0)";
    sqlx::query(newer).execute(&mut db).await?;
    let opened = Embedded::open(&file(&bench.folder), options()).await;
    assert!(matches!(opened.err(), Some(OpenError::Newer { version: 9999, .. })));
    Ok(())
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_told_and_not_made() -> Outcome {
    let folder = tempfile::tempdir()?;
    let opened = Embedded::open(&folder.path().join("missing/volatile.db"), options()).await;
    assert!(matches!(opened.err(), Some(OpenError::Open { .. })));
    assert!(!folder.path().join("missing").exists());
    Ok(())
}
