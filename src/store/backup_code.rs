//! Backup codes as hashes; a code that was used is gone.

use super::database::{Link, StoreError, execute, fetch_optional};
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;

/// Replaces all codes of an account.
///
/// # Errors
/// [`StoreError`].
pub async fn replace(
    link: &mut Link,
    account: AccountId,
    hashes: &[[u8; 32]],
    now: Timestamp,
) -> Result<(), StoreError> {
    remove_all(link, account).await?;
    for hash in hashes {
        execute!(
            link,
            "INSERT INTO backup_code (account_id, hash, created_at) VALUES ($1, $2, $3)",
            account.uuid(),
            hash.as_slice(),
            now.millis()
        )?;
    }
    Ok(())
}

/// Takes a code, once: of two racing callers one gets it.
///
/// # Errors
/// [`StoreError`].
pub async fn take(link: &mut Link, account: AccountId, hash: &[u8; 32]) -> Result<bool, StoreError> {
    let rows =
        execute!(link, "DELETE FROM backup_code WHERE account_id = $1 AND hash = $2", account.uuid(), hash.as_slice())?;
    Ok(rows > 0)
}

/// How many an account has left.
///
/// # Errors
/// [`StoreError`].
pub async fn left(link: &mut Link, account: AccountId) -> Result<u32, StoreError> {
    let row = fetch_optional!(link, (i64,), "SELECT COUNT(*) FROM backup_code WHERE account_id = $1", account.uuid())?;
    Ok(row.and_then(|(count,)| u32::try_from(count).ok()).unwrap_or(0))
}

/// Removes all codes of an account.
///
/// # Errors
/// [`StoreError`].
pub async fn remove_all(link: &mut Link, account: AccountId) -> Result<u64, StoreError> {
    execute!(link, "DELETE FROM backup_code WHERE account_id = $1", account.uuid())
}
