//! Keys as rows, wrapped under the root key: what the database holds opens nothing by itself.

use super::database::{Link, StoreError, execute, fetch_all};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// A key as stored.
#[derive(Clone, Debug)]
pub struct StoredKey {
    /// Its identifier; the short form of it stands in sealed values.
    pub id: Uuid,
    /// What it is for: `seal` or `sign`.
    pub purpose: String,
    /// The key, sealed under the root key.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it opens nothing; `None` while it is the newest.
    pub retires_at: Option<Timestamp>,
    /// Revoked at once.
    pub revoked_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    purpose: String,
    wrapped: Vec<u8>,
    created_at: i64,
    retires_at: Option<i64>,
    revoked_at: Option<i64>,
}

/// All keys, of each purpose the one in use first.
///
/// # Errors
/// [`StoreError`].
pub async fn all(link: &mut Link) -> Result<Vec<StoredKey>, StoreError> {
    let rows = fetch_all!(
        link,
        Row,
        "SELECT id, purpose, wrapped, created_at, retires_at, revoked_at FROM ring_key \
         ORDER BY CASE WHEN retires_at IS NULL THEN 0 ELSE 1 END, created_at DESC, id DESC"
    )?;
    Ok(rows
        .into_iter()
        .map(|row| StoredKey {
            id: row.id,
            purpose: row.purpose,
            wrapped: row.wrapped,
            created_at: Timestamp::from_millis(row.created_at),
            retires_at: row.retires_at.map(Timestamp::from_millis),
            revoked_at: row.revoked_at.map(Timestamp::from_millis),
        })
        .collect())
}

/// Adds a key.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(link: &mut Link, key: &StoredKey) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO ring_key (id, purpose, wrapped, created_at) VALUES ($1, $2, $3, $4)",
        key.id,
        key.purpose.as_str(),
        key.wrapped.as_slice(),
        key.created_at.millis()
    )
    .map(drop)
}

/// Lets every other key of this purpose retire at a point, unless it retires earlier already.
///
/// # Errors
/// [`StoreError`].
pub async fn retire_others(link: &mut Link, newest: &StoredKey, at: Timestamp) -> Result<u64, StoreError> {
    execute!(
        link,
        "UPDATE ring_key SET retires_at = $3 WHERE purpose = $1 AND id <> $2 AND (retires_at IS NULL OR retires_at > $3)",
        newest.purpose.as_str(),
        newest.id,
        at.millis()
    )
}

/// Revokes a key at once; its material is destroyed. False when there is none with this id, or it was revoked before.
///
/// # Errors
/// [`StoreError`].
pub async fn revoke(link: &mut Link, id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
    let rows = execute!(
        link,
        "UPDATE ring_key SET revoked_at = $2, wrapped = $3 WHERE id = $1 AND revoked_at IS NULL",
        id,
        now.millis(),
        Vec::<u8>::new()
    )?;
    Ok(rows > 0)
}
