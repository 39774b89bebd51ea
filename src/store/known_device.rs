//! Browsers and networks that an account has signed in from, as hashes: enough to notice a new one, too little to tell
//! where somebody was.

use super::database::{Link, StoreError, execute};
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;

/// Notes that one was used again.
///
/// # Errors
/// [`StoreError`].
///
/// # Returns
/// Whether it was known.
pub async fn touch(link: &mut Link, account: AccountId, mark: &[u8], now: Timestamp) -> Result<bool, StoreError> {
    let touched = execute!(
        link,
        "UPDATE known_device SET last_used_at = $3 WHERE account_id = $1 AND mark = $2",
        account.uuid(),
        mark,
        now.millis()
    )?;
    Ok(touched > 0)
}

/// Remembers a new one.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(link: &mut Link, account: AccountId, mark: &[u8], now: Timestamp) -> Result<(), StoreError> {
    execute!(
        link,
        "INSERT INTO known_device (account_id, mark, last_used_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        account.uuid(),
        mark,
        now.millis()
    )
    .map(drop)
}

/// Forgets those that were last used before a point in time.
///
/// # Errors
/// [`StoreError`].
pub async fn prune(link: &mut Link, before: Timestamp) -> Result<u64, StoreError> {
    execute!(link, "DELETE FROM known_device WHERE last_used_at <= $1", before.millis())
}
