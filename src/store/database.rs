//! The durable database: pools, transactions, migrations, and the macros by which a repository says its SQL once.
//!
//! No repository asks which database it is on: the macros at the bottom pick the pool. A second engine is one more
//! variant of [`Engine`] and one more arm in each macro.

use super::notice;
use crate::domain::notice::Notice;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");

/// How long a writer waits for another process (a command beside the service) before giving up.
const BUSY: Duration = Duration::from_secs(5);

/// Why the durable store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is gone, locked, full or broken: nothing was changed.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A value that must be unique is taken: nothing was changed.
    #[error("a value that must be unique is taken: {0}")]
    Conflict(String),
    /// What was read makes no sense.
    #[error("the database holds something unreadable: {0}")]
    Unreadable(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Conflict(inner.message().to_owned()),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Unreadable(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

/// Why the database could not be opened; the text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file or folder cannot be made or read.
    #[error("cannot open the database {path}: {why}")]
    Open {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A newer version has been here.
    #[error(
        "the database {path} was written by a newer version (migration {version} is unknown to this one); start that version, or restore a backup from before the upgrade"
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// The first migration that this version does not know.
        version: i64,
    },
    /// A migration failed; it was rolled back.
    #[error("cannot bring the database {path} up to date: {why}")]
    Migrate {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        why: String,
    },
}

type Listener = Arc<dyn Fn(&Notice) + Send + Sync>;

/// A handle on the durable database; cheap to clone.
#[derive(Clone)]
pub struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
    listeners: Arc<Mutex<Vec<Listener>>>,
    writes: Arc<AtomicBool>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

impl Database {
    /// Opens or makes the file, with mode 0600, and brings its schema up to date under SQLite's write lock.
    ///
    /// # Errors
    /// [`OpenError`], in words for the operator. Nothing is changed by a failed migration.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let fail = |why: String| OpenError::Open { path: path.to_owned(), why };
        super::private_file(path).map_err(|error| fail(error.to_string()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("secure_delete", "on")
            .optimize_on_close(true, None);
        let pool = || SqlitePoolOptions::new().acquire_timeout(BUSY).min_connections(0).test_before_acquire(false);
        // SQLite has no lock of its own around a whole migration run; two commands may start at once.
        let _alone = super::exclusive(path).await.map_err(|error| fail(error.to_string()))?;
        let writer = pool().max_connections(1).connect_with(options.clone()).await.map_err(|e| fail(e.to_string()))?;
        migrate(&writer, path).await?;
        let readers = pool()
            .max_connections(4)
            .idle_timeout(Duration::from_mins(1))
            .connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Self { writer, readers, listeners: Arc::default(), writes: Arc::new(AtomicBool::new(true)) })
    }

    /// Begins a transaction that may write. There is one writer at a time; others wait their turn.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the turn does not come within five seconds.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let inner = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let (listeners, writes) = (Arc::clone(&self.listeners), Arc::clone(&self.writes));
        Ok(Tx { link: Link::Writing(inner), notices: Vec::new(), listeners, writes })
    }

    /// A connection for reading. It sees everything committed before it was asked for.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn read(&self) -> Result<Link, StoreError> {
        Ok(Link::Reading(self.readers.acquire().await?))
    }

    /// Whether the last transaction could be committed: a full disk still reads.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.writes.load(Ordering::Relaxed)
    }

    /// Calls `listener` with every notice that a transaction of this process commits, before the commit is reported.
    pub fn listen(&self, listener: impl Fn(&Notice) + Send + Sync + 'static) {
        if let Ok(mut listeners) = self.listeners.lock() {
            listeners.push(Arc::new(listener));
        }
    }

    /// Closes the pools after what is under way, and folds the log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

async fn migrate(pool: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    let failed = |why: String| OpenError::Migrate { path: path.to_owned(), why };
    SQLITE_MIGRATIONS.run(pool).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => OpenError::Newer { path: path.to_owned(), version },
        other => failed(other.to_string()),
    })
}

/// One connection, reading or inside a transaction.
pub enum Link {
    /// Outside of a transaction; cannot write.
    Reading(PoolConnection<Sqlite>),
    /// Inside one.
    Writing(Transaction<'static, Sqlite>),
}

/// What a statement runs on. One variant an engine.
pub(super) enum Engine<'c> {
    Sqlite(&'c mut SqliteConnection),
}

impl Link {
    pub(super) fn engine(&mut self) -> Engine<'_> {
        match self {
            Self::Reading(conn) => Engine::Sqlite(conn),
            Self::Writing(tx) => Engine::Sqlite(tx),
        }
    }
}

/// A transaction. Dropped without [`Tx::commit`], nothing of it has happened.
pub struct Tx {
    link: Link,
    notices: Vec<Notice>,
    listeners: Arc<Mutex<Vec<Listener>>>,
    writes: Arc<AtomicBool>,
}

impl Tx {
    /// Announces a change to every process on this database, with the commit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn announce(&mut self, notice: Notice, now: crate::domain::time::Timestamp) -> Result<(), StoreError> {
        notice::append(&mut self.link, notice, now).await?;
        self.notices.push(notice);
        Ok(())
    }

    /// Makes it so, and tells this process's listeners before returning.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; nothing has happened then.
    pub async fn commit(self) -> Result<(), StoreError> {
        if let Link::Writing(tx) = self.link {
            let done = tx.commit().await;
            self.writes.store(done.is_ok(), Ordering::Relaxed);
            done?;
        }
        let listeners = self.listeners.lock().map(|list| list.clone()).unwrap_or_default();
        for notice in &self.notices {
            for listener in &listeners {
                listener(notice);
            }
        }
        Ok(())
    }
}

impl std::ops::Deref for Tx {
    type Target = Link;
    fn deref(&self) -> &Link {
        &self.link
    }
}

impl std::ops::DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Link {
        &mut self.link
    }
}

/// Runs a statement; gives the number of rows it touched.
macro_rules! execute {
    ($link:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        match $crate::store::database::Link::engine($link) {
            $crate::store::database::Engine::Sqlite(conn) =>
                sqlx::query::<sqlx::Sqlite>($sql)$(.bind($arg))*.execute(conn).await
                    .map(|done| done.rows_affected())
                    .map_err($crate::store::database::StoreError::from),
        }
    };
}

/// Runs a query for at most one row.
macro_rules! fetch_optional {
    ($link:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        match $crate::store::database::Link::engine($link) {
            $crate::store::database::Engine::Sqlite(conn) =>
                sqlx::query_as::<sqlx::Sqlite, $row>($sql)$(.bind($arg))*.fetch_optional(conn).await
                    .map_err($crate::store::database::StoreError::from),
        }
    };
}

/// Runs a query for all its rows.
macro_rules! fetch_all {
    ($link:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        match $crate::store::database::Link::engine($link) {
            $crate::store::database::Engine::Sqlite(conn) =>
                sqlx::query_as::<sqlx::Sqlite, $row>($sql)$(.bind($arg))*.fetch_all(conn).await
                    .map_err($crate::store::database::StoreError::from),
        }
    };
}

/// Runs a statement that takes many rows at once: `$sql` is text made by [`rows`], `$bound` binds one row to the query.
macro_rules! execute_rows {
    ($link:expr, $sql:expr, $rows:expr, |$query:ident, $row:ident| $bound:expr) => {
        match $crate::store::database::Link::engine($link) {
            $crate::store::database::Engine::Sqlite(conn) => {
                let mut $query = sqlx::query::<sqlx::Sqlite>(sqlx::AssertSqlSafe($sql));
                for $row in $rows {
                    $query = $bound;
                }
                $query
                    .execute(conn)
                    .await
                    .map(|done| done.rows_affected())
                    .map_err($crate::store::database::StoreError::from)
            }
        }
    };
}

pub(super) use {execute, execute_rows, fetch_all, fetch_optional};

/// Rows that one statement takes; a constant, so that few statements are prepared.
pub const ROWS: usize = 64;

/// `head VALUES ($1, $2), ($3, $4) tail` for so many rows and columns.
pub(super) fn rows(head: &str, count: usize, columns: usize, tail: &str) -> String {
    let mut text = String::with_capacity(head.len() + tail.len() + count * columns * 6);
    text.push_str(head);
    text.push_str(" VALUES ");
    for place in 0..count * columns {
        let (row, column) = (place / columns, place % columns);
        text.push_str(match (row, column) {
            (0, 0) => "($",
            (_, 0) => "), ($",
            _ => ", $",
        });
        text.push_str(&(place + 1).to_string());
    }
    text.push_str(") ");
    text.push_str(tail);
    text
}

impl Tx {
    /// Begins a part of the transaction that can fail alone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_part(&mut self) -> Result<(), StoreError> {
        execute!(&mut self.link, "SAVEPOINT part").map(drop)
    }

    /// Ends the part: keeps what it wrote, or takes all of it back. What was written before it stays in any case.
    ///
    /// # Errors
    /// [`StoreError`]; the whole transaction is to be given up then.
    pub async fn end_part(&mut self, keep: bool) -> Result<(), StoreError> {
        if !keep {
            execute!(&mut self.link, "ROLLBACK TO SAVEPOINT part")?;
        }
        execute!(&mut self.link, "RELEASE SAVEPOINT part").map(drop)
    }
}
