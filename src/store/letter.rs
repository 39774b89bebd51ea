//! Letters that wait to be sent, sealed: neither an address nor a link lies in the database in clear.

use super::database::{Link, StoreError, execute, fetch_all};
use crate::domain::id::{AccountId, LetterId};
use crate::domain::time::Timestamp;
use uuid::Uuid;

/// A letter in the queue.
#[derive(Clone, Debug)]
pub struct Queued {
    /// Its identifier.
    pub id: LetterId,
    /// Whom it concerns, when that is known.
    pub account: Option<AccountId>,
    /// What to write, to whom; sealed.
    pub sealed: Vec<u8>,
    /// How often sending it was tried.
    pub attempts: u32,
    /// When it was queued.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    account_id: Option<Uuid>,
    sealed: Vec<u8>,
    attempts: i64,
    created_at: i64,
}

/// Queues a letter.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(link: &mut Link, letter: &Queued) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO letter (id, account_id, sealed, attempts, next_attempt_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $5)",
        letter.id.uuid(),
        letter.account.map(AccountId::uuid),
        letter.sealed.as_slice(),
        i64::from(letter.attempts),
        letter.created_at.millis()
    )
    .map(drop)
}

/// Letters whose turn has come, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn due(link: &mut Link, now: Timestamp, most: u32) -> Result<Vec<Queued>, StoreError> {
    let rows = fetch_all!(
        link,
        Row,
        "SELECT id, account_id, sealed, attempts, created_at FROM letter WHERE next_attempt_at <= $1 \
         ORDER BY next_attempt_at, id LIMIT $2",
        now.millis(),
        i64::from(most)
    )?;
    Ok(rows
        .into_iter()
        .map(|row| Queued {
            id: LetterId::new(row.id),
            account: row.account_id.map(AccountId::new),
            sealed: row.sealed,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            created_at: Timestamp::from_millis(row.created_at),
        })
        .collect())
}

/// Claims a letter that is due, until a point in time: of two nodes, one gets it. Whoever claims it and is gone by then
/// leaves it to the next.
///
/// # Errors
/// [`StoreError`].
pub async fn claim(link: &mut Link, id: LetterId, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
    let rows = execute!(
        link,
        "UPDATE letter SET next_attempt_at = $3 WHERE id = $1 AND next_attempt_at <= $2",
        id.uuid(),
        now.millis(),
        until.millis()
    )?;
    Ok(rows > 0)
}

/// Takes a letter from the queue, sent or given up.
///
/// # Errors
/// [`StoreError`].
pub async fn remove(link: &mut Link, id: LetterId) -> Result<(), StoreError> {
    execute!(link, "DELETE FROM letter WHERE id = $1", id.uuid()).map(drop)
}

/// Puts a letter back for later.
///
/// # Errors
/// [`StoreError`].
pub async fn postpone(link: &mut Link, id: LetterId, until: Timestamp) -> Result<(), StoreError> {
    execute!(
        link,
        "UPDATE letter SET attempts = attempts + 1, next_attempt_at = $2 WHERE id = $1",
        id.uuid(),
        until.millis()
    )
    .map(drop)
}
