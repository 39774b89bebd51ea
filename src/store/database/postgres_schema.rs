//! The schema of an instance in PostgreSQL: made where it is missing, brought up to date, or only looked at.

use super::postgres::{Server, lock_key};
use super::{OpenError, migration_error};
use sqlx::migrate::{Migrate, Migrator};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::time::timeout;

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/postgres");

/// The same for a schema on which a newer version was, too; whether it may be worked on is looked at before.
static BESIDE_NEWER: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!("src/store/migrations/postgres");
    migrations.set_ignore_missing(true);
    migrations
});

/// How long a server may take to let somebody in at the start.
const CONNECT: Duration = Duration::from_secs(15);
/// How long another process may take with its migrations before this one gives up waiting.
const TURN: &str = "120s";
/// Fewest that is asked of the server: `pg_current_xact_id` is of this version.
const OLDEST: i32 = 130_000;

/// Makes sure that the schema is there and up to date; unless `migrate`, only looks.
pub(super) async fn prepare(server: &Server, migrate: bool) -> Result<(), OpenError> {
    let mut conn = connect(server).await?;
    let done = if migrate { brought_up(server, &mut conn).await } else { looked_at(server, &mut conn).await };
    // Ends the lock as well, whatever became of the migrations.
    drop(conn.close().await);
    done
}

/// Migrations that the schema lacks, by number and name; nothing is changed.
pub(super) async fn missing(server: &Server) -> Result<Vec<String>, OpenError> {
    let mut conn = connect(server).await?;
    let applied = applied(server, &mut conn).await;
    drop(conn.close().await);
    let applied = applied?;
    let lacking = MIGRATIONS.iter().filter(|one| !applied.contains(&one.version));
    Ok(lacking.map(|one| format!("{:04} {}", one.version, one.description)).collect())
}

/// A connection of its own, without the limits of the pools: a migration may take its time.
pub(super) async fn connect(server: &Server) -> Result<PgConnection, OpenError> {
    let fail = |why: String| OpenError::Open { path: place(server), why };
    let options = server.options().options([
        ("search_path", server.schema.as_str()),
        ("lock_timeout", TURN),
        ("idle_in_transaction_session_timeout", "0"),
        ("statement_timeout", "0"),
    ]);
    let connected = timeout(CONNECT, options.connect()).await;
    let mut conn = connected
        .map_err(|_| fail(format!("no answer within {} s", CONNECT.as_secs())))?
        .map_err(|error| fail(explained(server, &error)))?;
    let version: (i32,) = sqlx::query_as("SELECT current_setting('server_version_num')::int")
        .fetch_one(&mut conn)
        .await
        .map_err(|error| fail(error.to_string()))?;
    if version.0 < OLDEST {
        return Err(fail("this PostgreSQL is older than version 13".to_owned()));
    }
    Ok(conn)
}

pub(super) fn place(server: &Server) -> PathBuf {
    PathBuf::from(server.describe())
}

fn explained(server: &Server, error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Tls(_) if server.protection != super::postgres::Protection::Plain => {
            format!("{error}; a connection without encryption needs database.tls = \"danger_plain\"")
        }
        _ => error.to_string(),
    }
}

async fn brought_up(server: &Server, conn: &mut PgConnection) -> Result<(), OpenError> {
    let failed = |error: sqlx::Error| OpenError::Migrate { path: place(server), why: error.to_string() };
    // One process at a time; the others then find nothing left to do. Ends with the connection.
    let turn = format!("SELECT pg_advisory_lock({})", lock_key(&server.schema, b"migrations"));
    sqlx::raw_sql(AssertSqlSafe(turn)).execute(&mut *conn).await.map_err(failed)?;
    if !exists(server, conn).await.map_err(failed)? {
        let create = format!("CREATE SCHEMA \"{}\"", server.schema);
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut *conn).await.map_err(|error| OpenError::Migrate {
            path: place(server),
            why: format!("the schema is missing and cannot be made ({error}); as its owner: CREATE SCHEMA \"{}\" AUTHORIZATION \"{}\"", server.schema, server.user),
        })?;
    }
    applied(server, conn).await?;
    BESIDE_NEWER.run(&mut *conn).await.map_err(|error| migration_error(&place(server), error))
}

async fn looked_at(server: &Server, conn: &mut PgConnection) -> Result<(), OpenError> {
    let applied = applied(server, conn).await?;
    match MIGRATIONS.iter().find(|one| !applied.contains(&one.version)) {
        None => Ok(()),
        Some(first) => Err(OpenError::Older { path: place(server), version: first.version }),
    }
}

/// The numbers of the migrations that were run: each is known to this version and unchanged, or says of itself that this
/// version can live with it.
async fn applied(server: &Server, conn: &mut PgConnection) -> Result<BTreeSet<i64>, OpenError> {
    let failed = |why: String| OpenError::Migrate { path: place(server), why };
    let table: (bool,) = sqlx::query_as("SELECT to_regclass($1) IS NOT NULL")
        .bind(format!("\"{}\".\"_sqlx_migrations\"", server.schema))
        .fetch_one(&mut *conn)
        .await
        .map_err(|error| failed(error.to_string()))?;
    if !table.0 {
        return Ok(BTreeSet::new());
    }
    let bearable = bearable(server, conn).await.map_err(|error| failed(error.to_string()))?;
    let applied = conn.list_applied_migrations("_sqlx_migrations").await.map_err(|error| failed(error.to_string()))?;
    for one in &applied {
        match MIGRATIONS.iter().find(|known| known.version == one.version) {
            None if bearable.contains(&one.version) => {
                tracing::warn!(migration = one.version, "a newer version was here; this one can work beside it");
            }
            None => return Err(OpenError::Newer { path: place(server), version: one.version }),
            Some(known) if known.checksum != one.checksum => {
                return Err(OpenError::Changed { path: place(server), version: one.version });
            }
            Some(_) => {}
        }
    }
    Ok(applied.into_iter().map(|one| one.version).collect())
}

/// The numbers of migrations that a version can live with which knows no newer one than we do.
async fn bearable(server: &Server, conn: &mut PgConnection) -> Result<BTreeSet<i64>, sqlx::Error> {
    let (said,): (bool,) = sqlx::query_as("SELECT to_regclass($1) IS NOT NULL")
        .bind(format!("\"{}\".migration_reach", server.schema))
        .fetch_one(&mut *conn)
        .await?;
    if !said {
        return Ok(BTreeSet::new());
    }
    let newest = MIGRATIONS.iter().map(|one| one.version).max().unwrap_or(0);
    let rows: Vec<(i64,)> = sqlx::query_as("SELECT migration FROM migration_reach WHERE works_from <= $1")
        .bind(newest)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|(migration,)| migration).collect())
}

async fn exists(server: &Server, conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let row: (bool,) = sqlx::query_as("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)")
        .bind(&server.schema)
        .fetch_one(conn)
        .await?;
    Ok(row.0)
}
