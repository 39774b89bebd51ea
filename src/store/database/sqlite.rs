//! The SQLite file: opening it, its pools, its migrations. One writer, four readers.

use super::{OpenError, migration_error};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Sqlite, SqlitePool, Transaction};
use std::path::Path;
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");

/// How long a writer waits for another process (a command beside the service) before giving up.
const BUSY: Duration = Duration::from_secs(5);

/// Pages that a transaction may change before they are written ahead of its commit, as KiB with a minus. With SQLite's own
/// 2 MiB a synchronisation of ten thousand people writes every page of an index dozens of times.
const WRITER_CACHE: &str = "-24576";
/// Rows that a reader hands over at once: each time one thread wakes another.
const ROWS_AT_ONCE: usize = 1024;

/// The pools over one file.
#[derive(Clone)]
pub(in crate::store) struct Pools {
    pub(in crate::store) writer: SqlitePool,
    pub(in crate::store) readers: SqlitePool,
}

/// Opens or makes the file, with mode 0600, and brings its schema up to date under SQLite's write lock.
pub(super) async fn open(path: &Path) -> Result<Pools, OpenError> {
    let fail = |why: String| OpenError::Open { path: path.to_owned(), why };
    crate::store::private_file(path).map_err(|error| fail(error.to_string()))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .page_size(8192)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("secure_delete", "on")
        .row_buffer_size(ROWS_AT_ONCE);
    let pool = || SqlitePoolOptions::new().acquire_timeout(BUSY).min_connections(0).test_before_acquire(false);
    // SQLite has no lock of its own around a whole migration run; two commands may start at once.
    let _alone = crate::store::exclusive(path).await.map_err(|error| fail(error.to_string()))?;
    let writing = options.clone().pragma("cache_size", WRITER_CACHE).pragma("temp_store", "memory");
    let writer = pool()
        .max_connections(1)
        // SQLite rolls back by itself when the disk is full: the driver then believes for ever that a transaction is open.
        .before_acquire(|conn, _| Box::pin(async move { Ok(!conn.is_in_transaction()) }))
        .connect_with(writing)
        .await
        .map_err(|e| fail(e.to_string()))?;
    MIGRATIONS.run(&writer).await.map_err(|error| migration_error(path, error))?;
    let readers = pool()
        .max_connections(4)
        .idle_timeout(Duration::from_mins(1))
        .connect_lazy_with(options.pragma("query_only", "on"));
    Ok(Pools { writer, readers })
}

impl Pools {
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// Copies what was committed from the log into the file, beside everything else: the next commit need not. What goes
    /// wrong there goes wrong again, and is told, when a commit does it.
    pub(super) fn fold_beside(&self) {
        let readers = self.readers.clone();
        tokio::spawn(async move {
            if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&readers).await {
                tracing::debug!(%error, "the log was not folded into the file");
            }
        });
    }

    /// Closes the pools after what is under way, and folds the log into the file.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
