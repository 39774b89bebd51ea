//! The durable database: transactions, errors, and the macros by which a repository says its SQL once.
//!
//! No repository asks which database it is on: the macros at the bottom pick the connection. What is particular to an engine is
//! in `sqlite.rs` and `postgres.rs`; one engine is one variant of [`Engine`] and one arm in each macro.

mod bulk;
pub(super) mod copying;
mod postgres;
mod postgres_schema;
mod sqlite;

pub use postgres::{ClientFiles, Protection, Server, ServerPlace};

use super::notice;
use crate::domain::id::AccountId;
use crate::domain::notice::Notice;
use crate::domain::time::CLOCKS_DIFFER;
use postgres::{Line, Turn};
use sqlx::migrate::MigrateError;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Sqlite, Transaction};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
    /// The file or folder cannot be made or read, or the server does not let us in.
    #[error("cannot open the database {path}: {why}")]
    Open {
        /// Which file or server.
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
    /// Migrations are missing, and this process may not run them.
    #[error(
        "the database {path} is not up to date (migration {version} is missing); run `vestibule migrate` first, or set database.migrate_at_start"
    )]
    Older {
        /// Which file or server.
        path: PathBuf,
        /// The first migration that is missing.
        version: i64,
    },
    /// A migration was run that reads differently here.
    #[error(
        "migration {version} of the database {path} is not the one this version knows: its schema may differ from what is expected; restore a backup, or start the version that made it"
    )]
    Changed {
        /// Which file or server.
        path: PathBuf,
        /// Which migration.
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

/// The right words for a failed migration.
fn migration_error(path: &Path, error: MigrateError) -> OpenError {
    let path = path.to_owned();
    match error {
        MigrateError::VersionMissing(version) => OpenError::Newer { path, version },
        MigrateError::VersionMismatch(version) => OpenError::Changed { path, version },
        other => OpenError::Migrate { path, why: other.to_string() },
    }
}

/// Where a durable database is.
#[derive(Clone)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A schema on a PostgreSQL server.
    Server(Box<Server>),
}

impl Place {
    /// For the operator: where it is, without a password.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Server(server) => server.describe(),
        }
    }
}

type Listener = Arc<dyn Fn(&Notice) + Send + Sync>;

#[derive(Clone)]
enum Pools {
    Sqlite(sqlite::Pools),
    Postgres(postgres::Pools),
}

/// A handle on the durable database; cheap to clone.
#[derive(Clone)]
pub struct Database {
    pools: Pools,
    listeners: Arc<Mutex<Vec<Listener>>>,
    writes: Arc<AtomicBool>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

impl Database {
    /// Opens a database wherever it is, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`], in words for the operator. Nothing is changed by a failed migration.
    pub async fn at(place: &Place) -> Result<Self, OpenError> {
        match place {
            Place::File(path) => Self::open(path).await,
            Place::Server(server) => Ok(Self::over(Pools::Postgres(postgres::open(server).await?))),
        }
    }

    /// Opens or makes a SQLite file, with mode 0600, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`], in words for the operator. Nothing is changed by a failed migration.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self::over(Pools::Sqlite(sqlite::open(path).await?)))
    }

    fn over(pools: Pools) -> Self {
        Self { pools, listeners: Arc::default(), writes: Arc::new(AtomicBool::new(true)) }
    }

    /// Begins a transaction beside which no other writes: what it reads stays true until it ends. Others wait their turn.
    ///
    /// For invariants across accounts (names, the last administrator, groups, keys), and wherever there is doubt.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the turn does not come within some seconds.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        self.begin_in(Turn::Alone).await
    }

    /// Begins a transaction that nobody else's for the same account runs beside; those for other accounts do.
    ///
    /// For what reads and writes rows of this account only.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the turn does not come within some seconds.
    pub async fn begin_for(&self, account: AccountId) -> Result<Tx, StoreError> {
        self.begin_in(Turn::Account(account)).await
    }

    /// Begins a transaction that others may run beside.
    ///
    /// For what only adds rows, or whose one statement decides by itself.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the turn does not come within some seconds.
    pub async fn begin_beside(&self) -> Result<Tx, StoreError> {
        self.begin_in(Turn::Beside).await
    }

    async fn begin_in(&self, turn: Turn) -> Result<Tx, StoreError> {
        let link = match &self.pools {
            // There is one writer in any case.
            Pools::Sqlite(pools) => Link::Writing(pools.begin().await?),
            Pools::Postgres(pools) => Link::Postgres(pools.begin(turn).await?),
        };
        let (listeners, writes) = (Arc::clone(&self.listeners), Arc::clone(&self.writes));
        Ok(Tx { link, notices: Vec::new(), listeners, writes })
    }

    /// A connection for reading. It sees everything committed before it was asked for.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn read(&self) -> Result<Link, StoreError> {
        match &self.pools {
            Pools::Sqlite(pools) => Ok(Link::Reading(pools.readers.acquire().await?)),
            Pools::Postgres(pools) => Ok(Link::Postgres(pools.read().await?)),
        }
    }

    /// How far apart clocks may be that write here: nothing for a file, which one machine has.
    #[must_use]
    pub const fn clocks_differ(&self) -> Duration {
        match &self.pools {
            Pools::Sqlite(_) => Duration::ZERO,
            Pools::Postgres(_) => CLOCKS_DIFFER,
        }
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

    /// After a large transaction and before the next: what the engine can tidy up meanwhile.
    pub fn tidy_beside(&self) {
        match &self.pools {
            Pools::Sqlite(pools) => pools.fold_beside(),
            Pools::Postgres(_) => {}
        }
    }

    /// Closes the pools after what is under way.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite(pools) => pools.close().await,
            Pools::Postgres(pools) => pools.close().await,
        }
    }
}

/// Migrations that a database lacks, by number and name; nothing is changed. Empty for a file, which is always brought up to
/// date when it is opened.
///
/// # Errors
/// [`OpenError`].
pub async fn missing_migrations(place: &Place) -> Result<Vec<String>, OpenError> {
    match place {
        Place::File(_) => Ok(Vec::new()),
        Place::Server(server) => postgres_schema::missing(server).await,
    }
}

/// Brings a database up to date, whatever its settings say about the start.
///
/// # Errors
/// [`OpenError`]; a failed migration was rolled back.
pub async fn migrate(place: &Place) -> Result<(), OpenError> {
    match place {
        Place::File(path) => {
            Database::open(path).await?.close().await;
            Ok(())
        }
        Place::Server(server) => postgres_schema::prepare(server, true).await,
    }
}

/// One connection, reading or inside a transaction.
pub enum Link {
    /// Outside of a transaction; cannot write.
    Reading(PoolConnection<Sqlite>),
    /// Inside one.
    Writing(Transaction<'static, Sqlite>),
    /// Either, on PostgreSQL.
    Postgres(Line),
}

/// What a statement runs on. One variant an engine.
pub(super) enum Engine<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut Line),
}

impl Link {
    /// How far apart clocks may be that write here: nothing for a file, which one machine has.
    #[must_use]
    pub const fn clocks_differ(&self) -> Duration {
        match self {
            Self::Reading(_) | Self::Writing(_) => Duration::ZERO,
            Self::Postgres(_) => CLOCKS_DIFFER,
        }
    }

    pub(super) fn engine(&mut self) -> Engine<'_> {
        match self {
            Self::Reading(conn) => Engine::Sqlite(conn),
            Self::Writing(tx) => Engine::Sqlite(tx),
            Self::Postgres(line) => Engine::Postgres(line),
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
    /// [`StoreError::Unavailable`]. Nothing has happened then; only when a connection to PostgreSQL is lost during the commit
    /// itself, nobody knows.
    pub async fn commit(self) -> Result<(), StoreError> {
        let done = match self.link {
            Link::Reading(_) => Ok(()),
            Link::Writing(tx) => tx.commit().await.map_err(StoreError::from),
            Link::Postgres(line) => line.commit().await,
        };
        self.writes.store(done.is_ok(), Ordering::Relaxed);
        done?;
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
            $crate::store::database::Engine::Postgres(line) =>
                $crate::store::database::on_line!(line, conn =>
                    sqlx::query::<sqlx::Postgres>($sql)$(.bind($arg))*.execute(conn))
                    .map(|done| done.rows_affected()),
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
            $crate::store::database::Engine::Postgres(line) =>
                $crate::store::database::on_line!(line, conn =>
                    sqlx::query_as::<sqlx::Postgres, $row>($sql)$(.bind($arg))*.fetch_optional(conn)),
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
            $crate::store::database::Engine::Postgres(line) =>
                $crate::store::database::on_line!(line, conn =>
                    sqlx::query_as::<sqlx::Postgres, $row>($sql)$(.bind($arg))*.fetch_all(conn)),
        }
    };
}

/// Runs a query for at most one row that each engine has its own words for: only where there are no common ones.
macro_rules! fetch_by_engine {
    ($link:expr, $row:ty, sqlite: $sqlite:expr, postgres: $postgres:expr $(,)?) => {
        match $crate::store::database::Link::engine($link) {
            $crate::store::database::Engine::Sqlite(conn) =>
                sqlx::query_as::<sqlx::Sqlite, $row>($sqlite).fetch_optional(conn).await
                    .map_err($crate::store::database::StoreError::from),
            $crate::store::database::Engine::Postgres(line) =>
                $crate::store::database::on_line!(line, conn =>
                    sqlx::query_as::<sqlx::Postgres, $row>($postgres).fetch_optional(conn)),
        }
    };
}

/// Runs a query for all its rows that each engine has its own words for: only where there are no common ones.
macro_rules! fetch_all_by_engine {
    ($link:expr, $row:ty, sqlite: $sqlite:expr, postgres: $postgres:expr $(, $arg:expr)* $(,)?) => {
        match $crate::store::database::Link::engine($link) {
            $crate::store::database::Engine::Sqlite(conn) =>
                sqlx::query_as::<sqlx::Sqlite, $row>($sqlite)$(.bind($arg))*.fetch_all(conn).await
                    .map_err($crate::store::database::StoreError::from),
            $crate::store::database::Engine::Postgres(line) =>
                $crate::store::database::on_line!(line, conn =>
                    sqlx::query_as::<sqlx::Postgres, $row>($postgres)$(.bind($arg))*.fetch_all(conn)),
        }
    };
}

/// Runs one statement on a connection to PostgreSQL, within its limit.
macro_rules! on_line {
    ($line:expr, $conn:ident => $work:expr) => {{
        let limit = $line.limit();
        let (ticket, usable) = $line.start();
        let outcome = match usable {
            Some($conn) => tokio::time::timeout(limit, $work).await,
            None => Ok(Err(sqlx::Error::PoolClosed)),
        };
        $line.finish(&ticket, outcome)
    }};
}

pub(super) use bulk::{Insert, ROWS, execute_by_engine, insert_rows, one_after_the_other};
pub(super) use {execute, fetch_all, fetch_all_by_engine, fetch_by_engine, fetch_optional, on_line};
