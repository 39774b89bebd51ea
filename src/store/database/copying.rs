//! What the copy of a whole database (`store/copy.rs`) needs of PostgreSQL beyond statements.

use super::postgres::{Server, lock_key};
use super::{OpenError, postgres_schema};
use sqlx::PgConnection;

/// A connection without limits to a schema that is up to date.
pub(in crate::store) async fn ready(server: &Server) -> Result<PgConnection, OpenError> {
    postgres_schema::prepare(server, true).await?;
    postgres_schema::connect(server).await
}

/// Begins a transaction that no other writer of the schema runs beside.
pub(in crate::store) fn opening(server: &Server) -> String {
    format!("BEGIN; SELECT pg_advisory_xact_lock({})", lock_key(&server.schema, b"writers"))
}

/// The numbers of all migrations that this version knows.
pub(in crate::store) fn versions() -> impl Iterator<Item = i64> {
    postgres_schema::MIGRATIONS.iter().map(|one| one.version)
}
