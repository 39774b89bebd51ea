//! The file of the embedded store: made for its owner's eyes only, opened, migrated. What is in it, commands know.

use crate::store::{OpenError, exclusive, private_file};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/volatile");

/// Where the store is, and how patient it is.
#[derive(Clone, Debug)]
pub(super) struct File {
    path: PathBuf,
    busy_timeout: Duration,
}

impl File {
    /// Opens the file, makes it if it is not there, and brings its tables up to date. Processes that do so at once take
    /// turns: a change to WAL cannot be waited for by SQLite's own means.
    pub(super) async fn open(path: &Path, busy_timeout: Duration) -> Result<(Self, SqliteConnection), OpenError> {
        let file = Self { path: path.to_owned(), busy_timeout };
        let fail = |why: String| OpenError::Open { path: path.to_owned(), why };
        let _alone = exclusive(path).await.map_err(|error| fail(error.to_string()))?;
        private_file(path).and_then(|()| sync_folder(path)).map_err(|error| fail(error.to_string()))?;
        let mut db = file.connect().await.map_err(|error| fail(error.to_string()))?;
        migrate(&mut db).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => OpenError::Newer { path: path.to_owned(), version },
            other => OpenError::Migrate { path: path.to_owned(), why: other.to_string() },
        })?;
        Ok((file, db))
    }

    /// A connection to the file; never makes a new one, for an empty store would sign everybody out.
    pub(super) async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged command survives the loss of power, not only the end of the process.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(self.busy_timeout)
            // Who signed in from where leaves the file with the session.
            .pragma("secure_delete", "ON")
            .disable_statement_logging()
            .connect()
            .await
    }
}

/// The name of a new file survives the loss of power only when its folder is written.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::File::open(folder)?.sync_all(),
        _ => fs::File::open(".")?.sync_all(),
    }
}

/// All in one exclusive transaction: half a migration is never seen.
async fn migrate(db: &mut SqliteConnection) -> Result<(), MigrateError> {
    let mut transaction = db.begin_with("BEGIN EXCLUSIVE").await?;
    MIGRATIONS.run(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}
